"""A page of the manual as plain data: what it says, not how it looks on paper or on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

__all__ = [
    "Block",
    "Code",
    "Item",
    "Line",
    "Page",
    "Para",
    "Section",
    "Span",
    "Sub",
    "bold",
    "folded",
    "literal",
    "say",
    "size",
]

Style: TypeAlias = Literal["", "bold", "italic", "title"]


class Span(NamedTuple):
    """Some letters in one style; ``italic`` is for what the reader puts in."""

    text: str
    style: Style = ""


Line: TypeAlias = tuple[Span, ...]


class Section(NamedTuple):
    """A heading."""

    title: str


class Sub(NamedTuple):
    """A heading within a section."""

    title: str


class Para(NamedTuple):
    """Words that fill lines."""

    line: Line


class Item(NamedTuple):
    """A term and what it means, in one or more paragraphs."""

    term: Line
    body: tuple[Line, ...]


class Code(NamedTuple):
    """Lines that stay as they are; ``runs`` marks a command to type."""

    text: str
    runs: bool = False


Block: TypeAlias = Section | Sub | Para | Item | Code


class Page(NamedTuple):
    """``lossctl-compute`` of section 1, say. ``blocks`` begin with a ``Section``."""

    name: str
    section: int
    blocks: Sequence[Block]


def literal(text: str) -> Line:
    """The text as it stands: nothing in it is markup."""
    return (Span(text),)


def bold(text: str) -> Line:
    return (Span(text, "bold"),)


def say(text: str) -> Line:
    """Prose in which `backquotes` hold what is typed as it stands, and <angles> what the reader puts in.

    >>> say("see `list`, <FILE>")
    (Span(text='see ', style=''), Span(text='list', style='bold'), Span(text=', ', style=''), \
Span(text='FILE', style='italic'))
    """
    import re

    marks: dict[str, Style] = {"`": "bold", "<": "italic"}
    parts = re.split(r"(`[^`]+`|<[A-Z|:a-z-]+>)", text)
    return tuple(Span(part[1:-1], marks[part[0]]) if i % 2 else Span(part) for i, part in enumerate(parts) if part)


def folded(command: str, room: int) -> list[str]:
    r"""A command in lines of the room, each but the last ending in a backslash, as a shell reads it.

    >>> folded("lossctl compute mse a.csv", 16)
    ['lossctl \\', '    compute \\', '    mse a.csv']
    """
    import re

    words = re.findall(r"(?:'[^']*'|\"[^\"]*\"|\S)+", command)
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) + 3 > room:
            lines.append(f"    {word}")
        else:
            lines[-1] += f" {word}"
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


def size(line: Line) -> int:
    """How many letters the line has."""
    return sum(len(span.text) for span in line)
