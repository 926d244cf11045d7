"""``inspect --plan``: what a run would do, for people and for programs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl.cli.main import main
from lossctl.report.tables import schemas

ROWS = 3000
Run = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    rng = np.random.default_rng(1)
    table = pa.table({"y_pred": rng.normal(size=ROWS), "y_true": rng.normal(size=ROWS), "land": ["x", "y", "z"] * 1000})
    pq.write_table(table, "t.parquet", row_group_size=500)
    Path("parts").mkdir()
    for k in range(3):
        pq.write_table(table.slice(k * 1000, 1000), f"parts/{k}.parquet")
    Path("t.csv").write_text("a,b\n1,2\n3,5\n")

    def go(line: str) -> tuple[int, str, str]:
        status = main(shlex.split(line))
        done = capsys.readouterr()
        return status, done.out, done.err

    return go


def document(run: Run, line: str) -> dict:
    status, out, err = run(f"inspect -f json {line}")
    assert (status, err) == (0, "")
    found = json.loads(out)
    jsonschema.validate(found, schemas()["lossctl.inspect/1"])
    return found


def test_for_programs(run: Run) -> None:
    found = document(run, "--plan mse,median-ae --by land --threads 2 t.parquet")
    assert (found["files"], found["losses"], found["command"]) == ([], ["mse", "median-ae"], None)
    plan = found["plan"]
    (source,) = plan["sources"]
    assert source == {
        "name": "t.parquet",
        "format": "parquet",
        "files": 1,
        "rows": ROWS,
        "bytes": Path("t.parquet").stat().st_size,
        "columns": ["y_pred", "y_true", "land"],
    }
    assert (plan["rows"], plan["passes"], plan["cut"], plan["guessed"]) == (ROWS, 1, "row-groups", False)
    assert plan["memory"]["allowed"] == 2 << 30
    need = {"loss": "median-ae", "kind": "values", "bytes": 16 * ROWS, "exact": True, "fits": True, "beyond": "refused"}
    assert plan["memory"]["needs"] == [need]


def test_shards_are_counted(run: Run) -> None:
    (source,) = document(run, "--plan mse parts")["plan"]["sources"]
    assert (source["files"], source["rows"]) == (3, ROWS)
    assert "parquet, 3 files, 3,000 rows" in run("inspect --plan mse parts")[1]


def test_for_people(run: Run) -> None:
    status, out, err = run("inspect --plan median-ae,mse --memory 10K t.parquet")
    assert (status, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "WHAT IS READ"
    assert "columns: y_pred, y_true" in lines
    assert "losses median-ae, mse" in lines
    assert "allowed 10.0 KiB (--memory)" in lines
    assert "median-ae values of all rows: 46.9 KiB, beyond --memory: it is refused" in lines
    assert run("compute median-ae --memory 10K t.parquet")[0] == 2
    assert "The losses need sums only" in run("inspect --plan mse t.parquet")[1]


def test_text_is_guessed(run: Run) -> None:
    plan = document(run, "--plan mse --pred a --target b t.csv")["plan"]
    assert (plan["cut"], plan["tasks"], plan["guessed"], plan["rows"]) == ("byte-ranges", 1, True, None)
    assert "about 1: ranges of bytes" in run("inspect --plan mse --pred a --target b t.csv")[1]
    assert document(run, "--plan mse --pred a --target b --limit 7 t.csv")["plan"]["cut"] == "none"


def test_quantiles(run: Run) -> None:
    (need,) = document(run, "--plan mae --reduction p90 --memory 1K t.parquet")["plan"]["memory"]["needs"]
    assert (need["bytes"], need["fits"], need["beyond"]) == (8 * ROWS, False, "spooled")
    (need,) = document(run, "--plan=mae --stats --memory 1K t.parquet")["plan"]["memory"]["needs"]
    assert need["beyond"] == "approximate"


def test_sets_say_what_they_leave_out(run: Run) -> None:
    found = document(run, "--plan @distribution t.parquet")
    assert "poisson-nll" in found["losses"]
    assert any(note.startswith("gaussian-nll: ") for note in found["notes"])
    assert not {note.split(":")[0] for note in found["notes"]} & set(found["losses"])


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("--plan msee t.parquet", 2, "mse"),
        ("--plan mse", 2, "no file"),
        ("--plan", 2, "--plan"),
        ("--plan mse t.csv", 3, "--pred"),
        ("--plan mse --reduction median-of-medians t.parquet", 2, "reduction"),
        ("--threads 2 t.parquet", 2, "--threads"),
        ("--plan mse nowhere.csv", 3, "no such file"),
    ],
)
def test_what_cannot_be_planned(run: Run, line: str, status: int, said: str) -> None:
    done = run(f"inspect {line}")
    assert done[0] == status
    assert done[1] == ""
    assert said in done[2]


def test_what_an_engine_would_be_given(run: Run) -> None:
    before = document(run, "--plan mse parts")["plan"]
    assert "dealt" not in before
    plan = document(run, "--plan mse,median-ae --by land --engine dask parts")["plan"]
    dealt = plan["dealt"]
    assert (dealt["engine"], dealt["obstacle"], dealt["way"], dealt["counting"]) == ("dask", None, "files", 0)
    assert plan["tasks"] == dealt["tasks"] == 1
    assert dealt["task_bytes"] == plan["sources"][0]["bytes"]
    assert (plan["rows"], plan["sources"][0]["rows"], plan["sources"][0]["files"]) == (None, None, 3)
    assert (dealt["row_bytes"], dealt["slice_bytes"]) == (8, 25)
    lines = [" ".join(line.split()) for line in run("inspect --plan mse --by land --engine dask parts")[1].splitlines()]
    assert "ENGINE DASK" in lines
    assert "tasks 1, dealt out to workers" in lines
    assert f"a task whole files, small ones taken together: {dealt['task_bytes'] / 1024:.1f} KiB at most" in lines
    assert "rows counted on the way" in lines
    assert any(line.startswith("a state about ") and "15 bytes for each value of --by" in line for line in lines)
    assert "merges none" in lines


def test_files_in_step_are_counted_first(run: Run) -> None:
    line = "inspect --plan mse --engine dask --pred y_pred --target parts:y_true t.parquet"
    assert document(run, line.partition(" ")[2])["plan"]["dealt"]["way"] == "rows"
    assert "counted first, in a pass of 2 tasks" in " ".join(run(line)[1].split())


def test_why_an_engine_would_be_given_nothing(run: Run) -> None:
    plan = document(run, "--plan mse --engine dask --limit 9 parts")["plan"]
    assert plan["dealt"] == {"engine": "dask", "obstacle": "--limit counts rows from the start"}
    out = run("inspect --plan mse --engine dask --limit 9 parts")[1]
    without = run("inspect --plan mse --limit 9 parts")[1]
    assert "since --limit counts rows from the start" in " ".join(out.split())
    assert [part for part in out.split("\n\n") if "ENGINE" not in part] == without.split("\n\n")


def test_help_shows_the_options_of_the_losses(run: Run) -> None:
    assert "--plan LOSSES" in run("inspect --help")[1]
    assert "--memory" not in run("inspect --help")[1]
    assert "--memory" in run("inspect --plan triplet-margin --help")[1]
    assert "--anchor" in run("inspect --plan triplet-margin --help")[1]
