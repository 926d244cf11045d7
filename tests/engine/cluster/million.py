"""A store in which a million files stand, of which few have bytes; and runs over it, each in a process of its own.

    python tests/engine/cluster/million.py WAY [FILES [FOLDERS]]

tells as JSON what the run of that way has opened and listed, how many tasks it made, its time and its peak of memory.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from lossctl.data.stores import store
from lossctl.data.stores.arrow import ArrowStore
from lossctl.engine.options import Plan

BUCKET = "million"
DATA = f"s3://{BUCKET}/data"
ROWS = 1_000_000  # that a file is said to have
BYTES = 16 * ROWS


def name(place: int, per: int) -> str:
    return f"{BUCKET}/data/day-{place // per:04d}/part-{place % per:05d}.parquet"


class Handler(fs.FileSystemHandler):
    """So many files in so many folders; the first one can be read. ``seen`` counts what is asked."""

    def __init__(self, files: int, folders: int) -> None:
        self.files = files
        self.per = -(-files // folders)
        self.folders = -(-files // self.per)
        self.seen: Counter[str] = Counter()
        self.opened: set[str] = set()
        table = pa.table({"y_pred": np.linspace(0, 1, 1000), "y_true": np.linspace(0.1, 1, 1000)})
        pq.write_table(table, sink := pa.BufferOutputStream())
        self.bytes = sink.getvalue().to_pybytes()

    def info(self, path: str) -> fs.FileInfo:
        parts = path.split("/")
        if parts[:2] != [BUCKET, "data"] or len(parts) > 4:
            return fs.FileInfo(path, fs.FileType.NotFound)
        if len(parts) < 4:
            return fs.FileInfo(path, fs.FileType.Directory)
        size = len(self.bytes) if path == name(0, self.per) else BYTES
        return fs.FileInfo(path, fs.FileType.File, size=size, mtime_ns=10**18)

    def get_file_info(self, paths: Sequence[str]) -> list[fs.FileInfo]:
        self.seen["info"] += len(paths)
        return [self.info(path) for path in paths]

    def get_file_info_selector(self, selector: Any) -> list[fs.FileInfo]:
        """One request tells a thousand files."""
        self.seen["list"] += 1
        path = selector.base_dir.rstrip("/")
        if path == f"{BUCKET}/data" and not selector.recursive:
            return [self.info(f"{path}/day-{day:04d}") for day in range(self.folders)]
        first = 0 if path == f"{BUCKET}/data" else int(path[-4:]) * self.per
        count = self.files if path == f"{BUCKET}/data" else min(self.per, self.files - first)
        self.seen["pages"] += -(-count // 1000)
        return [self.info(name(place, self.per)) for place in range(first, first + count)]

    def open_input_file(self, path: str) -> Any:
        self.seen["open"] += 1
        self.opened.add(path)
        if path != name(0, self.per):
            raise OSError(f"{path} has no bytes")
        return pa.PythonFile(io.BytesIO(self.bytes), mode="r")

    open_input_stream = open_input_file

    def get_type_name(self) -> str:
        return "million"

    def normalize_path(self, path: str) -> str:
        return path

    def _never(self, *_: Any, **__: Any) -> Any:
        raise OSError("nothing is written here")

    create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = delete_file = _never
    move = copy_file = open_output_stream = open_append_stream = _never


def stored(files: int, folders: int) -> Handler:
    """The store of ``s3://million/``, from now on."""
    handler = Handler(files, folders)
    found = ArrowStore(fs.PyFileSystem(handler), f"s3://{BUCKET}/", BUCKET, "a test", "none")
    store._s3 = cache(lambda *_: found)  # type: ignore[assignment]
    return handler


class Idle:
    """An engine that looks at every task, and does none."""

    def __init__(self) -> None:
        self.tasks = self.bytes = self.largest = 0

    def run(
        self,
        partial: Callable[[bytes], bytes],
        merge: Callable[[Sequence[bytes]], bytes],
        tasks: Iterator[tuple[str, bytes]],
        told: Callable[[int], None],
    ) -> bytes | None:
        for number, (_, task) in enumerate(tasks):
            self.tasks += 1
            self.bytes += len(task)
            self.largest = max(self.largest, len(task))
            told(number)
        return None

    def close(self) -> None:
        pass


