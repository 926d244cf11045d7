"""Linear-chain conditional random fields: how much more all taggings weigh than the true one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.batches import beside, groups
from lossctl.sequences.ragged import Ragged

__all__ = ["chain_nll"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

CELLS = 1 << 17  # of one step: rows x tags x tags
HELD = 16  # emissions held at a time, in cells


def chain_nll(emissions: Ragged, tags: Ragged, transitions: Floats, start: Floats, end: Floats) -> Floats:
    """(N,) log of the sum over all taggings of e^(score - score of the true tagging).

    The score of y_1..y_T is start(y_1), plus all emissions e_t(y_t), plus all transitions A(y_{t-1}, y_t) from one
    tag to the next, plus end(y_T). A true tagging that is forbidden (-inf) is inf; no steps: 0.
    """
    found = np.zeros(len(emissions))
    full = np.flatnonzero(emissions.lengths > 0)
    count = len(transitions)
    lengths = emissions.lengths[full]
    for places in groups(lengths, np.maximum(count * count, lengths * count // HELD), CELLS):
        rows = full[places]
        found[rows] = _group(
            beside(emissions, rows).astype(np.float64, copy=False),
            beside(tags, rows).astype(np.int64, copy=False),
            emissions.lengths[rows],
            (transitions, start, end),
        )
    return found


def _group(emissions: Floats, tags: Places, lengths: Places, model: tuple[Floats, Floats, Floats]) -> Floats:
    """Every score is taken less that of the true tagging up to the same step, before anything is added.

    The true tagging is then an exact 0 in each sum: a sure model keeps its digits, which logZ minus the score loses,
    and no sum falls below 0. ``lengths`` fall, so that the rows still under way are always the first.
    """
    transitions, start, end = model
    into = np.ascontiguousarray(transitions.T)  # (to, from)
    rows = np.arange(len(lengths))
    found = np.empty(len(lengths))
    forbidden = np.zeros(len(lengths), bool)

    def less(scores: Floats, true: Floats, under_way: int) -> Floats:
        """Scores less the true one of each row; where that is -inf the row is inf whatever follows."""
        gone = np.isneginf(true)
        forbidden[:under_way] |= gone
        return scores - np.where(gone, 0.0, true).reshape(-1, *[1] * (scores.ndim - 1))

    for step in range(int(lengths[0])):
        k = int(np.count_nonzero(lengths > step))
        own = tags[step, :k]
        if step == 0:
            reached = less(np.broadcast_to(start, (k, len(start))), start[own], k)
        else:
            moved = less(np.broadcast_to(into, (k, *into.shape)), into[own, tags[step - 1, :k]], k)
            moved += reached[:k, None, :]
            reached = log_sum(moved)
        reached = reached + less(emissions[step, :k], emissions[step, rows[:k], own], k)
        done = np.flatnonzero(lengths[:k] == step + 1)
        if len(done):
            last = less(np.broadcast_to(end, (k, len(end))), np.where(lengths[:k] == step + 1, end[own], 0.0), k)
            found[done] = log_sum(reached[done] + last[done])
    return np.where(forbidden, np.inf, found)


def log_sum(z: Floats) -> Floats:
    """log of the sum of e^z over the last axis; one greatest term is taken out, which log1p adds without rounding."""
    first = np.argmax(z, axis=-1, keepdims=True)
    top = np.take_along_axis(z, first, axis=-1)
    terms = np.exp(z - np.where(np.isneginf(top), 0.0, top))
    np.put_along_axis(terms, first, 0.0, axis=-1)
    return np.asarray(top[..., 0] + np.log1p(np.sum(terms, axis=-1)))
