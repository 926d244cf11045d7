"""Two scores of which one should be the higher: one pair a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.types import Real, Rows
from lossctl.losses.types_labels import SignedTarget
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper


def labels_fit(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """Two scores of one shape, and a label for each pair."""
    shapes = {arrays[role].shape[1:] for role in ("x1", "x2", "target")}
    return None if len(shapes) == 1 else "shapes differ"


@loss(
    title="Margin ranking loss",
    reduce=Elements(),
    unit="score units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("pairwise-hinge",),
    paper=Paper(
        "R. Herbrich, T. Graepel, K. Obermayer",
        2000,
        "Large Margin Rank Boundaries for Ordinal Regression",
        doi="10.7551/mitpress/1113.003.0010",
    ),
    see=("hinge", "ranknet", "bpr", "triplet-margin"),
    tasks=("learning to rank", "pairs", "preferences", "which of two is better", "siamese networks"),
    like={"torch": {}},
    equivalents=(Equivalent("torch", "F.margin_ranking_loss(x1, x2, target, margin=margin)", "needs -1/+1"),),
    traps=(
        "label 1 says that x1 should be the higher score, -1 that x2 should",
        "labels are {-1, 1} or {0, 1}, decided over the whole file; torch takes 0 as it is: the margin",
        "at the default margin of 0 a tie costs nothing, so constant scores are perfect",
    ),
    align=labels_fit,
)
def margin_ranking(
    x1: Real,
    x2: Real,
    target: SignedTarget,
    *,
    margin: Annotated[float, Param("how far the right score must be ahead to cost nothing", ge=0)] = 0.0,
) -> Rows:
    """How much the score that should be higher falls short of the other one, and of a margin.

    With y = 1 where x1 should be higher, y = -1 where x2 should, and m the margin:

        max(0, m - y (x1 - x2))

    >>> margin_ranking([1.0, 2.0, 3.0], [2.0, 2.0, 1.0], [1, 1, -1], margin=0.5)
    array([1.5, 0.5, 2.5])
    """
    return np.maximum(0.0, margin - target * (x1 - x2))


@loss(
    title="Bayesian personalised ranking",
    reduce=Elements(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("bayesian-personalized-ranking", "bayesian-personalised-ranking"),
    paper=Paper(
        "S. Rendle, C. Freudenthaler, Z. Gantner, L. Schmidt-Thieme",
        2009,
        "BPR: Bayesian Personalized Ranking from Implicit Feedback",
        doi="10.48550/arXiv.1205.2618",
    ),
    see=("bradley-terry", "ranknet", "margin-ranking"),
    tasks=("recommendation", "implicit feedback", "pairs", "learning to rank", "which of two is better"),
    equivalents=(Equivalent("torch", "-F.logsigmoid(positive - negative).mean()"),),
    traps=(
        "the penalty on the embeddings belongs to training and is not in the number",
        "RecBole adds 1e-10 inside the logarithm, so that no pair costs more than 23.03",
        "papers and some code sum over the pairs: --reduction sum",
    ),
)
def bpr(positive: Real, negative: Real) -> Rows:
    """Surprise that a user prefers what was chosen to what was not.

    With s the scores of the positive and the negative item:

        log(1 + exp(-(s_positive - s_negative)))

    >>> bpr([2.0, 0.0], [0.0, 1000.0])
    array([1.26928011e-01, 1.00000000e+03])
    """
    return numerics.softplus(negative - positive)


@loss(
    title="Bradley-Terry loss",
    reduce=Elements(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("reward-model",),
    paper=Paper(
        "R. A. Bradley, M. E. Terry",
        1952,
        "Rank Analysis of Incomplete Block Designs: I. The Method of Paired Comparisons",
        doi="10.1093/biomet/39.3-4.324",
    ),
    see=("bpr", "ranknet", "margin-ranking"),
    tasks=("reward model", "preferences", "human feedback", "paired comparisons", "which of two is better"),
    equivalents=(Equivalent("torch", "-F.logsigmoid(chosen - rejected - margin).mean()"),),
    traps=(
        "a tie costs log 2 = 0.693, the level of guessing",
        "the margin is one number for all pairs; where each has its own, take it off the chosen score first",
        "only the difference counts: rewards are known up to a constant",
    ),
)
def bradley_terry(
    chosen: Real,
    rejected: Real,
    *,
    margin: Annotated[float, Param("how far the chosen score must be ahead to count as even", ge=0)] = 0.0,
) -> Rows:
    """Surprise that the chosen answer won over the rejected one.

    With r the rewards and m the margin:

        log(1 + exp(-(r_chosen - r_rejected - m)))

    >>> bradley_terry([1.0, 0.0], [1.0, -2.0])
    array([0.69314718, 0.12692801])
    """
    return numerics.softplus(margin - (chosen - rejected))
