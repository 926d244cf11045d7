"""NPZ files: one column per array, each member streamed out of the archive by rows."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING

import numpy as np

from lossctl.data.arrays.layout import Runs, check_lengths, turned
from lossctl.data.arrays.npy import StoredArray, held_block
from lossctl.data.opening import Input
from lossctl.data.stored import Spool, reading
from lossctl.data.values import Where, check_asked
from lossctl.errors import DataError

if TYPE_CHECKING:
    from lossctl.data.arrays.block import ArrayBlock
    from lossctl.data.source import Column
    from lossctl.data.values import Values
    from lossctl.sequences.ragged import Ragged

__all__ = ["NpzSource"]

_ARCHIVE = "NPZ archive"
_LENGTHS = 1 << 20  # read at a time


class NpzSource:
    """One NPZ file. Arrays may differ in length, but not within one call of ``blocks``.

    Raises ``DataError``: ``corrupt``, ``truncated``, ``trailing-bytes``, ``lengths-differ``.
    """

    format = "npz"

    def __init__(self, data: Input) -> None:
        self.name = data.name
        self._data = data
        self._arrays: dict[str, StoredArray] = {}
        self._turned: set[str] = set()
        self._cuts: dict[str, Runs] = {}
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

    def turn(self, name: str) -> None:
        """Rows of this array are its second axis from now on, of T x N or T x N x C."""
        if name not in self._turned:
            self._replace(turned(self._column(name), self._arrays[name].shape, self.name))
            self._turned.add(name)

    def cut(self, name: str, lengths: str) -> None:
        """An array that holds the rows end to end: ``lengths`` tells how long each is.

        Raises ``DataError``: ``bad-length``, ``lengths-sum``, ``shape``.
        """
        array = self._arrays[name]
        check_asked(self.name, self.columns, [lengths], [], 1)
        parts = [block.numbers(lengths) for block in self.blocks([lengths], [], _LENGTHS)]
        whole = np.concatenate(parts) if parts else np.empty(0)
        self._cuts[name] = runs = Runs(check_lengths(whole, array.rows, self._column(name), lengths, self.name))
        self._replace(runs.column(array.column(name), array.shape))

    def _column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def _replace(self, new: Column) -> None:
        self.columns = tuple(new if column.name == new.name else column for column in self.columns)

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[ArrayBlock]:
        """Blocks of ``rows`` rows with the named arrays, which must have one length."""
        check_asked(self.name, self.columns, numeric, text, rows, sequences)
        names = list(dict.fromkeys([*numeric, *text, *sequences])) or self._longest()
        if len({self._column(name).rows for name in names}) > 1:
            shapes = ", ".join(f'"{name}" {self._arrays[name].shape}' for name in names)
            raise DataError(f"the arrays differ in length: {shapes}", code="lengths-differ", file=self.name)
        for name in names:
            self._arrays[name].check_row(turned=name in self._turned)
        return self._blocks(names, rows)

    def _longest(self) -> list[str]:
        known = [column for column in self.columns if column.type != "other"]
        return [max(known, key=lambda column: column.rows or 0).name] if known else []

    def _blocks(self, names: list[str], rows: int) -> Iterator[ArrayBlock]:
        first = 0
        with self._archive() as archive:
            runs = [self._rows(archive, name, rows) for name in names]
            for arrays in zip(*runs, strict=True):
                yield held_block(self.name, first, dict(zip(names, arrays, strict=True)))
                first += len(arrays[0])

    def _rows(self, archive: zipfile.ZipFile, key: str, rows: int) -> Iterator[Values | Ragged]:
        with reading(self.name, _ARCHIVE):
            stream = archive.open(f"{key}.npy")
        if key in self._turned or self._arrays[key].by_column:
            return self._spooled(key, stream, rows)
        if key in self._cuts:
            return self._cut(key, stream, rows)
        return self._header(key, stream).forward(stream, self._arrays[key].sizes(rows))

    def _spooled(self, key: str, stream: IO[bytes], rows: int) -> Iterator[Values | Ragged]:
        """Rows that lie apart in the file."""
        array, spool = self._arrays[key], Spool(self.name, stream.read)
        array.check_size(spool.size() - array.start)
        runs = self._cuts.get(key)
        for first in range(0, self._column(key).rows or 0, rows):
            count = min(rows, (self._column(key).rows or 0) - first)
            if key in self._turned:
                yield array.across_at(spool, first, count)
            elif runs is None:
                yield array.rows_at(spool, first, count)
            else:
                start, stop = runs.span(first, count)
                yield runs.of(array.rows_at(spool, start, stop - start), first, count, Where(self.name, key, first))

    def _cut(self, key: str, stream: IO[bytes], rows: int) -> Iterator[Ragged]:
        """Rows that stand end to end."""
        runs = self._cuts[key]
        firsts = range(0, len(runs.lengths), rows)
        sizes = (stop - start for start, stop in (runs.span(first, rows) for first in firsts))
        values = self._header(key, stream).forward(stream, sizes)
        for first, part in zip(firsts, values, strict=True):
            yield runs.of(part, first, rows, Where(self.name, key, first))

    def _header(self, key: str, stream: IO[bytes]) -> StoredArray:
        return StoredArray.read(self.name, f'array "{key}"', stream)

    def _archive(self) -> zipfile.ZipFile:
        self._data.check_same()
        with reading(self.name, _ARCHIVE):
            return zipfile.ZipFile(self._data.file())
