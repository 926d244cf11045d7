"""The values of all rows, of which quantiles and histograms are found, at any size.

They stay in memory while they fit. Beyond that they go to a temporary file and are read again, or, where an
approximation will do, only the counts of a histogram of their bits are kept. Which it is depends on how many values
there are in all, and no answer on how they came.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.engine.bits import distinct
from lossctl.engine.parts import BLOCK, Held, Part, Places, Stored, batches, joined, plain
from lossctl.engine.ranks import BINS, answers, nothing, streamed
from lossctl.engine.spool import Room

__all__ = ["Figures", "Hoard"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_WORK = 1 << 26  # bytes that sorting may take, however little --memory allows
ENTRY = 64  # bytes that sorting takes for each value, all included
LEAST_TABLE = 1 << 22  # bytes that a histogram may take before it goes to the file


class Figures(NamedTuple):
    """What is read off a hoard, or a group of it: quantiles in the order asked for, and a histogram."""

    quantiles: tuple[float, ...]
    histogram: tuple[int, ...] | None  # None where it was not asked for, or no value is finite
    approximate: bool


class Hoard:
    """Row values by group. ``exact``: beyond the room they are spooled, else rounded to a histogram of their bits."""

    def __init__(self, room: Room, *, exact: bool) -> None:
        self.room = room
        self.exact = exact
        self.groups = 1
        self.taken = 0  # bytes of the room
        self._rounded = False
        self._coded = False  # whether there are groups
        self._fresh: list[Held] = []  # since values were last put away
        self._waiting = 0  # how many these are
        self._table: Part | None = None  # distinct bins, with counts
        self._parts: list[Stored] = []
        self._known: dict[tuple[tuple[float, ...], bool, bool], tuple[Floats, Ints]] = {}  # answers for all groups

    def grow(self, groups: int) -> None:
        """Make room for groups that were not seen before."""
        self.groups = max(self.groups, groups)

    def add(self, values: Floats, codes: NDArray[np.intp] | None = None) -> None:
        """Values (n,) and their groups (n,), ``None`` for group 0."""
        if not len(values):
            return
        part = Part(plain(values), None if codes is None else codes.astype(np.int32))
        self.taken += part.size
        self.room.collect(part.size)
        self._hold(Held(part))

    def merge(self, other: Hoard, places: Places | None = None) -> None:
        """Add another's values, group g to group ``places[g]`` here (default g); what is in a file stays there."""
        assert self.exact == other.exact
        if other.approximate:
            other._put_away()
        self.taken += other.taken
        if other.room is not self.room:
            self.room.collect(other.taken)
        self._rounded |= other._rounded
        same = places is None or np.array_equal(places, np.arange(len(places)))
        move = None if same else places
        self.grow(other.groups if move is None else int(move.max()) + 1)
        self._coded |= other._coded or move is not None
        self._known = {}
        self._parts += [part if move is None else part.under(move) for part in other._parts]
        for held in [*other._fresh, *([] if other._table is None else [Held(other._table)])]:
            self._hold(held if move is None else held.under(move))

    def contents(self) -> Iterator[Part]:
        """All that is held, groups as they are numbered now: values, or where these are rounded bins with counts."""
        if self.approximate:
            self._put_away()
        yield from self._blocks()

    def restore(self, part: Part, taken: int, *, rounded: bool) -> None:
        """Take on the contents of another that took so many bytes."""
        self.taken += taken
        self.room.collect(taken)
        self._rounded |= rounded
        if len(part.values):
            self._hold(Held(part))

    @property
    def approximate(self) -> bool:
        """Whether answers are those of rounded values; this is settled once all values are in."""
        return not self.exact and (self._rounded or self.room.full)

    def figures(self, group: int | None, quantiles: Sequence[float], *, bins: bool) -> Figures:
        """Quantiles and, if ``bins``, the histogram of a group, or of all groups together."""
        if self.approximate:
            self._put_away()  # then all are rounded
        if group is None or (group == 0 and not self._coded):
            return self._named(self._one(None, self._count(), quantiles, bins))
        asked = tuple(quantiles), bins, self.approximate
        if asked not in self._known:
            self._known[asked] = self._every(quantiles, bins)
        found, histograms = self._known[asked]
        if group >= len(found):  # it came later than all values
            return self._named(nothing(len(quantiles)))
        return self._named((found[group], histograms[group] if bins else np.zeros(0, np.int64)))

    def _named(self, found: tuple[Floats, Ints]) -> Figures:
        quantiles, histogram = found
        counts = tuple(histogram.tolist()) if histogram.any() else None
        return Figures(tuple(quantiles.tolist()), counts, self.approximate)

    # Putting away.

    def _hold(self, held: Held) -> None:
        self._known = {}
        self._coded |= held.part.codes is not None
        self._fresh.append(held)
        self._waiting += len(held.part.values)
        if self._waiting >= self._enough() and self.room.full:
            self._put_away()

    def _enough(self) -> int:
        """How many values are worth the work of putting them away."""
        return BLOCK if self.exact else max(4 * BLOCK, 0 if self._table is None else len(self._table.values))

    def _put_away(self) -> None:
        """Move what is fresh to the file, or into the histogram."""
        some: list[Part] = []
        for part in batches(self._handed_out()):
            if self.exact:
                self._store(part)
                continue
            some.append(Part(*distinct(*part)))
            if sum(len(each.values) for each in some) >= self._enough():
                self._fold(some)
                some = []
        self._fold(some)

    def _handed_out(self) -> Iterator[Part]:
        """What is fresh, each part let go when it has been used."""
        self._waiting = 0
        while self._fresh:
            yield from self._fresh.pop().read()

    def _store(self, part: Part) -> None:
        spool = self.room.spool
        offset = spool.append(*(array for array in part if array is not None))
        self._parts.append(Stored(spool, offset, len(part.values), part.codes is not None, part.counts is not None))

    def _fold(self, some: list[Part]) -> None:
        """Add to the histogram; one that gets large itself goes to the file, and another is begun."""
        self._rounded |= bool(some)
        if not some:
            return
        table = joined(some if self._table is None else [self._table, *some])
        table = Part(*distinct(*table)) if len(some) > 1 or self._table is not None else table
        self._table = table
        if table.size > max(self.room.size / 64, LEAST_TABLE):
            self._store(table)
            self._table = None

    # Reading.

    def _everything(self) -> list[Held | Stored]:
        return [*self._fresh, *([] if self._table is None else [Held(self._table)]), *self._parts]

    def _count(self) -> int:
        return sum(some.n for some in self._everything())

    def _blocks(self, first: int | None = None, last: int = 0) -> Iterator[Part]:
        """All values, or those of the groups from ``first`` to before ``last``."""
        for some in self._everything():
            for part in some.read():
                if first is None:
                    yield part
                elif part.codes is not None:
                    yield part.take((part.codes >= first) & (part.codes < last))
                elif first == 0:
                    yield part

    def _sizes(self) -> Ints:
        """(groups,) how many values, or bins, there are of each group."""
        sizes = np.zeros(self.groups, np.int64)
        for part in self._blocks():
            if part.codes is None:
                sizes[0] += len(part.values)
            else:
                np.add.at(sizes, part.codes, 1)
        return sizes

    def _every(self, quantiles: Sequence[float], bins: bool) -> tuple[Floats, Ints]:
        """(groups, quantiles) and (groups, BINS): of as many groups at a time as may be sorted in memory."""
        found = np.full((self.groups, len(quantiles)), math.nan)
        histograms = np.zeros((self.groups if bins else 0, BINS), np.int64)
        sizes = self._sizes()
        ends = np.cumsum(sizes)
        held = 0 if self.room.full else self.room.kept + self.room.collected
        most = max(self.room.size - held, LEAST_WORK) / ENTRY
        first = 0
        while first < self.groups:
            before = int(ends[first] - sizes[first])
            last = min(int(np.searchsorted(ends, before + most, side="right")), first + (1 << 16))
            if last > first:
                group_answers = self._several(first, last, sizes[first:last], quantiles, bins)
            else:
                last = first + 1
                group_answers = iter([self._one(first, int(sizes[first]), quantiles, bins)])
            for group, (values, histogram) in enumerate(group_answers, first):
                found[group] = values
                if bins:
                    histograms[group] = histogram
            first = last
        return found, histograms

    def _several(
        self, first: int, last: int, sizes: Ints, quantiles: Sequence[float], bins: bool
    ) -> Iterator[tuple[Floats, Ints]]:
        """The answers for some groups, whose values are put side by side."""
        values, codes, counts = joined([part for part in self._blocks(first, last) if len(part.values)])
        if last - first > 1 and codes is not None:
            order = np.argsort((codes - first).astype(np.uint16), kind="stable")
            values, counts = values[order], None if counts is None else counts[order]
        end = 0
        for size in sizes.tolist():
            start, end = end, end + size
            yield answers(values[start:end], None if counts is None else counts[start:end], quantiles, bins)

    def _one(self, group: int | None, n: int, quantiles: Sequence[float], bins: bool) -> tuple[Floats, Ints]:
        """The answers for a group, or all together, whose values need not fit in memory."""
        last = 0 if group is None else group + 1
        if not n:
            return nothing(len(quantiles))
        if not self.approximate:
            return streamed(lambda: (part.values for part in batches(self._blocks(group, last))), n, quantiles, bins)
        whole = Part(np.zeros(0), None, np.zeros(0, np.int64))
        for part in batches(self._blocks(group, last)):
            whole = Part(*distinct(*joined([whole, part])._replace(codes=None)))
        return answers(whole.values, whole.counts, quantiles, bins)
