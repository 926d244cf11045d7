"""How far one distribution is from another."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import gaps, numerics
from lossctl.losses.types import Rows
from lossctl.losses.types_forecasts import Measure
from lossctl.losses.types_labels import ClassScores, Distribution
from lossctl.model.laws import NONNEGATIVE, ZERO_AT_TARGET
from lossctl.model.params import Param, When
from lossctl.model.reduce import Elements, Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper


@loss(
    title="Kullback-Leibler divergence",
    reduce=Elements(row="sum"),
    unit="nats",
    range="0 to inf",
    aliases=("kldiv", "kl-divergence", "kl"),
    paper=Paper("S. Kullback, R. A. Leibler", 1951, "On Information and Sufficiency", doi="10.1214/aoms/1177729694"),
    see=("cross-entropy", "js-divergence", "generalized-kl"),
    tasks=("knowledge distillation", "soft labels", "compare distributions", "relative entropy"),
    like={
        "torch": {"row": "mean"},
        "keras": {"input": "probs", "clip": "keras", "norm": "n"},
        "optax": {},
    },
    equivalents=(
        Equivalent(
            "torch",
            "F.kl_div(pred, target, reduction='batchmean', log_target=log_target)",
            "its default mean divides by N C: --row mean",
        ),
        Equivalent("keras", "losses.KLDivergence()(target, pred)", "probabilities, both sides clipped to [1e-7, 1]"),
        Equivalent("optax", "kl_divergence(pred, target).mean()"),
        Equivalent(
            "torchmetrics",
            "kl_divergence(target, pred.exp())",
            "probabilities, the true ones first; it divides rows by their sum",
        ),
    ),
    traps=(
        "the default input is log-probabilities, and the divergence is KL(target || pred)",
        "the mean divides by rows (batchmean); torch's mean divides by rows times classes: --row mean",
        "scipy.stats.entropy(p, q) takes the target first, as probabilities; scipy.special.kl_div is generalized-kl",
        "a class of probability 0 that the target has costs inf; keras clips it to 16.118 a unit of probability",
    ),
)
def kl_div(
    pred: ClassScores,
    target: Distribution,
    *,
    input: Annotated[
        str, Param("what the predictions are; never guessed", choices=("log-probs", "probs", "logits"))
    ] = "log-probs",
    log_target: Annotated[bool, Param("the target holds log-probabilities")] = False,
    clip: Annotated[
        str,
        Param(
            "keras clips predictions and targets to [1e-7, 1]",
            choices=("none", "keras"),
            when=When("input", ("probs",), "none"),
        ),
    ] = "none",
) -> Rows:
    """Information lost when the prediction stands in for the target distribution.

    With t the target and q the prediction, in each row:

        sum_c t_c (log(t_c) - log(q_c)),   0 log(0) = 0

    >>> kl_div(np.log([[0.5, 0.5]]), [[0.9, 0.1]])
    array([0.36806421])
    """
    if clip == "keras":
        prob = np.clip(pred.astype(np.float64), 1e-7, 1.0)
        share = np.clip(np.exp(target) if log_target else target, 1e-7, 1.0)
        return np.asarray(share * (np.log(share) - np.log(prob)))
    if input == "probs" and not log_target:
        return numerics.times(target, gaps.log_ratio(target, pred.astype(np.float64)))
    log_share = target if log_target else numerics.safe_log(target)
    share = np.exp(target) if log_target else target
    with np.errstate(invalid="ignore"):
        # t = 0 and q = 0 at once: -inf - -inf is nan, and its weight is zero.
        gap = log_share - numerics.log_probs(pred, input)
    return numerics.times(share, gap)


@loss(
    title="Jensen-Shannon divergence",
    reduce=Mean(),
    unit="nats (bits with base 2)",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("jsd", "jensen-shannon"),
    paper=Paper("J. Lin", 1991, "Divergence measures based on the Shannon entropy", doi="10.1109/18.61115"),
    see=("kl-div",),
    tasks=("compare distributions", "distribution drift", "bounded divergence", "soft labels"),
    equivalents=(
        Equivalent("torchmetrics", "jensen_shannon_divergence(target, pred)", "it divides rows by their sum"),
        Equivalent(
            "scipy",
            "(distance.jensenshannon(target, pred, base=None if base == 'e' else base, axis=1) ** 2).mean()",
            "it divides rows by their sum and returns the root: sqrt=true",
        ),
    ),
    traps=(
        "scipy's jensenshannon is the distance, the square root of this: --sqrt",
        "the default input is probabilities, where kl-div takes log-probabilities",
        "at most log 2 = 0.6931 nats, which is 1 bit: --base 2 for a value between 0 and 1",
        "symmetric at the default mix of 0.5 only",
    ),
)
def js_divergence(
    pred: ClassScores,
    target: Distribution,
    *,
    input: Annotated[
        str, Param("what the predictions are; never guessed", choices=("probs", "logits", "log-probs"))
    ] = "probs",
    base: Annotated[float | str, Param("base of the logarithm", gt=1, choices=("e",))] = "e",
    mix: Annotated[float, Param("share of the target in the mixture; the rest is the prediction's", gt=0, lt=1)] = 0.5,
    sqrt: Annotated[bool, Param("the square root, which is a distance")] = False,
) -> Rows:
    """How far prediction and target are from their mixture: finite even where they have nothing in common.

    With t the target, q the prediction, w the share of the target, m = w t + (1 - w) q, and KL in the base:

        w KL(t || m) + (1 - w) KL(q || m)

    >>> js_divergence([[0.5, 0.5]], [[0.9, 0.1]])
    array([0.10174923])
    """
    scores = np.ascontiguousarray(pred, dtype=np.float64)
    prob = scores if input == "probs" else np.exp(numerics.log_probs(scores, input))
    middle = mix * target + (1.0 - mix) * prob
    gap = target - prob
    # t - m = (1 - w) (t - q) and q - m = -w (t - q): as differences from the rounded m they cancel near t = q.
    # In sum the gaps vanish, so m times the entropy gaps is the divergence, and no part of it is negative.
    over = np.where(middle > 0, middle, 1.0)
    parts = mix * gaps.entropy_gap((1.0 - mix) * gap / over) + (1.0 - mix) * gaps.entropy_gap(-mix * gap / over)
    value = np.sum(middle * parts, axis=1) / (1.0 if base == "e" else np.log(float(base)))
    return np.asarray(np.sqrt(value) if sqrt else value)


@loss(
    title="Hellinger distance",
    reduce=Mean(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("hellinger-distance",),
    paper=Paper(
        "E. Hellinger", 1909, "Neue Begruendung der Theorie quadratischer Formen von unendlichvielen Veraenderlichen"
    ),
    see=("js-divergence", "kl-div"),
    tasks=("compare distributions", "distribution drift", "bounded divergence"),
    equivalents=(
        Equivalent("torch", "(torch.linalg.norm(pred.sqrt() - target.sqrt(), dim=1) / math.sqrt(2)).mean()"),
        Equivalent("scipy", "(np.linalg.norm(np.sqrt(pred) - np.sqrt(target), axis=1) / np.sqrt(2)).mean()"),
    ),
    traps=(
        "the factor 1/2 under the root, left out by some, makes 1 the greatest distance of two distributions",
        "the squared distance is 1 minus the Bhattacharyya coefficient: --squared",
    ),
)
def hellinger(
    pred: ClassScores,
    target: Distribution,
    *,
    input: Annotated[
        str, Param("what the predictions are; never guessed", choices=("probs", "logits", "log-probs"))
    ] = "probs",
    squared: Annotated[bool, Param("the square of the distance")] = False,
) -> Rows:
    """Euclidean distance between the roots of two distributions, over the root of two.

    With t the target and q the prediction, in each row:

        sqrt(1/2 sum_c (sqrt(t_c) - sqrt(q_c))^2)

    >>> hellinger([[0.5, 0.5]], [[0.9, 0.1]])
    array([0.3249197])
    """
    scores = np.ascontiguousarray(pred, dtype=np.float64)
    prob = scores if input == "probs" else np.exp(numerics.log_probs(scores, input))
    roots = np.sqrt(target) + np.sqrt(prob)
    # sqrt(t) - sqrt(q) = (t - q) / (sqrt(t) + sqrt(q)): roots that are rounded first cancel near t = q.
    gap = np.divide(target - prob, roots, out=np.zeros_like(roots), where=roots > 0)
    square = 0.5 * np.sum(gap * gap, axis=1)
    return np.asarray(square if squared else np.sqrt(square))


@loss(
    title="Generalized Kullback-Leibler divergence",
    reduce=Elements(row="sum"),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE, ZERO_AT_TARGET},
    aliases=("convex-kl", "i-divergence"),
    paper=Paper(
        "I. Csiszar",
        1975,
        "I-Divergence Geometry of Probability Distributions and Minimization Problems",
        doi="10.1214/aop/1176996454",
    ),
    see=("kl-div", "poisson-deviance"),
    tasks=("counts", "histograms", "non-negative matrix factorization", "unnormalised distributions"),
    like={"optax": {}},
    equivalents=(
        Equivalent(
            "optax",
            "generalized_kl_divergence(jnp.log(pred), target).mean()",
            "it takes the logarithm of the prediction; convex_kl_divergence is its old name",
        ),
        Equivalent("scipy", "special.kl_div(target, pred).sum(-1).mean()", "scipy's kl_div is this one, by element"),
    ),
    traps=(
        "scipy.special.kl_div is this loss; its rel_entr is the plain one, without - t + q",
        "the mean divides by rows, and a row is the sum of its elements; --row mean averages the elements",
        "half of poisson-deviance, which is a mean of elements and refuses predictions of 0",
    ),
)
def generalized_kl(pred: Measure, target: Measure) -> Rows:
    """Kullback-Leibler divergence of measures that need not sum to one.

    With t the target and q the prediction, in each row:

        sum_k t_k log(t_k / q_k) - t_k + q_k,   0 log(0) = 0

    >>> generalized_kl([[1.0, 2.0]], [[2.0, 2.0]])
    array([0.38629436])
    """
    return gaps.half_deviance(target, pred, 1.0)
