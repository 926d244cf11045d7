"""From exact states to the records that are shown: values, statistics, signatures, warnings."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from lossctl import __version__
from lossctl.data.roles.binding import Binding, Request
from lossctl.engine.bits import ERROR
from lossctl.engine.books import named_classes
from lossctl.engine.job import Job
from lossctl.engine.options import Options, quantile_of
from lossctl.engine.overview import Overview
from lossctl.engine.result import InputInfo, Note, Result
from lossctl.engine.scored import kinds_of
from lossctl.engine.slices import Slices, as_mapping
from lossctl.engine.tally import Tally
from lossctl.errors import DataError
from lossctl.model.findings import Finding
from lossctl.model.reduce import Product, Totals

__all__ = ["input_infos", "results_of", "warnings_of"]

OVER_ROWS = {"min", "max", "std"}  # and quantiles: over unweighted row values
NOTHING: Mapping[str, Any] = MappingProxyType({})  # shared by results without number
STATISTICS = ("sum", "mean", "std", "min", "max", "median", "p90", "p99")


class Slot(NamedTuple):
    """One number to be finished: a group of a tally, and what it stands for."""

    tally: Tally
    code: int | None  # a group of the tally; None: all of them
    group: Mapping[str, str | None] | None
    column: str | None = None
    of_class: str | None = None
    value: float | None = None  # where the reduction has found it already
    slice: int | None = None  # the --by slice


def results_of(
    job: Job, slices: Slices, names: tuple[str, ...], request: Request, options: Options
) -> Iterator[Result]:
    """The total, its columns and classes, then every slice in order of its name with its own; their mean, the worst."""
    plan = options.ci
    intervals = None
    if plan is not None:
        from lossctl.engine.interval import Intervals

        intervals = Intervals(job, plan)
    overview, sign = Overview(), signature(job, request, options)
    groups: list[tuple[Mapping[str, str | None] | None, int | None]] = [(None, None)]
    if names and job.view != "none":
        groups += [(as_mapping(names, group), code) for group, code in slices.in_order()]
    for group, code in groups:
        for slot in slots(job, request, group, code):
            result = one_result(job, slot, sign, options)
            if intervals is not None and slot.tally is job.tally:
                result = result._replace(ci=intervals.of(slot.code, result))
            overview.see(result)
            yield result
    yield from overview.results()


def slots(job: Job, request: Request, group: Mapping[str, str | None] | None, code: int | None) -> Iterator[Slot]:
    """The number of a slice, then those of its columns and its classes."""
    if code is not None:
        job.tally.grow(code + 1)
    yield Slot(job.tally, code, group)
    if job.view == "none":
        return
    for name, tally in zip(column_names(job), job.columns, strict=False) if job.columns else ():
        if code is not None:
            tally.grow(code + 1)
        yield Slot(tally, code, group, column=name)
    if not job.options.per_class:
        return
    names, words = names_of_classes(job, request), job.bound.vocabulary.words()
    if job.reduce.classes is not None:
        found = job.reduce.classes(job.tally.totals(code, weighted=job.weighted, norm=job.norm), job.params)
        for label, name in named_classes(found, names, words):
            yield Slot(job.tally, code, group, of_class=name, value=found[label])
        return
    folded = {} if job.classes is None else job.classes.folded(code)
    for label, name in named_classes(folded, names, words):
        tally, place = folded[label]
        yield Slot(tally, place, group, of_class=name)


def names_of_classes(job: Job, request: Request) -> Sequence[str] | None:
    """The classes by place: as the scores are named, or by the positive label, or by columns of labels."""
    bound = job.bound
    if bound.classes.names is not None:
        return bound.classes.names
    ways = {entry.kind.decode(bound.call.params, bound.width) for entry in job.spec.inputs}
    if request.positive is not None and "binary" in ways and (bound.width or 1) == 1:
        return f"not {request.positive}", request.positive
    columns = bound.refs["pred"].columns if "pred" in bound.refs else ()
    return columns if len(columns) > 1 else None


def column_names(job: Job) -> list[str]:
    """Output columns by the names of their prediction columns; places where they have no names of their own."""
    ref = job.bound.refs.get("pred") or next(iter(job.bound.refs.values()))
    if len(ref.columns) == len(job.columns):
        return list(ref.columns)
    return [str(place) for place in range(len(job.columns))]


def one_result(job: Job, slot: Slot, sign: Callable[[int], str], options: Options) -> Result:
    call, spec, tally, code = job.bound.call, job.spec, slot.tally, slot.code
    totals = tally.totals(code, weighted=job.weighted, norm=job.norm, keep=False)
    divisor = job.reduce.divisor(totals, job.mode) if totals.sums and job.view == "mean" else None
    nan, ignored = (tally if slot.column is None else job.tally).dropped_in(code)
    stand_in = emptiness(job, slot, totals, options)
    value = None if job.view == "none" else stand_in
    asks_stats = options.stats and slot.value is None
    figures = figures_of(job, tally, code, stats=asks_stats)
    if value is None and job.view != "none":
        value = reduced(job, tally, code, job.view, figures, totals) if slot.value is None else slot.value
    n = tally.n(code)
    summed = bool(totals.sums) and job.view != "none"
    logs = isinstance(job.reduce, Product) and job.view == "prod" and bool(totals.sums)
    return Result(
        loss=call.name,
        label=job.label,
        slice="total" if slot.group is None else "group",
        params=call.params,
        reduction=job.view,
        value=value,
        n=n,
        weight_sum=tally.weight_sum(code, weighted=job.weighted),
        signature=sign(n),
        direction=spec.direction,
        unit=spec.unit_of(call.params),
        per=job.per,
        group=slot.group,
        resolved=job.resolved or None,
        n_elements=n * tally.width if tally.width > 1 else None,
        divisor=divisor.to_float() if divisor is not None else None,
        log_value=job.reduce.log_value(totals) if logs and isinstance(job.reduce, Product) else None,
        stats=statistics(job, tally, code, figures) if asks_stats else None,
        histogram=figures.histogram if asks_stats else None,
        like=job.like,
        dropped={k: v for k, v in (("nan", nan), ("ignored", ignored)) if v} if nan or ignored else NOTHING,
        column=slot.column,
        of_class=slot.of_class,
        sample_mean=job.reduce.sample_mean(totals) if summed and job.view == "mean" and stand_in is None else None,
        parts=(job.finisher.pieces(job.view, totals, job.mode, job.params) if summed else {}) or NOTHING,
    )


def emptiness(job: Job, slot: Slot, totals: Totals, options: Options) -> float | None:
    """What stands in where there is nothing to score; an error for the total unless --empty says."""
    tally, code = slot.tally, slot.code
    weight = tally.weight_sum(code, weighted=job.weighted)
    why = None
    if tally.n(code) == 0:
        why = "no rows were scored"
    elif job.weighted and weight == 0:
        why = "the weights sum to zero"
    elif job.view == "mean":
        divisor = job.reduce.divisor(totals, job.mode)
        if divisor is not None and divisor.finite and divisor.units == 0:
            alone = job.spec.scope == "batch"
            why = "no row counts in any batch" if alone else "the class weights of all rows sum to zero"
    if why is None:
        return None
    if options.empty != "error" or slot.group is not None or slot.of_class is not None:
        return 0.0 if options.empty == "zero" else math.nan
    nan, ignored = tally.dropped_in(None)
    raise DataError(
        f"{job.bound.call.name}: {why} ({nan:,} rows dropped for NaN, {ignored:,} ignored)",
        code="empty",
        details=tuple(map(describe, job.findings.of("warning"))),
        hint="--empty nan or --empty zero gives that value instead",
    )


class Read(NamedTuple):
    """What quantiles there are, by the names of their views, and the histogram."""

    quantiles: Mapping[str, float]
    histogram: tuple[int, ...] | None = None
    approximate: bool = False


def figures_of(job: Job, tally: Tally, code: int | None, *, stats: bool) -> Read:
    """All that is read off row values, in one go: the same for all slices, so that these are found together."""
    views = dict.fromkeys((job.view, *(STATISTICS if stats else ())))
    wanted = {view: q for view in views if (q := quantile_of(view)) is not None}
    if not (wanted and tally.collect):
        return Read({})
    found = tally.figures(code, tuple(wanted.values()), bins=stats)
    return Read(dict(zip(wanted, found.quantiles, strict=True)), found.histogram, found.approximate)


def reduced(job: Job, tally: Tally, code: int | None, view: str, figures: Read, totals: Totals | None = None) -> float:
    """The value of one view, from the exact state; ``totals`` are those of it without what is kept, where known."""
    if view in figures.quantiles:
        return figures.quantiles[view]
    if view == "std":
        return tally.deviation(code)
    if view in {"min", "max"}:
        return tally.extreme(code, view)
    if totals is None or tally.kept:
        totals = tally.totals(code, weighted=job.weighted, norm=job.norm)
    return job.finisher.finish(view, totals, job.mode, job.params)


def statistics(job: Job, tally: Tally, code: int | None, figures: Read) -> dict[str, float | None]:
    """``--stats``: sum and mean as the loss defines them, the rest over unweighted row values."""
    views = job.reduce.views
    empty = tally.n(code) == 0
    rows = job.has_samples and not empty
    stats: dict[str, float | None] = {}
    for view in STATISTICS:
        known = view in views if view in {"sum", "mean"} else rows
        stats[view] = reduced(job, tally, code, view, figures) if known and not empty else None
    if figures.approximate and rows:
        stats["approximate"] = True
    return stats


def signature(job: Job, request: Request, options: Options) -> Callable[[int], str]:
    """What must agree before two numbers may be compared, as a function of the number of rows."""
    parts = [job.bound.call.signature(), f"red:{job.view}", f"w:{request.weight or 'none'}", f"nan:{options.nan}"]
    default_row = job.reduce.row_mode
    extras = (
        ("row", job.mode if job.mode != default_row else None),
        ("norm", job.norm if job.norm != "sum" else None),
        ("like", job.like),
        ("mask", request.mask),
        ("empty", options.empty if options.empty != "error" else None),
        ("by", ",".join(request.by) or None),
        ("limit", options.limit),
        ("batch", (request.batch or request.batch_size) if job.spec.scope == "batch" else None),
    )
    parts += [f"{name}:{value}" for name, value in extras if value is not None]
    agreed = "|".join(parts)
    return lambda n: f"{agreed}|n:{n}|v:{__version__}"


def input_infos(binding: Binding, jobs: Sequence[Job]) -> list[InputInfo]:
    """For every file the columns of each role, and the classes in order."""
    infos = []
    for place, source in enumerate(binding.sources):
        columns: dict[str, Sequence[str]] = {}
        classes: Sequence[str] | None = None
        for job in jobs:
            bound = job.bound
            of_classes = "pred" if "pred" in bound.refs else "target"
            for role, ref in bound.refs.items():
                if ref.source == place:
                    columns.setdefault(role, list(ref.columns))
                    if role == of_classes and bound.classes.names is not None:
                        classes = list(bound.classes.names)
        batch = None if binding.batching is None else binding.batching.column
        for role, ref_or_none in (("weight", binding.weight), ("mask", binding.mask), ("batch", batch)):
            if ref_or_none is not None and ref_or_none.source == place:
                columns[role] = list(ref_or_none.columns)
        by = [ref.columns[0] for ref in binding.by if ref.source == place]
        keys = [name for ref in binding.keys if ref.source == place for name in ref.columns]
        columns.update({role: names for role, names in (("by", by), ("key", keys)) if names})
        role = (
            "table"
            if len(binding.sources) == 1
            else ",".join(r for r in columns if r not in {"key", "by", "weight", "mask"})
        )
        infos.append(InputInfo(source.name, role or "extra", source.format, columns, classes))
    return infos


def warnings_of(
    binding: Binding,
    jobs: Sequence[Job],
    options: Options,
    dropped: Mapping[str, int],
    units: Collection[str],
    partial: bool,
) -> list[Note]:
    """Everything a reader of the number should know."""
    notes = [Note(code, text) for code, text in dict.fromkeys(binding.notes)]
    by_reason: dict[tuple[str, str], list[str]] = {}
    for one in binding.left:
        by_reason.setdefault((one.of_set, one.reason), []).append(one.name)
    for (of_set, reason), names in by_reason.items():
        notes.append(Note("left-out", f"{of_set} leaves out {', '.join(names)}: {reason}"))
    if dropped.get("nan"):
        columns = ", ".join(dict.fromkeys(n for j in jobs for ref in j.bound.refs.values() for n in ref.columns[:1]))
        notes.append(Note("rows-dropped", f"{rows(dropped['nan'])} had NaN or missing values ({columns})"))
    if binding.positive is not None and not any(job.bound.vocabulary.positive for job in jobs):
        notes.append(Note("positive-unseen", f"no label is {binding.positive!r} (--positive): all count as negative"))
    for job in jobs:
        for finding in job.findings.of("warning"):
            notes.append(Note(finding.rule.code, f"{job.label}: {describe(finding)}"))
        if job.infinite:
            notes.append(Note("nonfinite", f"{job.label}: the value of {rows(job.infinite)} is infinite"))
        total = job.tally.totals(None, weighted=job.weighted, norm=job.norm, keep=False)
        if isinstance(job.reduce, Product) and job.view == "prod" and total.sums:
            log = job.reduce.log_value(total)
            if math.exp(min(log, 0.0)) == 0.0 and math.isfinite(log):
                notes.append(Note("underflow", f"{job.label}: the product is below the float range: exp({log!r})"))
        over_rows = job.view in OVER_ROWS or quantile_of(job.view) is not None or options.stats
        if options.stats and job.tally.hoard is not None and job.tally.hoard.approximate:
            room = job.tally.room
            notes.append(
                Note(
                    "approximate",
                    f"{job.label}: median, p90, p99 and the histogram are approximate (within {ERROR:.2%}): all values "
                    f"take {room.collected:,} bytes, and --memory allows {room.size:,}",
                )
            )
        if job.weighted and over_rows and job.has_samples:
            notes.append(Note("unweighted", f"{job.label}: min, max, std and quantiles take no weights"))
    if len(units) > 1:
        notes.append(Note("mixed-units", f"{kinds_of(units)} cannot share a table: samples are left out"))
    if partial:
        several = f"{rows(options.limit or 0)} were" if options.limit != 1 else "row was"
        notes.append(Note("partial", f"only the first {several} read (--limit)"))
    return notes


def describe(finding: Finding) -> str:
    text = f"{rows(finding.count)} of {finding.role}: {finding.rule.text}"
    if finding.worst is not None and finding.rule.code == "not-normalised":
        text += f" (greatest deviation {finding.worst[0]:.3g}, row {finding.worst[1] + 1:,})"
    else:
        text += f" (first: row {finding.places[0][0] + 1:,})"
    return text + (f"; {finding.rule.hint}" if finding.rule.hint else "")


def rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
