"""Whole ranked lists by smooth stand-ins: distributions over orders, and an NDCG of soft ranks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from lossctl import numerics
from lossctl.losses.ranking.lists import Columns, irrelevant, list_sums, lists_where, pair_sums, stacked
from lossctl.losses.ranking.listwise import discounts, exponential_gain, ranks, run_codes
from lossctl.losses.ranking.pairwise import FREE, GAIN
from lossctl.losses.types import Group, Order, Relevance, Rows, Scores
from lossctl.model.findings import Rule, Seen
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper

LISTNET = Paper(
    "Z. Cao, T. Qin, T.-Y. Liu, M.-F. Tsai, H. Li",
    2007,
    "Learning to Rank: From Pairwise Approach to Listwise Approach",
    doi="10.1145/1273496.1273513",
)
TIED = Rule(
    "tied-relevance",
    "is the relevance of two items of one list",
    hint="--ties stable keeps them in the order of the file",
    role="target",
)


def over_lists(scores: Rows, share: Rows, run: NDArray[np.int64]) -> Rows:
    """(lists,) sum of share times -log softmax(scores), list by list."""
    found = np.empty(run[-1] + 1 if len(run) else 0)
    for rows in stacked(run):
        table = scores[rows]
        top, rest = numerics.log_normaliser(table)
        found[run[rows[:, 0]]] = np.sum(share[rows] * ((top[:, None] - table) + rest[:, None]), axis=1)
    return found


@loss(
    title="ListNet loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("listnet-top1",),
    scope="group",
    paper=LISTNET,
    see=("ranking-softmax-loss", "listmle", "ndcg-loss"),
    tasks=("learning to rank", "search results", "recommendation", "distribution over items"),
    equivalents=(
        Equivalent("torch", "F.cross_entropy(pred / temperature, target.softmax(0))", "list by list"),
        Equivalent(
            "optax", "ranking_softmax_loss(pred / temperature, jnp.exp(target) / jnp.exp(target).sum())", "list by list"
        ),
    ),
    traps=(
        "it is a softmax of the relevances that scores are held against: ranking-softmax-loss takes them as they are",
        "a list without relevant items asks for equal scores, and counts",
        "the best value is not 0 but the entropy of the relevances' softmax",
    ),
)
def listnet(
    pred: Scores,
    target: Relevance,
    group: Group,
    *,
    temperature: Annotated[float, Param("what scores are divided by; relevances are not", gt=0)] = 1.0,
) -> Rows:
    """Cross-entropy of the scores' softmax over a list against that of its relevances.

    With s the scores, r the relevances, T the temperature:

        -sum_i softmax(r)_i log softmax(s / T)_i

    >>> listnet([1.0, 2.0, 0.5], [1.0, 0.0, 2.0], [7, 7, 7])
    array([1.70695869])
    """
    run = run_codes(group)
    share = np.empty(len(pred))
    for rows in stacked(run):
        share[rows] = np.exp(numerics.log_probs(target[rows], "logits"))
    return over_lists(pred / temperature, share, run)


@loss(
    title="Ranking softmax loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("softmax-rank",),
    scope="group",
    paper=LISTNET,
    see=("listnet", "listmle", "cross-entropy"),
    tasks=("learning to rank", "search results", "recommendation", "one relevant item among many"),
    like={"optax": {}},
    equivalents=(
        Equivalent("optax", "ranking_softmax_loss(pred, target)", "list by list"),
        Equivalent("rax", "rax.softmax_loss(pred, target)", "list by list"),
    ),
    traps=(
        "relevances are taken as they are: twice the grades is twice the loss; TF-Ranking divides them by their sum "
        "and weighs the list by it",
        "a list without relevant items costs 0 and counts (said in a warning)",
    ),
    checks=lists_where(FREE, irrelevant),
)
def ranking_softmax_loss(pred: Scores, target: Relevance, group: Group) -> Rows:
    """Cross-entropy of the scores' softmax over a list, each item weighed by its relevance.

    With s the scores and r the relevances of a list:

        -sum_i r_i log softmax(s)_i

    >>> ranking_softmax_loss([1.0, 2.0, 0.5], [1.0, 0.0, 2.0], [7, 7, 7])
    array([5.39310635])
    """
    return over_lists(pred, target, run_codes(group))


def tied_relevance(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    """Items that are as relevant as an earlier one of their list, under ``ties=error``."""
    if params["ties"] != "error":
        return []
    run, relevance = run_codes(arrays["group"]), arrays["target"]
    order = np.lexsort((relevance, run))
    tied = np.zeros(len(run), bool)
    tied[order[1:]] = (run[order][1:] == run[order][:-1]) & (relevance[order][1:] == relevance[order][:-1])
    return [(TIED, tied, relevance)]


@loss(
    title="ListMLE loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("plackett-luce",),
    scope="group",
    paper=Paper(
        "F. Xia, T.-Y. Liu, J. Wang, W. Zhang, H. Li",
        2008,
        "Listwise Approach to Learning to Rank: Theory and Algorithm",
        doi="10.1145/1390156.1390306",
    ),
    see=("listnet", "ranking-softmax-loss", "ranknet"),
    tasks=("learning to rank", "full order", "permutations", "likelihood of a ranking"),
    equivalents=(Equivalent("rax", "rax.listmle_loss(pred, target)", "list by list, without ties"),),
    traps=(
        "it wants a full order: tied items stand as in the file, and their order there changes the loss; --ties "
        "error refuses them, TF-Ranking shuffles them",
        "a list's value is a sum over its places: long lists weigh more",
    ),
    checks=tied_relevance,
)
def listmle(pred: Scores, target: Order, group: Group) -> Rows:
    """Surprise at the right order of a list, if items were drawn one by one by the softmax of their scores.

    With s_1, ..., s_n the scores by falling relevance:

        sum_k (log(sum_{j >= k} exp(s_j)) - s_k)

    >>> listmle([1.0, 2.0, 0.5], [1.0, 0.0, 2.0], [7, 7, 7])
    array([3.27763047])
    """
    run = run_codes(group)
    ordered = pred[np.lexsort((-target, run))]
    found = np.empty(run[-1] + 1 if len(run) else 0)
    for rows in stacked(run):
        scores = ordered[rows]
        cost, total = np.zeros(len(rows)), np.zeros(len(rows))
        # c_k = log sum_{j >= k} e^(s_j - s_k) from the one below: c_k = log(1 + e^(c_(k+1) + s_(k+1) - s_k)). Running
        # sums of e^s overflow, and those of logarithms leave nothing of a c_k beside a large s_k.
        for k in range(scores.shape[1] - 2, -1, -1):
            cost = numerics.softplus(cost + (scores[:, k + 1] - scores[:, k]))
            total += cost
        found[run[rows[:, 0]]] = total
    return found


@loss(
    title="ApproxNDCG loss",
    reduce=Mean(),
    unit="1",
    range="-1 to 0",
    scope="group",
    paper=Paper(
        "T. Qin, T.-Y. Liu, H. Li",
        2010,
        "A general approximation framework for direct optimization of information retrieval measures",
        doi="10.1007/s10791-009-9124-x",
    ),
    see=("ndcg-loss", "lambdarank"),
    tasks=("learning to rank", "search results", "ndcg", "soft ranks"),
    equivalents=(
        Equivalent(
            "rax",
            "-rax.ndcg_metric(pred, target, rank_fn=lambda s, where, segments, key: "
            "rax.utils.approx_ranks(s, step_fn=lambda x: 1 / (1 + jnp.exp(-x / temperature))))",
            "list by list, gain exp; approx_t12n makes this of the metric",
        ),
    ),
    traps=(
        "from -1 (best) to 0: it is minus a soft NDCG, as in TF-Ranking and rax, and not one minus it",
        "rax's temperature is 1 by default, TF-Ranking's 0.1",
        "a list without relevant items costs 0, the most there is, and counts (said in a warning), as in rax; "
        "TF-Ranking leaves it out of the mean",
    ),
    checks=lists_where(FREE, irrelevant),
)
def approx_ndcg(
    pred: Scores,
    target: Relevance,
    group: Group,
    *,
    temperature: Annotated[float, Param("how soft ranks are; towards 0 they are the ranks themselves", gt=0)] = 0.1,
    gain: Annotated[str, GAIN] = "exp",
) -> Rows:
    """Minus an NDCG in which each comparison of two scores is a smooth step.

    With s the scores and r the relevances of a list, T the temperature, IDCG the DCG of the best order and

        rank_i = 1 + sum_{j != i} 1 / (1 + exp((s_i - s_j) / T)):

        -sum_i gain(r_i) / log2(1 + rank_i) / IDCG

    >>> approx_ndcg([1.0, 2.0, 0.5], [1.0, 0.0, 2.0], [7, 7, 7])
    array([-0.58703295])
    """
    if len(pred) == 0:
        return np.zeros(0)
    run = run_codes(group)
    worth = target if gain == "linear" else exponential_gain(target, run)

    def above(item: Columns, other: Columns) -> Rows:
        with np.errstate(over="ignore"):
            return np.asarray(1.0 / (1.0 + np.exp((item[0] - other[0]) / temperature)))

    rank = 0.5 + pair_sums(run, [pred], above)  # an item against itself is a half
    order, place = ranks(run, target)
    best = list_sums(run, worth[order] * discounts(place, None))
    found = list_sums(run, worth / np.log2(1.0 + rank))
    score = np.minimum(np.divide(found, best, out=np.zeros_like(found), where=best > 0), 1.0)
    return np.asarray(0.0 - score)
