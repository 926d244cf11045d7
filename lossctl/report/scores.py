"""Many files side by side, for people: one row for each file, one column for each loss, in any kind of table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lossctl.engine.scores import best, goal
from lossctl.report.records import STATS, has_intervals, parts_of
from lossctl.report.text import number, value_text

if TYPE_CHECKING:
    from lossctl.engine.result import Report, Result
    from lossctl.engine.scores import FileReport, Scores
    from lossctl.errors import LossctlError

__all__ = ["Line", "lines", "loss_columns", "score_account", "was_dropped"]


class Line(NamedTuple):
    """A file: what became of its rows, and for each loss its cells, the first of which is the value."""

    file: FileReport
    scored: str
    dropped: str
    losses: Sequence[Sequence[str]]
    best: Sequence[bool]  # of the values
    error: str


def loss_columns(scores: Scores) -> list[tuple[str, ...]]:
    """For each loss the names of its columns: the label, bounds, statistics."""
    bounds, stats = parts_shown(scores)
    return [(label, *bounds, *stats) for label in scores.labels]


def parts_shown(scores: Scores) -> tuple[Sequence[str], Sequence[str]]:
    every = scores.every()
    stats = STATS if any(result.stats for result in every) else ()
    return ("ci low", "ci high") if has_intervals(every) else (), stats


def was_dropped(scores: Scores) -> bool:
    return any(file.report is not None and sum(file.report.dropped.values()) for file in scores.files)


def lines(scores: Scores, digits: int) -> Iterator[Line]:
    """The table line by line; totals only."""
    bounds, stats = parts_shown(scores)
    labels = scores.labels

    def cells(result: Result | None) -> list[str]:
        if result is None:
            return ["" for _ in ("value", *bounds, *stats)]
        found = result.stats or {}
        return [
            value_text(result, digits),
            *(number(getattr(result.ci, name[3:], None), digits) for name in bounds),
            *(number(found.get(name), digits) for name in stats),
        ]

    for file, marks in zip(scores.files, best(scores), strict=True):
        totals = [file.total(label) for label in labels]
        first = [any(m and r is total for r, m in zip(file.results, marks, strict=True)) for total in totals]
        report = file.report
        scored = "" if report is None else f"{report.scored:,}"
        dropped = "" if report is None else f"{sum(report.dropped.values()):,}"
        yield Line(file, scored, dropped, [cells(total) for total in totals], first, reason(file.error))


def score_account(scores: Scores, mark: str) -> tuple[str, ...]:
    """What must be known to read the table, in words; ``mark`` is how the best values look."""
    reports = [file.report for file in scores.files if file.report is not None]
    count = len(scores.files)
    files = f"{count:,} file{'' if count == 1 else 's'}"
    failed = f"{len(scores.errors):,} could not be scored" if scores.errors else ""
    weights = {name for r in reports for source in r.inputs for name in source.columns.get("weight", ())}
    slices = [*scores.by, *parts_of(scores.every())]
    partial = "partial: not all rows were read" if any(report.partial for report in reports) else ""
    return tuple(
        filter(
            None,
            (
                ", ".join(filter(None, (files, failed))),
                reductions(scores),
                f"{mark} best of its column{goals(scores)}" if any(map(any, best(scores))) else "",
                *(f"weighted by {name}" for name in sorted(weights)),
                dropped_words(reports),
                partial,
                f"totals; each {', '.join(slices)} is in plain, csv and json" if slices else "",
            ),
        )
    )


def reductions(scores: Scores) -> str:
    """How each loss is reduced, in as few words as that takes."""
    labels: dict[str, dict[str, None]] = {}
    for result in scores.every():
        labels.setdefault(result.reduction, {})[result.label] = None
    if len(labels) <= 1:
        return "".join(labels)
    usual = max(labels, key=lambda reduction: len(labels[reduction]))
    others = [f"{', '.join(labels[reduction])}: {reduction}" for reduction in labels if reduction != usual]
    return f"{usual} ({'; '.join(others)})"


def goals(scores: Scores) -> str:
    """Which values are the best, where that is not the least."""
    labels: dict[str, dict[str, None]] = {}
    for result in scores.every():
        labels.setdefault(goal(result), {})[result.label] = None
    if len(labels) == 1:
        return "" if "least" in labels else f": the {next(iter(labels))}"
    others = [f"the {word} of {', '.join(labels[word])}" for word in labels if word != "least"]
    return f": {', '.join(others)}{', else the least' if 'least' in labels else ''}"


def reason(error: LossctlError | None) -> str:
    """Why a file could not be scored, without its path, which stands in the same row."""
    return "" if error is None else error.message.removeprefix(f"{error.file}: ").removeprefix(f"{error.file} ")


def dropped_words(reports: Sequence[Report]) -> str:
    counts: dict[str, int] = {}
    for report in reports:
        for reason, count in report.dropped.items():
            counts[reason] = counts.get(reason, 0) + count
    said = ", ".join(f"{reason} {count:,}" for reason, count in counts.items() if count)
    return f"dropped: {said}" if said else ""
