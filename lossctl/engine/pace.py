"""How many rows a chunk has: enough to be worth a call, few enough for the caches."""

from __future__ import annotations

import math

from lossctl.data.roles.binding import Binding
from lossctl.data.source import Column

__all__ = ["chunk_rows", "row_bytes"]

CHUNK_BYTES = 2**22  # arrays of one chunk stay within the caches of one core
WIDE_BYTES, MANY = 2**24, 2**11  # where rows are wide, the rows that are worth a call
LONG_BYTES, FEW = 2**26, 2**8  # where they are very long, and recursions go over them, the fewest rows
ALONE, TOGETHER = 1 << 16, 1 << 18  # rows at the most, of one thread and of several
UNKNOWN_WIDTH = 256  # values in a list whose length only the data tells
TEXT_WIDTH = 16  # a sentence, in values of eight bytes, or another row of any length at the least


def default_rows(binding: Binding, threads: int) -> int:
    """Rows of a chunk, so that its arrays stay in the caches; fewer than 256 only where rows are that long.

    A row of an array, such as an image, is worth a call by itself; rows that frames make up go together.

    Threads wait for each other between two calls of NumPy, so that longer calls pay where there are several.
    """
    size = row_bytes(binding)
    few = min(FEW, LONG_BYTES // size) if any(binding.wanted()[2]) else 1
    rows = max(CHUNK_BYTES // size, min(MANY, WIDE_BYTES // size), few, 1)
    return int(min(rows, ALONE if threads == 1 else TOGETHER))


def chunk_rows(binding: Binding, asked: int | None, threads: int) -> int:
    """Rows of a chunk: as many as were asked for, or as fit; whole batches where there are any of one size."""
    rows = asked or default_rows(binding, threads)
    size = None if binding.batching is None else binding.batching.size
    return rows if size is None else size * max(1, rows // size)


def row_bytes(binding: Binding) -> int:
    """What the arrays of a row take, as far as the schemas tell."""
    width = 0
    numeric, _, sequences = binding.wanted()
    for source, numbers, rows in zip(binding.sources, numeric, sequences, strict=True):
        widths = {column.name: width_of(column) for column in source.columns}
        width += sum(widths[name] for name in numbers) + sum(max(widths[name], TEXT_WIDTH) for name in rows)
    return 8 * max(width, 1)


def width_of(column: Column) -> int:
    """Values in a row; a length that only the data tells is taken for a large one."""
    inner = math.prod(size or UNKNOWN_WIDTH for size in column.axes[1:])
    return 1 if column.width is None else column.width or UNKNOWN_WIDTH * inner
