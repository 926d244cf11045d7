"""What frames of class scores say: the labels of the best path, and the best labels over all their paths."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np

from lossctl.numerics import log_normaliser, log_probs, safe_log
from lossctl.sequences.ctc_logs import NEVER, settled
from lossctl.sequences.ctc_walks import Floats, Ints
from lossctl.sequences.ragged import Ragged, ends

__all__ = ["beam", "greedy"]

SCORES = 1 << 18  # scores worked on at a time


def greedy(frames: Ragged, form: str, blank: int) -> tuple[Ragged, Floats]:
    """The labels of the most likely path (repeats are one, blanks none), and minus the log-probability of that path.

    Of equal scores the first class is taken.

    >>> labels, cost = greedy(Ragged.padded(np.array([[[0.1, 0.9], [0.2, 0.8], [0.9, 0.1]]])), "probs", 0)
    >>> labels.row(0), np.exp(-cost)
    (array([1]), array([0.648]))
    """
    places, owner = frames.places(), frames.owners()
    best, cost = np.empty(len(places), np.int64), np.empty(len(places))
    step = max(1, SCORES // frames.width)
    for start in range(0, len(places), step):
        part = slice(start, start + step)
        scores = frames.values[places[part]]
        best[part] = scores.argmax(axis=1)
        cost[part] = best_cost(scores, form)
    kept = best != blank % frames.width
    kept[1:] &= (best[1:] != best[:-1]) | (owner[1:] != owner[:-1])
    lengths = np.bincount(owner[kept], minlength=len(frames))
    total: Floats = np.zeros(len(frames))
    np.add.at(total, owner, cost)
    return Ragged(best[kept], ends(lengths) - lengths, lengths), total


def best_cost(scores: Floats, form: str) -> Floats:
    """(M,) minus the log-probability of the best class of each frame."""
    if form == "logits":
        return log_normaliser(scores.astype(np.float64))[1]  # what the others add to the best
    top = scores.max(axis=1).astype(np.float64)
    return np.asarray(0.0 - (safe_log(top) if form == "probs" else top))


def beam(frames: Ragged, form: str, blank: int, width: int) -> tuple[Ragged, Floats]:
    """The label sequence that a prefix beam search finds, and minus the log of its probability.

    That is the sum over all paths that collapse to it, as far as their prefixes were among the ``width`` most likely
    at each frame (Hannun et al. 2014): with a beam wide enough exactly its CTC loss, otherwise more.
    """
    found = [best_prefix(log_frames(frames.row(n), form), blank % frames.width, width) for n in range(len(frames))]
    return Ragged.of([labels for labels, _ in found], np.int64), np.array([cost for _, cost in found], np.float64)


def log_frames(scores: Floats, form: str) -> Floats:
    """(T, C) log-probabilities, log 0 as ``NEVER``."""
    return np.maximum(log_probs(scores.astype(np.float64), form), NEVER)


Numbers: TypeAlias = dict[tuple[int, int], int]


class Prefixes(NamedTuple):
    """The kept prefixes, K, best first: their number, that of the prefix without the last label, and that label.

    ``ended`` and ``open`` are logs of the probability of paths that end in a blank, or in the last label.
    """

    node: Ints
    parent: Ints
    label: Ints
    ended: Floats
    open: Floats


def best_prefix(logs: Floats, blank: int, width: int) -> tuple[list[int], float]:
    none = np.array([-1])
    kept = Prefixes(np.array([0]), none, none, np.zeros(1), np.full(1, NEVER))
    tree = [(-1, -1)]  # of each node, the parent and the label
    numbers: Numbers = {}
    for frame in logs:
        kept = next_prefixes(kept, frame, blank, width, tree, numbers)
    total = np.logaddexp(kept.ended, kept.open)
    best = int(total.argmax())
    labels, node = [], int(kept.node[best])
    while node:
        node, label = tree[node]
        labels.append(label)
    return labels[::-1], float(settled(-total[best : best + 1], len(logs))[0])


def next_prefixes(
    kept: Prefixes, frame: Floats, blank: int, width: int, tree: list[tuple[int, int]], numbers: Numbers
) -> Prefixes:
    """One frame on: every kept prefix stays as it is or grows by a label, and the most likely of all are kept."""
    count = len(kept.node)
    total = np.logaddexp(kept.ended, kept.open)
    # As many labels as can be kept, those that are kept already, and the last one, which needs a blank in between.
    symbols = largest(np.delete(frame, blank), count + width + 1)
    symbols += symbols >= blank
    again = symbols == kept.label[:, None]
    grown = np.where(again, kept.ended[:, None], total[:, None]) + frame[symbols]
    ended = total + frame[blank]
    stays = np.where(kept.label >= 0, kept.open + frame[kept.label], NEVER)
    # Where a prefix grows into another one that is kept, the two are one.
    child, parent = np.nonzero(kept.parent[:, None] == kept.node)
    last = kept.label[child]
    onto = np.where(last == kept.label[parent], kept.ended[parent], total[parent]) + frame[last]
    stays[child] = np.logaddexp(stays[child], onto)
    which, column = np.nonzero(last[:, None] == symbols)
    grown[parent[which], column] = 2 * NEVER
    scores = np.concatenate([np.logaddexp(ended, stays), grown.ravel()])
    best = largest(scores, min(width, max(1, int(np.sum(scores > 0.5 * NEVER)))))
    stay, new = best[best < count], best[best >= count] - count
    parents, labels = kept.node[new // len(symbols)], symbols[new % len(symbols)]
    return Prefixes(
        np.concatenate([kept.node[stay], numbered(parents, labels, tree, numbers)]),
        np.concatenate([kept.parent[stay], parents]),
        np.concatenate([kept.label[stay], labels]),
        np.concatenate([ended[stay], np.full(len(new), NEVER)]),
        np.concatenate([stays[stay], grown.ravel()[new]]),
    )


def numbered(parents: Ints, labels: Ints, tree: list[tuple[int, int]], numbers: Numbers) -> Ints:
    """The numbers of prefixes, new ones where they were never kept before."""
    nodes = np.empty(len(parents), np.int64)
    for at, key in enumerate(zip(parents.tolist(), labels.tolist(), strict=True)):
        if key not in numbers:
            numbers[key] = len(tree)
            tree.append(key)
        nodes[at] = numbers[key]
    return nodes


def largest(values: Floats, count: int) -> Ints:
    """Places of the ``count`` greatest values, in their order; of equal ones the first."""
    if count >= len(values):
        return np.arange(len(values))
    bar = np.partition(values, len(values) - count)[len(values) - count]
    above, equal = np.flatnonzero(values > bar), np.flatnonzero(values == bar)
    return np.sort(np.concatenate([above, equal[: count - len(above)]]))
