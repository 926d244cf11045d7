"""Margin losses by the definition: double loops over plain lists, exact (fractions) or to 60 digits (mpmath)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import mpmath

Floats = Sequence[float]
Table = Sequence[Floats]


def sign(y: float) -> int:
    """Of a label that is 1 or not: 0 and -1 are the other class."""
    return 1 if y == 1 else -1


def exact_product(s: float, y: float) -> mpmath.mpf:
    return sign(y) * mpmath.mpf(s)


def exponential_of(s: float, y: float) -> float:
    whole = mpmath.exp(-exact_product(s, y))
    return math.inf if whole > mpmath.mpf(2) ** 1024 else float(whole)


def logistic_of(s: float, y: float) -> float:
    return float(mpmath.log1p(mpmath.exp(-exact_product(s, y))))


def squared_shortfall(s: float, y: float, margin: float) -> float:
    short = Fraction(margin) - sign(y) * Fraction(s)
    return float(short**2) if short > 0 else 0.0


def wrong_side(s: float, y: float) -> float:
    return max(0.0, -sign(y) * s)


def exponential_rows(pred: Floats, target: Floats) -> list[float]:
    return [exponential_of(s, y) for s, y in zip(pred, target, strict=True)]


def logistic_rows(pred: Floats, target: Floats) -> list[float]:
    return [logistic_of(s, y) for s, y in zip(pred, target, strict=True)]


def squared_rows(pred: Floats, target: Floats, margin: float = 1.0) -> list[float]:
    return [squared_shortfall(s, y, margin) for s, y in zip(pred, target, strict=True)]


def perceptron_rows(pred: Floats, target: Floats) -> list[float]:
    return [wrong_side(s, y) for s, y in zip(pred, target, strict=True)]


def class_of(y: float | Floats) -> int:
    """An index, or the place of the 1 in a one-hot row."""
    return int(y) if isinstance(y, (int, float)) else list(y).index(1)


def shortfalls(scores: Floats, true: int, margin: float) -> list[Fraction]:
    """By how much the true class falls short of leading each other class by the margin, exactly."""
    own = Fraction(scores[true])
    return [max(Fraction(0), Fraction(margin) - own + Fraction(s)) for j, s in enumerate(scores) if j != true]


def multi_margin_rows(
    pred: Table,
    target: Sequence[float | Floats],
    p: float = 1.0,
    margin: float = 1.0,
    class_weight: Floats | None = None,
) -> list[float]:
    found = []
    for scores, y in zip(pred, target, strict=True):
        true = class_of(y)
        powers = [mpmath.power(mpmath.mpf(s.numerator) / s.denominator, p) for s in shortfalls(scores, true, margin)]
        weight = 1.0 if class_weight is None else class_weight[true]
        found.append(float(weight * mpmath.fsum(powers) / len(scores)))
    return found


def strongest_rival_rows(pred: Table, target: Sequence[float | Floats], margin: float = 1.0) -> list[float]:
    found = []
    for scores, y in zip(pred, target, strict=True):
        found.append(float(max(shortfalls(scores, class_of(y), margin), default=Fraction(0))))
    return found


def one_against_the_rest_rows(pred: Table, target: Sequence[float | Floats], margin: float = 1.0) -> list[float]:
    found = []
    for scores, y in zip(pred, target, strict=True):
        true = class_of(y)
        signed = [Fraction(s) if j == true else -Fraction(s) for j, s in enumerate(scores)]
        found.append(float(sum(max(Fraction(0), Fraction(margin) - s) for s in signed)))
    return found


def multilabel_margin_rows(pred: Table, target: Table) -> list[float]:
    found = []
    for scores, entries in zip(pred, target, strict=True):
        listed = []
        for entry in entries:
            if entry == -1:
                break
            listed.append(int(entry))
        total = Fraction(0)
        for j in listed:
            for i in range(len(scores)):
                if i not in listed:
                    total += max(Fraction(0), 1 - (Fraction(scores[j]) - Fraction(scores[i])))
        found.append(float(total / len(scores)))
    return found


def multilabel_logistic_rows(pred: Table, target: Table, class_weight: Floats | None = None) -> list[float]:
    found = []
    for logits, labels in zip(pred, target, strict=True):
        weights = [1.0] * len(logits) if class_weight is None else class_weight
        parts = [
            w * mpmath.log1p(mpmath.exp(-exact_product(x, y)))
            for w, x, y in zip(weights, logits, labels, strict=True)
            if w
        ]
        found.append(float(mpmath.fsum(parts) / len(logits)))
    return found


def coverage_rows(pred: Table, target: Table) -> list[float]:
    """One label after the other from the top, tied ones together, until all true ones were met."""
    found = []
    for scores, labels in zip(pred, target, strict=True):
        missing = {j for j, y in enumerate(labels) if y == 1}
        steps = 0
        for level in sorted(set(scores), reverse=True):
            if not missing:
                break
            here = [j for j, s in enumerate(scores) if s == level]
            steps += len(here)
            missing -= set(here)
        found.append(float(steps))
    return found


def wrong_pairs_rows(pred: Table, target: Table) -> list[float]:
    found = []
    for scores, labels in zip(pred, target, strict=True):
        pairs = [(j, i) for j, y in enumerate(labels) for i, z in enumerate(labels) if y == 1 and z == 0]
        wrong = sum(scores[j] <= scores[i] for j, i in pairs)
        found.append(float(Fraction(wrong, len(pairs))) if pairs else 0.0)
    return found


def lrap_loss_rows(pred: Table, target: Table) -> list[float]:
    found = []
    for scores, labels in zip(pred, target, strict=True):
        true = [j for j, y in enumerate(labels) if y == 1]
        shares = []
        for j in true:
            above = [k for k, s in enumerate(scores) if s >= scores[j]]
            shares.append(Fraction(len([k for k in above if k in true]), len(above)))
        found.append(float(1 - sum(shares) / len(shares)) if true else 0.0)
    return found
