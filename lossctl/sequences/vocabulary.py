"""The words of large texts: Arrow keeps them, so that no Python string is made of those that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["Vocabulary", "dictionary"]

Array: TypeAlias = NDArray[Any]


class Vocabulary(Sequence[str]):
    """Distinct words by their codes."""

    def __init__(self, words: Any) -> None:
        self.words = words  # an Arrow array of strings

    def __len__(self) -> int:
        return len(self.words)

    @overload
    def __getitem__(self, code: int) -> str: ...
    @overload
    def __getitem__(self, code: slice) -> list[str]: ...
    def __getitem__(self, code: int | slice) -> Any:
        return self.words[code].to_pylist() if isinstance(code, slice) else self.words[int(code)].as_py()

    def __iter__(self) -> Iterator[str]:
        return iter(self.words.to_pylist())

    def join(self, others: Vocabulary) -> tuple[Array, Vocabulary]:
        """The places of the others behind or among these words, and all of them."""
        found = pc.index_in(others.words, value_set=self.words)
        places, new = numbers(found).astype(np.int64), ~valid(found)
        places[new] = len(self) + np.arange(np.count_nonzero(new))
        return places, Vocabulary(pa.concat_arrays([self.words, others.words.filter(found.is_null())]))


def dictionary(letters: bytes, bounds: Array) -> tuple[Array, Vocabulary]:
    """A number for each word, equal for equal ones; word k is ``letters[bounds[k] : bounds[k + 1]]``."""
    offsets = pa.py_buffer(bounds.astype(np.int32))
    found = pa.StringArray.from_buffers(len(bounds) - 1, offsets, pa.py_buffer(letters)).dictionary_encode()
    return numbers(found.indices), Vocabulary(found.dictionary)


def numbers(array: Any) -> Array:
    """Arrow's 32-bit integers as they lie in memory: ``to_numpy`` and scalars would load pandas."""
    return np.frombuffer(array.buffers()[1], np.int32, len(array), 4 * array.offset)


def valid(array: Any) -> Array:
    """Which values are no nulls."""
    bits = array.buffers()[0]
    if bits is None or not array.null_count:
        return np.ones(len(array), bool)
    start = array.offset // 8
    packed = np.frombuffer(bits, np.uint8, (array.offset + len(array) + 7) // 8 - start, start)
    skip = array.offset - 8 * start
    return np.unpackbits(packed, bitorder="little")[skip : skip + len(array)].view(bool)
