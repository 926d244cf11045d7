"""Kinds of masks: a number for each pixel of an image, for one class or for several.

However a file lays them out, a kernel sees predictions of N x C x pixels, C classes (1: a mask by itself), and targets
of the same shape, or of N x 1 x pixels where these are class indices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Detect, Kind, Params, Rng, Sizes, broken, every, put
from lossctl.model.params import Param, Value, complete
from lossctl.model.scores import BinaryScores

__all__ = ["ImageScores", "ImageTarget", "MaskScores", "MaskTarget", "same_pixels"]

CLASS_AXIS = complete(
    Param(
        "which axis of the arrays holds the classes, counted from 0; none: an image is one mask; auto: axis 1 from "
        "four axes on, or where the target has one axis less",
        ge=1,
        choices=("auto", "none"),
    ),
    "class_axis",
    int | str,
    "auto",
)
IGNORE_INDEX = complete(
    Param("value of target pixels that do not count, often 255; an image of nothing else is left out"),
    "ignore_index",
    int | None,
    -100,
)
PIXELS = "N P | N Y X | N C Y X | N C Z Y X"
IMAGES = "N Y X | N C Y X | N C Z Y X"


def axis_of(arrays: Mapping[str, Array], params: Params) -> int | None:
    """The axis of the classes; ``None``: there is one mask an image."""
    axis, pred = params["class_axis"], arrays["pred"]
    if axis == "auto":
        return 1 if pred.ndim > 3 or pred.ndim == arrays["target"].ndim + 1 else None
    return None if axis == "none" else int(str(axis))


def same_pixels(arrays: Mapping[str, Array], params: Mapping[str, Value]) -> str | None:
    """A check of shapes: pixels stand against pixels, and classes against the same classes or against indices."""
    pred, target = arrays["pred"], arrays["target"]
    axis = axis_of(arrays, params)
    if axis is not None and axis >= pred.ndim:
        return f"there is no axis {axis} (--class-axis)"
    if axis is not None and pred.ndim < 3:
        return "an axis of classes leaves no axis of pixels (--class-axis none)"
    classes = 1 if axis is None else pred.shape[axis]
    if params.get("include_background") is False and classes == 1:
        return "there is one class only, and --no-include-background leaves it out"
    pixels = pred.shape if axis is None else (*pred.shape[:axis], *pred.shape[axis + 1 :])
    own = target.shape
    if axis is not None and target.ndim == pred.ndim and own[axis] in {1, classes}:
        own = (*own[:axis], *own[axis + 1 :])
    if own[1:] != pixels[1:]:
        say = ", or --class-axis says where the classes are" if axis is None or params["class_axis"] == "auto" else ""
        return f"the pixels differ{say}"
    return None


class Masks(Kind):
    """An array of pixels, whichever side it is on."""

    axes: str = PIXELS
    flat: bool = False
    least: int = 1  # axes of pixels

    def elementwise(self, params: Params) -> bool:
        return False

    def params(self) -> dict[str, Param]:
        return {"class_axis": CLASS_AXIS}

    def settled(self, role: str, arrays: Mapping[str, Array], params: Params) -> Array:
        """The array with its classes on axis 1: of length 1 where it has no such axis."""
        array, axis = arrays[role], axis_of(arrays, params)
        if axis is None or array.ndim < arrays["pred"].ndim:
            return array[:, None]
        return np.moveaxis(array, axis, 1)

    def placed(self, array: Array, params: Params) -> Array:
        """A sample of N x C x Y x X, with the classes where the parameters want them."""
        axis = params["class_axis"]
        return np.ascontiguousarray(np.moveaxis(array, 1, int(str(axis)))) if axis not in {"auto", "none"} else array


class MaskScores(Masks, BinaryScores):
    """Predicted masks: probabilities or logits, as the parameter ``input`` says."""

    name: str = "mask"
    phrase: str = "a probability in [0, 1] for each pixel, or a logit with --input logits"
    columns: Detect = "masks"

    def class_count(self, array: Array, params: Params) -> int | None:
        return int(array.shape[1]) if array.ndim > 2 and array.shape[1] > 1 else None

    def canonical(self, array: Array, params: Params) -> Array:
        return np.asarray(array, np.float64)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        shape = (sizes.rows, 2, 2, 3) if sizes.elements else (sizes.rows, 2, 3)
        made = rng.uniform(0.02, 0.98, size=shape)
        if self.form(params) == "logits":
            made = np.log(made) - np.log1p(-made)
        return self.placed(made, params) if sizes.elements else made


VALUE = Rule(
    "target-range",
    "is not the value of a mask, 0 to 1",
    hint="masks of 0 and 255: divide by 255; pixels that do not count: --ignore-index; class indices need predictions "
    "with an axis of classes: --class-axis",
)
HARD = VALUE._replace(text="is not the value of a mask, 0 or 1")
EMPTY = Rule(
    "empty-mask",
    "no pixel of some class, so that smoothing decides what the class costs: --on-empty zero makes it 0",
    "warning",
)
MARK = "does it mark pixels that do not count?  --ignore-index"
NOTHING = Rule(
    "empty-mask",
    "is the number of classes without a pixel in this image",
    hint="--on-empty smooth lets the formula decide, --on-empty zero makes them cost nothing",
)
OVERLAPPING = Rule(
    "activation",
    "is the sum of a pixel's targets over the classes, and softmax takes exactly one class a pixel",
    hint="--activation sigmoid for classes that overlap or leave pixels out; --activation softmax takes it as it is",
)


class MaskTarget(Masks):
    """True masks, 0 to 1 (``hard``: 0 or 1), in the shape of the predictions; or class indices."""

    name: str = "true mask"
    phrase: str = "0 to 1 for each pixel, or a class index where predictions have several classes"
    columns: Detect = "masks"
    gaps: bool = True  # pixels may be left out

    def __init__(self, *, hard: bool = False) -> None:
        self.hard = hard
        if hard:
            self.phrase = "0 or 1 for each pixel, or a class index where predictions have several classes"

    def params(self) -> dict[str, Param]:
        return {**super().params(), **({"ignore_index": IGNORE_INDEX} if self.gaps else {})}

    def void(self, array: Array, params: Params) -> NDArray[np.bool_] | None:
        """Pixels that do not count; ``None`` if there are none."""
        index = params.get("ignore_index")
        found = None if index is None else array == index
        return found if found is not None and found.any() else None

    def ignored(self, array: Array, params: Params) -> NDArray[np.bool_] | None:
        void = self.void(array, params)
        return None if void is None else np.asarray(void.all(axis=tuple(range(1, array.ndim))))

    def canonical(self, array: Array, params: Params) -> Array:
        """The masks as they are, with NaN for pixels that do not count."""
        void = self.void(array, params)
        whole = np.asarray(array, np.float64)
        return whole if void is None else np.where(void, np.nan, whole)

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        void = self.void(array, params)
        counts = np.ones(array.shape, bool) if void is None else ~void
        if classes is not None and array.shape[1] == 1:
            wrong = (array < 0) | (array >= classes) | (array != np.floor(array))
            text = f"is not one of the {classes} classes: 0 to {classes - 1}"
            yield broken(Rule("target-range", text, hint=MARK), array, wrong & counts)
        else:
            wrong = ((array != 0) & (array != 1) if self.hard else (array < 0) | (array > 1)) & counts
            yield broken(HARD if self.hard else VALUE, array, wrong)
            if array.shape[1] == classes and (params.get("input"), params.get("activation")) == ("logits", "auto"):
                sums = np.sum(array, axis=1, dtype=float)
                sound = ~every(wrong).reshape(-1, *[1] * (sums.ndim - 1)) & counts.all(axis=1)
                yield broken(OVERLAPPING, sums, (np.abs(sums - 1) > 1e-6) & sound)
        if params.get("on_empty", "zero") != "zero" and params.get("pool", "sample") == "sample":
            rule = NOTHING if params["on_empty"] == "error" else EMPTY
            absent = lacking(
                array if void is None else np.where(void, -1.0, array),
                classes,
                params.get("include_background") is False,
            )
            yield rule, absent > 0, absent

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        """Every class has pixels in every image, and the classes of a pixel sum to 1."""
        inner = rng.integers(0, 2, size=(sizes.rows, 2) if sizes.elements else sizes.rows)
        line = np.stack([np.ones_like(inner), inner, np.zeros_like(inner)], axis=-1).astype(float)
        made = np.stack([line, 1 - line], axis=1)
        return self.placed(made, params) if sizes.elements else made

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "target-range", put(array, -1.0)
        yield "target-range", put(array, 255.0)
        if self.hard:
            yield "target-range", put(array, 0.5)


def lacking(array: Array, classes: int | None, without_first: bool) -> NDArray[np.int64]:
    """(N,) how many classes (of indices, or of masks) have no pixel."""
    flat = array.reshape(len(array), array.shape[1], -1)
    count = flat.shape[1] if classes is None else classes
    there = [
        (flat[:, 0] == c if flat.shape[1] < count else flat[:, c] > 0).any(axis=1)
        for c in range(int(without_first), count)
    ]
    return np.asarray(len(there) - np.sum(there, axis=0))


class ImageScores(MaskScores):
    """Predicted masks whose pixels have neighbours: two or three axes."""

    axes: str = IMAGES


class ImageTarget(MaskTarget):
    """True masks whose pixels have neighbours."""

    gaps: bool = False
    axes: str = IMAGES
