"""Two sources whose formats name their rows, brought to one order: that of the second, the references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from lossctl.data.source import Source

__all__ = ["has_ids", "matched"]


def has_ids(source: Source) -> bool:
    """Whether a source's format names its rows, so that they can be matched whatever their order."""
    return getattr(source, "ids", None) is not None


def matched(
    first: Source, second: Source, unmatched: Literal["error", "drop"] = "error", memory: int = 2 << 30
) -> tuple[Source, Source]:
    """The rows of ``first`` in the order of ``second``, by their ids; both as they are where they stand so already.

    Rows without a partner are a ``DataError`` (unmatched-keys), or left out and counted in the notes.
    """
    from lossctl.data.joined import Wanted, join, left_out

    pair: tuple[Any, Any] = (first, second)
    every = Wanted([], [], [column.name for column in first.columns])
    found = join(pair, ((pair[0].ids,), (pair[1].ids,)), 1, every, unmatched, memory, "utterances")
    made: tuple[Any, Any] = (found.held, found.stream)
    for source in made:
        if (note := left_out(source, "utterances")) is not None:
            source.notes += (note,)
    return made
