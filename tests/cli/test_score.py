"""``lossctl score``: rows are files, columns are losses, and what each file gives is what compute gives."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import threading
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

import lossctl as package
from lossctl import index
from lossctl.cli.complete import complete
from lossctl.cli.main import main
from lossctl.cli.score import named_path
from lossctl.data import inputs
from lossctl.data.formats import open_source
from lossctl.errors import DataError, UsageError
from lossctl.report.jsonout import schema

TABLES = {
    "a.csv": "y_true,y_pred,g\n1,2,x\n2,2,x\n4,1,y\n",  # errors 1 0 -3
    "b.csv": "y_true,y_pred,g\n1,1,x\n2,3,x\n4,3,y\n",  # errors 0 1 -1
    "nan.csv": "y_true,y_pred,g\n1,1,x\n2,,x\n4,3,y\n",
    "text.csv": "y_true,y_pred,g\n1,1,x\n2,two,x\n4,3,y\n",
    "truth.csv": "target\n1\n2\n4\n",
    "p.csv": "pred\n2\n2\n1\n",
    "q.csv": "pred\n1\n3\n3\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


Shown = Callable[..., tuple[int, str, str]]


@pytest.fixture
def score(capsys: pytest.CaptureFixture[str]) -> Shown:
    """``score("mse a.csv b.csv")``: exit status, standard output, standard error."""

    def run(line: str, command: str = "score") -> tuple[int, str, str]:
        status = main([command, *line.split()])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def cells(out: str) -> list[list[str]]:
    """The words of the lines of a table, up to the first blank line."""
    return [line.split() for line in out.split("\n\n")[0].splitlines() if set(line) - {"─", " "}]


# The table


def test_rows_are_files_and_columns_losses(score) -> None:
    status, out, err = score("mse,mae a.csv b.csv -f table")
    assert status == 0
    assert cells(out) == [
        ["input", "rows", "mse", "mae"],
        ["a.csv", "3", "3.33333", "1.33333"],
        ["b.csv", "3", "0.666667*", "0.666667*"],
    ]
    assert out.endswith("\n\n2 files · mean · * best of its column\n")
    assert err == "lossctl: a.csv, b.csv: pred=y_pred, target=y_true\n"


def test_points_stand_under_each_other_with_and_without_a_mark(score, folder) -> None:
    (folder / "whole.csv").write_text("y_true,y_pred\n1,3\n2,4\n")
    _, out, _ = score("mae a.csv b.csv whole.csv -f table")
    lines = out.splitlines()[2:5]
    assert len({line.index(".", 12) for line in lines[:2]}) == 1
    assert lines[2].rstrip()[-1] == "2"
    assert lines[2].rindex("2") + 1 == lines[0].index(".", 12)


def test_ties_are_all_marked_and_a_file_alone_is_not(score) -> None:
    _, out, _ = score("mae a.csv again=a.csv -f table")
    assert [row[2] for row in cells(out)[1:]] == ["1.33333*", "1.33333*"]
    _, out, _ = score("mae a.csv -f table")
    assert cells(out)[1][2] == "1.33333"
    assert "best" not in out


def test_nan_is_never_the_best(score) -> None:
    status, out, _ = score("mae nan.csv a.csv --nan propagate -f table")
    assert status == 0
    assert [row[2] for row in cells(out)[1:]] == ["nan", "1.33333*"]
    _, out, _ = score("mae nan.csv n=nan.csv --nan propagate -f table")
    assert [row[2] for row in cells(out)[1:]] == ["nan", "nan"]


def test_the_best_of_what_is_to_be_maximised_is_the_greatest(score) -> None:
    _, out, _ = score("r2,mse a.csv b.csv -f table")
    assert [row[2:] for row in cells(out)[2:]] == [["0.571429*", "0.666667*"]]
    assert "the greatest of r2, else the least" in out
    _, out, _ = score("r2 a.csv b.csv -f table")
    assert "set · * best of its column: the greatest\n" in out


def test_an_error_with_a_sign_is_the_best_nearest_to_zero(score) -> None:
    _, out, _ = score("mean-bias-error a.csv b.csv -f table")  # -2/3 and 0
    assert [row[2] for row in cells(out)[1:]] == ["-0.666667", "0*"]
    assert "the nearest to 0" in out


def test_sorting(score) -> None:
    def names(line: str) -> list[str]:
        status, out, _ = score(f"{line} -f csv")
        assert status in {0, 3}
        return list(dict.fromkeys(row["input"] for row in csv.DictReader(io.StringIO(out))))

    assert names("mse,r2 a.csv b.csv") == ["a.csv", "b.csv"]
    assert names("mse,r2 a.csv b.csv --sort mse") == ["b.csv", "a.csv"]
    assert names("mse,r2 b=a.csv a=b.csv --sort r2") == ["a", "b"]
    assert names("mse,r2 b.csv a.csv --sort name") == ["a.csv", "b.csv"]
    assert names("mae b.csv a.csv --sort L1") == ["b.csv", "a.csv"]
    assert names("mse nan.csv none.csv a.csv b.csv --nan propagate --keep-going --sort mse") == [
        *("b.csv", "a.csv", "nan.csv", "none.csv")
    ]
    assert names("mse none.csv b.csv a.csv --keep-going --sort name") == ["a.csv", "b.csv", "none.csv"]
    assert names("huber,huber:delta=2 a.csv b.csv --sort huber:delta=2.0") == ["b.csv", "a.csv"]


def test_sorting_by_what_is_not_there(score) -> None:
    status, out, err = score("mse a.csv --sort mae")
    assert (status, out) == (2, "")
    assert "one of mse, name" in err
    status, _, err = score("huber,huber:delta=2 a.csv --sort huber:delta=3")
    assert status == 2
    status, out, err = score("@regression a.csv --sort cosine-distance")
    assert (status, out) == (3, "")
    assert "left out" in err


def test_dropped_rows_have_a_column_and_a_warning(score) -> None:
    status, out, err = score("mae a.csv nan.csv --nan skip -f table")
    assert status == 0
    assert cells(out)[0] == ["input", "rows", "dropped", "mae"]
    assert [row[1:3] for row in cells(out)[1:]] == [["3", "0"], ["2", "1"]]
    assert "dropped: nan 1" in out
    assert "warning: mae is over 3 in a.csv, 2 in nan.csv: these values are not of the same rows" in err


def test_slices_are_said_to_be_elsewhere(score) -> None:
    _, out, _ = score("mae a.csv b.csv --by g -f table")
    assert len(cells(out)) == 3
    assert "totals; each g is in plain, csv and json" in out


def test_intervals_and_statistics_stand_beside_their_loss(score) -> None:
    _, out, _ = score("mae,mse a.csv b.csv --ci --stats -f table --color never")
    head = out.splitlines()[0]
    beside = ["ci", "low", "ci", "high", "std", "min", "median", "p90", "p99", "max"]
    assert head.split() == ["input", "rows", "mae", *beside, "mse", *beside]


@pytest.mark.parametrize("color", ["never", "always"])
def test_colour_says_nothing_alone(score, color) -> None:
    _, out, _ = score(f"mae a.csv b.csv -f table --color {color}")
    assert ("\x1b[1m" in out) == (color == "always")
    assert "0.666667*" in out


def test_names_are_inert(score, folder) -> None:
    os.rename("a.csv", "[red]\x1b[2J.csv")
    os.rename("b.csv", "|*b*.csv")
    for form, mine in (("table", r"[red]\x1b[2J.csv"), ("plain", r"[red]\x1b[2J.csv"), ("markdown", r"\|\*b\*.csv")):
        status, out, err = score(f"mae [red]\x1b[2J.csv |*b*.csv none\x1b.csv --keep-going -f {form}")
        assert status == 3
        assert mine in out
        assert "\x1b" not in out + err


@pytest.mark.parametrize("width", [30, 60, 100])
def test_a_narrow_terminal(score, monkeypatch, width) -> None:
    """Panels that repeat the names; no number is cut, and every mark is there."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("lossctl.cli.run.looks", lambda form, settings: {"width": width} if form == "table" else {})
    status, out, _ = score("mse,mae,rmse,r2,huber,log-cosh a.csv b.csv none.csv --keep-going -f table")
    assert status == 3
    assert max(map(len, out.splitlines())) <= width
    assert out.count("*") == 7
    assert ("\n\ninput" in out) == (width < 100)
    for value in ("0.666667*", "0.571429*", "3.33333"):
        assert value in out


