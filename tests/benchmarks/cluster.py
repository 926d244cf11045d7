"""What it costs to deal a run out: overhead, bytes of states, the planning of a million files.

    pip install '.[dask,s3]' 'moto[server]' && python tests/benchmarks/cluster.py [FOLDER [PART ...]]

Times are medians of five, taken in turn, and ratios those of neighbours in time; nothing is asserted. FOLDER keeps
the files, some 640 MB. PART is one of states, million, overhead, s3.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lossctl.data.inputs import Inputs
from lossctl.data.roles.binding import Request
from lossctl.engine.cluster.plan import Task
from lossctl.engine.options import Options, Plan
from lossctl.engine.run import run
from lossctl.engine.wire.frame import unpack
from lossctl.model.call import parse_calls

RUNS = 5
SHARDS = 64
ROWS = 625_000
LOSSES = "mse,mae,huber,log-cosh"
MILLION = Path(__file__).parent.parent / "engine" / "cluster" / "million.py"


def make(folder: Path) -> None:
    """The shards, unless they are there already; and some rows with a thousand groups."""
    rng = np.random.default_rng(0)
    (folder / "shards").mkdir(exist_ok=True)
    for place in range(SHARDS):
        path = folder / "shards" / f"part-{place:03}.parquet"
        if not path.exists():
            target = rng.standard_normal(ROWS)
            pq.write_table(pa.table({"y_pred": target + 0.1 * rng.standard_normal(ROWS), "y_true": target}), path)
    if not (folder / "by.parquet").exists():
        table = pq.read_table(folder / "shards" / "part-000.parquet")
        names = pa.array([f"group-{i:04d}" for i in range(1000)])
        groups = names.take(pa.array(rng.integers(0, 1000, ROWS)))
        pq.write_table(table.append_column("g", groups), folder / "by.parquet")


class Weighing:
    """An engine of this process that keeps the states of its tasks."""

    def __init__(self) -> None:
        self.states: list[bytes] = []
        self.seconds: dict[str, float] = {"partial": 0.0, "merge": 0.0}

    def run(
        self,
        partial: Callable[[bytes], bytes],
        merge: Callable[[Sequence[bytes]], bytes],
        tasks: Iterator[tuple[str, bytes]],
        told: Callable[[int], None],
    ) -> bytes | None:
        start = time.perf_counter()
        self.states = [partial(task) for _, task in tasks]
        between = time.perf_counter()
        merged = merge(self.states)
        self.seconds = {"partial": between - start, "merge": time.perf_counter() - between}
        self.merged = len(merged)
        return merged

    def close(self) -> None:
        pass


def weighed(path: Path, losses: str, request: Request, **asked: Any) -> Weighing:
    engine, inputs = Weighing(), Inputs((str(path),), {})
    options = Options(engine="dask", **asked)
    sources, roles, elsewhere = inputs.open()
    run(parse_calls(losses), sources, request._replace(roles=roles), options, elsewhere, None, inputs, engine)
    return engine


def states(folder: Path) -> None:
    """Bytes of the state of one task of a whole file, and of sixteen such merged."""
    few = folder / "few"
    few.mkdir(exist_ok=True)
    for place in range(16):
        if not (few / f"{place:02}.parquet").exists():
            os.link(folder / "by.parquet", few / f"{place:02}.parquet")
    print("\nbytes of a state: of a task of 625,000 rows; of sixteen such; seconds to merge all")
    by = Request(by=("g",))
    for title, losses, request, asked in (
        ("mse", "mse", Request(), {}),
        (LOSSES, LOSSES, Request(), {}),
        ("mse --by 1,000 values", "mse", by, {}),
        (f"{LOSSES} --by 1,000 values", LOSSES, by, {}),
        ("mse --ci --ci-method normal", "mse", Request(), {"ci": Plan(method="normal")}),
        ("mse --ci", "mse", Request(), {"ci": Plan()}),
        ("mse --ci --by 1,000 values", "mse", by, {"ci": Plan()}),
        ("mse --stats", "mse", Request(), {"stats": True}),
        ("mse --stats --memory 4M", "mse", Request(), {"stats": True, "memory": 4 << 20}),
        ("mse --stats --by 1,000 values", "mse", by, {"stats": True}),
        ("mse --rows 10", "mse", Request(), {"rows": 10}),
        ("mse --worst 10", "mse", Request(), {"worst": 10}),
        ("median-ae", "median-ae", Request(), {}),
    ):
        found = weighed(few, losses, request, **asked)
        each = max(map(len, found.states))
        print(f"{title:44} {each:12,.0f} {found.merged:12,}   {found.seconds['merge']:.3f} s", flush=True)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    make(folder)
    states(folder)
