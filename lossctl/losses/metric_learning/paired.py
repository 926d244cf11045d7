"""Paired embeddings of a batch: each must be nearer to its partner than to the partners of all others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import numpy as np

from lossctl import numerics, tiles, vectors
from lossctl.losses.metric_learning.angles import cost
from lossctl.losses.metric_learning.batches import L2_NORMALIZE, LONG, TOO_LONG
from lossctl.losses.types import Rows, Vector
from lossctl.model.findings import Seen
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper, Preset

NEAR = "(F.normalize(x1) @ F.normalize(x2).T if l2_normalize else x1 @ x2.T)"
TASKS = ("embeddings", "self-supervised", "contrastive learning", "two views", "image and text", "retrieval")
BATCH = "a value depends on the whole batch: with other rows in it, it is another one"


def similarities(x1: Rows, x2: Rows, l2_normalize: bool) -> Iterator[tuple[slice, Rows]]:
    """Cosines, or dot products, of all rows of both, a stripe at a time."""
    return tiles.cosines(x1, x2) if l2_normalize else tiles.dots(x1, x2)


def comparable(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    """Vectors whose dot products do not overflow."""
    length = np.maximum(vectors.norms(arrays["x1"]), vectors.norms(arrays["x2"]))
    return [(TOO_LONG, np.full(len(length), not params.get("l2_normalize")) & (length > LONG), length)]


def partner_costs(x1: Rows, x2: Rows, l2_normalize: bool, temperature: float) -> Rows:
    """(N,) cross-entropy of each row's own partner among all partners."""
    own = np.arange(len(x1))
    return cost(similarities(x1, x2, l2_normalize), own, lambda _, near: near / temperature)


@loss(
    title="InfoNCE loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    scope="batch",
    presets=(
        Preset(
            "clip",
            "CLIP loss",
            "InfoNCE in both directions, as image and text encoders are trained by.",
            {"symmetric": True},
        ),
    ),
    paper=Paper(
        "A. van den Oord, Y. Li, O. Vinyals", 2018, "Representation learning with contrastive predictive coding"
    ),
    see=("siglip", "n-pairs", "contrastive"),
    tasks=TASKS,
    equivalents=(
        Equivalent("torch", f"F.cross_entropy({NEAR} / temperature, torch.arange(len(x1)))", "symmetric=false only"),
        Equivalent(
            "torch",
            f"(F.cross_entropy({NEAR} / temperature, torch.arange(len(x1))) + "
            f"F.cross_entropy({NEAR}.T / temperature, torch.arange(len(x1)))) / 2",
            "symmetric=true only",
        ),
    ),
    traps=(
        "OpenCLIP multiplies by logit_scale, which is 1 / temperature",
        BATCH,
        "a zero vector has cosine 0 with every other",
    ),
    checks=comparable,
)
def info_nce(
    x1: Vector,
    x2: Vector,
    *,
    temperature: Annotated[float, Param("what similarities are divided by", gt=0)] = 0.07,
    symmetric: Annotated[bool, Param("take the mean of both directions, x1 to x2 and x2 to x1")] = False,
    l2_normalize: Annotated[bool, L2_NORMALIZE] = True,
) -> Rows:
    """How little of the softmax of similarities falls to the own partner, among all partners of the batch.

    With s_ij the cosine of x1_i and x2_j:

        -log-softmax_j(s_ij / temperature)_i

    With symmetric, the mean of that and of -log-softmax_j(s_ji / temperature)_i.

    >>> info_nce([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 3.0]], temperature=0.5)
    array([0.12692801, 0.12692801])
    """
    there = partner_costs(x1, x2, l2_normalize, temperature)
    return 0.5 * (there + partner_costs(x2, x1, l2_normalize, temperature)) if symmetric else there


@loss(
    title="Sigmoid loss of paired embeddings",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    scope="batch",
    aliases=("sigmoid-contrastive",),
    paper=Paper(
        "X. Zhai, B. Mustafa, A. Kolesnikov, L. Beyer",
        2023,
        "Sigmoid loss for language image pre-training",
        doi="10.1109/ICCV51070.2023.01100",
    ),
    see=("info-nce", "bce-with-logits"),
    tasks=TASKS,
    equivalents=(
        Equivalent(
            "torch",
            f"-F.logsigmoid((2 * torch.eye(len(x1)) - 1) * (t * {NEAR} + b)).sum() / len(x1)",
        ),
    ),
    traps=(
        "the sum over all pairs is divided by the rows, not by the pairs",
        "t multiplies as it is; models store its logarithm (log 10 to begin with)",
        BATCH,
    ),
    checks=comparable,
)
def siglip(
    x1: Vector,
    x2: Vector,
    *,
    t: Annotated[float, Param("what similarities are multiplied by", gt=0)] = 10.0,
    b: Annotated[float, Param("what is added to them")] = -10.0,
    l2_normalize: Annotated[bool, L2_NORMALIZE] = True,
) -> Rows:
    """Every pair of the batch as a question to be answered by yes or no: partners or not.

    With s_ij the cosine of x1_i and x2_j, z_ij = 1 for i = j and -1 for others:

        -sum_j log sigmoid(z_ij (t s_ij + b))

    >>> siglip([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], t=2, b=-1)
    array([0.62652338, 0.62652338])
    """
    value = np.empty(len(x1))
    for part, near in similarities(x1, x2, l2_normalize):
        near *= t
        near += b
        own = np.arange(len(near)), np.arange(part.start, part.start + len(near))
        near[own] *= -1.0
        value[part] = np.sum(numerics.softplus_pair(near)[1], axis=1)
    return value


@loss(
    title="N-pairs loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    scope="batch",
    paper=Paper("K. Sohn", 2016, "Improved deep metric learning with multi-class n-pair loss objective"),
    see=("info-nce", "triplet-margin"),
    tasks=(*TASKS, "metric learning"),
    equivalents=(
        Equivalent(
            "torch",
            "F.cross_entropy(x1 @ x2.T, torch.arange(len(x1))) + l2reg * ((x1 ** 2).sum() + (x2 ** 2).sum()) / len(x1)",
        ),
        Equivalent(
            "pml",
            "losses.NPairsLoss(distance=distances.DotProductSimilarity(normalize_embeddings=False))("
            "torch.cat([x1, x2]), torch.arange(len(x1)).repeat(2), (torch.arange(len(x1)), "
            "torch.arange(len(x1)) + len(x1), torch.arange(0), torch.arange(0)))",
            "l2reg=0 only; scales vectors to length 1 unless told not to",
        ),
    ),
    traps=(
        "vectors keep their lengths, as in the paper: info-nce with temperature=1 is the loss of scaled ones",
        "l2reg multiplies the whole squared length of both vectors; TensorFlow's reg_lambda takes a quarter of it",
        BATCH,
    ),
    checks=comparable,
)
def n_pairs(
    x1: Vector,
    x2: Vector,
    *,
    l2reg: Annotated[float, Param("weight of the squared lengths of both vectors", ge=0)] = 0.0,
) -> Rows:
    """How little of the softmax of dot products falls to the own positive, among all positives of the batch.

    With s_ij = x1_i.x2_j, r the regularisation:

        -log-softmax_j(s_ij)_i + r (|x1_i|^2 + |x2_i|^2)

    >>> n_pairs([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]])
    array([0.12692801, 0.12692801])
    """
    plain = partner_costs(x1, x2, l2_normalize=False, temperature=1.0)
    return plain if l2reg == 0 else plain + l2reg * (np.sum(x1 * x1, axis=1) + np.sum(x2 * x2, axis=1))