# The other formats


def test_records_are_those_of_compute_behind_the_name(score) -> None:
    for form in ("plain", "csv", "jsonl"):
        _, out, _ = score(f"mse,mae --by g a.csv b.csv -f {form}")
        mine = out.splitlines()
        for name in ("a.csv", "b.csv"):
            _, alone, _ = score(f"mse,mae --by g {name} -f {form}", "compute")
            lines = alone.splitlines()
            if form == "jsonl":
                expected = [json.dumps({"input": name, **json.loads(line)}) for line in lines]
            else:
                mark = {"plain": "\t", "csv": ","}[form]
                assert mine[0] == f"input{mark}{lines.pop(0)}"
                expected = [f"{name}{mark}{line}" for line in lines]
            assert [line for line in mine if line in expected] == expected


def test_bare_values(score) -> None:
    status, out, _ = score("mse,mae a.csv none.csv b.csv -f value --keep-going")
    values = [out for name in ("a.csv", "b.csv") for _, out, _ in [score(f"mse,mae {name} -f value", "compute")]]
    assert status == 3
    assert out == f"{values[0]}\n\n{values[1]}"


def test_markdown(score) -> None:
    _, out, _ = score("mse,r2 a.csv b_=b.csv none.csv -f markdown --keep-going")
    lines = out.splitlines()
    assert lines[0] == "| input | rows | mse | r2 | error |"
    assert lines[1] == "| --- | ---: | ---: | ---: | --- |"
    assert lines[3] == "| b\\_ | 3 | **0.666667** | **0.571429** |  |"
    assert lines[4] == "| none.csv |  |  |  | no such file |"
    assert lines[6].startswith("3 files, 1 could not be scored; mean (r2: set); bold: best")


