"""CTC in logarithms: slower by far than in probabilities, and right wherever these are not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lossctl.numerics import log_normaliser, safe_log
from lossctl.sequences.ctc_walks import Flags, Floats, Ints, Walks
from lossctl.sequences.ragged import Ragged

__all__ = ["NEVER", "cell_logs", "in_logs", "settled"]

NEVER = -1e300  # log 0: differences of infinities are none
SCORES = 1 << 15  # scores worked on at a time


def settled(cost: Floats, frames: Ints | int) -> Floats:
    """Minus log 0 as infinity, and what only rounding has brought below zero as zero.

    Scores that add up to 1 but for their rounding cannot cost less than nothing; others can, and do.
    """
    cost = np.where(cost >= -0.5 * NEVER, np.inf, cost)
    return np.where((cost <= 0) & (cost >= -1e-3 * frames), 0.0, cost)


def in_logs(frames: Ragged, walks: Walks, form: str, blank: int) -> Floats:
    """(N,) minus the log-probability of all paths of ``halves``."""
    state = np.full(len(walks.owner), NEVER), np.full(len(walks.owner) + 1, NEVER)
    state[0][walks.starts] = 0.0
    counts = walks.active()[1].tolist()
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for start, labels, blanks in cell_logs(frames, walks, form, blank):
            for frame in range(len(labels)):
                size = counts[start + frame]
                onto_blank, onto_label = step(state, walks, size)
                np.add(onto_blank, blanks[frame, :size], state[0][:size])
                np.add(onto_label, labels[frame, :size], state[1][1 : size + 1])
        return meet(state, walks)


def cell_logs(frames: Ragged, walks: Walks, form: str, blank: int) -> Iterator[tuple[int, Floats, Floats]]:
    """Window by window, the number of its first frame, and (frames, cells) log-probabilities of labels and blanks."""
    going = walks.active()[0]
    values, classes = frames.values, frames.values.shape[1]
    flat = values.reshape(-1)
    per_frame = max(len(walks.lengths) * classes, len(walks.owner))
    span = max(1, SCORES // per_frame)
    for start in range(0, len(going), span):
        rows, stop = int(going[start]), min(start + span, len(going))
        size = int(walks.starts[rows - 1] + walks.widths[rows - 1])
        owner, labels = walks.owner[:size], walks.labels[:size]
        places = walks.places(start, stop, rows)
        if form == "logits":
            scores = values.take(places.ravel(), axis=0).astype(np.float64)
            top, rest = (part.reshape(places.shape) for part in log_normaliser(scores))
            of_label = scores.reshape(len(places), -1).take(owner * classes + labels, axis=1)
            of_label -= top.take(owner, axis=1)
            of_label -= rest.take(owner, axis=1)
            of_blank = (scores[:, blank].reshape(places.shape) - top) - rest
        else:
            first = places * classes
            of_label = flat.take(first.take(owner, axis=1) + labels).astype(np.float64)
            of_blank = flat.take(first + blank).astype(np.float64)
            if form == "probs":
                of_label, of_blank = safe_log(of_label), safe_log(of_blank)
        yield start, np.maximum(of_label, NEVER, out=of_label), np.maximum(of_blank, NEVER).take(owner, axis=1)


def step(state: tuple[Floats, Floats], walks: Walks, size: int) -> tuple[Floats, Floats]:
    """All ways onto the blank and the label of each cell, before the frame has its say."""
    blank, label = state[0][:size], state[1][1 : size + 1]
    before = state[1][:size].copy()
    inside = np.searchsorted(walks.starts, size)
    before[walks.starts[:inside]] = NEVER
    onto_blank = add_logs(blank, before)
    return onto_blank, add_logs(label, np.where(walks.repeats[:size], blank, onto_blank))


def add_logs(x: Floats, y: Floats) -> Floats:
    """log(e^x + e^y) as the greater and what the other adds to it; ``np.logaddexp`` takes ten times as long."""
    greater = np.maximum(x, y)
    found = np.minimum(x, y)
    found -= greater
    np.exp(found, out=found)
    np.log1p(found, out=found)
    found += greater
    return found


def meet(state: tuple[Floats, Floats], walks: Walks) -> Floats:
    onto_blank, onto_label = step(state, walks, len(walks.owner))
    front, _, begin, mine, facing, previous = walks.meeting()
    blanks = state[0][mine] + onto_blank[facing]
    labels = state[1][1:][mine] + onto_label[previous]
    labels[begin + walks.widths[front] - 1] = 2 * NEVER
    owner = np.repeat(np.arange(len(front)), walks.widths[front])
    return -log_sums(np.concatenate([blanks, labels]), np.concatenate([owner, owner]), len(front))


def log_sums(terms: Floats, owner: Ints, count: int) -> Floats:
    """(count,) the log of the sum of e^term for each owner: the greatest, and what the others add to it."""
    order = np.argsort(owner, kind="stable")
    terms, owner = terms[order], owner[order]
    begin = np.searchsorted(owner, np.arange(count))
    top = np.maximum.reduceat(terms, begin)
    greatest: Flags = ~(terms < top[owner])  # a NaN is greatest
    first = np.flatnonzero(greatest)[np.searchsorted(owner[greatest], np.arange(count))]
    rest = np.exp(terms - top[owner])
    rest[first] = 0.0
    return np.asarray(top + np.log1p(np.add.reduceat(rest, begin)))
