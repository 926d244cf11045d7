"""Which columns of a table stand side by side, and how wide each is. Knows nothing of a terminal.

Numbers are never cut: where the room is short, text folds, what is secondary goes, and then the
table is split into panels that repeat its leading columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["BEST", "GAP", "Column", "Panel", "panels"]

BEST = "*"  # behind a number that is the best of its column

GAP = 2  # blanks between columns
FOLD = 10  # no text is folded into less


@dataclass(eq=False)
class Column:
    """One column: what it is, and the room its cells were seen to need.

    Columns of block 0 lead every panel; those of another block stay together if they can. ``rank`` is
    the order in which a column goes when the room is short (0: never). A column that is ``tied`` goes to
    another panel together with the next one.
    """

    name: str
    kind: Literal["key", "text", "count", "number"]
    style: str = ""
    block: int = 0
    rank: int = 0
    tied: bool = False
    _head: int = 0
    _whole: int = 0  # left of the decimal point
    _tail: int = 0

    def measure(self, size: Callable[[str], int]) -> None:
        """Take the room for the header."""
        self._head = size(self.name)

    def see(self, cell: str, size: Callable[[str], int]) -> None:
        """Take the room for one more cell."""
        if self.kind == "number":
            whole, tail = _split(cell)
            self._whole, self._tail = max(self._whole, len(whole)), max(self._tail, len(tail))
        else:
            self._whole = max(self._whole, size(cell))

    def place(self, cell: str, width: int) -> str:
        """The cell where it belongs in the width: numbers to the right, point under point."""
        if self.kind == "count":
            return cell.rjust(width)
        if self.kind == "number":
            whole, tail = _split(cell)
            return whole.rjust(width - self._tail) + tail.ljust(self._tail)
        return cell

    def natural(self) -> int:
        """The width at which nothing folds."""
        return max(1, self._head, self._whole + self._tail)

    def least(self, room: int) -> int:
        """The smallest width: keys and long headers may fold to a fifth of the room, numbers never."""
        fold = max(FOLD, room // 5)
        body = self._whole + self._tail
        return max(1, min(self._head, fold), min(body, fold) if self.kind == "key" else body)


Panel: TypeAlias = list[tuple[Column, int]]  # columns that stand side by side, and their widths


def _split(cell: str) -> tuple[str, str]:
    """A number before and from its decimal point (or its exponent, or its mark); ``inf`` and ``nan`` are whole."""
    for mark in (".", "e", BEST):
        if mark in cell:
            place = cell.index(mark)
            return cell[:place], cell[place:]
    return cell, ""


def panels(columns: Sequence[Column], width: int | None) -> list[Panel]:
    """The columns of each panel, in their order, each with its width."""
    if width is None:
        return [[(column, column.natural()) for column in columns]]
    lead = [column for column in columns if column.block == 0]
    found: list[list[Column]] = []
    panel = list(lead)
    for number in sorted({column.block for column in columns} - {0}):
        block = [column for column in columns if column.block == number]
        if _room(panel + block, width) > width:
            if len(panel) > len(lead):
                found.append(panel)
                panel = list(lead)
            block = _thinned(block, lead, width)
        for place, column in enumerate(block):
            together = block[place : place + 2] if column.tied else [column]
            if _room([*panel, *together], width) > width and len(panel) > len(lead):
                found.append(panel)
                panel = list(lead)
            panel.append(column)
    return [_settled([c for c in columns if c in chosen], width) for chosen in [*found, panel]]


def _room(columns: Sequence[Column], width: int) -> int:
    return sum(column.least(width) for column in columns) + GAP * (len(columns) - 1)


def _thinned(block: Sequence[Column], lead: Sequence[Column], width: int) -> list[Column]:
    """The block without as many secondary columns as must go for the rest to fit."""
    kept = list(block)
    for column in sorted((c for c in block if c.rank), key=lambda c: c.rank):
        if _room([*lead, *kept], width) <= width:
            break
        kept = [c for c in kept if c is not column]
    return kept


def _settled(columns: Sequence[Column], width: int) -> Panel:
    """Give what room is left to the columns that would fold, from the left."""
    spare = max(0, width - _room(columns, width))
    panel: Panel = []
    for column in columns:
        least = column.least(width)
        settled = min(column.natural(), least + spare)
        spare -= settled - least
        panel.append((column, settled))
    return panel
