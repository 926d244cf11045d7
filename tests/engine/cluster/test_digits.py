"""One digest, whoever does the work: threads, tasks in any order, Dask; from disk or from an object store."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest

import lossctl
from lossctl.errors import UsageError

ROWS = 4000
EDGES = [0, 1, 700, 700, 1900, 1901, 3300, ROWS]  # of shards, one of them empty
REGRESSION = "mse,huber,r2,median-ae,concordance,mape,pinball:quantile=0.9"
SETTINGS: dict[str, dict[str, Any]] = {
    "bare": {},
    "rows": {"rows": "all"},
    "worst": {"worst": 7, "by": "g"},
    "groups": {"by": "g,h", "weight": "w", "mask": "m"},
    "stats": {"stats": True, "by": "g"},
    "bootstrap": {"losses": "mse,r2", "ci": 0.9, "resamples": 20, "by": "g", "weight": "w"},
    "normal": {"losses": "mse,huber", "ci": 0.9, "ci_method": "normal"},
    "median": {"losses": "huber,mae", "reduction": "median", "by": "g"},
    "all": {"losses": "@regression", "nan": "skip"},
    "little memory": {"losses": "mae,mse", "stats": True, "memory": 20_000},
}


def table() -> pa.Table:
    """Numbers of many magnitudes, so that a sum in floats would depend on its order."""
    rng = np.random.default_rng(7)
    target = rng.normal(size=ROWS) * 10.0 ** rng.integers(-8, 9, ROWS)
    return pa.table(
        {
            "id": [f"{i:04d}" for i in range(ROWS)],
            "y_pred": target + rng.normal(size=ROWS) * 10.0 ** rng.integers(-8, 9, ROWS),
            "y_true": target,
            "w": rng.uniform(0, 3, ROWS),
            "g": pa.array([[None, "red", "green", "blue"][i] for i in rng.integers(0, 4, ROWS)]),
            "h": rng.integers(0, 2, ROWS),
            "m": (rng.random(ROWS) < 0.9).astype(int),
        }
    )


def write(rows: pa.Table, path: Path) -> None:
    kind = path.suffix[1:]
    if kind == "csv":
        pyarrow.csv.write_csv(rows, path)
    elif kind == "parquet":
        pyarrow.parquet.write_table(rows, path, row_group_size=100)
    elif kind == "arrow":
        pyarrow.feather.write_feather(rows, path, chunksize=300)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows.to_pylist()))
    else:
        np.save(path, rows["y_pred" if path.parent.name == "pred" else "y_true"].to_numpy())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same rows in shards of each format, and arrays in two folders with other edges."""
    made = tmp_path_factory.mktemp("shards")
    rows = table()
    for kind in ("csv", "parquet", "jsonl", "arrow"):
        (made / kind).mkdir()
        for place, (start, stop) in enumerate(pairwise(EDGES)):
            if start < stop or kind in {"csv", "parquet"}:
                write(rows.slice(start, stop - start), made / kind / f"part-{place}.{kind}")
    for name, edges in (("pred", EDGES), ("target", [0, 1500, ROWS])):
        (made / name).mkdir()
        for place, (start, stop) in enumerate(pairwise(edges)):
            write(rows.slice(start, stop - start), made / name / f"{place}.npy")
    return made


def told(*files: Any, losses: str = REGRESSION, **options: Any) -> str:
    """All that a report says."""
    report = lossctl.compute(losses, *map(str, files), **options).report
    samples = None if report.samples is None else [tuple(sample) for sample in report.samples]
    notes = [note for note in report.warnings if note.code != "machines-differ"]
    return repr((report.read, report.scored, report.dropped, report.results, samples, notes, report.inputs))


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[tuple[str, str], str]:
    """What the threads of this process say, by setting and folder."""
    found: dict[tuple[str, str], str] = {}
    return found


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "arrow"])
def test_tasks_in_any_order(folder, shuffled, monkeypatch, kind, setting):
    from lossctl.engine.cluster import plan

    options = SETTINGS[setting]
    once = told(folder / kind, **options)
    for seed, size in ((0, 1 << 23), (1, 10_000)):
        monkeypatch.setattr(plan, "LEAST", size)  # many tasks of small files, and pieces of files
        crew = shuffled(seed)
        assert told(folder / kind, engine="dask", **options) == once
        assert crew.states >= (1 if seed == 0 else 3)


