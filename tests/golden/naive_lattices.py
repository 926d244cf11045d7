"""Recursions over two sequences as tables of cells, one row at a time, in exact or mpmath numbers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import mpmath

Numbers = Sequence[Any]


def flat(point: Any) -> list[Any]:
    """The numbers of a point."""
    return [mpmath.mpf(v) for v in point] if isinstance(point, list) else [mpmath.mpf(point)]


def point_distance(a: Any, b: Any, metric: str) -> Any:
    gaps = [abs(p - q) for p, q in zip(flat(a), flat(b), strict=True)]
    if metric == "manhattan":
        return mpmath.fsum(gaps)
    square = mpmath.fsum(gap**2 for gap in gaps)
    return square if metric == "sqeuclidean" else mpmath.sqrt(square)


def table(
    x: Numbers, y: Numbers, distance: Callable[..., Any], join: Callable[..., Any], inside: Callable[..., bool]
) -> Any:
    cells: dict[tuple[int, int], Any] = {(-1, -1): mpmath.mpf(0)}
    far = mpmath.inf
    for i, j in itertools.product(range(len(x)), range(len(y))):
        if inside(i, j):
            around = [cells.get(at, far) for at in ((i - 1, j), (i, j - 1), (i - 1, j - 1))]
            cells[i, j] = distance(x[i], y[j]) + join(around)
    return cells[len(x) - 1, len(y) - 1]


def dtw_rows(
    pred: list[Any], target: list[Any], metric: str = "sqeuclidean", window: int | None = None, root: bool = False
) -> list[float]:
    def cost(x: Numbers, y: Numbers) -> Any:
        extra = len(y) - len(x)
        low, high = (-len(x), len(y)) if window is None else (min(extra, 0) - window, max(extra, 0) + window)
        return table(x, y, lambda a, b: point_distance(a, b, metric), min, lambda i, j: low <= j - i <= high)

    costs = [cost(x, y) for x, y in zip(pred, target, strict=True)]
    return [float(mpmath.sqrt(c) if root else c) for c in costs]


def soft_dtw_rows(pred: list[Any], target: list[Any], gamma: float = 1.0, divergence: bool = False) -> list[float]:
    def soft(around: list[Any]) -> Any:
        return -gamma * mpmath.log(mpmath.fsum(mpmath.exp(-cell / gamma) for cell in around))

    def between(x: Numbers, y: Numbers) -> Any:
        return table(x, y, lambda a, b: point_distance(a, b, "sqeuclidean"), soft, lambda i, j: True)

    found = []
    for x, y in zip(pred, target, strict=True):
        own = (between(x, x) + between(y, y)) / 2 if divergence else 0
        found.append(float(between(x, y) - own))
    return found


def probabilities_of(cell: Numbers, form: str) -> list[Any]:
    if form == "probs":
        return [mpmath.mpf(v) for v in cell]
    powers = [mpmath.exp(mpmath.mpf(v)) for v in cell]
    return powers if form == "log-probs" else [p / mpmath.fsum(powers) for p in powers]


def transducer_rows(pred: list[Any], target: list[Any], form: str = "logits", blank: int = -1) -> list[float]:
    found = []
    for lattice, labels in zip(pred, target, strict=True):
        prob = [[probabilities_of(cell, form) for cell in frame] for frame in lattice]
        reached: dict[tuple[int, int], Any] = {(0, 0): mpmath.mpf(1)}
        for t, u in itertools.product(range(len(prob)), range(len(labels) + 1)):
            if (t, u) != (0, 0):
                stayed = reached[t - 1, u] * prob[t - 1][u][blank] if t else 0
                said = reached[t, u - 1] * prob[t][u - 1][labels[u - 1]] if u else 0
                reached[t, u] = stayed + said
        end = len(prob) - 1, len(labels)
        found.append(float(-mpmath.log(reached[end] * prob[end[0]][end[1]][blank])))
    return found


def crf_rows(
    pred: list[Any], target: list[Any], transitions: list[Any], start: list[float], end: list[float]
) -> list[float]:
    """Over all taggings one by one."""

    def score(emissions: list[Any], tags: Sequence[int]) -> Fraction:
        total = Fraction(start[tags[0]]) + Fraction(end[tags[-1]])
        total += sum(Fraction(e[y]) for e, y in zip(emissions, tags, strict=True))
        return total + sum(Fraction(transitions[a][b]) for a, b in itertools.pairwise(tags))

    found = []
    for emissions, tags in zip(pred, target, strict=True):
        true = score(emissions, tags)
        every = itertools.product(range(len(start)), repeat=len(emissions))
        gaps = [score(emissions, other) - true for other in every]
        weights = [mpmath.exp(mpmath.mpf(gap.numerator) / gap.denominator) for gap in gaps]
        found.append(float(mpmath.log(mpmath.fsum(weights))))
    return found


def split_units(text: str, unit: str) -> list[Any]:
    if unit == "word":
        return list(text.split())
    return list(text.encode()) if unit == "byte" else list(text)


def alignment_rows(
    pred: list[str],
    target: list[str],
    match: float = 1.0,
    mismatch: float = -1.0,
    gap: float = -1.0,
    gap_open: float = 0.0,
    local: bool = False,
    unit: str = "char",
    fold: bool = False,
) -> list[float]:
    """Minus the best score: the last step taken is a pair, or a whole run of gaps on one side."""

    def run(count: int) -> Fraction:
        return Fraction(gap_open) + count * Fraction(gap)

    found = []
    for x, y in zip(pred, target, strict=True):
        a, b = split_units(x.lower() if fold else x, unit), split_units(y.lower() if fold else y, unit)
        best: dict[tuple[int, int], Fraction] = {}
        for i, j in itertools.product(range(len(a) + 1), range(len(b) + 1)):
            ways = [Fraction(0)] if local or i == j == 0 else []
            if i and j:
                ways.append(best[i - 1, j - 1] + Fraction(match if a[i - 1] == b[j - 1] else mismatch))
            ways += [best[i - k, j] + run(k) for k in range(1, i + 1)]
            ways += [best[i, j - k] + run(k) for k in range(1, j + 1)]
            best[i, j] = max(ways)
        score = max(best.values()) if local else best[len(a), len(b)]
        found.append(0.0 - float(score))
    return found
