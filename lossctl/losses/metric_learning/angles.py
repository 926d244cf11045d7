"""What losses over class prototypes share: cross-entropy a stripe at a time, angles, a check of shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from lossctl import numerics, vectors
from lossctl.losses.types import Rows
from lossctl.model.params import Value
from lossctl.model.spec import Arrays

__all__ = ["Index", "angles", "columns_agree", "cost", "folded", "moved"]

Index = NDArray[np.int64]


def columns_agree(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """Prototypes have a column for each feature."""
    if arrays["features"].shape[1] != arrays["prototypes"].shape[1]:
        return "features and prototypes, a row for each class, differ in columns"
    return None


def cost(stripes: Iterator[tuple[slice, Rows]], target: Index, scores: Callable[[slice, Rows], Rows]) -> Rows:
    """(N,) cross-entropy of the scores made of what rows and prototypes have in common, so many rows at a time."""
    value = np.zeros(len(target))
    for part, shared in stripes:
        value[part] -= numerics.log_prob_at(scores(part, shared), target[part], "logits")
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
    fold = np.minimum(np.floor(m * angle / np.pi), m - 1)
    return np.asarray(np.where(fold % 2 == 0, 1.0, -1.0) * np.cos(m * angle) - 2.0 * fold)
