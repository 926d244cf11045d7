"""Error rates of transcripts: of words, characters or phones, by sentence, and what alignments keep."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from lossctl.losses.sequence.counting import (
    ALIGNMENT,
    ALTERNATIVES,
    AVERAGE,
    EMPTY_REF,
    IGNORE_SPACE,
    MAPPING,
    SPLIT,
    UNIT,
    Rate,
    Reading,
    reduction,
    terms,
    unreadable,
)
from lossctl.losses.sequence.inputs import ReferenceText, Transcript
from lossctl.losses.types import Rows
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper, Preset
from lossctl.sequences.edits import hamming
from lossctl.sequences.units import shared

SPEECH = ("speech recognition", "ASR", "transcripts", "OCR", "handwriting")
AS_IS = "texts are compared as they are: --normalize lower, punct, nfc, ... are yours to name (sclite folds case)"
SPLITS_DIFFER = (
    "tools agree on the fewest errors, not on how many of them are substitutions: --split jiwer gives jiwer's counts"
)

ERRORS = Rate(lambda p: p.errors, lambda p: p.units, lambda p: p.errors)
MATCHES = Rate(lambda p: p.errors, lambda p: p.hits + p.errors, lambda p: 0 * p.errors)
PRESERVED = Rate(lambda p: p.hits * p.hits, lambda p: p.units * p.spoken, lambda p: (p.units + p.spoken == 0) + 0.0)
LOST = Rate(
    lambda p: p.units * p.spoken - p.hits * p.hits,
    lambda p: p.units * p.spoken,
    lambda p: (p.units + p.spoken > 0) + 0.0,
)
MORRIS = Paper(
    "A. C. Morris, V. Maier, P. Green",
    2004,
    "From WER and RIL to MER and WIL: improved evaluation measures for connected speech recognition",
)


@loss(
    title="Error rate of edits",
    reduce=reduction(ERRORS, "errors", ("errors", "units")),
    unit="errors a unit",
    range="0 to inf",
    laws={NONNEGATIVE},
    presets=(
        Preset(
            "wer",
            "Word error rate",
            "Word errors of all rows over the words of all references.",
            {"unit": "word"},
            aliases=("word-error-rate",),
        ),
        Preset(
            "cer",
            "Character error rate",
            "Character errors of all rows over the characters of all references; blanks count.",
            {"unit": "char"},
            aliases=("character-error-rate", "char-error-rate"),
        ),
        Preset(
            "phone-error-rate",
            "Phone error rate",
            "Phone errors over the phones of all references, after a mapping such as 61 phones to 39.",
            {"unit": "token"},
            aliases=("per", "phoneme-error-rate"),
        ),
    ),
    see=("mer", "wil", "wip", "ser", "edit-distance"),
    tasks=(*SPEECH, "WER", "CER", "accuracy"),
    equivalents=(
        Equivalent("jiwer", "wer(target.tolist(), pred.tolist())", "the reference comes first"),
        Equivalent("jiwer", "cer(target.tolist(), pred.tolist())", "unit=char; blanks at the ends are stripped there"),
        Equivalent("torchmetrics", "word_error_rate(pred.tolist(), target.tolist()).double()", "computed in float32"),
    ),
    traps=(
        "it pools: all errors over all reference units. The mean of the rows' rates is another number (--average "
        "sample), and stands beside it as sample_mean",
        "it can exceed 1: insertions have no bound",
        "an empty reference adds its insertions to the errors and nothing to the units; torchmetrics gives nan or inf "
        "where there are no units at all, older jiwer raised",
        AS_IS,
        "characters: blanks count, as in jiwer; --ignore-space leaves them out",
        SPLITS_DIFFER,
        "--split sclite takes the least cost at 3, 3, 4, which may be more errors than the fewest",
        "evaluate's wer with concatenate_texts=True aligns across sentences",
    ),
    checks=unreadable,
    details=(ALIGNMENT,),
)
def edit_rate(
    pred: Transcript,
    target: ReferenceText,
    *,
    unit: Annotated[str, UNIT] = "word",
    split: Annotated[str, SPLIT] = "hits",
    average: Annotated[str, AVERAGE] = "corpus",
    empty_ref: Annotated[str, EMPTY_REF] = "count",
    ignore_space: Annotated[bool, IGNORE_SPACE] = False,
    alternatives: Annotated[bool, ALTERNATIVES] = False,
    mapping: Annotated[str | None, MAPPING] = None,
) -> Any:
    """Errors over the units of the references.

    With S substitutions, D deletions and I insertions, H hits, so that a reference has H + S + D units:

        sum (S + D + I) / sum (H + S + D)            corpus
        mean of (S + D + I) / (H + S + D)            sample

    Of the ways with the fewest errors the one with the most hits counts (split=hits). A row with an empty reference
    has the rate I.

    >>> edit_rate(["this was a messy test"], ["this is a test of skill"])
    array([0.66666667])
    """
    reading = Reading(unit, split, alternatives, ignore_space, mapping)
    return terms(ERRORS, reading.parts(pred, target), empty_ref)


@loss(
    title="Match error rate",
    reduce=reduction(MATCHES, "errors", ("errors", "aligned")),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("match-error-rate",),
    paper=MORRIS,
    see=("wer", "wil", "wip"),
    tasks=SPEECH,
    equivalents=(Equivalent("jiwer", "mer(target.tolist(), pred.tolist())", "with split=jiwer"),),
    traps=(
        "the divisor is the length of the alignment: it depends on which of equally short ways counts (--split)",
        "torchmetrics divides by the longer length, which is another number where there are deletions and insertions",
        AS_IS,
    ),
    checks=unreadable,
    details=(ALIGNMENT,),
)
def mer(
    pred: Transcript,
    target: ReferenceText,
    *,
    unit: Annotated[str, UNIT] = "word",
    split: Annotated[str, SPLIT] = "hits",
    average: Annotated[str, AVERAGE] = "corpus",
    empty_ref: Annotated[str, EMPTY_REF] = "count",
    ignore_space: Annotated[bool, IGNORE_SPACE] = False,
    alternatives: Annotated[bool, ALTERNATIVES] = False,
) -> Any:
    """Share of an alignment that is not a hit.

    With hits H, substitutions S, deletions D and insertions I; 0 where all are 0:

        sum (S + D + I) / sum (H + S + D + I)

    >>> mer(["X X Y Y"], ["X"])
    array([0.75])
    """
    return terms(MATCHES, Reading(unit, split, alternatives, ignore_space).parts(pred, target), empty_ref)


@loss(
    title="Word information lost",
    reduce=reduction(LOST),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("word-information-lost",),
    paper=MORRIS,
    see=("wip", "mer", "wer"),
    tasks=SPEECH,
    equivalents=(Equivalent("jiwer", "wil(target.tolist(), pred.tolist())", "with split=jiwer"),),
    traps=(
        "it depends on the hits, and so on which of equally short ways counts (--split)",
        "torchmetrics takes the longer length less the errors for the hits, which is another number where there are "
        "deletions and insertions",
        AS_IS,
    ),
    checks=unreadable,
    details=(ALIGNMENT,),
)
def wil(
    pred: Transcript,
    target: ReferenceText,
    *,
    unit: Annotated[str, UNIT] = "word",
    split: Annotated[str, SPLIT] = "hits",
    average: Annotated[str, AVERAGE] = "corpus",
    empty_ref: Annotated[str, EMPTY_REF] = "count",
    ignore_space: Annotated[bool, IGNORE_SPACE] = False,
    alternatives: Annotated[bool, ALTERNATIVES] = False,
) -> Any:
    """Part of the information that did not come through.

    With H hits, m units of the references and n of the hypotheses; 0 where both are empty, 1 where one is:

        1 - (sum H / sum m) (sum H / sum n)

    >>> wil(["X Z"], ["X Y X"])
    array([0.83333333])
    """
    return terms(LOST, Reading(unit, split, alternatives, ignore_space).parts(pred, target), empty_ref)


@loss(
    title="Word information preserved",
    reduce=reduction(PRESERVED),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("word-information-preserved",),
    paper=MORRIS,
    see=("wil", "mer", "wer"),
    tasks=SPEECH,
    direction="maximise",
    equivalents=(Equivalent("jiwer", "wip(target.tolist(), pred.tolist())", "with split=jiwer"),),
    traps=("higher is better: wil is one less this", "it depends on the hits, and so on --split", AS_IS),
    checks=unreadable,
    details=(ALIGNMENT,),
)
def wip(
    pred: Transcript,
    target: ReferenceText,
    *,
    unit: Annotated[str, UNIT] = "word",
    split: Annotated[str, SPLIT] = "hits",
    average: Annotated[str, AVERAGE] = "corpus",
    empty_ref: Annotated[str, EMPTY_REF] = "count",
    ignore_space: Annotated[bool, IGNORE_SPACE] = False,
    alternatives: Annotated[bool, ALTERNATIVES] = False,
) -> Any:
    """Part of the information that came through, as a score.

    With H hits, m units of the references and n of the hypotheses; 1 where both are empty, 0 where one is:

        (sum H / sum m) (sum H / sum n)

    >>> wip(["X Z"], ["X Y X"])
    array([0.16666667])
    """
    return terms(PRESERVED, Reading(unit, split, alternatives, ignore_space).parts(pred, target), empty_ref)


@loss(
    title="Sentence error rate",
    reduce=Mean(),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("sentence-error-rate",),
    see=("wer", "zero-one"),
    tasks=(*SPEECH, "exact match"),
    equivalents=(
        Equivalent(
            "jiwer",
            "np.mean([wer(t, p) > 0 for t, p in zip(target.tolist(), pred.tolist())])",
        ),
    ),
    traps=(AS_IS, "words are compared: blanks between them do not count; --unit char counts them"),
)
def ser(pred: Transcript, target: Transcript) -> Rows:
    """Share of sentences that have any error.

        [pred != target]

    >>> ser(["a b", "a  c"], ["a b", "a d"])
    array([0., 1.])
    """
    ref, hyp = shared(target, pred)
    return np.where(hamming(ref, hyp) > 0, 1.0, 0.0)
