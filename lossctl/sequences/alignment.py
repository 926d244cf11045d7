"""Forced alignment: the most likely path through frames that spells a target, by the algorithm of Viterbi."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.numerics import log_prob_at
from lossctl.sequences.ctc import chunks, frames_needed
from lossctl.sequences.ctc_logs import NEVER, cell_logs, settled
from lossctl.sequences.ctc_walks import Floats, Ints, Walks, wholes
from lossctl.sequences.ragged import Ragged

__all__ = ["Segment", "align"]

TRACED = 1 << 25  # steps at most that are kept to find the way back, a byte each
SCORES = 1 << 18


class Segment(NamedTuple):
    """Where a label stands: its first and last frame, and minus the log-probability of these frames."""

    label: int
    first: int
    last: int
    score: float


def align(frames: Ragged, target: Ragged, form: str, blank: int) -> tuple[list[list[Segment] | None], Floats]:
    """For each row the segments of its labels on the best path, and minus the log-probability of that path.

    A target that no path spells has ``None``, and costs infinity. Of equal paths the one is taken that goes on later.

    >>> frames = Ragged.padded(np.log([[[0.1, 0.9], [0.2, 0.8], [0.9, 0.1]]]))
    >>> segments, cost = align(frames, Ragged.of([[1]]), "log-probs", 0)
    >>> segments[0][0].first, segments[0][0].last, np.exp(-cost)
    (0, 1, array([0.648]))
    """
    blank %= frames.width
    found: list[list[Segment] | None] = [None] * len(frames)
    cost = np.full(len(frames), np.inf)
    possible = np.flatnonzero(frames.lengths >= frames_needed(target))
    longest = int(frames.lengths.max(initial=1))
    for some in chunks(possible, frames, target, TRACED // max(longest, 1)):
        walks = wholes(frames[some], target[some], blank)
        slots, total = best_paths(frames[some], walks, form, blank)
        rows = some[walks.sample]
        cost[rows] = settled(total, walks.lengths)
        for row, segments in zip(rows.tolist(), segments_of(frames[some], walks, slots, form), strict=True):
            found[row] = segments if np.isfinite(cost[row]) else None
    return found, cost


def best_paths(frames: Ragged, walks: Walks, form: str, blank: int) -> tuple[NDArray[np.int32], Floats]:
    """(frames, rows) the label's number at each frame, -1 for a blank, and what the path costs."""
    counts = walks.active()[1].tolist()
    cells = len(walks.owner)
    blanks, labels = np.full(cells, NEVER), np.full(cells, NEVER)
    blanks[walks.starts] = 0.0
    trace = np.zeros((len(counts), cells), np.uint8)
    before = np.full(cells, NEVER)
    inner = np.ones(cells, bool)
    inner[walks.starts] = False
    inner = inner[1:]
    for start, of_label, of_blank in cell_logs(frames, walks, form, blank):
        for frame in range(len(of_label)):
            size = counts[start + frame]
            here, label = blanks[:size], labels[:size]
            before[1:size] = np.where(inner[: size - 1], label[:-1], NEVER)
            last = before[:size]
            skip = np.where(walks.repeats[:size], NEVER, last)
            best = np.maximum(label, here)
            trace[start + frame, :size] = np.where(skip > best, 2, here > label) + 4 * (last > here)
            labels[:size] = np.maximum(best, skip) + of_label[frame, :size]
            blanks[:size] = np.maximum(here, last) + of_blank[frame, :size]
    return back(walks, trace, blanks, labels)


def back(walks: Walks, trace: NDArray[np.uint8], blanks: Floats, labels: Floats) -> tuple[NDArray[np.int32], Floats]:
    """The way back from the better of the two last states of each row."""
    cell = walks.starts + walks.widths - 1
    onto = np.maximum(cell - 1, 0)
    on_label = (walks.widths > 1) & (labels[onto] > blanks[cell])
    total = np.where(on_label, labels[onto], blanks[cell])
    cell = np.where(on_label, onto, cell)
    slots = np.full((len(trace), len(walks.lengths)), -1, np.int32)
    rows = walks.active()[0].tolist()
    for frame in range(len(trace) - 1, -1, -1):
        some = slice(rows[frame])
        here, label = cell[some], on_label[some]
        slots[frame, some] = np.where(label, here - walks.starts[some], -1)
        step = trace[frame, here]
        left = np.where(label, step & 3 == 2, step >= 4)
        on_label[some] = left | (label & (step & 3 == 0))
        cell[some] -= left
    return slots, -total


def segments_of(frames: Ragged, walks: Walks, slots: NDArray[np.int32], form: str) -> list[list[Segment]]:
    found = []
    for row, (sample, length) in enumerate(zip(walks.sample.tolist(), walks.lengths.tolist(), strict=True)):
        path = slots[:length, row]
        times = np.flatnonzero(path >= 0)
        labels = walks.labels[walks.starts[row] + path[times]]
        cost = label_costs(frames.row(sample), times, labels, form)
        first = np.flatnonzero(np.diff(path[times], prepend=-1))
        score = np.add.reduceat(cost, first) if len(first) else cost
        last = np.append(first, len(times))[1:] - 1
        parts = labels[first], times[first], times[last], score
        found.append([Segment(*each) for each in zip(*(part.tolist() for part in parts), strict=True)])
    return found


def label_costs(scores: NDArray[Any], times: Ints, labels: Ints, form: str) -> Floats:
    """Minus the log-probabilities of labels at frames."""
    cost = np.empty(len(times))
    step = max(1, SCORES // scores.shape[1])
    for start in range(0, len(times), step):
        part = slice(start, start + step)
        cost[part] = 0.0 - log_prob_at(scores[times[part]].astype(np.float64), labels[part], form)
    return cost
