"""The words of the manual: text files in ``pages``, and the tables that code fills into them.

In a text file ``% `` opens the title of a topic, ``# `` a heading, ``$ `` a command that runs, ``@`` names a
table, ``term :: meaning`` is an item, and everything else a paragraph; `backquotes` hold what is typed as it
stands, <angles> what the reader puts in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from lossctl.report.page import Block, Code, Item, Para, Section, say

__all__ = ["title", "topics", "words"]

FOLDER = os.path.join(os.path.dirname(__file__), "pages")
TITLE = "% "


def read(name: str) -> str:
    """The text file of a command or a topic; empty where there is none."""
    try:
        with open(os.path.join(FOLDER, f"{name}.txt"), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def topics() -> list[str]:
    """Every subject of its own, sorted: the text files with a title."""
    names = sorted(file.removesuffix(".txt") for file in os.listdir(FOLDER))
    return [name for name in names if read(name).startswith(TITLE)]


def title(name: str) -> str:
    return read(name).partition("\n")[0].removeprefix(TITLE)


def words(name: str) -> list[Block]:
    """What the manual says about a command or a topic, tables filled in."""
    return list(blocks(read(name)))


def blocks(text: str) -> Iterator[Block]:
    from lossctl.report.tables import TABLES

    for part in text.split("\n\n"):
        line = " ".join(part.split())
        term, sign, meaning = line.partition(" :: ")
        if line.startswith("# "):
            yield Section(line[2:])
        elif line.startswith("$ "):
            yield Code(line[2:], runs=True)
        elif line.startswith("@"):
            yield from TABLES[line[1:]]()
        elif sign:
            yield Item(say(term), (say(meaning),))
        elif line and not line.startswith(TITLE):
            yield Para(say(line))
