"""Rows of JSON values as a block gives them: floats, coded words, texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from lossctl.data.cells import TOO_LARGE, read_numbers
from lossctl.data.json.paths import is_scores, word
from lossctl.data.sequences import coded_rows, encoded, no_sequence, null_item
from lossctl.data.values import Where, as_texts, classes_differ, coded_texts, ragged, too_large
from lossctl.errors import DataError
from lossctl.exact import LARGEST_EXACT_INT
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossctl.data.source import Codes, Column, Floats

__all__ = ["JsonBlock"]

_PLAIN = {float, int, bool, type(None)}
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAMES = {dict: "an object", list: "a list"}
_INT64 = 2**63


class JsonBlock:
    """Some rows: ``cells`` are the values of each column. ``explain`` makes the error for text that is no number."""

    def __init__(
        self,
        file: str,
        first: int,
        rows: int,
        cells: Mapping[str, list[Any]],
        columns: Mapping[str, Column],
        missing: frozenset[str],
        explain: Callable[[Where, int, str], DataError],
    ) -> None:
        self.first = first
        self.rows = rows
        self._file = file
        self._cells = cells
        self._columns = columns
        self._missing = missing
        self._explain = explain

    def part(self, start: int, stop: int) -> JsonBlock:
        """Some rows alone, counted within the block: cells beyond them are never looked at."""
        cells = {name: run[start:stop] for name, run in self._cells.items()}
        first = self.first + start
        return JsonBlock(self._file, first, stop - start, cells, self._columns, self._missing, self._explain)

    def numbers(self, name: str) -> Floats:
        """The column as floats: (rows,), (rows, k), or (rows, *axes) for lists of lists."""
        column, cells, where = self._columns[name], self._cells[name], Where(self._file, name, self.first)
        if column.width is None:
            return self._scalars(cells, where, 1)
        shape = column.axes or (column.width,)
        if column.classes is not None:
            cells = [self._in_order(cell, at, column.classes, where) for at, cell in enumerate(cells)]
        flat = self._flat(cells, shape, where)
        size = int(np.prod(shape))
        return self._scalars(flat, where, size).reshape(len(cells), *shape)

    def _scalars(self, cells: list[Any], where: Where, size: int) -> NDArray[np.float64]:
        """Cells as numbers, ``size`` of them in a row."""
        if self._missing:
            cells = [None if self._is_missing(cell) else cell for cell in cells]
        kinds = set(map(type, cells))
        if kinds <= _PLAIN:
            if int in kinds:
                self._check_integers(cells, where, size)
            return np.array(cells, np.float64)  # None is NaN
        return self._mixed(cells, where, size)

    def _mixed(self, cells: list[Any], where: Where, size: int) -> NDArray[np.float64]:
        words = list(dict.fromkeys(cell for cell in cells if isinstance(cell, str)))
        numbers = read_numbers(words, self._missing)
        meaning = dict(zip(words, zip(numbers.values.tolist(), numbers.flaws.tolist(), strict=True), strict=True))
        values: list[float | None] = []
        for at, cell in enumerate(cells):
            if isinstance(cell, str):
                value, flaw = meaning[cell]
                if flaw:
                    row = at // size
                    raise too_large(where, row, cell) if flaw == TOO_LARGE else self._explain(where, row, cell)
                values.append(value)
            elif isinstance(cell, (dict, list)):
                raise where.error(f"{_NAMES[type(cell)]} is not a number", "not-a-number", at // size)
            else:
                self._check_integers([cell], Where(where.file, where.column, where.first + at // size), 1)
                values.append(cell)
        return np.array(values, np.float64)

    def _check_integers(self, cells: list[Any], where: Where, size: int) -> None:
        for at, cell in enumerate(cells):
            if type(cell) is int and not -LARGEST_EXACT_INT <= cell <= LARGEST_EXACT_INT:
                raise too_large(where, at // size, cell)

    def _flat(self, cells: list[Any], shape: tuple[int, ...], where: Where) -> list[Any]:
        """All numbers of lists of that shape, one after the other; a missing list is missing numbers."""
        size = 1
        for length in shape:
            empty = [None] * length
            for at, cell in enumerate(cells):
                if cell is not None and (type(cell) is not list or len(cell) != length):
                    raise _not_the_list(cell, length, where, at // size)
            cells = list(chain.from_iterable(empty if cell is None else cell for cell in cells))
            size *= length
        return cells

    def _in_order(self, cell: Any, at: int, classes: tuple[str, ...], where: Where) -> list[Any] | None:
        """The scores of one row in the order of the classes."""
        if cell is None:
            return None
        if not is_scores(cell):
            raise where.error("this is no list of label and prob", "classes-differ", at)
        scores = {word(item["label"]): item["prob"] for item in cell}
        if len(cell) != len(classes) or scores.keys() != set(classes):
            raise classes_differ(where, at, [word(item["label"]) for item in cell], classes)
        return [scores[name] for name in classes]

    def labels(self, name: str) -> tuple[Codes, list[str]]:
        """The column as coded words, in order of appearance; missing is -1."""
        where = Where(self._file, name, self.first)
        texts = [self._text(cell, at, where) for at, cell in enumerate(self._cells[name])]
        codes, words = coded_texts(texts)
        for code, text in enumerate(words):
            if not text.isascii() and _SURROGATE.search(text):
                message = "the text holds one half of a surrogate pair, which is no character"
                raise where.error(message, "encoding", int(np.argmax(codes == code)))
        return codes, words

    def texts(self, name: str) -> list[str | None]:
        """The column cell by cell."""
        return as_texts(*self.labels(name))

    def strings(self, name: str) -> Ragged:
        """The column as UTF-8; where its cells are lists, their words as codes."""
        cells, where = self._cells[name], Where(self._file, name, self.first)
        if self._columns[name].width is None:
            return encoded([self._text(cell, at, where, "is no text") for at, cell in enumerate(cells)], where)
        return coded_rows([self._list_of_words(cell, at, where) for at, cell in enumerate(cells)], where)

    def _list_of_words(self, cell: Any, at: int, where: Where) -> list[str] | None:
        if cell is None:
            return None
        if not isinstance(cell, list):
            raise where.error(f"{_told(cell)} stands where a list of words is expected", "dtype", at)
        for place, item in enumerate(cell):
            if item is None:
                raise null_item(where, at, place, "text")
            if isinstance(item, (dict, list)):
                raise where.error(f"{_NAMES[type(item)]} in the list is no word", "dtype", at)
        return [word(item) for item in cell]

    def sequences(self, name: str) -> Ragged:
        """Lists of numbers, or of lists of as many numbers each, of any length."""
        column, cells, where = self._columns[name], self._cells[name], Where(self._file, name, self.first)
        if column.width is None or column.type == "text":
            raise no_sequence(where) if column.width is None else where.error(f"{column.dtype} is not numbers", "dtype")
        for at, cell in enumerate(cells):
            if cell is not None and not isinstance(cell, list):
                raise where.error(f"{_told(cell)} stands where a list of numbers is expected", "ragged-list", at)
        shape = column.axes[1:]
        try:
            values = self._items(cells, shape, where)
        except DataError:  # which row it is in, one row alone tells
            for at, cell in enumerate(cells):
                self._one_row(cell, at, shape, where)
            raise
        lengths = np.array([0 if cell is None else len(cell) for cell in cells], np.int64)
        missing = np.array([cell is None for cell in cells], bool)
        starts = np.cumsum(lengths) - lengths
        return Ragged(values, starts, lengths, missing=missing if missing.any() else None)

    def _one_row(self, cell: Any, at: int, shape: tuple[int, ...], where: Where) -> None:
        try:
            self._items([cell], shape, where)
        except DataError as error:
            error.row = where.first + at + 1
            raise

    def _items(self, cells: list[Any], shape: tuple[int, ...], where: Where) -> NDArray[Any]:
        """The items of all rows end to end, (items, *shape): whole numbers as int64, all others as floats."""
        items = [item for cell in cells if cell is not None for item in cell]
        if shape and None in items:
            raise null_item(where, 0, items.index(None), "a list of numbers")
        flat = self._flat(items, shape, where)
        size = max(len(flat), 1)
        if flat and set(map(type, flat)) == {int} and not self._missing:
            if not -_INT64 <= min(flat) <= max(flat) < _INT64:
                raise too_large(where, 0, max(flat, key=abs))
            return np.array(flat, np.int64).reshape(-1, *shape)
        return self._scalars(flat, where, size).reshape(-1, *shape)

    def _text(self, cell: Any, at: int, where: Where, fault: str = "cannot be a label") -> str | None:
        if cell is None or cell != cell:
            return None
        if isinstance(cell, (dict, list)):
            raise where.error(f"{_NAMES[type(cell)]} {fault}", "dtype", at)
        text = word(cell)
        return None if text in self._missing else text

    def _is_missing(self, cell: Any) -> bool:
        return cell is not None and not isinstance(cell, (dict, list)) and word(cell) in self._missing


def _not_the_list(cell: Any, length: int, where: Where, at: int) -> DataError:
    if isinstance(cell, list):
        return ragged(where, at, len(cell), length)
    return where.error(f"{_told(cell)} stands where a list of {length} numbers is expected", "ragged-list", at)


def _told(cell: Any) -> str:
    return _NAMES[type(cell)] if isinstance(cell, (dict, list)) else f"{cell!r:.60}"
