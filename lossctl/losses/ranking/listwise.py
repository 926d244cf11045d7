"""Whole ranked lists: one value for each query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from lossctl.losses.types import Group, Relevance, Rows, Scores
from lossctl.model.findings import Rule, Seen
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper

NOTHING_RELEVANT = Rule("nothing-relevant", "belongs to a list without any relevant item: its loss is 1", "warning")


def run_codes(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) number of the run of equal values that each row stands in, from 0."""
    return np.concatenate([[0], np.cumsum(group[1:] != group[:-1])]) if len(group) else group


def nothing_relevant(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    """Lists in which no item is relevant, named at their first row."""
    run = run_codes(arrays["group"])
    first = np.concatenate([[True], run[1:] != run[:-1]])
    empty = np.bincount(run, weights=arrays["target"]) == 0
    return [(NOTHING_RELEVANT, first & empty[run], arrays["target"])]


def ranks(run: NDArray[np.int64], key: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The order of rows within their lists by falling key (ties in file order), and each place from 0."""
    order = np.lexsort((-key, run))
    starts = np.searchsorted(run, np.arange(run[-1] + 1))
    return order, np.arange(len(run)) - starts[run]  # runs keep their places under the sort


def discounts(place: NDArray[np.int64], k: int | None, kind: str = "log2") -> Rows:
    """1 / log2(1 + rank), or 1 / rank, with ranks from 1 and nothing beyond rank k."""
    worth = np.asarray(1.0 / (np.log2(place + 2.0) if kind == "log2" else place + 1.0))
    return worth if k is None else np.where(place < k, worth, 0.0)


def exponential_gain(relevance: Rows, run: NDArray[np.int64]) -> Rows:
    """2^r - 1, in lists with r > 900 times a power of two: 2^r overflows at 1024, and only quotients count."""
    top = np.zeros(run[-1] + 1)
    np.maximum.at(top, run, relevance)
    shift = np.where(top > 900, np.floor(top), 0.0)[run]
    # Below 1, 2^r - 1 cancels; from 1 on it is exact for whole grades.
    usual = np.where(relevance < 1, np.expm1(relevance * np.log(2.0)), np.exp2(np.minimum(relevance, 1000)) - 1.0)
    return np.where(shift > 0, np.exp2(relevance - shift) - np.exp2(-shift), usual)


@loss(
    title="1 - NDCG",
    reduce=Mean(),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("one-minus-ndcg",),
    scope="group",
    paper=Paper(
        "K. Jarvelin, J. Kekalainen",
        2002,
        "Cumulated gain-based evaluation of IR techniques",
        doi="10.1145/582415.582418",
    ),
    see=("lambdarank", "approx-ndcg", "ranknet"),
    like={"sklearn": {}},
    equivalents=(
        Equivalent("sklearn", "1 - ndcg_score([target], [pred], k=k, ignore_ties=ignore_ties)", "list by list"),
    ),
    traps=(
        "gain is linear as in scikit-learn; 2^r - 1 is --gain exp",
        "tied scores share the mean discount of their places unless --ignore-ties",
        "a list without relevant items scores 0, so its loss is 1 (said in a warning)",
    ),
    checks=nothing_relevant,
)
def ndcg_loss(
    pred: Scores,
    target: Relevance,
    group: Group,
    *,
    k: Annotated[int | None, Param("only the first k places count", ge=1)] = None,
    gain: Annotated[str, Param("worth of a relevance r: r, or 2^r - 1", choices=("linear", "exp"))] = "linear",
    ignore_ties: Annotated[bool, Param("tied scores keep their order in the file")] = False,
) -> Rows:
    """How far a ranking falls short of the best order of its items.

    With items sorted by falling score, r_i the relevance at rank i, and IDCG the DCG of the best order:

        1 - DCG / IDCG,   DCG = sum_i gain(r_i) / log2(1 + i)

    >>> ndcg_loss([0.9, 0.1, 0.5], [1.0, 2.0, 0.0], [7, 7, 7])
    array([0.23981247])
    """
    if len(pred) == 0:
        return np.zeros(0)
    run = run_codes(group)
    worth = target if gain == "linear" else exponential_gain(target, run)
    order, place = ranks(run, pred)
    discount = discounts(place, k)
    if not ignore_ties:
        # Tied scores share the mean discount of the places they fill together.
        tied = np.concatenate([[False], (pred[order][1:] == pred[order][:-1]) & (run[1:] == run[:-1])])
        block = np.cumsum(~tied) - 1
        discount = (np.bincount(block, weights=discount) / np.bincount(block))[block]
    found = np.bincount(run, weights=worth[order] * discount)
    best = np.bincount(run, weights=worth[ranks(run, target)[0]] * discounts(place, k))
    # Tied scores add the same terms in another order: a perfect list may come out above 1 by rounding.
    score = np.minimum(np.divide(found, best, out=np.zeros_like(found), where=best > 0), 1.0)
    return np.asarray(1.0 - score)
