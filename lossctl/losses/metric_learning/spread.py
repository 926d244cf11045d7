"""Batches of embeddings: distances within a class and between classes, against margins."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from lossctl.exact import Exact, from_int
from lossctl.losses.metric_learning.batches import (
    ALONE,
    L2_NORMALIZE,
    counts,
    distances,
    has_positives,
    log_sums,
    row_sums,
)
from lossctl.losses.types import Ratios, Rows, Vector
from lossctl.losses.types_labels import SameClass
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Ratio, Term, Totals
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper


@loss(
    title="Batch-hard triplet loss",
    reduce=Ratio(),
    unit="distance",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("triplet-hard",),
    scope="batch",
    paper=Paper("A. Hermans, L. Beyer, B. Leibe", 2017, "In defense of the triplet loss for person re-identification"),
    see=("triplet-margin", "lifted-structure"),
    tasks=("embeddings", "re-identification", "face recognition", "hard negatives"),
    equivalents=(
        Equivalent(
            "pml",
            "losses.TripletMarginLoss(margin, distance=distances.LpDistance(normalize_embeddings=l2_normalize), "
            "reducer=reducers.MeanReducer())(features, target, miners.BatchHardMiner("
            "distance=distances.LpDistance(normalize_embeddings=l2_normalize))(features, target))",
            "distance=euclidean",
        ),
    ),
    traps=(
        "vectors are taken as they are, as in the paper; PML divides them by their lengths unless told otherwise",
        "anchors that violate no margin count with 0; PML's default mean leaves them out",
        "an anchor without a positive or without a negative does not count; TensorFlow Addons counts it with what is "
        "left of the formula",
    ),
    checks=has_positives,
)
def batch_hard_triplet(
    features: Vector,
    target: SameClass,
    *,
    distance: Annotated[
        str, Param("how far apart two vectors are", choices=("euclidean", "sqeuclidean", "cosine"))
    ] = "euclidean",
    margin: Annotated[float, Param("how much further the negative must be than the positive", gt=0)] = 1.0,
    l2_normalize: Annotated[bool, L2_NORMALIZE] = False,
) -> Ratios:
    """How far the farthest row of the same class is from being nearer than the nearest of another one, by the margin.

    With d distances in a batch, P(i) the other rows of i's class, N(i) those of other classes, m the margin:

        max(0, max_(p in P(i)) d_ip - min_(n in N(i)) d_in + m)

    >>> batch_hard_triplet([[0.0, 0.0], [3.0, 4.0], [6.0, 0.0]], ["a", "a", "b"], margin=2.0)
    array([1., 2., 0.])
    """
    value, counted = np.zeros(len(features)), np.zeros(len(features))
    pointless: NDArray[np.bool_] = np.max(np.abs(features), axis=1, initial=0.0) == 0
    for part, found, positive, negative in distances(features, target, l2_normalize or distance == "cosine"):
        if distance != "euclidean":
            found *= found
        if distance == "cosine":
            # 1 - cos is half the squared distance of the unit vectors; a zero vector's cosine is taken as 0.
            found *= 0.5
            found[pointless[part]] = 1.0
            found[:, pointless] = 1.0
        far = np.max(np.where(positive, found, 0.0), axis=1)
        near = np.min(np.where(negative, found, np.inf), axis=1)
        has = positive.any(axis=1) & negative.any(axis=1)
        value[part] = np.where(has, np.maximum(far - near + margin, 0.0), 0.0)
        counted[part] = has
    return value, counted


@loss(
    title="Lifted structure loss",
    reduce=Ratio(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("lifted-structured",),
    scope="batch",
    paper=Paper(
        "H. Oh Song, Y. Xiang, S. Jegelka, S. Savarese",
        2016,
        "Deep metric learning via lifted structured feature embedding",
        doi="10.1109/CVPR.2016.434",
    ),
    see=("multi-similarity", "batch-hard-triplet"),
    tasks=("embeddings", "image retrieval"),
    equivalents=(
        Equivalent("pml", "losses.LiftedStructureLoss(neg_margin=neg_margin, pos_margin=pos_margin)(features, target)"),
    ),
    traps=(
        "the mean is over positive pairs, not over rows; a row's value is the sum over its pairs",
        "vectors are divided by their lengths first, as PML does; the paper takes them as they are (--no-l2-normalize)",
        "the logarithm of the sum may be below 0, and the pair then costs less than its distance",
        ALONE,
    ),
    checks=has_positives,
)
def lifted_structure(
    features: Vector,
    target: SameClass,
    *,
    neg_margin: Annotated[float, Param("the distance from which negatives hardly count")] = 1.0,
    pos_margin: Annotated[float, Param("what a positive pair's distance is lowered by")] = 0.0,
    l2_normalize: Annotated[bool, L2_NORMALIZE] = True,
) -> Ratios:
    """How far each positive pair is apart, against a smooth minimum of the distances of both to all negatives.

    With d distances in a batch, P(i) the other rows of i's class, N(i) those of other classes, [u] = max(0, u):

        mean over i, p in P(i) of  [log sum_(n in N(i)) (exp(neg - d_in) + exp(neg - d_pn)) + d_ip - pos]^2 / 2

    >>> lifted_structure([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.8, 0.6]], [0, 0, 1, 1])
    array([2.09976721, 2.09976721, 2.09976721, 2.09976721])
    """
    value, pairs, against = np.zeros(len(features)), np.zeros(len(features)), np.zeros(len(features))
    for part, found, _, negative in distances(features, target, l2_normalize):
        against[part] = log_sums(neg_margin - found, negative)
    for part, found, positive, _ in distances(features, target, l2_normalize):
        anchors, others = np.nonzero(positive)
        both = np.logaddexp(against[part][anchors], against[others])
        value[part] = row_sums(np.maximum(both + found[positive] - pos_margin, 0.0) ** 2 / 2, positive)
        pairs[part] = positive.sum(axis=1)
    return value, pairs


class OverNonZero(Ratio):
    """A sum over the number of its terms above 0; where there are terms and none is above 0, the mean is 0."""

    def terms(self, out: Any, mode: str | None) -> dict[str, Term]:
        return {**super().terms(out[:2], mode), "terms": out[2]}

    def pair(self, out: Any, mode: str | None) -> tuple[Rows, Rows]:
        return out[0], out[1]

    def divisor(self, totals: Totals, mode: str | None) -> Exact:
        above = super().divisor(totals, mode)
        nothing = above.finite and above.units == 0 and totals.sums["terms"].units > 0
        return from_int(1) if nothing else above


@loss(
    title="Margin loss",
    reduce=OverNonZero(),
    unit="distance",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("margin-based",),
    scope="batch",
    paper=Paper(
        "C.-Y. Wu, R. Manmatha, A. J. Smola, P. Krahenbuhl",
        2017,
        "Sampling matters in deep embedding learning",
        doi="10.1109/ICCV.2017.309",
    ),
    see=("batch-hard-triplet", "lifted-structure"),
    tasks=("embeddings", "image retrieval"),
    equivalents=(Equivalent("pml", "losses.MarginLoss(margin=alpha, beta=beta)(features, target)"),),
    traps=(
        "the divisor is the number of terms above 0, so a batch that gets better may have a larger mean; without such "
        "terms the mean is 0",
        "a pair counts once for each triplet it is part of, as in PML; the paper samples pairs by their distance",
        "PML calls alpha margin",
    ),
    checks=has_positives,
)
def margin_wu(
    features: Vector,
    target: SameClass,
    *,
    beta: Annotated[float, Param("the distance between positives and negatives", gt=0)] = 1.2,
    alpha: Annotated[float, Param("how far pairs must be on their side of it", ge=0)] = 0.2,
    l2_normalize: Annotated[bool, L2_NORMALIZE] = True,
) -> tuple[Rows, Rows, Rows]:
    """How far positive pairs are above a boundary and negative pairs below it, over all triplets of a batch.

    With d distances, p and n running over the rows of i's class and of other classes, [u] = max(0, u):

        sum_(i, p, n) ([d_ip - beta + alpha] + [beta - d_in + alpha]) / number of brackets above 0

    >>> margin_wu([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.8, 0.6]], [0, 0, 1, 1])
    array([0.        , 0.76754447, 0.76754447, 0.        ])
    """
    value, above = np.zeros(len(features)), np.zeros(len(features))
    positives, negatives = counts(target)
    for part, found, positive, negative in distances(features, target, l2_normalize):
        near = np.where(positive, np.maximum(found - beta + alpha, 0.0), 0.0)
        far = np.where(negative, np.maximum(beta - found + alpha, 0.0), 0.0)
        per_positive, per_negative = negatives[part], positives[part]  # triplets that a pair of the anchor is part of
        value[part] = per_positive * np.sum(near, axis=1) + per_negative * np.sum(far, axis=1)
        above[part] = per_positive * np.count_nonzero(near, axis=1) + per_negative * np.count_nonzero(far, axis=1)
    return value, above, 2.0 * positives * negatives
