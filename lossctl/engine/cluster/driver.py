"""The passes of a run, dealt out to workers: a recipe and tasks go out, one state comes back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl.data.inputs import Inputs
from lossctl.data.roles.binding import Binding, Request
from lossctl.data.shards.source import ShardedSource
from lossctl.data.sinks.parts import Parts
from lossctl.engine.cluster import worker
from lossctl.engine.cluster.engines import Engine, hired, scheduler_of
from lossctl.engine.cluster.files import files_of, sizes_of
from lossctl.engine.cluster.plan import (
    Counted,
    Task,
    Units,
    counting,
    in_step,
    numbered,
    real,
    scoring,
    units_of,
    used_of,
)
from lossctl.engine.cluster.recipe import Listed, Recipe, call_out, digest
from lossctl.engine.cluster.shared import check_shared
from lossctl.engine.job import Job
from lossctl.engine.options import Options
from lossctl.engine.pace import chunk_rows
from lossctl.engine.result import Report
from lossctl.engine.state import State
from lossctl.engine.takings import Takings
from lossctl.engine.watch import Pass, Watch
from lossctl.engine.wire.addresses import relocate
from lossctl.engine.wire.frame import header_of, unpack
from lossctl.engine.wire.logs import log_in
from lossctl.engine.wire.notes import error_in
from lossctl.engine.wire.states import state_in
from lossctl.engine.work import Work
from lossctl.errors import DataError, UsageError

__all__ = ["Dealt", "deal"]

MEGA = 1 << 20


class Dealt(Work):
    """A run whose passes are made by an engine."""

    def __init__(
        self,
        binding: Binding,
        jobs: list[Job],
        request: Request,
        options: Options,
        watch: Watch | None,
        engine: Engine,
        inputs: Inputs,
        asked: Request,
    ) -> None:
        super().__init__(binding, jobs, request, options, watch)
        self.engine = engine
        self.inputs = inputs
        self.asked = asked
        self.name = os.urandom(8).hex()
        self.used = used_of(binding)
        self.files = {place: files_of(binding.sources[place], options.endpoint_url) for place in self.used}
        self.units = {place: self.units_in(place) for place in self.used}
        self.counted: Counted | None = None
        self.staged: Staged | None = None
        self.unit_rows: NDArray[np.int64] | None = None  # of each unit, once a pass has seen them
        for place, wanted in enumerate(zip(*binding.wanted(), strict=True)):
            if place in self.used and isinstance(binding.sources[place], ShardedSource):
                binding.sources[place].settle(*wanted)  # type: ignore[attr-defined]

    def units_in(self, place: int) -> Units:
        source, files = self.binding.sources[place], self.files[place]
        divisible = len(self.used) == 1 and hasattr(source, "cuts")
        return units_of(files, sizes_of(files, self.options.endpoint_url), divisible=divisible)

    @property
    def numbered(self) -> bool:
        """Whether rows must have their numbers before they are scored."""
        return numbered(self.binding, self.options)

    @property
    def stepping(self) -> bool:
        """Whether tasks of rows that have their numbers are from one row to another, whatever the files."""
        return all(hasattr(self.binding.sources[place], "between") for place in self.used)

    @property
    def outlet(self) -> Staged | None:  # type: ignore[override]
        return self.staged

    def close(self) -> None:
        """Give up the samples of an earlier pass, or of one that has failed."""
        super().close()
        if self.staged is not None:
            self.staged.abort()

    def first_look(self) -> None:
        self.state = self.passed("survey", "first look")[0]

    def one_pass(self, aim: str, *, gather: bool) -> None:
        for job in self.jobs:
            job.fresh(gather=gather)
            job.bound.vocabulary.clear()
        self.close()
        takings = Takings(self.binding, self.jobs, self.options._replace(per_sample=None))
        self.takings = takings
        self.staged = Staged(self.options.per_sample, self.options.endpoint_url) if self.options.per_sample else None
        self.state, log = self.passed("score", aim)
        if takings.log is not None:
            if log is not None:
                takings.log.merge(log)
            takings.end(self.state)

    def passed(self, aim: str, said: str) -> tuple[State, Any]:
        """The state, and the samples, of a pass over all rows."""
        if self.numbered and self.counted is None:
            self.counted = self.count()
        tasks, addressed = self.tasks()
        tree = self.asked_of_engine(self.recipe(aim), tasks, said)
        state, log = State(self.binding, self.jobs), None
        if tree is not None:
            twins = [job.twin() for job in self.jobs]
            state.merge(state_in(tree["state"], self.binding, twins))
            if tree["log"] is not None and self.log is not None:
                log = log_in(tree["log"], self.log)
            if addressed:
                self.settle_rows(tree, state, log)
            elif not self.stepping:
                self.check_rows(tree)
        self.stand_beside()
        return state, log

    def tasks(self) -> tuple[Iterator[Task], bool]:
        """The tasks of a pass, and whether their rows have addresses rather than numbers."""
        if self.counted is not None and self.stepping:
            return in_step(self.units, self.counted), False
        (place,) = self.used
        if self.counted is None:
            return scoring(place, self.units[place], None), True
        whole = self.units[place]._replace(pieces=np.ones(len(self.files[place]), np.int32))
        return scoring(place, whole, self.counted.starts[place]), False

    def count(self) -> Counted:
        """The rows of all files, counted by the workers."""
        recipe = self.recipe("count")
        cuts, starts = {}, {}
        for place in self.used:
            tree = self.asked_of_engine(recipe, counting(place, self.units[place]), "counting rows")
            assert tree is not None
            files, lengths = tree["units"][:, 1], tree["lengths"]
            rows = np.zeros(len(files), np.int64)
            rows[files] = tree["cuts"][np.cumsum(lengths) - 1]
            starts[place] = ends = np.concatenate([[0], np.cumsum(rows)])
            cuts[place] = np.unique(tree["cuts"] + np.repeat(ends[files], lengths)).tolist()
            self.stand(place, ends[:-1])
        if len({int(ends[-1]) for ends in starts.values()}) > 1:
            raise self.unequal({place: int(ends[-1]) for place, ends in starts.items()})
        return Counted(cuts, starts)

    def unequal(self, counts: Mapping[int, int]) -> DataError:
        from lossctl.data.pair import lengths_differ

        return lengths_differ(self.binding.sources, counts)

    def stand(self, place: int, starts: NDArray[np.int64]) -> None:
        source = self.binding.sources[place]
        if isinstance(source, ShardedSource):
            source.stand(starts)

    def settle_rows(self, tree: Mapping[str, Any], state: State, log: Any) -> None:
        """Row numbers in the place of addresses."""
        (place,) = self.used
        order = np.argsort(tree["units"])
        units, rows = tree["units"][order] >> 40, tree["rows"][order]
        if self.unit_rows is not None and (differ := self.unit_rows != rows).any():
            of_file = int(self.units[place].places[units[differ.argmax()]])
            raise worker.rewritten(self.files[place][of_file])
        self.unit_rows = rows
        relocate(state, log, partial(real, units, rows))
        starts = np.cumsum(rows) - rows
        first = np.cumsum(self.units[place].pieces) - self.units[place].pieces
        self.stand(place, starts[np.searchsorted(units, first)])

    def check_rows(self, tree: Mapping[str, Any]) -> None:
        """Files have the rows that were counted: otherwise others would have had wrong numbers."""
        assert self.counted is not None
        (place,) = self.used
        starts = self.counted.starts[place]
        rows = np.diff(starts)
        order = np.lexsort((tree["rows"], tree["units"]))
        expected = np.lexsort((rows, starts[:-1]))
        found = np.stack([tree["units"][order], tree["rows"][order]])
        differ = (found != np.stack([starts[:-1][expected], rows[expected]])).any(axis=0)
        if differ.any():
            raise worker.rewritten(self.files[place][int(expected[differ.argmax()])])

    def stand_beside(self) -> None:
        """What stands beside all rows is read here too: the value may depend on it."""
        waiting = [job for job in self.jobs if job.shared.whole is None and any(job.spec.whole(job.bound.refs))]
        chunk = next(self.chunks(), None) if waiting else None
        for job in waiting:
            if chunk is not None:
                job.fit(chunk)

    def recipe(self, aim: str) -> bytes:
        sources = {place: self.binding.sources[place] for place in self.used}
        listed = {}
        for place, source in sources.items():
            known = {at: self.files[place][at] for at in (0, *getattr(source, "guides", ()))}
            listed[source.name] = Listed(len(self.files[place]), known)
        return Recipe(
            aim=aim,
            inputs=self.inputs,
            listed=listed,
            calls=[call_out(job.bound.call, job.label, job.resolved) for job in self.jobs],
            request=self.asked,
            options=self.options,
            chunk_rows=chunk_rows(self.binding, self.options.chunk_rows, 1),
            staging=self.staged.place if aim == "score" and self.staged is not None else None,
            run=self.name,
        ).dump()

    def asked_of_engine(self, recipe: bytes, tasks: Iterator[Task], said: str) -> dict[str, Any] | None:
        """What the engine makes of the tasks; a failure comes as the error that it is."""
        sizes = [one.sizes for one in self.units.values()]
        total = sum(int(one.sum()) for one in sizes)
        tick = None if self.watch is None else self.watch(Pass(said, max(1, total // MEGA), unit="MB"))
        sent: list[int] = []
        done = 0

        def named() -> Iterator[tuple[str, bytes]]:
            for task in tasks:
                sent.append(task.size)
                yield task.name, task.dump()

        def told(index: int) -> None:
            nonlocal done
            done += sent[index]
            if tick is not None:
                tick(done // MEGA)

        try:
            merged = self.engine.run(partial(worker.partial, recipe), partial(worker.merge, recipe), named(), told)
        except worker.TaskError as failed:
            raise error_in(json.loads(str(failed))["error"]) from None
        if self.staged is not None:
            self.staged.parts = len(sent)
        if merged is None:
            return None
        header = header_of(merged)
        if header["plan"] != digest(recipe):
            raise DataError("a state is of another run", code="state")
        if len(header["environments"]) > 1:
            words = "; ".join(header["environments"])
            self.binding.notes.append(
                ("machines-differ", f"workers differ, and so may the last digits of logarithms: {words}")
            )
        tree: dict[str, Any] = unpack(merged)[1]
        return tree


class Staged:
    """The samples of a run, which workers write; they appear together."""

    def __init__(self, path: str, endpoint_url: str | None) -> None:
        self._parts = Parts(path, endpoint_url)
        self.place = self._parts.begin()
        self.parts = 0

    def commit(self) -> None:
        """Let them appear."""
        self._parts.commit(self.parts)

    def abort(self) -> None:
        """Leave everything as it was."""
        self._parts.abort()


def deal(
    binding: Binding,
    jobs: list[Job],
    request: Request,
    options: Options,
    watch: Watch | None,
    engine: Engine | None,
    inputs: Inputs | None,
    asked: Request,
) -> Report:
    """A run by an engine: the one given, or one that is hired for it."""
    if inputs is None:
        raise UsageError(
            f"--engine {options.engine} reads files, and these are arrays in memory",
            code="bad-option",
            hint="leave the engine out, or give paths",
        )
    if scheduler_of(options) is not None:
        check_shared(binding, jobs, options)
    with nullcontext(engine) if engine is not None else hired(options) as found:
        return Dealt(binding, jobs, request, options, watch, found, inputs, asked).reported()
