"""Stable building blocks of formulas. Each says where its naive form fails.

All take and give float64 (float32 class scores keep float32 ``exp`` with float64 sums) and are
elementwise or row by row, so that no value depends on how many rows stand beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "binary_costs",
    "clip_range",
    "cosine_distance",
    "entropy_gap",
    "exp_gap",
    "half_deviance",
    "log1p_gap",
    "log_cosh",
    "log_factorial",
    "log_normaliser",
    "log_prob_at",
    "log_probs",
    "log_ratio",
    "norms",
    "products",
    "safe_log",
    "sigmoid_pair",
    "softplus_pair",
    "sparse_normaliser",
    "stirling_rest",
    "times",
]

Floats = NDArray[np.float64]


MANY_CLASSES = 128  # from here on the time of exp is worth the float32 digits


def softplus_pair(x: Floats) -> tuple[Floats, Floats]:
    """log(1 + e^-x) and log(1 + e^x), the losses of a logit where the outcome is 1 and where it is 0.

    Both are log1p(e^-|x|) plus max(-x, 0) or max(x, 0): e^x itself overflows from x = 709 on, and the one
    minus x, though equal to the other, loses all its digits from |x| = 37 on.
    """
    tail = np.log1p(np.exp(-np.abs(x)))
    return np.asarray(tail + np.maximum(-x, 0.0)), np.asarray(tail + np.maximum(x, 0.0))


def sigmoid_pair(x: Floats) -> tuple[Floats, Floats]:
    """The probabilities of yes and of no at a logit, 1 / (1 + e^-x) and 1 / (1 + e^x), each with all its digits.

    One minus the other is 0 from |x| = 37 on. Where e^|x| overflows (|x| > 709) the quotient is below 1e-308: 0.
    """
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x)), 1.0 / (1.0 + np.exp(x))


def exp_gap(x: Floats) -> Floats:
    """e^x - 1 - x, to full relative precision for every x <= 0.

    expm1(x) - x loses all digits towards 0 (at x = -1e-8 nothing is left of x^2/2). From -1/2 on the series
    x^2/2! + x^3/3! + ... has enough terms with x^17.
    """
    near = np.maximum(x, -0.5)
    series = np.zeros_like(near)
    for power in range(17, 2, -1):
        series = (1.0 + series) * near / power
    return np.where(x > -0.5, 0.5 * near * near * (1.0 + series), np.expm1(x) - x)


def times(a: Floats, b: Floats) -> Floats:
    """a * b with 0 * inf = 0: a term of weight zero is not there."""
    with np.errstate(invalid="ignore"):
        product = a * b
    product += 0.0  # never -0.0
    # Looking for a NaN is one pass; choosing element by element costs more than all the rest.
    return np.asarray(np.where(a == 0, 0.0, product) if np.isnan(np.min(product, initial=0.0)) else product)


def safe_log(p: Floats) -> Floats:
    """log p with log 0 = -inf and no warning."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p))


