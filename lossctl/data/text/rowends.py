"""Where CSV rows end: a byte stream cut into chunks of whole rows.

A newline inside quotes ends no row. Quotes are special where a field begins with one, as in
Arrow's parser: ``"a ""b"" c"`` is quoted, ``5" nails`` is not. Text behind a closing quote is a
flaw: such a quote most likely belongs to another row, and those between would be lost.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lossctl.data.stored import reading
from lossctl.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CAP", "MARK", "Chunk", "Chunks", "Lexer", "check_text"]

CAP = 1 << 26  # bytes of one row
MARK = b"\xef\xbb\xbf"  # UTF-8's byte order mark
_FIRST = 1 << 16
_LARGEST = 1 << 22
_CR, _LF, _QUOTE = b'\r\n"'


def check_text(name: str, head: bytes) -> None:
    """Refuses what is no UTF-8 text by the first bytes of a file: UTF-16 (``encoding``), NUL bytes (``binary``)."""
    zeros = sorted((head[0:64:2].count(0), head[1:64:2].count(0)))
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or (not zeros[0] and zeros[1] * 3 > len(head[:64])):
        hint = "iconv -f UTF-16 -t UTF-8 FILE > NEW"
        raise DataError("UTF-16 text is not read, only UTF-8", code="encoding", file=name, hint=hint)
    if 0 in head.partition(b"\n")[0]:
        message = "there are NUL bytes in the first row: this is not a text file"
        raise DataError(message, code="binary", file=name)


@dataclass(frozen=True)
class Chunk:
    """Whole rows; or, with a ``flaw``, one that cannot be read, and no more chunks after it."""

    data: memoryview
    quoted: bool
    flaw: Literal["unclosed", "misquoted", "too-long"] | None = None


class MisquotedError(Exception):
    """Text stands behind a closing quote in the row that begins at ``start``."""

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self.start = start


class Lexer:
    """Fields and rows of one delimiter, exactly but slowly; the slow path of all the rest."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter.encode()
        mark = re.escape(self.delimiter)
        plain = rb"[^\r\n" + mark + rb"]*+"
        blanks = rb"[" + b" \t".replace(self.delimiter, b"") + rb"]*+"
        quoted = rb'"(?:[^"]++|"")*+"' + blanks
        field = rb"(?:" + quoted + rb'|(?!")' + plain + rb")"
        self._row = re.compile(rb"%b(?:%b%b)*+" % (field, mark, field))
        self._field = re.compile(rb"(%b)(%b|\Z)" % (field, mark))
        self._end = re.compile(rb"\r\n|\n|\r")

    def rows(self, data: bytes | memoryview, start: int = 0, *, last: bool) -> Iterator[tuple[int, int, int]]:
        """(start, end, next row's start) of each whole row; with ``last`` also of one without a newline.

        Stops before a row whose quotes do not close. Raises ``MisquotedError``.
        """
        size = len(data)
        while start < size:
            row = self._row.match(data, start)
            if row is None:
                return  # its first quote does not close
            stop = row.end()
            newline = self._end.match(data, stop)
            if newline is None:
                if stop < size and data[stop : stop + 1] != self.delimiter:
                    raise MisquotedError(start)
                if stop == size and last:
                    yield start, stop, size
                return
            after = newline.end()
            if after == size and not last and data[after - 1] == _CR:
                return  # the other half of \r\n may be yet to come
            yield start, stop, after
            start = after

    def fields(self, row: bytes) -> list[bytes]:
        """The cells of one row, without their quotes.

        >>> Lexer(",").fields(b'a,"b ""c"", d",')
        [b'a', b'b "c", d', b'']
        """
        cells = []
        for match in self._field.finditer(row):
            cells.append(_bare(match[1]))
            if not match[2]:
                break
        return cells


def _bare(cell: bytes) -> bytes:
    if not cell.startswith(b'"'):
        return cell
    close = cell.rindex(b'"')
    return cell[1:close].replace(b'""', b'"') + cell[close + 1 :]


