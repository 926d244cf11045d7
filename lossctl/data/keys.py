"""The keys of a source: kept as text, compared as text, and ordered by digests of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from lossctl.data.held import as_cells
from lossctl.data.shelves import Room, Shelf, TextShelf, as_words
from lossctl.data.source import placed
from lossctl.data.values import check_asked
from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossctl.data.source import Source
    from lossctl.data.values import Mask, Values

    Digests: TypeAlias = NDArray[np.uint64]

__all__ = ["KeyTable", "Repeat", "repeated", "shown"]

_ROWS = 1 << 16  # read at a time
_MISSING = "every row must have a key; --key NAME[,NAME] chooses other columns"
_FIRST = np.uint64(0x9E3779B97F4A7C15)  # of no meaning: odd, and as many ones as zeros
_SECOND = np.uint64(0xBF58476D1CE4E5B9)  # these two are of splitmix64 (Steele, Lea, Flood 2014)
_THIRD = np.uint64(0x94D049BB133111EB)

Repeat: TypeAlias = tuple[int, int]  # a row, and the next one with the same key


class KeyTable:
    """The key columns of all rows of a source, and a digest of each row's key.

    Raises ``DataError`` (code ``key-missing``) for a key that is null or empty in one of its columns, and
    ``key-repeated`` at once where keys repeat among the first rows, as those of a wrong column do.
    """

    def __init__(self, source: Source, names: Sequence[str], room: Room) -> None:
        check_asked(source.name, source.columns, [], names, 1)
        self.source = source
        self.names = tuple(names)
        self.columns = {name: TextShelf(room) for name in self.names}
        self.digests = Shelf(room, np.uint64)
        for block in source.blocks([], [], _ROWS, self.names):
            self._add([block.strings(name) for name in self.names])
        self.done()
        self.rows = self.digests.rows

    def _add(self, cells: Sequence[Ragged]) -> None:
        first = self.digests.rows
        found: Digests = np.zeros(len(cells[0]), np.uint64)
        for name, rows in zip(self.names, cells, strict=True):
            words, counts = as_words(rows)
            found = digests(words, counts, rows.lengths, found)
            self.columns[name].add_words(rows, words, counts)
        gone = np.column_stack([rows.lengths == 0 for rows in cells])
        if gone.any():
            at, column = divmod(int(gone.argmax()), len(self.names))
            file, row = placed(self.source, first + at)
            raise DataError(
                "a key is missing", code="key-missing", file=file, row=row + 1, column=self.names[column], hint=_MISSING
            )
        self.digests.add(found)
        if not first:
            self.done()
            order = np.argsort(found, kind="stable")
            if (twice := repeated(self, found[order], order)) is not None:
                raise self.refuse(twice)

    def done(self) -> None:
        self.digests.done()
        for column in self.columns.values():
            column.done()

    def cells(self, rows: Values) -> list[tuple[str | None, ...]]:
        """The keys at these places."""
        return list(zip(*(as_cells(self.columns[name].take(rows)) for name in self.names), strict=True))

    def agree(self, rows: Values, other: KeyTable, theirs: Values) -> Mask:
        """Whether the keys at these places are those of another table at theirs, one by one."""
        pairs = zip(self.columns.values(), other.columns.values(), strict=True)
        same = np.ones(len(rows), bool)
        for mine, its in pairs:
            same &= equal(mine, rows, its, theirs)
        return same

    def refuse(self, twice: Repeat) -> DataError:
        """The error for a key that stands in two rows."""
        (file, row), (other, again) = (placed(self.source, place) for place in twice)
        where = f"in row {row + 1:,}" if file == other else f"in {file}, row {row + 1:,},"
        [key] = self.cells(np.array(twice[:1]))
        return DataError(
            f"key {shown(key)} stands {where} and in row {again + 1:,}",
            code="key-repeated",
            file=other,
            row=again + 1,
            column=self.names[0],
            hint="keys must be unique; --key NAME[,NAME] chooses other columns",
        )

    def drop(self) -> None:
        """Give up what was kept."""
        self.digests.drop()
        for column in self.columns.values():
            column.drop()


def shown(cells: tuple[str | None, ...]) -> str:
    """A key in a message."""
    return " / ".join(repr(cell) for cell in cells)


def mixed(numbers: Digests) -> Digests:
    """Numbers of which every bit hangs on every bit of these; as many different ones (in place)."""
    for shift, factor in ((30, _SECOND), (27, _THIRD)):
        numbers ^= numbers >> np.uint64(shift)
        numbers *= factor
    numbers ^= numbers >> np.uint64(31)
    return numbers


def digests(words: Values, counts: Values, lengths: Values, before: Digests) -> Digests:
    """A digest of each row's text (``as_words``) and of what stands before it."""
    found = mixed(before * _FIRST + lengths.astype(np.uint64))
    starts = np.cumsum(counts) - counts
    rows = np.flatnonzero(counts)
    place = 0
    while len(rows):
        if len(rows) == len(found):
            found = mixed((found + _FIRST) ^ words[starts + place])
        else:
            found[rows] = mixed((found[rows] + _FIRST) ^ words[starts[rows] + place])
        place += 1
        rows = rows[counts[rows] > place]
    return mixed(found + _FIRST)


def equal(one: TextShelf, rows: Values, other: TextShelf, theirs: Values) -> Mask:
    """Which rows are the same text, one by one."""
    mine, starts, lengths = one.words(rows)
    its, _, sizes = other.words(theirs)
    same = np.asarray(lengths == sizes)
    if not same.all():
        same[same] = equal(one, rows[same], other, theirs[same])
        return same
    places = np.flatnonzero(mine != its)
    if len(places):
        same[np.searchsorted(starts, places, "right") - 1] = False
    return same


def repeated(table: KeyTable, digests: Digests, rows: Values, best: Repeat | None = None) -> Repeat | None:
    """The first row whose key stands in an earlier one already, with that one; ``best`` is known so far.

    ``digests`` are sorted, ``rows`` are whose they are. Equal digests are no equal keys before these are looked at.
    """
    twin = digests[1:] == digests[:-1]
    if not twin.any():
        return best
    member = np.append(twin, False) | np.append(False, twin)
    digests, rows = digests[member], rows[member]
    order = np.lexsort((rows, digests))
    digests, rows = digests[order], rows[order]
    starts = np.flatnonzero(np.append(True, digests[1:] != digests[:-1]))
    stops = np.append(starts[1:], len(rows))
    for run in np.argsort(rows[starts + 1], kind="stable").tolist():
        some = rows[starts[run] : stops[run]]
        if best is not None and some[1] >= best[1]:
            break
        if table.agree(some[:1], table, some[1:2])[0]:
            best = int(some[0]), int(some[1])
            continue
        first: dict[tuple[str | None, ...], int] = {}
        for row, key in zip(some.tolist(), table.cells(some), strict=True):
            if key in first:
                if best is None or row < best[1]:
                    best = first[key], row
                break
            first[key] = row
    return best
