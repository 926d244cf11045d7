"""GitHub tables: the samples, then the results; many files side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING

from lossctl.report.aligned import blocks, plain_columns
from lossctl.report.records import (
    STATS,
    account,
    beside,
    detail_text,
    group_cells,
    has_intervals,
    has_results,
    is_keyed,
    parts_of,
    places,
    sample_names,
    samples_title,
    statistic,
    unit,
)
from lossctl.report.scores import lines, loss_columns, score_account, was_dropped
from lossctl.report.text import chunked, escape, number, value_text

if TYPE_CHECKING:
    from lossctl.engine.result import Report, Samples
    from lossctl.engine.scores import Scores

__all__ = ["markdown", "score_markdown"]

# What GitHub would read as markup; an underscore inside a word is none.
_MARKUP = re.compile(r"[\\`*\[\]<>|~&]|(?<![^\W_])_|_(?![^\W_])")


def markdown(report: Report, *, digits: int = 6) -> Iterator[str]:
    """The report as Markdown, numbers to so many digits."""
    return chunked(_lines(report, digits))


def score_markdown(scores: Scores, *, digits: int = 6) -> Iterator[str]:
    """Many files as a table of Markdown, the best of each column in bold."""
    return chunked(_score_lines(scores, digits))


def _score_lines(scores: Scores, digits: int) -> Iterator[str]:
    failed, dropped = bool(scores.errors), was_dropped(scores)
    heads = [name for names in loss_columns(scores) for name in names]
    names = ("input", "rows", *(["dropped"] if dropped else []), *heads, *(["error"] if failed else []))
    yield from _head(names, {0, *([len(names) - 1] if failed else [])})
    for line in lines(scores, digits):
        cells = [line.file.name, line.scored, *([line.dropped] if dropped else [])]
        strong = set()
        for found, first in zip(line.losses, line.best, strict=True):
            strong |= {len(cells)} if first else set()
            cells += found
        yield _row([*cells, *([line.error] if failed else [])], strong)
    yield f"\n{'; '.join(map(_inert, score_account(scores, 'bold:')))}\n"


def _lines(report: Report, digits: int) -> Iterator[str]:
    if report.samples is not None:
        yield f"**{_inert(samples_title(report.samples))}**\n\n"
        yield from _samples(report.samples, digits)
        yield "\n"
        if found := list(blocks(report.samples, None, digits)):
            yield from ("```text\n", *found, "```\n\n")
    if has_results(report):
        yield from _results(report, digits)
        yield "\n"
        if told := [line for result in report.results if (line := beside(result, digits))]:
            yield from (f"{_inert(line)}\n" for line in told)
            yield "\n"
    yield f"{_inert('; '.join(account(report)))}\n"


def _samples(samples: Samples, digits: int) -> Iterator[str]:
    names = sample_names(samples)
    keyed = set(range(len(names))) if is_keyed(samples) else set()
    shown = plain_columns(samples)
    told = [samples.detail_names[place] for place in shown]
    count = len(names) + 1 + len(samples.labels)
    left = {len(names), *range(count, count + len(told))}
    yield from _head((*names, "status", *samples.labels, *told), keyed | left)
    for sample in samples:
        where = ("" if place is None else str(place) for place in places(sample))
        details = (detail_text(sample.details[place]) or "" for place in shown)
        yield _row([*where, sample.status, *(number(value, digits) for value in sample.values), *details])


def _results(report: Report, digits: int) -> Iterator[str]:
    stats = STATS if any(result.stats for result in report.results) else ()
    parts, bounds = parts_of(report.results), ("ci low", "ci high") if has_intervals(report.results) else ()
    names = ("loss", "reduction", *report.by, *parts, "n", "value", *bounds, *stats, "unit")
    left = {*range(2 + len(report.by) + len(parts)), len(names) - 1}
    yield from _head(names, left)
    for result in report.results:
        yield _row(
            [
                result.label,
                result.reduction,
                *group_cells(result, report.by, parts),
                str(result.n),
                value_text(result, digits),
                *(number(getattr(result.ci, name[3:], None), digits) for name in bounds),
                *(statistic(result, name, digits) for name in stats),
                unit(result),
            ]
        )


def _head(names: Sequence[str], left: set[int]) -> Iterator[str]:
    yield _row(names)
    yield "|" + "|".join(" --- " if place in left else " ---: " for place in range(len(names))) + "|\n"


def _row(cells: Sequence[str], strong: Set[int] = frozenset()) -> str:
    inert = [f"**{_inert(cell)}**" if place in strong else _inert(cell) for place, cell in enumerate(cells)]
    return "| " + " | ".join(inert) + " |\n"


def _inert(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", escape(text))
