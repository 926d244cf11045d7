"""Two sides that are summed apart, such as the scores of real and of generated samples: no row pairs them.

The sides may differ in length. Rows go on to the end of the longer one, and behind the end of the shorter one stands
``ABSENT``: a NaN that no check takes for a missing value, and that no sum sees.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl.exact import ratio
from lossctl.model.kinds import Array, Detect, Kind, Params, Rng, Sizes
from lossctl.model.reduce import Sums, Term, Totals

__all__ = ["ABSENT", "Side", "Sides", "absent", "padded"]

Floats = NDArray[np.float64]

# A quiet NaN whose last bits tell it from all others; copies keep them (as R does for NA).
BITS = 0x7FF8_0000_0000_0B5E
ABSENT = float(np.array(BITS, np.int64).view(np.float64))


def absent(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Where nothing stands, rather than a NaN; only float64 can hold such a place."""
    if array.dtype != np.float64:
        return np.zeros(array.shape, bool)
    return np.asarray(np.ascontiguousarray(array).view(np.int64) == BITS)


def padded(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """The array, with absent values behind it up to so many rows."""
    if len(array) == rows:
        return array
    found = np.empty((rows, *array.shape[1:]))
    found.view(np.int64)[...] = BITS
    found[: len(array)] = array
    return found


class Side(Kind):
    """The scores of one side; those of another side stand beside them by chance only."""

    name: str = "side"
    axes: str = "N"
    phrase: str = "a finite score"
    columns: Detect = "one"
    unpaired: bool = True

    def elementwise(self, params: Params) -> bool:
        return False

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return ~np.isfinite(array) & ~absent(array)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return 2 * rng.normal(size=sizes.rows)


def sides_in(names: Collection[str]) -> list[str]:
    return [name for name in names if f"n_{name}" in names]


class Sides(Sums):
    """Terms of each side, NaN where a side has no value: the value is the sum of the sides' means."""

    def __init__(self) -> None:
        super().__init__(lambda sums, *_: sum(ratio(sums[side][0], sums[f"n_{side}"][0]) for side in sides_in(sums)))

    def terms(self, out: Mapping[str, Any], mode: str | None) -> dict[str, Term]:
        found: dict[str, Term] = {}
        for side, term in out.items():
            there = ~np.isnan(term)
            found[side] = np.where(there, term, 0.0)
            found[f"n_{side}"] = there.astype(np.float64)
        return super().terms(found, mode)

    def column(self, out: Mapping[str, Any], place: int) -> None:
        return None

    def parts(self, totals: Totals) -> dict[str, float]:
        """The mean of each side, and of how many values it is (with weights: their sum)."""
        sides = sides_in([key.rsplit(" ", 1)[0] for key in totals.sums])
        means = {side: ratio(totals.sums[f"{side} 0"], totals.sums[f"n_{side} 0"]) for side in sides}
        return {**means, **{f"n_{side}": totals.sums[f"n_{side} 0"].to_float() for side in sides}}
