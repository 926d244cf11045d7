"""Values with their groups, in memory or in a file: what a hoard is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.engine.spool import Spool

__all__ = ["BLOCK", "Held", "Part", "Places", "Stored", "batches", "joined", "plain"]

Places: TypeAlias = NDArray[np.intp]

BLOCK = 1 << 16  # values looked at, or written, together


class Part(NamedTuple):
    """Some values, their groups (``None``: all of group 0), and how many each stands for (``None``: one)."""

    values: NDArray[np.float64]
    codes: NDArray[np.int32] | None
    counts: NDArray[np.int64] | None = None

    @property
    def size(self) -> int:
        return sum(array.nbytes for array in self if array is not None)

    def moved(self, places: Places | None) -> Part:
        """The same with group ``places[g]`` for g."""
        if places is None:
            return self
        if self.codes is None:
            codes = np.full(len(self.values), places[0], np.int32)
        else:
            codes = places[self.codes].astype(np.int32)
        return self._replace(codes=codes)

    def take(self, where: NDArray[np.bool_] | slice) -> Part:
        return Part(*(None if array is None else array[where] for array in self))  # type: ignore[arg-type]


class Held(NamedTuple):
    """A part in memory, whose groups have other numbers now."""

    part: Part
    places: Places | None = None

    @property
    def n(self) -> int:
        return len(self.part.values)

    def read(self) -> Iterator[Part]:
        for start in range(0, self.n, BLOCK):
            yield self.part.take(slice(start, start + BLOCK)).moved(self.places)

    def under(self, places: Places) -> Held:
        return Held(self.part, renumbered(self.places, places))


class Stored(NamedTuple):
    """A part in a file, whose groups have other numbers now."""

    spool: Spool
    offset: int
    n: int
    coded: bool
    counted: bool
    places: Places | None = None

    def read(self) -> Iterator[Part]:
        for start in range(0, self.n, BLOCK):
            n = min(BLOCK, self.n - start)
            offset = self.offset
            arrays: list[NDArray[np.generic] | None] = []
            for there, kind in ((True, np.float64), (self.coded, np.int32), (self.counted, np.int64)):
                if not there:
                    arrays.append(None)
                    continue
                array = np.empty(n, kind)
                self.spool.read(offset + start * array.itemsize, array)
                offset += self.n * array.itemsize
                arrays.append(array)
            yield Part(*arrays).moved(self.places)  # type: ignore[arg-type]

    def under(self, places: Places) -> Stored:
        return self._replace(places=renumbered(self.places, places))


def plain(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A copy in which one zero and one NaN stand for all."""
    with np.errstate(invalid="ignore"):
        fresh: NDArray[np.float64] = np.ascontiguousarray(values) + 0.0
        if np.isnan(fresh.max()):
            fresh[np.isnan(fresh)] = np.nan
    return fresh


def renumbered(places: Places | None, by: Places) -> Places:
    return by if places is None else by[places]


def joined(parts: Sequence[Part]) -> Part:
    """One part of several; groups and counts are spelled out where one of them has some."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Part(np.zeros(0), None)
    codes = counts = None
    if any(part.codes is not None for part in parts):
        codes = np.concatenate([np.zeros(len(p.values), np.int32) if p.codes is None else p.codes for p in parts])
    if any(part.counts is not None for part in parts):
        counts = np.concatenate([np.ones(len(p.values), np.int64) if p.counts is None else p.counts for p in parts])
    return Part(np.concatenate([part.values for part in parts]), codes, counts)


def batches(parts: Iterable[Part]) -> Iterator[Part]:
    """The same values in parts that are worth a call."""
    some: list[Part] = []
    for part in parts:
        some.append(part)
        if sum(len(each.values) for each in some) >= BLOCK:
            yield joined(some)
            some = []
    if some:
        yield joined(some)
