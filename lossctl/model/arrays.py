"""Inputs that are in memory as the arrays of a loss: numbers, coded labels, rows of any length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lossctl.errors import DataError
from lossctl.exact import LARGEST_EXACT_INT
from lossctl.model.kinds import every
from lossctl.model.rows import sequences
from lossctl.model.spec import Arrays, LossSpec

if TYPE_CHECKING:
    from lossctl.model.params import Value

__all__ = ["decoded"]


def decoded(spec: LossSpec, inputs: Mapping[str, Any], params: Mapping[str, Value]) -> Arrays:
    """Arrays for in-memory inputs: labels become codes of one shared list, groups codes of their own."""
    named = [i.role for i in spec.inputs if i.kind.mapping and i.role in inputs]
    ragged = sequences(spec, inputs, params)
    raw = {role: as_array(value) for role, value in inputs.items() if role not in named and role not in ragged}
    pred = raw.get("pred")
    classes = pred.shape[1] if pred is not None and pred.ndim == 2 else None
    ways = {i.role: i.kind.decode(params, classes) for i in spec.inputs if i.role in raw}
    together = [role for role, way in ways.items() if way == "label"]
    coded: Arrays = {}
    if any(raw[role].dtype.kind not in "fbiu" for role in together):
        coded = _shared_codes(spec, {role: raw.pop(role) for role in together})
    arrays: Arrays = {
        role: {name: _floats(spec, f"{role} {name}", as_array(part)) for name, part in inputs[role].items()}
        for role in named
    }
    arrays.update(ragged)
    for role, array in raw.items():
        if ways[role] == "text":
            arrays[role] = np.unique(array, return_inverse=True)[1]
        else:
            arrays[role] = _floats(spec, role, array)
    return {**arrays, **coded}


def _shared_codes(spec: LossSpec, labels: Mapping[str, NDArray[Any]]) -> Arrays:
    """Equal labels have equal codes in all roles; text against numbers is an error."""
    for role, array in labels.items():
        text = array.dtype.kind == "O" and all(isinstance(v, str) for v in array.ravel())
        if array.dtype.kind not in "UfbiuO" or (array.dtype.kind == "O" and not text):
            raise DataError(f"{spec.name}: {role} is {array.dtype}, and must be labels", code="dtype")
    kinds = {role: array.dtype.kind in "OU" for role, array in labels.items()}
    if len(set(kinds.values())) > 1 or any(a.dtype.kind not in "OU" for a in labels.values()):
        shown = ", ".join(f"{role} is {array.dtype}" for role, array in labels.items())
        raise DataError(f"{spec.name}: labels are text on one side only: {shown}", code="labels-differ")
    _, codes = np.unique(np.concatenate([a.ravel().astype(str) for a in labels.values()]), return_inverse=True)
    parts = np.split(codes, np.cumsum([a.size for a in labels.values()])[:-1])
    return {role: part.reshape(a.shape) for (role, a), part in zip(labels.items(), parts, strict=True)}


def as_array(value: Any) -> NDArray[Any]:
    """Whatever holds numbers or text, as an array; rows that are sequences of one length become axes."""
    array = np.asarray(value)
    nested = array.dtype.kind == "O" and array.ndim == 1 and all(hasattr(row, "__len__") for row in array)
    if nested and len(array) and not isinstance(array[0], str) and len({len(row) for row in array}) == 1:
        array = np.array([np.asarray(row) for row in array])
    return np.ascontiguousarray(array)


def _floats(spec: LossSpec, role: str, array: NDArray[Any]) -> NDArray[Any]:
    """float64, or float32 as it is; integers that float64 cannot hold are refused with their row."""
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        large = every((array > LARGEST_EXACT_INT) | (array < -LARGEST_EXACT_INT))
        if large.any():
            row = int(np.argmax(large))
            raise DataError(
                f"{spec.name}: {role} = {array[row]} is an integer that float64 cannot hold exactly",
                code="integer-too-large",
                row=row + 1,
                hint="pass it as float64 if the rounding does not matter",
            )
    if array.dtype.kind not in "fbiu":
        raise DataError(f"{spec.name}: {role} is {array.dtype}, and must be numbers", code="dtype")
    if array.dtype == np.float32:
        return array
    return array.astype(np.float64, copy=False)
