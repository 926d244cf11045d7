"""What frames say of the labels in question, relative to the blank, some frames at a time."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.ctc_walks import Floats, Ints, Walks
from lossctl.sequences.ragged import Ragged

__all__ = ["Emissions", "emissions"]

TILE = 1 << 16  # scores worked on at a time, which stay in a core's cache
SMALL, LARGE = 2.0**-50, 2.0**100  # sums of exponentials are used as they are in between
MANY = 512  # classes from which on a table of all is no help
WIDE = 256  # classes up to which frames are copied whole
BLOCK = 512  # float32 terms that are added up as such
NEARLY_ONE = 1 + 2.0**-11  # what rounded probabilities may add up to
EXCESS = 1024  # what ``excess`` is counted in: parts of a bit


class Emissions(Protocol):
    """Probabilities of labels divided by that of the blank, for the rows that still walk."""

    excess: Ints  # R: log2 of how far probabilities add up to more than 1, over all frames, rounded up

    def window(self, start: int, stop: int, rows: int, ratios: Floats) -> tuple[Floats, Floats]:
        """Fill ``ratios`` (frames, cells of the rows).

        Gives 1 / (probability of the blank), and what no ratio is greater than, both (frames, rows); where a blank is
        no divisor or a score is NaN, the second is infinite, NaN or as good as that.
        """


def emissions(frames: Ragged, walks: Walks, form: str, blank: int, span: int) -> Emissions:
    """For windows of up to ``span`` frames."""
    if form != "logits":
        return Given(frames, walks, form, blank, span)
    return Few(frames, walks, blank) if frames.values.shape[1] < MANY else Many(frames, walks, form, blank, span)


class Few:
    """Of logits: a table of all classes, of which cells take their own."""

    def __init__(self, frames: Ragged, walks: Walks, blank: int) -> None:
        self.values, self.walks, self.blank = frames.values, walks, blank
        self.classes = frames.values.shape[1]
        self.group = max(1, TILE // self.classes)  # rows whose table is made at once
        base = np.arange(len(walks.lengths)) // self.group * self.group
        self.owner = walks.owner - base[walks.owner]
        self.index = self.owner * self.classes + walks.labels
        self.excess = np.zeros(len(walks.lengths), np.int64)
        size = self.group * self.classes
        self.scores, self.terms, self.scale = np.empty(size, frames.dtype), np.empty(size), np.empty(len(self.index))

    def window(self, start: int, stop: int, rows: int, ratios: Floats) -> tuple[Floats, Floats]:
        places = self.walks.places(start, stop, rows)
        unit = np.empty(places.shape)
        count = max(1, self.group // rows)
        for at in range(0, stop - start, count):
            for row in range(0, rows, self.group):
                part = slice(at, at + count), slice(row, row + self.group)
                unit[part] = self._tile(places[part], row, ratios[part[0]])
        return unit, unit

    def _tile(self, places: Ints, row: int, ratios: Floats) -> Floats:
        size = places.size * self.classes
        scores, terms = self.scores[:size].reshape(-1, self.classes), self.terms[:size].reshape(-1, self.classes)
        self.values.take(places.ravel(), axis=0, out=scores, mode="clip")
        np.exp(scores, out=terms, dtype=np.float64)
        total = row_sums(terms)
        if not (total.min() > SMALL and total.max() < LARGE):
            # exp leaves the range of floats: relative to the greatest score of the frame it does not.
            off = np.flatnonzero(~((total > SMALL) & (total < LARGE)))
            some = scores[off].astype(np.float64)
            top = some.max(axis=1, keepdims=True)
            terms[off] = np.exp(some - np.where(np.isfinite(top), top, 0.0))
            total[off] = row_sums(terms[off])
        inverse = 1.0 / terms[:, self.blank]
        total *= inverse
        self._spread(terms.reshape(len(places), -1), inverse.reshape(places.shape), row, ratios)
        return total.reshape(places.shape)

    def _spread(self, table: Floats, inverse: Floats, row: int, ratios: Floats) -> None:
        """From classes to cells, divided by the blank on the smaller side."""
        walks, rows = self.walks, inverse.shape[1]
        last = row + rows - 1
        cells = slice(int(walks.starts[row]), int(walks.starts[last] + walks.widths[last]))
        index, owner, scale = self.index[cells], self.owner[cells], self.scale[cells]
        few = table.shape[1] <= len(index)
        if few:
            by_row = table.reshape(-1, self.classes)
            by_row *= inverse.reshape(-1, 1)
        for frame in range(len(table)):
            out = ratios[frame, cells]
            table[frame].take(index, out=out, mode="clip")
            if not few:
                out *= inverse[frame].take(owner, out=scale, mode="clip")


class Given:
    """Of probabilities or their logarithms: only labels in question are looked at, each once a frame."""

    def __init__(self, frames: Ragged, walks: Walks, form: str, blank: int, span: int) -> None:
        self.frames, self.walks, self.logs = frames.values, walks, form == "log-probs"
        rows, self.classes = len(walks.lengths), frames.values.shape[1]
        keys = walks.owner * self.classes + walks.labels
        there = np.zeros(rows * self.classes, bool)
        there[keys] = True
        self.index = (np.cumsum(there) - 1)[keys]  # where a cell finds its own among the distinct labels of all rows
        self.local = np.flatnonzero(there)
        self.owner, self.labels = np.divmod(self.local, self.classes)
        self.starts = np.searchsorted(self.owner, np.arange(rows + 1))
        self.blanks = np.flatnonzero(self.labels == blank)
        self.excess = np.zeros(rows, np.int64)
        size = span * len(self.labels)
        self.places, self.raw, self.terms = np.empty(size, np.int64), np.empty(size, frames.dtype), np.empty(size)

    def window(self, start: int, stop: int, rows: int, ratios: Floats) -> tuple[Floats, Floats]:
        terms = self._terms(start, stop, rows)
        total = np.add.reduceat(terms, self.starts[:rows], axis=1)
        if total.max() > NEARLY_ONE:
            over = (total > NEARLY_ONE) & (total < LARGE) & self.walks.walking(start, stop, rows)
            self.excess[:rows] += np.ceil(EXCESS * np.log2(np.where(over, total, 1.0))).astype(np.int64).sum(axis=0)
        inverse = self._ratios(terms, ratios)
        return inverse, total * inverse

    def _ratios(self, terms: Floats, ratios: Floats) -> Floats:
        inverse = 1.0 / terms.take(self.blanks[: np.searchsorted(self.blanks, terms.shape[1])], axis=1)
        scale = self.places[: terms.size].view(np.float64).reshape(terms.shape)
        terms *= inverse.take(self.owner[: terms.shape[1]], axis=1, out=scale, mode="clip")
        terms.take(self.index[: ratios.shape[1]], axis=1, out=ratios, mode="clip")
        return np.asarray(inverse)

    def _buffers(self, frames: int, rows: int) -> tuple[Ints, NDArray[Any], Floats]:
        shape = frames, int(self.starts[rows])
        size = shape[0] * shape[1]
        return self.places[:size].reshape(shape), self.raw[:size].reshape(shape), self.terms[:size].reshape(shape)

    def _terms(self, start: int, stop: int, rows: int) -> Floats:
        index, raw, terms = self._buffers(stop - start, rows)
        size = raw.shape[1]
        places = self.walks.places(start, stop, rows)
        if self.classes < WIDE:  # all scores of a frame come with the first
            local = self.local[:size]
            count = max(1, TILE // (rows * self.classes))
            for at in range(0, stop - start, count):
                some = self.frames.take(places[at : at + count], axis=0, mode="clip").reshape(-1, rows * self.classes)
                some.take(local, axis=1, out=raw[at : at + count], mode="clip")
        else:
            places.take(self.owner[:size], axis=1, out=index, mode="clip")
            index *= self.classes
            index += self.labels[:size]
            self.frames.reshape(-1).take(index, out=raw, mode="clip")
        if self.logs:
            np.exp(raw, out=terms, dtype=np.float64)
        else:
            terms[...] = raw
        return terms


class Many(Given):
    """Of logits: labels in question as if they were given, and the sum of all other classes.

    float32 scores go through float32 ``exp`` where they are only added up. With o the share of the others in a
    frame, that is an error of 2^-20 o at most, and the frame costs -log(1 - o) >= o or more.
    """

    def __init__(self, frames: Ragged, walks: Walks, form: str, blank: int, span: int) -> None:
        super().__init__(frames, walks, form, blank, span)
        self.rows = max(1, 2 * TILE // self.classes)  # of scores at a time
        kind = np.float32 if frames.dtype == np.float32 else np.float64
        self.scores, self.raw = np.empty((self.rows, self.classes), kind), self.raw.astype(kind)

    def window(self, start: int, stop: int, rows: int, ratios: Floats) -> tuple[Floats, Floats]:
        places = self.walks.places(start, stop, rows)
        _, raw, terms = self._buffers(stop - start, rows)
        others = np.empty(places.shape)
        for row in range(0, rows, self.rows):
            part = slice(row, min(row + self.rows, rows))
            labels = slice(int(self.starts[row]), int(self.starts[part.stop]))
            index = self.local[labels] - row * self.classes
            for frame in range(stop - start):
                others[frame, part] = self._others(places[frame, part], index, raw[frame, labels])
        np.exp(raw, out=terms, dtype=np.float64)
        total = np.add.reduceat(terms, self.starts[:rows], axis=1) + others
        off = np.argwhere(~((total > SMALL) & (total < LARGE)))
        for frame, row in off.tolist():
            total[frame, row] = self._again(int(places[frame, row]), row, terms[frame])
        total *= self._ratios(terms, ratios)
        return total, total

    def _others(self, places: Ints, index: Ints, raw: NDArray[Any]) -> Floats:
        scores = self.scores[: len(places)]
        if scores.dtype == self.frames.dtype:
            self.frames.take(places, axis=0, out=scores, mode="clip")
        else:
            scores[...] = self.frames.take(places, axis=0)
        flat = scores.reshape(-1)
        flat.take(index, out=raw, mode="clip")
        flat[index] = -np.inf
        np.exp(scores, out=scores)
        return row_sums(scores)

    def _again(self, place: int, row: int, terms: Floats) -> float:
        """A frame whose exponentials leave the range of floats: relative to its greatest score they do not."""
        part = slice(int(self.starts[row]), int(self.starts[row + 1]))
        scores = self.frames[place].astype(np.float64)
        top = float(scores.max())
        every = np.exp(scores - (top if np.isfinite(top) else 0.0))
        terms[part] = every[self.labels[part]]
        return float(np.sum(every))


def row_sums(terms: NDArray[Any]) -> Floats:
    """The sum of each row, in an order that depends on nothing but the length of the row."""
    if terms.dtype == np.float64:
        return np.asarray(np.einsum("ij->i", terms))
    whole = terms.shape[1] // BLOCK * BLOCK
    blocks = np.einsum("ijk->ij", terms[:, :whole].reshape(len(terms), -1, BLOCK))
    return np.asarray(np.sum(blocks, axis=1, dtype=np.float64) + np.einsum("ij->i", terms[:, whole:]))
