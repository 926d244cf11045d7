"""Arrow columns as rows of any length, off their buffers: text, lists of words, lists of numbers and of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from lossctl.data.arrow.arrays import (
    ArrowArray,
    bad_text,
    coded_array,
    fixed,
    is_list,
    is_tensor,
    is_text,
    places,
    plain,
    spans,
    tensor_axes,
    valid,
)
from lossctl.data.sequences import decimals, dense, encoded, gathered, kept, no_sequence, null_item, owner
from lossctl.data.values import Where, ragged
from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from lossctl.data.values import Mask, Values

__all__ = ["numbers", "of_tensors", "raw_text", "tensors", "text"]


def text(array: ArrowArray, where: Where) -> Ragged:
    """Text as its bytes, lists of words as codes, other cells as they are written out.

    Raises ``DataError``: ``encoding``, ``dtype``, ``corrupt``, ``null-in-list``.
    """
    kind = array.type
    try:
        if is_text(kind):
            return _bytes(array, where)
        if pa.types.is_dictionary(kind) and is_text(kind.value_type):
            codes, absent = places(array)
            codes = codes if absent is None else np.where(absent, -1, codes)
            return gathered(_bytes(array.dictionary, where, array), codes)
        if is_list(kind):
            return _words(array, where)
        if pa.types.is_integer(kind):
            return decimals(*plain(array))
        codes, words = coded_array(array)
    except TypeError:
        raise where.error(f"{kind} is not text", "dtype") from None
    except IndexError as error:
        raise where.error(str(error), "corrupt") from None
    return gathered(encoded(words, where), codes)


def _bytes(array: ArrowArray, where: Where, within: ArrowArray | None = None) -> Ragged:
    """The cells of a string array, or of the dictionary of ``within``, where they lie in its buffer."""
    if pa.types.is_string_view(array.type):
        array = array.cast(pa.large_string())
    try:
        array.validate(full=True)  # UTF-8, without a Python string
    except pa.ArrowInvalid as error:
        at = bad_text(array if within is None else within)
        if at is None:
            raise where.error(f"the column is corrupt: {' '.join(str(error).split())[:300]}", "corrupt") from None
        raise where.error("a cell is not valid UTF-8 text", "encoding", at) from None
    return raw_text(array)


def raw_text(array: ArrowArray) -> Ragged:
    """The bytes of a string or binary array, or of one coded by a dictionary of such, unchecked."""
    if pa.types.is_dictionary(array.type):
        codes, absent = places(array)
        codes = codes if absent is None else np.where(absent, -1, codes)
        return gathered(raw_text(array.dictionary), codes)
    rows = len(array)
    edges = fixed(array, "i8" if pa.types.is_large_string(array.type) else "i4", rows + 1 if rows else 0)
    data = array.buffers()[2] if rows else None
    values = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    starts = edges[:rows].astype(np.int64)
    return _of(values, starts, edges[1:] - starts, valid(array))


def _of(values: Values, starts: Values, lengths: Values, there: Mask) -> Ragged:
    missing = None if there.all() else ~there
    lengths = np.asarray(lengths, np.int64)
    return Ragged(values, starts, lengths if missing is None else np.where(there, lengths, 0), missing=missing)


def _lists(array: ArrowArray) -> tuple[Values, Values, Mask, ArrowArray]:
    """Where each list begins, how long it is, which there are, and the items that they lie in."""
    starts, ends = spans(array)
    there = valid(array)
    lengths = np.where(there, ends - starts, 0).astype(np.int64)
    full = lengths > 0
    low = int(starts[full].min()) if full.any() else 0
    high = int(ends[full].max()) if full.any() else 0
    return starts.astype(np.int64) - low, lengths, there, array.values.slice(low, high - low)


def _words(array: ArrowArray, where: Where) -> Ragged:
    """Lists of words as codes. Raises ``TypeError`` if they hold none."""
    starts, lengths, there, items = _lists(array)
    kind = items.type.value_type if pa.types.is_dictionary(items.type) else items.type
    if not is_text(kind):
        raise TypeError
    try:
        codes, words = coded_array(items)
    except UnicodeDecodeError:
        row = owner(starts, lengths, bad_text(items) or 0)
        raise where.error("a word is not valid UTF-8 text", "encoding", row) from None
    _refuse_nulls(codes < 0, starts, lengths, where, "text")
    made = _of(codes, starts, lengths, there)
    return Ragged(codes, starts, made.lengths, missing=made.missing, words=words)


def _refuse_nulls(absent: Mask, starts: Values, lengths: Values, where: Where, what: str) -> None:
    """Raises ``DataError`` for a null item of a row; what lies between rows may be anything."""
    if absent.any() and (bad := absent & _used(starts, lengths, len(absent))).any():
        at = int(bad.argmax())
        row = owner(starts, lengths, at)
        raise null_item(where, row, at - int(starts[row]), what)


def _used(starts: Values, lengths: Values, count: int) -> Mask:
    """Which of so many items belong to a row."""
    edges = np.zeros(count + 1, np.int64)
    np.add.at(edges, starts[lengths > 0], 1)
    np.add.at(edges, (starts + lengths)[lengths > 0], -1)
    return np.asarray(np.cumsum(edges)[:-1] > 0)


def numbers(array: ArrowArray, where: Where, width: int) -> Ragged:
    """Lists of numbers, or of frames of ``width`` numbers each.

    Raises ``DataError``: ``dtype``, ``ragged-list``, ``null-in-list``, ``integer-too-large``.
    """
    if not is_list(array.type):
        raise no_sequence(where)
    starts, lengths, there, items = _lists(array)
    try:
        values = _frames(items, starts, lengths, where, width) if is_list(items.type) else _cells(items, where)
    except TypeError:
        raise where.error(f"{array.type} is not numbers", "dtype") from None
    except DataError as error:
        if error.code == "integer-too-large" and error.row is not None:  # so far the place of the value
            at = (error.row - where.first - 1) // (width if is_list(items.type) else 1)
            error.row = where.first + owner(starts, lengths, at) + 1
        raise
    return _of(values, starts, lengths, there)


def _cells(items: ArrowArray, where: Where) -> Values:
    values, absent = plain(items)
    return kept(values, absent, where)


def _frames(items: ArrowArray, starts: Values, lengths: Values, where: Where, width: int) -> Values:
    """(items, width): the inner lists, which must all have that length where a row has them."""
    begins, ends = spans(items)
    sizes, absent = ends - begins, ~valid(items)
    wrong = absent | (sizes != width)
    if not wrong.any():
        first = int(begins[0]) if len(items) else 0
        return _cells(items.values.slice(first, len(items) * width), where).reshape(len(items), width)
    _refuse_nulls(absent, starts, lengths, where, "a list of numbers")
    used = _used(starts, lengths, len(items))
    if (wrong & used).any():
        at = int((wrong & used).argmax())
        raise ragged(where, owner(starts, lengths, at), int(sizes[at]), width)
    cells = _cells(items.values, where)
    filled = np.zeros((len(items), width), cells.dtype)
    filled[used] = cells[begins[used][:, None] + np.arange(width)]
    return filled


def tensors(array: ArrowArray) -> tuple[Values, Mask]:
    """Cells of one shape as (rows, *axes), and which of them there are; what is missing holds anything."""
    kind, storage = array.type, array.storage
    starts, _ = spans(storage)
    size = storage.type.list_size
    values, absent = plain(storage.values.slice(int(starts[0]) if len(array) else 0, len(array) * size))
    if absent is not None:
        values = np.where(absent, np.nan, values)
    values = values.reshape(len(array), *kind.shape)
    if kind.permutation is not None:
        values = values.transpose(0, *(axis + 1 for axis in kind.permutation))
    assert list(values.shape[1:]) == tensor_axes(kind)
    return values, valid(array)


def of_tensors(array: ArrowArray, where: Where) -> Ragged:
    """Cells of one shape as rows that are all as long."""
    if not is_tensor(array.type):
        raise no_sequence(where)
    values, there = tensors(array)
    rows = dense(values, where)
    if there.all():
        return rows
    return Ragged(rows.values, rows.starts, np.where(there, rows.lengths, 0), step=rows.step, missing=~there)
