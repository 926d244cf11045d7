"""A Dask cluster gives the digits of this machine, however a script starts it and however it is made."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from functools import partial

import numpy as np
import pandas as pd
import pytest

import lossctl
from lossctl.engine.cluster import worker
from lossctl.engine.cluster.dask import Dask
from lossctl.engine.cluster.plan import Task
from lossctl.engine.cluster.round import Errand, Round
from lossctl.errors import DataError, LossctlError, UsageError
from tests.engine.cluster.clusters import odd_worker, scheduler, wait_for, workers

pytest.importorskip("distributed")

TASK = Task(0).dump()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve files of 5 rows, and one of many rows."""
    path = tmp_path_factory.mktemp("shards")
    draw = np.random.default_rng(7)
    for place in range(12):
        target = draw.normal(size=5)
        table = pd.DataFrame({"pred": target + draw.normal(size=5), "target": target, "g": list("abcab")})
        table.to_parquet(path / f"part-{place:04}.parquet")
    return path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a scheduler, with one worker of two threads at it."""
    place = tmp_path_factory.mktemp("cluster")
    with scheduler(place) as (address, _):
        words = ["--nthreads", "2", "--nworkers", "1", "--no-dashboard", "--local-directory", str(place)]
        command = [sys.executable, "-m", "distributed.cli.dask_worker", address, *words]
        environment = {**os.environ, "PYTHONPATH": os.getcwd()}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, env=environment, **quiet)
        try:
            yield address
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def small(monkeypatch):
    """Tasks of a file each."""
    monkeypatch.setattr("lossctl.engine.cluster.plan.FILES", 1)


@pytest.mark.parametrize(
    "options", [{}, {"ci": 0.95, "by": "g", "stats": True}, {"ci": 0.9, "ci_method": "bootstrap", "worst": 3}]
)
def test_threads_of_a_worker_give_the_same_digits(folder, cluster, small, options):
    here = lossctl.compute("mse,huber", str(folder), **options)
    there = lossctl.compute("mse,huber", str(folder), engine="dask", scheduler=cluster, **options)
    assert repr(there.results) == repr(here.results)
    assert list(there.warnings) == list(here.warnings)


def test_samples_are_those_of_one_machine(folder, cluster, small, tmp_path):
    lossctl.compute("mse", str(folder), per_sample=str(tmp_path / "here.parquet"))
    lossctl.compute("mse", str(folder), per_sample=str(tmp_path / "there.parquet"), engine="dask", scheduler=cluster)
    here, there = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("here", "there"))
    pd.testing.assert_frame_equal(there, here)


@pytest.mark.parametrize("how", ["file", "stdin"])
def test_a_script_without_a_guard_runs_once(folder, tmp_path, how):
    script = (
        f"import lossctl\nprint('once')\nprint(lossctl.compute('mse', {str(folder)!r}, engine='dask', threads=1))\n"
    )
    (tmp_path / "script.py").write_text(script)
    words = ["script.py"] if how == "file" else []
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, *words],
        input=script,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "once"
    assert len(done.stdout.splitlines()) == 2
    assert os.listdir(tmp_path) == ["script.py"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("foo", "is no address"),
        ("tcp://127.0.0.1", "is no address"),
        ("tcp://127.0.0.1:1", "refused"),
        ("gopher://127.0.0.1:1", "gopher"),
    ],
)
def test_addresses_of_nobody_are_refused_at_once(address, said):
    with pytest.raises(UsageError, match=said) as caught:
        Dask(address, None)
    assert caught.value.code == "scheduler"


def test_what_is_no_scheduler_is_told(monkeypatch):
    monkeypatch.setattr("lossctl.engine.cluster.dask.PATIENCE", 0.3)
    raised = pytest.raises(UsageError, match="is none of Dask's")
    with socket.create_server(("127.0.0.1", 0)) as mute, raised as caught:
        Dask(f"tcp://127.0.0.1:{mute.getsockname()[1]}", None)
    assert caught.value.code == "scheduler"


@pytest.mark.parametrize("given", [{}, {"per_sample": "out.parquet"}])
def test_relative_paths_are_refused_where_workers_stand_elsewhere(folder, monkeypatch, given):
    monkeypatch.chdir(folder.parent)
    path = str(folder) if given else folder.name
    with pytest.raises(UsageError) as caught:
        lossctl.compute("mse", path, engine="dask", scheduler="tcp://127.0.0.1:1", **given)
    assert caught.value.code == "relative-path"
    assert str(folder.parent) in caught.value.hint


@pytest.mark.parametrize(
    ("oddity", "said"),
    [
        ("import lossctl; lossctl.__version__ = '0.0.9'", r"has lossctl 0\.0\.9, and this is lossctl "),
        ("import sys; sys.modules['lossctl'] = None", "has no lossctl "),
    ],
)
def test_workers_with_another_lossctl_or_none_are_refused(tmp_path, oddity, said):
    with scheduler(tmp_path) as (address, _), odd_worker(address, tmp_path, oddity):
        wait_for(address, 1)
        with pytest.raises(UsageError, match=said) as caught:
            Dask(address, None)
    assert caught.value.code == "versions-differ"
    assert lossctl.__version__ in caught.value.message


def test_a_worker_that_comes_late_with_another_version_is_found_out(folder, tmp_path):
    with scheduler(tmp_path) as (address, _):
        engine = Dask(address, None)
        late = odd_worker(address, tmp_path, "import lossctl; lossctl.__version__ = '0.0.9'")
        with closing(engine), late, pytest.raises(worker.TaskError, match=r"0\.0\.9"):
            engine.run(partial(worker.partial, b'{"version": "x"}'), worker.merge, iter([("a", TASK)]), print)


def test_a_worker_with_another_numpy_is_told_of(folder, small, tmp_path):
    oddity = "import numpy; numpy.__version__ = '2.99.0'"
    with scheduler(tmp_path) as (address, _), workers(address, 1), odd_worker(address, tmp_path, oddity):
        wait_for(address, 2)
        notes = []
        for _ in range(20):  # on a busy machine one of them may do all the work
            found = lossctl.compute("mse", str(folder), engine="dask", scheduler=address)
            notes = [note for note in found.warnings if note.code == "machines-differ"]
            if notes:
                break
    assert [f"NumPy {version}" in notes[0].message for version in ("2.99.0", np.__version__)] == [True, True]


def test_nobody_waits_for_workers_for_ever(folder, tmp_path, monkeypatch, caplog):
    caplog.set_level("WARNING", logger="lossctl")
    monkeypatch.setattr("lossctl.engine.cluster.round.SOON", 0.3)
    monkeypatch.setattr("lossctl.engine.cluster.round.LATE", 1.5)
    with scheduler(tmp_path) as (address, _), pytest.raises(UsageError, match="has had no workers") as caught:
        lossctl.compute("mse", str(folder), engine="dask", scheduler=address)
    assert caught.value.code == "scheduler"
    assert [record.message for record in caplog.records if record.name == "lossctl"] == [
        f"lossctl: no workers at {address} yet: waiting for some, 0 minutes at most"
    ]


def test_errors_are_those_of_one_machine(folder, cluster, small, tmp_path):
    for place in range(6):
        (tmp_path / f"part-{place}.parquet").write_bytes((folder / f"part-{place:04}.parquet").read_bytes())
    file = tmp_path / "part-3.parquet"
    (tmp_path / "part-5.parquet").write_bytes(b"PAR1 nothing PAR1")
    whole = file.read_bytes()
    other = tmp_path / "other"
    pd.DataFrame({"pred": [1.0], "else": [1.0]}).to_parquet(other)
    for bad in (whole[:-40], whole[:40] + bytes(300) + whole[340:], b"", other.read_bytes(), b"PAR1"):
        file.write_bytes(bad)
        assert failure(tmp_path, engine="dask", scheduler=cluster) == failure(tmp_path)


BAD = {
    "text": ["pred,target", "0.5,1", "oops,1", "0.5,0"],
    "short": ["pred,target", "0.5,1", "0.5"],
    "probability": ["pred,target", "0.5,1", "1.5,1", "0.5,0"],
    "class": ["pred,target", "0.5,7"],
    "nan": ["pred,target", "0.5,1", "nan,1"],
    "columns": ["pred,label", "0.5,1"],
    "empty": [],
}


@pytest.mark.parametrize("kind", BAD)
def test_of_several_bad_files_the_first_is_named(cluster, small, tmp_path, kind):
    good = ["pred,target", *["0.25,1"] * 4000]
    for place in range(6):
        lines = {2: [*good, "0.5,1"], 3: BAD[kind], 5: ["pred,target", "what,1"]}.get(place, good[: 9 - place])
        (tmp_path / f"part-{place}.csv").write_text("".join(f"{line}\n" for line in lines))
    found = failure(tmp_path, "bce", engine="dask", scheduler=cluster)
    assert found == failure(tmp_path, "bce")


def test_a_file_that_is_gone_meanwhile(folder, cluster, small, tmp_path, monkeypatch):
    for place in range(6):
        (tmp_path / f"part-{place}.parquet").write_bytes((folder / f"part-{place:04}.parquet").read_bytes())
    real = Dask.run

    def run(*args):
        (tmp_path / "part-4.parquet").unlink(missing_ok=True)
        return real(*args)

    monkeypatch.setattr(Dask, "run", run)
    found = failure(tmp_path, engine="dask", scheduler=cluster)
    assert found[:3] == (DataError, 3, "not-found")
    assert found[4] == str(tmp_path / "part-4.parquet")


def failure(folder, losses="mse", **options):
    with pytest.raises(LossctlError) as caught:
        lossctl.compute(losses, f"{folder}/part-*", **options)
    error = caught.value
    return type(error), error.exit, error.code, error.message, error.file, error.row, error.column, error.hint


def test_json_is_the_same_to_the_byte(folder, cluster, lossctl, tmp_path):
    words = ["compute", "mse", folder, "--stats", "-f", "json"]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    here = lossctl(*words, env=environment)
    there = lossctl(*words, "--engine", "dask", "--scheduler", cluster, env=environment)
    assert json.loads(here.stdout)["results"]
    assert (there.returncode, there.stdout, there.stderr) == (0, here.stdout, here.stderr)


def test_a_state_that_is_lost_with_its_worker_is_no_end_of_the_run():
    """The worker may die between the end of its task and the moment at which that is heard of."""
    told = []
    one = Round(None, "tcp://127.0.0.1:1", None, None, told.append, None)
    lost, cancelled = Kept("lost"), Kept("cancelled")
    one.running = {lost: Errand(0, 3, b"", "a.parquet"), cancelled: Errand(0, 4, b"", "b.parquet")}
    one.take(lost)
    assert told == [3]
    assert one.waiting == {0: [lost]}
    with pytest.raises(UsageError, match="went away"):
        one.take(cancelled)


class Kept:
    """A future of which only the status matters."""

    def __init__(self, status):
        self.status = status
