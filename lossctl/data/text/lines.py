"""Plain text, one row a line, in bounded memory: only LF or CRLF ends a line, and nothing is stripped.

The last newline ends the last row and begins none; blank lines are rows. Transcripts with ids are made of such lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lossctl.data.regroup import regrouped, within
from lossctl.data.sequences import no_sequence, stacked
from lossctl.data.source import Column
from lossctl.data.stored import reading
from lossctl.data.text.rowends import CAP, MARK, check_text
from lossctl.data.values import Where, check_asked, coded_texts
from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    import io

    from lossctl.data.opening import Input
    from lossctl.data.source import Codes, Floats
    from lossctl.data.values import Values

__all__ = ["LineBlock", "LinesSource", "TextPart", "pieces"]

_PIECE = 1 << 20
_LF, _CR = b"\n\r"
UTF8 = "convert the file: iconv -f LATIN1 -t UTF-8 FILE > NEW"


class Piece(NamedTuple):
    """Whole lines: their bytes, where each begins and how long it is, and the 0-based number of the first one."""

    data: bytes
    starts: Values
    lengths: Values
    first: int

    def rows(self, starts: Values, lengths: Values) -> Ragged:
        """Stretches of the bytes, one a row."""
        return Ragged(np.frombuffer(self.data, np.uint8), starts, lengths)


def pieces(data: Input) -> Iterator[Piece]:
    """The lines of a file. Raises ``DataError``: ``encoding``, ``binary``, ``line-too-long``."""
    first = 0
    for run in _runs(data.name, data.stream()):
        codes = np.frombuffer(run, np.uint8)
        ends = np.flatnonzero(codes == _LF)
        if not len(ends) or ends[-1] != len(run) - 1:
            ends = np.append(ends, len(run))  # the last line has no newline
        starts = np.append(0, ends[:-1] + 1)
        crlf = (ends > starts) & (ends < len(run)) & (codes[ends - 1] == _CR)
        try:
            run.decode()
        except UnicodeDecodeError as error:
            row = first + int(np.searchsorted(starts, error.start, "right"))
            message = f"line {row:,} is not valid UTF-8 text"
            raise DataError(message, code="encoding", file=data.name, row=row, hint=UTF8) from None
        yield Piece(run, starts, ends - starts - crlf, first)
        first += len(starts)


def _runs(name: str, stream: io.RawIOBase) -> Iterator[bytes]:
    """Whole lines at a time, with their newlines; the first run is without a byte order mark."""
    held: list[bytes] = []
    size, begun = 0, False
    while True:
        with reading(name):
            piece = stream.read(_PIECE) or b""
        cut = piece.rfind(b"\n") + 1
        if piece and not cut:
            held.append(piece)
            size += len(piece)
            if size > CAP:
                raise DataError(f"a line is longer than {CAP >> 20} MB", code="line-too-long", file=name)
            continue
        run = b"".join([*held, piece[:cut]])
        if not begun:
            run = run.removeprefix(MARK)
        begun = True
        if run:
            yield run
        if not piece:
            return
        held, size = [piece[cut:]] if cut < len(piece) else [], len(piece) - cut


class TextPart(NamedTuple):
    """Some rows of text columns."""

    columns: Mapping[str, Ragged]
    rows: int


class LineBlock:
    """Rows of text columns: ``parts`` are (part, from row, to row)."""

    def __init__(self, file: str, first: int, parts: Sequence[tuple[TextPart, int, int]]) -> None:
        self.first = first
        self.rows = sum(stop - start for _, start, stop in parts)
        self._file = file
        self._parts = parts

    def part(self, start: int, stop: int) -> LineBlock:
        """Some rows alone, counted within the block."""
        return LineBlock(self._file, self.first + start, within(self._parts, start, stop))

    def numbers(self, name: str) -> Floats:
        """Text is no numbers. Raises ``DataError`` (code ``dtype``)."""
        raise Where(self._file, name, self.first).error("text is not numbers", "dtype")

    def labels(self, name: str) -> tuple[Codes, list[str]]:
        """The column as coded words."""
        return coded_texts(self.texts(name))

    def texts(self, name: str) -> list[str | None]:
        """The column row by row."""
        rows = self.strings(name)
        return [rows.text(n) for n in range(len(rows))]

    def strings(self, name: str) -> Ragged:
        """The column as UTF-8, where it lies."""
        return stacked([part.columns[name][start:stop] for part, start, stop in self._parts])

    def sequences(self, name: str) -> Ragged:
        """Text is no sequence of numbers. Raises ``DataError`` (code ``dtype``)."""
        raise no_sequence(Where(self._file, name, self.first))


class LinesSource:
    """One text file; its only column is called ``text``. Raises ``DataError`` from the blocks, as ``pieces`` does."""

    format = "lines"
    names: tuple[str, ...] = ("text",)

    def __init__(self, data: Input) -> None:
        self.name = data.name
        self.notes: tuple[str, ...] = ()
        self._data = data
        check_text(self.name, data.head(4096))
        self.columns: tuple[Column, ...] = tuple(Column(name, "text", None, self.format) for name in self.names)

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[LineBlock]:
        """Blocks of ``rows`` rows. Raises ``DataError`` as ``pieces`` does."""
        check_asked(self.name, self.columns, numeric, text, rows, sequences)
        return self._blocks(rows)

    def _blocks(self, rows: int) -> Iterator[LineBlock]:
        for first, parts in regrouped(self._parts(), rows):
            yield LineBlock(self.name, first, parts)

    def _parts(self) -> Iterator[TextPart]:
        for piece in pieces(self._data):
            yield TextPart({"text": piece.rows(piece.starts, piece.lengths)}, len(piece.starts))
