"""Numbers of a whole data set of real values: they are no averages of row values."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from lossctl.exact import Exact, ratio
from lossctl.losses.types import Real, Rows
from lossctl.model.laws import NONNEGATIVE, SHIFT_INVARIANT, SYMMETRIC, ZERO_AT_TARGET
from lossctl.model.params import Param
from lossctl.model.reduce import Extreme, Params, RootMeanSquare, Sums, Term, Totals, times
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

MULTIOUTPUT = Param(
    "several output columns: one number over all elements, or the mean of the columns' numbers",
    choices=("global", "per-column"),
)
FORCE_FINITE = Param("a constant target scores 1 (predicted right) or 0, rather than nan or -inf")


@loss(
    title="Root mean squared error",
    reduce=RootMeanSquare(),
    unit="target units",
    range="0 to inf",
    laws={NONNEGATIVE, ZERO_AT_TARGET, SYMMETRIC, SHIFT_INVARIANT},
    aliases=("root-mean-squared-error",),
    paper=Paper(
        "T. Chai, R. R. Draxler",
        2014,
        "Root mean square error (RMSE) or mean absolute error (MAE)? Arguments against avoiding RMSE in the literature",
        doi="10.5194/gmd-7-1247-2014",
    ),
    see=("mse", "mae", "rmsle", "nrmse"),
    tasks=("forecasting", "typical error", "error in target units", "model selection"),
    like={"sklearn": {"multioutput": "per-column"}, "torch": {}, "keras": {}},
    equivalents=(
        Equivalent("torch", "F.mse_loss(pred, target).sqrt()"),
        Equivalent("keras", "metrics.RootMeanSquaredError()(target, pred)", "a metric: weights divide by their sum"),
        Equivalent("sklearn", "root_mean_squared_error(target, pred)", "the mean of the columns' roots"),
        Equivalent("torchmetrics", "mean_squared_error(pred, target, squared=False)"),
    ),
    traps=(
        "it is not the mean of row or shard values; scikit-learn averages the roots of columns",
        "it has no sum, and its square is mse: a number that someone calls MSE may be this one",
    ),
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
    see=("mae", "rmse"),
    tasks=("worst case", "tolerance", "safety limits", "approximation"),
    like={"sklearn": {}},
    equivalents=(
        Equivalent("sklearn", "max_error(target, pred)", "one column only"),
        Equivalent("torch", "(pred - target).abs().max()"),
    ),
    traps=("one bad row makes the number: it grows with the rows, and says nothing of the rest",),
)
def max_error(pred: Real, target: Real) -> Rows:
    """The greatest absolute error of all.

    With e = pred - target:

        max |e|

    >>> max_error([2.0, 0.0], [1.0, 0.5])
    array([1. , 0.5])
    """
    return np.abs(pred - target)


def about_mean(square: Exact, total: Exact, weight: Exact) -> Exact:
    """W S(x^2) - S(x)^2: the squares about the mean, times W to stay in whole numbers, which cannot cancel."""
    return product(square, weight) + times(product(total, total), -1)


def product(a: Exact, b: Exact) -> Exact:
    """a * b as whole numbers of a finer unit: for quotients of such products only."""
    return a._replace(
        units=a.units * b.units, nan=a.nan + b.nan, posinf=a.posinf + b.posinf, neginf=a.neginf + b.neginf
    )


def share_explained(left: list[Exact], spread: list[Exact], params: Params) -> float:
    """1 - left / spread: of the sums over all columns, or the mean of the columns' scores."""
    if not all(part.finite for part in (*left, *spread)):
        return math.nan
    if params["multioutput"] == "global":
        left, spread = [sum(left[1:], left[0])], [sum(spread[1:], spread[0])]
    scores = [score(part, whole, params["force_finite"]) for part, whole in zip(left, spread, strict=True)]
    return math.fsum(scores) / len(scores)


def score(left: Exact, spread: Exact, force_finite: bool) -> float:
    if spread.units == 0 and force_finite:
        return 1.0 if left.units == 0 else 0.0
    return ratio(spread + times(left, -1), spread)


