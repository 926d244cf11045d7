"""Embeddings compared in twos: what belongs together must be near, what does not must be far."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import vectors
from lossctl.losses.metric_learning.triplet import distance_of
from lossctl.losses.types import Rows, Vector
from lossctl.losses.types_vectors import Distance, PairLabel, PairSign
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

DAMP = 1e-6  # torch adds its square to both squared lengths
APART = Param("how far apart the two of a dissimilar pair must be", gt=0)
SIMILAR = Param("the label of similar pairs: 1, or 0 as the paper writes them", ge=0, le=1)
HALF = Param("multiply by 1/2, as the paper does")
HADSELL = Paper(
    "R. Hadsell, S. Chopra, Y. LeCun",
    2006,
    "Dimensionality reduction by learning an invariant mapping",
    doi="10.1109/CVPR.2006.100",
)


@loss(
    title="Cosine embedding loss",
    reduce=Mean(),
    unit="1",
    range="0 to 2",
    laws={NONNEGATIVE},
    see=("cosine-distance", "contrastive", "triplet-margin"),
    tasks=("pairs", "similarity", "embeddings", "siamese networks", "verification"),
    like={"torch": {}},
    equivalents=(Equivalent("torch", "F.cosine_embedding_loss(x1, x2, target, margin=margin)", "labels -1 and 1"),),
    traps=(
        "torch adds 1e-12 to both squared lengths inside the root: equal vectors shorter than about 1e-4 are not at 0",
        "torch gives 0 for a label other than -1 and 1; here it is an error",
        "a zero vector has cosine 0 with everything: a similar pair costs 1",
    ),
)
def cosine_embedding(
    x1: Vector,
    x2: Vector,
    target: PairSign,
    *,
    margin: Annotated[float, Param("the cosine up to which a dissimilar pair costs nothing", ge=-1, le=1)] = 0.0,
) -> Rows:
    """How far two vectors are from pointing the same way, or how far from pointing apart.

    With c = x1.x2 / sqrt((x1.x1 + 1e-12) (x2.x2 + 1e-12)), m the margin:

        1 - c            target 1
        max(0, c - m)    target -1

    >>> cosine_embedding([[1.0, 0.0], [1.0, 0.0]], [[0.0, 2.0], [3.0, 4.0]], [1, -1], margin=0.5)
    array([1. , 0.1])
    """
    cosine, distance = vectors.damped_cosines(x1, x2, DAMP)
    return np.where(target > 0, distance, np.maximum(0.0, cosine - margin))


@loss(
    title="Contrastive loss of given distances",
    reduce=Mean(),
    unit="distance^2",
    range="0 to inf",
    laws={NONNEGATIVE},
    paper=HADSELL,
    see=("contrastive", "hinge-embedding"),
    tasks=("pairs", "similarity", "distances", "siamese networks"),
    traps=(
        "the label 1 means similar here, 0 in the paper: similar=0",
        "tutorials of Keras and TensorFlow Addons leave the 1/2 out: half=false",
    ),
)
def contrastive_distance(
    pred: Distance,
    target: PairLabel,
    *,
    margin: Annotated[float, APART] = 1.0,
    similar: Annotated[int, SIMILAR] = 1,
    half: Annotated[bool, HALF] = True,
) -> Rows:
    """Squared distance of a similar pair, or how far a dissimilar one is from being apart, squared.

    With d the distance that stands in the row, m the margin:

        1/2 d^2               similar
        1/2 max(0, m - d)^2   dissimilar

    >>> contrastive_distance([0.5, 0.5, 2.0], [1, 0, 0])
    array([0.125, 0.125, 0.   ])
    """
    away = np.where(target == similar, pred, np.maximum(0.0, margin - pred))
    return np.asarray((0.5 if half else 1.0) * away * away)


@loss(
    title="Contrastive loss",
    reduce=Mean(),
    unit="distance^2",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("hadsell", "pair-contrastive"),
    paper=HADSELL,
    see=("contrastive-distance", "cosine-embedding", "triplet-margin", "info-nce"),
    tasks=("pairs", "similarity", "embeddings", "siamese networks", "verification"),
    equivalents=(
        Equivalent(
            "torch",
            "((0.5 if half else 1) * torch.where(target == similar, F.pairwise_distance(x1, x2, p=p, eps=0.0), "
            "(margin - F.pairwise_distance(x1, x2, p=p, eps=0.0)).clamp(min=0)) ** 2).mean()",
        ),
    ),
    traps=(
        "the label 1 means similar here, 0 in the paper: similar=0",
        "tutorials of Keras and TensorFlow Addons leave the 1/2 out: half=false",
        "pytorch-metric-learning does not square, scales vectors to length 1 first, and takes the mean of the pairs "
        "that are not at zero, similar and dissimilar ones apart",
        "a file that holds the distances themselves goes to contrastive-distance",
    ),
)
def contrastive(
    x1: Vector,
    x2: Vector,
    target: PairLabel,
    *,
    margin: Annotated[float, APART] = 1.0,
    similar: Annotated[int, SIMILAR] = 1,
    half: Annotated[bool, HALF] = True,
    p: Annotated[float, Param("norm of the difference", ge=1)] = 2.0,
) -> Rows:
    """Squared distance of two similar vectors, or how far two others are from being apart, squared.

    With d = ||x1 - x2||_p, m the margin:

        1/2 d^2               similar
        1/2 max(0, m - d)^2   dissimilar

    >>> contrastive([[0.0, 0.0], [0.0, 0.0]], [[0.6, 0.8], [0.3, 0.4]], [1, 0])
    array([0.5  , 0.125])
    """
    apart = distance_of("euclidean", x1, x2, p, 0.0)
    rows: Rows = contrastive_distance.kernel(apart, target, margin=margin, similar=similar, half=half)
    return rows
