"""Runs of rows as they come, cut anew to the size asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

__all__ = ["regrouped", "within"]


class Run(Protocol):
    """Some rows that stand together."""

    @property
    def rows(self) -> int: ...


P = TypeVar("P", bound=Run)


def regrouped(parts: Iterable[P], rows: int) -> Iterator[tuple[int, list[tuple[P, int, int]]]]:
    """Parts of any size as (first row, pieces) of exactly ``rows`` rows, the last one shorter."""
    first, room = 0, rows
    pieces: list[tuple[P, int, int]] = []
    for part in parts:
        start = 0
        while start < part.rows:
            stop = min(start + room, part.rows)
            pieces.append((part, start, stop))
            room -= stop - start
            start = stop
            if not room:
                yield first, pieces
                first, room, pieces = first + rows, rows, []
    if pieces:
        yield first, pieces


def within(pieces: Sequence[tuple[P, int, int]], start: int, stop: int) -> list[tuple[P, int, int]]:
    """What pieces (run, from row, to row) hold of the rows from ``start`` to ``stop`` of all of them."""
    kept, row = [], 0
    for run, low, high in pieces:
        begin, end = max(start - row, 0), min(stop - row, high - low)
        if begin < end:
            kept.append((run, low + begin, low + end))
        row += high - low
    return kept
