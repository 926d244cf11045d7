"""Names without NumPy: help, completion, the catalogue and name lookup read the generated index only."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from lossctl._index import FAMILIES, INDEX
from lossctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "INDEX",
    "aliases",
    "families",
    "heading",
    "named",
    "names",
    "normal",
    "record",
    "resolve",
    "set_names",
    "unknown",
]

REFUSED = {
    "l2": "l2 means three different losses: mse (mean of squares), l2-norm (root of the sum of squares), "
    "or optax's l2_loss (half the square)",
}


def names() -> list[str]:
    """All canonical names, sorted."""
    return sorted(INDEX)


def families() -> dict[str, list[str]]:
    """Family -> canonical names, both sorted."""
    rooms: dict[str, list[str]] = {}
    for name in names():
        rooms.setdefault(INDEX[name][0], []).append(name)
    return dict(sorted(rooms.items()))


def heading(family: str) -> str:
    """What the losses of a family are about, in one line."""
    return FAMILIES[family]


@cache
def record(name: str) -> dict[str, Any]:
    """Everything that is declared about a canonical name. Not to be changed by its reader."""
    import json

    family, title, other_names, rest = INDEX[name]
    return {"name": name, "aliases": list(other_names), "family": family, "title": title, **json.loads(rest)}


def normal(name: str) -> str:
    """Case and ``_`` against ``-`` do not matter."""
    return name.strip().lower().replace("_", "-")


def aliases() -> dict[str, str]:
    return {alias: name for name, (_, _, other_names, _) in INDEX.items() for alias in other_names}


def resolve(name: str) -> str:
    """The canonical name for what a person typed; ``UsageError`` with the nearest names."""
    word = normal(name)
    known = aliases()
    for candidate in (word, word.removesuffix("-loss")):
        if candidate in INDEX:
            return candidate
        if candidate in known:
            return known[candidate]
        if candidate in REFUSED:
            raise UsageError(REFUSED[candidate], code="ambiguous-loss", hint="name the one you mean: mse")
    raise unknown(word, [*INDEX, *known])


def named(part: str) -> list[str]:
    """The canonical names that a part of a comma list stands for: one, or those of a set."""
    if not part.strip().startswith("@"):
        return [resolve(part.split(":")[0])]
    return set_names(part)


def set_names(text: str) -> list[str]:
    """The losses of ``@FAMILY``, or of all families for ``@auto``, in name order; ``UsageError`` for another set."""
    word, rooms = normal(text.strip().removeprefix("@")), families()
    if word == "auto":
        return names()
    if ":" in word and word.partition(":")[0] in {*rooms, "auto"}:
        raise UsageError(
            f"{text.strip()}: a set takes no parameters behind a colon",
            code="set-parameters",
            hint="as an option a parameter goes to every loss of the set that has it: --delta 2",
        )
    if word not in rooms:
        raise UsageError(
            f"there is no set {text.strip()}",
            code="unknown-family",
            hint=f"sets: {', '.join('@' + family for family in rooms)}, @auto",
        )
    return rooms[word]


def unknown(word: str, candidates: Iterable[str]) -> UsageError:
    import difflib

    near = difflib.get_close_matches(word, sorted(candidates), n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "lossctl list shows every loss"
    return UsageError(f"there is no loss called {word}", code="unknown-loss", hint=hint)
