"""Arrow IPC files and streams, and Feather files of version 2: one record batch at a time.

A batch is validated in full before anything of it is used: an offset that lies outside its buffer
would end the process.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import ipc

from lossctl.data.arrow.arrays import is_text
from lossctl.data.arrow.file import ArrowFile
from lossctl.data.opening import Input
from lossctl.data.stored import reading
from lossctl.data.values import Where
from lossctl.errors import DataError

if TYPE_CHECKING:
    from lossctl.data.arrow.block import Part

__all__ = ["IpcSource"]

_FILE = b"ARROW1"  # a stream has no mark of its own
_WHAT = "Arrow file"
_NOT_UTF8 = re.compile(r"Invalid UTF8 sequence at string index (\d+)")


class IpcSource(ArrowFile):
    """One Arrow file, stream or Feather file.

    Raises ``DataError``: ``corrupt``, ``truncated``, and from the blocks ``encoding``, ``trailing-bytes``.
    """

    format = "arrow"

    def __init__(self, data: Input) -> None:
        super().__init__(data.name)
        self._data = data
        self._is_file = data.head().startswith(_FILE)
        if self._is_file:
            self._check_end()
        with reading(self.name, _WHAT):
            schema = self._open_file().schema if self._is_file else self._open_stream()[0].schema
            self._places = {name: i for i, name in reversed(list(enumerate(schema.names)))}
            self._take(schema, None)

    def _parts(self, names: list[str], text: set[str]) -> Iterator[Part]:
        # At least one column, to count the rows.
        places = sorted({self._places[self._leaves[name].path[0]] for name in names} or {0})
        first = 0
        for batch in self._file_batches(places) if self._is_file else self._stream_batches(places):
            self._validate(batch, first)
            first += batch.num_rows
            if batch.num_rows:
                yield self._part(names, batch)

    def _file_batches(self, places: list[int]) -> Iterator[Any]:
        with reading(self.name, _WHAT):
            reader = self._open_file(places)
            count = reader.num_record_batches
        for i in range(count):
            with reading(self.name, _WHAT):
                batch = reader.get_batch(i)
            yield batch

    def _stream_batches(self, places: list[int]) -> Iterator[Any]:
        with reading(self.name, _WHAT):
            reader, bytes_read = self._open_stream(places)
        while True:
            with reading(self.name, _WHAT):
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    break
            yield batch
        if bytes_read.ended:
            message = "the stream has no end mark: it was cut off, or its writer did not close it"
            raise DataError(message, code="truncated", file=self.name)
        if bytes_read.read(1):
            message = "more data follow behind the end mark (several streams joined?)"
            raise DataError(message, code="trailing-bytes", file=self.name)

    def _validate(self, batch: Any, first: int) -> None:
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            where = Where(self.name, name, first)
            try:
                array.validate(full=True)
            except (pa.ArrowException, MemoryError) as error:
                cause = " ".join(str(error).split())[:300]
                word = _NOT_UTF8.search(cause) if is_text(array.type) else None
                if word:
                    raise where.error("a cell is not valid UTF-8 text", "encoding", int(word[1])) from None
                message = f"rows {first + 1:,} to {first + batch.num_rows:,} are corrupt: {cause}"
                raise where.error(message, "corrupt") from None

    def _open_file(self, places: list[int] | None = None) -> Any:
        self._data.check_same()
        path = self._data.path
        source = pa.OSFile(path) if path is not None else pa.PythonFile(self._data.file(), mode="r")
        return ipc.open_file(source, options=ipc.IpcReadOptions(included_fields=places))

    def _open_stream(self, places: list[int] | None = None) -> tuple[Any, _Whole]:
        self._data.check_same()
        whole = _Whole(self._data.stream())
        options = ipc.IpcReadOptions(included_fields=places)
        return ipc.open_stream(pa.PythonFile(whole, mode="r"), options=options), whole

    def _check_end(self) -> None:
        """Refuses a file that was cut off: its last bytes are those it begins with."""
        stored = self._data.stored()
        end, size = bytearray(len(_FILE)), stored.size()
        done = 0
        while done < len(end) and (more := stored.at(max(size - len(end) + done, 0), memoryview(end)[done:])):
            done += more
        if bytes(end) != _FILE or size < 2 * len(_FILE):
            message = "the file has no end mark: it was cut off, or its writer did not close it"
            raise DataError(message, code="truncated", file=self.name)


class _Whole:
    """A stream that reads in full, and knows whether its end was met."""

    closed = False

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream
        self.ended = False

    def read(self, size: int = -1, /) -> bytes:
        pieces, room = [], size
        while room > 0 and (piece := self._stream.read(room)):
            pieces.append(piece)
            room -= len(piece)
        self.ended = self.ended or room > 0
        return b"".join(pieces)

    def close(self) -> None:
        self.closed = True
