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
    "exp_gap",
    "log1mexp",
    "log_cosh",
    "log_normaliser",
    "log_prob_at",
    "log_probs",
    "logit_cost",
    "other_side",
    "safe_log",
    "sigmoid_pair",
    "softplus",
    "softplus_pair",
    "sparse_normaliser",
    "steady_sum",
    "times",
]

Floats = NDArray[np.float64]


MANY_CLASSES = 128  # from here on the time of exp is worth the float32 digits
BLOCK = 1 << 18  # scores at a time: they stay in a core's cache through all passes, and threads seldom wait
RUN = 512  # float32 terms that are added up as such


def other_side(x: Floats, y: Floats) -> Floats:
    """How much of a target y between 0 and 1 lies on the other side than a logit: 1 - y where x > 0, y where not."""
    found = np.greater(x, 0.0, out=np.empty(np.shape(x)))
    found -= y
    return np.abs(found, out=found)


def logit_cost(size: Floats, tail: Floats, other: Floats) -> Floats:
    """y log(1 + e^-x) + (1 - y) log(1 + e^x), of |x|, e^-|x| and what of y lies on the other side; in |x|'s place.

    Both logarithms are log1p(e^-|x|), and |x| more on the wrong side: nothing overflows, nothing cancels.
    """
    cost = np.multiply(other, size, out=size)
    if np.isnan(np.min(cost, initial=0.0)):
        cost[other == 0] = 0.0  # of an infinite logit on the right side
    cost += np.log1p(tail)
    return cost


def softplus_pair(x: Floats) -> tuple[Floats, Floats]:
    """log(1 + e^-x) and log(1 + e^x), the losses of a logit where the outcome is 1 and where it is 0.

    Both are log1p(e^-|x|) plus max(-x, 0) or max(x, 0): e^x itself overflows from x = 709 on, and the one
    minus x, though equal to the other, loses all its digits from |x| = 37 on.
    """
    tail = falling(np.abs(x))
    np.log1p(tail, out=tail)
    return np.asarray(tail + np.maximum(-x, 0.0)), np.asarray(tail + np.maximum(x, 0.0))


def softplus(x: Floats) -> Floats:
    """log(1 + e^x) as max(x, 0) + log1p(e^-|x|): e^x itself overflows from x = 709 on, and 1 + e^x is 1 below -37."""
    tail = falling(np.abs(x))
    np.log1p(tail, out=tail)
    tail += np.maximum(x, 0.0)
    return tail


def falling(size: Floats) -> Floats:
    """e^-size."""
    found = np.negative(size)
    return np.exp(found, out=found)


def sigmoid_pair(x: Floats) -> tuple[Floats, Floats]:
    """The probabilities of yes and of no at a logit, 1 / (1 + e^-x) and 1 / (1 + e^x), each with all its digits.

    One minus the other is 0 from |x| = 37 on. Where e^|x| overflows (|x| > 709) the quotient is below 1e-308: 0.
    """
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x)), 1.0 / (1.0 + np.exp(x))


def exp_gap(x: Floats) -> Floats:
    """e^x - 1 - x, to full relative precision.

    expm1(x) - x loses all digits towards 0 (at x = -1e-8 nothing is left of x^2/2). From -1/2 to 1/2 the series
    x^2/2! + x^3/3! + ... has enough terms with x^17.
    """
    near = np.clip(x, -0.5, 0.5)
    series = np.zeros_like(near)
    for power in range(17, 2, -1):
        series = (1.0 + series) * near / power
    return np.where(np.abs(x) < 0.5, 0.5 * near * near * (1.0 + series), np.expm1(x) - x)


def times(a: Floats, b: Floats, out: Floats | None = None) -> Floats:
    """a * b with 0 * inf = 0: a term of weight zero is not there. ``out`` may be ``b``."""
    with np.errstate(invalid="ignore"):
        product = np.multiply(a, b, out=out)
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


def log1mexp(x: Floats) -> Floats:
    """log(1 - e^x) for x <= 0: -inf at 0.

    1 - e^x loses its digits as x nears 0, where -expm1(x) has them all, and is 1 from x = -37 on, where log1p(-e^x)
    still tells how far below. They change places at -log 2 (Maechler 2012).
    """
    with np.errstate(divide="ignore"):
        return np.where(x > -0.6931471805599453, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))


