"""What a reader takes for one character: code points that belong together (an approximation of UAX 29).

The standard library has no table of Grapheme_Cluster_Break, so the classes come from general categories: marks
(M), joiners and variation selectors, emoji modifiers and tags extend what stands before them; CR LF, Hangul syllables
of letters, pairs of regional indicators, and what a zero width joiner joins to a pictograph stay together. Not
covered: prepended marks (Arabic number sign), Indic conjuncts, spacing vowels that are letters (Thai sara am).
"""

from __future__ import annotations

import unicodedata
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.ragged import Ragged

__all__ = ["cluster_starts"]

Array: TypeAlias = NDArray[Any]

OTHER, CR, LF, CONTROL, EXTEND, JOINER, FLAG, PICTURE, LEAD, VOWEL, TAIL, SYLLABLE, CLOSED = range(13)

# Hangul: leading letters, vowels and trailing letters; syllables without (LV) and with (LVT) a trailing one.
LEADS = ((0x1100, 0x115F), (0xA960, 0xA97C))
VOWELS = ((0x1160, 0x11A7), (0xD7B0, 0xD7C6))
TAILS = ((0x11A8, 0x11FF), (0xD7CB, 0xD7FB))
SYLLABLES = (0xAC00, 0xD7A3)
PICTURES = (
    (0x1F000, 0x1F1E5),
    (0x1F200, 0x1FAFF),
    (0x2190, 0x21FF),
    (0x2300, 0x27BF),
    (0x2900, 0x297F),
    (0x2B00, 0x2BFF),
)
LONE_PICTURES = frozenset({0xA9, 0xAE, 0x203C, 0x2049, 0x2122, 0x2139, 0x3030, 0x303D, 0x3297, 0x3299})


def kind_of(point: int) -> int:
    """The class of a code point."""
    if point == 0x0D:
        return CR
    if point == 0x0A:
        return LF
    if point == 0x200D:
        return JOINER
    if 0x1F1E6 <= point <= 0x1F1FF:
        return FLAG
    if SYLLABLES[0] <= point <= SYLLABLES[1]:
        return SYLLABLE if (point - SYLLABLES[0]) % 28 == 0 else CLOSED
    for kind, ranges in ((LEAD, LEADS), (VOWEL, VOWELS), (TAIL, TAILS)):
        if any(low <= point <= high for low, high in ranges):
            return kind
    category = unicodedata.category(chr(point))
    extends = category.startswith("M") or point == 0x200C or 0xFF9E <= point <= 0xFF9F
    if extends or 0x1F3FB <= point <= 0x1F3FF or 0xE0020 <= point <= 0xE007F:
        return EXTEND
    if point in LONE_PICTURES or any(low <= point <= high for low, high in PICTURES):
        return PICTURE
    return CONTROL if category in {"Cc", "Cf", "Zl", "Zp"} else OTHER


def cluster_starts(points: Ragged) -> NDArray[np.int64]:
    """The places in ``points.values`` (packed) at which a cluster begins."""
    values = points.values
    distinct, places = np.unique(values, return_inverse=True)
    kinds = np.array([kind_of(int(point)) for point in distinct], np.int8)[places]
    first = np.zeros(len(values), bool)
    first[points.starts[points.lengths > 0]] = True
    joined = np.zeros(len(values), bool)
    if len(values):
        joined[1:] = together(kinds, first)
    return np.flatnonzero(first | ~joined)


def together(kinds: Array, first: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a code point belongs to the one before it, from the second on."""
    left, right = kinds[:-1], kinds[1:]
    hard = np.isin(left, (CR, LF, CONTROL))
    joins = ~hard & np.isin(right, (EXTEND, JOINER))
    joins |= (left == CR) & (right == LF)
    joins |= (left == LEAD) & np.isin(right, (LEAD, VOWEL, SYLLABLE, CLOSED))
    joins |= np.isin(left, (VOWEL, SYLLABLE)) & np.isin(right, (VOWEL, TAIL))
    joins |= np.isin(left, (TAIL, CLOSED)) & (right == TAIL)
    # Flags pair off from the first of their run.
    places = np.arange(len(kinds))
    breaks = (kinds != FLAG) | first
    run = np.maximum.accumulate(np.where(breaks, np.where(kinds == FLAG, places, places + 1), 0))
    joins |= (left == FLAG) & (right == FLAG) & ((places[1:] - run[1:]) % 2 == 1)
    # A joiner joins pictographs, with marks between the first of them and itself.
    base = np.maximum.accumulate(np.where((kinds != EXTEND) & (kinds != JOINER), places, 0))
    joins |= (left == JOINER) & (right == PICTURE) & (kinds[base[:-1]] == PICTURE)
    return joins
