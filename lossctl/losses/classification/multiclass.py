"""One class of many: cross-entropy and its kin."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from lossctl import numerics
from lossctl.losses.classification.options import CLASS_WEIGHT, CLIP, INPUT, one_for_each_class
from lossctl.losses.types import Ratios, Rows
from lossctl.losses.types_labels import ClassIndex, ClassLogProbs, ClassScores, ClassTarget
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Ratio
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Preset


def class_weights(weight: tuple[float, ...] | None, classes: int) -> Rows:
    return np.ones(classes) if weight is None else np.array(weight)


def one_hot(target: NDArray[np.int64], classes: int) -> Rows:
    """(N, C) all the weight on the class of the index."""
    return np.asarray(target[:, None] == np.arange(classes), np.float64)


PROBS = {"input": "probs"}
VIEWS = (
    Preset(
        "softmax-ce-soft",
        "Cross-entropy against a distribution",
        "Cross-entropy of logits against target distributions, one column for each class (labels are taken too).",
        {"input": "logits"},
        aliases=("categorical-ce-logits",),
    ),
    Preset(
        "categorical-ce",
        "Categorical cross-entropy",
        "Cross-entropy of class probabilities against one-hot or soft targets, Keras' default form.",
        PROBS,
        aliases=("categorical-crossentropy", "cce"),
    ),
    Preset(
        "sparse-categorical-ce",
        "Sparse categorical cross-entropy",
        "Cross-entropy of class probabilities against class labels; Keras' ignore_class is --ignore-index.",
        PROBS,
        aliases=("sparse-categorical-crossentropy", "scce"),
    ),
    Preset(
        "log-likelihood",
        "Log-likelihood cost",
        "Minus the log-probability of the true class, from class probabilities that nothing clips.",
        PROBS,
        aliases=("log-likelihood-cost", "nielsen-nll"),
    ),
    Preset(
        "label-smoothing-ce",
        "Cross-entropy with label smoothing",
        "Cross-entropy in which a tenth of every target is spread evenly over the classes.",
        {"label_smoothing": 0.1},
        aliases=("lsr",),
    ),
)


@loss(
    title="Cross-entropy",
    reduce=Ratio(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("ce", "softmax-ce", "softmax-cross-entropy"),
    presets=VIEWS,
    see=("nll", "bce", "log-loss", "kl-div", "softmax-focal", "poly-ce", "generalized-ce"),
    tasks=("multiclass classification", "imbalanced classes", "language model", "overconfidence", "soft labels"),
    like={
        "torch": {},
        "keras": {"clip": "keras", "norm": "n"},
        "sklearn": {"input": "probs", "clip": "sklearn"},
        "optax": {},
    },
    equivalents=(
        Equivalent(
            "torch",
            "F.cross_entropy(pred, target, weight=class_weight, label_smoothing=label_smoothing)",
            "classes on axis 1",
        ),
        Equivalent(
            "keras",
            "losses.SparseCategoricalCrossentropy(from_logits=True)(target, pred)",
            "without from_logits it divides rows by their sum and clips at 1e-7",
        ),
        Equivalent(
            "keras",
            "losses.SparseCategoricalCrossentropy(ignore_class=ignore_index)(target, pred)",
            "probabilities, divided by their sum and clipped at 1e-7",
        ),
        Equivalent(
            "keras",
            "losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing)(target, pred)",
            "distributions as targets",
        ),
        Equivalent("optax", "softmax_cross_entropy_with_integer_labels(pred, target).mean()"),
        Equivalent("optax", "softmax_cross_entropy(pred, target).mean()", "distributions as targets"),
        Equivalent("sklearn", "log_loss(target, pred)", "probabilities, clipped at the float64 eps"),
        Equivalent("torchmetrics", "torch.log(perplexity(pred[None], target[None], ignore_index=ignore_index))"),
    ),
    traps=(
        "with class weights and index targets the mean divides by the summed weights of the true classes, with soft "
        "targets by the rows; both as torch does",
        "the default input is logits: probabilities need --input probs (a column named prob_... says so itself)",
        "scikit-learn sorts string labels; here the order is that of the columns or of --classes",
        "torch, Keras and optax spread the smoothing over all C classes; some translation toolkits leave the true one "
        "out (uniform=C-1)",
        "ignore_index=-100 is torch's default; Keras ignores nothing unless ignore_class is given",
    ),
    align=one_for_each_class("class_weight"),
)
def cross_entropy(
    pred: ClassScores,
    target: ClassTarget,
    *,
    input: Annotated[str, INPUT] = "logits",
    class_weight: Annotated[tuple[float, ...] | None, CLASS_WEIGHT] = None,
    label_smoothing: Annotated[
        float, Param("share of the target that is spread evenly over the classes", ge=0, le=1)
    ] = 0.0,
    uniform: Annotated[
        str, Param("classes that the smoothing is spread over: all C, or the C-1 wrong ones", choices=("C", "C-1"))
    ] = "C",
    clip: Annotated[float | str, CLIP] = "none",
) -> Ratios:
    """Negative log-probability of the true class.

    With lp = log-softmax of the logits (or the log of the probabilities), w the class weights, y the true
    class or q the target distribution (one-hot for a class) over C classes, s the label smoothing:

        -w_y lp_y                                    index target
        -sum_c w_c q_c lp_c                          soft target
        -sum_c w_c ((1 - s) q_c + s u_c) lp_c        with label smoothing

        u_c = 1 / C                   uniform=C
        u_c = (1 - q_c) / (C - 1)     uniform=C-1

    >>> cross_entropy([[2.0, 0.5, -1.0]], [0])
    array([0.2413113])
    """
    classes = pred.shape[1]
    weight = class_weights(class_weight, classes)
    hard = target.ndim == 1
    own = weight[target] if hard else np.ones(len(pred))
    if hard and label_smoothing == 0:
        return numerics.times(own, -numerics.log_prob_at(pred, target, input, clip)) + 0.0, own  # + 0: never -0.0
    soft = one_hot(target, classes) if hard else target
    spread = 1.0 / classes if uniform == "C" else (1.0 - soft) / max(classes - 1, 1)
    share = weight * ((1.0 - label_smoothing) * soft + label_smoothing * spread)
    return -np.sum(numerics.times(share, numerics.log_probs(pred, input, clip)), axis=1) + 0.0, own


@loss(
    title="Negative log-likelihood",
    reduce=Ratio(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("negative-log-likelihood",),
    see=("cross-entropy", "log-likelihood"),
    tasks=("multiclass classification", "language model"),
    like={"torch": {}},
    equivalents=(Equivalent("torch", "F.nll_loss(pred, target, weight=class_weight)"),),
    traps=("it takes log-probabilities: probabilities fed by mistake give plausible numbers, so they are refused",),
    align=one_for_each_class("class_weight"),
)
def nll(
    pred: ClassLogProbs,
    target: ClassIndex,
    *,
    class_weight: Annotated[tuple[float, ...] | None, CLASS_WEIGHT] = None,
) -> Ratios:
    """Negative log-likelihood of the true class, from log-probabilities.

    With lp the log-probabilities, w the class weights, y the true class:

        -w_y lp_y

    >>> nll(np.log([[0.7, 0.2, 0.1]]), [0])
    array([0.35667494])
    """
    own = class_weights(class_weight, pred.shape[1])[target]
    return numerics.times(own, -numerics.log_prob_at(pred, target, "log-probs")) + 0.0, own
