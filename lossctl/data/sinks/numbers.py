"""Floats as Python writes them, at the speed of Arrow: the shortest text that reads back as the same number."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import _compute

from lossctl.data.sinks.arrays import TEXT, ArrowArray, call, doubles, integers, picked, words

if TYPE_CHECKING:
    from lossctl.data.sinks.sink import Floats, Ints, Mask

__all__ = ["NONFINITE", "decimal", "spelled"]

NONFINITE = ("nan", "inf", "-inf")

# Arrow has the same digits and puts the point elsewhere: 1e+10, 0.00001, 1e-7 are 10000000000.0, 1e-05, 1e-07.
_LOW, _HIGH = 1e-4, 1e10  # between them only whole numbers differ
_WHOLE = 1e16  # from here on, and below _TINY, both are the same
_TINY = 1e-10
_MOVED = (  # from, to, what Arrow writes, what Python writes
    (1e-10, 1e-6, r"e-(\d)$", r"e-0\1"),
    (1e-6, 1e-5, r"^(-?)0\.00000([1-9])(\d*)$", r"\1\2.\3e-06"),
    (1e-5, 1e-4, r"^(-?)0\.0000([1-9])(\d*)$", r"\1\2.\3e-05"),
    *((10.0**e, 10.0 ** (e + 1), rf"^(-?\d)\.(\d{{{e}}})(\d+)e\+{e}$", r"\1\2.\3") for e in range(10, 16)),
)


def decimal(values: Ints) -> ArrowArray:
    """Whole numbers as text."""
    return _cast(integers(values))


def spelled(values: Floats, missing: Mask | None, nonfinite: tuple[str, str, str] = NONFINITE) -> ArrowArray:
    """Each number as ``repr`` has it, null where missing; ``nonfinite`` are the words for nan, inf and -inf."""
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        whole = (values == np.rint(values)) & (size < _WHOLE)
    same = (size >= _LOW) & (size < _HIGH) & ~whole | (size >= _WHOLE) & (size < np.inf) | (size < _TINY) & (size > 0)
    if missing is not None:
        same |= missing  # whatever stands there is not looked at
    if same.all():
        return _cast(doubles(values, missing))
    rest = ~same
    groups: list[tuple[Mask, Callable[[Floats], ArrowArray]]] = [
        (same, lambda found: _cast(doubles(found))),
        (rest & whole, _integral),
        (rest & ~np.isfinite(values), partial(_odd, nonfinite)),
    ]
    rest &= ~whole
    for low, high, old, new in _MOVED:
        groups.append((rest & (size >= low) & (size < high), partial(_moved, old, new)))
    return _placed(values, missing, groups)


def _placed(
    values: Floats, missing: Mask | None, groups: list[tuple[Mask, Callable[[Floats], ArrowArray]]]
) -> ArrowArray:
    """The texts that each group makes of its own numbers, back in their order."""
    order = np.empty(len(values), np.int64)
    parts, count = [], 0
    for mask, spell in groups:
        where = np.flatnonzero(mask)
        if len(where):
            parts.append(spell(values[where]))
            order[where] = np.arange(count, count + len(where))
            count += len(where)
    return picked(pa.concat_arrays(parts), order, missing)


def _cast(array: ArrowArray) -> ArrowArray:
    return call("cast", [array], _compute.CastOptions(TEXT))


def _integral(values: Floats) -> ArrowArray:
    text = _joined(decimal(values.astype(np.int64)), ".0")
    negative = np.flatnonzero((values == 0) & np.signbit(values))
    if not len(negative):
        return text
    order = np.arange(len(values))
    order[negative] = len(values)
    return picked(pa.concat_arrays([text, words(["-0.0"])]), order)


def _joined(text: ArrowArray, end: str) -> ArrowArray:
    ends = words([end, ""])
    return call("binary_join_element_wise", [text, ends[0], ends[1]])


def _odd(nonfinite: tuple[str, str, str], values: Floats) -> ArrowArray:
    return picked(words(nonfinite), np.where(np.isnan(values), 0, np.where(values > 0, 1, 2)))


def _moved(old: str, new: str, values: Floats) -> ArrowArray:
    text = call("replace_substring_regex", [_cast(doubles(values))], _compute.ReplaceSubstringOptions(old, new))
    return call("replace_substring", [text], _compute.ReplaceSubstringOptions(".e", "e"))  # one digit: 1e-05