def steady_sum(*terms: Floats) -> Floats:
    """The sum of a few arrays, element by element, with what each addition rounds off added in the end (Neumaier 1974).

    Differences of differences cancel: of (-1000.1 + 1000) - (-0.1) plain additions leave 13 digits too few.
    """
    total, lost = terms[0], np.zeros_like(terms[0])
    for term in terms[1:]:
        found = total + term
        part = found - total
        lost += (total - (found - part)) + (term - part)
        total = found
    return np.asarray(np.where(np.isfinite(total), total + lost, total))


STRAIGHT = 40.0  # e^-80 is nothing beside 1


def log_cosh(e: Floats) -> Floats:
    """log cosh e, to full relative precision for every e.

    |e| + log1p(e^-2|e|) - log 2 cancels for small e (at e = 1e-8 nothing is left of e^2/2). log1p(2 sinh^2(e/2)),
    the half-angle identity, has no subtraction, but sinh overflows. From |e| = 40 on all is |e| - log 2, a line.
    """
    size = np.abs(e)
    near = np.minimum(size, STRAIGHT)
    half = np.sinh(0.5 * near)
    half *= half
    half *= 2.0
    size -= near
    size += np.log1p(half, out=half)
    return size


def log_normaliser(z: NDArray[Any]) -> tuple[NDArray[Any], Floats]:
    """The logsumexp of each row in two parts, (N,) both: its maximum, and what the others add to it.

    logsumexp(z) = top + log1p(sum of e^(z - top) over all but one maximum). Kept apart, nothing cancels:
    log p = (z - top) - rest is right to the last digit even where p is within 1e-17 of 1, and shifting all
    scores changes nothing. (top + rest first loses log p below |top| 1e-16.) A row of -inf has top 0.

    float32 scores of many classes go through float32 ``exp`` of numbers <= 0, summed in float64 but for short runs
    (relative error of a row below 1e-6); everything else is float64.
    """
    wide = z.dtype == np.float32 and z.shape[1] >= MANY_CLASSES
    scores = np.ascontiguousarray(z, dtype=np.float32 if wide else np.float64)
    top, others = np.empty(len(scores), scores.dtype), np.empty(len(scores))
    step = max(1, BLOCK // max(scores.shape[1], 1))
    for start in range(0, len(scores), step):
        part = slice(start, start + step)
        top[part], others[part] = _top_and_others(scores[part])
    return top, np.log1p(others, out=others)


def _top_and_others(scores: NDArray[Any]) -> tuple[NDArray[Any], Floats]:
    """(N,) the greatest score of each row, and the sum of e^(z - top) over all but one maximum."""
    first = np.argmax(scores, axis=1)
    rows = np.arange(len(scores))
    top = scores[rows, first]
    top[~np.isfinite(top)] = 0.0
    terms = less(scores, top)
    np.exp(terms, out=terms)
    terms[rows, first] = 0.0
    return top, np.sum(terms, axis=1) if terms.dtype == np.float64 else _run_sums(terms)


def less(table: NDArray[Any], column: NDArray[Any]) -> NDArray[Any]:
    """(N, C) each row less its own number, of (N,)."""
    count = table.shape[1]
    found = np.empty_like(table)
    before = np.getbufsize()
    # Long rows go in one by one. NumPy would copy each number often enough to fill a buffer for several rows at once,
    # which takes twice as long; short ones gain by it.
    np.setbufsize(count // 16 * 16 if 256 <= count < before else before)
    try:
        np.subtract(table, column[:, None], out=found)
    finally:
        np.setbufsize(before)
    return found


def _run_sums(terms: NDArray[np.float32]) -> Floats:
    """(N,) sums of rows in float64, but for runs of so few terms that some ten roundings lie upon each other.

    einsum adds in an order that hangs on the row's length alone, and takes a fifth of the time of a sum as float64.
    """
    n, count = terms.shape
    runs = count // RUN
    rest = np.einsum("ij->i", terms[:, runs * RUN :]).astype(np.float64)
    whole = terms[:, : runs * RUN].reshape(n, runs, RUN)
    rest += np.sum(np.einsum("ijk->ij", whole), axis=1, dtype=np.float64)
    return np.asarray(rest)


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
    costs = safe_log(prob), safe_log1m(prob)
    for log in costs:
        np.negative(log, out=log)
        if clip == "torch":
            np.minimum(log, -TORCH_FLOOR, out=log)
    return costs


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
        return less(less(scores, top), rest)
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
