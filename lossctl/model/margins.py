"""Kinds for margins: scores on the whole line, and the signs, classes or sets of labels they are held against."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Decode, Detect, Kind, Params, Rng, Sizes, broken, put
from lossctl.model.scores import scores_missing
from lossctl.model.targets import BinaryTarget, ClassTarget, SignedTarget

__all__ = [
    "ClassDecisions",
    "Decision",
    "DecisionOrClasses",
    "IndexLists",
    "LabelLogits",
    "LabelScores",
    "LabelSet",
    "SignedOrClass",
    "TrueClass",
]


class Decision(Kind):
    """A score of the positive class on the whole line, as a decision function gives it."""

    name: str = "decision score"
    phrase: str = "a finite score, higher for the positive class"
    columns: Detect = "score"
    unbounded: bool = True


class DecisionOrClasses(Decision):
    """Scores of the positive class, or one score for each class: the target's shape decides."""

    name: str = "decision score or class scores"
    axes: str = "N | N K | N C"
    phrase: str = "a finite score, higher for the positive class, or one for each class"

    def elementwise(self, params: Params) -> bool:
        return False


class SignedOrClass(SignedTarget):
    """Two classes, as many as there are scores; or beside several scores one class index.

    The kernel sees what stands in the file, as the shape of the scores says how to read it.
    """

    name: str = "signed target or class"
    phrase: str = "-1 or 1 (or 0 and 1); beside one score for each class, a class label"

    def elementwise(self, params: Params) -> bool:
        return False

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "binary" if classes is None or params["labels"] != "auto" else "class"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if classes is None or array.ndim == 2:
            yield from super().check(array, params, classes)
        else:
            rule = Rule("bad-label", f"is not one of the {classes} classes: 0 to {classes - 1}")
            yield broken(rule, array, (array < 0) | (array >= classes) | (array != np.floor(array)))

    def canonical(self, array: Array, params: Params) -> Array:
        return np.asarray(array, np.float64)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        negative = -1.0 if params["labels"] == "pm1" else 0.0  # 0 and 1 are classes as well
        return np.where(rng.random(size=sizes.shape) < 0.5, negative, 1.0)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from Kind.spoil(self, array, params)
        yield "bad-label", put(array, 99.0)
        yield "bad-label", put(array, 0.5)


class ClassDecisions(Kind):
    """One score for each class, N x C, on the whole line."""

    name: str = "class decision scores"
    axes: str = "N C"
    phrase: str = "one finite score for each class"
    flat: bool = False
    columns: Detect = "classes"
    unbounded: bool = True

    def elementwise(self, params: Params) -> bool:
        return False

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        # Scores in steps of a quarter, so that ties occur.
        return np.round(8 * rng.normal(size=(sizes.rows, sizes.classes))) / 4


class TrueClass(ClassTarget):
    """The right class as an index, (N,), or as a one-hot row, N x C; the kernel sees the index."""

    name: str = "class"
    axes: str = "N | N C"
    phrase: str = "a class label, or a one-hot row"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if array.ndim == 1:
            yield from super().check(array, params, classes)
            return
        strange = (array != 0) & (array != 1)
        soft = "soft targets: cross-entropy; -1 for the other classes: recode it as 0"
        yield broken(Rule("target-range", "is not 0 or 1 of a one-hot row", hint=soft), array, strange)
        ones = np.sum(array == 1, axis=1).astype(float)
        several = "several labels in a row: multilabel-margin, multilabel-soft-margin"
        rule = Rule("not-one-hot", "is not the number of ones in a one-hot row (1)", hint=several)
        yield rule, (ones != 1) & ~strange.any(axis=1), ones

    def sums_to_one(self, params: Params) -> bool:
        return False

    def canonical(self, array: Array, params: Params) -> Array:
        index = array.argmax(axis=1) if array.ndim == 2 else array
        return index.astype(np.int64)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        index = rng.integers(0, sizes.classes, size=sizes.rows)
        return np.eye(sizes.classes)[index] if sizes.elements else index.astype(float)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        if array.ndim == 1:
            yield from super().spoil(array, params)
            return
        yield from Kind.spoil(self, array, params)
        yield "target-range", put(array, 0.5)
        yield "target-range", put(array, -1.0)
        for ones in (np.ones_like(array[-1]), np.zeros_like(array[-1])):
            crowd = np.array(array)
            crowd[-1] = ones
            yield "not-one-hot", crowd


class LabelScores(ClassDecisions):
    """One score for each label of a set, N x L; a single column is one label."""

    name: str = "label scores"
    axes: str = "N L"
    phrase: str = "one finite score for each label"
    lift: bool = True
    unbounded: bool = False  # only their order counts


class LabelLogits(LabelScores):
    """One logit for each label of a set, N x L."""

    name: str = "label logits"
    phrase: str = "one logit for each label"
    fixed = "logits"

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return scores_missing(array, self.fixed)


class LabelSet(BinaryTarget):
    """Which labels a row has: 0 or 1 for each, N x L."""

    name: str = "label set"
    axes: str = "N L"
    phrase: str = "0 or 1 for each label"
    flat: bool = False
    lift: bool = True
    columns: Detect = "classes"

    def elementwise(self, params: Params) -> bool:
        return False

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.integers(0, 2, size=(sizes.rows, sizes.classes)).astype(float)


class IndexLists(Kind):
    """Which classes a row has, as a list of their indices that ends at the first -1, N x C.

    What stands behind the -1 is not looked at. The kernel sees N x C booleans.
    """

    name: str = "class lists"
    axes: str = "N C"
    phrase: str = "class indices, ended by the first -1"
    flat: bool = False
    parallel: bool = False

    def elementwise(self, params: Params) -> bool:
        return False

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "list"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        size = array.shape[1] if classes is None else classes
        listed = before_end(array)
        hint = "0 and 1 for each label: multilabel-soft-margin"
        text = f"is not one of the {size} classes: 0 to {size - 1}, or -1 to end the list"
        wrong = listed & ((array < 0) | (array >= size) | (array != np.floor(array)))
        yield broken(Rule("unknown-class", text, hint=hint), array, wrong)
        yield broken(Rule("repeated-class", "stands twice in its list", hint=hint), array, repeated(array, listed))

    def canonical(self, array: Array, params: Params) -> Array:
        listed = before_end(array)
        member = np.zeros(array.shape, bool)
        member[np.nonzero(listed)[0], array[listed].astype(np.int64)] = True
        return member

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        lists = rng.permuted(np.tile(np.arange(float(sizes.classes)), (sizes.rows, 1)), axis=1)
        ends = rng.integers(0, sizes.classes + 1, size=sizes.rows)
        lists[np.arange(sizes.classes) == ends[:, None]] = -1.0
        return np.asarray(lists)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        for code, first in (("unknown-class", 99.0), ("unknown-class", 0.5), ("unknown-class", -2.0)):
            worse = np.array(array, dtype=float)
            worse[-1, 0] = first
            yield code, worse
        twice = np.array(array, dtype=float)
        twice[-1] = 0.0
        yield "repeated-class", twice


def before_end(lists: Array) -> NDArray[np.bool_]:
    """(N, C) places before the first -1 of their row."""
    return np.asarray(np.logical_and.accumulate(lists != -1, axis=1))


def repeated(lists: Array, listed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N, C) places whose number stands earlier in their list already."""
    values = np.where(listed, lists, np.nan)  # no NaN equals another
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    again = np.zeros(lists.shape, bool)
    np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    return again