@pytest.mark.parametrize(
    "line",
    [
        "mse,r2 a.csv b.csv",
        "mse --by g --ci --stats a.csv b.csv",
        "mse --nan propagate a.csv nan.csv",
        "mse --nan skip --limit 2 a.csv nan.csv",
        "mse --keep-going a.csv none.csv text.csv",
        "mse --keep-going none.csv",
        "mse --targets truth.csv p.csv q.csv",
        "@regression a.csv b.csv",
    ],
)
def test_json_obeys_its_schema(score, line) -> None:
    status, out, _ = score(f"{line} -f json")
    found = json.loads(out)
    jsonschema.validate(found, schema("score-1"))
    assert status == (3 if found["errors"] else 0)
    paths = [word for word in line.split() if word.endswith(".csv") and word != "truth.csv"]
    assert [entry["input"] for entry in found["inputs"]] == paths
    assert {entry["input"] for entry in found["errors"]} | {r["input"] for r in found["results"]} == set(paths)


def test_json_holds_what_compute_says(score) -> None:
    _, out, _ = score("mse,mae --by g a.csv b.csv -f json")
    found = json.loads(out)
    for entry in found["inputs"]:
        _, alone, _ = score(f"mse,mae --by g {entry['input']} -f json", "compute")
        other = json.loads(alone)
        assert entry["files"] == other["inputs"]
        assert entry["rows"] == other["rows"]
        assert entry["partial"] is other["partial"]
        mine = [result for result in found["results"] if result["input"] == entry["input"]]
        assert [{k: v for k, v in r.items() if k not in {"input", "best"}} for r in mine] == other["results"]
    best = [(r["input"], r["label"]) for r in found["results"] if r["best"] and r["slice"] == "total"]
    assert best == [("b.csv", "mse"), ("b.csv", "mae")]
    slices = [r for r in found["results"] if r["best"] and r["group"] and r["label"] == "mse"]
    assert {(r["input"], r["group"]["g"]) for r in slices} == {("a.csv", "x"), ("b.csv", "x"), ("b.csv", "y")}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.pop("errors"),
        lambda d: d.update(schema="lossctl.compute/1"),
        lambda d: d["results"][0].pop("input"),
        lambda d: d["results"][0].pop("signature"),
        lambda d: d["results"][0].update(value="1"),
        lambda d: d["results"][0].update(best=None),
        lambda d: d["inputs"][0].pop("rows"),
        lambda d: d["inputs"][0]["rows"].update(read=-1),
        lambda d: d["inputs"][0]["files"].append({"name": "x"}),
        lambda d: d["errors"][0].pop("message"),
        lambda d: d["warnings"].append({"code": "x", "message": "y"}),
    ],
)
def test_the_schema_refuses_what_is_wrong(score, spoil) -> None:
    _, out, _ = score("mse --keep-going a.csv none.csv -f json")
    found = json.loads(out)
    jsonschema.validate(found, schema("score-1"))
    spoil(found)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, schema("score-1"))