def safe_log1m(p: Floats) -> Floats:
    """log(1 - p) through log1p: 1 - p rounds to 1 below p = 1e-16."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log1p(-p))


def log_cosh(e: Floats) -> Floats:
    """log cosh e, to full relative precision for every e.

    |e| + log1p(e^-2|e|) - log 2 holds for all large e, where cosh overflows from |e| = 710 on, but
    cancels for small e (at e = 1e-8 nothing is left of e^2/2). There log1p(2 sinh^2(e/2)), the
    half-angle identity, has no subtraction.
    """
    size = np.abs(e)
    near = np.minimum(size, 1.0)
    half = np.sinh(0.5 * near)
    return np.asarray(
        np.where(size < 1.0, np.log1p(2.0 * half * half), size + np.log1p(np.exp(-2.0 * size)) - np.log(2.0))
    )


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


def exact_product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """a * b as a rounded product and what the rounding left over (Dekker 1971), for sizes near 1."""
    (a_high, a_low), (b_high, b_low) = halves(a), halves(b)
    product = a * b
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def halves(x: Floats) -> tuple[Floats, Floats]:
    """x as two numbers of 26 bits each (Veltkamp 1968), whose products are exact."""
    wide = 134217729.0 * x  # 2^27 + 1
    high = wide - (wide - x)
    return high, x - high


BLOCK = 1 << 14  # elements that stay in a core's cache through some thirty passes


def cosine_distance(a: Floats, b: Floats, eps: float = 0.0) -> Floats:
    """(N,) 1 - cos of the angle between the rows of two (N, D) arrays; norms below ``eps`` count as ``eps``.

    Rows are brought near 1 first, as squares leave the float range from 1e154 on and below 1e-162. A zero
    vector has no direction: its cosine is taken as 0.
    """
    found = np.empty(len(a))
    step = max(1, BLOCK // a.shape[1])
    for start in range(0, len(a), step):
        part = slice(start, start + step)
        found[part] = _cosine_distance(*near_one(a[part]), *near_one(b[part]), eps)
    return found


def _cosine_distance(u: Floats, u_scale: Floats, v: Floats, v_scale: Floats, eps: float) -> Floats:
    u_square, v_square, dot = np.sum(u * u, axis=1), np.sum(v * v, axis=1), np.sum(u * v, axis=1)
    u_norm, v_norm = np.sqrt(u_square), np.sqrt(v_square)
    u_floor, v_floor = np.maximum(u_norm, eps / u_scale), np.maximum(v_norm, eps / v_scale)
    size = u_floor * v_floor
    cosine = np.clip(np.divide(dot, size, out=np.zeros_like(dot), where=size > 0), -1.0, 1.0)
    found = 1.0 - cosine
    close = (cosine > 0.5) & (u_floor == u_norm) & (v_floor == v_norm)
    if close.any():
        sine = sine_squared(u[close], v[close], dot[close], u_square[close], v_square[close])
        found[close] = sine / (1.0 + cosine[close])
    return np.asarray(found)


def near_one(x: Floats) -> tuple[Floats, Floats]:
    """Rows divided by powers of two near their greatest element, and these powers, (N,)."""
    scale = binary_scale(np.max(np.abs(x), axis=1))
    return x / scale[:, None], scale


def sine_squared(u: Floats, v: Floats, dot: Floats, u_square: Floats, v_square: Floats) -> Floats:
    """(N,) sin^2 of the angle between rows, to full relative precision: 1 - cos is sin^2 / (1 + cos).

    Below an angle of 1e-3 half the digits of 1 - cos itself are gone, below 1e-8 all. The sine is what remains of
    v once its part along u is taken off, s u with s = u.v / u.u. There v - s u cancels, so products are exact; s
    is rounded, so what remains along u is taken off once more.
    """
    product, error = exact_product((dot / u_square)[:, None], u)
    rest = (v - product) - error
    rest -= (np.sum(rest * u, axis=1) / u_square)[:, None] * u
    return np.asarray(np.sum(rest * rest, axis=1) / v_square)


def log_normaliser(z: NDArray[Any]) -> tuple[NDArray[Any], Floats]:
    """The logsumexp of each row in two parts, (N,) both: its maximum, and what the others add to it.

    logsumexp(z) = top + log1p(sum of e^(z - top) over all but one maximum). Kept apart, nothing cancels:
    log p = (z - top) - rest is right to the last digit even where p is within 1e-17 of 1, and shifting all
    scores changes nothing. (top + rest first loses log p below |top| 1e-16.) A row of -inf has top 0.

    float32 scores of many classes go through float32 ``exp`` of numbers <= 0, summed in float64 (relative
    error of a row below 1e-6); everything else is float64.
    """
    wide = z.dtype == np.float32 and z.shape[1] >= MANY_CLASSES
    scores = np.ascontiguousarray(z, dtype=np.float32 if wide else np.float64)
    first = np.argmax(scores, axis=1)
    rows = np.arange(len(scores))
    top = scores[rows, first]
    top = np.where(np.isfinite(top), top, np.zeros_like(top))
    terms = scores - top[:, None]
    np.exp(terms, out=terms)
    terms[rows, first] = 0.0
    return top, np.log1p(np.sum(terms, axis=1, dtype=np.float64))


def sparse_normaliser(z: NDArray[Any]) -> tuple[Floats, Floats]:
    """The greatest p.z + (1 - |p|^2) / 2 over all distributions p, in two parts, (N,) both: top, and the rest.

    The best p is z projected onto the simplex. With d_j how far the j-th score lies below the top, and k the size of
    the support, the entry of the top score is a = (1 + sum d) / k, and the others, by which is summed, are a - d_j:

        p.z + (1 - |p|^2) / 2 = top + 1/2 sum p_j v_j,   v_j = 1 - d_j

    The left side cancels where p is nearly one-hot (p_2 = 1e-9 has nothing left of its 1e-18), the right side adds
    positive terms only. p_j is a - d_j or v_j - sum(v) / k, whichever subtracts the smaller numbers, and v_j carries
    the rounding of d_j along, which is all there is of it near the edge of the support. A row of -inf has top 0.

    >>> sparse_normaliser(np.array([[1.0, 0.5, -9.0]]))
    (array([1.]), array([0.0625]))
    """
    scores = np.ascontiguousarray(z, dtype=np.float64)
    n = len(scores)
    first = np.argmax(scores, axis=1)
    top = scores[np.arange(n), first]
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(over="ignore"):
        row, column = np.nonzero(top[:, None] - scores < 1.0)  # whatever lies lower is outside
    high, low = top[row], scores[row, column]
    drop = high - low
    back = high - drop
    short = (1.0 - drop) - ((high - (drop + back)) + (back - low))  # 1 - (high - low), with what rounding lost
    while True:
        # Those below the threshold that their set gives are taken out until none is (Michelot 1986).
        size = np.maximum(np.bincount(row, minlength=n), 1)
        greatest = (1.0 + np.bincount(row, drop, minlength=n)) / size
        inside = drop < greatest[row]
        if inside.all():
            break
        row, column, drop, short = row[inside], column[inside], drop[inside], short[inside]
    other = column != first[row]
    row, drop, short = row[other], drop[other], short[other]
    level = np.bincount(row, short, minlength=n) / size
    prob = np.where(greatest[row] < 0.5, greatest[row] - drop, short - level[row])
    return top, np.asarray(0.5 * np.bincount(row, np.maximum(prob, 0.0) * short, minlength=n))


def clip_range(clip: str | float) -> tuple[float, float]:
    """The interval that probabilities are clipped to before the logarithm.

    keras 1e-7 and sklearn the float64 eps, on both sides; none and torch (which caps the logarithm
    instead) leave [0, 1].
    """
    if clip in {"none", "torch"}:
        return 0.0, 1.0
    eps = {"keras": 1e-7, "sklearn": float(np.finfo(np.float64).eps)}.get(str(clip))
    eps = float(clip) if eps is None else eps
    return eps, 1.0 - eps


TORCH_FLOOR = -100.0  # torch.nn.BCELoss never lets a logarithm fall below this


def binary_costs(pred: Floats, form: str, clip: str | float = "none") -> tuple[Floats, Floats]:
    """-log p and -log(1 - p), what yes and no cost at logits or probabilities (``form``)."""
    if form == "logits":
        return softplus_pair(pred)
    low, high = clip_range(clip)
    prob = pred if low == 0 else np.clip(pred, low, high)
    costs = -safe_log(prob), -safe_log1m(prob)
    return (np.minimum(costs[0], -TORCH_FLOOR), np.minimum(costs[1], -TORCH_FLOOR)) if clip == "torch" else costs


def _class_probs(pred: NDArray[Any], clip: str | float) -> Floats:
    prob = np.ascontiguousarray(pred, dtype=np.float64)
    if clip == "keras":
        # Keras first makes rows sum to one, then clips.
        prob = prob / np.sum(prob, axis=1, keepdims=True)
    low, high = clip_range(clip)
    return prob if low == 0 else np.clip(prob, low, high)


def _capped(log: Floats, clip: str | float) -> Floats:
    return np.maximum(log, TORCH_FLOOR) if clip == "torch" else log


def log_probs(pred: NDArray[Any], form: str, clip: str | float = "none") -> Floats:
    """(N, C) log-probabilities of logits, probabilities or log-probabilities (``form``)."""
    if form == "logits":
        scores = np.ascontiguousarray(pred, dtype=np.float64)
        top, rest = log_normaliser(scores)
        return np.asarray((scores - top[:, None]) - rest[:, None])
    if form == "probs":
        return _capped(safe_log(_class_probs(pred, clip)), clip)
    return np.ascontiguousarray(pred, dtype=np.float64)


def log_prob_at(pred: NDArray[Any], index: NDArray[np.int64], form: str, clip: str | float = "none") -> Floats:
    """(N,) the log-probability of one class for each row, without the other columns' logarithms."""
    rows = np.arange(len(pred))
    if form == "logits":
        top, rest = log_normaliser(pred)
        return np.asarray((pred[rows, index].astype(np.float64) - top) - rest)
    if form == "probs":
        return _capped(safe_log(_class_probs(pred, clip)[rows, index]), clip)
    return pred[rows, index].astype(np.float64)