class Stubs(Idle):
    """An engine whose states are ready made, and are merged sixteen at a time as those of Dask are."""

    def run(
        self,
        partial: Callable[[bytes], bytes],
        merge: Callable[[Sequence[bytes]], bytes],
        tasks: Iterator[tuple[str, bytes]],
        told: Callable[[int], None],
    ) -> bytes | None:
        from lossctl.data.tasks import Part
        from lossctl.engine.cluster.plan import Task
        from lossctl.engine.cluster.worker import header, setup
        from lossctl.engine.wire.frame import pack
        from lossctl.engine.wire.states import state_out

        made = setup(partial.args[0])  # type: ignore[attr-defined]
        state = made.state()
        source: Any = made.binding.sources[0]
        for span, row in source.part(0, 0, 1, made.wanted[0], 0):
            for chunk in Part(made.binding, 0, span, made.recipe.chunk_rows).chunks(row):
                state.score(chunk)
        tree = state_out(state)
        self.sizes: dict[int, list[int]] = {}
        self.merging = 0.0
        waiting: dict[int, list[bytes]] = {}
        random = np.random.default_rng(0)

        def take(found: bytes, level: int) -> None:
            self.sizes.setdefault(level, []).append(len(found))
            group = waiting.setdefault(level, [])
            group.append(found)
            if len(group) == 16:
                waiting[level] = []
                start = time.perf_counter()
                merged = merge(group)
                self.merging += time.perf_counter() - start
                take(merged, level + 1)

        for number, (_, text) in enumerate(tasks):
            self.tasks += 1
            self.bytes += len(text)
            self.largest = max(self.largest, len(text))
            work = Task.load(text)
            rows = random.integers(ROWS // 2, ROWS, len(work.units))
            if made.recipe.aim == "count":
                units = np.array([[0, unit[1]] for unit in work.units], np.int64)
                cuts = np.stack([np.zeros_like(rows), rows], 1).reshape(-1)
                found = {"units": units, "cuts": cuts, "lengths": np.full(len(rows), 2, np.int64)}
            else:
                units = np.array([unit[0] for unit in work.units] or [0], np.int64)
                rows = rows if len(rows) else np.array([work.rows[1] - work.rows[0]])
                found = {"units": units, "rows": rows, "state": tree, "log": None}
            take(pack(header(made.plan), found), 0)
            told(number)
        last = [state for level in sorted(waiting) for state in waiting[level]]
        merged = last[0] if len(last) == 1 else merge(last)
        self.sizes[max(self.sizes) + 1] = [len(merged)]
        return merged


def scored(engine: Idle, losses: str, **asked: Any) -> Any:
    from lossctl.data.inputs import Inputs
    from lossctl.data.roles.binding import Request
    from lossctl.engine.options import Options
    from lossctl.engine.run import run
    from lossctl.model.call import parse_calls

    options = Options(engine="dask", empty="nan", **asked)
    inputs = Inputs((DATA,), {})
    sources, roles, elsewhere = inputs.open()
    return run(parse_calls(losses), sources, Request(roles=roles), options, elsewhere, None, inputs, engine)


def checked(samples: str) -> None:
    from lossctl.data.inputs import open_inputs
    from lossctl.data.roles.binding import Request
    from lossctl.engine.options import Options
    from lossctl.engine.ready import ready
    from lossctl.model.call import parse_calls

    ready(parse_calls("mse"), open_inputs([DATA], {})[0], Request(), Options(per_sample=samples))


def main(way: str, files: int = 1_000_000, folders: int = 1000) -> dict[str, Any]:
    handler = stored(files, folders)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    told: dict[str, Any] = {}
    if way == "list":
        from lossctl.data.shards.paths import shards_of

        found = shards_of(DATA)
        told["names"] = len(found or ())
    elif way == "plan":
        idle = Idle()
        scored(idle, "mse")
        told |= vars(idle)
    elif way == "check":
        checked(f"{DATA}/day-0000/none.parquet")
    elif way in {"pass", "count"}:
        stubs = Stubs()
        drawn = {"ci": Plan(resamples=10)} if way == "count" else {}
        report = scored(stubs, "mse,mae,huber,log-cosh", **drawn)
        sizes = {level: [len(each), max(each)] for level, each in stubs.sizes.items()}
        told |= {**vars(stubs), "sizes": sizes, "read": report.read}
    else:
        from lossctl.cli.main import main as run

        told["status"] = run(["inspect", DATA, *way.split()])
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**told, **handler.seen, "opened": sorted(handler.opened), "seconds": taken, "before": before, "peak": peak}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], *map(int, sys.argv[2:]))))
