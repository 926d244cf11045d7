"""Regression losses by their definitions: fractions where there is no root or logarithm, else mpmath."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import mpmath

Floats = Sequence[float]
KERAS_EPSILON = 1e-7


def nearest(value: Any) -> float:
    """The float64 next to a number, an infinity beyond them."""
    if isinstance(value, float):
        return value
    if not isinstance(value, Fraction):
        sign, mantissa, exponent, _ = mpmath.mpf(value)._mpf_
        value = Fraction(-1 if sign else 1) * int(mantissa) * Fraction(2) ** int(exponent)
    try:
        return float(value)
    except OverflowError:
        return -math.inf if value < 0 else math.inf


def each(loss: Callable[[float, float], Any], pred: Any, target: Any, row: str = "mean") -> list[float]:
    """The values of rows: of a row of several elements their mean or sum, rounded once."""
    found = []
    for p, t in zip(pred, target, strict=True):
        if not isinstance(p, list):
            found.append(nearest(loss(p, t)))
            continue
        parts = [loss(a, b) for a, b in zip(p, t, strict=True)]
        total = sum(parts[1:], parts[0])
        found.append(nearest(total if row == "sum" else total / len(parts)))
    return found


def bias_rows(pred: Any, target: Any) -> list[float]:
    return each(lambda p, t: Fraction(p) - Fraction(t), pred, target)


def half_square_rows(pred: Any, target: Any) -> list[float]:
    return each(lambda p, t: (Fraction(p) - Fraction(t)) ** 2 / 2, pred, target, "sum")


def asymmetric_rows(pred: Any, target: Any, over: float = 1.0, under: float = 1.0, power: int = 2) -> list[float]:
    def one(p: float, t: float) -> Fraction:
        weight = Fraction(over) if p > t else Fraction(under)
        return weight * abs(Fraction(p) - Fraction(t)) ** power

    return each(one, pred, target)


def mape_rows(pred: Any, target: Any, eps: float, factor: float = 1.0, row: str = "mean") -> list[float]:
    def one(p: float, t: float) -> Any:
        error, least = abs(Fraction(p) - Fraction(t)), max(abs(Fraction(t)), Fraction(eps))
        if error == 0:
            return Fraction(0)
        return Fraction(factor) * error / least if least else math.inf

    return each(one, pred, target, row)


def without_zeros(pred: Any, target: Any) -> list[float]:
    """Shares of the target; rows with a target of 0 do not count and are shown as 0."""
    kept = [t != 0 if not isinstance(t, list) else all(t) for t in target]
    return [mape_rows([p], [t], 0.0)[0] if k else 0.0 for p, t, k in zip(pred, target, kept, strict=True)]


def log_gap(p: float, t: float, clamp: bool = False) -> Any:
    if clamp:
        p, t = max(p, KERAS_EPSILON), max(t, KERAS_EPSILON)
    return mpmath.log(1 + mpmath.mpf(p)) - mpmath.log(1 + mpmath.mpf(t))


def msle_rows(pred: Any, target: Any, clamp: bool = False) -> list[float]:
    return each(lambda p, t: log_gap(p, t, clamp) ** 2, pred, target)


def rmsle(pred: Any, target: Any, weight: Floats | None = None, clamp: bool = False) -> float:
    """The root of the mean over all elements."""
    used = [1.0] * len(pred) if weight is None else weight
    total, count = mpmath.mpf(0), mpmath.mpf(0)
    for p, t, w in zip(pred, target, used, strict=True):
        elements = zip(p, t, strict=True) if isinstance(p, list) else [(p, t)]
        for a, b in elements:
            total += w * log_gap(a, b, clamp) ** 2
            count += w
    return nearest(mpmath.sqrt(total / count))


def rmsle_rows(pred: Any, target: Any, clamp: bool = False) -> list[float]:
    return [rmsle([p], [t], clamp=clamp) for p, t in zip(pred, target, strict=True)]


def cosine_rows(pred: Sequence[Floats], target: Sequence[Floats], eps: float = 0.0) -> list[float]:
    found = []
    for a, b in zip(pred, target, strict=True):
        u, v = [mpmath.mpf(x) for x in a], [mpmath.mpf(x) for x in b]
        norms = [max(mpmath.sqrt(mpmath.fsum(x * x for x in vector)), mpmath.mpf(eps)) for vector in (u, v)]
        dot = mpmath.fsum(x * y for x, y in zip(u, v, strict=True))
        found.append(nearest(1 - dot / (norms[0] * norms[1]) if norms[0] * norms[1] else mpmath.mpf(1)))
    return found


def variance(values: list[Fraction], weight: list[Fraction]) -> Fraction:
    """About the weighted mean, times the sum of weights."""
    middle = sum(w * x for w, x in zip(weight, values, strict=True)) / sum(weight)
    return sum((w * (x - middle) ** 2 for w, x in zip(weight, values, strict=True)), Fraction(0))


def explained_variance(pred: Any, target: Any, weight: Floats | None = None) -> float:
    """1 - left / whole, both summed over the columns; 1 or 0 where no target varies."""
    used = [Fraction(1.0 if weight is None else w) for w in (weight or pred)]
    if not isinstance(pred[0], list):
        pred, target = [[p] for p in pred], [[t] for t in target]
    left = whole = Fraction(0)
    for j in range(len(target[0])):
        left += variance([Fraction(t[j]) - Fraction(p[j]) for p, t in zip(pred, target, strict=True)], used)
        whole += variance([Fraction(t[j]) for t in target], used)
    if whole == 0:
        return 1.0 if left == 0 else 0.0
    return nearest(1 - left / whole)
