"""A folder or a quoted pattern in place of a file: the same digits, and what the commands say of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl.report.tables import schemas

Run = Callable[..., "subprocess.CompletedProcess[str]"]
N = 101
CUTS = {"even": (50, 100), "uneven": (0, 1, 1, 37), "single": tuple(range(N))}


@pytest.fixture(params=["csv", "parquet", "npz", "jsonl"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path, form: str) -> Path:
    """One file, and the same rows in folders by cuts."""
    rng = np.random.default_rng(3)
    pred, true = rng.normal(size=(2, N)) * 10.0 ** rng.integers(-12, 12, (2, N))
    save(tmp_path / f"one.{form}", pred, true)
    for name, cuts in CUTS.items():
        (tmp_path / name).mkdir()
        edges = [0, *cuts, N]
        for place, (start, stop) in enumerate(pairwise(edges)):
            if start < stop or form != "jsonl":
                save(tmp_path / name / f"part-{place:03}.{form}", pred[start:stop], true[start:stop])
        (tmp_path / name / "_SUCCESS").touch()
    return tmp_path


def save(path: Path, pred: np.ndarray, true: np.ndarray) -> None:
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"y_pred": pred, "y_true": true}), path)
    elif path.suffix == ".npz":
        np.savez(path, pred=pred, target=true)
    elif path.suffix == ".jsonl":
        rows = zip(pred.tolist(), true.tolist(), strict=True)
        path.write_text("".join(json.dumps({"pred": p, "target": t}) + "\n" for p, t in rows))
    else:
        rows = zip(pred.tolist(), true.tolist(), strict=True)
        path.write_text("y_pred,y_true\n" + "".join(f"{p!r},{t!r}\n" for p, t in rows))


def computed(lossctl: Run, *arguments: object) -> dict[str, object]:
    done = lossctl("compute", "mse,mae", *arguments, "-f", "json", "--rows", "all")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    jsonschema.validate(found, schemas()["lossctl.compute/1"])
    return {"values": [repr(r["value"]) for r in found["results"]], "samples": found["samples"], "rows": found["rows"]}


def test_the_same_bits(lossctl: Run, folder: Path, form: str) -> None:
    whole = computed(lossctl, f"one.{form}")
    for name in CUTS:
        assert computed(lossctl, name, "--chunk-rows", 7) == whole
    assert computed(lossctl, "uneven/**/part-*") == whole


@pytest.mark.parametrize("form", ["csv"], indirect=True)
class TestCommands:
    def test_two_folders_side_by_side(self, lossctl: Run, folder: Path) -> None:
        whole = computed(lossctl, "one.csv", "--pred", "y_pred", "--target", "one.csv:y_true")
        assert computed(lossctl, "even", "--target", "uneven/*.csv:y_true") == whole

    def test_rows_that_are_too_many(self, lossctl: Run, folder: Path) -> None:
        (folder / "even" / "part-999.csv").write_text("y_pred,y_true\n1,2\n")
        done = lossctl("compute", "mse", "even", "--target", "uneven:y_true", "-q")
        assert done.returncode == 3
        assert "even 102, uneven 101" in done.stderr

    def test_an_output_that_is_an_input(self, lossctl: Run, folder: Path) -> None:
        before = (folder / "even" / "part-000.csv").read_bytes()
        for path in ("even", "even/*.csv", "ev*"):
            done = lossctl("compute", "mse", path, "-o", "even/part-000.csv")
            assert done.returncode == 2
            assert "-o even/part-000.csv would overwrite an input" in done.stderr
            assert f"one of the files of {path}" in done.stderr
        assert (folder / "even" / "part-000.csv").read_bytes() == before
        assert lossctl("compute", "mse", "uneven", "-o", "even/part-000.csv", "-q").returncode == 0

    def test_inspect(self, lossctl: Run, folder: Path) -> None:
        done = lossctl("inspect", "uneven")
        assert done.stdout.startswith("uneven: csv, 5 files, 101 rows, 2 columns\n"), done.stderr
        done = lossctl("inspect", "uneven/*.csv", "-f", "json")
        found = json.loads(done.stdout)
        jsonschema.validate(found, schemas()["lossctl.inspect/1"])
        assert [(file["name"], file["files"], file["rows"]) for file in found["files"]] == [("uneven/*.csv", 5, N)]
        assert found["command"] == "lossctl compute mse 'uneven/*.csv'"
        single = json.loads(lossctl("inspect", "one.csv", "-f", "json").stdout)
        assert single["files"][0]["files"] is None
        assert single["files"][0]["columns"] == found["files"][0]["columns"]

    def test_a_pattern_that_the_shell_took(self, lossctl: Run, folder: Path) -> None:
        done = lossctl("compute", "mse", *sorted((folder / "uneven").glob("*.csv")))
        assert done.returncode == 2
        assert "quote the pattern" in done.stderr

    def test_an_error_names_the_file(self, lossctl: Run, folder: Path) -> None:
        (folder / "even" / "part-001.csv").write_text("y_pred,y_true\n1,2\nx,3\n")
        for size in (1, 7, 1000):
            done = lossctl("compute", "mse", "even", "-q", "--error-format", "json", "--chunk-rows", size)
            error = json.loads(done.stderr)["error"]
            assert (error["file"], error["row"], error["column"]) == ("even/part-001.csv", 2, "y_pred")
