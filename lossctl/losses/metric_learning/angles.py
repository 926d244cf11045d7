"""What losses over class prototypes share: scores in pieces, angles to the true class, checks of shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from lossctl import numerics, vectors
from lossctl.losses.types import Rows
from lossctl.model.params import Value
from lossctl.model.spec import Arrays

__all__ = ["angles", "columns_agree", "cost", "folded", "moved"]

Index = NDArray[np.int64]
Scores = Callable[[Rows, Index], Rows]
PIECE = 1 << 21  # scores in memory at once


def columns_agree(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """Prototypes have a column for each feature."""
    if arrays["features"].shape[1] != arrays["prototypes"].shape[1]:
        return "features and prototypes differ in columns"
    return None


def cost(scores: Scores, features: Rows, target: Index, prototypes: Rows) -> Rows:
    """(N,) cross-entropy of the scores, N x C, that are made for some rows at a time."""
    value = np.empty(len(features))
    step = max(PIECE // len(prototypes), 64)
    for start in range(0, len(features), step):
        part = slice(start, start + step)
        value[part] = -numerics.log_prob_at(scores(features[part], target[part]), target[part], "logits")
    return value


def moved(scores: Rows, target: Index, score: Rows) -> Rows:
    """The scores with another one at the true class."""
    scores[np.arange(len(scores)), target] = score
    return scores


def angles(features: Rows, prototypes: Rows) -> Rows:
    """(N,) angles between the rows of two (N, D) arrays; a right one with a zero vector.

    From sine and cosine: arccos alone has a cosine of 1 - 1e-16 to go by and is off by 1e-8 near 0 and pi.
    """
    cosine, sine = vectors.cosine_sine(features, prototypes)
    return np.asarray(np.arctan2(sine, cosine))


def folded(angle: Rows, m: int) -> Rows:
    """psi(angle) = (-1)^k cos(m angle) - 2 k with k = floor(m angle / pi), falling from 1 to 1 - 2 m."""
    if m == 1:
        return np.cos(angle)
    fold = np.minimum(np.floor(m * angle / np.pi), m - 1)
    return np.asarray(np.where(fold % 2 == 0, 1.0, -1.0) * np.cos(m * angle) - 2.0 * fold)
