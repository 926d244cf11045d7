"""Labels on the wire: each process has codes of its own for them, so that states carry the labels themselves.

Codes stand in two places of a state: as classes of ``--per-class``, and in the names of terms of a reduction that has
``classes`` of its own, which are what, label and column (``both 3.0 0``). There they are numbered as they come.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from lossctl.data.labels import Vocabulary, canonical
from lossctl.engine.job import Job
from lossctl.engine.wire.damage import damaged, item
from lossctl.engine.wire.notes import whole

__all__ = ["WordsIn", "WordsOut", "seen_in", "seen_out"]

Tree: TypeAlias = dict[str, Any]

KINDS = ("text", "number", "fraction")


def renamed(name: str, number: Any) -> str:
    """The name of a term with another number for its label, if it is about one."""
    what, *label = name.split(" ")
    if len(label) != 2:
        return name
    return f"{what} {float(number(float(label[0])))} {label[1]}"


class WordsOut:
    """Numbers the labels of a job that stand in its state."""

    def __init__(self, job: Job) -> None:
        self.codes = job.bound.vocabulary.codes
        self.known: dict[int, int] = {}
        self.named = bool(self.codes) and job.reduce.classes is not None

    def number(self, code: float) -> int:
        return self.known.setdefault(int(code), len(self.known))

    def term(self, name: str) -> str:
        return renamed(name, self.number) if self.named else name

    def labels(self) -> list[Any]:
        every = list(self.codes) if self.known else []
        return [every[code] for code in self.known]


class WordsIn:
    """The codes here of the labels that came."""

    def __init__(self, job: Job, labels: list[Any]) -> None:
        for label in labels:
            if isinstance(label, bool) or not isinstance(label, (int, float, str)):
                raise damaged("a label is neither text nor a number")
            if isinstance(label, (str, float)) and canonical(label if isinstance(label, str) else repr(label)) != label:
                raise damaged("a label is written in another way")
        if len(set(labels)) != len(labels):
            raise damaged("a label stands twice")
        self.codes = job.bound.vocabulary.codes_of(labels)
        self.named = bool(labels) and job.reduce.classes is not None

    def code(self, number: float) -> int:
        if not 0 <= number < len(self.codes):
            raise damaged("a label is missing")
        return self.codes[int(number)]

    def term(self, name: str) -> str:
        return renamed(name, self.code) if self.named else name


def seen_out(vocabulary: Vocabulary) -> Tree:
    """What the labels of each role were like."""
    roles = {
        role: {kind: list(there) for kind in KINDS if (there := getattr(seen, kind)) is not None}
        for role, seen in vocabulary.seen.items()
    }
    return {"positive": vocabulary.positive, "roles": roles}


def seen_in(tree: Tree, vocabulary: Vocabulary) -> None:
    """Add it to what was seen here."""
    found = []
    for role, kinds in item(tree, "roles", dict).items():
        for kind, there in kinds.items():
            row, text = there
            if kind not in KINDS or not isinstance(text, str):
                raise damaged("a label was seen nowhere")
            found.append((role, kind, whole(row), text))
    vocabulary.positive |= item(tree, "positive", bool)
    for one in found:
        vocabulary.note(*one)
