"""Distances between rows of codes: edits of several kinds, and what Jaro and Winkler make of matches.

All take two ``Ragged`` of as many rows and give (N,) values. Short pairs go through the table of ``grid``, many side
by side; long ones, and distances other than Levenshtein's, to rapidfuzz, whose bits work on 64 cells at a time.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.grid import Costs, weighted
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.strings import pairwise

__all__ = [
    "damerau_levenshtein",
    "hamming",
    "indel",
    "jaro",
    "jaro_winkler",
    "lcs",
    "levenshtein",
    "osa",
]

Array: TypeAlias = NDArray[Any]

SHORT = 32  # units up to which the table is faster than strings for rapidfuzz
EXACT = 1 << 20  # costs are brought to whole numbers up to here


def levenshtein(
    ref: Ragged, hyp: Ragged, insertion: float = 1, deletion: float = 1, substitution: float = 1
) -> NDArray[np.float64]:
    """The least cost of edits that make ``hyp`` of ``ref``; costs are at or above zero.

    Costs of a few decimals are added up as whole numbers, so that ten times 0.1 is 1.
    """
    costs, factor = whole_costs(Costs(insertion, deletion, substitution))
    if len(set(costs)) > 1:
        return np.asarray(weighted(ref, hyp, costs)[0] / factor, np.float64)
    return np.asarray(unit_distance(ref, hyp) * costs.insertion / factor, np.float64)


def whole_costs(costs: Costs) -> tuple[Costs, int]:
    """Costs as whole numbers, and what to divide by; as they are where their decimals are too many."""
    parts = [Fraction(repr(float(cost))) for cost in costs]
    factor = lcm(*(part.denominator for part in parts))
    if max(parts) * factor > EXACT:
        return costs, 1
    return Costs(*(int(part * factor) for part in parts)), factor


def unit_distance(ref: Ragged, hyp: Ragged) -> NDArray[np.int64]:
    """The fewest insertions, deletions and substitutions."""
    short = np.maximum(ref.lengths, hyp.lengths) <= SHORT
    if short.all():
        return np.asarray(weighted(ref, hyp, Costs())[0])
    from rapidfuzz.distance import Levenshtein

    if np.count_nonzero(short) < len(short) // 2:  # too few to look at them apart
        return np.asarray(pairwise(Levenshtein.distance, ref, hyp))
    found = np.empty(len(ref), np.int64)
    found[short] = weighted(ref[short], hyp[short], Costs())[0]
    found[~short] = pairwise(Levenshtein.distance, ref[~short], hyp[~short])
    return found


def osa(ref: Ragged, hyp: Ragged) -> NDArray[np.float64]:
    """Also neighbours that change places count one; what was edited once is left alone (optimal string alignment)."""
    from rapidfuzz.distance import OSA

    return pairwise(OSA.distance, ref, hyp).astype(np.float64)


def damerau_levenshtein(ref: Ragged, hyp: Ragged) -> NDArray[np.float64]:
    """Also neighbours that change places count one, and units may come or go between them before or after."""
    from rapidfuzz.distance import DamerauLevenshtein

    return pairwise(DamerauLevenshtein.distance, ref, hyp).astype(np.float64)


def common(ref: Ragged, hyp: Ragged) -> NDArray[np.int64]:
    """The length of the longest common subsequence."""
    from rapidfuzz.distance import LCSseq

    return np.asarray(pairwise(LCSseq.similarity, ref, hyp))


def indel(ref: Ragged, hyp: Ragged) -> NDArray[np.float64]:
    """Insertions and deletions only: m + n - 2 LCS."""
    return (ref.lengths + hyp.lengths - 2 * common(ref, hyp)).astype(np.float64)


def lcs(ref: Ragged, hyp: Ragged) -> NDArray[np.float64]:
    """What the longest common subsequence leaves of the longer side: max(m, n) - LCS."""
    return (np.maximum(ref.lengths, hyp.lengths) - common(ref, hyp)).astype(np.float64)


def hamming(ref: Ragged, hyp: Ragged) -> NDArray[np.float64]:
    """Places at which two rows differ; a place that only one of them has differs."""
    shared = np.minimum(ref.lengths, hyp.lengths)
    x, y = ref.cut(shared), hyp.cut(shared)
    differing = np.bincount(x.owners()[x.flat() != y.flat()], minlength=len(x))
    return np.asarray(differing + np.abs(ref.lengths - hyp.lengths), np.float64)


def jaro(ref: Ragged, hyp: Ragged) -> NDArray[np.float64]:
    """The similarity (c/m + c/n + (c - t)/c) / 3 of c matches, t of which change places, in [0, 1]."""
    from rapidfuzz.distance import Jaro

    return np.asarray(pairwise(Jaro.similarity, ref, hyp, np.float64))


def jaro_winkler(ref: Ragged, hyp: Ragged, prefix_weight: float = 0.1) -> NDArray[np.float64]:
    """Jaro's similarity J, above 0.7 raised by l p (1 - J) for the first l units (at most four) that agree."""
    from rapidfuzz.distance import JaroWinkler

    options = {"prefix_weight": prefix_weight}
    return np.asarray(pairwise(JaroWinkler.similarity, ref, hyp, np.float64, options))
