"""Compute the losses at extreme inputs with mpmath and write values.json.

    pip install -r tests/extremes/requirements.txt
    python tests/extremes/generate.py

Every input is the float64 that lossctl sees, taken exactly; formulas are the definitions, at 80 digits (1,000 where a
definition loses that many). A number in the file is the float64 next to the true value.

A tolerance is relative to the true value, in units of u = 2**-53 (one rounding), as many as the formula has roundings
that a careful evaluation cannot avoid; functions of the C library and of NumPy count 2. ``absolute`` stands beside it
where the result is a difference: there the error is counted in u of the parts, which is what a careful evaluation
reaches.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
from mpmath import mpf

mpmath.mp.dps = 80
VALUES = Path(__file__).with_name("values.json")
U = 2.0**-53
INF = math.inf
Number = Any  # mpf or an infinity


def nearest(value: Number) -> float:
    """The float64 next to a number: through fractions, so that subnormal numbers are rounded once."""
    if not mpmath.isfinite(value):
        return float(value)
    if abs(value) < mpf(2) ** -1200:
        return 0.0
    sign, mantissa, exponent, _ = mpf(value)._mpf_
    exact = Fraction(int(mantissa)) * Fraction(2) ** int(exponent) * (-1 if sign else 1)
    try:
        return float(exact)
    except OverflowError:
        return -INF if exact < 0 else INF


def times(a: Number, b: Number) -> Number:
    """a b with 0 * inf = 0: a term of weight zero is not there."""
    return mpf(0) if a == 0 or b == 0 else a * b


def mean(rows: Sequence[Number], weight: Sequence[float] | None = None) -> Number:
    used = [mpf(1)] * len(rows) if weight is None else [mpf(w) for w in weight]
    return mpmath.fsum(times(w, r) for w, r in zip(used, rows, strict=True)) / mpmath.fsum(used)


def entry(
    loss: str,
    inputs: dict[str, Any],
    rows: Sequence[Number] | None,
    units: float,
    why: str,
    *,
    params: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    value: Number | None = None,
    value_units: float | None = None,
    log_value: Number | None = None,
    absolute: float = 0.0,
) -> dict[str, Any]:
    """One case. ``units`` times u is the tolerance of rows; values have one rounding more, if nothing else is said."""
    return {
        "loss": loss,
        "params": params or {},
        "options": options or {},
        "inputs": inputs,
        "rows": None if rows is None else [nearest(r) for r in rows],
        "value": None if value is None else nearest(value),
        "log_value": None if log_value is None else nearest(log_value),
        "rows_tolerance": units * U,
        "value_tolerance": (units + 1 if value_units is None else value_units) * U,
        "absolute": absolute,
        "why": why,
    }


# Real values against real values.

ERRORS = [0.0, 5e-324, 1e-310, 1e-300, 1e-200, 1e-160, 1e-154, 1e-100, 1e-20, 1e-8, 1e-4, 0.1, 0.999999, 1.0]
ERRORS += [math.nextafter(1.0, 2), 1.5, 2.0, 10.0, 18.0, 20.0, 100.0, 709.0, 710.0, 1e4, 1e16, 1e100, 1e153, 1.3e154]
FAR = [1.4e154, 1e200, 1e300, 1.7e308]
SIGNED = [sign * e for e in ERRORS for sign in (1, -1)]


def against_zero(errors: Sequence[float]) -> dict[str, Any]:
    return {"pred": list(errors), "target": [0.0] * len(errors)}


def huber(e: float, delta: float) -> Number:
    size, d = abs(mpf(e)), mpf(delta)
    return size * size / 2 if size <= d else d * (size - d / 2)


def smooth_l1(e: float, beta: float) -> Number:
    size, b = abs(mpf(e)), mpf(beta)
    return size * size / (2 * b) if size < b else size - b / 2


def log_cosh(e: float) -> Number:
    if abs(e) > 1e5:  # e^-2e5 is below 1e-86000: nothing, at any number of digits used here
        return abs(mpf(e)) - mpmath.log(2)
    with mpmath.workdps(1000):  # cosh(1e-300) is 1 + 5e-601
        return mpmath.log(mpmath.cosh(mpf(e)))


def pointwise() -> Iterator[dict[str, Any]]:
    for errors in (SIGNED, FAR, [-1.7e308, 1.7e308]):
        inputs = against_zero(errors)
        exact = [mpf(e) for e in errors]
        yield entry("mse", inputs, [e * e for e in exact], 1, "one product", value=mean([e * e for e in exact]))
        yield entry(
            "mae", inputs, [abs(e) for e in exact], 0, "nothing is rounded", value=mean([abs(e) for e in exact])
        )
        rows = [log_cosh(e) for e in errors]
        why = "two functions; beyond |e| = 1 a difference of which a third is left"
        yield entry("log-cosh", inputs, rows, 8, why, value=mean(rows))
        for delta in (1.0, 1e-300, 1e-160, 0.3, 1e4, 1e200, 1e300):
            rows = [huber(e, delta) for e in errors]
            why = "two products, a difference, a product and a sum"
            yield entry("huber", inputs, rows, 4, why, params={"delta": delta}, value=mean(rows))
        for beta in (1.0, 1e-310, 1e-300, 1e-150, 0.3, 1e4, 1e300):
            rows = [smooth_l1(e, beta) for e in errors]
            why = "a quotient, two products, a difference and a sum"
            yield entry("smooth-l1", inputs, rows, 5, why, params={"beta": beta}, value=mean(rows))
        rows = [abs(mpf(e)) for e in errors]
        yield entry("smooth-l1", inputs, rows, 0, "the absolute error", params={"beta": 0.0}, value=mean(rows))
        for quantile in (0.5, 1e-16, 0.1, 1 - 2.0**-53):
            q = mpf(quantile)
            rows = [max(q * -e, (q - 1) * -e) for e in exact]
            why = "a difference and a product"
            yield entry("pinball", inputs, rows, 3, why, params={"quantile": quantile}, value=mean(rows))
    # Near values subtract without error; values apart round once, and a square doubles that.
    pairs = [(1 + 1e-10, 1.0), (1e16 + 2, 1e16), (0.1, 0.3), (1e8 + 0.1, 1e8), (-0.7, 1e-17), (1e300, 1e284)]
    inputs = {"pred": [p for p, _ in pairs], "target": [t for _, t in pairs]}
    exact = [mpf(p) - mpf(t) for p, t in pairs]
    yield entry("mse", inputs, [e * e for e in exact], 4, "a difference, squared", value=mean([e * e for e in exact]))
    rows = [log_cosh(e) for e in exact]
    yield entry("log-cosh", inputs, rows, 10, "as above, of a rounded difference", value=mean(rows))
    # The mean of numbers whose sum overflows, and of numbers 600 orders of magnitude apart.
    large = [1.3e154] * 10
    inputs = against_zero(large)
    square = mpf(1.3e154) ** 2
    yield entry("mse", inputs, [square] * 10, 1, "one product; the sum is exact, and beyond float64", value=square)
    far = [1e300, 1.0, -1e-300, 1e300, 3e-310]
    rows = [abs(mpf(e)) for e in far]
    yield entry("mae", against_zero(far), rows, 0, "the sum is exact", value=mean(rows), value_units=1)
    yield entry(
        "mae",
        against_zero([1.0, 1e-16] * 500),
        [mpf(1.0), mpf(1e-16)] * 500,
        0,
        "each addition by itself would lose the small numbers",
        value=mean([mpf(1.0), mpf(1e-16)]),
        value_units=1,
    )


def weighted() -> Iterator[dict[str, Any]]:
    """Weights of every size: sums of products are exact."""
    errors = [1e100, 2.0, -3e-100, 0.5]
    for weight in (
        [1e300, 1.0, 1e-300, 1e10],
        [1e-300, 5e-324, 1e-310, 1e-305],
        [1e308, 1e308, 1.5e308, 1.0],
        [0.0, 1e-320, 0.0, 0.0],
    ):
        inputs, options = against_zero(errors), {"weight": weight}
        for loss, rows in (("mse", [mpf(e) ** 2 for e in errors]), ("mae", [abs(mpf(e)) for e in errors])):
            yield entry(loss, inputs, None, 1, "one product", options=options, value=mean(rows, weight))
        for sizes in (errors, [1e200, -3e200, 2e199, 1e-200], [1e-200, 3e-200, -2e-201, 5e-320]):
            root = mpmath.sqrt(mean([mpf(e) ** 2 for e in sizes], weight))
            why = "squares, weights and sums are exact; the root is rounded once"
            yield entry("rmse", against_zero(sizes), None, 0, why, options=options, value=root, value_units=1)


def whole() -> Iterator[dict[str, Any]]:
    for sizes in (
        [1e200, -2e200, 3e199],
        [1e-200, -2e-200, 3e-201],
        [1e308, 1.5e308],
        [5e-324, 1e-320],
        [1e200, 1e-200],
        [0.0],
    ):
        root = mpmath.sqrt(mean([mpf(e) ** 2 for e in sizes]))
        rows = [abs(mpf(e)) for e in sizes]
        why = "squares and sums are exact; the root is rounded once"
        yield entry("rmse", against_zero(sizes), rows, 0, why, value=root, value_units=1)
        yield entry("max-error", against_zero(sizes), rows, 0, "nothing is rounded", value=max(rows), value_units=0)
    columns = [[1e200, 1e-200], [-3e200, 4e-200], [1e-310, 1e-160], [0.0, 0.0]]
    inputs = {"pred": columns, "target": [[0.0, 0.0]] * 4}
    squares = [[mpf(e) ** 2 for e in row] for row in columns]
    rows = [mpmath.sqrt(sum(row) / 2) for row in squares]
    roots = [mpmath.sqrt(mean([row[j] for row in squares])) for j in (0, 1)]
    why = "a row: two quotients, their squares, a sum, a root and a product"
    yield entry("rmse", inputs, rows, 6, why, value=mpmath.sqrt(mean([mean(row) for row in squares])), value_units=1)
    yield entry(
        "rmse",
        inputs,
        rows,
        6,
        why,
        params={"multioutput": "per-column"},
        value=mean(roots),
        value_units=2,
    )


def r2(pred: Sequence[float], target: Sequence[float], weight: Sequence[float] | None) -> Number:
    p, t = [mpf(a) for a in pred], [mpf(b) for b in target]
    with mpmath.workdps(1000):
        middle = mean(t, weight)
        residual = mean([(a - b) ** 2 for a, b in zip(p, t, strict=True)], weight)
        return 1 - residual / mean([(b - middle) ** 2 for b in t], weight)


def determination() -> Iterator[dict[str, Any]]:
    """r2 of targets far from zero: two-pass means in float64 leave 8 digits of the first, none of the second."""
    draw = random.Random(7)
    for far in (1e8, 1e15, 0.0):
        step = 0.125 if far < 1e9 else 1.0
        target = [far + step * draw.randrange(-16, 17) for _ in range(200)]
        pred = [t + step * draw.randrange(-4, 5) for t in target]
        weight = [draw.choice([0.0, 1.0, 0.1, 1e300, 1e-300]) for _ in target]
        for w in (None, weight):
            why = "differences are exact here, and everything after them"
            inputs = {"pred": pred, "target": target}
            yield entry(
                "r2", inputs, None, 0, why, options={"weight": w} if w else {}, value=r2(pred, target, w), value_units=1
            )
    for scale, units in ((1e200, 3), (1e-200, 3), (1e-310, 40)):
        target = [scale * k for k in (1.0, 2.0, 4.0, 3.0)]
        pred = [scale * k for k in (1.5, 2.0, 3.5, 3.0)]
        for w in (None, [1.0, 2.0, 0.5, 1.0]):
            value = r2(pred, target, w)
            why = "each difference is rounded, and 1 - residual / spread once more"
            if units > 3:
                why += "; 5e-15 for weighted squares below 1e-600, where the unit of exact sums ends"
            inputs, options = {"pred": pred, "target": target}, {"weight": w} if w else {}
            yield entry("r2", inputs, None, 0, why, options=options, value=value, value_units=units if w else 3)


# Probabilities and logits.

LOGITS = [0.0, 1e-300, 1e-10, 0.5, 1.0, 5.0, 36.0, 37.0, 40.0, 700.0, 710.0, 745.0, 800.0, 1e4, 1e16, 1e300, 1.7e308]
LOGITS = [sign * x for x in LOGITS for sign in (1, -1)] + [-INF]


def softplus(x: float) -> Number:
    """log(1 + e^x)."""
    if x == -INF:
        return mpf(0)
    if x == INF:
        return mpf(INF)
    if x > 1e5:  # e^-x is below 1e-43000: beside x it is nothing, at any number of digits used here
        return mpf(x)
    return mpf(x) + mpmath.log1p(mpmath.exp(-mpf(x))) if x > 0 else exp_below(x)


def exp_below(x: float) -> Number:
    return mpf(0) if x < -1e5 else mpmath.log1p(mpmath.exp(mpf(x)))


def bce_logit(x: float, y: float, heavy: float, level: tuple[float, float] = (1.0, 1.0)) -> Number:
    t = mpf(y)
    return times(mpf(level[0]) * mpf(heavy) * t, softplus(-x)) + times(mpf(level[1]) * (1 - t), softplus(x))


def binary_logits() -> Iterator[dict[str, Any]]:
    for y in (0.0, 1.0, 0.3, 1e-300, 1 - 2.0**-53):
        inputs = {"pred": LOGITS, "target": [y] * len(LOGITS)}
        for heavy in (1.0, 3.0):
            rows = [bce_logit(x, y, heavy) for x in LOGITS]
            params = {"pos_weight": heavy} if heavy != 1 else {}
            finite = {"pred": LOGITS[:-3], "target": [y] * (len(LOGITS) - 3)}
            why = "exp, log1p, a sum, two products and a sum of numbers >= 0: nothing cancels"
            yield entry("bce-with-logits", inputs, rows, 9, why, params=params)
            yield entry("bce", inputs, rows, 9, why, params={**params, "input": "logits"})
            yield entry("bce-with-logits", finite, rows[:-3], 9, why, params=params, value=mean(rows[:-3]))
    for y in (0.0, 1.0):
        inputs = {"pred": LOGITS, "target": [y] * len(LOGITS)}
        for beta in (0.75, 1e-300, 0.0, 1.0):
            rows = [bce_logit(x, y, 1.0, (beta, float(1 - Fraction(beta)))) for x in LOGITS]
            why = "as bce of logits, and two products more"
            yield entry("balanced-sigmoid-ce", inputs, rows, 11, why, params={"beta": beta})


PROBS = [0.0, 5e-324, 1e-310, 1e-300, 1e-100, 1e-44, 3e-44, 1e-17, 1e-16, 2.3e-16, 1e-10, 1e-7, 0.1, 0.5, 0.9]
PROBS += [1 - 1e-7, 1 - 1e-10, 1 - 1e-16, 1.0]


def log_of(p: Number) -> Number:
    return mpmath.log(p) if p > 0 else mpf(-INF)


def bce_prob(p: float, y: float, clip: str) -> Number:
    prob = mpf(p)
    eps = {"keras": mpf(1e-7), "sklearn": mpf(2) ** -52}.get(clip)
    if eps is not None:
        # The limits are float64 themselves: 1 - 1e-7 is rounded.
        prob = min(max(prob, eps), mpf(float(1 - Fraction(nearest(eps)))))
    # 1 - 1e-300 would need 300 digits.
    parts = [-log_of(prob), -mpmath.log1p(-prob) if prob < 1 else mpf(INF)]
    if clip == "torch":
        parts = [min(part, mpf(100)) for part in parts]
    return times(mpf(y), parts[0]) + times(1 - mpf(y), parts[1])


def binary_probs() -> Iterator[dict[str, Any]]:
    for y in (0.0, 1.0, 0.3, 1e-300):
        inputs = {"pred": PROBS, "target": [y] * len(PROBS)}
        for clip in ("torch", "keras", "sklearn", "none"):
            rows = [bce_prob(p, y, clip) for p in PROBS]
            value = mean(rows) if all(mpmath.isfinite(r) for r in rows) else mpf(INF)
            why = "log, log1p, a difference, two products and a sum of numbers >= 0"
            yield entry("bce", inputs, rows, 7, why, params={"clip": clip}, value=value)


def likelihood() -> Iterator[dict[str, Any]]:
    draw = random.Random(11)
    cases = [
        [(draw.random(), draw.randrange(2)) for _ in range(2000)],
        [(0.35, 1)] * 1000,
        [(1e-300, 1)] * 50 + [(1e-300, 0)] * 50,
        [(1 - 2.0**-53, 1)] * 1000,
        [(2.0**-60, 0)] * 1000,
        [(0.9, 1), (0.2, 0)] * 200,
    ]
    for rows in cases:
        exact = [mpf(p) if y else 1 - mpf(p) for p, y in rows]
        log = mpmath.fsum(mpmath.log(q) for q in exact)
        inputs = {"pred": [p for p, _ in rows], "target": [y for _, y in rows]}
        size = abs(float(log))
        why = "a logarithm each, an exact sum; exp of a rounded sum L is off by |L| u"
        geometric = mpmath.exp(log / len(rows))
        yield entry("likelihood", inputs, exact, 1, why, value=mpmath.exp(log), value_units=3 * size + 3, log_value=log)
        yield entry(
            "likelihood",
            inputs,
            None,
            1,
            why,
            options={"reduction": "mean"},
            value=geometric,
            value_units=3 * size / len(rows) + 3,
        )
        weight = [draw.choice([0.0, 0.5, 2.0, 1e-3]) for _ in rows]
        heavy = mpmath.fsum(mpf(w) * mpmath.log(q) for w, q in zip(weight, exact, strict=True))
        yield entry(
            "likelihood",
            inputs,
            None,
            1,
            why,
            options={"weight": weight},
            value=mpmath.exp(heavy),
            value_units=3 * abs(float(heavy)) + 3,
            log_value=heavy,
        )


def surprise(z: Sequence[float], y: int) -> Number:
    """-log softmax(z)_y as log(1 + sum of e^(z_j - z_y)): no digit is lost."""
    if z[y] == -INF:
        return mpf(INF)
    return mpmath.log1p(mpmath.fsum(mpmath.exp(mpf(a) - mpf(z[y])) for j, a in enumerate(z) if j != y and a != -INF))


def classes() -> Iterator[dict[str, Any]]:
    why = "differences from the greatest logit, exp, a sum, log1p, a sum: as precise whatever is added to all logits"
    tied: list[tuple[list[float], int]] = []
    for shift in (0.0, 1.0, 100.0, 1e4, -1e4, 1e8, 1e15):
        for gap in (0.0, 2.0**-3, 1.0, 3.0):
            tied += [([shift + gap, shift, shift - gap], y) for y in range(3)]
    tied += [([1e4, -1e4, 1e4 - 0.5], y) for y in range(3)]
    # One class far above the others: its loss is e^-gap, although its probability rounds to 1.
    tied += [([gap, 0.0, -1.0], 0) for gap in (20.0, 36.0, 37.0, 100.0, 700.0, 1e4)]
    tied += [([0.0, -INF, 1.0], y) for y in range(3)] + [([-INF, -INF, 2.0], 2), ([1e4, -INF, 1e4], 0)]
    tied += [([1e308, 1e308, 0.0], 1), ([-1e308, 1e308, -INF], 1), ([1e300, 1e308, -1e308], 0)]
    inputs = {"pred": [z for z, _ in tied], "target": [y for _, y in tied]}
    rows = [surprise(z, y) for z, y in tied]
    yield entry("cross-entropy", inputs, rows, 8, why)
    # Without the rows whose weighted value is beyond float64.
    some = [(z, y) for z, y in tied if surprise(z, y) < 1e6]
    inputs = {"pred": [z for z, _ in some], "target": [y for _, y in some]}
    for weights in (None, [1.0, 3.0, 0.0], [1e300, 1e-300, 1.0]):
        used = [mpf(1 if weights is None else weights[y]) for _, y in some]
        rows = [times(w, surprise(z, y)) for w, (z, y) in zip(used, some, strict=True)]
        params = {} if weights is None else {"class_weight": weights}
        value = mpmath.fsum(rows) / mpmath.fsum(used)
        yield entry("cross-entropy", inputs, rows, 9, why, params=params, value=value)
    soft = [[0.25, 0.75, 0.0], [1.0, 0.0, 0.0], [1e-300, 1 - 2.0**-53, 1e-16]]
    for shift in (0.0, 100.0, 1e4, -1e4):
        z = [shift + 1.0, shift, shift - 30.0]
        lp = [-surprise(z, y) for y in range(3)]
        rows = [mpmath.fsum(times(mpf(q), -b) for q, b in zip(row, lp, strict=True)) for row in soft]
        inputs = {"pred": [z] * 3, "target": soft}
        yield entry("cross-entropy", inputs, rows, 12, why + "; then products and their sum", value=mean(rows))
        smooth = mpf(0.1)
        rows = [(1 - smooth) * -lp[y] - smooth / 3 * mpmath.fsum(lp) for y in range(3)]
        inputs = {"pred": [z] * 3, "target": [0, 1, 2]}
        params = {"label_smoothing": 0.1}
        yield entry(
            "cross-entropy", inputs, rows, 12, why + "; then products and sums", params=params, value=mean(rows)
        )
    logs = [[-1e4, -1e-10, -23.0], [-1e-300, -700.0, -1e300], [-INF, 0.0, -INF]]
    right = [0, 2, 1]
    rows = [-mpf(row[y]) for row, y in zip(logs, right, strict=True)]
    for loss, params in (("nll", {}), ("cross-entropy", {"input": "log-probs"})):
        yield entry(
            loss, {"pred": logs, "target": right}, rows, 0, "nothing is rounded", params=params, value=mean(rows)
        )
    zero = {"class_weight": [0.0, 1.0, 1.0]}
    inputs = {"pred": [[-INF, 0.0, -INF], [-2.0, -0.5, -1.5]], "target": [0, 1]}
    why = "a class of weight zero costs nothing, not even infinity"
    yield entry("nll", inputs, [mpf(0), mpf(0.5)], 0, why, params=zero, value=mpf(0.5))
    probs = [[1e-300, 1.0, 0.0], [1 - 1e-16, 1e-16, 0.0], [0.0, 1.0, 0.0], [0.1, 0.2, 0.7]]
    right = [0, 0, 0, 2]
    for clip in ("none", "torch", "sklearn"):
        rows = [bce_prob(row[y], 1.0, clip) for row, y in zip(probs, right, strict=True)]
        params = {"input": "probs", "clip": clip}
        inputs = {"pred": probs, "target": right}
        yield entry("cross-entropy", inputs, rows, 3, "a logarithm and a product", params=params, value=mean(rows))


def divergence() -> Iterator[dict[str, Any]]:
    """kl-div: every element is a difference of logarithms, and a row a sum that cancels."""
    targets = [
        [0.5, 0.5, 0.0],
        [1.0, 0.0, 0.0],
        [1e-300, 1.0, 0.0],
        [0.25, 0.25, 0.5],
        [1e-310, 1e-17, 1.0],
        [0.2, 0.3, 0.5],
    ]
    probs = [
        [0.1, 0.9, 0.0],
        [1e-300, 1.0, 0.0],
        [1.0, 1e-300, 0.0],
        [0.25, 0.25, 0.5],
        [0.3, 0.3, 0.4],
        [0.2 + 1e-9, 0.3 - 1e-9, 0.5],
    ]
    forms = {"probs": probs, "log-probs": [[math.log(q) if q else -INF for q in row] for row in probs]}
    for form, preds in forms.items():
        rows, scale = [], mpf(0)
        for t_row, q_row in zip(targets, preds, strict=True):
            logs = [log_of(mpf(q)) if form == "probs" else mpf(q) for q in q_row]
            parts = [(mpf(t) * mpmath.log(t), mpf(t) * q) for t, q in zip(t_row, logs, strict=True) if t > 0]
            rows.append(mpmath.fsum(a - b for a, b in parts))
            scale = max(scale, mpmath.fsum(abs(a) + abs(b) for a, b in parts))
        inputs = {"pred": preds, "target": targets}
        why = "elements cancel: two logarithms, a difference, a product and a sum, in u of |t log t| + |t log q|"
        absolute = float(6 * U * scale)
        yield entry("kl-div", inputs, rows, 6, why, params={"input": form}, value=mean(rows), absolute=absolute)
    # Far apart nothing cancels to speak of.
    logs = [[-1e4, -1e-5], [-700.0, -1e-300], [-1e300, 0.0]]
    targets = [[1.0, 0.0], [0.5, 0.5], [1e-300, 1.0]]
    rows = [
        mpmath.fsum(mpf(t) * (mpmath.log(t) - mpf(q)) for t, q in zip(t_row, q_row, strict=True) if t > 0)
        for t_row, q_row in zip(targets, logs, strict=True)
    ]
    why = "a logarithm, a difference, a product and a sum"
    yield entry("kl-div", {"pred": logs, "target": targets}, rows, 6, why, value=mean(rows))
    inputs = {"pred": [[-INF, 0.0]], "target": [[0.5, 0.5]]}
    yield entry("kl-div", inputs, [mpf(INF)], 0, "t > 0 where q = 0", value=mpf(INF))
    # Targets as log-probabilities, -inf among them: 0 log 0 = 0.
    log_targets = [[-INF, 0.0], [math.log(0.5), math.log(0.5)], [-1e4, 0.0]]
    logs = [[-INF, 0.0], [-1.0, math.log1p(-math.exp(-1))], [-20.0, -2e-9]]
    rows = [
        mpmath.fsum(mpmath.exp(mpf(t)) * (mpf(t) - mpf(q)) for t, q in zip(t_row, q_row, strict=True) if t != -INF)
        for t_row, q_row in zip(log_targets, logs, strict=True)
    ]
    params = {"log_target": True}
    yield entry(
        "kl-div", {"pred": logs, "target": log_targets}, rows, 6, why, params=params, value=mean(rows), absolute=2 * U
    )


# Distances.


def length(u: Sequence[float], v: Sequence[float], p: float, eps: float) -> Number:
    parts = [abs(mpf(a) - mpf(b) + mpf(eps)) for a, b in zip(u, v, strict=True)]
    return mpmath.fsum(x ** mpf(p) for x in parts if x) ** (1 / mpf(p))


def cosine(u: Sequence[float], v: Sequence[float]) -> Number:
    dot = mpmath.fsum(mpf(a) * mpf(b) for a, b in zip(u, v, strict=True))
    sizes = [mpmath.sqrt(mpmath.fsum(mpf(a) ** 2 for a in w)) for w in (u, v)]
    return 1 - dot / (sizes[0] * sizes[1]) if all(sizes) else mpf(1)


Distance = Callable[[Sequence[float], Sequence[float]], Number]


def squares(u: Sequence[float], v: Sequence[float]) -> Number:
    return mpmath.fsum((mpf(a) - mpf(b)) ** 2 for a, b in zip(u, v, strict=True))


def triplets() -> Iterator[dict[str, Any]]:
    shape = [([0.0, 0.0, 0.0], [1.0, 2.0, -2.0], [0.5, -1.0, 1.0]), ([1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.5, 1.0, 0.0])]
    shape += [([2.0, -1.0, 0.25], [2.5, -1.0, 0.0], [-1.0, 4.0, 0.5])]
    for scale, eps in (
        (1.0, 1e-6),
        (1e-6, 1e-6),
        (1e-9, 1e-6),
        (1e-9, 0.0),
        (1e-100, 0.0),
        (1e-170, 0.0),
        (1e-300, 0.0),
        (1e100, 1e-6),
        (1e170, 1e-6),
        (1e300, 1e-6),
    ):
        rows = [[[scale * x for x in v] for v in triple] for triple in shape]
        margin = scale if scale < 1 else 1.0
        roles = {role: [row[k] for row in rows] for k, role in enumerate(("anchor", "positive", "negative"))}
        for p in (2.0, 1.0, 3.5):
            near = [length(a, b, p, eps) for a, b, _ in rows]
            far = [length(a, c, p, eps) for a, _, c in rows]
            values = [max(mpf(0), d - e + mpf(margin)) for d, e in zip(near, far, strict=True)]
            # The distance to a power and back: p = 3.5 multiplies the error of the logarithm within pow.
            units = 10 if p in (1.0, 2.0) else 24
            absolute = units * U * float(max(d + e + margin for d, e in zip(near, far, strict=True)))
            params = {"p": p, "eps": eps, "margin": margin}
            why = "differences, powers, a sum and a root, then a difference of distances: in u of the distances"
            yield entry("triplet-margin", roles, values, 2, why, params=params, value=mean(values), absolute=absolute)
    for distance, function, top in (
        ("cosine", cosine, None),
        ("sqeuclidean", squares, 1e150),
        ("manhattan", None, None),
    ):
        for scale in (1.0, 1e-9, 1e-150, 1e-170, 1e150, 1e170, 1e300):
            if top is not None and not 1 / top <= scale <= top:
                continue
            measure: Distance = function or (lambda u, v: length(u, v, 1.0, 0.0))
            rows = [[[scale * x for x in v] for v in triple] for triple in shape]
            roles = {role: [row[k] for row in rows] for k, role in enumerate(("anchor", "positive", "negative"))}
            near, far = [measure(a, b) for a, b, _ in rows], [measure(a, c) for a, _, c in rows]
            margin = 0.5 if distance == "cosine" else nearest(max(max(near), max(far)) / 2)
            values = [max(mpf(0), d - e + mpf(margin)) for d, e in zip(near, far, strict=True)]
            absolute = 12 * U * (nearest(max(max(near), max(far))) + margin)
            params = {"distance": distance, "margin": margin}
            why = "products, sums, roots and a quotient, then differences: in u of the distances"
            yield entry("triplet-margin", roles, values, 2, why, params=params, value=mean(values), absolute=absolute)


def margins() -> Iterator[dict[str, Any]]:
    scores = [0.0, 1e-300, 1e-17, 0.5, 1.0, math.nextafter(1.0, 0), 3.0, 1e16, 1e308]
    scores += [-s for s in scores]
    for y in (1.0, -1.0):
        for margin in (1.0, 0.0, 1e-300):
            rows = [max(mpf(0), mpf(margin) - mpf(y) * mpf(s)) for s in scores]
            inputs = {"pred": scores, "target": [y] * len(scores)}
            yield entry(
                "hinge", inputs, rows, 1, "one difference", params={"margin": margin, "labels": "pm1"}, value=mean(rows)
            )


def ndcg(scores: Sequence[float], gains: Sequence[Number]) -> Number:
    """Of lists without ties."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    discounts = [1 / mpmath.log(i + 2, 2) for i in range(len(scores))]
    found = mpmath.fsum(gains[i] * d for i, d in zip(order, discounts, strict=True))
    best = mpmath.fsum(g * d for g, d in zip(sorted(gains, reverse=True), discounts, strict=True))
    return 1 - found / best if best else mpf(1)


