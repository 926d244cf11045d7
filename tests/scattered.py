"""A run as several processes would carry it out: parts scored apart, written, mixed up, read, merged, reported."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lossctl.data.roles.binding import Request
from lossctl.engine.details import add_details
from lossctl.engine.options import Options
from lossctl.engine.ready import ready
from lossctl.engine.result import Report
from lossctl.engine.state import State
from lossctl.engine.takings import Takings
from lossctl.engine.wire.addresses import UNIT_BITS, relocate
from lossctl.engine.wire.frame import pack, unpack
from lossctl.engine.wire.logs import log_in, log_out
from lossctl.engine.wire.states import state_in, state_out
from lossctl.engine.work import Work
from lossctl.model.call import LossCall


class Parts:
    """The same run, given to several workers, each of which makes its own plan.

    ``cut`` has the rows of a part, several to a chunk; ``addresses`` numbers rows by part and place instead; the
    ``known`` labels have codes already, others in each worker. In a ``tree`` others merge some parts first.
    """

    def __init__(
        self,
        calls: Sequence[LossCall],
        sources: Callable[[], list[Any]],
        request: Request,
        options: Options,
        cut: int,
        *,
        seed: int = 0,
        addresses: bool = False,
        known: Sequence[str] = (),
        tree: bool = False,
    ) -> None:
        self.make = lambda: ready(list(calls), sources(), request, options)
        self.request, self.binding, jobs = self.make()
        self.options = options
        self.work = Work(self.binding, jobs, self.request, options)
        whole = any(job.cutter is not None or job.spec.scope == "batch" for job in jobs)
        self.cut = 1 << 30 if whole else cut
        self.random = random.Random(seed)
        self.addresses = addresses and options.ci is None and not whole
        self.known = list(known)
        self.tree = tree
        self.frames: list[bytes] = []

    def run(self) -> Report:
        work = self.work
        if any(job.needs_prelude for job in work.jobs):
            waiting = [job for job in work.jobs if job.needs_prelude]
            self.gather(lambda state, chunk: state.survey(chunk), None)
            work.leave_out()
            for job in waiting:
                if job in work.jobs:
                    job.settle()
        again = True
        while again:
            for job in work.jobs:
                job.fresh()
                job.bound.vocabulary.clear()
            work.state = State(self.binding, work.jobs)
            work.takings = Takings(work.binding, work.jobs, self.options)
            self.gather(lambda state, chunk: state.score(chunk), work.log)
            if self.addresses:
                relocate(work.state, work.log, self.rows)
            if work.log is not None:
                work.log.total = work.state.read if work.log.per == "row" else work.state.lists
            again = work.leave_out()
        if work.log is not None:
            add_details(work.log, work.jobs, work.chunks, self.options)
        return work.report()

    def gather(self, look: Any, log: Any) -> None:
        """Every part by a worker of its own; their frames come back in some order."""
        ends = self.ends()
        frames = [self.part(place, look, log) for place in range(len(ends))]
        self.random.shuffle(frames)
        if self.tree:
            frames = [self.joint(frames[at : at + 2], log) for at in range(0, len(frames), 2)]
        self.frames += frames
        for data in frames:
            header, tree = unpack(data)
            assert header["losses"] == [job.label for job in self.work.jobs]
            self.work.state.merge(state_in(tree["state"], self.binding, [job.twin() for job in self.work.jobs]))
            if log is not None:
                log.merge(log_in(tree["log"], log))

    def plan(self) -> tuple[Any, list[Any]]:
        """The binding and the jobs of another process."""
        _, binding, jobs = self.make()
        jobs = [job for job in jobs if job.label in {mine.label for mine in self.work.jobs}]
        for job in jobs:
            job.resolved = next(mine for mine in self.work.jobs if mine.label == job.label).resolved
            self.random.shuffle(self.known)
            job.bound.vocabulary.codes_of(self.known)
        return binding, jobs

    def joint(self, frames: list[bytes], log: Any) -> bytes:
        """Some frames as one, by a process that has read no rows."""
        binding, jobs = self.plan()
        state, samples = State(binding, jobs), None if log is None else log.like()
        for data in frames:
            tree = unpack(data)[1]
            state.merge(state_in(tree["state"], binding, [job.twin() for job in jobs]))
            if samples is not None:
                samples.merge(log_in(tree["log"], samples))
        return self.frame(state, samples)

    def frame(self, state: State, samples: Any) -> bytes:
        tree = {"state": state_out(state), "log": None if samples is None else log_out(samples)}
        return pack({"losses": [job.label for job in state.jobs]}, tree)

    def ends(self) -> list[int]:
        rows = sum(chunk.rows for chunk in self.work.chunks())
        return [min(end, rows) for end in range(self.cut, rows + self.cut, self.cut)]

    def rows(self, addresses: Any) -> Any:
        unit, row = np.divmod(addresses, 1 << UNIT_BITS)
        return unit * self.cut + row

    def part(self, place: int, look: Any, log: Any) -> bytes:
        """What one worker makes of its rows."""
        binding, jobs = self.plan()
        state, samples = State(binding, [job.twin() for job in jobs]), None if log is None else log.like()
        start = place * self.cut
        for chunk in Work(binding, jobs, self.request, self.options).chunks():
            if start <= chunk.first < start + self.cut:
                if self.addresses:
                    chunk.first += (place << UNIT_BITS) - start
                self.show(state, look(state, chunk), chunk, samples)
        self.show(state, state.rest(), None, samples)
        return self.frame(state, samples)

    def show(self, state: State, done: Any, chunk: Any, samples: Any) -> None:
        shown = None if samples is None or done is None else state.lines(done, chunk, samples.per)
        if shown is not None:
            samples.add(shown.lines, shown.keys)


def said(report: Report) -> list[str]:
    """Everything a report says."""
    samples = report.samples
    found = [repr(result) for result in report.results]
    shown = [] if samples is None else [repr((samples.order, samples.total, samples.key_names)), *map(repr, samples)]
    return [*found, *shown, repr(report._replace(results=[], samples=None))]
