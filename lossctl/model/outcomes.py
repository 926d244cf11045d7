"""Kinds for classification: scores in their three forms, and the ways a class is written down."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lossctl.model.findings import Findings, Rule, Seen
from lossctl.model.kinds import Array, Decode, Detect, Kind, Params, Rng, Sizes, broken, put
from lossctl.model.params import Param, Value, complete

NOT_A_PROBABILITY = Rule(
    "not-a-probability", "is not a probability in [0, 1]", hint="are these logits?  add --input logits"
)
POSITIVE_LOG = Rule(
    "positive-log-prob",
    "is not a log-probability (<= 0)",
    hint="are these probabilities?  add --input probs",
)


FORM_PHRASES = {
    "probs": "a probability in [0, 1]",
    "logits": "a logit",
    "log-probs": "a log-probability (<= 0)",
}


def _scores_missing(array: Array, form: Value) -> NDArray[np.bool_]:
    """A logit or log-probability may be -inf (masked), never +inf or NaN; a probability is finite."""
    if form in {"logits", "log-probs"}:
        return np.asarray(np.isnan(array) | (array == np.inf))
    return ~np.isfinite(array)


def _scores_check(array: Array, form: Value) -> Iterator[Seen]:
    if form == "probs":
        yield broken(NOT_A_PROBABILITY, array, (array < 0) | (array > 1))
    if form == "log-probs":
        yield broken(POSITIVE_LOG, array, array > 1e-6)


class BinaryScores(Kind):
    """Scores of the positive class: probabilities or logits, as the parameter ``input`` says."""

    name: str = "binary scores"
    phrase: str = "a probability in [0, 1], or a logit with --input logits"
    columns: Detect = "score"

    def __init__(self, fixed: str | None = None) -> None:
        self.fixed = fixed  # the form, where the loss takes one only

    def describe(self, fixed: Params) -> str:
        return FORM_PHRASES.get(str(self.fixed or fixed.get("input")), self.phrase)

    def form(self, params: Params) -> Value:
        return self.fixed or params["input"]

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return _scores_missing(array, self.form(params))

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        yield from _scores_check(array, self.form(params))

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        if self.form(params) == "probs":
            return rng.uniform(0.02, 0.98, size=sizes.shape)
        return 3 * rng.normal(size=sizes.shape)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        if self.form(params) == "probs":
            yield "not-a-probability", put(array, 1.3)
            yield "not-a-probability", put(array, -0.2)


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
        if self.soft:
            rule = Rule("target-range", "is not a target in [0, 1]", hint="are the labels -1/+1?  recode -1 as 0")
            yield broken(rule, array, (array < 0) | (array > 1))
        else:
            rule = Rule("target-range", "is not a target: 0 or 1", hint="are the labels -1/+1?  recode -1 as 0")
            yield broken(rule, array, (array != 0) & (array != 1))

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.integers(0, 2, size=sizes.shape).astype(float)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "target-range", put(array, -1.0)
        if not self.soft:
            yield "target-range", put(array, 0.5)


ROW_SUM_ERROR = Rule(
    "not-normalised", "is not a sum of probabilities (1)", hint="are these logits?  add --input logits"
)
ROW_SUM_WARNING = Rule("not-normalised", "rows do not sum to 1", severity="warning", hint="--renormalize divides")
LOG_SUM_WARNING = Rule(
    "not-normalised",
    "rows of log-probabilities do not sum to 1",
    severity="warning",
    hint="are these logits?  add --input logits",
)


def _row_sums(array: Array) -> Iterator[Seen]:
    """Rows of probabilities: off from 1 by more than 0.05 is an error, by more than 1e-6 a warning."""
    sums = np.sum(np.ascontiguousarray(array), axis=-1, dtype=float)
    off = np.abs(sums - 1)
    yield ROW_SUM_ERROR, off > 0.05, sums
    single = np.float32 if array.dtype == np.float32 else None
    # Probabilities stored as float32 sum to 1 within their own rounding only.
    tolerance = 1e-6 if single is None else 1e-6 + array.shape[-1] * 2.0**-24
    yield ROW_SUM_WARNING, (off > tolerance) & (off <= 0.05), off


class ClassScores(Kind):
    """One score for each class, N x C: logits, probabilities or log-probabilities (``input``)."""

    name: str = "class scores"
    axes: str = "N C"
    phrase: str = "one score for each class"
    flat: bool = False
    columns: Detect = "classes"

    def __init__(self, fixed: str | None = None) -> None:
        self.fixed = fixed

    def describe(self, fixed: Params) -> str:
        form = self.fixed or fixed.get("input")
        return self.phrase if form is None else f"{self.phrase}: {FORM_PHRASES[str(form)]}"

    def elementwise(self, params: Params) -> bool:
        return False

    def form(self, params: Params) -> Value:
        return self.fixed or params["input"]

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return _scores_missing(array, self.form(params))

    def sums_to_one(self, params: Params) -> bool:
        return self.form(params) == "probs"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        form = self.form(params)
        yield from _scores_check(array, form)
        if form == "probs":
            yield from _row_sums(array)
        elif form == "log-probs":
            top = array.max(axis=1)
            finite = np.where(np.isfinite(top), top, 0.0)
            with np.errstate(divide="ignore"):
                off = np.abs(np.log(np.sum(np.exp(array - finite[:, None]), axis=1)) + finite)
            yield LOG_SUM_WARNING, off > 1e-3, off

    def canonical(self, array: Array, params: Params) -> Array:
        return array  # float32 stays: see numerics.log_normaliser

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        logits = 2 * rng.normal(size=(sizes.rows, sizes.classes))
        shifted = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        forms = {"logits": logits, "log-probs": shifted, "probs": np.exp(shifted)}
        return np.asarray(forms[str(self.form(params))])

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        if self.form(params) == "probs":
            yield "not-a-probability", put(array, 1.3)
            yield "not-normalised", array * 0.5
        if self.form(params) == "log-probs":
            yield "positive-log-prob", put(array, 0.5)


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


def _is_rows(array: Array) -> bool:
    return array.ndim == 2


class ClassTarget(Kind):
    """The right class as an index, (N,); with ``soft`` also a distribution over classes, N x C."""

    name: str = "class target"
    axes: str = "N | N C"
    phrase: str = "a class label"

    def __init__(self, *, soft: bool = False) -> None:
        self.soft = soft

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
        return None if index is None or _is_rows(array) else array == index

    def sums_to_one(self, params: Params) -> bool:
        return self.soft

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if _is_rows(array):
            yield broken(Rule("negative", "is not a probability in [0, 1]"), array, array < 0)
            rule = Rule("not-normalised", "is not the sum of a distribution (1)")
            for found, rows, values in _row_sums(array):
                yield (rule if found.severity == "error" else found), rows, values
        else:
            yield unknown_class(array, classes)

    def canonical(self, array: Array, params: Params) -> Array:
        return array.astype(float) if _is_rows(array) else array.astype(np.int64)

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
        return _scores_missing(array, self.form(params))

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

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        negative = 0.0 if params["labels"] == "01" else -1.0
        return np.where(rng.random(size=sizes.shape) < 0.5, negative, 1.0)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "bad-label", put(array, 2.0)
        if params["labels"] == "auto":
            mixed = np.resize(np.array([0.0, -1.0, 1.0]), array.shape)
            yield "mixed-labels", mixed


FRACTION = Rule("fractional-label", "is no label", hint="are these scores?  add --input probs or --input logits")


def _label_missing(array: Array) -> NDArray[np.bool_]:
    """Labels are floats compared as numbers (NaN is missing), or codes (-1 is missing)."""
    return ~np.isfinite(array) if array.dtype.kind == "f" else array < 0


class LabelsOrScores(Kind):
    """Predicted labels to compare as they are, or scores (``input``) to decide by."""

    name: str = "labels or scores"
    axes: str = "N | N K | N C"
    phrase: str = "a label; with --input probs|logits scores to decide by"
    decides: bool = True

    def elementwise(self, params: Params) -> bool:
        return params["input"] == "labels"

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "label" if params["input"] == "labels" else "real"

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        if params["input"] == "labels":
            return _label_missing(array)
        return _scores_missing(array, params["input"])

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if params["input"] == "labels" and array.dtype.kind == "f":
            yield broken(FRACTION, array, array != np.floor(array))
        else:
            yield from _scores_check(array, params["input"])

    def canonical(self, array: Array, params: Params) -> Array:
        return array if params["input"] == "labels" else super().canonical(array, params)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        if params["input"] == "labels":
            return rng.integers(0, sizes.classes, size=sizes.shape)
        return BinaryScores().sample(rng, sizes, params)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        if params["input"] == "probs":
            yield "not-a-probability", put(array, 1.3)


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
        return _label_missing(array)

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if params["input"] != "labels" and array.dtype.kind == "f":
            yield unknown_class(array, classes or 2)

    def canonical(self, array: Array, params: Params) -> Array:
        return array if params["input"] == "labels" else array.astype(np.int64)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        if params["input"] == "labels":
            return rng.integers(0, sizes.classes, size=sizes.shape)
        return BinaryTarget().sample(rng, sizes, params)


class ProbOfTruth(Kind):
    """Probabilities of the positive class, (N,), or of every class, N x C."""

    name: str = "probabilities"
    axes: str = "N | N C"
    phrase: str = "a probability in [0, 1]"
    columns: Detect = "score"

    def elementwise(self, params: Params) -> bool:
        return False

    def sums_to_one(self, params: Params) -> bool:
        return True

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        yield from _scores_check(array, "probs")
        if _is_rows(array):
            yield from _row_sums(array)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.uniform(0.02, 0.98, size=sizes.rows)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "not-a-probability", put(array, 1.3)


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
        yield unknown_class(array, classes or 2)

    def canonical(self, array: Array, params: Params) -> Array:
        return array.astype(np.int64)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.integers(0, 2, size=sizes.rows).astype(float)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "unknown-class", put(array, 2.0)
