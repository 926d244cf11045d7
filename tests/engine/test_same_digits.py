"""One digest: whatever the chunks, the threads, the shards, the format and the order of keyed rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest

import lossctl

ROWS = 83
LOSSES = "mse,huber,rmse,r2,median-ae,log-cosh,mape,pinball:quantile=0.9"
CUTS = [(1, 4), (7, 2), (7, 1), (1000, 4), (None, 1), (None, 2), (None, 4)]  # chunk rows, threads
SETTINGS: dict[str, dict[str, Any]] = {
    "bare": {},
    "weights": {"weight": "w"},
    "groups": {"by": "g"},
    "all": {"weight": "w", "by": "g,h", "mask": "m", "stats": True, "ci": 0.9, "resamples": 20},
}


def columns() -> dict[str, Any]:
    """Numbers of many magnitudes, so that a sum in floats would depend on its order."""
    rng = np.random.default_rng(7)
    target = rng.normal(size=ROWS) * 10.0 ** rng.integers(-8, 9, ROWS)
    return {
        "id": [f"{i:04d}" for i in range(ROWS)],
        "y_pred": target + rng.normal(size=ROWS) * 10.0 ** rng.integers(-8, 9, ROWS),
        "y_true": target,
        "w": rng.uniform(0, 3, ROWS),
        "g": [["red", "green", "blue"][i] for i in rng.integers(0, 3, ROWS)],
        "h": rng.integers(0, 2, ROWS),
        "m": (rng.random(ROWS) < 0.9).astype(int),
    }


def write(table: pa.Table, path: Path) -> None:
    kind = path.suffix[1:]
    if kind == "csv":
        pyarrow.csv.write_csv(table, path)
    elif kind == "parquet":
        pyarrow.parquet.write_table(table, path, row_group_size=20)
    elif kind == "arrow":
        pyarrow.feather.write_feather(table, path, chunksize=30)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    else:
        arrays = {name: np.array(table[name].to_pylist()) for name in table.column_names}
        np.savez(path, **arrays)


@pytest.fixture(scope="module")
def layouts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where the same rows stand: one file of each format, and directories of uneven shards."""
    folder = tmp_path_factory.mktemp("data")
    table = pa.table(columns())
    found = {}
    for kind in ("csv", "parquet", "arrow", "jsonl", "npz"):
        path = folder / f"one.{kind}"
        write(table, path)
        found[kind] = str(path)
        if kind == "npz":
            continue
        shards = folder / f"{kind}-shards"
        shards.mkdir()
        for place, (start, stop) in enumerate([(0, 1), (1, 30), (30, 30), (30, 82), (82, ROWS)]):
            if start < stop or kind in {"csv", "parquet"}:
                write(table.slice(start, stop - start), shards / f"part-{place}.{kind}")
        found[f"{kind} shards"] = str(shards)
        found[f"{kind} pattern"] = str(shards / "part-*")
    return found


def digest(*files: str, **options: Any) -> str:
    """What a person may compare: values, counts, statistics, intervals, signatures, every row's own value."""
    found = lossctl.compute(options.pop("losses", LOSSES), *files, rows="all", **options)
    told = [
        (r.label, r.slice, r.group, r.value, r.n, r.weight_sum, r.divisor, r.stats, r.histogram, r.ci, r.signature)
        for r in found.results
    ]
    rows = [] if found.report.samples is None else [tuple(sample) for sample in found.report.samples]
    return hashlib.sha256(repr((told, rows)).encode()).hexdigest()


@pytest.mark.parametrize("setting", SETTINGS)
def test_one_digest(layouts: dict[str, str], setting: str) -> None:
    expected = digest(layouts["parquet"], **SETTINGS[setting])
    for layout, path in layouts.items():
        for chunk_rows, threads in CUTS if layout in {"csv", "parquet shards"} else CUTS[:2]:
            found = digest(path, chunk_rows=chunk_rows, threads=threads, **SETTINGS[setting])
            assert found == expected, (layout, chunk_rows, threads)


def keyed(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Predictions in order, targets in another one: files, shards, and both formats mixed."""
    table = pa.table(columns())
    pred, target = table.select(["id", "y_pred", "g", "h"]), table.select(["id", "y_true", "w", "m"])
    order = pa.array(np.random.default_rng(3).permutation(ROWS))
    for kind in ("csv", "parquet"):
        write(pred, folder / f"p.{kind}")
        write(target, folder / f"same.{kind}")
        write(target.take(order), folder / f"mixed.{kind}")
    shards = folder / "shards"
    shards.mkdir()
    for place in range(3):
        write(target.take(order).slice(place * 30, 30), shards / f"{place}.parquet")
    yield "in order", str(folder / "p.csv"), str(folder / "same.csv")
    yield "in order, other formats", str(folder / "p.parquet"), str(folder / "same.csv")
    for kind in ("csv", "parquet"):
        yield f"in another order, {kind}", str(folder / f"p.{kind}"), str(folder / f"mixed.{kind}")
    yield "targets in shards", str(folder / "p.csv"), str(shards)


@pytest.mark.parametrize("setting", SETTINGS)
def test_one_digest_of_keyed_files(tmp_path: Path, setting: str) -> None:
    expected = None
    for layout, pred, target in keyed(tmp_path):
        for chunk_rows, threads in CUTS[:4]:
            found = digest(pred, target, key="id", chunk_rows=chunk_rows, threads=threads, **SETTINGS[setting])
            expected = expected or found
            assert found == expected, (layout, chunk_rows, threads)


def test_one_digest_of_class_scores(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    scores = rng.dirichlet(np.ones(4), ROWS)
    label = rng.integers(0, 4, ROWS)
    table = pa.table({**{f"prob_{c}": scores[:, c] for c in range(4)}, "y_true": label, "g": label % 2})
    for kind in ("csv", "parquet", "arrow", "jsonl"):
        write(table, tmp_path / f"one.{kind}")
    np.savez(tmp_path / "one.npz", probs=scores, target=label, g=label % 2)
    given = {"losses": "cross-entropy,zero-one", "input": "probs"}
    found = {
        digest(str(tmp_path / f"one.{kind}"), chunk_rows=chunk_rows, threads=threads, by="g", **given)
        for kind in ("csv", "parquet", "arrow", "jsonl", "npz")
        for chunk_rows, threads in CUTS
    }
    assert len(found) == 1