def test_reports_in_files(score, folder) -> None:
    status, out, _ = score("mse a.csv b.csv -f csv -o r.json -o r.csv -o r.md -o r.jsonl")
    assert status == 0
    assert (folder / "r.csv").read_text() == out
    for form in ("json", "jsonl"):
        assert (folder / f"r.{form}").read_text() == score(f"mse a.csv b.csv -f {form}")[1]
    assert (folder / "r.md").read_text() == score("mse a.csv b.csv -f markdown")[1]


@pytest.mark.parametrize("line", ["mse x=a.csv -o a.csv", "mse p.csv --targets truth.csv -o truth.csv"])
def test_no_input_is_overwritten(score, folder, line) -> None:
    before = {path.name: path.read_text() for path in folder.iterdir()}
    assert score(line)[0] == 2
    assert {path.name: path.read_text() for path in folder.iterdir()} == before


# Names and files


def test_names(folder) -> None:
    (folder / "k=v").mkdir()
    (folder / "k=v" / "x=1.csv").write_text("")
    assert named_path("a.csv") == ("a.csv", "a.csv")
    assert named_path("new=a.csv") == ("new", "a.csv")
    assert named_path("org/new=none.csv") == ("org/new", "none.csv")
    assert named_path("a=b=c.csv") == ("a", "b=c.csv")
    assert named_path("k=v/x=1.csv") == ("k=v/x=1.csv",) * 2
    assert named_path("k=v/*.csv") == ("k=v/*.csv",) * 2
    assert named_path("n=k=v/*.csv") == ("n", "k=v/*.csv")
    assert named_path("s3://bucket/k=v/x.csv") == ("s3://bucket/k=v/x.csv",) * 2
    assert named_path("n=s3://bucket/x.csv") == ("n", "s3://bucket/x.csv")
    assert named_path("-") == ("-", "-")
    for text in ("=a.csv", "a="):
        with pytest.raises(UsageError):
            named_path(text)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("mse a.csv a.csv", "NAME=a.csv"),
        ("mse x=a.csv x=b.csv", "NAME=a.csv"),
        ("mse b.csv b.csv=a.csv", "NAME=b.csv"),
        ("mse", "lossctl score mse one.csv two.csv"),
        ("mse - x=-", None),
        ("mse - --targets -", None),
        ("mse a.csv --reduction none", "lossctl compute mse"),
        ("mse a.csv --rows 3", None),
        ("mse a.csv --worst 3", None),
        ("mse,mae a.csv --fail-above 3", "LOSS=X"),
        ("mse =a.csv", "NAME="),
        ("--sort mse mse a.csv", None),
        ("mze a.csv", "mse"),
        ("mse a.csv --unmatched drop --keep-going", None),
    ],
)
def test_wrong_calls(score, line, hint) -> None:
    status, out, err = score(line)
    assert (status, out) == (2, "")
    assert hint is None or ("try: " in err and hint in err.partition("try: ")[2])


def test_standard_input(lossctl) -> None:
    done = lossctl("score", "mae", "-", "b.csv", "-f", "value", input=TABLES["a.csv"])
    assert done.stdout.split() == [repr(4 / 3), repr(2 / 3)]
    done = lossctl("score", "mae", "--targets", "-", "p.csv", "q.csv", "-f", "value", input=TABLES["truth.csv"])
    assert done.stdout.split() == [repr(4 / 3), repr(2 / 3)]


def test_shared_targets(score) -> None:
    _, out, err = score("mse,mae --targets truth.csv p.csv q.csv -f csv")
    _, other, _ = score("mse,mae p.csv=a.csv q.csv=b.csv -f csv")
    assert out == other
    assert err.count("truth.csv: target=target") == 1


