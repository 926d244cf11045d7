"""What a row of an Arrow column may hold beyond one value: lists, Spark ML vectors, labelled scores.

A ``Shape`` turns such a column into rows of k floats. ``leaves`` finds the columns of a schema, fields
of structs under their dotted path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from lossctl.data.arrow import rows as arrowrows
from lossctl.data.arrow.arrays import (
    ArrowArray,
    ArrowType,
    as_column,
    coded_array,
    floats,
    is_tensor,
    list_width,
    plain,
    spans,
    valid,
)
from lossctl.data.labels import class_order
from lossctl.data.sequences import dense, no_sequence
from lossctl.data.source import Column
from lossctl.data.values import Where, as_floats, classes_differ, ragged
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossctl.data.source import Floats

__all__ = [
    "SCORES",
    "Element",
    "Frames",
    "Leaf",
    "Lists",
    "Shape",
    "child",
    "first_classes",
    "first_frame",
    "first_width",
    "leaves",
    "shape_of",
]

VECTOR, SCORES = "Spark vector", "list of label and prob"  # dtypes of their own
_VECTOR = {"type", "size", "indices", "values"}
_SPARSE, _DENSE = 0, 1
_SCORES = ["label", "prob"]


class Leaf(NamedTuple):
    """A column, and the way to it: the file's own column and the struct fields below."""

    column: Column
    path: tuple[str, ...]
    type: ArrowType


class Shape(Protocol):
    """Rows of several values as floats."""

    def floats(self, array: ArrowArray, where: Where) -> Floats:
        """(rows, k), or (rows,) for one element of each."""
        ...

    def rows(self, array: ArrowArray, where: Where) -> Ragged:
        """Rows of any length, where the shape has any."""
        ...


class Lists(NamedTuple):
    """Lists of ``width`` numbers each."""

    width: int

    def floats(self, array: ArrowArray, where: Where) -> Floats:
        return floats(array, where, self.width)

    def rows(self, array: ArrowArray, where: Where) -> Ragged:
        """Lists of any length, whatever ``width`` says."""
        return arrowrows.numbers(array, where, 0)


class Frames(NamedTuple):
    """Lists of any number of lists of ``width`` numbers each."""

    width: int

    def floats(self, array: ArrowArray, where: Where) -> Floats:
        raise where.error(f"{array.type} is not numbers", "dtype")

    def rows(self, array: ArrowArray, where: Where) -> Ragged:
        return arrowrows.numbers(array, where, self.width)


class Tensors(NamedTuple):
    """Arrays of one shape (``arrow.fixed_shape_tensor``)."""

    def floats(self, array: ArrowArray, where: Where) -> Floats:
        values, there = arrowrows.tensors(array)
        absent = None if there.all() else np.broadcast_to(~there[(...,) + (None,) * (values.ndim - 1)], values.shape)
        return as_floats(np.ascontiguousarray(values), absent, where)

    def rows(self, array: ArrowArray, where: Where) -> Ragged:
        return arrowrows.of_tensors(array, where)


