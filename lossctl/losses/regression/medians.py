"""Numbers of a whole data set that need all its values at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from lossctl.exact import Exact
from lossctl.losses.regression.whole import MULTIOUTPUT
from lossctl.losses.types import Real
from lossctl.model.laws import NONNEGATIVE, SHIFT_INVARIANT, SYMMETRIC, ZERO_AT_TARGET
from lossctl.model.reduce import Sums, Term, Totals
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent
from lossctl.quantiles import weighted_quantile


def median(sums: dict[str, list[Exact]], totals: Totals, params: Mapping[str, Any]) -> float:
    """The weighted median of all elements, or the mean of the columns' medians."""
    error, weight = totals.kept["error"], totals.weights
    if params["multioutput"] == "per-column":
        return math.fsum(weighted_quantile(column, weight, 0.5) for column in error.T) / int(error.shape[1])
    each = None if weight is None else np.repeat(weight, error.shape[1])
    return weighted_quantile(error.reshape(-1), each, 0.5)


@loss(
    title="Median absolute error",
    reduce=Sums(median, keep=("error",)),
    unit="target units",
    range="0 to inf",
    laws={NONNEGATIVE, ZERO_AT_TARGET, SYMMETRIC, SHIFT_INVARIANT},
    aliases=("median-absolute-error",),
    see=("mae", "max-error"),
    tasks=("outliers", "robust regression", "typical error"),
    like={"sklearn": {"multioutput": "per-column"}},
    equivalents=(Equivalent("sklearn", "median_absolute_error(target, pred)", "the mean of the columns' medians"),),
    traps=(
        "it needs all errors at once: beyond --memory it is refused",
        "with weights it is the weighted median, as in scikit-learn",
    ),
)
def median_ae(pred: Real, target: Real, *, multioutput: Annotated[str, MULTIOUTPUT] = "global") -> dict[str, Term]:
    """The middle of the absolute errors: half of them are smaller.

        median |pred - target|

    >>> median_ae([1.0, 2.0, 9.0], [1.0, 1.0, 1.0])
    1.0
    """
    return {"error": np.abs(pred - target)}