def determination(sums: dict[str, list[Exact]], totals: Totals, params: Params) -> float:
    """1 - SSE / SST, the quotient of two exact sums."""
    if totals.rows < 2:
        return math.nan
    left = [product(s, totals.weight) for s in sums["residual"]]
    columns = zip(sums["square"], sums["target"], strict=True)
    return share_explained(left, [about_mean(square, total, totals.weight) for square, total in columns], params)


@loss(
    title="Coefficient of determination",
    reduce=Sums(determination),
    unit="1",
    range="-inf to 1",
    laws={SHIFT_INVARIANT},
    aliases=("d2-squared",),
    direction="maximise",
    scope="row",
    paper=Paper("S. Wright", 1921, "Correlation and Causation"),
    see=("mse", "rmse", "explained-variance"),
    tasks=("goodness of fit", "better than the mean", "comparison across scales", "score"),
    like={"sklearn": {"multioutput": "per-column"}, "keras": {"multioutput": "per-column"}},
    equivalents=(
        Equivalent("sklearn", "r2_score(target, pred, force_finite=force_finite)", "the mean of the columns' scores"),
        Equivalent(
            "keras",
            "metrics.R2Score()(target, pred)",
            "the mean of the columns' scores; N x 1, never N; nan for a constant column that is right",
        ),
        Equivalent("torchmetrics", "r2_score(pred, target)", "the mean of the columns' scores"),
    ),
    traps=(
        "a score: higher is better, and below 0 the mean of the targets would have been the better prediction",
        "below two rows it is nan, at a constant target 1 or 0",
        "torchmetrics takes a sum of squares below 1e-4 for 0: on small numbers it gives 1 or 0",
        "it is the square of a correlation only for a least-squares fit on its own data",
    ),
)
def r2(
    pred: Real,
    target: Real,
    *,
    multioutput: Annotated[str, MULTIOUTPUT] = "global",
    force_finite: Annotated[bool, FORCE_FINITE] = True,
) -> dict[str, Term]:
    """Share of the target's variance that the prediction explains.

        1 - sum((target - pred)^2) / sum((target - mean(target))^2)

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.7857142857142857
    """
    error = pred - target
    return {"residual": (error, error), "square": (target, target), "target": target}


def explained(sums: dict[str, list[Exact]], totals: Totals, params: Params) -> float:
    """1 - Var(target - pred) / Var(target) from sums of the inputs alone: not even the error is rounded."""
    names = ("pred pred", "pred target", "target target", "pred", "target")
    left, spread = [], []
    for pp, pt, tt, p, t in zip(*(sums[name] for name in names), strict=True):
        left.append(about_mean(pp + times(pt, -2) + tt, p + times(t, -1), totals.weight))
        spread.append(about_mean(tt, t, totals.weight))
    return share_explained(left, spread, params)


@loss(
    title="Explained variance",
    reduce=Sums(explained),
    unit="1",
    range="-inf to 1",
    laws={SHIFT_INVARIANT},
    aliases=("explained-variance-score",),
    direction="maximise",
    see=("r2", "mean-bias-error"),
    tasks=("goodness of fit", "systematic error left out", "score"),
    like={"sklearn": {"multioutput": "per-column"}},
    equivalents=(
        Equivalent(
            "sklearn",
            "explained_variance_score(target, pred, force_finite=force_finite)",
            "the mean of the columns' scores",
        ),
        Equivalent("torchmetrics", "explained_variance(pred, target)", "the mean of the columns' scores"),
    ),
    traps=(
        "a score: higher is better",
        "an error that is the same in all rows costs nothing: it is r2 only where the mean error is 0",
        "one row, or a constant target whose errors are all alike, scores 1",
    ),
)
def explained_variance(
    pred: Real,
    target: Real,
    *,
    multioutput: Annotated[str, MULTIOUTPUT] = "global",
    force_finite: Annotated[bool, FORCE_FINITE] = True,
) -> dict[str, Term]:
    """Share of the target's variance that the prediction explains, a constant error not counted.

    With e = target - pred:

        1 - Var(e) / Var(target)

    >>> explained_variance([1.5, 2.5, 3.5], [1.0, 2.0, 4.0])
    0.8571428571428571
    """
    return {
        "pred pred": (pred, pred),
        "pred target": (pred, target),
        "target target": (target, target),
        "pred": pred,
        "target": target,
    }
