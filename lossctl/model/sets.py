"""Kinds of labels that are counted as sets: one label a row, or a column of 0 and 1 for each label."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Decode, Params, Rng, Sizes, broken, put
from lossctl.model.scores import LabelsOrScores
from lossctl.model.targets import LabelTarget

__all__ = ["PredictedSets", "TrueSets"]


def are_numbers(params: Params, columns: int | None) -> bool:
    """Whether labels are the numbers 0 and 1 rather than words that are told apart: several columns always are."""
    return params["input"] == "labels" and (params["average"] == "binary" or (columns or 0) > 1)


def yes_or_no(array: Array, params: Params) -> Iterator[Seen]:
    """Columns hold 0 and 1, and so do labels of which one is the positive one (average=binary)."""
    if array.ndim == 2 or params["average"] == "binary":
        rule = Rule("bad-label", "is not 0 or 1", hint="--average macro takes labels of any kind, one a row")
        yield broken(rule, array, (array != 0) & (array != 1))


def sampled(rng: Rng, sizes: Sizes, params: Params) -> Array:
    several = not sizes.elements and params["average"] != "binary"
    return rng.integers(0, sizes.classes if several else 2, size=sizes.shape).astype(float)


class PredictedSets(LabelsOrScores):
    """Predicted labels to be counted, or scores to decide by."""

    name: str = "predicted labels"

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "binary" if are_numbers(params, classes) else super().decode(params, classes)

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        yield from super().check(array, params, classes)
        if params["input"] == "labels":
            yield from yes_or_no(array, params)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return sampled(rng, sizes, params) if params["input"] == "labels" else super().sample(rng, sizes, params)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        if params["input"] == "labels" and (np.ndim(array) == 2 or params["average"] == "binary"):
            yield "bad-label", put(array, 2.0)


class TrueSets(LabelTarget):
    """True labels to be counted."""

    name: str = "true labels"

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "binary" if are_numbers(params, classes) else super().decode(params, classes)

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        yield from super().check(array, params, classes)
        if params["input"] == "labels":
            yield from yes_or_no(array, params)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return sampled(rng, sizes, params) if params["input"] == "labels" else super().sample(rng, sizes, params)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        if params["input"] == "labels" and (np.ndim(array) == 2 or params["average"] == "binary"):
            yield "bad-label", put(array, -1.0)
