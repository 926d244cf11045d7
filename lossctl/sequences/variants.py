"""References that leave a choice, as in sclite's trn files: ``{ uh / um / @ }`` is any of these, ``(word)`` optional.

``@`` stands for nothing, choices may be nested. A reference counts as the one of its readings with the fewest errors
(of several the one with the most hits, of several of those the first).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences import units
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.splits import Split, counts
from lossctl.sequences.units import names, shared

__all__ = ["LIMIT", "is_choice", "readings", "resolved", "troubled"]

Words: TypeAlias = tuple[str, ...]

LIMIT = 1024  # readings of one reference


def is_choice(word: str) -> bool:
    return "{" in word or "}" in word or (word.startswith("(") and word.endswith(")") and len(word) > 2)


def words_of(ref: Ragged, row: int, unit: str) -> list[str]:
    """The words of a reference, whatever the units it is in."""
    codes = ref.row(row)
    if unit == "byte":
        return codes.astype(np.uint8).tobytes().decode().split()
    units = names(codes, ref.words)
    return units if unit in {"word", "token"} else "".join(units).split()


def with_choices(ref: Ragged, unit: str) -> NDArray[np.bool_]:
    """(N,) rows that leave a choice."""
    if unit in {"word", "token"}:
        marked = np.array([is_choice(word) for word in ref.words or ()], bool)
        return ref.any(marked[ref.flat()]) if marked.any() else np.zeros(len(ref), bool)
    distinct, places = np.unique(ref.flat(), return_inverse=True)
    marked = np.array([name in {"{", "}", "("} for name in names(distinct, ref.words)], bool)
    found = ref.any(marked[places]) if marked.any() else np.zeros(len(ref), bool)
    for row in np.flatnonzero(found).tolist():
        found[row] = any(map(is_choice, words_of(ref, row, unit)))
    return found


def troubled(ref: Ragged, unit: str) -> NDArray[np.bool_]:
    """(N,) rows whose braces do not match, or that have more readings than ``LIMIT``."""
    found = with_choices(ref, unit)
    for row in np.flatnonzero(found).tolist():
        try:
            found[row] = len(readings(words_of(ref, row, unit))) > LIMIT
        except ValueError:
            pass
    return found


def resolved(ref: Ragged, hyp: Ragged, unit: str, split: Split) -> Ragged:
    """The references, each in its best reading; both sides have one vocabulary."""
    rows = np.flatnonzero(with_choices(ref, unit))
    if not len(rows):
        return ref
    found = [readings(words_of(ref, row, unit)) for row in rows.tolist()]
    owners = np.repeat(np.arange(len(rows)), [len(ways) for ways in found])
    texts = Ragged.texts([" ".join(way) for ways in found for way in ways])
    every, others = shared(units.split(texts, unit), hyp[rows[owners]])
    cost = counts(every, others, split)
    order = np.lexsort((-cost.hits, cost.errors, owners))
    plain, best = shared(ref, every[order[np.searchsorted(owners[order], np.arange(len(rows)))]])
    place = np.arange(len(ref))
    place[rows] = len(ref) + np.arange(len(rows))
    return Ragged.join([plain, best])[place]


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
