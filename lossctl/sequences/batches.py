"""Rows of different lengths laid side by side, so that one step of a recursion serves many rows at once.

Rows meet in the same array and in no operation: every value is the same whatever rows stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.ragged import Ragged

__all__ = ["beside", "groups"]

Places = NDArray[np.int64]
CELLS = 1 << 14  # of one step, all rows together: what a core's cache holds some ten times


def groups(steps: Places, wide: Places, cells: int = CELLS) -> Iterator[Places]:
    """Rows to walk together, those of most steps first; none has below half the steps of the first.

    The rows of a group times the greatest ``wide`` among them are at most ``cells``, as far as there is more than one.
    """
    order = np.argsort(-steps, kind="stable")
    falling = -steps[order]
    start = 0
    while start < len(order):
        half = int(np.searchsorted(falling, falling[start] / 2, side="right"))
        widest = np.maximum.accumulate(wide[order[start : min(half, start + cells)]])
        fitting = int(np.count_nonzero(widest * np.arange(1, len(widest) + 1) <= cells))
        stop = start + max(fitting, 1)
        yield order[start:stop]
        start = stop


def beside(rows: Ragged, chosen: Places, *, backwards: bool = False) -> NDArray[Any]:
    """(T, K, ...) the chosen rows as columns, zeros beyond their ends; T is the longest of them.

    ``backwards``: the first element stands in the last line, for all rows.
    """
    lengths, starts = rows.lengths[chosen], rows.starts[chosen]
    size = int(lengths.max(initial=0))
    time = np.arange(size)[::-1] if backwards else np.arange(size)
    inside = time[:, None] < lengths
    found = np.zeros((*inside.shape, *rows.values.shape[1:]), rows.values.dtype)
    found[inside] = rows.values[(starts + time[:, None] * rows.step)[inside]]
    return found
