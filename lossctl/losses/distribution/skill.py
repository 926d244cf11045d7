"""Skill scores: how much of a loss the prediction saves against the best constant one."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from lossctl.exact import Exact, ratio
from lossctl.losses.classification.outcome import OUTCOME_CLIP, log_loss
from lossctl.losses.distribution.deviance import Mean, Outcome, tweedie_deviance
from lossctl.losses.distribution.scoring import brier, outcomes_fit
from lossctl.losses.regression.tilted import pinball
from lossctl.losses.regression.whole import MULTIOUTPUT, product
from lossctl.losses.types import Real
from lossctl.losses.types_labels import OneHotTruth, ProbOfTruth, Truth
from lossctl.model.laws import SHIFT_INVARIANT
from lossctl.model.params import Param
from lossctl.model.reduce import Sums, Term, Totals
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Preset
from lossctl.quantiles import weighted_quantile
from lossctl.sums import Sums as ExactSums

LEAST = sys.float_info.min


def skill(loss_sum: Exact, null_sum: Exact) -> float:
    """1 - L / L0; where the constant is right already: right 1 or wrong 0, nothing between."""
    if not (loss_sum.finite and null_sum.finite):
        return math.nan
    if null_sum.units == 0:
        return 1.0 if loss_sum.units == 0 else 0.0
    return ratio(null_sum._replace(units=null_sum.units - loss_sum.units), null_sum)


def weighted_sum(values: np.ndarray[Any, np.dtype[np.float64]], weight: Any) -> Exact:
    sums = ExactSums()
    if weight is None:
        sums.add(values)
    else:
        sums.add_products(values, weight)
    return sums.total()


def quantile_skill(sums: dict[str, list[Exact]], totals: Totals, params: Mapping[str, Any]) -> float:
    """Against the quantile of the targets, column by column."""
    if totals.rows < 2:
        return math.nan
    level, target = params["quantile"], totals.kept["target"]
    nulls = []
    for column in target.T:
        constant = np.full(len(column), weighted_quantile(column, totals.weights, level))
        nulls.append(weighted_sum(pinball.kernel(constant, column, quantile=level), totals.weights))
    losses = sums["loss"]
    if params["multioutput"] == "per-column":
        return math.fsum(map(skill, losses, nulls)) / len(nulls)
    return skill(sum(losses[1:], losses[0]), sum(nulls[1:], nulls[0]))


@loss(
    title="Share of the pinball loss saved",
    reduce=Sums(quantile_skill, keep=("target",)),
    unit="1",
    range="-inf to 1",
    direction="maximise",
    laws={SHIFT_INVARIANT},
    presets=(
        Preset(
            "d2-absolute",
            "Share of the absolute error saved",
            "One minus the absolute error over that of the targets' median.",
            {"quantile": 0.5},
            aliases=("d2-absolute-error",),
        ),
    ),
    see=("pinball", "r2"),
    tasks=("quantile regression", "skill score", "goodness of fit"),
    like={"sklearn": {"multioutput": "per-column"}},
    equivalents=(
        Equivalent(
            "sklearn",
            "d2_pinball_score(target, pred, alpha=quantile)",
            "the mean of the columns' scores",
        ),
    ),
    traps=(
        "a score: higher is better; below two rows it is nan, at a constant target 1 or 0",
        "it needs all targets at once, for their quantile: beyond --memory it is refused",
    ),
)
def d2_pinball(
    pred: Real,
    target: Real,
    *,
    quantile: Annotated[float, Param("the quantile predicted", gt=0, lt=1)] = 0.5,
    multioutput: Annotated[str, MULTIOUTPUT] = "global",
) -> dict[str, Term]:
    """One minus the pinball loss over that of the targets' own quantile.

        1 - sum(pinball(pred, target)) / sum(pinball(quantile of target, target))

    >>> d2_pinball([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.6666666666666666
    """
    return {"loss": pinball.kernel(pred, target, quantile=quantile), "target": target}


def deviance_skill(sums: dict[str, list[Exact]], totals: Totals, params: Mapping[str, Any]) -> float:
    """Against the mean of the targets, column by column."""
    if totals.rows < 2:
        return math.nan
    nulls = []
    for column, total in zip(totals.kept["target"].T, sums["total"], strict=True):
        mean = ratio(total, totals.weight)
        if params["power"] < 0:
            mean = max(mean, LEAST)  # a negative power allows no other; of these the least is the best
        constant = np.full(len(column), mean)
        with np.errstate(all="ignore"):
            null = tweedie_deviance.kernel(constant, column, power=params["power"])
        # A constant target is its own mean, up to the rounding of that mean.
        null = np.where(column == mean, 0.0, null)
        nulls.append(weighted_sum(null, totals.weights))
    losses = sums["loss"]
    return skill(sum(losses[1:], losses[0]), sum(nulls[1:], nulls[0]))


@loss(
    title="Share of the Tweedie deviance saved",
    reduce=Sums(deviance_skill, keep=("target",)),
    unit="1",
    range="-inf to 1",
    direction="maximise",
    see=("tweedie-deviance", "r2"),
    tasks=("counts", "insurance claims", "skill score", "goodness of fit", "explained deviance"),
    like={"sklearn": {}},
    equivalents=(Equivalent("sklearn", "d2_tweedie_score(target, pred, power=power)", "one column only"),),
    traps=(
        "a score: higher is better; below two rows it is nan, at a constant target 1 or 0",
        "it needs all targets at once, for the deviance from their mean: beyond --memory it is refused",
        "at power 0 it is r2; with a negative power and a mean below 0 the best constant is 0 (scikit-learn: nan)",
    ),
)
def d2_tweedie(
    pred: Mean,
    target: Outcome,
    *,
    power: Annotated[
        float, Param("the variance grows with this power of the mean: 0 normal, 1 Poisson, 2 gamma", outside=(0, 1))
    ] = 0.0,
) -> dict[str, Term]:
    """One minus the Tweedie deviance over that of the targets' own mean.

        1 - sum(deviance(pred, target)) / sum(deviance(mean of target, target))

    >>> d2_tweedie([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.7857142857142857
    """
    return {"loss": tweedie_deviance.kernel(pred, target, power=power), "total": target, "target": target}


def shares(target: np.ndarray[Any, Any], classes: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(N, C) one-hot rows of 0/1 outcomes, class indices, or one-hot rows."""
    return np.asarray(target, float) if target.ndim == 2 else np.eye(classes)[target]


def brier_skill(sums: dict[str, list[Exact]], totals: Totals, params: Mapping[str, Any]) -> float:
    """Against the shares n_c / n of the classes, whose score is n - sum n_c^2 / n, in whole numbers."""
    if totals.rows < 2:
        return math.nan
    losses, weight = sums["loss"][0], totals.weight
    squares = [product(count, count) for count in sums["count"]]
    null = product(weight, weight)
    null = null._replace(units=null.units - sum(square.units for square in squares))
    return skill(product(losses, weight), null)


@loss(
    title="Brier skill score",
    reduce=Sums(brier_skill),
    unit="1",
    range="-inf to 1",
    direction="maximise",
    aliases=("brier-skill-score", "bss"),
    see=("brier", "d2-log-loss"),
    tasks=("calibration", "probabilistic forecast", "skill score", "goodness of fit"),
    like={"sklearn": {}},
    equivalents=(Equivalent("sklearn", "d2_brier_score(target, pred)", "with labels= where a class does not occur"),),
    traps=("a score: higher is better; below two rows it is nan, at a constant target 1 or 0",),
    align=outcomes_fit,
)
def d2_brier(pred: ProbOfTruth, target: OneHotTruth) -> dict[str, Term]:
    """One minus the Brier score over that of the classes' own shares.

        1 - sum(brier(pred, target)) / sum(brier(shares of the classes, target))

    >>> d2_brier([0.75, 0.25, 0.5], [1, 0, 1])
    0.4375
    """
    classes = 2 if pred.ndim == 1 else pred.shape[1]
    return {"loss": brier.kernel(pred, target, factor="sum"), "count": shares(target, classes)}


def log_skill(sums: dict[str, list[Exact]], totals: Totals, params: Mapping[str, Any]) -> float:
    """Against the shares n_c / n of the classes, whose loss is -sum n_c log(n_c / n)."""
    if totals.rows < 2:
        return math.nan
    loss_sum, counts, weight = sums["loss"][0], sums["count"], totals.weight
    if not (loss_sum.finite and all(count.finite for count in counts)):
        return math.nan
    nulls = []
    for count in counts:
        if count.units:
            rest = weight._replace(units=weight.units - count.units)
            # log1p of the other classes' share: near 1 the share itself has lost its digits.
            log = math.log1p(-ratio(rest, weight)) if 2 * rest.units < weight.units else math.log(ratio(count, weight))
            nulls.append(-count.to_float() * log)
    null, lost = math.fsum(nulls), loss_sum.to_float()
    if null == 0:
        return 1.0 if lost == 0 else 0.0
    return (null - lost) / null


@loss(
    title="Share of the log loss saved",
    reduce=Sums(log_skill),
    unit="1",
    range="-inf to 1",
    direction="maximise",
    see=("log-loss", "d2-brier"),
    tasks=("probabilistic forecast", "skill score", "goodness of fit", "pseudo R2", "classification"),
    like={"sklearn": {"clip": "dtype"}},
    equivalents=(
        Equivalent("sklearn", "d2_log_loss_score(target, pred)", "with labels= where a class does not occur"),
    ),
    traps=(
        "a score: higher is better; below two rows it is nan, at a constant target 1 or 0",
        "McFadden's pseudo R2 is this score; others of that name are not",
    ),
)
def d2_log_loss(
    pred: ProbOfTruth, target: Truth, *, clip: Annotated[float | str, OUTCOME_CLIP] = "sklearn"
) -> dict[str, Term]:
    """One minus the log loss over that of the classes' own shares.

        1 - sum(log-loss(pred, target)) / sum(log-loss(shares of the classes, target))

    >>> d2_log_loss([0.75, 0.25], [1, 0])
    0.5849625007211562
    """
    classes = 2 if pred.ndim == 1 else pred.shape[1]
    return {"loss": log_loss.kernel(pred, target, clip=clip), "count": shares(target, classes)}
