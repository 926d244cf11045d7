"""Parquet: row groups of a fixed number of rows, whatever came at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow._parquet import ParquetWriter  # pyarrow.parquet adds its file systems: 30 ms at the start

from lossctl.data.sinks.arrays import TEXT, ArrowArray, doubles, integers, texts
from lossctl.spelling import utf8

if TYPE_CHECKING:
    from lossctl.data.sinks.sink import SinkColumn
    from lossctl.data.sinks.target import OutputFile

__all__ = ["GROUP_ROWS", "ParquetRows"]

GROUP_ROWS = 1 << 17
_TYPES = {"int": pa.int64(), "float": pa.float64(), "text": TEXT}


class ParquetRows:
    """Rows gathered to whole row groups. Text is plain text to readers, coded inside; missing is null."""

    def __init__(self, file: OutputFile, columns: Sequence[SinkColumn]) -> None:
        self._columns = columns
        names = [utf8(column.name).decode() for column in columns]
        self._schema = pa.schema([(name, _TYPES[c.kind]) for name, c in zip(names, columns, strict=True)])
        self._waiting: list[list[ArrowArray]] = [[] for _ in columns]
        self._rows = 0
        self._output = _Output(file)
        self._writer: Any = ParquetWriter(
            self._output,
            self._schema,
            version="2.6",
            compression="snappy",
            use_dictionary=[name for name, c in zip(names, columns, strict=True) if c.kind == "text"],
            writer_engine_version="V2",
            store_schema=False,
        )

    def write(self, rows: int, cells: Sequence[Any]) -> None:
        start = 0
        while start < rows:
            stop = min(rows, start + GROUP_ROWS - self._rows)
            run = slice(start, stop)
            for waiting, column, cell in zip(self._waiting, self._columns, cells, strict=True):
                waiting.append(_array(column, cell, run))
            self._rows += stop - start
            start = stop
            if self._rows == GROUP_ROWS:
                self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        arrays = []
        for waiting in self._waiting:
            arrays.append(pa.concat_arrays(waiting))  # pages begin where arrays do
            waiting.clear()
        self._rows = 0
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=GROUP_ROWS)

    def finish(self, rows: int) -> None:
        self._flush()
        self._writer.close()
        self._writer = None

    def close(self) -> None:
        """Without ``finish`` the writer would still put a footer somewhere."""
        self._output.closed = True
        self._waiting, self._writer = [], None


def _array(column: SinkColumn, cell: Any, run: slice) -> ArrowArray:
    if column.kind == "int":
        return integers(cell[run])
    first, second = cell
    if column.kind == "text":
        return texts(first[run], second)
    return doubles(first[run], None if second is None else second[run])


class _Output:
    """The file as Arrow's writer wants it; once closed, what is written is let fall."""

    def __init__(self, file: OutputFile) -> None:
        self.closed = False
        self._file = file

    def write(self, data: Any) -> int:
        return len(data) if self.closed else self._file.write(data)

    def tell(self) -> int:
        return self._file.size

    def flush(self) -> None:
        """Only the end of the file must be on the disk."""

    def close(self) -> None:
        self.closed = True
