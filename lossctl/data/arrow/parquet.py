"""Parquet files: only the columns asked for, a few row-group pages at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow._parquet import ParquetReader  # pyarrow.parquet adds its file systems: 30 ms at the start

from lossctl.data.arrow.file import ROW_CAP, ArrowFile
from lossctl.data.opening import Input
from lossctl.data.stored import reading
from lossctl.errors import DataError

if TYPE_CHECKING:
    from lossctl.data.arrow.block import Part
    from lossctl.data.arrow.nested import Shape

__all__ = ["ParquetSource"]

_BATCH_ROWS = 1 << 16
_BATCH_BYTES = 1 << 26  # of one column
_FIRST_ROWS = 64  # looked at first where lists may have any length
_MANY_WORDS = 1 << 15
_RUN_ROWS = 1 << 20
_BUFFER = 1 << 20


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
            self._take(reader.schema_arrow, reader.metadata.num_rows)
            reader.close()

    def _parts(self, names: list[str], text: set[str]) -> Iterator[Part]:
        wanted = {self._leaves[name].path for name in names}
        below = [i for i, path in enumerate(self._paths) if any(path[:n] in wanted for n in range(1, len(path) + 1))]
        texts = self._coded(set(names) & text)
        with reading(self.name, "Parquet file"):
            rows = self._batch_rows({self._elements.get(name, (name, 0))[0] for name in names})
            runs = list(self._runs()) if texts else [range(self._metadata.num_row_groups)]
        seen = 0
        for groups in runs:
            for batch in self._run(groups, below, texts, rows):
                seen += batch.num_rows
                yield self._part(names, batch)
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
        known = self._row_bytes.keys() | self._widths.keys()
        if any(column.width == 0 and column.name not in known for column in columns):
            return _FIRST_ROWS
        sizes = ((self._widths.get(column.name) or 1, self._row_bytes.get(column.name, 1)) for column in columns)
        largest = max(max(8 * width, seen) for width, seen in sizes)
        for i in range(self._metadata.num_row_groups):
            group = self._metadata.row_group(i)
            largest = max(largest, group.total_byte_size // max(group.num_rows, 1))
        if largest > ROW_CAP:
            message = f"a row announces {largest:,} bytes, more than the {ROW_CAP:,} a row may have"
            raise DataError(message, code="too-large", file=self.name)
        return max(1, min(_BATCH_ROWS, _BATCH_BYTES // largest))

    def _uneven(self, name: str) -> Shape | None:
        if self._leaves[name].column.width == 0 and name not in self._row_bytes:
            part = next(self._parts([name], set()), None)
            self._row_bytes[name] = 1 if part is None else part.arrays[name].nbytes // part.rows + 1
        return super()._uneven(name)

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
