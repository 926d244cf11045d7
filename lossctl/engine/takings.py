"""What a pass takes down beside the sums: samples that are shown, and those that go to a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from lossctl.data.pair import Chunk
from lossctl.data.roles.binding import Binding
from lossctl.engine.job import Job
from lossctl.engine.options import ALL, Options
from lossctl.engine.samples import SampleLog
from lossctl.engine.scored import Scored, kinds_of, names_of
from lossctl.engine.state import Shown, State
from lossctl.errors import UsageError

if TYPE_CHECKING:
    from lossctl.data.sinks.sink import Cells
    from lossctl.engine.outlet import Outlet

__all__ = ["Found", "Takings", "check_units", "sample_units"]

SHOWN = 10  # rows shown where nobody says how many


def sample_units(jobs: Sequence[Job]) -> set[str]:
    return {job.unit for job in jobs if job.has_samples}


def check_units(jobs: Sequence[Job], options: Options) -> None:
    """Refuse to show samples where there are none, or of two kinds."""
    units = sample_units(jobs)
    if options.shows and len(units) != 1:
        kind = f"samples of different kinds: {kinds_of(units)}" if units else "no per-sample values"
        raise UsageError(
            f"{', '.join(job.bound.call.name for job in jobs)}: {kind}",
            code="mixed-units",
            hint="ask for one kind at a time, or leave --rows, --worst and --per-sample out",
        )


class Found(NamedTuple):
    """What a chunk gives to show and to write."""

    shown: Shown | None
    cells: list[Cells] | None

    def __bool__(self) -> bool:
        return self.shown is not None or self.cells is not None


class Takings:
    """The samples of one pass: ``found`` is for any thread, ``keep`` takes what it gives, in the order of the rows."""

    def __init__(self, binding: Binding, jobs: Sequence[Job], options: Options) -> None:
        self.log = log_of(binding, jobs, options)
        self.outlet: Outlet | None = None
        if options.per_sample is not None:
            from lossctl.engine.outlet import Outlet  # seldom wanted

            self.outlet = Outlet(binding, jobs, sample_units(jobs).pop(), options)

    def found(self, state: State, done: Sequence[Scored | None], chunk: Chunk | None) -> Found:
        """What is to be kept of a chunk, or of the lists that were open at the end."""
        log = self.log
        shown = None if log is None or log.full else state.lines(done, chunk, log.per)
        if log is not None and shown is not None:
            shown = Shown(*log.narrowed(*shown))
        return Found(shown, None if self.outlet is None else self.outlet.cells(done, chunk, state.slices))

    def keep(self, found: Found) -> None:
        """Those of rows behind all that were kept before."""
        if self.log is not None and found.shown is not None:
            self.log.add(found.shown.lines, found.shown.keys)
        if self.outlet is not None and found.cells is not None:
            self.outlet.write(found.cells)

    def end(self, state: State) -> None:
        """All rows are through."""
        if self.log is not None:
            self.log.total = state.read if self.log.per == "row" else state.lists

    def close(self) -> None:
        """Give up the files of a pass that is made again, or has failed."""
        if self.log is not None:
            self.log.close()
        if self.outlet is not None:
            self.outlet.abort()


def log_of(binding: Binding, jobs: Sequence[Job], options: Options) -> SampleLog | None:
    """Where the samples go that are shown; ``None`` where none are."""
    units = sample_units(jobs)
    shown = [job for job in jobs if job.has_samples]
    keep: int | None = SHOWN if options.rows is None else options.rows
    worst = options.kept_worst
    if len(units) != 1 or (keep == 0 and worst is None and options.reduction != "none"):
        return None
    per = units.pop()
    keys = binding.keys[0].columns if binding.keys else ()
    if worst is not None:
        keep = worst
    elif options.reduction == "none" or keep == ALL:
        keep = None
    if per != "row":
        keys = names_of(binding, shown[0])
    ascending = shown[0].spec.direction == "maximise"
    return SampleLog(per, tuple(job.label for job in shown), keys, keep, worst is not None, ascending)
