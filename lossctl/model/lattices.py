"""Kinds of inputs of structured losses: scores of a transducer's lattice, tags, and the scores between tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Detect, Kind, Params, Rng, Sizes, put
from lossctl.model.params import Param, Value
from lossctl.model.scores import LOG_SUM_WARNING, NOT_A_PROBABILITY, POSITIVE_LOG, ROW_SUM_ERROR, ROW_SUM_WARNING
from lossctl.model.sequences import LAYOUT, Frames, worst_of
from lossctl.model.spec import Arrays
from lossctl.model.tokens import TokenIds
from lossctl.sequences.ragged import Ragged

__all__ = ["Emissions", "Lattice", "StepScores", "Tags", "Transitions", "lattice_rules"]


class Lattice(Frames):
    """Class scores for each frame and each number of labels said so far, N x T x (U + 1) x C.

    Places behind the row's labels are not read; they may be NaN in all frames, which is taken as padding.
    """

    name: str = "lattice"
    axes: str = "N T U C"
    phrase: str = "a score for each class at each frame, after each number of labels (N x T x (U + 1) x C)"

    def missing(self, array: Any, params: Params) -> NDArray[np.bool_]:
        flagged = super().missing(array, params)
        for n in np.flatnonzero(flagged):
            if array.missing is None or not array.missing[n]:
                row = array.row(int(n))
                flagged[n] = super().missing(Ragged.of([row[:, : places(row)]]), params)[0]
        return flagged

    def check(self, array: Any, params: Params, classes: int | None = None) -> Iterator[Seen]:
        """Only what is read: see ``lattice_rules``, which knows how many labels a row has."""
        return iter(())

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        flat = [super(Lattice, self).sample(rng, sizes, params) for _ in range(4)]
        return np.stack(flat, axis=2)


def places(row: Array) -> int:
    """Places of a row's (T, U', C) before those at the end that are NaN throughout."""
    full = np.flatnonzero(~np.isnan(row).all(axis=(0, 2)))
    return int(full[-1]) + 1 if len(full) else 0


def lattice_rules(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    """Rules of the scores that are read: those of a row's frames, at places up to the number of its labels."""
    scores, labels = arrays["pred"], arrays["target"]
    wide = labels.lengths + 1
    most = scores.values.shape[1]
    room = Rule("too-many-labels", f"labels are more than a lattice of {most} places has room for ({most - 1})")
    found: list[Seen] = [(room, wide > most, labels.lengths)]
    flat = scores.flat()
    if found[0][1].any() or (params["input"] == "logits" and not np.isnan(flat.max(initial=0))):
        return found
    read = np.arange(most) < np.repeat(wide, scores.lengths)[:, None]
    values = flat[read].astype(np.float64, copy=False)
    tolerance = 1e-6 + (values.shape[1] * 2.0**-24 if scores.dtype == np.float32 else 0.0)
    cells = Ragged(values, *row_ends(scores.lengths * wide))
    nothing = Rule("nan", "is NaN at a place that the row's labels lead to")
    bad = np.isnan(values).any(axis=1)
    found.append((nothing, cells.any(bad), np.full(len(scores), "")))
    if params["input"] == "logits" or bad.any():
        return found
    if params["input"] == "probs":
        off = np.abs(np.sum(values, axis=1) - 1)
        outside = ((values < 0) | (values > 1)).any(axis=1)
        found.append(worst_of(NOT_A_PROBABILITY, cells, values.max(axis=1), outside))
        found.append(worst_of(ROW_SUM_ERROR, cells, off, off > 0.05))
        found.append(worst_of(ROW_SUM_WARNING._replace(hint=None), cells, off, (off > tolerance) & (off <= 0.05)))
        return found
    top = values.max(axis=1)
    found.append(worst_of(POSITIVE_LOG, cells, top, top > 1e-6))
    if not (top > 1e-6).any():
        with np.errstate(divide="ignore"):
            off = np.abs(np.log(np.sum(np.exp(values), axis=1)))
        found.append(worst_of(LOG_SUM_WARNING, cells, off, off > 1e-3))
    return found


def row_ends(lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and lengths of rows that stand end to end."""
    return np.cumsum(lengths) - lengths, lengths


class Emissions(Frames):
    """The score of each tag at each step, N x T x C: any number, -inf where a tag cannot be."""

    name: str = "emissions"
    phrase: str = "a score for each tag at each step, -inf where it cannot be"
    columns: Detect = "any"
    called: tuple[str, ...] = ("emissions", "logits")

    def __init__(self) -> None:
        super().__init__("logits")

    def params(self) -> dict[str, Param]:
        return {"layout": LAYOUT}

    def missing(self, array: Any, params: Params) -> NDArray[np.bool_]:
        return super().missing(array, {"input": "logits"})

    def sums_to_one(self, params: Params) -> bool:
        return False

    def check(self, array: Any, params: Params, classes: int | None = None) -> Iterator[Seen]:
        return iter(())

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return super().sample(rng, sizes, {**params, "input": "logits"})

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        return super().spoil(array, {"input": "logits"})


class Tags(TokenIds):
    """The true tag of each step; negative ones at a row's end are padding."""

    name: str = "tags"
    phrase: str = "a tag (a class index) at each step; negative ones at the end are padding"
    called: tuple[str, ...] = ("tags", "tagids")

    def params(self) -> dict[str, Param]:
        return {}

    def ignored(self, array: Any, params: Params) -> NDArray[np.bool_] | None:
        return None

    def check(self, array: Any, params: Params, classes: int | None = None) -> Iterator[Seen]:
        return super().check(array.cut(tagged(array)), params, classes)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        worse = np.array(array)
        worse[-1, 0] = 99
        yield "unknown-class", worse
        worse = np.array(array)
        worse[-1, 0] = -1
        yield "unknown-class", worse


def tagged(tags: Any) -> NDArray[np.int64]:
    """(N,) steps of each row up to its last tag that is not negative."""
    values = tags.flat()
    within = np.arange(len(values)) - np.repeat(np.cumsum(tags.lengths) - tags.lengths, tags.lengths)
    last = np.zeros(len(tags), np.int64)
    np.maximum.at(last, tags.owners(), np.where(values >= 0, within + 1, 0))
    return last


def unbounded_below(array: Array) -> NDArray[np.bool_]:
    return np.asarray(np.isnan(array) | (array == np.inf))


class StepScores(Kind):
    """A score for each tag, (C,): what it is worth to begin or to end with it; -inf where that cannot be."""

    name: str = "step scores"
    axes: str = "C"
    phrase: str = "a number for each tag, -inf where it cannot be"
    whole: bool = True

    def elementwise(self, params: Params) -> bool:
        return False

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return unbounded_below(array)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.asarray(rng.normal(size=sizes.classes))


class Transitions(StepScores):
    """The score of each step from one tag (row) to the next (column), C x C."""

    name: str = "transitions"
    axes: str = "C C"
    phrase: str = "the score of going from one tag (row) to the next (column), -inf where that cannot be"
    flat: bool = False

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.asarray(rng.normal(size=(sizes.classes, sizes.classes)))

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield "nan", put(array, np.nan)
