"""What the columns of a source hold: counts, ranges, first values. Reads once, in bounded blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.data.cells import NOT_A_NUMBER, TOO_LARGE, read_numbers
from lossctl.data.excerpt import excerpt
from lossctl.data.source import Block, Column, Source
from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

__all__ = ["Facts", "First", "Survey", "survey"]

BLOCK_CELLS = 2**19
LOOK = 1000  # rows after which it is settled whether an untyped column is numbers
SHOWN = 6  # first values kept
DISTINCT = 1000  # more different values than this are not counted
# Why a column cannot be read as numbers; whatever else goes wrong is wrong with the file.
NO_NUMBERS = {"not-a-number", "integer-too-large", "dtype", "ragged-list"}


class Facts:
    """What was seen of one column. ``missing`` and ``infinite`` count rows."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self.text = column.type == "text"
        self.lists = column.uneven  # rows of any length
        self.unreadable = column.type == "other"
        self.note: str | None = None
        self.bad_row = 0  # where the note was called for, from 1
        self.clear()

    def clear(self) -> None:
        """Forget the values, before they are read in another way."""
        self.rows = 0
        self.missing = 0
        self.infinite = 0
        self.whole = True
        self.low: float | None = None
        self.high: float | None = None
        self.values: list[str] = []
        self.seen: set[Any] | None = None if self.lists else set()
        self.lengths: tuple[int, int] | None = None  # of lists: the least, the greatest

    @property
    def distinct(self) -> int | None:
        """How many different values there are; ``None`` for vectors, and where they are many."""
        return None if self.seen is None else len(self.seen)

    @property
    def kind(self) -> str:
        return "other" if self.unreadable else "list" if self.lists else "text" if self.text else "number"

    def add(self, block: Block) -> None:
        """See one more block. Raises ``DataError`` where a cell is not what the column was taken for."""
        if self.lists:
            name = self.column.name
            self._rows(block.strings(name) if self.text else block.sequences(name))
        elif self.text:
            self._texts(*block.labels(self.column.name))
        else:
            self._numbers(np.asarray(block.numbers(self.column.name)))
        self.rows += block.rows

    def _texts(self, codes: NDArray[np.int64], words: list[str]) -> None:
        there = np.array([word != "" for word in words] + [False])  # -1 finds the last one
        self.missing += int(np.count_nonzero(~there[codes]))
        if self.seen is not None:
            self._see(word for word in words if word != "")
        if len(self.values) < SHOWN:
            table = [*words, ""]
            self.values += [table[code] for code in codes[: SHOWN - len(self.values)].tolist()]

    def _rows(self, rows: Ragged) -> None:
        there = rows.lengths if rows.missing is None else rows.lengths[~rows.missing]
        self.missing += len(rows) - len(there)
        if len(there):
            low, high = (int(there.min()), int(there.max())) if self.lengths is None else self.lengths
            self.lengths = min(low, int(there.min())), max(high, int(there.max()))
        words = rows.words
        for n in range(min(len(rows), SHOWN - len(self.values))):
            row = rows.row(n)
            first = [words[code] for code in row[:3].tolist()] if words is not None else list(map(shown, row[:3]))
            self.values.append(f"[{', '.join(first)}{', ...' if len(row) > 3 else ''}]")
        if words is None and len(rows.values):
            self._range(rows.flat())

    def _range(self, array: NDArray[Any]) -> None:
        good = array[np.isfinite(array)]
        if good.size:
            low, high = float(good.min()), float(good.max())
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)
            self.whole = self.whole and bool(np.all(good == np.floor(good)))

    def _numbers(self, array: NDArray[Any]) -> None:
        axes = tuple(range(1, array.ndim))
        nan, inf = np.isnan(array), np.isinf(array)
        self.missing += int(np.count_nonzero(nan.any(axis=axes)))
        self.infinite += int(np.count_nonzero(inf.any(axis=axes)))
        self._range(array)
        if array.ndim > 1:
            self.seen = None
        elif self.seen is not None:
            self._see(np.unique(array[~(nan | inf)]).tolist())
        self.values += [shown(row) for row in array[: SHOWN - len(self.values)]]

    def _see(self, values: Iterable[Any]) -> None:
        assert self.seen is not None
        self.seen.update(values)
        if len(self.seen) > DISTINCT:
            self.seen = None


