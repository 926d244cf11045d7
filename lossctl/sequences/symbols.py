"""What class indices stand for: files of symbols, and label sequences as the text that they spell."""

from __future__ import annotations

import json
import os
from functools import lru_cache

from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

__all__ = ["spelled", "symbols", "version"]

GAPS = ("|", "\u2581")  # what stands for a space in vocabularies of characters and of sentencepiece


def version(path: str) -> tuple[int, int]:
    """What changes with the contents of a file, as far as its folder tells."""
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0  # whoever opens it says why it cannot be read
    return found.st_mtime_ns, found.st_size


def symbols(path: str) -> tuple[str, ...]:
    """The symbols of classes 0, 1, ... from a file: one a line, or a JSON list of them.

    Only the end of a line is taken off: a line may hold a single space.
    """
    return _symbols(path, version(path))


@lru_cache(maxsize=4)
def _symbols(path: str, of: tuple[int, int]) -> tuple[str, ...]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise DataError(f"the symbols cannot be read: {reason}", code="unreadable", file=path) from None
    if not text.lstrip().startswith("["):
        return tuple(line.removesuffix("\r") for line in text.removesuffix("\n").split("\n"))
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        if "\n" in text.strip():  # a first symbol that is a bracket
            return tuple(line.removesuffix("\r") for line in text.removesuffix("\n").split("\n"))
        raise DataError(f"the symbols are no JSON list: {error}", code="bad-tokens", file=path) from None
    if not all(isinstance(symbol, str) for symbol in found):
        hint = 'such as ["<blank>", "a", "b"]'
        raise DataError("the symbols are no JSON list of strings", code="bad-tokens", file=path, hint=hint)
    return tuple(found)


def spelled(labels: Ragged, path: str) -> list[str]:
    """The text of each row: its symbols end to end, ``|`` and the mark of sentencepiece as spaces."""
    names = list(symbols(path))
    for gap in GAPS:
        names = [name.replace(gap, " ") for name in names]
    return ["".join([names[label] for label in labels.row(n).tolist()]).strip() for n in range(len(labels))]
