"""Sources made of rows of another: in an order of their own, or with some left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from lossctl.data.regroup import regrouped
from lossctl.data.sequences import stacked
from lossctl.data.source import placed
from lossctl.data.values import check_asked, joined
from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from lossctl.data.held import Held, HeldBlock
    from lossctl.data.keys import KeyTable
    from lossctl.data.shelves import Shelf
    from lossctl.data.source import Block, Codes, Floats, Source
    from lossctl.data.values import Values

__all__ = ["Filtered", "Lone", "Reordered"]

_CUT = 1 << 16  # rows between places where a source in memory is offered to be cut
_KEYS = 1 << 12  # keys written out at a time


class Places(Protocol):
    """Row numbers of another source, one for each row."""

    @property
    def rows(self) -> int: ...
    def piece(self, first: int, stop: int) -> Values: ...


class Lone(NamedTuple):
    """The rows of a file that have no partner."""

    table: KeyTable
    rows: Shelf

    def keys(self) -> Iterator[tuple[str | None, ...]]:
        """Their keys, in the order of the rows."""
        for first in range(0, self.rows.rows, _KEYS):
            yield from self.table.cells(self.rows.piece(first, min(first + _KEYS, self.rows.rows)))


class Reordered:
    """Rows of a held source, at these places."""

    def __init__(self, held: Held, order: Places, lone: Lone | None = None) -> None:
        self.name = held.name
        self.format = held.format
        self.ids = held.ids
        self.notes = held.notes
        self.columns = tuple(column._replace(rows=order.rows) for column in held.columns)
        self.unmatched = 0 if lone is None else lone.rows.rows
        self._held = held
        self._order = order
        self._lone = lone

    def lone(self) -> Iterator[tuple[str | None, ...]]:
        """The keys of the rows that are left out for want of a partner, in the order of the file."""
        return iter(()) if self._lone is None else self._lone.keys()

    def place(self, row: int) -> tuple[str, int]:
        """The file that holds a row, and its number there."""
        return self._held.place(int(self._order.piece(row, row + 1)[0]))

    def cuts(self) -> list[int]:
        """It may be cut anywhere."""
        return [*range(0, self._order.rows, _CUT), self._order.rows]

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[HeldBlock]:
        """Blocks of ``rows`` rows, of columns that are held."""
        return self.between(0, self._order.rows, numeric, text, rows, sequences)

    def between(
        self,
        start: int,
        stop: int,
        numeric: Sequence[str],
        text: Sequence[str],
        rows: int,
        sequences: Sequence[str] = (),
    ) -> Iterator[HeldBlock]:
        """Blocks of some of the rows."""
        check_asked(self.name, self.columns, numeric, text, rows, sequences)
        edges = ((first, min(first + rows, stop)) for first in range(start, stop, rows))
        return (self._held.take(self._order.piece(*edge), edge[0]) for edge in edges)


class Filtered:
    """A source without the rows that are not among ``kept`` (ascending), as it streams; it has ``rows`` of them."""

    def __init__(self, source: Source, kept: Places, rows: int, lone: Lone | None = None) -> None:
        self.name = source.name
        self.format = source.format
        self.ids: str | None = getattr(source, "ids", None)
        self.notes = source.notes
        self.columns = tuple(column._replace(rows=kept.rows) for column in source.columns)
        self.unmatched = 0 if lone is None else lone.rows.rows
        self._source = source
        self._kept = kept
        self._rows = rows
        self._lone = lone

    def lone(self) -> Iterator[tuple[str | None, ...]]:
        """The keys of the rows that are left out for want of a partner, in the order of the file."""
        return iter(()) if self._lone is None else self._lone.keys()

    def place(self, row: int) -> tuple[str, int]:
        """The file that holds a row, and its number there."""
        return placed(self._source, int(self._kept.piece(row, row + 1)[0]))

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[PickedBlock]:
        """Blocks of ``rows`` rows. Raises ``DataError`` (code ``lengths-differ``) if the source has another length."""
        stream = self._source.blocks(numeric, text, rows, sequences)
        return (PickedBlock(first, parts) for first, parts in regrouped(self._picked(stream), rows))

    def _picked(self, stream: Iterable[Block]) -> Iterator[Picked]:
        row = done = 0
        for block in stream:
            ahead = self._kept.piece(done, min(done + block.rows, self._kept.rows))
            places = ahead[: np.searchsorted(ahead, row + block.rows)] - row
            yield Picked(block, places)
            row += block.rows
            done += len(places)
        if row != self._rows:
            message = f"{self.name} has {row:,} rows, where those it stands beside have {self._rows:,}"
            hint = "rows are paired by position; nothing was scored"
            raise DataError(message, code="lengths-differ", file=self.name, hint=hint)


class Picked(NamedTuple):
    """Some rows of a block."""

    block: Block
    places: Values

    @property
    def rows(self) -> int:
        return len(self.places)


class PickedBlock:
    """Rows out of several blocks: ``parts`` are (rows of a block, from, to)."""

    def __init__(self, first: int, parts: Sequence[tuple[Picked, int, int]]) -> None:
        self.first = first
        self.rows = sum(stop - start for _, start, stop in parts)
        self._parts = [(part.block, part.places[start:stop]) for part, start, stop in parts]

    def numbers(self, name: str) -> Floats:
        """The column as floats, (rows, ...)."""
        found: Floats = np.concatenate([block.numbers(name)[places] for block, places in self._parts])
        return found

    def labels(self, name: str) -> tuple[Codes, list[str]]:
        """The column as coded words."""
        runs = [(block.labels(name), places) for block, places in self._parts]
        return joined([(codes[places], words) for (codes, words), places in runs])

    def texts(self, name: str) -> list[str | None]:
        """The column cell by cell."""
        runs = [(block.texts(name), places.tolist()) for block, places in self._parts]
        return [cells[place] for cells, places in runs for place in places]

    def strings(self, name: str) -> Ragged:
        """The column as UTF-8, or its lists of words as codes."""
        return stacked([block.strings(name)[places] for block, places in self._parts])

    def sequences(self, name: str) -> Ragged:
        """Rows of numbers of any length."""
        rows = [block.sequences(name)[places] for block, places in self._parts]
        return stacked([part if part.step == 1 else part.packed() for part in rows])
