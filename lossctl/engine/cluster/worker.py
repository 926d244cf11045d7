"""What a worker does: ``partial`` makes a state of a task, ``merge`` one of several.

Both take bytes and give bytes, and what they give depends on these alone: a task may be done twice, by whomever.
A recipe is set up once for each thread of a worker.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from threading import local
from typing import Any

import numpy as np

from lossctl.data.pair import Chunk
from lossctl.data.shards.some import SomeFiles
from lossctl.data.tasks import Between, Part
from lossctl.engine.cluster.environment import environment
from lossctl.engine.cluster.plan import Task
from lossctl.engine.cluster.recipe import Recipe, call_in, digest
from lossctl.engine.ready import ready
from lossctl.engine.samples import SampleLog
from lossctl.engine.state import State
from lossctl.engine.takings import Takings
from lossctl.engine.wire.frame import header_of, pack, unpack
from lossctl.engine.wire.logs import log_in, log_out
from lossctl.engine.wire.notes import error_out
from lossctl.engine.wire.states import state_in, state_out
from lossctl.errors import DataError, LossctlError, OutputError, UsageError

__all__ = ["TaskError", "merge", "partial", "rewritten"]


class TaskError(Exception):
    """A task that has failed: what went wrong, as JSON (``task``, its number, and ``error``)."""


class Setup:
    """A recipe with its files open and its columns found."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.recipe = recipe = Recipe.load(text)
        self.plan = digest(text)
        listed = {path: SomeFiles(one.files, one.known) for path, one in recipe.listed.items()}
        sources, _, elsewhere = recipe.inputs.open(listed)
        calls = [call_in(told) for told in recipe.calls]
        _, self.binding, self.jobs = ready(calls, sources, recipe.request, recipe.options, elsewhere)
        if [job.bound.call.name for job in self.jobs] != [told["name"] for told in recipe.calls]:
            raise DataError(
                "the columns are not those that the run was planned with",
                code="changed",
                file=sources[0].name,
                hint="were the files written anew in the meantime?",
            )
        for job, told in zip(self.jobs, recipe.calls, strict=True):
            job.label, job.resolved = told["label"], told["resolved"]
        self.wanted = list(zip(*self.binding.wanted(), strict=True))

    def state(self) -> State:
        """An empty one; those made before are of no use any more."""
        for job in self.jobs:
            shared = job.shared
            job.fresh()
            job.shared = shared
            job.bound.vocabulary.forget()
        return State(self.binding, self.jobs)


LINE = 9  # bytes of a sample, for its row and for each value

_done = local()


def setup(text: bytes) -> Setup:
    """The recipe, set up by this thread before or now."""
    known: Setup | None = getattr(_done, "setup", None)
    if known is None or known.text != text:
        known = _done.setup = Setup(text)
    return known


def partial(recipe: bytes, task: bytes) -> bytes:
    """The state of a task. Raises ``TaskError``."""
    work = Task.load(task)
    return guarded(lambda: begun(recipe, work), work)


def begun(recipe: bytes, work: Task) -> bytes:
    ready_made = setup(recipe)
    tree = counted(ready_made, work) if ready_made.recipe.aim == "count" else looked_at(ready_made, work)
    return pack(header(ready_made.plan), tree)


def guarded(made: Callable[[], bytes], work: Task) -> bytes:
    """What is made; any failure as text. Other exceptions, and tracebacks, cannot always be sent."""
    trouble: LossctlError
    try:
        return made()
    except LossctlError as error:
        trouble = error
    except MemoryError:
        trouble = too_large(work)
    except OSError as error:
        trouble = OutputError(f"cannot write: {error.strerror or error}", file=work.name or None)
    except ImportError as error:
        trouble = UsageError(
            f"a worker cannot load what it needs: {' '.join(str(error).split())[:200]}",
            code="missing-extra",
            hint="install the same packages on all machines of the cluster",
        )
    except Exception as error:
        trouble = bug(error, work)
    raise TaskError(json.dumps({"task": work.number, "error": error_out(trouble)}))


def bug(error: Exception, work: Task) -> LossctlError:
    text = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    hint = "this is a bug in lossctl: run again with --debug and --engine local, and report the traceback"
    return LossctlError(text, code="bug", file=work.name or None, hint=hint)


def too_large(task: Task) -> DataError:
    return DataError(
        f"a worker has not enough memory {'for a part of the file' if task.name else 'to merge states'}",
        code="memory",
        file=task.name or None,
        hint="--chunk-rows N holds fewer rows at once; or workers with more memory",
    )


def merge(recipe: bytes, states: Sequence[bytes]) -> bytes:
    """One state of several, in any order. Raises ``TaskError``, also for a state of another run."""
    return guarded(lambda: merged_of(recipe, states), Task(-1))


def merged_of(recipe: bytes, states: Sequence[bytes]) -> bytes:
    ready_made = setup(recipe)
    headers = [header_of(state) for state in states]
    if any(found["plan"] != ready_made.plan for found in headers):
        raise DataError("a state is of another run", code="state")
    trees = [unpack(state)[1] for state in states]
    merged: dict[str, Any] = together(trees)
    if ready_made.recipe.aim != "count":
        state = ready_made.state()
        for tree in trees:
            twins = [job.twin() for job in ready_made.jobs]
            state.merge(state_in(tree["state"], ready_made.binding, twins))
        log = None
        for tree in trees:
            if tree["log"] is not None:
                log = new_log(ready_made) if log is None else log
                log.merge(log_in(tree["log"], new_log(ready_made)))
        check_room(ready_made, log)
        merged["state"] = state_out(state)
        merged["log"] = None if log is None else log_out(log)
    where = sorted({one for found in headers for one in found["environments"]})
    return pack({**header(ready_made.plan), "environments": where}, merged)


