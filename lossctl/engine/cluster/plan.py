"""How a pass is dealt out to workers: tasks of some files each, or of pieces of a large one; no file is opened for it.

A row has an *address* until all rows are counted: the number of its unit (a file, or a piece of one) and its place
there. Addresses are in the order of the rows, so that nothing but the report needs more. Where rows must have their
numbers beforehand (several files in step, a bootstrap, samples without keys) they are counted in a pass of its own,
which reads no more than footers where files have some.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.data.cuts import joined_cuts
from lossctl.data.roles.binding import Binding
from lossctl.engine.job import Job
from lossctl.engine.options import Options

__all__ = [
    "Counted",
    "Task",
    "Units",
    "counting",
    "counting_tasks",
    "in_step",
    "numbered",
    "obstacle",
    "scoring",
    "target_of",
    "units_of",
    "used_of",
]

Ints = NDArray[np.int64]

UNIT = 40  # bits of a row's place in its unit
LEAST, MOST = 1 << 23, 1 << 27  # bytes of a task
TASKS = 64  # as far as these bounds allow
AT_MOST = 1 << 14  # tasks, however much there is to read
FILES = 1024  # of a task, at most
FAN = 16  # states merged at a time


class Task(NamedTuple):
    """Some work for one worker. ``units`` are (first row, place of the file, path, piece, pieces); or, for files in
    step, ``rows`` are those from one to another, and ``files`` for each source its files there and their first rows.
    """

    number: int
    source: int = 0
    units: Sequence[tuple[int, int, str, int, int]] = []
    rows: tuple[int, int] | None = None
    files: Mapping[int, tuple[int, Sequence[str], Sequence[int]]] = {}
    size: int = 0  # bytes

    @property
    def name(self) -> str:
        """The first of its files, for messages."""
        if self.units:
            return self.units[0][2]
        return next((paths[0] for _, paths, _ in self.files.values() if paths), "")

    def dump(self) -> bytes:
        return json.dumps(self._asdict(), separators=(",", ":")).encode()

    @classmethod
    def load(cls, text: bytes) -> Task:
        tree = json.loads(text)
        rows = None if tree["rows"] is None else tuple(tree["rows"])
        files = {int(place): tuple(found) for place, found in tree["files"].items()}
        return cls(**{**tree, "units": [tuple(unit) for unit in tree["units"]], "rows": rows, "files": files})


class Units(NamedTuple):
    """The files of a source, each in one piece or several."""

    files: Sequence[str]
    sizes: Ints  # (files,) bytes
    pieces: NDArray[np.int32]  # (files,)
    target: int  # bytes of a task

    @property
    def places(self) -> NDArray[np.int64]:
        """(units,) the file of each unit."""
        return np.repeat(np.arange(len(self.files)), self.pieces)


class Counted(NamedTuple):
    """Of each source that is read the rows at which it may be cut, and those with which its files begin and end."""

    cuts: Mapping[int, Sequence[int]]
    starts: Mapping[int, Ints]


def obstacle(binding: Binding, jobs: Sequence[Job], options: Options) -> str | None:
    """Why a pass cannot be dealt out; ``None`` if it can."""
    if options.limit is not None:
        return "--limit counts rows from the start"
    if len(binding.keys) > 1:
        return "rows are paired by their keys"
    if binding.batching is not None:
        return "rows are seen in batches"
    if binding.apart is not None:
        return "no row pairs the inputs"
    if any(job.unit != "row" for job in jobs):
        return "lists of rows may go on from file to file"
    used = used_of(binding)
    if any(hasattr(binding.sources[place], "ids") for place in used):
        return "rows are named, and names must be unique"
    if len(used) > 1 and not all(hasattr(binding.sources[place], "cuts") for place in used):
        return "files in step must be of a format that can be cut: Parquet, NPY"
    return None


def used_of(binding: Binding) -> list[int]:
    """The sources whose rows are read."""
    return [place for place, columns in enumerate(zip(*binding.wanted(), strict=True)) if any(columns)]


def numbered(binding: Binding, options: Options) -> bool:
    """Whether rows must have their numbers before they are scored."""
    drawn = options.ci is not None and options.ci.method == "bootstrap"
    named = options.per_sample is not None and not binding.keys
    return len(used_of(binding)) > 1 or drawn or named


def target_of(size: int) -> int:
    """The bytes of a task, where there are so many in all.

    >>> target_of(1 << 20) == LEAST, target_of(1 << 30) == 1 << 24, target_of(1 << 35) == MOST, target_of(1 << 44) >> 30
    (True, True, True, 1)
    """
    return max(min(max(size // TASKS, LEAST), MOST), -(-size // AT_MOST))


def units_of(files: Sequence[str], sizes: Ints, *, divisible: bool) -> Units:
    """Units of files of so many bytes; files that can be cut are, where they are half as large again as a task."""
    sizes = np.maximum(sizes, 0)
    target = target_of(int(sizes.sum()))
    pieces = np.ones(len(files), np.int32)
    if divisible:
        np.maximum((2 * sizes + target) // (2 * target), 1, out=pieces, casting="unsafe")
    return Units(files, sizes, pieces, target)


def counting(source: int, units: Units) -> Iterator[Task]:
    """Tasks that count the rows of each file."""
    some: list[tuple[int, int, str, int, int]] = []
    index = 0
    for place in range(len(units.files)):
        some.append((0, place, units.files[place], 0, 1))
        if len(some) == FILES:
            yield Task(index, source, some)
            some, index = [], index + 1
    if some:
        yield Task(index, source, some)


def counting_tasks(units: Units) -> int:
    """How many tasks count the rows of a source."""
    return -(-len(units.files) // FILES)


def scoring(source: int, units: Units, firsts: Ints | None) -> Iterator[Task]:
    """Tasks of a single source; ``firsts`` are the first rows of its files, if they are known."""
    some: list[tuple[int, int, str, int, int]] = []
    index = unit = held = 0
    for place, (size, pieces) in enumerate(zip(units.sizes, units.pieces, strict=True)):
        share = int(size) // int(pieces)
        for piece in range(int(pieces)):
            if some and (held + share > units.target or len(some) == FILES):
                yield Task(index, source, some, size=held)
                some, held, index = [], 0, index + 1
            first = unit << UNIT if firsts is None else int(firsts[place])
            some.append((first, place, units.files[place], piece, int(pieces)))
            held += share
            unit += 1
    if some:
        yield Task(index, source, some, size=held)


def in_step(units: Mapping[int, Units], counted: Counted) -> Iterator[Task]:
    """Tasks of sources that are read side by side: the same rows of all."""
    cuts = min(counted.cuts.values(), key=len)
    total = int(cuts[-1])
    size = sum(int(one.sizes.sum()) for one in units.values())
    target = target_of(size)
    for index, (start, stop) in enumerate(pairwise(joined_cuts(cuts, max(1, total * target // max(size, 1))))):
        files = {}
        for source, one in units.items():
            starts = counted.starts[source]
            low = int(np.searchsorted(starts, start, side="right")) - 1
            high = int(np.searchsorted(starts, stop, side="left"))
            files[source] = low, [one.files[at] for at in range(low, high)], starts[low : high + 1].tolist()
        yield Task(index, rows=(start, stop), files=files, size=size * (stop - start) // max(total, 1))


def real(units: Ints, rows: Ints, addresses: NDArray[Any]) -> Ints:
    """The row numbers behind addresses, of (units,) ascending ones that have so many (units,) rows."""
    starts = np.cumsum(rows) - rows
    found = np.searchsorted(units, addresses >> UNIT)
    return np.asarray(starts[found] + (addresses & ((1 << UNIT) - 1)), np.int64)
