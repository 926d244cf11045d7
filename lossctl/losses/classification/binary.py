"""Yes or no: losses of a probability or a logit of the positive class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.classification.options import BINARY_INPUT, CLIP, GAMMA
from lossctl.losses.types import Rows
from lossctl.losses.types_labels import BinaryScores, HardBinary, Logits, SoftBinary
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Elements, Term
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper, Prelude, Preset


@loss(
    title="Binary cross-entropy",
    reduce=Elements(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("binary-cross-entropy", "binary-crossentropy"),
    presets=(
        Preset(
            "bce-with-logits",
            "Binary cross-entropy of logits",
            "Binary cross-entropy straight from logits: no sigmoid to overflow, nothing clipped.",
            {"input": "logits"},
            aliases=("sigmoid-cross-entropy", "sigmoid-ce"),
        ),
    ),
    see=("cross-entropy", "log-loss", "balanced-sigmoid-ce", "sigmoid-focal"),
    tasks=("binary classification", "multilabel classification", "probability forecast", "imbalanced classes"),
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
        "torch does not look at targets beside logits: outside [0, 1] its loss goes below zero; here they are refused",
        "label smoothing of Keras' binary form goes towards 1/2: y (1 - s) + s / 2",
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
    if input == "logits" and pos_weight == 1:
        size = np.abs(pred)
        return numerics.logit_cost(size, numerics.falling(size), numerics.other_side(pred, target))
    positive, negative = numerics.binary_costs(pred, input, clip)
    cost = numerics.times(pos_weight * target, positive, out=positive)
    cost += numerics.times(1.0 - target, negative, out=negative)
    return cost


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
    see=("bce-with-logits", "alpha-ce"),
    tasks=("imbalanced classes", "edge detection", "multilabel classification"),
    equivalents=(
        Equivalent(
            "torch",
            "F.binary_cross_entropy_with_logits(pred, target, weight=torch.where(target == 1, beta, 1 - beta))",
            "beta a number",
        ),
    ),
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


@loss(
    title="Focal loss",
    reduce=Elements(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("focal", "binary-focal", "binary-focal-crossentropy"),
    presets=(
        Preset(
            "alpha-ce",
            "Alpha-weighted cross-entropy",
            "Binary cross-entropy in which positives weigh alpha and negatives 1 - alpha.",
            {"gamma": 0.0},
            aliases=("alpha-weighted-ce", "balanced-ce"),
        ),
    ),
    paper=Paper(
        "T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollar",
        2017,
        "Focal Loss for Dense Object Detection",
        doi="10.1109/ICCV.2017.324",
    ),
    see=("softmax-focal", "bce-with-logits", "balanced-sigmoid-ce"),
    tasks=("imbalanced classes", "object detection", "hard examples", "multilabel classification"),
    like={"keras": {"alpha": None, "clip": "keras", "norm": "n"}, "optax": {"alpha": None}},
    equivalents=(
        Equivalent(
            "optax", "sigmoid_focal_loss(pred, target, alpha=alpha, gamma=gamma).mean()", "alpha off by default"
        ),
        Equivalent(
            "keras",
            "losses.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=alpha, gamma=gamma, from_logits=True)"
            "(target, pred)",
            "works on probabilities clipped at 1e-7, from logits too; weights divide by n",
        ),
        Equivalent(
            "keras",
            "losses.BinaryFocalCrossentropy(gamma=gamma)(target, pred)",
            "probabilities; alpha=none, because it ignores its alpha without apply_class_balancing",
        ),
    ),
    traps=(
        "alpha and gamma are torchvision's defaults, whose own reduction is none; its alpha=-1 is alpha=none",
        "the paper's detector sums and divides by the number of positives: --reduction sum, and divide",
        "Keras ignores alpha unless apply_class_balancing=True; optax and MONAI have alpha off by default",
        "alpha=0.25 suits gamma=2; without focus (alpha-ce) the paper found 0.75 best",
        "the default input is logits: probabilities need --input probs",
    ),
)
def sigmoid_focal(
    pred: BinaryScores,
    target: SoftBinary,
    *,
    input: Annotated[str, BINARY_INPUT] = "logits",
    alpha: Annotated[float | None, Param("weight of the positives; negatives weigh 1 - alpha", ge=0, le=1)] = 0.25,
    gamma: Annotated[float, GAMMA] = 2.0,
    clip: Annotated[float | str, CLIP] = "none",
) -> Rows:
    """Binary cross-entropy that cares little for what is already right.

    With y the target, p the probability (sigmoid(x) for a logit x), a = alpha:

        -a_t (1 - p_t)^gamma (y log(p) + (1 - y) log(1 - p))

        a_t = a y + (1 - a) (1 - y)      (1 where alpha is none)
        p_t = p y + (1 - p) (1 - y)

    >>> sigmoid_focal([2.0, -1.0], [1.0, 0.0])
    array([0.00045089, 0.01699354])
    """
    if input == "logits":
        # With t = e^-|x| the two probabilities are 1 / (1 + t) and t / (1 + t); p_t has the one on y's side.
        size = np.abs(pred)
        tail, other = numerics.falling(size), numerics.other_side(pred, target)
        missed = 1.0 - other
        missed *= tail
        missed += other
        missed /= 1.0 + tail
        value = numerics.logit_cost(size, tail, other)
    else:
        positive, negative = numerics.binary_costs(pred, input, clip)
        value = numerics.times(target, positive) + numerics.times(1.0 - target, negative)
        missed = target * (1.0 - pred) + (1.0 - target) * pred
    if gamma != 0:
        # missed is 1 - p_t as a sum of what is left of both sides: taken off 1 it is 0 from a logit of 37 on.
        value = numerics.times(missed**gamma, value)
    return value if alpha is None else numerics.times(alpha * target + (1.0 - alpha) * (1.0 - target), value)
