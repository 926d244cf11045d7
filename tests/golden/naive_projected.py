"""Cross-entropy of features against prototypes, in sixty digits."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import mpmath


def projected_rows(
    features: Sequence[Sequence[float]], target: Sequence[int], prototypes: Sequence[Sequence[float]]
) -> list[float]:
    found = []
    for x, y in zip(features, target, strict=True):
        exact = [sum(Fraction(a) * Fraction(b) for a, b in zip(x, w, strict=True)) for w in prototypes]
        # The logits that a float can hold; what follows is about their softmax.
        logits = [mpmath.mpf(float(logit)) for logit in exact]
        top = max(logits)
        found.append(float(top - logits[y] + mpmath.log(mpmath.fsum(mpmath.exp(z - top) for z in logits))))
    return found
