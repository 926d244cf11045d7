"""Embeddings compared in threes."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import numerics, vectors
from lossctl.losses.types import Rows, Vector
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, When
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper, Preset

EUCLIDEAN = When("distance", ("euclidean",), None)


def distance_of(kind: str, u: Rows, v: Rows, p: float | None, eps: float | None) -> Rows:
    """(N,) distances between the rows of two (N, D) arrays."""
    if kind == "cosine":
        return vectors.cosine_distance(u, v)
    if kind == "sqeuclidean":
        return np.asarray(np.sum((u - v) ** 2, axis=1))
    if kind == "manhattan":
        return np.asarray(np.sum(np.abs(u - v), axis=1))
    apart = u - v + (eps or 0.0)
    return vectors.norms(apart) if p is None or p == 2 else vectors.p_norms(apart, p)


@loss(
    title="Triplet margin loss",
    reduce=Mean(),
    unit="distance",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("triplet",),
    presets=(
        Preset(
            "triplet-margin-with-distance",
            "Triplet margin loss with a chosen distance",
            "Triplet margin loss under the name torch gives it where the distance is chosen freely.",
            {},
        ),
    ),
    paper=Paper(
        "V. Balntas, E. Riba, D. Ponsa, K. Mikolajczyk",
        2016,
        "Learning local feature descriptors with triplets and shallow convolutional neural networks",
        doi="10.5244/C.30.119",
    ),
    see=("soft-triplet", "hinge"),
    like={"torch": {}},
    equivalents=(
        Equivalent(
            "torch", "F.triplet_margin_loss(anchor, positive, negative, margin=margin, p=p, eps=eps, swap=swap)"
        ),
    ),
    traps=(
        "eps is added to the difference, inside the norm, as torch does: d(a, a) is not zero",
        "optax adds eps inside the root and takes no absolute value, so p = 1 gives signed sums there",
        "FaceNet squares the distance: --distance sqeuclidean",
    ),
)
def triplet_margin(
    anchor: Vector,
    positive: Vector,
    negative: Vector,
    *,
    distance: Annotated[
        str, Param("how far apart two vectors are", choices=("euclidean", "sqeuclidean", "cosine", "manhattan"))
    ] = "euclidean",
    margin: Annotated[float, Param("how much further the negative must be than the positive", gt=0)] = 1.0,
    p: Annotated[float | None, Param("norm of the difference (euclidean only)", ge=1, when=EUCLIDEAN)] = 2.0,
    eps: Annotated[float | None, Param("added to the difference (euclidean only)", ge=0, when=EUCLIDEAN)] = 1e-6,
    swap: Annotated[bool, Param("take the negative's distance from anchor or positive, whichever is less")] = False,
) -> Rows:
    """How far the positive is from being closer to the anchor than the negative, by the margin.

    With d the distance and m the margin:

        max(0, d(anchor, positive) - d(anchor, negative) + m)

    >>> triplet_margin([[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.5]], distance="sqeuclidean", margin=2.0)
    array([0.75])
    """
    near = distance_of(distance, anchor, positive, p, eps)
    far = distance_of(distance, anchor, negative, p, eps)
    if swap:
        far = np.minimum(far, distance_of(distance, positive, negative, p, eps))
    return np.maximum(0.0, near - far + margin)


@loss(
    title="Triplet loss with a soft margin",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    paper=Paper("A. Hermans, L. Beyer, B. Leibe", 2017, "In defense of the triplet loss for person re-identification"),
    see=("triplet-margin",),
    tasks=("triplets", "embeddings", "person re-identification", "image retrieval"),
    equivalents=(
        Equivalent(
            "torch",
            "F.softplus((anchor - positive).norm(dim=1) - (anchor - negative).norm(dim=1), threshold=700).mean()",
        ),
    ),
    traps=(
        "there is no margin to choose: a triplet in which both are equally far costs log 2",
        "distances are Euclidean and not squared; pytorch-metric-learning's smooth_loss scales vectors to length 1",
    ),
)
def soft_triplet(anchor: Vector, positive: Vector, negative: Vector) -> Rows:
    """How much farther the positive is than the negative, through a softplus in place of a hinge.

    With d the Euclidean distance:

        log(1 + exp(d(anchor, positive) - d(anchor, negative)))

    >>> soft_triplet([[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.0]])
    array([0.69314718])
    """
    near = distance_of("euclidean", anchor, positive, 2.0, 0.0)
    far = distance_of("euclidean", anchor, negative, 2.0, 0.0)
    return numerics.softplus_pair(near - far)[1]
