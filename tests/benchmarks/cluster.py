"""What it costs to deal a run out: overhead, bytes of states, the planning of a million files.

    pip install '.[dask,s3]' 'moto[server]' && python tests/benchmarks/cluster.py [FOLDER [PART ...]]

Times are medians of five, taken in turn, and ratios those of neighbours in time; nothing is asserted. FOLDER keeps
the files, some 640 MB. PART is one of states, overhead, scheduling, million, s3.
"""

from __future__ import annotations

import json
import os
import platform
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
from lossctl.engine.cluster import dask
from lossctl.engine.options import Options, Plan
from lossctl.engine.run import run
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


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def race(title: str, ways: dict[str, Callable[[], Any]]) -> None:
    """The first of the ways, and the others as so many times as long."""
    for work in ways.values():
        work()  # warm the page cache
    taken = [[seconds(work) for work in ways.values()] for _ in range(RUNS)]
    medians = [statistics.median(column) for column in zip(*taken, strict=True)]
    first, *others = ways
    print(f"{title}\n    {first:36} {medians[0]:7.3f} s", flush=True)
    for place, name in enumerate(others, 1):
        ratio = statistics.median(row[place] / row[0] for row in taken)
        print(f"    {name:36} {medians[place]:7.3f} s   {ratio:5.2f} x", flush=True)


def process(path: str, *options: str, **environment: str) -> Callable[[], Any]:
    """A run as a whole process."""
    command = [sys.executable, "-m", "lossctl", "compute", LOSSES, path, "-f", "json", "-q", *options]

    def work() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment}, timeout=600)

    return work


def overhead(folder: Path) -> None:
    """What Dask adds where there is nothing to gain from it."""
    path = str(folder / "shards")
    dealt = ["--engine", "dask", "--threads"]
    ways = {
        "local, 1 thread": process(path, "--threads", "1"),
        "dask, 1 process": process(path, *dealt, "1"),
        "local, 2 threads": process(path, "--threads", "2"),
        "dask, 2 processes": process(path, *dealt, "2"),
    }
    race(f"\n{LOSSES}, {SHARDS} shards of {ROWS:,} rows, whole processes", ways)
    inputs = Inputs((path,), {})

    def passed(options: Options, engine: Any) -> Callable[[], Any]:
        return lambda: run(parse_calls(LOSSES), inputs.open()[0], Request(), options, inputs=inputs, engine=engine)

    crews = [dask.Dask(None, count) for count in (1, 2)]
    try:
        ways = {f"local, {n} thread(s)": passed(Options(threads=n), None) for n in (1, 2)}
        ways |= {f"dask, {n} process(es)": passed(Options(engine="dask"), crews[n - 1]) for n in (1, 2)}
        ways["tasks and merges in this process"] = passed(Options(engine="dask"), Weighing())
        race("the same, the pass alone, workers being up", ways)
    finally:
        for crew in crews:
            crew.close()


def million(folder: Path) -> None:
    """A million files that are listed and dealt out, and the states of all of them."""
    print("\na million files of 16 MB; the store is simulated, and its own time is in these seconds")
    for way, title in (("list", "names listed"), ("plan", "tasks made"), ("pass", "states merged")):
        out = subprocess.run([sys.executable, MILLION, way], capture_output=True, text=True, check=True, timeout=1200)
        found = json.loads(out.stdout)
        more = ""
        if "tasks" in found:
            more = f"; {found['tasks']:,} tasks, {found['bytes'] / 1e6:,.0f} MB of them in all"
        if "sizes" in found:
            largest = ", ".join(f"{each[1]:,}" for each in found["sizes"].values())
            more += f"; {found['merging']:.0f} s of merging; bytes of states, level by level: {largest}"
        memory = (found["peak"] - found["before"]) / 1024
        print(
            f"    {title}: {found['seconds']:.1f} s, {memory:.0f} MB, {len(found['opened'])} opened{more}", flush=True
        )


def idle_partial(task: bytes) -> bytes:
    return bytes(700)


def idle_merge(states: Sequence[bytes]) -> bytes:
    return bytes(700)


def scheduling(folder: Path) -> None:
    """What Dask takes for a task of 5 kB in which nothing is done, merges included."""
    count = 4000
    crew = dask.Dask(None, 1)
    try:
        for many in (100, count):
            start = time.perf_counter()
            crew.run(idle_partial, idle_merge, (("", bytes(5000)) for _ in range(many)), lambda _: None)
            taken = time.perf_counter() - start
        print(f"\n{count:,} tasks in which nothing is done: {1000 * taken / count:.2f} ms each", flush=True)
    finally:
        crew.close()


def s3(folder: Path) -> None:
    """From an S3 server on this machine, which is a test's own and no fast one."""
    import logging

    import boto3
    from moto.server import ThreadedMotoServer

    keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}
    os.environ.update(keys)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        place = {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}
        client = boto3.client("s3", endpoint_url=place["AWS_ENDPOINT_URL"], region_name="us-east-1")
        client.create_bucket(Bucket="bench")
        few = folder / "sixteen"
        few.mkdir(exist_ok=True)
        for path in sorted((folder / "shards").iterdir())[:16]:
            if not (few / path.name).exists():
                os.link(path, few / path.name)
            client.upload_file(str(path), "bench", f"few/{path.name}")
        dealt = ["--engine", "dask", "--threads"]
        ways = {"disk, local, 1 thread": process(str(few), "--threads", "1")}
        ways["s3, local, 1 thread"] = process("s3://bench/few", "--threads", "1", **place)
        ways["s3, local, 2 threads"] = process("s3://bench/few", "--threads", "2", **place)
        ways["disk, dask, 2 processes"] = process(str(few), *dealt, "2")
        ways["s3, dask, 2 processes"] = process("s3://bench/few", *dealt, "2", **place)
        race(f"\n{LOSSES}, 16 shards of {ROWS:,} rows, whole processes", ways)
    finally:
        server.stop()


PARTS = {"states": states, "overhead": overhead, "scheduling": scheduling, "million": million, "s3": s3}


def main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} processors, {os.getloadavg()[0]:.1f} load, NumPy {np.__version__}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        folder.mkdir(exist_ok=True)
        make(folder)
        for name in sys.argv[2:] or PARTS:
            PARTS[name](folder)
            print(f"    (load {os.getloadavg()[0]:.1f})", flush=True)


if __name__ == "__main__":
    main()
