"""Kinds of targets for classification: the ways in which a class is written down."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lossctl.model.findings import Findings, Rule, Seen
from lossctl.model.kinds import Array, Decode, Detect, Kind, Params, Rng, Sizes, broken, inside, put
from lossctl.model.params import Param, complete
from lossctl.model.scores import ClassScores, label_missing, row_sums, scores_missing

__all__ = ["BinaryTarget", "ClassTarget", "Distribution", "LabelTarget", "OneHotTruth", "SignedTarget", "Truth"]


class BinaryTarget(Kind):
    """What happened: 0 or 1, or (``soft``) any probability between; text with ``--positive``."""

    name: str = "binary target"
    phrase: str = "0 or 1"

    def __init__(self, *, soft: bool = False) -> None:
        self.soft = soft

    def describe(self, fixed: Params) -> str:
        return "0 or 1, or a probability between" if self.soft else self.phrase

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "binary"

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return ~np.isfinite(array)

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if self.soft and not inside(array, 0.0, 1.0):
            rule = Rule("target-range", "is not a target in [0, 1]", hint="are the labels -1/+1?  recode -1 as 0")
            yield broken(rule, array, (array < 0) | (array > 1))
        elif not self.soft:
            rule = Rule("target-range", "is not a target: 0 or 1", hint="are the labels -1/+1?  recode -1 as 0")
            yield broken(rule, array, (array != 0) & (array != 1))

    def class_of(self, array: Array, params: Params) -> Array | None:
        return np.where((array == 0) | (array == 1), array, np.nan) if array.ndim == 1 else None

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.integers(0, 2, size=sizes.shape).astype(float)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "target-range", put(array, -1.0)
        if not self.soft:
            yield "target-range", put(array, 0.5)


IGNORE_INDEX = complete(
    Param("label of rows that do not count: their loss is 0 and no divisor sees them"),
    "ignore_index",
    int | None,
    -100,
)


def unknown_class(array: Array, classes: int | None) -> Seen:
    """Labels that are no class index (of ``classes`` classes, where their number is known)."""
    wrong = (array < 0) | (array != np.floor(array))
    if classes is None:
        return broken(Rule("unknown-class", "is not a class index: 0, 1, 2, ..."), array, wrong)
    rule = Rule("unknown-class", f"is not one of the {classes} classes: 0 to {classes - 1}")
    return broken(rule, array, wrong | (array >= classes))


class ClassTarget(Kind):
    """The right class as an index, (N,); with ``soft`` also a distribution over classes, N x C."""

    name: str = "class target"
    axes: str = "N"
    phrase: str = "a class label"

    def __init__(self, *, soft: bool = False) -> None:
        self.soft = soft
        if soft:
            self.axes = "N | N C"

    def describe(self, fixed: Params) -> str:
        return f"{self.phrase}, or a distribution over the classes" if self.soft else self.phrase

    def elementwise(self, params: Params) -> bool:
        return False

    def params(self) -> dict[str, Param]:
        return {"ignore_index": IGNORE_INDEX}

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "class"

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return ~np.isfinite(array) if array.dtype.kind == "f" else np.zeros(array.shape, bool)

    def ignored(self, array: Array, params: Params) -> NDArray[np.bool_] | None:
        index = params["ignore_index"]
        return None if index is None or array.ndim == 2 else array == index

    def sums_to_one(self, params: Params) -> bool:
        return self.soft

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if array.ndim == 2:
            yield broken(Rule("negative", "is not a probability in [0, 1]"), array, array < 0)
            rule = Rule("not-normalised", "is not the sum of a distribution (1)")
            for found, rows, values in row_sums(array):
                yield (rule if found.severity == "error" else found), rows, values
        else:
            yield unknown_class(array, classes)

    def canonical(self, array: Array, params: Params) -> Array:
        return array.astype(float) if array.ndim == 2 else array.astype(np.int64)

    def class_of(self, array: Array, params: Params) -> Array | None:
        return array if array.ndim == 1 else None

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.integers(0, sizes.classes, size=sizes.rows).astype(float)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "unknown-class", put(array, 99)
        yield "unknown-class", put(array, -1)
        yield "unknown-class", put(array, 0.5)


class Distribution(Kind):
    """A distribution over classes, N x C; log-probabilities where ``log_target`` is set."""

    name: str = "distribution"
    axes: str = "N C"
    phrase: str = "probabilities that sum to 1 in each row"
    flat: bool = False
    columns: Detect = "classes"

    def form(self, params: Params) -> str:
        return "log-probs" if params.get("log_target") else "probs"

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return scores_missing(array, self.form(params))

    def sums_to_one(self, params: Params) -> bool:
        return self.form(params) == "probs"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if self.form(params) == "log-probs":
            yield from ClassScores(fixed="log-probs").check(array, params)
        else:
            yield from ClassTarget(soft=True).check(array, {"ignore_index": None})

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return ClassScores(fixed=self.form(params)).sample(rng, sizes, params)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        if self.form(params) == "probs":
            yield "negative", put(array, -0.2)
            yield "not-normalised", array * 0.5


LABELS = complete(
    Param(
        "how the two classes are written: auto takes {-1, 1} or {0, 1} (0 means -1)",
        choices=("auto", "01", "pm1"),
    ),
    "labels",
    str,
    "auto",
)


class SignedTarget(Kind):
    """Two classes; the kernel sees -1 and +1."""

    name: str = "signed target"
    phrase: str = "-1 or 1 (or 0 and 1)"

    def params(self) -> dict[str, Param]:
        return {"labels": LABELS}

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "binary"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        allowed = {"auto": (-1, 0, 1), "01": (0, 1), "pm1": (-1, 1)}[str(params["labels"])]
        words = " or ".join(str(a) for a in allowed if params["labels"] != "auto" or a) or "-1 or 1"
        rule = Rule("bad-label", f"is not a label: {words}", hint="--positive NAME for text labels; --labels 01|pm1")
        yield broken(rule, array, ~np.isin(array, allowed))
        yield broken(Rule("label-zero", "", "fact"), array, array == 0)
        yield broken(Rule("label-minus-one", "", "fact"), array, array == -1)

    def verdict(self, role: str, findings: Findings) -> Iterator[tuple[str, str, int]]:
        zero, minus = findings.fact(role, "label-zero"), findings.fact(role, "label-minus-one")
        if zero is not None and minus is not None:
            rows = zero.places[0][0], minus.places[0][0]
            found = f"row {rows[0] + 1:,} has 0, row {rows[1] + 1:,} has -1"
            yield "mixed-labels", f"{role} labels are neither {{0, 1}} nor {{-1, 1}}: {found}", max(rows)

    def canonical(self, array: Array, params: Params) -> Array:
        return np.where(array == 0, -1.0, array).astype(np.float64)

    def class_of(self, array: Array, params: Params) -> Array | None:
        return array if array.ndim == 1 else None

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        negative = 0.0 if params["labels"] == "01" else -1.0
        return np.where(rng.random(size=sizes.shape) < 0.5, negative, 1.0)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "bad-label", put(array, 2.0)
        if params["labels"] == "auto":
            mixed = np.resize(np.array([0.0, -1.0, 1.0]), array.shape)
            yield "mixed-labels", mixed


class LabelTarget(Kind):
    """The true label: compared as it is, or as a class index, or as 0/1 against a single score."""

    name: str = "label"
    phrase: str = "a label"

    def elementwise(self, params: Params) -> bool:
        return params["input"] == "labels"

    def decode(self, params: Params, classes: int | None) -> Decode:
        if params["input"] == "labels":
            return "label"
        return "binary" if classes is None else "class"

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return label_missing(array)

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if params["input"] != "labels" and array.dtype.kind == "f":
            yield unknown_class(array, classes or 2)

    def canonical(self, array: Array, params: Params) -> Array:
        return array if params["input"] == "labels" else array.astype(np.int64)

    def class_of(self, array: Array, params: Params) -> Array | None:
        return array if array.ndim == 1 else None

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        if params["input"] == "labels":
            return rng.integers(0, sizes.classes, size=sizes.shape)
        return BinaryTarget().sample(rng, sizes, params)


class Truth(Kind):
    """What happened: 0 or 1 against a single probability, a class index against N x C."""

    name: str = "outcome"
    axes: str = "N"
    phrase: str = "0 or 1, or a class label"
    columns: Detect = "one"

    def elementwise(self, params: Params) -> bool:
        return False

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "binary" if classes is None else "class"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        rule, rows, values = unknown_class(array, classes or 2)
        yield (rule if classes else rule._replace(hint="are the labels -1/+1?  recode -1 as 0")), rows, values

    def canonical(self, array: Array, params: Params) -> Array:
        return array.astype(np.int64)

    def class_of(self, array: Array, params: Params) -> Array | None:
        return array if array.ndim == 1 else None

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.integers(0, 2, size=sizes.rows).astype(float)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "unknown-class", put(array, 99)
        yield "unknown-class", put(array, -1)


NOT_ZERO_ONE = Rule("not-one-hot", "is not 0 or 1, as the columns of a one-hot target are")
NOT_ONE_HOT = Rule("not-one-hot", "is not the sum of a one-hot row (1)", hint="one class a row: a 1 among zeros")


class OneHotTruth(Truth):
    """What happened: 0 or 1 against a single probability; a class index or a one-hot row against N x C."""

    name: str = "outcome or one-hot row"
    axes: str = "N | N C"
    phrase: str = "0 or 1, or a class label, or one-hot columns"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if array.ndim == 1:
            yield from super().check(array, params, classes)
            return
        yield broken(NOT_ZERO_ONE, array, (array != 0) & (array != 1))
        sums = np.sum(array, axis=1, dtype=float)
        yield NOT_ONE_HOT, sums != 1, sums

    def canonical(self, array: Array, params: Params) -> Array:
        return super().canonical(array, params) if array.ndim == 1 else array.astype(np.float64)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        if not sizes.elements:
            return super().sample(rng, sizes, params)
        return np.eye(sizes.elements)[rng.integers(0, sizes.elements, size=sizes.rows)]

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        if array.ndim == 1:
            yield from super().spoil(array, params)
        else:
            yield from Kind.spoil(self, array, params)
            yield "not-one-hot", put(array, 0.5)
            yield "not-one-hot", np.ones_like(array)
