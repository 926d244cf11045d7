"""Softmax with a margin in the angle to the true class, as face recognition uses it."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import tiles, vectors
from lossctl.losses.lengths import in_range
from lossctl.losses.metric_learning.angles import angles, columns_agree, cost, folded, moved
from lossctl.losses.types import Rows, Vector
from lossctl.losses.types_labels import ClassIndex
from lossctl.losses.types_vectors import Prototypes
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

TIMES = Param("by how much the angle to the true class is multiplied", ge=1)
FACTOR = Param("what cosines are multiplied by", gt=0)
TASKS = ("embeddings", "face recognition", "verification", "class prototypes", "metric learning")
ROWS_OF_W = "prototypes hold a row for each class; pytorch-metric-learning's W holds a column for each"
ZERO = "a zero vector is at a right angle to every class"


@loss(
    title="Large-margin softmax",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("large-margin-softmax",),
    paper=Paper("W. Liu, Y. Wen, Z. Yu, M. Yang", 2016, "Large-margin softmax loss for convolutional neural networks"),
    see=("sphereface", "arcface", "linear-cross-entropy"),
    tasks=TASKS,
    equivalents=(
        Equivalent(
            "pml",
            "torch.func.functional_call(losses.LargeMarginSoftmaxLoss("
            "len(prototypes), features.shape[1], margin=m), "
            "{'W': prototypes.T}, (features, target))",
            "lam=0 only",
        ),
    ),
    traps=(
        "pytorch-metric-learning cuts an m that is not whole; here it is an error",
        "m = 1 is the cross-entropy of features times prototypes",
        ROWS_OF_W,
        ZERO,
    ),
    align=columns_agree,
    checks=in_range,
)
def l_softmax(
    features: Vector,
    target: ClassIndex,
    prototypes: Prototypes,
    *,
    m: Annotated[int, TIMES] = 4,
    lam: Annotated[float, Param("weight of the plain cosine beside psi, lowered while training", ge=0)] = 0.0,
) -> Rows:
    """Cross-entropy where the true class is scored by a multiple of its angle.

    With x the features, w_j the prototypes, theta_j the angle between them, k = floor(m theta_y / pi):

        z_j = |w_j| |x| cos(theta_j)                                   another class
        z_y = |w_y| |x| (lam cos(theta_y) + psi(theta_y)) / (1 + lam)  the true class
        psi(theta) = (-1)^k cos(m theta) - 2 k
        -log-softmax(z)_y

    >>> l_softmax([[1.0, 1.0]], [0], [[1.0, 0.0], [0.0, 1.0]], m=2)
    array([1.31326169])
    """

    def scores(part: slice, dots: Rows) -> Rows:
        if m == 1:
            return dots
        x, y = features[part], target[part]
        true = prototypes[y]
        angle = angles(x, true)
        turned = (lam * np.cos(angle) + folded(angle, m)) / (1.0 + lam)
        return moved(dots, y, vectors.norms(x) * vectors.norms(true) * turned)

    return cost(tiles.dots(features, prototypes), target, scores)


@loss(
    title="SphereFace loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("a-softmax",),
    paper=Paper(
        "W. Liu, Y. Wen, Z. Yu, M. Li, B. Raj, L. Song",
        2017,
        "SphereFace: deep hypersphere embedding for face recognition",
        doi="10.1109/CVPR.2017.713",
    ),
    see=("l-softmax", "cosface", "arcface"),
    tasks=TASKS,
    equivalents=(
        Equivalent(
            "pml",
            "torch.func.functional_call(losses.SphereFaceLoss("
            "len(prototypes), features.shape[1], margin=m, scale=factor), "
            "{'W': prototypes.T}, (features, target))",
        ),
    ),
    traps=("features keep their length, prototypes do not", ROWS_OF_W, ZERO),
    align=columns_agree,
    checks=in_range,
)
def sphereface(
    features: Vector,
    target: ClassIndex,
    prototypes: Prototypes,
    *,
    m: Annotated[int, TIMES] = 4,
    factor: Annotated[float, FACTOR] = 1.0,
) -> Rows:
    """Cross-entropy where the true class is scored by a multiple of its angle, and prototypes have length 1.

    With x the features, theta_j the angle to the prototype of class j, s the factor, k = floor(m theta_y / pi):

        z_j = s |x| cos(theta_j)    another class
        z_y = s |x| psi(theta_y)    the true class
        psi(theta) = (-1)^k cos(m theta) - 2 k
        -log-softmax(z)_y

    >>> sphereface([[1.0, 1.0]], [0], [[5.0, 0.0], [0.0, 1.0]], m=2)
    array([1.31326169])
    """

    def scores(part: slice, near: Rows) -> Rows:
        x, y = features[part], target[part]
        if m > 1:
            moved(near, y, folded(angles(x, prototypes[y]), m))
        near *= (factor * vectors.norms(x))[:, None]
        return near

    return cost(tiles.cosines(features, prototypes), target, scores)


@loss(
    title="CosFace loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("am-softmax", "lmcl"),
    paper=Paper(
        "H. Wang, Y. Wang, Z. Zhou, X. Ji, D. Gong, J. Zhou, Z. Li, W. Liu",
        2018,
        "CosFace: large margin cosine loss for deep face recognition",
        doi="10.1109/CVPR.2018.00552",
    ),
    see=("arcface", "sphereface", "normalized-softmax"),
    tasks=TASKS,
    equivalents=(
        Equivalent(
            "torch",
            "F.cross_entropy(factor * (F.normalize(features) @ F.normalize(prototypes).T - margin * "
            "F.one_hot(target, len(prototypes))), target)",
        ),
        Equivalent(
            "pml",
            "torch.func.functional_call(losses.CosFaceLoss("
            "len(prototypes), features.shape[1], margin=margin, scale=factor), "
            "{'W': prototypes.T}, (features, target))",
        ),
    ),
    traps=("the paper on AM-softmax has a factor of 30", ROWS_OF_W, "a zero vector has cosine 0 with every class"),
    align=columns_agree,
)
def cosface(
    features: Vector,
    target: ClassIndex,
    prototypes: Prototypes,
    *,
    margin: Annotated[float, Param("what the cosine of the true class must have in hand", ge=0, le=2)] = 0.35,
    factor: Annotated[float, FACTOR] = 64.0,
) -> Rows:
    """Cross-entropy of cosines where that of the true class counts less by a margin.

    With theta_j the angle to the prototype of class j, s the factor, m the margin:

        z_j = s cos(theta_j)          another class
        z_y = s (cos(theta_y) - m)    the true class
        -log-softmax(z)_y

    >>> cosface([[3.0, 0.0]], [0], [[2.0, 0.0], [0.0, 1.0]], margin=0.5, factor=2)
    array([0.31326169])
    """

    def scores(part: slice, near: Rows) -> Rows:
        near[np.arange(len(near)), target[part]] -= margin
        near *= factor
        return near

    return cost(tiles.cosines(features, prototypes), target, scores)


@loss(
    title="ArcFace loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("aam-softmax",),
    paper=Paper(
        "J. Deng, J. Guo, N. Xue, S. Zafeiriou",
        2019,
        "ArcFace: additive angular margin loss for deep face recognition",
        doi="10.1109/CVPR.2019.00482",
    ),
    see=("cosface", "sphereface", "l-softmax"),
    tasks=(*TASKS, "speaker recognition"),
    equivalents=(
        Equivalent(
            "pml",
            "torch.func.functional_call(losses.ArcFaceLoss("
            "len(prototypes), features.shape[1], margin=180 / torch.pi * margin, scale=factor), "
            "{'W': prototypes.T}, (features, target))",
            "easy_margin=false only",
        ),
    ),
    traps=("margins are radians; pytorch-metric-learning's are degrees (28.6 for 0.5)", ROWS_OF_W, ZERO),
    align=columns_agree,
)
def arcface(
    features: Vector,
    target: ClassIndex,
    prototypes: Prototypes,
    *,
    margin: Annotated[float, Param("what is added to the angle of the true class, in radians", ge=0, le=3)] = 0.5,
    factor: Annotated[float, FACTOR] = 64.0,
    easy_margin: Annotated[bool, Param("add the margin to angles below 90 degrees only")] = False,
) -> Rows:
    """Cross-entropy of cosines where a margin is added to the angle of the true class.

    With theta_j the angle to the prototype of class j, s the factor, m the margin:

        z_j = s cos(theta_j)                     another class
        z_y = s cos(theta_y + m)                 the true class, theta_y <= pi - m
        z_y = s (cos(theta_y) - m sin(m))        the true class, theta_y > pi - m
        -log-softmax(z)_y

    With easy_margin, z_y is s cos(theta_y + m) below a right angle, else s cos(theta_y).

    >>> arcface([[3.0, 0.0]], [0], [[2.0, 0.0], [0.0, 1.0]], margin=0.5, factor=2)
    array([0.15946115])
    """

    def scores(part: slice, near: Rows) -> Rows:
        x, y = features[part], target[part]
        cosine, sine = vectors.cosine_sine(x, prototypes[y])
        if easy_margin:
            late, beyond = cosine <= 0, cosine
        else:
            late, beyond = np.arctan2(sine, cosine) > np.pi - margin, cosine - margin * np.sin(margin)
        turned = cosine * np.cos(margin) - sine * np.sin(margin)
        moved(near, y, np.where(late, beyond, turned))
        near *= factor
        return near

    return cost(tiles.cosines(features, prototypes), target, scores)
