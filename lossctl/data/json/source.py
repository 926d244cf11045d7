"""JSONL files: one object a line, its values by dotted path.

As in CSV a scalar has no type of its own: where numbers are wanted a string that holds one is a number,
where text is wanted a number is written out. A key that a row does not have is a missing value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lossctl.data.cells import NOT_A_NUMBER, advice, read_numbers
from lossctl.data.json.block import JsonBlock
from lossctl.data.json.lines import Lines
from lossctl.data.json.paths import JsonColumn, Steps, dig, leaf_column, reach, survey
from lossctl.data.json.whisper import as_transcript, is_pieces, without_segments
from lossctl.data.source import Column
from lossctl.data.values import Where, check_asked
from lossctl.errors import DataError

if TYPE_CHECKING:
    from lossctl.data.opening import Input

__all__ = ["JsonlSource"]

_SHOWN = 3


class JsonlSource:
    """One JSONL file. ``null_values`` are missing in numeric and in text columns.

    The columns are those of the first rows; ``find`` looks for a path in all of them. Raises ``DataError``
    from the start and from the blocks, as ``Lines.objects`` does, and ``empty``.
    """

    format = "jsonl"

    def __init__(self, data: Input, *, null_values: Sequence[str] = ()) -> None:
        self.name = data.name
        self.notes: tuple[str, ...] = ()
        self._data = data
        self._lines = Lines(data)
        self._missing = frozenset(null_values)
        first = next(self._lines.objects(), None)
        if first is None:
            raise DataError("the file holds no rows", code="empty", file=self.name)
        self._in_pieces = is_pieces(first[1])
        found = without_segments(as_transcript(first[1]), survey(self._objects()))
        self.columns: tuple[Column, ...] = tuple(one.column for one in found)
        self._steps: dict[str, Steps] = {one.column.name: one.steps for one in reversed(found)}

    def _objects(self) -> Iterator[tuple[int, Any]]:
        if not self._in_pieces:
            return self._lines.objects()
        return ((size, as_transcript(value)) for size, value in self._lines.objects())

    def _add(self, found: JsonColumn) -> None:
        self.columns = (*self.columns, found.column)
        self._steps[found.column.name] = found.steps

    def find(self, name: str) -> bool:
        """Whether any row has a value at this path; it then is one of ``columns``."""
        steps = None
        for _, value in self._objects():
            steps = reach(value, name) or steps
            if steps is not None and (found := dig(value, steps)) is not None:
                self._add(JsonColumn(leaf_column(name, found), steps))
                return True
        if steps is not None:  # null wherever it is
            self._add(JsonColumn(leaf_column(name, None), steps))
        return steps is not None

    def arrange(self, name: str, classes: tuple[str, ...]) -> None:
        """The order of the classes in the rows of a column that names them."""
        self.columns = tuple(c._replace(classes=classes) if c.name == name else c for c in self.columns)

    def knows(self, name: str) -> bool:
        """Whether the rows of a column have a known length; looked up in the data where the first rows do not tell."""
        mine = next(column for column in self.columns if column.name == name)
        found = self._measured(mine)
        self.columns = tuple(found if column is mine else column for column in self.columns)
        return found.width != 0 or found.type == "text"

    def follow(self, other: JsonlSource) -> None:
        """Columns are those of another file of the same data; one that is not here is missing in each row."""
        self.columns, self._steps, self._in_pieces = other.columns, dict(other._steps), other._in_pieces

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[JsonBlock]:
        """Blocks of ``rows`` rows with the values of the named columns only; every line is parsed.

        Raises ``DataError`` as ``Lines.objects`` does, and from the blocks ``not-a-number``,
        ``integer-too-large``, ``ragged-list``, ``classes-differ``, ``dtype``, ``encoding``, ``null-in-list``.
        """
        check_asked(self.name, self.columns, numeric, text, rows, sequences)
        return self._blocks(list(dict.fromkeys([*numeric, *text, *sequences])), rows)

    def _blocks(self, names: list[str], rows: int) -> Iterator[JsonBlock]:
        wanted = set(names)
        columns = {column.name: self._measured(column) for column in self.columns if column.name in wanted}
        first = 0
        for count, cells in self._runs(names, rows):
            yield JsonBlock(self.name, first, count, cells, columns, self._missing, self._not_a_number)
            first += count

    def _runs(self, names: list[str], rows: int) -> Iterator[tuple[int, dict[str, list[Any]]]]:
        """How many rows, at most ``rows``, and their cells by column."""
        paths = [(name, self._steps[name]) for name in names]
        cells: dict[str, list[Any]] = {name: [] for name in names}
        picks = [(cells[name].append, steps[0] if len(steps) == 1 else None, steps) for name, steps in paths]
        count = 0
        for _, value in self._objects():
            count += 1
            for append, key, steps in picks:
                append(dig(value, steps) if key is None else value.get(key))
            if count == rows:
                yield count, {name: list(run) for name, run in cells.items()}
                count = 0
                for run in cells.values():
                    run.clear()
        if count:
            yield count, cells

    def _measured(self, column: Column) -> Column:
        """A list column with its width; looked up in the data where the first rows had empty lists only."""
        if column.width != 0 or column.type == "text":
            return column
        steps = self._steps[column.name]
        for _, value in self._objects():
            found = dig(value, steps)
            if isinstance(found, list) and found:
                return leaf_column(column.name, found)
        return column

    def _not_a_number(self, where: Where, at: int, cell: str) -> DataError:
        """The error for a cell, with a second look at the whole column for others."""
        single = next(c for c in self.columns if c.name == where.column).width is None
        details = self._others(where.column) if single and self._data.rereadable else ()
        return where.error(
            f"{shown(cell)} is not a number", "not-a-number", at, details=details, hint=advice(cell, where.column)
        )

    def _others(self, name: str) -> tuple[str, ...]:
        """The first few cells that are no numbers, and how many there are."""
        told: list[str] = []
        count, least = 0, ""
        try:
            for row, (_, value) in enumerate(self._objects(), 1):
                cell = dig(value, self._steps[name])
                if isinstance(cell, str) and read_numbers([cell], self._missing).flaws[0] == NOT_A_NUMBER:
                    count += 1
                    if count <= _SHOWN:
                        told.append(f"row {row:,}: {shown(cell)}")
        except DataError:
            least = "at least "
        cells = "1 cell" if count == 1 else f"{count:,} cells"
        return (*told, f"{least}{cells} of this column cannot be read as numbers")


def shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:40]}...")
