"""Several labels a row: losses of scores against sets of labels."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from lossctl import numerics
from lossctl.losses.classification.options import CLASS_WEIGHT
from lossctl.losses.margin.options import classes_fit
from lossctl.losses.types import Rows
from lossctl.losses.types_labels import ClassDecisions, IndexLists, LabelLogits, LabelScores, LabelSet
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

MINING = Paper("G. Tsoumakas, I. Katakis, I. Vlahavas", 2010, "Mining Multi-label Data", "10.1007/978-0-387-09823-4_34")


@loss(
    title="Multi-label margin loss",
    reduce=Mean(),
    unit="score units",
    range="0 to inf",
    laws={NONNEGATIVE},
    see=("multi-margin", "label-ranking-loss", "multilabel-soft-margin"),
    tasks=("multilabel classification", "several labels a row", "tagging", "maximum margin"),
    like={"torch": {}},
    equivalents=(Equivalent("torch", "F.multilabel_margin_loss(pred, target)"),),
    traps=(
        "a list of classes ends at its first -1, whatever stands behind it; an empty one costs 0",
        "targets are class indices, not 0 and 1 for each label",
    ),
    align=classes_fit,
)
def multilabel_margin(pred: ClassDecisions, target: IndexLists) -> Rows:
    """How much each true class falls short of leading each other class by 1, averaged over classes.

    With s the scores of C classes, T the classes in the row's list:

        1 / C sum_{j in T} sum_{i not in T} max(0, 1 - (s_j - s_i))

    >>> multilabel_margin([[0.1, 0.2, 0.4, 0.8]], [[3, 0, -1, 1]])
    array([0.85])
    """
    total = np.zeros(len(pred))
    for own in range(pred.shape[1]):
        rows = np.flatnonzero(target[:, own])
        if len(rows):
            # The difference first: 1 - s_j + s_i loses the 1 in the rounding of large scores.
            short = np.maximum(0.0, 1.0 - (pred[rows, own][:, None] - pred[rows]))
            short[target[rows]] = 0.0
            total[rows] += np.sum(short, axis=1)
    return np.asarray(total / pred.shape[1])


@loss(
    title="Multi-label soft margin loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    see=("bce-with-logits", "soft-margin", "multilabel-margin"),
    tasks=("multilabel classification", "several labels a row", "tagging", "imbalanced classes"),
    like={"torch": {}},
    equivalents=(
        Equivalent("torch", "F.multilabel_soft_margin_loss(pred, target, weight=class_weight)"),
        Equivalent("keras", "losses.BinaryCrossentropy(from_logits=True)(target, pred)", "no class weights"),
        Equivalent("optax", "sigmoid_binary_cross_entropy(pred, target).mean()", "no class weights"),
    ),
    traps=(
        "class weights divide by the number of classes, not by their sum",
        "the sum is over rows, whose value is a mean over classes; bce-with-logits sums all elements",
    ),
    align=classes_fit,
)
def multilabel_soft_margin(
    pred: LabelLogits,
    target: LabelSet,
    *,
    class_weight: Annotated[tuple[float, ...] | None, CLASS_WEIGHT] = None,
) -> Rows:
    """Binary cross-entropy of every label's logit, averaged over the labels of a row.

    With x the logits of C labels, y the targets, w the class weights and sp(u) = log(1 + e^u):

        1 / C sum_c w_c (y_c sp(-x_c) + (1 - y_c) sp(x_c))

    >>> multilabel_soft_margin([[2.0, -1.0]], [[1, 0]])
    array([0.22009485])
    """
    positive, negative = numerics.softplus_pair(pred)
    each = np.where(target == 1, positive, negative)
    if class_weight is not None:
        each = numerics.times(np.broadcast_to(np.array(class_weight), each.shape), each)
    return np.asarray(np.mean(each, axis=1))


@loss(
    title="Coverage error",
    reduce=Mean(),
    unit="labels",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("multilabel-coverage-error",),
    paper=MINING,
    see=("label-ranking-loss", "lrap-loss"),
    tasks=("multilabel classification", "label ranking", "tagging", "how far down the list"),
    like={"sklearn": {}},
    equivalents=(
        Equivalent("sklearn", "coverage_error(target, pred)", "two labels or more"),
        Equivalent(
            "torchmetrics",
            "classification.multilabel_coverage_error(pred, target.long(), num_labels=pred.shape[1]).double()",
            "counts in float32; a sigmoid, which may tie scores, as soon as one leaves [0, 1]",
        ),
    ),
    traps=(
        "the best value is the mean number of true labels, not 0; papers that start counting at 0 subtract 1",
        "tied scores count against the prediction; a row without a true label costs 0",
    ),
    align=classes_fit,
)
def coverage_error(pred: LabelScores, target: LabelSet) -> Rows:
    """How far down the ranked labels one must go to have met all true ones.

    With s the scores of the labels, T the true ones:

        number of labels k with s_k >= min_{j in T} s_j      0 where T is empty

    >>> coverage_error([[0.75, 0.5, 1.0], [1.0, 0.2, 0.1]], [[1, 0, 0], [0, 0, 1]])
    array([2., 3.])
    """
    least = np.min(np.where(target == 1, pred, np.inf), axis=1)
    return np.asarray(np.sum(pred >= least[:, None], axis=1), np.float64)


def ranked(pred: Rows, target: Rows) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Labels from the best to the worst, (N, L) each: whether true, and how many false, and how many in all, have its
    score or a higher one.

    By sorting: comparing all pairs of a row would take L times the memory.
    """
    order = np.argsort(-pred, axis=1, kind="stable")
    scores = np.take_along_axis(pred, order, axis=1)
    true = np.take_along_axis(target, order, axis=1) == 1
    places = np.arange(pred.shape[1])
    last = np.ones(pred.shape, bool)  # of a run of equal scores
    last[:, :-1] = scores[:, 1:] != scores[:, :-1]
    # Equal scores stand together: each counts as the last of its run, the least of all run ends from here on.
    ends = np.where(last, places, places[-1])
    ends = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    return true, np.take_along_axis(np.cumsum(~true, axis=1), ends, axis=1), ends + 1


