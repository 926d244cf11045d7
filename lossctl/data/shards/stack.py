"""Blocks of several files, one after the other, as blocks of as many rows as are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from lossctl.data.excerpt import excerpt
from lossctl.data.regroup import regrouped, within
from lossctl.data.sequences import stacked
from lossctl.data.source import Block
from lossctl.data.values import joined
from lossctl.errors import DataError

if TYPE_CHECKING:
    from lossctl.data.source import Codes, Floats
    from lossctl.sequences.ragged import Ragged

__all__ = ["StackedBlock", "restacked"]


class StackedBlock:
    """Rows out of blocks: ``pieces`` are (block, from row, to row). An error names the file, and its own row."""

    def __init__(self, first: int, pieces: Sequence[tuple[Block, int, int]]) -> None:
        self.first = first
        self.rows = sum(stop - start for _, start, stop in pieces)
        self._pieces = pieces
        self._blocks = [excerpt(*piece) for piece in pieces]

    def part(self, start: int, stop: int) -> StackedBlock:
        """Rows ``start`` to ``stop`` alone."""
        return StackedBlock(self.first + start, within(self._pieces, start, stop))

    def numbers(self, name: str) -> Floats:
        """The column as floats; float32 only where all of it is."""
        runs = [block.numbers(name) for block in self._blocks]
        return runs[0] if len(runs) == 1 else cast("Floats", np.concatenate(runs))

    def labels(self, name: str) -> tuple[Codes, list[str]]:
        """The column as coded words."""
        runs = [block.labels(name) for block in self._blocks]
        return runs[0] if len(runs) == 1 else joined(runs)

    def coded(self, name: str) -> tuple[Codes, list[str]]:
        """As ``labels``, in no special order where a file has one of its own."""
        block, *others = self._blocks
        own = None if others else getattr(block, "coded", None)
        return self.labels(name) if own is None else cast("tuple[Codes, list[str]]", own(name))

    def texts(self, name: str) -> list[str | None]:
        """The column cell by cell."""
        return [text for block in self._blocks for text in block.texts(name)]

    def strings(self, name: str) -> Ragged:
        """The column as UTF-8, lists of words as codes."""
        return stacked([block.strings(name) for block in self._blocks])

    def sequences(self, name: str) -> Ragged:
        """Rows of numbers, of any length."""
        runs = [block.sequences(name) for block in self._blocks]
        return runs[0] if len(runs) == 1 else stacked([run if run.step == 1 else run.packed() for run in runs])


def restacked(blocks: Iterable[Block], rows: int, first: int = 0) -> Iterator[StackedBlock]:
    """Blocks of ``rows`` rows, the last one shorter, and so that before a flaw, whose error comes behind it."""
    flaws: list[DataError] = []

    def good() -> Iterator[Block]:
        try:
            yield from blocks
        except DataError as error:
            flaws.append(error)

    for start, pieces in regrouped(good(), rows):
        yield StackedBlock(first + start, pieces)
    for error in flaws:
        raise error
