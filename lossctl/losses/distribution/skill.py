"""Skill scores: how much of a loss the prediction saves against the best constant one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from lossctl.exact import Exact, ratio
from lossctl.losses.regression.tilted import pinball
from lossctl.losses.regression.whole import MULTIOUTPUT
from lossctl.losses.types import Real
from lossctl.model.laws import SHIFT_INVARIANT
from lossctl.model.params import Param
from lossctl.model.reduce import Sums, Term, Totals
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Preset
from lossctl.quantiles import weighted_quantile
from lossctl.sums import Sums as ExactSums


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
