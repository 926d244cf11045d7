"""``--per-sample`` of a cluster: a directory of parts, with the rows that a single file would have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import lossctl
from lossctl.engine.cluster import plan
from lossctl.errors import DataError

ROWS = 500


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    folder = tmp_path / "shards"
    folder.mkdir()
    rng = np.random.default_rng(1)
    rows = pa.table(
        {
            "id": [f"k{i}" for i in range(ROWS)],
            "y_pred": rng.normal(size=ROWS),
            "y_true": rng.normal(size=ROWS),
            "g": rng.choice(["a", "b"], ROWS),
        }
    )
    for place, (start, stop) in enumerate([(0, 200), (200, 200), (200, 201), (201, ROWS)]):
        pyarrow.parquet.write_table(rows.slice(start, stop - start), folder / f"{place}.parquet", row_group_size=50)
    return folder


def rows_of(path: Path) -> list[dict[str, object]]:
    """All rows, in the order of the names of the parts."""
    files = [path] if path.is_file() else sorted(file for file in path.iterdir() if not file.name.startswith("_"))
    if path.suffix == ".npy":
        return np.concatenate([np.load(file) for file in files]).tolist()
    if path.suffix == ".csv":
        return [row for file in files for row in pyarrow.csv.read_csv(file).to_pylist()]
    return [row for file in files for row in pyarrow.parquet.ParquetFile(file).read().to_pylist()]


@pytest.mark.parametrize("options", [{}, {"key": "id", "by": "g"}])
@pytest.mark.parametrize("form", ["parquet", "csv", "npy"])
def test_parts_hold_what_a_file_would(tmp_path, shards, shuffled, monkeypatch, form, options):
    monkeypatch.setattr(plan, "LEAST", 2000)
    one, many = tmp_path / f"one.{form}", tmp_path / f"many.{form}"
    lossctl.compute("mse,huber", str(shards), per_sample=one, **options)
    shuffled(3)
    found = lossctl.compute("mse,huber", str(shards), per_sample=many, engine="dask", **options)
    assert rows_of(many) == rows_of(one)
    assert (many / "_SUCCESS").exists()
    assert len(list(many.iterdir())) >= 3
    again = lossctl.compute("mae", str(many), pred="mse", target="huber") if form != "npy" else None
    assert again is None or again.n == found.results[0].n == ROWS
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"shards", one.name, many.name}


def test_a_run_that_fails_leaves_the_old_parts(tmp_path, shards, shuffled, monkeypatch):
    monkeypatch.setattr(plan, "LEAST", 2000)
    out = tmp_path / "out.parquet"
    shuffled(1)
    lossctl.compute("mse", str(shards), per_sample=out, engine="dask")
    before = rows_of(out)
    rows = pyarrow.parquet.read_table(shards / "3.parquet").to_pylist()
    rows[250]["y_pred"] = float("nan")
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), shards / "3.parquet")
    with pytest.raises(DataError, match="missing, NaN or infinite") as caught:
        lossctl.compute("mse", str(shards), per_sample=out, engine="dask")
    assert (caught.value.file, caught.value.row) == (str(shards / "3.parquet"), 251)
    assert rows_of(out) == before
    assert {path.name for path in tmp_path.iterdir()} == {"shards", "out.parquet"}


def test_dask_writes_parts(tmp_path, shards, cluster):
    out = tmp_path / "out.parquet"
    lossctl.compute("mse", str(shards), per_sample=out, engine="dask", scheduler=cluster)
    expected = lossctl.compute("mse", str(shards)).per_sample
    assert [row["mse"] for row in rows_of(out)] == expected.tolist()
    assert [row["row"] for row in rows_of(out)] == list(range(1, ROWS + 1))
