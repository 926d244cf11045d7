"""Lengths of vectors, in sixty digits."""

from __future__ import annotations

from collections.abc import Sequence

import mpmath


def vector_lengths(pred: Sequence[Sequence[float]], target: Sequence[Sequence[float]]) -> list[float]:
    return [
        float(mpmath.sqrt(mpmath.fsum((mpmath.mpf(p) - mpmath.mpf(t)) ** 2 for p, t in zip(a, b, strict=True))))
        for a, b in zip(pred, target, strict=True)
    ]
