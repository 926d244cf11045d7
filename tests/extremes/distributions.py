"""Likelihoods, divergences, deviances and scores at extreme inputs: parts of generate.py."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import mpmath
from generate import INF, Number, U, entry, mean, times
from mpmath import mpf

# How far a prediction is off, relative to the target: from one rounding to a third.
SHARES = [1.5e-16, 3e-16, 1e-15, 1e-12, 1e-9, 1e-8, 1e-5, 1e-3, 0.01, 0.1, 0.2, 0.24, 0.26, 0.34, 0.36]
SHARES += [-s for s in SHARES]
RATIOS = [0.5, 2.0, 1e-3, 1e3, 1e-20, 1e20]


def xlogy(x: Number, y: Number) -> Number:
    return times(x, mpmath.log(y) if y > 0 else -mpf(INF))


def deviance(t: float, q: float, power: float) -> Number:
    """The general form, at as many digits as it loses; at powers 1 and 2 its limits."""
    with mpmath.workdps(400):
        t, q, p = mpf(t), mpf(q), mpf(power)
        if p == 0 or t == q:
            return (t - q) ** 2
        if p == 1:
            return 2 * (xlogy(t, t / q) - t + q)
        if p == 2:
            return 2 * (mpmath.log(q / t) + t / q - 1)
        first = t ** (2 - p) / ((1 - p) * (2 - p)) if t > 0 else mpf(0)
        return 2 * (first - t * q ** (1 - p) / (1 - p) + q ** (2 - p) / (2 - p))


def near_and_far(size: float) -> tuple[list[float], list[float]]:
    """Targets and predictions about one size, from equal to far apart."""
    target = [size, *(size * (1 + s) for s in SHARES), *(size * r for r in RATIOS)]
    return target, [size] * len(target)


def deviances() -> Iterator[dict[str, Any]]:
    why = "from |t - q| = q/3 on a difference of which a sixth is left, of two powers, a logarithm and five products"
    powers = [0.0, 1.0, 2.0, 3.0, 1.5, 1.1, 1.9, 2.5, -0.5, -1.0, -3.0, 4.0, 7.5]
    powers += [1 + 2.0**-52, 1 + 1e-12, 1 + 1e-6, 2 - 1e-12, 2 - 1e-6, 2 + 1e-9, 3 - 1e-9, 3 + 1e-9, 1.5 + 1e-9]
    for power in powers:
        sizes = [1.0, 0.3, 7e4] if abs(power) > 3 else [1.0, 0.3, 7e4, 1e-60, 1e60]
        for size in sizes:
            target, pred = near_and_far(size)
            if power < 2:
                target, pred = [*target, 0.0], [*pred, size]
            if power <= 0:
                target, pred = [*target, -size, -1e-9 * size], [*pred, size, size]
            rows = [deviance(t, q, power) for t, q in zip(target, pred, strict=True)]
            inputs, params = {"pred": pred, "target": target}, {"power": power}
            yield entry("tweedie-deviance", inputs, rows, 48, why, params=params, value=mean(rows))
    # Quotients and powers that leave the floats where the deviance does not.
    wide = [(1e300, 1e-300), (1e-300, 1e300), (1e200, 1e-150), (1e-150, 1e200), (5e-324, 1.0), (1.0, 5e-324)]
    wide += [(1e300, 1.01e300), (1e-300, 1.01e-300), (1.7e308, 1.6e308), (5e-324, 1e-323), (1e250, 1e200)]
    for power in (1.0, 2.0, 3.0, 1.5, 1.1, 1.9, 2.5, 1 + 1e-12, 2 - 1e-12):
        rows = [deviance(t, q, power) for t, q in wide]
        kept = [(t, q, r) for (t, q), r in zip(wide, rows, strict=True) if not 1e306 < r < 1e310]
        inputs = {"pred": [q for _, q, _ in kept], "target": [t for t, _, _ in kept]}
        params = {"power": power}
        yield entry("tweedie-deviance", inputs, [r for _, _, r in kept], 48, why, params=params)
    for loss, power in (("poisson-deviance", 1.0), ("gamma-deviance", 2.0)):
        target, pred = near_and_far(3.0)
        rows = [deviance(t, q, power) for t, q in zip(target, pred, strict=True)]
        yield entry(loss, {"pred": pred, "target": target}, rows, 24, why, value=mean(rows))


def measures() -> Iterator[dict[str, Any]]:
    why = "half a Poisson deviance each, and their sum: nothing is below zero"
    for size in (1.0, 1e-200, 1e200):
        target, pred = near_and_far(size)
        target, pred = [*target, 0.0, 0.0], [*pred, size, 0.0]
        rows = [deviance(t, q, 1.0) / 2 if q else mpf(0) for t, q in zip(target, pred, strict=True)]
        yield entry("generalized-kl", {"pred": pred, "target": target}, rows, 24, why, value=mean(rows))
        wide = {"pred": [[a, size] for a in pred], "target": [[a, 1.25 * size] for a in target]}
        rows = [r + deviance(1.25 * size, size, 1.0) / 2 for r in rows]
        yield entry("generalized-kl", wide, rows, 24, why, value=mean(rows))
    inputs = {"pred": [[0.0, 1.0], [0.0, 1.0]], "target": [[1e-300, 1.0], [0.0, 1.0]]}
    yield entry("generalized-kl", inputs, [mpf(INF), mpf(0)], 0, "t > 0 where q = 0", value=mpf(INF))


def mixed(t_row: Sequence[float], q_row: Sequence[float], mix: float) -> Number:
    with mpmath.workdps(400):
        w, found = mpf(mix), mpf(0)
        for a, b in zip(t_row, q_row, strict=True):
            t, q = mpf(a), mpf(b)
            m = w * t + (1 - w) * q
            if m:
                found += w * xlogy(t, t / m) + (1 - w) * xlogy(q, q / m)
        return found


def jensen_shannon() -> Iterator[dict[str, Any]]:
    why = "differences that are exact where they are small, a logarithm each, products and a sum of positive parts"
    middle = [0.25, 0.25, 0.5]
    pairs = [([0.25 + d, 0.25 - d, 0.5], middle) for d in (0.0, 2.0**-54, 1e-15, 1e-12, 1e-8, 1e-4, 0.01, 0.2, 0.25)]
    pairs += [(middle, [0.25, 0.25 - d, 0.5 + d]) for d in (2.0**-53, 1e-10, 1e-5, 0.05, 0.25)]
    pairs += [([1.0, 0.0, 0.0], [0.0, 0.0, 1.0]), ([1.0, 0.0, 0.0], [1.0, 0.0, 0.0]), ([0.0, 1.0, 0.0], middle)]
    pairs += [([1e-300, 1.0, 0.0], [0.0, 1.0, 1e-300]), ([1e-12, 1.0, 0.0], [2e-12, 1.0, 0.0])]
    inputs = {"pred": [q for _, q in pairs], "target": [t for t, _ in pairs]}
    for mix in (0.5, 0.25, 1e-9, 1 - 1e-9, 0.9):
        exact = [mixed(t, q, mix) for t, q in pairs]
        for base, root in (("e", False), (2.0, False), (10.0, True), (1.0001, False), ("e", True)):
            rows = [row / (mpmath.log(mpf(base)) if base != "e" else 1) for row in exact]
            rows = [mpmath.sqrt(row) if root else row for row in rows]
            params = {"mix": mix, "base": base, "sqrt": root}
            yield entry("js-divergence", inputs, rows, 20, why, params=params, value=mean(rows))


def poisson() -> Iterator[dict[str, Any]]:
    why = "half a Poisson deviance and a logarithm: what the terms as they are written would lose at large counts"
    counts = [16.5, 40.0, 1e3, 1e6, 1e9, 1e12, 1e15]
    near = [(t, t * (1 + s)) for t in counts for s in (0.0, 1e-12, -1e-6, 0.01, -0.2, 0.5, 9.0, -0.999)]
    for eps in (0.0, 1e-8):
        for kind in ("torch", "exact"):
            rows = [full_poisson(t, mpf(r), mpmath.log(mpf(r) + mpf(eps)), kind) for t, r in near]
            inputs = {"pred": [r for _, r in near], "target": [t for t, _ in near]}
            params = {"log_input": False, "full": True, "stirling": kind, "eps": eps}
            yield entry("poisson-nll", inputs, rows, 24, why, params=params, value=mean(rows))
    why = "the same; the last digit of the rate, which exp rounds, weighs (rate - t) / loss"
    logs = [(t, math.log(r)) for t, r in near if t <= 1e6] + [
        (t, x) for t in (20.0, 1e6) for x in (-800.0, -700.0, 700.0, 800.0)
    ]
    for kind in ("torch", "exact"):
        rows = [full_poisson(t, mpmath.exp(mpf(x)), mpf(x), kind) for t, x in logs]
        inputs = {"pred": [x for _, x in logs], "target": [t for t, _ in logs]}
        yield entry("poisson-nll", inputs, rows, 60, why, params={"full": True, "stirling": kind})
    few = [(t, r) for t in (0.0, 0.5, 1.0, 2.0, 7.25, 15.0, 16.0) for r in (1e-300, 1e-3, 0.9, 3.0, 14.5, 1e3)]
    rows = [full_poisson(t, mpf(r), mpmath.log(r), "exact") for t, r in few]
    scale = max(r + abs(t * math.log(r)) + math.lgamma(t + 1) for t, r in few)
    inputs = {"pred": [r for _, r in few], "target": [t for t, _ in few]}
    params = {"log_input": False, "full": True, "stirling": "exact", "eps": 0.0}
    why = "a rate, a product with a logarithm, and log(t!): in u of the greatest of them"
    yield entry("poisson-nll", inputs, rows, 6, why, params=params, value=mean(rows), absolute=4 * U * scale)
    plain = [(t, x) for t in (0.0, 1.0, 1e6) for x in (-1e4, -5.0, 0.25, 30.0, 700.0)]
    rows = [mpmath.exp(mpf(x)) - mpf(t) * mpf(x) for t, x in plain]
    inputs = {"pred": [x for _, x in plain], "target": [t for t, _ in plain]}
    yield entry("poisson-nll", inputs, rows, 6, "exp, a product and a difference", value=mean(rows))


def full_poisson(t: float, rate: Number, log: Number, kind: str) -> Number:
    """``log`` is the logarithm that is taken: of the rate, or of the rate and eps."""
    with mpmath.workdps(400):
        count = mpf(t)
        found = rate - times(count, log)
        if kind == "exact":
            return found + mpmath.loggamma(count + 1)
        return found + count * mpmath.log(count) - count + mpmath.log(2 * mpmath.pi * count) / 2


def gaussian() -> Iterator[dict[str, Any]]:
    errors = [0.0, 1e-300, 1e-160, 1e-8, 0.5, 3.0, 1e8, 1e160, 1e300]
    levels = [1e-300, 1e-20, 1e-3, 0.6, 5.0, 1e20, 1e300]
    pairs = [(e, v) for e in errors for v in levels]
    for eps in (0.0, 1e-6, 1e-310):
        rows = []
        for e, v in pairs:
            level = max(mpf(v), mpf(eps))
            rows.append((mpmath.log(level) + mpf(e) ** 2 / level) / 2)
        inputs = {"pred": [0.0] * len(pairs), "target": [e for e, _ in pairs], "var": [v for _, v in pairs]}
        why = "a logarithm, a quotient, a product and a sum"
        yield entry("gaussian-nll", inputs, rows, 6, why, params={"eps": eps})


def brier() -> Iterator[dict[str, Any]]:
    probs = [0.0, 5e-324, 1e-300, 1e-17, 1e-3, 0.5, 1 - 1e-3, 1 - 2.0**-53, 1.0]
    pairs = [(p, y) for p in probs for y in (0, 1)]
    for factor, part in (("auto", mpf(1)), ("sum", mpf(2)), (0.1, 2 * mpf(0.1))):
        rows = [part * (mpf(p) - y) ** 2 for p, y in pairs]
        inputs = {"pred": [p for p, _ in pairs], "target": [y for _, y in pairs]}
        yield entry("brier", inputs, rows, 5, "a difference and products", params={"factor": factor}, value=mean(rows))
    wide = [([1e-17, 1 - 2.0**-53, 0.0], 1), ([1e-200, 1.0, 0.0], 1), ([0.2, 0.3, 0.5], 0), ([1e-9, 1e-9, 1 - 2e-9], 2)]
    rows = [mpmath.fsum((mpf(p) - (c == y)) ** 2 for c, p in enumerate(row)) for row, y in wide]
    inputs = {"pred": [row for row, _ in wide], "target": [y for _, y in wide]}
    yield entry("brier", inputs, rows, 5, "differences, squares and a sum", value=mean(rows))


PARTS = (deviances, measures, jensen_shannon, poisson, gaussian, brier)
