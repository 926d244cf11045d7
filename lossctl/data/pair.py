"""Several files in step: blocks of equal rows, equal lengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.data.excerpt import excerpt
from lossctl.data.roles.binding import Binding, BoundCall, Ref, input_of
from lossctl.data.source import Block, Source, placed
from lossctl.errors import DataError, UsageError
from lossctl.model.spec import Arrays
from lossctl.sequences.ragged import Ragged

__all__ = ["Batches", "Chunk", "lengths_differ", "walk", "whole_inputs"]

WHOLE_ROWS = 1024  # rows at a time of an array that is read as a whole


class Batches(NamedTuple):
    """Where in a chunk the batches begin, and what they are called."""

    starts: NDArray[np.intp]
    names: list[str]


class Chunk:
    """Rows ``first`` to ``first + rows`` of all sources, with arrays made on demand, once each."""

    def __init__(self, binding: Binding, blocks: Mapping[int, Block], first: int, rows: int) -> None:
        self.binding = binding
        self.blocks = blocks
        self.first = first
        self.rows = rows
        self.batches: Batches | None = None  # where rows are to be seen in batches: whole ones
        self.sound: dict[int, Any] = {}  # for whoever checks the arrays, so that none is looked at twice
        self._cache: dict[tuple[Any, ...], Any] = {}

    @cached_property
    def numbered(self) -> NDArray[np.int64]:
        """(rows,) the 0-based numbers of the rows."""
        return np.arange(self.first, self.first + self.rows)

    def inputs(self, bound: BoundCall) -> Arrays:
        """The arrays of a call's roles that go row by row, decoded as their kinds want."""
        return {i.role: self._input(bound, i.role) for i in bound.call.entry.spec.rowwise(bound.refs)}

    def _input(self, bound: BoundCall, role: str) -> Any:
        source = self.binding.sources[bound.refs[role].source]
        try:
            return self._decoded(bound, role)
        except DataError as error:
            if error.row is not None and error.file == source.name:  # a row of the whole
                error.file, row = placed(source, error.row - 1)
                error.row = row + 1
            raise

    def _decoded(self, bound: BoundCall, role: str) -> Any:
        ref = bound.refs[role]
        kind = input_of(bound.call, role).kind
        way = kind.decode(bound.call.params, bound.width)
        text = self.binding.reads_text(bound, role)
        if way in {"units", "sequence"}:
            try:
                single = self.binding.is_single(bound, role)
                raw = Ragged.ones(self.numbers(ref)) if single else self.rows_of(ref, text=text)
                return kind.read(raw, bound.call.params)
            except DataError as error:
                if error.row is not None and error.file is None:  # counted within the chunk
                    error.file, error.column, first = self._where(ref)
                    error.row += first
                raise
        if way == "text":
            return self.codes(ref)[0]
        if way == "class" and text:
            names, ignore = bound.classes, bound.call.params.get("ignore_index")
            places, values = self.labels(ref)
            return names.encode(places, values, _number(ignore), self._where(ref))
        if way == "class" and len(ref.columns) == 1:
            numbers = self.numbers(ref)
            if numbers.ndim == 1:
                ignore = bound.call.params.get("ignore_index")
                return bound.classes.renumber(numbers, _number(ignore), self._where(ref))
            return numbers
        if way == "list":
            return bound.classes.renumber_lists(self.numbers(ref), self._where(ref))
        if way == "label" and text:
            return self._coded(bound, role, ref)
        if way == "binary" and text:
            return self._positive(bound, ref)
        try:
            return self.numbers(ref)
        except DataError as error:
            if way == "binary" and error.code in {"not-a-number", "dtype"}:
                error.hint = "are the labels text?  --positive NAME says which one is positive"
            raise

    def _where(self, ref: Ref) -> tuple[str, str, int]:
        return self.binding.sources[ref.source].name, ref.columns[0], self.first

    def _coded(self, bound: BoundCall, role: str, ref: Ref) -> NDArray[np.int64]:
        columns = []
        for name in ref.columns:
            places, values = self.blocks[ref.source].labels(name)
            columns.append(bound.vocabulary.encode(role, places, values, self.first))
        return columns[0] if len(columns) == 1 else np.column_stack(columns)

    def _positive(self, bound: BoundCall, ref: Ref) -> NDArray[np.float64]:
        from lossctl.data.labels import canonical

        wanted = canonical(str(self.binding.positive))
        columns = []
        for name in ref.columns:
            places, values = self.labels(Ref(ref.source, (name,)))
            table = np.full(len(values) + 1, np.nan)
            for place, value in enumerate(values):
                if value != "":
                    table[place] = float(canonical(value) == wanted)
                    bound.vocabulary.positive |= bool(table[place])
            columns.append(table[places])
        return columns[0] if len(columns) == 1 else np.column_stack(columns)

    def numbers(self, ref: Ref) -> NDArray[Any]:
        """(rows,) or (rows, k) floats, C-contiguous; integers of any width are float64."""
        key = ("numbers", ref)
        if key not in self._cache:
            block = self.blocks[ref.source]
            columns = [block.numbers(name) for name in ref.columns]
            array: NDArray[Any] = columns[0] if len(columns) == 1 else np.column_stack(columns)
            self._cache[key] = array
        found: NDArray[Any] = self._cache[key]
        return found

    def rows_of(self, ref: Ref, *, text: bool) -> Ragged:
        """Rows of any length: text as the bytes of its UTF-8, or numbers; several columns stand side by side."""
        key = ("rows", ref, text)
        if key not in self._cache:
            block = self.blocks[ref.source]
            if len(ref.columns) > 1:
                self._cache[key] = Ragged.padded(self.numbers(ref))
            else:
                self._cache[key] = block.strings(ref.columns[0]) if text else block.sequences(ref.columns[0])
        found: Ragged = self._cache[key]
        return found

    def labels(self, ref: Ref) -> tuple[NDArray[np.int64], list[str]]:
        key = ("labels", ref)
        if key not in self._cache:
            self._cache[key] = self.blocks[ref.source].labels(ref.columns[0])
        found: tuple[NDArray[np.int64], list[str]] = self._cache[key]
        return found

    def codes(self, ref: Ref) -> tuple[NDArray[np.int64], list[str]]:
        """As ``labels``, with an empty cell as missing."""
        return emptied(*self.labels(ref))

    def groups(self, ref: Ref) -> tuple[NDArray[np.int64], list[str]]:
        """As ``codes``, but the list may hold texts that no row has."""
        return emptied(*self.words(ref)[0])

    def words(self, ref: Ref) -> list[tuple[NDArray[np.int64], list[str]]]:
        """Each of some columns as text, coded: (rows,) places in a list of texts, -1 = missing."""
        block = self.blocks[ref.source]
        return [getattr(block, "coded", block.labels)(name) for name in ref.columns]

    def texts(self, ref: Ref) -> list[tuple[str | None, ...]]:
        """Key cells, row by row."""
        block = self.blocks[ref.source]
        return list(zip(*(block.texts(name) for name in ref.columns), strict=True))


