"""Kinds of real values with a rule of their own: divisors, values above -1, directions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Kind, Params, Rng, Sizes, Vector, broken, every, put
from lossctl.model.params import Param, complete

__all__ = ["AboveMinusOne", "Direction", "Divisor"]

ZERO = complete(
    Param(
        "a target of 0: divide by eps, skip the row (counted as ignored), or refuse it",
        choices=("eps", "skip", "error"),
    ),
    "zero",
    str,
    "eps",
)
ZERO_TARGET = Rule(
    "zero-target",
    "is no number to divide by",
    hint="--zero skip leaves such rows out (counted), --zero eps divides by eps instead",
)
NEAR_ZERO = Rule(
    "zero-target",
    "nearer to zero than eps, so that errors are divided by eps instead",
    severity="warning",
    hint="--zero skip leaves out targets of 0",
)


class Divisor(Kind):
    """Real values that errors are divided by; ``zero`` says what becomes of those that are 0."""

    phrase: str = "a finite number that errors are divided by"

    def params(self) -> dict[str, Param]:
        return {"zero": ZERO}

    def ignored(self, array: Array, params: Params) -> NDArray[np.bool_] | None:
        return every(array == 0) if params["zero"] == "skip" else None

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if params["zero"] == "error":
            yield broken(ZERO_TARGET, array, array == 0)
        elif params["zero"] == "eps":
            yield broken(NEAR_ZERO, array, np.abs(array) < params["eps"])

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        if params["zero"] == "error":
            yield "zero-target", put(array, 0.0)


KERAS_EPSILON = 1e-7
CLAMP = complete(
    Param("keras counts everything below 1e-7, negative numbers too, as 1e-7", choices=("none", "keras")),
    "clamp",
    str,
    "none",
)
NO_LOGARITHM = Rule(
    "not-above-minus-one",
    "is not a number > -1: log(1 + x) has no value there",
    hint="these losses are for amounts and counts; --clamp keras counts negative numbers as 1e-7",
)
CLAMPED = Rule("clamped", "below zero, counted as 1e-7 (--clamp keras)", severity="warning")


class AboveMinusOne(Kind):
    """Amounts whose log(1 + x) is taken: above -1, and usually not below 0."""

    name: str = "above -1"
    phrase: str = "a number > -1"

    def params(self) -> dict[str, Param]:
        return {"clamp": CLAMP}

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if params["clamp"] == "keras":
            yield broken(CLAMPED, array, array < 0)
        else:
            yield broken(NO_LOGARITHM, array, array <= -1)

    def canonical(self, array: Array, params: Params) -> Array:
        real = super().canonical(array, params)
        return np.maximum(real, KERAS_EPSILON) if params["clamp"] == "keras" else real

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.asarray(np.expm1(rng.normal(size=sizes.shape)))

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        if params["clamp"] == "none":
            yield "not-above-minus-one", put(array, -1.0)
            yield "not-above-minus-one", put(array, -7.5)


ALONE = Rule(
    "one-element",
    "is the only number of its row, and one number has no direction",
    hint="a row is a vector: --pred 'a_*' --target 'b_*', or column lists, or N x D arrays",
)
ZERO_VECTOR = Rule("zero-vector", "zero vectors, which have no direction: their cosine is taken as 0", "warning")


class Direction(Vector):
    """A vector of which only the direction counts."""

    phrase: str = "a vector of two or more finite numbers"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        whole = np.ones(array.shape, bool)
        if array.shape[1] < 2:
            yield broken(ALONE, array, whole)
        yield broken(ZERO_VECTOR, array, whole & ~array.any(axis=1, keepdims=True))

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return super().sample(rng, sizes._replace(elements=sizes.elements or 3), params)
