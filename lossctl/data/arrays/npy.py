"""NPY files: one array, read by rows into fresh blocks, never mapped, never unpickled.

A plain file is read where it stands, by whoever asks a block for its numbers: blocks may be
handed to several threads, and it may be cut anywhere. A compressed file runs forward through one stream.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lossctl.data.arrays.block import ArrayBlock
from lossctl.data.arrays.layout import turned
from lossctl.data.cuts import RowSpan, row_spans
from lossctl.data.opening import Input
from lossctl.data.source import Column
from lossctl.data.stored import Spool, Stored, reading
from lossctl.data.values import check_asked, dtype_type
from lossctl.errors import DataError

if TYPE_CHECKING:
    import io

    from lossctl.data.values import Values
    from lossctl.sequences.ragged import Ragged

__all__ = ["NpySource", "StoredArray", "held_block"]

ROW_CAP = 1 << 30  # bytes of one row
_SPAN_BYTES = 1 << 23  # of one span, at most
_LEAST_BYTES = 1 << 19
_SPANS = 16  # at least, as far as they are not too small


class StoredArray(NamedTuple):
    """What an NPY header says: ``start`` is where the values begin in the file or member ``what``."""

    file: str
    what: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    start: int

    @classmethod
    def read(cls, file: str, what: str, stream: io.RawIOBase | IO[bytes]) -> StoredArray:
        """The header at the start of ``stream``, which is left behind it.

        Raises ``DataError``: ``corrupt``; ``too-large`` for rows of more than a gigabyte.
        """
        counted = _Counted(stream)
        with reading(file, what), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a header of Python 2
            major, _ = np.lib.format.read_magic(counted)
            read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = read(counted)
            if not all(isinstance(n, int) and n >= 0 for n in shape):
                raise ValueError(f"shape {shape}")
        array = cls(file, what, tuple(shape), dtype, fortran, counted.count)
        if len(shape) < 3:  # with more axes a caller may turn it first
            array.check_row()
        return array

    def check_row(self, *, turned: bool = False) -> None:
        """Refuses rows that no memory holds; ``turned`` are those of the second axis."""
        axes = (*self.shape[:1], *self.shape[2:]) if turned else self.shape[1:]
        row = math.prod(axes) * self.dtype.itemsize
        if row > ROW_CAP:
            message = f"shape {self.shape} makes rows of {row:,} bytes, more than the {ROW_CAP:,} a row may have"
            raise DataError(message, code="too-large", file=self.file)

    @property
    def rows(self) -> int:
        return self.shape[0]

    @property
    def cells(self) -> int:
        """Values in a row."""
        return math.prod(self.shape[1:])

    @property
    def size(self) -> int:
        """Bytes the values take."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def by_column(self) -> bool:
        """Whether the values of one row lie apart in the file."""
        return self.fortran and self.cells > 1

    def column(self, name: str) -> Column:
        """The contract's column: (N,) has no width, (N, k) has k, more axes have their product."""
        kind = dtype_type(self.dtype)
        if not self.shape or (kind == "text" and len(self.shape) > 1):
            return Column(name, "other", None, f"{self.dtype} of shape {self.shape}")
        width = self.cells if len(self.shape) > 1 else None
        axes = self.shape[1:] if len(self.shape) > 2 else ()
        return Column(name, kind, width, self.dtype.newbyteorder("=").name, axes, self.rows)

    def check_size(self, held: int) -> None:
        """Refuses a header that announces more (``truncated``) or less than the ``held`` bytes behind it."""
        announced = f"{self.what}: shape {self.shape} of {self.dtype} is {self.size:,} bytes"
        if self.size > held:
            message = f"{announced}, but only {held:,} are there"
            raise DataError(message, code="truncated", file=self.file)
        if self.size < held:
            message = f"{announced}, and more follow (several arrays in one file?)"
            hint = "save several arrays with numpy.savez"
            raise DataError(message, code="trailing-bytes", file=self.file, hint=hint)

    def rows_at(self, stored: Stored, first: int, rows: int) -> Values:
        """Rows ``first`` to ``first + rows`` in the file's dtype, (rows, ...), in C order."""
        if not self.by_column:
            values = self._room((rows, *self.shape[1:]))
            self._read(values, stored, first * self.cells)
            return values
        turned = self._room((self.cells, rows))
        for i, column in enumerate(turned):
            self._read(column, stored, i * self.rows + first)
        return np.ascontiguousarray(turned.reshape((*reversed(self.shape[1:]), rows)).T)

    def across_at(self, stored: Stored, first: int, rows: int) -> Values:
        """Rows of the second axis of T x N x ..., as (rows, T, ...): nothing but these is read."""
        length, count, *rest = self.shape
        inner = math.prod(rest)
        if self.fortran:
            runs = self._room((inner, rows, length))
            step, start, size = count * length, first * length, inner
        else:
            runs = self._room((length, rows, *rest))
            step, start, size = count * inner, first * inner, length
        for i in range(size):
            self._read(runs[i], stored, i * step + start)
        return runs.reshape((*reversed(rest), rows, length)).T.swapaxes(0, 1) if self.fortran else runs.swapaxes(0, 1)

    def _read(self, values: Values, stored: Stored, cell: int) -> None:
        start = self.start + cell * self.dtype.itemsize
        self._fill(values, lambda done, view: stored.at(start + done, view))

    def forward(self, stream: Any, sizes: Iterable[int]) -> Iterator[Values]:
        """Runs of rows from a stream that stands behind the header; nothing may follow the last one."""
        for rows in sizes:
            values = self._room((rows, *self.shape[1:]))
            with reading(self.file, self.what):
                self._fill(values, lambda _, view: stream.readinto(view))
            yield values
        with reading(self.file, self.what):
            if stream.read(1):
                self.check_size(self.size + 1)

    def sizes(self, rows: int) -> Iterator[int]:
        """How many rows each block of ``rows`` has."""
        return (min(rows, self.rows - first) for first in range(0, self.rows, rows))

    def _room(self, shape: tuple[int, ...]) -> Values:
        with reading(self.file, self.what):
            return np.empty(shape, self.dtype)

    def _fill(self, values: Values, read: Callable[[int, memoryview], int]) -> None:
        """Reads until the array is full; ``read`` is told how many bytes are done."""
        if not values.nbytes:
            return
        view = memoryview(values.view(np.uint8).reshape(-1).data)
        done = 0
        while done < len(view):
            count = read(done, view[done:])
            if not count:
                message = f"{self.what} ends before its last value"
                raise DataError(message, code="truncated", file=self.file)
            done += count


