"""The command writes its outputs to a store."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
COLUMNS = ("--pred", "pred", "--target", "target")


@pytest.fixture
def run(lossctl, tmp_path):
    (tmp_path / "a.csv").write_text("target,pred\n1,2\n3,5\n")

    def run(*arguments):
        return lossctl("compute", "mae", "a.csv", *COLUMNS, *arguments, env={**os.environ, "PYTHONPATH": str(ROOT)})

    return run


def test_reports_and_samples_go_to_a_store(run, bucket) -> None:
    done = run("-o", f"{bucket.uri}/r/a.json", "-o", f"{bucket.uri}/r/a.csv", "--per-sample", f"{bucket.uri}/s.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(bucket.get("r/a.json"))["results"][0]["value"] == 1.5
    assert bucket.get("s.csv") == b"row,status,mae\n1,ok,1.0\n2,ok,2.0\n"
    assert list(bucket.sizes()) == ["r/a.csv", "r/a.json", "s.csv"]


@pytest.mark.parametrize("option", ["-o", "--per-sample"])
def test_what_cannot_be_written_is_said_in_few_lines(run, bucket, option) -> None:
    done = run(option, "s3://nowhere/a.csv")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("lossctl: cannot write s3://nowhere/a.csv: there is no s3://nowhere/\n")
    assert len(done.stderr.splitlines()) <= 5
    with bucket.failing(lambda method, _: 403 if method == "PUT" else None):
        done = run(option, f"{bucket.uri}/a.csv")
    assert (done.returncode, done.stdout) == (4, "")
    assert "denies access" in done.stderr
    assert len(done.stderr.splitlines()) <= 5
    done = run(option, "https://host/a.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "for reading" in done.stderr
    assert bucket.sizes() == {}
