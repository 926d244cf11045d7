"""Losses that no library has, and some that one has, by the definition: loops over plain lists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import mpmath

Floats = Sequence[float]


def true_probabilities(pred: Sequence[float] | Sequence[Floats], target: Sequence[int]) -> list[float]:
    """Of each row the probability of what happened."""
    found = []
    for p, y in zip(pred, target, strict=True):
        if isinstance(p, float):
            found.append(p if y == 1 else float(1 - Fraction(p)))
        else:
            found.append(p[int(y)])
    return found


def exact_truths(pred: Sequence[float] | Sequence[Floats], target: Sequence[int]) -> list[Fraction]:
    exact = []
    for p, y in zip(pred, target, strict=True):
        if isinstance(p, float):
            exact.append(Fraction(p) if y == 1 else 1 - Fraction(p))
        else:
            exact.append(Fraction(p[int(y)]))
    return exact


def product(pred: Sequence[float], target: Sequence[int], weight: Floats | None = None) -> float:
    """Product of the probabilities of what happened, each to the power of its weight."""
    whole = mpmath.mpf(1)
    for place, truth in enumerate(exact_truths(pred, target)):
        power = 1.0 if weight is None else weight[place]
        if power:
            whole *= mpmath.power(mpmath.mpf(truth.numerator) / truth.denominator, power)
    return float(whole)


def geometric_mean(pred: Sequence[float], target: Sequence[int], weight: Floats | None = None) -> float:
    """The root of the product, of the number of rows or of the sum of weights."""
    used = [1.0] * len(target) if weight is None else weight
    logs = [
        w * mpmath.log(mpmath.mpf(t.numerator) / t.denominator)
        for t, w in zip(exact_truths(pred, target), used, strict=True)
        if w
    ]
    return float(mpmath.exp(mpmath.fsum(logs) / mpmath.fsum(used)))


def gain_of(relevance: float, kind: str) -> float:
    return relevance if kind == "linear" else 2.0**relevance - 1.0


def split(pred: Floats, target: Floats, group: Sequence[int]) -> list[tuple[list[float], list[float]]]:
    """Scores and relevances of each list, lists in order of appearance."""
    found: dict[int, tuple[list[float], list[float]]] = {}
    for p, t, g in zip(pred, target, group, strict=True):
        scores, relevances = found.setdefault(g, ([], []))
        scores.append(p)
        relevances.append(t)
    return list(found.values())


def one_minus_ndcg(scores: list[float], relevances: list[float], k: int | None, gain: str, ignore_ties: bool) -> float:
    """By definition: tied scores share the mean discount of their places, or keep their order in the file."""
    size = len(scores)
    places = range(size)
    discount = [1 / math.log2(i + 2) if k is None or i < k else 0.0 for i in places]
    found = 0.0
    for i in places:
        above = sum(scores[j] > scores[i] for j in places)
        tied = [j for j in places if scores[j] == scores[i]]
        if ignore_ties:
            worth = discount[above + tied.index(i)]
        else:
            worth = math.fsum(discount[above : above + len(tied)]) / len(tied)
        found += gain_of(relevances[i], gain) * worth
    best = math.fsum(gain_of(r, gain) * d for r, d in zip(sorted(relevances, reverse=True), discount, strict=True))
    return 1.0 - found / best if best else 1.0


def ndcg_rows(
    pred: Floats,
    target: Floats,
    group: Sequence[int],
    k: int | None = None,
    gain: str = "linear",
    ignore_ties: bool = False,
) -> list[float]:
    return [one_minus_ndcg(s, r, k, gain, ignore_ties) for s, r in split(pred, target, group)]


def mean(values: Floats, weight: Floats | None = None) -> float:
    used = [1.0] * len(values) if weight is None else weight
    return math.fsum(w * v for w, v in zip(used, values, strict=True)) / math.fsum(used)


def firsts(weight: Floats, group: Sequence[int]) -> list[float]:
    """The weight of each list."""
    found: dict[int, float] = {}
    for w, g in zip(weight, group, strict=True):
        found.setdefault(g, w)
    return list(found.values())


def balanced(x: float, y: float, beta: float) -> float:
    """Class-balanced sigmoid cross-entropy of one logit."""
    mp = mpmath.mp
    side = beta * y * mp.log1p(mp.exp(-mp.mpf(x))) + (1 - mp.mpf(beta)) * (1 - y) * mp.log1p(mp.exp(mp.mpf(x)))
    return float(side)


def negatives(target: Floats) -> float:
    """The share of negatives."""
    return sum(1 - y for y in target) / len(target)


def balanced_rows(pred: Floats, target: Floats, beta: float) -> list[float]:
    return [balanced(x, y, beta) for x, y in zip(pred, target, strict=True)]


def balanced_columns(pred: Sequence[Floats], target: Sequence[Floats], beta: float | None) -> list[float]:
    """Row means; beta None is each row's own share of negatives."""
    rows = []
    for x, y in zip(pred, target, strict=True):
        rows.append(mean(balanced_rows(x, y, negatives(y) if beta is None else beta)))
    return rows


def r2(pred: Sequence[Floats], target: Sequence[Floats], weight: Floats | None = None) -> float:
    """1 - residual / spread, both summed over the columns, in fractions."""
    used = [Fraction(1.0 if weight is None else weight[i]) for i in range(len(target))]
    residual = spread = Fraction(0)
    for j in range(len(target[0])):
        column = [Fraction(row[j]) for row in target]
        middle = sum(w * t for w, t in zip(used, column, strict=True)) / sum(used)
        residual += sum(w * (t - Fraction(row[j])) ** 2 for w, t, row in zip(used, column, pred, strict=True))
        spread += sum(w * (t - middle) ** 2 for w, t in zip(used, column, strict=True))
    return float(1 - residual / spread)