def test_shared_targets_are_opened_once(score, monkeypatch) -> None:
    opened: list[str] = []

    def noted(path: str, **options: object) -> object:
        opened.append(path)
        return open_source(path, **options)

    monkeypatch.setattr(inputs, "open_source", noted)
    assert score("mse --targets truth.csv p.csv q.csv r=p.csv")[0] == 0
    assert opened == ["truth.csv", "p.csv", "q.csv", "p.csv"]
    opened.clear()
    assert score("mse --target truth.csv:target p.csv q.csv")[0] == 0
    assert opened == ["p.csv", "truth.csv", "q.csv"]


def test_targets_from_a_pipe(score, folder) -> None:
    os.mkfifo("pipe.csv")
    writer = threading.Thread(target=lambda: Path("pipe.csv").write_text(TABLES["truth.csv"]))
    writer.start()
    _, out, _ = score("mae --targets pipe.csv p.csv q.csv -f value")
    writer.join()
    assert out.split() == [repr(4 / 3), repr(2 / 3)]


def test_text_against_shared_lines(score, folder) -> None:
    (folder / "ref.txt").write_text("a b c\nd e\n")
    (folder / "one.txt").write_text("a b c\nd\n")
    (folder / "two.txt").write_text("a x c\nd\n")
    _, out, _ = score("wer --targets ref.txt one.txt two.txt -f value")
    assert out.split() == ["0.2", "0.4"]


def test_targets_laid_out_frames_first(data, score) -> None:
    import numpy as np

    logits = np.random.default_rng(1).normal(size=(5, 3, 4))
    np.savez("one.npz", logits=logits)
    np.savez("two.npz", logits=2 * logits)
    np.savez("truth.npz", targets=np.array([[1, 2], [2, 3], [3, 1]]))
    _, out, _ = score("ctc --input logits --layout TNC --targets truth.npz one.npz two.npz -f value")
    alone = [score(f"ctc --input logits --layout TNC {x}.npz truth.npz -f value", "compute")[1] for x in ("one", "two")]
    assert out == "".join(alone)


# Files that cannot be scored


@pytest.mark.parametrize(("bad", "said"), [("none.csv", "no such file"), ("text.csv", "row 2"), ("nan.csv", "row 2")])
def test_a_bad_file_ends_the_run(score, bad, said) -> None:
    for name in (bad, f"x={bad}"):
        status, out, err = score(f"mse a.csv {name} b.csv -q")
        assert (status, out) == (3, "")
        assert bad in err
        assert said in err


def test_going_on(score) -> None:
    status, out, err = score("mse a.csv none.csv text.csv b.csv --keep-going -f table -q")
    assert status == 3
    rows = cells(out)
    assert rows[0] == ["input", "rows", "mse", "error"]
    assert [row[0] for row in rows[1:]] == ["a.csv", "none.csv", "text.csv", "b.csv"]
    assert rows[2][1:] == ["no", "such", "file"]
    assert "4 files, 2 could not be scored" in out
    assert err.count("lossctl: ") == 2
    assert "none.csv: no such file" in err
    assert 'text.csv, column "y_pred", row 2' in err


def test_going_on_in_records(score) -> None:
    _, out, _ = score("mse a.csv none.csv --keep-going -f csv")
    assert out.splitlines()[0] == "input,loss,reduction,n,weight_sum,value,error"
    assert out.splitlines()[2] == "none.csv,,,,,,none.csv: no such file"
    _, out, _ = score("mse a.csv --keep-going -f csv")
    assert out.splitlines()[0] == "input,loss,reduction,n,weight_sum,value,error"
    _, out, _ = score("mse a.csv none.csv --keep-going -f jsonl")
    last = json.loads(out.splitlines()[-1])
    assert (last["input"], last["value"], last["error"]) == ("none.csv", None, "none.csv: no such file")


@pytest.mark.parametrize("options", ["-f json", "-f value --error-format json"])
def test_errors_as_json(score, options) -> None:
    status, _, err = score(f"mse a.csv none.csv --keep-going -q {options}")
    assert status == 3
    found = json.loads(err)
    jsonschema.validate(found, schema("error-1"))
    assert found["error"]["file"] == "none.csv"
    _, _, err = score("mse a.csv none.csv --keep-going -q -f json --error-format text")
    assert err == "lossctl: none.csv: no such file\n"


