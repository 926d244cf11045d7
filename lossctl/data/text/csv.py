"""CSV and TSV files: the header, and the rows in blocks.

A column has no type here: what is asked for as numbers is read as numbers. Cells are ``missing``
where they are empty, ``NA``, ``NaN`` or ``null`` in a numeric column; text stays as written.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from lossctl.data.cells import NOT_A_NUMBER, advice
from lossctl.data.labels import NUMBER
from lossctl.data.regroup import regrouped
from lossctl.data.source import Column
from lossctl.data.text.csvspan import CsvSpan, Parsed
from lossctl.data.text.csvtable import UTF8, CsvBlock, CsvPart, RaggedError, Tables, Wanted
from lossctl.data.text.rowends import CAP, Chunk, Chunks, Lexer, check_text
from lossctl.data.values import Where, check_asked
from lossctl.errors import DataError, UsageError

if TYPE_CHECKING:
    from lossctl.data.opening import Input

__all__ = ["CsvSource", "one_byte"]

_SHOWN = 3


class CsvSource:
    """One CSV or TSV file. ``null_values`` are missing in numeric and in text columns.

    ``through`` is what its bytes (with the name for messages) go through before they are read. ``_sizes``
    (first chunk, largest chunk, piece parsed at a time) is for tests. Raises ``DataError`` from the
    start: ``empty``, ``encoding``, ``binary``, ``headerless``, ``unclosed-quote``.
    """

    def __init__(
        self,
        data: Input,
        *,
        format: str = "csv",
        delimiter: str | None = None,
        no_header: bool = False,
        null_values: Sequence[str] = (),
        through: Callable[[str, io.RawIOBase], io.RawIOBase] | None = None,
        _sizes: tuple[int, int, int] | None = None,
    ) -> None:
        self.name = data.name
        self.format = format
        self._data = data
        self._through = through
        self._lexer = Lexer(one_byte(delimiter or ("\t" if format == "tsv" else ",")))
        self._chunks = Chunks(self.name, self._lexer, *(_sizes or ())[:2])
        row, after = self._first_row()
        cells = self._lexer.fields(row)
        self._skip = 0 if no_header else after
        names = [str(i + 1) for i in range(len(cells))] if no_header else self._names(cells)
        self._places = {name: i for i, name in reversed(list(enumerate(names)))}
        self._tables = Tables(self.name, self._lexer, len(names), frozenset(null_values), *(_sizes or ())[2:])
        self.columns: tuple[Column, ...] = tuple(Column(name, "cell", None, format) for name in names if name)
        self.notes: tuple[str, ...] = tuple(_notes(names))

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[CsvBlock]:
        """Blocks of ``rows`` rows; only the named columns are converted, but every row is counted.

        Raises ``DataError``: ``ragged``, ``unclosed-quote``, ``misquoted``, ``line-too-long``, and from the
        blocks ``not-a-number``, ``integer-too-large``, ``encoding``.
        """
        check_asked(self.name, self.columns, numeric, text, rows, sequences)
        return self._blocks(self._wanted(numeric, text, sequences), rows)

    def spans(self, numeric: Sequence[str], text: Sequence[str], sequences: Sequence[str] = ()) -> Iterator[CsvSpan]:
        """The rows chunk by chunk: the next one is read from the file, and cut off at the end of a row, when
        it is asked for; whoever counts the rows of a span parses them.
        """
        check_asked(self.name, self.columns, numeric, text, 1, sequences)
        return self._spans(self._wanted(numeric, text, sequences))

    def _blocks(self, wanted: Wanted, rows: int) -> Iterator[CsvBlock]:
        for first, pieces in regrouped(self._parts(wanted), rows):
            yield CsvBlock(self.name, first, pieces, self._bad_cell)

    def _spans(self, wanted: Wanted) -> Iterator[CsvSpan]:
        again = self._data.rereadable
        try:
            for chunk in self._rows():
                again = self._data.rereadable
                yield CsvSpan(self.name, partial(self._read, chunk, wanted), partial(self._not_a_number, again))
        except DataError as error:  # of the file, behind all that could be read
            fault = error
            yield CsvSpan(self.name, lambda: ([], lambda _: fault), partial(self._not_a_number, again))

    def _wanted(self, numeric: Sequence[str], text: Sequence[str], sequences: Sequence[str]) -> Wanted:
        return Wanted(*({name: self._places[name] for name in names} for names in (numeric, text, sequences)))

    def _parts(self, wanted: Wanted) -> Iterator[CsvPart]:
        rows = 0
        for chunk in self._rows():
            parts, flaw = self._read(chunk, wanted, threads=True)
            for part in parts:
                rows += part.rows
                yield part
            if flaw:
                raise flaw(rows + 1)

    def _read(self, chunk: Chunk, wanted: Wanted, *, threads: bool = False) -> Parsed:
        if chunk.flaw:
            return [], partial(self._unfinished, chunk)
        try:
            try:
                return self._tables.parts(chunk, wanted, threads=threads), None
            except RaggedError as ragged:
                good, flaw = replace(chunk, data=chunk.data[: ragged.start]), partial(self._ragged, ragged.found)
            return self._tables.parts(good, wanted, threads=threads) if len(good.data) else [], flaw
        except DataError as error:
            fault = error
            return [], lambda _: fault

    def _rows(self) -> Iterator[Chunk]:
        """The file in chunks, without the header."""
        skip = self._skip
        for chunk in self._chunks.of(self._stream()):
            rest = chunk.data[skip:]
            skip -= len(chunk.data) - len(rest)
            if len(rest) or chunk.flaw:
                yield replace(chunk, data=rest)

    def _stream(self) -> io.RawIOBase:
        stream = self._data.stream()
        return self._through(self.name, stream) if self._through else stream

    def _first_row(self) -> tuple[bytes, int]:
        """The first row that is not blank, and how many bytes it and what stands before it take."""
        data = b""
        for chunk in self._chunks.of(self._stream()):
            if not data:
                check_text(self.name, bytes(chunk.data[:4096]))
            data += chunk.data
            if chunk.flaw:
                raise self._unfinished(chunk, None)
            for start, stop, after in self._lexer.rows(data, last=True):
                if start < stop:
                    return data[start:stop], after
        raise DataError("the file is empty", code="empty", file=self.name)

    def _names(self, cells: list[bytes]) -> list[str]:
        """The header's names; blank ones are empty."""
        try:
            names = [cell.decode() for cell in cells]
        except UnicodeDecodeError:
            message = "the header is not valid UTF-8 text"
            raise DataError(message, code="encoding", file=self.name, hint=UTF8) from None
        numbers = [name for name in names if NUMBER.fullmatch(name)]
        fraction = any(not name.strip().isdigit() for name in numbers)
        if len(numbers) == len(names) and (fraction or len(set(names)) < len(names)):
            shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
            message = f"the first row holds only numbers ({shown}), so there seems to be no header"
            raise DataError(message, code="headerless", file=self.name, hint="--no-header")
        return [name if name.strip() else "" for name in names]

    def _unfinished(self, chunk: Chunk, row: int | None) -> DataError:
        code, message = {
            "unclosed": ("unclosed-quote", "a quote is opened and never closed"),
            "misquoted": ("misquoted", "there is text behind a closing quote"),
            "too-long": ("line-too-long", f"a row is longer than {CAP >> 20} MB"),
        }[chunk.flaw or "unclosed"]
        hint = "is a quote not closed? quotes within quotes are written twice"
        return DataError(message, code=code, file=self.name, row=row, hint=hint)

    def _ragged(self, found: int, row: int) -> DataError:
        expected = len(self._tables.names)
        return DataError(
            f"the row has {_counted(found, 'field')}, expected {expected}",
            code="ragged",
            file=self.name,
            row=row,
            hint="check the delimiter, and quote fields that hold it",
        )

    def _bad_cell(self, where: Where, at: int, cell: str) -> DataError:
        return self._not_a_number(self._data.rereadable, where, at, cell)

    def _not_a_number(self, again: bool, where: Where, at: int, cell: str) -> DataError:
        """The error for a cell, with a second look at the whole column for others, if it can be read ``again``."""
        details = self._others(where.column) if again else ()
        hint = advice(cell, where.column)
        return where.error(f"{_shown(cell)} is not a number", "not-a-number", at, details=details, hint=hint)

    def _others(self, name: str) -> tuple[str, ...]:
        """The first few cells that are no numbers, and how many there are."""
        shown: list[str] = []
        rows = count = 0
        least = ""
        try:
            for part in self._parts(self._wanted((), (name,), ())):
                codes, words = part.cells(name)
                bad = np.flatnonzero(part.numbers(name).flaws[codes] == NOT_A_NUMBER)
                for at in bad[: _SHOWN - len(shown)].tolist():
                    shown.append(f"row {rows + at + 1:,}: {_shown(words[codes[at]])}")
                count += len(bad)
                rows += part.rows
        except DataError:
            least = "at least "
        return (*shown, f"{least}{_counted(count, 'cell')} of this column cannot be read as numbers")


def one_byte(delimiter: str) -> str:
    """The delimiter that a caller means; ``UsageError`` for what can be none."""
    delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise UsageError(f"--delimiter must be one ASCII character, not {delimiter!r}")
    return delimiter


def _notes(names: list[str]) -> Iterator[str]:
    for i, name in enumerate(names):
        if not name:
            saved = " (a saved index?)" if i == 0 else ""
            yield f"column {i + 1} has no name and is left out{saved}"
    if len(names) == 1 and (marks := [mark for mark in ",;\t|" if mark in names[0]]):
        yield f"there is only one column, {names[0]!r}: --delimiter {marks[0]!r}?"


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:40]}...")
