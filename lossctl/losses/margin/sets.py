"""Sets of labels against sets of labels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from lossctl.exact import Exact, ratio
from lossctl.losses.classification.outcome import LABELS_OR_SCORES, THRESHOLD, decided
from lossctl.losses.types import Rows
from lossctl.losses.types_labels import PredictedSets, TrueSets
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Mean, Sums, Switch, Term, Totals
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent

# A term of ones: a row that is NaN leaves its trace there, whatever label it would have had. One label a row, or sets.
ROWS, SETS = "rows", "sets"


class Counts:
    """How often a label was predicted, true, and both, exactly."""

    def __init__(self) -> None:
        self.both = self.pred = self.target = Exact(0)

    def loss(self, empty: float) -> float:
        """One minus the intersection over the union; ``empty`` is the score where there is no union."""
        either = self.pred + self.target
        either = either._replace(units=either.units - self.both.units)
        if either.finite and either.units == 0:
            return 1.0 - empty
        return ratio(either._replace(units=either.units - self.both.units), either)


def counted(totals: Totals) -> dict[float, Counts]:
    """The counts of every label, from terms named ``both 3``, ``pred 3``, ``target 3``.

    A label that no row has is not there; a column of sets is there even if it is all zeros.
    """
    found: dict[float, Counts] = {}
    for key, exact in totals.sums.items():
        what, *label = key.split(" ")
        if what not in {ROWS, SETS}:
            setattr(found.setdefault(float(label[0]), Counts()), what, exact)
    if f"{SETS} 0" in totals.sums:
        return found
    return {label: counts for label, counts in found.items() if counts.pred.units or counts.target.units}


def is_spoiled(totals: Totals) -> bool:
    return any(not totals.sums[key].finite for key in (f"{ROWS} 0", f"{SETS} 0") if key in totals.sums)


def by_label(totals: Totals, params: Mapping[str, Any]) -> dict[float, float]:
    """The loss of every label by itself."""
    spoiled = is_spoiled(totals)
    return {
        label: math.nan if spoiled else counts.loss(params["zero_division"])
        for label, counts in counted(totals).items()
    }


def over_labels(sums: object, totals: Totals, params: Mapping[str, Any]) -> float:
    """The average that was asked for."""
    if is_spoiled(totals):
        return math.nan
    labels = counted(totals)
    if params["average"] == "binary":
        return labels.get(1.0, Counts()).loss(params["zero_division"])
    if params["average"] == "micro":
        whole = Counts()
        for counts in labels.values():
            whole.both, whole.pred = whole.both + counts.both, whole.pred + counts.pred
            whole.target += counts.target
        return whole.loss(params["zero_division"])
    losses = {label: counts.loss(params["zero_division"]) for label, counts in labels.items()}
    # fsum: the order in which labels were met leaves no trace.
    weights = {label: labels[label].target.to_float() for label in labels}
    if params["average"] == "macro" or not any(weights.values()):
        return math.fsum(losses.values()) / len(losses)
    return math.fsum(weights[label] * losses[label] for label in labels) / math.fsum(weights.values())


def sets_fit(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """One label a row on both sides (or scores of classes), or a column of 0/1 for each label on both sides."""
    pred, target = arrays["pred"], arrays["target"]
    if params["average"] == "samples" and target.ndim == 1:
        return "average=samples compares sets: it needs a column of 0 and 1 for each label"
    if params["average"] == "binary" and (target.ndim == 2 or pred.ndim == 2):
        return "average=binary is about one label: with several columns take macro, micro, weighted or samples"
    if pred.shape[1:] == target.shape[1:] or (params["input"] != "labels" and pred.ndim == 2 and target.ndim == 1):
        return None
    return "shapes differ"


def indicators(pred: NDArray[Any], target: NDArray[Any]) -> Iterator[tuple[float, Rows, Rows]]:
    """For each label the (N,) zeros and ones of prediction and truth."""
    if target.ndim == 2:
        for place in range(target.shape[1]):
            yield float(place), pred[:, place].astype(float), target[:, place].astype(float)
        return
    for label in np.union1d(pred, target).tolist():
        yield float(label), (pred == label).astype(float), (target == label).astype(float)


COUNTS = Sums(over_labels, classes=by_label)


@loss(
    title="Jaccard loss of labels",
    reduce=Switch(
        "average", {"binary": COUNTS, "micro": COUNTS, "macro": COUNTS, "weighted": COUNTS, "samples": Mean()}
    ),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("1-jaccard-score", "iou-labels"),
    see=("zero-one",),
    tasks=("multilabel", "sets", "intersection over union", "imbalanced classes"),
    like={"sklearn": {}},
    equivalents=(
        Equivalent(
            "sklearn",
            "1 - jaccard_score(target, pred, average=average, zero_division=zero_division)",
            "for input=labels; jaccard_score is a score",
        ),
    ),
    traps=(
        "of hard labels, counted over the whole file; the soft loss of masks is another one",
        "where nothing is predicted and nothing is true the score is zero_division, so the loss is 1 by default",
        "the mean of batches is not the loss of the whole: counts are pooled here",
    ),
    align=sets_fit,
)
def jaccard_hard(
    pred: PredictedSets,
    target: TrueSets,
    *,
    average: Annotated[
        str,
        Param(
            "binary: the label 1; micro: all labels pooled; macro: the labels' mean; weighted: by how often they are "
            "true; samples: the mean of the rows",
            choices=("binary", "micro", "macro", "weighted", "samples"),
        ),
    ] = "binary",
    zero_division: Annotated[float, Param("the score where nothing is predicted or true", ge=0, le=1)] = 0.0,
    input: Annotated[str, LABELS_OR_SCORES] = "labels",
    threshold: Annotated[float | str, THRESHOLD] = "auto",
) -> Any:
    """One minus intersection over union of predicted and true labels.

    With A the rows where a label is predicted and B those where it is true:

        1 - |A and B| / |A or B|

    >>> jaccard_hard([1, 1, 0, 0], [1, 0, 1, 0])
    0.6666666666666666
    """
    found = decided(pred, target, input, threshold)
    if average != "samples":
        terms: dict[str, Term] = {ROWS if target.ndim == 1 else SETS: np.ones(len(target))}
        for label, mine, true in indicators(found, target):
            terms.update({f"both {label}": mine * true, f"pred {label}": mine, f"target {label}": true})
        return terms
    both = np.sum(found * target, axis=1, dtype=float)
    either = np.sum(np.maximum(found, target), axis=1, dtype=float)
    score = np.divide(both, either, out=np.full(len(both), zero_division), where=either > 0)
    return 1.0 - score
