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
_DICTIONARY = 1 << 20  # bytes of a text column that may stay coded in any case
_BUFFER = 1 << 20


class ParquetSource:
    """One Parquet file. Raises ``DataError`` (code ``corrupt``) if it is none."""

    format = "parquet"

    def __init__(self, data: Input) -> None:
        self.name = data.name
        self.notes: tuple[str, ...] = ()
        self._data = data
        self._widths: dict[str, int] = {}
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
        if column.width != 0:
            return column.width
        if column.name not in self._widths:
            parts = self._parts([column.name], set())
            self._widths[column.name] = list_width(part.arrays[column.name] for part in parts)
        return self._widths[column.name]

    def _parts(self, names: list[str], text: set[str]) -> Iterator[Part]:
        """The named columns as they come. Text that repeats stays coded, which spares the hashing."""
        wanted = set(names)
        leaves = [i for i, top in enumerate(self._leaves) if top in wanted]
        seen = 0
        with reading(self.name, "Parquet file"):
            texts = {name for name in names if name in text and is_text(self._types[name])}
            coded = [self._leaves[i] for i in leaves if self._leaves[i] in texts and self._repeats(i)]
            reader = self._open(coded)
            groups = range(self._metadata.num_row_groups)
            batches = reader.iter_batches(
                self._batch_rows(leaves), row_groups=groups, column_indices=leaves, use_threads=True
            )
        while True:
            with reading(self.name, "Parquet file"):
                batch = next(batches, None)
            if batch is None:
                break
            seen += batch.num_rows
            yield Part(dict(zip(batch.schema.names, batch.columns, strict=True)), batch.num_rows)
        reader.close()
        if seen != self._metadata.num_rows:
            message = f"the footer announces {self._metadata.num_rows:,} rows, the data hold {seen:,}"
            raise DataError(message, code="corrupt", file=self.name)

    def _chunks(self, leaf: int) -> Iterator[tuple[int, int, int]]:
        """(rows, values, bytes before compression) of a leaf column in each row group."""
        for i in range(self._metadata.num_row_groups):
            group = self._metadata.row_group(i)
            chunk = group.column(leaf)
            yield max(group.num_rows, 1), chunk.num_values, chunk.total_uncompressed_size

    def _repeats(self, leaf: int) -> bool:
        """Whether a text column has few distinct values.

        Its dictionary comes with every batch, so it must stay small; else text is read as text.
        """
        return all(size <= max(_DICTIONARY, 3 * rows) for rows, _, size in self._chunks(leaf))

    def _batch_rows(self, leaves: list[int]) -> int:
        """Rows of one batch: fewer where rows hold long lists or texts, so that memory stays bounded."""
        largest = 1
        for leaf in leaves:
            for rows, values, size in self._chunks(leaf):
                largest = max(largest, 8 * values // rows, size // rows)
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
