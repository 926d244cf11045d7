"""Arrays and columns that are in memory already, as a source like any file."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from lossctl.data.arrays.block import ArrayBlock
from lossctl.data.arrays.layout import Runs, check_lengths, turned
from lossctl.data.sequences import across, uneven_rows
from lossctl.data.source import Column
from lossctl.data.stored import reading
from lossctl.data.values import Where, check_asked, dtype_type, too_large
from lossctl.errors import DataError
from lossctl.exact import LARGEST_EXACT_INT

if TYPE_CHECKING:
    from lossctl.data.arrow.block import ArrowBlock, Part
    from lossctl.data.arrow.nested import Shape
    from lossctl.data.source import Codes, Floats
    from lossctl.data.values import Values
    from lossctl.sequences.ragged import Ragged

__all__ = ["MemorySource"]


class MemorySource:
    """Named columns: NumPy arrays, lists, pandas, polars or pyarrow columns, anything with
    ``__array__`` or Arrow's C interface (``__arrow_c_array__``, ``__arrow_c_stream__``).

    Nothing is copied that can be read where it is. Columns may differ in length, but not within
    one call of ``blocks``. Raises ``DataError``: ``shape`` (no axes), ``dtype``, ``lengths-differ``.
    """

    format = "memory"

    def __init__(self, columns: Mapping[str, object], name: str = "<array>") -> None:
        self.name = name
        self.notes: tuple[str, ...] = ()
        self._arrays: dict[str, Values] = {}
        self._chunked: dict[str, _Chunked] = {}
        self._ragged: dict[str, Ragged] = {}
        self._turned: set[str] = set()
        self.columns: tuple[Column, ...] = tuple(self._taken(key, value) for key, value in columns.items())

    def _taken(self, key: str, value: Any) -> Column:
        if _is_arrow(value):
            self._chunked[key] = chunked = _Chunked(self.name, key, value)
            return chunked.column
        where = Where(self.name, key, 0)
        rows = uneven_rows(value, where)
        if rows is not None:
            self._ragged[key] = rows
            told = "lists of words" if rows.words is not None else f"lists of {rows.dtype} of different lengths"
            axes = (0, *rows.shape[2:]) if rows.words is None else ()
            kind = "text" if rows.words is not None else dtype_type(rows.dtype)
            return Column(key, kind, 0, told, axes, len(rows))
        array = self._arrays[key] = _as_array(value, where)
        kind = "text" if array.dtype == object else dtype_type(array.dtype)
        width = math.prod(array.shape[1:]) if array.ndim > 1 else None
        axes = array.shape[1:] if array.ndim > 2 else ()
        return Column(key, kind, width, str(array.dtype), axes, len(array))

    def turn(self, name: str) -> None:
        """Rows of this array are its second axis from now on, of T x N or T x N x C."""
        column = next(column for column in self.columns if column.name == name)
        if name not in self._arrays:
            raise DataError(f"{column.dtype} is no array", code="shape", file=self.name, column=name)
        if name not in self._turned:
            self._replace(turned(column, self._arrays[name].shape, self.name))
            self._turned.add(name)

    def cut(self, name: str, lengths: str) -> None:
        """An array that holds the rows end to end: ``lengths`` tells how long each is.

        Raises ``DataError``: ``bad-length``, ``lengths-sum``, ``shape``.
        """
        column = next(column for column in self.columns if column.name == name)
        check_asked(self.name, self.columns, [lengths], [], 1)
        if name not in self._arrays:
            raise DataError(f"{column.dtype} is no array", code="shape", file=self.name, column=name)
        whole = [block.numbers(lengths) for block in self.blocks([lengths], [], 1 << 20)]
        array = self._arrays[name]
        numbers = np.concatenate(whole) if whole else np.empty(0)
        runs = Runs(check_lengths(numbers, len(array), column, lengths, self.name))
        self._ragged[name] = runs.of(np.ascontiguousarray(array), 0, len(runs.lengths), Where(self.name, name, 0))
        self._replace(runs.column(column, array.shape))

    def _replace(self, new: Column) -> None:
        self.columns = tuple(new if column.name == new.name else column for column in self.columns)

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[MemoryBlock]:
        """Blocks of ``rows`` rows with the named columns, which must have one length."""
        check_asked(self.name, self.columns, numeric, text, rows, sequences)
        names = list(dict.fromkeys([*numeric, *text, *sequences]))
        lengths = {column.name: column.rows or 0 for column in self.columns}
        if len({lengths[name] for name in names}) > 1:
            told = ", ".join(f'"{name}" {lengths[name]:,} rows' for name in names)
            raise DataError(f"the columns differ in length: {told}", code="lengths-differ", file=self.name)
        total = lengths[names[0]] if names else max(lengths.values(), default=0)
        return self._blocks(names, total, rows)

    def _blocks(self, names: list[str], total: int, rows: int) -> Iterator[MemoryBlock]:
        chunked = [name for name in names if name in self._chunked]
        turned = {name: self._arrays[name] for name in names if name in self._turned}
        for first in range(0, total, rows):
            count = min(rows, total - first)
            arrow = {name: self._chunked[name].block(first, count) for name in chunked}
            yield MemoryBlock(ArrayBlock(self.name, first, count, self._fetch), arrow, turned)

    def _fetch(self, name: str, first: int, rows: int) -> Values | Ragged:
        if name in self._ragged:
            return self._ragged[name][first : first + rows]
        array = self._arrays[name]
        if name in self._turned:
            array = array.swapaxes(0, 1)
        values = np.ascontiguousarray(array[first : first + rows])
        values.flags.writeable = False  # it may be the caller's own memory
        return values


class MemoryBlock:
    """Some rows of a ``MemorySource``: its NumPy and its Arrow columns side by side."""

    def __init__(self, arrays: ArrayBlock, arrow: dict[str, ArrowBlock], turned: dict[str, Values]) -> None:
        self.first = arrays.first
        self.rows = arrays.rows
        self._turned = turned
        self._arrays = arrays
        self._arrow = arrow

    def numbers(self, name: str) -> Floats:
        """The column as floats, (rows, ...)."""
        return self._of(name).numbers(name)

    def labels(self, name: str) -> tuple[Codes, list[str]]:
        """The column as coded words."""
        return self._of(name).labels(name)

    def texts(self, name: str) -> list[str | None]:
        """The column cell by cell."""
        return self._of(name).texts(name)

    def strings(self, name: str) -> Ragged:
        """The column as UTF-8, or its lists of words as codes."""
        return self._of(name).strings(name)

    def sequences(self, name: str) -> Ragged:
        """Arrays and lists of numbers; where frames come first, without a copy."""
        where_they_are = across(self._turned[name], self.first, self.rows) if name in self._turned else None
        return self._of(name).sequences(name) if where_they_are is None else where_they_are

    def _of(self, name: str) -> ArrayBlock | ArrowBlock:
        return self._arrow.get(name, self._arrays)


class _Chunked:
    """One Arrow column."""

    def __init__(self, file: str, name: str, value: Any) -> None:
        import pyarrow as pa

        from lossctl.data.arrow.arrays import as_column
        from lossctl.data.arrow.block import Part

        with reading(file, f'column "{name}"'):
            whole = hasattr(value, "__arrow_c_array__")
            data = pa.chunked_array([pa.array(value)] if whole else value)
        self.column = as_column(name, data.type, len(data))
        self._file = file
        self._parts = [Part({name: chunk}, len(chunk)) for chunk in data.chunks if len(chunk)]
        self._ends = list(accumulate(part.rows for part in self._parts))
        shape = self._shape(data)
        self._shapes = {} if shape is None else {name: shape}

    def _shape(self, data: Any) -> Shape | None:
        from lossctl.data.arrow.arrays import known, list_width
        from lossctl.data.arrow.nested import Frames, Lists, first_frame, shape_of

        column = self.column
        if column.width is None or column.type == "text":
            return None
        if column.axes[:1] == (0,):
            return Frames(column.axes[1] or known(first_frame(data.chunks)))
        return shape_of(data.type, column.width, None) if column.width else Lists(known(list_width(data.chunks)))

    def block(self, first: int, rows: int) -> ArrowBlock:
        from lossctl.data.arrow.block import ArrowBlock

        pieces: list[tuple[Part, int, int]] = []
        at, stop = bisect_right(self._ends, first), first + rows
        while first < stop:
            part = self._parts[at]
            start = self._ends[at] - part.rows
            end = min(stop, self._ends[at])
            pieces.append((part, first - start, end - start))
            first, at = end, at + 1
        return ArrowBlock(self._file, stop - rows, pieces, self._shapes)


def _is_arrow(value: Any) -> bool:
    """Whether to go by Arrow's interface: not for what NumPy holds already, nor for whole tables."""
    if isinstance(getattr(value, "dtype", None), np.dtype) or getattr(value, "ndim", 1) != 1:
        return False
    return hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")


