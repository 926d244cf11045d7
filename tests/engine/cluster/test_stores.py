"""The same bytes from disk, from an object store, and from workers that read the object store themselves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

ROWS = 400


@pytest.fixture
def shards(tmp_path: Path, s3_bucket) -> tuple[Path, str]:
    """Where the same shards lie: on the disk, and in the bucket."""
    rng = np.random.default_rng(9)
    rows = pa.table(
        {
            "y_pred": rng.normal(size=ROWS) * 10.0 ** rng.integers(-9, 9, ROWS),
            "y_true": rng.normal(size=ROWS),
            "g": rng.choice(["a", "b", "c"], ROWS),
        }
    )
    folder = tmp_path / "shards"
    folder.mkdir()
    for place in range(8):
        path = folder / f"part-{place}.parquet"
        pyarrow.parquet.write_table(rows.slice(place * 50, 50), path)
        s3_bucket.put(f"shards/part-{place}.parquet", path.read_bytes())
    return folder, s3_bucket.uri("shards/")


def told(run, *arguments) -> dict[str, object]:
    done = run("compute", "mse,huber,r2", *arguments, "--by", "g", "--ci", "--resamples", 20, "-f", "json", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    for one in report["inputs"]:
        one["name"] = ""
    return report


def test_one_report_from_everywhere(lossctl, shards):
    folder, uri = shards
    disk = told(lossctl, folder, "--threads", 1)
    assert told(lossctl, uri) == disk
    assert told(lossctl, uri, "--engine", "dask", "--threads", 2) == disk
    assert told(lossctl, f"{uri}part-*.parquet", "--engine", "dask", "--threads", 1) == disk


def test_parts_are_written_where_they_belong(lossctl, shards, s3_bucket):
    folder, uri = shards
    out = s3_bucket.uri("out.parquet")
    arguments = ["--per-sample", out, "-f", "value", "-q"]
    done = lossctl("compute", "mse", uri, *arguments, "--engine", "dask", "--threads", 2)
    assert (done.returncode, done.stderr) == (0, "")
    keys = [key for key in s3_bucket.keys() if key.startswith("out.parquet/")]  # noqa: SIM118 - no mapping
    assert [key for key in keys if not key.endswith("/")] == [
        "out.parquet/_SUCCESS",
        "out.parquet/part-00000000.parquet",
    ]
    again = lossctl("compute", "mean-bias-error", out, "--pred", "mse", "--target", "mse", "-f", "json", "-q")
    assert json.loads(again.stdout)["rows"] == {"read": ROWS, "scored": ROWS, "dropped": {}}
    assert done.stdout == lossctl("compute", "mse", folder, "-f", "value", "-q").stdout


@pytest.mark.parametrize("engine", ["local", "dask"])
def test_a_corrupt_object_is_named(lossctl, shards, s3_bucket, engine):
    _, uri = shards
    s3_bucket.put("shards/part-3.parquet", b"PAR1 and nothing else")
    done = lossctl("compute", "mse", uri, "--engine", engine, "-f", "json")
    assert done.returncode == 3
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert (error["code"], error["file"]) == ("corrupt", f"{uri}part-3.parquet")
    assert done.stdout == ""
