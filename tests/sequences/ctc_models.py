"""Frames and targets that are hard for CTC, made by formulas so that they need not be stored; and its definition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


def wavy(frames: int, classes: int, size: float) -> Any:
    """Logits without a pattern, the same on every machine: whole parts of multiples of irrational numbers."""
    t, k = np.arange(frames)[:, None], np.arange(classes)
    return size * np.round(2 * ((t * 0.618033988749895 + k * k * 0.414213562373095 + t * k * 0.7071) % 1) - 1, 6)


def labels_of(size: int, classes: int) -> list[int]:
    return [1 + (i * i + i // 3) % (classes - 1) for i in range(size)]


def models() -> Iterator[tuple[str, Any, list[int]]]:
    """(name, logits of T x C, labels); the blank is class 0."""
    for depth in (10, 15, 20, 25, 30, 40, 50, 60):  # easy to wait, hard to advance
        scores = np.full((400, 5), -float(depth))
        scores[:, 0] = 0.0
        yield f"advance costs {depth}", scores, labels_of(60, 5)
    for size in (1.0, 5.0, 20.0, 60.0):
        yield f"wavy, {size}", wavy(300, 32, size), labels_of(40, 32)
    for size in (2.0, 300.0):
        yield f"shifted by 900, {size}", wavy(50, 8, size) - 900.0, labels_of(12, 8)
    for size in (8.0, 20.0, 45.0):  # a model that is sure, of the target and of another
        path = np.repeat([x for label in labels_of(20, 6) for x in (label, 0)], 3)
        scores = wavy(len(path), 6, 1.0)
        scores[np.arange(len(path)), path] += size
        yield f"sure of it, {size}", scores, labels_of(20, 6)
        yield f"sure of something else, {size}", scores, [1 + label % 5 for label in labels_of(20, 6)]
    falling = wavy(120, 6, 3.0)
    falling[:, 1:] -= np.linspace(0, 80, 120)[:, None]
    yield "labels fade", falling, labels_of(25, 6)
    yield "the blank fades", -falling, labels_of(25, 6)
    yield "just enough frames", wavy(33, 5, 30.0), [1] * 17
    yield "nothing said", wavy(60, 4, 10.0), []


def by_definition(scores: Any, labels: Sequence[int], blank: int, number: Any, exp: Any) -> Any:
    """The probability of a target: the recursion over its states, in whatever numbers."""
    states = [blank, *(x for label in labels for x in (label, blank))]
    before = [number(s == 0) for s in range(len(states))]
    for frame in scores.tolist():
        powers = [exp(number(v)) for v in frame]
        whole = sum(powers)
        after = []
        for s, symbol in enumerate(states):
            ways = before[s] + (before[s - 1] if s else 0)
            if s > 1 and symbol not in (blank, states[s - 2]):
                ways += before[s - 2]
            after.append(ways * powers[symbol] / whole)
        before = after
    return sum(before[-2:])