def _as_array(value: Any, where: Where) -> Values:
    """Anything array-like as an array of numbers, of text, or of ``str | None`` objects."""
    try:
        array = _unmasked(value) if hasattr(value, "mask") and hasattr(value, "filled") else np.asarray(value)
    except ValueError as error:
        raise where.error(f"the values make no array: {error}", "ragged-list") from None
    except (TypeError, RuntimeError) as error:  # a tensor on another device, or one with gradients
        raise where.error(f"the values make no array: {error}", "dtype") from None
    if not array.ndim:
        raise where.error(f"a single value ({array.dtype}) is no column", "shape")
    if array.dtype.kind == "T":  # NumPy's text of any length
        array = array.astype(object)
    if array.dtype == object and array.ndim == 1:
        array = _objects(array, where)
    if dtype_type(array.dtype) == "other" and array.dtype != object:
        raise where.error(f"dtype {array.dtype} is neither numbers nor text", "dtype")
    if array.dtype.kind in "OU" and array.ndim > 1:
        raise where.error(f"{array.ndim} axes of {array.dtype} are not read", "dtype")
    return array


def _unmasked(value: Any) -> Values:
    """A masked array as objects, or where it has more axes as floats; masked is missing."""
    kind: Any = object if value.ndim == 1 else np.float64
    cells = np.asarray(value.data).astype(kind)
    cells[np.broadcast_to(value.mask, cells.shape)] = None  # NaN among floats
    return cells


def _objects(array: Values, where: Where) -> Values:
    """Python objects: all text or missing, or all numbers or missing; nothing else."""
    cells = [None if _is_missing(cell) else cell for cell in array.tolist()]
    present = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, str) for cell in present) and present:
        texts = np.empty(len(cells), object)
        texts[:] = cells
        return texts
    for at, cell in enumerate(cells):
        if cell is not None and not isinstance(cell, (int, float)):
            raise where.error(f"{type(cell).__name__} {cell!r:.60} is neither number nor text", "dtype", at)
        if isinstance(cell, int) and abs(cell) > LARGEST_EXACT_INT:
            raise too_large(where, at, cell)
    return np.array([np.nan if cell is None else cell for cell in cells], np.float64)


def _is_missing(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell)) or type(cell).__name__ == "NAType"
