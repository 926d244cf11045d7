"""Arrays that grow and are then read at any place: in memory as far as there is room, else in temporary files."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from lossctl.data.values import Mask, Values

__all__ = ["Room", "RowShelf", "Shelf", "Space", "TextShelf", "as_words"]

_PAGE = 4096
_TOUCHED = 8 << 20  # bytes of a file's pages that may be in memory at a time
_PIECE = 1 << 20  # rows copied at a time
_KEPT = np.array([0, *((1 << 8 * n) - 1 for n in range(1, 9))], np.uint64)  # the first n bytes of a word


class Room:
    """How many bytes of memory are left for several shelves."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, size: int) -> bool:
        """Whether there is room for so much, which is then taken."""
        if size > self.left:
            return False
        self.left -= size
        return True


@contextmanager
def _spooling() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"rows cannot be kept in a temporary file: {error.strerror or error}"
        hint = "allow more with --memory, or let TMPDIR name a folder with room"
        raise DataError(message, code="spool", hint=hint) from None


class _Scratch:
    """A temporary file without a name, gone with its last user."""

    def __init__(self, size: int = 0) -> None:
        import tempfile

        with _spooling(), tempfile.TemporaryFile(buffering=0) as file:
            os.truncate(file.fileno(), size)
            self.fd = os.dup(file.fileno())

    def write(self, values: Values) -> None:
        """Put an array at the end."""
        view = np.ascontiguousarray(values).data.cast("B") if values.size else memoryview(b"")
        while len(view):
            with _spooling():
                view = view[os.write(self.fd, view) :]

    def __del__(self) -> None:
        if hasattr(self, "fd"):
            os.close(self.fd)


class _Mapped:
    """The bytes of a temporary file as an array; its pages leave memory again."""

    def __init__(self, file: _Scratch, dtype: np.dtype[Any], *, write: bool = False) -> None:
        with _spooling():
            self._map = mmap.mmap(file.fd, 0, access=mmap.ACCESS_WRITE if write else mmap.ACCESS_READ)
        self.array: Values = np.frombuffer(self._map, dtype)
        self._touched = 0

    def touch(self, size: int) -> None:
        """So many bytes were looked at."""
        self._touched += size
        if self._touched > _TOUCHED and hasattr(mmap, "MADV_DONTNEED"):
            self._touched = 0
            self._map.madvise(mmap.MADV_DONTNEED)  # what is written stays in the file


