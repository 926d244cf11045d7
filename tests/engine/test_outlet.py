"""Samples in a file: what stands in it, the same bytes for any cut, and nothing left behind where a run fails."""

from __future__ import annotations

import csv as delimited
import json
import math
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import lossctl
from lossctl.atomic import AtomicFile
from lossctl.data.arrays.memory import MemorySource
from lossctl.data.roles.binding import Request
from lossctl.engine.local import Stopped, Window
from lossctl.engine.options import Options
from lossctl.engine.run import run
from lossctl.errors import DataError, OutputError, UsageError
from lossctl.model.call import parse_calls

FORMS = ("parquet", "csv", "jsonl", "npy")
CUTS = ((1, 4), (1, 2), (7, 2), (7, 4), (7, 1), (1000, 1), (1000, 4), (None, 4))  # rows of a chunk, threads
ROWS = 61
OLD = b"the older file"


def cells(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(delimited.reader(file))


def table(rows=ROWS):
    """Numbers with gaps, keys, two columns of slices with gaps, weights, a mask."""
    rng = np.random.default_rng(5)
    pred, target = rng.normal(size=rows), rng.normal(size=rows)
    pred[::9] = np.nan
    word = np.array(["r\u00f6d", "", 'a "b", c', "=1+1"], object)[rng.integers(0, 4, rows)]
    return {
        "pred": pred,
        "target": target,
        "id": [f"k{i}" for i in range(rows)],
        "part": (np.arange(rows) % 3).tolist(),
        "color": [text or None for text in word.tolist()],
        "size": [None if i % 7 == 0 else f"s{i % 2}" for i in range(rows)],
        "w": rng.uniform(0.5, 2.0, rows) * (np.arange(rows) % 5 > 0),
        "m": (np.arange(rows) % 4 > 0).astype(float),
    }


SETTINGS = {
    "bare": ("mse,mae", {"nan": "skip"}),
    "key": ("mse", {"nan": "skip", "key": ("id",)}),
    "keys": ("mae", {"nan": "propagate", "key": ("part", "id"), "by": ("size",)}),
    "slices": ("mse,rmse,huber:delta=0.5", {"nan": "skip", "by": ("color", "size"), "weight": "w", "mask": "m"}),
    "safe": ("mse", {"nan": "skip", "by": ("color",), "csv_safe": True, "weight": "w"}),
    "limit": ("mse", {"nan": "propagate", "limit": 44, "mask": "m"}),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SETTINGS)
def test_cuts_change_no_byte(score, tmp_path, name, form):
    losses, given = SETTINGS[name]
    whole, cut = tmp_path / f"whole.{form}", tmp_path / f"cut.{form}"
    score(losses, table(), per_sample=str(whole), threads=1, **given)
    for rows, threads in CUTS:
        score(losses, table(), per_sample=str(cut), chunk_rows=rows, threads=threads, **given)
        assert cut.read_bytes() == whole.read_bytes(), (rows, threads)
    assert sorted(os.listdir(tmp_path)) == [f"cut.{form}", f"whole.{form}"]


@pytest.mark.parametrize("form", FORMS)
def test_cuts_of_files_change_no_byte(score, tmp_path, form):
    """Files that several threads read in parts."""
    rng = np.random.default_rng(1)
    for role in ("pred", "target"):
        np.save(tmp_path / f"{role}.npy", rng.normal(size=300_000))
    files = tmp_path / "pred.npy", tmp_path / "target.npy"
    found = set()
    for rows, threads in ((7001, 4), (65536, 2), (None, 3), (None, 1)):
        path = tmp_path / f"out.{form}"
        score("mse,mae", *files, per_sample=str(path), chunk_rows=rows, threads=threads)
        found.add(path.read_bytes())
    assert len(found) == 1


@pytest.mark.parametrize("form", FORMS)
def test_lists(score, tmp_path, form):
    """One line a list, under its own name; lists in scattered rows come in order of appearance."""
    rng = np.random.default_rng(3)
    lists = np.repeat([f"q{i}" for i in (3, 1, 2, 9, 5)], 6)
    ranked = {
        "pred": rng.normal(size=30),
        "target": rng.integers(0, 4, 30).astype(float),
        "group": lists.tolist(),
        "w": np.repeat([1.0, 0.0, 2.5, 1.0, 4.0], 6),
        "part": np.repeat(["x", "y", None, "x", "y"], 6).tolist(),
    }
    order = rng.permutation(30)
    scattered = {name: [column[i] for i in order] for name, column in ranked.items()}
    for rows in (ranked, scattered):
        found = set()
        for cut, threads in CUTS:
            path = tmp_path / f"out.{form}"
            report = score(
                "ndcg-loss,ndcg-loss:k=3",
                rows,
                per_sample=str(path),
                chunk_rows=cut,
                threads=threads,
                weight="w",
                by=("part",),
            )
            found.add(path.read_bytes())
        assert len(found) == 1
        if form == "csv":
            header, *lines = cells(path)
            assert header == ["group", "status", "part", "weight", "ndcg-loss", "ndcg-loss:k=3"]
            assert [line[0] for line in lines] == list(dict.fromkeys(rows["group"]))
            weights = [float(line[3]) for line in lines]
            values = [float(line[4]) for line in lines]
            assert report.results[0].value == pytest.approx(np.average(values, weights=weights), rel=1e-14)


# What stands in it.


def test_columns(score, tmp_path):
    path = str(tmp_path / "out.csv")
    rows = {
        "pred": [1.0, math.nan, 3.0, 5.0],
        "target": [0.0] * 4,
        "m": [1.0, 1.0, 0.0, 1.0],
        "g": ["a", "b", None, "a"],
    }
    score("mse,mae", {**rows, "w": [1.0, 0.5, 2.0, 0.0]}, per_sample=path, nan="skip", mask="m", by=("g",), weight="w")
    assert cells(path) == [
        ["row", "status", "g", "weight", "mse", "mae"],
        ["1", "ok", "a", "1.0", "1.0", "1.0"],
        ["2", "nan", "b", "0.5", "", ""],
        ["3", "ignored", "", "2.0", "", ""],
        ["4", "ok", "a", "0.0", "25.0", "5.0"],
    ]


def test_terms_of_a_quotient(score, tmp_path):
    rows = {"pred": np.log([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.5, 0.25, 0.25]]), "target": [0.0, 1.0, 1.0]}
    loss = "cross-entropy"
    report = score(f"{loss}:class_weight=1/3/1", rows, per_sample=str(tmp_path / "out.parquet"))
    found = pq.read_table(tmp_path / "out.parquet").to_pydict()
    assert list(found) == ["row", "status", loss, f"{loss}.num", f"{loss}.den"]
    assert found[f"{loss}.den"] == [1.0, 3.0, 3.0]
    assert report.results[0].value == math.fsum(found[f"{loss}.num"]) / 7.0
    score(f"{loss}:class_weight=1/3/1", rows, per_sample=str(tmp_path / "out.npy"))
    assert np.load(tmp_path / "out.npy").tolist() == [[value] for value in found[loss]]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "npy"])
