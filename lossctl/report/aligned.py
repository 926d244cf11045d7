"""Sequences one above the other: reference, hypothesis and edits; or labels, their frames and what these cost."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from lossctl.report.records import places, samples_title
from lossctl.report.text import escape, number

if TYPE_CHECKING:
    from lossctl.engine.result import Sample, Samples

__all__ = ["aligned", "blocks", "plain_columns", "segments"]

WIDTH = 100  # of a line where nobody says how wide the terminal is
GAP = "*"  # stands for a unit that the other side does not have
NAME = "alignment"
EDITS = "S substituted, D deleted, I inserted"
FRAMES = "labels, their frames (from 0), the cost"

Cell: TypeAlias = tuple[str, str, str]  # what stands one above the other


def is_alignment(thing: Any) -> bool:
    """Whether a detail is two sequences with their operations."""
    return isinstance(thing, Mapping) and {"ref", "hyp", "ops"} <= set(thing)


def is_segments(thing: Any) -> bool:
    """Whether a detail says where labels stand."""
    return isinstance(thing, list) and bool(thing) and all(isinstance(one, Mapping) for one in thing)


def plain_columns(samples: Samples) -> tuple[int, ...]:
    """The places of the details that go into a cell: all but alignments."""
    names = samples.detail_names
    return tuple(place for place, name in enumerate(names) if name.rpartition(".")[2] != NAME)


def blocks(samples: Samples, width: int | None, digits: int = 6, encoding: str = "utf-8") -> Iterator[str]:
    """The alignments of all samples, line by line; nothing where there is none."""
    names, room = samples.detail_names, width or WIDTH
    if len(plain_columns(samples)) == len(names):
        return
    told: list[str] = []
    for sample in samples:
        for name, detail in zip(names, sample.details, strict=True):
            edits = is_alignment(detail)
            if not edits and not is_segments(detail):
                continue
            if (legend := EDITS if edits else FRAMES) not in told:
                yield "\n" if told else f"alignments of {samples_title(samples)}\n"
                yield f"{legend}\n"
                told.append(legend)
            yield "\n"
            yield from (f"{part}\n" for part in cut(heading(sample, samples, name, digits), width or 1_000_000))
            if edits:
                yield from aligned(detail["ref"], detail["hyp"], detail["ops"], room, encoding)
            else:
                yield from segments(detail, room, encoding)


def heading(sample: Sample, samples: Samples, name: str, digits: int) -> str:
    """The row and its value; ``name`` says of which loss, where several are aligned: ``wer.alignment``."""
    where = " / ".join("" if place is None else escape(str(place)) for place in places(sample))
    of = name.rpartition(".")[0]
    pairs = zip(samples.labels, sample.values, strict=True)
    values = ", ".join(f"{escape(label)} {number(value, digits)}" for label, value in pairs if of in {"", label})
    return f"{'/'.join(map(escape, samples.key_names)) or samples.per} {where}: {values}"


def aligned(ref: Sequence[str], hyp: Sequence[str], ops: str, width: int, encoding: str = "utf-8") -> Iterator[str]:
    """Three lines for as many units as fit into ``width``, then three more.

    ``ops`` has a letter for each pair: ``=`` the same, ``S``, ``D`` (only in ref), ``I`` (only in hyp).
    """
    room = max(width - 5, 8)
    cells = (cell for pair in pairs(ref, hyp, ops) for cell in column(*pair, room, encoding))
    yield from stacked(("ref", "hyp", ""), cells, room)


def segments(found: Sequence[Mapping[str, Any]], width: int, encoding: str = "utf-8") -> Iterator[str]:
    """Labels above their frames and what these cost, as many as fit into ``width``, then more."""
    cells = []
    for one in found:
        first, last = one["first"], one["last"]
        frames = str(first) if first == last else f"{first}-{last}"
        texts = (visible(str(one["label"]), encoding), frames, number(one["score"], 3))
        size = max(map(columns_of, texts))
        cells.append((padded(texts[0], size), padded(texts[1], size), padded(texts[2], size)))
    yield from stacked(("label", "frame", "cost"), cells, max(width - 7, 8))


def stacked(names: Sequence[str], cells: Iterator[Cell] | Sequence[Cell], room: int) -> Iterator[str]:
    """The lines of as many cells as fit into ``room`` columns, under their names, then those of the next ones."""
    line: list[Cell] = []
    used = 0
    for cell in cells:
        size = columns_of(cell[0]) + 1
        if line and used + size > room + 1:  # no blank behind the last one
            yield from drawn(names, line)
            line, used = [], 0
        line.append(cell)
        used += size
    if line:
        shown = list(drawn(names, line))
        yield from shown[: 2 if shown[2] == "\n" else 3]


def pairs(ref: Sequence[str], hyp: Sequence[str], ops: str) -> Iterator[tuple[str | None, str | None, str]]:
    left, right = iter(ref), iter(hyp)
    for op in ops:
        yield None if op == "I" else next(left), None if op == "D" else next(right), op


def column(ref: str | None, hyp: str | None, op: str, room: int, encoding: str) -> Iterator[Cell]:
    """The cells of one pair, all three equally wide; what is missing is filled with stars.

    There are several where a unit is wider than ``room``.
    """
    sides = [[""] if text is None else list(cut(visible(text, encoding), room)) for text in (ref, hyp)]
    for place in range(max(map(len, sides))):
        one, other = (side[place] if place < len(side) else "" for side in sides)
        size = max(columns_of(one), columns_of(other), 1)
        yield (
            padded(one, size) if ref is not None else GAP * size,
            padded(other, size) if hyp is not None else GAP * size,
            padded("" if op == "=" or place else op, size),
        )


def cut(text: str, room: int) -> Iterator[str]:
    """The text in pieces of at most so many columns; a mark stays with its letter."""
    start = used = 0
    for place, sign in enumerate(text):
        size = columns_of(sign)
        if used + size > room:
            yield text[start:place]
            start, used = place, 0
        used += size
    yield text[start:]


def visible(unit: str, encoding: str = "utf-8") -> str:
    """A unit that can be seen: blanks and controls are spelled out."""
    if unit == " ":
        return "\u2423" if encoding.lower().startswith("utf") else "_"
    return escape(unit, encoding)


def columns_of(text: str) -> int:
    """Columns that a text takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    none = sum(unicodedata.combining(c) > 0 or unicodedata.category(c) in {"Mn", "Me", "Cf"} for c in text)
    return len(text) + wide - none


def padded(text: str, size: int) -> str:
    return text + " " * (size - columns_of(text))


def drawn(names: Sequence[str], line: Sequence[Cell]) -> Iterator[str]:
    size = max(map(len, names)) + 1
    for place, name in enumerate(names):
        yield f"{name:<{size}} {' '.join(cell[place] for cell in line)}".rstrip() + "\n"
