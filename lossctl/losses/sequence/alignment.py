"""Two texts laid side by side for the greatest score."""

from __future__ import annotations

from typing import Annotated

from lossctl.losses.sequence.inputs import Text
from lossctl.losses.types import Rows
from lossctl.model.params import Param
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Paper, Preset
from lossctl.sequences.needleman import Scoring, alignment_score
from lossctl.sequences.units import shared


@loss(
    title="Needleman-Wunsch",
    reduce=Mean(),
    unit="score, with its sign turned",
    range="-inf to inf",
    aliases=("nw", "global-alignment"),
    presets=(
        Preset(
            "smith-waterman",
            "Smith-Waterman",
            "Minus the score of the best alignment of any part of one sequence with any part of the other.",
            {"local": True},
            aliases=("sw", "local-alignment"),
        ),
    ),
    paper=Paper(
        "S. B. Needleman, C. D. Wunsch",
        1970,
        "A general method applicable to the search for similarities in the amino acid sequence of two proteins",
        doi="10.1016/0022-2836(70)90057-4",
    ),
    tasks=("alignment", "biological sequences"),
    traps=(
        "it is minus the score, so that less is better as with every loss",
        "a run of k gaps adds gap_open + k gap: Biopython's open_gap_score is the first of them, gap_open + gap",
        "gap and gap_open are added, so that they are 0 or negative",
        "the score grows with the length, and is not divided by it",
    ),
)
def needleman_wunsch(
    pred: Text,
    target: Text,
    *,
    match: Annotated[float, Param("what two equal units add to the score")] = 1.0,
    mismatch: Annotated[float, Param("what two different units add to the score")] = -1.0,
    gap: Annotated[float, Param("what each unit without a partner adds to the score", le=0)] = -1.0,
    gap_open: Annotated[float, Param("what each run of units without a partner adds besides", le=0)] = 0.0,
    local: Annotated[bool, Param("align any part of one with any part of the other (Smith and Waterman)")] = False,
) -> Rows:
    """Minus the score of the best alignment of two sequences.

    With s(a, b) the score of a pair, match where the two are equal and else mismatch:

        H(i, j) = max(H(i-1, j-1) + s(x_i, y_j), V(i, j), W(i, j))     never below 0 with local
        V(i, j) = max(H(i-1, j) + gap_open, V(i-1, j)) + gap           x_i has no partner
        W(i, j) = max(H(i, j-1) + gap_open, W(i, j-1)) + gap           y_j has none
        -H(n, m), or -max H with local

    >>> needleman_wunsch(["GATTACA"], ["GCATGCG"])
    array([0.])
    """
    scoring = Scoring(match, mismatch, gap, gap_open)
    return 0.0 - alignment_score(*shared(pred, target), scoring, local=local)
