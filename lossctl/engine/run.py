"""One run: plan, passes over the data, verdicts, results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lossctl.data.pair import Chunk, OutOfStep, walk
from lossctl.data.roles.bind import bind, label_or_role
from lossctl.data.roles.binding import Binding, LeftOut, Ref, Request, left_out, nothing_fits
from lossctl.data.roles.spans import other_layout
from lossctl.data.source import Source
from lossctl.engine.details import add_details, check_details
from lossctl.engine.finish import input_infos, results_of, warnings_of
from lossctl.engine.job import Job, Scored
from lossctl.engine.options import ALL, Options
from lossctl.engine.pace import default_rows
from lossctl.engine.result import Report
from lossctl.engine.samples import SampleLog, joint_status, list_lines, row_lines
from lossctl.engine.slices import Scattered, Slices
from lossctl.errors import DataError, LossctlError, UsageError
from lossctl.model.batch import OK, STATUS
from lossctl.model.call import LossCall, labels
from lossctl.model.findings import refuse

__all__ = ["run"]

Made = TypeVar("Made")

SHOWN = 10  # rows shown where nobody says how many


def run(
    calls: Sequence[LossCall],
    sources: list[Source],
    request: Request,
    options: Options,
    elsewhere: Mapping[str, int] | None = None,
) -> Report:
    """Score the sources with every call, in one pass (two where a loss needs a statistic first).

    Raises ``UsageError`` for a call that cannot be carried out and ``DataError`` for data that cannot be
    scored as asked.
    """
    left = [left_out(call, call.refused) for call in calls if call.refused is not None]
    calls = [call for call in calls if call.refused is None]
    calls = [
        c for call in calls if (c := fitting(call, partial(with_convention, call, options.like), left)) is not None
    ]
    if not calls:
        raise nothing_fits(left)
    request = label_or_role(request, calls, sources, elsewhere or {})
    binding = bind(calls, sources, request, elsewhere or {})
    binding.left[:0] = left
    names = labels([bound.call for bound in binding.calls])
    weighted = binding.weight is not None
    made = [
        fitting(bound.call, partial(Job, bound, name, options, weighted=weighted, files=files), binding.left)
        for bound, name, files in zip(binding.calls, names, map(binding.files, binding.calls), strict=True)
    ]
    jobs = [job for job in made if job is not None]
    if not jobs:
        raise nothing_fits(binding.left)
    check_options(jobs, options)
    check_details(jobs, options)
    work = Work(binding, jobs, request, options)
    try:
        work.passes()
    except OutOfStep:
        from lossctl.data.joined import rejoin

        work = Work(rejoin(binding, request.unmatched or "error", options.memory), jobs, request, options)
        work.passes()
    if work.log is not None:
        add_details(work.log, work.jobs, work.chunks, options)
    return work.report()


def fitting(call: LossCall, make: Callable[[], Made], left: list[LeftOut]) -> Made | None:
    """What ``make`` makes; ``None``, and noted as left out, if the call belongs to a set and that fails."""
    try:
        return make()
    except LossctlError as error:
        if call.of_set is None:
            raise
        left.append(left_out(call, error))
        return None


def with_convention(call: LossCall, like: str | None) -> LossCall:
    """The call under a library's convention."""
    if like is None:
        return call
    known = call.entry.spec.like
    if like not in known:
        hint = f"--like takes, for it: {', '.join(known)}" if known else "leave --like out: no library has another one"
        raise UsageError(f"{call.name} has no convention of {like}", code="no-convention", hint=hint)
    preset = {k: v for k, v in known[like].items() if k in call.entry.spec.params and k not in call.entry.fixed}
    for name, value in preset.items():
        if name in call.given and call.given[name] != value:
            raise UsageError(
                f"--like {like} means {name}={value} for {call.name}, and the call says {call.given[name]}",
                code="preset-parameter",
                hint="leave one of them out",
            )
    return call.with_params(soft=preset)


def check_options(jobs: Sequence[Job], options: Options) -> None:
    """Refuse options that no named loss can follow, rather than let them do nothing."""
    named = ", ".join(job.bound.call.name for job in jobs)
    if options.row is not None and not any(job.reduce.row_mode for job in jobs):
        raise UsageError(f"--row: rows of {named} have no elements to add up", code="bad-option")
    if options.renormalize and not any(i.kind.sums_to_one(j.params) for j in jobs for i in j.spec.inputs):
        raise UsageError(f"--renormalize: {named} takes no rows of probabilities", code="bad-option")
    if options.ci is not None and (options.per_column or options.per_class):
        raise UsageError(
            "--ci is for totals and slices, not for --per-column and --per-class",
            code="bad-option",
            hint="leave one of them out; --by gives slices their intervals",
        )
    units = sample_units(jobs)
    if options.shows and len(units) != 1:
        kind = "no per-sample values" if not units else "samples of different kinds: rows and lists"
        raise UsageError(
            f"{named}: {kind}", code="mixed-units", hint="ask for one kind at a time, or leave --rows and --worst out"
        )


