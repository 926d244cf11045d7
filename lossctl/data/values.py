"""NumPy arrays as what a block gives: floats, coded words, texts. NumPy only.

Every reader ends here, so that a number means the same whatever file it came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from lossctl.errors import DataError
from lossctl.exact import LARGEST_EXACT_INT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossctl.data.source import Codes, Column, ColumnType, Floats

    Values: TypeAlias = NDArray[Any]
    Mask: TypeAlias = NDArray[np.bool_]

__all__ = [
    "Where",
    "as_floats",
    "as_texts",
    "by_appearance",
    "check_asked",
    "classes_differ",
    "coded",
    "coded_texts",
    "dtype_type",
    "joined",
    "named",
    "ragged",
    "too_large",
]


class Where:
    """The place of a run of cells: file, column, and the 0-based row of the first cell."""

    __slots__ = ("column", "file", "first")

    def __init__(self, file: str, column: str, first: int) -> None:
        self.file = file
        self.column = column
        self.first = first

    def error(self, message: str, code: str, at: int | None = None, **more: Any) -> DataError:
        """The error to raise; ``at`` counts rows from ``first``."""
        row = None if at is None else self.first + at + 1
        return DataError(message, code=code, file=self.file, column=self.column, row=row, **more)


def dtype_type(dtype: np.dtype[Any]) -> ColumnType:
    """The contract's word for a dtype; ``other`` for all that is neither number nor text."""
    return _TYPES.get(dtype.kind, "other")


_TYPES: dict[str, ColumnType] = {"f": "real", "i": "int", "u": "int", "b": "bool", "U": "text"}


def as_floats(values: Values, missing: Mask | None, where: Where) -> Floats:
    """Numbers of any dtype and byte order as floats of the same shape; ``missing`` cells are NaN.

    float32 stays float32 and float16 becomes it, all else is float64. float64 and float32 without
    missing cells are handed on as they are, without a copy. Raises ``DataError`` where the dtype
    holds no numbers (code ``dtype``) or an integer is beyond 2^53 (``integer-too-large``).
    """
    kind = values.dtype.kind
    if kind == "f":
        wanted = np.float32 if values.dtype.itemsize <= 4 else np.float64
        with np.errstate(over="ignore"):  # a longdouble beyond float64 is inf, as later checks see
            floats: Any = values.astype(wanted, copy=missing is not None)
    elif kind in "iu":
        _refuse_large(values, missing, where)
        floats = values.astype(np.float64)
    elif kind == "b":
        floats = (values.view(np.uint8) != 0).astype(np.float64)  # any byte but 0 is true
    else:
        raise where.error(f"{named(values.dtype)} is not numbers", "dtype")
    if missing is not None:
        floats[missing] = np.nan
    return cast("Floats", floats)


