"""Arrow columns as what a block gives: floats, coded words, texts.

The buffers are read as they are: ``Array.to_numpy`` and ``pa.array(list)`` load pandas where it is
installed, which costs more than a small file. ``pyarrow.compute`` is loaded only for decimals and
for strings that are not dictionary-coded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from lossctl.data.source import Column
from lossctl.data.values import Where, as_floats, coded, coded_texts, ragged, too_large
from lossctl.exact import LARGEST_EXACT_INT

if TYPE_CHECKING:
    from lossctl.data.source import Codes, ColumnType, Floats
    from lossctl.data.values import Mask, Values

__all__ = [
    "ArrowArray",
    "ArrowType",
    "as_column",
    "bad_text",
    "coded_array",
    "fixed",
    "floats",
    "is_list",
    "is_tensor",
    "is_text",
    "known",
    "list_width",
    "places",
    "plain",
    "size_of",
    "spans",
    "tensor_axes",
    "valid",
]

ArrowArray: TypeAlias = Any  # pyarrow has no stubs
ArrowType: TypeAlias = Any

_NUMPY = {
    pa.int8(): "i1",
    pa.int16(): "i2",
    pa.int32(): "i4",
    pa.int64(): "i8",
    pa.uint8(): "u1",
    pa.uint16(): "u2",
    pa.uint32(): "u4",
    pa.uint64(): "u8",
    pa.float16(): "f2",
    pa.float32(): "f4",
    pa.float64(): "f8",
}
_FEW = 1 << 14  # texts that are coded faster than pyarrow.compute is loaded
_TEXT = {pa.string(), pa.large_string(), pa.string_view()}
_WORDS: dict[str, ColumnType] = {"i": "int", "u": "int", "f": "real"}


def as_column(name: str, kind: ArrowType, rows: int | None = None) -> Column:
    """The contract's column for an Arrow type; extension types and what is nested deeper are ``other``."""
    if is_tensor(kind):
        axes = tuple(tensor_axes(kind))
        shape = axes if len(axes) > 1 else ()
        told = f"tensor of {' x '.join(map(str, axes))} {kind.value_type}"
        return Column(name, _word(kind.value_type), math.prod(axes), told, shape, rows)
    if not is_list(kind):
        return Column(name, _word(kind), None, str(kind), rows=rows)
    inner, width = kind.value_type, size_of(kind)
    axes = (0, size_of(inner)) if is_list(inner) else ()
    word = _word(inner.value_type if axes else inner)
    if word == "other" or (axes and word == "text"):
        return Column(name, "other", None, str(kind), rows=rows)
    return Column(name, word, 0 if axes or word == "text" else width, str(kind), axes, rows)


def size_of(kind: ArrowType) -> int:
    """How many values the lists of a type hold, 0 where only the data tell."""
    return int(kind.list_size) if pa.types.is_fixed_size_list(kind) else 0


def is_tensor(kind: ArrowType) -> bool:
    """Whether each cell is an array of one shape (``arrow.fixed_shape_tensor``)."""
    return isinstance(kind, pa.FixedShapeTensorType)


def tensor_axes(kind: ArrowType) -> list[int]:
    """The sizes of such an array, in the order in which its axes are meant."""
    shape = list(kind.shape)
    return shape if kind.permutation is None else [shape[axis] for axis in kind.permutation]


def _word(kind: ArrowType) -> ColumnType:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if kind in _NUMPY:
        return _WORDS[_NUMPY[kind][0]]
    if pa.types.is_boolean(kind):
        return "bool"
    if kind in _TEXT:
        return "text"
    if pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return "real"
    return "other"


def is_text(kind: ArrowType) -> bool:
    """Whether the type is one of Arrow's string types (not dictionary-coded)."""
    return kind in _TEXT


