"""Every row of one array against every row of another, a stripe of rows at a time: never an array of N x N numbers.

    for part, found in tiles.cosines(a, b):      # or tiles.dots, tiles.distances
        ...                                      # found[i, j] belongs to row part.start + i of a and row j of b

``a`` is (N, D) and ``b`` (M, D), float64; without ``b`` the rows of ``a`` stand against themselves, each against
itself included. ``part`` is a slice of rows of ``a``, and ``found`` (len(part), M) is the caller's to write in. A
stripe has about 2**20 numbers (8 MB). A number depends on its two rows and on nothing else: not on N, the stripe, the
threads of a BLAS or the machine, for dot products are those of ``vectors.products``: sums that are exact in any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl import vectors

__all__ = ["cosines", "distances", "dots"]

Floats: TypeAlias = NDArray[np.float64]
Stripes: TypeAlias = Iterator[tuple[slice, Floats]]
STRIPE = 1 << 20  # numbers in a stripe
CLOSE = 2.0**-8  # of the squared lengths of two vectors: below that their squared distance is no difference of those
SPREAD = 300  # binary digits between the sizes of two vectors up to which their squares fit into one scale


class Split(NamedTuple):
    """Rows as slices of few bits side by side, and the exponents of two taken off."""

    falling: Floats  # (N, 3 D): the largest slices first
    rising: Floats  # (N, 3 D): the same, the smallest first
    exponent: NDArray[np.int32]  # (N,)


def split(x: Floats) -> Split:
    """Rows so that a sum of products of slices over three slices and D is exact (``vectors.products``)."""
    bits = (53 - int(np.ceil(np.log2(vectors.SLICES * x.shape[1] + 1)))) // 2
    parts, exponent = vectors.slices(x, bits)
    return Split(np.concatenate(parts, axis=1), np.concatenate(parts[::-1], axis=1), exponent)


def stripes(a: Split, b: Split) -> Stripes:
    """Dot products of rows without their powers of two."""
    wide = a.falling.shape[1] // vectors.SLICES
    step = max(1, STRIPE // max(len(b.exponent), 1))
    for start in range(0, len(a.exponent), step):
        part = slice(start, min(start + step, len(a.exponent)))
        # Slices i and j stand on level i + j; the smallest level first.
        found = a.falling[part] @ b.rising.T
        for level in range(vectors.SLICES - 1, 0, -1):
            found += a.falling[part, : level * wide] @ b.rising[:, -level * wide :].T
        yield part, found


def dots(a: Floats, b: Floats | None = None) -> Stripes:
    """Dot products; infinite where they leave the float range."""
    left = split(a)
    right = left if b is None else split(b)
    # Of moderate sizes, two products are exact and several times as fast as ldexp.
    plain = all(np.abs(side.exponent).max(initial=0) <= SPREAD for side in (left, right))
    for part, found in stripes(left, right):
        with np.errstate(over="ignore", under="ignore"):
            if plain:
                found *= np.ldexp(1.0, left.exponent[part, None])
                found *= np.ldexp(1.0, right.exponent)
            else:
                np.ldexp(found, left.exponent[part, None] + right.exponent, out=found)
        yield part, found


def cosines(a: Floats, b: Floats | None = None) -> Stripes:
    """Cosines of the angles between rows, of rows of any size; a zero vector has no direction, and 0 is taken."""
    left, left_norm = directions(a)
    right, right_norm = (left, left_norm) if b is None else directions(b)
    for part, found in stripes(left, right):
        found /= left_norm[part, None] * right_norm
        yield part, np.clip(found, -1.0, 1.0, out=found)


def directions(x: Floats) -> tuple[Split, Floats]:
    """Slices of rows, and the lengths of the rows without their powers of two (1 for a zero vector)."""
    rows = split(x)
    length = vectors.norms(np.ldexp(x, -rows.exponent[:, None]))
    return rows, np.where(length > 0, length, 1.0)


def distances(a: Floats, b: Floats | None = None, *, unit: bool = False) -> Stripes:
    """Euclidean distances; with ``unit`` those of the rows divided by their lengths (a zero vector stays zero).

    |x - y|^2 is |x|^2 + |y|^2 - 2 xy, which cancels for close vectors: where it falls below 2**-8 of |x|^2 + |y|^2,
    and wherever squares of all rows do not fit into one scale, differences themselves are squared.
    """
    left, left_rest, right, right_rest, scale = one_scale(a, a if b is None else b, unit)
    with np.errstate(over="ignore"):  # without a scale every pair is close, whatever these are
        left_square, right_square = np.sum(left * left, axis=1), np.sum(right * right, axis=1)
    for part, found in dots(left, None if b is None else right):
        with np.errstate(over="ignore", invalid="ignore"):
            sizes = left_square[part, None] + right_square
            found *= -2.0
            found += sizes
            sizes *= CLOSE
            near = found <= sizes if scale else np.ones(found.shape, bool)
            np.sqrt(np.maximum(found, 0.0, out=found), out=found)
            for i, j in some(near, left.shape[1]):
                apart = left[part][i] - right[j]
                apart += left_rest[part][i] - right_rest[j]
                found[i, j] = vectors.norms(apart)
            found *= scale or 1.0
        yield part, found


def some(mask: NDArray[np.bool_], wide: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Places under a mask, so many at a time that their rows of ``wide`` numbers stay in a core's cache."""
    rows, columns = np.nonzero(mask)
    step = max(1, vectors.BLOCK // max(wide, 1))
    for first in range(0, len(rows), step):
        yield rows[first : first + step], columns[first : first + step]


def one_scale(a: Floats, b: Floats, unit: bool) -> tuple[Floats, Floats, Floats, Floats, float]:
    """Rows near 1, the parts of them that float64 cannot hold, and what was divided by; 0 where sizes are too apart."""
    if unit:
        left, left_rest = units(a)
        return left, left_rest, *((left, left_rest) if b is a else units(b)), 1.0
    nothing = np.zeros((1, 1))
    left_rest, right_rest = np.broadcast_to(nothing, a.shape), np.broadcast_to(nothing, b.shape)
    tops = np.concatenate([np.max(np.abs(x), axis=1, initial=0.0) for x in (a, b)])
    exponents = np.frexp(tops[tops > 0])[1]
    if not len(exponents) or np.ptp(exponents) > SPREAD:
        return a, left_rest, b, right_rest, 0.0
    scale = float(np.ldexp(1.0, np.clip(exponents.max(), -1000, 1000)))
    left = a / scale
    return left, left_rest, left if b is a else b / scale, right_rest, scale


def units(x: Floats) -> tuple[Floats, Floats]:
    """Rows divided by their lengths, and what that rounded off: distances of 1e-8 are made of it by half."""
    near, _ = vectors.near_one(x)
    length = vectors.norms(near)[:, None]
    length[length == 0] = 1.0
    unit = near / length
    product, error = vectors.exact_product(unit, np.broadcast_to(length, unit.shape))
    return unit, ((near - product) - error) / length
