"""Rows of NumPy arrays as a block."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lossctl.data.sequences import decimals, dense, encoded, gathered
from lossctl.data.values import Where, as_floats, as_texts, coded, joined, named
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from lossctl.data.source import Codes, Floats
    from lossctl.data.values import Values

__all__ = ["ArrayBlock"]


class ArrayBlock:
    """Rows of NumPy arrays: ``fetch(name, first, rows)`` gives them in the file's own dtype.

    Columns whose rows differ in length are ``Ragged`` already.
    """

    def __init__(self, file: str, first: int, rows: int, fetch: Callable[[str, int, int], Values | Ragged]) -> None:
        self.first = first
        self.rows = rows
        self._file = file
        self._fetch = fetch

    def part(self, start: int, stop: int) -> ArrayBlock:
        """Some rows alone, counted within the block."""
        return ArrayBlock(self._file, self.first + start, stop - start, self._fetch)

    def numbers(self, name: str) -> Floats:
        """The array's rows as floats, (rows, ...)."""
        where = Where(self._file, name, self.first)
        return as_floats(self._array(name, where, "is not numbers"), None, where)

    def labels(self, name: str) -> tuple[Codes, list[str]]:
        """One-dimensional arrays as coded words; raises ``DataError`` (code ``dtype``) for others."""
        where = Where(self._file, name, self.first)
        values = self._array(name, where, "cannot be labels")
        try:
            return joined([coded(values)])
        except TypeError:
            axes = f"{values.ndim} axes of " if values.ndim > 1 else ""
            raise where.error(f"{axes}{named(values.dtype)} cannot be labels", "dtype") from None

    def texts(self, name: str) -> list[str | None]:
        """One-dimensional arrays cell by cell."""
        return as_texts(*self.labels(name))

    def strings(self, name: str) -> Ragged:
        """One-dimensional arrays as UTF-8, rows of words as codes."""
        where = Where(self._file, name, self.first)
        values = self._fetch(name, self.first, self.rows)
        if isinstance(values, Ragged):
            if values.words is None:
                raise where.error(f"rows of {values.dtype} are no text", "dtype")
            return values
        if values.dtype.kind in "OU" and values.ndim == 1:
            return encoded(values.tolist(), where)
        if values.dtype.kind in "iu" and values.ndim == 1:
            return decimals(values)
        codes, words = self.labels(name)
        return gathered(encoded(words, where), codes)

    def sequences(self, name: str) -> Ragged:
        """Arrays of two axes or more as rows that fill them, float32 and integers as they are."""
        where = Where(self._file, name, self.first)
        values = self._fetch(name, self.first, self.rows)
        if isinstance(values, Ragged):
            if values.words is not None:
                raise where.error("lists of words are not numbers", "dtype")
            return values
        return dense(values, where)

    def _array(self, name: str, where: Where, fault: str) -> Values:
        values = self._fetch(name, self.first, self.rows)
        if isinstance(values, Ragged):
            raise where.error(f"rows of any length {fault}", "dtype")
        return values
