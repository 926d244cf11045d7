"""Edits counted by kind: how many units were hit, substituted, deleted and inserted.

The fewest errors S + D + I and D - I = m - n leave one choice: how many of the errors are substitutions.
``hits`` takes the fewest (so the most hits); ``jiwer`` those of rapidfuzz's edit operations; ``sclite`` the cheapest
way where insertions and deletions cost 3 and substitutions 4, which may have more errors than the fewest.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.grid import Costs, weighted
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.strings import strings

__all__ = ["Counts", "Operation", "Split", "alignment", "counts"]

Split = Literal["hits", "jiwer", "sclite"]
Operation = Literal["=", "S", "D", "I"]

COSTS = {"hits": Costs(1, 1, 1), "sclite": Costs(3, 3, 4)}
TABLE = 1 << 24  # cells of one pair whose way is followed through the table


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
    surplus = ref.lengths - hyp.lengths
    if split == "jiwer":
        hits = matched(ref, hyp)
        # Without a gap the longer side's rest is all there is: m - H = S + D and D - I = m - n.
        errors, substitutions = hits
        gaps = errors - substitutions
    else:
        costs = COSTS[split]
        cost, substitutions = weighted(ref, hyp, costs, split=True)
        gaps = (cost - int(costs.substitution) * substitutions) // int(costs.insertion)
    insertions = (gaps - surplus) // 2
    deletions = insertions + surplus
    return Counts(ref.lengths - substitutions - deletions, substitutions, deletions, insertions)
