"""What files of Arrow columns have in common: their columns, the widths of lists, rows cut into blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lossctl.data.arrow.arrays import is_list, is_text, known
from lossctl.data.arrow.block import ArrowBlock, Part
from lossctl.data.arrow.nested import (
    SCORES,
    Element,
    Frames,
    Leaf,
    Lists,
    Shape,
    child,
    first_classes,
    first_frame,
    first_width,
    leaves,
    shape_of,
)
from lossctl.data.regroup import regrouped
from lossctl.data.source import Column
from lossctl.data.values import check_asked
from lossctl.errors import DataError

__all__ = ["ROW_CAP", "ArrowFile"]

ROW_CAP = 1 << 30  # bytes of one row


class ArrowFile(ABC):
    """A file whose rows come as Arrow arrays; a format says how, in ``_parts``."""

    format: str

    def __init__(self, name: str) -> None:
        self.name = name
        self.notes: tuple[str, ...] = ()
        self.columns: tuple[Column, ...] = ()
        self._leaves: dict[str, Leaf] = {}
        self._widths: dict[str, int] = {}
        self._frames: dict[str, int] = {}
        self._guessed: set[str] = set()  # columns whose lengths no row tells
        self._elements: dict[str, tuple[str, int]] = {}

    def _take(self, schema: Iterable[Any], rows: int | None) -> None:
        """The columns of a schema; the classes of labelled scores are looked up in the data."""
        found = list(leaves(schema, rows))
        self._leaves = {leaf.column.name: leaf for leaf in reversed(found)}
        self.columns = tuple(leaf.column for leaf in found)
        for column in self.columns:
            if column.dtype == SCORES:
                classes = first_classes(part.arrays[column.name] for part in self._parts([column.name], set()))
                told = {"classes": classes, "width": len(classes)} if classes else {"type": "other", "width": None}
                self._replace(column, column._replace(**told))

    def _replace(self, old: Column, new: Column) -> None:
        self.columns = tuple(new if column is old else column for column in self.columns)
        self._leaves[new.name] = self._leaves[new.name]._replace(column=new)

    def find(self, name: str) -> bool:
        """Whether ``name`` is an element of a list, such as ``scores.1``; it then is one of ``columns``."""
        base, _, place = name.rpartition(".")
        of = next((column for column in self.columns if column.name == base and column.width is not None), None)
        if of is None or of.classes is not None or of.uneven or of.axes:
            return False
        if not (place.isascii() and place.isdigit() and len(place) < 10):
            return False
        width = self._width(of) or 0
        if int(place) >= width:
            return False
        self._elements[name] = base, int(place)
        column = of._replace(name=name, width=None)
        self._leaves[name] = self._leaves[base]._replace(column=column)
        self.columns = (*self.columns, column)
        return True

    def arrange(self, name: str, classes: tuple[str, ...]) -> None:
        """The order of the classes in the rows of a column that names them."""
        column = self._leaves[name].column
        self._replace(column, column._replace(classes=classes))

    def knows(self, name: str) -> bool:
        """Whether the rows of a column have a known length; looked up in the data where the schema does not tell."""
        leaf = self._leaves[name]
        if leaf.column.axes[:1] == (0,):
            self._frame(leaf)
        elif leaf.column.type != "text":
            self._width(leaf.column)
        return name not in self._guessed

    def follow(self, other: ArrowFile) -> None:
        """Columns are read as in another file of the same data: lengths and classes that were looked up there."""
        for mine, theirs in ((self._widths, other._widths), (self._frames, other._frames)):
            told = {name: size for name, size in theirs.items() if name in self._leaves}
            mine.update({name: size for name, size in told.items() if name not in other._guessed})
            self._guessed -= told.keys() - other._guessed
        for column in self.columns:
            leaf = other._leaves.get(column.name)
            if column.dtype == SCORES and leaf is not None and leaf.column.dtype == SCORES:
                self._replace(column, leaf.column._replace(rows=column.rows))

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[ArrowBlock]:
        """Blocks of ``rows`` rows with the named columns; integers and lists are checked as they are read.

        Raises ``DataError``: ``corrupt``, and from the blocks ``integer-too-large``, ``ragged-list``,
        ``classes-differ``, ``encoding``, ``null-in-list``.
        """
        check_asked(self.name, self.columns, numeric, text, rows, sequences)
        return self._blocks(list(dict.fromkeys([*numeric, *text])), set(text), list(dict.fromkeys(sequences)), rows)

    def _blocks(self, names: list[str], text: set[str], sequences: list[str], rows: int) -> Iterator[ArrowBlock]:
        names, shapes = self._shapes(names, sequences)
        for first, pieces in regrouped(self._parts(names, text), rows):
            yield ArrowBlock(self.name, first, pieces, shapes)

    def _shapes(self, names: list[str], sequences: list[str]) -> tuple[list[str], dict[str, Shape]]:
        """All columns that are asked for, and how those of several values a row are read."""
        shapes = {name: shape for name in names if (shape := self._shape(name)) is not None}
        others = [name for name in sequences if name not in names]
        shapes |= {name: shape for name in others if (shape := self._uneven(name)) is not None}
        return [*names, *others], shapes

    def _uneven(self, name: str) -> Shape | None:
        """How a column is read whose rows may be of any length."""
        leaf = self._leaves[name]
        if name in self._elements or leaf.column.width is None or leaf.column.type == "text":
            return None
        if leaf.column.axes[:1] == (0,):
            return Frames(self._frame(leaf))
        return self._shape(name) if leaf.column.width or not is_list(leaf.type) else Lists(0)

    def _frame(self, leaf: Leaf) -> int:
        """How many numbers the frames of a column hold; looked up in the data where the schema does not tell."""
        column = leaf.column
        if column.name not in self._frames:
            arrays = (part.arrays[column.name] for part in self._parts([column.name], set()))
            self._frames[column.name] = self._measured(column.name, column.axes[1] or first_frame(arrays))
        return self._frames[column.name]

    def _shape(self, name: str) -> Shape | None:
        if name in self._elements:
            base, place = self._elements[name]
            whole = self._shape(base)
            assert whole is not None
            return Element(whole, place)
        column = self._leaves[name].column
        width = self._width(column)
        return None if width is None else shape_of(self._leaves[name].type, width, column.classes)

    def _width(self, column: Column) -> int | None:
        """The length of a list column's rows; looked up in the data where the schema does not tell."""
        name = column.name
        if name in self._elements or column.width is None:
            return None
        if name not in self._widths:
            arrays = (part.arrays[name] for part in self._parts([name], set()))
            self._widths[name] = self._measured(name, column.width or first_width(self._leaves[name].type, arrays))
            if 8 * self._widths[name] > ROW_CAP:
                message = f"a row announces {self._widths[name]:,} values, more than a row may have"
                raise DataError(message, code="too-large", file=self.name, column=name)
        return self._widths[name]

    def _measured(self, name: str, length: int | None) -> int:
        if length is None:
            self._guessed.add(name)
        return known(length)

    def _coded(self, names: Iterable[str]) -> set[str]:
        """Those of the columns that are text, and not inside a struct."""
        return {name for name in names if len(self._leaves[name].path) == 1 and is_text(self._leaves[name].type)}

    def _part(self, names: Iterable[str], batch: Any) -> Part:
        """The named columns out of a record batch."""
        tops = dict(zip(batch.schema.names, batch.columns, strict=True))
        arrays = {}
        for name in names:
            top, *fields = self._leaves[name].path
            array = tops[top]
            for field in fields:
                array = child(array, field)
            arrays[name] = array
        return Part(arrays, batch.num_rows)

    @abstractmethod
    def _parts(self, names: list[str], text: set[str]) -> Iterator[Part]:
        """The named columns as they come; ``text`` are those wanted as labels."""
