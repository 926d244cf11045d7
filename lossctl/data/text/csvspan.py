"""A chunk of a CSV file, for one thread to parse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from lossctl.data.regroup import regrouped
from lossctl.data.text.csvtable import CsvBlock, CsvPart, Explain
from lossctl.errors import DataError

__all__ = ["CsvSpan", "Flaw", "Parsed"]

Flaw: TypeAlias = Callable[[int], DataError]  # told the 1-based number of the row that is wrong
Parsed: TypeAlias = tuple[list[CsvPart], Flaw | None]  # rows, and what is wrong with the one behind them


class CsvSpan:
    """Rows that ``parse`` gives, once for all; ``explain`` turns a bad cell into the error to raise."""

    def __init__(self, file: str, parse: Callable[[], Parsed], explain: Explain) -> None:
        self._file = file
        self._parse = parse
        self._explain = explain
        self._parsed: Parsed | None = None

    def count(self) -> int:
        """How many rows can be read; they are parsed for it."""
        return sum(part.rows for part in self._rows()[0])

    def blocks(self, first: int, rows: int) -> Iterator[CsvBlock]:
        """Blocks of ``rows`` rows; an error of the file comes behind all rows that stand before it."""
        parts, flaw = self._rows()
        for at, pieces in regrouped(parts, rows):
            yield CsvBlock(self._file, first + at, pieces, self._explain)
        if flaw:
            raise flaw(first + self.count() + 1)

    def _rows(self) -> Parsed:
        if self._parsed is None:
            self._parsed = self._parse()
        return self._parsed
