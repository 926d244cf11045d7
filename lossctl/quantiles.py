"""Quantiles of weighted values, found by exact comparison: the order and the cut of the rows leave no trace."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lossctl.sums import Sums

__all__ = ["weighted_quantile"]

Floats = NDArray[np.float64]


def weighted_quantile(values: Floats, weights: Floats | None, level: float) -> float:
    """The least value at which the summed weight reaches ``level`` of the whole; where it is reached to the bit,
    the mean of that value and the next (averaged inverted distribution function). (N,) values, weights > 0.

    Without weights level 0.5 is the median, the mean of the two middles. NaN if there are no values or one is NaN.
    """
    if len(values) == 0 or np.isnan(values).any():
        return float("nan")
    if weights is None:
        weights = np.ones(len(values))
    order = np.lexsort((weights, values))
    ordered, weight = values[order], weights[order]
    # Rounded partial sums find the place, exact ones decide between neighbours.
    reached = np.cumsum(weight / weight.max())  # whose sum cannot overflow
    place = int(np.clip(np.searchsorted(reached, level * reached[-1]), 0, len(ordered) - 1))
    whole = exact(weight)
    numerator, denominator = level.as_integer_ratio()
    below = exact(weight[:place])
    while place > 0 and below * denominator >= numerator * whole:
        place -= 1
        below -= exact(weight[place : place + 1])
    upto = below + exact(weight[place : place + 1])
    while place + 1 < len(ordered) and upto * denominator < numerator * whole:
        place += 1
        upto += exact(weight[place : place + 1])
    low = float(ordered[place])
    if upto * denominator != numerator * whole or place + 1 == len(ordered):
        return low
    high = float(ordered[place + 1])
    if low == high:
        return low
    # The sum of two large ones may overflow; half of a small one may lose its last bit.
    return low / 2 + high / 2 if max(abs(low), abs(high)) > 1e300 else (low + high) / 2


def exact(weights: Floats) -> int:
    """The sum of weights as a whole number of the smallest unit there is."""
    sums = Sums()
    sums.add(weights)
    return sums.total().units
