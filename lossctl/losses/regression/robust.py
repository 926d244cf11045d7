"""Errors whose influence is bounded, or shaped by a parameter."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from lossctl.losses.regression.pointwise import DISTANCE
from lossctl.losses.types import Real, Rows
from lossctl.model.params import Param
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

FAR = 1e10  # from here on y^2 + 1 is y^2, for the exponents that anybody uses


@loss(
    title="Barron's general robust loss",
    reduce=Elements(),
    unit="1",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("general-robust", "adaptive-robust"),
    paper=Paper("J. T. Barron", 2019, "A General and Adaptive Robust Loss Function", doi="10.1109/CVPR.2019.00446"),
    see=("huber", "log-cosh", "mse", "smooth-l1"),
    tasks=("outliers", "robust regression", "heavy tails", "depth and flow", "Cauchy, Welsch, Geman-McClure"),
    equivalents=(
        Equivalent("torch", "(torch.sqrt(((pred - target) / c) ** 2 + 1) - 1).mean()", "alpha 1, the default"),
        Equivalent("scipy", "(special.pseudo_huber(c, pred - target) / c**2).mean()", "alpha 1, the default"),
    ),
    traps=(
        "alpha 2 is half the squared error, 1 a smooth absolute error, 0 Cauchy's, -2 Geman-McClure's, -inf Welsch's, "
        "each in Barron's scaling: the c of these losses elsewhere differs by a factor",
        "c is in target units, and the value is not: errors are divided by c",
    ),
)
def barron(
    pred: Real,
    target: Real,
    *,
    alpha: Annotated[
        float, Param("how outliers count: 2 as squares, 1 straight, 0 as logarithms, below 0 bounded", infinite=True)
    ] = 1.0,
    c: Annotated[float, Param("the size of errors at which the bowl ends", gt=0)] = 1.0,
) -> Rows:
    """One family of losses from the squared error to bounded ones, by one number.

    With r = (pred - target) / c, a = alpha and b = |a - 2|:

        r^2 / 2                                 a = 2
        log(1 + r^2 / 2)                        a = 0
        1 - exp(-r^2 / 2)                       a = -inf
        exp(r^2 / 2) - 1                        a = inf
        b / a ((1 + r^2 / b)^(a / 2) - 1)       else

    >>> barron([2.0, 0.0], [0.0, 0.0])
    array([1.23606798, 0.        ])
    """
    size = np.abs(pred - target)
    size = size / c
    with np.errstate(all="ignore"):
        if math.isinf(alpha):
            half = 0.5 * size * size
            return np.asarray(np.expm1(half) if alpha > 0 else -np.expm1(-half))
        if alpha == 2:
            return np.asarray(0.5 * size * size)
        b = abs(alpha - 2.0)
        y = size / math.sqrt(b)
        # log(1 + y^2): from y = 1e154 on the square overflows, where it is 2 log(y).
        log = np.where(y > FAR, 2.0 * np.log(y), np.log1p(y * y))
        if alpha == 0:
            return np.asarray(log)
        # (1 + y^2)^(a/2) - 1 by expm1 keeps small errors, alpha near 0, and what 1 + y^2 rounds away (a large alpha
        # shows it). A power of large errors is better than the exponential of a large logarithm.
        power = np.where(y > FAR, y**alpha, (1.0 + y * y) ** (0.5 * alpha)) - 1.0
        near = (np.abs(0.5 * alpha * log) < 1.0) | (log < 1.0)
        return np.asarray(b / alpha * np.where(near, np.expm1(0.5 * alpha * log), power))


@loss(
    title="Wing loss",
    reduce=Elements(),
    unit="target units",
    range="0 to inf",
    laws=DISTANCE,
    paper=Paper(
        "Z.-H. Feng, J. Kittler, M. Awais, P. Huber, X.-J. Wu",
        2018,
        "Wing Loss for Robust Facial Landmark Localisation with Convolutional Neural Networks",
        doi="10.1109/CVPR.2018.00238",
    ),
    see=("mae", "smooth-l1", "log-cosh"),
    tasks=("facial landmarks", "keypoints", "small errors", "localisation"),
    equivalents=(Equivalent("smp", "losses._functional.wing_loss(pred, target, width=width, curvature=curvature)"),),
    traps=(
        "the paper's w and epsilon are width and curvature here, at the paper's 10 and 2; segmentation_models.pytorch "
        "has 5 and 0.5 by default",
        "width and curvature are in target units (pixels, in the paper)",
    ),
)
def wing(
    pred: Real,
    target: Real,
    *,
    width: Annotated[float, Param("where the curve becomes a straight line", gt=0)] = 10.0,
    curvature: Annotated[
        float, Param("how flat the curve is: small errors count as much as large ones near 0", gt=0)
    ] = 2.0,
) -> Rows:
    """A logarithm for small errors, which then count more than in proportion, and the absolute error for large ones.

    With e = pred - target, w = width, q = curvature and C = w - w log(1 + w / q):

        w log(1 + |e| / q)      |e| <  w
        |e| - C                 |e| >= w

    >>> wing([2.0, 20.0], [0.0, 0.0])
    array([ 6.93147181, 27.91759469])
    """
    size = np.abs(pred - target)
    near = np.minimum(size, width)
    return np.asarray(width * np.log1p(near / curvature) + (size - near))
