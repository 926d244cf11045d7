"""Kinds of labels that are counted as sets: one label a row, or a column of 0 and 1 for each label."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Decode, Kind, Params, Rng, Sizes, broken, put
from lossctl.model.scores import LabelsOrScores
from lossctl.model.targets import LabelTarget

__all__ = ["PredictedSets", "TrueSets"]


def are_numbers(params: Params, columns: int | None) -> bool:
    """Whether labels are the numbers 0 and 1 rather than words that are told apart: several columns always are."""
    return params["input"] == "labels" and (params["average"] == "binary" or (columns or 0) > 1)


class Counted(Kind):
    """Labels to be counted, whichever side they are of: goes before the kind of that side."""

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "binary" if are_numbers(params, classes) else super().decode(params, classes)

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        yield from super().check(array, params, classes)
        if params["input"] == "labels" and zero_one(array, params):
            rule = Rule("bad-label", "is not 0 or 1", hint="--average macro takes labels of any kind, one a row")
            yield broken(rule, array, (array != 0) & (array != 1))

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        if params["input"] != "labels":
            return super().sample(rng, sizes, params)
        several = not sizes.elements and params["average"] != "binary"
        return rng.integers(0, sizes.classes if several else 2, size=sizes.shape).astype(float)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        if params["input"] == "labels" and zero_one(array, params):
            yield "bad-label", put(array, 2.0)
            yield "bad-label", put(array, -1.0)


def zero_one(array: Array, params: Params) -> bool:
    """Whether columns, or labels of which one is the positive one (average=binary), must be 0 and 1."""
    return np.ndim(array) == 2 or params["average"] == "binary"


class PredictedSets(Counted, LabelsOrScores):
    """Predicted labels to be counted, or scores to decide by."""

    name: str = "predicted labels"


class TrueSets(Counted, LabelTarget):
    """True labels to be counted."""

    name: str = "true labels"