class _Counted:
    """A stream that counts what is read from it, and reads in full."""

    def __init__(self, stream: io.RawIOBase | IO[bytes]) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = 0, /) -> bytes:
        data = b""
        while len(data) < size and (more := self._stream.read(size - len(data))):
            data += more
        self.count += len(data)
        return data


class NpySource:
    """One NPY file; its only column is called ``array``.

    Raises ``DataError`` from the start: ``corrupt``, ``truncated``, ``trailing-bytes``, ``dtype``
    (objects, dates, complex numbers, records), ``shape`` (no axes).
    """

    format = "npy"

    def __init__(self, data: Input) -> None:
        self.name = data.name
        self.notes: tuple[str, ...] = ()
        self._data = data
        self._array = array = self._header(data.stream())
        if not array.shape:
            raise DataError("the array has no axes, it is a single value", code="shape", file=self.name)
        column = array.column("array")
        if column.type == "other":
            message = f"arrays of dtype {array.dtype} are not read: only numbers, booleans and 1-D text are"
            raise DataError(message, code="dtype", file=self.name)
        if data.path is not None or data.remote:
            array.check_size(data.stored().size() - array.start)
        self.columns: tuple[Column, ...] = (column,)
        self._turned = False

    def turn(self, name: str) -> None:
        """Rows are the second axis from now on, of T x N or T x N x C."""
        (column,) = self.columns
        if not self._turned:
            self.columns = (turned(column, self._array.shape, self.name),)
            self._turned = True

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[ArrayBlock]:
        """Blocks of ``rows`` rows. A plain file is read when a block is asked for its values."""
        return self.between(0, self._rows, numeric, text, rows, sequences)

    def cuts(self) -> Sequence[int]:
        """Every so many rows, a power of two, for a plain file; otherwise only the first row and the last."""
        if self._data.path is None and not self._data.remote:
            return [*range(0, self._rows, self._rows or 1), self._rows]
        wanted = min(max(self._array.size // _SPANS, _LEAST_BYTES), _SPAN_BYTES)
        step = 1 << max((wanted * self._rows // max(self._array.size, 1)).bit_length() - 1, 0)
        return [*range(0, self._rows, step), self._rows]

    def between(
        self,
        start: int,
        stop: int,
        numeric: Sequence[str],
        text: Sequence[str],
        rows: int,
        sequences: Sequence[str] = (),
    ) -> Iterator[ArrayBlock]:
        """Blocks of the rows from ``start`` to ``stop``, each read when it is asked for its values."""
        check_asked(self.name, self.columns, numeric, text, rows, sequences)
        self._array.check_row(turned=self._turned)
        if self._turned:
            return self._across(start, stop, rows)
        if self._data.compression and not self._array.by_column and (start, stop) == (0, self._rows):
            return self._forward(rows)
        return self._anywhere(start, stop, rows)

    def spans(self, numeric: Sequence[str], text: Sequence[str], sequences: Sequence[str] = ()) -> Iterator[RowSpan]:
        """All rows, from cut to cut."""
        check_asked(self.name, self.columns, numeric, text, 1, sequences)
        return row_spans(self, numeric, text, sequences)

    @property
    def _rows(self) -> int:
        return self._array.shape[1 if self._turned else 0]

    def _header(self, stream: io.RawIOBase) -> StoredArray:
        return StoredArray.read(self.name, "the NPY file", stream)

    def _forward(self, rows: int) -> Iterator[ArrayBlock]:
        stream = self._data.stream()
        first = 0
        for values in self._header(stream).forward(stream, self._array.sizes(rows)):
            yield held_block(self.name, first, {"array": values})
            first += len(values)

    def _across(self, start: int, stop: int, rows: int) -> Iterator[ArrayBlock]:
        array, stored = self._array, self._data.stored()
        array.check_size(stored.size() - array.start)
        for first in range(start, stop, rows):
            count = min(rows, stop - first)
            yield ArrayBlock(self.name, first, count, lambda _, first, count: array.across_at(stored, first, count))

    def _anywhere(self, start: int, stop: int, rows: int) -> Iterator[ArrayBlock]:
        array, stored = self._array, self._data.stored()
        spooled = isinstance(stored, Spool)
        if array.by_column or not spooled:
            array.check_size(stored.size() - array.start)

        def fetch(_: str, first: int, count: int) -> Values:
            return array.rows_at(stored, first, count)

        for first in range(start, stop, rows):
            block = ArrayBlock(self.name, first, min(rows, stop - first), fetch)
            if spooled:  # a pipe may end early even if nobody looks at the block
                fetch("array", first + block.rows - 1, 1)
            yield block
        if spooled and stop == array.rows and stored.at(array.start + array.size, memoryview(bytearray(1))):
            array.check_size(array.size + 1)


def held_block(name: str, first: int, arrays: Mapping[str, Values | Ragged]) -> ArrayBlock:
    """A block whose rows are in memory already."""
    rows = len(next(iter(arrays.values())))
    return ArrayBlock(name, first, rows, lambda column, at, count: arrays[column][at - first : at - first + count])
