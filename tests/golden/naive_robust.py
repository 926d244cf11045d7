"""Robust and relative regression losses, and distances of samples, by their definitions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import mpmath
from naive_regression import each, nearest

Floats = Sequence[float]
mpf = mpmath.mpf


def smape_rows(pred: Any, target: Any, eps: float = 1.17e-6) -> list[float]:
    def one(p: float, t: float) -> Any:
        error, size = abs(Fraction(p) - Fraction(t)), max(abs(Fraction(p)) + abs(Fraction(t)), Fraction(eps))
        return 2 * error / size if error else Fraction(0)

    return each(one, pred, target)


def barron_rows(pred: Any, target: Any, alpha: float = 1.0, c: float = 1.0) -> list[float]:
    def one(p: float, t: float) -> Any:
        square = ((mpf(p) - mpf(t)) / mpf(c)) ** 2
        if alpha == 2:
            return square / 2
        if alpha == 0:
            return mpmath.log(1 + square / 2)
        if alpha == math.inf:
            return mpmath.exp(square / 2) - 1
        if alpha == -math.inf:
            return 1 - mpmath.exp(-square / 2) if square < 1e6 else mpf(1)
        b = abs(mpf(alpha) - 2)
        return b / alpha * ((1 + square / b) ** (mpf(alpha) / 2) - 1)

    return each(one, pred, target)


def wing_rows(pred: Any, target: Any, width: float = 10.0, curvature: float = 2.0) -> list[float]:
    w, q = mpf(width), mpf(curvature)

    def one(p: float, t: float) -> Any:
        size = abs(mpf(p) - mpf(t))
        return w * mpmath.log1p(size / q) if size < w else size - (w - w * mpmath.log(1 + w / q))

    return each(one, pred, target)


def minkowski_rows(pred: Sequence[Floats], target: Sequence[Floats], p: float = 2.0) -> list[float]:
    return [minkowski_all([a], [b], p) for a, b in zip(pred, target, strict=True)]


def minkowski_all(
    pred: Sequence[Floats], target: Sequence[Floats], p: float = 2.0, weight: Floats | None = None
) -> float:
    total = mpf(0)
    for i, (a, b) in enumerate(zip(pred, target, strict=True)):
        sizes = [abs(mpf(x) - mpf(y)) for x, y in zip(a, b, strict=True)]
        total += (1 if weight is None else mpf(weight[i])) * mpmath.fsum(s ** mpf(p) for s in sizes if s)
    return nearest(total ** (1 / mpf(p)))


def tables(pred: Any, target: Any, per_column: bool) -> list[tuple[list[Fraction], list[Fraction], int]]:
    """Predictions, targets and how many elements a row has: column by column, or all elements together."""
    if not isinstance(pred[0], list):
        pred, target = [[p] for p in pred], [[t] for t in target]
    if per_column:
        return [([Fraction(r[j]) for r in pred], [Fraction(r[j]) for r in target], 1) for j in range(len(pred[0]))]
    return [([Fraction(x) for r in pred for x in r], [Fraction(x) for r in target for x in r], len(pred[0]))]


def weighted(values: list[Fraction], weight: Floats | None, width: int) -> tuple[list[Fraction], Fraction]:
    """The weight of each element, and their sum."""
    used = [Fraction(1)] * len(values) if weight is None else [Fraction(w) for w in weight for _ in range(width)]
    return used, sum(used, Fraction(0))


def dot(*factors: list[Fraction]) -> Fraction:
    return sum((math.prod(some, start=Fraction(1)) for some in zip(*factors, strict=True)), Fraction(0))


def root(x: Fraction) -> Any:
    return mpmath.sqrt(mpf(x.numerator) / x.denominator)


def wmape(pred: Any, target: Any, weight: Floats | None = None, eps: float = 1.17e-6) -> float:
    [(p, t, width)] = tables(pred, target, False)
    w, _ = weighted(p, weight, width)
    error, size = (
        sum((a * b for a, b in zip(w, x, strict=True)), Fraction(0))
        for x in ([abs(a - b) for a, b in zip(p, t, strict=True)], [abs(b) for b in t])
    )
    return nearest(error / max(size, Fraction(eps)))


def rse(pred: Any, target: Any, weight: Floats | None = None, squared: bool = True, per_column: bool = False) -> float:
    error, spread = [], []
    for p, t, _ in tables(pred, target, True):
        w, n = weighted(p, weight, 1)
        middle = dot(w, t) / n
        error.append(dot(w, [(a - b) ** 2 for a, b in zip(p, t, strict=True)]))
        spread.append(dot(w, [(b - middle) ** 2 for b in t]))
    if not per_column:
        error, spread = [sum(error, Fraction(0))], [sum(spread, Fraction(0))]
    parts = [e / s for e, s in zip(error, spread, strict=True)]
    values = [mpf(x.numerator) / x.denominator if squared else root(x) for x in parts]
    return nearest(mpmath.fsum(values) / len(values))


def nrmse(
    pred: Any, target: Any, weight: Floats | None = None, normalization: str = "mean", per_column: bool = False
) -> float:
    values = []
    for p, t, width in tables(pred, target, per_column):
        w, n = weighted(p, weight, width)
        middle = dot(w, t) / n
        counted = [b for a, b in zip(w, t, strict=True) if a]
        size = {
            "mean": mpf(middle.numerator) / middle.denominator,
            "range": mpf((max(counted) - min(counted)).numerator) / (max(counted) - min(counted)).denominator,
            "std": root(dot(w, [(b - middle) ** 2 for b in t]) / n),
            "l2": root(dot(w, t, t)),
        }[normalization]
        values.append(root(dot(w, [(a - b) ** 2 for a, b in zip(p, t, strict=True)]) / n) / size)
    return nearest(mpmath.fsum(values) / len(values))


def concordance(pred: Any, target: Any, weight: Floats | None = None, ddof: int = 0, per_column: bool = False) -> float:
    values = []
    for p, t, width in tables(pred, target, per_column):
        w, n = weighted(p, weight, width)
        a, b = dot(w, p) / n, dot(w, t) / n
        left, right = [x - a for x in p], [x - b for x in t]
        free = n - ddof
        both = dot(w, left, left) / free + dot(w, right, right) / free + (a - b) ** 2
        values.append(1 - 2 * dot(w, left, right) / free / both)
    return nearest(sum(values, Fraction(0)) / len(values))


def crps_rows(pred: Sequence[Floats], target: Floats, estimator: str = "nrg") -> list[float]:
    """By the two means, in fractions."""
    found = []
    for members, y in zip(pred, target, strict=True):
        x, m = [Fraction(v) for v in members], len(members)
        near = sum((abs(v - Fraction(y)) for v in x), Fraction(0)) / m
        apart = sum((abs(u - v) for u in x for v in x), Fraction(0))
        found.append(nearest(near - apart / (2 * m * (m if estimator == "nrg" else m - 1))))
    return found


def crps_normal_rows(pred: Any, target: Any, sigma: Any) -> list[float]:
    if isinstance(pred[0], list):
        rows = [crps_normal_rows(*row) for row in zip(pred, target, sigma, strict=True)]
        return [math.fsum(row) / len(row) for row in rows]
    found = []
    for m, y, s in zip(pred, target, sigma, strict=True):
        z = (mpf(y) - mpf(m)) / mpf(s)
        if abs(z) > 1e4:
            found.append(nearest(abs(mpf(y) - mpf(m)) - mpf(s) / mpmath.sqrt(mpmath.pi)))
            continue
        bell = 2 * mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi)
        found.append(nearest(mpf(s) * (z * mpmath.erf(z / mpmath.sqrt(2)) + bell - 1 / mpmath.sqrt(mpmath.pi))))
    return found


def step_gaps(pred: Floats, target: Floats, weight: Floats | None) -> list[tuple[Fraction, Fraction]]:
    """Between each two neighbours of all values: how far they are apart, and F - G there."""
    w = [Fraction(1)] * len(pred) if weight is None else [Fraction(x) for x in weight]
    n = sum(w, Fraction(0))
    values = sorted(Fraction(x) for x in [*pred, *target])
    found = []
    for low, high in pairwise(values):
        f = sum((a for a, x in zip(w, pred, strict=True) if Fraction(x) <= low), Fraction(0)) / n
        g = sum((a for a, x in zip(w, target, strict=True) if Fraction(x) <= low), Fraction(0)) / n
        found.append((high - low, f - g))
    return found


def moved(pred: Floats, target: Floats, weight: Floats | None = None) -> float:
    return nearest(sum((gap * abs(d) for gap, d in step_gaps(pred, target, weight)), Fraction(0)))


def energy_apart(pred: Floats, target: Floats, weight: Floats | None = None) -> float:
    return nearest(root(2 * sum((gap * d * d for gap, d in step_gaps(pred, target, weight)), Fraction(0))))


def asl_rows(
    pred: Any,
    target: Any,
    gamma_neg: float = 4.0,
    gamma_pos: float = 1.0,
    offset: float = 0.05,
    eps: float = 1e-8,
) -> list[float]:
    def one(x: float, y: float) -> Any:
        p, no = 1 / (1 + mpmath.exp(-mpf(x))), 1 / (1 + mpmath.exp(mpf(x)))
        if y == 1:
            return -(no ** mpf(gamma_pos)) * mpmath.log(max(p, mpf(eps)))
        q, rest = max(p - mpf(offset), mpf(0)), min(no + mpf(offset), mpf(1))
        return -(q ** mpf(gamma_neg)) * mpmath.log(max(rest, mpf(eps))) if q else mpf(0)

    return each(one, pred, target)


def expectile_rows(pred: Any, target: Any, tau: float = 0.5) -> list[float]:
    def one(p: float, t: float) -> Fraction:
        return (1 - Fraction(tau) if t < p else Fraction(tau)) * (Fraction(p) - Fraction(t)) ** 2

    return each(one, pred, target)


def linex_rows(pred: Any, target: Any, a: float = 1.0, b: float = 1.0) -> list[float]:
    def one(p: float, t: float) -> Any:
        x = mpf(a) * (mpf(p) - mpf(t))
        if x > 800:
            return math.inf
        return mpf(b) * (mpmath.exp(x) - x - 1) if abs(x) > 1e-50 else mpf(b) * x * x / 2

    return each(one, pred, target)


def of_error(loss: Callable[..., Any], pred: Any, target: Any, **params: Any) -> list[float]:
    """Rows of a loss of the error, in mpmath."""
    exact = {name: x if isinstance(x, bool) else mpf(x) for name, x in params.items()}
    return each(lambda p, t: loss(mpf(p) - mpf(t), **exact), pred, target)


def tukey_of(e: Any, c: Any) -> Any:
    return c**2 / 6 * (1 - (1 - (e / c) ** 2) ** 3) if abs(e) <= c else c**2 / 6


def cauchy_of(e: Any, c: Any) -> Any:
    return c**2 / 2 * mpmath.log1p((e / c) ** 2)


def welsch_of(e: Any, c: Any) -> Any:
    return -(c**2) / 2 * (mpmath.expm1(-((e / c) ** 2)) if abs(e / c) < 1e6 else -1)


def geman_mcclure_of(e: Any, c: Any) -> Any:
    return e**2 / 2 / (1 + (e / c) ** 2)


def fair_of(e: Any, c: Any) -> Any:
    x = abs(e) / c
    return c**2 * (x - mpmath.log1p(x)) if x > 1e-50 else c**2 * x**2 / 2


def pseudo_huber_of(e: Any, delta: Any) -> Any:
    r = e / delta
    return delta**2 * (mpmath.sqrt(1 + r**2) - 1) if abs(r) > 1e-50 else e**2 / 2


def charbonnier_of(e: Any, eps: Any) -> Any:
    return mpmath.sqrt(e**2 + eps**2)


def insensitive_of(e: Any, epsilon: Any, squared: bool = False) -> Any:
    return max(abs(e) - epsilon, mpf(0)) ** (2 if squared else 1)


def balanced_of(e: Any, alpha: Any, gamma: Any) -> Any:
    x, b = abs(e), mpmath.expm1(gamma / alpha)
    if x >= 1:
        return gamma * x + gamma / b - alpha
    return alpha / b * (b * x + 1) * mpmath.log1p(b * x) - alpha * x if x > 1e-50 else alpha * b * x * x / 2
