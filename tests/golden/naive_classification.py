"""Losses of classification by their definitions: loops over plain lists, mpmath and fractions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import mpmath

Floats = Sequence[float]
mp = mpmath.mp
EPS = 2.0**-52


def sides(score: float, form: str) -> tuple[Any, Any, Any, Any]:
    """Of one score p, 1 - p, -log p and -log(1 - p)."""
    x = mp.mpf(score)
    if form == "probs":
        return x, 1 - x, -mp.log(x) if x else mp.inf, -mp.log(1 - x) if x != 1 else mp.inf
    return 1 / (1 + mp.exp(-x)), 1 / (1 + mp.exp(x)), mp.log1p(mp.exp(-x)), mp.log1p(mp.exp(x))


def focal(score: float, y: float, alpha: float | None, gamma: float, form: str) -> float:
    p, rest, yes, no = sides(score, form)
    cost = (y * yes if y else 0) + ((1 - mp.mpf(y)) * no if y != 1 else 0)
    miss = y * rest + (1 - mp.mpf(y)) * p
    share = mp.mpf(1) if alpha is None else alpha * mp.mpf(y) + (1 - mp.mpf(alpha)) * (1 - mp.mpf(y))
    return float(share * (miss ** mp.mpf(gamma) if gamma else 1) * cost) if share and cost else 0.0


def focal_rows(
    pred: Floats, target: Floats, alpha: float | None = 0.25, gamma: float = 2.0, form: str = "logits"
) -> list[float]:
    return [focal(x, y, alpha, gamma, form) for x, y in zip(pred, target, strict=True)]


def miss_and_cost(row: Floats, y: int, form: str) -> tuple[Any, Any]:
    """Of class ``y`` 1 - p and -log p, without a difference of neighbours: p / (1 - p) from the others' scores."""
    own = mp.mpf(row[y])
    if form == "probs":
        return 1 - own, -mp.log(own) if own else mp.inf
    if form == "log-probs":
        return -mp.expm1(own), -own
    if own == -mp.inf:
        return mp.mpf(1), mp.inf
    odds = mp.fsum(mp.exp(mp.mpf(z) - own) for c, z in enumerate(row) if c != y)
    return odds / (1 + odds), mp.log1p(odds)


def over_classes(
    cost: Callable[[Any, Any], Any],
    pred: Sequence[Floats],
    target: Sequence[Any],
    form: str,
    share: Floats | float = 1.0,
    digits: int = 60,
) -> list[float]:
    """``cost(1 - p, -log p)`` of the true class, of a distribution the sum over classes with its shares."""
    found = []
    with mp.workdps(digits):
        for row, t in zip(pred, target, strict=True):
            parts = mp.mpf(0)
            for c in range(len(row)):
                weight = mp.mpf(t[c] if isinstance(t, list) else c == int(t))
                weight *= share[c] if isinstance(share, Sequence) else share
                if weight:
                    parts += weight * cost(*miss_and_cost(row, c, form))
            found.append(float(parts))
    return found


def softmax_focal(
    pred: Sequence[Floats],
    target: Sequence[Any],
    alpha: Floats | float | None = 0.25,
    gamma: float = 2.0,
    form: str = "logits",
) -> list[float]:
    share = 1.0 if alpha is None else alpha
    return over_classes(lambda m, c: (m ** mp.mpf(gamma) if gamma else 1) * c, pred, target, form, share)


def poly(pred: Sequence[Floats], target: Sequence[Any], epsilon: float = 2.0, form: str = "logits") -> list[float]:
    # -log p and 1 - p of a class that leads by 300 differ in their 130th digit.
    return over_classes(lambda m, c: c + epsilon * m, pred, target, form, digits=700 if epsilon < 0 else 60)


def bent(pred: Sequence[Floats], target: Sequence[Any], q: float = 0.5, form: str = "probs") -> list[float]:
    """Generalized cross-entropy."""
    return over_classes(lambda m, c: -mp.expm1(-q * c) / q, pred, target, form)


