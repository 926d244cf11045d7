"""Files that say what a phone counts as, such as the fold of TIMIT's 61 phones into 39."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from lossctl.errors import DataError
from lossctl.sequences.symbols import version

__all__ = ["folding"]


def folding(path: str) -> Mapping[str, str | None]:
    """Lines of a phone and what it counts as, between white space; a phone by itself counts as nothing.

    Empty lines and lines that begin with ``#`` say nothing.
    """
    return _folding(path, version(path))


@lru_cache(maxsize=4)
def _folding(path: str, of: tuple[int, int]) -> Mapping[str, str | None]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise DataError(f"the mapping cannot be read: {reason}", code="unreadable", file=path) from None
    found: dict[str, str | None] = {}
    for place, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) > 2:
            hint = (
                "two columns: a phone, and what it counts as; of a file with more, cut out two (awk '{print $1, $3}')"
            )
            raise DataError(f"line {place} has {len(words)} columns", code="bad-mapping", file=path, hint=hint)
        meaning = words[1] if len(words) == 2 else None
        if found.setdefault(words[0], meaning) != meaning:
            raise DataError(f"line {place} says again what {words[0]} counts as", code="bad-mapping", file=path)
    if not found:
        hint = "lines of two columns: a phone, and what it counts as"
        raise DataError("there is no line in the mapping", code="bad-mapping", file=path, hint=hint)
    return MappingProxyType(found)
