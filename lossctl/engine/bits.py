"""A histogram of the leading bits of floats: integers that merge exactly, and quantiles within 0.39 percent.

The bits of a float64, with those of negative numbers turned round, are in order as whole numbers. Without the last
45 of them, 128 bins are left between a power of two and the next, and the middle of a bin is within 1/256 of all
that is in it. Below 2**-1029 the numbers are one bin, whose middle is called 0; infinities and NaN have theirs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ERROR", "bins_of", "distinct", "middles"]

ERROR = 2.0**-8  # how far the middle of a bin may be from a number in it, as a part of that number
SHIFT = 45
LEAST = -(1 << 18)  # the first bin
WIDTH = 19  # bits of a bin's number

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ODD = np.array([0.0, np.inf, -np.inf, np.nan])


def bins_of(values: Floats) -> Ints:
    """(n,) bins, in the order of the numbers; a NaN has to be the positive quiet one."""
    bits = values.view(np.int64)
    return (bits ^ ((bits >> 63) & np.int64(2**63 - 1))) >> SHIFT


def middles(bins: Ints) -> Floats:
    """(n,) the number that stands for each bin, and is in it."""
    bits = (bins << SHIFT) + (1 << (SHIFT - 1))
    values = (bits ^ ((bits >> 63) & np.int64(2**63 - 1))).view(np.float64)
    for bin, value in zip(bins_of(ODD).tolist(), ODD.tolist(), strict=True):
        values[bins == bin] = value
    return values


def distinct(
    values: Floats, codes: NDArray[np.int32] | None, counts: Ints | None
) -> tuple[Floats, NDArray[np.int32] | None, Ints]:
    """The bins of each group that hold something: their middles and groups, in order, and how many are in each.

    ``codes`` (n,) are groups, ``None`` all the same; ``counts`` (n,) say how many each value stands for (default 1).
    """
    keys = bins_of(values) - LEAST
    if codes is not None:
        keys += codes.astype(np.int64) << WIDTH
    keys, counts = tallied(keys, counts)
    found = None if codes is None else (keys >> WIDTH).astype(np.int32)
    return middles((keys & ((1 << WIDTH) - 1)) + LEAST), found, counts


def tallied(keys: Ints, counts: Ints | None) -> tuple[Ints, Ints]:
    """The distinct keys in order, and how many there are of each."""
    if not len(keys):
        return keys, np.zeros(0, np.int64)
    least = int(keys.min())
    if counts is None and int(keys.max()) - least < 4 * len(keys):
        every = np.bincount(keys - least)
        places = np.flatnonzero(every)
        return places + least, every[places]
    if counts is None:
        ordered, counts = np.sort(keys), np.ones(len(keys), np.int64)
    else:
        order = np.argsort(keys, kind="stable")  # sorted runs, which it makes use of
        ordered, counts = keys[order], counts[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return ordered[starts], np.add.reduceat(counts, starts)
