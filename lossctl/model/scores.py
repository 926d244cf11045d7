"""Kinds of predictions for classification: scores in their three forms, and predicted labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Decode, Detect, Kind, Params, Rng, Sizes, broken, inside, put
from lossctl.model.params import Value

__all__ = [
    "BinaryScores",
    "ClassScores",
    "LabelsOrScores",
    "LogitOfTruth",
    "ProbOfTruth",
    "Propositions",
    "label_missing",
    "row_sums",
    "scores_missing",
]

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


def scores_missing(array: Array, form: Value) -> NDArray[np.bool_]:
    """A logit or log-probability may be -inf (masked), never +inf or NaN; a probability is finite."""
    if form in {"logits", "log-probs"}:
        return np.asarray(np.isnan(array) | (array == np.inf))
    return ~np.isfinite(array)


def scores_lack(array: Array, form: Value) -> bool:
    """Whether any score is missing: the greatest one tells, as a NaN is the greatest."""
    if form in {"logits", "log-probs"}:
        return not array.max(initial=-np.inf) < np.inf
    return not np.isfinite(array).all()


def _scores_check(array: Array, form: Value) -> Iterator[Seen]:
    if form == "probs" and not inside(array, 0.0, 1.0):
        yield broken(NOT_A_PROBABILITY, array, (array < 0) | (array > 1))
    if form == "log-probs" and not inside(array, -np.inf, 1e-6):
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
        return scores_missing(array, self.form(params))

    def lacks(self, array: Array, params: Params) -> bool:
        return scores_lack(array, self.form(params))

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


def row_sums(array: Array) -> Iterator[Seen]:
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
        return scores_missing(array, self.form(params))

    def lacks(self, array: Array, params: Params) -> bool:
        return scores_lack(array, self.form(params))

    def sums_to_one(self, params: Params) -> bool:
        return self.form(params) == "probs"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        form = self.form(params)
        yield from _scores_check(array, form)
        if form == "probs":
            yield from row_sums(array)
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


class Propositions(BinaryScores):
    """Scores of propositions that are true or false each by itself, N x K: no row sums to 1."""

    name: str = "propositions"
    axes: str = "N K"
    phrase: str = "a probability in [0, 1] for each proposition, or a logit with --input logits"
    flat: bool = False
    lift: bool = True
    columns: Detect = "classes"

    def elementwise(self, params: Params) -> bool:
        return False

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return super().sample(rng, Sizes(sizes.rows, sizes.classes), params)


FRACTION = Rule("fractional-label", "is no label", hint="are these scores?  add --input probs or --input logits")


def label_missing(array: Array) -> NDArray[np.bool_]:
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
            return label_missing(array)
        return scores_missing(array, params["input"])

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


class ProbOfTruth(Kind):
    """Probabilities of the positive class, (N,), or of every class, N x C."""

    name: str = "probabilities"
    axes: str = "N | N C"
    phrase: str = "a probability in [0, 1]"
    columns: Detect = "score"
    fixed: str = "probs"

    def elementwise(self, params: Params) -> bool:
        return False

    def sums_to_one(self, params: Params) -> bool:
        return True

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        yield from _scores_check(array, "probs")
        if array.ndim == 2:
            yield from row_sums(array)

    def canonical(self, array: Array, params: Params) -> Array:
        return array  # float32 stays: its precision may decide where probabilities are clipped

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.uniform(0.02, 0.98, size=sizes.rows)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "not-a-probability", put(array, 1.3)


class LogitOfTruth(Kind):
    """Logits of the positive class, (N,), or of every class, N x C."""

    name: str = "logits"
    axes: str = "N | N C"
    phrase: str = "a logit"
    columns: Detect = "score"
    fixed: str = "logits"

    def elementwise(self, params: Params) -> bool:
        return False

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return scores_missing(array, "logits")

    def lacks(self, array: Array, params: Params) -> bool:
        return scores_lack(array, "logits")

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return 2 * rng.normal(size=(sizes.rows, sizes.classes) if sizes.elements else sizes.rows)
