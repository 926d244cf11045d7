"""Absolute errors with another corner at zero: rounded, flattened, or cut off."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from lossctl import gaps
from lossctl.losses.regression.pointwise import DISTANCE
from lossctl.losses.types import Real, Rows
from lossctl.model.laws import NONNEGATIVE, SHIFT_INVARIANT, SYMMETRIC
from lossctl.model.params import Param
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper


@loss(
    title="Pseudo-Huber loss",
    reduce=Elements(),
    unit="squared target units",
    range="0 to inf",
    laws=DISTANCE,
    paper=Paper(
        "P. Charbonnier, L. Blanc-Feraud, G. Aubert, M. Barlaud",
        1997,
        "Deterministic edge-preserving regularization in computed imaging",
        doi="10.1109/83.551699",
    ),
    see=("huber", "charbonnier", "log-cosh", "barron"),
    tasks=("outliers", "robust regression", "smooth gradients", "gradient boosting", "heavy tails"),
    equivalents=(Equivalent("scipy", "special.pseudo_huber(delta, pred - target).mean()"),),
    traps=(
        "scipy takes delta first, then the error",
        "it is delta^2 times barron with alpha 1 and c = delta, and at most huber with the same delta",
    ),
)
def pseudo_huber(
    pred: Real,
    target: Real,
    *,
    delta: Annotated[float, Param("where the bowl turns into straight walls", gt=0)] = 1.0,
) -> Rows:
    """Half the squared error near zero, delta times the absolute error far away, and smooth throughout.

    With e = pred - target:

        delta^2 (sqrt(1 + (e / delta)^2) - 1)

    >>> pseudo_huber([1.0, 100.0], [0.0, 0.0])
    array([ 0.41421356, 99.00499988])
    """
    size = np.abs(pred - target)
    ratio = size / delta
    # sqrt(1 + r^2) - 1 = r^2 / (sqrt(1 + r^2) + 1), which cancels nothing for small r; hypot does not overflow.
    return np.asarray(delta * size * (ratio / (np.hypot(1.0, ratio) + 1.0)))


@loss(
    title="Charbonnier loss",
    reduce=Elements(),
    unit="target units",
    range="0 to inf",
    laws={NONNEGATIVE, SYMMETRIC, SHIFT_INVARIANT},
    paper=Paper(
        "W.-S. Lai, J.-B. Huang, N. Ahuja, M.-H. Yang",
        2017,
        "Deep Laplacian Pyramid Networks for Fast and Accurate Super-Resolution",
        doi="10.1109/CVPR.2017.618",
    ),
    see=("pseudo-huber", "mae"),
    tasks=("super-resolution", "image restoration", "optical flow", "smooth absolute error"),
    equivalents=(Equivalent("torch", "torch.sqrt((pred - target) ** 2 + eps**2).mean()", "no function for it"),),
    traps=(
        "where the prediction is the target it is eps, not 0",
        "BasicSR adds eps itself (1e-12) under the root, not its square: eps there is the square of this one",
    ),
)
def charbonnier(
    pred: Real,
    target: Real,
    *,
    eps: Annotated[float, Param("how round the corner at zero is, in target units", gt=0)] = 1e-3,
) -> Rows:
    """Absolute error with its corner rounded off.

    With e = pred - target:

        sqrt(e^2 + eps^2)

    >>> charbonnier([4.0, 0.0], [0.0, 0.0], eps=3.0)
    array([5., 3.])
    """
    return np.asarray(np.hypot(pred - target, eps))


@loss(
    title="Epsilon-insensitive loss",
    reduce=Elements(),
    unit="target units",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("svr",),
    paper=Paper("V. N. Vapnik", 1995, "The Nature of Statistical Learning Theory", doi="10.1007/978-1-4757-2440-0"),
    see=("mae", "hinge", "huber"),
    tasks=("support vector regression", "tolerance", "small errors do not matter"),
    equivalents=(
        Equivalent(
            "torch",
            "((pred - target).abs() - epsilon).clamp(min=0).pow(2 if squared else 1).mean()",
            "no function for it",
        ),
    ),
    traps=(
        "epsilon is in target units: scikit-learn's default of 0.1 means something else after the targets are scaled",
        "scikit-learn's squared_epsilon_insensitive is --squared",
    ),
)
def epsilon_insensitive(
    pred: Real,
    target: Real,
    *,
    epsilon: Annotated[float, Param("errors up to it cost nothing", ge=0)] = 0.1,
    squared: Annotated[bool, Param("the square of what is left")] = False,
) -> Rows:
    """Absolute error beyond a tolerance, as in support vector regression.

    With e = pred - target:

        max(0, |e| - epsilon)
        max(0, |e| - epsilon)^2      squared

    >>> epsilon_insensitive([1.0, 0.05], [0.0, 0.0])
    array([0.9, 0. ])
    """
    over = np.maximum(np.abs(pred - target) - epsilon, 0.0)
    return np.asarray(over * over) if squared else over


@loss(
    title="Balanced L1 loss",
    reduce=Elements(),
    unit="target units",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("libra",),
    paper=Paper(
        "J. Pang, K. Chen, J. Shi, H. Feng, W. Ouyang, D. Lin",
        2019,
        "Libra R-CNN: Towards Balanced Learning for Object Detection",
        doi="10.1109/CVPR.2019.00091",
    ),
    see=("smooth-l1", "mae", "wing"),
    tasks=("object detection", "bounding box regression", "small errors", "outliers"),
    equivalents=(
        Equivalent(
            "torch",
            "torch.where((pred - target).abs() < 1, alpha / math.expm1(gamma / alpha) "
            "* (math.expm1(gamma / alpha) * (pred - target).abs() + 1) "
            "* torch.log1p(math.expm1(gamma / alpha) * (pred - target).abs()) - alpha * (pred - target).abs(), "
            "gamma * (pred - target).abs() + gamma / math.expm1(gamma / alpha) - alpha).mean()",
            "MMDetection's, written out",
        ),
    ),
    traps=(
        "the curve ends at an error of 1, whatever the unit; MMDetection's beta, which moves that place, is 1 here: "
        "with another one its curve has a kink at 0, and may fall below it",
    ),
)
def balanced_l1(
    pred: Real,
    target: Real,
    *,
    alpha: Annotated[float, Param("how much small errors count: less of it, more of them", ge=0.01)] = 0.5,
    gamma: Annotated[float, Param("how steep it is from an error of 1 on", gt=0, le=5)] = 1.5,
) -> Rows:
    """Absolute error for outliers, and a curve for small errors that counts them more than a square does.

    With x = |pred - target|, a = alpha, g = gamma and b = exp(g / a) - 1:

        a / b (b x + 1) log(b x + 1) - a x      x <  1
        g x + g / b - a                         x >= 1

    >>> balanced_l1([0.5, 3.0], [0.0, 0.0])
    array([0.40056751, 4.07859354])
    """
    b = math.expm1(gamma / alpha)
    size = np.abs(pred - target)
    near = np.minimum(size, 1.0)
    curve = gaps.entropy_gap(b * near)  # (1 + u) log(1 + u) - u, which cancels near 0
    return np.asarray(alpha / b * curve + gamma * (size - near))
