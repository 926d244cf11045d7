"""Losses over batches of embeddings by the definition: loops over pairs and triplets, with 120 digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import mpmath

Vectors = Sequence[Sequence[float]]
Pair = Callable[[int, int], Any]
INFINITE = mpmath.inf


def vector_length(x: Sequence[Any]) -> Any:
    return mpmath.sqrt(sum(mpmath.mpf(i) ** 2 for i in x))


def batch_rows(features: Vectors, l2_normalize: bool) -> list[list[Any]]:
    rows = [[mpmath.mpf(i) for i in x] for x in features]
    return [[i / (vector_length(x) or 1) for i in x] for x in rows] if l2_normalize else rows


def similarity_of(features: Vectors, l2_normalize: bool) -> Pair:
    rows = batch_rows(features, l2_normalize)
    return lambda i, j: sum(a * b for a, b in zip(rows[i], rows[j], strict=True))


def distance_of_pair(features: Vectors, l2_normalize: bool) -> Pair:
    rows = batch_rows(features, l2_normalize)
    return lambda i, j: vector_length([a - b for a, b in zip(rows[i], rows[j], strict=True)])


def company_of(target: Sequence[Any]) -> Iterator[tuple[int, list[int], list[int]]]:
    """Each anchor with its positives and its negatives."""
    for i, own in enumerate(target):
        positives = [j for j, other in enumerate(target) if other == own and j != i]
        yield i, positives, [j for j, other in enumerate(target) if other != own]


def exp_sum(exponents: list[Any]) -> Any:
    return sum((mpmath.exp(e) for e in exponents), mpmath.mpf(0))


def nt_xent_rows(
    features: Vectors, target: Sequence[Any], temperature: float, l2_normalize: bool = True
) -> list[float]:
    s = similarity_of(features, l2_normalize)
    found = []
    for i, positives, negatives in company_of(target):
        below = exp_sum([s(i, n) / temperature for n in negatives])
        found.append(float(sum(mpmath.log1p(below / mpmath.exp(s(i, p) / temperature)) for p in positives)))
    return found


def sup_con_rows(
    features: Vectors, target: Sequence[Any], temperature: float, l2_normalize: bool = True
) -> list[float]:
    s = similarity_of(features, l2_normalize)
    found = []
    for i, positives, negatives in company_of(target):
        whole = exp_sum([s(i, k) / temperature for k in (*positives, *negatives)])
        shares = [mpmath.exp(s(i, p) / temperature) / whole for p in positives]
        found.append(float(-sum(mpmath.log(share) for share in shares) / len(shares)) if shares else 0.0)
    return found


def with_positives(target: Sequence[Any]) -> list[int]:
    return [1 if positives else 0 for _, positives, _ in company_of(target)]


def with_both(target: Sequence[Any]) -> list[int]:
    return [1 if positives and negatives else 0 for _, positives, negatives in company_of(target)]


def circle_rows(
    features: Vectors, target: Sequence[Any], m: float = 0.4, gamma: float = 80.0, l2_normalize: bool = True
) -> list[float]:
    s, m = similarity_of(features, l2_normalize), mpmath.mpf(m)
    found = []
    for i, positives, negatives in company_of(target):
        near = exp_sum([gamma * max(1 + m - s(i, p), 0) * (1 - m - s(i, p)) for p in positives])
        far = exp_sum([gamma * max(s(i, n) + m, 0) * (s(i, n) - m) for n in negatives])
        found.append(float(mpmath.log1p(near * far)))
    return found


def multi_similarity_rows(
    features: Vectors,
    target: Sequence[Any],
    alpha: float = 2.0,
    beta: float = 50.0,
    threshold: float = 0.5,
    l2_normalize: bool = True,
) -> list[float]:
    s = similarity_of(features, l2_normalize)
    found = []
    for i, positives, negatives in company_of(target):
        near = mpmath.log1p(exp_sum([-alpha * (s(i, p) - threshold) for p in positives])) / alpha
        far = mpmath.log1p(exp_sum([beta * (s(i, n) - threshold) for n in negatives])) / beta
        found.append(float(near + far))
    return found


def batch_hard_rows(
    features: Vectors,
    target: Sequence[Any],
    margin: float = 1.0,
    distance: str = "euclidean",
    l2_normalize: bool = False,
) -> list[float]:
    d = distance_of_pair(features, l2_normalize)
    if distance == "sqeuclidean":
        root, d = d, lambda i, j: root(i, j) ** 2
    if distance == "cosine":
        cosine, d = similarity_of(features, True), lambda i, j: 1 - cosine(i, j)
    found = []
    for i, positives, negatives in company_of(target):
        if positives and negatives:
            found.append(float(max(max(d(i, p) for p in positives) - min(d(i, n) for n in negatives) + margin, 0)))
        else:
            found.append(0.0)
    return found


def lifted_rows(
    features: Vectors,
    target: Sequence[Any],
    neg_margin: float = 1.0,
    pos_margin: float = 0.0,
    l2_normalize: bool = True,
) -> list[float]:
    d = distance_of_pair(features, l2_normalize)
    found = []
    for i, positives, negatives in company_of(target):
        row = mpmath.mpf(0)
        for p in positives if negatives else []:
            below = mpmath.log(exp_sum([neg_margin - d(end, n) for end, n in product((i, p), negatives)]))
            row += max(below + d(i, p) - pos_margin, 0) ** 2 / 2
        found.append(float(row))
    return found


def margin_terms(
    features: Vectors, target: Sequence[Any], beta: float, alpha: float, l2_normalize: bool
) -> Iterator[list[Any]]:
    d = distance_of_pair(features, l2_normalize)
    for i, positives, negatives in company_of(target):
        yield [
            term
            for p, n in product(positives, negatives)
            for term in (max(d(i, p) - beta + alpha, 0), max(beta - d(i, n) + alpha, 0))
        ]


def margin_wu_rows(
    features: Vectors, target: Sequence[Any], beta: float = 1.2, alpha: float = 0.2, l2_normalize: bool = True
) -> list[float]:
    return [float(sum(terms)) for terms in margin_terms(features, target, beta, alpha, l2_normalize)]


def margin_wu_counts(
    features: Vectors, target: Sequence[Any], beta: float = 1.2, alpha: float = 0.2, l2_normalize: bool = True
) -> list[int]:
    return [sum(term > 0 for term in terms) for terms in margin_terms(features, target, beta, alpha, l2_normalize)]


def batch_mean(rows: Sequence[float], counts: Sequence[float], weight: Sequence[float] | None = None) -> float:
    """The sum of rows over the sum of counts, both weighted."""
    weighed = [1.0] * len(rows) if weight is None else weight
    above = mpmath.fsum(mpmath.mpf(w) * r for w, r in zip(weighed, rows, strict=True))
    return float(above / mpmath.fsum(mpmath.mpf(w) * c for w, c in zip(weighed, counts, strict=True)))


def pairs_of(target: Sequence[Any]) -> list[int]:
    return [len(positives) for _, positives, _ in company_of(target)]
