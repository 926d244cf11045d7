"""The contract between readers and the rest: named columns that come in bounded blocks.

A reader knows its file format and nothing of losses. It says which columns there are (from the
schema or header alone), and then yields blocks of exactly ``rows`` rows (the last may be shorter).
A source can be read more than once: a preliminary pass and the main pass both call ``blocks``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lossctl.sequences.ragged import Ragged

    Floats: TypeAlias = NDArray[np.float64] | NDArray[np.float32]
    Codes: TypeAlias = NDArray[np.int64]

ColumnType: TypeAlias = Literal["cell", "real", "int", "bool", "text", "other"]


class Column(NamedTuple):
    """One column of a source, as its schema tells it.

    ``type`` is ``cell`` where the format has no types (CSV: the role decides), ``other`` where
    the values can be no number and no text (dates, structs, objects). ``width`` is ``None`` for
    one value a row, k for k values a row (N x k arrays, fixed-size lists), 0 for lists whose
    length only the data tells. ``dtype`` is the file's own word for it, for messages. ``axes``
    are the sizes behind the first one where an array has more than two axes (N x T x C: (T, C),
    and ``width`` is their product); the first of them is 0 where rows differ in length for good (lists of
    lists are (0, C), C 0 if only the data tell). A list of words is ``text`` of width 0. ``rows`` is how many
    rows there are, if the header tells. ``classes`` names the values of a row one by one where the data do
    (class scores with labels).
    """

    name: str
    type: ColumnType
    width: int | None
    dtype: str
    axes: tuple[int, ...] = ()
    rows: int | None = None
    classes: tuple[str, ...] | None = None

    @property
    def uneven(self) -> bool:
        """Whether only ``strings`` or ``sequences`` can read it: lists of words, lists of lists, runs of any length."""
        return self.width is not None and (self.type == "text" or self.axes[:1] == (0,))


class Block(Protocol):
    """Some consecutive rows. ``first`` is the 0-based row number of the first one in its source.

    Blocks of files that code their texts also have ``coded(name)``: ``labels`` in no special order, with texts
    that may be in no row, for those who would order them anew anyway.
    """

    first: int
    rows: int

    def numbers(self, name: str) -> Floats:
        """The column as floats, (rows,) or (rows, k), N-D arrays as (rows, *axes).

        Missing is NaN; float32 stays float32. The array may be read-only.
        """
        ...

    def labels(self, name: str) -> tuple[Codes, list[str]]:
        """The column as text, coded: (rows,) places in the list of distinct texts, -1 = missing.

        Numbers are written as Python writes them (3, 1.5). The list is in order of appearance.
        """
        ...

    def texts(self, name: str) -> list[str | None]:
        """The column as text, cell by cell; missing is ``None``."""
        ...

    def strings(self, name: str) -> Ragged:
        """The column as text, the bytes of its UTF-8 (uint8): an empty cell is an empty text, null is missing.

        Lists of words are int64 codes with their ``words``, which are those of this block.
        """
        ...

    def sequences(self, name: str) -> Ragged:
        """Numbers of any length a row: lists, N x T arrays, N x T x C arrays and lists of lists.

        float32 stays float32, integers are int64; a null among numbers is NaN (then all are floats).
        """
        ...


class Source(Protocol):
    """A table on disk or in memory. ``notes`` are sentences a person should see (a column left out).

    Sources whose rows hold more than their columns show (JSON objects, lists) also have
    ``find(name)``: whether there is such a column after all, which then is one of ``columns``; those
    with class names have ``arrange(name, classes)``: the order in which the values of a row are given.
    Arrays (NPY, NPZ, memory) can be laid out anew: ``turn(name)`` makes rows of the second axis of
    T x N x C, and archives also ``cut(name, lengths)``: an array that holds the rows end to end, with
    their lengths in another one. ``ids`` is the column that names the rows, where the format has one.

    Sources that can be read in parts, by several threads, have ``spans(numeric, text, sequences)``: their
    rows in order, as ``Span``. Those that know their rows beforehand have ``cuts()``, ascending row numbers
    from 0 to the number of rows at which they may be cut without reading anything twice, and
    ``between(start, stop, numeric, text, rows, sequences)``: ``blocks`` of these rows only, whose ``first``
    counts from the start of the source. Those made of several files have ``place(row)``: which file holds a
    0-based row, and as which of its own rows.
    """

    name: str
    format: str
    columns: tuple[Column, ...]
    notes: tuple[str, ...]

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[Block]:
        """Blocks of ``rows`` rows with the named columns only (``numeric`` for ``numbers``, ``text`` for
        ``labels`` and ``texts``, ``sequences`` for ``strings`` and ``sequences``; a column may be in several).

        Raises ``DataError`` with file, row and column where a cell cannot be read as asked.
        """
        ...


class Span(Protocol):
    """Consecutive rows of a source, for one thread to read; spans are made in order and read in any order."""

    def count(self) -> int:
        """How many rows there are; what must be read to know it is kept for ``blocks``."""
        ...

    def blocks(self, first: int, rows: int) -> Iterator[Block]:
        """Blocks of ``rows`` rows, the last one may be shorter. ``first`` is the number of the first row in
        the source, which whoever walks the spans knows once all before it are counted.

        Raises ``DataError`` as ``Source.blocks``, behind the rows that stand before the flaw.
        """
        ...


def placed(source: Source, row: int) -> tuple[str, int]:
    """The file that holds a 0-based row of a source, and its 0-based number there."""
    place = getattr(source, "place", None)
    found: tuple[str, int] = (source.name, row) if place is None else place(row)
    return found
