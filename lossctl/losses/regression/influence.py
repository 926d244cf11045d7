"""Robust losses by what an outlier may do: M-estimators that are squares near zero and bounded, or slow, far away."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import gaps
from lossctl.losses.regression.pointwise import DISTANCE
from lossctl.losses.types import Real, Rows
from lossctl.model.params import Param
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

C = Param("the size of errors at which the bowl ends, in target units", gt=0)
TASKS = ("outliers", "robust regression", "M-estimator", "heavy tails")
WELSCH = Paper(
    "J. E. Dennis, R. E. Welsch",
    1978,
    "Techniques for nonlinear least squares and robust regression",
    doi="10.1080/03610917808812083",
)


@loss(
    title="Tukey's biweight loss",
    reduce=Elements(),
    unit="squared target units",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("tukey", "bisquare", "biweight"),
    paper=Paper(
        "A. E. Beaton, J. W. Tukey",
        1974,
        "The fitting of power series, meaning polynomials, illustrated on band-spectroscopic data",
        doi="10.1080/00401706.1974.10489171",
    ),
    see=("huber", "welsch", "cauchy", "barron"),
    tasks=TASKS,
    equivalents=(
        Equivalent(
            "torch",
            "(c**2 / 6 * (1 - (1 - ((pred - target) / c) ** 2).clamp(min=0) ** 3)).mean()",
            "no function for it",
        ),
    ),
    traps=(
        "beyond c all errors cost the same, c^2 / 6: an outlier has no influence at all",
        "c = 4.685 is for errors in units of their standard deviation (95% efficiency), as in statsmodels",
    ),
)
def tukey_biweight(pred: Real, target: Real, *, c: Annotated[float, C] = 4.685) -> Rows:
    """Half the squared error near zero, a constant beyond c.

    With e = pred - target:

        c^2 / 6 (1 - (1 - (e / c)^2)^3)      |e| <= c
        c^2 / 6                              |e| >  c

    >>> tukey_biweight([1.0, 100.0], [0.0, 0.0])
    array([0.4775661 , 3.65820417])
    """
    size = np.minimum(np.abs(pred - target), c)
    ratio = size / c
    share = ratio * ratio
    # 1 - (1 - u)^3 = u (3 - 3 u + u^2), which cancels nothing for small u.
    return np.asarray(c * c / 6.0 * share * (3.0 - share * (3.0 - share)))


@loss(
    title="Cauchy loss",
    reduce=Elements(),
    unit="squared target units",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("lorentzian",),
    see=("welsch", "geman-mcclure", "barron", "log-cosh"),
    tasks=TASKS,
    equivalents=(
        Equivalent("torch", "(c**2 / 2 * torch.log1p(((pred - target) / c) ** 2)).mean()", "no function for it"),
    ),
    traps=(
        "c is scipy's f_scale, and the value the cost that scipy.optimize.least_squares adds up with loss='cauchy'",
        "2.3849 is the c of 95% efficiency, for errors in units of their standard deviation",
        "barron with alpha 0 has e^2 / 2 in the logarithm, and no c^2 before it",
    ),
)
def cauchy(pred: Real, target: Real, *, c: Annotated[float, C] = 1.0) -> Rows:
    """Half the squared error near zero, a logarithm far away.

    With e = pred - target:

        c^2 / 2 log(1 + (e / c)^2)

    >>> cauchy([1.0, 100.0], [0.0, 0.0])
    array([0.34657359, 4.60522018])
    """
    size = np.abs(pred - target) / c
    with np.errstate(over="ignore", divide="ignore"):
        # From 1e154 on the square overflows, and long before it 1 + x^2 is x^2.
        log = np.where(size > 1e10, 2.0 * np.log(size), np.log1p(size * size))
    return np.asarray(0.5 * c * c * log)


@loss(
    title="Welsch loss",
    reduce=Elements(),
    unit="squared target units",
    range="0 to inf",
    laws=DISTANCE,
    aliases=("leclerc", "correntropy"),
    paper=WELSCH,
    see=("cauchy", "geman-mcclure", "tukey-biweight", "barron"),
    tasks=TASKS,
    equivalents=(
        Equivalent("torch", "(c**2 / 2 * -torch.expm1(-(((pred - target) / c) ** 2))).mean()", "no function for it"),
    ),
    traps=(
        "bounded by c^2 / 2; 2.9846 is the c of 95% efficiency, for errors in units of their standard deviation",
        "barron with alpha -inf has e^2 / 2 in the exponent, and no c^2 before it: its c is sqrt(2) times smaller",
    ),
)
def welsch(pred: Real, target: Real, *, c: Annotated[float, C] = 1.0) -> Rows:
    """Half the squared error near zero, a constant far away.

    With e = pred - target:

        c^2 / 2 (1 - exp(-(e / c)^2))

    >>> welsch([1.0, 100.0], [0.0, 0.0])
    array([0.31606028, 0.5       ])
    """
    size = np.abs(pred - target) / c
    with np.errstate(over="ignore"):
        return np.asarray(-0.5 * c * c * np.expm1(-size * size) + 0.0)


@loss(
    title="Geman-McClure loss",
    reduce=Elements(),
    unit="squared target units",
    range="0 to inf",
    laws=DISTANCE,
    paper=Paper(
        "S. Geman, D. E. McClure",
        1985,
        "Bayesian image analysis: an application to single photon emission tomography",
    ),
    see=("welsch", "cauchy", "barron"),
    tasks=(*TASKS, "image registration", "pose graphs"),
    equivalents=(
        Equivalent(
            "torch", "(0.5 * (pred - target) ** 2 / (1 + ((pred - target) / c) ** 2)).mean()", "no function for it"
        ),
    ),
    traps=(
        "three scalings are in use: this is GTSAM's, half the squared error near zero and bounded by c^2 / 2",
        "the original, e^2 / (1 + e^2), is twice this at c = 1; barron with alpha -2 and c is this with 2 c, over c^2",
    ),
)
def geman_mcclure(pred: Real, target: Real, *, c: Annotated[float, C] = 1.0) -> Rows:
    """Half the squared error near zero, a constant far away, which it nears more slowly than the Welsch loss.

    With e = pred - target:

        e^2 / 2 / (1 + (e / c)^2)

    >>> geman_mcclure([1.0, 100.0], [0.0, 0.0])
    array([0.25   , 0.49995])
    """
    size = np.abs(pred - target) / c
    share = size / np.hypot(1.0, size)  # its square is x^2 / (1 + x^2), and cannot overflow
    return np.asarray(0.5 * c * c * share * share)


@loss(
    title="Fair loss",
    reduce=Elements(),
    unit="squared target units",
    range="0 to inf",
    laws=DISTANCE,
    paper=Paper("R. C. Fair", 1974, "On the robust estimation of econometric models"),
    see=("huber", "log-cosh", "cauchy"),
    tasks=(*TASKS, "gradient boosting", "smooth gradients"),
    equivalents=(
        Equivalent(
            "torch",
            "(c**2 * ((pred - target).abs() / c - torch.log1p((pred - target).abs() / c))).mean()",
            "no function for it",
        ),
    ),
    traps=(
        "c = 1.3998 is for errors in units of their standard deviation (95% efficiency), as in GTSAM",
        "LightGBM's fair objective has c = 1",
    ),
)
def fair(pred: Real, target: Real, *, c: Annotated[float, C] = 1.3998) -> Rows:
    """Half the squared error near zero, less than in proportion far away, and smooth throughout.

    With x = |pred - target| / c:

        c^2 (x - log(1 + x))

    >>> fair([1.0, 100.0], [0.0, 0.0], c=1.0)
    array([ 0.30685282, 95.38487948])
    """
    size = np.abs(pred - target) / c
    return np.asarray(c * c * gaps.log1p_rest(size))
