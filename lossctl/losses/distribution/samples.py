"""Two samples as distributions: rows are no pairs, and only how the values are spread counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np

from lossctl.exact import Exact, ratio, root_ratio
from lossctl.losses.regression.whole import MULTIOUTPUT, product
from lossctl.losses.types import Real, Rows
from lossctl.model.laws import NONNEGATIVE, SHIFT_INVARIANT, SYMMETRIC, ZERO_AT_TARGET
from lossctl.model.reduce import Sums, Term, Totals, times
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent
from lossctl.sums import Sums as ExactSums

DISTANCE = {NONNEGATIVE, SYMMETRIC, SHIFT_INVARIANT, ZERO_AT_TARGET}
Integral = Callable[[Rows, Rows, Exact], float]


def steps(a: Rows, b: Rows, weight: Rows) -> tuple[Rows, Rows]:
    """All values in order, and behind each how much more weight of ``a`` than of ``b`` lies at it or below.

    Values that tie are taken by side and weight, so that the order of the rows leaves no trace.
    """
    values, side = np.concatenate([a, b]), np.repeat([1.0, -1.0], len(a))
    signed = side * np.concatenate([weight, weight])
    order = np.lexsort((signed, values))
    return values[order], running(signed[order])


def running(x: Rows) -> Rows:
    """Running sums, in two parts: multiples of a large unit, which add exactly, and what is left of each number."""
    unit = math.ldexp(float(np.max(np.abs(x), initial=0.0)), math.ceil(math.log2(max(len(x), 2))) + 1 - 52)
    large = np.round(x / unit) * unit if unit > 0 else np.zeros_like(x)
    return np.asarray(np.cumsum(large) + np.cumsum(x - large))


def over_columns(integral: Integral) -> Callable[[Any, Totals, Mapping[str, Any]], float]:
    """Of all elements, or the mean of the columns."""

    def finish(sums: Any, totals: Totals, params: Mapping[str, Any]) -> float:
        pred, target = totals.kept["pred"], totals.kept["target"]
        if not (len(pred) and np.isfinite(pred).all() and np.isfinite(target).all()):
            return math.nan
        if params["multioutput"] == "global":
            pred, target = pred.reshape(-1, 1), target.reshape(-1, 1)
        weight = np.ones(len(pred)) if totals.weights is None else totals.weights
        weight = np.repeat(weight, len(pred) // len(weight))
        whole = total(weight, np.ones(len(weight)))
        values = [integral(*steps(p, t, weight), whole) for p, t in zip(pred.T, target.T, strict=True)]
        return math.fsum(values) / len(values)

    return finish


def total(a: Rows, b: Rows) -> Exact:
    """The sum of a * b, unrounded."""
    sums = ExactSums()
    sums.add_products(a, b)
    return sums.total()


def between(values: Rows, height: Rows) -> Exact:
    """The integral of a step function that has ``height`` from each value to the next."""
    return total(height[:-1], values[1:]) + times(total(height[:-1], values[:-1]), -1)


def wasserstein(values: Rows, excess: Rows, whole: Exact) -> float:
    """The integral of |F - G|, of which both sides are times the weight."""
    return ratio(between(values, np.abs(excess)), whole)


def energy(values: Rows, excess: Rows, whole: Exact) -> float:
    """sqrt(2 times the integral of (F - G)^2)."""
    unit = total(np.ones(1), np.ones(1))
    return root_ratio(product(times(between(values, excess * excess), 2), unit), product(whole, whole))


TRAPS = (
    "the two columns are two samples: which row a value stands in does not matter, and the error of a row is not seen",
    "both samples have as many values as there are rows, and a row's weight goes with both of its values",
    "it needs all values at once: beyond --memory it is refused",
)


@loss(
    title="Wasserstein distance of two samples",
    reduce=Sums(over_columns(wasserstein), keep=("pred", "target")),
    unit="target units",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("emd", "earth-mover", "wasserstein"),
    see=("energy-distance", "crps-ensemble", "mae"),
    tasks=("distributions", "drift", "generative models", "samples", "optimal transport"),
    equivalents=(
        Equivalent("scipy", "stats.wasserstein_distance(pred, target)"),
        Equivalent("torch", "(pred.sort().values - target.sort().values).abs().mean()", "without weights"),
    ),
    traps=(
        *TRAPS,
        "it is at most mae, which is the price where each value must go to the one beside it",
        "of histograms the number is another one: the values here are the samples themselves, not counts",
    ),
)
def wasserstein_1d(pred: Real, target: Real, *, multioutput: Annotated[str, MULTIOUTPUT] = "global") -> dict[str, Term]:
    """The least mean distance by which the values of one sample must move to become the other.

    With F and G the distribution functions of the two samples:

        integral of |F(x) - G(x)| dx

    >>> wasserstein_1d([0.0, 1.0, 3.0], [8.0, 5.0, 6.0])
    5.0
    """
    return {"pred": pred, "target": target}


@loss(
    title="Energy distance of two samples",
    reduce=Sums(over_columns(energy), keep=("pred", "target")),
    unit="root of target units",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("energy-distance-1d",),
    see=("wasserstein-1d", "crps-ensemble"),
    tasks=("distributions", "drift", "generative models", "samples", "two-sample test"),
    equivalents=(Equivalent("scipy", "stats.energy_distance(pred, target)"),),
    traps=(
        *TRAPS,
        "it is the root, as in scipy; the energy statistic of tests is the square, some with a factor",
    ),
)
def energy_distance(
    pred: Real, target: Real, *, multioutput: Annotated[str, MULTIOUTPUT] = "global"
) -> dict[str, Term]:
    """How far two samples' distributions are apart, as the root of a squared distance of their distribution functions.

    With F and G the distribution functions of the two samples:

        sqrt(2 integral of (F(x) - G(x))^2 dx)

    >>> energy_distance([0.0, 8.0], [0.0, 8.0])
    0.0
    """
    return {"pred": pred, "target": target}
