"""Blocks of a page as text for a terminal or a pipe: filled to a width, terms beside what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from lossctl.report.page import Block, Code, Item, Line, Para, Section, Span, Style, Sub, folded, size
from lossctl.report.text import escape

__all__ = ["page_text", "wrapped"]

INDENT = 2
GAP = 2
TERM = 26  # a longer term stands above its meaning
NARROW = 28  # with less room than this, every term does
STYLES = {"bold": "1", "italic": "4", "title": "1;36"}

Word: TypeAlias = list[Span]


def page_text(blocks: Sequence[Block], *, width: int = 80, color: bool = False, encoding: str = "utf-8") -> str:
    """The blocks with a line end behind each line; ``color`` allows escape sequences, of ours only."""
    lines: list[str] = []
    for run in runs([inert(block, encoding) for block in blocks]):
        first = run[0]
        if lines:
            lines.append("")
        if isinstance(first, (Section, Sub)):
            style: Style = "title" if isinstance(first, Section) else "bold"
            lines += wrapped((Span(first.title, style),), width, color)
            run = run[1:]
        lines += body(run, width, color)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def inert(block: Block, encoding: str) -> Block:
    """The block with nothing in it that could act on a terminal or not be encoded."""

    def safe(line: Line) -> Line:
        return tuple(Span(escape(span.text, encoding), span.style) for span in line)

    if isinstance(block, (Section, Sub)):
        return block._replace(title=escape(block.title, encoding))
    if isinstance(block, Para):
        return Para(safe(block.line))
    if isinstance(block, Item):
        return Item(safe(block.term), tuple(map(safe, block.body)))
    return block._replace(text="\n".join(escape(line, encoding) for line in block.text.splitlines()))


def runs(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Blocks that stand without a blank line between them: a heading and what follows, items in a row."""
    run: list[Block] = []
    for block in blocks:
        together = run and not isinstance(block, (Section, Sub))
        together = together and (isinstance(run[-1], (Section, Sub)) or (type(run[-1]) is type(block) is Item))
        if run and not together:
            yield run
            run = []
        run.append(block)
    if run:
        yield run


def body(run: Sequence[Block], width: int, color: bool) -> Iterator[str]:
    items = [block for block in run if isinstance(block, Item)]
    column = term_column(items, width)
    for block in run:
        if isinstance(block, Item):
            yield from item(block, column, width, color)
        elif isinstance(block, Para):
            yield from (" " * INDENT + line for line in wrapped(block.line, width - INDENT, color))
        elif isinstance(block, Code):
            yield from code(block, width, color)


def term_column(items: Sequence[Item], width: int) -> int:
    """Where the meanings of a run of items begin."""
    sizes = [size(item.term) for item in items if size(item.term) <= TERM]
    column = INDENT + max(sizes, default=0) + GAP
    return column if width - column >= NARROW else INDENT + 4


def item(block: Item, column: int, width: int, color: bool) -> Iterator[str]:
    """The term, and its meaning beside it or, where there is no room, below."""
    term = " " * INDENT + paint(block.term, color)
    used = INDENT + size(block.term)
    lines = [line for part in block.body for line in wrapped(part, width - column, color)]
    if lines and used + GAP <= column:
        yield term + " " * (column - used) + lines.pop(0)
    else:
        yield from (" " * INDENT + line for line in wrapped(block.term, width - INDENT, color))
    yield from (" " * column + line for line in lines)


def code(block: Code, width: int, color: bool) -> Iterator[str]:
    """Lines as they are; one that is too long goes on below: a command at a blank, a formula at its gap."""
    room = width - INDENT - 2
    for line in block.text.splitlines():
        if block.runs:
            first, *rest = folded(line, room - 2)
            parts = [f"$ {first}", *(f"  {part}" for part in rest)]
        else:
            parts = at_gap(line) if len(line) > room else [line]
        yield from (" " * (INDENT + 2) + part for part in parts)


def at_gap(line: str) -> list[str]:
    """A formula and the case it holds for, one below the other."""
    gap = re.search(r"(?<=\S) {2,}(?=\S)", line)
    if gap is None:
        return [line]
    deeper = " " * (len(line) - len(line.lstrip()) + 4)
    return [line[: gap.start()], deeper + line[gap.end() :]]


def words(line: Line) -> list[Word]:
    """The line cut at blanks; a word keeps the styles of its pieces."""
    found: list[Word] = [[]]
    for span in line:
        for place, piece in enumerate(re.split(r"\s+", span.text)):
            if place:
                found.append([])
            if piece:
                found[-1].append(Span(piece, span.style))
    return [word for word in found if word]


def wrapped(line: Line, room: int, color: bool = False) -> Iterator[str]:
    """The line filled to the room; a word that is longer than the room is cut."""
    room = max(room, 8)
    row: list[Span] = []
    used = 0
    for word in (part for whole in words(line) for part in cut(whole, room)):
        length = size(tuple(word))
        if used and used + 1 + length > room:
            yield paint(row, color)
            row, used = [], 0
        if used:
            row.append(Span(" ", row[-1].style if row[-1].style == word[0].style else ""))
            used += 1
        row += word
        used += length
    if row:
        yield paint(row, color)


def cut(word: Word, room: int) -> Iterator[Word]:
    """The word, or one longer than the room in pieces: behind signs of punctuation if it can be."""
    if size(tuple(word)) <= room:
        yield word
        return
    for span in word:
        row = ""
        for piece in re.findall(r"[^(),=./_|]*[(),=./_|]+|[^(),=./_|]+", span.text):
            if row and len(row) + len(piece) > room:
                yield [Span(row, span.style)]
                row = ""
            row += piece
            while len(row) > room:
                yield [Span(row[:room], span.style)]
                row = row[room:]
        if row:
            yield [Span(row, span.style)]


def paint(spans: Sequence[Span], color: bool) -> str:
    """The letters, with escape sequences for their styles where these are allowed."""
    parts = []
    for span in spans:
        code = STYLES.get(span.style) if color else None
        parts.append(f"\x1b[{code}m{span.text}\x1b[0m" if code else span.text)
    return "".join(parts)
