"""Rows of any length out of arrays, texts and lists: numbers keep their dtype, words become codes. NumPy only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lossctl.data.values import Where, as_floats, named
from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from lossctl.data.source import Codes
    from lossctl.data.values import Mask, Values

__all__ = [
    "across",
    "coded_rows",
    "decimals",
    "dense",
    "encoded",
    "gathered",
    "kept",
    "no_sequence",
    "null_item",
    "owner",
    "stacked",
    "uneven_rows",
]

_LARGEST = 2**63 - 1
_TENS = 10 ** np.arange(1, 20, dtype=np.uint64)
_SURROGATE = re.compile("[\ud800-\udfff]")


def kept(values: Values, missing: Mask | None, where: Where) -> Values:
    """Numbers as they are: float32 and float64, and integers as int64; those with ``missing`` ones are floats.

    Raises ``DataError``: ``dtype``, ``integer-too-large``; the row is that of the value, were each a row.
    """
    kind = values.dtype.kind
    if kind == "f" or missing is not None:
        return as_floats(values, missing, where)
    if kind not in "iub":
        raise where.error(f"{named(values.dtype)} is not numbers", "dtype")
    if kind == "b":
        values = values.view(np.uint8) != 0  # any byte but 0 is true
    elif values.dtype.itemsize == 8 and kind == "u" and values.size and int(values.max()) > _LARGEST:
        at = int(values.argmax())
        raise where.error(f"{values.flat[at]} is an integer beyond 2^63", "integer-too-large", at)
    return values.astype(np.int64, copy=False)


def no_sequence(where: Where) -> DataError:
    """The error for a column of single values."""
    hint = "sequences are arrays of two axes or more, or list columns (Parquet, Arrow, JSONL)"
    return where.error("one value a row is no sequence", "dtype", hint=hint)


def dense(values: Values, where: Where) -> Ragged:
    """An array (rows, T, ...) as rows that fill it; without a copy if rows or T come first in memory."""
    if values.ndim < 2:
        raise no_sequence(where)
    try:
        values = kept(values, None, where)
    except DataError as error:
        if error.row is not None:
            error.row = where.first + (error.row - where.first - 1) // (values.size // len(values)) + 1
        raise
    turned = values.swapaxes(0, 1)
    if turned.flags.c_contiguous and not values.flags.c_contiguous:
        return Ragged.padded(turned, by_time=True)
    return Ragged.padded(np.ascontiguousarray(values))


def across(array: Values, first: int, rows: int) -> Ragged | None:
    """Rows of the second axis of (T, N, ...), where they lie; ``None`` if they cannot be taken from there."""
    if not array.flags.c_contiguous or array.dtype not in (np.float32, np.float64, np.int64):
        return None
    length, step = array.shape[:2]
    flat = array.reshape(length * step, *array.shape[2:])
    starts = np.arange(first, first + rows, dtype=np.int64)
    return Ragged(flat, starts, np.full(rows, length, np.int64), step=step)


def encoded(texts: Sequence[str | None], where: Where) -> Ragged:
    """Texts as UTF-8. Raises ``DataError`` (code ``encoding``) for half a surrogate pair."""
    try:
        return Ragged.texts(texts)
    except UnicodeEncodeError:
        at = next(i for i, text in enumerate(texts) if text is not None and _SURROGATE.search(text))
        message = "the text holds one half of a surrogate pair, which is no character"
        raise where.error(message, "encoding", at) from None


def decimals(values: Values, missing: Mask | None = None) -> Ragged:
    """Integers as Python writes them.

    >>> decimals(np.array([7, -10])).packed().values.tobytes()
    b'7-10'
    """
    negative = values < 0
    rest = values.astype(np.int64 if values.dtype.kind == "i" else np.uint64).view(np.uint64)
    rest = np.where(negative, ~rest + np.uint64(1), rest)
    digits = 1 + np.searchsorted(_TENS, rest, "right")
    width = int(digits.max(initial=0)) + 1
    text = np.empty((len(values), width), np.uint8)
    for place in range(width - 1, 0, -1):
        rest, digit = np.divmod(rest, np.uint64(10))
        text[:, place] = digit + np.uint64(ord("0"))
    ends = np.arange(1, len(values) + 1) * width
    lengths = (digits + negative).astype(np.int64)
    text.ravel()[(ends - lengths)[negative]] = ord("-")
    gone = missing if missing is not None and missing.any() else None
    return Ragged(text.ravel(), ends - lengths, lengths if gone is None else np.where(gone, 0, lengths), missing=gone)


def coded_rows(rows: Sequence[Sequence[str] | None], where: Where) -> Ragged:
    """Lists of words as codes, numbered in order of appearance."""
    places: dict[str, int] = {}
    codes = [places.setdefault(word, len(places)) for row in rows if row is not None for word in row]
    encoded(list(places), where)
    lengths = np.array([0 if row is None else len(row) for row in rows], np.int64)
    missing = np.array([row is None for row in rows], bool)
    return Ragged(
        np.array(codes, np.int64),
        np.cumsum(lengths) - lengths,
        lengths,
        missing=missing if missing.any() else None,
        words=list(places),
    )


def gathered(table: Ragged, codes: Codes) -> Ragged:
    """A row of ``table`` for each code, where they lie; -1 is missing."""
    absent = codes < 0
    if not len(table):
        nothing = np.zeros(len(codes), np.int64)
        return Ragged(table.values, nothing, nothing, missing=absent)
    places = np.where(absent, 0, codes)
    if table.missing is not None:
        absent = absent | table.missing[places]
    lengths = np.where(absent, 0, table.lengths[places])
    return Ragged(table.values, table.starts[places], lengths, missing=absent if absent.any() else None)


def stacked(parts: Sequence[Ragged]) -> Ragged:
    """Rows of several, one after the other, each with the stretch of values that its rows lie in."""
    if len(parts) == 1:
        return parts[0]
    words: dict[str, int] | None = {} if any(part.words is not None for part in parts) else None
    runs, starts, size = [], [], 0
    for part in parts:
        full = part.lengths > 0
        low = int(part.starts[full].min()) if full.any() else 0
        high = int((part.starts + part.lengths)[full].max()) if full.any() else 0
        run = part.values[low:high]
        if words is not None:
            table = [words.setdefault(word, len(words)) for word in part.words or ()]
            run = np.array(table, np.int64)[run]
        runs.append(run)
        starts.append(part.starts - low + size)
        size += len(run)
    missing = [np.zeros(len(part), bool) if part.missing is None else part.missing for part in parts]
    known = any(part.missing is not None for part in parts)
    return Ragged(
        np.concatenate(runs),
        np.concatenate(starts),
        np.concatenate([part.lengths for part in parts]),
        missing=np.concatenate(missing) if known else None,
        words=None if words is None else list(words),
    )


def owner(starts: Values, lengths: Values, at: int) -> int:
    """The row that the element at this place belongs to."""
    return int(((starts <= at) & (at < starts + lengths)).argmax())


def null_item(where: Where, row: int, item: int, what: str) -> DataError:
    """The error for a null within a list of words or of frames."""
    return where.error(f"item {item + 1:,} of the list is null, where {what} is wanted", "null-in-list", row)


def uneven_rows(value: Any, where: Where) -> Ragged | None:
    """Python rows that make no array of numbers: lists of different lengths, lists of words; else ``None``.

    Raises ``DataError``: ``ragged-list`` for frames of different sizes, ``dtype``, ``null-in-list``.
    """
    if isinstance(value, np.ndarray) and (value.dtype.kind not in "OU" or not value.ndim):
        return None
    rows = list(value) if getattr(getattr(value, "dtype", None), "kind", "") == "O" else value
    if not isinstance(rows, (list, tuple, np.ndarray)) or not all(row is None or _is_row(row) for row in rows):
        return None
    if all(row is None for row in rows):
        return None
    if all(isinstance(word, str) for row in rows if row is not None for word in row) and any(map(_length, rows)):
        return coded_rows([None if row is None else [str(word) for word in row] for row in rows], where)
    if len({_length(row) for row in rows}) == 1 and not any(row is None for row in rows):
        return None
    return _joined([None if row is None else _row(row, at, where) for at, row in enumerate(rows)], where)


def _is_row(row: Any) -> bool:
    return isinstance(row, (list, tuple)) or getattr(row, "ndim", 0) > 0


def _length(row: Any) -> int:
    return 0 if row is None else len(row)


def _row(row: Any, at: int, where: Where) -> Values:
    """One row as an array of numbers, (length,) or (length, C)."""
    try:
        array = np.asarray(row)
        array = np.asarray(row, np.float64) if array.dtype == object else array  # None is NaN
    except (ValueError, TypeError, RuntimeError) as error:
        raise where.error(f"the row makes no array: {error}", "ragged-list", at) from None
    if array.dtype.kind not in "fiub":
        raise where.error(f"{named(array.dtype)} is not numbers", "dtype", at)
    return array


def _joined(rows: Sequence[Values | None], where: Where) -> Ragged:
    full = [(row.shape[1:], at) for at, row in enumerate(rows) if row is not None and row.size]
    for shape, at in full:
        if shape != full[0][0]:
            found, wanted = (" x ".join(map(str, sizes)) or "1" for sizes in (shape, full[0][0]))
            raise where.error(f"{found} values in a frame, expected {wanted}", "ragged-list", at)
    lengths = np.array([_length(row) for row in rows], np.int64)
    parts = [row for row in rows if row is not None and row.size]
    values = kept(np.concatenate(parts), None, where) if parts else np.empty(0)
    missing = np.array([row is None for row in rows], bool)
    return Ragged(values, np.cumsum(lengths) - lengths, lengths, missing=missing if missing.any() else None)
