"""A source read once and kept, so that its rows can be taken in any order, any number of times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lossctl.data.sequences import encoded, gathered, no_sequence
from lossctl.data.shelves import Room, RowShelf, Shelf, TextShelf
from lossctl.data.source import placed
from lossctl.data.values import Where, as_texts, check_asked, coded_texts, joined
from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from lossctl.data.source import Block, Codes, Column, Floats, Source
    from lossctl.data.values import Values

__all__ = ["Held", "HeldBlock"]

_ROWS = 1 << 14  # read at a time
_WORDS = 1 << 16  # distinct words of a column, beyond which it is kept as text
_FEW = 256  # distinct words of a block that are worth coding, however few its rows


class Held:
    """The named columns of a source, within ``room`` bytes of memory and beyond that in temporary files.

    ``ready`` are columns of text that somebody has read already.
    """

    def __init__(
        self,
        source: Source,
        numeric: Sequence[str],
        text: Sequence[str],
        sequences: Sequence[str] = (),
        room: int | Room = 2 << 30,
        ready: Mapping[str, TextShelf] | None = None,
    ) -> None:
        self.name = source.name
        self.format = source.format
        self.notes = source.notes
        self.ids: str | None = getattr(source, "ids", None)
        self._source = source
        self._room = Room(room) if isinstance(room, int) else room
        self._numbers: dict[str, Shelf] = {}
        self._words: dict[str, Coded | TextShelf] = dict(ready or {})
        self._runs: dict[str, _Lists] = {}
        self._faults: dict[tuple[str, str], DataError] = {}
        self.rows = next((shelf.rows for shelf in (ready or {}).values()), 0)
        self._read(list(numeric), [n for n in text if n not in self._words], list(sequences))
        self.columns = tuple(column._replace(rows=self.rows) for column in source.columns)

    def _read(self, numeric: list[str], text: list[str], sequences: list[str]) -> None:
        source = self._source
        by_name = {column.name: column for column in source.columns}
        sequences = [name for name in sequences if name not in self._words or by_name[name].width is not None]
        if not (numeric or text or sequences):
            return
        if any(name not in by_name for name in (*numeric, *text, *sequences)):
            check_asked(source.name, source.columns, numeric, text, 1, sequences)
        self.rows = 0
        for block in source.blocks(numeric, text, _ROWS, sequences):
            self.rows += block.rows
            for name in numeric:
                values = block.numbers(name)
                shelf = self._numbers.get(name)
                if shelf is None:
                    shelf = self._numbers[name] = Shelf(self._room, values.dtype, values.shape[1:])
                shelf.add(values)
            for name in text:
                if name not in sequences or by_name[name].width is not None:
                    self._add_labels(name, block)
            for name in sequences:
                self._add_rows(by_name[name], block)
        every = (*self._numbers.values(), *self._words.values(), *self._runs.values())
        for kept in every:
            kept.done()

    def _add_labels(self, name: str, block: Block) -> None:
        codes, words = block.labels(name)
        column = self._words.get(name)
        if column is None:
            plenty = len(words) > max(_FEW, block.rows // 2)
            column = self._words[name] = TextShelf(self._room) if plenty else Coded(self._room)
        if isinstance(column, Coded):
            column.add(codes, words)
            if len(column) > _WORDS:
                self._words[name] = column.as_text(self._room)
        else:
            column.add(gathered(encoded(words, Where(self.name, name, block.first)), codes))

    def _add_rows(self, column: Column, block: Block) -> None:
        """Text as text, lists as what they are; of a list in JSON, whose numbers can be both, both."""
        name, ways = column.name, ["sequences"]
        if column.width is None:
            text = self._words.setdefault(name, TextShelf(self._room))
            assert isinstance(text, TextShelf)
            text.add(block.strings(name))
            return
        if column.type == "text":
            ways = ["strings"]
        elif self.format == "jsonl":
            ways = ["strings", "sequences"]
        for way in ways:
            if (way, name) not in self._faults:
                try:
                    rows: Ragged = getattr(block, way)(name)
                    self._runs.setdefault(f"{way} {name}", _Lists(self._room, rows)).add(rows)
                except DataError as error:
                    if len(ways) == 1:
                        raise
                    self._faults[way, name] = error  # of interest only to whom reads it so

    def take(self, rows: Values, first: int = 0) -> HeldBlock:
        """The rows at these places as a block, which is to begin with row ``first`` of whatever they make."""
        return HeldBlock(self, rows, first)

    def place(self, row: int) -> tuple[str, int]:
        """The file that holds a row, and its number there."""
        return placed(self._source, row)

    def cuts(self) -> list[int]:
        """It may be cut anywhere."""
        return [*range(0, self.rows, _ROWS), self.rows]

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[HeldBlock]:
        """Blocks of ``rows`` rows, of columns that are held."""
        return self.between(0, self.rows, numeric, text, rows, sequences)

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
        return (self.take(np.arange(first, min(first + rows, stop)), first) for first in range(start, stop, rows))

    def numbers(self, name: str, rows: Values) -> Floats:
        if not self.rows:
            return np.empty((0, *self._shape(name)))
        found: Floats = self._numbers[name].take(rows)
        return found

    def labels(self, name: str, rows: Values) -> tuple[Codes, list[str]]:
        column = self._words.get(name)
        if isinstance(column, Coded):
            return column.take(rows)
        return coded_texts(self.texts(name, rows))

    def texts(self, name: str, rows: Values) -> list[str | None]:
        column = self._words.get(name)
        if isinstance(column, Coded):
            return as_texts(*column.take(rows))
        return as_cells(self.strings(name, rows))

    def strings(self, name: str, rows: Values) -> Ragged:
        column = self._words.get(name)
        if isinstance(column, TextShelf):
            return column.take(rows)
        if isinstance(column, Coded):
            return column.strings(rows)
        return self._rows_of("strings", name, rows)

    def sequences(self, name: str, rows: Values) -> Ragged:
        if name in self._words and f"sequences {name}" not in self._runs:
            raise no_sequence(Where(self.name, name, 0))
        return self._rows_of("sequences", name, rows)

    def _rows_of(self, way: str, name: str, rows: Values) -> Ragged:
        if (fault := self._faults.get((way, name))) is not None:
            raise fault
        if not self.rows:
            nothing = np.empty(0, np.int64)
            text = way == "strings"
            values = np.empty(0, np.uint8) if text else np.empty((0, *self._shape(name)[1:]))
            return Ragged(values, nothing, nothing)
        return self._runs[f"{way} {name}"].take(rows)

    def _shape(self, name: str) -> tuple[int, ...]:
        column = next(column for column in self.columns if column.name == name)
        return column.axes or (() if column.width is None else (column.width,))


class HeldBlock:
    """Rows of a ``Held``, taken when they are asked for."""

    def __init__(self, held: Held, places: Values, first: int) -> None:
        self.first = first
        self.rows = len(places)
        self._held = held
        self._places = places

    def numbers(self, name: str) -> Floats:
        """The column as floats, (rows, ...)."""
        return self._held.numbers(name, self._places)

    def labels(self, name: str) -> tuple[Codes, list[str]]:
        """The column as coded words."""
        return self._held.labels(name, self._places)

    def texts(self, name: str) -> list[str | None]:
        """The column cell by cell."""
        return self._held.texts(name, self._places)

    def strings(self, name: str) -> Ragged:
        """The column as UTF-8, or its lists of words as codes."""
        return self._held.strings(name, self._places)

    def sequences(self, name: str) -> Ragged:
        """Rows of numbers of any length."""
        return self._held.sequences(name, self._places)


class Coded:
    """A column of few words as codes of one list."""

    def __init__(self, room: Room) -> None:
        self._places: dict[str, int] = {}
        self._codes = Shelf(room, np.int32)

    def add(self, codes: Codes, words: Sequence[str]) -> None:
        self._codes.add(recoded(codes, words, self._places).astype(np.int32))

    def __len__(self) -> int:
        return len(self._places)

    @cached_property
    def words(self) -> list[str]:
        """Once all are there."""
        return list(self._places)

    def done(self) -> None:
        self._codes.done()

    def take(self, rows: Values) -> tuple[Codes, list[str]]:
        return joined([(self._codes.take(rows).astype(np.int64), self.words)])

    @cached_property
    def _table(self) -> Ragged:
        return Ragged.texts(self.words)

    def strings(self, rows: Values) -> Ragged:
        return gathered(self._table, self._codes.take(rows).astype(np.int64))

    def as_text(self, room: Room) -> TextShelf:
        """The same column as text; its codes are given up."""
        text = TextShelf(room)
        self.done()
        for first in range(0, self._codes.rows, _ROWS):
            text.add(self.strings(np.arange(first, min(first + _ROWS, self._codes.rows))))
        self._codes.drop()
        return text


class _Lists:
    """A column of lists: numbers, frames, or codes of one list of words."""

    def __init__(self, room: Room, like: Ragged) -> None:
        self._places: dict[str, int] | None = None if like.words is None else {}
        self._rows = RowShelf(room, like.dtype, like.values.shape[1:])

    def add(self, rows: Ragged) -> None:
        if self._places is not None:
            rows = rows.packed()
            rows.values = recoded(rows.values, rows.words or (), self._places)
        self._rows.add(rows)

    def done(self) -> None:
        self._rows.done()

    def take(self, rows: Values) -> Ragged:
        found = self._rows.take(rows)
        if self._places is not None:
            found.values, found.words = joined([(found.values, list(self._places))])
        return found


def recoded(codes: Codes, words: Sequence[str], places: dict[str, int]) -> Codes:
    """Codes as those of a list that goes on; new words stand behind the others. -1 stays."""
    table = [places.setdefault(word, len(places)) for word in words]
    return np.array([*table, -1], np.int64)[codes]


def as_cells(rows: Ragged) -> list[str | None]:
    """Rows of UTF-8 as texts; what is missing is ``None``."""
    flat = rows.values.tobytes()
    ends = (rows.starts + rows.lengths).tolist()
    cells: list[str | None] = [flat[a:b].decode() for a, b in zip(rows.starts.tolist(), ends, strict=True)]
    if rows.missing is not None:
        for at in np.flatnonzero(rows.missing).tolist():
            cells[at] = None
    return cells
