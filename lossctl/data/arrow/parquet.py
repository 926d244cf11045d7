"""Parquet files: only the columns asked for, a few row-group pages at a time.

Every reading opens the file anew, so several threads may read the same source. What a source
learns on the way (widths, columns with many words) is the same whoever learns it first.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow._parquet import ParquetReader  # pyarrow.parquet adds its file systems: 30 ms at the start

from lossctl.data.arrow.block import ArrowBlock
from lossctl.data.arrow.file import ROW_CAP, ArrowFile
from lossctl.data.cuts import RowSpan, joined_cuts, row_spans
from lossctl.data.opening import Input
from lossctl.data.regroup import regrouped
from lossctl.data.stored import reading
from lossctl.data.values import check_asked
from lossctl.errors import DataError

if TYPE_CHECKING:
    from lossctl.data.arrow.block import Part
    from lossctl.data.arrow.nested import Shape

__all__ = ["ParquetSource"]

_BATCH_ROWS = 1 << 18
_LEAST_ROWS = 1 << 16  # between cuts
_BATCH_BYTES = 1 << 26  # of one column
_FIRST_ROWS = 64  # looked at first where lists may have any length
_MANY_WORDS = 1 << 15
_RUN_ROWS = 1 << 20
_CUT_ROWS = 1 << 19  # between two cuts, at least, where row groups are smaller
_CUTS = 32  # at least, as far as the row groups allow
_BUFFER = 1 << 18
_AHEAD_BYTES = 1 << 27


class ParquetSource(ArrowFile):
    """One Parquet file. Raises ``DataError`` (code ``corrupt``) if it is none."""

    format = "parquet"

    def __init__(self, data: Input) -> None:
        super().__init__(data.name)
        self._data = data
        self._many_words: set[str] = set()
        self._row_bytes: dict[str, int] = {}
        self._metadata: Any = None
        with reading(self.name, "Parquet file"):
            reader = self._open()
            self._metadata = reader.metadata
            self._paths: list[tuple[str, ...]] = [tuple(path) for path in reader.column_paths]
            self._edges, self._row_size = self._footer()
            self._take(reader.schema_arrow, reader.metadata.num_rows)
            reader.close()

    def cuts(self) -> Sequence[int]:
        """Where row groups begin, small ones taken together, and the number of rows."""
        least = min(_CUT_ROWS, max(self._metadata.num_rows // _CUTS, _LEAST_ROWS))
        return joined_cuts(self._edges, least)

    def between(
        self,
        start: int,
        stop: int,
        numeric: Sequence[str],
        text: Sequence[str],
        rows: int,
        sequences: Sequence[str] = (),
    ) -> Iterator[ArrowBlock]:
        """Blocks of the rows from ``start`` to ``stop``, which stand in as few row groups as can be."""
        check_asked(self.name, self.columns, numeric, text, rows, sequences)
        names = list(dict.fromkeys([*numeric, *text]))
        return self._between(start, stop, names, set(text), list(dict.fromkeys(sequences)), rows)

    def spans(self, numeric: Sequence[str], text: Sequence[str], sequences: Sequence[str] = ()) -> Iterator[RowSpan]:
        """All rows, from cut to cut."""
        check_asked(self.name, self.columns, numeric, text, 1, sequences)
        return row_spans(self, numeric, text, sequences)

    def _footer(self) -> tuple[list[int], int]:
        """The rows at which row groups begin and end, and the bytes that a row takes on the average of the largest.

        The sizes are those of whole row groups: pyarrow ends the process over damaged metadata of
        a single column.
        """
        edges, largest = [0], 0
        for i in range(self._metadata.num_row_groups):
            group = self._metadata.row_group(i)
            edges.append(edges[-1] + group.num_rows)
            largest = max(largest, group.total_byte_size // max(group.num_rows, 1))
        if edges[-1] != self._metadata.num_rows or edges != sorted(edges):
            message = f"the footer announces {self._metadata.num_rows:,} rows, its row groups {edges[-1]:,}"
            raise DataError(message, code="corrupt", file=self.name)
        return edges, largest

    def _between(
        self, start: int, stop: int, names: list[str], text: set[str], sequences: list[str], rows: int
    ) -> Iterator[ArrowBlock]:
        names, shapes = self._shapes(names, sequences)
        for first, pieces in regrouped(self._within(start, stop, names, text, threads=False), rows):
            yield ArrowBlock(self.name, start + first, pieces, shapes)

    def _parts(self, names: list[str], text: set[str]) -> Iterator[Part]:
        return self._within(0, self._metadata.num_rows, names, text, threads=True)

    def _within(self, start: int, stop: int, names: list[str], text: set[str], *, threads: bool) -> Iterator[Part]:
        wanted = {self._leaves[name].path for name in names}
        below = [i for i, path in enumerate(self._paths) if any(path[:n] in wanted for n in range(1, len(path) + 1))]
        texts = self._coded(set(names) & text)
        rows = self._batch_rows({self._elements.get(name, (name, 0))[0] for name in names})
        groups = range(bisect_right(self._edges, start) - 1, bisect_left(self._edges, stop))
        for run in self._runs(groups) if texts or self._data.remote else [groups] if groups else []:
            at, end = self._edges[run.start], self._edges[run.stop]
            for batch in self._run(run, below, texts, rows, threads):
                skip, at = max(start - at, 0), at + batch.num_rows
                kept = batch.num_rows - max(at - stop, 0) - skip
                if kept > 0:
                    yield self._part(names, batch if kept == batch.num_rows else batch.slice(skip, kept))
                if stop < min(at, end):
                    return
            if at != end:
                message = f"the data do not hold the {self._metadata.num_rows:,} rows that the footer announces"
                raise DataError(message, code="corrupt", file=self.name)

    def _run(self, groups: range, leaves: list[int], texts: set[str], rows: int, threads: bool) -> Iterator[Any]:
        """The batches of some row groups. Text stays coded as in the file, which spares the hashing.

        But a column's dictionary comes with every batch: where it turns out to be large, the row
        groups are begun anew and the text is read as it is, now and from then on.
        """
        done, again = 0, True
        while again:
            again, at = False, 0
            coded = sorted(texts - self._many_words)
            for batch in self._batches(groups, leaves, coded, rows, threads):
                many = [name for name in coded if len(batch.column(name).dictionary) > _MANY_WORDS]
                if many:
                    self._many_words.update(many)
                    again = True
                    break
                at += batch.num_rows
                if at > done:
                    yield batch.slice(max(batch.num_rows - (at - done), 0))
                    done = at

    def _batches(self, groups: range, leaves: list[int], coded: list[str], rows: int, threads: bool) -> Iterator[Any]:
        with reading(self.name, "Parquet file"):
            reader = self._open(coded, self._ahead(groups, len(leaves)))
            batches = reader.iter_batches(rows, row_groups=groups, column_indices=leaves, use_threads=threads)
        while True:
            with reading(self.name, "Parquet file"):
                batch = next(batches, None)
            if batch is None:
                reader.close()
                return
            yield batch

    def _runs(self, groups: range) -> Iterator[range]:
        """Consecutive row groups of together about a million rows."""
        start = groups.start
        for i in groups:
            if i + 1 == groups.stop or self._edges[i + 1] - self._edges[start] >= _RUN_ROWS:
                yield range(start, i + 1)
                start = i + 1

    def _batch_rows(self, wanted: set[str]) -> int:
        """Rows of one batch: fewer where rows may hold long texts or lists, so that memory stays bounded."""
        columns = [column for column in self.columns if column.name in wanted]
        if not any(column.type == "text" or column.width is not None for column in columns):
            return max(1, min(_BATCH_ROWS, _BATCH_BYTES // (8 * max(len(columns), 1))))
        known = self._row_bytes.keys() | self._widths.keys()
        if any(column.width == 0 and column.name not in known for column in columns):
            return _FIRST_ROWS
        sizes = ((self._widths.get(column.name) or 1, self._row_bytes.get(column.name, 1)) for column in columns)
        largest = max(self._row_size, *(max(8 * width, seen) for width, seen in sizes))
        if largest > ROW_CAP:
            message = f"a row announces {largest:,} bytes, more than the {ROW_CAP:,} a row may have"
            raise DataError(message, code="too-large", file=self.name)
        return max(1, min(_BATCH_ROWS, _BATCH_BYTES // largest))

    def _uneven(self, name: str) -> Shape | None:
        if self._leaves[name].column.width == 0 and name not in self._row_bytes:
            part = next(self._parts([name], set()), None)
            self._row_bytes[name] = 1 if part is None else part.arrays[name].nbytes // part.rows + 1
        return super()._uneven(name)

    def _ahead(self, groups: Sequence[int], leaves: int) -> bool:
        """Whether the columns are fetched before they are needed: in few requests, but all of them held at once."""
        if not self._data.remote or not groups:
            return False
        rows = self._edges[groups[-1] + 1] - self._edges[groups[0]]
        return rows * self._row_size * leaves // max(len(self._paths), 1) <= _AHEAD_BYTES

    def _open(self, coded: Sequence[str] = (), ahead: bool = False) -> Any:
        """A new reader; column chunks are read through a small buffer, never whole, unless they come from afar."""
        self._data.check_same()
        exact = ahead or (self._data.remote and self._metadata is None)
        source = self._data.path or pa.PythonFile(self._data.ranged() if exact else self._data.file(), mode="r")
        reader = ParquetReader()
        reader.open(
            source,
            use_memory_map=False,
            buffer_size=_BUFFER,
            pre_buffer=ahead,
            read_dictionary=coded,
            metadata=self._metadata,
        )
        return reader
