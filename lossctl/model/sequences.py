"""Kinds of sequences: frames of class scores, label sequences, lengths, series of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Decode, Detect, Kind, Params, Rng, Sizes
from lossctl.model.params import Param, complete
from lossctl.model.scores import (
    FORM_PHRASES,
    LOG_SUM_WARNING,
    NOT_A_PROBABILITY,
    POSITIVE_LOG,
    ROW_SUM_ERROR,
    ROW_SUM_WARNING,
)
from lossctl.sequences.ragged import Ragged

__all__ = ["Frames", "Labels", "Lengths", "Sequence", "Series"]


class Sequence(Kind):
    """Rows of any length. Their parts stand against nothing one by one, and no axis is added or taken off."""

    axes: str = "N S"
    flat: bool = False
    parallel: bool = False
    spread: bool = False

    def elementwise(self, params: Params) -> bool:
        return False

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "sequence"

    def missing(self, array: Any, params: Params) -> NDArray[np.bool_]:
        """(N,) rows that hold nothing."""
        return np.zeros(len(array), bool) if array.missing is None else np.array(array.missing)

    def canonical(self, array: Any, params: Params) -> Any:
        return array

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        return iter(())


def shown(array: Ragged, flags: NDArray[np.bool_]) -> Array:
    """(N,) for each row its first flagged value (0 where there is none); flags as in ``Ragged.any``."""
    values = array.flat()
    if values.ndim > 1:
        values, flags = wide(values), wide(flags)
        values = values[np.arange(len(values)), flags.argmax(axis=1)]
        flags = np.asarray(flags.any(axis=1))
    first = np.zeros(len(array), values.dtype)
    owners = array.owners()[flags]
    first[owners[::-1]] = values[flags][::-1]  # the last write, that is the first place, stays
    return first


def wide(values: Array) -> Array:
    """One line for each element, whatever shape it has."""
    return values.reshape(len(values), int(np.prod(values.shape[1:], dtype=np.int64)))


def broken(rule: Rule, array: Ragged, flags: NDArray[np.bool_]) -> Seen:
    """A rule that elements break; ``flags`` stand one for each value of ``array.flat()``."""
    rows = array.any(np.asarray(wide(flags).any(axis=1)))
    return rule, rows, shown(array, flags) if rows.any() else np.zeros(len(array))


LAYOUT = complete(
    Param("order of the axes: rows, frames, classes, or frames first as torch has them", choices=("NTC", "TNC")),
    "layout",
    str,
    "NTC",
)
FORMS = ("logits", "log-probs", "probs")
POSITIVE_FRAME = POSITIVE_LOG._replace(hint="--input probs or --input logits says what else the scores are")


class Frames(Sequence):
    """Class scores frame by frame, N x T x C: logits, log-probabilities or probabilities (``input``)."""

    name: str = "frames"
    axes: str = "N T C"
    phrase: str = "one score for each class, frame by frame"
    columns: Detect = "classes"

    def __init__(self, default: str = "log-probs") -> None:
        self.default = default

    def describe(self, fixed: Params) -> str:
        form = fixed.get("input")
        return self.phrase if form is None else f"{self.phrase}: {FORM_PHRASES[str(form)]}"

    def params(self) -> dict[str, Param]:
        form = complete(Param("what the scores are", choices=FORMS), "input", str, self.default)
        return {"input": form, "layout": LAYOUT}

    def class_count(self, array: Any, params: Params) -> int | None:
        return int(array.values.shape[-1])

    def missing(self, array: Any, params: Params) -> NDArray[np.bool_]:
        """Rows with a NaN or +inf (or, among probabilities, any infinity); -inf is a masked score."""
        rows = super().missing(array, params)
        # One pass says that all is well: a NaN or an infinity goes through max and min.
        top = array.values.max(initial=0) if array.values.size else 0.0
        low = array.values.min(initial=0) if params["input"] == "probs" and array.values.size else 0.0
        if np.isfinite(top) and np.isfinite(low):
            return rows
        values = array.flat()
        bad = ~np.isfinite(values) if params["input"] == "probs" else np.isnan(values) | (values == np.inf)
        return np.asarray(rows | array.any(wide(bad).any(axis=1)))

    def sums_to_one(self, params: Params) -> bool:
        return params.get("input") == "probs"

    def renormalise(self, array: Any, params: Params) -> Any:
        if not self.sums_to_one(params):
            return array
        packed = array.packed()
        sums = np.sum(packed.values, axis=-1, dtype=float, keepdims=True)
        values = packed.values / np.where(sums > 0, sums, 1.0)  # a frame that sums to zero is left to be refused
        return Ragged(values, packed.starts, packed.lengths, missing=packed.missing)

    def check(self, array: Any, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if params["input"] == "logits" or not int(array.lengths.sum()):
            return
        values = array.flat().reshape(int(array.lengths.sum()), -1)
        if params["input"] == "probs":
            yield broken(NOT_A_PROBABILITY, array, (values < 0) | (values > 1))
            off = np.abs(np.sum(values, axis=1, dtype=float) - 1)
            single = values.shape[1] * 2.0**-24 if array.dtype == np.float32 else 0.0
            yield worst_of(ROW_SUM_ERROR, array, off, off > 0.05)
            yield worst_of(ROW_SUM_WARNING, array, off, (off > 1e-6 + single) & (off <= 0.05))
            return
        positive = values > 1e-6
        yield broken(POSITIVE_FRAME, array, positive)
        if not positive.any():
            with np.errstate(divide="ignore"):
                off = np.abs(np.log(np.sum(np.exp(values), axis=1, dtype=float)))
            yield worst_of(LOG_SUM_WARNING, array, off, off > 1e-3)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        logits = 2 * rng.normal(size=(sizes.rows, 7, sizes.classes))
        if params["input"] == "logits":
            return logits
        probs = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
        return np.asarray(np.log(probs) if params["input"] == "log-probs" else probs)

    def stored(self, array: Array, params: Params) -> Array:
        return np.ascontiguousarray(np.swapaxes(array, 0, 1)) if params["layout"] == "TNC" else array

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        def put(value: float) -> Array:
            worse = np.array(array)
            worse[-1, 0, 0] = value
            return worse

        yield "nan", put(np.nan)
        if params["input"] == "probs":
            yield "not-a-probability", put(1.3)
        if params["input"] == "log-probs":
            yield "positive-log-prob", put(0.5)


def worst_of(rule: Rule, array: Ragged, off: Array, flags: NDArray[np.bool_]) -> Seen:
    """A rule that frames break, each row with its greatest deviation."""
    rows = array.any(flags)
    greatest = np.zeros(len(array))
    if rows.any():
        np.maximum.at(greatest, array.owners()[flags], off[flags])
    return rule, rows, greatest


PADDING = "negative numbers are padding at the end of a row only"


class Labels(Sequence):
    """Label sequences without blanks, N x S: class indices; what is negative at a row's end is padding."""

    name: str = "labels"
    phrase: str = "a sequence of class indices"

    def read(self, raw: Ragged, params: Params) -> Ragged:
        return without_padding(raw) if raw.dtype.kind in "iu" else raw

    def missing(self, array: Any, params: Params) -> NDArray[np.bool_]:
        rows = super().missing(array, params)
        if array.dtype.kind != "f":
            return rows
        return np.asarray(rows | array.any(~np.isfinite(array.flat())))

    def check(self, array: Any, params: Params, classes: int | None = None) -> Iterator[Seen]:
        values = array.flat()
        if classes is not None:
            rule = Rule("unknown-class", f"is not one of the {classes} classes: 0 to {classes - 1}", hint=PADDING)
            yield broken(rule, array, (values < 0) | (values >= classes) | (values != np.floor(values)))
        if "blank" in params and classes is not None:
            blank = int(str(params["blank"])) % classes
            rule = Rule(
                "blank-label",
                f"is the blank ({blank}), which no target holds",
                hint="is it padding?  give target-lengths, or pad with -1; --blank N names another blank",
            )
            yield broken(rule, array, values == blank)

    def canonical(self, array: Any, params: Params) -> Any:
        if array.dtype == np.int64:
            return array
        return Ragged(array.flat().astype(np.int64), array.packed().starts, array.lengths)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        blank = params.get("blank")
        every = [c for c in range(sizes.classes) if blank is None or c != int(str(blank)) % sizes.classes]
        return np.asarray(rng.choice(every, size=(sizes.rows, 3)), np.int64)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        worse = np.array(array)
        worse[-1, 0] = 99
        yield "unknown-class", worse
        if "blank" in params:
            worse = np.array(array)
            worse[-1, 0] = int(str(params["blank"])) % 3  # a sample has three classes
            yield "blank-label", worse


