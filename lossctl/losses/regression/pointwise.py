"""Real values against real values, element by element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.types import Real, Rows
from lossctl.model.laws import NONNEGATIVE, SHIFT_INVARIANT, SYMMETRIC, ZERO_AT_TARGET
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper

DISTANCE = {NONNEGATIVE, ZERO_AT_TARGET, SYMMETRIC, SHIFT_INVARIANT}
BY_ROWS = {"norm": "n"}  # a weighted mean that divides by the number of rows


@loss(
    title="Mean squared error",
    reduce=Elements(),
    unit="squared target units",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("mean-squared-error",),
    see=("rmse", "mae", "huber"),
    like={"torch": {}, "sklearn": {}, "keras": BY_ROWS, "optax": {}},
    equivalents=(
        Equivalent("torch", "F.mse_loss(pred, target)"),
        Equivalent("keras", "losses.MeanSquaredError()(target, pred)", "weights divide by n"),
        Equivalent("sklearn", "mean_squared_error(target, pred)"),
        Equivalent("optax", "squared_error(pred, target).mean()", "l2_loss is half of it"),
    ),
    traps=("optax.l2_loss and quadratic cost carry a factor 1/2; torch broadcasts (N, 1) against (N,) to N x N",),
)
def mse(pred: Real, target: Real) -> Rows:
    """Squared difference of prediction and target.

    With e = pred - target:

        e^2

    >>> mse([2.0, 0.0], [1.0, 0.5])
    array([1.  , 0.25])
    """
    error = pred - target
    return error * error


@loss(
    title="Mean absolute error",
    reduce=Elements(),
    unit="target units",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("l1", "mean-absolute-error"),
    see=("mse", "huber", "pinball"),
    like={"torch": {}, "sklearn": {}, "keras": BY_ROWS},
    equivalents=(
        Equivalent("torch", "F.l1_loss(pred, target)"),
        Equivalent("keras", "losses.MeanAbsoluteError()(target, pred)", "weights divide by n"),
        Equivalent("sklearn", "mean_absolute_error(target, pred)"),
    ),
    traps=("half of it is pinball at quantile 0.5",),
)
def mae(pred: Real, target: Real) -> Rows:
    """Absolute difference of prediction and target.

    With e = pred - target:

        |e|

    >>> mae([2.0, 0.0], [1.0, 0.5])
    array([1. , 0.5])
    """
    return np.abs(pred - target)


@loss(
    title="Huber loss",
    reduce=Elements(),
    unit="squared target units",
    range="0 to inf",
    laws=DISTANCE,
    paper=Paper("P. J. Huber", 1964, "Robust Estimation of a Location Parameter", doi="10.1214/aoms/1177703732"),
    see=("mse", "mae", "smooth-l1", "log-cosh"),
    like={"torch": BY_ROWS, "keras": BY_ROWS, "optax": {}},
    equivalents=(
        Equivalent("torch", "F.huber_loss(pred, target, delta=delta)", "weights divide by n"),
        Equivalent("keras", "losses.Huber(delta=delta)(target, pred)", "weights divide by n"),
        Equivalent("optax", "huber_loss(pred, target, delta=delta).mean()"),
    ),
    traps=("it is delta times smooth-l1 with beta = delta; they agree only at 1",),
)
def huber(
    pred: Real,
    target: Real,
    *,
    delta: Annotated[float, Param("where the bowl turns into straight walls", gt=0)] = 1.0,
) -> Rows:
    """Squared error near zero, absolute error far away.

    With e = pred - target:

        0.5 e^2                    |e| <= delta
        delta (|e| - 0.5 delta)    |e| >  delta

    >>> huber([0.5, 3.0], [0.0, 0.0])
    array([0.125, 2.5  ])
    """
    error = np.abs(pred - target)
    bowl = np.minimum(error, delta)
    # |e| = bowl + wall: one pass, and e^2 cannot overflow out on the wall.
    return np.asarray(0.5 * bowl * bowl + delta * (error - bowl))


@loss(
    title="Smooth L1 loss",
    reduce=Elements(),
    unit="target units",
    range="0 to inf",
    laws=DISTANCE,
    paper=Paper("R. Girshick", 2015, "Fast R-CNN", doi="10.1109/ICCV.2015.169"),
    see=("huber", "mae"),
    like={"torch": {}},
    equivalents=(Equivalent("torch", "F.smooth_l1_loss(pred, target, beta=beta)"),),
    traps=("huber with delta = beta is beta times this; Paddle's smooth_l1_loss is huber by default",),
)
def smooth_l1(
    pred: Real,
    target: Real,
    *,
    beta: Annotated[float, Param("where the bowl turns into straight walls; 0 is the absolute error", ge=0)] = 1.0,
) -> Rows:
    """Absolute error with a rounded corner at zero.

    With e = pred - target:

        0.5 e^2 / beta     |e| <  beta
        |e| - 0.5 beta     |e| >= beta

    >>> smooth_l1([0.5, 3.0], [0.0, 0.0])
    array([0.125, 2.5  ])
    """
    error = np.abs(pred - target)
    if beta == 0:
        return error
    bowl = np.minimum(error, beta)
    # (bowl / beta) first: bowl * bowl underflows below |e| = 1e-162 where the quotient does not.
    return np.asarray(0.5 * bowl * (bowl / beta) + (error - bowl))


@loss(
    title="Log-cosh loss",
    reduce=Elements(),
    unit="target units (squared near zero)",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("logcosh",),
    see=("huber", "mae"),
    like={"keras": BY_ROWS, "optax": {}},
    equivalents=(
        Equivalent("keras", "losses.LogCosh()(target, pred)", "weights divide by n"),
        Equivalent("optax", "log_cosh(pred, target).mean()"),
    ),
    traps=("torchmetrics' LogCoshError takes cosh literally and overflows from |e| = 710 on; torch has none",),
)
def log_cosh(pred: Real, target: Real) -> Rows:
    """Logarithm of the hyperbolic cosine of the error: smooth everywhere, straight far away.

    With e = pred - target:

        log(cosh(e)) = |e| + log(1 + exp(-2 |e|)) - log(2)

    >>> log_cosh([1000.0, 0.0], [0.0, 0.0])
    array([999.30685282,   0.        ])
    """
    return numerics.log_cosh(pred - target)


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
    see=("mae",),
    like={"sklearn": {}},
    equivalents=(Equivalent("sklearn", "mean_pinball_loss(target, pred, alpha=quantile)"),),
    traps=("at quantile 0.5 it is half the absolute error",),
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
