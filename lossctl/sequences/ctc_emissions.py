"""What frames say of the labels in question, relative to the blank, some frames at a time."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.ctc_walks import Flags, Floats, Ints, Walks
from lossctl.sequences.ragged import Ragged

__all__ = ["Emissions", "emissions"]

TILE = 1 << 16  # scores worked on at a time, which stay in a core's cache
SMALL, LARGE = 2.0**-50, 2.0**100  # sums of exponentials are used as they are in between
DIVISOR = 2.0**-900  # a blank less likely than this is no divisor
EXCESS = 1024  # what ``excess`` is counted in: parts of a bit


class Emissions(Protocol):
    """Probabilities of labels divided by that of the blank, for the rows that still walk."""

    unusable: Flags  # R: the blank is no divisor somewhere
    excess: Ints  # R: log2 of how far probabilities add up to more than 1, over all frames, rounded up

    def window(self, start: int, stop: int, rows: int, ratios: Floats) -> Floats:
        """Fill ``ratios`` (frames, cells of the rows); gives 1 / (probability of the blank), (frames, rows)."""


def emissions(frames: Ragged, walks: Walks, form: str, blank: int, span: int) -> Emissions:
    """For windows of up to ``span`` frames."""
    return Softmax(frames, walks, blank) if form == "logits" else Given(frames, walks, form, blank, span)


class Softmax:
    """Of logits: all classes are looked at, for their sum."""

    def __init__(self, frames: Ragged, walks: Walks, blank: int) -> None:
        self.values, self.walks, self.blank = frames.values, walks, blank
        self.classes = frames.values.shape[1]
        self.index = walks.owner * self.classes + walks.labels
        self.unusable = np.zeros(len(walks.lengths), bool)
        self.excess = np.zeros(len(walks.lengths), np.int64)
        size = max(TILE, self.classes)
        self.scores, self.terms = np.empty(size, frames.dtype), np.empty(size)

    def window(self, start: int, stop: int, rows: int, ratios: Floats) -> Floats:
        places = self.walks.places(start, stop, rows)
        unit = np.empty(places.shape)
        group = max(1, TILE // self.classes)
        count = max(1, group // rows)
        for at in range(0, stop - start, count):
            for row in range(0, rows, group):
                part = slice(at, at + count), slice(row, row + group)
                unit[part] = self._tile(places[part], row, ratios[part[0]])
        return unit

    def _tile(self, places: Ints, row: int, ratios: Floats) -> Floats:
        frames, rows = places.shape
        scores, terms, total = self._exponentials(places.ravel())
        off = np.flatnonzero(~((total > SMALL) & (total < LARGE)))
        if len(off):
            # exp leaves the range of floats: relative to the greatest score of the frame it does not.
            some = scores[off].astype(np.float64)
            top = some.max(axis=1, keepdims=True)
            terms[off] = np.exp(some - np.where(np.isfinite(top), top, 0.0))
            total[off] = row_sums(terms[off])
        blank = terms[:, self.blank]
        usable = (blank > DIVISOR) & (total < LARGE)
        if not usable.all():
            self.unusable[row : row + rows] |= ~usable.reshape(frames, rows).all(axis=0)
            blank = np.where(usable, blank, 1.0)
        inverse = 1.0 / blank
        self._spread(terms, inverse, row, ratios)
        return np.asarray((total * inverse).reshape(frames, rows))

    def _exponentials(self, places: Ints) -> tuple[NDArray[Any], Floats, Floats]:
        size = len(places) * self.classes
        low, high = int(places[0]), int(places[-1])
        if high - low == len(places) - 1 and np.array_equal(places, np.arange(low, high + 1)):
            scores = self.values[low : high + 1]
        else:
            scores = self.scores[:size].reshape(-1, self.classes)
            self.values.take(places, axis=0, out=scores, mode="clip")
        terms = self.terms[:size].reshape(-1, self.classes)
        np.exp(scores, out=terms, dtype=np.float64)
        return scores, terms, row_sums(terms)

    def _spread(self, terms: Floats, inverse: Floats, row: int, ratios: Floats) -> None:
        """From classes to cells, divided by the blank on the smaller side."""
        walks, frames = self.walks, len(ratios)
        rows = len(terms) // frames
        last = row + rows - 1
        cells = slice(int(walks.starts[row]), int(walks.starts[last] + walks.widths[last]))
        index = self.index[cells] - row * self.classes
        few = self.classes * rows <= len(index)
        if few:
            terms *= inverse[:, None]
        else:
            owner = walks.owner[cells] - row
        table, inverse = terms.reshape(frames, -1), inverse.reshape(frames, rows)
        for frame in range(frames):
            out = ratios[frame, cells]
            table[frame].take(index, out=out, mode="clip")
            if not few:
                out *= inverse[frame].take(owner)


class Given:
    """Of probabilities or their logarithms: only labels in question are looked at, each once a frame."""

    def __init__(self, frames: Ragged, walks: Walks, form: str, blank: int, span: int) -> None:
        self.values, self.walks, self.logs = frames.values.reshape(-1), walks, form == "log-probs"
        rows, self.classes = len(walks.lengths), frames.values.shape[1]
        keys = walks.owner * self.classes + walks.labels
        there = np.zeros(rows * self.classes, np.int64)
        there[keys] = 1
        self.index = (np.cumsum(there) - 1)[keys]  # where a cell finds its own among the distinct labels of all rows
        self.owner, self.labels = np.divmod(np.flatnonzero(there), self.classes)
        self.starts = np.searchsorted(self.owner, np.arange(rows + 1))
        self.blanks = np.flatnonzero(self.labels == blank)
        self.unusable, self.excess = np.zeros(rows, bool), np.zeros(rows, np.int64)
        size = span * len(self.labels)
        self.places, self.raw, self.terms = np.empty(size, np.int64), np.empty(size, frames.dtype), np.empty(size)

    def window(self, start: int, stop: int, rows: int, ratios: Floats) -> Floats:
        terms = self._terms(start, stop, rows)
        total = np.add.reduceat(terms, self.starts[:rows], axis=1)
        self.excess[:rows] += np.ceil(EXCESS * np.log2(np.maximum(total, 1.0))).astype(np.int64).sum(axis=0)
        blank = terms.take(self.blanks[:rows], axis=1)
        usable = (blank > DIVISOR) & (total < LARGE)
        if not usable.all():
            self.unusable[:rows] |= ~usable.all(axis=0)
            blank = np.where(usable, blank, 1.0)
        inverse = 1.0 / blank
        scale = self.places[: terms.size].view(np.float64).reshape(terms.shape)
        terms *= inverse.take(self.owner[: terms.shape[1]], axis=1, out=scale, mode="clip")
        terms.take(self.index[: ratios.shape[1]], axis=1, out=ratios, mode="clip")
        return inverse

    def _terms(self, start: int, stop: int, rows: int) -> Floats:
        size = int(self.starts[rows])
        shape = stop - start, size
        places, raw, terms = (
            part[: shape[0] * size].reshape(shape) for part in (self.places, self.raw, self.terms)
        )
        self.walks.places(start, stop, rows).take(self.owner[:size], axis=1, out=places, mode="clip")
        places *= self.classes
        places += self.labels[:size]
        self.values.take(places, out=raw, mode="clip")
        if self.logs:
            np.exp(raw, out=terms, dtype=np.float64)
        else:
            terms[...] = raw
        return terms


def row_sums(terms: Floats) -> Floats:
    """The sum of each row, in an order that depends on nothing but the length of the row."""
    return np.asarray(np.einsum("ij->i", terms))
