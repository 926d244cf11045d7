"""Numbers of a whole data set of real values: they are no averages of row values."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from lossctl.exact import Exact, ratio
from lossctl.losses.types import Real, Rows
from lossctl.model.laws import NONNEGATIVE, SHIFT_INVARIANT, SYMMETRIC, ZERO_AT_TARGET
from lossctl.model.params import Param
from lossctl.model.reduce import Extreme, RootMeanSquare, Sums, Term, Totals
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent

MULTIOUTPUT = Param(
    "several output columns: one number over all elements, or the mean of the columns' numbers",
    choices=("global", "per-column"),
)


@loss(
    title="Root mean squared error",
    reduce=RootMeanSquare(),
    unit="target units",
    range="0 to inf",
    laws={NONNEGATIVE, ZERO_AT_TARGET, SYMMETRIC, SHIFT_INVARIANT},
    aliases=("root-mean-squared-error",),
    see=("mse", "mae"),
    like={"sklearn": {"multioutput": "per-column"}, "torch": {}},
    equivalents=(
        Equivalent("torch", "F.mse_loss(pred, target).sqrt()"),
        Equivalent("sklearn", "root_mean_squared_error(target, pred)", "the mean of the columns' roots"),
    ),
    traps=("it is not the mean of row or shard values; scikit-learn averages the roots of columns",),
)
def rmse(pred: Real, target: Real, *, multioutput: Annotated[str, MULTIOUTPUT] = "global") -> Rows:
    """Root of the mean squared error, in the units of the target.

    With e = pred - target over n elements:

        sqrt(sum(e^2) / n)

    >>> rmse([[3.0, 4.0]], [[0.0, 0.0]])
    array([3.53553391])
    """
    return pred - target


@loss(
    title="Greatest error",
    reduce=Extreme(),
    unit="target units",
    range="0 to inf",
    laws={NONNEGATIVE, ZERO_AT_TARGET, SYMMETRIC, SHIFT_INVARIANT},
    aliases=("linf", "chebyshev"),
    see=("mae",),
    like={"sklearn": {}},
    equivalents=(Equivalent("sklearn", "max_error(target, pred)", "one column only"),),
)
def max_error(pred: Real, target: Real) -> Rows:
    """The greatest absolute error of all.

    With e = pred - target:

        max |e|

    >>> max_error([2.0, 0.0], [1.0, 0.5])
    array([1. , 0.5])
    """
    return np.abs(pred - target)


def coefficient(sums: dict[str, list[Exact]], totals: Totals, params: dict[str, str]) -> float:
    """1 - SSE / SST in exact integers; SST = S(t^2) - S(t)^2 / n needs no second pass and cannot cancel."""
    if totals.rows < 2:
        return math.nan
    # Everything times the weight, to stay in whole numbers: W * SST = W * S(t^2) - S(t)^2.
    weight = totals.weight
    residuals = [product(s, weight) for s in sums["residual"]]
    spreads = [
        product(square, weight) + product(total, total)._replace(units=-product(total, total).units)
        for square, total in zip(sums["square"], sums["target"], strict=True)
    ]
    if not all(part.finite for part in (*residuals, *spreads)):
        return math.nan
    if params["multioutput"] == "per-column":
        scores = [score(r, s) for r, s in zip(residuals, spreads, strict=True)]
        return math.fsum(scores) / len(scores)
    return score(sum(residuals[1:], residuals[0]), sum(spreads[1:], spreads[0]))


def product(a: Exact, b: Exact) -> Exact:
    """a * b as whole numbers of a finer unit: for quotients of such products only."""
    return a._replace(
        units=a.units * b.units, nan=a.nan + b.nan, posinf=a.posinf + b.posinf, neginf=a.neginf + b.neginf
    )


def score(residual: Exact, spread: Exact) -> float:
    if spread.units == 0:
        # A constant target: right or wrong, nothing between (scikit-learn's force_finite).
        return 1.0 if residual.units == 0 else 0.0
    return ratio(spread._replace(units=spread.units - residual.units), spread)


@loss(
    title="Coefficient of determination",
    reduce=Sums(coefficient),  # type: ignore[arg-type]
    unit="1",
    range="-inf to 1",
    laws={SHIFT_INVARIANT},
    aliases=("d2-squared",),
    direction="maximise",
    scope="row",
    see=("mse", "rmse"),
    like={"sklearn": {"multioutput": "per-column"}},
    equivalents=(Equivalent("sklearn", "r2_score(target, pred)", "the mean of the columns' scores"),),
    traps=("a score: higher is better; below two rows it is nan, at a constant target 1 or 0",),
)
def r2(pred: Real, target: Real, *, multioutput: Annotated[str, MULTIOUTPUT] = "global") -> dict[str, Term]:
    """Share of the target's variance that the prediction explains.

        1 - sum((target - pred)^2) / sum((target - mean(target))^2)

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.7857142857142857
    """
    error = pred - target
    return {"residual": (error, error), "square": (target, target), "target": target}