def together(trees: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the trees say of their units; those of a pass in order, which makes for fewer bytes."""
    names = [name for name in ("units", "rows", "cuts", "lengths") if name in trees[0]]
    found: dict[str, Any] = {name: np.concatenate([tree[name] for tree in trees]) for name in names}
    if "rows" in found:
        order = np.argsort(found["units"], kind="stable")
        return {name: values[order] for name, values in found.items()}
    return found


def check_room(ready_made: Setup, log: SampleLog | None) -> None:
    """Refuse what would not fit where all states come together: values of exact quantiles, and samples of all rows."""
    memory = ready_made.recipe.options.memory
    for job in ready_made.jobs:
        if job.tally.hoard is not None and job.tally.hoard.exact and job.room.full:
            raise UsageError(
                f"{job.label}: {job.view} is exact, and the values of all rows take more than --memory ({memory:,})",
                code="memory",
                hint="more --memory; --engine local, which keeps them in a file; or --stats, approximate beyond it",
            )
    if log is not None and len(log) * LINE * (1 + len(log.labels)) > memory:
        raise UsageError(
            f"the samples that are asked for take more than --memory ({memory:,} bytes)",
            code="memory",
            hint="--per-sample FILE writes them where the workers are",
        )


def new_log(ready_made: Setup) -> Any:
    log = Takings(ready_made.binding, ready_made.jobs, ready_made.recipe.options._replace(per_sample=None)).log
    assert log is not None
    return log


def header(plan: str) -> dict[str, Any]:
    return {"plan": plan, "environments": [environment()]}


def counted(ready_made: Setup, task: Task) -> dict[str, Any]:
    """The rows at which each file of the task may be cut."""
    source: Any = ready_made.binding.sources[task.source]
    cuts = []
    for _, place, path, _, _ in task.units:
        source.files.add(place, path)
        cuts.append(np.asarray(source.cuts_of(place), np.int64))
    return {
        "units": np.array([[task.source, unit[1]] for unit in task.units], np.int64),
        "cuts": np.concatenate(cuts),
        "lengths": np.array([len(each) for each in cuts], np.int64),
    }


def looked_at(ready_made: Setup, task: Task) -> dict[str, Any]:
    """The state of the task's rows, and how many each of its units has."""
    recipe, state = ready_made.recipe, ready_made.state()
    takings = None
    if recipe.aim == "score":
        options = recipe.options._replace(per_sample=part_of(recipe, task))
        takings = Takings(ready_made.binding, ready_made.jobs, options)
    rows = []
    try:
        for chunks in parts(ready_made, task):
            count = 0
            for chunk in chunks:
                if takings is None:
                    state.survey(chunk)
                else:
                    takings.keep(takings.found(state, state.score(chunk), chunk))
                count += chunk.rows
            rows.append(count)
        if takings is not None:
            takings.end(state)
            if takings.outlet is not None:
                takings.outlet.commit()
        check_room(ready_made, None if takings is None else takings.log)
        log = None if takings is None or takings.log is None else log_out(takings.log)
    finally:
        if takings is not None:
            takings.close()
    units = [unit[0] for unit in task.units] or [0]
    return {"units": np.array(units, np.int64), "rows": np.array(rows, np.int64), "state": state_out(state), "log": log}


def part_of(recipe: Recipe, task: Task) -> str | None:
    """Where the samples of the task go."""
    if recipe.staging is None or recipe.options.per_sample is None:
        return None
    from lossctl.data.sinks.partnames import part_path

    return part_path(recipe.staging, task.number, os.path.splitext(recipe.options.per_sample)[1])


def parts(ready_made: Setup, task: Task) -> Iterator[Iterator[Chunk]]:
    """The chunks of each unit of the task."""
    binding, rows = ready_made.binding, ready_made.recipe.chunk_rows
    if task.rows is not None:
        for place, (first, paths, starts) in task.files.items():
            source: Any = binding.sources[place]
            for at, path in enumerate(paths, first):
                source.files.add(at, path)
            source.stand_from(first, starts)
            for at, path in enumerate(paths):
                if source.cuts_of(first + at)[-1] != starts[at + 1] - starts[at]:
                    raise rewritten(path)
        yield Between(binding, list(task.files), *task.rows, rows).chunks(task.rows[0])
        return
    for unit in task.units:
        yield unit_chunks(ready_made, task.source, unit)


def rewritten(path: str) -> DataError:
    """The error for a file that has other rows than it had before in this run."""
    hint = "let its writer finish, and run again"
    return DataError("the file changed while the run lasted", code="changed", file=path, hint=hint)


def unit_chunks(ready_made: Setup, place: int, unit: tuple[int, int, str, int, int]) -> Iterator[Chunk]:
    first, at, path, piece, pieces = unit
    source: Any = ready_made.binding.sources[place]
    source.files.add(at, path)
    for span, row in source.part(at, piece, pieces, ready_made.wanted[place], first):
        yield from Part(ready_made.binding, place, span, ready_made.recipe.chunk_rows).chunks(row)
