"""Which rows of two tables have the same key: by sorted digests, in parts that fit into memory, proved by the keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lossctl.data.keys import KeyTable, Repeat, repeated
from lossctl.data.shelves import Room, Shelf, Space

if TYPE_CHECKING:
    from lossctl.data.keys import Digests
    from lossctl.data.values import Values

__all__ = ["Paired", "paired", "pieces"]

_ROW_BYTES = 24  # what a row takes while it is sorted: its digest, its number, and what finds its partner
_PIECE = 1 << 16  # rows at a time
_PROVED = 1 << 14  # rows at a time that are looked for all over the other file
_LEAST = 1 << 20  # bytes for sorting, however little memory there is


class Paired(NamedTuple):
    """Where each row of one table stands in the other (-1: nowhere), and which rows of the other are used."""

    order: Space  # (n,) int64
    used: Space  # (m,) bool
    pairs: int  # how many


class Sorted(NamedTuple):
    """Some rows of a table, by their digests."""

    digests: Digests
    rows: Values

    def of(self, places: Values) -> Sorted:
        return Sorted(self.digests[places], self.rows[places])


def pieces(rows: int, size: int = _PIECE) -> Iterator[tuple[int, int]]:
    """From row, to row."""
    return ((first, min(first + size, rows)) for first in range(0, rows, size))


def paired(one: KeyTable, two: KeyTable, room: Room, memory: int) -> Paired | None:
    """The rows of ``two`` for those of ``one``; ``None`` where they stand in the same order.

    Sorting takes up to ``memory`` bytes; what is found goes into ``room``. Raises ``DataError`` (code
    ``key-repeated``), whether or not the key has a partner.
    """
    same = in_step(one, two)
    if same and not alike(one, memory):
        return None
    tables = (one,) if same else (one, two)
    order = None if same else Space(one.rows, np.int64, room)
    twice: list[Repeat | None] = [None for _ in tables]
    for parts in in_parts(tables, memory):
        twice = [repeated(t, *part, best) for t, part, best in zip(tables, parts, twice, strict=True)]
        if order is not None and not any(twice):
            for mine, theirs in matches(one, two, *parts):
                order.array[mine] = theirs + 1  # 0 is what it is filled with
                order.touch(len(mine))
    for table, found in zip(tables, twice, strict=True):
        if found is not None:
            raise table.refuse(found)
    return None if order is None else proved(one, two, order, Space(two.rows, np.bool_, room))


def in_step(one: KeyTable, two: KeyTable) -> bool:
    """Whether the keys are the same row by row."""
    if one.rows != two.rows:
        return False
    for first, stop in pieces(one.rows):
        rows = np.arange(first, stop)
        if not np.array_equal(one.digests.piece(first, stop), two.digests.piece(first, stop)):
            return False
        if not one.agree(rows, two, rows).all():
            return False
    return True


def alike(table: KeyTable, memory: int) -> bool:
    """Whether there may be equal digests: the quick look, where there is room for it."""
    if table.rows * 8 > memory:
        return True
    digests = np.sort(table.digests.piece(0, table.rows))
    return bool((digests[1:] == digests[:-1]).any())


def proved(one: KeyTable, two: KeyTable, order: Space, used: Space) -> Paired:
    """The pairs whose keys, and not only whose digests, are the same."""
    count = 0
    for first, stop in pieces(one.rows, _PROVED):
        places = order.piece(first, stop)
        places -= 1
        there = np.flatnonzero(places >= 0)
        same = one.agree(there + first, two, places[there])
        places[there[~same]] = -1
        used.array[places[there[same]]] = True
        used.touch(len(there))
        count += int(np.count_nonzero(same))
    return Paired(order, used, count)


def in_parts(tables: Sequence[KeyTable], memory: int) -> Iterator[list[Sorted]]:
    """The rows of all tables by their digests, those whose digests begin alike at a time."""
    total = sum(table.rows for table in tables)
    size = max(memory, _LEAST) // _ROW_BYTES
    bits = max(-(-total // size) - 1, 0).bit_length()
    if not bits:
        yield [in_order(table.digests.piece(0, table.rows)) for table in tables]
        return
    piles = [Piles(table, bits, size) for table in tables]
    for part in range(1 << bits):
        yield [pile.part(part) for pile in piles]


def in_order(digests: Digests, first: int = 0) -> Sorted:
    order = np.argsort(digests)
    return Sorted(digests[order], order + first if first else order)


class Piles:
    """A table's digests and rows in temporary files, in pieces that are sorted each."""

    def __init__(self, table: KeyTable, bits: int, size: int) -> None:
        outside = Room(0)
        self._digests, self._rows = Shelf(outside, np.uint64), Shelf(outside, np.int64)
        self._edges: list[Values] = []
        begins = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
        for first, stop in pieces(table.rows, size):
            piece = in_order(table.digests.piece(first, stop), first)
            self._digests.add(piece.digests)
            self._rows.add(piece.rows)
            self._edges.append(first + np.append(np.searchsorted(piece.digests, begins), stop - first))
        self._digests.done()
        self._rows.done()

    def part(self, part: int) -> Sorted:
        """All rows whose digests begin with these bits."""
        runs = [(int(edges[part]), int(edges[part + 1])) for edges in self._edges]
        if not runs:
            return in_order(np.empty(0, np.uint64))
        found = in_order(np.concatenate([self._digests.piece(*run) for run in runs]))
        rows = np.concatenate([self._rows.piece(*run) for run in runs])
        return found._replace(rows=rows[found.rows])


def matches(one: KeyTable, two: KeyTable, mine: Sorted, theirs: Sorted) -> Iterator[tuple[Values, Values]]:
    """Rows with the same digests; where several keys of a table share one, those with the same keys."""
    shared = [part.digests[1:][part.digests[1:] == part.digests[:-1]] for part in (mine, theirs)]
    if len(shared[0]) or len(shared[1]):
        several = np.unique(np.concatenate(shared))
        ours, its = (within(part.digests, several) for part in (mine, theirs))
        yield by_key(one, two, mine.rows[ours], theirs.rows[its])
        mine, theirs = mine.of(~ours), theirs.of(~its)
    if np.array_equal(mine.digests, theirs.digests):
        yield mine.rows, theirs.rows
    elif len(theirs.rows):
        places = np.searchsorted(theirs.digests, mine.digests)
        places[places == len(theirs.rows)] = 0
        there = theirs.digests[places] == mine.digests
        yield mine.rows[there], theirs.rows[places[there]]


def within(digests: Digests, several: Digests) -> Values:
    places = np.minimum(np.searchsorted(several, digests), len(several) - 1)
    return np.asarray(several[places] == digests)


def by_key(one: KeyTable, two: KeyTable, mine: Values, theirs: Values) -> tuple[Values, Values]:
    """Rows with the same keys, of the few whose digests do not tell."""
    places = dict(zip(two.cells(theirs), theirs.tolist(), strict=True))
    found = [(row, places[key]) for row, key in zip(mine.tolist(), one.cells(mine), strict=True) if key in places]
    pairs = np.array(found, np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
