"""The kind of boxes: four numbers a row, in one of three layouts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Detect, Kind, Params, Rng, Sizes
from lossctl.model.params import Param, Value, complete

__all__ = ["Boxes", "four_numbers"]

LAYOUT = complete(
    Param(
        "what the four numbers are: two corners, a corner and the size, or the centre and the size",
        choices=("xyxy", "xywh", "cxcywh"),
    ),
    "boxes",
    str,
    "xyxy",
)
ZERO_AREA = complete(
    Param(
        "a box without width or height: refuse it, skip the row (counted as ignored), or score it as it stands",
        choices=("error", "skip", "score"),
    ),
    "zero_area",
    str,
    "error",
)
INVERTED = Rule(
    "inverted-box",
    "is an inverted box: x2 < x1 or y2 < y1",
    hint="are these a corner and a size?  --boxes xywh; a centre and a size?  --boxes cxcywh",
)
NEGATIVE = Rule(
    "inverted-box",
    "is a box of negative width or height",
    hint="are these two corners?  --boxes xyxy",
)
FLAT = Rule(
    "zero-area",
    "is a box without area",
    hint="--zero-area skip leaves such rows out (counted), --zero-area score overlaps it with nothing",
)


class Boxes(Kind):
    """A box, N x 4; the kernel sees two corners: x1, y1, x2, y2."""

    name: str = "box"
    axes: str = "N K"
    phrase: str = "a box of four numbers: x1, y1, x2, y2, or as --boxes says"
    columns: Detect = "boxes"
    flat: bool = False
    parallel: bool = False

    def elementwise(self, params: Params) -> bool:
        return False

    def params(self) -> dict[str, Param]:
        return {"boxes": LAYOUT, "zero_area": ZERO_AREA}

    def ignored(self, array: Array, params: Params) -> NDArray[np.bool_] | None:
        if params["zero_area"] != "skip" or array.shape[1] != 4:
            return None
        width, height = sides(array, params)
        return without_area(width, height)

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        width, height = sides(array, params)
        yield whole(INVERTED if params["boxes"] == "xyxy" else NEGATIVE, array, (width < 0) | (height < 0))
        if params["zero_area"] == "error":
            yield whole(FLAT, array, without_area(width, height))

    def canonical(self, array: Array, params: Params) -> Array:
        box = np.asarray(array, np.float64)
        if params["boxes"] == "xyxy":
            return box
        place, size = box[:, :2], box[:, 2:]
        low = place if params["boxes"] == "xywh" else place - size / 2
        return np.concatenate([low, place + (size if params["boxes"] == "xywh" else size / 2)], axis=1)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        # In halves, so that edges meet and boxes lie inside others; any two overlap, so that no value is infinite.
        size = rng.integers(4, 11, size=(sizes.rows, 2)) / 2
        low = rng.integers(0, 4, size=(sizes.rows, 2)) / 2
        second = {"xyxy": low + size, "xywh": size, "cxcywh": size}[str(params["boxes"])]
        return np.concatenate([low + size / 2 if params["boxes"] == "cxcywh" else low, second], axis=1)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        if array.ndim == 2 and array.shape[1] == 4:
            yield "inverted-box", last(array, [2.0, 2.0, -1.0, 3.0])
            if params["zero_area"] == "error":
                yield "zero-area", last(array, [2.0, 2.0, 2.0 if params["boxes"] == "xyxy" else 0.0, 3.0])


def sides(array: Array, params: Params) -> tuple[Array, Array]:
    """(N,) widths and heights, with a sign."""
    if params["boxes"] != "xyxy":
        return array[:, 2], array[:, 3]
    with np.errstate(over="ignore"):
        return array[:, 2] - array[:, 0], array[:, 3] - array[:, 1]


def without_area(width: Array, height: Array) -> NDArray[np.bool_]:
    """Boxes that are lines or points; an inverted one is something else."""
    return np.asarray((np.minimum(width, height) == 0) & (np.maximum(width, height) >= 0))


def whole(rule: Rule, array: Array, rows: NDArray[np.bool_]) -> Seen:
    """What a rule found, with all four numbers to show."""
    shown = np.empty(len(array), object)
    for row in np.flatnonzero(rows):
        shown[row] = array[row].tolist()
    return rule, rows, shown


def last(array: Array, box: list[float]) -> Array:
    worse = np.array(array, dtype=float)
    worse[-1] = box
    return worse


def four_numbers(arrays: Mapping[str, Array], params: Mapping[str, Value]) -> str | None:
    """A check of shapes: a box is four numbers."""
    return None if all(array.shape[1] == 4 for array in arrays.values()) else "a box is four numbers"
