"""CSV and JSON Lines: each row is a line, whose cells Arrow spells and joins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from pyarrow import _compute

from lossctl.data.sinks.arrays import ArrowArray, call, texts, words
from lossctl.data.sinks.numbers import NONFINITE, decimal, spelled
from lossctl.spelling import csv_texts, json_texts, utf8

if TYPE_CHECKING:
    from lossctl.data.sinks.sink import SinkColumn
    from lossctl.data.sinks.target import OutputFile

__all__ = ["LineRows", "Style", "csv_style", "json_style"]

_ROWS = 1 << 15  # encoded at a time


class Style(NamedTuple):
    """How a row looks: what stands before each cell and behind the last one, and how cells are spelled."""

    header: str
    before: tuple[str, ...]
    end: str
    missing: str
    spell: Callable[[Sequence[str]], Sequence[str]]
    nonfinite: Sequence[tuple[str, str, str]]  # of each column


def csv_style(columns: Sequence[SinkColumn], safe: bool) -> Style:
    """RFC 4180 with bare newlines; a missing cell is empty, an empty text is ``""``."""
    spell = partial(csv_texts, safe=safe)
    header = ",".join(spell([column.name for column in columns])) + "\n"
    before = ("", *[","] * (len(columns) - 1))
    return Style(header, before, "\n", "", spell, [NONFINITE] * len(columns))


def json_style(columns: Sequence[SinkColumn]) -> Style:
    """One object on each line; what is not finite is ``null`` with its name in a member beside it."""
    keys = json_texts([column.name for column in columns])
    before = tuple(f"{', ' if i else '{'}{key}: " for i, key in enumerate(keys))

    notes = json_texts([f"{column.name}.nonfinite" for column in columns])
    nan, inf, minus = NONFINITE
    beside = [(f'null, {note}: "{nan}"', f'null, {note}: "{inf}"', f'null, {note}: "{minus}"') for note in notes]
    return Style("", before, "}\n", "null", json_texts, beside)


class LineRows:
    """Rows as lines. A line depends on its row alone, so it does not matter how many come at a time."""

    def __init__(self, file: OutputFile, columns: Sequence[SinkColumn], style: Style) -> None:
        self._file = file
        self._columns = columns
        self._style = style
        self._marks = words([*style.before, style.end, ""])
        self._options = _compute.JoinOptions("replace", style.missing)
        file.write(utf8(style.header))

    def write(self, rows: int, cells: Sequence[Any]) -> None:
        for start in range(0, rows, _ROWS):
            self._encode(slice(start, start + _ROWS), cells)

    def _encode(self, run: slice, cells: Sequence[Any]) -> None:
        parts = []
        for i, cell in enumerate(cells):
            if self._style.before[i]:
                parts.append(self._marks[i])
            parts.append(self._spelled(i, cell, run))
        end, nothing = self._marks[len(cells)], self._marks[len(cells) + 1]
        joined = call("binary_join_element_wise", [*parts, end, nothing], self._options)
        _, _, data = joined.buffers()
        self._file.write(data)

    def _spelled(self, place: int, cell: Any, run: slice) -> ArrowArray:
        kind = self._columns[place].kind
        if kind == "int":
            return decimal(cell[run])
        first, second = cell
        if kind == "text":
            return texts(first[run], second, self._style.spell)
        return spelled(first[run], None if second is None else second[run], self._style.nonfinite[place])

    def finish(self, rows: int) -> None:
        """Every line has gone to the file already."""

    def close(self) -> None:
        """Nothing is held."""
