"""Kinds of ensemble forecasts: several members a row, against one outcome."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Kind, Params, Rng, Sizes, Vector, broken

__all__ = ["Ensemble", "Outcome"]

ALONE = Rule(
    "one-member",
    "is the only member of its row, and an ensemble has two or more",
    hint="members are columns: --pred 'member_*', a column list, or an N x M array; of one forecast it is mae",
)


class Ensemble(Vector):
    """The members of an ensemble forecast, N x M; one column alone is refused."""

    name: str = "ensemble"
    axes: str = "N M"
    phrase: str = "the members of an ensemble: two or more finite numbers"
    families: tuple[str, ...] = ("member_", "ensemble_", "ens_")

    def elementwise(self, params: Params) -> bool:
        return False

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if array.shape[1] < 2:
            yield broken(ALONE, array, np.ones(array.shape, bool))

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        # In steps of a quarter, so that members tie.
        return np.round(4 * super().sample(rng, sizes._replace(elements=sizes.elements or 3), params)) / 4


class Outcome(Kind):
    """What happened: one number a row, beside several that were forecast."""

    name: str = "outcome"
    axes: str = "N"

    def elementwise(self, params: Params) -> bool:
        return False

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.asarray(rng.normal(size=sizes.rows))
