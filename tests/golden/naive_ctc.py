"""CTC by its definition: the forward recursion over the target with blanks, in mpmath numbers; decoding by loops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mpmath


def frame_probs(frame: Sequence[float], form: str) -> list[Any]:
    numbers = [mpmath.mpf(v) for v in frame]
    if form == "probs":
        return numbers
    powers = [mpmath.exp(v) for v in numbers]
    whole = mpmath.fsum(powers) if form == "logits" else 1
    return [power / whole for power in powers]


def ctc_row(frames: Any, labels: Sequence[int], form: str, blank: int) -> float:
    states = [blank]
    for label in labels:
        states += [label, blank]
    before = [mpmath.mpf(s == 0) for s in range(len(states))]  # as if a blank stood before the first frame
    for frame in frames:
        probs = frame_probs(frame, form)
        after = []
        for s, symbol in enumerate(states):
            ways = before[s] + (before[s - 1] if s > 0 else 0)
            if s > 1 and symbol not in (blank, states[s - 2]):
                ways += before[s - 2]
            after.append(ways * probs[symbol])
        before = after
    total = mpmath.fsum(before[-2:])
    return float("inf") if total == 0 else float(-mpmath.log(total))


def ctc_rows(
    pred: Any,
    target: Any,
    form: str = "log-probs",
    blank: int = 0,
    frames: Sequence[float] | None = None,
    labels: Sequence[float] | None = None,
) -> list[float]:
    found = []
    for n, (scores, row) in enumerate(zip(pred, target, strict=True)):
        cut = scores if frames is None else scores[: int(frames[n])]
        said = row if labels is None else row[: int(labels[n])]
        found.append(ctc_row(cut, [int(label) for label in said], form, blank))
    return found


def best_labels(scores: Any, blank: int) -> list[int]:
    best = [max(range(len(frame)), key=lambda k, frame=frame: frame[k]) for frame in scores]
    return [k for t, k in enumerate(best) if k != blank and (t == 0 or best[t - 1] != k)]


def beam_labels(scores: Any, blank: int, width: int) -> list[int]:
    """A prefix beam search with probabilities in a dictionary: of paths that end in a blank, and in the last label."""
    kept = {(): (mpmath.mpf(1), mpmath.mpf(0))}
    for frame in scores:
        probs = frame_probs(frame, "log-probs")
        found: dict[tuple[int, ...], list[Any]] = {}
        for prefix, (ended, open_) in kept.items():
            for k, p in enumerate(probs):
                if k == blank:
                    found.setdefault(prefix, [0, 0])[0] += (ended + open_) * p
                elif prefix and k == prefix[-1]:
                    found.setdefault(prefix, [0, 0])[1] += open_ * p
                    found.setdefault((*prefix, k), [0, 0])[1] += ended * p
                else:
                    found.setdefault((*prefix, k), [0, 0])[1] += (ended + open_) * p
        kept = dict(sorted(((key, tuple(pair)) for key, pair in found.items()), key=lambda one: -sum(one[1]))[:width])
    return list(max(kept, key=lambda key: sum(kept[key])))


def label_edits(ref: Sequence[int], hyp: Sequence[int]) -> int:
    row = list(range(len(hyp) + 1))
    for i, a in enumerate(ref, 1):
        row, above = [i], row
        for j, b in enumerate(hyp, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]


def decoded_edits(pred: Any, target: Any, width: int | None = None, blank: int = 0) -> list[int]:
    found = []
    for scores, row in zip(pred, target, strict=True):
        hyp = best_labels(scores, blank) if width is None else beam_labels(scores, blank, width)
        found.append(label_edits([int(k) for k in row], hyp))
    return found
