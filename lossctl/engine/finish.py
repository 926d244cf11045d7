"""From exact states to the records that are shown: values, statistics, signatures, warnings."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

from lossctl import __version__
from lossctl.data.bind import Binding, Request
from lossctl.engine.job import Job
from lossctl.engine.options import Options, quantile_of
from lossctl.engine.result import InputInfo, Note, Result
from lossctl.engine.slices import Slices, as_mapping
from lossctl.engine.tally import histogram, quantile
from lossctl.errors import DataError
from lossctl.model.findings import Finding
from lossctl.model.reduce import Product

__all__ = ["input_infos", "results_of", "warnings_of"]

OVER_ROWS = {"min", "max", "std"}  # and quantiles: over unweighted row values


def results_of(
    job: Job, slices: Slices, names: tuple[str, ...], request: Request, options: Options
) -> Iterator[Result]:
    """The total, then every slice in order of its name."""
    yield one_result(job, None, None, request, options)
    if names and job.view != "none":
        for group, code in slices.in_order():
            job.tally.grow(code + 1)
            yield one_result(job, code, as_mapping(names, group), request, options)


def one_result(
    job: Job, code: int | None, group: Mapping[str, str | None] | None, request: Request, options: Options
) -> Result:
    call, spec, tally = job.bound.call, job.spec, job.tally
    totals = tally.totals(code, weighted=job.weighted, norm=job.norm)
    divisor = spec.reduce.divisor(totals, job.mode) if totals.sums and job.view == "mean" else None
    nan, ignored = tally.dropped_in(code)
    stand_in = emptiness(job, code, options)
    value = None if job.view == "none" else stand_in if stand_in is not None else reduced(job, code, job.view)
    n = tally.n(code)
    ordered = tally.sorted_values(code) if options.stats else None
    return Result(
        loss=call.name,
        label=job.label,
        slice="total" if group is None else "group",
        params=call.params,
        reduction=job.view,
        value=value,
        n=n,
        weight_sum=tally.weight_sum(code, weighted=job.weighted),
        signature=signature(job, n, request, options),
        direction=spec.direction,
        unit=spec.unit,
        per=spec.per,
        group=group,
        resolved=job.resolved or None,
        n_elements=n * tally.width if tally.width > 1 else None,
        divisor=divisor.to_float() if divisor is not None else None,
        log_value=spec.reduce.log_value(totals)
        if isinstance(spec.reduce, Product) and job.view == "prod" and totals.sums
        else None,
        stats=None if ordered is None else statistics(job, code, ordered),
        histogram=None if ordered is None else histogram(ordered),
        like=job.like,
        dropped={k: v for k, v in (("nan", nan), ("ignored", ignored)) if v},
    )


def emptiness(job: Job, code: int | None, options: Options) -> float | None:
    """What stands in where there is nothing to score; an error for the total unless --empty says."""
    tally, spec = job.tally, job.spec
    weight = tally.weight_sum(code, weighted=job.weighted)
    why = None
    if tally.n(code) == 0:
        why = "no rows were scored"
    elif job.weighted and weight == 0:
        why = "the weights sum to zero"
    elif job.view == "mean":
        divisor = spec.reduce.divisor(tally.totals(code, weighted=job.weighted, norm=job.norm), job.mode)
        if divisor is not None and divisor.finite and divisor.units == 0:
            why = "the class weights of all rows sum to zero"
    if why is None:
        return None
    if options.empty != "error" or code is not None:
        return 0.0 if options.empty == "zero" else math.nan
    nan, ignored = tally.dropped_in(None)
    raise DataError(
        f"{job.bound.call.name}: {why} ({nan:,} rows dropped for NaN, {ignored:,} ignored)",
        code="empty",
        hint="--empty nan or --empty zero gives that value instead",
    )


def reduced(job: Job, code: int | None, view: str) -> float:
    """The value of one view, from the exact state."""
    tally = job.tally
    q = quantile_of(view)
    if q is not None:
        return quantile(tally.sorted_values(code), q)
    if view == "std":
        return tally.deviation(code)
    if view in {"min", "max"}:
        return tally.extreme(code, view)
    totals = tally.totals(code, weighted=job.weighted, norm=job.norm)
    return job.spec.reduce.finish(view, totals, job.mode, job.params)


def statistics(job: Job, code: int | None, ordered: object) -> dict[str, float | None]:
    """``--stats``: sum and mean as the loss defines them, the rest over unweighted row values."""
    views = job.spec.reduce.views
    empty = job.tally.n(code) == 0
    rows = job.spec.per != "dataset" and not empty
    stats: dict[str, float | None] = {}
    for view in ("sum", "mean", "std", "min", "max", "median", "p90", "p99"):
        known = view in views if view in {"sum", "mean"} else rows
        stats[view] = reduced(job, code, view) if known and not empty else None
    return stats


def signature(job: Job, n: int, request: Request, options: Options) -> str:
    """What must agree before two numbers may be compared."""
    parts = [job.bound.call.signature(), f"red:{job.view}", f"w:{request.weight or 'none'}", f"nan:{options.nan}"]
    default_row = job.spec.reduce.row_mode
    extras = (
        ("row", job.mode if job.mode != default_row else None),
        ("norm", job.norm if job.norm != "sum" else None),
        ("like", job.like),
        ("mask", request.mask),
        ("empty", options.empty if options.empty != "error" else None),
        ("by", ",".join(request.by) or None),
        ("limit", options.limit),
    )
    parts += [f"{name}:{value}" for name, value in extras if value is not None]
    return "|".join([*parts, f"n:{n}", f"v:{__version__}"])


def input_infos(binding: Binding) -> list[InputInfo]:
    """For every file the columns of each role, and the classes in order."""
    infos = []
    for place, source in enumerate(binding.sources):
        columns: dict[str, Sequence[str]] = {}
        classes: Sequence[str] | None = None
        for bound in binding.calls:
            for role, ref in bound.refs.items():
                if ref.source == place:
                    columns.setdefault(role, list(ref.columns))
                    if role == "pred" and bound.classes.names is not None:
                        classes = list(bound.classes.names)
        for role, ref_or_none in (("weight", binding.weight), ("mask", binding.mask)):
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
    notes = [Note(code, text) for code, text in binding.notes]
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
        total = job.tally.totals(None, weighted=job.weighted, norm=job.norm)
        if isinstance(job.spec.reduce, Product) and job.view == "prod" and total.sums:
            log = job.spec.reduce.log_value(total)
            if math.exp(min(log, 0.0)) == 0.0 and math.isfinite(log):
                notes.append(Note("underflow", f"{job.label}: the product is below the float range: exp({log!r})"))
        over_rows = job.view in OVER_ROWS or quantile_of(job.view) is not None or options.stats
        if job.weighted and over_rows and job.spec.per != "dataset":
            notes.append(Note("unweighted", f"{job.label}: min, max, std and quantiles take no weights"))
    if len(units) > 1:
        notes.append(Note("mixed-units", "rows and lists cannot share a table: samples are left out"))
    if partial:
        notes.append(Note("partial", f"only the first {rows(options.limit or 0)} were read (--limit)"))
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
