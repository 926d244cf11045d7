"""The passes of a run over the data: on threads, once more where something turns up on the way, and to a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from lossctl.data.pair import Chunk
from lossctl.data.roles.binding import Binding, Request, left_out, nothing_fits
from lossctl.data.roles.spans import other_layout
from lossctl.data.source import placed
from lossctl.data.tasks import chunks, tasks
from lossctl.engine.details import add_details
from lossctl.engine.finish import input_infos, results_of, warnings_of
from lossctl.engine.job import Job
from lossctl.engine.local import HELD, Window, drive
from lossctl.engine.options import Options
from lossctl.engine.pace import chunk_rows
from lossctl.engine.plan import known_rows, threads_of
from lossctl.engine.result import Report
from lossctl.engine.slices import Scattered
from lossctl.engine.state import State
from lossctl.engine.takings import Found, Takings, check_units, sample_units
from lossctl.engine.watch import Pass, Watch
from lossctl.errors import DataError, LossctlError
from lossctl.model.batch import OK, STATUS
from lossctl.model.findings import refuse

if TYPE_CHECKING:
    from lossctl.engine.outlet import Outlet
    from lossctl.engine.samples import SampleLog

__all__ = ["Work"]

HELD_BYTES = 1 << 25  # of samples that wait for those before them


def nothing(item: object) -> None:
    """For passes that hand nothing on."""


class Work:
    """The passes over the data and what they leave behind."""

    def __init__(
        self, binding: Binding, jobs: list[Job], request: Request, options: Options, watch: Watch | None = None
    ) -> None:
        self.binding = binding
        self.jobs = jobs
        self.request = request
        self.options = options
        self.watch = watch
        self.state = State(binding, jobs)
        self.takings: Takings | None = None

    def reported(self) -> Report:
        """All passes, and what is to be said of them; nothing is left behind where one fails."""
        try:
            if any(job.needs_prelude for job in self.jobs):
                self.survey()
            self.score()
            if self.log is not None:
                add_details(self.log, self.jobs, self.chunks, self.options)
            report = self.report()
            if self.outlet is not None:
                self.outlet.commit()
        except BaseException:
            self.close()
            raise
        return report

    @property
    def log(self) -> SampleLog | None:
        return None if self.takings is None else self.takings.log

    @property
    def outlet(self) -> Outlet | None:
        return None if self.takings is None else self.takings.outlet

    def close(self) -> None:
        """Give up the files of an earlier pass, or of one that has failed."""
        if self.takings is not None:
            self.takings.close()

    @property
    def rows(self) -> int:
        """Rows of a chunk."""
        threads = 1 if self.options.per_sample else threads_of(self.jobs, self.options)  # few rows wait for their turn
        return chunk_rows(self.binding, self.options.chunk_rows, threads)

    def chunks(self) -> Iterator[Chunk]:
        yield from chunks(self.binding, self.rows, self.options.limit)

    def states(self) -> list[State]:
        """One for each thread."""
        threads = threads_of(self.jobs, self.options)
        return [self.state, *(State(self.binding, [job.twin() for job in self.jobs]) for _ in range(threads - 1))]

    def drive(self, aim: str, look: Callable[[State, int, Chunk], None], window: Window[Any]) -> None:
        """Show every chunk to the state of some thread; ``self.state`` has it all in the end."""
        states = self.states()
        tick = None if self.watch is None else self.watch(Pass(aim, known_rows(self.binding, self.options.limit)))
        try:
            drive(
                tasks(self.binding, self.rows, self.options.limit),
                [partial(look, state) for state in states],
                window,
                tick,
            )
        except DataError as error:
            if error.code == "lengths-differ":
                error.hint = other_layout(self.binding) or error.hint
            raise
        for other in states[1:]:
            self.state.merge(other)

    def survey(self) -> None:
        """The first pass, for statistics of the whole input."""
        waiting = [job for job in self.jobs if job.needs_prelude]
        self.first_look()
        self.leave_out()
        for job in waiting:
            if job in self.jobs:
                job.settle()

    def first_look(self) -> None:
        self.drive("first look", lambda state, _, chunk: state.survey(chunk), Window(nothing))

    def score(self) -> None:
        """The main pass; once more with gathered lists where their rows turn out to be scattered.

        And once more where losses of a set turn out not to fit: what is shown must be of the others only.
        """
        again, aim = True, ""
        while again:
            try:
                self.one_pass(aim, gather=False)
            except Scattered:
                self.one_pass("again, lists gathered", gather=True)
            again, aim = self.leave_out(), "again"

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
        if left:
            check_units(self.jobs, self.options)
        return bool(left)

    def one_pass(self, aim: str, *, gather: bool) -> None:
        for job in self.jobs:
            job.fresh(gather=gather)
            job.bound.vocabulary.clear()
        self.state = State(self.binding, self.jobs)
        self.close()
        takings = self.takings = Takings(self.binding, self.jobs, self.options)
        size = 8 * self.rows * (len(self.jobs) + 2)  # of the values of a chunk, with its rows and statuses
        window: Window[Found] = Window(takings.keep, min(HELD, max(1, HELD_BYTES // size)))

        def look(state: State, index: int, chunk: Chunk) -> None:
            found = takings.found(state, state.score(chunk), chunk)
            if found:
                window.put(index, found)

        self.drive(aim, look, window)
        takings.keep(takings.found(self.state, self.state.rest(), None))
        takings.end(self.state)

    def report(self) -> Report:
        names = tuple(ref.columns[0] for ref in self.binding.by)
        seen = self.state
        results = [r for job in self.jobs for r in results_of(job, seen.slices, names, self.request, self.options)]
        partial = self.options.limit is not None and seen.read >= self.options.limit
        dropped = {STATUS[k]: int(seen.counts[k]) for k in range(1, len(STATUS)) if seen.counts[k]}
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
            read=seen.read + unmatched,
            scored=int(seen.counts[OK]),
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
        locate = partial(placed, binding.sources[ref.source])
        column = ref.columns[0] if len(ref.columns) == 1 else f"{ref.columns[0]}, ... ({len(ref.columns)} columns)"
        raise refuse(finding, locate, column, bound.call.name, hint)
    for entry in spec.inputs:
        for code, text, row in entry.kind.verdict(entry.role, job.findings):
            ref = bound.refs[entry.role]
            file, row = placed(binding.sources[ref.source], row)
            raise DataError(
                f"{bound.call.name}: {text}",
                code=code,
                file=file,
                column=ref.columns[0],
                row=row + 1,
                hint="recode one of them",
            )
    where = {role: (binding.sources[ref.source].name, ref.columns[0]) for role, ref in bound.refs.items()}
    bound.vocabulary.verdict(bound.call.name, where)