def norms(x: Floats) -> Floats:
    """(N,) Euclidean lengths of the rows of an (N, D) array.

    Each row is first brought near 1 by a power of two, which rounds nothing: squares overflow from 1e154 on and
    vanish below 1e-162.
    """
    exponent = _exponents(x)
    with np.errstate(all="ignore"):
        near = np.ldexp(np.ascontiguousarray(x), -exponent[:, None])
        return np.asarray(np.ldexp(np.sqrt(np.sum(near * near, axis=1)), exponent))


def products(a: Floats, b: Floats) -> Floats:
    """(N, M) dot products of the rows of (N, D) and (M, D) arrays, the same digits for any N, M, machine and threads.

    Matrix products of a BLAS round in an order that depends on shapes. Here both sides are split into slices of so
    few bits that products of slices, summed over D, are exact in float64 whatever the order (Ozaki, Ogita, Oishi,
    Rump, "Error-free transformations of matrix multiplication", 2012); the slices' products are then added in a
    fixed order. What three slices of k bits leave out is below D 2**(1 - 3 k) of the product of the two rows' largest
    entries, where k is (53 - log2(D + 1)) / 2: far below the rounding of the sum itself.
    """
    if a.shape[1] == 0:
        return np.zeros((len(a), len(b)))
    bits = (53 - int(np.ceil(np.log2(a.shape[1] + 1)))) // 2
    left, up = _slices(a, bits)
    right, across = _slices(b, bits)
    total = np.zeros((len(a), len(b)))
    for depth in range(SLICES - 1, -1, -1):  # the smallest first
        for i in range(depth + 1):
            total += left[i] @ right[depth - i].T
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(total, up[:, None] + across[None, :]))


SLICES = 3


def _slices(x: Floats, bits: int) -> tuple[list[Floats], NDArray[np.int32]]:
    """Rows times powers of two, to below 1, as a sum of slices of ``bits`` bits each; and the exponents taken off."""
    exponent = _exponents(x)
    rest = np.ldexp(np.ascontiguousarray(x, np.float64), -exponent[:, None])
    found = []
    for step in range(1, SLICES + 1):
        anchor = 1.5 * 2.0 ** (53 - 1 - bits * step)
        top = (rest + anchor) - anchor
        found.append(top)
        rest = rest - top
    return found, exponent


def _exponents(x: Floats) -> NDArray[np.int32]:
    """(N,) for each row the e of the least 2**e above all its sizes; 0 for a row of zeros."""
    top = np.max(np.abs(x), axis=1, initial=0.0)
    return np.asarray(np.frexp(np.where(np.isfinite(top), top, 0.0))[1])


def binary_scale(top: Floats) -> Floats:
    """(N,) powers of two near the given sizes, 1 for 0: dividing by them rounds nothing."""
    exponent = np.frexp(np.where(np.isfinite(top), top, 1.0))[1]
    return np.asarray(np.ldexp(np.ones_like(top), np.clip(exponent, -1000, 1000)))


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
