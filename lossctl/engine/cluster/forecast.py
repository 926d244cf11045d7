"""What workers would be given, told before there are any: no file is opened for it but the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from lossctl.data.roles.binding import Binding
from lossctl.data.shards.files import Files
from lossctl.engine.cluster.files import files_of, sizes_of
from lossctl.engine.cluster.plan import (
    FAN,
    Units,
    counting_tasks,
    numbered,
    obstacle,
    scoring,
    target_of,
    units_of,
    used_of,
)
from lossctl.engine.cluster.worker import header
from lossctl.engine.job import Job
from lossctl.engine.options import Options
from lossctl.engine.plan import NUMBER, Need, need_of
from lossctl.engine.state import State
from lossctl.engine.wire.frame import pack
from lossctl.engine.wire.states import state_out

__all__ = ["Dealing", "dealing"]

Way = Literal["files", "pieces", "rows"]
COUNTS, SUMS = 180, 110  # bytes of counts, and of the sums of a loss, compressed: measured, as the next ones are
NAME, SLICE = 5, 10  # of the name of a slice, and of its sums of a loss
UNIT = 3  # of the number of rows in a file or a piece of one
KNOWN = 32  # bytes of the same in the memory of whoever puts rows in order


class Dealing(NamedTuple):
    """A pass dealt out by an engine. Bytes are about so many; those of states are without ``row_bytes``."""

    engine: str
    obstacle: str | None  # why all of it runs on one machine; the rest is then empty
    way: Way | None = None  # what a task is made of: whole files, pieces of large ones too, the same rows of several
    tasks: int = 0
    guessed: bool = False  # the number of tasks
    task_bytes: int = 0  # of files, at the most
    counting: int = 0  # tasks of a pass that counts the rows first
    merged: int = FAN  # states at a time
    levels: int = 0
    state_bytes: int = 0  # of one task
    slice_bytes: int = 0  # more for each value of --by
    row_bytes: int = 0  # more for each row, where a loss needs all values
    driver_bytes: int = 0  # names of the files, what is known of each, the last state


def dealing(binding: Binding, jobs: Sequence[Job], options: Options) -> Dealing:
    """How the engine of the options would deal a pass out. Raises ``UsageError`` for what is no file."""
    why = obstacle(binding, jobs, options)
    if why is not None:
        return Dealing(options.engine, why)
    used = used_of(binding)
    files = {place: files_of(binding.sources[place], options.endpoint_url) for place in used}
    units = {
        place: units_of(
            files[place],
            sizes_of(files[place], options.endpoint_url),
            divisible=len(used) == 1 and hasattr(binding.sources[place], "cuts"),
        )
        for place in used
    }
    count, largest, way = tasks_of(binding, units, options)
    state, pieces = empty_state(binding, jobs), sum(int(one.pieces.sum()) for one in units.values())
    needs = [need for job in jobs if (need := need_of(binding, job, options, 1)) is not None]
    whole = state + (UNIT * pieces if way != "rows" else 0)
    return Dealing(
        options.engine,
        None,
        way=way,
        tasks=count,
        guessed=way == "rows",
        task_bytes=largest,
        counting=sum(map(counting_tasks, units.values())) if numbered(binding, options) else 0,
        levels=levels(count),
        state_bytes=state,
        slice_bytes=NAME + SLICE * len(jobs) if binding.by else 0,
        row_bytes=sum(map(sent, needs)),
        driver_bytes=sum(map(held, files.values())) + KNOWN * pieces + whole,
    )


def tasks_of(binding: Binding, units: dict[int, Units], options: Options) -> tuple[int, int, Way]:
    """How many tasks, the bytes of the largest, and what they are made of."""
    place, one = next(iter(units.items()))
    if numbered(binding, options) and all(hasattr(binding.sources[each], "between") for each in units):
        size = sum(int(each.sizes.sum()) for each in units.values())
        target = target_of(size)
        return max(1, -(-size // target)), min(size, target), "rows"
    count = largest = 0
    for task in scoring(place, one, None):
        count, largest = count + 1, max(largest, task.size)
    return count, largest, "pieces" if (one.pieces > 1).any() else "files"


def sent(need: Need) -> int:
    """The bytes of a row that travel: without the number of its slice, which is mostly the same."""
    return (need.bytes or 0) - (NUMBER if need.kind == "values" else 0)


def levels(tasks: int) -> int:
    """How often states are merged before one is left.

    >>> [levels(tasks) for tasks in (1, 2, 16, 17, 256, 257)]
    [0, 1, 1, 2, 2, 3]
    """
    found = 0
    while tasks > 1:
        tasks, found = -(-tasks // FAN), found + 1
    return found


def empty_state(binding: Binding, jobs: Sequence[Job]) -> int:
    """The bytes of a state without rows, and about those of its sums."""
    twins = [job.twin() for job in jobs]
    return len(pack(header(""), state_out(State(binding, twins)))) + COUNTS + SUMS * len(jobs)


def held(files: Sequence[str]) -> int:
    """The bytes that names and sizes take in memory."""
    return files.held if isinstance(files, Files) else sum(map(len, files))
