"""Rows of different lengths over one flat array: lists, text, frames of scores, padded matrices, all without a copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ragged"]

Array: TypeAlias = NDArray[Any]


class Ragged:
    """N rows; element ``t`` of row ``n`` is ``values[starts[n] + t * step]`` for ``t < lengths[n]``.

    ``values`` is (M,) or (M, ...), an element a row of it: a padded N x T matrix is its own flat array, a T x N
    one has ``step`` N, text is the bytes of its UTF-8. Places between rows (padding) are never read. ``missing``
    (N,) are rows that hold nothing (a null cell, which is not an empty one). ``words`` are what the elements
    stand for where they are codes of words.
    """

    __slots__ = ("lengths", "missing", "starts", "step", "values", "words")

    def __init__(
        self,
        values: Array,
        starts: Array,
        lengths: Array,
        *,
        step: int = 1,
        missing: NDArray[np.bool_] | None = None,
        words: Sequence[str] | None = None,
    ) -> None:
        self.values = values
        self.starts = starts  # (N,) int64
        self.lengths = lengths  # (N,) int64
        self.step = step
        self.missing = missing
        self.words = words

    @classmethod
    def of(cls, rows: Sequence[Any], dtype: Any = None) -> Ragged:
        """Rows as Python sequences or arrays of any length; ``None`` is a missing row.

        >>> Ragged.of([[1, 2], [], None]).lengths
        array([2, 0, 0])
        """
        parts = [np.asarray([] if row is None else row, dtype) for row in rows]
        lengths = np.array([len(part) for part in parts], np.int64)
        full = [part for part in parts if len(part)]
        values = np.concatenate(full) if full else np.empty(0, np.float64 if dtype is None else dtype)
        missing = np.array([row is None for row in rows], bool)
        return cls(values, ends(lengths) - lengths, lengths, missing=missing if missing.any() else None)

    @classmethod
    def texts(cls, rows: Sequence[str | None]) -> Ragged:
        """Text as the bytes of its UTF-8; ``None`` is missing. Raises ``UnicodeEncodeError`` for a lone surrogate."""
        gaps = None in rows
        full: Sequence[Any] = ["" if row is None else row for row in rows] if gaps else rows
        missing = np.array([row is None for row in rows], bool) if gaps else None
        whole = "".join(full)
        # As many bytes as characters: ASCII is encoded in one piece.
        cells = full if whole.isascii() else [row.encode() for row in full]
        lengths = np.fromiter(map(len, cells), np.int64, len(cells))
        values = np.frombuffer(whole.encode(), np.uint8)
        return cls(values, ends(lengths) - lengths, lengths, missing=missing)

    @classmethod
    def padded(cls, array: Array, *, by_time: bool = False) -> Ragged:
        """A dense N x T (x ...) array, or T x N (x ...) with ``by_time``, as rows that fill it. Shares its memory."""
        first, second = array.shape[:2]
        flat = array.reshape(first * second, *array.shape[2:])
        rows, length, step = (second, first, second) if by_time else (first, second, 1)
        starts = np.arange(rows, dtype=np.int64) * (1 if by_time else length)
        return cls(flat, starts, np.full(rows, length, np.int64), step=step)

    @classmethod
    def ones(cls, numbers: Array) -> Ragged:
        """Rows of one number each; NaN is a missing row."""
        rows, gone = cls.padded(numbers[:, None]), np.isnan(numbers)
        return cls(rows.values, rows.starts, rows.lengths, missing=gone if gone.any() else None)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.values.dtype

    @property
    def ndim(self) -> int:
        """Axes, with that of the rows."""
        return self.values.ndim + 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, the greatest length, and the shape of an element."""
        return (len(self), int(self.lengths.max(initial=0)), *self.values.shape[1:])

    @property
    def width(self) -> int:
        """Values of one element: the C of N x T x C."""
        return int(np.prod(self.values.shape[1:], dtype=np.int64))

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, rows: Any) -> Ragged:
        """Some rows, by a mask, places or a slice; values stay where they are."""
        missing = None if self.missing is None else self.missing[rows]
        return Ragged(
            self.values, self.starts[rows], self.lengths[rows], step=self.step, missing=missing, words=self.words
        )

    def cut(self, lengths: Array) -> Ragged:
        """The first ``lengths`` elements of each row, as far as there are so many."""
        shorter = np.clip(lengths, 0, self.lengths).astype(np.int64)
        return Ragged(self.values, self.starts, shorter, step=self.step, missing=self.missing, words=self.words)

    def row(self, n: int) -> Array:
        """The elements of one row, (length, ...)."""
        start, length = int(self.starts[n]), int(self.lengths[n])
        return self.values[start : start + length * self.step : self.step]

    def places(self) -> Array:
        """Where the elements of all rows stand in ``values``, row after row."""
        within = np.arange(int(self.lengths.sum())) - np.repeat(ends(self.lengths) - self.lengths, self.lengths)
        return np.repeat(self.starts, self.lengths) + within * self.step

    def flat(self) -> Array:
        """The elements of all rows, end to end; without a copy where they stand so already."""
        run = ends(self.lengths) - self.lengths
        if self.step == 1 and len(self) and np.array_equal(self.starts - self.starts[0], run):
            start = int(self.starts[0])
            return self.values[start : start + int(self.lengths.sum())]
        between = self.between()
        return self.values[self.places()] if between is None else self.values[between][self.covered(between)]

    def between(self) -> slice | None:
        """Where all rows stand, if they stand in order, apart, and are most of what is there."""
        if self.step != 1 or not len(self) or (self.starts[1:] < (self.starts + self.lengths)[:-1]).any():
            return None
        first, last = int(self.starts[0]), int(self.starts[-1] + self.lengths[-1])
        return slice(first, last) if last - first <= 2 * int(self.lengths.sum()) else None

    def covered(self, between: slice) -> NDArray[np.bool_]:
        """Which places of a run of values belong to a row: a byte a place, where ``places`` takes eight."""
        edges = np.zeros(between.stop - between.start + 1, np.int8)
        there = self.lengths > 0
        edges[self.starts[there] - between.start] = 1
        edges[(self.starts + self.lengths)[there] - between.start] -= 1
        return np.cumsum(edges[:-1], dtype=np.int8).view(bool)

    def packed(self) -> Ragged:
        """The same rows over an array that holds nothing else."""
        starts = ends(self.lengths) - self.lengths
        return Ragged(self.flat(), starts, self.lengths, missing=self.missing, words=self.words)

    def owners(self) -> Array:
        """The row that each element of ``flat`` belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def any(self, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(N,) rows in which a flag is set; ``flags`` stand one for each element of ``flat``."""
        return np.bincount(self.owners()[flags], minlength=len(self)) > 0

    def text(self, n: int) -> str:
        """A row of bytes as text."""
        return bytes(self.row(n)).decode()

    @staticmethod
    def join(parts: Sequence[Ragged]) -> Ragged:
        """Rows of several, one after the other; words must be the same in all."""
        if len(parts) == 1:
            return parts[0]
        packed = [part.packed() for part in parts]
        sizes = np.cumsum([0, *(len(part.values) for part in packed[:-1])])
        missing = None
        if any(part.missing is not None for part in packed):
            missing = np.concatenate(
                [np.zeros(len(part), bool) if part.missing is None else part.missing for part in packed]
            )
        return Ragged(
            np.concatenate([part.values for part in packed]),
            np.concatenate([part.starts + size for part, size in zip(packed, sizes, strict=True)]),
            np.concatenate([part.lengths for part in packed]),
            missing=missing,
            words=packed[0].words,
        )


def ends(lengths: Array) -> NDArray[np.int64]:
    """Where rows of these lengths end that stand end to end."""
    return np.cumsum(lengths, dtype=np.int64)
