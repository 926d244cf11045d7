"""Two sources whose rows have ids, brought to one order: that of the second, the references.

The rows that are brought into another order are held in memory, as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from lossctl.data.text.lines import LineBlock, TextPart
from lossctl.data.text.transcripts import cells
from lossctl.data.values import check_asked
from lossctl.errors import DataError, UsageError
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from lossctl.data.source import Block, Source
    from lossctl.data.values import Values

__all__ = ["has_ids", "matched"]

_ROWS = 1 << 14  # read at a time
_ROW_BYTES = 250  # what a row takes beside its text: its id in a table, where its cells begin and end
_SHOWN = 3


def has_ids(source: Source) -> bool:
    """Whether a source's format names its rows, so that they can be matched whatever their order."""
    return getattr(source, "ids", None) is not None


def matched(
    first: Source, second: Source, unmatched: Literal["error", "drop"] = "error", memory: int = 2 << 30
) -> tuple[Source, Source]:
    """The rows of ``first`` in the order of ``second``, by their ids; both as they are where they stand so already.

    Rows without a partner are a ``DataError`` (unmatched-keys), or left out and counted in the notes.
    ``UsageError`` (memory) if what must be held takes more than ``memory`` bytes.
    """
    mine, theirs = _ids(first, memory), _ids(second, memory)
    places = {word: row for row, word in enumerate(mine)}
    order = np.array([places.get(word, -1) for word in theirs], np.int64)
    there = order >= 0
    used = np.zeros(len(mine), bool)
    used[order[there]] = True
    if used.all() and there.all():
        same = bool((order == np.arange(len(order))).all())
        return _in_step(first if same else Held(first, order, memory), second)
    lone = [mine[row] for row in np.flatnonzero(~used).tolist()]
    absent = [theirs[row] for row in np.flatnonzero(~there).tolist()]
    if unmatched != "drop":
        raise _unmatched(first, second, lone, absent)
    kept = Held(first, order[there], memory), Held(second, np.flatnonzero(there), memory)
    for held, words in zip(kept, (lone, absent), strict=True):
        held.unmatched = len(words)
        if words:
            held.notes += (f"{len(words):,} left out that have no partner: {_listed(words)}",)
    return _in_step(*kept)


def _in_step(first: Source, second: Source) -> tuple[Source, Source]:
    """Both, marked as sources whose ids need not be compared again."""
    for source in (first, second):
        source.in_step = True  # type: ignore[attr-defined]
    return first, second


def _ids(source: Source, memory: int) -> list[bytes]:
    """The ids of all rows. Raises ``DataError`` (code ``key-repeated``) as the source does."""
    name = str(source.ids)  # type: ignore[attr-defined]
    words: list[bytes] = []
    size = 0
    for block in source.blocks([], [], _ROWS, [name]):
        found = block.strings(name)
        size += int(found.lengths.sum()) + _ROW_BYTES * block.rows
        _check_room(source, size, memory)
        words += cells(found)
    return words


def _check_room(source: Source, size: int, memory: int) -> None:
    if size > memory:
        raise UsageError(
            f"{source.name} is matched by ids in memory, and takes more than --memory ({memory:,} bytes)",
            code="memory",
            hint="sort both files by id and give them as plain text, or allow more with --memory",
        )


def _listed(words: Sequence[bytes]) -> str:
    return ", ".join(word.decode() for word in words[:_SHOWN]) + (", ..." if len(words) > _SHOWN else "")


def _unmatched(first: Source, second: Source, lone: Sequence[bytes], absent: Sequence[bytes]) -> DataError:
    pairs = ((lone, first, second), (absent, second, first))
    details = [f"only in {mine.name}, not in {its.name}: {_listed(words)}" for words, mine, its in pairs if words]
    return DataError(
        f"utterances without a partner: {len(lone):,} in {first.name}, {len(absent):,} in {second.name}",
        code="unmatched-keys",
        file=first.name if lone else second.name,
        details=tuple(details),
        hint="--unmatched drop leaves them out, and counts them",
    )


class Held:
    """Some rows of a source of text, in another order, held in memory."""

    def __init__(self, source: Source, order: Values, memory: int) -> None:
        self.name = source.name
        self.format = source.format
        self.ids = source.ids  # type: ignore[attr-defined]
        self.notes: tuple[str, ...] = source.notes
        self.unmatched = 0  # rows of the file that are left out for want of a partner
        self.columns = tuple(column._replace(rows=len(order)) for column in source.columns)
        self._rows = len(order)
        names = [column.name for column in self.columns]
        parts: dict[str, list[Ragged]] = {name: [] for name in names}
        size = 0
        for block in source.blocks([], [], _ROWS, names):
            for name in names:
                parts[name].append(block.strings(name).packed())
                size += 2 * len(parts[name][-1].values) + _ROW_BYTES * block.rows
            _check_room(source, size, memory)
        self._texts = {name: Ragged.join(parts.pop(name))[order] for name in names}

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[Block]:
        """Blocks of ``rows`` rows."""
        check_asked(self.name, self.columns, numeric, text, rows, sequences)
        whole = TextPart(self._texts, self._rows)
        for first in range(0, self._rows, rows):
            yield cast("Block", LineBlock(self.name, first, [(whole, first, min(first + rows, self._rows))]))
