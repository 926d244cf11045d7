"""Losses that see their rows in batches: which rows are a batch, whatever the files and the chunks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import lossctl
from lossctl.cli.main import main
from lossctl.errors import DataError, UsageError
from lossctl.losses import barlow_twins, sup_con, vicreg

ROWS, WIDE, SIZE = 57, 3, 10
RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(ROWS, WIDE))
OTHERS = FEATURES + RNG.normal(size=(ROWS, WIDE)) / 4
LABELS = RNG.integers(0, 3, ROWS)
UNEVEN = np.repeat(["b", "a", "", "c c", "d"], [1, 20, 5, 30, 1])
CUTS = ({}, {"chunk_rows": 1}, {"chunk_rows": 7, "threads": 2}, {"chunk_rows": 25}, {"chunk_rows": 1000, "threads": 3})
PARTS = [slice(start, start + SIZE) for start in range(0, ROWS, SIZE)]


def columns(**more: Any) -> dict[str, Any]:
    wide = {f"features_{j}": FEATURES[:, j] for j in range(WIDE)}
    wide |= {f"{side}_{j}": x[:, j] for side, x in (("x1", FEATURES), ("x2", OTHERS)) for j in range(WIDE)}
    return {**wide, "label": LABELS, **more}


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """The rows as a file of a format, or as files of a folder."""

    def write(form: str, **more: Any) -> str:
        table = pa.table(columns(**more))
        path = tmp_path / f"rows.{form}"
        if form == "csv":
            pyarrow.csv.write_csv(table, path)
        elif form == "parquet":
            pq.write_table(table, path, row_group_size=8)
        elif form == "npz":
            np.savez(path, allow_pickle=False, features=FEATURES, target=LABELS, x1=FEATURES, x2=OTHERS, **more)
        elif form == "jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()), encoding="utf-8")
        else:
            path = tmp_path / "folder"
            path.mkdir()
            for number, start in enumerate((0, 3, 26, 27)):
                stop = (3, 26, 27, ROWS)[number]
                pq.write_table(table.slice(start, stop - start), path / f"part-{number}.parquet")
        return str(path)

    return write


def by_hand(parts: list[Any]) -> tuple[list[float], float]:
    """The values of anchors, batch by batch, and their mean over anchors with a positive."""
    values = np.concatenate([sup_con(FEATURES[part], LABELS[part]) for part in parts])
    counted = sum(int((np.bincount(LABELS[part])[LABELS[part]] > 1).sum()) for part in parts)
    return values.tolist(), values.sum() / counted


@pytest.mark.parametrize("form", ["csv", "parquet", "npz", "jsonl", "folder"])
def test_batches_of_a_size(file, form):
    """So many rows in the order of the file, across shards; the last batch is what is left."""
    path = file(form)
    values, mean = by_hand(PARTS)
    found = lossctl.compute("sup-con", path, batch_size=SIZE)
    assert found.value == pytest.approx(mean, rel=1e-14)
    assert found.per_sample.tolist() == values
    for cut in CUTS:
        assert lossctl.compute("sup-con", path, batch_size=SIZE, **cut).value == found.value


def test_batches_of_a_column(file):
    """Rows with one value that stand together, of any length, however they are cut."""
    starts = np.flatnonzero(np.r_[True, UNEVEN[1:] != UNEVEN[:-1]])
    parts = [slice(*pair) for pair in zip(starts, [*starts[1:], ROWS], strict=True)]
    named = np.where(UNEVEN == "", "e", UNEVEN)
    values, mean = by_hand(parts)
    for form in ("csv", "parquet", "jsonl", "folder"):
        path = file(form, b=named)
        found = lossctl.compute("sup-con", path, batch="b")
        assert found.value == pytest.approx(mean, rel=1e-14)
        assert found.per_sample.tolist() == values
        assert found.signature.split("|")[-3] == "batch:b"
        for cut in CUTS:
            assert lossctl.compute("sup-con", path, batch="b", **cut).value == found.value


def test_a_value_of_a_whole_batch(file, tmp_path):
    """Losses with one value a batch: the mean is that of the batches, which are the samples."""
    expected = [float(vicreg(FEATURES[part], OTHERS[part])[0]) for part in PARTS]
    path = file("parquet", w=np.repeat([1.0, 2.0, 0.0, 1.0, 1.0, 4.0], [10] * 5 + [7]))
    for cut in CUTS:
        found = lossctl.compute("vicreg", path, batch_size=SIZE, **cut)
        assert found.value == pytest.approx(np.mean(expected), rel=1e-14)
        assert (found.n, found.per_sample.tolist()) == (len(PARTS), expected)
    weighted = lossctl.compute("vicreg", path, batch_size=SIZE, weight="w")
    assert weighted.value == pytest.approx(np.average(expected, weights=[1, 2, 0, 1, 1, 4]), rel=1e-14)
    samples = tmp_path / "samples.csv"
    lossctl.compute("vicreg,barlow-twins", path, batch_size=SIZE, per_sample=samples)
    header, *lines = samples.read_text(encoding="utf-8").splitlines()
    assert header == "batch,status,vicreg,barlow-twins"
    twins = [float(barlow_twins(FEATURES[part], OTHERS[part])[0]) for part in PARTS]
    cells = [line.split(",") for line in lines]
    assert cells == [[str(k + 1), "ok", repr(v), repr(t)] for k, (v, t) in enumerate(zip(expected, twins, strict=True))]


def test_dropped_rows_leave_their_batch():
    """Batches are rows that were read: one that is dropped later moves no other into another batch."""
    features = FEATURES.copy()
    features[4, 1] = np.nan
    mask = np.ones(ROWS)
    mask[30:40] = 0  # a whole batch
    found = lossctl.compute("sup-con", features, LABELS, batch_size=SIZE, nan="skip", mask=mask)
    left = [np.delete(np.arange(ROWS)[part], 4) if part.start == 0 else np.arange(ROWS)[part] for part in PARTS]
    values, mean = by_hand([part for part in left if part[0] != 30])
    assert found.value == pytest.approx(mean, rel=1e-14)
    rows = found.per_sample
    assert rows[np.isfinite(rows)].tolist() == values
    spread = lossctl.compute("sup-con", features, LABELS, batch_size=SIZE, nan="propagate").per_sample
    assert np.isnan(spread[:10]).all()
    assert np.isfinite(spread[10:]).all()


def test_slices_do_not_cut_batches():
    """--by sums the values that rows have in their whole batch."""
    size = LABELS % 2
    found = lossctl.compute("sup-con", FEATURES, LABELS, batch_size=SIZE, by=size, reduction="sum")
    values = np.array(by_hand(PARTS)[0])
    slices = {r.group["by"]: r.value for r in found.results if r.slice == "group"}
    for code in (0, 1):
        assert slices[str(code)] == pytest.approx(values[size == code].sum(), rel=1e-14)


def test_rows_beside_batches(file):
    """Other losses of the same call see the same rows."""
    found = lossctl.compute("sup-con,nt-xent,center", file("parquet"), batch_size=SIZE, prototypes=prototypes(file))
    assert [r.n for r in found.results] == [ROWS] * 3
    assert found.results[0].value == lossctl.compute("sup-con", FEATURES, LABELS, batch_size=SIZE).value


def prototypes(file: Any) -> str:
    path = str(Path(file("csv")).parent / "prototypes.npy")
    np.save(path, np.eye(3))
    return path


def refused(error: type[Exception], **options: Any) -> Any:
    with pytest.raises(error) as caught:
        lossctl.compute(options.pop("losses", "sup-con"), *options.pop("inputs", (FEATURES, LABELS)), **options)
    return caught.value


def test_more_rows_than_one_batch(tmp_path):
    """Nobody gets one batch of everything by accident; whether a header tells the rows does not matter."""
    many = {"features_0": np.arange(8193.0), "features_1": np.ones(8193), "label": np.arange(8193) % 5}
    pq.write_table(pa.table(many), tmp_path / "many.parquet")
    pyarrow.csv.write_csv(pa.table(many), tmp_path / "many.csv")
    for name in ("many.parquet", "many.csv"):
        error = refused(UsageError, inputs=(str(tmp_path / name),))
        assert (error.exit, error.code) == (2, "batch-size")
        assert "--batch-size" in error.hint
    assert lossctl.compute("sup-con", str(tmp_path / "many.csv"), limit=100).n == 100
    assert lossctl.compute("sup-con", str(tmp_path / "many.csv"), batch_size=5000).n == 8193


def test_batches_that_cannot_be():
    assert refused(UsageError, batch_size=3, batch=LABELS).code == "bad-option"
    assert refused(UsageError, batch_size=0).code == "bad-option"
    assert refused(UsageError, losses="mse", inputs=([1.0], [2.0]), batch_size=3).code == "bad-option"
    assert refused(UsageError, batch_size=50, memory=1000).code == "memory"
    error = refused(DataError, batch=["a", "a", "b", "c", "a", *"d" * (ROWS - 5)])
    assert (error.code, error.row, error.column) == ("batch", 5, "batch")
    assert "sort" in error.hint
    holes = np.where(np.arange(ROWS) > 20, None, "a")
    assert refused(DataError, batch=holes.tolist()).row == 22


def test_samples_of_rows_and_batches_do_not_mix(file):
    error = refused(UsageError, losses="sup-con,vicreg", inputs=(file("npz"),), rows=3)
    assert (error.code, error.exit) == ("mixed-units", 2)
    assert "rows and batches" in error.message


def test_auto_leaves_batches_out_until_they_are_named(file, capsys):
    path = file("csv")
    assert main(["compute", "@metric-learning", path, "-f", "json"]) == 0
    assert "sup-con" in capsys.readouterr().out
    assert main(["compute", "@auto", path, "-q", "-f", "plain"]) in {0, 3}
    assert "sup-con" not in capsys.readouterr().out
    assert main(["compute", "@auto", path, "-q", "--batch-size", "10"]) == 0
    assert "sup-con" in capsys.readouterr().out


def test_the_plan_says_whole_batches(file, capsys):
    path = file("parquet")
    assert main(["inspect", "--plan", "sup-con", "--batch-size", "10", "--chunk-rows", "25", path, "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"]["chunk_rows"] == 20
