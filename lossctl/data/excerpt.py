"""Some rows of a block, by its own means where it has any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from lossctl.data.source import Block, Codes
    from lossctl.sequences.ragged import Ragged

__all__ = ["excerpt"]


def excerpt(block: Block, start: int, stop: int) -> Block:
    """Rows ``start`` to ``stop`` of a block."""
    if stop - start == block.rows:
        return block
    own = getattr(block, "part", None)
    return cast("Block", Excerpt(block, start, stop) if own is None else own(start, stop))


class Excerpt(NamedTuple):
    """Some rows of a block that can only be read as a whole."""

    block: Block
    start: int
    stop: int

    @property
    def first(self) -> int:
        return self.block.first + self.start

    @property
    def rows(self) -> int:
        return self.stop - self.start

    def numbers(self, name: str) -> Any:
        return self.block.numbers(name)[self.start : self.stop]

    def labels(self, name: str) -> tuple[Codes, list[str]]:
        places, values = self.block.labels(name)
        return places[self.start : self.stop], values

    def texts(self, name: str) -> list[str | None]:
        return self.block.texts(name)[self.start : self.stop]

    def strings(self, name: str) -> Ragged:
        return self.block.strings(name)[self.start : self.stop]

    def sequences(self, name: str) -> Ragged:
        return self.block.sequences(name)[self.start : self.stop]
