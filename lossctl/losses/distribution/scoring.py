"""Proper scores of probability forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl.losses.types import Rows
from lossctl.losses.types_labels import OneHotTruth, ProbOfTruth
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper


def outcomes_fit(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """One probability stands against one outcome, N x C probabilities against an index or N x C columns."""
    pred, target = arrays["pred"], arrays["target"]
    return None if target.ndim == 1 or pred.shape == target.shape else "shapes differ"


@loss(
    title="Brier score",
    reduce=Mean(),
    unit="squared probability",
    range="0 to 2",
    laws={NONNEGATIVE},
    aliases=("brier-score",),
    paper=Paper(
        "G. W. Brier",
        1950,
        "Verification of forecasts expressed in terms of probability",
        doi="10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2",
    ),
    see=("cross-entropy", "bce", "mse"),
    tasks=("calibration", "probabilistic forecast", "proper scoring rule", "probability of an event"),
    like={"sklearn": {}},
    equivalents=(
        Equivalent(
            "sklearn",
            "brier_score_loss(target, pred, scale_by_half={'auto': 'auto', 'half': True, 'sum': False}[factor])",
            "with labels= where a class does not occur",
        ),
    ),
    traps=(
        "from 0 to 1 for two classes and from 0 to 2 for more (factor=auto, as scikit-learn); Brier's own score is "
        "the sum over the classes: --factor sum",
        "for a single probability it is the mean squared error of the 0/1 outcome",
    ),
    align=outcomes_fit,
)
def brier(
    pred: ProbOfTruth,
    target: OneHotTruth,
    *,
    factor: Annotated[
        float | str,
        Param(
            "times the sum over the classes: half of it, all of it (sum), or a share; auto is half for two classes "
            "and sum for more",
            gt=0,
            le=1,
            choices=("auto", "half", "sum"),
        ),
    ] = "auto",
) -> Rows:
    """Squared distance of the predicted probabilities from what happened.

    With f the factor, p the probability of the positive class (or p_c of class c) and y what happened:

        2 f (p - y)^2                   single probability
        f sum_c (p_c - 1[c = y])^2      one probability for each class

    >>> brier([0.9, 0.2], [1, 0])
    array([0.01, 0.04])
    """
    gap = pred.astype(np.float64)
    classes = 2 if gap.ndim == 1 else gap.shape[1]
    if gap.ndim == target.ndim:
        gap -= target
    else:
        gap[np.arange(len(gap)), target] -= 1.0
    # A single probability stands for two classes, whose distances are the same.
    total = 2.0 * gap * gap if gap.ndim == 1 else np.sum(gap * gap, axis=1)
    share = {"auto": 0.5 if classes == 2 else 1.0, "half": 0.5, "sum": 1.0}.get(str(factor))
    return np.asarray((float(factor) if share is None else share) * total)
