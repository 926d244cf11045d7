"""Inputs in memory whose rows have any length: texts, lists, arrays of two axes or more, rows end to end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lossctl.errors import DataError
from lossctl.model.spec import Arrays, LossSpec
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from lossctl.model.params import Value

__all__ = ["sequences"]


def sequences(spec: LossSpec, inputs: Mapping[str, Any], params: Mapping[str, Value]) -> Arrays:
    """The inputs whose rows have any length, as their kinds read them. Raises ``DataError``: ``dtype``, ``shape``."""
    found: dict[str, Any] = {}
    for entry in spec.inputs:
        way = entry.kind.decode(params, None)
        if entry.role in inputs and way in {"units", "sequence"}:
            by_time = params.get("layout") == "TNC" and "layout" in entry.kind.params()
            name, value = f"{spec.name}: {entry.role}", inputs[entry.role]
            if isinstance(value, Ragged):
                raw = value
            elif (numbers := as_numbers(name, value)) is not None and numbers.ndim == 1 and entry.kind.single:
                raw = Ragged.ones(numbers)
            elif numbers is not None:
                raw = rows_of(name, numbers, by_time, inputs.get(f"{entry.role}-lengths"))
            else:
                cells = value.to_pylist() if hasattr(value, "to_pylist") else list(value)
                raw = listed(name, cells, text=way == "units")
            found[entry.role] = entry.kind.read(raw, params)
    return found


def as_numbers(name: str, value: Any) -> NDArray[Any] | None:
    """The value as an array of floats or whole numbers (int64), if it is one or makes one of itself."""
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (int, float)):
        value = np.asarray(value)
    if not hasattr(value, "__array__"):
        return None
    array = np.asarray(value)
    if array.dtype.kind in "cmMSV":
        raise DataError(f"{name} is {array.dtype}, and must be numbers or text", code="dtype")
    if array.dtype.kind not in "fiu" and not (array.dtype.kind == "b" and array.ndim):
        return None
    return array if array.dtype.kind == "f" else array.astype(np.int64)


def rows_of(name: str, array: NDArray[Any], by_time: bool, lengths: Any) -> Ragged:
    """An array of two axes or more; a flat one beside lengths that add up to its own holds the rows end to end."""
    if array.ndim > 1:
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        return Ragged.padded(np.ascontiguousarray(native), by_time=by_time)
    runs = None if lengths is None else np.asarray(lengths, np.float64)
    if runs is not None and array.ndim and runs.sum() == len(array) and (runs == np.floor(runs)).all():
        ends = np.cumsum(runs.astype(np.int64))
        return Ragged(array, ends - runs.astype(np.int64), runs.astype(np.int64))
    raise DataError(
        f"{name} is a flat array of numbers, and holds no rows",
        code="shape",
        hint="rows need a second axis; rows end to end need lengths that add up",
    )


def listed(name: str, rows: list[Any], *, text: bool) -> Ragged:
    """Texts, lists of words, lists of numbers, or lists of lists of numbers; ``None`` is a missing row."""
    rows = [None if row is None or (isinstance(row, float) and row != row) else row for row in rows]
    known = [row for row in rows if row is not None]
    if text and all(isinstance(row, str) for row in known):
        return Ragged.texts(rows)
    if any(isinstance(row, str) for row in known):
        words = "lists of numbers" if not text else "text in all rows, or lists in all rows"
        raise DataError(f"{name} is text, and must be {words}", code="dtype")
    single = next((row for row in known if isinstance(row, (bytes, np.void)) or not hasattr(row, "__len__")), None)
    if single is not None:
        number = isinstance(single, (int, float, np.integer, np.floating)) and not isinstance(single, np.timedelta64)
        raise DataError(
            f"{name} holds single values ({type(single).__name__}), and must hold a sequence in each row",
            code="shape" if number else "dtype",
        )
    if isinstance(next((item for row in known for item in row), None), str):
        codes: dict[str, int] = {}
        made = [None if row is None else [codes.setdefault(str(item), len(codes)) for item in row] for row in rows]
        coded = Ragged.of(made, np.int64)
        return Ragged(coded.values, coded.starts, coded.lengths, missing=coded.missing, words=list(codes))
    try:
        found = Ragged.of(rows)
    except ValueError:
        raise DataError(f"{name} holds lists whose inner lists differ in length", code="ragged-list") from None
    if found.dtype.kind not in "fiu":
        raise DataError(f"{name} is lists of {found.dtype}, and must be lists of numbers", code="dtype")
    whole = found.dtype.kind in "iu"
    values = found.values.astype(np.int64) if whole else found.values
    return Ragged(values, found.starts, found.lengths, missing=found.missing)
