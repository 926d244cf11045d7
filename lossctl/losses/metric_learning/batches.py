"""All pairs of a batch, a stripe of anchors at a time: how near they are, and which are of one class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl import tiles, vectors
from lossctl.losses.types import Rows
from lossctl.model.findings import Rule, Seen
from lossctl.model.params import Param, Value
from lossctl.model.spec import Arrays

Mask = NDArray[np.bool_]
L2_NORMALIZE = Param("divide each vector by its length first")
ALONE = "a row that is the only one of its class in the batch has no positive: it does not count (said in a warning)"

LONG = 1e150  # of a vector: products of longer ones overflow

NO_POSITIVE = Rule("no-positive", "no other row of its class in its batch, so not counted as an anchor", "warning")
NO_PAIRS = Rule("no-positives", "the first of a batch without two rows of one class, which does not count", "warning")
NO_NEGATIVE = Rule(
    "no-negatives", "the first of a batch of one class, in which there is nothing to tell apart", "warning"
)
TOO_LONG = Rule(
    "too-long",
    "is the length of a vector whose dot products may leave the float range",
    hint="divide the vectors by their lengths, or leave --l2-normalize on",
)


class Pairs(NamedTuple):
    """Anchors against every row of the batch, (b, N) each; an anchor and itself are no pair."""

    part: slice  # which rows of the batch the anchors are
    found: Rows  # similarities or distances
    positive: Mask  # of one class
    negative: Mask  # of two classes


def similarities(features: Rows, target: NDArray[Any], l2_normalize: bool) -> Iterator[Pairs]:
    """Cosines, or dot products of the vectors as they are."""
    return _pairs(tiles.cosines(features) if l2_normalize else tiles.dots(features), target)


def distances(features: Rows, target: NDArray[Any], l2_normalize: bool) -> Iterator[Pairs]:
    """Euclidean distances, of vectors of length 1 or as they are."""
    return _pairs(tiles.distances(features, unit=l2_normalize), target)


def _pairs(stripes: Iterator[tuple[slice, Rows]], target: NDArray[Any]) -> Iterator[Pairs]:
    code = codes(target)
    for part, found in stripes:
        positive = code[part, None] == code
        negative = ~positive
        positive[np.arange(len(found)), np.arange(part.start, part.stop)] = False
        yield Pairs(part, found, positive, negative)


def codes(target: NDArray[Any]) -> NDArray[np.int32]:
    """(N,) labels as small numbers, which are compared faster."""
    return np.unique(target, return_inverse=True)[1].astype(np.int32)


def counts(target: NDArray[Any]) -> tuple[Rows, Rows]:
    """(N,) how many positives and negatives each row has in the batch."""
    code = codes(target)
    same = np.bincount(code)[code].astype(float) if len(code) else np.zeros(0)
    return same - 1.0, len(code) - same


def log_sums(exponents: Rows, mask: Mask) -> Rows:
    """(b,) logarithms of sums of exp under a mask, which overflows from 709 on; -inf where there is nothing."""
    shifted = np.where(mask, exponents, -np.inf)
    top = np.max(shifted, axis=1, initial=-np.inf)
    shifted -= np.where(np.isfinite(top), top, 0.0)[:, None]
    return np.asarray(top + np.log(np.maximum(np.sum(np.exp(shifted, out=shifted), axis=1), 1.0)))


def row_sums(values: Rows, mask: Mask) -> Rows:
    """(b,) sums of the values under a mask, each value given in the order of the mask's places."""
    wide = np.zeros(mask.shape)
    wide[mask] = values
    return np.asarray(np.sum(wide, axis=1))


def has_positives(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    """Rows without another of their class in the batch; a batch of such rows, or of one class, by its first row."""
    positives, negatives = counts(arrays["target"])
    alone, first = positives == 0, np.arange(len(positives)) == 0
    nowhere = bool(alone.all())
    return [
        (NO_POSITIVE, alone & (not nowhere), positives),
        (NO_PAIRS, first & nowhere, positives),
        (NO_NEGATIVE, first & (negatives == 0) & ~alone, negatives),
    ]


def comparable(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    """The same, and vectors whose dot products overflow."""
    return [*has_positives(arrays, params), *fit_for_dots(arrays, params)]


def fit_for_dots(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    """Vectors whose dot products overflow."""
    if params["l2_normalize"]:
        return []
    length = vectors.norms(arrays["features"])
    return [(TOO_LONG, length > LONG, length)]
