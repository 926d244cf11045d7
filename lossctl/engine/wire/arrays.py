"""Arrays as bytes: floats as they are, whole numbers in as few bytes as they need, or as steps where those are smaller.

Whole numbers are written plane by plane, first the lowest byte of all, then the next: the high ones are alike, and
alike is what compresses.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl.engine.wire.damage import damaged

__all__ = ["array_bytes", "array_from"]

KINDS = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
RAW, PLANES, STEPS = 0, 0x10, 0x20  # the low half of the byte: how many planes
AXES = 32
WORTH = 16  # numbers from which on a second look pays
ALL = 2**64

Array = NDArray[Any]


def array_bytes(array: Array) -> tuple[bytes, bytes, bytes]:
    """The kind, the way, and the bytes of an array; ``TypeError`` for dtypes that are not numbers."""
    name = array.dtype.str[1:] if array.dtype.kind != "b" else "?"
    if name not in KINDS or array.ndim > AXES:
        raise TypeError(f"an array of {array.dtype} cannot be written")
    kind = bytes((KINDS.index(name),))
    flat = np.ascontiguousarray(array).reshape(-1)
    if array.dtype.kind not in "iu" or array.itemsize == 1 or not flat.size:
        return kind, bytes((RAW,)), flat.astype(flat.dtype.newbyteorder("<"), copy=False).tobytes()
    wide = flat.astype(np.int64 if flat.dtype.kind == "i" else np.uint64).view(np.uint64)
    base, width = reach(wide, flat.dtype.kind)
    if array.ndim == 1 and len(wide) >= WORTH and width > 1:
        steps = np.diff(wide)
        step, narrow = reach(steps, "i")
        if narrow < width:
            return kind, bytes((STEPS | narrow,)), number(int(wide[0])) + number(step) + planes(steps, step, narrow)
    if width < array.itemsize:
        return kind, bytes((PLANES | width,)), number(base) + planes(wide, base, width)
    return kind, bytes((RAW,)), flat.astype(flat.dtype.newbyteorder("<"), copy=False).tobytes()


def reach(wide: NDArray[np.uint64], kind: str) -> tuple[int, int]:
    """The least of some numbers, modulo 2**64, and the bytes that the rest above it takes: at least one."""
    seen = wide.view(np.int64) if kind == "i" else wide
    low, high = int(seen.min()), int(seen.max())
    return low % ALL, max(1, ((high - low).bit_length() + 7) // 8)


def number(n: int) -> bytes:
    return n.to_bytes(8, "little")


def planes(wide: NDArray[np.uint64], base: int, width: int) -> bytes:
    above = (wide - np.uint64(base)).astype("<u8")
    return above.view(np.uint8).reshape(-1, 8)[:, :width].T.tobytes()


def array_from(kind: int, shape: tuple[int, ...], how: int, data: memoryview) -> Array:
    """The array that these bytes are of; its size is held against theirs before anything is made."""
    if kind >= len(KINDS) or len(shape) > AXES:
        raise damaged("an array is of no known kind")
    dtype = np.dtype(KINDS[kind]).newbyteorder("<")
    size = math.prod(shape)
    try:
        if how == RAW:
            if size * dtype.itemsize != len(data):
                raise damaged("an array has another size than its bytes")
            flat = np.frombuffer(data, dtype) if size else np.zeros(0, dtype)
            if dtype.kind == "b" and size and np.frombuffer(data, np.uint8).max() > 1:
                raise damaged("a boolean is neither true nor false")
            return flat.astype(dtype.newbyteorder("="), copy=True).reshape(shape)
        return whole_from(dtype, shape, size, how, data)
    except (ValueError, OverflowError) as error:
        raise error if hasattr(error, "exit") else damaged(f"an array is impossible ({error})") from None


def whole_from(dtype: np.dtype[Any], shape: tuple[int, ...], size: int, how: int, data: memoryview) -> Array:
    """Whole numbers from planes of bytes."""
    way, width = how & 0xF0, how & 0x0F
    starts = 1 if way == STEPS else 0
    head = 8 * (1 + starts)
    if way not in (PLANES, STEPS) or dtype.kind not in "iu" or not 1 <= width <= 8 or size <= starts:
        raise damaged("an array is written in no known way")
    if len(data) != head + (size - starts) * width or (starts and len(shape) != 1):
        raise damaged("an array has another size than its bytes")
    base = np.frombuffer(data[head - 8 : head], "<u8")[0]
    bytes_ = np.zeros((size - starts, 8), np.uint8)
    bytes_[:, :width] = np.frombuffer(data[head:], np.uint8).reshape(width, -1).T
    with np.errstate(over="ignore"):
        wide = bytes_.view("<u8").reshape(-1).astype(np.uint64) + base
        if starts:
            first = np.frombuffer(data[:8], "<u8").astype(np.uint64)
            wide = np.cumsum(np.concatenate([first, wide]), dtype=np.uint64)
    found: Array = wide.astype(dtype.newbyteorder("=")).reshape(shape)
    return found
