"""The probability of a label sequence under a transducer: all ways through its lattice of frames and labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl import numerics
from lossctl.sequences.batches import groups
from lossctl.sequences.ragged import Ragged

__all__ = ["transducer"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

BLOCK = 1 << 18  # scores of cells whose logarithms are taken at a time
CELLS = 1 << 22  # of the lattices walked together, by diagonals


def transducer(scores: Ragged, labels: Ragged, *, form: str = "logits", blank: int = 0) -> Floats:
    """(N,) minus log of the sum over all paths from the first cell to the last, T frames by U + 1 places.

        a(t, u) = a(t-1, u) p(t-1, u, blank) + a(t, u-1) p(t, u-1, y_u),   loss = -log a(T, U)

    An element of ``scores`` is (U' + 1, C), U' at least the number of the row's labels; places beyond are not read.
    A path ends with a blank from the last frame at U. No frames: 0 where there are no labels, else inf.
    """
    found = np.where((scores.lengths == 0) & (labels.lengths == 0), 0.0, np.inf)
    full = np.flatnonzero(scores.lengths > 0)
    steps = scores.lengths[full] + labels.lengths[full]
    for places in groups(steps, steps * (labels.lengths[full] + 1), CELLS):
        rows = full[places]
        found[rows] = _group(scores[rows], labels[rows], form, blank)
    return found


def _group(scores: Ragged, labels: Ragged, form: str, blank: int) -> Floats:
    """Anti-diagonals t + u = step of all rows at once; line ``step`` holds their cells, U + 1 places a row.

    Whatever leads out of a row's lattice has the probability 0, except the last blank: it leads to (T, U).
    """
    n, width = len(scores), int(labels.lengths.max()) + 1
    last = scores.lengths + labels.lengths
    stay, move = edges(scores, labels, width, form, blank)
    stay, move = stay.reshape(-1, n * width), move.reshape(-1, n * width)
    reached = np.full(n * width, -np.inf)
    reached[::width] = 0.0
    found = np.empty(n)
    ends = np.arange(n) * width + labels.lengths
    for step in range(int(last.max())):
        moved = reached + move[step]
        reached = reached + stay[step]
        # No label leads out of a row's last place, so that nothing comes over from the row before.
        np.logaddexp(reached[1:], moved[:-1], out=reached[1:])
        done = np.flatnonzero(last == step + 1)
        found[done] = reached[ends[done]]
    return np.maximum(-found, 0.0) + 0.0


def edges(scores: Ragged, labels: Ragged, width: int, form: str, blank: int) -> tuple[Floats, Floats]:
    """(T + U, N, width) both: log-probabilities of a blank and of the next label at each cell, by diagonals."""
    places = labels.lengths + 1
    frames = scores.lengths
    row = np.repeat(np.arange(len(scores)), frames * places)
    within = np.arange(len(row)) - np.repeat(np.cumsum(frames * places) - frames * places, frames * places)
    time, place = np.divmod(within, places[row])
    cell = (scores.starts[row] + time * scores.step) * scores.values.shape[1] + place
    ahead = place < labels.lengths[row]
    column = np.full(len(row), blank, np.int64)
    column[ahead] = labels.values[(labels.starts[row] + place * labels.step)[ahead]]
    both = log_prob_pair(scores.values.reshape(-1, scores.values.shape[2]), cell, blank, column, form)
    target = ((time + place) * len(scores) + row) * width + place
    shape = int((frames + labels.lengths).max()), len(scores), width
    stay, move = np.full(shape, -np.inf), np.full(shape, -np.inf)
    stay.reshape(-1)[target] = both[0]
    move.reshape(-1)[target[ahead]] = both[1][ahead]
    return stay, move


def log_prob_pair(flat: NDArray[Any], cell: Places, blank: int, column: Places, form: str) -> tuple[Floats, Floats]:
    """(M,) both: the log-probabilities of one class for all cells, and of one for each."""
    if form != "logits":
        taken = flat[cell, blank].astype(np.float64), flat[cell, column].astype(np.float64)
        return taken if form == "log-probs" else (numerics.safe_log(taken[0]), numerics.safe_log(taken[1]))
    found = np.empty(len(cell)), np.empty(len(cell))
    size = max(1, BLOCK // max(flat.shape[1], 1))
    for start in range(0, len(cell), size):
        part = slice(start, start + size)
        frame = flat[cell[part]]
        top, rest = numerics.log_normaliser(frame)
        found[0][part] = (frame[:, blank].astype(np.float64) - top) - rest
        picked = frame[np.arange(len(frame)), column[part]].astype(np.float64)
        found[1][part] = (picked - top) - rest
    return found
