"""What tokens cost: their negative log-probabilities from scores of the whole vocabulary, summed row by row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl import numerics
from lossctl.sequences.ragged import Ragged

__all__ = ["Costs", "given_costs", "row_sums", "token_costs"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

BLOCK = 1 << 17  # scores looked at together


class Costs(NamedTuple):
    """(N,) each: the sum of a row's token losses, what a mean over them divides by, and how many tokens count."""

    loss: Floats
    divisor: Floats  # the sum of the tokens' class weights
    tokens: Floats


def token_costs(
    scores: Ragged,
    targets: Ragged,
    *,
    form: str = "logits",
    shift: bool = False,
    weight: Floats | None = None,
    smoothing: float = 0.0,
) -> Costs:
    """Costs of the tokens ``targets`` under ``scores``, whose elements are (V,); negative tokens do not count.

    ``shift``: the scores at t are for the token at t + 1, so that the first token and the last scores are left out.
    Scores for tokens that do not count are not read. ``weight`` (V,) and ``smoothing`` act as torch has it:

        (1 - s) w_y (-lp_y) + s / V sum_c w_c (-lp_c)
    """
    if shift:
        scores = scores.cut(scores.lengths - 1)
        targets = Ragged(
            targets.values, targets.starts + targets.step, np.maximum(targets.lengths - 1, 0), step=targets.step
        )
    token = targets.flat()
    kept = token >= 0
    place, label = scores.places()[kept], token[kept]
    loss = np.empty(len(label))
    step = max(1, BLOCK // scores.width)
    for start in range(0, len(label), step):
        part = slice(start, start + step)
        loss[part] = _losses(elements(scores, place[part]), label[part], form, weight, smoothing)
    size = np.ones(len(label)) if weight is None else weight[label]
    lengths = np.bincount(targets.owners()[kept], minlength=len(targets))
    return Costs(row_sums(loss, lengths), row_sums(size, lengths), lengths.astype(np.float64))


def elements(scores: Ragged, place: Places) -> NDArray[np.floating]:
    """The elements at these places; without a copy where they stand one behind the other."""
    run = np.arange(len(place)) + place[0]
    return scores.values[run[0] : run[-1] + 1] if np.array_equal(place, run) else scores.values[place]


def _losses(frames: NDArray[np.floating], label: Places, form: str, weight: Floats | None, smoothing: float) -> Floats:
    cost = -numerics.log_prob_at(frames, label, form)
    if weight is not None:
        cost = numerics.times(weight[label], cost)
    if smoothing == 0:
        return cost + 0.0  # never -0.0
    every = -numerics.log_probs(frames, form)
    if weight is not None:
        every = numerics.times(np.broadcast_to(weight, every.shape), every)
    spread = smoothing / frames.shape[1] * np.sum(every, axis=1)
    return np.asarray(spread if smoothing == 1 else (1.0 - smoothing) * cost + spread)


def given_costs(log_probs: Ragged, targets: Ragged | None = None) -> Costs:
    """Costs of tokens whose own natural log-probabilities are known, but for those that are negative in ``targets``.

    A first NaN (the token that nothing comes before) is left out.
    """
    values = log_probs.flat()
    lengths = log_probs.lengths
    first = (np.cumsum(lengths) - lengths)[lengths > 0]
    kept = np.ones(len(values), bool)
    kept[first] = ~np.isnan(values[first])
    if targets is not None:
        kept &= targets.flat() >= 0
    count = np.bincount(log_probs.owners()[kept], minlength=len(log_probs))
    cost = row_sums(-values[kept].astype(np.float64) + 0.0, count)
    return Costs(cost, count.astype(np.float64), count.astype(np.float64))


def row_sums(flat: Floats, lengths: Places) -> Floats:
    """(N,) sums of rows that stand end to end; of none 0."""
    found = np.zeros(len(lengths))
    full = np.flatnonzero(lengths)
    if len(full):
        found[full] = np.add.reduceat(flat, (np.cumsum(lengths) - lengths)[full])
    return found
