"""Parquet files: only the columns asked for, a few row-group pages at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow._parquet import ParquetReader  # pyarrow.parquet adds its file systems: 30 ms at the start

from lossctl.data.arrow import as_column, is_text, list_width
from lossctl.data.arrowblock import ArrowBlock, Part, regrouped
from lossctl.data.opening import Input
from lossctl.data.stored import reading
from lossctl.data.values import check_asked
from lossctl.errors import DataError

if TYPE_CHECKING:
    from lossctl.data.source import Column

__all__ = ["ParquetSource"]

_BATCH_ROWS = 1 << 16
_BATCH_BYTES = 1 << 26  # of one column
_ROW_CAP = 1 << 30  # bytes of one row
_FIRST_ROWS = 64  # looked at first where lists may have any length
_MANY_WORDS = 1 << 15
_RUN_ROWS = 1 << 20
_BUFFER = 1 << 20


class ParquetSource:
    """One Parquet file. Raises ``DataError`` (code ``corrupt``) if it is none."""

    format = "parquet"

    def __init__(self, data: Input) -> None:
        self.name = data.name
        self.notes: tuple[str, ...] = ()
        self._data = data
        self._widths: dict[str, int] = {}
        self._many_words: set[str] = set()
        self._metadata: Any = None
        with reading(self.name, "Parquet file"):
            reader = self._open()
            self._metadata = reader.metadata
            self._leaves: list[str] = [path[0] for path in reader.column_paths]
            self._types = {field.name: field.type for field in reader.schema_arrow}
            self.columns: tuple[Column, ...] = tuple(
                as_column(field.name, field.type, reader.metadata.num_rows) for field in reader.schema_arrow
            )
            reader.close()

    def blocks(self, numeric: Sequence[str], text: Sequence[str], rows: int) -> Iterator[ArrowBlock]:
        """Blocks of ``rows`` rows with the named columns; integers and lists are checked as they are read.

        Raises ``DataError``: ``corrupt``, and from the blocks ``integer-too-large``, ``ragged-list``.
        """
        check_asked(self.name, self.columns, numeric, text, rows)
        return self._blocks(list(dict.fromkeys([*numeric, *text])), set(text), rows)

    def _blocks(self, names: list[str], text: set[str], rows: int) -> Iterator[ArrowBlock]:
        widths = {column.name: self._width(column) for column in self.columns if column.name in names}
        lists = {name: width for name, width in widths.items() if width is not None}
        for first, pieces in regrouped(self._parts(names, text), rows):
            yield ArrowBlock(self.name, first, pieces, lists)

    def _width(self, column: Column) -> int | None:
        """The length of a list column's rows; looked up in the data where the schema does not tell."""
        if column.width and column.name not in self._widths:
            self._widths[column.name] = column.width
        if column.width == 0 and column.name not in self._widths:
            parts = self._parts([column.name], set())
            self._widths[column.name] = list_width(part.arrays[column.name] for part in parts)
        return self._widths.get(column.name)

    def _parts(self, names: list[str], text: set[str]) -> Iterator[Part]:
        """The named columns as they come."""
        wanted = set(names)
        leaves = [i for i, top in enumerate(self._leaves) if top in wanted]
        texts = {name for name in wanted & text if is_text(self._types[name])}
        with reading(self.name, "Parquet file"):
            rows = self._batch_rows(wanted)
            runs = list(self._runs()) if texts else [range(self._metadata.num_row_groups)]
        seen = 0
        for groups in runs:
            for batch in self._run(groups, leaves, texts, rows):
                seen += batch.num_rows
                yield Part(dict(zip(batch.schema.names, batch.columns, strict=True)), batch.num_rows)
        if seen != self._metadata.num_rows:
            message = f"the footer announces {self._metadata.num_rows:,} rows, the data hold {seen:,}"
            raise DataError(message, code="corrupt", file=self.name)

    def _run(self, groups: range, leaves: list[int], texts: set[str], rows: int) -> Iterator[Any]:
        """The batches of some row groups. Text stays coded as in the file, which spares the hashing.

        But a column's dictionary comes with every batch: where it turns out to be large, the row
        groups are begun anew and the text is read as it is, now and from then on.
        """
        done, again = 0, True
        while again:
            again, at = False, 0
            coded = sorted(texts - self._many_words)
            for batch in self._batches(groups, leaves, coded, rows):
                many = [name for name in coded if len(batch.column(name).dictionary) > _MANY_WORDS]
                if many:
                    self._many_words.update(many)
                    again = True
                    break
                at += batch.num_rows
                if at > done:
                    yield batch.slice(max(batch.num_rows - (at - done), 0))
                    done = at

    def _batches(self, groups: range, leaves: list[int], coded: list[str], rows: int) -> Iterator[Any]:
        with reading(self.name, "Parquet file"):
            reader = self._open(coded)
            batches = reader.iter_batches(rows, row_groups=groups, column_indices=leaves, use_threads=True)
        while True:
            with reading(self.name, "Parquet file"):
                batch = next(batches, None)
            if batch is None:
                reader.close()
                return
            yield batch

    def _runs(self) -> Iterator[range]:
        """Consecutive row groups of together about a million rows."""
        start = rows = 0
        for i in range(self._metadata.num_row_groups):
            rows += self._metadata.row_group(i).num_rows
            if rows >= _RUN_ROWS:
                yield range(start, i + 1)
                start, rows = i + 1, 0
        yield range(start, self._metadata.num_row_groups)

    def _batch_rows(self, wanted: set[str]) -> int:
        """Rows of one batch: fewer where rows may hold long texts or lists, so that memory stays bounded.

        The sizes are those of whole row groups: pyarrow ends the process over damaged metadata of
        a single column.
        """
        columns = [column for column in self.columns if column.name in wanted]
        if not any(column.type == "text" or column.width is not None for column in columns):
            return _BATCH_ROWS
        if any(column.width == 0 and column.name not in self._widths for column in columns):
            return _FIRST_ROWS
        largest = max(8 * (self._widths.get(column.name) or 1) for column in columns)
        for i in range(self._metadata.num_row_groups):
            group = self._metadata.row_group(i)
            largest = max(largest, group.total_byte_size // max(group.num_rows, 1))
        if largest > _ROW_CAP:
            message = f"a row announces {largest:,} bytes, more than the {_ROW_CAP:,} a row may have"
            raise DataError(message, code="too-large", file=self.name)
        return max(1, min(_BATCH_ROWS, _BATCH_BYTES // largest))

    def _open(self, coded: Sequence[str] = ()) -> Any:
        """A new reader; column chunks are read through a small buffer, never whole."""
        self._data.check_same()
        source = self._data.path or pa.PythonFile(self._data.file(), mode="r")
        reader = ParquetReader()
        reader.open(
            source,
            use_memory_map=False,
            buffer_size=_BUFFER,
            pre_buffer=False,
            read_dictionary=coded,
            metadata=self._metadata,
        )
        return reader
