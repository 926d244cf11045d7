"""Edit costs of many pairs at once: the table of the recursion, one anti-diagonal at a time, all pairs side by side.

    D(i, 0) = i del     D(0, j) = j ins
    D(i, j) = min( D(i-1, j) + del,  D(i, j-1) + ins,  D(i-1, j-1) + sub [x_i != y_j] )

A diagonal i + j = k needs only the two before it, so each step is a handful of calls over (cells, pairs). Costs are
whole numbers in the narrowest type that holds them, or float64.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.ragged import Ragged
from lossctl.sequences.strings import pairwise

__all__ = ["Costs", "weighted"]

Array: TypeAlias = NDArray[Any]

CELLS = 1 << 18  # of a diagonal, over all pairs of a batch: a few of them stay in the cache
ROWS = 4096
WHOLE = 1 << 31  # costs up to here are added up as whole numbers, which no length overflows
LONG = 64  # units from which on it pays to look first for what is common, and for how far the ways may stray


class Costs(NamedTuple):
    """What an edit costs; at or above zero."""

    insertion: float = 1
    deletion: float = 1
    substitution: float = 1

    def times(self, factor: int) -> Costs:
        return Costs(*(cost * factor for cost in self))


class Band(NamedTuple):
    """How far the cheapest ways stray: at most so many insertions and so many deletions."""

    insertions: int
    deletions: int


def weighted(ref: Ragged, hyp: Ragged, costs: Costs, *, split: bool = False) -> tuple[Array, Array]:
    """(N,) the least cost of each pair; with ``split`` also the fewest substitutions of the ways that cost so little.

    Substitutions ride along in the low digits: with costs (K ins, K del, K sub + 1) and K above any number of
    substitutions, the least cost is K times the least cost plus the fewest substitutions that reach it.
    """
    x, y = trimmed(narrow(ref), narrow(hyp))
    whole = max(costs) <= WHOLE and all(cost == int(cost) for cost in costs)
    cost = np.zeros(len(ref), np.int64 if whole else np.float64)
    substitutions = np.zeros(len(ref), np.int64)
    for rows in batches(x.lengths, y.lengths):
        m, n = x.lengths[rows], y.lengths[rows]
        factor = int(np.minimum(m, n).max()) + 1 if split else 1
        scaled = costs.times(factor)
        if split:
            scaled = scaled._replace(substitution=scaled.substitution + 1)
        band = strays(x[rows], y[rows], costs)
        found = table(columns(x, rows), columns(y, rows), m, n, scaled, band, whole)
        if split:
            substitutions[rows] = found % factor
        cost[rows] = found // factor if split else found
    return cost, substitutions


def narrow(units: Ragged) -> Ragged:
    """The same rows over the smallest unsigned type that holds their codes, where these are not negative."""
    if units.values.dtype == np.uint8:
        return units
    if units.values.min(initial=0) < 0:
        units = units.packed()  # perhaps these are padding
    values = units.values
    if values.min(initial=0) >= 0:
        values = values.astype(np.min_scalar_type(values.max(initial=0)))
    return Ragged(values, units.starts, units.lengths, step=units.step)


def trimmed(ref: Ragged, hyp: Ragged) -> tuple[Ragged, Ragged]:
    """Long pairs without their common beginning and end: to match these is never dearer than anything else.

    (What is aligned with a first unit may leave it to its equal at no cost, as edits cost the same everywhere.)
    """
    shorter = np.minimum(ref.lengths, hyp.lengths)
    shorter[shorter < LONG] = 0
    if not shorter.any():
        return ref, hyp
    head = np.zeros(len(ref), np.int64)
    tail = np.zeros(len(ref), np.int64)
    for rows in batches(shorter, shorter):
        head[rows] = agreeing(ref, hyp, rows, shorter[rows], forward=True)
    shorter -= head
    for rows in batches(shorter, shorter):
        tail[rows] = agreeing(ref, hyp, rows, shorter[rows], forward=False)
    x, y = (
        Ragged(side.values, side.starts + head * side.step, side.lengths - head - tail, step=side.step)
        for side in (ref, hyp)
    )
    return x, y


def agreeing(ref: Ragged, hyp: Ragged, rows: Array, room: Array, *, forward: bool) -> Array:
    """How many units agree from the front, or from the back, of at most ``room``."""
    steps = np.arange(int(room.max()) + 1)[:, None]

    def units(side: Ragged) -> Array:
        place = steps if forward else side.lengths[rows] - 1 - steps
        return side.values.take(side.starts[rows] + place * side.step, mode="clip")

    differ = units(ref) != units(hyp)
    differ |= steps >= room
    return np.asarray(np.argmax(differ, axis=0))


def batches(m: Array, n: Array) -> list[Array]:
    """Rows with something on a side, those of like lengths together."""
    size = np.maximum(m, n)
    # Narrow integers are sorted by their digits, in one pass.
    order = np.argsort(size.astype(np.min_scalar_type(size.max(initial=0))), kind="stable")
    order = order[np.searchsorted(size[order], 1) :]
    found = []
    while len(order):
        # From the longest down, so that each batch is cut for its own longest pair.
        take = min(max(CELLS // (int(size[order[-1]]) + 1), 1), ROWS)
        found.append(order[-take:])
        order = order[:-take]
    return found


def strays(ref: Ragged, hyp: Ragged, costs: Costs) -> Band:
    """A way of d edits costs at most d times the dearest one; the cheapest ones cannot afford to stray further.

    With insertions - deletions = n - m, what the insertions cost bounds the deletions, and the other way round.
    """
    m, n = ref.lengths, hyp.lengths
    pair = costs.insertion + costs.deletion
    if max(m.max(), n.max()) < LONG or not pair:
        return Band(int(n.max()), int(m.max()))
    from rapidfuzz.distance import Levenshtein

    budget = pairwise(Levenshtein.distance, ref, hyp) * max(costs)
    insertions = (budget - (m - n) * costs.deletion) / pair
    # One more than the bound, for the rounding of costs that are no whole numbers.
    return Band(int(insertions.max()) + 1, int((insertions + (m - n)).max()) + 1)


def columns(units: Ragged, rows: Array) -> Array:
    """(longest, pairs): unit t of each row in line t. Lines beyond a row's end hold anything."""
    longest = int(units.lengths[rows].max())
    if not longest:
        return np.empty((0, len(rows)), units.values.dtype)
    return units.values.take(units.starts[rows] + np.arange(longest)[:, None] * units.step, mode="clip")