def smoothed(
    pred: Sequence[Floats],
    target: Sequence[Any],
    smoothing: float,
    uniform: str = "C",
    class_weight: Floats | None = None,
    form: str = "logits",
) -> list[float]:
    """Cross-entropy against smoothed targets, spread over all classes or over the wrong ones."""
    found = []
    for row, t in zip(pred, target, strict=True):
        size = len(row)
        parts = mp.mpf(0)
        for c in range(size):
            own = mp.mpf(t[c] if isinstance(t, list) else c == int(t))
            spread = mp.mpf(1) / size if uniform == "C" else (1 - own) / (size - 1)
            share = (1 - mp.mpf(smoothing)) * own + mp.mpf(smoothing) * spread
            share *= 1 if class_weight is None else class_weight[c]
            if share:
                parts += share * miss_and_cost(row, c, form)[1]
        found.append(float(parts))
    return found


def shares(target: Sequence[int], class_weight: Floats | None = None, weight: Floats | None = None) -> list[float]:
    """What each row counts in the mean of index targets."""
    used = [1.0] * len(target) if weight is None else weight
    return [w * (1.0 if class_weight is None else class_weight[int(y)]) for w, y in zip(used, target, strict=True)]


def plain_mean(rows: Floats, weight: Floats, by: Floats) -> float:
    """Sum of weighted rows over the sum of ``by``, in fractions."""
    whole = sum((Fraction(w) * Fraction(r) for w, r in zip(weight, rows, strict=True)), Fraction(0))
    return float(whole / sum(map(Fraction, by)))


def log_loss_rows(pred: Sequence[Any], target: Sequence[int], eps: float = EPS) -> list[float]:
    """-log of the clipped probability of what happened."""
    found = []
    for p, y in zip(pred, target, strict=True):
        truth = Fraction(p[int(y)]) if isinstance(p, list) else Fraction(p) if y == 1 else 1 - Fraction(p)
        truth = min(max(truth, Fraction(eps)), 1 - Fraction(eps))
        miss = 1 - truth  # 1 - 1e-300 has more digits than mpmath is asked for, on either side
        near = truth > Fraction(1, 2)
        size = mp.mpf((miss if near else truth).numerator) / (miss if near else truth).denominator
        cost = math.inf if not truth else -mp.log1p(-size) if near else -mp.log(size)
        found.append(float(cost))
    return found


def projected(scores: Sequence[Fraction]) -> list[Fraction]:
    """The nearest distribution to the scores."""
    falling = sorted(scores, reverse=True)
    level = next(
        (sum(falling[:k]) - 1) / k
        for k in range(len(falling), 0, -1)
        if falling[k - 1] > (sum(falling[:k]) - 1) / Fraction(k)
    )
    return [max(z - level, Fraction(0)) for z in scores]


def largest(row: Floats, max_fun: str) -> Fraction:
    """The maximum of the scores, as it is or over distributions with (1 - |p|^2) / 2 on top; -inf is not there."""
    scores = [Fraction(z) for z in row if math.isfinite(z)]
    if max_fun == "max":
        return max(scores)
    p = projected(scores)
    return sum((a * z for a, z in zip(p, scores, strict=True)), Fraction(0)) + (1 - sum(a * a for a in p)) / 2


def fenchel_young(pred: Sequence[Floats], target: Sequence[Any], max_fun: str = "logsumexp") -> list[float]:
    if max_fun == "logsumexp":
        return over_classes(lambda m, c: c, pred, target, "logits")
    found = []
    for row, t in zip(pred, target, strict=True):
        top, parts = largest(row, max_fun), Fraction(0)
        share = [Fraction(s) for s in t] if isinstance(t, list) else [Fraction(c == int(t)) for c in range(len(row))]
        if any(s and z == -math.inf for s, z in zip(share, row, strict=True)):
            found.append(math.inf)
            continue
        parts = sum((s * (top - Fraction(z)) for s, z in zip(share, row, strict=True) if s), Fraction(0))
        found.append(float(parts))
    return found


def sparsemax(pred: Sequence[Any], target: Sequence[int]) -> list[float]:
    """A single score x is the two scores 0 and x."""
    rows = [row if isinstance(row, list) else [0.0, row] for row in pred]
    return fenchel_young(rows, target, "sparsemax")
