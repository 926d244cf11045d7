"""Gaps between two numbers that nearly agree: logarithms of ratios, entropies, deviances, factorials.

The naive forms subtract what is nearly equal. All take and give float64, element by element.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lossctl.numerics import times

__all__ = [
    "entropy_gap",
    "erf",
    "half_deviance",
    "log1p_gap",
    "log1p_rest",
    "log_factorial",
    "log_ratio",
    "stirling_rest",
]

Floats = NDArray[np.float64]


def log1p_gap(a: Floats, b: Floats) -> Floats:
    """|log(1 + a) - log(1 + b)| of numbers above -1, to full relative precision.

    It is log1p(|a - b| / (1 + min(a, b))), where nothing cancels: of two logarithms near each other their
    difference keeps few digits (none at a = 1e6, b = a (1 + 1e-15)). 1 + min is exact below -1/2.
    """
    gap, base = np.abs(a - b), 1.0 + np.minimum(a, b)
    share = gap / base
    found = np.log1p(share)
    far = np.isinf(share)
    if far.any():
        # The quotient left the float range: base is below 1, and nothing cancels between the logarithms.
        found[far] = np.log(gap[far]) - np.log(base[far])
    return np.asarray(found)


def log_ratio(a: Floats, b: Floats) -> Floats:
    """log(a / b) to full relative precision, for a, b >= 0: -inf at a = 0, inf at b = 0, nan at both.

    Within a factor 2 it is log1p((a - b) / b), where a - b is exact and log a - log b cancels. Where a / b
    leaves the floats, it is that difference of logarithms, which has nothing left to cancel.
    """
    with np.errstate(all="ignore"):
        quotient = a / b
        log = np.log(quotient)
        near = np.abs(quotient - 1.0) < 0.5
        close = b[near]
        log[near] = np.log1p((a[near] - close) / close)
        inside = (quotient > 1e-290) & (quotient < 1e290)
        return np.asarray(log if inside.all() else np.where(inside, log, np.log(a) - np.log(b)))


NEAR = 0.35  # |x| below which the series of a deviance is summed

TERMS = 35  # 0.35^35 < 2^-52


def deviance_series(x: Floats, power: float) -> Floats:
    """The integral over s in [0, 1] of (1 - s) / (1 + s x)^power, for |x| max(1, |power| / 3) < NEAR.

    The binomial series, term by term: c_0 = 1/2 and c_(k+1) = -c_k (power + k) / (k + 3), so each term is less
    than NEAR times the one before.
    """
    coefficients = [0.5]
    for k in range(TERMS):
        coefficients.append(-coefficients[-1] * (power + k) / (k + 3))
    total = np.full_like(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total *= x
        total += c
    return total


def entropy_gap(x: Floats) -> Floats:
    """(1 + x) log(1 + x) - x for x >= -1, to full relative precision; as written it cancels near 0."""
    near = np.abs(x) < NEAR
    gap = np.empty_like(x)
    z, far = x[near], x[~near]
    gap[near] = z * z * deviance_series(z, 1.0)
    with np.errstate(divide="ignore"):
        gap[~near] = times(1.0 + far, np.log1p(far)) - far
    return gap


def half_deviance(target: Floats, pred: Floats, power: float) -> Floats:
    """Half the Tweedie deviance, the integral over s from pred to target of (target - s) / s^power.

    For pred >= 0; a target below zero counts as 0 in the first term (power < 0). With t and q the two and
    a = 1 - power, b = 2 - power it is t^b / (a b) - t q^a / a + q^b / b. That form cancels where t is near q
    (there it is a series in (t - q) / q) and where the power is near 1 or 2 (elsewhere it is written with
    (t^c - q^c) / c, which has a limit at c = 0). Powers 0, 1, 2, 3 are the halves of (t - q)^2,
    2 (t log(t / q) - t + q), 2 (t / q - 1 - log(t / q)) and (t - q)^2 / (t q^2).
    """
    with np.errstate(all="ignore"):
        gap = target - pred
        if power == 0:
            return 0.5 * gap * gap
        x = gap / pred
        near = np.abs(x) * max(1.0, abs(power) / 3) < NEAR
        half = np.empty_like(x)
        t, q, z = target[near], pred[near], x[near]
        # q^(1 - power) in two halves, each given to one factor: neither leaves the floats before the product does.
        root = q ** (0.5 - 0.5 * power)
        half[near] = z * root * ((t - q) * root) * deviance_series(z, power)
        half[~near] = _apart(target[~near], pred[~near], power)
        return half


def _apart(t: Floats, q: Floats, power: float) -> Floats:
    """``half_deviance`` of numbers that are not close to each other."""
    if power == 3:
        x = (t - q) / q
        return np.asarray(0.5 * (x / t) * x)
    a, b = 1.0 - power, 2.0 - power
    root = q ** (0.5 * a)
    line = (t - q) * root * root
    if abs(a) <= 0.5:
        half = (times(t, _power_gap(t, q, a)) - line) / b
    else:
        half = (_power_gap(np.maximum(t, 0.0), q, b) - line) / a
    # Of finite numbers, both parts overflow only where the whole does.
    return np.asarray(np.where(np.isnan(half) & np.isfinite(t) & np.isfinite(q), np.inf, half))


def _power_gap(t: Floats, q: Floats, c: float) -> Floats:
    """(t^c - q^c) / c, and log(t / q) at c = 0, where the quotient as written is 0 / 0 and loses all digits nearby."""
    log = log_ratio(t, q)
    if c == 0:
        return log
    # The greater of the two powers times 1 - e^-|c log(t/q)|.
    top = np.where(c * log > 0, t**c, q**c)
    return np.asarray(np.sign(log) * top * -np.expm1(-np.abs(c * log)) / abs(c))


def log_factorial(t: Floats) -> Floats:
    """log(t!), that is log Gamma(t + 1)."""
    from scipy.special import gammaln

    return np.asarray(gammaln(t + 1.0))


def stirling_rest(t: Floats) -> Floats:
    """What Stirling's t log t - t + log(2 pi t) / 2 lacks to log(t!), for t >= 16 (next term: 1e-16)."""
    s = 1.0 / (t * t)
    return (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s / 1188)))) / t


def erf(x: Floats) -> Floats:
    """The error function, odd and to full relative precision."""
    from scipy.special import erf

    return np.asarray(erf(x))


def log1p_rest(x: Floats) -> Floats:
    """x - log(1 + x) of numbers >= 0, to full relative precision.

    The difference loses all digits towards 0 (at x = 1e-8 nothing is left of x^2/2); up to 0.35 the integral's series
    gives it.
    """
    near = np.minimum(x, NEAR)
    return np.asarray(np.where(x < NEAR, near * near * deviance_series(near, 2.0), x - np.log1p(x)))