class Vectors(NamedTuple):
    """Spark ML vectors of ``width`` numbers: dense ones as they are, sparse ones filled up with zeros."""

    width: int

    def floats(self, array: ArrowArray, where: Where) -> Floats:
        """Raises ``DataError``: ``ragged-list`` for another length, ``corrupt`` for what is no vector."""
        nulls = ~valid(array)
        fields = _fields(array)
        kinds, sizes, starts, ends = _measures(fields)
        sparse = kinds == _SPARSE
        strange = (kinds != _SPARSE) & (kinds != _DENSE) & ~nulls
        if strange.any():
            raise where.error("this is neither a sparse nor a dense vector", "corrupt", int(strange.argmax()))
        found = np.where(sparse, sizes, ends - starts)
        wrong = (found != self.width) & ~nulls
        if wrong.any():
            raise ragged(where, int(wrong.argmax()), int(found[wrong.argmax()]), self.width)
        counts = np.where(nulls, 0, ends - starts)
        rows = np.repeat(np.arange(len(array)), counts)
        columns = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        if sparse.any():
            columns = self._indices(fields["indices"], counts, rows, columns, sparse & ~nulls, where)
        cells, absent = plain(fields["values"].flatten())
        filled = np.zeros((len(array), self.width))
        filled[rows, columns] = cells if absent is None else np.where(absent, np.nan, cells)
        filled[nulls] = np.nan
        return filled

    def rows(self, array: ArrowArray, where: Where) -> Ragged:
        return dense(self.floats(array, where), where)

    def _indices(
        self, lists: ArrowArray, counts: Any, rows: Any, columns: Any, sparse: NDArray[np.bool_], where: Where
    ) -> Any:
        """The places of all values: of sparse vectors those in ``lists``, which must ascend."""
        starts, ends = spans(lists)
        lengths = np.where(valid(lists), ends - starts, 0)
        wrong = sparse & (lengths != counts)
        given, _ = plain(lists.flatten())
        mine = sparse[np.repeat(np.arange(len(lengths)), lengths)]
        if not wrong.any():
            columns[sparse[rows]] = given[mine]
            bad = (columns < 0) | (columns >= self.width)
            bad[1:] |= (rows[1:] == rows[:-1]) & (columns[1:] <= columns[:-1])
            wrong[rows[bad]] = True
        if wrong.any():
            raise where.error("the indices of a sparse vector do not fit its values", "corrupt", int(wrong.argmax()))
        return columns


class Scores(NamedTuple):
    """Lists of label and probability in any order, brought to the order of ``classes``."""

    classes: tuple[str, ...]

    def floats(self, array: ArrowArray, where: Where) -> Floats:
        """Raises ``DataError`` (code ``classes-differ``) for a row with other labels."""
        there, k = valid(array), len(self.classes)
        starts, ends = spans(array)
        fields = _fields(array.flatten())
        try:
            codes, words = coded_array(fields["label"])
        except (UnicodeDecodeError, IndexError) as error:
            raise where.error(f"the labels are corrupt: {error}", "corrupt") from None
        lengths = np.where(there, ends - starts, 0)
        if (there & (lengths != k)).any():
            raise self._differ(int((there & (lengths != k)).argmax()), lengths, codes, words, where)
        index = {name: place for place, name in enumerate(self.classes)}
        table = np.array([*(index.get(word, -1) for word in words), -1], np.int64)
        places = table[codes].reshape(-1, k)
        wrong = (np.sort(places, axis=1) != np.arange(k)).any(axis=1)
        rows = np.flatnonzero(there)
        if wrong.any():
            raise self._differ(int(rows[wrong.argmax()]), lengths, codes, words, where)
        values = floats(fields["prob"], where).reshape(-1, k)
        filled = np.full((len(array), k), np.nan)
        filled[rows[:, None], places] = values
        return filled

    def rows(self, array: ArrowArray, where: Where) -> Ragged:
        return dense(self.floats(array, where), where)

    def _differ(self, at: int, lengths: Any, codes: Any, words: Sequence[str], where: Where) -> Exception:
        start = int(lengths[:at].sum())
        mine = codes[start : start + int(lengths[at])].tolist()
        return classes_differ(where, at, [words[code] if code >= 0 else "" for code in mine], self.classes)


class Element(NamedTuple):
    """One value out of each row of a shape."""

    shape: Shape
    at: int

    def floats(self, array: ArrowArray, where: Where) -> Floats:
        return self.shape.floats(array, where)[:, self.at]

    def rows(self, array: ArrowArray, where: Where) -> Ragged:
        raise no_sequence(where)


def leaves(schema: Iterable[Any], rows: int | None) -> Iterator[Leaf]:
    """The columns of a schema in order; a struct stands for its fields, as ``struct.field``."""
    fields = list(schema)
    names = Counter(field.name for field in fields)
    for field in fields:
        yield from _leaves(field.name, (field.name,), field.type, rows, clear=names[field.name] == 1)