def test_no_finite_value(score, tmp_path, form):
    """An infinite loss and a NaN that is handed on are values, not gaps."""
    path = tmp_path / f"out.{form}"
    rows = {"prob": [0.0, math.nan, 1.0], "target": [1.0, 1.0, 1.0], "m": [1.0, 1.0, 0.0]}
    score("bce:clip=none", rows, per_sample=str(path), nan="propagate", mask="m")
    if form == "csv":
        assert cells(path)[1:] == [["1", "ok", "inf"], ["2", "ok", "nan"], ["3", "ignored", ""]]
    elif form == "jsonl":
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert [line["bce"] for line in lines] == [None] * 3
        assert [line.get("bce.nonfinite") for line in lines] == ["inf", "nan", None]
    elif form == "parquet":
        column = pq.read_table(path).column(2).to_pylist()
        assert (column[0], math.isnan(column[1]), column[2]) == (math.inf, True, None)
    else:
        assert np.array_equal(np.load(path)[:, 0], [math.inf, math.nan, math.nan], equal_nan=True)


def test_status_is_that_of_the_report(score, tmp_path):
    """A row counts as scored where any loss has scored it, be it one without samples."""
    rows = {"pred": [0.5, -math.inf, math.nan], "target": [1.0, 0.0, 1.0]}
    path = str(tmp_path / "out.csv")
    report = score("mse,bce:input=logits", rows, per_sample=path, nan="skip")
    assert [line[1] for line in cells(path)[1:]] == ["ok", "ok", "nan"]
    assert cells(path)[2][2] == ""
    assert report.scored == 2


