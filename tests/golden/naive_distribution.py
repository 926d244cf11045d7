"""Likelihoods, divergences, deviances and scores by their definitions: loops over plain lists, in mpmath."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import mpmath

Floats = Sequence[float]
mp = mpmath.mp


def xlogy(x: object, y: object) -> object:
    return mp.mpf(0) if x == 0 else x * mp.log(y) if y > 0 else -mp.inf


def poisson_nll(x: float, t: float, log_input: bool, full: bool, stirling: str, eps: float) -> float:
    rate = mp.exp(mp.mpf(x)) if log_input else mp.mpf(x)
    t = mp.mpf(t)
    found = rate - (t * mp.mpf(x) if log_input else xlogy(t, rate + mp.mpf(eps)))
    if full and stirling == "exact":
        found += mp.loggamma(t + 1)
    elif full and t > 1:
        found += t * mp.log(t) - t + mp.log(2 * mp.pi * t) / 2
    return float(found)


def poisson_rows(
    pred: Floats,
    target: Floats,
    log_input: bool = True,
    full: bool = False,
    stirling: str = "torch",
    eps: float = 1e-8,
) -> list[float]:
    return [poisson_nll(x, t, log_input, full, stirling, eps) for x, t in zip(pred, target, strict=True)]


def hellinger_rows(pred: Sequence[Floats], target: Sequence[Floats], form: str, squared: bool) -> list[float]:
    found = []
    for scores, shares in zip(pred, target, strict=True):
        prob = [mp.mpf(s) if form == "probs" else mp.exp(mp.mpf(s)) for s in scores]
        total = mp.fsum(prob) if form == "logits" else mp.mpf(1)
        square = mp.fsum((mp.sqrt(q / total) - mp.sqrt(mp.mpf(t))) ** 2 for q, t in zip(prob, shares, strict=True)) / 2
        found.append(float(square if squared else mp.sqrt(square)))
    return found


def gaussian_rows(pred: Floats, target: Floats, var: Floats, full: bool = False, eps: float = 1e-6) -> list[float]:
    found = []
    for p, t, v in zip(pred, target, var, strict=True):
        level, square = max(mp.mpf(v), mp.mpf(eps)), (mp.mpf(t) - mp.mpf(p)) ** 2
        if level == 0:
            found.append(float(mp.inf if square else -mp.inf))
            continue
        row = (mp.log(level) + square / level) / 2
        found.append(float(row + mp.log(2 * mp.pi) / 2 if full else row))
    return found


def softmax_row(scores: Floats) -> list[object]:
    powers = [mp.exp(mp.mpf(s)) for s in scores]
    return [p / mp.fsum(powers) for p in powers]


def divergence(p: Sequence[object], q: Sequence[object]) -> object:
    """KL(p || q)."""
    return mp.fsum(xlogy(a, a / b) for a, b in zip(p, q, strict=True) if a != 0)


def jensen_shannon_rows(
    pred: Sequence[Floats],
    target: Sequence[Floats],
    input: str = "probs",
    base: float | str = "e",
    mix: float = 0.5,
    sqrt: bool = False,
) -> list[float]:
    found = []
    for scores, shares in zip(pred, target, strict=True):
        t = [mp.mpf(s) for s in shares]
        made = {"probs": lambda row: [mp.mpf(s) for s in row], "log-probs": lambda row: [mp.exp(s) for s in row]}
        q = made.get(input, softmax_row)(scores)
        w = mp.mpf(mix)
        middle = [w * a + (1 - w) * b for a, b in zip(t, q, strict=True)]
        value = w * divergence(t, middle) + (1 - w) * divergence(q, middle)
        value /= mp.mpf(1) if base == "e" else mp.log(mp.mpf(base))
        found.append(float(mp.sqrt(max(value, mp.mpf(0))) if sqrt else value))
    return found


def measure_gap(t: float, q: float) -> float:
    """t log(t / q) - t + q."""
    if q == 0:
        return float(mp.inf if t else 0)
    return float(xlogy(mp.mpf(t), mp.mpf(t) / mp.mpf(q)) - mp.mpf(t) + mp.mpf(q))


def measure_rows(pred: Floats, target: Floats) -> list[float]:
    return [measure_gap(t, q) for t, q in zip(target, pred, strict=True)]


def deviance(t: float, q: float, power: float) -> float:
    """Of powers 1 and 2 the limits of the general form."""
    t, q, p = mp.mpf(t), mp.mpf(q), mp.mpf(power)
    if p == 0:
        return float((t - q) ** 2)
    if p == 1:
        return float(2 * (xlogy(t, t / q) - t + q))
    if p == 2:
        return float(2 * (mp.log(q / t) + t / q - 1))
    first = max(t, mp.mpf(0)) ** (2 - p) / ((1 - p) * (2 - p)) if t > 0 else mp.mpf(0)
    return float(2 * (first - t * q ** (1 - p) / (1 - p) + q ** (2 - p) / (2 - p)))


def deviance_rows(pred: Floats, target: Floats, power: float = 0.0) -> list[float]:
    return [deviance(t, q, power) for t, q in zip(target, pred, strict=True)]


def brier_rows(pred: Sequence[float] | Sequence[Floats], target: Sequence[object], factor: object) -> list[float]:
    found = []
    for p, y in zip(pred, target, strict=True):
        probs = [1 - Fraction(p), Fraction(p)] if isinstance(p, float) else [Fraction(x) for x in p]
        hot = list(y) if isinstance(y, list) else [int(c == y) for c in range(len(probs))]
        total = sum((a - Fraction(b)) ** 2 for a, b in zip(probs, hot, strict=True))
        words = {"auto": 0.5 if len(probs) == 2 else 1.0, "half": 0.5, "sum": 1.0}
        found.append(float(Fraction(words.get(factor, factor)) * total))
    return found
