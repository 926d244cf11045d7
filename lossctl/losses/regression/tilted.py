"""Errors whose sign counts: too high and too low are not the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.types import Real, Rows
from lossctl.model.laws import NONNEGATIVE, SHIFT_INVARIANT, ZERO_AT_TARGET
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper


@loss(
    title="Mean bias error",
    reduce=Elements(),
    unit="target units",
    range="-inf to inf",
    laws={ZERO_AT_TARGET, SHIFT_INVARIANT},
    aliases=("mbe", "bias"),
    paper=Paper(
        "C. J. Willmott, K. Matsuura",
        2005,
        "Advantages of the mean absolute error (MAE) over the root mean square error (RMSE) in assessing average"
        " model performance",
        doi="10.3354/cr030079",
    ),
    see=("mae", "rmse", "explained-variance"),
    tasks=("systematic error", "over-forecasting", "under-forecasting", "forecast bias", "calibration in the large"),
    equivalents=(
        Equivalent("torch", "(pred - target).mean()", "with direction pred-target; no library has a function for it"),
    ),
    traps=(
        "errors cancel: 0 says that they balance, not that they are small; read it beside mae",
        "above 0 is too high with pred - target; many texts and R packages subtract the other way round",
        "the best value is 0, not the lowest: bound it from both sides, --fail-above and --fail-below",
    ),
)
def mean_bias_error(
    pred: Real,
    target: Real,
    *,
    direction: Annotated[
        str, Param("which is taken from which", choices=("pred-target", "target-pred"))
    ] = "pred-target",
) -> Rows:
    """Error with its sign: how far predictions are too high on average.

        pred - target        direction pred-target
        target - pred        direction target-pred

    >>> mean_bias_error([2.0, 0.0], [1.0, 0.5])
    array([ 1. , -0.5])
    """
    return pred - target if direction == "pred-target" else target - pred


@loss(
    title="Asymmetric loss",
    reduce=Elements(),
    unit="target units^power",
    range="0 to inf",
    laws={NONNEGATIVE, ZERO_AT_TARGET, SHIFT_INVARIANT},
    aliases=("weighted-over-under",),
    paper=Paper(
        "W. K. Newey, J. L. Powell",
        1987,
        "Asymmetric Least Squares Estimation and Testing",
        doi="10.2307/1911031",
    ),
    see=("pinball", "mse", "mae"),
    tasks=("over-forecasting", "under-forecasting", "inventory", "unequal costs", "expectiles"),
    equivalents=(
        Equivalent(
            "sklearn",
            "(over + under) * mean_pinball_loss(target, pred, alpha=under / (over + under))",
            "with power 1",
        ),
        Equivalent(
            "torch",
            "(torch.where(pred > target, over, under) * (pred - target).abs() ** power).mean()",
            "no function of its own",
        ),
    ),
    traps=(
        "over weighs predictions above the target: where a shortage costs more than a surplus, under is the larger",
        "over = under = 1 is mse (power 2) or mae (power 1); pinball is power 1, over 1 - quantile, under quantile",
        "it is not the asymmetric loss of multilabel classification",
    ),
)
def asymmetric(
    pred: Real,
    target: Real,
    *,
    over: Annotated[float, Param("weight of errors above the target", ge=0)] = 1.0,
    under: Annotated[float, Param("weight of errors below the target", ge=0)] = 1.0,
    power: Annotated[int, Param("1: absolute errors, 2: squared ones", ge=1, le=2)] = 2,
) -> Rows:
    """Absolute or squared error with one weight for predictions too high and one for those too low.

    With e = pred - target:

        over |e|^power         e > 0
        under |e|^power        e <= 0

    >>> asymmetric([2.0, 0.0], [1.0, 1.0], over=1.0, under=3.0)
    array([1., 3.])
    """
    error = pred - target
    size = np.abs(error)
    # Weight first, as e^2 may overflow where the weighted square does not; 0 * inf is 0: no weight, no loss.
    weighted = numerics.times(np.where(error > 0, over, under), size)
    return weighted if power == 1 else numerics.times(weighted, size)


def quantiles_fit(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """One quantile: shapes are the same. Q quantiles: predictions are N x Q against N targets."""
    pred, target = arrays["pred"], arrays["target"]
    quantile = params["quantile"]
    if isinstance(quantile, tuple):
        fits = pred.ndim == 2 and pred.shape[1] == len(quantile) and target.ndim == 1
        return None if fits else f"{len(quantile)} quantiles need {len(quantile)} prediction columns and one target"
    return None if pred.shape[1:] == target.shape[1:] else "shapes differ"


@loss(
    title="Pinball loss",
    reduce=Elements(),
    unit="target units",
    range="0 to inf",
    laws={NONNEGATIVE, ZERO_AT_TARGET, SHIFT_INVARIANT},
    aliases=("quantile",),
    paper=Paper("R. Koenker, G. Bassett", 1978, "Regression Quantiles", doi="10.2307/1913643"),
    see=("mae", "expectile", "asymmetric", "crps-ensemble"),
    tasks=("quantile regression", "prediction intervals", "probabilistic forecast", "inventory", "unequal costs"),
    like={"sklearn": {}},
    equivalents=(
        Equivalent(
            "sklearn", "mean_pinball_loss(target, pred, alpha=quantile)", "one quantile; for several, a call each"
        ),
    ),
    traps=(
        "at quantile 0.5 it is half the absolute error",
        "several quantiles count as elements of a row: the mean is over all of them",
    ),
    align=quantiles_fit,
)
def pinball(
    pred: Real,
    target: Real,
    *,
    quantile: Annotated[
        float | tuple[float, ...],
        Param("the quantile predicted, or one for each prediction column", gt=0, lt=1),
    ] = 0.5,
) -> Rows:
    """Absolute error tilted so that its minimum is a quantile.

    With q the quantile:

        q (target - pred)          pred <= target
        (1 - q) (pred - target)    pred >  target

    >>> pinball([0.0, 4.0], [1.0, 3.0], quantile=0.9)
    array([0.9, 0.1])
    """
    if isinstance(quantile, tuple):
        level, target = np.array(quantile), target[:, None]  # N Q against N 1
    else:
        level = np.array(quantile)
    short = target - pred
    return np.maximum(level * short, (level - 1.0) * short)


@loss(
    title="Expectile loss",
    reduce=Elements(),
    unit="squared target units",
    range="0 to inf",
    laws={NONNEGATIVE, ZERO_AT_TARGET, SHIFT_INVARIANT},
    aliases=("asymmetric-squared",),
    paper=Paper(
        "W. K. Newey, J. L. Powell",
        1987,
        "Asymmetric Least Squares Estimation and Testing",
        doi="10.2307/1911031",
    ),
    see=("asymmetric", "pinball", "mse"),
    tasks=("expectile regression", "unequal costs", "over-forecasting", "under-forecasting", "risk"),
    equivalents=(Equivalent("torch", "(torch.abs(tau - (target < pred).double()) * (pred - target) ** 2).mean()"),),
    traps=(
        "at tau 0.5 it is half the squared error",
        "tau above 0.5 makes predictions too low the dearer ones, as a high quantile does in pinball",
    ),
)
def expectile(
    pred: Real,
    target: Real,
    *,
    tau: Annotated[float, Param("the expectile predicted", gt=0, lt=1)] = 0.5,
) -> Rows:
    """Squared error tilted so that its minimum is an expectile, as the pinball's is a quantile.

        tau (target - pred)^2          pred <= target
        (1 - tau) (pred - target)^2    pred >  target

    >>> expectile([0.0, 4.0], [1.0, 3.0], tau=0.75)
    array([0.75, 0.25])
    """
    error = pred - target
    return np.asarray(np.where(error > 0, 1.0 - tau, tau) * error * error)


@loss(
    title="Linear-exponential loss",
    reduce=Elements(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE, ZERO_AT_TARGET, SHIFT_INVARIANT},
    aliases=("linear-exponential",),
    paper=Paper(
        "A. Zellner",
        1986,
        "Bayesian Estimation and Prediction Using Asymmetric Loss Functions",
        doi="10.1080/01621459.1986.10478289",
    ),
    see=("asymmetric", "expectile", "log-cosh"),
    tasks=("unequal costs", "over-forecasting", "under-forecasting", "real estate", "reserves"),
    equivalents=(Equivalent("torch", "(b * (torch.exp(a * (pred - target)) - a * (pred - target) - 1)).mean()"),),
    traps=(
        "with a above 0 predictions too high are the dear ones, exponentially; with a below 0 those too low",
        "a is in 1 / target units: at a |e| = 709 the loss overflows to inf",
    ),
)
def linex(
    pred: Real,
    target: Real,
    *,
    a: Annotated[float, Param("which side is dear, and how steeply", outside=(-1e-9, 1e-9))] = 1.0,
    b: Annotated[float, Param("what everything is multiplied by", gt=0)] = 1.0,
) -> Rows:
    """Exponential on one side of the target, straight on the other.

    With e = pred - target:

        b (exp(a e) - a e - 1)

    >>> linex([1.0, -1.0], [0.0, 0.0])
    array([0.71828183, 0.36787944])
    """
    with np.errstate(over="ignore"):
        return np.asarray(b * numerics.exp_gap(a * (pred - target)))
