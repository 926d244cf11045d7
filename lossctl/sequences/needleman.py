"""The best alignment of two sequences, gaps and all: Needleman and Wunsch, Gotoh's affine gaps, Smith and Waterman."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.batches import beside, groups
from lossctl.sequences.ragged import Ragged

__all__ = ["Scoring", "alignment_score"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


class Scoring(NamedTuple):
    """What equal and different units are worth, and gaps: k units without a partner are gap_open + k gap."""

    match: float = 1.0
    mismatch: float = -1.0
    gap: float = -1.0
    gap_open: float = 0.0


def alignment_score(x: Ragged, y: Ragged, scoring: Scoring, *, local: bool = False) -> Floats:
    """(N,) greatest score of an alignment of the two sequences; ``local``: of any parts of them, at least 0.

    H(i, j) = max(H(i-1, j-1) + s(x_i, y_j), V(i, j), W(i, j), 0 if local)
    V(i, j) = max(H(i-1, j) + gap_open, V(i-1, j)) + gap,   W likewise along j
    """
    found = np.empty(len(x))
    longer = np.maximum(x.lengths, y.lengths)
    for rows in groups(longer, longer + 1):
        walk = _Walk(beside(x, rows), beside(y, rows, backwards=True), scoring, local)
        found[rows] = walk.best(x.lengths[rows], y.lengths[rows])
    return found


class _Walk:
    """Anti-diagonals i + j = step of all rows at once; line i of a buffer is cell i, of which 0 stands before x.

    ``y`` stands backwards, so that units that meet on a diagonal are slices of both sides. Cells beyond a row's end are
    walked as well: no alignment that counts comes through them.
    """

    def __init__(self, x: Places, y: Places, scoring: Scoring, local: bool) -> None:
        self.x, self.y, self.scoring, self.local = x, y, scoring, local
        (self.height, k), self.width = x.shape, len(y)
        self.before, self.previous, self.current = (np.zeros((self.height + 1, k)) for _ in range(3))
        # Gaps that stand open at a cell, along x and along y; at the edges there are none to go on with.
        self.gaps = [[np.full((self.height + 1, k), -np.inf) for _ in range(2)] for _ in range(2)]

    def best(self, n: Places, m: Places) -> Floats:
        end = n + m
        found = np.zeros(len(n))
        for step in range(int(end.max(initial=0)) + 1):
            low, high = max(0, step - self.width), min(step, self.height)
            self._edges(step)
            self._inside(step, max(low, 1), min(high, step - 1))
            if self.local:
                i = np.arange(low, high + 1)[:, None]
                cells = np.where((i <= n) & (step - i <= m), self.current[low : high + 1], 0.0)
                np.maximum(found, cells.max(axis=0, initial=0.0), out=found)
            else:
                done = np.flatnonzero(end == step)
                found[done] = self.current[n[done], done]
            self.before, self.previous, self.current = self.previous, self.current, self.before
        return found

    def _edges(self, step: int) -> None:
        """Where one side has not begun, everything is one gap."""
        gap = 0.0 if self.local or step == 0 else self.scoring.gap_open + step * self.scoring.gap
        if step <= self.width:
            self.current[0] = gap
        if step <= self.height:
            self.current[step] = gap

    def _inside(self, step: int, low: int, high: int) -> None:
        if low > high:
            return
        here, above = slice(low, high + 1), slice(low - 1, high)
        shift = self.width - step
        cells = self.current[here]
        equal = self.x[above] == self.y[low + shift : high + 1 + shift]
        np.add(self.before[above], np.where(equal, self.scoring.match, self.scoring.mismatch), out=cells)
        for along, beside_it in enumerate((above, here)):
            gap = self.previous[beside_it] + self.scoring.gap_open
            if self.scoring.gap_open != 0:
                older, newer = self.gaps[along]
                np.maximum(gap, older[beside_it], out=gap)
            gap += self.scoring.gap
            if self.scoring.gap_open != 0:
                newer[here] = gap
                self.gaps[along].reverse()
            np.maximum(cells, gap, out=cells)
        if self.local:
            np.maximum(cells, 0.0, out=cells)
