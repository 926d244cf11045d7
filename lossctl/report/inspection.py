"""What ``inspect`` found, for a reader and as ``lossctl.inspect/1``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lossctl import __version__
from lossctl.data.roles import columns as cols
from lossctl.report.advice import Advice
from lossctl.report.guess import is_label
from lossctl.report.page import Block, Code, Item, Line, Para, Section, Span, bold, literal
from lossctl.report.survey import Facts, Survey
from lossctl.report.text import number

__all__ = ["inspection_blocks", "inspection_json"]

SHOWN = 40  # columns of one file that a reader gets to see
WIDE = 32  # letters of one value


def inspection_json(surveys: Sequence[Survey], advice: Advice) -> dict[str, Any]:
    """The document ``lossctl.inspect/1``; additive only."""
    return {
        "schema": "lossctl.inspect/1",
        "lossctl": __version__,
        "files": [file_json(survey, place, advice) for place, survey in enumerate(surveys)],
        "classes": advice.classes,
        "losses": advice.losses,
        "command": advice.command,
        "notes": advice.notes,
    }


def file_json(survey: Survey, place: int, advice: Advice) -> dict[str, Any]:
    source = survey.source
    return {
        "name": source.name,
        "format": source.format,
        "files": file_count(survey),
        "rows": survey.rows,
        "partial": survey.partial,
        "columns": [column_json(f, advice.roles.get((place, f.column.name), [])) for f in survey.facts],
        "keys": cols.key_columns(source),
        "weights": cols.weight_columns(source),
        "groups": groups(survey, place, advice),
        "notes": list(source.notes),
    }


def column_json(facts: Facts, roles: Sequence[str]) -> dict[str, Any]:
    column, number = facts.column, facts.kind == "number"
    return {
        "name": column.name,
        "type": facts.kind,
        "dtype": column.dtype,
        "width": column.width,
        "axes": list(column.axes),
        "roles": list(roles),
        "missing": None if facts.unreadable else facts.missing,
        "infinite": facts.infinite if number else None,
        "whole": facts.whole if number and facts.low is not None else None,
        "min": facts.low if number else None,
        "max": facts.high if number else None,
        "distinct": facts.distinct,
        "lengths": None if facts.lengths is None else list(facts.lengths),
        "values": facts.values,
        "note": facts.note,
    }


def file_count(survey: Survey) -> int | None:
    """How many files a directory or a pattern stands for; ``None`` where one file is named."""
    files = getattr(survey.source, "files", None)
    return None if files is None else len(files)


def groups(survey: Survey, place: int, advice: Advice) -> list[str]:
    """Columns by which slices make sense: labels of a few kinds that play no part."""
    taken = {*cols.key_columns(survey.source), *cols.weight_columns(survey.source)}
    return [
        facts.column.name
        for facts in survey.facts
        if facts.distinct is not None and 1 < facts.distinct <= 20 and is_label(facts)
        if facts.column.name not in taken and (place, facts.column.name) not in advice.roles
    ]


def inspection_blocks(surveys: Sequence[Survey], advice: Advice) -> list[Block]:
    """The same for a reader."""
    blocks: list[Block] = []
    for place, survey in enumerate(surveys):
        blocks += file_blocks(survey, place, advice)
    if advice.classes:
        blocks += [Section("CLASSES"), Para(literal(shortened(advice.classes)))]
    if advice.losses:
        blocks += [Section("LOSSES THAT TAKE THIS AS IT IS"), Para(literal(", ".join(advice.losses)))]
    blocks.append(Section("NEXT"))
    if advice.command:
        blocks.append(Code(advice.command, runs=True))
    blocks += [Para(literal(note)) for note in advice.notes]
    return blocks


def file_blocks(survey: Survey, place: int, advice: Advice) -> Iterator[Block]:
    """One file: what it is, its columns, and what may name, weigh and group its rows."""
    source, count = survey.source, len(survey.facts)
    rows = f"{'the first ' if survey.partial else ''}{counted(survey.rows, 'row')}"
    files = "" if (several := file_count(survey)) is None else f"{counted(several, 'file')}, "
    yield Section(f"{source.name}: {source.format}, {files}{rows}, {counted(count, 'column')}")
    for facts in survey.facts[:SHOWN]:
        roles = advice.roles.get((place, facts.column.name), [])
        body: list[Line] = [literal(described(facts))]
        if facts.note:
            body.append(literal(facts.note))
        if roles:
            body.append((Span("as "), Span(", ".join(roles), "bold")))
        yield Item(bold(facts.column.name), tuple(body))
    if count > SHOWN:
        yield Item(literal("..."), (literal(f"and {count - SHOWN:,} more: -f json shows all"),))
    hints = (
        (cols.key_columns(source), "--key"),
        (cols.weight_columns(source), "--weight"),
        (groups(survey, place, advice), "--by"),
    )
    free = [([n for n in names if (place, n) not in advice.roles], option) for names, option in hints]
    said = [f"{', '.join(names)} ({option})" for names, option in free if names]
    if said:
        yield Para(literal(f"Also to be named: {'; '.join(said)}."))
    yield from (Para(literal(note)) for note in source.notes)


def counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def described(facts: Facts) -> str:
    """Type, range, what is missing, first values."""
    column = facts.column
    if facts.unreadable:
        return f"not read: {column.dtype}"
    typed = column.dtype if column.type != "cell" else ""
    if facts.lists:
        return listed(facts)
    parts = [" ".join(filter(None, [kind_words(facts), f"({typed})" if typed else ""]))]
    if facts.kind == "number" and facts.low is not None and facts.high is not None:
        parts.append(f"{number(facts.low)} to {number(facts.high)}")
    if facts.kind == "text" and facts.distinct is not None:
        parts.append(f"{facts.distinct:,} different")
    if facts.missing:
        parts.append("all missing" if facts.missing == facts.rows else f"{facts.missing:,} missing")
    if facts.infinite:
        parts.append(f"{facts.infinite:,} infinite")
    values = [value if len(value) <= WIDE else f"{value[: WIDE - 3]}..." for value in facts.values]
    room = 1 if column.width is not None else 3
    first = ", ".join(value or "(empty)" for value in values[:room])
    more = ", ..." if facts.rows > room else ""
    return f"{', '.join(parts)}: {first}{more}" if first else ", ".join(parts)


def listed(facts: Facts) -> str:
    """Lists: how long, of what, the first one."""
    low, high = facts.lengths or (0, 0)
    what = "words" if facts.text else "whole numbers" if facts.whole and facts.low is not None else "numbers"
    if facts.column.axes:
        what = f"lists of {facts.column.axes[-1] or 'some'} {what}"
    parts = [f"lists of {f'{low} to {high}' if low < high else high} {what}"]
    if facts.low is not None and facts.high is not None:
        parts.append(f"{number(facts.low)} to {number(facts.high)}")
    if facts.missing:
        parts.append(f"{facts.missing:,} missing")
    more = ", ..." if facts.rows > 1 else ""
    return f"{', '.join(parts)}: {facts.values[0]}{more}" if facts.values else ", ".join(parts)


def kind_words(facts: Facts) -> str:
    column = facts.column
    if facts.kind == "text":
        return "text"
    words = "whole numbers" if facts.whole and facts.low is not None else "numbers"
    sizes = column.axes or ((column.width,) if column.width else ())
    return f"{' x '.join(map(str, sizes))} {words} a row" if sizes else words


def shortened(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12])
    return shown if len(names) <= 12 else f"{shown}, ... ({len(names)} in all)"
