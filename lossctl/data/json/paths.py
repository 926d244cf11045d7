"""Dotted paths into JSON objects: the columns that the first rows show, and the way to each.

``a.b`` is a key in an object, ``choices.0.message`` goes through a list. Numbers in a list are one column. A name
behind a list stands for that key of each of its objects (``content.logprob``), ``*`` for the only one they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from lossctl.data.cells import looks_numeric
from lossctl.data.labels import class_order
from lossctl.data.source import Column, ColumnType

__all__ = ["JsonColumn", "Steps", "dig", "is_scores", "leaf_column", "reach", "survey", "word"]

Steps: TypeAlias = tuple[str | int, ...]

EACH, ONLY = -1, -2  # steps: every item of a list, the one value of an object
_ROWS, _BYTES = 100, 1 << 22  # of the first lines
_ITEMS = 16  # objects of one list that make columns of their own
_DEPTH = 32
_SCORES = {"label", "prob"}


class JsonColumn(NamedTuple):
    """A column and the steps that lead to it."""

    column: Column
    steps: Steps


def word(cell: object) -> str:
    """A scalar as text: as it stands if it is text, else as Python or JSON writes it (3, 1.5, true)."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell + 0 if isinstance(cell, float) else cell)  # -0.0 and 0.0 are one value


def dig(value: Any, steps: Steps) -> Any:
    """What stands at the end of the steps; ``None`` where they lead nowhere.

    An object of several keys where one is wanted is handed back as it is, which no reader takes for a number.
    """
    for at, step in enumerate(steps):
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        elif step == EACH:
            return [dig(item, steps[at + 1 :]) for item in value] if isinstance(value, list) else None
        elif step == ONLY:
            if isinstance(value, dict) and len(value) != 1:
                return value
            value = next(iter(value.values())) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and step < len(value) else None
    return value


def reach(value: Any, name: str) -> Steps | None:
    """The steps that a dotted name stands for in this value; keys may hold dots themselves."""
    if isinstance(value, list):
        head, _, rest = name.partition(".")
        if not (head.isascii() and head.isdigit() and len(head) < 10):
            return _each(value, name)
        if int(head) >= len(value):
            return None
        inner = reach(value[int(head)], rest) if rest else ()
        return None if inner is None else (int(head), *inner)
    if not isinstance(value, dict):
        return None
    if name in value:
        return (name,)
    for key, item in value.items():
        if name.startswith(f"{key}.") and (inner := reach(item, name[len(key) + 1 :])) is not None:
            return (key, *inner)
    return None


def _each(items: list[Any], name: str) -> Steps | None:
    """The way to a key of the objects of a list; ``*`` is the only key, whatever it is called."""
    head, _, rest = name.partition(".")
    for item in items:
        if isinstance(item, dict):
            inner = reach(item, name)
            if inner is not None:
                return (EACH, *inner)
            if head == "*" and len(item) == 1:
                inner = reach(next(iter(item.values())), rest) if rest else ()
                if inner is not None:
                    return (EACH, ONLY, *inner)
    return None


def shape_of(value: Any) -> tuple[int, ...]:
    """How many items a list holds, its first item, and so on: () for what is no list."""
    shape: tuple[int, ...] = ()
    while isinstance(value, list) and len(shape) < _DEPTH:
        shape += (len(value),)
        value = value[0] if value else None
    return shape


def is_scores(value: Any) -> bool:
    """Whether this is a list of label and probability, each in an object of its own."""
    return bool(value) and all(
        isinstance(item, dict) and item.keys() == _SCORES and not isinstance(item["label"], (dict, list))
        for item in value
    )


class _Seen:
    """What the first rows held at one place."""

    def __init__(self) -> None:
        self.words: dict[str, None] = {}
        self.list: list[Any] | None = None  # the first one that is not empty
        self.lists = False

    def add(self, value: Any) -> None:
        if isinstance(value, list):
            self.lists = True
            self.list = self.list or value
        elif value is not None:
            kinds = {bool: "true or false", str: "text", dict: "an object"}
            self.words[kinds.get(type(value), "number")] = None

    def column(self, name: str) -> Column:
        if not self.lists:
            kind: ColumnType = "other" if "an object" in self.words else "cell"
            return Column(name, kind, None, " or ".join(self.words) or "null")
        if self.list is None:
            return Column(name, "real", 0, "list")
        if is_scores(self.list):
            classes = class_order([word(item["label"]) for item in self.list])
            return Column(name, "real", len(classes), "list of label and prob", classes=classes)
        shape = shape_of(self.list)
        leaf: Any = self.list
        for _ in shape:
            leaf = leaf[0] if leaf else None
        if isinstance(leaf, str) and not looks_numeric(leaf) and len(shape) == 1:
            return Column(name, "text", 0, "list of text")
        if isinstance(leaf, dict) or (isinstance(leaf, str) and not looks_numeric(leaf)):
            return Column(name, "other", None, "list of objects" if isinstance(leaf, dict) else "lists of text")
        width = 1
        for size in shape:
            width *= size
        sizes = " x ".join(map(str, shape))
        return Column(name, "real", width, f"list of {sizes} numbers", shape if len(shape) > 1 else ())


def leaf_column(name: str, value: Any) -> Column:
    """The column of one value found by its path."""
    seen = _Seen()
    seen.add(value)
    return seen.column(name)


def survey(objects: Iterable[tuple[int, Any]]) -> list[JsonColumn]:
    """The columns of the first rows, in order of appearance; ``objects`` come with their size in bytes."""
    seen: dict[Steps, _Seen] = {}
    total = 0
    for count, (size, value) in enumerate(objects, 1):
        for steps, item in _walk(value, ()):
            seen.setdefault(steps, _Seen()).add(item)
        total += size
        if count >= _ROWS or total >= _BYTES:
            break
    above = {steps[:n] for steps in seen for n in range(1, len(steps))}
    found = []
    for steps, what in seen.items():
        if not (steps in above and not what.words and not what.lists):  # null here, an object in another row
            name = ".".join(map(str, steps))
            found.append(JsonColumn(what.column(name), steps))
    return found


def _walk(value: Any, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    """Every value that makes a column, with its steps."""
    if len(steps) < _DEPTH and isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, (*steps, key))
    elif len(steps) < _DEPTH and isinstance(value, list) and any(isinstance(item, dict) for item in value[:_ITEMS]):
        if is_scores(value):
            yield steps, value
            return
        for at, item in enumerate(value[:_ITEMS]):
            yield from _walk(item, (*steps, at))
    else:
        yield steps, value