def lists() -> Iterator[dict[str, Any]]:
    scores = [0.1, 0.9, 0.4, 0.2]
    grades = [
        [3.0, 0.0, 1.0, 2.0],
        [1e-300, 3e-300, 0.0, 2e-300],
        [1e300, 1e307, 2e299, 0.0],
        [0.0, 1e-10, 3e-10, 2e-10],
    ]
    for gain in ("linear", "exp"):
        for relevance in (*grades, [1000.0, 990.0, 3.0, 0.0], [1e-3, 2e-3, 5e-4, 1e-9]):
            if gain == "exp" and max(relevance) > 1e3:
                continue
            with mpmath.workdps(1000):
                gains = [mpf(r) if gain == "linear" else mpf(2) ** mpf(r) - 1 for r in relevance]
                value = ndcg(scores, gains)
            inputs = {"pred": scores, "target": relevance, "group": [1] * 4}
            why = "gains, logarithms, products, two sums, a quotient and the difference from 1: in u of 1"
            yield entry("ndcg-loss", inputs, [value], 2, why, params={"gain": gain}, value=value, absolute=12 * U)


def encoded(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {key: encoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encoded(item) for item in value]
    return value


def main(path: Path = VALUES) -> None:
    import distributions

    parts = (pointwise, weighted, whole, determination, binary_logits, binary_probs, likelihood)
    parts += (classes, divergence, triplets, margins, lists, *distributions.PARTS)
    data: dict[str, str] = {}  # inputs, each stored once
    lines = []
    for part in parts:
        for case in part():
            name = data.setdefault(json.dumps(encoded(case["inputs"]), allow_nan=False), f"{len(data)}")
            lines.append(json.dumps(encoded({**case, "inputs": name}), allow_nan=False))
    stored = ",\n".join(f'"{name}": {text}' for text, name in data.items())
    cases = ",\n".join(lines)
    text = f'{{"mpmath": "{mpmath.__version__}",\n"inputs": {{\n{stored}\n}},\n"cases": [\n{cases}\n]}}\n'
    path.write_text(text, encoding="utf-8")
    print(f"{path.name}: {len(lines)} cases")


if __name__ == "__main__":
    main()
