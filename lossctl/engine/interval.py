"""Intervals of reduced values: a bucketed Poisson bootstrap, or the normal approximation from exact sums.

Bootstrap: each bucket of rows is drawn Poisson(1) times (Hanley, MacGibbon 2006; Chamandy et al. 2012), and the
value is finished from the buckets drawn. All losses and slices of a run share the draws. Nothing depends on how
the rows were cut, and the draws come from the bits of PCG64 alone, which NumPy promises to keep.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.engine.books import BUCKETS
from lossctl.engine.options import Plan
from lossctl.engine.result import Interval
from lossctl.engine.tally import quantile
from lossctl.exact import Exact, from_int
from lossctl.model.reduce import Reduction, Totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lossctl.engine.tally import Tally

__all__ = ["Drawn", "bootstrap", "draws", "normal"]


def draws(plan: Plan) -> NDArray[np.int64]:
    """(resamples, BUCKETS) how often each bucket is drawn: Poisson(1) by inversion of its distribution."""
    bits = np.random.PCG64(plan.seed).random_raw(plan.resamples * BUCKETS)
    share = (np.asarray(bits, np.uint64) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    terms = np.exp(-1.0) / np.array([math.factorial(k) for k in range(20)])
    return np.searchsorted(np.cumsum(terms), share, side="right").reshape(plan.resamples, BUCKETS)


class Drawn(NamedTuple):
    """The buckets of one slice."""

    tally: Tally
    slice: int
    weighted: bool
    norm: str


def bootstrap(
    plan: Plan,
    drawn: NDArray[np.int64],
    state: Drawn,
    reduce: Reduction,
    view: str,
    mode: str | None,
    params: Mapping[str, Any],
) -> Interval:
    """The percentile interval of one slice's value."""
    buckets, first = state.tally, state.slice * BUCKETS
    places = [g for g in range(first, min(first + BUCKETS, buckets.groups)) if buckets.rows[g]]
    times = drawn[:, [g - first for g in places]]
    parts = [buckets.totals(g, weighted=state.weighted, norm=state.norm, keep=False) for g in places]
    values = resampled(times, parts, reduce, view, mode, params, kept_of(buckets, places))
    found = np.sort(values[~np.isnan(values)])
    tail = (1 - plan.level) / 2
    low, high = (quantile(found, q) for q in (tail, 1 - tail))
    return Interval(plan.level, low, high, plan.method, plan.resamples, plan.seed)


def kept_of(buckets: Tally, places: list[int]) -> tuple[Any, ...] | None:
    """Values kept one by one in these buckets, their weights, and the place of each value's bucket."""
    if not buckets.kept:
        return None
    some = buckets.all_kept()
    table = np.full(buckets.groups, -1)
    table[places] = np.arange(len(places))
    where = table[some.codes]
    inside = np.flatnonzero(where >= 0)
    arrays = {name: a[inside] for name, a in some.arrays.items()}
    return arrays, np.ones(len(inside)) if some.weight is None else some.weight[inside], where[inside]


def resampled(
    times: NDArray[np.int64],
    parts: list[Totals],
    reduce: Reduction,
    view: str,
    mode: str | None,
    params: Mapping[str, Any],
    kept: tuple[Any, ...] | None,
) -> NDArray[np.float64]:
    """(R,) the value of each resample: exact sums of whole buckets, finished as any other."""
    names = list(parts[0].sums) if parts else []
    names = list(dict.fromkeys(name for part in parts for name in part.sums)) or names
    columns = {name: drawn_sums(times, [part.sums.get(name, Exact(0)) for part in parts]) for name in names}
    weights = drawn_sums(times, [part.weight for part in parts])
    rows = times @ np.array([part.rows for part in parts], np.int64)
    values = np.full(len(times), np.nan)
    for r in range(len(times)):
        if rows[r] == 0:
            continue
        totals = Totals({name: columns[name][r] for name in names}, int(rows[r]), weights[r], parts[0].width)
        if kept is not None:
            arrays, weight, where = kept
            again = weight * times[r, where]
            inside = np.flatnonzero(again)
            totals = totals._replace(kept={n: a[inside] for n, a in arrays.items()}, weights=again[inside])
        divisor = reduce.divisor(totals, mode)
        if view == "mean" and divisor is not None and divisor.units == 0:
            continue
        values[r] = reduce.finish(view, totals, mode, params)
    return values


def drawn_sums(times: NDArray[np.int64], parts: list[Exact]) -> list[Exact]:
    """For each resample the sum of its buckets, as whole numbers; their common power of two is set aside."""
    every = 0
    for part in parts:
        every |= part.units
    shift = max((every & -every).bit_length() - 1, 0)
    units = times.astype(object) @ np.array([part.units >> shift for part in parts], object) * (1 << shift)
    odd = [times @ np.array([part[kind] for part in parts], np.int64) for kind in (1, 2, 3)]
    return [Exact(int(u), int(a), int(b), int(c)) for u, a, b, c in zip(units, *odd, strict=True)]


def normal(plan: Plan, value: float, pairs: Mapping[str, Exact], n: int, view: str, reduce: Reduction) -> Interval:
    """value -+ z se of a ratio A / B of sums over rows, by the delta method.

    With a and b of each row, S the sum of (a - R b)^2 is S(a^2) - 2 R S(ab) + R^2 S(b^2): in floats it cancels
    (at mean 1e8 and sd 1 nothing is left), in whole numbers it is exact.
    """
    from fractions import Fraction
    from statistics import NormalDist

    if n < 2 or not all(exact.finite for exact in pairs.values()) or not math.isfinite(value):
        return Interval(plan.level, math.nan, math.nan, plan.method, None, None)
    one = from_int(1).units
    a, b, aa, ab, bb = (Fraction(pairs[name].units, one) for name in ("a", "b", "aa", "ab", "bb"))
    if view == "mean":
        if b == 0:
            return Interval(plan.level, math.nan, math.nan, plan.method, None, None)
        spread = (aa - 2 * (a / b) * ab + (a / b) ** 2 * bb) / b**2
        centre = float(a / b)
    else:  # a sum of n independent terms
        spread = aa - a * a / n
        centre = float(a)
    error = math.sqrt(spread * n / (n - 1))
    step = NormalDist().inv_cdf((1 + plan.level) / 2) * error * abs(reduce.slope(centre))
    return Interval(plan.level, value - step, value + step, plan.method, None, None)
