"""Text to units: words, characters, bytes. Codes are whole numbers; words come with their vocabulary."""

from __future__ import annotations

import numpy as np

from lossctl.sequences.ragged import Ragged

__all__ = ["STEPS", "UNITS", "split"]

UNITS = ("word", "char", "byte", "token")
STEPS = ("nfc", "lower")


def split(text: Ragged, unit: str, normalize: tuple[str, ...] = ()) -> Ragged:
    """Rows of UTF-8 (uint8) as rows of codes (int64)."""
    import unicodedata

    rows = [text.text(n) for n in range(len(text))]
    for step in normalize:
        rows = [unicodedata.normalize("NFC", row) if step == "nfc" else row.lower() for row in rows]
    words: dict[str, int] = {}
    if unit in {"word", "token"}:
        codes = [[words.setdefault(word, len(words)) for word in row.split()] for row in rows]
    else:
        codes = [list(row.encode()) if unit == "byte" else [ord(c) for c in row] for row in rows]
    made = Ragged.of(codes, np.int64)
    return Ragged(made.values, made.starts, made.lengths, missing=text.missing, words=list(words) if words else None)
