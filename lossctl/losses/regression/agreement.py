"""Agreement of predictions and targets over a whole data set."""

from __future__ import annotations

import math
from typing import Annotated

from lossctl.exact import Exact, from_int, ratio
from lossctl.losses.regression.shares import pooled, share
from lossctl.losses.regression.whole import MULTIOUTPUT, about_mean, product
from lossctl.losses.types import Real
from lossctl.model.laws import NONNEGATIVE, SHIFT_INVARIANT, SYMMETRIC, ZERO_AT_TARGET
from lossctl.model.params import Param
from lossctl.model.reduce import Params, Sums, Term, Totals, times
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper


def disagreement(sums: dict[str, list[Exact]], totals: Totals, params: Params) -> float:
    """1 - CCC, the quotient of two exact sums.

    With A = n S(..) - S S in place of variances, and d the difference of the sums, it is
    ((A_pp + A_tt - 2 A_pt) n + d^2 (n - ddof)) / ((A_pp + A_tt) n + d^2 (n - ddof)).
    """
    values = []
    for part in pooled(sums, params):
        n = totals.weight if params["multioutput"] == "per-column" else times(totals.weight, len(sums["pred"]))
        free = n + from_int(-int(params["ddof"]))
        both = about_mean(part["pred pred"], part["pred"], n) + about_mean(part["target target"], part["target"], n)
        gap = part["pred"] + times(part["target"], -1)
        between = part["pred pred"] + times(part["pred target"], -2) + part["target target"]
        apart = product(product(gap, gap), free)
        if free.units <= 0:
            return math.nan
        values.append(share(ratio, product(about_mean(between, gap, n), n) + apart, product(both, n) + apart))
    return math.fsum(values) / len(values)


@loss(
    title="Concordance loss",
    reduce=Sums(disagreement),
    unit="1",
    range="0 to 2",
    laws={NONNEGATIVE, SYMMETRIC, ZERO_AT_TARGET, SHIFT_INVARIANT},
    aliases=("1-ccc", "ccc", "concordance-correlation"),
    paper=Paper(
        "L. I.-K. Lin",
        1989,
        "A concordance correlation coefficient to evaluate reproducibility",
        doi="10.2307/2532051",
    ),
    see=("r2", "mse", "explained-variance"),
    tasks=("agreement", "reproducibility", "emotion recognition", "raters", "correlation"),
    equivalents=(
        Equivalent(
            "torchmetrics",
            "1 - concordance_corrcoef(pred, target).mean()",
            "ddof=1: its variances divide by n - 1, beside a difference of means that does not",
        ),
    ),
    traps=(
        "one minus Lin's coefficient: 0 is perfect agreement, 1 none, 2 perfect disagreement",
        "torchmetrics divides the variances by n - 1: --ddof 1",
        "where all predictions and all targets are one number it is 0: torchmetrics makes that nan",
    ),
)
def concordance(
    pred: Real,
    target: Real,
    *,
    ddof: Annotated[int, Param("variances and covariance divide by n - ddof", ge=0, le=1)] = 0,
    multioutput: Annotated[str, MULTIOUTPUT] = "global",
) -> dict[str, Term]:
    """One minus the concordance correlation: how far predictions are from the line on which they are the targets.

    With m the means, v the variances and c the covariance of prediction p and target t:

        1 - 2 c / (v_p + v_t + (m_p - m_t)^2)

    >>> concordance([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0])
    0.02321083172147002
    """
    return {
        "pred pred": (pred, pred),
        "pred target": (pred, target),
        "target target": (target, target),
        "pred": pred,
        "target": target,
    }
