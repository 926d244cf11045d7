"""Series compared after one is warped onto the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl.losses.sequence.inputs import PredLengths, Series, TargetLengths
from lossctl.losses.types import Rows
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Paper
from lossctl.sequences import warping

ROUND_TRIP = (
    "a series without a value has no path to another: two empty ones are 0, one is inf",
    "series are compared as they are: standardise them first where only the shape matters",
)


def same_features(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """Points of both sides have as many numbers."""
    return "the numbers of features differ" if arrays["pred"].width != arrays["target"].width else None


@loss(
    title="Dynamic time warping",
    reduce=Mean(),
    unit="the metric's, summed along the path",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("dynamic-time-warping",),
    paper=Paper(
        "H. Sakoe, S. Chiba",
        1978,
        "Dynamic programming algorithm optimization for spoken word recognition",
        doi="10.1109/TASSP.1978.1163055",
    ),
    see=("soft-dtw", "mse"),
    tasks=("time series", "alignment", "forecasting"),
    traps=(
        "tslearn.metrics.dtw and dtaidistance take the root of the sum of squares: --root",
        "fastdtw sums absolute differences by default: --metric manhattan",
        "the sum grows with the length of the path, and is not divided by it",
        *ROUND_TRIP,
    ),
    align=same_features,
)
def dtw(
    pred: Series,
    target: Series,
    input_lengths: PredLengths = None,
    target_lengths: TargetLengths = None,
    *,
    metric: Annotated[
        str, Param("distance of two points", choices=("sqeuclidean", "euclidean", "manhattan"))
    ] = "sqeuclidean",
    window: Annotated[
        int | None,
        Param("how far a path may leave the diagonal (Sakoe and Chiba's band), none: as far as it likes", ge=0),
    ] = None,
    root: Annotated[bool, Param("take the root of the sum")] = False,
) -> Rows:
    """The least sum of distances along a path that warps one series onto the other.

    With d the distance of two points, D the least sum up to two of them:

        D(i, j) = d(x_i, y_j) + min(D(i-1, j), D(i, j-1), D(i-1, j-1))
        D(n, m)                 of series of n and m points
        sqrt(D(n, m))           with root

        -w <= j - i <= w        with window w, wider by |n - m| towards the longer side

    >>> dtw([[1.0, 2.0, 3.0]], [[2.0, 2.0, 4.0]])
    array([2.])
    """
    found = warping.dtw(pred, target, metric=metric, window=window)
    return np.sqrt(found) if root else found


@loss(
    title="Soft dynamic time warping",
    reduce=Mean(),
    unit="squared units, summed along paths",
    range="-inf to inf",
    aliases=("soft-dynamic-time-warping", "sdtw"),
    paper=Paper("M. Cuturi, M. Blondel", 2017, "Soft-DTW: a differentiable loss function for time-series", doi=None),
    see=("dtw",),
    tasks=("time series", "alignment", "forecasting"),
    traps=(
        "it may be negative, and of a series with itself it is at most 0: --divergence takes that off",
        "--gamma is in squared units of the series: 1 is a lot for standardised ones",
        *ROUND_TRIP,
    ),
    align=same_features,
)
def soft_dtw(
    pred: Series,
    target: Series,
    input_lengths: PredLengths = None,
    target_lengths: TargetLengths = None,
    *,
    gamma: Annotated[float, Param("how soft the minimum is; towards 0 it is dtw", gt=0)] = 1.0,
    divergence: Annotated[
        bool, Param("take off half of what each series has with itself, so that equal ones are 0")
    ] = False,
) -> Rows:
    """Dynamic time warping with a soft minimum, in which all paths count.

    Over squared Euclidean distances d, with s(x, y) = S(n, m):

        S(i, j) = d(x_i, y_j) - gamma log(e^(-S(i-1, j) / gamma) + e^(-S(i, j-1) / gamma) + e^(-S(i-1, j-1) / gamma))
        s(x, y)
        s(x, y) - (s(x, x) + s(y, y)) / 2        with divergence

    >>> soft_dtw([[1.0, 2.0, 3.0]], [[2.0, 2.0, 4.0]])
    array([0.66702827])
    """
    found = warping.soft_dtw(pred, target, gamma=gamma)
    if not divergence:
        return found
    own = [warping.soft_dtw(side, side, gamma=gamma) for side in (pred, target)]
    return found - (own[0] + own[1]) / 2.0