class Shelf:
    """Rows of one shape, added at the end; once ``done`` they are taken from any place, by any thread."""

    def __init__(self, room: Room, dtype: DTypeLike, shape: Sequence[int] = ()) -> None:
        self.rows = 0
        self._room = room
        self._taken = 0
        self._shape = tuple(shape)
        self._array: Values = np.empty((0, *self._shape), dtype)
        self._file: _Scratch | None = None
        self._mapped: _Mapped | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._array.dtype

    def add(self, values: Values) -> None:
        """More rows. The dtype widens where theirs is wider."""
        wider = np.result_type(self.dtype, values.dtype)
        if wider != self.dtype:
            self._widen(wider)
        count = self.rows + len(values)
        if self._file is None and not self._grow(count):
            self._spill()
        if self._file is None:
            self._array[self.rows : count] = values
        else:
            self._file.write(values.astype(self.dtype, copy=False))
            self._mapped = None
        self.rows = count

    def _grow(self, count: int) -> bool:
        if count <= len(self._array):
            return True
        capacity = max(count, len(self._array) * 5 // 4)
        width = self.dtype.itemsize * int(np.prod(self._shape, dtype=np.int64))
        if not self._room.take(extra := (capacity - len(self._array)) * width):
            return False
        self._taken += extra
        self._array.resize((capacity, *self._shape), refcheck=False)
        return True

    def _spill(self) -> None:
        kept, self._array = self._array[: self.rows], np.empty((0, *self._shape), self.dtype)
        self._file = _Scratch()
        self._file.write(kept)
        self._room.left += self._taken
        self._taken = 0

    def _widen(self, dtype: np.dtype[Any]) -> None:
        self.done()
        wide = Shelf(self._room, dtype, self._shape)
        for first in range(0, self.rows, _PIECE):
            wide.add(self.piece(first, min(first + _PIECE, self.rows)).astype(dtype))
        self.drop()
        self.__dict__.update(wide.__dict__)

    def done(self) -> Shelf:
        """What there is can be taken now."""
        if self._file is not None:
            if self.rows and self._mapped is None:
                self._mapped = _Mapped(self._file, self.dtype)
                self._array = self._mapped.array.reshape(-1, *self._shape)
        elif len(self._array) > self.rows:
            width = self._taken // len(self._array)
            self._array.resize((self.rows, *self._shape), refcheck=False)
            self._room.left += self._taken - width * self.rows
            self._taken = width * self.rows
        return self

    def take(self, places: Values, *, runs: int | None = None, length: int = 1) -> Values:
        """A copy of the rows at these places, which are apart, or in so many ``runs``.

        With ``length`` a place is that of a group of so many rows, and so is what it gives.
        """
        array = self._array if length == 1 else self._array.reshape(-1, length, *self._shape)
        found: Values = array[places]
        if self._mapped is not None:
            self._mapped.touch((len(places) if runs is None else runs) * _PAGE + found.nbytes)
        return found

    def piece(self, first: int, stop: int) -> Values:
        """Rows that stand together, where they lie."""
        found = self._array[first:stop]
        if self._mapped is not None:
            self._mapped.touch(found.nbytes)
        return found

    def drop(self) -> None:
        """Give everything back."""
        self._room.left += self._taken
        self._taken, self.rows = 0, 0
        self._array, self._mapped, self._file = np.empty((0, *self._shape), self.dtype), None, None


class Space:
    """An array of zeros to write to at any place: in memory, or a temporary file."""

    def __init__(self, rows: int, dtype: DTypeLike, room: Room) -> None:
        kind = np.dtype(dtype)
        self.rows = rows
        self._mapped: _Mapped | None = None
        if not rows or room.take(rows * kind.itemsize):
            self.array: Values = np.zeros(rows, kind)
            return
        self._mapped = _Mapped(_Scratch(rows * kind.itemsize), kind, write=True)
        self.array = self._mapped.array

    def piece(self, first: int, stop: int) -> Values:
        """Rows that stand together, where they lie."""
        self.touch((stop - first) // 256)
        return self.array[first:stop]

    def touch(self, places: int) -> None:
        """So many places were looked at or written."""
        if self._mapped is not None:
            self._mapped.touch(places * _PAGE)


class RowShelf:
    """Rows of any length (``Ragged``), added at the end and taken from any place."""

    def __init__(self, room: Room, dtype: DTypeLike, shape: Sequence[int] = ()) -> None:
        self.values = Shelf(room, dtype, shape)
        self.lengths = Shelf(room, np.int64)
        self._starts = Shelf(room, np.int64)
        self._missing = Shelf(room, bool)
        self._even: int | None = None  # the length of all rows, as long as they have one

    @property
    def rows(self) -> int:
        return self.lengths.rows

    def add(self, rows: Ragged) -> None:
        if len(rows):
            length = int(rows.lengths[0])
            if not self.rows:
                self._even = length
            if self._even is not None and (length != self._even or (rows.lengths != length).any()):
                self._even = None
        self._add(rows, rows.lengths, rows.flat())

    def _add(self, rows: Ragged, counts: Values, values: Values) -> None:
        if rows.missing is not None and not self._missing.rows:
            self._missing.add(np.zeros(self.rows, bool))
        if rows.missing is not None or self._missing.rows:
            self._missing.add(np.zeros(len(rows), bool) if rows.missing is None else rows.missing)
        self._starts.add(np.cumsum(counts) - counts + self.values.rows)
        self.lengths.add(np.asarray(rows.lengths, np.int64))
        self.values.add(values)

    def shelves(self) -> tuple[Shelf, ...]:
        return self.values, self.lengths, self._starts, self._missing

    def done(self) -> None:
        for shelf in self.shelves():
            shelf.done()

    def drop(self) -> None:
        for shelf in self.shelves():
            shelf.drop()

    def _gone(self, places: Values) -> Mask | None:
        if not self._missing.rows:
            return None
        missing = self._missing.take(places)
        return missing if missing.any() else None

    def take(self, places: Values) -> Ragged:
        """The rows at these places, end to end."""
        lengths = self.lengths.take(places)
        starts = np.cumsum(lengths) - lengths
        if self._even:
            grid = self.values.take(places, length=self._even)
            values = grid if self._even == 1 else grid.reshape(-1, *grid.shape[2:])
            return Ragged(values, starts, lengths, missing=self._gone(places))
        values = self.values.take(_runs(self._starts.take(places), lengths, starts), runs=len(lengths))
        return Ragged(values, starts, lengths, missing=self._gone(places))


class TextShelf(RowShelf):
    """Text as UTF-8, each row in whole words of eight bytes, which are the unit that is moved."""

    def __init__(self, room: Room) -> None:
        super().__init__(room, "<u8")

    def add(self, rows: Ragged) -> None:
        words, counts = as_words(rows)
        self.add_words(rows, words, counts)

    def add_words(self, rows: Ragged, words: Values, counts: Values) -> None:
        """Rows whose ``as_words`` is known."""
        self._add(rows, counts, words)

    def take(self, places: Values) -> Ragged:
        """The rows at these places; between them there may be a few bytes that belong to none."""
        words, starts, lengths = self.words(places)
        return Ragged(words.view(np.uint8), starts * 8, lengths, missing=self._gone(places))

    def words(self, places: Values) -> tuple[Values, Values, Values]:
        """The rows at these places as ``as_words``, where each begins among the words, and its length in bytes."""
        lengths = self.lengths.take(places)
        counts = (lengths + 7) >> 3
        starts = np.cumsum(counts) - counts
        return self.values.take(_runs(self._starts.take(places), counts, starts), runs=len(lengths)), starts, lengths


def _runs(starts: Values, lengths: Values, ends_before: Values) -> Values:
    """The places of runs, one behind the other."""
    if len(lengths) and (lengths == lengths[0]).all():
        return np.asarray((starts[:, None] + np.arange(int(lengths[0]))).ravel())
    return np.repeat(starts - ends_before, lengths) + np.arange(int(lengths.sum()))


def as_words(rows: Ragged) -> tuple[Values, Values]:
    """Bytes as words of eight, each row filled up with zeros; how many words each row has."""
    counts = (rows.lengths + 7) >> 3
    full = rows.lengths > 0
    if not full.any():
        return np.empty(0, "<u8"), counts
    low, high = int(rows.starts[full].min()), int((rows.starts + rows.lengths)[full].max())
    run = np.zeros(high - low + 8, np.uint8)
    run[: high - low] = rows.values[low:high]
    anywhere = np.ndarray((high - low + 1,), "<u8", run, strides=(1,))  # the eight bytes from each place on
    within = 8 * _runs(np.zeros(len(rows), np.int64), counts, np.cumsum(counts) - counts)
    words = anywhere[np.repeat(rows.starts - low, counts) + within]
    words &= _KEPT[np.minimum(np.repeat(rows.lengths, counts) - within, 8)]
    return words, counts
