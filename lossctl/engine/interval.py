"""Intervals of reduced values: a bucketed Poisson bootstrap, or the normal approximation from exact sums.

Bootstrap: each bucket of rows is drawn Poisson(1) times (Hanley, MacGibbon 2006; Chamandy et al. 2012), and the
value is finished from the buckets drawn. All losses and slices of a run share the draws. Nothing depends on how
the rows were cut, and the draws come from the bits of PCG64 alone, which NumPy promises to keep.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.engine.options import BUCKETS, Plan
from lossctl.engine.ranks import quantile
from lossctl.engine.result import Interval
from lossctl.exact import Exact, from_int, root_ratio
from lossctl.model.reduce import Reduction, Totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lossctl.engine.job import Job
    from lossctl.engine.result import Result
    from lossctl.engine.tally import Tally

__all__ = ["Drawn", "Intervals", "bootstrap", "draws", "normal"]


class Intervals:
    """The intervals of one loss; what all slices share is found once."""

    def __init__(self, job: Job, plan: Plan) -> None:
        self.job, self.plan = job, plan
        self.buckets = self.drawn = self.whole = None
        if job.buckets is not None:
            self.buckets, self.drawn = job.buckets.folded(), draws(plan)
            if job.slices > 1:
                self.whole = self.buckets.like()
                self.whole.merge(self.buckets, np.arange(self.buckets.groups) % BUCKETS)

    def of(self, code: int | None, result: Result) -> Interval:
        job, plan = self.job, self.plan
        nothing = result.n < 2 or result.weight_sum == 0  # of one row nothing can be said either
        if nothing or result.value is None or math.isnan(result.value):
            return unknown(plan)
        if job.buckets is None:
            pairs = {name: sums.total() if code is None else sums.exact(code) for name, sums in job.moments.items()}
            return normal(plan, result.value, pairs, result.n, job.view, job.finisher)
        tally = self.whole if code is None and self.whole is not None else self.buckets
        assert tally is not None
        assert self.drawn is not None
        state = Drawn(tally, code or 0, weighted=job.weighted, norm=job.norm)
        return bootstrap(plan, self.drawn, state, job.finisher, job.view, job.mode, job.params)


@lru_cache(maxsize=1)
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
    # Where only rows without weight are drawn, there is nothing to score.
    counts = [not state.weighted or buckets.weight.exact(g).units > 0 for g in places]
    times = times[times[:, counts].any(axis=1)]
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
    first = next(iter(some.arrays.values()))
    inside = inside[np.argsort(first[inside, 0], kind="stable")]  # once, instead of in every resample
    arrays = {name: a[inside] for name, a in some.arrays.items()}
    return arrays, None if some.weight is None else some.weight[inside], where[inside]


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
        totals = Totals({name: columns[name][r] for name in names}, int(rows[r]), weights[r], parts[0].width)
        if kept is not None:
            arrays, weight, where = kept
            again = np.repeat(np.arange(len(where)), times[r, where])
            totals = totals._replace(
                kept={name: array[again] for name, array in arrays.items()},
                weights=None if weight is None else weight[again],
            )
        divisor = reduce.divisor(totals, mode)
        if view == "mean" and divisor is not None and divisor.units == 0:
            continue
        values[r] = reduce.finish(view, totals, mode, params)
    return values


def drawn_sums(times: NDArray[np.int64], parts: list[Exact]) -> list[Exact]:
    """For each resample the sum of its buckets, as whole numbers.

    They are cut into limbs of 32 bits, above their common power of two: 1,024 limbs drawn some times each fit int64.
    """
    every = 0
    for part in parts:
        every |= part.units
    shift = max((every & -every).bit_length() - 1, 0)
    count = max((part.units.bit_length() - shift for part in parts), default=0) // LIMB + 1
    limbs = [[part.units >> shift + LIMB * j for j in range(count)] for part in parts]
    table = np.array([[n & MASK for n in row[:-1]] + row[-1:] for row in limbs], np.int64).reshape(len(parts), count)
    sums = [sum(n << LIMB * j for j, n in enumerate(row)) << shift for row in (times @ table).tolist()]
    odd = times @ np.array([part[1:] for part in parts], np.int64).reshape(len(parts), 3)
    return [Exact(units, *kinds) for units, kinds in zip(sums, odd.tolist(), strict=True)]


LIMB = 32
MASK = (1 << LIMB) - 1


def normal(plan: Plan, value: float, pairs: Mapping[str, Exact], n: int, view: str, reduce: Reduction) -> Interval:
    """value -+ z se of a ratio A / B of sums over rows, by the delta method.

    With a and b of each row, S the sum of (a - R b)^2 is S(a^2) - 2 R S(ab) + R^2 S(b^2): in floats it cancels
    (at mean 1e8 and sd 1 nothing is left), in whole numbers it is exact.
    """
    from fractions import Fraction
    from statistics import NormalDist

    if not all(exact.finite for exact in pairs.values()) or not math.isfinite(value):
        return unknown(plan)
    one = from_int(1).units
    a, b, aa, ab, bb = (Fraction(pairs[name].units, one) for name in ("a", "b", "aa", "ab", "bb"))
    if view == "mean" and b == 0:  # no class of the rows has a weight
        return unknown(plan)
    if view == "mean":
        spread = (aa - 2 * (a / b) * ab + (a / b) ** 2 * bb) / b**2
        centre = float(a / b)
    else:  # a sum of n independent terms
        spread = aa - a * a / n
        centre = float(a)
    square = spread * n / (n - 1)  # too large or too small for a float, maybe, when its root is not
    error = root_ratio(Exact(square.numerator), Exact(square.denominator))
    step = -NormalDist().inv_cdf((1 - plan.level) / 2) * error * abs(reduce.slope(centre))
    return Interval(plan.level, value - step, value + step, plan.method, None, None)


def unknown(plan: Plan) -> Interval:
    """The interval where nothing can be said."""
    drawn = plan.method == "bootstrap"
    bounds = plan.resamples if drawn else None, plan.seed if drawn else None
    return Interval(plan.level, math.nan, math.nan, plan.method, *bounds)
