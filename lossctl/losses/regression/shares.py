"""Errors in proportion to the size, the spread or the range of all targets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated

import numpy as np

from lossctl.exact import Exact, from_int, ratio, root_ratio
from lossctl.losses.regression.whole import MULTIOUTPUT, about_mean, product
from lossctl.losses.types import Real, Rows
from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import broken
from lossctl.model.laws import NONNEGATIVE, SHIFT_INVARIANT, SYMMETRIC, ZERO_AT_TARGET
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Elements, Params, Sums, Switch, Term, Totals, times
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper

METRICS_EPS = 1.17e-6  # torchmetrics'
NEAR_ZERO = Rule("near-zero", "nearer to zero on both sides than eps, by which errors are divided instead", "warning")


def near_zero(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    size = np.abs(arrays["pred"]) / 2 + np.abs(arrays["target"]) / 2
    low = (size > 0) & (size < float(params["eps"]) / 2)  # type: ignore[arg-type]
    return [broken(NEAR_ZERO, size, low)]


@loss(
    title="Symmetric mean absolute percentage error",
    reduce=Elements(),
    unit="share of the mean size",
    range="0 to 2",
    laws={NONNEGATIVE, ZERO_AT_TARGET, SYMMETRIC},
    aliases=("symmetric-mape", "symmetric-mean-absolute-percentage-error"),
    paper=Paper(
        "S. Makridakis",
        1993,
        "Accuracy measures: theoretical and practical concerns",
        doi="10.1016/0169-2070(93)90079-3",
    ),
    see=("mape", "wmape", "msle"),
    tasks=("forecasting", "demand", "relative error", "percent", "competitions", "targets of different sizes"),
    equivalents=(
        Equivalent("torchmetrics", "symmetric_mean_absolute_percentage_error(pred, target)", "eps is 1.17e-6"),
    ),
    traps=(
        "from 0 to 2, as torchmetrics has it: the M4 competition takes 100 times this (0 to 200), and others, who "
        "divide by the sum of sizes and not by their mean, half of it (0 to 1)",
        "a prediction of the other sign than the target, and any but 0 for a target of 0, costs 2 however near it is",
        "of two errors of one size, the one below the target costs more",
    ),
    checks=near_zero,
)
def smape(
    pred: Real,
    target: Real,
    *,
    eps: Annotated[float, Param("the least that errors are divided by", ge=0)] = METRICS_EPS,
) -> Rows:
    """Absolute error as a share of the mean size of prediction and target.

    With e = pred - target:

        2 |e| / max(|pred| + |target|, eps)        0 where e = 0

    >>> smape([90.0, 3.0], [110.0, 1.0])
    array([0.2, 1. ])
    """
    # Halves: the sum of two large sizes overflows. They are exact down to the subnormals, which eps covers.
    error = np.abs(pred / 2 - target / 2)
    size = np.maximum(np.abs(pred) / 2 + np.abs(target) / 2, eps / 2)
    return np.asarray(2.0 * np.divide(error, size, out=np.zeros_like(error), where=error != 0))


def of_targets(sums: dict[str, list[Exact]], totals: Totals, params: Params) -> float:
    error, size = (sum(sums[name][1:], sums[name][0]) for name in ("error", "size"))
    eps = float(params["eps"])
    return error.to_float() / eps if size.to_float() < eps else share(ratio, error, size)


def share(quotient: Callable[[Exact, Exact], float], part: Exact, whole: Exact) -> float:
    """A quotient in which no error at all is 0, whatever it is a share of."""
    return 0.0 if part.finite and part.units == 0 and whole.finite else quotient(part, whole)


@loss(
    title="Weighted mean absolute percentage error",
    reduce=Sums(of_targets),
    unit="share of the targets",
    range="0 to inf",
    laws={NONNEGATIVE, ZERO_AT_TARGET},
    aliases=("weighted-mape", "wape", "mad-mean-ratio"),
    paper=Paper(
        "S. Kolassa, W. Schutz",
        2007,
        "Advantages of the MAD/MEAN ratio over the MAPE",
    ),
    see=("mape", "smape", "mae"),
    tasks=("forecasting", "demand", "retail", "relative error", "percent", "targets of zero"),
    equivalents=(
        Equivalent("torchmetrics", "weighted_mean_absolute_percentage_error(pred, target)", "eps is 1.17e-6"),
    ),
    traps=(
        "it is the sum of errors over the sum of targets, and no mean of rows or shards: large targets decide",
        "the weights in its name are the targets' sizes; row weights count on both sides",
        "Keras and scikit-learn have none, and their weighted mape is another number",
    ),
)
def wmape(
    pred: Real,
    target: Real,
    *,
    eps: Annotated[float, Param("the least that the summed errors are divided by", ge=0)] = METRICS_EPS,
) -> dict[str, Term]:
    """All absolute errors together as a share of all targets' sizes together.

        sum |pred - target| / max(sum |target|, eps)

    >>> wmape([90.0, 3.0], [100.0, 2.0])
    0.10784313725490197
    """
    return {"error": np.abs(pred - target), "size": np.abs(target)}


def pooled(sums: dict[str, list[Exact]], params: Params) -> list[dict[str, Exact]]:
    """Sums over all elements, or those of each column."""
    columns = [dict(zip(sums, parts, strict=True)) for parts in zip(*sums.values(), strict=True)]
    if params["multioutput"] == "per-column":
        return columns
    return [{name: sum(parts[1:], parts[0]) for name, parts in sums.items()}]


def relative(sums: dict[str, list[Exact]], totals: Totals, params: Params) -> float:
    """SSE / SST, or its root: the sums over all columns, or the mean of the columns' quotients."""
    names = ("square", "target")
    spread = [about_mean(square, total, totals.weight) for square, total in zip(*(sums[n] for n in names), strict=True)]
    error = [product(part, totals.weight) for part in sums["error"]]
    if params["multioutput"] == "global":
        error, spread = [sum(error[1:], error[0])], [sum(spread[1:], spread[0])]
    of = ratio if params["squared"] else root_ratio
    return math.fsum(share(of, part, whole) for part, whole in zip(error, spread, strict=True)) / len(error)


