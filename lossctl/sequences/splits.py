"""Edits counted by kind: how many units were hit, substituted, deleted and inserted.

The fewest errors S + D + I and D - I = m - n leave one choice: how many of the errors are substitutions.
``hits`` takes the fewest (so the most hits); ``jiwer`` those of rapidfuzz's edit operations; ``sclite`` the cheapest
way where insertions and deletions cost 3 and substitutions 4 (of several the one with the fewest substitutions),
which may have more errors than the fewest.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.grid import Costs, weighted
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.strings import strings

__all__ = ["SPLITS", "Counts", "Split", "counts"]

Split: TypeAlias = Literal["hits", "jiwer", "sclite"]

SPLITS = ("hits", "jiwer", "sclite")
COSTS = {"hits": Costs(1, 1, 1), "sclite": Costs(3, 3, 4)}


class Counts(NamedTuple):
    """(N,) units of the reference hit, substituted and deleted, and units inserted."""

    hits: NDArray[np.int64]
    substitutions: NDArray[np.int64]
    deletions: NDArray[np.int64]
    insertions: NDArray[np.int64]

    @property
    def errors(self) -> NDArray[np.int64]:
        return self.substitutions + self.deletions + self.insertions


def counts(ref: Ragged, hyp: Ragged, split: Split = "hits") -> Counts:
    """The edits of each pair by kind."""
    if split == "jiwer":
        gaps, substitutions = operations(ref, hyp)
    else:
        costs = COSTS[split]
        cost, substitutions = weighted(ref, hyp, costs, split=True)
        gaps = (cost - int(costs.substitution) * substitutions) // int(costs.insertion)
    surplus = ref.lengths - hyp.lengths  # D - I
    insertions = (gaps - surplus) // 2
    deletions = insertions + surplus
    return Counts(ref.lengths - substitutions - deletions, substitutions, deletions, insertions)


def operations(ref: Ragged, hyp: Ragged) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N,) the gaps (insertions and deletions) and the substitutions that rapidfuzz finds on its way."""
    from rapidfuzz.distance import Levenshtein

    gaps = np.zeros(len(ref), np.int64)
    substitutions = np.zeros(len(ref), np.int64)
    for row, (x, y) in enumerate(zip(*strings(ref, hyp), strict=True)):
        if x != y:
            ways = Levenshtein.editops(x, y)
            replaced = sum(way.tag == "replace" for way in ways)
            gaps[row], substitutions[row] = len(ways) - replaced, replaced
    return gaps, substitutions
