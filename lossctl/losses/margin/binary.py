"""Scores against two classes: losses of the margin y s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.margin.options import MARGIN, signs_fit
from lossctl.losses.types import Real, Rows
from lossctl.losses.types_labels import Decision, DecisionOrClasses, Logits, SignedOrClass, SignedTarget
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper

LABELS = "labels are {-1, 1} or {0, 1}, decided over the whole file; a constant column of 1 is positive"
SIGNS = "needs -1/+1: with 0/1 it is silently wrong"
SQUASHED = "a sigmoid squashes all scores as soon as one leaves [0, 1]"


@loss(
    title="Hinge loss",
    reduce=Elements(),
    unit="score units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("svm",),
    paper=Paper("C. Cortes, V. Vapnik", 1995, "Support-Vector Networks", doi="10.1007/BF00994018"),
    see=("squared-hinge", "multiclass-hinge", "soft-margin", "zero-one"),
    tasks=("support vector machine", "binary classification", "decision function", "maximum margin"),
    like={"keras": {"norm": "n"}, "optax": {}},
    equivalents=(
        Equivalent(
            "torch",
            "F.margin_ranking_loss(pred, torch.zeros_like(pred), target, margin=margin)",
            "needs -1/+1; torch has the loss under another name only",
        ),
        Equivalent("keras", "losses.Hinge()(target, pred)", "weights divide by n"),
        Equivalent("optax", "hinge_loss(pred, target).mean()", SIGNS),
        Equivalent("sklearn", "hinge_loss(target, pred)", "a target of one class only is taken as -1"),
        Equivalent("torchmetrics", "hinge_loss(pred, (target > 0).long(), task='binary')", SQUASHED),
    ),
    traps=(
        LABELS,
        "scikit-learn takes a column of one class only as -1, even if all of it is 1 (with labels=[0, 1] too)",
        "torchmetrics squashes scores through a sigmoid as soon as one leaves [0, 1], and wants labels 0 and 1",
    ),
    align=signs_fit,
)
def hinge(
    pred: Decision,
    target: SignedTarget,
    *,
    margin: Annotated[float, MARGIN] = 1.0,
) -> Rows:
    """How much a score falls short of the margin.

    With y in {-1, +1}, s the score, m the margin:

        max(0, m - y s)

    >>> hinge([0.3, 0.8], [1, -1])
    array([0.7, 1.8])
    """
    return np.maximum(0.0, margin - target * pred)


@loss(
    title="Squared hinge loss",
    reduce=Elements(),
    unit="squared score units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("l2-svm",),
    paper=Paper("Y. Tang", 2013, "Deep Learning using Linear Support Vector Machines", doi="10.48550/arXiv.1306.0239"),
    see=("hinge",),
    tasks=("support vector machine", "binary classification", "decision function", "smooth hinge"),
    like={"keras": {"norm": "n"}},
    equivalents=(
        Equivalent("keras", "losses.SquaredHinge()(target, pred)", "weights divide by n"),
        Equivalent("torchmetrics", "hinge_loss(pred, (target > 0).long(), task='binary', squared=True)", SQUASHED),
    ),
    traps=(LABELS, "every shortfall is squared by itself: it is not the square of the mean hinge"),
    align=signs_fit,
)
def squared_hinge(
    pred: Decision,
    target: SignedTarget,
    *,
    margin: Annotated[float, MARGIN] = 1.0,
) -> Rows:
    """Square of how much a score falls short of the margin.

    With y in {-1, +1}, s the score, m the margin:

        max(0, m - y s)^2

    >>> squared_hinge([0.5, 1.0, 3.0], [1, -1, 1])
    array([0.25, 4.  , 0.  ])
    """
    return np.maximum(0.0, margin - target * pred) ** 2


def one_or_many(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """A label for each score, or a class index beside all scores of its row."""
    if arrays["pred"].ndim == arrays["target"].ndim + 1:
        labels = params["labels"]
        return None if labels == "auto" else f"labels={labels} speaks of two classes, and there are several scores"
    return signs_fit(arrays, params)


@loss(
    title="Perceptron loss",
    reduce=Elements(),
    unit="score units",
    range="0 to inf",
    laws={NONNEGATIVE},
    paper=Paper(
        "F. Rosenblatt",
        1958,
        "The perceptron: A probabilistic model for information storage and organization in the brain",
        doi="10.1037/h0042519",
    ),
    see=("hinge", "multiclass-hinge", "zero-one"),
    tasks=("binary classification", "multiclass classification", "online learning", "linear classifier"),
    like={"optax": {}},
    equivalents=(
        Equivalent("optax", "perceptron_loss(pred, target).mean()", "needs -1/+1: with 0/1 all negatives cost 0"),
        Equivalent("optax", "multiclass_perceptron_loss(pred, target).mean()", "N x C scores and class indices"),
        Equivalent("torch", "F.margin_ranking_loss(pred, torch.zeros_like(pred), target)", "needs -1/+1"),
    ),
    traps=(
        LABELS,
        "several scores against one column of targets are classes; against as many columns, outputs of their own",
        "all scores equal (all zero, say) cost nothing",
    ),
    align=one_or_many,
)
def perceptron(pred: DecisionOrClasses, target: SignedOrClass) -> Rows:
    """How far a score is on the wrong side, or the true class behind the best one.

    With y in {-1, +1} and s the score, or y the true class and s_j the scores of all classes:

        max(0, -y s)             single score
        max_j s_j - s_y          one score for each class

    >>> perceptron([0.3, 0.8], [1, -1])
    array([0. , 0.8])
    >>> perceptron([[2.0, 0.5, -1.0]], [1])
    array([1.5])
    """
    if pred.ndim == 2 and target.ndim == 1:
        return np.asarray(np.max(pred, axis=1) - pred[np.arange(len(pred)), target.astype(np.int64)])
    sign = np.where(target == 0, -1.0, target)
    return np.maximum(0.0, -sign * pred) + 0.0  # + 0: never -0.0


@loss(
    title="Exponential loss",
    reduce=Elements(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("adaboost",),
    paper=Paper(
        "J. Friedman, T. Hastie, R. Tibshirani",
        2000,
        "Additive logistic regression: a statistical view of boosting",
        doi="10.1214/aos/1016218223",
    ),
    see=("soft-margin", "hinge"),
    tasks=("boosting", "binary classification", "gradient boosting"),
    equivalents=(Equivalent("torch", "torch.exp(-target * pred).mean()", "needs -1/+1; no function of its own"),),
    traps=(
        LABELS,
        "one row far on the wrong side outweighs all others: from y s = -709.8 down the value is inf, a result",
        "scikit-learn's boosting with loss='exponential' writes the same for 0/1 labels, with 2 y - 1",
    ),
    align=signs_fit,
)
def exponential(pred: Decision, target: SignedTarget) -> Rows:
    """The exponential of how far a score is on the wrong side, as boosting weighs its rows.

    With y in {-1, +1}, s the score:

        exp(-y s)

    >>> exponential([0.0, 2.0], [1, -1])
    array([1.       , 7.3890561])
    """
    return np.asarray(np.exp(-target * pred))


@loss(
    title="Soft margin loss",
    reduce=Elements(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    see=("bce-with-logits", "hinge", "multilabel-soft-margin"),
    tasks=("logistic regression", "binary classification", "logistic loss", "deviance"),
    like={"torch": {}},
    equivalents=(
        Equivalent("torch", "F.soft_margin_loss(pred, target)", "needs -1/+1; overflows to inf below y s = -709"),
        Equivalent(
            "keras", "losses.BinaryCrossentropy(from_logits=True)((target + 1) / 2, pred)", "of -1/+1; takes 0/1"
        ),
        Equivalent("optax", "sigmoid_binary_cross_entropy(pred, (target + 1) / 2).mean()", "of -1/+1; takes 0/1"),
    ),
    traps=(
        LABELS,
        "torch overflows to inf where y s is below -709; the value there is -y s",
        "the same as bce-with-logits, which takes 0/1 labels",
    ),
    align=signs_fit,
)
def soft_margin(pred: Logits, target: SignedTarget) -> Rows:
    """The logistic loss of a margin: cross-entropy of a logit with labels -1 and +1.

    With y in {-1, +1}, s the score:

        log(1 + exp(-y s))

    >>> soft_margin([0.0, -1000.0], [1, 1])
    array([6.93147181e-01, 1.00000000e+03])
    """
    return numerics.softplus_pair(target * pred)[0]


@loss(
    title="Hinge embedding loss",
    reduce=Elements(),
    unit="distance",
    range="-inf to inf",
    see=("hinge", "triplet-margin"),
    tasks=("similarity learning", "pairs", "embeddings", "semi-supervised learning"),
    like={"torch": {}},
    equivalents=(
        Equivalent(
            "torch",
            "F.hinge_embedding_loss(pred, target, margin=margin)",
            "needs -1/+1: any other label (0, say) costs both terms",
        ),
    ),
    traps=(
        "the prediction is a distance, low for label 1: where it is a similarity, the labels are the wrong way round",
        "torch adds both terms for a label other than -1 and 1; here {0, 1} is {-1, 1}, and all else an error",
        "the distance of a similar pair is the loss as it stands: negative ones make it negative",
    ),
    align=signs_fit,
)
def hinge_embedding(
    pred: Real,
    target: SignedTarget,
    *,
    margin: Annotated[float, Param("how far apart a pair of label -1 must be to cost nothing", ge=0)] = 1.0,
) -> Rows:
    """The distance of a similar pair, or how much a dissimilar pair falls short of the margin.

    With x the distance, y in {-1, +1}, m the margin:

        x                  y = 1
        max(0, m - x)      y = -1

    >>> hinge_embedding([0.3, 0.3, 2.0], [1, -1, -1])
    array([0.3, 0.7, 0. ])
    """
    return np.where(target == 1, pred, np.maximum(0.0, margin - pred))
