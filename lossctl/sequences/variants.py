"""References that leave a choice, as in sclite's trn files: ``{ uh / um / @ }`` is any of these, ``(word)`` optional.

``@`` stands for nothing, choices may be nested. A reference counts as the one of its readings with the fewest errors
(of several the one with the most hits, of several of those the first).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.ragged import Ragged
from lossctl.sequences.splits import Split, counts

__all__ = ["LIMIT", "is_choice", "readings", "resolved", "troubled"]

Words: TypeAlias = tuple[str, ...]

LIMIT = 1024  # readings of one reference


def is_choice(word: str) -> bool:
    return "{" in word or "}" in word or (word.startswith("(") and word.endswith(")") and len(word) > 2)


def with_choices(ref: Ragged) -> NDArray[np.bool_]:
    """(N,) rows that leave a choice."""
    marked = np.array([is_choice(word) for word in ref.words or ()], bool)
    return ref.any(marked[ref.flat()]) if marked.any() else np.zeros(len(ref), bool)


def words_of(ref: Ragged, row: int) -> list[str]:
    assert ref.words is not None
    return [ref.words[code] for code in ref.row(row)]


def troubled(ref: Ragged) -> NDArray[np.bool_]:
    """(N,) rows whose braces do not match, or that have more readings than ``LIMIT``."""
    found = with_choices(ref)
    for row in np.flatnonzero(found).tolist():
        try:
            found[row] = len(readings(words_of(ref, row))) > LIMIT
        except ValueError:
            pass
    return found


def resolved(ref: Ragged, hyp: Ragged, split: Split) -> Ragged:
    """The references, each in its best reading; both sides have one vocabulary."""
    rows = np.flatnonzero(with_choices(ref))
    if not len(rows):
        return ref
    numbers = {word: code for code, word in enumerate(ref.words or ())}
    owners: list[int] = []
    codes: list[list[int]] = []
    for row in rows.tolist():
        for reading in readings(words_of(ref, row)):
            owners.append(row)
            codes.append([numbers.setdefault(word, len(numbers)) for word in reading])
    every = Ragged.of(codes, np.int64)
    found = counts(every, hyp[np.array(owners)], split)
    order = np.lexsort((-found.hits, found.errors, np.array(owners)))
    best = order[np.searchsorted(np.array(owners)[order], rows)]
    words = list(numbers)
    plain = Ragged(ref.values, ref.starts, ref.lengths, step=ref.step, missing=ref.missing, words=words)
    chosen = every[best]
    chosen.words = words
    place = np.arange(len(ref))
    place[rows] = len(ref) + np.arange(len(rows))
    return Ragged.join([plain, chosen])[place]


def readings(words: Sequence[str]) -> list[Words]:
    """All readings of a reference, at most ``LIMIT`` and one more; ``ValueError`` where braces do not match."""
    marks = " ".join(words).replace("{", " { ").replace("}", " } ").split()
    found, rest = sequence(marks, 0, inside=False)
    if rest != len(marks):
        raise ValueError("a brace closes that was never opened")
    return found


def sequence(marks: list[str], place: int, *, inside: bool) -> tuple[list[Words], int]:
    """The readings from a place on, up to the end of what stands between ``/`` or braces."""
    found: list[Words] = [()]
    while place < len(marks) and marks[place] != "}" and not (inside and marks[place] == "/"):
        mark = marks[place]
        ways: list[Words] = [(mark,)]
        if mark == "{":
            ways, place = choice(marks, place + 1)
        elif inside and mark == "@":
            ways = [()]
        elif is_choice(mark):
            ways = [(mark[1:-1],), ()]
        found = [head + tail for head in found for tail in ways][: LIMIT + 1]
        place += 1
    return found, place


def choice(marks: list[str], place: int) -> tuple[list[Words], int]:
    """The readings of all that stands between braces, and the place of the one that closes."""
    found: list[Words] = []
    while True:
        ways, place = sequence(marks, place, inside=True)
        found += ways
        if place == len(marks):
            raise ValueError("a brace is never closed")
        if marks[place] == "}":
            return list(dict.fromkeys(found)), place
        place += 1
