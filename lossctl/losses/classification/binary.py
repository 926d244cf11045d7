"""Yes or no: losses of a probability or a logit of the positive class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from lossctl import numerics
from lossctl.losses.classification.options import BINARY_INPUT, CLIP
from lossctl.losses.types import (
    BinaryScores,
    HardBinary,
    LabelsOrScores,
    LabelTarget,
    Logits,
    ProbOfTruth,
    Ratios,
    Rows,
    SoftBinary,
    Truth,
)
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value, When
from lossctl.model.reduce import Elements, Mean, Product, Term
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper, Prelude, Preset


@loss(
    title="Binary cross-entropy",
    reduce=Elements(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("binary-cross-entropy",),
    presets=(
        Preset(
            "bce-with-logits",
            "Binary cross-entropy of logits",
            "Binary cross-entropy straight from logits: no sigmoid to overflow, nothing clipped.",
            {"input": "logits"},
            aliases=("sigmoid-cross-entropy", "sigmoid-ce"),
        ),
    ),
    see=("cross-entropy", "balanced-sigmoid-ce"),
    like={
        "torch": {"norm": "n"},
        "keras": {"clip": "keras", "norm": "n"},
        "sklearn": {"clip": "sklearn"},
        "optax": {"clip": "none"},
    },
    equivalents=(
        Equivalent("torch", "F.binary_cross_entropy(pred, target)", "weights divide by n"),
        Equivalent(
            "torch",
            "F.binary_cross_entropy_with_logits(pred, target, pos_weight=pos_weight)",
            "input=logits; nan at infinite logits",
        ),
        Equivalent("keras", "losses.BinaryCrossentropy()(target, pred)", "clips at 1e-7, weights divide by n"),
        Equivalent("sklearn", "log_loss(target, pred)", "clips at the float64 eps"),
        Equivalent("optax", "sigmoid_binary_cross_entropy(pred, target).mean()", "input=logits"),
    ),
    traps=(
        "at p = 0 the same prediction costs 100 (torch), 16.118 (keras), 36.04 (scikit-learn) or inf (clip=none)",
        "the default input is probabilities: logits need --input logits",
    ),
)
def bce(
    pred: BinaryScores,
    target: SoftBinary,
    *,
    input: Annotated[str, BINARY_INPUT] = "probs",
    pos_weight: Annotated[float, Param("weight of the positive class", gt=0)] = 1.0,
    clip: Annotated[float | str, CLIP] = "torch",
) -> Rows:
    """Negative log-probability of what happened.

    With y the target, w the weight of the positive class, and p the probability, sigmoid(x) for a logit x:

        -(w y log(p) + (1 - y) log(1 - p))

    >>> bce([0.9, 0.2], [1.0, 0.0])
    array([0.10536052, 0.22314355])
    """
    if input == "logits":
        positive, negative = numerics.softplus_pair(pred)
    else:
        low, high = numerics.clip_range(clip)
        prob = pred if low == 0 else np.clip(pred, low, high)
        positive, negative = -numerics.safe_log(prob), -numerics.safe_log1m(prob)
        if clip == "torch":
            positive, negative = (np.minimum(part, -numerics.TORCH_FLOOR) for part in (positive, negative))
    return numerics.times(pos_weight * target, positive) + numerics.times(1.0 - target, negative)


def negatives(arrays: Arrays) -> dict[str, Term]:
    """What beta=auto needs to know of the whole input: how many elements, how many of them negative."""
    target = arrays["target"]
    return {"elements": np.ones(target.shape), "negative": 1.0 - target}


def share(sums: Mapping[str, float]) -> float:
    return sums["negative"] / sums["elements"]


@loss(
    title="Class-balanced sigmoid cross-entropy",
    reduce=Elements(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("class-balanced-sigmoid-ce", "hed"),
    paper=Paper("S. Xie, Z. Tu", 2015, "Holistically-Nested Edge Detection", doi="10.1109/ICCV.2015.164"),
    see=("bce-with-logits",),
    prelude=Prelude("beta", "auto", negatives, share, also={"balance": "dataset"}),
    traps=(
        "beta=auto is the share of negatives in the whole input, found in a first pass, unweighted; slices use it too",
        "the paper and many ports sum; the default here is the mean: --reduction sum",
    ),
)
def balanced_sigmoid_ce(
    pred: Logits,
    target: HardBinary,
    *,
    beta: Annotated[
        float | str, Param("weight of the positives; auto is the share of negatives", ge=0, le=1, choices=("auto",))
    ] = "auto",
    balance: Annotated[
        str, Param("what beta=auto looks at: the whole input, or each row by itself", choices=("dataset", "row"))
    ] = "dataset",
) -> Rows:
    """Sigmoid cross-entropy in which the rarer class weighs more.

    With x the logit, y the target, b = beta and sp(u) = log(1 + e^u):

        b y sp(-x) + (1 - b) (1 - y) sp(x)

    >>> balanced_sigmoid_ce([2.0, -1.0], [1.0, 0.0], beta=0.75)
    array([0.09519601, 0.07831542])
    """
    if beta == "auto":
        rows = target if target.ndim == 2 else target[:, None]
        level = np.mean(1.0 - rows, axis=1, keepdims=target.ndim == 2)
    else:
        level = np.array(float(beta))
    positive, negative = numerics.softplus_pair(pred)
    return numerics.times(level * target, positive) + numerics.times((1.0 - level) * (1.0 - target), negative)


def scores_fit(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """Labels stand against labels; N x C scores stand against N class indices."""
    pred, target = arrays["pred"], arrays["target"]
    if pred.shape[1:] == target.shape[1:] or (params["input"] != "labels" and pred.ndim == 2 and target.ndim == 1):
        return None
    if pred.ndim == 2 and target.ndim == 1:
        return "predictions of several columns are scores (--input probs|logits) or need as many target columns"
    return "shapes differ"


@loss(
    title="Zero-one loss",
    reduce=Mean(),
    unit="share of rows",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("0-1", "misclassification", "error-rate"),
    see=("hinge", "cross-entropy"),
    like={"sklearn": {}},
    equivalents=(Equivalent("sklearn", "zero_one_loss(target, pred)"),),
    traps=(
        "a single score is positive at >= 0.5 (probabilities) or >= 0 (logits); of tied classes the first wins",
        "rows of several labels are wrong as a whole, as in scikit-learn",
    ),
    align=scores_fit,
)
def zero_one(
    pred: LabelsOrScores,
    target: LabelTarget,
    *,
    input: Annotated[
        str, Param("what the predictions are; never guessed", choices=("labels", "probs", "logits"))
    ] = "labels",
    threshold: Annotated[
        float | str,
        Param(
            "a single score is positive from here on; auto is 0.5 for probabilities and 0 for logits",
            choices=("auto",),
            when=When("input", ("probs", "logits"), "auto"),
        ),
    ] = "auto",
) -> Rows:
    """One for a wrong label, zero for a right one.

        1 if label(pred) != target else 0

    >>> zero_one([0, 2, 1], [0, 1, 1])
    array([0., 1., 0.])
    """
    wrong: NDArray[np.bool_]
    if input == "labels":
        wrong = np.asarray(pred != target)
    elif pred.ndim == 2 and target.ndim == 1:
        wrong = np.argmax(pred, axis=1) != target
    else:
        level = {"probs": 0.5, "logits": 0.0}[input] if threshold == "auto" else float(threshold)
        wrong = np.asarray((pred >= level) != (target == 1))
    return np.asarray(wrong if wrong.ndim == 1 else wrong.any(axis=1), np.float64)


@loss(
    title="Likelihood",
    reduce=Product(),
    unit="probability",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("product-likelihood",),
    direction="maximise",
    see=("nll", "bce"),
    traps=(
        "a score: 1 is best; the product of some 700 rows underflows, so its logarithm stands beside it",
        "--reduction mean is the geometric mean",
    ),
)
def likelihood(pred: ProbOfTruth, target: Truth) -> Ratios:
    """Probability given to what happened; the product over all rows.

    With p the probability of the positive class (or p_c of class c) and y the outcome:

        p if y = 1 else 1 - p        single probability
        p_y                          one probability for each class

    >>> likelihood([0.9, 0.2], [1, 0])
    array([0.9, 0.8])
    """
    if pred.ndim == 2:
        true = pred[np.arange(len(pred)), target].astype(np.float64)
        return true, numerics.safe_log(true)
    happened = target == 1
    log = np.where(happened, numerics.safe_log(pred), numerics.safe_log1m(pred))
    return np.where(happened, pred, 1.0 - pred), log
