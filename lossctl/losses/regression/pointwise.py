"""Real values against real values, element by element."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.types import Real, Rows
from lossctl.model.laws import NONNEGATIVE, SHIFT_INVARIANT, SYMMETRIC, ZERO_AT_TARGET
from lossctl.model.params import Param
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

DISTANCE = {NONNEGATIVE, ZERO_AT_TARGET, SYMMETRIC, SHIFT_INVARIANT}
BY_ROWS = {"norm": "n"}  # a weighted mean that divides by the number of rows


@loss(
    title="Mean squared error",
    reduce=Elements(),
    unit="squared target units",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("mean-squared-error",),
    paper=Paper("A. M. Legendre", 1805, "Nouvelles méthodes pour la détermination des orbites des comètes"),
    see=("rmse", "mae", "huber", "quadratic-cost"),
    tasks=("least squares", "regression", "Gaussian noise", "expected value", "reconstruction"),
    like={"torch": {}, "sklearn": {}, "keras": BY_ROWS, "optax": {}},
    equivalents=(
        Equivalent("torch", "F.mse_loss(pred, target)"),
        Equivalent("keras", "losses.MeanSquaredError()(target, pred)", "weights divide by n"),
        Equivalent("sklearn", "mean_squared_error(target, pred)"),
        Equivalent("optax", "squared_error(pred, target).mean()", "l2_loss is half of it"),
        Equivalent("torchmetrics", "mean_squared_error(pred, target)"),
    ),
    traps=(
        "optax.l2_loss and quadratic-cost carry a factor 1/2",
        "torch broadcasts (N, 1) against (N,) to N x N and only warns",
        "of weighted means, torch divides this one by the sum of weights, and huber's by n",
        "float32 squares overflow from an error of 1.8e19 on; here all is float64",
    ),
)
def mse(pred: Real, target: Real) -> Rows:
    """Squared difference of prediction and target.

    With e = pred - target:

        e^2

    >>> mse([2.0, 0.0], [1.0, 0.5])
    array([1.  , 0.25])
    """
    error = pred - target
    error *= error
    return error


@loss(
    title="Quadratic cost",
    reduce=Elements(row="sum"),
    unit="squared target units",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("half-mse-cost", "nielsen-quadratic"),
    paper=Paper("M. A. Nielsen", 2015, "Neural Networks and Deep Learning"),
    see=("mse", "rmse"),
    tasks=("least squares", "neural network textbooks", "back-propagation by hand"),
    like={"optax": {"row": "mean"}},
    equivalents=(
        Equivalent("torch", "F.mse_loss(pred, target, reduction='sum') / 2 / len(pred)"),
        Equivalent("optax", "l2_loss(pred, target).mean()", "the mean of elements: --row mean"),
    ),
    traps=(
        "a row's value is a sum over outputs: the mean is mse times half the number of columns",
        "optax.l2_loss averages over elements, which is the same for one column only",
    ),
)
def quadratic_cost(pred: Real, target: Real) -> Rows:
    """Half the squared distance between the outputs of a row and their targets.

    With e = pred - target over the outputs j of a row:

        1/2 sum_j e_j^2

    >>> quadratic_cost([[3.0, 4.0]], [[0.0, 0.0]])
    array([12.5])
    """
    error = pred - target
    return np.asarray(0.5 * error * error)


@loss(
    title="Mean absolute error",
    reduce=Elements(),
    unit="target units",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("l1", "mean-absolute-error"),
    paper=Paper(
        "C. J. Willmott, K. Matsuura",
        2005,
        "Advantages of the mean absolute error (MAE) over the root mean square error (RMSE) in assessing average"
        " model performance",
        doi="10.3354/cr030079",
    ),
    see=("mse", "huber", "pinball", "mape", "mean-bias-error"),
    tasks=("outliers", "robust regression", "median", "forecasting", "error in target units"),
    like={"torch": {}, "sklearn": {}, "keras": BY_ROWS},
    equivalents=(
        Equivalent("torch", "F.l1_loss(pred, target)"),
        Equivalent("keras", "losses.MeanAbsoluteError()(target, pred)", "weights divide by n"),
        Equivalent("sklearn", "mean_absolute_error(target, pred)"),
        Equivalent("torchmetrics", "mean_absolute_error(pred, target)"),
    ),
    traps=(
        "half of it is pinball at quantile 0.5",
        "torch broadcasts (N, 1) against (N,) to N x N and only warns",
    ),
)
def mae(pred: Real, target: Real) -> Rows:
    """Absolute difference of prediction and target.

    With e = pred - target:

        |e|

    >>> mae([2.0, 0.0], [1.0, 0.5])
    array([1. , 0.5])
    """
    error = pred - target
    return np.abs(error, out=error)


@loss(
    title="Huber loss",
    reduce=Elements(),
    unit="squared target units",
    range="0 to inf",
    laws=DISTANCE,
    paper=Paper("P. J. Huber", 1964, "Robust Estimation of a Location Parameter", doi="10.1214/aoms/1177703732"),
    see=("mse", "mae", "smooth-l1", "log-cosh", "pseudo-huber", "barron"),
    tasks=("outliers", "robust regression", "heavy tails", "value functions"),
    like={"torch": BY_ROWS, "keras": BY_ROWS, "optax": {}},
    equivalents=(
        Equivalent("torch", "F.huber_loss(pred, target, delta=delta)", "weights divide by n"),
        Equivalent("keras", "losses.Huber(delta=delta)(target, pred)", "weights divide by n"),
        Equivalent("optax", "huber_loss(pred, target, delta=delta).mean()"),
        Equivalent("scipy", "special.huber(delta, pred - target).mean()"),
    ),
    traps=(
        "it is delta times smooth-l1 with beta = delta; they agree only at 1",
        "delta is in target units: it means something else after the targets are scaled",
        "torch divides its weighted mean by n, though it divides those of mse and mae by the sum of weights",
    ),
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
    wall = pred - target
    np.abs(wall, out=wall)
    bowl = np.minimum(wall, delta)
    # |e| = bowl + wall: e^2 cannot overflow out on the wall.
    wall -= bowl
    wall *= delta
    wall += 0.5 * bowl * bowl
    return wall


@loss(
    title="Smooth L1 loss",
    reduce=Elements(),
    unit="target units",
    range="0 to inf",
    laws=DISTANCE,
    paper=Paper("R. Girshick", 2015, "Fast R-CNN", doi="10.1109/ICCV.2015.169"),
    see=("huber", "mae"),
    tasks=("outliers", "robust regression", "bounding box regression", "object detection"),
    like={"torch": {}},
    equivalents=(Equivalent("torch", "F.smooth_l1_loss(pred, target, beta=beta)"),),
    traps=(
        "huber with delta = beta is beta times this; Paddle's smooth_l1_loss is huber by default",
        "the sigma of Fast R-CNN's code is another scale: beta = 1 / sigma^2",
    ),
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
    tasks=("outliers", "robust regression", "smooth gradients", "heavy tails"),
    like={"keras": BY_ROWS, "optax": {}},
    equivalents=(
        Equivalent("keras", "losses.LogCosh()(target, pred)", "weights divide by n"),
        Equivalent("optax", "log_cosh(pred, target).mean()"),
        Equivalent("torchmetrics", "log_cosh_error(pred, target).mean()", "a number a column; inf from |e| = 710 on"),
    ),
    traps=(
        "torchmetrics' log_cosh_error takes cosh literally and overflows from |e| = 710 on; torch has none",
        "it turns straight about an error of 1, whatever the unit: huber has that place as a parameter",
    ),
)
def log_cosh(pred: Real, target: Real) -> Rows:
    """Logarithm of the hyperbolic cosine of the error: smooth everywhere, straight far away.

    With e = pred - target:

        log(cosh(e)) = |e| + log(1 + exp(-2 |e|)) - log(2)

    >>> log_cosh([1000.0, 0.0], [0.0, 0.0])
    array([999.30685282,   0.        ])
    """
    return numerics.log_cosh(pred - target)
