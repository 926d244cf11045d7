"""What the flat formats share: column names and rows of cells, streamed.

A cell is text (``str``), a number (``int``, ``float``) or nothing (``None``), and each format spells
these in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from lossctl.engine.result import OURS, apart
from lossctl.engine.scores import Scores
from lossctl.report.text import number

if TYPE_CHECKING:
    from lossctl.engine.result import Report, Result, Sample, Samples

__all__ = [
    "STATS",
    "Cell",
    "Records",
    "account",
    "beside",
    "detail_text",
    "group_cells",
    "has_intervals",
    "has_results",
    "is_keyed",
    "parts_of",
    "places",
    "records",
    "sample_names",
    "samples_title",
    "statistic",
    "streams",
    "unit",
]

QUANTILES = {"median", "p90", "p99"}
OVERALL = {"total": "total", "macro": "mean of groups"}  # what is of no group
STATS = ("std", "min", "median", "p90", "p99", "max")  # shown beside the value; JSON has all

Cell: TypeAlias = str | int | float | None
Records: TypeAlias = tuple[tuple[str, ...], Iterator[tuple[Cell, ...]]]  # a header and its rows


def streams(report: Report | Scores) -> Samples | None:
    """The samples, where nothing was reduced (``--reduction none``) and they are the records."""
    if isinstance(report, Scores):
        return None
    unreduced = bool(report.results) and all(r.reduction == "none" for r in report.results)
    return report.samples if unreduced else None


def has_results(report: Report) -> bool:
    """Whether there is a value or a statistic to show; ``--reduction none`` alone has neither."""
    return any(r.value is not None or r.stats for r in report.results)


def records(report: Report | Scores, shown: Callable[[Result], Cell] = lambda r: r.value) -> Records:
    """One record for each reduced result, or for each sample where nothing was reduced.

    ``shown`` is how the value of a result becomes a cell.
    """
    if isinstance(report, Scores):
        return _score_records(report, shown)
    samples = streams(report)
    if samples is not None:
        return (*sample_names(samples), "status", *samples.labels, *samples.detail_names), _sample_rows(samples)
    split = Split.of(report.results, report.by)
    return split.names(), (split.row(result, shown) for result in report.results)


def _score_records(scores: Scores, shown: Callable[[Result], Cell]) -> Records:
    """The same of every file, behind its name; a file that could not be scored is a record with the reason."""
    split = Split.of(scores.every(), scores.by)
    names = split.names({"input", "error"})
    reason = ("error",) if scores.kept_going else ()

    def rows() -> Iterator[tuple[Cell, ...]]:
        for file in scores.files:
            if file.error is not None:
                yield file.name, *(None for _ in names), file.error.message
            for result in file.results:
                yield file.name, *split.row(result, shown), *(None for _ in reason)

    return ("input", *names, *reason), rows()


class Split(NamedTuple):
    """By what results are split, and so which columns they have."""

    by: tuple[str, ...]
    parts: tuple[str, ...]
    intervals: bool

    @classmethod
    def of(cls, results: Sequence[Result], by: tuple[str, ...]) -> Split:
        return cls(by, parts_of(results), has_intervals(results))

    def names(self, more: Set[str] = frozenset()) -> tuple[str, ...]:
        """The columns; ``more`` are names that a column of the data may not have beside them."""
        bounds = ("ci_low", "ci_high") if self.intervals else ()
        by = apart(self.by, {*OURS, *more, *self.parts, *bounds}, "by")
        sliced = ("slice",) if self.by else ()
        return "loss", "reduction", *sliced, *by, *self.parts, "n", "weight_sum", "value", *bounds

    def row(self, result: Result, shown: Callable[[Result], Cell]) -> tuple[Cell, ...]:
        sliced = (result.slice,) if self.by else ()
        group = tuple((result.group or {}).get(name) for name in self.by)
        counts = int(result.n), float(result.weight_sum)
        within = map(result.part, self.parts)
        bounds = () if not self.intervals else (None, None) if result.ci is None else (result.ci.low, result.ci.high)
        return result.label, result.reduction, *sliced, *group, *within, *counts, shown(result), *bounds


def has_intervals(results: Sequence[Result]) -> bool:
    return any(result.ci is not None for result in results)


def parts_of(results: Sequence[Result]) -> tuple[str, ...]:
    """What results are split by, beside slices: ``column`` (--per-column), ``class`` (--per-class)."""
    return tuple(part for part in ("column", "class") if any(result.part(part) for result in results))


def _sample_rows(samples: Samples) -> Iterator[tuple[Cell, ...]]:
    for sample in samples:
        yield *places(sample), sample.status, *sample.values, *map(detail_text, sample.details)


def detail_text(detail: Any) -> str | None:
    """What stands beside a value, as text: text as it is, everything else as JSON."""
    if detail is None or isinstance(detail, str):
        return detail
    import json

    return json.dumps(detail, ensure_ascii=False)


def beside(result: Result, digits: int = 6) -> str | None:
    """The numbers that belong to a total in words: the mean of samples, and what was counted (JSON has all slices')."""
    told = [f"{name.replace('_', ' ')} {number(value, 15)}" for name, value in result.parts.items()]
    if result.sample_mean is not None:
        told.insert(0, f"mean of samples {number(result.sample_mean, digits)}")
    whole = result.slice == "total" and result.column is None and result.of_class is None
    return f"{result.label}: {', '.join(told)}" if told and whole else None


def places(sample: Sample) -> tuple[str | int | None, ...]:
    """Where a sample comes from: its key, else its row."""
    return sample.key or (sample.row,)


PLURAL = {"row": "rows", "group": "groups", "batch": "batches"}


def is_keyed(samples: Samples) -> bool:
    """Whether a sample is found by text (a key, a group) instead of its row number."""
    return bool(samples.key_names) or samples.per != "row"


def sample_names(samples: Samples) -> tuple[str, ...]:
    """The columns that say where a sample comes from."""
    names = samples.key_names or (samples.per,)
    taken = {"status", *samples.labels, *samples.detail_names, *(f"{label}.nonfinite" for label in samples.labels)}
    return apart(names, taken, "key")


def group_cells(result: Result, by: Sequence[str], parts: Sequence[str] = ()) -> Iterator[str]:
    """The group of a result for people, then its column and class; a missing value is said, and so is the total."""
    for place, name in enumerate(by):
        if result.group is None:
            yield "" if place else OVERALL[result.slice]
        else:
            cell = "(missing)" if (value := result.group.get(name)) is None else value
            yield cell if place or result.slice != "worst" else f"worst: {cell}"
    within = list(map(result.part, parts))
    for place, found in enumerate(within):
        yield "total" if not (by or place or any(within)) else found or ""


def statistic(result: Result, name: str, digits: int) -> str:
    """One of ``--stats`` for people; a quantile that is approximate says so."""
    stats = result.stats or {}
    text = number(stats.get(name), digits)
    return f"~{text}" if text and stats.get("approximate") and name in QUANTILES else text


def unit(result: Result) -> str:
    """The unit of the value; a pure number has none to show."""
    return "" if result.unit == "1" else result.unit


def samples_title(samples: Samples) -> str:
    """Which samples these are: ``first 10 of 442 rows``."""
    shown, total = len(samples), samples.total
    things = samples.per if total == 1 else PLURAL[samples.per]
    worst = samples.order == "worst"
    by = f" by {samples.labels[0]}" if worst and len(samples.labels) > 1 else ""
    if shown >= total:
        which = f"all {total:,} {things}" if total != 1 else f"the only {things}"
        return f"{which}, worst first{by}" if worst and total > 1 else which
    return f"{samples.order} {shown:,} of {total:,} {things}{by}"


def account(report: Report) -> tuple[str, ...]:
    """What became of the rows, in words."""
    dropped = {reason: count for reason, count in report.dropped.items() if count}
    rows = f"{report.read:,} row{'' if report.read == 1 else 's'} read, {report.scored:,} scored"
    if dropped:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in dropped.items())
        rows += f", {sum(dropped.values()):,} dropped ({reasons})"
    weights = [name for source in report.inputs for name in source.columns.get("weight", ())]
    return (
        rows,
        *(f"weighted by {name}" for name in weights),
        *(("partial: not all rows were read",) if report.partial else ()),
    )
