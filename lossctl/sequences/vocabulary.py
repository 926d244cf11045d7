"""The words of large texts: Arrow keeps them, so that no Python string is made of those that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
import pyarrow as pa
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
        return (
            self.words[code].to_pylist() if isinstance(code, slice) else self.words.slice(int(code), 1).to_pylist()[0]
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.words.to_pylist())

    def join(self, others: Vocabulary) -> tuple[Array, Vocabulary]:
        """The places of the others behind or among these words, and all of them."""
        found = encoded(pa.concat_arrays([self.words, others.words]))
        return numbers(found.indices)[len(self) :], Vocabulary(found.dictionary)


def dictionary(letters: bytes, bounds: Array) -> tuple[Array, Vocabulary]:
    """A number for each word, equal for equal ones; word k is ``letters[bounds[k] : bounds[k + 1]]``."""
    offsets = pa.py_buffer(bounds.astype(np.int32))
    found = encoded(pa.StringArray.from_buffers(len(bounds) - 1, offsets, pa.py_buffer(letters)))
    return numbers(found.indices), Vocabulary(found.dictionary)


def numbers(array: Any) -> Array:
    """Arrow's 32-bit integers as they lie in memory: ``to_numpy`` and scalars would load pandas."""
    return np.frombuffer(array.buffers()[1], np.int32, len(array), 4 * array.offset)


def encoded(words: Any) -> Any:
    """Codes and the distinct words, in the order in which they appear."""
    try:
        from pyarrow._compute import call_function  # 30 ms less than pyarrow.compute, which hands on the same
    except ImportError:
        from pyarrow.compute import call_function
    return call_function("dictionary_encode", [words])
