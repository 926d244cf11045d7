"""Stable building blocks of formulas. Each says where its naive form fails.

All take and give float64 (float32 class scores keep float32 ``exp`` with float64 sums) and are
elementwise or row by row, so that no value depends on how many rows stand beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "clip_range",
    "log_cosh",
    "log_normaliser",
    "log_prob_at",
    "log_probs",
    "norms",
    "products",
    "safe_log",
    "softplus_pair",
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


def times(a: Floats, b: Floats) -> Floats:
    """a * b with 0 * inf = 0: a term of weight zero is not there."""
    with np.errstate(invalid="ignore"):
        product = a * b
    return np.asarray(np.where(a == 0, 0.0, product))


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
