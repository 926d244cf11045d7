"""Numbers known from elsewhere, typed as they were printed: each digit is asserted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lossctl
import lossctl.losses
from lossctl.errors import DataError

REAL = ([2.5, 0, 2, 8], [3, -0.5, 2, 7])
BINARY = ([0.9, 0.1, 0.8, 0.3], [1, 0, 0, 1])
LOGIT = ([2, -1, 0.5, -3], [1, 0, 0, 1])
Z = np.array([[2, 0.5, -1], [0, 1, 3], [1, 1, 1], [-2, 0, 0.5]])
C = [0, 2, 1, 0]
W = (1, 2, 0.5)
Q = [[0.7, 0.2, 0.1], [0, 0.1, 0.9], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]]
LOG_SOFTMAX = Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))
PROB = np.exp(LOG_SOFTMAX)
AMOUNTS = ([0.5, 0.5, 2], [2, 1, 3])
COUNTS = ([0.5, 1, 2], [0, 1, 5])
NORMAL = ([1, 2], [0, 2.5], [0.5, 2])
SCORE = ([0.3, 0.8, 2, -0.5], [1, -1, 1, -1])
IGNORED = [0, -100, 1, -100]
SCORED = ([2, -0.5], [-1, 0.3])
RANKED = ([[0.75, 0.5, 1], [1, 0.2, 0.1]], [[1, 0, 0], [0, 0, 1]])

FRAMES = np.arange(40).reshape(5, 2, 4) % 7 * 0.3
FRAMES -= np.log(np.exp(FRAMES).sum(axis=2, keepdims=True))
PATHS = (FRAMES, [[1, 2], [3, 3]], [5, 4])

CORNERS = ([[1, 0], [0.6, 0.8], [0, 1], [-0.8, 0.6]], [0, 0, 1, 1])
PAIRS = ([1, 2, 3], [2, 2, 1], [1, 1, -1])
LIST = ([1, 2, 0.5], [1, 0, 2], [1, 1, 1])

CE = ".2413112967 .1698460196 1.0986122887 3.0239090562"
E = 1.5 * np.array([[1, 0], [0.6, 0.8], [0, 1], [-0.8, 0.6]])
FACES = (E, [0, 1, 1, 2], [[1, 0], [0.2, 1], [-1, 0.3]])

MASK = ([[0.8, 0.3, 0.6, 0.1]], [[1, 0, 1, 1]])
BOXES = ([[0, 0, 2, 2], [0, 0, 1, 1], [0, 0, 4, 1]], [[1, 1, 3, 3], [2, 2, 3, 3], [0, 0, 1, 4]])
FACTS: list[tuple[str, tuple[Any, ...], dict[str, Any], str, dict[str, str]]] = [
    # loss, inputs, parameters, row values, reduced values by reduction
    ("nt-xent", CORNERS, {"temperature": 0.5}, ".308957 1.027123 1.027123 .308957", {"mean": ".6680402"}),
    ("sup-con", CORNERS, {}, ".002477 2.127223 2.127223 .002477", {"mean": "1.0648500"}),
    ("circle", CORNERS, {}, ".693149 38.4 38.4 .693149", {"mean": "19.5465743"}),
    ("multi-similarity", CORNERS, {}, ".299069 .599069 .599069 .299069", {"mean": ".4490694"}),
    ("lifted-structure", CORNERS, {}, "2.099767 2.099767 2.099767 2.099767", {"mean": "2.0997672"}),
    ("mse", REAL, {}, ".25 .25 0 1", {"mean": ".375", "sum": "1.5"}),
    ("huber", REAL, {}, ".125 .125 0 .5", {"mean": ".1875"}),
    ("huber", REAL, {"delta": 0.25}, ".09375 .09375 0 .21875", {}),
    ("huber", REAL, {"delta": 3}, ".125 .125 0 .5", {}),
    ("smooth-l1", REAL, {"beta": 0.25}, ".375 .375 0 .875", {}),
    ("smooth-l1", REAL, {"beta": 0}, ".5 .5 0 1", {}),
    ("log-cosh", REAL, {}, ".120114507 .120114507 0 .4337808305", {}),
    ("log-cosh", ([1000.0], [0.0]), {}, "999.3069", {}),
    ("pinball", ([0, 2, 3], [1, 2, 3]), {"quantile": 0.1}, ".1 0 0", {"mean": ".0333333"}),
    ("pinball", ([0, 2, 3], [1, 2, 3]), {"quantile": 0.9}, ".9 0 0", {"mean": ".3"}),
    ("pinball", REAL, {}, ".25 .25 0 .5", {"mean": ".25"}),
    ("mean-bias-error", REAL, {}, "-.5 .5 0 1", {"mean": ".25", "sum": "1", "min": "-.5"}),
    ("mean-bias-error", REAL, {"direction": "target-pred"}, ".5 -.5 0 -1", {"mean": "-.25"}),
    ("quadratic-cost", REAL, {}, ".125 .125 0 .5", {"mean": ".1875"}),
    ("quadratic-cost", ([[1, 2], [0, 0]], [[0, 0], [3, 4]]), {}, "2.5 12.5", {"mean": "7.5", "sum": "15"}),
    ("asymmetric", REAL, {"over": 2, "under": 0.5}, ".125 .5 0 2", {"mean": ".65625"}),
    ("asymmetric", REAL, {"over": 2, "under": 0.5, "power": 1}, ".25 1 0 2", {"mean": ".8125"}),
    ("smape", REAL, {}, ".1818181818 2 0 .1333333333", {"mean": ".5787878788"}),
    ("barron", ([2], [0]), {"alpha": 2}, "2", {}),
    ("barron", ([2], [0]), {}, "1.236068", {}),
    ("barron", ([2], [0]), {"alpha": 0}, "1.098612", {}),
    ("barron", ([2], [0]), {"alpha": -2}, "1", {}),
    ("barron", ([2], [0]), {"alpha": float("-inf")}, ".864665", {}),
    ("wing", ([10, 0], [0, 0]), {}, "17.9176 0", {}),
    ("crps-ensemble", ([[0, 2, 5]], [1]), {"estimator": "fair"}, ".3333333333", {}),
    ("crps-gaussian", ([0], [0.5], [1]), {}, ".33140", {}),
    ("margin-ranking", PAIRS, {"margin": 0.5}, "1.5 .5 2.5", {"mean": "1.5"}),
    ("listmle", LIST, {}, "3.2776304716", {}),
    ("listnet", LIST, {}, "1.7069586888", {}),
    ("ranking-softmax-loss", LIST, {}, "5.3931063523", {}),
    ("bradley-terry", ([1], [1]), {}, ".6931471806", {}),
    ("asymmetric-multilabel", LOGIT, {}, ".0151301898 .0005677975 .0912530041 2.9040054345", {"sum": "3.0109564"}),
    ("mape", REAL, {}, ".1666666667 1 0 .1428571429", {"mean": ".3273809524"}),
    ("mape", ([1, 2], [0, 4]), {"zero": "skip"}, "0 .5", {"mean": ".5", "sum": ".5"}),
    ("msle", ([1], [-0.5]), {}, "1.9218", {}),
    ("msle", ([1], [-0.5]), {"clamp": "keras"}, ".4805", {}),
    ("rmsle", ([1], [-0.5]), {}, "1.3863", {}),
    ("tversky", MASK, {"alpha": 0.3, "beta": 0.7, "smooth": 0.0}, ".4318181818", {}),
    ("lovasz-hinge", ([LOGIT[0]], [LOGIT[1]]), {}, "2.25", {}),
    ("lovasz-softmax", (Z.T[None], [C]), {"input": "logits"}, ".5577029926", {}),
    ("giou", BOXES, {}, "1.07936508 1.77777777 1.41964286", {}),
    ("diou", BOXES, {}, ".96825397 1.44444444 .99776786", {}),
    ("ciou", BOXES, {}, ".96825397 1.44444444 1.16623546", {}),
    ("cosine-distance", ([[1, 0], [1, 2]], [[1, 1], [-1, 0]]), {}, ".2928932188 1.4472135955", {}),
    ("cosine-distance", ([[0, 0], [1, 1]], [[1, 1], [2, 2]]), {}, "1 0", {"mean": ".5"}),
    ("bce", BINARY, {}, ".1053605157 .1053605157 1.6094379124 1.2039728043", {"mean": ".756032937"}),
    ("bce-with-logits", LOGIT, {}, ".126928011 .3132616875 .9740769842 3.0485873516", {}),
    ("bce-with-logits", LOGIT, {"pos_weight": 3}, ".3807840331 .3132616875 .9740769842 9.1457620547", {}),
    ("bce-with-logits", ([1000.0], [0.0]), {}, "1000", {}),
    (
        "balanced-sigmoid-ce",
        LOGIT,
        {"beta": 0.75},
        ".0951960083 .0783154219 .2435192460 2.2864405137",
        {"mean": ".6758677975"},
    ),
    ("cross-entropy", (Z, C), {}, CE, {"mean": "1.1334196653"}),
    (
        "cross-entropy",
        (Z, C),
        {"class_weight": W},
        ".2413112967 .0849230098 2.1972245773 3.0239090562",
        {"mean": "1.2327484311", "sum": "5.54736794"},
    ),
    (
        "cross-entropy",
        (Z, C),
        {"label_smoothing": 0.1},
        ".3913112967 .3365126862 1.0986122887 2.8739090562",
        {"mean": "1.1750863319"},
    ),
    (
        "cross-entropy",
        (Z, C),
        {"label_smoothing": 0.1, "class_weight": W},
        ".3953331516 .3295794111 2.1056735533 2.8993075404",
        {"mean": "1.2733097014"},
    ),
    ("cross-entropy", (Z, IGNORED), {}, ".2413112967 0 1.0986122887 0", {"mean": ".6699617927"}),
    ("cross-entropy", (Z, IGNORED), {"label_smoothing": 0.1}, ".3913112967 0 1.0986122887 0", {"mean": ".7449617927"}),
    ("cross-entropy", (Z, Q), {}, ".8413112967 .3698460196 1.0986122887 1.8989090562", {"mean": "1.0521696653"}),
    (
        "cross-entropy",
        (Z, Q),
        {"class_weight": W},
        "1.0275079912 .5103999127 1.2084735175 2.0893976882",
        {"mean": "1.2089447774"},
    ),
    ("nll", (LOG_SOFTMAX, C), {}, CE, {"mean": "1.1334196653"}),
    (
        "kl-div",
        (LOG_SOFTMAX, Q),
        {},
        ".0394927441 .0447630462 .0097123133 .8591882853",
        {"mean": ".2382890972", "sum": ".9531563889"},
    ),
    ("js-divergence", (PROB, Q), {}, ".0085339768 .0152479135 .0023948438 .1487390712", {}),
    ("js-divergence", ([[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]]), {"base": 2, "sqrt": True}, "1", {}),
    ("js-divergence", ([[0.5, 0.5]], [[1.0, 0.0]]), {"sqrt": True}, ".46450140402246", {}),
    ("poisson-nll", COUNTS, {}, "1.6487212707 1.7182818285 -2.6109439011", {}),
    ("poisson-nll", COUNTS, {"full": True}, "1.6487212707 1.7182818285 2.1599031505", {}),
    ("poisson-nll", ([2], [5]), {"full": True, "stirling": "exact"}, "2.17655", {}),
    ("poisson-nll", ([0.5, 0, 2], [0, 1, 5]), {"log_input": False}, ".5 18.420680744 -1.4657359278", {}),
    ("gaussian-nll", NORMAL, {}, ".6534264097 .4090735903", {}),
    ("gaussian-nll", NORMAL, {"full": True}, "1.5723649429 1.3280121235", {}),
    ("gaussian-nll", ([1], [1], [1e-9]), {}, "-6.9078", {}),
    ("brier", ([0.1, 0.9, 0.8, 0.3], [0, 1, 1, 0]), {}, ".01 .01 .04 .09", {"mean": ".0375"}),
    ("brier", ([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]], [0, 1, 2]), {}, ".06 .14 .24", {}),
    ("alpha-ce", LOGIT, {"alpha": 0.5}, ".0634640055 .1566308438 .4870384921 1.5242936758", {}),
    ("label-smoothing-ce", (Z, C), {}, ".3913112967 .3365126862 1.0986122887 2.8739090562", {"mean": "1.1750863319"}),
    ("softmax-ce-soft", (Z, Q), {}, ".8413112967 .3698460196 1.0986122887 1.8989090562", {"mean": "1.0521696653"}),
    ("sigmoid-focal", LOGIT, {}, ".0004508907 .0169935431 .2830587006 .6915701103", {}),
    ("sigmoid-focal", LOGIT, {"alpha": None}, ".0018035628 .0226580575 .3774116009 2.766280441", {}),
    ("softmax-focal", (Z, C), {"alpha": None}, ".0110927501 .0041442573 .4882721283 2.7370651682", {}),
    ("poly-ce", (Z, C), {}, ".6701172275 .4822565506 2.431945622 4.9266874081", {}),
    ("generalized-ce", ([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]], [1, 2]), {"q": 0.7}, ".3156344 .6763530", {}),
    ("sparsemax", (SCORE[0], [1, 0, 1, 0]), {}, ".1225 .81 0 .0625", {}),
    ("fenchel-young", (Z, C), {}, CE, {}),
    ("log-loss", BINARY, {}, ".1053605157 .1053605157 1.6094379124 1.2039728043", {"mean": ".756032937"}),
    ("hinge", SCORE, {}, ".7 1.8 0 .5", {"mean": ".75"}),
    ("hinge", ([0.5], [1]), {}, ".5", {}),
    ("squared-hinge", SCORE, {}, ".49 3.24 0 .25", {"mean": ".995"}),
    ("perceptron", SCORE, {}, "0 .8 0 0", {"mean": ".2"}),
    ("perceptron", (Z, C), {}, "0 0 0 2.5", {}),
    ("exponential", SCORE, {}, ".7408182207 2.2255409285 .1353352832 .6065306597", {}),
    ("soft-margin", SCORE, {}, ".5543552445 1.1711006659 .126928011 .4740769842", {}),
    ("soft-margin", ([-1000.0], [1]), {}, "1000", {}),  # inf in torch
    ("hinge-embedding", ([0.3, 0.3, -0.5], [1, -1, 1]), {}, ".3 .7 -.5", {}),
    ("hinge-embedding", ([0.3], [0]), {}, ".7", {}),  # 1.0 in torch, which adds both terms for a label of 0
    (
        "cosine-embedding",
        ([[1, 0], [1, 2], [0, 0]], [[1, 1], [-1, 0], [1, 2]], [1, -1, 1]),
        {},
        ".2928932188 0 1",
        {"mean": ".4309644063"},
    ),
    ("multi-margin", (Z, C), {}, "0 0 .6666666667 2.1666666667", {}),
    (
        "multi-margin",
        (Z, C),
        {"p": 2, "margin": 0.5, "class_weight": W},
        "0 0 .3333333333 5.0833333333",
        {"mean": "1.3541666667"},
    ),
    ("multiclass-hinge", (Z, C), {}, "0 0 1 3.5", {"mean": "1.125"}),
    ("categorical-hinge", ([[0.5, -3, -4]], [0]), {}, "0", {}),  # .5 in Keras, and in the next line as well
    ("categorical-hinge", ([[0.5, -0.25, -4]], [[1, 0, 0]]), {}, ".25", {}),
    ("multilabel-margin", ([[0.1, 0.2, 0.4, 0.8]], [[3, 0, -1, 1]]), {}, ".85", {}),
    ("multilabel-margin", ([[0.1, 0.2, 0.4, 0.8]], [[-1, 0, 1, 2]]), {}, "0", {}),
    ("multilabel-soft-margin", (Z, Z > 0), {}, ".3047555609 .3516654066 .3132616875 .4313840586", {}),
    ("coverage-error", RANKED, {}, "2 3", {"mean": "2.5"}),
    ("label-ranking-loss", RANKED, {}, ".5 1", {"mean": ".75"}),
    ("lrap-loss", RANKED, {}, ".5 .6666666667", {"mean": ".5833333333"}),
    ("ctc", (*PATHS, [2, 2]), {"layout": "TNC"}, "3.9437822678 4.2678035435", {"mean": "2.0528964528"}),
    ("ctc", (*PATHS, [0, 2]), {"layout": "TNC"}, "9.0654705162 4.2678035435", {"mean": "5.599686144"}),
    ("edit-distance", (["rain"], ["shine"]), {}, "3", {}),
    ("edit-distance", (["rain"], ["shine"]), {"substitution_cost": 2}, "5", {}),
    ("dpo", ([-10], [-12], [-11], [-11.5]), {}, ".6209570478", {}),
    ("ipo", ([-10], [-12], [-11], [-11.5]), {"length_normalize": False}, "12.25", {}),
    ("orpo", ([-0.5], [-1]), {}, ".5320299785", {}),
    ("orpo", ([-0.5], [-1], [0]), {"lam": 1}, ".3202997852", {}),
    ("semantic", ([[0.7, 0.2, 0.4]],), {}, ".7592869831", {}),
]

# What --like, --row and weights change: loss, inputs, options, value.
CONVENTIONS: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("arcface", FACES, {"margin": np.radians(28.6)}, ".3150072341"),  # 28.6 degrees
    ("cosface", FACES, {}, ".7772804227"),
    ("sphereface", FACES, {}, ".8973400202"),
    ("l-softmax", FACES, {}, ".8964106745"),
    ("l-softmax", FACES, {"m": 1}, ".4342647069"),
    ("linear-cross-entropy", FACES, {}, ".4342647069"),
    ("normalized-softmax", FACES, {}, ".000603"),
    ("kl-div", (LOG_SOFTMAX, Q), {"row": "mean"}, ".0794296991"),
    ("kl-div", (LOG_SOFTMAX, Q), {"like": "torch"}, ".0794296991"),
    ("kl-div", (np.exp(LOG_SOFTMAX)[1:2], Q[1:2]), {"like": "keras"}, ".0447618"),
    ("kl-div", (np.exp(LOG_SOFTMAX)[1:2], Q[1:2]), {"input": "probs"}, ".0447630"),
    ("bce-with-logits", LOGIT, {"like": "torch", "weight": [1, 2, 3, 4]}, "3.9675079362"),
    ("mse", ([1, 2], [0, 0]), {"like": "torch", "weight": [1, 3]}, "3.25"),
    ("huber", ([1, 2], [0, 0]), {"like": "torch", "weight": [1, 3]}, "2.5"),
    ("huber", ([1, 2], [0, 0]), {"weight": [1, 3]}, "1.25"),
    ("rmse", ([[1, 3], [1, 3]], [[0, 0], [0, 0]]), {}, "2.236"),
    ("rmse", ([[1, 3], [1, 3]], [[0, 0], [0, 0]]), {"like": "sklearn"}, "2"),
    # A target of 0 and a prediction of 1: the number is all epsilon.
    ("mape", ([1], [0]), {}, "4503599627370496"),
    ("mape", ([1], [0]), {"like": "keras"}, "1000000000"),
    ("mape", ([1], [0]), {"eps": 1.17e-6}, "854700.85"),
    ("mape", ([1], [0]), {"eps": 0}, "inf"),
    ("msle", ([1], [-0.5]), {"like": "keras"}, ".4805"),
    ("rmsle", ([[1, 0], [1, 0]], [[0, 0], [0, 0]]), {}, ".4901290717"),
    ("rmsle", ([[1, 0], [1, 0]], [[0, 0], [0, 0]]), {"like": "sklearn"}, ".3465735903"),
    ("quadratic-cost", ([[1, 3], [1, 3]], [[0, 0], [0, 0]]), {}, "5"),
    ("quadratic-cost", ([[1, 3], [1, 3]], [[0, 0], [0, 0]]), {"like": "optax"}, "2.5"),
    ("explained-variance", REAL, {}, ".9571734475"),
    (
        "explained-variance",
        ([[0, 2], [-1, 2], [8, -5]], [[0.5, 1], [-1, 1], [7, -6]]),
        {"like": "sklearn"},
        ".9838709677",
    ),
    ("r2", REAL, {}, ".9486081370"),
    # p = 0, and it happened: what that costs is a matter of convention.
    ("bce", ([0.0], [1.0]), {}, "100"),
    ("bce", ([0.0], [1.0]), {"like": "keras"}, "16.118"),
    ("bce", ([0.0], [1.0]), {"like": "sklearn"}, "36.04"),
    ("bce", ([0.0], [1.0]), {"clip": "none"}, "inf"),
    ("cross-entropy", ([[0.0, 1.0]], [0]), {"input": "probs", "clip": "torch"}, "100"),
    ("cross-entropy", ([[0.0, 1.0]], [0]), {"input": "probs", "clip": "keras"}, "16.118"),
    ("cross-entropy", ([[0.0, 1.0]], [0]), {"input": "probs", "clip": "sklearn"}, "36.04"),
    ("cross-entropy", ([[0.0, 1.0]], [0]), {"input": "probs"}, "inf"),
    ("log-loss", ([0.0], [1]), {}, "36.04"),
    ("log-loss", (np.array([0.0], np.float32), [1]), {}, "36.04"),
    ("log-loss", (np.array([0.0], np.float32), [1]), {"like": "sklearn"}, "15.94"),
    ("log-loss", (np.array([1.0], np.float32), [0]), {"like": "sklearn"}, "15.94"),
    ("log-loss", (np.array([[0.0, 1.0]], np.float32), [0]), {"clip": "dtype"}, "15.94"),
    ("log-loss", ([[0.0, 1.0]], [0]), {"like": "sklearn"}, "36.04"),
    ("log-loss", ([[0.0, 1.0]], [0]), {"clip": "none"}, "inf"),
    ("log-likelihood", ([[0.0, 1.0]], [0]), {}, "inf"),
    ("categorical-ce", ([[0.0, 1.0]], [[1, 0]]), {"like": "keras"}, "16.118"),
    # Keras' binary focal loss ignores its alpha: the same inputs, first without, then with class balancing.
    ("sigmoid-focal", LOGIT, {"like": "keras"}, ".7920"),
    ("sigmoid-focal", LOGIT, {}, ".2480"),
    # eps is added to the difference: of three equal vectors both distances are 1e-6 sqrt(2), and only the margin stays.
    ("triplet-margin", ([[0, 0]], [[0, 0]], [[0, 0]]), {}, "1"),
    ("likelihood", ([0.9, 0.2], [1, 0]), {}, ".72"),
    ("likelihood", ([0.9, 0.2], [1, 0]), {"reduction": "mean"}, ".8485281374"),
    ("tweedie-deviance", AMOUNTS, {}, "1.1666667"),
    ("tweedie-deviance", AMOUNTS, {"power": 1}, "1.1214208"),
    ("tweedie-deviance", AMOUNTS, {"power": 1.5}, "1.1998126"),
    ("tweedie-deviance", AMOUNTS, {"power": 2}, "1.3433956"),
    ("tweedie-deviance", AMOUNTS, {"power": 3}, "1.8611111"),
    ("poisson-deviance", AMOUNTS, {}, "1.1214208"),
    ("gamma-deviance", AMOUNTS, {}, "1.3433956"),
    ("generalized-kl", AMOUNTS, {}, ".5607104"),
    ("brier", ([[0.8, 0.2], [0.3, 0.7]], [0, 1]), {}, ".065"),
    ("brier", ([[0.8, 0.2], [0.3, 0.7]], [0, 1]), {"factor": "sum"}, ".13"),
    ("zero-one", (["10", "2"], ["10", "3"]), {}, ".5"),
    ("max-error", REAL, {}, "1"),
    ("wmape", REAL, {}, ".16"),
    ("relative-squared-error", REAL, {}, ".05139"),
    ("nrmse", REAL, {}, ".21300"),
    ("concordance", REAL, {"ddof": 1}, ".02227"),
    ("wasserstein-1d", ([0, 1, 3], [5, 6, 8]), {}, "5.0"),
    ("wasserstein-1d", ([0, 1], [0, 1.5]), {}, ".25"),
    ("rmse", REAL, {}, ".6123724357"),
    ("gan-minimax", SCORED, {}, "1.1343109636"),
    ("gan-non-saturating", SCORED, {}, "1.1343109636"),
    ("gan-non-saturating", SCORED, {"side": "g"}, ".933808466"),
    ("gan-minimax", SCORED, {"side": "g"}, "-.583808466"),
    ("lsgan", SCORED, {}, "1.085"),
    ("lsgan", SCORED, {"side": "g"}, "1.1225"),
    ("wgan", SCORED, {}, "-1.1"),
    ("wgan", SCORED, {"side": "g"}, ".35"),
    ("gan-hinge", SCORED, {}, "1.4"),
]


def tolerance(text: str) -> float:
    """Half a unit of the last digit typed."""
    return 0.5000001 * 10.0 ** -len(text.partition(".")[2])


@pytest.mark.parametrize(("loss", "inputs", "params", "rows", "reduced"), FACTS)
def test_numbers_of_rows_and_reductions(
    loss: str, inputs: tuple[Any, ...], params: dict[str, Any], rows: str, reduced: dict[str, str]
) -> None:
    found = getattr(lossctl.losses, loss.replace("-", "_"))(*inputs, **params)
    typed = rows.split()
    assert len(found) == len(typed)
    for value, text in zip(found, typed, strict=True):
        assert abs(value - float(text)) <= tolerance(text)
    for reduction, text in reduced.items():
        value = lossctl.compute(loss, *inputs, reduction=reduction, **params).value
        assert abs(value - float(text)) <= tolerance(text)


@pytest.mark.parametrize(("loss", "inputs", "options", "text"), CONVENTIONS)
def test_conventions(loss: str, inputs: tuple[Any, ...], options: dict[str, Any], text: str) -> None:
    value = lossctl.compute(loss, *inputs, **options).value
    assert value == float(text) or abs(value - float(text)) <= tolerance(text)


def test_the_distance_of_a_vector_from_itself() -> None:
    # d(a, a) = 1.414e-6 of torch: the distance to the negative takes it off the margin, which is 1e-6 here.
    inputs = [[0.0, 0.0]], [[0.0, 0.0]], [[3.0, 4.0]]
    far = lossctl.losses.triplet_margin(*inputs, margin=5.0)[0]
    without = lossctl.losses.triplet_margin(*inputs, margin=5.0, eps=0.0)[0]
    assert without == 0.0
    assert abs(far - (1.4142136e-6 + 1.4e-6)) < 1e-12  # d(a, n) shrinks by eps (3 + 4) / 5


def test_keras_makes_rows_sum_to_one_and_scikit_learn_does_not() -> None:
    prob = [[0.24, 0.49, 0.24]]
    params = {"input": "probs"}
    keras = lossctl.losses.cross_entropy(prob, [1], clip="keras", **params)[0]
    sklearn = lossctl.losses.cross_entropy(prob, [1], clip="sklearn", **params)[0]
    assert keras == pytest.approx(-np.log(0.49 / 0.97), rel=1e-12)
    assert sklearn == pytest.approx(-np.log(0.49), rel=1e-12)


def test_nothing_left_to_score_is_an_error_with_a_way_out() -> None:
    # torch gives nan here, Keras 0.
    ignored = [-100, -100, -100, -100]
    with pytest.raises(DataError) as error:
        lossctl.compute("cross-entropy", Z, ignored)
    assert error.value.code == "empty"
    assert np.isnan(lossctl.compute("cross-entropy", Z, ignored, empty="nan").value)
    assert lossctl.compute("cross-entropy", Z, ignored, empty="zero").value == 0.0


def test_probabilities_are_no_log_probabilities() -> None:
    # Fed with probabilities, torch's nll_loss gives a plausible -0.8.
    with pytest.raises(DataError) as error:
        lossctl.compute("nll", [[0.8, 0.1, 0.1]], [0])
    assert error.value.code == "positive-log-prob"
