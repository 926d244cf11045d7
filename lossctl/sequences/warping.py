"""The cheapest way to warp one series onto another, and its soft minimum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.batches import beside, groups
from lossctl.sequences.ragged import Ragged

__all__ = ["dtw", "soft_dtw"]

Floats = NDArray[np.float64]


class Band(NamedTuple):
    """The cells (i, j) that a path may enter: ``low <= j - i <= high``, (K,) both."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]


def dtw(x: Ragged, y: Ragged, *, metric: str = "sqeuclidean", window: int | None = None) -> Floats:
    """(N,) least sum of distances along a warping path of two series.

        D(i, j) = d(x_i, y_j) + min(D(i-1, j), D(i, j-1), D(i-1, j-1))

    ``window`` w keeps paths in the band -w <= j - i <= w, on one side widened by the difference of the lengths, so
    that there always is a path. Two empty series match; one alone has no path: inf.
    """
    return _walk(x, y, metric, window, None)


def soft_dtw(x: Ragged, y: Ragged, *, gamma: float = 1.0) -> Floats:
    """(N,) the same with -gamma log sum exp(-. / gamma) for the minimum, over squared Euclidean distances."""
    return _walk(x, y, "sqeuclidean", None, gamma)


def _walk(x: Ragged, y: Ragged, metric: str, window: int | None, gamma: float | None) -> Floats:
    found = np.where(x.lengths == y.lengths, 0.0, np.inf)
    full = np.flatnonzero((x.lengths > 0) & (y.lengths > 0))
    longer = np.maximum(x.lengths, y.lengths)[full]
    for places in groups(longer, longer):
        rows = full[places]
        band = None
        if window is not None:
            extra = y.lengths[rows] - x.lengths[rows]
            band = Band(np.minimum(extra, 0) - window, np.maximum(extra, 0) + window)
        sides = _features(beside(x, rows)), _features(beside(y, rows, backwards=True))
        with np.errstate(over="ignore"):
            found[rows] = _group(*sides, (x.lengths[rows] - 1, y.lengths[rows] - 1), metric, band, gamma)
    return found


def _features(side: NDArray[np.float64]) -> list[Floats]:
    """(T, K) of each feature of (T, K) or (T, K, D)."""
    flat = side.reshape(*side.shape[:2], -1)
    return [np.ascontiguousarray(flat[:, :, d], np.float64) for d in range(flat.shape[2])]


def _group(
    x: list[Floats],
    y: list[Floats],
    last: tuple[NDArray[np.int64], NDArray[np.int64]],
    metric: str,
    band: Band | None,
    gamma: float | None,
) -> Floats:
    """Anti-diagonals i + j = step of all rows at once; ``y`` stands backwards, so that they are slices of both.

    Line i + 1 of a buffer is cell i. Cells beyond a row's end are walked as well: no path to its last cell meets them.
    """
    (height, k), width = x[0].shape, y[0].shape[0]
    found = np.empty(k)
    before, previous, current = (np.full((height + 1, k), np.inf) for _ in range(3))
    before[0] = 0.0  # every path starts here
    end = last[0] + last[1]
    for step in range(int(end.max()) + 1):
        low, high = max(0, step - width + 1), min(step, height - 1)
        if band is not None:
            low = max(low, -((int(band.high.max()) - step) // 2))
            high = min(high, (step - int(band.low.min())) // 2)
        here, shift = slice(low, high + 1), width - 1 - step
        cells = current[low + 1 : high + 2]
        three = previous[low : high + 1], previous[low + 1 : high + 2], before[low : high + 1]
        least(three, gamma, cells)
        cells += _distance(metric, [a[here] for a in x], [b[low + shift : high + 1 + shift] for b in y])
        if band is not None:
            across = step - 2 * np.arange(low, high + 1)[:, None]
            cells[(across < band.low) | (across > band.high)] = np.inf
        current[low] = np.inf  # the lines beside what was written still hold an older diagonal
        current[high + 2 : high + 3] = np.inf
        done = np.flatnonzero(end == step)
        found[done] = current[last[0][done] + 1, done]
        before, previous, current = previous, current, before
    return found


def least(three: tuple[Floats, Floats, Floats], gamma: float | None, out: Floats) -> None:
    """The least of three, or -gamma log(e^(-a/gamma) + e^(-b/gamma) + e^(-c/gamma)).

    The least is taken out of the sum, of which log1p is taken of the two others: nothing overflows, and where one
    path is far cheaper than all others the sum is not rounded to it.
    """
    a, b, c = three
    small = np.minimum(a, b)
    if gamma is None:
        np.minimum(small, c, out=out)
        return
    large = np.maximum(a, b)
    np.minimum(small, c, out=out)
    middle = np.maximum(small, c)
    floor = np.where(out < np.inf, out, 0.0)  # inf - inf
    terms = np.exp((floor - middle) / gamma)
    terms += np.exp((floor - large) / gamma)
    out -= gamma * np.log1p(terms)


def _distance(metric: str, x: list[Floats], y: list[Floats]) -> Floats:
    """Distances of points, added feature by feature; a square above 1e308 is inf, a length never."""
    gap = x[0] - y[0]
    if metric == "sqeuclidean":
        gap *= gap
        for a, b in zip(x[1:], y[1:], strict=True):
            more = a - b
            more *= more
            gap += more
        return gap
    np.abs(gap, out=gap)
    add = np.hypot if metric == "euclidean" else np.add
    for a, b in zip(x[1:], y[1:], strict=True):
        add(gap, np.abs(a - b), out=gap)
    return gap