def test_all_files_bad(score) -> None:
    for form in ("table", "plain", "csv", "json", "jsonl", "markdown", "value"):
        status, out, _ = score(f"mse x.csv y.csv --keep-going --sort mse -f {form}")
        assert status == 3
        assert ("x.csv" in out) == (form != "value")


def test_bad_targets_and_wrong_calls_end_the_run_even_so(score) -> None:
    status, out, err = score("mse p.csv --targets none.csv --keep-going")
    assert (status, out) == (3, "")
    assert "none.csv" in err
    assert score("mse p.csv --renormalize --targets truth.csv --keep-going")[:2] == (2, "")


# Verdicts


def test_a_bound_holds_for_every_file(score) -> None:
    status, out, err = score("mse,mae a.csv b.csv --fail-above mae=1 -f value -q")
    assert status == 1
    assert len(out.split()) == 4
    assert err == f"lossctl: FAIL a.csv: mae = {4 / 3!r} is above 1.0\n"
    assert score("mse a.csv b.csv --fail-above 4")[0] == 0
    assert score("mse a.csv none.csv --fail-above 1 --keep-going")[0] == 3
    assert score("@regression a.csv --fail-above cosine-distance=1")[:2] == (3, "")


# Help, completion, Python


def test_help_says_how(score) -> None:
    for line in ("--help", "mse --help", "mse,huber --help"):
        status, out, _ = score(line)
        assert status == 0
        assert "Example: lossctl score m" in out
    assert "--show-alignment" not in score("wer --help")[1]
    assert "none" not in score("mse --help")[1].partition("--reduction R")[2].partition("[default")[0].split()


def test_completion() -> None:
    def after(*words: str) -> list[str]:
        return [word for word, _ in complete(words[:-1], words[-1])[1]]

    assert "score" in after("sc")
    assert "huber" in after("score", "hub")
    assert {"--targets", "--sort", "--keep-going"} <= set(after("score", "mse", "--"))
    assert after("score", "mse,mae", "--sort", "") == ["mse", "mae", "name"]
    assert after("score", "mse", "new=a.csv", "--by", "") == ["y_true", "y_pred", "g"]
    assert after("score", "mse", "p.csv", "--targets", "truth.csv", "--target", "t") == ["target"]
    assert complete(["score", "mse", "--targets"], "") == (True, [])


def test_python() -> None:
    found = package.score("mse,mae", {"old": "a.csv", "new": "b.csv"}, by="g")
    frame = found.to_pandas()
    assert frame.index.tolist() == ["old", "new"]
    assert frame.columns.tolist() == ["mse", "mae"]
    assert frame.loc["new", "mae"] == 2 / 3
    assert [r.slice for r in found.results["old"]] == ["total", "group", "group", "macro", "worst"] * 2
    assert repr(found).splitlines()[0] == f"old: mse {10 / 3!r}, mae {4 / 3!r}"
    shared = package.score("mae", ["p.csv", Path("q.csv")], targets=Path("truth.csv"), sort="mae")
    assert shared.to_pandas()["mae"].to_dict() == {"q.csv": 2 / 3, "p.csv": 4 / 3}
    arrays = package.score("huber", {"p": [2.0, 2.0], "q": [1.0, 5.0]}, targets=[2.0, 2.0], delta=1.0, weight=[1, 3])
    assert arrays.to_pandas()["huber"].tolist() == [0.0, (0.5 + 3 * 2.5) / 4]


def test_python_errors() -> None:
    found = package.score("mae", ["a.csv", "none.csv"], keep_going=True)
    assert math.isnan(found.to_pandas().loc["none.csv", "mae"])
    assert found.errors["none.csv"].code == "not-found"
    with pytest.raises(DataError):
        package.score("mae", ["a.csv", "none.csv"])
    for call in (
        lambda: package.score("mae", []),
        lambda: package.score("mae", ["a.csv", "a.csv"]),
        lambda: package.score("mae", ["a.csv"], rows=3),
        lambda: package.score("mae", ["a.csv"], reduction="none"),
        lambda: package.score("mae", ["a.csv"], sort="mse"),
    ):
        with pytest.raises(UsageError):
            call()


def test_no_loss_is_called_name() -> None:
    assert "name" not in {*index.names(), *index.aliases()}
