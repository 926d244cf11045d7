"""Norms of the error vector: of each row, or of the whole file as one long vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from lossctl import numerics
from lossctl.exact import Exact, from_int, root_ratio
from lossctl.losses.types import Vector
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean, Sums, Switch, Totals
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
    return np.sum(error * error, axis=1) if squared else numerics.norms(error)


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
