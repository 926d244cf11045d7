"""A kind of target that only says which rows belong together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lossctl.model.kinds import Array, Decode, Detect, Kind, Params, Rng, Sizes
from lossctl.model.scores import label_missing

__all__ = ["SameClass"]


class SameClass(Kind):
    """The class of a row, whatever it is called: labels are equal or not, and no list of classes is known."""

    name: str = "class"
    axes: str = "N"
    phrase: str = "a class label: any text or number"
    columns: Detect = "one"

    def elementwise(self, params: Params) -> bool:
        return False

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "label"

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return label_missing(array)

    def canonical(self, array: Array, params: Params) -> Array:
        return array

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.integers(0, sizes.classes, size=sizes.rows).astype(float)
