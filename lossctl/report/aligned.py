"""Sequences one above the other: reference, hypothesis and what was done to the one to get the other."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lossctl.report.records import places, samples_title
from lossctl.report.text import escape, number

if TYPE_CHECKING:
    from lossctl.engine.result import Sample, Samples

__all__ = ["aligned", "blocks", "is_alignment", "plain_columns"]

WIDTH = 100  # of a line where nobody says how wide the terminal is
NAMES = ("ref", "hyp", "")
GAP = "*"  # stands for a unit that the other side does not have


def is_alignment(thing: Any) -> bool:
    """Whether a detail is two sequences with their operations."""
    return isinstance(thing, Mapping) and {"ref", "hyp", "ops"} <= set(thing)


def plain_columns(samples: Samples) -> tuple[int, ...]:
    """The places of the details that go into a cell: all but alignments."""
    names = samples.detail_names
    return tuple(place for place, name in enumerate(names) if name.rpartition(".")[2] != "alignment" or listed(samples))


def listed(samples: Samples) -> bool:
    """Whether no sample has an alignment of two sequences."""
    return not any(is_alignment(detail) for sample in samples for detail in sample.details)


def blocks(samples: Samples, width: int | None, digits: int = 6) -> Iterator[str]:
    """The alignments of all samples, line by line; nothing where there is none."""
    if not samples.detail_names or listed(samples):
        return
    yield f"alignments of the {samples_title(samples)} (S substituted, D deleted, I inserted)\n"
    for sample in samples:
        for name, detail in zip(samples.detail_names, sample.details, strict=True):
            if is_alignment(detail):
                yield "\n"
                yield heading(sample, samples, name, digits) + "\n"
                yield from aligned(detail["ref"], detail["hyp"], detail["ops"], width or WIDTH)


def heading(sample: Sample, samples: Samples, name: str, digits: int) -> str:
    """The row and its value; ``name`` says of which loss, where several are aligned: ``wer.alignment``."""
    where = " / ".join("" if place is None else escape(str(place)) for place in places(sample))
    of = name.rpartition(".")[0]
    pairs = zip(samples.labels, sample.values, strict=True)
    values = ", ".join(f"{escape(label)} {number(value, digits)}" for label, value in pairs if of in {"", label})
    return f"{'/'.join(samples.key_names) or samples.per} {where}: {values}"


def aligned(ref: Sequence[str], hyp: Sequence[str], ops: str, width: int) -> Iterator[str]:
    """Three lines for as many units as fit into ``width``, then three more.

    ``ops`` has a letter for each pair: ``=`` the same, ``S``, ``D`` (only in ref), ``I`` (only in hyp).
    """
    cells = [column(one, other, op) for one, other, op in pairs(ref, hyp, ops)]
    room = max(width - 5, 8)
    line: list[tuple[str, str, str]] = []
    used = 0
    for cell in cells:
        size = columns_of(cell[0]) + 1
        if line and used + size > room:
            yield from drawn(line)
            line, used = [], 0
        line.append(cell)
        used += size
    if line:
        yield from drawn(line)


def pairs(ref: Sequence[str], hyp: Sequence[str], ops: str) -> Iterator[tuple[str | None, str | None, str]]:
    left, right = iter(ref), iter(hyp)
    for op in ops:
        yield None if op == "I" else next(left), None if op == "D" else next(right), op


def column(ref: str | None, hyp: str | None, op: str) -> tuple[str, str, str]:
    """The three cells of one pair, equally wide; what is missing is filled with stars."""
    one, other = ("" if text is None else visible(text) for text in (ref, hyp))
    size = max(columns_of(one), columns_of(other), 1)
    mark = "" if op == "=" else op
    return (
        padded(one, size) if ref is not None else GAP * size,
        padded(other, size) if hyp is not None else GAP * size,
        padded(mark, size),
    )


def visible(unit: str) -> str:
    """A unit that can be seen: blanks and controls are spelled out."""
    return "\u2423" if unit == " " else escape(unit)


def columns_of(text: str) -> int:
    """Columns that a text takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    none = sum(unicodedata.combining(c) > 0 or unicodedata.category(c) in {"Mn", "Me", "Cf"} for c in text)
    return len(text) + wide - none


def padded(text: str, size: int) -> str:
    return text + " " * (size - columns_of(text))


def drawn(line: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    for place, name in enumerate(NAMES):
        yield f"{name:<4} {' '.join(cell[place] for cell in line)}".rstrip() + "\n"
