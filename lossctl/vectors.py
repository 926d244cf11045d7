"""Vectors: lengths, angles and dot products that keep their digits at any size.

All take and give float64, row by row, so that no value depends on how many rows stand beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "SLICES",
    "binary_scale",
    "cosine_distance",
    "cosine_sine",
    "damped_cosines",
    "exact_product",
    "near_one",
    "norms",
    "p_norms",
    "products",
    "slices",
]

Floats = NDArray[np.float64]


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


def damped_cosines(a: Floats, b: Floats, root: float) -> tuple[Floats, Floats]:
    """(N,) c = a.b / sqrt((a.a + root^2) (b.b + root^2)) of the rows of two (N, D) arrays, and 1 - c.

    The damping makes the cosine with a zero vector 0. With u = root^2 / a.a, v = root^2 / b.b, theta the angle and
    r = sqrt((1 + u) (1 + v)), the distance 1 - c is (sin^2 theta + u + v + u v) / (r (r + cos theta)): a sum of
    positive terms where 1 - c itself has lost half of its digits at an angle of 1e-4.
    """
    close, far = np.empty(len(a)), np.empty(len(a))
    step = max(1, BLOCK // a.shape[1])
    with np.errstate(all="ignore"):
        for start in range(0, len(a), step):
            part = slice(start, start + step)
            close[part], far[part] = _damped_cosines(*near_one(a[part]), *near_one(b[part]), root)
    return close, far


def _damped_cosines(u: Floats, u_scale: Floats, v: Floats, v_scale: Floats, root: float) -> tuple[Floats, Floats]:
    u_square, v_square, dot = np.sum(u * u, axis=1), np.sum(v * v, axis=1), np.sum(u * v, axis=1)
    size = np.sqrt(u_square) * np.sqrt(v_square)
    cosine = np.clip(np.divide(dot, size, out=np.zeros_like(dot), where=size > 0), -1.0, 1.0)
    u_damp, v_damp = (root / u_scale) ** 2 / u_square, (root / v_scale) ** 2 / v_square
    stretch = np.sqrt(1.0 + u_damp) * np.sqrt(1.0 + v_damp)
    found = cosine / stretch
    distance = 1.0 - found
    near = found > 0.5
    if near.any():
        sine = sine_squared(u[near], v[near], dot[near], u_square[near], v_square[near])
        damp = u_damp[near] + v_damp[near] + u_damp[near] * v_damp[near]
        distance[near] = (sine + damp) / (stretch[near] * (stretch[near] + cosine[near]))
    return found, distance


def cosine_sine(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """(N,) cosine and sine of the angles between the rows of two (N, D) arrays, each to its last digits.

    A zero vector is at a right angle to everything.
    """
    cosine, sine = np.zeros(len(a)), np.ones(len(a))
    step = max(1, BLOCK // a.shape[1])
    for start in range(0, len(a), step):
        u, v = near_one(a[start : start + step])[0], near_one(b[start : start + step])[0]
        u_square, v_square, dot = np.sum(u * u, axis=1), np.sum(v * v, axis=1), np.sum(u * v, axis=1)
        there = np.flatnonzero((u_square > 0) & (v_square > 0))
        u, v, u_square, v_square, dot = u[there], v[there], u_square[there], v_square[there], dot[there]
        cosine[start + there] = np.clip(dot / (np.sqrt(u_square) * np.sqrt(v_square)), -1.0, 1.0)
        sine[start + there] = np.sqrt(np.minimum(sine_squared(u, v, dot, u_square, v_square), 1.0))
    return cosine, sine


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


def norms(x: Floats) -> Floats:
    """(N,) Euclidean lengths of the rows of an (N, D) array.

    Each row is first brought near 1 by a power of two, which rounds nothing: squares overflow from 1e154 on and
    vanish below 1e-162.
    """
    exponent = _exponents(x)
    with np.errstate(all="ignore"):
        near = np.ldexp(np.ascontiguousarray(x), -exponent[:, None])
        return np.asarray(np.ldexp(np.sqrt(np.sum(near * near, axis=1)), exponent))


def p_norms(x: Floats, p: float) -> Floats:
    """(N,) the root of the p-th power sum of each row's sizes: powers of sizes far from 1 leave the float range."""
    size = np.abs(x)
    scale = binary_scale(np.max(size, axis=1, initial=0.0))
    return np.asarray(scale * np.sum((size / scale[:, None]) ** p, axis=1) ** (1.0 / p))


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
    left, up = slices(a, bits)
    right, across = slices(b, bits)
    total = np.zeros((len(a), len(b)))
    for depth in range(SLICES - 1, -1, -1):  # the smallest first
        for i in range(depth + 1):
            total += left[i] @ right[depth - i].T
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(total, up[:, None] + across[None, :]))


SLICES = 3


def slices(x: Floats, bits: int) -> tuple[list[Floats], NDArray[np.int32]]:
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
