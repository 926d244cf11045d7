"""Finding losses by words: names, titles, summaries, families, and what people call the task."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lossctl import index
from lossctl.errors import UsageError

__all__ = ["search", "stem"]


# Words that say nothing about a loss.
IDLE = {"a", "an", "and", "by", "for", "in", "loss", "losses", "of", "on", "or", "the", "to", "with"}

ENDINGS = (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("s", ""), ("ing", ""), ("ed", ""))


def search(words: Sequence[str], names: Sequence[str]) -> list[str]:
    """The losses among ``names`` in which every word occurs; ``UsageError`` with the nearest words if none is."""
    said = [part for word in words for part in tokens(word)]
    wanted = [word for word in said if word not in IDLE]
    if not wanted:
        return list(names)
    known = {name: tokens_of(index.record(name)) for name in names}
    found = [name for name in names if all(hits(word, known[name]) for word in wanted)]
    if not found:
        raise nothing(wanted, known)
    return found


def tokens(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower().replace("_", " "))


def tokens_of(record: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(tokens(" ".join([*telling(record), record["summary"]])))


def telling(record: Mapping[str, Any]) -> list[str]:
    """What a loss is called and what it is for, without the sentence about it."""
    return [*(record[key] for key in ("name", "title", "family")), *record["aliases"], *record["tasks"]]


def hits(word: str, known: frozenset[str]) -> bool:
    """Whether the word begins one of the words, endings aside."""
    start = stem(word)
    return any(other.startswith(word) or stem(other).startswith(start) for other in known)


def stem(word: str) -> str:
    """The word without the endings that make no other word of it.

    >>> stem("outliers"), stem("classes"), stem("imbalanced"), stem("imbalance"), stem("loss"), stem("boxes")
    ('outlier', 'class', 'imbalanc', 'imbalanc', 'loss', 'box')
    """
    for ending, instead in ENDINGS:
        short = word.removesuffix(ending) + instead
        if word.endswith(ending) and len(short) >= 3 and not (ending == "s" and word[-2:-1] in "sui"):
            word = short
            break
    return word.removesuffix("e") if len(word) > 4 else word


def nothing(wanted: Sequence[str], known: Mapping[str, frozenset[str]]) -> UsageError:
    """Which words are at fault, and what is near them."""
    strange = [word for word in wanted if not any(hits(word, own) for own in known.values())]
    if not strange:
        counts = ", ".join(f"{word} {sum(hits(word, own) for own in known.values())}" for word in wanted)
        return UsageError(
            f"no loss is about all of: {' '.join(wanted)}",
            code="no-match",
            hint=f"fewer words; losses found by each alone: {counts}",
        )
    vocabulary = sorted({token for name in known for token in tokens(" ".join(telling(index.record(name))))})
    near = [n for word in strange for n in difflib.get_close_matches(word, vocabulary, n=3, cutoff=0.6)]
    return UsageError(
        f"no loss is about {' or '.join(strange)}",
        code="no-match",
        hint=f"did you mean {', '.join(dict.fromkeys(near))}?" if near else "lossctl list shows every loss",
    )
