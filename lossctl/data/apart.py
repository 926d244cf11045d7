"""Columns that no row pairs, read to the end of the longest: arrays of any length, cells that end early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.data.roles.binding import Binding
from lossctl.data.source import Block
from lossctl.errors import DataError, UsageError
from lossctl.model.sides import ABSENT, padded

__all__ = ["Beside", "side_blocks"]

ARRAYS = ("memory", "npy", "npz")  # what holds arrays of a length of their own, rather than rows
Floats = NDArray[np.float64]


class Beside(NamedTuple):
    """Some rows of a source whose columns may end at different rows; ``sides`` are read already."""

    first: int
    rows: int
    blocks: Mapping[str, Block]
    sides: Mapping[str, Floats]

    def numbers(self, name: str) -> Any:
        return self.sides[name] if name in self.sides else self.blocks[name].numbers(name)[: self.rows]

    def labels(self, name: str) -> tuple[NDArray[np.int64], list[str]]:
        places, values = self.blocks[name].labels(name)
        return places[: self.rows], values

    def texts(self, name: str) -> list[str | None]:
        return self.blocks[name].texts(name)[: self.rows]


class Side:
    """One column on its way to its end.

    In a ``table`` that holds several sides the shorter ones end in empty cells; a missing value with another one
    behind it is none of these. Arrays end where they end, and a missing value in them is one.
    """

    def __init__(self, role: str, file: str, column: str, *, table: bool, nan: str) -> None:
        self.role, self.file, self.column = role, file, column
        self.table, self.nan = table, nan
        self.ended: int | None = None  # the first row without a value
        self.seen = False
        self.waiting = 0  # missing values since the last one that is there
        self.skipped = 0  # missing values between others

    def look(self, numbers: NDArray[Any], first: int) -> Floats:
        """The next values, (N,), the first of them in row ``first``, with absent ones as such.

        ``--nan skip`` leaves missing values out, on this side only.
        """
        found: Floats = np.array(numbers, np.float64)
        if found.ndim == 2 and found.shape[1] == 1:
            found = found[:, 0]
        if found.ndim > 1:
            return found  # no such loss takes it, and says so
        lost = ~np.isfinite(found) if self.nan == "skip" else np.isnan(found)
        self.seen = self.seen or not lost.all()
        self.count(lost)
        if self.nan != "skip":
            if not self.table:
                return found
            self.hold(found, lost, first)
        found[lost] = ABSENT
        return found

    def count(self, lost: NDArray[np.bool_]) -> None:
        """Note how many values are missing, those at the end of a table's column by themselves."""
        last = len(lost) - int(np.argmax(~lost[::-1])) if not lost.all() else 0
        self.skipped += int(np.count_nonzero(lost[:last])) + (self.waiting if last else 0)
        self.waiting = int(np.count_nonzero(lost[last:])) + (0 if last else self.waiting)

    def note(self) -> str | None:
        """What --nan skip has left out."""
        left = self.skipped if self.table else self.skipped + self.waiting
        return f"{self.role}: missing values left out: {left:,}" if left else None

    def hold(self, found: Floats, lost: NDArray[np.bool_], first: int) -> None:
        """Look for a value behind the end of the column: an error, or a NaN in its place (``propagate``)."""
        if self.ended is None and lost.any():
            self.ended = first + int(np.argmax(lost))
        if self.ended is None:
            return
        behind = np.flatnonzero(~lost & (np.arange(first, first + len(found)) > self.ended))
        if len(behind) and self.nan == "error":
            raise DataError(
                f"{self.role} is missing, and goes on in row {first + int(behind[0]) + 1:,}",
                code="nan",
                file=self.file,
                column=self.column,
                row=self.ended + 1,
                hint="the shorter side may end in empty cells; --nan skip leaves out those in between",
            )
        if len(behind):
            found[behind[0]] = np.nan


def side_blocks(binding: Binding, rows: int, limit: int | None) -> Iterator[tuple[dict[int, Any], int, int]]:
    """Blocks of all sources, by place, with their first row and how many rows they are.

    Raises ``DataError`` for a side without values, ``UsageError`` where other columns would have to know its rows.
    """
    sides = sides_of(binding)
    streams = streams_of(binding, sides, rows)
    first = 0
    while limit is None or first < limit:
        blocks = {key: block for key, stream in streams.items() if (block := next(stream, None)) is not None}
        size = max((block.rows for block in blocks.values()), default=0)
        if size == 0:
            break
        size = size if limit is None else min(size, limit - first)
        short = [key for key in streams if key not in blocks or blocks[key].rows < size]
        if short and (binding.weight or binding.mask or binding.by):
            raise needs_rows(binding, short[0])
        found: dict[int, Any] = {}
        for place in {place for place, _ in streams}:
            named = {name: b for (where, names), b in blocks.items() if where == place for name in names}
            ready = {}
            for (where, name), side in sides.items():
                if where == place:
                    numbers = named[name].numbers(name)[:size] if name in named else np.empty(0)
                    ready[name] = padded(side.look(numbers, first), size)
            found[place] = Beside(first, size, named, ready)
        yield found, first, size
        first += size
    for side in sides.values():
        if first and not side.seen:
            raise DataError(f"{side.role} has no values", code="empty", file=side.file, column=side.column)
        if side.nan == "skip" and (left := side.note()) is not None:
            binding.notes.append(("rows-dropped", left))


def sides_of(binding: Binding) -> dict[tuple[int, str], Side]:
    """The columns that stand by themselves, by source and name."""
    roles = {(ref.source, ref.columns[0]): role for bound in binding.calls for role, ref in bound.refs.items()}
    found = {}
    for (place, name), role in roles.items():
        source = binding.sources[place]
        shared = sum(where == place for where, _ in roles) > 1
        table = shared and source.format not in ARRAYS
        found[place, name] = Side(role, source.name, name, table=table, nan=binding.apart or "error")
    return found


def streams_of(
    binding: Binding, sides: Mapping[tuple[int, str], Side], rows: int
) -> dict[tuple[int, tuple[str, ...]], Iterator[Block]]:
    """What is read in step within each source: all columns of a table, each array by itself."""
    streams: dict[tuple[int, tuple[str, ...]], Iterator[Block]] = {}
    for place, (numeric, text, _) in enumerate(zip(*binding.wanted(), strict=True)):
        source = binding.sources[place]
        if source.format in ARRAYS:
            for name in dict.fromkeys([*numeric, *text]):
                as_numbers, as_text = ([name] if name in names else [] for names in (numeric, text))
                streams[place, (name,)] = source.blocks(as_numbers, as_text, rows)
        elif numeric or text:
            streams[place, tuple(dict.fromkeys([*numeric, *text]))] = source.blocks(numeric, text, rows)
    return streams


def needs_rows(binding: Binding, short: tuple[int, tuple[str, ...]]) -> UsageError:
    """Weights, masks and slices are about rows, which sides of different lengths do not have."""
    pairs = (("--weight", binding.weight), ("--mask", binding.mask), ("--by", binding.by))
    options = " and ".join(name for name, ref in pairs if ref)
    file = binding.sources[short[0]].name
    return UsageError(
        f"{options}: {', '.join(short[1])} in {file} ends before the others, and no row has all of them",
        code="lengths-differ",
        hint="one table with both sides, whose shorter one ends in empty cells",
    )
