"""``@FAMILY`` and ``@auto``: every loss that fits the input, and why the others do not."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl
from lossctl import index
from lossctl.cli.main import main
from lossctl.engine.options import Plan
from lossctl.errors import DataError, UsageError
from lossctl.model.call import parse_calls
from lossctl.model.registry import get
from lossctl.report.jsonout import document, schema

NAN = math.nan
REAL = {"pred": [1.0, 2.5, -3.0, 4.25], "target": [1.5, 2.0, -2.0, 4.5]}
EVERY = [f"@{family}" for family in index.families()]


def members(name: str) -> list[str]:
    return index.names() if name == "@auto" else index.families()[name.removeprefix("@")]


def losses(report: Any) -> list[str]:
    return [r.loss for r in report.results if r.slice == "total" and r.column is None and r.of_class is None]


def left_out(report: Any) -> dict[str, str]:
    """The reason for every loss that was left out."""
    found = {}
    for note in report.warnings:
        if note.code == "left-out":
            head, _, reason = note.message.partition(": ")
            for name in head.split(" leaves out ")[1].split(", "):
                found[name] = reason
    return found


# Which losses a set names.


@pytest.mark.parametrize("name", [*EVERY, "@auto"])
def test_a_set_names_every_loss_of_its_family(name):
    calls = parse_calls(name)
    assert [call.name for call in calls] == members(name)
    assert {call.of_set for call in calls} == {name}


@pytest.mark.parametrize("text", ["@regression", "@REGRESSION", " @regression ", "@Regression"])
def test_case_and_underscores_do_not_matter(text):
    assert [call.name for call in parse_calls(text)] == members("@regression")
    assert [call.name for call in parse_calls("@metric_learning")] == members("@metric-learning")


def test_several_sets_and_losses_in_the_order_of_the_call():
    names = [call.name for call in parse_calls("@margin,mse,@regression")]
    assert names == [*members("@margin"), "mse", *(n for n in members("@regression") if n != "mse")]
    twice = [call.name for call in parse_calls("@regression,@margin,@regression,@auto")]
    first = [*members("@regression"), *members("@margin")]
    assert twice == [*first, *(n for n in members("@auto") if n not in first)]


def test_a_loss_named_beside_its_set_is_not_left_out(score, fails):
    """It stands where it was named, once, and must be computed."""
    found = score("@classification,mse", REAL)
    assert losses(found)[-1] == "mse"
    error = fails(3, "target-range", "@regression,bce", REAL)
    assert "bce" in error.message
    assert parse_calls("@regression,mse")[-1].of_set is None
    assert [call.text() for call in parse_calls("@regression,huber:delta=2")][-1] == "huber:delta=2.0"
    assert "huber" in [call.text() for call in parse_calls("@regression,huber:delta=2")]


def test_equal_calls_by_name_are_still_an_error():
    with pytest.raises(UsageError) as caught:
        parse_calls("@regression,mse,mse")
    assert caught.value.code == "equal-calls"


@pytest.mark.parametrize("text", ["@nope", "@", "@@regression", "@mse", "@regressions", "mse,@nope"])
def test_unknown_sets(text):
    with pytest.raises(UsageError) as caught:
        parse_calls(text)
    assert (caught.value.exit, caught.value.code) == (2, "unknown-family")
    assert "@regression" in caught.value.hint
    assert "@auto" in caught.value.hint


@pytest.mark.parametrize("text", ["@regression:delta=2", "@auto:delta=2", "@regression:squared"])
def test_sets_take_parameters_as_options(text):
    with pytest.raises(UsageError) as caught:
        parse_calls(text)
    assert (caught.value.exit, caught.value.code) == (2, "set-parameters")
    assert "--delta" in caught.value.hint


def test_options_go_to_every_loss_that_has_them():
    calls = {call.name: call for call in parse_calls("@regression", {"delta": "2", "quantile": "0.9"})}
    assert calls["huber"].params["delta"] == 2.0
    assert calls["pinball"].params["quantile"] == 0.9
    assert all("delta" not in call.given for name, call in calls.items() if "delta" not in call.entry.spec.params)
    with pytest.raises(UsageError, match="margin"):
        parse_calls("@regression", {"margin": "1"})
    with pytest.raises(UsageError, match="delta"):
        parse_calls("@regression", {"delta": "-1"})


# What is computed, and what is left out.


def test_real_numbers(score):
    found = score("@auto", REAL)
    names, left = losses(found), left_out(found)
    assert {"mse", "mae", "huber", "rmse", "r2", "log-cosh", "pinball", "median-ae"} <= set(names)
    assert names == sorted(names)
    assert sorted([*names, *left]) == index.names()
    assert "group" in left["ndcg-loss"]
    assert "anchor" in left["triplet-margin"]
    assert left["bce"] == "target = 1.5 is not a target in [0, 1] (row 1)"
    for name in names:
        assert found.results[names.index(name)].value == score(name, REAL).results[0].value


def test_every_value_is_that_of_a_call_on_its_own(score, chunk):
    """With weights, slices, missing values, samples: leaving others out leaves no trace."""
    table = {
        "pred": [0.5, 0.25, NAN, 1.0, 0.75, 3.0],
        "target": [1.0, 0.0, 1.0, 0.0, 1.0, 0.0],
        "w": [1.0, 2.0, 0.0, 1.0, 0.5, 1.0],
        "g": list("aabbaa"),
    }
    given = {"weight": "w", "by": ("g",), "nan": "skip", "stats": True, "chunk_rows": chunk}
    found = score("@auto", table, rows=-1, **given)
    assert found.dropped == {"nan": 1}
    assert (found.read, found.scored) == (6, 5)
    for name in losses(found):
        alone = score(name, table, rows=0, **given)
        mine = [r for r in found.results if r.loss == name]
        assert [repr((*r[4:9], r.stats, r.dropped)) for r in mine] == [
            repr((*r[4:9], r.stats, r.dropped)) for r in alone.results
        ]
        if name in found.samples.labels:
            column = found.samples.labels.index(name)
            each = score(name, table, rows=-1, **given).samples
            assert [s.values[column] for s in found.samples] == [s.values[0] for s in each]


def test_text_labels(score, csv):
    path = csv("y_pred,y_true", "cat,cat", "dog,cat", "cat,dog")
    found = score("@auto", path)
    assert losses(found) == [n for n in losses(found) if n not in left_out(found)]
    assert {r.loss: r.value for r in found.results}["zero-one"] == 2 / 3
    assert left_out(found)["mse"] == "'cat' is not a number (row 1)"
    assert "mse" not in losses(found)


@pytest.mark.parametrize("form", ["parquet", "arrays"])
def test_text_where_the_schema_says_so(tmp_path, score, form):
    """A reader refuses words as numbers for the whole file: losses that want numbers must not let it come to that."""
    table: Any = {"y_pred": ["cat", "dog", "cat"], "y_true": ["cat", "cat", "dog"]}
    if form == "parquet":
        pq.write_table(pa.table(table), tmp_path / "labels.parquet")
        table = tmp_path / "labels.parquet"
    else:
        table = {"pred": table["y_pred"], "target": table["y_true"]}
    found = score("@auto", table)
    assert {r.loss: r.value for r in found.results}["zero-one"] == 2 / 3
    assert "must be numbers" in left_out(found)["mse"]


def test_class_probabilities(score, csv):
    path = csv("prob_cat,prob_dog,prob_eel,y", "0.25,0.5,0.25,dog", "0.5,0.25,0.25,eel")
    found = score("@classification", path)
    assert {"cross-entropy", "likelihood", "zero-one"} <= set(losses(found))
    assert "says probs" in left_out(found)["bce-with-logits"]
    assert list(found.inputs[0].classes) == ["cat", "dog", "eel"]


def test_rankings(score):
    table = {"score": [0.5, 0.25, 0.75, 1.0], "relevance": [1, 0, 2, 1], "qid": ["a", "a", "b", "b"]}
    found = score("@auto", table)
    assert "ndcg-loss" in losses(found)
    assert "mse" in left_out(found)
    assert found.samples.per == "group"
    assert "mixed-units" not in {note.code for note in found.warnings}


def test_rankings_and_rows_together(score, chunk):
    """Both fit: no table of samples, said so; counts are those of the rows."""
    table = {**REAL, "pred": [0.5, 0.25, 1.0, 0.75], "target": [1.0, 0.0, 1.0, 0.0], "group": list("aabb")}
    found = score("@auto", table, chunk_rows=chunk)
    assert {"ndcg-loss", "mse", "bce"} <= set(losses(found))
    assert found.samples is None
    assert "mixed-units" in {note.code for note in found.warnings}
    assert (found.read, found.scored, found.dropped) == (4, 4, {})


def test_scattered_lists_in_a_set(score, chunk):
    table = {"pred": [0.5, 0.25, 1.0, 0.75], "target": [1.0, 0.0, 1.0, 0.0], "group": list("abab")}
    found = {r.loss: r.value for r in score("@auto", table, chunk_rows=chunk).results}
    for name in ("ndcg-loss", "mse", "bce"):
        assert found[name] == score(name, table).results[0].value


# Errors that are found late.


ROWS = 100_000


@pytest.fixture(scope="module")
def late(tmp_path_factory) -> Any:
    """Files whose last row is the one that does not fit some losses."""
    folder = tmp_path_factory.mktemp("late")
    rng = np.random.default_rng(0)
    pred, target = rng.uniform(size=ROWS).round(3), rng.integers(0, 2, ROWS)
    lines = [f"{p},{t}\n" for p, t in zip(pred, target, strict=True)]
    for name, last in (("range", "1.5,1\n"), ("missing", ",1\n"), ("word", "0.5,cat\n"), ("label", "0.5,2\n")):
        (folder / f"{name}.csv").write_text("y_pred,y_true\n" + "".join(lines[:-1]) + last)
    return folder


def test_a_late_value_out_of_the_domain_leaves_a_loss_out_and_nothing_else(late, score):
    path = late / "range.csv"
    found = score("@auto", path, rows=-1)
    assert left_out(found)["bce"] == "pred = 1.5 is not a probability in [0, 1] (row 100,000)"
    assert {"mse", "hinge", "bce-with-logits"} <= set(losses(found))
    assert (found.read, found.scored, found.dropped) == (ROWS, ROWS, {})
    assert len(found.samples) == ROWS
    assert "bce" not in found.samples.labels
    for name in ("mse", "bce-with-logits", "balanced-sigmoid-ce"):
        assert next(r.value for r in found.results if r.loss == name) == score(name, path).results[0].value
    *_, last = found.samples
    assert last.row == ROWS
    assert last.values[found.samples.labels.index("mse")] == 0.25
    found.samples.close()


def test_a_late_label(late, score):
    found = score("@auto", late / "label.csv", by=("y_true",))
    assert all("row 100,000" in left_out(found)[name] for name in ("bce", "likelihood", "bce-with-logits"))
    assert [r.group["y_true"] for r in found.results if r.group] == ["0", "1", "2"] * len(losses(found))
    assert sum(r.n for r in found.results if r.loss == losses(found)[0] and r.group) == ROWS


def test_a_missing_value_is_an_error_for_all(late, score, fails):
    """It is --nan that settles it: a set must not pick the losses that can do without."""
    error = fails(3, "nan", "@auto", late / "missing.csv")
    assert (error.row, error.column) == (ROWS, "y_pred")
    found = score("@auto", late / "missing.csv", nan="skip")
    assert found.dropped == {"nan": 1}
    assert {r.n for r in found.results} == {ROWS - 1}
    through = score("@regression", late / "missing.csv", nan="propagate")
    assert all(math.isnan(r.value) for r in through.results if r.loss in {"mse", "mae", "rmse", "r2"})


def test_a_late_word_is_told_with_its_place(late, fails):
    error = fails(3, "nothing-fits", "@regression", late / "word.csv")
    assert "'cat' is not a number (row 100,000)" in " ".join(error.details)


def test_errors_of_weights_and_masks_are_errors_for_all(fails):
    fails(3, "bad-weight", "@auto", {**REAL, "w": [1.0, -1.0, 1.0, 1.0]}, weight="w")
    fails(3, "bad-mask", "@auto", {**REAL, "m": [1.0, 2.0, 1.0, 1.0]}, mask="m")
    fails(3, "column-not-found", "@auto", REAL, by=("nowhere",))
    fails(3, "lengths-differ", "@regression", {"pred": [1.0, 2.0], "target": [1.0]})


def test_more_than_memory_allows_leaves_a_loss_out(score):
    table = {"pred": np.arange(3000.0), "target": np.zeros(3000)}
    found = score("@regression", table, memory=20_000)
    assert "--memory" in left_out(found)["median-ae"]
    assert "mse" in losses(found)


# Options that not every loss can follow.


def test_reductions(score):
    found = score("@regression", REAL, reduction="sum")
    assert {r.reduction for r in found.results} == {"sum"}
    assert left_out(found)["rmse"] == "rmse has no reduction sum"
    assert "mse" in losses(found)


def test_conventions(score):
    found = score("@regression", REAL, like="optax")
    assert {r.like for r in found.results} == {"optax"}
    for name, reason in left_out(found).items():
        assert ("no convention of optax" in reason) == ("optax" not in get(name).spec.like)
    assert [r.value for r in found.results] == [
        score(name, REAL, like="optax").results[0].value for name in losses(found)
    ]


def test_parameters_that_only_some_losses_take():
    """One word may have a narrower range elsewhere: that loss is left out; what none takes is an error."""
    pred, target = [0.5, 0.25, 0.75], [1.0, 0.0, 1.0]
    found = lossctl.compute("@auto", pred, target, beta=2.0)
    assert {r.loss: r for r in found.results}["smooth-l1"].params["beta"] == 2.0
    assert left_out(found.report)["balanced-sigmoid-ce"].startswith("beta = 2.0 is not allowed")
    with pytest.raises(UsageError, match="beta = -1"):
        lossctl.compute("@regression", pred, target, beta=-1.0)
    with pytest.raises(UsageError, match="beta = 2"):
        lossctl.compute("@regression,balanced-sigmoid-ce", pred, target, beta=2.0)
    calls = {call.name: call for call in parse_calls("@auto", {"beta": "2"})}
    assert calls["smooth-l1"].params["beta"] == 2.0
    assert "beta" in calls["balanced-sigmoid-ce"].refused.message


def test_idle_parameters():
    """A parameter that does not act in a loss would be an error there: the loss is left out."""
    found = lossctl.compute("@classification", [0.5, 0.25, 0.75], [1.0, 0.0, 1.0], clip="keras")
    assert {r.loss: r for r in found.results}["bce"].params["clip"] == "keras"
    assert "clip acts only with" in left_out(found.report)["bce-with-logits"]


def test_columns_and_classes(score):
    wide = {"pred": [[1.0, 2.0], [3.0, 5.0]], "target": [[0.0, 0.0], [0.0, 0.0]]}
    found = score("@regression", wide, per_column=True)
    assert {r.column for r in found.results if r.loss == "mse"} == {None, "0", "1"}
    assert "--per-column" in left_out(found)["l2-norm"]
    labels = {"pred": [0.5, 0.25, 0.75], "target": [1.0, 0.0, 1.0]}
    found = score("@auto", labels, per_class=True)
    assert {r.of_class for r in found.results if r.loss == "bce"} == {None, "0", "1"}
    assert "--per-class" in left_out(found)["mse"]


def test_intervals(score):
    found = score("@regression", REAL, ci=Plan(resamples=20))
    assert "no interval" in left_out(found)["max-error"]
    assert all(r.ci is not None for r in found.results)


def test_samples_of_two_kinds_asked_for_by_name(fails):
    table = {"pred": [0.5, 0.25], "target": [1.0, 0.0], "group": ["a", "a"]}
    fails(2, "mixed-units", "@auto", table, worst=1)


# Nothing fits.


def test_nothing_fits(fails):
    error = fails(3, "nothing-fits", "@ranking", REAL)
    assert "@ranking" in error.message
    assert error.details
    assert "group" in error.details[0]


def test_nothing_fits_after_the_data_were_read(fails):
    error = fails(3, "nothing-fits", "@margin", REAL)
    assert all("row" in line for line in error.details[:1])


def test_nothing_fits_an_option(fails):
    fails(3, "nothing-fits", "@ranking", {**REAL, "group": list("aabb")}, reduction="prod")
    fails(3, "nothing-fits", "@ranking", {**REAL, "group": list("aabb")}, like="keras")


# The command and the Python door.


@pytest.fixture
def command(tmp_path, monkeypatch, capsys) -> Any:
    (tmp_path / "preds.csv").write_text(
        "y_pred,y_true\n" + "".join(f"{p},{t}\n" for p, t in zip(REAL["pred"], REAL["target"], strict=True))
    )
    (tmp_path / "words.csv").write_text("y_prob,y\n0.5,good\n0.25,bad\n0.75,good\n")
    monkeypatch.chdir(tmp_path)

    def go(line: str) -> tuple[int, str, str]:
        status = main(["compute", *line.split()])
        found = capsys.readouterr()
        return status, found.out, found.err

    return go


def test_the_command(command):
    status, out, err = command("@regression preds.csv --delta 2 -f json")
    assert status == 0
    found = json.loads(out, parse_constant=lambda token: pytest.fail(token))
    jsonschema.Draft202012Validator(schema("lossctl.compute/1")).validate(found)
    assert next(r for r in found["results"] if r["loss"] == "huber")["params"] == {"delta": 2.0}
    for warning in found["warnings"]:
        assert warning["message"] in err
    status, out, _ = command("@auto preds.csv -f value -q")
    assert status == 0
    assert len(out.split()) == len(losses(lossctl.compute("@auto", "preds.csv").report))


def test_warnings_in_json(command):
    _, out, _ = command("@auto preds.csv -f json -q")
    codes = {w["code"] for w in json.loads(out)["warnings"]}
    assert codes == {"left-out"}
    messages = [w["message"] for w in json.loads(out)["warnings"]]
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("@nope preds.csv", 2, "@regression"),
        ("mse,@nope preds.csv", 2, "@regression"),
        ("@regression:delta=2 preds.csv", 2, "--delta 2"),
        ("@ranking preds.csv", 3, "group"),
        ("@regression preds.csv --margin 1", 2, "--margin"),
        ("@regression preds.csv --delta -1", 2, "delta"),
    ],
)
def test_errors_of_the_command(command, line, status, words):
    found, out, err = command(line)
    assert (found, out) == (status, "")
    assert words in err


@pytest.mark.parametrize(
    ("bound", "status"),
    [("--fail-above mse=1000", 0), ("--fail-above mse=0", 1), ("--fail-below r2=2", 1), ("--fail-below r2=-9", 0)],
)
def test_bounds_name_a_loss(command, bound, status):
    found, out, err = command(f"@regression preds.csv {bound}")
    assert found == status
    assert out
    assert ("FAIL" in err) == (status == 1)


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("@regression preds.csv --fail-above 3", 2, "LOSS=X"),
        ("@regression preds.csv --fail-above mze=3", 2, "mze"),
        ("mse preds.csv --fail-above mae=3", 2, "mae"),
        ("mse,mae preds.csv --fail-above huber=3", 2, "mse, mae"),
        ("@auto preds.csv --fail-above bce=3", 3, "not a target in [0, 1]"),
        ("@auto preds.csv --fail-above ndcg-loss=3", 3, "group"),
    ],
)
def test_a_bound_that_holds_nothing_is_no_success(command, line, status, words):
    """Neither for a name that is not in the call, found before anything is read, nor for a loss left out."""
    found, out, err = command(line)
    assert (found, out) == (status, "")
    assert words in err


def test_positive_is_a_label_unless_it_names_a_column(command, tmp_path):
    """A set holds losses with an input of that name and losses with such a label."""
    status, out, _ = command("@classification,@metric-learning words.csv --positive good -f json")
    assert status == 0
    found = {r["loss"]: r["value"] for r in json.loads(out)["results"]}
    _, alone, _ = command("bce words.csv --positive good -f value")
    assert found["bce"] == float(alone)
    (tmp_path / "triplets.csv").write_text("anchor,good,negative\n1,2,3\n2,2,5\n")
    status, out, _ = command("@auto triplets.csv --positive good -f json")
    assert "triplet-margin" in {r["loss"] for r in json.loads(out)["results"]}
    _, one, _ = command("triplet-margin triplets.csv --positive good -f value")
    assert {r["loss"]: r["value"] for r in json.loads(out)["results"]}["triplet-margin"] == float(one)


def test_help_of_a_set(command):
    status, out, _ = command("@auto --help")
    assert status == 0
    assert "Parameters of @auto:" in out
    assert "[default: each loss's own]" in " ".join(out.split())
    status, out, _ = command("@regression --help")
    assert "--delta" in out
    assert "--margin" not in out


@pytest.mark.parametrize("name", ["@regression", "@auto", "@classification", "mse,@margin"])
def test_arrays(name):
    """Two arrays are what most losses of a set take for them: predictions and targets."""
    pred, target = [0.5, 0.25, 0.75], [1.0, 0.0, 0.0]
    found = lossctl.compute(name, pred, target)
    assert losses(found.report)
    for result in found.results:
        assert result.value == lossctl.compute(result.loss, pred, target).value


def test_arrays_with_parameters_and_roles():
    found = lossctl.compute("@regression", REAL["pred"], REAL["target"], delta=2.0, quantile=0.25)
    assert {r.loss: r for r in found.results}["huber"].params == {"delta": 2.0}
    assert "max-error" in losses(found.report)
    labels = lossctl.compute("@auto", [0.5, 0.25, 0.75], ["good", "bad", "good"], positive="good")
    assert {r.loss: r.value for r in labels.results}["bce"] == lossctl.compute(
        "bce", [0.5, 0.25, 0.75], [1, 0, 1]
    ).value
    with pytest.raises(UsageError) as caught:
        lossctl.compute("@ranking", REAL["pred"], REAL["target"])
    assert caught.value.code == "file-count"
    with pytest.raises(DataError):
        lossctl.compute("mse", REAL["pred"], REAL["target"], pred="elsewhere")


def test_a_set_with_options_is_still_a_set():
    """Options in Python rebuild the calls, and they stay members of their set."""
    found = lossctl.compute("@margin,@regression", REAL["pred"], REAL["target"], delta=2.0)
    assert "hinge" in left_out(found.report)


def test_notes_stand_once(score, csv):
    path = csv("prob_a,prob_b,y", "0.5,0.5,x", "0.25,0.75,z")
    found = score("@classification", path, classes=("x", "z"))
    messages = [note.message for note in found.warnings]
    assert len(messages) == len(set(messages))
    assert "classes-renamed" in {note.code for note in found.warnings}


def test_inputs_show_the_columns_of_what_was_computed(score):
    """Not those of losses that were left out when the data were read."""
    table = {"y_prob": [0.5, 2.0], "y_pred": [1.0, 0.0], "y_true": [1.0, 0.0]}
    found = score("@auto", table)
    assert "bce" in left_out(found)
    assert found.inputs[0].columns["pred"] == ["y_pred"]


def test_bytes_are_the_same_on_every_run(score, chunk):
    texts = {"".join(document(score("@auto", REAL, chunk_rows=rows))) for rows in (chunk, None)}
    assert len(texts) == 1


def test_a_pipe_is_read_again_where_a_loss_is_left_out(lossctl):
    done = lossctl("compute", "@auto", "-", "-f", "json", "-q", input="y_pred,y_true\n0.5,1\n1.5,0\n")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == {"read": 2, "scored": 2, "dropped": {}}