def about(size: int) -> int:
    """How many chunks a stream of so many bytes makes, more or less.

    >>> about(0), about(1000), about(100_000_000)
    (0, 1, 30)
    """
    count, step = 0, _FIRST
    while size > 0 and step < _LARGEST:
        count, size, step = count + 1, size - step, 2 * step
    return count + -(-max(size, 0) // _LARGEST)


class Chunks:
    """The rows of a stream in chunks that begin small and grow to ``largest`` bytes.

    A read that comes back short, as from a pipe, makes a short chunk: rows are handed on as they
    come. A row longer than a chunk makes the chunk grow, up to ``CAP`` bytes. A byte order mark at
    the start is left out.
    """

    def __init__(self, name: str, lexer: Lexer, first: int = _FIRST, largest: int = _LARGEST) -> None:
        self._name = name
        self._lexer = lexer
        self._first = first
        self._largest = largest
        self._edge = np.zeros(256, bool)
        self._edge[[_CR, _LF, lexer.delimiter[0]]] = True

    def of(self, stream: io.RawIOBase) -> Iterator[Chunk]:
        """Cuts the stream from its start to its end."""
        size = self._first
        rest = self._without_mark(stream)
        while True:
            buffer = bytearray(max(size, 2 * len(rest)))
            buffer[: len(rest)] = rest
            held, cut, quoted = len(rest), 0, False
            while not cut and held < len(buffer):
                with reading(self._name):
                    count = stream.readinto(memoryview(buffer)[held:])
                if not count:
                    if held:
                        yield self._last(memoryview(buffer)[:held])
                    return
                held += count
                if _has_newline(buffer, held - count, held):
                    try:
                        cut, quoted = self._cut(buffer, held)
                    except MisquotedError:
                        yield Chunk(memoryview(buffer)[:held], True, "misquoted")
                        return
            view = memoryview(buffer)[:held]
            if cut:
                yield Chunk(view[:cut], quoted)
            elif held >= CAP:
                yield Chunk(view, quoted, "too-long")
                return
            rest = bytes(view[cut:])
            size = max(size, min(2 * held, self._largest))

    def _without_mark(self, stream: io.RawIOBase) -> bytes:
        data = b""
        while len(data) < len(MARK):
            with reading(self._name):
                more = stream.read(len(MARK) - len(data))
            if not more:
                break
            data += more
        return data.removeprefix(MARK)

    def _last(self, view: memoryview) -> Chunk:
        """What is left at the end: one row, whole unless a quote is open."""
        if b'"' not in bytes(view):
            return Chunk(view, False)
        try:
            whole = any(after == len(view) for _, _, after in self._lexer.rows(view, last=True))
        except MisquotedError:
            return Chunk(view, True, "misquoted")
        return Chunk(view, True, None if whole else "unclosed")

    def _cut(self, buffer: bytearray, held: int) -> tuple[int, bool]:
        """Where the last whole row ends, 0 if none does; and whether there are quotes.

        Rows before a misquoted one are cut off first; ``MisquotedError`` is raised if it is the first.
        """
        if buffer.find(b'"', 0, held) < 0:
            return _newline(buffer, b"\n", held, held) or _newline(buffer, b"\r", held, held), False
        codes = np.frombuffer(buffer, np.uint8, held)
        quotes = np.flatnonzero(codes == _QUOTE)
        if not self._regular(codes, quotes):
            return self._cut_slowly(memoryview(buffer)[:held]), True
        for newline in (b"\n", b"\r"):
            stop = held
            while stop and (cut := _newline(buffer, newline, stop, held)):
                before = int(np.searchsorted(quotes, cut - 1))
                if before % 2 == 0:
                    return cut, True
                stop = int(quotes[before - 1])  # inside quotes: look again before they open
        return 0, True

    def _cut_slowly(self, view: memoryview) -> int:
        cut = 0
        try:
            for _, _, after in self._lexer.rows(view, last=False):
                cut = after
        except MisquotedError:
            if not cut:
                raise
        return cut

    def _regular(self, codes: NDArray[np.uint8], quotes: NDArray[np.intp]) -> bool:
        """Whether each quote opens a field, closes one, or is one half of a doubled one.

        Only then does their number before a newline tell whether it is inside.
        """
        opening, closing = quotes[::2], quotes[1::2]
        starts = self._edge[codes[opening - 1]]
        starts[opening == 0] = True
        doubled = opening[1:] == closing[: len(opening) - 1] + 1
        starts[1:] |= doubled
        after = closing + 1
        ends = after == len(codes)
        ends |= self._edge[codes[np.minimum(after, len(codes) - 1)]]
        ends[: len(doubled)] |= doubled
        return bool(starts.all() and ends.all())


def _has_newline(buffer: bytearray, start: int, stop: int) -> bool:
    # from one byte before: a \r there may have waited for its \n
    start = max(start - 1, 0)
    return buffer.find(b"\n", start, stop) >= 0 or buffer.find(b"\r", start, stop) >= 0


def _newline(buffer: bytearray, newline: bytes, stop: int, held: int) -> int:
    """The place behind the last newline before ``stop``, 0 if there is none."""
    if newline == b"\r" and stop == held:
        stop -= 1  # the other half of \r\n may be yet to come
    return buffer.rfind(newline, 0, max(stop, 0)) + 1
