"""The words of large texts: Arrow keeps them, so that no Python string is made of those that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow._compute import call_function  # alone: pyarrow.compute wraps every function there is, in 80 ms

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
        codes, joined = encoded(pa.concat_arrays([self.words, others.words]))
        return codes[len(self) :].astype(np.int64), joined


def dictionary(letters: bytes, bounds: Array) -> tuple[Array, Vocabulary]:
    """A number for each word, equal for equal ones; word k is ``letters[bounds[k] : bounds[k + 1]]``."""
    offsets = pa.py_buffer(bounds.astype(np.int32))
    return encoded(pa.StringArray.from_buffers(len(bounds) - 1, offsets, pa.py_buffer(letters)))


def encoded(words: Any) -> tuple[Array, Vocabulary]:
    """Words as numbers in order of appearance; read as they lie in memory, as ``to_numpy`` would load pandas."""
    found = call_function("dictionary_encode", [words])
    places = found.indices
    return np.frombuffer(places.buffers()[1], np.int32, len(places), 4 * places.offset), Vocabulary(found.dictionary)
