"""Text files without a header: nothing but numbers, as ``numpy.savetxt`` and LightGBM write them.

Columns stand between commas, tabs or blanks, and are called 1, 2, 3, ... A file whose first line
holds anything else is a CSV file, or a TSV file if there are tabs in that line.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lossctl.data.stored import reading
from lossctl.data.text.csv import CsvSource, one_byte
from lossctl.data.text.rowends import CAP, MARK
from lossctl.errors import DataError

if TYPE_CHECKING:
    from lossctl.data.opening import Input

__all__ = ["text_source"]

_NUMBER = re.compile(rb"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf|infinity)", re.IGNORECASE)
_PIECE = 1 << 20


def text_source(
    data: Input, *, delimiter: str | None = None, no_header: bool = False, null_values: Sequence[str] = ()
) -> CsvSource:
    """The source behind a text file; ``delimiter`` and ``no_header`` are the caller's word for it."""
    line = _first_line(data)
    mark = one_byte(delimiter) if delimiter else _delimiter(line)
    cells = line.split() if mark == " " else line.split(mark.encode())
    if all(_NUMBER.fullmatch(cell.strip(b" \t")) for cell in cells):
        through = _Squeezed if mark == " " else None
        return CsvSource(data, format="text", delimiter=mark, no_header=True, null_values=null_values, through=through)
    format = "tsv" if b"\t" in line else "csv"
    return CsvSource(data, format=format, delimiter=delimiter, no_header=no_header, null_values=null_values)


def _delimiter(line: bytes) -> str:
    """What stands between the numbers of a line; tabs beside blanks are blanks too."""
    if b"," in line:
        return ","
    return "\t" if b"\t" in line and b" " not in line else " "


def _first_line(data: Input) -> bytes:
    """The first line that is not blank."""
    size = 1 << 12
    while True:
        raw = data.head(size)
        head = raw.removeprefix(MARK).lstrip(b" \t\r\n")
        line = re.match(rb"[^\r\n]*", head)
        assert line is not None
        if line.end() < len(head) or len(raw) < size or size > CAP:
            return line[0].rstrip(b" \t")
        size *= 4


class _Squeezed(io.RawIOBase):
    """A stream of lines whose columns stand apart by one blank each."""

    def __init__(self, name: str, stream: io.RawIOBase) -> None:
        self._name = name
        self._stream = stream
        self._rest = b""
        self._ready = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            self._more()
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _more(self) -> None:
        with reading(self._name):
            piece = self._stream.read(_PIECE) or b""
        self._ended = not piece
        data = self._rest + piece
        cut = len(data) if self._ended else max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
        if not cut and len(data) > CAP:
            raise DataError(f"a row is longer than {CAP >> 20} MB", code="line-too-long", file=self._name)
        whole, self._rest = data[:cut], data[cut:]
        lines = (b" ".join(line.split()) + line[len(line.rstrip(b"\r\n")) :] for line in whole.splitlines(True))
        self._ready = memoryview(b"".join(lines))
