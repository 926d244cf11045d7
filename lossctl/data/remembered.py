"""A source that is read once however often it is walked: the targets that many files of predictions share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lossctl.data.held import Held
from lossctl.data.shelves import Room

if TYPE_CHECKING:
    from lossctl.data.source import Block, Column, Source

__all__ = ["Remembered"]


class Remembered:
    """A source, columns of which are kept once somebody has asked for them: in ``memory`` bytes, beyond that in files.

    Whatever else the source can do, it still can.
    """

    def __init__(self, source: Source, memory: int) -> None:
        self.name, self.format, self.notes = source.name, source.format, source.notes
        self._source = source
        self._room = Room(memory)
        self._held: list[tuple[tuple[frozenset[str], ...], Held]] = []

    def __getattr__(self, name: str) -> Any:
        if name == "spans":  # which would read the file again
            raise AttributeError(name)
        return getattr(self._source, name)

    @property
    def columns(self) -> tuple[Column, ...]:
        return self._source.columns

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[Block]:
        """Blocks of ``rows`` rows."""
        return self._kept(numeric, text, sequences).blocks(numeric, text, rows, sequences)

    def between(
        self,
        start: int,
        stop: int,
        numeric: Sequence[str],
        text: Sequence[str],
        rows: int,
        sequences: Sequence[str] = (),
    ) -> Iterator[Block]:
        """Blocks of some of the rows; only where the source has ``cuts`` anybody asks for them."""
        return self._kept(numeric, text, sequences).between(start, stop, numeric, text, rows, sequences)

    def _kept(self, numeric: Sequence[str], text: Sequence[str], sequences: Sequence[str]) -> Held:
        wanted = tuple(map(frozenset, (numeric, text, sequences)))
        for names, held in self._held:
            if all(map(frozenset.issubset, wanted, names)):
                return held
        held = Held(self._source, list(numeric), list(text), list(sequences), self._room)
        self._held.append((wanted, held))
        return held