def test_limit(score, tmp_path):
    path = str(tmp_path / "out.csv")
    assert score("mse", table(), per_sample=path, nan="skip", limit=5).partial
    assert len(cells(path)) == 6


# Names.


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"by": ("row",)}, "row status by.row weight mse rmse"),
        ({"by": ("weight", "mse", "status")}, "row status by.weight by.mse by.status weight mse rmse"),
        ({"key": ("status",), "by": ("row",)}, "key.status status row weight mse rmse"),
        ({"key": ("rmse", "mse")}, "key.rmse key.mse status weight mse rmse"),
        ({"key": ("id",), "by": ("id",)}, "id status by.id weight mse rmse"),
        ({"by": ("mse", "by.mse")}, "row status by.by.mse by.mse weight mse rmse"),
        ({"by": ("mse.nonfinite",)}, "row status by.mse.nonfinite weight mse rmse"),
        ({"key": ("weight",), "by": ("key.weight",)}, "key.weight status by.key.weight weight mse rmse"),
    ],
)
def test_no_name_hides_another(score, tmp_path, form, given, expected):
    names = {name for columns in given.values() for name in columns}
    rows = {**table(9), **{name: [f"{name}{i}" for i in range(9)] for name in names}}
    path = tmp_path / f"out.{form}"
    score("mse,rmse", rows, per_sample=str(path), nan="skip", weight="w", roles={"pred": "pred"}, **given)
    if form == "csv":
        assert cells(path)[0] == expected.split()
    elif form == "parquet":
        assert pq.read_schema(path).names == expected.split()
    elif form == "jsonl":
        line = json.loads(path.read_text().splitlines()[1], object_pairs_hook=list)
        assert [name for name, _ in line] == expected.split()
    else:
        assert np.load(path).shape == (9, 2)


def test_terms_keep_their_names(score, tmp_path):
    path = str(tmp_path / "out.csv")
    rows = {"pred": [[1.0, 2.0], [3.0, 0.5]], "target": [0.0, 1.0], "cross-entropy.num": ["a", "b"]}
    score("cross-entropy", rows, per_sample=path, by=("cross-entropy.num",), roles={"pred": "pred"})
    header = ["row", "status", "by.cross-entropy.num", "cross-entropy", "cross-entropy.num", "cross-entropy.den"]
    assert cells(path)[0] == header


# Sets.


def test_what_is_left_out_is_not_there(score, tmp_path):
    """A loss of a set that meets an error in a late row leaves no trace; the others are there from the first."""
    target = np.ones(ROWS)
    target[-1] = -2.0
    path = str(tmp_path / "out.csv")
    rows = {"pred": np.linspace(0.5, 2.0, ROWS), "target": target}
    for cut, threads in CUTS:
        report = score("@regression", rows, per_sample=path, chunk_rows=cut, threads=threads)
        labels = [result.label for result in report.results if result.per != "dataset"]
        assert "rmsle" not in labels
        assert "mse" in labels
        shown = [name for name in cells(path)[0] if not name.endswith((".num", ".den"))]
        assert shown == ["row", "status", *labels]
        assert len(cells(path)) == ROWS + 1


def test_a_set_that_has_no_samples_left(tmp_path):
    """Where only a number of the whole data set fits, there is nothing to write, and that is said."""
    target = np.ones(ROWS)
    target[-1] = -2.0
    rows = {"pred": np.linspace(0.5, 2.0, ROWS), "target": target}
    path = tmp_path / "out.csv"
    path.write_bytes(OLD)
    calls = [call for call in parse_calls("r2,@regression") if call.name in {"r2", "rmsle"}]
    with pytest.raises(UsageError, match="r2: no per-sample values") as caught:
        run(calls, [MemorySource(rows)], Request(), Options(per_sample=str(path)))
    assert caught.value.code == "mixed-units"
    assert path.read_bytes() == OLD


# Failure.


