"""Norms of the error vector: of each row, or of the whole file as one long vector."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from lossctl import vectors
from lossctl.exact import Exact, from_int, root_ratio
from lossctl.losses.types import Rows, Vector
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean, Sums, Switch, Term, Totals
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent

OVER = Param("one norm for each row, or one for the whole file as one vector", choices=("sample", "all"))


def everything(sums: dict[str, list[Exact]], totals: Totals, params: Mapping[str, Any]) -> float:
    """The sum over all rows and columns, or its root."""
    parts = next(iter(sums.values()))
    whole = sum(parts[1:], parts[0])
    return root_ratio(whole, from_int(1)) if "square" in sums and not params["squared"] else whole.to_float()


@loss(
    title="Euclidean norm of the error",
    reduce=Switch("norm_over", {"sample": Mean(), "all": Sums(everything)}),
    unit="target units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("euclidean",),
    see=("mse", "rmse", "l1-norm"),
    tasks=("vectors", "regression", "keypoints", "coordinates", "distance"),
    equivalents=(
        Equivalent("torch", "torch.linalg.vector_norm(pred - target, dim=-1).mean()", "of N x D"),
        Equivalent("torchmetrics", "minkowski_distance(pred, target, p=2)", "norm_over=all"),
    ),
    traps=(
        "textbooks also call the sum of squares the L2 loss: --squared",
        "norm_over=all is the norm of one long vector, not the sum of the rows' norms",
    ),
)
def l2_norm(
    pred: Vector,
    target: Vector,
    *,
    squared: Annotated[bool, Param("the sum of squares, without the root")] = False,
    norm_over: Annotated[str, OVER] = "sample",
) -> Any:
    """Length of the error vector.

    With e = pred - target over the columns j of a row (norm_over=all: over all rows too):

        sqrt(sum_j e_j^2)
        sum_j e_j^2            squared

    >>> l2_norm([[3.0, 4.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]])
    array([5., 1.])
    """
    error = pred - target
    if norm_over == "all":
        return {"square": (error, error)}
    return np.sum(error * error, axis=1) if squared else vectors.norms(error)


@loss(
    title="Sum of absolute errors",
    reduce=Switch("norm_over", {"sample": Mean(default="sum"), "all": Sums(everything)}),
    unit="target units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("manhattan", "lad", "sae"),
    see=("mae", "l2-norm"),
    tasks=("vectors", "regression", "outliers", "distance", "least absolute deviations"),
    equivalents=(
        Equivalent("torch", "F.l1_loss(pred, target, reduction='sum')"),
        Equivalent("torchmetrics", "minkowski_distance(pred, target, p=1)"),
    ),
    traps=("it sums over rows by default, as least absolute deviations do: --reduction mean averages the rows",),
)
def l1_norm(pred: Vector, target: Vector, *, norm_over: Annotated[str, OVER] = "sample") -> Any:
    """Sum of the absolute errors of a row's columns.

    With e = pred - target over the columns j of a row (norm_over=all: over all rows too):

        sum_j |e_j|

    >>> l1_norm([[3.0, 4.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]])
    array([7., 1.])
    """
    error = np.abs(pred - target)
    return {"size": error} if norm_over == "all" else np.sum(error, axis=1)


REACH = 600.0  # how far powers may lie from 1, in bits, so that none leaves the floats


def in_bands(size: Rows, p: float) -> dict[str, Term]:
    """The p-th powers of sizes, in bands of the floats: the term ``b`` holds those of sizes near 2^(b width).

    A power itself leaves the floats (at p = 3 from 1e103 on), and no scale fits numbers that are still to come.
    """
    width = band_width(p)
    exponent = np.frexp(size)[1]
    band = np.where(size > 0, np.round(exponent / width), 0).astype(np.int64)
    powers = np.ldexp(size, (-band * width).astype(np.int32)) ** p
    return {str(b): np.where(band == b, powers, 0.0) for b in np.unique(band).tolist()}


def band_width(p: float) -> int:
    return max(1, int(REACH / p))


def from_bands(sums: dict[str, list[Exact]], totals: Totals, params: Mapping[str, Any]) -> float:
    """The p-th root of the sum of all bands."""
    p = float(params["p"])
    bands = {int(name): sum(parts[1:], parts[0]) for name, parts in sums.items()}
    held = [band for band, total in bands.items() if total.units or not total.finite]
    if not held:
        return 0.0
    top, width = max(held), band_width(p)
    # Two bands down nothing is left beside the top one: 2^-1200 of it.
    near = [bands[b].to_float() * 2.0 ** max((b - top) * width * p, -1074.0) for b in held if b > top - 2]
    power = math.fsum(near)
    root = power ** (1.0 / p)
    root -= root * (root**p / power - 1.0) / p  # 1/p is rounded, which a power far from 1 shows: one step of Newton's
    try:
        return math.ldexp(root, top * width)
    except OverflowError:
        return math.inf


@loss(
    title="Minkowski norm of the error",
    reduce=Switch("norm_over", {"sample": Mean(), "all": Sums(from_bands)}),
    unit="target units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("lp", "lp-norm", "minkowski-distance"),
    see=("l1-norm", "l2-norm", "max-error"),
    tasks=("vectors", "regression", "distance", "between absolute and greatest error"),
    equivalents=(
        Equivalent("torch", "torch.linalg.vector_norm(pred - target, ord=p, dim=-1).mean()", "of N x D"),
        Equivalent("scipy", "np.mean([distance.minkowski(a, b, p) for a, b in zip(pred, target)])", "of N x D"),
        Equivalent("torchmetrics", "minkowski_distance(pred, target, p=p)", "norm_over=all"),
    ),
    traps=(
        "torchmetrics' minkowski_distance is the norm of the whole file as one vector: --norm-over all",
        "p=1 is l1-norm (which sums over rows by default), p=2 is l2-norm; towards large p it is the greatest error",
    ),
)
def minkowski(
    pred: Vector,
    target: Vector,
    *,
    p: Annotated[float, Param("the power: 1 adds sizes, large ones see the greatest alone", ge=1)] = 2.0,
    norm_over: Annotated[str, OVER] = "sample",
) -> Any:
    """Length of the error vector in the p-norm.

    With e = pred - target over the columns j of a row (norm_over=all: over all rows too):

        (sum_j |e_j|^p)^(1/p)

    >>> minkowski([[3.0, 4.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]], p=3.0)
    array([4.49794145, 1.        ])
    """
    error = pred - target
    return in_bands(np.abs(error), p) if norm_over == "all" else vectors.p_norms(error, p)
