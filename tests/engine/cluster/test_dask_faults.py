"""What happens to a run when workers, the scheduler or the run itself end in the middle of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from tests.engine.cluster.clusters import fault, scheduler, workers

pytest.importorskip("distributed")

# Files of this size have a task each.
ROWS = 550_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four files with a task each, the last of them with a mark in its name."""
    path = tmp_path_factory.mktemp("shards")
    draw = np.random.default_rng(7)
    for place in range(4):
        target = draw.normal(size=ROWS)
        name = f"part-{place}{'-bad' if place == 3 else ''}.parquet"
        pd.DataFrame({"pred": target + 1.5, "target": target, "g": np.arange(ROWS) % 3}).to_parquet(path / name)
    return path


@pytest.fixture
def own(tmp_path):
    """A folder for all that a run writes: its output and its temporary files."""
    for name in ("out", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def command(folder, own, *words):
    samples = ["--per-sample", str(own / "out" / "samples.parquet")] if "--no-samples" not in words else []
    rest = [word for word in words if word != "--no-samples"]
    return [sys.executable, "-m", "lossctl", "compute", "mse", str(folder), *samples, *rest]


def settings(own, environment):
    return {"env": {**environment, "TMPDIR": str(own / "tmp"), "DASK_SCHEDULER_ADDRESS": ""}, "text": True}


def nothing_left(own):
    assert os.listdir(own / "out") == []
    assert [name for name in os.listdir(own / "tmp") if name.startswith("lossctl")] == []


DASK = ("--engine", "dask", "--threads", "2")


def test_workers_that_die_change_nothing(folder, own):
    """Also where two died over the same task, which is asked alone then while others are put off."""
    words = ("-f", "json", "--ci", "0.95", "--by", "g", "--stats")
    environment = fault(
        own,
        before="if task.number == 1 and (once('before') or once('again')): die()",
        after="if task.number == 2 and once('after'): die()",
        merging="if once('merging'): die()",
    )
    there = subprocess.run(
        command(folder, own, *DASK, *words), **settings(own, environment), capture_output=True, timeout=100
    )
    assert {"before", "again", "after", "merging"} <= set(os.listdir(own)), there.stderr
    (own / "out" / "samples.parquet").rename(own / "there.parquet")
    here = subprocess.run(command(folder, own, *words), **settings(own, environment), capture_output=True, timeout=100)
    assert (there.returncode, there.stdout, there.stderr) == (0, here.stdout, here.stderr)
    frames = [pd.read_parquet(file) for file in (own / "there.parquet", own / "out" / "samples.parquet")]
    pd.testing.assert_frame_equal(*frames)
    assert os.listdir(own / "tmp") == []


def test_a_file_that_workers_die_over_is_named(folder, own):
    environment = fault(own, before="if b'bad' in task.dump(): die()")
    words = command(folder, own, *DASK, "--no-samples")
    done = subprocess.run(words, **settings(own, environment), capture_output=True, timeout=100)
    assert (done.returncode, done.stdout) == (3, "")
    assert "every worker died" in done.stderr
    assert "part-3-bad.parquet" in done.stderr
    assert len(done.stderr.splitlines()) <= 5
    nothing_left(own)


def test_a_fault_of_a_worker_that_cannot_be_sent_is_told(folder, own):
    environment = fault(own, before="looked_at(setup, task)")
    done = subprocess.run(command(folder, own, *DASK), **settings(own, environment), capture_output=True, timeout=100)
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.startswith("lossctl: RecursionError")
    nothing_left(own)


def begun(folder, own, environment, *words):
    """A run whose workers are at work."""
    process = subprocess.Popen(
        command(folder, own, *words), **settings(own, environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while not (own / "begun").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (own / "begun").exists(), process.communicate()
    return process


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_run_that_is_ended_takes_its_workers_along(folder, own, number, status):
    environment = fault(
        own, before="open({!r}, 'a').write(f'{{os.getpid()}}\\n'); time.sleep(600)".format(str(own / "begun"))
    )
    process = begun(folder, own, environment, *DASK)
    process.send_signal(number)
    out, err = process.communicate(timeout=100)  # nobody waits for the workers
    assert (process.returncode, out, err) == (status, "", "")
    if number != signal.SIGKILL:
        nothing_left(own)
    pids = [int(pid) for pid in (own / "begun").read_text().split()]
    deadline = time.monotonic() + 100
    while any(map(alive, pids)) or os.listdir(own / "tmp"):
        assert time.monotonic() < deadline, (pids, os.listdir(own / "tmp"))
        time.sleep(0.05)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat") as stat:  # ended, and nobody has asked how
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


def test_a_scheduler_that_goes_away_is_told(folder, own, monkeypatch):
    environment = fault(own, before=f"open({str(own / 'begun')!r}, 'a').close(); time.sleep(1)")
    for name in ("DASK_DISTRIBUTED__WORKER__PRELOAD", "PYTHONPATH"):
        monkeypatch.setenv(name, environment[name])
    with scheduler(own) as (address, server), workers(address):
        process = begun(folder, own, environment, "--engine", "dask", "--scheduler", address)
        server.kill()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert f"the scheduler at {address} went away" in err
    assert len(err.splitlines()) <= 3
    nothing_left(own)


def test_a_run_waits_for_workers(folder, own):
    with scheduler(own) as (address, _):
        words = command(folder, own, "--engine", "dask", "--scheduler", address, "--no-samples")
        environment = settings(own, {**os.environ, "PYTHONPATH": os.getcwd()})
        process = subprocess.Popen(words, **environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        with workers(address, 1):
            out, err = process.communicate(timeout=60)
    assert (process.returncode, "2.25" in out) == (0, True), err
