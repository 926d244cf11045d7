"""Errors in proportion to the target: percentages and logarithms."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import gaps
from lossctl.losses.regression.pointwise import BY_ROWS
from lossctl.losses.regression.whole import MULTIOUTPUT
from lossctl.losses.types import AboveMinusOne, Divisor, Real, Rows
from lossctl.model.laws import NONNEGATIVE, ZERO_AT_TARGET
from lossctl.model.params import Param, When
from lossctl.model.reduce import Elements, RootMeanSquare
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

FLOAT_EPS = 2.0**-52  # scikit-learn's, of float64


@loss(
    title="Mean absolute percentage error",
    reduce=Elements(),
    unit="share of the target",
    range="0 to inf",
    laws={NONNEGATIVE, ZERO_AT_TARGET},
    aliases=("mean-absolute-percentage-error",),
    paper=Paper(
        "A. de Myttenaere, B. Golden, B. Le Grand, F. Rossi",
        2016,
        "Mean Absolute Percentage Error for regression models",
        doi="10.1016/j.neucom.2015.12.114",
    ),
    see=("smape", "wmape", "mae", "msle"),
    tasks=("forecasting", "demand", "relative error", "percent", "targets of different sizes"),
    like={"sklearn": {}, "keras": {"eps": 1e-7, "factor": 100.0, **BY_ROWS}},
    equivalents=(
        Equivalent(
            "sklearn",
            "factor * mean_absolute_percentage_error(target, pred)",
            "factor 1, eps of float64 whatever the dtype",
        ),
        Equivalent(
            "keras",
            "losses.MeanAbsolutePercentageError()(target, pred)",
            "factor 100, eps 1e-7; weights divide by n",
        ),
        Equivalent("torchmetrics", "factor * mean_absolute_percentage_error(pred, target)", "factor 1, eps 1.17e-6"),
    ),
    traps=(
        "a target of 0 is divided by eps, which makes one row the whole mean: 4.5e15 at an error of 1 (scikit-learn's"
        " eps), 1e9 percent in Keras, 8.5e5 in torchmetrics; --zero skip leaves such rows out, --zero error names one",
        "Keras gives percent, scikit-learn and torchmetrics shares: factor is 100 or 1",
        "of positive numbers, a prediction too low costs at most 1 and one too high any amount: what is tuned by"
        " this number predicts too little",
    ),
)
def mape(
    pred: Real,
    target: Divisor,
    *,
    eps: Annotated[
        float, Param("the least that errors are divided by", ge=0, when=When("zero", ("eps",), 0.0))
    ] = FLOAT_EPS,
    factor: Annotated[float, Param("what shares are multiplied by: 100 for percent", gt=0)] = 1.0,
) -> Rows:
    """Absolute error as a share of the target.

    With e = pred - target:

        factor |e| / max(|target|, eps)        0 where e = 0

    >>> mape([90.0, 3.0], [100.0, 2.0], factor=100.0)
    array([10., 50.])
    """
    error = np.abs(pred - target)
    # 0 / 0, a target of 0 that was predicted right, costs nothing for any eps, and so at eps = 0.
    share = np.divide(error, np.maximum(np.abs(target), eps), out=np.zeros_like(error), where=error != 0)
    return np.asarray(factor * share)


@loss(
    title="Mean squared logarithmic error",
    reduce=Elements(),
    unit="squared nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("mean-squared-log-error", "mean-squared-logarithmic-error"),
    see=("rmsle", "mse", "mape"),
    tasks=("counts", "prices", "targets of different sizes", "relative error", "growth"),
    like={"sklearn": {}, "keras": {"clamp": "keras", **BY_ROWS}},
    equivalents=(
        Equivalent("sklearn", "mean_squared_log_error(target, pred)"),
        Equivalent(
            "keras",
            "losses.MeanSquaredLogarithmicError()(target, pred)",
            "counts everything below 1e-7 as 1e-7: --clamp keras; weights divide by n",
        ),
        Equivalent("torchmetrics", "mean_squared_log_error(pred, target)", "nan or inf at -1 and below"),
    ),
    traps=(
        "values from -1 to 0 are taken as they are, as in scikit-learn; Keras counts them as 1e-7, so that"
        " 1 against -0.5 costs 0.48 there and 1.92 here",
        "of two errors of one size, the one below the target costs more than the one above it",
    ),
)
def msle(pred: AboveMinusOne, target: AboveMinusOne) -> Rows:
    """Squared difference of the logarithms of prediction and target, each plus one.

    With d = log(1 + pred) - log(1 + target):

        d^2

    >>> msle([0.0, 9.0], [0.0, 99.0])
    array([0.        , 5.30189811])
    """
    gap = gaps.log1p_gap(pred, target)
    return gap * gap


@loss(
    title="Root mean squared logarithmic error",
    reduce=RootMeanSquare(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("root-mean-squared-log-error", "root-mean-squared-logarithmic-error"),
    see=("msle", "rmse", "mape"),
    tasks=("counts", "prices", "targets of different sizes", "relative error", "competitions"),
    like={"sklearn": {"multioutput": "per-column"}},
    equivalents=(
        Equivalent("sklearn", "root_mean_squared_log_error(target, pred)", "the mean of the columns' roots"),
        Equivalent("torchmetrics", "mean_squared_log_error(pred, target).sqrt()", "nan or inf at -1 and below"),
    ),
    traps=("it is not the mean of row or shard values; scikit-learn averages the roots of columns",),
)
def rmsle(pred: AboveMinusOne, target: AboveMinusOne, *, multioutput: Annotated[str, MULTIOUTPUT] = "global") -> Rows:
    """Root of the mean squared difference of logarithms: a typical factor between prediction and target.

    With d = log(1 + pred) - log(1 + target) over n elements:

        sqrt(sum(d^2) / n)

    >>> rmsle([9.0], [99.0])
    array([2.30258509])
    """
    return gaps.log1p_gap(pred, target)