def table(x: Array, y: Array, m: Array, n: Array, costs: Costs, band: Band, whole: bool) -> Array:
    """(pairs,) D(m, n) of each pair; x and y are (longest, pairs).

    Cells outside the band hold ``far``, more than any way within it costs.
    """
    rows, height, width = len(m), len(x), len(y)
    far = costs.deletion * height + costs.insertion * width + max(costs)
    kind = np.min_scalar_type(int(far + max(costs))) if whole else np.dtype(np.float64)
    insertion, deletion, substitution = (kind.type(cost) for cost in costs)
    reverse = y[::-1]
    older, old, new = (np.zeros((height + 2, rows), kind) for _ in range(3))
    differ = np.empty((height, rows), bool)
    apart = differ.view(np.uint8) if substitution == 1 else np.empty((height, rows), kind)
    left = np.empty((height, rows), kind) if insertion != deletion else None
    ending = ends_by_diagonal(m, n)
    found = np.zeros(rows, np.int64 if whole else np.float64)
    for k in range(1, height + width + 1):
        # Cells with something on both sides, where deletions - insertions = 2 i - k stays within the band.
        low = max(k - width, 1, (k - band.insertions + 1) // 2)
        high = min(k - 1, height, (k + band.deletions) // 2)
        if low <= high:
            above = slice(low - 1, high)
            np.not_equal(x[above], reverse[width - k + low : width - k + high + 1], out=differ[above])
            if substitution != 1:
                np.multiply(differ[above], substitution, out=apart[above])
            cell = new[low : high + 1]
            if left is None:
                np.minimum(old[above], old[low : high + 1], out=cell)
                cell += insertion
            else:
                np.add(old[above], deletion, out=cell)
                np.add(old[low : high + 1], insertion, out=left[above])
                np.minimum(cell, left[above], out=cell)
            older[above] += apart[above]
            np.minimum(cell, older[above], out=cell)
        new[low - 1] = new[high + 1] = far
        if k <= width:
            new[0] = k * costs.insertion
        if k <= height:
            new[k] = k * costs.deletion
        ended = ending.get(k)
        if ended is not None:
            found[ended] = new[m[ended], ended]
        older, old, new = old, new, older
    return found


def ends_by_diagonal(m: Array, n: Array) -> dict[int, Array]:
    """The pairs that end on a diagonal, by its number."""
    last = m + n
    order = np.argsort(last.astype(np.min_scalar_type(last.max())), kind="stable")
    diagonals, first = np.unique(last[order], return_index=True)
    return dict(zip(diagonals.tolist(), np.split(order, first[1:]), strict=True))
