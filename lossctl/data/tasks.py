"""A pass over all sources as tasks: rows that one thread reads and hands on, chunk by chunk.

Tasks are made in order by whoever asks for the next one, which is to be cheap; the work is in ``size`` and
``chunks``. Where the sources cannot be read in parts, the chunks are read one after the other as they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal, NamedTuple, Protocol

from lossctl.data.pair import Chunk, walk
from lossctl.data.roles.binding import Binding
from lossctl.data.source import Block, Source, Span

__all__ = ["Cutting", "Task", "chunks", "cutting", "tasks"]


class Task(Protocol):
    """Consecutive rows of all sources."""

    def size(self) -> int:
        """How many rows they are."""
        ...

    def chunks(self, first: int) -> Iterator[Chunk]:
        """The rows, the first of which is row ``first`` of the whole."""
        ...


def tasks(binding: Binding, rows: int, limit: int | None) -> Iterator[Task]:
    """Tasks in order, whose chunks have ``rows`` rows; the last chunk of a task may have fewer.

    Raises ``DataError`` as ``walk`` does.
    """
    way, used, cuts = cutting(binding, limit)
    if way == "spans":
        source: Any = binding.sources[used[0]]
        wanted = list(zip(*binding.wanted(), strict=True))
        for span in source.spans(*wanted[used[0]]):
            yield Part(binding, used[0], span, rows)
    elif way == "cuts":
        for start, stop in pairwise(cuts):
            yield Between(binding, used, start, stop, rows)
    else:
        for chunk in chunks(binding, rows, limit):
            yield Whole(chunk)


def chunks(binding: Binding, rows: int, limit: int | None) -> Iterator[Chunk]:
    """The chunks of a pass one after the other, of whole batches where a loss wants its rows so."""
    if binding.batching is None:
        return walk(binding, rows, limit)
    from lossctl.data.batches import batched  # seldom wanted

    return batched(binding, binding.batching, rows, limit)


class Cutting(NamedTuple):
    """How a pass is cut: along the spans of the only source, at rows that all sources know, or not at all."""

    way: Literal["spans", "cuts", "chunks"]
    used: list[int]  # sources
    cuts: list[int]


def cutting(binding: Binding, limit: int | None) -> Cutting:
    """How a pass will be cut; nothing is read for it."""
    used = [place for place, columns in enumerate(zip(*binding.wanted(), strict=True)) if any(columns)]
    if limit is None and binding.batching is None and binding.apart is None:
        sources = [binding.sources[place] for place in used]
        if len(used) == 1 and hasattr(sources[0], "spans"):
            return Cutting("spans", used, [])
        cuts = shared_cuts(sources)
        if cuts is not None:
            return Cutting("cuts", used, cuts)
    return Cutting("chunks", used, [])


def shared_cuts(sources: list[Source]) -> list[int] | None:
    """Rows at which all sources may be cut, if all can be and are equally long: those of the source with the fewest."""
    if not all(hasattr(source, "cuts") for source in sources):
        return None
    every = [source.cuts() for source in sources]  # type: ignore[attr-defined]
    if len({cuts[-1] for cuts in every}) != 1:
        return None
    coarsest: list[int] = min(every, key=len)
    return coarsest


class Part(NamedTuple):
    """A span of the only source."""

    binding: Binding
    place: int
    span: Span
    rows: int

    def size(self) -> int:
        return self.span.count()

    def chunks(self, first: int) -> Iterator[Chunk]:
        for block in self.span.blocks(first, self.rows):
            yield Chunk(self.binding, {self.place: block}, block.first, block.rows)


class Between(NamedTuple):
    """Rows ``start`` to ``stop`` of several sources that know how many rows they have."""

    binding: Binding
    places: list[int]
    start: int
    stop: int
    rows: int

    def size(self) -> int:
        return self.stop - self.start

    def chunks(self, first: int) -> Iterator[Chunk]:
        wanted = list(zip(*self.binding.wanted(), strict=True))
        streams: list[Iterator[Block]] = []
        for place in self.places:
            numeric, text, sequences = wanted[place]
            source = self.binding.sources[place]
            streams.append(source.between(self.start, self.stop, numeric, text, self.rows, sequences))  # type: ignore[attr-defined]
        for blocks in zip(*streams, strict=True):
            yield Chunk(self.binding, dict(zip(self.places, blocks, strict=True)), blocks[0].first, blocks[0].rows)


class Whole(NamedTuple):
    """A chunk that has been read already."""

    chunk: Chunk

    def size(self) -> int:
        return self.chunk.rows

    def chunks(self, first: int) -> Iterator[Chunk]:
        yield self.chunk
