"""What the text of one cell means where a number is wanted.

Arrow's parser reads the plain cases at full speed; these are its rules in Python, and a little
more (``true``, blanks), for the cells that it refuses and for columns wanted as text as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lossctl.exact import LARGEST_EXACT_INT

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LISTS", "MISSING", "NOT_A_NUMBER", "TOO_LARGE", "Numbers", "advice", "looks_numeric", "read_numbers"]

# What Arrow's parser takes as missing; here case does not matter, so this is a part of our rule.
MISSING = (
    *("", "NA", "na", "N/A", "n/a", "#N/A", "<NA>"),
    *("NaN", "nan", "NAN", "Nan", "-NaN", "-nan", "NULL", "null", "Null"),
)
_MISSING = frozenset(word.lower() for word in MISSING)
_NAN = re.compile(r"[+-]?nan(\(\w*\))?", re.ASCII)
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity)", re.ASCII)
_INTEGER = re.compile(r"[+-]?0*(\d+)", re.ASCII)
_WORDS = {"true": 1.0, "false": 0.0}

NOT_A_NUMBER, TOO_LARGE = 1, 2


class Numbers(NamedTuple):
    """Values, NaN where missing, and the flaw of each: 0, ``NOT_A_NUMBER`` or ``TOO_LARGE``."""

    values: NDArray[np.float64]
    flaws: NDArray[np.uint8]


def read_numbers(cells: Iterable[str], missing: frozenset[str]) -> Numbers:
    """Each cell as a number; those of ``missing``, to the letter, are NaN too."""
    values, flaws = [], []
    for cell in cells:
        value = np.nan if cell in missing else _number(cell)
        large = value is not None and abs(value) >= LARGEST_EXACT_INT and _is_large_integer(cell)
        flaws.append(NOT_A_NUMBER if value is None else TOO_LARGE if large else 0)
        values.append(np.nan if value is None else value)
    return Numbers(np.array(values, np.float64), np.array(flaws, np.uint8))


def looks_numeric(cell: str) -> bool:
    """Whether the text is a number, and not one of the words for a missing one."""
    return _NUMBER.fullmatch(cell.strip(" \t").lower()) is not None


def _number(cell: str) -> float | None:
    text = cell.strip(" \t").lower()
    if _NUMBER.fullmatch(text):
        return float(text)
    if text in _MISSING or _NAN.fullmatch(text):
        return np.nan
    return _WORDS.get(text)


def _is_large_integer(cell: str) -> bool:
    found = _INTEGER.fullmatch(cell.strip(" \t"))
    return found is not None and (len(found[1]) > 16 or int(found[1]) > LARGEST_EXACT_INT)


# What to do about several numbers in one cell.
LISTS = "several numbers in one cell are not read: use JSONL ([1, 2] is a list there), Parquet list columns, or NPY"
_ADVICE = (
    (r"\s*[\[(].*[\])]\s*", LISTS),
    (r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", "thousands marks are not read: write 1234.5, without commas"),
    (r"[+-]?\d*,\d+(e[+-]?\d+)?", "decimal commas are not read: write 1.5, not 1,5"),
    (r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?", "thousands marks are not read: write 1234.5"),
    (r"\s*[+-]?[\d.]+\s*%", "per cent signs are not read: write 0.5, not 50%"),
    (r"none|-+|\?+|\.|missing|n\.a\.", "if this means missing: --null-value {cell!r}"),
)


def advice(cell: str, column: str) -> str | None:
    """What may be wrong with a cell that is no number."""
    if cell.strip() == column.strip():
        return "the header line stands among the rows (files joined end to end?)"
    for pattern, hint in _ADVICE:
        if re.fullmatch(pattern, cell.lower(), re.ASCII | re.DOTALL):
            return hint.replace("{cell!r}", repr(cell))
    return None
