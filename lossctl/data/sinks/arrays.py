"""Cells as Arrow arrays, made of buffers: ``pa.array`` loads pandas where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
from pyarrow import _compute  # pyarrow.compute hands on the same and takes 30 ms more at the start

from lossctl.spelling import utf8

if TYPE_CHECKING:
    from lossctl.data.sinks.sink import Floats, Ints, Mask

__all__ = ["TEXT", "ArrowArray", "call", "doubles", "integers", "picked", "texts", "words"]

ArrowArray: TypeAlias = Any  # pyarrow has no stubs

TEXT = pa.large_string()
_FEW = 4  # words for each row, of which the others are not looked at


def call(name: str, arguments: Sequence[ArrowArray], options: Any = None) -> ArrowArray:
    """What a compute function of Arrow makes of the arrays."""
    return _compute.call_function(name, list(arguments), options)


def integers(values: Ints) -> ArrowArray:
    return _array(pa.int64(), np.array(values, np.int64), None)


def doubles(values: Floats, missing: Mask | None = None) -> ArrowArray:
    return _array(pa.float64(), np.array(values, np.float64), missing)


def _array(kind: Any, values: Any, missing: Mask | None) -> ArrowArray:
    valid = None
    if missing is not None and missing.any():
        valid = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(values)])


def words(found: Sequence[str]) -> ArrowArray:
    """The words as an array of text."""
    joined = "".join(found)
    if joined.isascii():
        lengths, data = map(len, found), joined.encode("ascii")
    else:
        encoded = [utf8(word) for word in found]
        lengths, data = map(len, encoded), b"".join(encoded)
    ends = np.zeros(len(found) + 1, np.int64)
    np.cumsum(np.fromiter(lengths, np.int64, len(found)), out=ends[1:])
    return pa.Array.from_buffers(TEXT, len(found), [None, pa.py_buffer(ends), pa.py_buffer(data)])


def picked(array: ArrowArray, places: Ints, missing: Mask | None = None) -> ArrowArray:
    """The cells at these places; null where missing."""
    return call("array_take", [array, _array(pa.int64(), np.array(places, np.int64), missing)])


def texts(
    places: Ints, found: Sequence[str], spell: Callable[[Sequence[str]], Sequence[str]] | None = None
) -> ArrowArray:
    """Coded text, -1 = missing, as an array; the words are spelled before they are laid out."""
    missing = places < 0
    if len(found) > _FEW * len(places):
        used, places = np.unique(np.where(missing, -1, places), return_inverse=True)
        found = [found[i] if i >= 0 else "" for i in used.tolist()]
    return picked(words(found if spell is None else spell(found)), np.where(missing, 0, places), missing)