class First:
    """The first rows of a source, as a source that may be read many times: the file is read once."""

    def __init__(self, source: Source, rows: int) -> None:
        self.name = source.name
        self.format = source.format
        self.columns = source.columns
        self.notes = source.notes
        self._source = source
        self._rows = rows
        self._read: dict[tuple[tuple[str, ...], ...], list[Block]] = {}

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[Block]:
        """The block of the first rows; whoever asks for blocks of another size gets all of the source."""
        if rows != self._rows:
            return self._source.blocks(numeric, text, rows, sequences)
        key = tuple(numeric), tuple(text), tuple(sequences)
        if key not in self._read:
            self._read[key] = [*islice(self._source.blocks(numeric, text, rows, sequences), 1)]
        return iter(self._read[key])


class Survey(NamedTuple):
    """All columns of a source, in its order, and the rows that were read."""

    source: Source
    rows: int
    partial: bool
    facts: tuple[Facts, ...]

    @property
    def facts_of(self) -> dict[str, Facts]:
        """Facts by the name of the column."""
        return {facts.column.name: facts for facts in self.facts}


def survey(source: Source, limit: int | None = None) -> Survey:
    """Read the source, or its first ``limit`` rows. Raises ``DataError`` for a file that cannot be read."""
    every = tuple(Facts(column) for column in source.columns)
    counts = Counter(column.name for column in source.columns)
    for facts in every:
        if counts[facts.column.name] > 1:
            facts.unreadable = True
            facts.note = f"{counts[facts.column.name]} columns have this name"
    readable = [facts for facts in every if not facts.unreadable]
    for group in of_one_length(readable):
        settle(source, group, min(LOOK, limit or LOOK))
        while not all_read(source, group, limit):
            pass
    rows = max((facts.rows for facts in readable), default=0)
    partial = limit is not None and any(facts.rows == limit != facts.column.rows for facts in readable)
    return Survey(source, rows, partial, every)


def of_one_length(every: Sequence[Facts]) -> Iterator[list[Facts]]:
    """Columns that can be read side by side."""
    for rows in dict.fromkeys(facts.column.rows for facts in every):
        yield [facts for facts in every if facts.column.rows == rows]


def settle(source: Source, group: Sequence[Facts], look: int) -> None:
    """Whether columns without a type are numbers, from the texts of their first rows."""
    untyped = [facts for facts in group if facts.column.type == "cell"]
    names = [facts.column.name for facts in untyped]
    for block in islice(source.blocks([], names, look), 1) if names else ():
        for facts in untyped:
            flaws = read_numbers(block.labels(facts.column.name)[1], frozenset()).flaws
            facts.text = bool(flaws.any())
            if TOO_LARGE in flaws and NOT_A_NUMBER not in flaws:
                facts.note = "read as text: float64 cannot hold all of these integers (beyond 2^53)"


def all_read(source: Source, group: Sequence[Facts], limit: int | None) -> bool:
    """Read every row; ``False`` if a column turned out to be something else, and all must be read anew."""
    known = [facts for facts in group if not facts.unreadable]
    numeric = [facts.column.name for facts in known if not facts.text and not facts.lists]
    text = [facts.column.name for facts in known if facts.text and not facts.lists]
    lists = [facts.column.name for facts in known if facts.lists]
    for facts in known:
        facts.clear()
    cells = sum(max(1, facts.column.width or 1) for facts in known)
    rows = max(1, min(2**16, BLOCK_CELLS // max(cells, 1), limit or 2**16))
    done = 0
    for block in source.blocks(numeric, text, rows, lists) if known else ():
        part = block if limit is None else excerpt(block, 0, min(block.rows, limit - done))
        for facts in known:
            try:
                facts.add(part)
            except DataError as error:
                refused(facts, error)
                return False
        done += part.rows
        if limit is not None and done >= limit:
            break
    return True


def refused(facts: Facts, error: DataError) -> None:
    """Take the column for lists or for text, or leave it alone where it was that already."""
    if error.code not in NO_NUMBERS:
        raise error
    vector = facts.column.width is not None
    if error.code == "ragged-list" and not facts.lists:
        facts.lists = True
        return
    facts.unreadable = facts.text or vector
    facts.text = not vector
    facts.note = f"row {error.row:,}: {error.message}" if error.row else error.message
    facts.bad_row = error.row or 0


def shown(value: Any) -> str:
    """A number as its own dtype writes it; of a vector the first three."""
    if getattr(value, "ndim", 0):
        flat = value.reshape(-1)
        return f"[{', '.join(map(shown, flat[:3]))}{', ...' if len(flat) > 3 else ''}]"
    return str(int(value)) if value == np.floor(value) and abs(value) < 1e15 else str(value)
