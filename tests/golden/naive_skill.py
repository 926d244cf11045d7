"""The share of the Tweedie deviance saved, in sixty digits."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import mpmath

LEAST = mpmath.mpf(2) ** -1022


def unit_deviance(t: mpmath.mpf, q: mpmath.mpf, power: float) -> mpmath.mpf:
    p = mpmath.mpf(power)
    if power == 0:
        return (t - q) ** 2
    if power == 1:
        return 2 * ((t * mpmath.log(t / q) if t else 0) - t + q)
    if power == 2:
        return 2 * (mpmath.log(q / t) + t / q - 1)
    above = max(t, mpmath.mpf(0)) ** (2 - p) / ((1 - p) * (2 - p))
    return 2 * (above - t * q ** (1 - p) / (1 - p) + q ** (2 - p) / (2 - p))


def deviance_skill(
    pred: Sequence[float], target: Sequence[float], power: float, weight: Sequence[float] | None = None
) -> float:
    used = [Fraction(w) for w in (weight or [1.0] * len(target))]
    mean = sum((w * Fraction(t) for w, t in zip(used, target, strict=True)), Fraction(0)) / sum(used)
    constant = mpmath.mpf(mean.numerator) / mean.denominator
    if power < 0:
        constant = max(constant, LEAST)
    heavy = [mpmath.mpf(w.numerator) / w.denominator for w in used]
    saved = mpmath.fsum(
        w * unit_deviance(mpmath.mpf(t), mpmath.mpf(q), power) for w, t, q in zip(heavy, target, pred, strict=True)
    )
    null = mpmath.fsum(w * unit_deviance(mpmath.mpf(t), constant, power) for w, t in zip(heavy, target, strict=True))
    if all(Fraction(t) == mean for t, w in zip(target, used, strict=True) if w):
        return 1.0 if saved == 0 else 0.0
    return float(1 - saved / null)
