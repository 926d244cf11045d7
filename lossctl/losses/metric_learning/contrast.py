"""Batches of embeddings: how likely a softmax over similarities finds the rows of one class."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.metric_learning.batches import (
    ALONE,
    L2_NORMALIZE,
    comparable,
    fit_for_dots,
    log_sums,
    row_sums,
    similarities,
)
from lossctl.losses.types import Ratios, Rows, Vector
from lossctl.losses.types_labels import SameClass
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean, Ratio
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

TEMPERATURE = Param("what similarities are divided by", gt=0)


@loss(
    title="NT-Xent",
    reduce=Ratio(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("ntxent", "simclr"),
    scope="batch",
    paper=Paper(
        "T. Chen, S. Kornblith, M. Norouzi, G. Hinton",
        2020,
        "A simple framework for contrastive learning of visual representations",
    ),
    see=("sup-con", "circle"),
    tasks=("contrastive learning", "self-supervised learning", "embeddings"),
    like={"optax": {}},
    equivalents=(
        Equivalent("optax", "ntxent(features, target, temperature)"),
        Equivalent(
            "pml",
            "losses.NTXentLoss(temperature)(features, target)",
            "PML stops at 708 nats a pair, and calls a batch of one class 0 as well",
        ),
    ),
    traps=(
        "the mean is over positive pairs, not over rows: with classes of two rows these are the same number",
        "other positives of the anchor are left out of the denominator, as in PML and optax; sup-con keeps them",
        "SimCLR's own temperature is 0.5 (or 0.1); PML and optax default to 0.07, as here",
        "a row's value is the sum over its positive pairs",
        ALONE,
    ),
    checks=comparable,
)
def nt_xent(
    features: Vector,
    target: SameClass,
    *,
    temperature: Annotated[float, TEMPERATURE] = 0.07,
    l2_normalize: Annotated[bool, L2_NORMALIZE] = True,
) -> Ratios:
    """Cross-entropy of finding each positive among the negatives of its anchor.

    With s similarities in a batch, t the temperature, P(i) the other rows of i's class, N(i) those of other classes:

        mean over i, p in P(i) of  -log(exp(s_ip / t) / (exp(s_ip / t) + sum_(n in N(i)) exp(s_in / t)))

    >>> nt_xent([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.8, 0.6]], [0, 0, 1, 1], temperature=0.5)
    array([0.30895735, 1.02712306, 1.02712306, 0.30895735])
    """
    value, pairs = np.zeros(len(features)), np.zeros(len(features))
    for part, found, positive, negative in similarities(features, target, l2_normalize):
        # Against the most similar negative: exp(s / t) overflows at temperatures below 1/709, and differences of
        # similarities have more digits than differences of exponents.
        top = np.max(found, axis=1, where=negative, initial=-np.inf)
        tail = log_sums((found - top[:, None]) / temperature, negative)
        anchors = np.nonzero(positive)[0]
        odds = (top[anchors] - found[positive]) / temperature + tail[anchors]
        value[part] = row_sums(numerics.softplus(odds), positive)
        pairs[part] = positive.sum(axis=1)
    return value, pairs


@loss(
    title="Supervised contrastive loss",
    reduce=Ratio(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("supervised-contrastive",),
    scope="batch",
    paper=Paper(
        "P. Khosla, P. Teterwak, C. Wang, A. Sarna, Y. Tian, P. Isola, A. Maschinot, C. Liu, D. Krishnan",
        2020,
        "Supervised contrastive learning",
    ),
    see=("nt-xent", "circle", "multi-similarity"),
    tasks=("contrastive learning", "embeddings", "classification from features"),
    equivalents=(
        Equivalent(
            "pml",
            "losses.SupConLoss(temperature)(features, target)",
            "PML leaves out anchors whose loss is exactly 0 as well, and calls a batch of one class 0",
        ),
    ),
    traps=(
        "the mean over positives stands outside the logarithm (L_out of the paper)",
        "the authors' code multiplies by temperature / base_temperature, which is 1 at the defaults (0.07 both)",
        "the authors' code divides by zero for an anchor without positives",
        ALONE,
    ),
    checks=comparable,
)
def sup_con(
    features: Vector,
    target: SameClass,
    *,
    temperature: Annotated[float, TEMPERATURE] = 0.1,
    l2_normalize: Annotated[bool, L2_NORMALIZE] = True,
) -> Ratios:
    """Cross-entropy of a softmax over all other rows against a target spread evenly over those of one class.

    With s similarities in a batch, t the temperature, P(i) the other rows of i's class:

        -1/|P(i)| sum_(p in P(i)) log(exp(s_ip / t) / sum_(k != i) exp(s_ik / t))

    >>> sup_con([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.8, 0.6]], [0, 0, 1, 1])
    array([0.00247651, 2.12722344, 2.12722344, 0.00247651])
    """
    value, counted = np.zeros(len(features)), np.zeros(len(features))
    for part, found, positive, negative in similarities(features, target, l2_normalize):
        others = positive | negative
        found[~others] = -np.inf
        place = np.argmax(found, axis=1)[:, None]
        # Against the most similar row: a loss of 1e-20 keeps its digits, and no exponent overflows (from 709 on).
        behind = (np.take_along_axis(found, place, axis=1) - found) / temperature
        number = positive.sum(axis=1)
        mean = np.sum(np.where(positive, behind, 0.0), axis=1) / np.maximum(number, 1)
        odds = np.exp(-behind)
        np.put_along_axis(odds, place, 0.0, axis=1)
        value[part] = np.where(number > 0, mean + np.log1p(np.sum(odds, axis=1)), 0.0)
        counted[part] = number > 0
    return value, counted


@loss(
    title="Circle loss",
    reduce=Ratio(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("circle-loss",),
    scope="batch",
    paper=Paper(
        "Y. Sun, C. Cheng, Y. Zhang, C. Zhang, L. Zheng, Z. Wang, Y. Wei",
        2020,
        "Circle loss: a unified perspective of pair similarity optimization",
    ),
    see=("multi-similarity", "sup-con"),
    tasks=("embeddings", "face recognition", "image retrieval", "re-identification"),
    like={"keras": {}},
    equivalents=(
        Equivalent(
            "keras",
            "losses.Circle(gamma=gamma, margin=m)(target, features / np.linalg.norm(features, axis=1, keepdims=True))",
        ),
        Equivalent("pml", "losses.CircleLoss(m=m, gamma=gamma)(features, target)"),
    ),
    traps=(
        "vectors are divided by their lengths here and in PML; keras expects that to be done, and does not say so",
        "the mean is over anchors that have a positive and a negative; PML and keras leave out losses of 0, the same "
        "rows unless gamma is so large that a loss vanishes",
        "keras divides a weighted sum by the number of anchors, lossctl by the sum of their weights",
        "the paper takes m = 0.25 and gamma = 256 for faces, gamma = 128 for re-identification",
    ),
    checks=comparable,
)
def circle(
    features: Vector,
    target: SameClass,
    *,
    m: Annotated[float, Param("how far similarities may stay from 1 and 0", ge=0)] = 0.4,
    gamma: Annotated[float, Param("what similarities are multiplied by", gt=0)] = 80.0,
    l2_normalize: Annotated[bool, L2_NORMALIZE] = True,
) -> Ratios:
    """Similarities pushed towards 1 within a class and towards 0 between classes, the worst ones the hardest.

    With s similarities in a batch, P(i) the other rows of i's class, N(i) those of other classes, [u] = max(0, u):

        log(1 + sum_(n in N(i)) exp(gamma [s_in + m] (s_in - m))
              * sum_(p in P(i)) exp(gamma [1 + m - s_ip] (1 - m - s_ip)))

    >>> circle([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.8, 0.6]], [0, 0, 1, 1])
    array([ 0.69314856, 38.4       , 38.4       ,  0.69314856])
    """
    value, counted = np.zeros(len(features)), np.zeros(len(features))
    for part, found, positive, negative in similarities(features, target, l2_normalize):
        near = gamma * np.maximum(1.0 + m - found, 0.0) * (1.0 - m - found)
        far = gamma * np.maximum(found + m, 0.0) * (found - m)
        # Terms reach exp(gamma (2 + m)^2), some 460 nats a factor at the defaults: logarithms are added.
        value[part] = numerics.softplus(log_sums(near, positive) + log_sums(far, negative))
        counted[part] = positive.any(axis=1) & negative.any(axis=1)
    return value, counted


@loss(
    title="Multi-similarity loss",
    reduce=Mean(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("ms-loss",),
    scope="batch",
    paper=Paper(
        "X. Wang, X. Han, W. Huang, D. Dong, M. R. Scott",
        2019,
        "Multi-similarity loss with general pair weighting for deep metric learning",
    ),
    see=("circle", "lifted-structure"),
    tasks=("embeddings", "image retrieval"),
    equivalents=(
        Equivalent("pml", "losses.MultiSimilarityLoss(alpha=alpha, beta=beta, base=threshold)(features, target)"),
    ),
    traps=(
        "all pairs of the batch count: the paper first drops easy ones (PML: MultiSimilarityMiner)",
        "the threshold is base in PML and lambda in the paper",
        "the mean is over all rows: one without positives or negatives has the other half of the loss",
    ),
    checks=fit_for_dots,
)
def multi_similarity(
    features: Vector,
    target: SameClass,
    *,
    alpha: Annotated[float, Param("how much the least similar positives count", gt=0)] = 2.0,
    beta: Annotated[float, Param("how much the most similar negatives count", gt=0)] = 50.0,
    threshold: Annotated[float, Param("the similarity that positives should be above and negatives below")] = 0.5,
    l2_normalize: Annotated[bool, L2_NORMALIZE] = True,
) -> Rows:
    """A soft count of positives that are not similar enough and of negatives that are too similar.

    With s similarities in a batch, lambda the threshold, P(i) the other rows of i's class, N(i) those of other classes:

        1/alpha log(1 + sum_(p in P(i)) exp(-alpha (s_ip - lambda)))
          + 1/beta log(1 + sum_(n in N(i)) exp(beta (s_in - lambda)))

    >>> multi_similarity([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.8, 0.6]], [0, 0, 1, 1])
    array([0.29906943, 0.59906944, 0.59906944, 0.29906943])
    """
    value = np.zeros(len(features))
    for part, found, positive, negative in similarities(features, target, l2_normalize):
        found -= threshold
        # exp(beta (1 - threshold)) overflows from beta = 1,420 on.
        near, far = log_sums(-alpha * found, positive), log_sums(beta * found, negative)
        value[part] = numerics.softplus(near) / alpha + numerics.softplus(far) / beta
    return value
