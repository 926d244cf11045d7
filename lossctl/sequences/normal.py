"""Steps that text goes through before it is compared: each by name, in the order given, none by itself."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from lossctl.sequences.ragged import Ragged

__all__ = ["STEPS", "normalized"]

STEPS = ("nfc", "nfd", "nfkc", "lower", "casefold", "punct", "spaces", "strip")
# What steps do to ASCII, all rows at once: these never change how long a row is.
PLAIN: dict[str, Callable[[bytes], bytes]] = {
    **dict.fromkeys(("nfc", "nfd", "nfkc"), bytes),
    **dict.fromkeys(("lower", "casefold"), bytes.lower),
}


def normalized(text: Ragged, steps: Sequence[str]) -> Ragged:
    """Packed rows of UTF-8 after all steps.

    ``nfc``, ``nfd``, ``nfkc`` are the normal forms of Unicode, ``lower`` and ``casefold`` those of ``str``;
    ``punct`` drops punctuation (categories P), ``spaces`` makes each run of white space one blank and takes off
    that at the ends, ``strip`` does only the latter.
    """
    data = text.values.tobytes()
    place = 0
    if data.isascii():
        while place < len(steps) and steps[place] in PLAIN:
            data = PLAIN[steps[place]](data)
            place += 1
        text = Ragged(np.frombuffer(data, np.uint8), text.starts, text.lengths, missing=text.missing)
    if place == len(steps):
        return text
    rows = [text.text(n) for n in range(len(text))]
    for step in steps[place:]:
        change = step_of(step, rows)
        rows = [change(row) for row in rows]
    made = Ragged.texts(rows)
    return Ragged(made.values, made.starts, made.lengths, missing=text.missing)


def step_of(step: str, rows: Iterable[str]) -> Callable[[str], str]:
    """What one step does to a row; ``rows`` are those that it will see."""
    if step in {"nfc", "nfd", "nfkc"}:
        return lambda row: unicodedata.normalize(step.upper(), row)  # type: ignore[arg-type]
    if step == "punct":
        seen = set().union(*rows)
        gone = str.maketrans(dict.fromkeys(c for c in seen if unicodedata.category(c).startswith("P")))
        return lambda row: row.translate(gone)
    plain: dict[str, Callable[[str], str]] = {
        "lower": str.lower,
        "casefold": str.casefold,
        "strip": str.strip,
        "spaces": lambda row: " ".join(row.split()),
    }
    return plain[step]