@pytest.mark.parametrize("setting", ["bare", "rows", "worst", "bootstrap"])
def test_files_in_step(folder, shuffled, monkeypatch, setting):
    from lossctl.engine.cluster import plan

    options = {name: value for name, value in SETTINGS[setting].items() if name not in {"by", "weight"}}
    pair = folder / "pred", folder / "target"
    once = told(*pair, **options)
    monkeypatch.setattr(plan, "LEAST", 1)
    for seed in range(2):
        crew = shuffled(seed)
        assert told(*pair, engine="dask", **options) == once
        assert crew.states == 4  # two folders are counted, and their rows go in two parts


def test_a_pass_before_the_main_one(folder, shuffled, monkeypatch, tmp_path):
    from lossctl.engine.cluster import plan

    rng = np.random.default_rng(2)
    for place in range(3):
        rows = pa.table({"logit": rng.normal(size=50), "y_true": rng.integers(0, 2, 50)})
        pyarrow.parquet.write_table(rows, tmp_path / f"{place}.parquet")
    once = told(tmp_path, losses="balanced-sigmoid-ce")
    monkeypatch.setattr(plan, "LEAST", 1)
    shuffled(0)
    assert told(tmp_path, losses="balanced-sigmoid-ce", engine="dask") == once


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a")])
def test_text_labels_and_their_classes(shuffled, monkeypatch, tmp_path, order):
    from lossctl.engine.cluster import plan

    for place in range(4):
        words = [order[(place + i * i) % 3] for i in range(30)]
        guess = [order[(place + i) % 3] for i in range(30)]
        pyarrow.parquet.write_table(pa.table({"y_pred": guess, "y_true": words}), tmp_path / f"{place}.parquet")
    once = told(tmp_path, losses="zero-one", per_class=True)
    monkeypatch.setattr(plan, "LEAST", 1)
    for seed in range(3):
        shuffled(seed)
        assert told(tmp_path, losses="zero-one", per_class=True, engine="dask") == once


def test_dask_with_two_workers(folder, cluster):
    for kind, setting in (("csv", "bootstrap"), ("parquet", "stats"), ("parquet", "worst"), ("jsonl", "all")):
        once = told(folder / kind, **SETTINGS[setting])
        found = told(folder / kind, engine="dask", scheduler=cluster, **SETTINGS[setting])
        assert found == once, (kind, setting)
    pair = folder / "pred", folder / "target"
    assert told(*pair, ci=True, engine="dask", scheduler=cluster) == told(*pair, ci=True)


@pytest.mark.parametrize("workers", [1, 4])
def test_processes_of_this_machine(lossctl, folder, workers):
    command = ["compute", REGRESSION, folder / "parquet", "-f", "json", "--by", "g", "-q"]
    alone = lossctl(*command, "--threads", 1)
    dealt = lossctl(*command, "--engine", "dask", "--threads", workers)
    assert (dealt.returncode, dealt.stderr, dealt.stdout) == (0, "", alone.stdout)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"reduction": "median"}, "median is exact, and the values of all rows"), ({"rows": "all"}, "samples that are")],
)
def test_what_does_not_fit_where_states_meet_is_refused(folder, shuffled, options, words):
    shuffled(0)
    with pytest.raises(UsageError, match=words) as caught:
        lossctl.compute("mse", str(folder / "parquet"), memory=20_000, engine="dask", **options)
    assert caught.value.code == "memory"
    assert lossctl.compute("mse", str(folder / "parquet"), memory=20_000, **options).value is not None
