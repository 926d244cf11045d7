"""The continuous ranked probability score: a forecast distribution against what happened."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from lossctl import gaps
from lossctl.losses.types import Real, Rows
from lossctl.losses.types_forecasts import Deviation, Ensemble, Outcome
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Elements, Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

GNEITING = Paper(
    "T. Gneiting, A. E. Raftery",
    2007,
    "Strictly Proper Scoring Rules, Prediction, and Estimation",
    doi="10.1198/016214506000001437",
)
ESTIMATOR = Param(
    "nrg: the ensemble is the forecast; fair: it is a sample of the forecast, and its size is corrected for",
    choices=("nrg", "fair"),
)
TASKS = ("probabilistic forecast", "proper scoring rule", "calibration", "weather", "uncertainty")


@loss(
    title="CRPS of an ensemble",
    reduce=Mean(),
    unit="target units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("crps", "continuous-ranked-probability-score"),
    paper=GNEITING,
    see=("crps-gaussian", "pinball", "mae", "energy-distance"),
    tasks=("ensemble forecast", "samples", *TASKS),
    equivalents=(
        Equivalent("torchmetrics", "continuous_ranked_probability_score(pred, target)", "estimator=nrg"),
        Equivalent("scoringrules", "scoringrules.crps_ensemble(target, pred, estimator=estimator).mean()"),
    ),
    traps=(
        "nrg scores the ensemble as it stands; fair corrects for its size, and is the one that compares ensembles of "
        "different sizes",
        "scoringrules' default estimator, qd, is the same number as nrg",
        "one member makes it the absolute error",
    ),
)
def crps_ensemble(pred: Ensemble, target: Outcome, *, estimator: Annotated[str, ESTIMATOR] = "nrg") -> Rows:
    """How far the members of an ensemble are from what happened, less how far they are from each other.

    With x the M members and y the outcome:

        mean_i |x_i - y| - sum_ij |x_i - x_j| / (2 M^2)              nrg
        mean_i |x_i - y| - sum_ij |x_i - x_j| / (2 M (M - 1))        fair

    >>> crps_ensemble([[0.0, 2.0, 5.0], [1.0, 1.0, 3.0]], [1.0, 7.0])
    array([0.88888889, 4.88888889])
    """
    members = np.sort(pred, axis=1)
    size = members.shape[1]
    below = np.arange(1.0, size)  # how many members lie below the gap
    above = size - below
    # The integral of (F(x) - [x >= y])^2, gap by gap: of positive terms, where the two means above cancel.
    if estimator == "fair":
        left, right = below * (below - 1.0) / (size * (size - 1.0)), above * (above - 1.0) / (size * (size - 1.0))
    else:
        left, right = (below / size) ** 2, (above / size) ** 2
    outcome = target[:, None]
    low, high = members[:, :-1], members[:, 1:]
    split = np.clip(outcome, low, high)
    inside = np.sum(left * (split - low) + right * (high - split), axis=1)
    return np.asarray(inside + np.maximum(members[:, 0] - target, 0.0) + np.maximum(target - members[:, -1], 0.0))


@loss(
    title="CRPS of a normal forecast",
    reduce=Elements(),
    unit="target units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("crps-normal",),
    paper=GNEITING,
    see=("crps-ensemble", "gaussian-nll", "mae"),
    tasks=("heteroscedastic regression", "predicted standard deviation", *TASKS),
    equivalents=(Equivalent("scoringrules", "scoringrules.crps_normal(target, pred, sigma).mean()"),),
    traps=(
        "sigma is the standard deviation: the root of gaussian-nll's variance",
        "unlike the likelihood it is in target units, and grows no faster than the error",
    ),
)
def crps_gaussian(pred: Real, target: Real, sigma: Deviation) -> Rows:
    """Distance of a normal forecast distribution from what happened.

    With z = (target - pred) / sigma, and Phi and phi the standard normal distribution and density:

        sigma (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))

    >>> crps_gaussian([0.0], [0.5], [1.0])
    array([0.33140353])
    """
    error = target - pred
    with np.errstate(over="ignore", under="ignore"):
        half = error / sigma * math.sqrt(0.5)  # z / sqrt(2): erf of it is 2 Phi(z) - 1
        bell = math.sqrt(2.0 / math.pi) * np.exp(-half * half) - 1.0 / math.sqrt(math.pi)
        return np.asarray(error * gaps.erf(half) + sigma * bell)