@loss(
    title="Label ranking loss",
    reduce=Mean(),
    unit="share of pairs",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("label-ranking", "multilabel-ranking"),
    paper=MINING,
    see=("lrap-loss", "coverage-error", "multilabel-margin"),
    tasks=("multilabel classification", "label ranking", "tagging", "pairs in the wrong order"),
    like={"sklearn": {}},
    equivalents=(
        Equivalent("sklearn", "label_ranking_loss(target, pred)", "two labels or more"),
        Equivalent(
            "torchmetrics",
            "classification.multilabel_ranking_loss(pred, target.long(), num_labels=pred.shape[1])",
            "tied scores are put in any order; a sigmoid, which may tie them, as soon as one leaves [0, 1]",
        ),
    ),
    traps=(
        "a tie counts as the wrong order, so constant scores cost 1",
        "rows in which no label or every label is true cost 0, and count",
    ),
    align=classes_fit,
)
def label_ranking_loss(pred: LabelScores, target: LabelSet) -> Rows:
    """Share of pairs of a true and a false label in which the false one scores as high or higher.

    With s the scores of the labels, T the true ones, F the others:

        |{(j, i) in T x F: s_j <= s_i}| / (|T| |F|)      0 where T or F is empty

    >>> label_ranking_loss([[0.75, 0.5, 1.0], [1.0, 0.2, 0.1]], [[1, 0, 0], [0, 0, 1]])
    array([0.5, 1. ])
    """
    true, above, _ = ranked(pred, target)
    wrong = np.sum(above, axis=1, where=true)
    positives = np.sum(true, axis=1)
    pairs = positives * (pred.shape[1] - positives)
    return np.asarray(np.divide(wrong, pairs, out=np.zeros(len(pred)), where=pairs > 0))


@loss(
    title="Label ranking average precision loss",
    reduce=Mean(),
    unit="1 - precision",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("label-ranking-average-precision-loss",),
    paper=Paper(
        "R. Schapire, Y. Singer",
        2000,
        "BoosTexter: A Boosting-based System for Text Categorization",
        doi="10.1023/A:1007649029923",
    ),
    see=("label-ranking-loss", "coverage-error", "ndcg-loss"),
    tasks=("multilabel classification", "label ranking", "tagging", "lrap", "mean average precision of labels"),
    like={"sklearn": {}},
    equivalents=(
        Equivalent("sklearn", "1 - label_ranking_average_precision_score(target, pred)"),
        Equivalent(
            "torchmetrics",
            "1 - classification.multilabel_ranking_average_precision(pred, target.long(), num_labels=pred.shape[1])",
            "divides in float32; a sigmoid, which may tie scores, as soon as one leaves [0, 1]",
        ),
    ),
    traps=(
        "one minus the score of scikit-learn and torchmetrics, so that 0 is best",
        "tied scores count against the prediction; rows in which no label or every label is true cost 0, and count",
    ),
    align=classes_fit,
)
def lrap_loss(pred: LabelScores, target: LabelSet) -> Rows:
    """One minus label ranking average precision: how many of the labels ranked as high as a true one are false.

    With s the scores of the labels, T the true ones, and a true label j's rank among all, and among the true ones:

        1 - 1 / |T| sum_{j in T} |{k in T: s_k >= s_j}| / |{k: s_k >= s_j}|      0 where T is empty

    >>> lrap_loss([[0.75, 0.5, 1.0], [1.0, 0.2, 0.1]], [[1, 0, 0], [0, 0, 1]])
    array([0.5       , 0.66666667])
    """
    true, above, rank = ranked(pred, target)
    # The share of false labels instead of one minus that of true ones: nothing cancels in a nearly perfect ranking.
    total = np.sum(np.where(true, above / rank, 0.0), axis=1)
    positives = np.sum(true, axis=1)
    return np.asarray(np.divide(total, positives, out=np.zeros(len(pred)), where=positives > 0))
