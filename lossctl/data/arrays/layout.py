"""Arrays whose rows are not their first axis: frames first (T x N x C), or rows end to end with their lengths."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lossctl.data.sequences import kept
from lossctl.data.source import Column
from lossctl.data.values import Where
from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from lossctl.data.values import Values

__all__ = ["Runs", "check_lengths", "turned"]


def turned(column: Column, shape: tuple[int, ...], file: str) -> Column:
    """A column whose rows are the second axis of its array. Raises ``DataError`` (code ``shape``) if it has none."""
    if len(shape) < 2:
        message = f"an array of shape {shape} cannot be turned: frames x rows (x classes) is wanted"
        raise DataError(message, code="shape", file=file, column=column.name)
    axes = (shape[0], *shape[2:])
    return column._replace(width=math.prod(axes), axes=axes if len(axes) > 1 else (), rows=shape[1])


def check_lengths(lengths: Values, total: int, column: Column, beside: str, file: str) -> Values:
    """The lengths as int64. Raises ``DataError``: ``bad-length``, ``lengths-sum``, ``shape``."""
    where = Where(file, beside, 0)
    if lengths.ndim != 1:
        raise where.error(f"lengths are one number a row, and this has shape {lengths.shape}", "shape")
    numbers = kept(lengths, None, where)
    bad = (numbers < 0) | (numbers != np.floor(numbers))
    if bad.any():
        at = int(bad.argmax())
        raise where.error(f"{numbers[at]:g} is no length: a whole number >= 0", "bad-length", at)
    whole = numbers.astype(np.int64)
    if int(whole.sum()) != total:
        message = (
            f'the lengths in "{beside}" add up to {int(whole.sum()):,}, and "{column.name}" holds {total:,} values'
        )
        raise DataError(message, code="lengths-sum", file=file, column=column.name)
    return whole


class Runs:
    """Rows that stand end to end in one array."""

    def __init__(self, lengths: Values) -> None:
        self.lengths = lengths
        self.edges = np.append(0, np.cumsum(lengths))

    def column(self, column: Column, shape: tuple[int, ...]) -> Column:
        """The column that they make."""
        return column._replace(width=0, axes=(0, *shape[1:]), rows=len(self.lengths))

    def span(self, first: int, rows: int) -> tuple[int, int]:
        """Where the values of some rows begin and end."""
        return int(self.edges[first]), int(self.edges[min(first + rows, len(self.lengths))])

    def of(self, values: Values, first: int, rows: int, where: Where) -> Ragged:
        """Some rows, out of the values that ``span`` names."""
        lengths = self.lengths[first : first + rows]
        return Ragged(kept(values, None, where), self.edges[first : first + len(lengths)] - self.edges[first], lengths)
