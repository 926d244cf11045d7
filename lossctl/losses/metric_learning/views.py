"""Two views of a batch: equal row by row, and the columns of each spread out and unlike one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl import tiles
from lossctl.losses.types import Rows, Vector
from lossctl.model.findings import Rule, Seen
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Batches
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper

TASKS = ("embeddings", "self-supervised", "two views", "redundancy reduction", "collapse")
ALONE = Rule(
    "batch-of-one",
    "stands alone in its batch: columns of one row have no spread",
    hint="--batch-size N with a number that leaves no batch of one row",
)


def not_alone(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    """A batch has two rows or more."""
    rows = len(arrays["x1"])
    return [(ALONE, np.full(rows, rows == 1), np.full(rows, ""))]


def centred(x: Rows) -> Rows:
    """(D, N) the columns of an (N, D) array without their means."""
    columns = np.ascontiguousarray(x.T)
    # Once more, for what the rounding of a large mean has left.
    columns = columns - np.mean(columns, axis=1, keepdims=True)
    return np.asarray(columns - np.mean(columns, axis=1, keepdims=True))


def variances(columns: Rows) -> Rows:
    """(D,) of centred columns, unbiased."""
    return np.asarray(np.sum(columns * columns, axis=1) / (columns.shape[1] - 1))


def off_diagonal(a: Rows, b: Rows, divisor: float) -> float:
    """The sum of squares of dot products of different columns, each divided first."""
    found = 0.0
    for part, dots in tiles.dots(a, b):
        dots /= divisor
        np.fill_diagonal(dots[:, part], 0.0)
        dots *= dots
        found += float(np.sum(dots))
    return found


@loss(
    title="VICReg loss",
    reduce=Batches(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    scope="batch",
    paper=Paper(
        "A. Bardes, J. Ponce, Y. LeCun",
        2022,
        "VICReg: variance-invariance-covariance regularization for self-supervised learning",
    ),
    see=("barlow-twins", "info-nce"),
    tasks=TASKS,
    equivalents=(
        Equivalent(
            "pml",
            "losses.VICRegLoss(invariance_lambda=invariance, variance_mu=variance, covariance_v=covariance, eps=eps)("
            "x1, ref_emb=x2)",
        ),
    ),
    traps=(
        "the variance terms of the two views are averaged, their covariance terms are added",
        "variances are unbiased, and eps stands inside the root",
        "one value a batch; a batch of one row is an error",
    ),
    checks=not_alone,
)
def vicreg(
    x1: Vector,
    x2: Vector,
    *,
    invariance: Annotated[float, Param("weight of the mean squared difference of the views", ge=0)] = 25.0,
    variance: Annotated[float, Param("weight of what standard deviations lack of 1", ge=0)] = 25.0,
    covariance: Annotated[float, Param("weight of the squared covariances of different columns", ge=0)] = 1.0,
    eps: Annotated[float, Param("added to variances, inside the root", ge=0)] = 1e-4,
) -> Rows:
    """How far two views differ, how little their columns spread, and how much these say the same.

    Over the rows of a batch and D columns, with C and C' the covariance matrices of the views:

        invariance mean((x1 - x2)^2)
        + variance (v(C) + v(C')) / 2    v(C) = mean_j max(0, 1 - sqrt(C_jj + eps))
        + covariance (c(C) + c(C'))      c(C) = sum_(j != k) C_jk^2 / D

    >>> vicreg([[1.0, 0.0], [-1.0, 2.0]], [[1.0, 0.0], [-1.0, 2.0]], covariance=0.5)
    array([4.])
    """
    views = centred(x1), centred(x2)
    n, wide = x1.shape
    spread = [np.mean(np.maximum(0.0, 1.0 - np.sqrt(variances(view) + eps))) for view in views]
    shared = [off_diagonal(view, view, n - 1.0) / wide for view in views]
    terms = (invariance, np.mean((x1 - x2) ** 2)), (variance, 0.5 * sum(spread)), (covariance, sum(shared))
    return np.array([sum(weight * term for weight, term in terms if weight)])


@loss(
    title="Barlow Twins loss",
    reduce=Batches(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    scope="batch",
    paper=Paper(
        "J. Zbontar, L. Jing, I. Misra, Y. LeCun, S. Deny",
        2021,
        "Barlow Twins: self-supervised learning via redundancy reduction",
    ),
    see=("vicreg", "info-nce"),
    tasks=TASKS,
    equivalents=(Equivalent("monai", "losses.BarlowTwinsLoss(lambd=lam)(x1, x2)"),),
    traps=(
        "standard deviations are unbiased and the cross-correlations divide by n, so that a view with itself is not at "
        "0 but has (n - 1) / n on the diagonal; the authors' code takes biased ones and adds 1e-5 inside the root",
        "one value a batch; a batch of one row is an error",
    ),
    checks=not_alone,
)
def barlow_twins(
    x1: Vector,
    x2: Vector,
    *,
    lam: Annotated[float, Param("weight of the squared correlations of different columns", ge=0)] = 5e-3,
    eps: Annotated[float, Param("added to standard deviations", ge=0)] = 1e-6,
) -> Rows:
    """How far the cross-correlations of the columns of two views are from the identity.

    Over the n rows of a batch, with z the columns less their mean, divided by their standard deviation + eps:

        C_jk = sum_i z1_ij z2_ik / n
        sum_j (1 - C_jj)^2 + lam sum_(j != k) C_jk^2

    >>> barlow_twins([[1.0, 3.0], [-1.0, 5.0]], [[2.0, 1.0], [4.0, -1.0]], eps=0)
    array([4.5025])
    """
    n = len(x1)
    views = []
    for x in (x1, x2):
        columns = centred(x)
        size = (np.sqrt(variances(columns)) + eps)[:, None]
        views.append(np.divide(columns, size, out=np.zeros_like(columns), where=size > 0))
    alike = np.sum(views[0] * views[1], axis=1) / n
    others = off_diagonal(views[0], views[1], float(n)) if lam else 0.0
    return np.array([np.sum((1.0 - alike) ** 2) + lam * others])
