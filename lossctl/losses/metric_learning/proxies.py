"""Proxies: a vector for each class that stands in for its members."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import tiles
from lossctl.losses.metric_learning.angles import columns_agree, cost
from lossctl.losses.metric_learning.batches import log_sums
from lossctl.losses.types import Rows, Vector
from lossctl.losses.types_labels import ClassIndex
from lossctl.losses.types_vectors import Prototypes
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Batches, Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

ZERO = "a zero vector has cosine 0 with every class"
TASKS = ("embeddings", "class prototypes", "metric learning", "image retrieval")


@loss(
    title="Proxy-NCA",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    paper=Paper(
        "Y. Movshovitz-Attias, A. Toshev, T. K. Leung, S. Ioffe, S. Singh",
        2017,
        "No fuss distance metric learning using proxies",
        doi="10.1109/ICCV.2017.47",
    ),
    see=("proxy-anchor", "normalized-softmax", "soft-triple"),
    tasks=(*TASKS, "neighbourhood components analysis"),
    equivalents=(
        Equivalent(
            "torch",
            "F.cross_entropy(-factor * ((F.normalize(features)[:, None] - F.normalize(prototypes)) ** 2).sum(2), "
            "target)",
        ),
        Equivalent(
            "pml",
            "torch.func.functional_call(losses.ProxyNCALoss("
            "len(prototypes), features.shape[1], softmax_scale=factor), "
            "{'proxies': prototypes}, (features, target))",
        ),
    ),
    traps=(
        "the true class stands in the denominator, as in pytorch-metric-learning; the paper leaves it out, which may "
        "fall below zero",
        "pytorch-metric-learning leaves out of its mean the rows whose probability underflows",
        "as |a - b|^2 = 2 - 2 cos for vectors of length 1, it is a normalised softmax of temperature 1 / (2 factor)",
        ZERO,
    ),
    align=columns_agree,
)
def proxy_nca(
    features: Vector,
    target: ClassIndex,
    prototypes: Prototypes,
    *,
    factor: Annotated[float, Param("what squared distances are multiplied by", gt=0)] = 1.0,
) -> Rows:
    """How little of the softmax of negative squared distances falls to the proxy of the true class.

    With d_j the distance to the proxy of class j, all vectors brought to length 1:

        -log-softmax(-factor d^2)_y

    >>> proxy_nca([[3.0, 0.0]], [0], [[2.0, 0.0], [0.0, 1.0]])
    array([0.12692801])
    """
    # -|a - b|^2 is 2 cos - 2, and a softmax does not see what is added to all.
    return cost(tiles.cosines(features, prototypes), target, lambda _, near: 2.0 * factor * near)


@loss(
    title="Proxy-Anchor loss",
    reduce=Batches(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    scope="batch",
    paper=Paper(
        "S. Kim, D. Kim, M. Cho, S. Kwak",
        2020,
        "Proxy anchor loss for deep metric learning",
        doi="10.1109/CVPR42600.2020.00330",
    ),
    see=("proxy-nca", "normalized-softmax"),
    tasks=TASKS,
    equivalents=(
        Equivalent(
            "pml",
            "torch.func.functional_call(losses.ProxyAnchorLoss("
            "len(prototypes), features.shape[1], margin=margin, alpha=alpha), "
            "{'proxies': prototypes}, (features, target))",
        ),
    ),
    traps=(
        "the first sum is divided by the classes that occur in the batch, the second by all classes",
        "one value a batch, as each proxy sees all rows of it",
        ZERO,
    ),
    align=columns_agree,
)
def proxy_anchor(
    features: Vector,
    target: ClassIndex,
    prototypes: Prototypes,
    *,
    margin: Annotated[float, Param("how far beyond right angles similarities are pushed", ge=0, le=1)] = 0.1,
    alpha: Annotated[float, Param("how sharply the hardest rows are favoured", gt=0)] = 32.0,
) -> Rows:
    """How far rows are from the proxy of their class, and how near to the others, the hardest counting most.

    With s_ij the cosine of row i and proxy j, over C proxies, of which those of P classes have rows in the batch:

        1/P sum_j log(1 + sum_(y_i = j) exp(-alpha (s_ij - margin)))
        + 1/C sum_j log(1 + sum_(y_i != j) exp(alpha (s_ij + margin)))

    >>> proxy_anchor([[1.0, 0.0], [0.0, 2.0]], [0, 1], [[3.0, 0.0], [0.0, 1.0]], alpha=2, margin=0.5)
    array([1.62652338])
    """
    count = len(prototypes)
    pull, push = np.full(count, -np.inf), np.full(count, -np.inf)
    for part, near in tiles.cosines(features, prototypes):
        own = np.zeros(near.shape, bool)
        own[np.arange(len(near)), target[part]] = True
        pull = np.logaddexp(pull, log_sums(alpha * (margin - near.T), own.T))
        push = np.logaddexp(push, log_sums(alpha * (near.T + margin), ~own.T))
    there = np.unique(target).size
    return np.array([np.sum(np.logaddexp(0.0, pull)) / there + np.sum(np.logaddexp(0.0, push)) / count])
