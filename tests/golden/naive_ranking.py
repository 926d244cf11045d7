"""Losses of ranked lists by their definitions, in mpmath: double loops over the items of a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath
from naive import split
from naive_regression import nearest

Floats = Sequence[float]
mpf = mpmath.mpf


def lists(
    pred: Floats, target: Floats, group: Sequence[int], one: Callable[[list[Any], list[Any]], Any]
) -> list[float]:
    return [nearest(one([mpf(x) for x in s], [mpf(x) for x in r])) for s, r in split(pred, target, group)]


def softplus(x: Any) -> Any:
    return x if x > 1000 else mpmath.log(1 + mpmath.exp(x))


def softplus_rows(x: Any) -> list[float]:
    """Means of rows."""
    rows = [[each] if not isinstance(each, list) else each for each in x]
    return [nearest(mpmath.fsum(softplus(mpf(v)) for v in row) / len(row)) for row in rows]


def preference_rows(better: Any, worse: Any, margin: float = 0.0) -> list[float]:
    """log(1 + e^(worse - better + margin)), means of rows."""
    if not isinstance(better[0], list):
        better, worse = [[b] for b in better], [[w] for w in worse]
    found = []
    for a, b in zip(better, worse, strict=True):
        costs = [softplus(mpf(w) - mpf(g) + mpf(margin)) for g, w in zip(a, b, strict=True)]
        found.append(nearest(mpmath.fsum(costs) / len(costs)))
    return found


def ranknet_rows(
    pred: Floats, target: Floats, group: Sequence[int], slope: float = 1.0, pairs: str = "sum"
) -> list[float]:
    def one(s: list[Any], r: list[Any]) -> Any:
        places = range(len(s))
        costs = [softplus(-mpf(slope) * (s[i] - s[j])) for i in places for j in places if r[i] > r[j]]
        return mpmath.fsum(costs) / (len(costs) if pairs == "mean" and costs else 1)

    return lists(pred, target, group, one)


def worth_of(relevance: Any, gain: str) -> Any:
    return relevance if gain == "linear" else mpf(2) ** relevance - 1


def discount_of(rank: int, kind: str, k: int | None) -> Any:
    if k is not None and rank > k:
        return mpf(0)
    return 1 / mpmath.log(1 + rank, 2) if kind == "log2" else mpf(1) / rank


def ideal(r: list[Any], gain: str, kind: str, k: int | None) -> Any:
    best = sorted(r, reverse=True)
    return mpmath.fsum(worth_of(x, gain) * discount_of(i, kind, k) for i, x in enumerate(best, 1))


def lambdarank_rows(
    pred: Floats,
    target: Floats,
    group: Sequence[int],
    k: int | None = None,
    gain: str = "exp",
    discount: str = "log2",
    slope: float = 1.0,
) -> list[float]:
    def one(s: list[Any], r: list[Any]) -> Any:
        places = range(len(s))
        rank = [1 + sum(s[j] > s[i] or (s[j] == s[i] and j < i) for j in places) for i in places]
        total = mpf(0)
        for i in places:
            for j in places:
                if r[i] > r[j]:
                    swap = worth_of(r[i], gain) - worth_of(r[j], gain)
                    swap *= abs(discount_of(rank[i], discount, k) - discount_of(rank[j], discount, k))
                    total += swap * softplus(-mpf(slope) * (s[i] - s[j]))
        best = ideal(r, gain, discount, k)
        return total / best if best else mpf(0)

    return lists(pred, target, group, one)


def surprise(s: list[Any]) -> list[Any]:
    """-log softmax."""
    whole = mpmath.log(mpmath.fsum(mpmath.exp(x) for x in s))
    return [whole - x for x in s]


def listnet_rows(pred: Floats, target: Floats, group: Sequence[int], temperature: float = 1.0) -> list[float]:
    def one(s: list[Any], r: list[Any]) -> Any:
        powers = [mpmath.exp(x) for x in r]
        costs = surprise([x / mpf(temperature) for x in s])
        return mpmath.fsum(p * c for p, c in zip(powers, costs, strict=True)) / mpmath.fsum(powers)

    return lists(pred, target, group, one)


def ranking_softmax_rows(pred: Floats, target: Floats, group: Sequence[int]) -> list[float]:
    return lists(pred, target, group, lambda s, r: mpmath.fsum(x * c for x, c in zip(r, surprise(s), strict=True)))


def listmle_rows(pred: Floats, target: Floats, group: Sequence[int]) -> list[float]:
    def one(s: list[Any], r: list[Any]) -> Any:
        order = sorted(range(len(s)), key=lambda i: -r[i])  # sorted keeps ties in their order
        ordered = [s[i] for i in order]
        return mpmath.fsum(surprise(ordered[k:])[0] for k in range(len(s)))

    return lists(pred, target, group, one)


def approx_ndcg_rows(
    pred: Floats, target: Floats, group: Sequence[int], temperature: float = 0.1, gain: str = "exp"
) -> list[float]:
    def one(s: list[Any], r: list[Any]) -> Any:
        places = range(len(s))
        found = mpf(0)
        for i in places:
            rank = 1 + mpmath.fsum(1 / (1 + mpmath.exp((s[i] - s[j]) / mpf(temperature))) for j in places if j != i)
            found += worth_of(r[i], gain) / mpmath.log(1 + rank, 2)
        best = ideal(r, gain, "log2", None)
        return -found / best if best else mpf(0)

    return lists(pred, target, group, one)


def relevant(target: Floats, group: Sequence[int]) -> list[float]:
    """1 for each list in which something is relevant."""
    return [float(any(r)) for _, r in split(target, target, group)]
