"""``inspect``: what it says is what is there, and the command it names runs."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl.cli.main import main
from lossctl.data.formats import open_source
from lossctl.model.registry import entries
from lossctl.report.advice import FIRST, FORMS
from lossctl.report.survey import DISTINCT, LOOK, survey
from lossctl.report.tables import schemas

ROOT = Path(__file__).parent.parent.parent
SAMPLES = {
    "diabetes_ridge.csv": ({"y_pred": ["pred"], "y_true": ["target"]}, "mse"),
    "diabetes_boosting.csv": ({"y_pred": ["pred"], "y_true": ["target"]}, "mse"),
    "breast_cancer.parquet": ({"y_prob": ["pred"], "y_true": ["target"]}, "bce"),
    "iris_probs.csv": ({"prob_virginica": ["pred"], "label": ["target"]}, "cross-entropy"),
    "digits_ranking.csv": ({"query_id": ["group"], "relevance": ["target"], "y_pred": ["pred"]}, "ndcg-loss"),
    "digits_triplets.npz": ({name: [name] for name in ("anchor", "positive", "negative")}, "triplet-margin"),
}


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def go(line: str) -> tuple[int, str, str]:
        status = main(shlex.split(line))
        done = capsys.readouterr()
        return status, done.out, done.err

    return go


@pytest.fixture
def look(run):
    """The document for some files, held against its schema; the command it names is run."""

    def go(line: str) -> dict:
        status, out, err = run(f"inspect {line} -f json")
        assert status == 0, err
        found = json.loads(out)
        jsonschema.validate(found, schemas()["lossctl.inspect/1"])
        if found["command"] is not None:
            words = shlex.split(found["command"])
            assert words[:2] == ["lossctl", "compute"]
            status, out, err = run(shlex.join([*words[1:], "-f", "json"]))
            assert status == 0, err
            assert json.loads(out)["results"][0]["loss"] == words[2]
        return found

    return go


def write(name: str, text: str) -> str:
    Path(name).write_text(text)
    return shlex.quote(name)


def column(found: dict, name: str, file: int = 0) -> dict:
    return next(c for c in found["files"][file]["columns"] if c["name"] == name)


# The samples


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(look, name):
    roles, loss = SAMPLES[name]
    found = look(str(ROOT / "sample_data" / name))
    assert {c: column(found, c)["roles"] for c in roles} == roles
    assert shlex.split(found["command"])[2:] == [loss, str(ROOT / "sample_data" / name)]
    assert loss in found["losses"]
    (file,) = found["files"]
    assert file["partial"] is False
    assert file["format"] == name.rpartition(".")[2]


def test_a_table_in_detail(look):
    found = look(str(ROOT / "sample_data" / "diabetes_ridge.csv"))
    (file,) = found["files"]
    assert (file["rows"], file["keys"], file["weights"], file["groups"]) == (
        442,
        ["patient_id"],
        ["weight"],
        ["age_band"],
    )
    target = column(found, "y_true")
    assert (target["type"], target["whole"], target["min"], target["max"], target["missing"]) == (
        "number",
        True,
        25,
        346,
        0,
    )
    assert target["values"][:3] == ["151", "75", "141"]
    assert column(found, "age_band")["distinct"] == 3
    assert column(found, "patient_id")["type"] == "text"


def test_two_arrays(look):
    folder = ROOT / "sample_data"
    found = look(f"{folder / 'digits_logits.npy'} {folder / 'digits_labels.npy'}")
    assert [f["columns"][0]["roles"] for f in found["files"]] == [["pred"], ["target"]]
    assert found["files"][0]["columns"][0]["width"] == 10
    assert shlex.split(found["command"])[2] == "cross-entropy"


def test_one_array_asks_for_the_other(look):
    found = look(str(ROOT / "sample_data" / "digits_logits.npy"))
    assert found["command"] is None
    assert any("TARGET.npy" in note for note in found["notes"])


# Which command


@pytest.mark.parametrize(
    ("text", "options", "command"),
    [
        ("y_true,y_pred\n1,2.5\n2,3\n", "", "mse t.csv"),
        ("y_true,y_pred\n1,2\n2,3\n", "", "mse t.csv"),
        ("y_true,y_pred\ncat,cat\ndog,cat\n", "", "zero-one t.csv"),
        ("y_true,y_pred\n" + "1,1\n2,1\n3,3\n" * 3, "", "zero-one t.csv"),
        ("label,y_prob\n1,0.2\n0,0.7\n", "", "bce t.csv"),
        ("label,y_score\n1,-2\n0,3.5\n", "", "bce --input logits t.csv"),
        ("label,y_prob\nno,0.2\nyes,0.7\n", "", "bce --positive yes t.csv"),
        ("y_true,y_pred\n-1,0.3\n1,-2\n", "", "hinge t.csv"),
        ("label,p_a,p_b\na,.2,.8\nb,.6,.4\n", "", "cross-entropy --input probs t.csv"),
        ("label,p_a,p_b\na,-2,8\nb,6,.4\n", "", "cross-entropy t.csv"),
        ("label,log_prob_a,log_prob_b\na,-.7,-.686336\nb,-.7,-.686336\n", "", "cross-entropy t.csv"),
        ("y_true,y_pred\n1,2.5\n,3\n3,nan\n4,4\n", "", "mse --nan skip t.csv"),
        ("a,b\n1.5,2\n2.5,3\n", "", "mse --pred a --target b t.csv"),
        ("model_out,y_true\n0.2,1\n0.7,0\n", "", "bce --pred model_out t.csv"),
        ("kind,cls_a,cls_b\na,.2,.8\nb,.6,.4\n", "", "cross-entropy --input probs --pred 'cls_*' --target kind t.csv"),
        ("y_true;y_pred\n1;2.5\n2;3\n", "--delimiter ';'", "mse --delimiter ';' t.csv"),
        ("1.5;2\n2.5;3\n", "--delimiter ';' --no-header", "mse --pred 1 --target 2 --delimiter ';' --no-header t.csv"),
        ("y_true,y_pred\n1,2.5\n-9.5,3\nx,4\n", "--null-value x", "mse --nan skip --null-value x t.csv"),
        ("y_true\ty_pred\n1\t2.5\n", "--input-format tsv", "mse --input-format tsv t.csv"),
        ("id,truth,est imate\n7,1,2.5\n8,2,2.5\n9,3,4\n", "", "mse --pred 'est imate' t.csv"),
    ],
)
def test_commands(look, text, options, command):
    write("t.csv", text)
    assert look(f"{options} t.csv")["command"] == f"lossctl compute {command}"


def test_assumptions_are_said(look):
    write("t.csv", "a,b\n1.5,2\n2.5,3\n")
    assert any('"a" holds the predictions and "b" holds the targets' in note for note in look("t.csv")["notes"])
    write("t.csv", "label,y_prob\nno,0.2\nyes,0.7\n")
    assert any("'yes' is the positive label" in note for note in look("t.csv")["notes"])
    np.save("z.npy", np.array([[1.0, 2.0], [0.5, -1.0]]))
    write("t.csv", "label\ncat\ndog\n")
    found = look("z.npy t.csv")
    assert found["command"] == "lossctl compute cross-entropy --classes cat,dog z.npy t.csv"
    assert found["classes"] == ["cat", "dog"]
    assert any("alphabetical" in note for note in found["notes"])
    write("t.csv", "y_true,prediction,pred\n1,2,3\n")
    assert any("two columns could be the pred" in note for note in look("t.csv")["notes"])


def test_a_name_with_blanks_is_quoted(look):
    name = write("my preds; rm -rf.csv", "y_true,y_pred\n1,2.5\n")
    assert look(name)["command"] == f"lossctl compute mse {name}"


def test_two_tables(look):
    write("p.csv", "id,out\na,1.5\nb,2\n")
    write("t.csv", "id,z\na,1\nb,2\n")
    found = look("p.csv t.csv")
    assert found["command"] == "lossctl compute mse p.csv t.csv"
    assert [f["keys"] for f in found["files"]] == [["id"], ["id"]]
    assert column(found, "out")["roles"] == ["pred"]
    assert column(found, "z", 1)["roles"] == ["target"]
    write("p.csv", "m,out\n3,1.5\n4,2\n")
    write("t.csv", "x,z\n1,1\n2,2\n")
    assert look("p.csv t.csv")["command"] == "lossctl compute mse --pred m --target x p.csv t.csv"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("y_true,y_pred\n", "there are no rows"),
        ("y_pred\n1\n", "no column is the target"),
        ("y_true\n1\n", "no column is the pred"),
        ("y_true;y_pred\n1;2\n", "--delimiter ';'"),
        ("y_true,y_pred\n1,2\n2,abc\n", "'abc' is not a number"),
    ],
)
def test_nothing_to_run(look, text, note):
    write("t.csv", text)
    found = look("t.csv")
    assert found["command"] is None
    assert found["losses"] == []
    assert any(note in said for said in found["notes"])


def test_files_of_unequal_length(look):
    """The first rows do not tell."""
    np.save("p.npy", np.arange(1500.0))
    np.save("t.npy", np.arange(1600.0))
    found = look("p.npy t.npy")
    assert found["command"] is None
    assert any("1,500" in note and "1,600" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [(None, 3, "no such file"), ("", 3, "empty"), ("1.5,2\n3,4\n", 3, "--no-header"), ("a,b\n1,2,3\n", 3, "3 fields")],
)
def test_files_that_cannot_be_read(run, text, status, said):
    if text is not None:
        write("t.csv", text)
    done = run("inspect t.csv")
    assert done[0] == status
    assert done[1] == ""
    assert said in done[2]


def test_no_file(run):
    status, _, err = run("inspect")
    assert status == 2
    assert "lossctl inspect preds.csv" in err


def test_preferences_are_losses_and_forms():
    names = {entry.name for entry in entries()}
    assert {name for order in FIRST.values() for name in order} <= names
    forms = {c for e in entries() if "input" in e.spec.params for c in e.spec.params["input"].choices}
    assert forms <= set(FORMS)


# What is seen


def test_counts_against_numpy(look):
    rng = np.random.default_rng(0)
    values = np.round(rng.normal(size=70_000), 3)
    values[::97] = np.nan
    values[5::1000] = np.inf
    pq.write_table(
        pa.table({"y_true": values, "y_pred": values + 1, "n": rng.integers(0, 3000, len(values))}), "t.parquet"
    )
    found = look("t.parquet")
    seen = column(found, "y_true")
    good = values[np.isfinite(values)]
    assert found["files"][0]["rows"] == len(values)
    assert (seen["missing"], seen["infinite"]) == (np.isnan(values).sum(), np.isinf(values).sum())
    assert (seen["min"], seen["max"], seen["whole"]) == (good.min(), good.max(), False)
    assert seen["distinct"] is None
    assert len(np.unique(good)) > DISTINCT
    assert column(found, "n")["whole"] is True
    assert found["command"].endswith("--nan skip t.parquet")


def test_limit(look):
    write("t.csv", "y_true,y_pred\n" + "".join(f"{i},{i + 0.5}\n" for i in range(5000)))
    found = look("--limit 10 t.csv")
    assert (found["files"][0]["rows"], found["files"][0]["partial"]) == (10, True)
    assert column(found, "y_true")["max"] == 9
    assert found["command"] == "lossctl compute mse t.csv"
    assert look("--limit 6000 t.csv")["files"][0]["partial"] is False
    np.save("a.npy", np.zeros(10))
    np.save("b.npy", np.zeros(10))
    assert [f["partial"] for f in look("--limit 10 a.npy b.npy")["files"]] == [False, False]


def test_a_column_that_is_numbers_at_first(look):
    write("t.csv", "y_true,y_pred\n" + "1,2\n" * (2 * LOOK) + "2,abc\n")
    found = look("t.csv")
    seen = column(found, "y_pred")
    assert (seen["type"], seen["distinct"]) == ("text", 2)
    assert f"row {2 * LOOK + 1:,}" in seen["note"]
    assert "abc" in seen["note"]


def test_integers_beyond_float64(look):
    write("t.csv", "y_true,y_pred,big\n1,2,9007199254740993\n2,3,1\n")
    found = look("t.csv")
    assert column(found, "big")["type"] == "text"
    assert "2^53" in column(found, "big")["note"]
    assert found["command"] == "lossctl compute mse t.csv"


def test_arrays_of_several_axes(look, run):
    np.save("a.npy", np.zeros((5, 3, 2), np.float32))
    seen = look("a.npy")["files"][0]["columns"][0]
    assert (seen["axes"], seen["width"], seen["dtype"], seen["type"]) == ([3, 2], 6, "float32", "number")
    assert "3 x 2 whole numbers a row" in run("inspect a.npy")[1]


def test_archives_of_unequal_arrays(look):
    np.savez("a.npz", pred=np.arange(4.0), target=np.arange(4.0), real=np.arange(7.0), names=np.array(["x", "y"]))
    found = look("a.npz")
    assert found["files"][0]["rows"] == 7
    assert column(found, "real")["max"] == 6
    assert column(found, "names")["values"] == ["x", "y"]
    assert found["command"] == "lossctl compute mse a.npz"


def test_lists_dates_and_twins(look):
    lists = pa.array([[0.25, 0.75], [0.5, 0.5]], pa.list_(pa.float64(), 2))
    dates = pa.array([0, 1], pa.date32())
    pq.write_table(pa.table({"probs": lists, "label": [0, 1], "day": dates}), "t.parquet")
    found = look("t.parquet")
    assert column(found, "probs")["width"] == 2
    assert column(found, "day")["type"] == "other"
    assert column(found, "day")["missing"] is None
    assert found["command"] == "lossctl compute cross-entropy t.parquet"
    write("t.csv", "y_true,y_pred,x,x\n1,2,3,4\n")
    assert "2 columns have this name" in column(look("t.csv"), "x")["note"]


def test_a_ragged_list_is_said_with_its_lengths(look):
    pq.write_table(pa.table({"y_true": [1.0, 2.0], "y_pred": [1.0, 2.5], "v": [[1.0], [1.0, 2.0]]}), "t.parquet")
    seen = column(look("t.parquet"), "v")
    assert seen["type"] == "list"
    assert seen["lengths"] == [1, 2]
    assert (seen["min"], seen["max"]) == (None, None)


def test_text_and_sequences_bring_their_losses(look, data):
    assert look(f"{data}/lines.csv")["command"].startswith("lossctl compute wer ")
    lines = look(f"{data}/lines_hyp.txt {data}/lines_ref.txt")
    assert [file["format"] for file in lines["files"]] == ["lines", "lines"]
    assert lines["command"].startswith("lossctl compute wer ")
    assert look(f"{data}/lines_ctc.npz")["command"].startswith("lossctl compute ctc ")
    assert look(f"{data}/lines_logprobs.jsonl")["command"].startswith("lossctl compute bits-per-byte ")


def test_numbers_are_no_sentences(look, data):
    """A column of a CSV file has no type, and could be text."""
    assert not {"wer", "edit-distance", "jaro"} & set(look(f"{data}/diabetes_ridge.csv")["losses"])


def test_a_pipe(lossctl, data):
    with (data / "diabetes_ridge.csv").open("rb") as file:
        done = lossctl("inspect", "-", "-f", "json", stdin=file)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["command"] == "lossctl compute mse -"
    script = "import sys; sys.stdout.write(open(sys.argv[1]).read())"
    with subprocess.Popen([sys.executable, "-c", script, data / "iris_probs.csv"], stdout=subprocess.PIPE) as cat:
        done = lossctl("inspect", "-", "-f", "json", stdin=cat.stdout)
    assert json.loads(done.stdout)["command"] == "lossctl compute cross-entropy -"


def test_nothing_in_a_file_acts_on_a_terminal(run):
    write("t.csv", 'y_true,"y_pred\x1b[31m",\u202ee\n\x1b]0;x\x07,[bold]2[/bold],3\n')
    for options in ("", "--color always", "-f json"):
        status, out, _ = run(f"inspect t.csv {options}")
        assert status == 0
        rest = out.replace("\x1b[0m", "")
        for code in ("1", "4", "1;36"):
            rest = rest.replace(f"\x1b[{code}m", "")
        assert not set(rest) & {"\x1b", "\x07", "\u202e"}
    assert "[bold]2[/bold]" in run("inspect t.csv")[1]


@pytest.mark.parametrize("width", [None, 40])
def test_the_text_fits(run, width, monkeypatch):
    if width:
        monkeypatch.setenv("COLUMNS", str(width))
    for name in SAMPLES:
        (Path(name)).symlink_to(ROOT / "sample_data" / name)
        out = run(f"inspect {name}")[1]
        assert max(map(len, out.splitlines())) <= (width or 80)
        assert f"$ lossctl compute {SAMPLES[name][1]}" in out
        assert "NEXT\n" in out


def test_many_columns(run, look):
    names = [f"logit_{i}" for i in range(200)]
    write("t.csv", f"label,{','.join(names)}\n" + f"3,{','.join('1' for _ in names)}\n")
    found = look("t.csv")
    assert len(found["files"][0]["columns"]) == 201
    assert found["classes"] == [str(i) for i in range(200)]
    out = run("inspect t.csv")[1]
    assert "and 161 more" in out
    assert len(out.splitlines()) < 150


def test_the_survey_reads_what_compute_would(tmp_path):
    """Block sizes change nothing."""
    rng = np.random.default_rng(1)
    np.save(tmp_path / "a.npy", rng.normal(size=(3000, 300)))
    whole = survey(open_source(tmp_path / "a.npy")).facts[0]
    array = np.load(tmp_path / "a.npy")
    assert (whole.rows, whole.low, whole.high) == (3000, array.min(), array.max())
    part = survey(open_source(tmp_path / "a.npy"), limit=1234).facts[0]
    assert (part.rows, part.low) == (1234, array[:1234].min())