def _refuse_large(values: Values, missing: Mask | None, where: Where) -> None:
    if values.dtype.itemsize < 8 or not values.size:
        return
    if int(values.max()) <= LARGEST_EXACT_INT and int(values.min()) >= -LARGEST_EXACT_INT:
        return
    large = (values > LARGEST_EXACT_INT) | (values < -LARGEST_EXACT_INT)
    if missing is not None:
        large &= ~missing
    if not large.any():
        return
    spot = int(large.argmax())
    per_row = values.size // len(values)
    raise too_large(where, spot // per_row, values.flat[spot])


def too_large(where: Where, at: int, value: object) -> DataError:
    """The error for an integer that float64 cannot hold exactly."""
    text = str(value)
    shown = text if len(text) <= 40 else f"{text[:40]}..."
    return where.error(
        f"{shown} is an integer beyond 2^53, which float64 cannot hold exactly",
        "integer-too-large",
        at,
        hint="scale the column down, or store it as floating point if it is not an exact count",
    )


def ragged(where: Where, at: int, found: int, width: int) -> DataError:
    """The error for a list of another length than the first one."""
    hint = "every row of a list column must hold the same number of values"
    return where.error(f"{found} values in the list, expected {width}", "ragged-list", at, hint=hint)


def classes_differ(where: Where, at: int, found: Sequence[str], classes: Sequence[str]) -> DataError:
    """The error for a row whose labels are not those of the first row, each once."""

    def listed(names: Sequence[str]) -> str:
        return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")

    message = f"the scores of this row are for {listed(found) or 'no class'}, expected {listed(classes)}"
    hint = "every row must score the same classes, each once"
    return where.error(message, "classes-differ", at, hint=hint)


def named(dtype: np.dtype[Any]) -> str:
    """The dtype in words a person knows."""
    kinds = {"O": "an array of Python objects (dtype object)", "U": f"text (dtype {dtype.str})"}
    kinds |= {"S": f"byte strings (dtype {dtype.str})", "V": f"structured or raw bytes (dtype {dtype})"}
    return kinds.get(dtype.kind, f"dtype {dtype}")


def by_appearance(codes: Codes, size: int) -> tuple[Codes, Codes]:
    """Codes 0..size-1 (and -1) numbered anew in order of appearance, and the old code of each.

    >>> new, old = by_appearance(np.array([2, 0, -1, 2]), 3)
    >>> new.tolist(), old.tolist()
    ([0, 1, -1, 0], [2, 0])
    """
    n = len(codes)
    if size > 4 * n + 64:  # a block far smaller than its dictionary
        present, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        skip = int(n > 0 and present[0] < 0)
        order = np.argsort(first[skip:], kind="stable") + skip
        new = np.full(len(present), -1, np.int64)
        new[order] = np.arange(len(order))
        return new[inverse], present[order].astype(np.int64)
    first = np.full(size + 1, n)  # the last place is that of -1
    first[codes[::-1]] = np.arange(n - 1, -1, -1)  # the last write, that is the first place, stays
    order = np.argsort(first[:size], kind="stable")
    order = order[: np.count_nonzero(first[:size] < n)]
    new = np.full(size + 1, -1, np.int64)
    new[order] = np.arange(len(order))
    return new[codes], order


def coded(values: Values, missing: Mask | None = None) -> tuple[Codes, list[str]]:
    """One-dimensional values as (codes, words); NaN, ``None`` and ``missing`` are -1.

    Words stand in no special order. Raises ``TypeError`` for a dtype without words.
    """
    kind = values.dtype.kind
    if kind == "O":
        return coded_texts(values.tolist())
    if kind not in "fiubU" or values.ndim != 1:
        raise TypeError(f"no words for dtype {values.dtype}")
    if kind == "f":
        nan = np.isnan(values)
        missing = nan if missing is None else missing | nan
    distinct, codes = np.unique(values, return_inverse=True)
    codes = codes.astype(np.int64, copy=False)
    if missing is not None:
        codes[missing] = -1
    return codes, [_word(value, kind) for value in distinct]


def coded_texts(cells: Iterable[str | None]) -> tuple[Codes, list[str]]:
    """Texts as (codes, words); ``None`` is -1.

    >>> codes, words = coded_texts(["b", "a", None, "b"])
    >>> codes.tolist(), words
    ([0, 1, -1, 0], ['b', 'a'])
    """
    places: dict[str, int] = {}
    codes = [-1 if cell is None else places.setdefault(cell, len(places)) for cell in cells]
    return np.array(codes, np.int64), list(places)


def _word(value: Any, kind: str) -> str:
    if kind == "b":
        return "true" if value else "false"
    if kind == "f":
        return str(value + 0)  # -0.0 and 0.0 are one value, 0.0; the shortest digits of its own width
    return str(value)


def as_texts(codes: Codes, words: Sequence[str]) -> list[str | None]:
    """The cells one by one; -1 is ``None``."""
    table: list[str | None] = [*words, None]  # -1 finds the last one
    return [table[code] for code in codes.tolist()]


def joined(runs: Sequence[tuple[Codes, Sequence[str]]]) -> tuple[Codes, list[str]]:
    """Runs of (codes, words) as one, in order of appearance; unused words are left out."""
    if len(runs) == 1:
        codes, words = runs[0]
        new, order = by_appearance(codes, len(words))
        used = [words[i] for i in order.tolist()]
        if len(set(used)) == len(used):
            return new, used
    places: dict[str, int] = {}
    parts = []
    for codes, words in runs:
        new, order = by_appearance(codes, len(words))
        table = [places.setdefault(words[i], len(places)) for i in order.tolist()]
        parts.append(np.array([*table, -1], np.int64)[new])
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)), list(places)


def check_asked(
    file: str,
    columns: Sequence[Column],
    numeric: Sequence[str],
    text: Sequence[str],
    rows: int,
    sequences: Sequence[str] = (),
) -> None:
    """Refuses what ``blocks`` cannot give: an unknown or ambiguous column, or one of another type.

    Raises ``DataError``: ``no-column``, ``duplicate-column``, ``dtype``; ``ValueError`` for rows < 1.
    """
    if rows < 1:
        raise ValueError("rows must be at least 1")
    by_name: dict[str, list[Column]] = {}
    for column in columns:
        by_name.setdefault(column.name, []).append(column)
    as_numbers, as_text = set(numeric), set(text)
    for name in dict.fromkeys([*numeric, *text, *sequences]):
        found = by_name.get(name, [])
        if not found:
            names = ", ".join(column.name for column in columns[:20])
            raise DataError(f'no column "{name}"', code="no-column", file=file, hint=f"there are: {names}")
        if len(found) > 1:
            message = f'{len(found)} columns are named "{name}"'
            raise DataError(message, code="duplicate-column", file=file, column=name)
        kind, dtype = found[0].type, found[0].dtype
        plain = kind != "text" and not found[0].uneven
        if kind == "other" or (name in as_numbers and not plain):
            raise DataError(f"{dtype} is not numbers", code="dtype", file=file, column=name)
        if name in as_text and found[0].width is not None:
            raise DataError(f"{dtype} cannot be labels", code="dtype", file=file, column=name)
