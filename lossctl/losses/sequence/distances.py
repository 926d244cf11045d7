"""Distances between texts or lists of tokens: edits of several kinds, common subsequences, Jaro's matches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from lossctl.losses.sequence.inputs import EvenText, Text
from lossctl.losses.types import Rows
from lossctl.model.findings import Rule, Seen
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper
from lossctl.sequences import edits
from lossctl.sequences.units import shared

TEXTS = ("strings", "spelling", "OCR", "fuzzy matching", "DNA")
UNICODE = (
    "characters are code points: an accent of its own counts; --normalize nfc joins it, --unit grapheme counts as "
    "people do"
)


@loss(
    title="Edit distance",
    reduce=Mean(),
    unit="edits",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("levenshtein", "levenshtein-distance"),
    paper=Paper("V. I. Levenshtein", 1966, "Binary codes capable of correcting deletions, insertions and reversals"),
    see=("normalized-edit-distance", "edit-rate", "damerau-levenshtein", "indel", "hamming-string"),
    tasks=(*TEXTS, "speech recognition"),
    equivalents=(
        Equivalent(
            "torchmetrics",
            "edit_distance(pred.tolist(), target.tolist(), substitution_cost=int(substitution_cost))",
        ),
        Equivalent(
            "rapidfuzz",
            "np.mean(cpdist(target, pred, scorer=Levenshtein.distance, "
            "scorer_kwargs={'weights': (int(insertion_cost), int(deletion_cost), int(substitution_cost))}))",
            "the target comes first: what the prediction lacks is a deletion",
        ),
    ),
    traps=(
        "it is the mean over pairs of the number of edits, not a rate: wer and cer divide by all reference units",
        UNICODE,
        "texts are compared as they are: case, blanks and punctuation count unless --normalize says otherwise",
    ),
)
def edit_distance(
    pred: Text,
    target: Text,
    *,
    substitution_cost: Annotated[float, Param("cost of one unit in place of another", ge=0)] = 1.0,
    insertion_cost: Annotated[float, Param("cost of a unit that the target does not have", ge=0)] = 1.0,
    deletion_cost: Annotated[float, Param("cost of a unit that the prediction lacks", ge=0)] = 1.0,
) -> Rows:
    """Least cost of insertions, deletions and substitutions that make the prediction of the target.

    With x the target and y the prediction:

        D(i, 0) = i del     D(0, j) = j ins
        D(i, j) = min( D(i-1, j) + del,  D(i, j-1) + ins,  D(i-1, j-1) + sub [x_i != y_j] )

    >>> edit_distance(["sitting", "shine"], ["kitten", "rain"])
    array([3., 3.])
    """
    ref, hyp = shared(target, pred)
    return edits.levenshtein(ref, hyp, insertion_cost, deletion_cost, substitution_cost)


@loss(
    title="Normalised edit distance",
    reduce=Mean(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("ned", "normalized-levenshtein"),
    paper=Paper("L. Yujian, L. Bo", 2007, "A Normalized Levenshtein Distance Metric", doi="10.1109/TPAMI.2007.1078"),
    see=("edit-distance", "edit-rate", "cer"),
    tasks=(*TEXTS, "similarity"),
    equivalents=(
        Equivalent(
            "rapidfuzz", "np.mean(cpdist(target, pred, scorer=Levenshtein.normalized_distance, dtype=np.float64))"
        ),
    ),
    traps=(
        "the mean is over pairs: short texts count as much as long ones; wer and cer pool them",
        "norm=max and norm=sum break the triangle inequality, norm=yb keeps it",
        "norm=ref is infinite for an empty target and a prediction that is not (tf.edit_distance does the same)",
    ),
)
def normalized_edit_distance(
    pred: Text,
    target: Text,
    *,
    norm: Annotated[
        str,
        Param(
            "what divides: the longer length, the target's, both together, or Yujian's and Bo's 2 d / (m + n + d)",
            choices=("max", "ref", "sum", "yb"),
        ),
    ] = "max",
) -> Rows:
    """Edit distance as a part of what it could be.

    With d the edit distance of a target of m units and a prediction of n; 0 where both are empty:

        d / max(m, n)         max
        d / m                 ref
        d / (m + n)           sum
        2 d / (m + n + d)     yb

    >>> normalized_edit_distance(["sitting"], ["kitten"], norm="yb")
    array([0.375])
    """
    ref, hyp = shared(target, pred)
    found = edits.levenshtein(ref, hyp)
    m, n = ref.lengths, hyp.lengths
    over = 2 * found if norm == "yb" else found
    under = {"max": np.maximum(m, n), "ref": m, "sum": m + n, "yb": m + n + found}[norm]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(found == 0, 0.0, over / under))


@loss(
    title="Damerau-Levenshtein distance",
    reduce=Mean(),
    unit="edits",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("damerau",),
    paper=Paper(
        "F. J. Damerau",
        1964,
        "A technique for computer detection and correction of spelling errors",
        doi="10.1145/363958.363994",
    ),
    see=("edit-distance",),
    tasks=(*TEXTS, "typing errors", "transpositions"),
    equivalents=(
        Equivalent(
            "rapidfuzz",
            "np.mean(cpdist(target, pred, scorer=OSA.distance if osa else DamerauLevenshtein.distance))",
        ),
    ),
    traps=(
        "two distances have this name: CA to ABC is 3 as optimal string alignment (--osa), and 2 without restriction",
        "optimal string alignment breaks the triangle inequality; --no-osa keeps it",
        UNICODE,
    ),
)
def damerau_levenshtein(
    pred: Text,
    target: Text,
    *,
    osa: Annotated[bool, Param("optimal string alignment: no part is edited twice")] = True,
) -> Rows:
    """Edit distance in which two neighbours that change places are one edit.

    With x the target and y the prediction, as edit-distance at unit costs, and where x_i = y_(j-1), x_(i-1) = y_j

        D(i, j) <= D(i-2, j-2) + 1                             osa
        D(i, j) <= D(k-1, l-1) + (i-k-1) + 1 + (j-l-1)         no-osa: x_k = y_j, x_i = y_l with k < i, l < j

    >>> damerau_levenshtein(["ABC"], ["CA"]), damerau_levenshtein(["ABC"], ["CA"], osa=False)
    (array([3.]), array([2.]))
    """
    ref, hyp = shared(target, pred)
    return edits.osa(ref, hyp) if osa else edits.damerau_levenshtein(ref, hyp)


def unequal_lengths(arrays: Mapping[str, Any], params: Mapping[str, Any]) -> list[Seen]:
    """Rows that have no Hamming distance."""
    if params["pad"]:
        return []
    m, n = arrays["target"].lengths, arrays["pred"].lengths
    hint = "--pad counts each unit that only one side has; edit-distance shifts"
    rule = Rule("lengths-differ", "(Hamming distance needs equal lengths)", hint=hint)
    unlike = m != n
    sizes = zip(n.tolist(), m.tolist(), strict=True) if unlike.any() else ()
    told = np.array([f"{hyp:,} units, and the target has {ref:,}" for hyp, ref in sizes] or [""] * len(m))
    return [(rule, unlike, told)]


@loss(
    title="Hamming distance of texts",
    reduce=Mean(),
    unit="units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("hamming-distance-string",),
    paper=Paper(
        "R. W. Hamming", 1950, "Error Detecting and Error Correcting Codes", doi="10.1002/j.1538-7305.1950.tb00463.x"
    ),
    see=("edit-distance", "hamming"),
    tasks=(*TEXTS, "codes"),
    equivalents=(
        Equivalent(
            "rapidfuzz",
            "np.mean(cpdist(target, pred, scorer=Hamming.distance, scorer_kwargs={'pad': True}))",
            "pad=True is its default and not ours",
        ),
    ),
    traps=("texts of two lengths are refused; --pad counts what one of them has more, as rapidfuzz does by default",),
    checks=unequal_lengths,
)
def hamming_string(
    pred: EvenText,
    target: EvenText,
    *,
    pad: Annotated[bool, Param("a unit that only one side has differs; without it, lengths must be equal")] = False,
) -> Rows:
    """Places at which prediction and target differ.

        sum_i [pred_i != target_i]

    >>> hamming_string(["karolin"], ["kathrin"])
    array([3.])
    """
    return edits.hamming(*shared(target, pred))


@loss(
    title="Longest common subsequence distance",
    reduce=Mean(),
    unit="units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("lcs-distance",),
    see=("indel", "edit-distance"),
    tasks=(*TEXTS, "diff"),
    equivalents=(Equivalent("rapidfuzz", "np.mean(cpdist(target, pred, scorer=LCSseq.distance))"),),
    traps=("it is the longer length less the common subsequence; m + n - 2 LCS, which a diff shows, is indel",),
)
def lcs(pred: Text, target: Text) -> Rows:
    """What the longest common subsequence leaves of the longer side.

    With m and n the lengths, LCS that of the longest sequence that can be had of both by leaving units out:

        max(m, n) - LCS

    >>> lcs(["sitting"], ["kitten"])
    array([3.])
    """
    return edits.lcs(*shared(target, pred))


@loss(
    title="Indel distance",
    reduce=Mean(),
    unit="edits",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("indel-distance",),
    see=("lcs", "edit-distance"),
    tasks=(*TEXTS, "diff"),
    equivalents=(Equivalent("rapidfuzz", "np.mean(cpdist(target, pred, scorer=Indel.distance))"),),
    traps=("a substitution is a deletion and an insertion: edit-distance with substitution_cost=2",),
)
def indel(pred: Text, target: Text) -> Rows:
    """Insertions and deletions that make the prediction of the target, without substitutions.

    With m and n the lengths, LCS that of the longest common subsequence:

        m + n - 2 LCS

    >>> indel(["sitting"], ["kitten"])
    array([5.])
    """
    return edits.indel(*shared(target, pred))


@loss(
    title="Jaro distance",
    reduce=Mean(),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("jaro-distance",),
    paper=Paper(
        "M. A. Jaro",
        1989,
        "Advances in Record-Linkage Methodology as Applied to Matching the 1985 Census of Tampa, Florida",
        doi="10.1080/01621459.1989.10478785",
    ),
    see=("jaro-winkler", "edit-distance"),
    tasks=(*TEXTS, "names", "record linkage"),
    equivalents=(
        Equivalent("rapidfuzz", "np.mean(1 - cpdist(target, pred, scorer=Jaro.similarity, dtype=np.float64))"),
    ),
    traps=("libraries print the similarity, 1 less this", "two empty texts are alike: 0"),
)
def jaro(pred: Text, target: Text) -> Rows:
    """One minus Jaro's similarity of two names.

    Units match if equal and at most max(m, n)/2 - 1 places apart, each once, from the left. With c matches, and t
    half the number of them that stand in another order (rounded down); 1 if c = 0, 0 if both are empty:

        1 - (c/m + c/n + (c - t)/c) / 3

    >>> jaro(["marhta"], ["martha"])
    array([0.05555556])
    """
    return 1.0 - edits.jaro(*shared(target, pred))


@loss(
    title="Jaro-Winkler distance",
    reduce=Mean(),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("jaro-winkler-distance",),
    paper=Paper(
        "W. E. Winkler",
        1990,
        "String Comparator Metrics and Enhanced Decision Rules in the Fellegi-Sunter Model of Record Linkage",
    ),
    see=("jaro",),
    tasks=(*TEXTS, "names", "record linkage"),
    equivalents=(
        Equivalent(
            "rapidfuzz",
            "np.mean(1 - cpdist(target, pred, scorer=JaroWinkler.similarity, dtype=np.float64, "
            "scorer_kwargs={'prefix_weight': prefix_weight}))",
        ),
    ),
    traps=(
        "libraries print the similarity, 1 less this",
        "the common beginning counts only where Jaro's similarity is above 0.7, as in Winkler's own program",
    ),
)
def jaro_winkler(
    pred: Text,
    target: Text,
    *,
    prefix_weight: Annotated[float, Param("worth of each unit of the common beginning", ge=0, le=0.25)] = 0.1,
) -> Rows:
    """One minus Jaro's similarity, raised for names that begin alike.

    With J Jaro's similarity, l <= 4 the units of the common beginning and p the prefix weight:

        1 - (J + l p (1 - J))     where J > 0.7
        1 - J                     elsewhere

    >>> jaro_winkler(["marhta"], ["martha"])
    array([0.03888889])
    """
    ref, hyp = shared(target, pred)
    return 1.0 - edits.jaro_winkler(ref, hyp, prefix_weight)