def emptied(places: NDArray[np.int64], values: list[str]) -> tuple[NDArray[np.int64], list[str]]:
    """Coded text, with an empty one as missing."""
    return (np.where(places == values.index(""), -1, places) if "" in values else places), values


def whole_inputs(binding: Binding, bound: BoundCall, memory: int) -> dict[str, Any]:
    """The arrays of a call that stand beside all rows: one, or a mapping of several by their names.

    ``UsageError`` (memory) if they take more than ``memory`` bytes.
    """
    found: dict[str, Any] = {}
    room = memory
    for entry in bound.call.entry.spec.whole(bound.refs):
        ref = bound.refs[entry.role]
        source = binding.sources[ref.source]
        parts: dict[str, NDArray[Any]] = {}
        for names in ([name] for name in ref.columns) if entry.kind.mapping else (list(ref.columns),):
            blocks = []
            for block in source.blocks(names, [], WHOLE_ROWS):
                columns = [block.numbers(name) for name in names]
                blocks.append(np.array(columns[0] if len(columns) == 1 else np.column_stack(columns)))
                room -= blocks[-1].nbytes
                if room < 0:
                    raise UsageError(
                        f"{entry.role} in {source.name} is read whole, and takes more than --memory ({memory:,} bytes)",
                        code="memory",
                        hint="allow more with --memory",
                    )
            if not blocks:
                raise DataError(f"{entry.role} has no rows", code="empty", file=source.name, column=names[0])
            parts[names[0]] = np.concatenate(blocks)
        found[entry.role] = parts if entry.kind.mapping else next(iter(parts.values()))
    return found


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def walk(binding: Binding, rows: int, limit: int | None) -> Iterator[Chunk]:
    """Chunks of ``rows`` rows through all sources at once.

    Raises ``DataError`` when one source ends before another.
    """
    if binding.apart is not None:
        from lossctl.data.apart import side_blocks  # seldom wanted

        for found, first, size in side_blocks(binding, rows, limit):
            yield Chunk(binding, found, first, size)
        return
    numeric, text, sequences = binding.wanted()
    sources = binding.sources
    streams = {
        place: source.blocks(numeric[place], text[place], rows, sequences[place])
        for place, source in enumerate(sources)
        if numeric[place] or text[place] or sequences[place]
    }
    first = 0
    while True:
        blocks = {place: block for place, stream in streams.items() if (block := next(stream, None)) is not None}
        lengths = {place: blocks[place].rows if place in blocks else 0 for place in streams}
        size = min(lengths.values())
        if len(set(lengths.values())) > 1 and (limit is None or first + size < limit):
            raise unequal(sources, streams, lengths, first)
        if size == 0:
            break
        if limit is not None:
            size = min(size, limit - first)
        if size < max(lengths.values()):
            blocks = {place: excerpt(block, 0, size) for place, block in blocks.items()}
        yield Chunk(binding, blocks, first, size)
        first += size
        if limit is not None and first >= limit:
            break


def unequal(
    sources: Sequence[Source], streams: Mapping[int, Iterator[Block]], lengths: dict[int, int], first: int
) -> DataError:
    """Read to the end of every source, to say how many rows each has."""
    return lengths_differ(
        sources, {place: first + size + sum(b.rows for b in streams[place]) for place, size in lengths.items()}
    )


def lengths_differ(sources: Sequence[Source], counts: Mapping[int, int]) -> DataError:
    """The error for sources with so many rows each."""
    shown = ", ".join(f"{sources[place].name} {count:,}" for place, count in counts.items())
    return DataError(
        f"the files have different numbers of rows: {shown}",
        code="lengths-differ",
        file=sources[min(counts, key=lambda p: counts[p])].name,
        hint="rows are paired by position; nothing was scored",
    )
