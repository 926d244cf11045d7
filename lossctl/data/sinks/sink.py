"""The contract of sinks: named columns come in runs of rows, in order; the file is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

from lossctl.data.sinks.target import check_target, output_file
from lossctl.errors import UsageError

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from lossctl.data.sinks.target import OutputFile

    Mask: TypeAlias = NDArray[np.bool_]
    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Cells: TypeAlias = Ints | tuple[Floats, Mask | None] | tuple[Ints, Sequence[str]]

__all__ = ["SINKS", "Encoder", "Sink", "SinkColumn", "open_sink", "sink_format"]

SINKS = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".npy": "npy"}
Kind: TypeAlias = Literal["int", "float", "text"]


class SinkColumn(NamedTuple):
    """One column. How the cells of n rows come depends on its kind.

    - ``int``: (n,) int64;
    - ``float``: (n,) float64 and which of them are missing (or ``None``); NaN and infinities are values;
    - ``text``: (n,) places in a list of words, -1 = missing, and that list.
    """

    name: str
    kind: Kind


class Encoder(Protocol):
    """Turns rows into the bytes of a format; writes to the file it was made with."""

    def write(self, rows: int, cells: Sequence[Any]) -> None: ...

    def finish(self, rows: int) -> None:
        """Write what is left; there were so many rows."""
        ...

    def close(self) -> None:
        """Let go of what is held, without a word, whatever went before."""
        ...


def sink_format(path: str | os.PathLike[str]) -> str:
    """The format that the extension asks for; ask before the work begins."""
    name = os.fspath(path)
    check_target(name)
    extension = os.path.splitext(name)[1].lower()
    if extension in SINKS:
        return SINKS[extension]
    raise UsageError(
        f"{name} has no extension" if not extension else f"{extension} takes no samples: {name}",
        code="unknown-extension",
        file=name,
        hint=f"end the name in {', '.join(SINKS)}",
    )


def open_sink(
    path: str | os.PathLike[str],
    columns: Sequence[SinkColumn],
    *,
    csv_safe: bool = False,
    endpoint_url: str | None = None,
) -> Sink:
    """A sink for rows of these columns; NPY takes the ``float`` columns and leaves out the others.

    With ``csv_safe`` text in CSV that a spreadsheet would run begins with an apostrophe. ``endpoint_url``
    is where an S3 server listens that is not Amazon's. Raises ``UsageError`` for an unknown extension, a place that
    can only be read or columns that share a name, ``OutputError`` if the file cannot be made.
    """
    form = sink_format(path)
    _check_names(os.fspath(path), columns)
    file = output_file(path, endpoint_url)
    try:
        return Sink(file, columns, _encoder(form, file, columns, csv_safe))
    except BaseException:
        file.abort()
        raise


def _check_names(path: str, columns: Sequence[SinkColumn]) -> None:
    seen = set()
    for name, _ in columns:
        if name in seen:
            raise UsageError(f'two columns of {path} would be named "{name}"', code="duplicate-column", file=path)
        seen.add(name)


def _encoder(form: str, file: OutputFile, columns: Sequence[SinkColumn], csv_safe: bool) -> Encoder:
    if form == "parquet":
        from lossctl.data.sinks.parquet import ParquetRows

        return ParquetRows(file, columns)
    if form == "npy":
        from lossctl.data.sinks.npy import NpyRows

        return NpyRows(file, columns)
    from lossctl.data.sinks.lines import LineRows, csv_style, json_style

    return LineRows(file, columns, csv_style(columns, csv_safe) if form == "csv" else json_style(columns))


class Sink:
    """Rows on their way into a file. Whatever fails, ``write`` and ``commit`` leave nothing behind.

    As a context manager it aborts if the block ends without ``commit``. The bytes depend on the rows alone,
    not on how many came at a time.
    """

    def __init__(self, file: OutputFile, columns: Sequence[SinkColumn], encoder: Encoder) -> None:
        self.path = file.path
        self.columns = tuple(columns)
        self.rows = 0
        self._ended = False
        self._file = file
        self._encoder = encoder

    def write(self, cells: Sequence[Cells]) -> None:
        """Append n rows: one entry of cells for each column. The arrays may be used again afterwards."""
        self._check()
        rows = _rows(self.columns, cells)
        try:
            self._encoder.write(rows, cells)
        except BaseException:
            self.abort()
            raise
        self.rows += rows

    def commit(self) -> None:
        """Finish the file and let it appear under its name."""
        self._check()
        try:
            self._encoder.finish(self.rows)
            self._encoder.close()
            self._file.commit()
            self._ended = True
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Leave everything as it was. Does nothing after ``commit`` or a second time."""
        self._ended = True
        self._file.abort()
        self._encoder.close()

    def _check(self) -> None:
        if self._ended:
            raise ValueError(f"{self.path} is no longer being written")

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


def _rows(columns: Sequence[SinkColumn], cells: Sequence[Any]) -> int:
    """How many rows there are; raises ``ValueError`` where columns differ."""
    lengths = {len(cell if column.kind == "int" else cell[0]) for column, cell in zip(columns, cells, strict=True)}
    if len(lengths) > 1:
        raise ValueError(f"columns of {' and '.join(map(str, sorted(lengths)))} rows")
    return lengths.pop() if lengths else 0