BROKEN = {
    "last": ("mse", {"pred": [*([1.0] * 60), math.nan], "target": [0.0] * 61}, {}, (3, "nan")),
    "weight": (
        "mse",
        {"pred": [1.0] * 61, "target": [0.0] * 61, "w": [*([1.0] * 60), -1.0]},
        {"weight": "w"},
        (3, "bad-weight"),
    ),
    "column": ("mse", {"pred": [1.0], "target": [0.0]}, {"by": ("nothing",)}, (3, "column-not-found")),
    "empty": ("mse", {"pred": [math.nan] * 61, "target": [0.0] * 61}, {"nan": "skip"}, (3, "empty")),
    "no samples": ("r2", {"pred": [1.0, 2.0], "target": [0.0, 1.0]}, {}, (2, "mixed-units")),
    "verdict": ("hinge", {"pred": [1.0] * 3, "target": [1.0, -1.0, 0.0]}, {}, (3, "mixed-labels")),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize(("cut", "threads"), [(7, 4), (None, 1)])
def test_nothing_is_left_behind(fails, tmp_path, name, form, cut, threads):
    losses, rows, given, (exit, code) = BROKEN[name]
    path = tmp_path / f"out.{form}"
    for old in (None, OLD):
        if old is not None:
            path.write_bytes(old)
        fails(exit, code, losses, rows, per_sample=str(path), chunk_rows=cut, threads=threads, **given)
        assert [p.read_bytes() for p in tmp_path.iterdir()] == ([] if old is None else [old])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("threads", [1, 4])
def test_full_disk(score, tmp_path, monkeypatch, form, threads):
    """Whichever write fails, down to the last."""
    path = tmp_path / f"out.{form}"
    real = AtomicFile.write
    left = [0]  # writes that go well

    def write(self, data):
        left[0] -= 1
        if left[0] == 0:
            raise OutputError(f"cannot write {self.path}: No space left on device", file=self.path)
        return real(self, data)

    monkeypatch.setattr(AtomicFile, "write", write)
    rows = {"pred": np.arange(40.0), "target": np.zeros(40)}
    score("mse", rows, per_sample=str(path), chunk_rows=7, threads=threads)
    needed = -left[0]
    assert needed > 1
    path.write_bytes(OLD)
    for place in range(1, needed + 1):
        left[0] = place
        with pytest.raises(OutputError) as caught:
            score("mse", rows, per_sample=str(path), chunk_rows=7, threads=threads)
        assert caught.value.exit == 4
        assert "No space left" in caught.value.message
        assert [p.read_bytes() for p in tmp_path.iterdir()] == [OLD]


def test_window_takes_nothing_behind_a_failure():
    taken = []
    window = Window(taken.append)
    window.put(0, "a")
    window.put(1, "c")
    window.stop(0)
    window.put(0, "b")
    with pytest.raises(Stopped):
        window.put(1, "d")
    assert taken == ["a", "b"]


# From Python.


def test_from_python(tmp_path):
    path = tmp_path / "out.parquet"
    found = lossctl.compute("mse", [1.0, 2.0], [0.0, 0.0], per_sample=path)
    assert pq.read_table(path).column("mse").to_pylist() == [1.0, 4.0]
    path.unlink()
    assert found.per_sample.tolist() == [1.0, 4.0]  # which reads again, and writes nothing
    assert not path.exists()


def test_from_python_no_input_is_overwritten(tmp_path, csv):
    path = csv("y_pred,y_true", "1,2")
    before = Path(path).read_bytes()
    with pytest.raises(UsageError, match="would overwrite an input") as caught:
        lossctl.compute("mse", path, per_sample=path)
    assert caught.value.code == "output-is-input"
    with pytest.raises(UsageError, match="would overwrite an input"):
        lossctl.compute("mse", csv("y_true", "2", name="other.csv"), pred=f"{path}:y_pred", per_sample=path)
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize("name", ["out.txt", "out", "out.json"])
def test_from_python_unknown_extension(tmp_path, name):
    with pytest.raises(UsageError, match=r"takes no samples|has no extension") as caught:
        lossctl.compute("mse", [1.0], [0.0], per_sample=tmp_path / name)
    assert caught.value.code == "unknown-extension"
    assert list(tmp_path.iterdir()) == []


def test_from_python_data_errors(tmp_path):
    with pytest.raises(DataError):
        lossctl.compute("mse", [1.0, math.nan], [0.0, 0.0], per_sample=tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_one_file_of_samples_is_for_one_input(tmp_path):
    with pytest.raises(UsageError, match="per_sample is about the samples of one file"):
        lossctl.score("mse", {"a": [1.0], "b": [2.0]}, targets=[0.0], per_sample=tmp_path / "out.csv")
