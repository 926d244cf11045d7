"""Kinds of inputs that stand beside all rows: class prototypes, biases, the layers of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lossctl.model.kinds import Array, Kind, Params, Rng, Sizes, put

__all__ = ["Bias", "Centers", "Layers", "Parameters", "Prototypes", "centers_of", "tails"]


class Prototypes(Kind):
    """A vector for each class, C x D, as torch's Linear.weight."""

    name: str = "prototypes"
    axes: str = "C D"
    phrase: str = "a vector of finite numbers for each class"
    flat: bool = False
    lift: bool = True
    whole: bool = True

    def elementwise(self, params: Params) -> bool:
        return False

    def class_count(self, array: Array, params: Params) -> int:
        return len(array)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.asarray(rng.normal(size=(sizes.classes, max(sizes.elements, 1))))


def centers_of(params: Params) -> int:
    """How many vectors a class has."""
    return int(str(params["centers"]))


class Centers(Prototypes):
    """Several vectors for each class, those of a class one after the other: (C * centers) x D."""

    name: str = "centers"
    phrase: str = "as many vectors of finite numbers for each class as centers says, class by class"

    def class_count(self, array: Array, params: Params) -> int:
        return len(array) // centers_of(params)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.asarray(rng.normal(size=(sizes.classes * centers_of(params), max(sizes.elements, 1))))


class Bias(Kind):
    """A number for each class, (C,)."""

    name: str = "bias"
    axes: str = "C"
    phrase: str = "a finite number for each class"
    whole: bool = True

    def elementwise(self, params: Params) -> bool:
        return False

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.asarray(rng.normal(size=sizes.classes))


class Parameters(Kind):
    """The parameters of a model, in whatever shape."""

    name: str = "parameters"
    axes: str = "W | W K | W K L | W K L M"
    phrase: str = "finite numbers, in any shape"
    whole: bool = True

    def elementwise(self, params: Params) -> bool:
        return False

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.asarray(rng.normal(size=7))


def tails(layers: Mapping[str, Array]) -> list[tuple[Array, Array]]:
    """The two layers of each tail, in order."""
    found: list[tuple[Array, Array]] = []
    while (down := layers.get(f"tail.{len(found)}.0.weight")) is not None:
        up = layers.get(f"tail.{len(found)}.1.weight")
        if up is None:
            break
        found.append((down, up))
    return found


class Layers(Kind):
    """The layers of an adaptive softmax by the names of torch's state_dict: head and two layers a tail."""

    name: str = "layers"
    axes: str = "H D"
    phrase: str = "arrays head.weight, tail.0.0.weight, tail.0.1.weight, ..., as torch's state_dict has them"
    whole: bool = True
    mapping: bool = True
    members: tuple[str, ...] = ("head.", "tail.")

    def elementwise(self, params: Params) -> bool:
        return False

    def class_count(self, array: Any, params: Params) -> int | None:
        if "head.weight" not in array:
            return None
        return len(array["head.weight"]) + sum(len(up) - 1 for _, up in tails(array))

    def canonical(self, array: Any, params: Params) -> Any:
        return {name: np.asarray(part, np.float64) for name, part in array.items()}

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Any:
        wide = max(sizes.elements, 1)
        return {
            "head.weight": rng.normal(size=(3, wide)),  # two classes of its own, and the tail
            "tail.0.0.weight": rng.normal(size=(2, wide)),
            "tail.0.1.weight": rng.normal(size=(2, 2)),
        }

    def spoil(self, array: Any, params: Params) -> Iterator[tuple[str, Any]]:
        yield "nan", {**array, "head.weight": put(array["head.weight"], np.nan)}