@loss(
    title="Relative squared error",
    reduce=Sums(relative),
    unit="share of the variance",
    range="0 to inf",
    laws={NONNEGATIVE, SHIFT_INVARIANT, ZERO_AT_TARGET},
    aliases=("rse", "rrse", "root-relative-squared-error"),
    see=("r2", "nrmse", "mse"),
    tasks=("better than the mean", "comparison across scales", "forecasting", "goodness of fit"),
    equivalents=(
        Equivalent("torchmetrics", "relative_squared_error(pred, target, squared=squared)", "the columns' mean"),
    ),
    traps=(
        "it is 1 - r2: below 1 is better than the mean of the targets",
        "a constant target makes it inf (0 where every prediction is right); torchmetrics takes 2.2e-16 for a smaller "
        "sum of squares",
        "rse also stands for the residual standard error, another number",
    ),
)
def relative_squared_error(
    pred: Real,
    target: Real,
    *,
    squared: Annotated[bool, Param("the quotient itself, without the root")] = True,
    multioutput: Annotated[str, MULTIOUTPUT] = "global",
) -> dict[str, Term]:
    """Squared error as a share of that of the targets' mean.

        sum((pred - target)^2) / sum((target - mean(target))^2)
        its root                                                     squared=false

    >>> relative_squared_error([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.21428571428571427
    """
    error = pred - target
    return {"error": (error, error), "square": (target, target), "target": target}


def normalised(sums: dict[str, list[Exact]], totals: Totals, params: Params) -> float:
    """RMSE over the targets' mean, standard deviation or length, of all elements or column by column."""
    values = []
    kind = params["normalization"]
    for part in pooled(sums, params):
        n = totals.weight if params["multioutput"] == "per-column" else times(totals.weight, len(sums["error"]))
        if kind == "std":  # sqrt(SSE / n) / sqrt((n S(t^2) - S(t)^2) / n^2)
            values.append(share(root_ratio, product(part["error"], n), about_mean(part["square"], part["target"], n)))
        elif kind == "l2":
            values.append(share(root_ratio, product(part["error"], from_int(1)), product(part["square"], n)))
        else:
            size = share(root_ratio, product(part["error"], n), product(part["target"], part["target"]))
            values.append(-size if size and part["target"].units < 0 else size)
    return math.fsum(values) / len(values)


def over_range(sums: dict[str, list[Exact]], totals: Totals, params: Params) -> float:
    """RMSE over the distance from the least target to the greatest."""
    target, errors = totals.kept["target"], sums["error"]
    if not len(target):
        return math.nan
    low, high = target.min(axis=0), target.max(axis=0)
    if params["multioutput"] == "global":
        low, high, errors = low.min(keepdims=True), high.max(keepdims=True), [sum(errors[1:], errors[0])]
    n = times(totals.weight, target.shape[1] // len(errors))
    sizes = np.array([root_ratio(error, n) for error in errors])
    with np.errstate(all="ignore"):
        return float(np.mean(np.divide(sizes, high - low, out=np.zeros_like(sizes), where=sizes != 0)))


OF_SUMS = Sums(normalised)


@loss(
    title="Normalised root mean squared error",
    reduce=Switch(
        "normalization",
        {"mean": OF_SUMS, "range": Sums(over_range, keep=("target",)), "std": OF_SUMS, "l2": OF_SUMS},
    ),
    unit="share of the targets",
    range="-inf to inf",
    laws={ZERO_AT_TARGET},
    aliases=("normalized-root-mean-squared-error", "normalized-rmse", "cv-rmse"),
    see=("rmse", "relative-squared-error", "wmape"),
    tasks=("forecasting", "comparison across scales", "relative error", "energy demand", "hydrology"),
    equivalents=(
        Equivalent(
            "torchmetrics",
            "normalized_root_mean_squared_error(pred.reshape(-1), target.reshape(-1), normalization=normalization)",
        ),
    ),
    traps=(
        "four numbers go by this name: say which with --normalization",
        "the mean may be near 0 or below it, and the number with it: a negative one is no good forecast",
        "std is that of the population (divided by n); the l2 norm grows with the rows, so that the number shrinks",
        "range needs all targets at once, and ignores how much a row weighs",
    ),
)
def nrmse(
    pred: Real,
    target: Real,
    *,
    normalization: Annotated[
        str,
        Param(
            "of the targets: their mean, greatest less least, standard deviation, or root of the sum of squares",
            choices=("mean", "range", "std", "l2"),
        ),
    ] = "mean",
    multioutput: Annotated[str, MULTIOUTPUT] = "global",
) -> dict[str, Term]:
    """Root mean squared error as a share of how large or how spread the targets are.

        rmse / mean(target)
        rmse / (max(target) - min(target))     normalization=range
        rmse / std(target)                     normalization=std
        rmse / sqrt(sum(target^2))             normalization=l2

    >>> nrmse([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0])
    0.21299910806810243
    """
    error = pred - target
    return {"error": (error, error), "square": (target, target), "target": target}
