"""Trees of plain values as bytes: a letter for what comes, then how long it is where that varies, then itself.

None, booleans, whole numbers of any size, floats (all bits), text (any), bytes, lists, mappings with text as keys,
arrays. Nothing is executed to read them, and nothing is made that is much larger than the bytes it is read from.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from lossctl.engine.wire.arrays import array_bytes, array_from
from lossctl.engine.wire.damage import damaged

__all__ = ["Reader", "written"]

DEPTH = 32  # of lists and mappings inside each other


def written(tree: Any) -> bytes:
    """The bytes of a tree; ``TypeError`` for what has none."""
    parts: list[bytes] = []
    _write(tree, parts, 0)
    return b"".join(parts)


def _write(value: Any, to: list[bytes], depth: int) -> None:
    if depth > DEPTH:
        raise TypeError("a tree this deep cannot be written")
    if value is None:
        to.append(b"N")
    elif isinstance(value, bool):
        to.append(b"T" if value else b"F")
    elif isinstance(value, int):
        data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        to += (b"i", length(len(data)), data)
    elif isinstance(value, float):
        to.append(struct.pack("<cd", b"f", value))
    elif isinstance(value, str):
        _text(value, to, b"s")
    elif isinstance(value, bytes):
        to += (b"b", length(len(value)), value)
    elif isinstance(value, (list, tuple)):
        to += (b"l", length(len(value)))
        for each in value:
            _write(each, to, depth + 1)
    elif isinstance(value, dict):
        to += (b"d", length(len(value)))
        for key, each in value.items():
            if not isinstance(key, str):
                raise TypeError(f"keys are text, not {type(key).__name__}")
            _text(key, to, b"")
            _write(each, to, depth + 1)
    elif isinstance(value, np.ndarray):
        kind, how, data = array_bytes(value)
        to += (b"a", kind, length(value.ndim), *map(length, value.shape), how, length(len(data)), data)
    else:
        raise TypeError(f"{type(value).__name__} cannot be written")


def _text(value: str, to: list[bytes], letter: bytes) -> None:
    data = value.encode("utf-8", "surrogatepass")
    to += (letter, length(len(data)), data)


def length(n: int) -> bytes:
    """Seven bits at a time, the lowest first; the eighth says that there are more."""
    if n < 0x80:
        return bytes((n,))
    found = bytearray()
    while n >= 0x80:
        found.append(n & 0x7F | 0x80)
        n >>= 7
    found.append(n)
    return bytes(found)


class Reader:
    """Reads one tree off bytes."""

    def __init__(self, data: bytes | memoryview) -> None:
        self.data = memoryview(data)
        self.at = 0

    def tree(self) -> Any:
        """All of the bytes as one value."""
        value = self._value(0)
        if self.at != len(self.data):
            raise damaged("something follows its end")
        return value

    def _bytes(self, n: int) -> memoryview:
        if n > len(self.data) - self.at:
            raise damaged("it ends too early")
        found = self.data[self.at : self.at + n]
        self.at += n
        return found

    def _length(self) -> int:
        n = shift = 0
        while True:
            byte = self._bytes(1)[0]
            n |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return n
            if shift > 63:
                raise damaged("a length is out of range")

    def _items(self) -> int:
        """How many items follow: each takes a byte at least."""
        n = self._length()
        if n > len(self.data) - self.at:
            raise damaged("it ends too early")
        return n

    def _text(self) -> str:
        try:
            return str(self._bytes(self._length()), "utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise damaged("a text is not UTF-8") from None

    def _value(self, depth: int) -> Any:
        if depth > DEPTH:
            raise damaged("it is too deep")
        letter = self._bytes(1)[0]
        if letter in b"NTF":
            return {b"N"[0]: None, b"T"[0]: True, b"F"[0]: False}[letter]
        if letter in b"i":
            return int.from_bytes(self._bytes(self._length()), "little", signed=True)
        if letter in b"f":
            return struct.unpack("<d", self._bytes(8))[0]
        if letter in b"s":
            return self._text()
        if letter in b"b":
            return bytes(self._bytes(self._length()))
        if letter in b"l":
            return [self._value(depth + 1) for _ in range(self._items())]
        if letter in b"d":
            return self._mapping(depth)
        if letter in b"a":
            return self._array()
        raise damaged("it has a letter that means nothing")

    def _mapping(self, depth: int) -> dict[str, Any]:
        n = self._items()
        found: dict[str, Any] = {}
        for _ in range(n):
            key = self._text()
            found[key] = self._value(depth + 1)
        if len(found) != n:
            raise damaged("a name stands twice")
        return found

    def _array(self) -> np.ndarray[Any, Any]:
        kind = self._bytes(1)[0]
        shape = tuple(self._length() for _ in range(min(self._length(), DEPTH + 1)))
        how = self._bytes(1)[0]
        return array_from(kind, shape, how, self._bytes(self._length()))
