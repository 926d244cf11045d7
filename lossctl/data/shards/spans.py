"""Spans of one file among several: whoever reads one knows its first row in all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock

from lossctl.data.shards.agree import Wanted
from lossctl.data.shards.stack import StackedBlock
from lossctl.data.source import Block, Source, Span

__all__ = ["FileSpan", "ShardSpan", "WholeSpan", "Within"]

_ROWS = 1 << 16


class WholeSpan:
    """A source that cannot be read in parts, as a single span; read once more to count it."""

    def __init__(self, source: Source, wanted: Wanted) -> None:
        self._source = source
        self._wanted = wanted
        self._count: int | None = None

    def count(self) -> int:
        """How many rows there are."""
        if self._count is None:
            self._count = sum(block.rows for block in self._wanted.blocks(self._source, _ROWS))
        return self._count

    def blocks(self, first: int, rows: int) -> Iterator[Block]:
        """Blocks of ``rows`` rows; the only span begins with row 0."""
        assert first == 0
        return self._wanted.blocks(self._source, rows)


class Within:
    """Where the spans of one file begin in it, as far as those before are counted."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._edges = [0]
        self._lock = Lock()

    def counted(self, place: int, rows: int) -> None:
        """So many rows are in the span of this place."""
        with self._lock:
            if place + 1 >= len(self._edges):
                self._counts[place] = rows

    def start(self, place: int) -> int:
        """The row in its file with which the span of this place begins."""
        with self._lock:
            while len(self._edges) <= place:
                self._edges.append(self._edges[-1] + self._counts.pop(len(self._edges) - 1))
            return self._edges[place]


class ShardSpan:
    """A span of one file; ``begun`` is told the row, among all, with which that file begins."""

    def __init__(self, span: Span, place: int, within: Within, begun: Callable[[int], None]) -> None:
        self._span = span
        self._place = place
        self._within = within
        self._begun = begun

    def count(self) -> int:
        """How many rows there are."""
        rows = self._span.count()
        self._within.counted(self._place, rows)
        return rows

    def blocks(self, first: int, rows: int) -> Iterator[StackedBlock]:
        """Blocks of ``rows`` rows; ``first`` counts over all files."""
        start = self._within.start(self._place)
        self._begun(first - start)
        for block in self._span.blocks(start, rows):
            yield StackedBlock(first - start + block.first, [(block, 0, block.rows)])


class FileSpan:
    """A span of one file, which begins with row ``start`` of it, among rows that are counted otherwise."""

    def __init__(self, span: Span, start: int) -> None:
        self._span = span
        self._start = start

    def count(self) -> int:
        """How many rows there are."""
        return self._span.count()

    def blocks(self, first: int, rows: int) -> Iterator[StackedBlock]:
        """Blocks of ``rows`` rows, counted from ``first``."""
        for block in self._span.blocks(self._start, rows):
            yield StackedBlock(first - self._start + block.first, [(block, 0, block.rows)])
