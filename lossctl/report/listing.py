"""The list of losses as text: one line a loss in a pipe, filled to the width on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lossctl import index
from lossctl.report.page import Span, bold, literal, size
from lossctl.report.pagetext import paint, wrapped

__all__ = ["counted", "listing"]

INDENT = 2
GAP = 2
LEAST = 24  # less room than this beside a name, and the title stands below it


def listing(families: Mapping[str, Sequence[str]], *, width: int | None, color: bool) -> Iterator[str]:
    """Lines for the losses of each family; without a width each loss is one line, however long."""
    every = [name for names in families.values() for name in names]
    column = INDENT + max(map(len, every), default=0) + GAP
    titles = max((len(index.INDEX[name][1]) for name in every), default=0)
    for place, (family, names) in enumerate(families.items()):
        if place:
            yield ""
        head = (Span(family, "bold"), Span(f": {index.heading(family)}"))
        yield from [paint(head, color)] if width is None else wrapped(head, width, color)
        for name in names:
            yield from entry(name, column, titles, width, color)


def entry(name: str, column: int, titles: int, width: int | None, color: bool) -> Iterator[str]:
    """Name, title, other names in brackets."""
    _, title, aliases, _ = index.INDEX[name]
    also = f"({', '.join(aliases)})" if aliases else ""
    start = " " * INDENT + paint(bold(name), color)
    pad = " " * (column - INDENT - len(name))
    if width is None:
        yield f"{start}{pad}{title:<{titles}}  {also}".rstrip()
        return
    if width - column < LEAST:
        column, pad = INDENT + 2, ""
        yield start
        start = " " * column
    line = literal(f"{title} {also}".rstrip())
    rows = [line] if size(line) <= width - column or not also else [literal(title), literal(also)]
    parts = [part for row in rows for part in wrapped(row, width - column, color)]
    yield f"{start}{pad}{parts[0]}"
    yield from (" " * column + part for part in parts[1:])


def counted(names: Sequence[str]) -> str:
    """How many losses, under how many names."""
    records: list[Any] = [index.INDEX[name] for name in names]
    aliases = sum(len(others) for _, _, others, _ in records)
    losses = "1 loss" if len(names) == 1 else f"{len(names)} losses"
    return f"{losses}, and {aliases} other name{'' if aliases == 1 else 's'} for {'it' if len(names) == 1 else 'them'}"
