"""``--per-sample`` as a process: signals, exit statuses, what is left in the folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = [sys.executable, "-m", "lossctl", "compute", "mse"]
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
OLD = "row,status,mse\n1,ok,9.0\n"


def heed(sign: signal.Signals) -> Callable[[], None]:
    """A background job inherits that interrupts are ignored; a person's shell does not hand that on."""
    return lambda: signal.signal(sign, signal.SIG_DFL) and None


def wait_for_samples(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Until some have been written."""
    for _ in range(3000):
        if any(path.stat().st_size for path in folder.glob(".lossctl-*.tmp")):
            return
        assert process.poll() is None
        time.sleep(0.01)
    raise AssertionError("no file was begun")


@pytest.mark.parametrize(("sign", "status"), SIGNALS)
@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl", "npy"])
def test_stopped_while_it_waits(tmp_path: Path, sign: signal.Signals, status: int, form: str) -> None:
    """The older file is untouched, and nothing is beside it."""
    path = tmp_path / f"out.{form}"
    path.write_text(OLD)
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [*COMMAND, "-", "--per-sample", str(path)]
    with subprocess.Popen(command, cwd=tmp_path, preexec_fn=heed(sign), **pipes) as process:
        assert process.stdin is not None
        process.stdin.write(b"y_true,y_pred\n" + b"1,2\n" * 3_000_000)
        process.stdin.flush()
        wait_for_samples(tmp_path, process)
        process.send_signal(sign)
        out, err = process.communicate(timeout=30)
    assert process.returncode == status
    assert out == b""
    assert b"Traceback" not in err
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == OLD


@pytest.mark.parametrize(("sign", "status"), SIGNALS)
def test_stopped_at_work(tmp_path: Path, sign: signal.Signals, status: int) -> None:
    """Several threads are reading, scoring and writing."""
    (tmp_path / "in").mkdir()
    rows = np.random.default_rng(0).normal(size=6_000_000).astype(np.float32)
    np.save(tmp_path / "in" / "p.npy", rows)
    folder = tmp_path / "out"
    folder.mkdir()
    command = [*COMMAND, "in/p.npy", "in/p.npy", "--threads", "3", "--per-sample", "out/out.csv", "-q"]
    with subprocess.Popen(
        command, cwd=tmp_path, preexec_fn=heed(sign), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        wait_for_samples(folder, process)
        process.send_signal(sign)
        out, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    assert out == b""
    assert b"Traceback" not in err
    assert list(folder.iterdir()) == []


def test_limit_is_partial(lossctl: Run, data: Path, tmp_path: Path) -> None:
    done = lossctl(
        "compute", "mse", data / "diabetes_ridge.csv", "--limit", "5", "--per-sample", "out.csv", "-f", "json", "-q"
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["partial"] is True
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "row,status,mse"
    assert [line.split(",")[0] for line in lines[1:]] == list("12345")


def test_samples_on_a_full_device(lossctl: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "out.csv").symlink_to("/dev/full")
    done = lossctl("compute", "mse", data / "diabetes_ridge.csv", "--per-sample", "out.csv", "-q")
    assert done.returncode == 4
    assert done.stdout == ""
    assert "cannot write out.csv: No space left" in done.stderr
    assert os.listdir(tmp_path) == ["out.csv"]


def test_samples_are_there_when_a_verdict_fails(lossctl: Run, data: Path, tmp_path: Path) -> None:
    """A value beyond its bound is a result like any other."""
    done = lossctl("compute", "mse", data / "diabetes_ridge.csv", "--per-sample", "out.npy", "--fail-above", "1", "-q")
    assert done.returncode == 1
    assert np.load(tmp_path / "out.npy").mean() == pytest.approx(3021.47, abs=0.01)


def test_score_has_no_file_of_samples(lossctl: Run, data: Path) -> None:
    """It reads many files."""
    done = lossctl("score", "mse", data / "diabetes_ridge.csv", "--per-sample", "out.csv")
    assert done.returncode == 2
    assert "--per-sample" in done.stderr