def _leaves(name: str, path: tuple[str, ...], kind: ArrowType, rows: int | None, *, clear: bool) -> Iterator[Leaf]:
    """``clear``: no name on the way stands for two fields."""
    if pa.types.is_struct(kind) and not _is_vector(kind):
        names = Counter(field.name for field in kind)
        for field in kind:
            once = clear and names[field.name] == 1
            yield from _leaves(f"{name}.{field.name}", (*path, field.name), field.type, rows, clear=once)
        return
    column = as_column(name, kind, rows)
    if len(path) > 1 and not clear:
        column = column._replace(type="other", width=None)
    elif _is_vector(kind):
        column = column._replace(type="real", width=0, dtype=VECTOR)
    elif _is_scores(kind):
        column = column._replace(type="real", width=0, dtype=SCORES)
    yield Leaf(column, path, kind)


def _is_vector(kind: ArrowType) -> bool:
    if not pa.types.is_struct(kind) or {field.name for field in kind} != _VECTOR or kind.num_fields != len(_VECTOR):
        return False
    types = {field.name: field.type for field in kind}
    whole = pa.types.is_integer(types["type"]) and pa.types.is_integer(types["size"])
    return bool(whole and _list_of(types["indices"], pa.types.is_integer) and _list_of(types["values"], _is_float))


def _is_scores(kind: ArrowType) -> bool:
    if not _list_of(kind, pa.types.is_struct) or sorted(field.name for field in kind.value_type) != _SCORES:
        return False
    parts = {field.name: as_column("", field.type) for field in kind.value_type}
    single = all(part.width is None for part in parts.values())
    return single and parts["label"].type != "other" and parts["prob"].type in {"real", "int"}


def _list_of(kind: ArrowType, what: Any) -> bool:
    return bool((pa.types.is_list(kind) or pa.types.is_large_list(kind)) and what(kind.value_type))


def _is_float(kind: ArrowType) -> bool:
    return bool(pa.types.is_floating(kind))


def child(array: ArrowArray, field: str) -> ArrowArray:
    """A field of a struct array; missing where the struct is."""
    return _fields(array)[field]


def _fields(array: ArrowArray) -> dict[str, ArrowArray]:
    return {field.name: part for field, part in zip(array.type, array.flatten(), strict=True)}


def _measures(fields: dict[str, ArrowArray]) -> tuple[Any, Any, Any, Any]:
    """Of each vector its kind, its announced size, and where its values begin and end."""
    kinds, sizes = plain(fields["type"])[0], plain(fields["size"])[0]
    starts, ends = spans(fields["values"])
    return kinds, sizes, starts, np.where(valid(fields["values"]), ends, starts)


def first_width(kind: ArrowType, arrays: Iterable[ArrowArray]) -> int | None:
    """How many values the first row that is not missing holds; ``None`` if there is none."""
    if not _is_vector(kind):
        return list_width(arrays)
    for array in arrays:
        for at in np.flatnonzero(valid(array)).tolist():
            kinds, sizes, starts, ends = _measures(_fields(array))
            return int(sizes[at] if kinds[at] == _SPARSE else ends[at] - starts[at])
    return None


def first_classes(arrays: Iterable[ArrowArray]) -> tuple[str, ...]:
    """The labels of the first row that has any, in order: by number if all are whole numbers."""
    for array in arrays:
        starts, ends = spans(array)
        for at in np.flatnonzero(valid(array) & (ends > starts)).tolist():
            codes, words = coded_array(_fields(array.slice(at, 1).flatten())["label"])
            return class_order([words[code] for code in codes.tolist() if code >= 0])
    return ()


def shape_of(kind: ArrowType, width: int, classes: tuple[str, ...] | None) -> Shape:
    """How a column of this type becomes rows of ``width`` values."""
    if classes is not None:
        return Scores(classes)
    if is_tensor(kind):
        return Tensors()
    return Vectors(width) if _is_vector(kind) else Lists(width)


def first_frame(arrays: Iterable[ArrowArray]) -> int | None:
    """How many numbers the first list within a list holds; ``None`` if there is none."""
    for array in arrays:
        starts, ends = spans(array)
        for at in np.flatnonzero(valid(array) & (ends > starts)).tolist()[:1]:
            begins, stops = spans(array.values.slice(int(starts[at]), 1))
            return int(stops[0] - begins[0])
    return None
