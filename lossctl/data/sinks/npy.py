"""NPY: a float64 array of rows x columns, NaN where missing; its header is written again at the end."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from lossctl.atomic import naming

if TYPE_CHECKING:
    from lossctl.data.sinks.sink import SinkColumn
    from lossctl.data.sinks.target import OutputFile

__all__ = ["NpyRows"]


class NpyRows:
    """The float columns as one array. What cannot be gone back on (a pipe) waits in a temporary file."""

    def __init__(self, file: OutputFile, columns: Sequence[SinkColumn]) -> None:
        self._file = file
        self._floats = [i for i, column in enumerate(columns) if column.kind == "float"]
        self._spool: IO[bytes] | None = None
        if file.seekable:
            file.write(self._header(0))
            return
        import tempfile

        with naming(file.path):
            self._spool = tempfile.TemporaryFile(prefix="lossctl-")  # noqa: SIM115 - until close

    def _header(self, rows: int) -> bytes:
        """As NumPy writes it: padded, so that it has one length for any number of rows."""
        header = io.BytesIO()
        shape = (rows, len(self._floats))
        np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
        return header.getvalue()

    def write(self, rows: int, cells: Sequence[Any]) -> None:
        table = np.empty((rows, len(self._floats)), "<f8")
        for column, i in zip(table.T, self._floats, strict=True):
            values, missing = cells[i]
            column[:] = values
            if missing is not None:
                column[missing] = np.nan
        if self._spool is None:
            self._file.write(table.data)
            return
        with naming(self._file.path):
            self._spool.write(table.data)

    def finish(self, rows: int) -> None:
        if self._spool is None:
            self._file.overwrite(self._header(rows))
            return
        self._file.write(self._header(rows))
        with naming(self._file.path):
            self._spool.seek(0)
            shutil.copyfileobj(self._spool, self._file, 1 << 20)

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()
