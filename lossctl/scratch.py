"""Memory that is used again and again: pages taken afresh cost more than most formulas."""

from __future__ import annotations

from threading import local

import numpy as np
from numpy.typing import NDArray

__all__ = ["Buffers", "keep_freed"]

KEPT = 1 << 23  # bytes


class Buffers(local):
    """Rows of float64 for each thread, on cache lines; what stands in them is nobody's."""

    def __init__(self, rows: int, length: int) -> None:
        keep_freed()  # whoever has buffers goes over many rows
        pool = np.empty(rows * length + 8)
        skip = -(pool.__array_interface__["data"][0] // 8) % 8
        self.rows: NDArray[np.float64] = pool[skip : skip + rows * length].reshape(rows, length)


def keep_freed() -> None:
    """Have arrays of some megabytes made from memory that was freed before.

    The C library of Linux hands blocks from 128 kB on back to the system and takes them anew, page by page, until it
    has seen one of this size freed. Elsewhere it changes nothing.
    """
    np.empty(KEPT, np.uint8)
