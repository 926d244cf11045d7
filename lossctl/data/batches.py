"""A pass in whole batches: rows that a loss sees together stand in one chunk."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lossctl.data.pair import Batches, Chunk, walk
from lossctl.data.roles.binding import Batching, Binding
from lossctl.data.shards.stack import StackedBlock
from lossctl.data.source import placed
from lossctl.errors import DataError, UsageError

__all__ = ["WHOLE", "batched", "too_long"]

WHOLE = 8192  # rows that are one batch where nobody says how long a batch is


def batched(binding: Binding, batching: Batching, rows: int, limit: int | None) -> Iterator[Chunk]:
    """Chunks of ``rows`` rows, which are whole batches, or of about so many where a column tells the batches.

    Raises ``UsageError`` for more than 8,192 rows where nothing says how long a batch is, and ``DataError`` where
    the rows of a batch do not stand together.
    """
    if batching.column is not None:
        yield from Named(binding, batching).chunks(rows, limit)
        return
    size = batching.size or WHOLE + 1
    for chunk in walk(binding, rows if batching.size else size, limit):
        if batching.size is None and chunk.rows > WHOLE:
            raise too_long()
        starts = np.arange(0, chunk.rows, size)
        chunk.batches = Batches(starts, [str((chunk.first + start) // size + 1) for start in starts.tolist()])
        yield chunk


def too_long() -> UsageError:
    return UsageError(
        f"there are more than {WHOLE:,} rows, and nothing says which of them a loss is to see together",
        code="batch-size",
        hint="--batch-size N: so many rows in the order of the file; --batch COL: rows with the same value",
    )


class Some(NamedTuple):
    """Rows of a chunk that belong to one batch."""

    chunk: Chunk
    start: int
    stop: int
    name: str


class Named:
    """Batches whose rows have the same value in a column, one after the other."""

    def __init__(self, binding: Binding, batching: Batching) -> None:
        self.binding = binding
        self.batching = batching
        self.seen: set[str] = set()

    def chunks(self, rows: int, limit: int | None) -> Iterator[Chunk]:
        waiting: list[Some] = []
        for chunk in walk(self.binding, rows, limit):
            runs = self.runs(chunk)
            begin = 1 if waiting and waiting[-1].name == runs[0].name else 0
            for run in runs[begin:]:
                self.begin(run)
            waiting += runs
            last = next(place for place, run in enumerate(waiting) if run.name == runs[-1].name)
            if last:
                yield self.joined(waiting[:last])
                waiting = waiting[last:]
        if waiting:
            yield self.joined(waiting)

    def runs(self, chunk: Chunk) -> list[Some]:
        """The chunk's rows, cut where the value changes."""
        ref = self.batching.column
        assert ref is not None
        places, values = chunk.codes(ref)
        if (places < 0).any():
            raise self.flaw(chunk.first + int(np.argmin(places)), "has no value: it belongs to no batch", None)
        cuts = [0, *(np.flatnonzero(places[1:] != places[:-1]) + 1).tolist(), chunk.rows]
        return [Some(chunk, start, stop, values[places[start]]) for start, stop in pairwise(cuts)]

    def begin(self, run: Some) -> None:
        """Note a batch; an error if it was there before."""
        if run.name in self.seen:
            text = f'is of batch "{run.name}", whose rows ended before'
            raise self.flaw(run.chunk.first + run.start, text, "sort the rows by this column")
        self.seen.add(run.name)

    def flaw(self, row: int, text: str, hint: str | None) -> DataError:
        ref = self.batching.column
        assert ref is not None
        file, row = placed(self.binding.sources[ref.source], row)
        column = ref.columns[0]
        return DataError(
            f"--batch {column}: row {row + 1:,} {text}", code="batch", file=file, column=column, row=row + 1, hint=hint
        )

    def joined(self, runs: list[Some]) -> Chunk:
        """Whole batches as one chunk."""
        first = runs[0].chunk.first + runs[0].start
        counts = [run.stop - run.start for run in runs]
        blocks = {
            place: StackedBlock(first, [(run.chunk.blocks[place], run.start, run.stop) for run in merged(runs)])
            for place in runs[0].chunk.blocks
        }
        chunk = Chunk(self.binding, blocks, first, sum(counts))
        names = list(dict.fromkeys(run.name for run in runs))
        offsets = np.concatenate([[0], np.cumsum(counts)[:-1]])
        new = [place for place, run in enumerate(runs) if not place or run.name != runs[place - 1].name]
        chunk.batches = Batches(offsets[new], names)
        return chunk


def merged(runs: list[Some]) -> list[Some]:
    """Runs that follow each other in one chunk as one."""
    found: list[Some] = []
    for run in runs:
        if found and found[-1].chunk is run.chunk:
            found[-1] = found[-1]._replace(stop=run.stop)
        else:
            found.append(run)
    return found
