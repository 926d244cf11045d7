"""Features against a vector for each class: distances, and cross-entropies of what the vectors have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl import tiles
from lossctl.losses.metric_learning.angles import columns_agree, cost
from lossctl.losses.types import Rows, Vector
from lossctl.losses.types_labels import ClassIndex
from lossctl.losses.types_vectors import Centers, Prototypes
from lossctl.model.beside import centers_of
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper

ZERO = "a zero vector has cosine 0 with every class"
TASKS = ("embeddings", "face recognition", "class prototypes", "metric learning")


@loss(
    title="Center loss",
    reduce=Mean(),
    unit="distance^2",
    range="0 to inf",
    laws={NONNEGATIVE},
    paper=Paper(
        "Y. Wen, K. Zhang, Z. Li, Y. Qiao",
        2016,
        "A discriminative feature learning approach for deep face recognition",
        doi="10.1007/978-3-319-46478-7_31",
    ),
    see=("normalized-softmax", "proxy-nca"),
    tasks=(*TASKS, "clustering", "k-means"),
    equivalents=(Equivalent("torch", "((features - prototypes[target]) ** 2).sum(1).mean() * (0.5 if half else 1)"),),
    traps=(
        "the paper sums over the batch: reduction sum; here the mean divides by the rows",
        "a well-known implementation for torch leaves the 1/2 out and clamps after it has masked the other classes, "
        "which adds 1e-12 for each of them",
        "|x|^2 + |c|^2 - 2 x.c cancels where a feature lies close to its center; here the difference is squared",
    ),
    align=columns_agree,
)
def center(
    features: Vector,
    target: ClassIndex,
    prototypes: Prototypes,
    *,
    half: Annotated[bool, Param("multiply by 1/2, as the paper does")] = True,
) -> Rows:
    """Squared distance of the features from the center of their class.

    With x the features, c_y the prototype of their class:

        1/2 |x - c_y|^2

    >>> center([[1.0, 2.0]], [1], [[0.0, 0.0], [1.0, 0.0]])
    array([2.])
    """
    away = features - prototypes[target]
    return np.asarray((0.5 if half else 1.0) * np.sum(away * away, axis=1))


@loss(
    title="Normalised softmax",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("norm-face",),
    paper=Paper(
        "F. Wang, X. Xiang, J. Cheng, A. L. Yuille",
        2017,
        "NormFace: L2 hypersphere embedding for face verification",
        doi="10.1145/3123266.3123359",
    ),
    see=("cosface", "linear-cross-entropy", "proxy-nca"),
    tasks=TASKS,
    equivalents=(
        Equivalent("torch", "F.cross_entropy(F.normalize(features) @ F.normalize(prototypes).T / temperature, target)"),
        Equivalent(
            "pml",
            "torch.func.functional_call(losses.NormalizedSoftmaxLoss("
            "len(prototypes), features.shape[1], temperature=temperature), "
            "{'W': prototypes.T}, (features, target))",
        ),
    ),
    traps=(
        "features and prototypes are both brought to length 1; a scale s elsewhere is 1 / temperature here",
        ZERO,
    ),
    align=columns_agree,
)
def normalized_softmax(
    features: Vector,
    target: ClassIndex,
    prototypes: Prototypes,
    *,
    temperature: Annotated[float, Param("what cosines are divided by", gt=0)] = 0.05,
) -> Rows:
    """Cross-entropy of the cosines between features and class prototypes.

    With cos_j the cosine of the angle to the prototype of class j:

        -log-softmax(cos / temperature)_y

    >>> normalized_softmax([[3.0, 0.0]], [0], [[2.0, 0.0], [0.0, 1.0]], temperature=0.5)
    array([0.12692801])
    """
    return cost(tiles.cosines(features, prototypes), target, lambda _, near: near / temperature)


def centers_fit(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """Prototypes have a column for each feature, and every class has as many of them."""
    each = centers_of(params)
    if len(arrays["prototypes"]) % each:
        return f"the prototypes are not a multiple of centers ({each})"
    return columns_agree(arrays, params)


@loss(
    title="SoftTriple loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    paper=Paper(
        "Q. Qian, L. Shang, B. Sun, J. Hu, H. Li, R. Jin",
        2019,
        "SoftTriple loss: deep metric learning without triplet sampling",
        doi="10.1109/ICCV.2019.00655",
    ),
    see=("normalized-softmax", "cosface"),
    tasks=(*TASKS, "several centers a class", "image retrieval"),
    equivalents=(
        Equivalent(
            "pml",
            "torch.func.functional_call(losses.SoftTripleLoss("
            "len(prototypes) // centers, features.shape[1], centers_per_class=centers, la=la, gamma=gamma, "
            "margin=margin), "
            "{'fc': prototypes.T}, (features, target))",
        ),
    ),
    traps=(
        "the prototypes of a class stand one after the other: rows 0 to centers - 1 are class 0",
        "gamma divides, as in the paper; the regulariser that draws centers together is left out",
        ZERO,
    ),
    align=centers_fit,
)
def soft_triple(
    features: Vector,
    target: ClassIndex,
    prototypes: Centers,
    *,
    centers: Annotated[int, Param("how many prototypes each class has", ge=1)] = 10,
    la: Annotated[float, Param("what similarities to classes are multiplied by", gt=0)] = 20.0,
    gamma: Annotated[float, Param("temperature of the softmax over the centers of a class", gt=0)] = 0.1,
    margin: Annotated[float, Param("what the similarity to the true class must have in hand", ge=0)] = 0.01,
) -> Rows:
    """Cross-entropy of similarities to classes that have several centers each.

    With cos_jk the cosine of the angle to center k of class j, q_jk = softmax over k of cos_jk / gamma:

        s_j = sum_k q_jk cos_jk
        -log-softmax(la (s - margin [j = y]))_y

    >>> soft_triple([[1.0, 0.0]], [0], [[1.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, 1.0]], centers=2, la=1, margin=0)
    array([0.3132739])
    """

    def scores(part: slice, near: Rows) -> Rows:
        near = near.reshape(len(near), len(prototypes) // centers, centers)
        share = np.exp((near - np.max(near, axis=2, keepdims=True)) / gamma)
        found = np.sum(share * near, axis=2) / np.sum(share, axis=2)
        found[np.arange(len(near)), target[part]] -= margin
        return np.asarray(la * found)

    return cost(tiles.cosines(features, prototypes), target, scores)
