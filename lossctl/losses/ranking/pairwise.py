"""Ranked lists by their pairs: how sure it is that the more relevant item scores higher."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.ranking.lists import Columns, irrelevant, level, list_sums, lists_where, pair_sums
from lossctl.losses.ranking.listwise import discounts, exponential_gain, ranks, run_codes
from lossctl.losses.types import Group, Relevance, Rows, Scores
from lossctl.model.findings import Rule
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

NO_PAIRS = Rule(
    "no-pairs", "belongs to a list whose items are all equally relevant: its loss is 0", "warning", role="target"
)
FREE = Rule("nothing-relevant", "belongs to a list without any relevant item: its loss is 0", "warning", role="target")
SLOPE = Param("how steep the logistic curve is: what score differences are multiplied by", gt=0)
GAIN = Param("worth of a relevance r: r, or 2^r - 1", choices=("linear", "exp"))


@loss(
    title="RankNet loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("pairwise-logistic",),
    scope="group",
    paper=Paper(
        "C. Burges, T. Shaked, E. Renshaw, A. Lazier, M. Deeds, N. Hamilton, G. Hullender",
        2005,
        "Learning to Rank using Gradient Descent",
        doi="10.1145/1102351.1102363",
    ),
    see=("lambdarank", "margin-ranking", "ndcg-loss"),
    tasks=("learning to rank", "search results", "recommendation", "pairs in the wrong order"),
    equivalents=(
        Equivalent("rax", "rax.pairwise_logistic_loss(slope * pred, target, reduce_fn=jnp.sum)", "list by list"),
        Equivalent(
            "rax",
            "rax.pairwise_logistic_loss(slope * pred, target)",
            "pairs=mean list by list; over several lists it divides by the pairs of all of them",
        ),
    ),
    traps=(
        "a list's value is the sum over its pairs, so that long lists weigh more: --pairs mean averages them",
        "rax and TF-Ranking divide by the pairs of all lists in a batch, which is no mean over lists",
        "slope is the sigma of papers, and LightGBM's sigmoid",
        "items of equal relevance make no pair; a list without pairs costs 0 and counts (said in a warning)",
    ),
    checks=lists_where(NO_PAIRS, level),
)
def ranknet(
    pred: Scores,
    target: Relevance,
    group: Group,
    *,
    slope: Annotated[float, SLOPE] = 1.0,
    pairs: Annotated[
        str, Param("a list's value is the sum over its pairs, or their mean", choices=("sum", "mean"))
    ] = "sum",
) -> Rows:
    """Surprise at the order of each two items of a list, of which one is more relevant.

    With s the scores and r the relevances of a list:

        sum over r_i > r_j of log(1 + exp(-slope (s_i - s_j)))

    >>> ranknet([1.0, 2.0, 0.5], [1.0, 0.0, 2.0], [7, 7, 7])
    array([3.98875195])
    """
    run = run_codes(group)

    def surprise(item: Columns, other: Columns) -> Rows:
        return np.where(item[1] > other[1], numerics.softplus(slope * (other[0] - item[0])), 0.0)

    total = list_sums(run, pair_sums(run, [pred, target], surprise))
    if pairs == "sum":
        return total
    count = list_sums(run, pair_sums(run, [target], lambda item, other: item[0] > other[0]))
    return np.asarray(np.divide(total, count, out=np.zeros_like(total), where=count > 0))


@loss(
    title="LambdaRank loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("lambdaloss-ndcg",),
    scope="group",
    paper=Paper(
        "X. Wang, C. Li, N. Golbandi, M. Bendersky, M. Najork",
        2018,
        "The LambdaLoss Framework for Ranking Metric Optimization",
        doi="10.1145/3269206.3271784",
    ),
    see=("ranknet", "ndcg-loss", "approx-ndcg"),
    tasks=("learning to rank", "search results", "gradient boosting", "ndcg", "top of the list"),
    equivalents=(
        Equivalent(
            "rax",
            "rax.pairwise_logistic_loss(slope * pred, target, reduce_fn=jnp.sum, lambdaweight_fn=lambda s, l, **rest: "
            "rax.dcg_lambdaweight(s, l, normalize=True, topn=k, **rest)) / len(pred)",
            "list by list, whose length rax multiplies by; gain exp and discount log2",
        ),
    ),
    traps=(
        "TF-Ranking's defaults are --gain linear --discount reciprocal; LightGBM's gain is 2^r - 1",
        "slope is the sigma of papers, and LightGBM's sigmoid",
        "only the places of the current ranking are used: items of equal score stand in the order of the file",
        "with k a pair counts by what its swap changes in NDCG at k; LightGBM keeps the discounts beyond k",
        "a list without relevant items costs 0 and counts (said in a warning)",
    ),
    checks=lists_where(FREE, irrelevant),
)
def lambdarank(
    pred: Scores,
    target: Relevance,
    group: Group,
    *,
    k: Annotated[int | None, Param("only the first k places count", ge=1)] = None,
    gain: Annotated[str, GAIN] = "exp",
    discount: Annotated[
        str, Param("worth of a rank: 1 / log2(1 + rank), or 1 / rank", choices=("log2", "reciprocal"))
    ] = "log2",
    slope: Annotated[float, SLOPE] = 1.0,
) -> Rows:
    """Surprise at the order of each two items of a list, weighed by what their swap would change in NDCG.

    With s the scores and r the relevances, g = gain(r), d the discount of an item's rank by falling score (0 beyond k),
    and IDCG the greatest sum of g d:

        sum over r_i > r_j of |g_i - g_j| |d_i - d_j| / IDCG log(1 + exp(-slope (s_i - s_j)))

    >>> lambdarank([1.0, 2.0, 0.5], [1.0, 0.0, 2.0], [7, 7, 7])
    array([0.90662097])
    """
    if len(pred) == 0:
        return np.zeros(0)
    run = run_codes(group)
    worth = target if gain == "linear" else exponential_gain(target, run)
    order, place = ranks(run, pred)
    here = discounts(place, k, discount)
    mine = np.empty(len(pred))
    mine[order] = here
    best = list_sums(run, worth[ranks(run, target)[0]] * here)

    def surprise(item: Columns, other: Columns) -> Rows:
        swap = (item[1] - other[1]) * np.abs(item[2] - other[2])
        return np.where(item[1] > other[1], swap * numerics.softplus(slope * (other[0] - item[0])), 0.0)

    total = list_sums(run, pair_sums(run, [pred, worth, mine], surprise))
    return np.divide(total, best, out=np.zeros_like(total), where=best > 0)