def is_list(kind: ArrowType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _missing(array: ArrowArray) -> Mask | None:
    """Which cells are null, or ``None`` if none is."""
    if not array.null_count:
        return None
    valid = array.buffers()[0]
    return np.ones(len(array), bool) if valid is None else ~_bits(valid, array.offset, len(array))


def _bits(buffer: Any, offset: int, count: int) -> Mask:
    start = offset // 8
    packed = np.frombuffer(buffer, np.uint8, (offset + count + 7) // 8 - start, start)
    skip = offset - 8 * start
    return np.unpackbits(packed, bitorder="little")[skip : skip + count].view(bool)


def fixed(array: ArrowArray, dtype: str, count: int | None = None) -> Values:
    """The values of a fixed-width array (or its offsets, one more than there are rows)."""
    where = array.offset * np.dtype(dtype).itemsize
    count = len(array) if count is None else count
    buffer = array.buffers()[1]
    return np.frombuffer(buffer, dtype, count, where) if count and buffer else np.empty(0, dtype)


def plain(array: ArrowArray) -> tuple[Values, Mask | None]:
    """A numeric or bool array as NumPy values and the mask of its nulls; values under it mean nothing.

    Raises ``TypeError`` for types that hold no numbers.
    """
    kind = array.type
    if kind in _NUMPY:
        return fixed(array, _NUMPY[kind]), _missing(array)
    if pa.types.is_boolean(kind):
        bits = _bits(array.buffers()[1], array.offset, len(array)) if len(array) else np.empty(0, bool)
        return bits, _missing(array)
    if pa.types.is_dictionary(kind):
        codes, missing = places(array)
        values, absent = plain(array.dictionary)
        if missing is not None:
            codes = np.where(missing, 0, codes)
        if not len(values):
            return np.zeros(len(array)), np.ones(len(array), bool)
        if absent is not None:
            missing = absent[codes] if missing is None else missing | absent[codes]
        return values[codes], missing
    if pa.types.is_null(kind):
        return np.zeros(len(array)), np.ones(len(array), bool)
    if pa.types.is_decimal(kind):  # by way of text: the nearest float, which a plain cast misses
        return plain(array.cast(pa.string()).cast(pa.float64()))
    raise TypeError(f"{kind} is not numbers")


def places(array: ArrowArray) -> tuple[Codes, Mask | None]:
    """Where the cells stand in their dictionary. Raises ``IndexError`` for a place outside of it."""
    found, missing = plain(array.indices)
    codes = found.astype(np.int64)
    known = codes if missing is None else codes[~missing]
    if len(known) and not 0 <= int(known.min()) <= int(known.max()) < len(array.dictionary):
        raise IndexError("a cell points outside the dictionary of its column")
    return codes, missing


def floats(array: ArrowArray, where: Where, width: int | None = None) -> Floats:
    """An array as floats (rows,), or (rows, width) for lists, which must all have that length.

    Raises ``DataError``: ``dtype``, ``integer-too-large``, ``ragged-list``, ``corrupt``.
    """
    try:
        if is_list(array.type):
            values, missing = _rows_of_lists(array, where, width or 0)
        else:
            values, missing = plain(array)
    except TypeError:
        raise where.error(f"{array.type} is not numbers", "dtype") from None
    except IndexError as error:
        raise where.error(str(error), "corrupt") from None
    if pa.types.is_decimal(array.type) and array.type.scale <= 0:
        _refuse_large_decimals(array, values, where)
    return as_floats(values, missing, where)


def _refuse_large_decimals(array: ArrowArray, values: Values, where: Where) -> None:
    for i in np.flatnonzero(np.abs(values) >= LARGEST_EXACT_INT).tolist():
        exact = array[i].as_py()
        if exact is not None and abs(exact) > LARGEST_EXACT_INT:
            raise too_large(where, i, exact)


def valid(array: ArrowArray) -> Mask:
    """Which cells are not null."""
    missing = _missing(array)
    return np.ones(len(array), bool) if missing is None else ~missing


def spans(array: ArrowArray) -> tuple[Values, Values]:
    """Where each list begins and ends among ``array.values``."""
    if pa.types.is_fixed_size_list(array.type):
        size = array.type.list_size
        starts = (array.offset + np.arange(len(array))) * size
        return starts, starts + size
    edges = fixed(array, "i8" if pa.types.is_large_list(array.type) else "i4", len(array) + 1)
    return edges[:-1], edges[1:]


def _rows_of_lists(array: ArrowArray, where: Where, width: int) -> tuple[Values, Mask | None]:
    starts, ends = spans(array)
    nulls = _missing(array)
    wrong = ends - starts != width
    if nulls is not None:
        wrong &= ~nulls
    if wrong.any():
        at = int(wrong.argmax())
        raise ragged(where, at, int(ends[at] - starts[at]), width)
    rows = len(array)
    if nulls is None:
        first = int(starts[0]) if rows else 0
        values, missing = plain(array.values.slice(first, rows * width))
        shape = (rows, width)
        return values.reshape(shape), None if missing is None else missing.reshape(shape)
    values, missing = plain(array.values)
    spots = np.where(nulls, 0, starts)[:, None] + np.arange(width)
    if not len(values):
        return np.zeros((rows, width)), np.ones((rows, width), bool)
    full = np.broadcast_to(nulls[:, None], (rows, width))
    return values[spots], full.copy() if missing is None else full | missing[spots]


def list_width(arrays: Iterable[ArrowArray]) -> int | None:
    """The length of the first list that is not null; ``None`` if there is none."""
    for array in arrays:
        starts, ends = spans(array)
        nulls = _missing(array)
        lengths = (ends - starts) if nulls is None else (ends - starts)[~nulls]
        if len(lengths):
            return int(lengths[0])
    return None


def known(length: int | None) -> int:
    """A length looked up in the data; 1 where no row tells."""
    return 1 if length is None else length


def coded_array(array: ArrowArray) -> tuple[Codes, list[str]]:
    """The array as (codes, words), -1 = null. ``TypeError`` if it has none, ``UnicodeDecodeError``, ``IndexError``."""
    kind = array.type
    if kind in _TEXT:
        if len(array) < _FEW:
            return coded_texts(array.to_pylist())
        if pa.types.is_string_view(kind):
            array = array.cast(pa.large_string())
        array = array.dictionary_encode()
        kind = array.type
    if pa.types.is_dictionary(kind):
        inner, words = _coded_dictionary(array.dictionary)
        codes, missing = places(array)
        if missing is not None:
            codes = np.where(missing, -1, codes)
        return np.append(inner, -1)[codes], words
    if is_list(kind):
        raise TypeError
    if pa.types.is_decimal(kind):
        return coded_array(array.cast(pa.string()))
    return coded(*plain(array))


def _coded_dictionary(values: ArrowArray) -> tuple[Codes, list[str]]:
    if values.type not in _TEXT:
        return coded(*plain(values))
    words = values.to_pylist()
    codes = np.arange(len(words))
    missing = _missing(values)
    if missing is not None:
        codes[missing] = -1
        words = [word or "" for word in words]
    return codes, words


def bad_text(array: ArrowArray) -> int | None:
    """The first row that is not UTF-8."""
    for i in range(len(array)):
        try:
            array[i].as_py()
        except UnicodeDecodeError:
            return i
    return None
