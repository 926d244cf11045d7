"""Sources that know their rows beforehand, as spans: some rows each, for any thread to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lossctl.data.source import Block

__all__ = ["Divisible", "RowSpan", "joined_cuts", "row_spans"]


class Divisible(Protocol):
    """A source that can be cut at known rows and read between two of them."""

    def cuts(self) -> Sequence[int]: ...

    def between(
        self, start: int, stop: int, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str]
    ) -> Iterator[Block]: ...


class RowSpan:
    """The rows from ``start`` to ``stop`` of a source, with the named columns only."""

    __slots__ = ("_asked", "_source", "_start", "_stop")

    def __init__(
        self, source: Divisible, start: int, stop: int, asked: tuple[Sequence[str], Sequence[str], Sequence[str]]
    ) -> None:
        self._source = source
        self._start = start
        self._stop = stop
        self._asked = asked

    def count(self) -> int:
        """How many rows there are; nothing is read for it."""
        return self._stop - self._start

    def blocks(self, first: int, rows: int) -> Iterator[Block]:
        """Blocks of ``rows`` rows; ``first`` is where the span begins, which it knows."""
        assert first == self._start
        numeric, text, sequences = self._asked
        return self._source.between(self._start, self._stop, numeric, text, rows, sequences)


def joined_cuts(edges: Sequence[int], least: int) -> list[int]:
    """Those of ascending rows between which there are at least so many, the last ones aside.

    >>> joined_cuts([0, 3, 3, 4, 9, 10, 11], 4)
    [0, 4, 9, 11]
    """
    cuts = [edges[0]]
    for edge in edges[1:]:
        if edge - cuts[-1] >= least:
            cuts.append(edge)
    return cuts if cuts[-1] == edges[-1] else [*cuts, edges[-1]]


def row_spans(
    source: Divisible, numeric: Sequence[str], text: Sequence[str], sequences: Sequence[str]
) -> Iterator[RowSpan]:
    """All rows in order, from cut to cut."""
    for start, stop in pairwise(source.cuts()):
        yield RowSpan(source, start, stop, (numeric, text, sequences))
