"""NPZ files: one column per array, each member streamed out of the archive by rows."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING

from lossctl.data.npy import StoredArray, held_block
from lossctl.data.opening import Input
from lossctl.data.stored import Spool, reading
from lossctl.data.values import check_asked
from lossctl.errors import DataError

if TYPE_CHECKING:
    from lossctl.data.source import Column
    from lossctl.data.values import ArrayBlock, Values

__all__ = ["NpzSource"]

_ARCHIVE = "NPZ archive"


class NpzSource:
    """One NPZ file. Arrays may differ in length, but not within one call of ``blocks``.

    Raises ``DataError``: ``corrupt``, ``truncated``, ``trailing-bytes``, ``lengths-differ``.
    """

    format = "npz"

    def __init__(self, data: Input) -> None:
        self.name = data.name
        self._data = data
        self._arrays: dict[str, StoredArray] = {}
        columns, others = [], []
        with self._archive() as archive, reading(self.name, _ARCHIVE):
            for member in archive.infolist():
                if not member.filename.endswith(".npy"):
                    others.append(member.filename)
                    continue
                key = member.filename.removesuffix(".npy")
                with archive.open(member) as stream:
                    array = self._header(key, stream)
                self._arrays[key] = array
                columns.append(array.column(key))
                if columns[-1].type != "other":
                    array.check_size(member.file_size - array.start)
        if not columns:
            raise DataError("the archive holds no arrays", code="empty", file=self.name)
        self.columns: tuple[Column, ...] = tuple(columns)
        self.notes: tuple[str, ...] = tuple(f'"{name}" is no array and is left out' for name in others)

    def blocks(self, numeric: Sequence[str], text: Sequence[str], rows: int) -> Iterator[ArrayBlock]:
        """Blocks of ``rows`` rows with the named arrays, which must have one length."""
        check_asked(self.name, self.columns, numeric, text, rows)
        names = list(dict.fromkeys([*numeric, *text])) or self._longest()
        if len({self._arrays[name].rows for name in names}) > 1:
            shapes = ", ".join(f'"{name}" {self._arrays[name].shape}' for name in names)
            raise DataError(f"the arrays differ in length: {shapes}", code="lengths-differ", file=self.name)
        return self._blocks(names, rows)

    def _longest(self) -> list[str]:
        known = [column.name for column in self.columns if column.type != "other"]
        return [max(known, key=lambda name: self._arrays[name].rows)] if known else []

    def _blocks(self, names: list[str], rows: int) -> Iterator[ArrayBlock]:
        first = 0
        with self._archive() as archive:
            runs = [self._rows(archive, name, rows) for name in names]
            for arrays in zip(*runs, strict=True):
                yield held_block(self.name, first, dict(zip(names, arrays, strict=True)))
                first += len(arrays[0])

    def _rows(self, archive: zipfile.ZipFile, key: str, rows: int) -> Iterator[Values]:
        with reading(self.name, _ARCHIVE):
            stream = archive.open(f"{key}.npy")
        array = self._arrays[key]
        if not array.by_column:
            yield from self._header(key, stream).forward(stream, rows)
            return
        spool = Spool(self.name, stream.read)
        array.check_size(spool.size() - array.start)
        for first in range(0, array.rows, rows):
            yield array.rows_at(spool, first, min(rows, array.rows - first))

    def _header(self, key: str, stream: IO[bytes]) -> StoredArray:
        return StoredArray.read(self.name, f'array "{key}"', stream)

    def _archive(self) -> zipfile.ZipFile:
        self._data.check_same()
        with reading(self.name, _ARCHIVE):
            return zipfile.ZipFile(self._data.file())