def sample_units(jobs: Sequence[Job]) -> set[str]:
    return {"group" if job.per == "group" else "row" for job in jobs if job.has_samples}


class Work:
    """The passes over the data and what they leave behind."""

    def __init__(self, binding: Binding, jobs: list[Job], request: Request, options: Options) -> None:
        self.binding = binding
        self.jobs = jobs
        self.request = request
        self.options = options
        self.slices = Slices()
        self.read = 0
        self.counts = np.zeros(len(STATUS), np.int64)
        self.log: SampleLog | None = None
        self.statuses: list[list[tuple[NDArray[np.int64], NDArray[np.uint8]]]] = []

    def start(self, *, gather: bool = False) -> None:
        for job in self.jobs:
            job.fresh(gather=gather)
            job.bound.vocabulary.clear()
        self.slices = Slices()
        self.read = 0
        self.counts[:] = 0
        if self.log is not None:
            self.log.close()
        self.log = self.new_log()
        self.statuses = [[] for _ in self.jobs]

    def new_log(self) -> SampleLog | None:
        units = sample_units(self.jobs)
        shown = [job for job in self.jobs if job.has_samples]
        keep: int | None = SHOWN if self.options.rows is None else self.options.rows
        worst = self.options.kept_worst
        if len(units) != 1 or (keep == 0 and worst is None and self.options.reduction != "none"):
            return None
        per = units.pop()
        keys = self.binding.keys[0].columns if self.binding.keys else ()
        if worst is not None:
            keep = worst
        elif self.options.reduction == "none" or keep == ALL:
            keep = None
        if per == "group":
            keys = shown[0].bound.refs["group"].columns
        ascending = shown[0].spec.direction == "maximise"
        return SampleLog(per, tuple(job.label for job in shown), keys, keep, worst is not None, ascending)

    def chunks(self) -> Any:
        size = self.options.chunk_rows or default_rows(self.binding)
        try:
            yield from walk(self.binding, size, self.options.limit)
        except DataError as error:
            if error.code == "lengths-differ":
                error.hint = other_layout(self.binding) or error.hint
            raise

    def passes(self) -> None:
        """The first pass, where a loss needs one, and the main pass."""
        if any(job.needs_prelude for job in self.jobs):
            self.survey()
        self.score()

    def survey(self) -> None:
        """The first pass, for statistics of the whole input."""
        waiting = [job for job in self.jobs if job.needs_prelude]
        for job in waiting:
            job.first_sums.clear()
            job.fresh()
            job.bound.vocabulary.clear()
        for chunk in self.chunks():
            for job in waiting:
                mask = self.mask(chunk)
                with job.failing():
                    piece = job.piece(chunk, None, mask, None)
                    if piece is not None:
                        job.survey(piece)
        self.leave_out()
        for job in waiting:
            if job in self.jobs:
                job.settle()

    def score(self) -> None:
        """The main pass; once more with gathered lists where their rows turn out to be scattered.

        And once more where losses of a set turn out not to fit: what is shown must be of the others only.
        """
        again = True
        while again:
            try:
                self.one_pass(gather=False)
            except Scattered:
                self.one_pass(gather=True)
            again = self.leave_out()

    def leave_out(self) -> bool:
        """Raise the first error, or leave out the losses of a set that met one; whether there were any."""
        left = []
        for job in self.jobs:
            try:
                if job.failed is not None:
                    raise job.failed
                raise_errors(self.binding, job)
            except LossctlError as error:
                # A missing value is missing for every loss: that is for --nan to settle.
                if job.bound.call.of_set is None or error.code == "nan":
                    raise
                self.binding.left.append(left_out(job.bound.call, error))
                left.append(job)
        self.jobs = [job for job in self.jobs if job not in left]
        if not self.jobs:
            raise nothing_fits(self.binding.left)
        return bool(left)

    def one_pass(self, *, gather: bool) -> None:
        self.start(gather=gather)
        for chunk in self.chunks():
            self.read += chunk.rows
            weight, mask, codes = self.weight(chunk), self.mask(chunk), self.codes(chunk)
            done = []
            for job in self.jobs:
                scored = None
                with job.failing():
                    piece = job.piece(chunk, weight, mask, codes)
                    scored = None if piece is None else job.score(piece)
                done.append(scored)
            self.note(done, chunk)
        rest = []
        for job in self.jobs:
            scored = None
            with job.failing():
                piece = None if job.cutter is None else job.cutter.rest()
                scored = None if piece is None else job.score(piece)
            rest.append(scored)
        self.note(rest, None)
        self.count()

    def note(self, done: Sequence[Scored | None], chunk: Chunk | None) -> None:
        """Keep statuses and samples of what was scored."""
        whole = all(job.cutter is None for job in self.jobs)
        if whole and chunk is not None and all(d is not None for d in done):
            status = joint_status([d.status for d in done if d is not None])
            self.counts += np.bincount(status, minlength=len(STATUS))
        elif len(self.jobs) == 1 and done[0] is not None:
            self.counts += np.bincount(done[0].status, minlength=len(STATUS))
        elif not whole:
            for place, scored in enumerate(done):
                if scored is not None:
                    self.statuses[place].append((scored.rows, scored.status))
        if self.log is None:
            return
        shown = [d for d, job in zip(done, self.jobs, strict=True) if job.has_samples]
        if any(d is None for d in shown):
            return
        parts = [d for d in shown if d is not None]
        if self.log.per == "row" and chunk is not None:
            keys = self.binding.keys
            lines = row_lines(parts[0].rows, joint_status([d.status for d in done if d is not None]), parts)
            self.log.add(lines, (lambda: chunk.texts(keys[0])) if keys else None)
        elif self.log.per == "group" and parts[0].names:
            names = parts[0].names
            self.log.add(list_lines(self.log.total, parts), lambda: [(name,) for name in names])

    def count(self) -> None:
        """Row counts where lists came through later than their rows, or in another order."""
        if not any(self.statuses):
            return
        every = []
        for parts in self.statuses:
            status = np.zeros(self.read, np.uint8)
            for rows, said in parts:
                status[rows] = said
            every.append(status)
        self.counts += np.bincount(joint_status(every), minlength=len(STATUS))

    def weight(self, chunk: Chunk) -> NDArray[np.float64] | None:
        """(N,) sample weights; a missing, negative or infinite one is an error whatever --nan says."""
        if self.binding.weight is None:
            return None
        return self.column(chunk, self.binding.weight, "--weight", lambda w: np.isfinite(w) & (w >= 0), ">= 0")

    def mask(self, chunk: Chunk) -> NDArray[np.bool_] | None:
        """(N,) which rows count."""
        if self.binding.mask is None:
            return None
        mask = self.column(chunk, self.binding.mask, "--mask", lambda m: (m == 0) | (m == 1), "0 or 1")
        return np.asarray(mask == 1)

    def column(self, chunk: Chunk, ref: Ref, option: str, good: Any, words: str) -> NDArray[np.float64]:
        values = np.asarray(chunk.numbers(ref), np.float64)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        wrong = ~good(values) if values.ndim == 1 else np.ones(1, bool)
        if wrong.any():
            at = int(np.argmax(wrong))
            raise DataError(
                f"{option}: {values[at]} is not {words}",
                code="bad-weight" if option == "--weight" else "bad-mask",
                file=self.binding.sources[ref.source].name,
                column=ref.columns[0],
                row=chunk.first + at + 1,
            )
        return values

    def codes(self, chunk: Chunk) -> NDArray[np.intp] | None:
        if not self.binding.by:
            return None
        return self.slices.encode([chunk.codes(ref) for ref in self.binding.by])

    def report(self) -> Report:
        names = tuple(ref.columns[0] for ref in self.binding.by)
        results = [r for job in self.jobs for r in results_of(job, self.slices, names, self.request, self.options)]
        partial = self.options.limit is not None and self.read >= self.options.limit
        dropped = {STATUS[k]: int(self.counts[k]) for k in range(1, len(STATUS)) if self.counts[k]}
        unmatched = sum(getattr(source, "unmatched", 0) for source in self.binding.sources)
        if unmatched:
            dropped["unmatched"] = unmatched
            totals = {r for r in range(len(results)) if results[r].group is None}
            results = [
                r._replace(dropped={**r.dropped, "unmatched": unmatched}) if place in totals else r
                for place, r in enumerate(results)
            ]
        return Report(
            inputs=input_infos(self.binding, self.jobs),
            read=self.read + unmatched,
            scored=int(self.counts[OK]),
            dropped=dropped,
            results=results,
            samples=self.log,
            warnings=warnings_of(self.binding, self.jobs, self.options, dropped, sample_units(self.jobs), partial),
            partial=partial,
            by=names,
        )


def raise_errors(binding: Binding, job: Job) -> None:
    """The first error a pass has found, by row; then the verdicts over the whole file."""
    spec, bound = job.spec, job.bound
    errors = sorted(job.findings.of("error"), key=lambda f: f.places[0][0])
    for finding in errors:
        ref = bound.refs[finding.role]
        hint = finding.rule.hint
        if hint is not None and "--input" in hint and ("input" not in spec.params or "input" in bound.call.entry.fixed):
            hint = None
        file = binding.sources[ref.source].name
        column = ref.columns[0] if len(ref.columns) == 1 else f"{ref.columns[0]}, ... ({len(ref.columns)} columns)"
        raise refuse(finding, file, column, bound.call.name, hint)
    for entry in spec.inputs:
        for code, text, row in entry.kind.verdict(entry.role, job.findings):
            ref = bound.refs[entry.role]
            raise DataError(
                f"{bound.call.name}: {text}",
                code=code,
                file=binding.sources[ref.source].name,
                column=ref.columns[0],
                row=row + 1,
                hint="recode one of them",
            )
    where = {role: (binding.sources[ref.source].name, ref.columns[0]) for role, ref in bound.refs.items()}
    bound.vocabulary.verdict(bound.call.name, where)
