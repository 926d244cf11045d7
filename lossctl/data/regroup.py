"""Runs of rows as they come, cut anew to the size asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["regrouped"]


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
