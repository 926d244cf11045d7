"""Kinds of relevance whose order alone is used."""

from __future__ import annotations

import numpy as np

from lossctl.model.kinds import Array, NonNegative, Params, Rng, Sizes
from lossctl.model.params import Param, complete

__all__ = ["Order"]

TIES = complete(
    Param(
        "items of equal relevance: they keep their order in the file (stable), or are an error",
        choices=("stable", "error"),
    ),
    "ties",
    str,
    "stable",
)


class Order(NonNegative):
    """Relevance that puts the items of a list in order; ``ties`` says what becomes of equal ones."""

    name: str = "order"

    def params(self) -> dict[str, Param]:
        return {"ties": TIES}

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        if params["ties"] == "error":
            return rng.permutation(sizes.rows).astype(np.float64)
        return super().sample(rng, sizes, params)