def without_padding(labels: Ragged) -> Ragged:
    """Rows up to their last label: negative numbers behind it are padding."""
    values = labels.flat()
    if not len(values) or values.min() >= 0:
        return labels
    within = np.arange(len(values)) - np.repeat(np.cumsum(labels.lengths) - labels.lengths, labels.lengths)
    last = np.zeros(len(labels), np.int64)
    np.maximum.at(last, labels.owners(), np.where(values >= 0, within + 1, 0))
    return labels.cut(last)


class Lengths(Kind):
    """How many elements of another input count, row by row; or N x T flags of padding (1, behind the rest)."""

    name: str = "lengths"
    axes: str = "N | N T"
    phrase: str = "a length, a whole number >= 0"
    flat: bool = True

    def __init__(self, cuts: str, *also: str) -> None:
        self.cuts = cuts
        self.also = also  # roles whose rows are as long, and are cut with it

    def elementwise(self, params: Params) -> bool:
        return False

    def of(self, array: Array, longest: NDArray[np.int64]) -> NDArray[np.int64]:
        """(N,) lengths as far as they can be used; ``longest`` (N,) is how long the rows are."""
        if array.ndim == 2:
            array = array.shape[1] - np.sum(array, axis=1)
        known = np.isfinite(array)  # a row without a length stays whole: it is missing, and not empty
        return np.asarray(np.where(known, np.clip(np.where(known, array, 0.0), 0, longest), longest), np.int64)

    def beyond(self, array: Array, longest: NDArray[np.int64]) -> Iterator[Seen]:
        """Lengths that are none, or are greater than there are elements."""
        if array.ndim == 2:
            flags = (array == 0) | (array == 1)
            wrong = ~flags.all(axis=1) | (np.diff(array, axis=1) < 0).any(axis=1)
            yield Rule("bad-padding", "is no row of padding flags: zeros, then ones"), wrong, np.full(len(array), "")
            return
        wrong = np.isfinite(array) & ((array < 0) | (array != np.floor(array)) | (array > longest))
        if wrong.any():
            most = int(longest[wrong.argmax()])
            rule = Rule("bad-length", f"is no length in its row of {self.cuts}: a whole number from 0 to {most:,}")
            yield rule, wrong, as_written(array)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        low, high = (5, 8) if self.cuts == "pred" else (1, 4)  # room for every target, repeats and all
        return rng.integers(low, high, size=sizes.rows).astype(float)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        for bad in (-1.0, 0.5, 1e6):
            worse = np.array(array, float)
            worse[-1] = bad
            yield "bad-length", worse


def as_written(array: Array) -> Array:
    """Floats for a message: whole ones without a point."""
    return np.array([int(value) if value == np.floor(value) else value for value in array.tolist()], object)


class Series(Sequence):
    """Series of numbers, N x T, or of vectors, N x T x D."""

    name: str = "series"
    axes: str = "N T | N T D"
    spread: bool = True
    phrase: str = "a series of finite numbers"

    def missing(self, array: Any, params: Params) -> NDArray[np.bool_]:
        bad = ~np.isfinite(array.flat())
        return np.asarray(super().missing(array, params) | array.any(wide(bad).any(axis=1)))

    def canonical(self, array: Any, params: Params) -> Any:
        if array.dtype == np.float64:
            return array
        packed = array.packed()
        return Ragged(packed.values.astype(np.float64), packed.starts, packed.lengths)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        shape = (sizes.rows, 7, sizes.elements) if sizes.elements else (sizes.rows, 7)
        return np.asarray(rng.normal(size=shape))

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        for bad in (np.nan, np.inf):
            worse = np.array(array, float)
            worse[-1, 0] = bad
            yield "nan", worse
