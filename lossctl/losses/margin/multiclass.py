"""One score for each class: losses of how far the true class is ahead of the others."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.classification.options import CLASS_WEIGHT
from lossctl.losses.margin.options import AHEAD, classes_fit
from lossctl.losses.types import Rows
from lossctl.losses.types_labels import ClassDecisions, TrueClass
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper, Preset


def leads(pred: Rows, target: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Rows:
    """(N, C) how far the true class is ahead of each class; infinitely far of itself, which is no rival."""
    rows = np.arange(len(pred))
    # The difference first: m - s_y + s_j loses the margin in the rounding of large scores (from 1e16 on all of it).
    lead = pred[rows, target][:, None] - pred
    lead[rows, target] = np.inf
    return lead


@loss(
    title="Multi-class margin loss",
    reduce=Mean(),
    unit="score units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("weston-watkins",),
    paper=Paper("J. Weston, C. Watkins", 1999, "Support Vector Machines for Multi-Class Pattern Recognition"),
    see=("multiclass-hinge", "cross-entropy"),
    tasks=("multiclass classification", "support vector machine", "maximum margin", "imbalanced classes"),
    like={"torch": {}},
    equivalents=(
        Equivalent(
            "torch",
            "F.multi_margin_loss(pred, target, p=p, margin=margin, weight=class_weight)",
            "p = 1 and p = 2 only",
        ),
    ),
    traps=(
        "all rivals inside the margin count, and their sum is divided by the number of classes, the true one included",
        "class weights take effect after the power, and the mean divides by the rows, not by the summed weights",
    ),
    align=classes_fit,
)
def multi_margin(
    pred: ClassDecisions,
    target: TrueClass,
    *,
    p: Annotated[float, Param("power of each shortfall", ge=1)] = 1.0,
    margin: Annotated[float, AHEAD] = 1.0,
    class_weight: Annotated[tuple[float, ...] | None, CLASS_WEIGHT] = None,
) -> Rows:
    """How much the true class falls short of leading every other class by the margin, averaged over classes.

    With s the scores of C classes, y the true class, m the margin, w the class weights:

        w_y / C sum_{j != y} max(0, m - (s_y - s_j))^p

    >>> multi_margin([[1.0, 1.5, -1.0]], [0])
    array([0.5])
    """
    short = np.maximum(0.0, margin - leads(pred, target))
    value = np.sum(short**p, axis=1) / pred.shape[1]
    return np.asarray(value if class_weight is None else numerics.times(np.array(class_weight)[target], value))


@loss(
    title="Multi-class hinge loss",
    reduce=Mean(),
    unit="score units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("crammer-singer",),
    presets=(
        Preset(
            "categorical-hinge",
            "Categorical hinge loss",
            "How much the true class falls short of leading its strongest rival by the margin.",
            {"mode": "crammer-singer"},
        ),
    ),
    paper=Paper(
        "K. Crammer, Y. Singer",
        2001,
        "On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines",
    ),
    see=("hinge", "multi-margin", "perceptron"),
    tasks=("multiclass classification", "support vector machine", "one-vs-rest", "maximum margin"),
    like={"sklearn": {"mode": "crammer-singer"}, "optax": {"mode": "crammer-singer"}},
    equivalents=(
        Equivalent("sklearn", "hinge_loss(target, pred)", "three classes or more, all of which occur (else labels=)"),
        Equivalent("optax", "multiclass_hinge_loss(pred, target).mean()"),
        Equivalent(
            "keras",
            "losses.CategoricalHinge()(target, pred)",
            "one-hot targets; too high where all scores but the true one are below 0",
        ),
        Equivalent(
            "torchmetrics",
            "hinge_loss(pred, target, 'multiclass', pred.shape[1])",
            "a softmax changes all scores as soon as one leaves [0, 1]",
        ),
        Equivalent(
            "torchmetrics",
            "hinge_loss(pred, target, 'multiclass', pred.shape[1], multiclass_mode='one-vs-all').sum()",
            "mode=ovr, which torchmetrics gives class by class; a softmax as soon as a score leaves [0, 1]",
        ),
    ),
    traps=(
        "Keras counts the true class as a rival of score 0: wrong where all other scores are below 0 (0.5 instead of 0 "
        "for scores 0.5, -3, -4), so it has no --like; it also takes one-hot targets only",
        "torchmetrics sends scores through a softmax as soon as one leaves [0, 1]",
        "torch's multi_margin_loss is another loss: all rivals, divided by the number of classes (multi-margin)",
        "mode=ovr adds up the hinge losses of all classes; their mean is that divided by the number of classes",
    ),
    align=classes_fit,
)
def multiclass_hinge(
    pred: ClassDecisions,
    target: TrueClass,
    *,
    mode: Annotated[
        str, Param("against the strongest rival, or each class against the rest", choices=("crammer-singer", "ovr"))
    ] = "crammer-singer",
    margin: Annotated[float, AHEAD] = 1.0,
) -> Rows:
    """How much the true class falls short of leading its strongest rival by the margin.

    With s the scores, y the true class, m the margin, and y_c = 1 for c = y and -1 for all other classes:

        max(0, m - (s_y - max_{j != y} s_j))      crammer-singer
        sum_c max(0, m - y_c s_c)                 ovr

    >>> multiclass_hinge([[1.0, 1.5, -1.0]], [0])
    array([1.5])
    """
    if mode == "crammer-singer":
        return np.asarray(np.maximum(0.0, margin - np.min(leads(pred, target), axis=1)))
    signed = -pred
    rows = np.arange(len(pred))
    signed[rows, target] = pred[rows, target]
    return np.asarray(np.sum(np.maximum(0.0, margin - signed), axis=1))
