"""One run: plan, passes over the data, verdicts, results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from lossctl.data.roles.binding import Binding, Request, nothing_fits
from lossctl.data.source import Source
from lossctl.engine.job import Job
from lossctl.engine.options import Options
from lossctl.engine.plan import housed
from lossctl.engine.ready import fitting, ready
from lossctl.engine.result import Report
from lossctl.engine.watch import Watch
from lossctl.engine.work import Work
from lossctl.model.call import LossCall

if TYPE_CHECKING:
    from lossctl.data.inputs import Inputs
    from lossctl.engine.cluster.engines import Engine

__all__ = ["run"]


def run(
    calls: Sequence[LossCall],
    sources: list[Source],
    request: Request,
    options: Options,
    elsewhere: Mapping[str, int] | None = None,
    watch: Watch | None = None,
    inputs: Inputs | None = None,
    engine: Engine | None = None,
) -> Report:
    """Score the sources with every call, in one pass (two where a loss needs a statistic first).

    ``watch`` is told how far it has got. Where other processes do the work ``inputs`` tells them what the sources
    are, and ``engine`` is one that is at work already. Raises ``UsageError`` for a call that cannot be carried out and
    ``DataError`` for data that cannot be scored as asked.
    """
    asked = request
    request, binding, jobs = ready(calls, sources, request, options, elsewhere)
    found = [fitting(job.bound.call, partial(housed, binding, job, options), binding.left) for job in jobs]
    jobs = [job for job in found if job is not None]
    if not jobs:
        raise nothing_fits(binding.left)
    if options.engine != "local" and is_dealt(binding, jobs, options):
        from lossctl.engine.cluster.driver import deal

        return deal(binding, jobs, request, options, watch, engine, inputs, asked)
    if len(binding.keys) > 1:
        from lossctl.data.joined import rejoin

        binding = rejoin(binding, request.unmatched or "error", options.memory)
    return Work(binding, jobs, request, options, watch).reported()


def is_dealt(binding: Binding, jobs: Sequence[Job], options: Options) -> bool:
    """Whether the work can be dealt out; if not, it is said why it is done here."""
    from lossctl.engine.cluster.plan import obstacle

    why = obstacle(binding, jobs, options)
    if why is not None:
        binding.notes.append(("one-machine", f"--engine {options.engine}: all of it ran on this machine, since {why}"))
    return why is None
