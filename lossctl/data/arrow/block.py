"""Rows of Arrow arrays as blocks: parts as they come from a file, cut anew to the size asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

from lossctl.data.arrow.arrays import ArrowArray, bad_text, coded_array, fixed, floats
from lossctl.data.arrow.rows import text
from lossctl.data.regroup import within
from lossctl.data.sequences import no_sequence, stacked
from lossctl.data.values import Where, as_texts, joined
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from lossctl.data.arrow.nested import Shape
    from lossctl.data.source import Codes, Floats
    from lossctl.data.values import Values

__all__ = ["ArrowBlock", "Part"]

_FLOAT = pa.float64()


class Part:
    """A run of rows as Arrow arrays, with the words of its columns, worked out once."""

    def __init__(self, arrays: dict[str, ArrowArray], rows: int) -> None:
        self.arrays = arrays
        self.rows = rows
        self._words: dict[str, tuple[Codes, list[str]]] = {}
        self._strings: dict[str, Ragged] = {}
        self._views: dict[str, Values | None] = {}

    def view(self, name: str) -> Values | None:
        """The column where it lies, if it holds float64 and nothing is missing."""
        if name not in self._views:
            array = self.arrays[name]
            easy = array.type == _FLOAT and not array.null_count
            self._views[name] = fixed(array, "f8") if easy else None
        return self._views[name]

    def strings(self, where: Where) -> Ragged:
        """The column as UTF-8, or its lists of words as codes."""
        name = where.column
        if name not in self._strings:
            self._strings[name] = text(self.arrays[name], where)
        return self._strings[name]

    def words(self, where: Where) -> tuple[Codes, list[str]]:
        """The column as (codes, words), -1 = null. ``DataError`` if it has none, or is not UTF-8."""
        name = where.column
        if name not in self._words:
            array = self.arrays[name]
            try:
                self._words[name] = coded_array(array)
            except TypeError:
                raise where.error(f"{array.type} cannot be labels", "dtype") from None
            except IndexError as error:
                raise where.error(str(error), "corrupt") from None
            except UnicodeDecodeError:
                raise where.error("a cell is not valid UTF-8 text", "encoding", bad_text(array)) from None
        return self._words[name]


class ArrowBlock:
    """Rows out of parts: ``pieces`` are (part, from row, to row), ``shapes`` how rows of several values are read."""

    def __init__(
        self, file: str, first: int, pieces: Sequence[tuple[Part, int, int]], shapes: Mapping[str, Shape]
    ) -> None:
        self.first = first
        self.rows = sum(stop - start for _, start, stop in pieces)
        self._file = file
        self._pieces = pieces
        self._shapes = shapes

    def numbers(self, name: str) -> Floats:
        """The column as floats, (rows,) or (rows, k)."""
        runs: list[Any] = []
        row = self.first
        for part, start, stop in self._pieces:
            runs.append(self._floats(part, start, stop, Where(self._file, name, row)))
            row += stop - start
        return cast("Floats", runs[0] if len(runs) == 1 else np.concatenate(runs))

    def part(self, start: int, stop: int) -> ArrowBlock:
        """Some rows alone, counted within the block: cells beyond them are never looked at."""
        some = copy(self)
        some._pieces, some.rows, some.first = within(self._pieces, start, stop), stop - start, self.first + start
        return some

    def labels(self, name: str) -> tuple[Codes, list[str]]:
        """The column as coded words."""
        return joined(list(self._words(name)))

    def coded(self, name: str) -> tuple[Codes, list[str]]:
        """As ``labels``, but the list is the file's where it has one, with texts that no row may have."""
        words = list(self._words(name))
        return words[0] if len(words) == 1 else joined(words)

    def texts(self, name: str) -> list[str | None]:
        """The column cell by cell."""
        return [text for codes, words in self._words(name) for text in as_texts(codes, words)]

    def strings(self, name: str) -> Ragged:
        """The column as UTF-8, off the buffers; lists of words as codes."""
        found = []
        row = self.first
        for part, start, stop in self._pieces:
            found.append(part.strings(Where(self._file, name, row - start))[start:stop])
            row += stop - start
        return stacked(found)

    def sequences(self, name: str) -> Ragged:
        """Lists of numbers and of frames, and arrays."""
        found = []
        row = self.first
        for part, start, stop in self._pieces:
            array, where = part.arrays[name].slice(start, stop - start), Where(self._file, name, row)
            shape = self._shapes.get(name)
            if shape is None:
                raise no_sequence(where)
            found.append(shape.rows(array, where))
            row += stop - start
        return stacked(found)

    def _words(self, name: str) -> Iterator[tuple[Codes, list[str]]]:
        row = self.first
        for part, start, stop in self._pieces:
            codes, words = part.words(Where(self._file, name, row - start))
            yield codes[start:stop], words
            row += stop - start

    def _floats(self, part: Part, start: int, stop: int, where: Where) -> Floats:
        view = part.view(where.column)
        if view is not None:
            return view[start:stop]
        array = part.arrays[where.column].slice(start, stop - start)
        shape = self._shapes.get(where.column)
        return floats(array, where) if shape is None else shape.floats(array, where)
