"""Connectionist temporal classification: minus the log-probability that frames spell a label sequence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lossctl.sequences.ctc_logs import in_logs, settled
from lossctl.sequences.ctc_plain import plain
from lossctl.sequences.ctc_scaled import scaled
from lossctl.sequences.ctc_walks import Flags, Floats, Ints, halves, repeated
from lossctl.sequences.ragged import Ragged, ends

__all__ = ["chunks", "frames_needed", "nll"]

CELLS = 12_000  # of both halves of samples that go together: the working arrays of these stay in a core's cache
SCORES = 1 << 19
CLEAR = 2.0**-4  # a smaller loss is that of a probability near 1, of whose rounding nothing may stay


def nll(frames: Ragged, target: Ragged, *, form: str, blank: int) -> Floats:
    """(N,) minus the log of the summed probability of all paths that collapse to the target.

    ``frames`` holds rows of C scores, ``form`` says which: ``logits``, ``log-probs`` or ``probs``; ``target`` labels
    without the blank, which may count from the end. What is impossible costs infinity. A row's value has the same
    bits whatever other rows stand beside it.

    Two frames that say nothing: the label stands at the first, at the second or at both, 3 of 9 paths.

    >>> frames = Ragged.padded(np.zeros((1, 2, 3)))
    >>> nll(frames, Ragged.of([[0]]), form="logits", blank=2)
    array([1.09861229])
    """
    classes = frames.values.shape[1]
    frames = Ragged(np.ascontiguousarray(frames.values), frames.starts, frames.lengths, step=frames.step)
    blank %= classes
    found = np.full(len(frames), np.inf)
    possible = np.flatnonzero(frames.lengths >= frames_needed(target))
    clear = []
    for way in (plain, scaled):
        left = []
        for some in chunks(possible, frames, target):
            value, sure = way(frames[some], halves(frames[some], target[some], blank), form, blank)
            found[some] = value
            clear.append(some[sure & (value < CLEAR)])
            left.append(some[~sure])
        possible = np.concatenate([possible[:0], *left])
    for some in chunks(np.concatenate([possible, *clear]), frames, target):
        found[some] = in_logs(frames[some], halves(frames[some], target[some], blank), form, blank)
    return settled(found, frames.lengths)


def frames_needed(target: Ragged) -> Ints:
    """(N,) the fewest frames that can spell a target: one a label, and a blank between two that are the same."""
    return np.asarray(target.lengths + repeated(target))


def chunks(rows: Ints, frames: Ragged, target: Ragged, cells: int = CELLS) -> Iterator[Ints]:
    """Rows that go together: of like lengths, those with repeated labels apart from those without."""
    again: Flags = frames_needed(target) > target.lengths
    order = rows[np.lexsort((-frames.lengths[rows], again[rows]))]
    size = ends(2 * (target.lengths[order] + 1))
    at_once = max(1, SCORES // max(frames.values.shape[1], 1))
    start = 0
    while start < len(order):
        before = size[start - 1] if start else 0
        stop = max(start + 1, min(int(np.searchsorted(size, before + cells, side="right")), start + at_once))
        yield order[start:stop]
        start = stop
