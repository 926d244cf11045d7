"""Dask clusters of processes on the loopback, and workers with a fault put into them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lossctl.engine.cluster.crew import Crew

# What a worker loads before its first task; it is loaded more than once.
FAULT = """
import os, time
from lossctl.engine.cluster import worker
if not hasattr(worker, "pristine"):
    worker.pristine = worker.looked_at, worker.merged_of
look, merge = worker.pristine

def once(what):
    try:
        os.close(os.open(os.path.join({folder!r}, what), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True

def die():
    os.kill(os.getpid(), 9)

def looked_at(setup, task):
{before}
    tree = look(setup, task)
{after}
    return tree

def merged_of(recipe, states):
{merging}
    return merge(recipe, states)

worker.looked_at, worker.merged_of = looked_at, merged_of
"""


def fault(folder: Path, before: str = "pass", after: str = "pass", merging: str = "pass") -> dict[str, str]:
    """The environment in which every worker has this fault."""
    file = folder / "fault.py"
    parts = {"before": f"    {before}", "after": f"    {after}", "merging": f"    {merging}"}
    file.write_text(FAULT.format(folder=str(folder), **parts))
    return {**os.environ, "DASK_DISTRIBUTED__WORKER__PRELOAD": str(file), "PYTHONPATH": os.getcwd()}


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler without workers, and its process."""
    file = folder / "scheduler.json"
    words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", *words]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        address = ""
        while not address and time.monotonic() < deadline:
            time.sleep(0.05)
            if file.exists() and (text := file.read_text()).rstrip().endswith("}"):
                address = json.loads(text)["address"]
        assert address
        yield address, process
    finally:
        process.kill()
        process.wait()


@contextmanager
def workers(address: str, count: int = 2) -> Iterator[Crew]:
    """Workers for a scheduler."""
    crew = Crew(count)
    try:
        crew.join(address)
        yield crew
    finally:
        crew.close()


@contextmanager
def odd_worker(address: str, folder: Path, oddity: str) -> Iterator[None]:
    """A worker that does this before all else."""
    start = f"{oddity}; import sys; sys.argv[0] = 'dask-worker'; from distributed.cli.dask_worker import main; main()"
    words = ["--no-nanny", "--no-dashboard", "--nthreads", "1", "--local-directory", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-c", start, address, *words],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def wait_for(address: str, count: int) -> None:
    """Until so many workers are there."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=30)
