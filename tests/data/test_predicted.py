"""Columns that tools name after the label, after the class, or by a path: what is found, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import lossctl
from lossctl.data.arrays.memory import MemorySource
from lossctl.data.roles.bind import bind
from lossctl.data.roles.binding import Request
from lossctl.data.roles.columns import implied_form, key_columns
from lossctl.errors import DataError
from lossctl.model.call import LossCall

NUMBERS = [0.5, 0.25]


def source(*names, **columns):
    return MemorySource({**dict.fromkeys(names, NUMBERS), **columns}, name="table")


def found(loss, *sources, **roles):
    """Role -> its column, or columns."""
    refs = bind([LossCall.parse(loss)], list(sources), Request(roles=roles), {}).calls[0].refs
    return {role: ref.columns if len(ref.columns) > 1 else ref.columns[0] for role, ref in refs.items()}


def refused(code, loss, *sources, **roles):
    with pytest.raises(DataError) as caught:
        found(loss, *sources, **roles)
    assert caught.value.code == code, caught.value
    return caught.value


SCORES = np.array([[0.5, 0.5], [0.25, 0.75]])


# predicted_<label>.


def test_a_label_and_its_prediction():
    assert found("mse", source("x", "predicted_fare", "fare")) == {"pred": "predicted_fare", "target": "fare"}
    assert found("mse", source("PredictedFare", "Fare")) == {"pred": "PredictedFare", "target": "Fare"}
    assert found("mse", source("predicted_y", "y")) == {"pred": "predicted_y", "target": "y"}


def test_ranked_names_go_first():
    assert found("mse", source("predicted_fare", "fare", "y_pred", "y_true")) == {"pred": "y_pred", "target": "y_true"}
    assert found("mse", source("predicted_label", "label", "age")) == {"pred": "predicted_label", "target": "label"}
    assert found("mse", source("predicted", "label"))["pred"] == "predicted"


def test_a_prediction_of_something_else():
    """Beside a column that is the target by its name, only that one's prediction counts."""
    refused("column-not-found", "mse", source("predicted_fare", "fare", "y_true"))
    table = source("predicted_fare", "fare", "predicted_label", "label")
    assert found("mse", table) == {"pred": "predicted_label", "target": "label"}


def test_two_predicted_labels():
    table = source("predicted_a", "a", "predicted_b", "b")
    error = refused("ambiguous-column", "mse", table)
    assert "predicted_a and predicted_b" in error.message
    assert found("mse", table, pred="predicted_b") == {"pred": "predicted_b", "target": "b"}
    assert found("mse", table, target="a") == {"pred": "predicted_a", "target": "a"}
    refused("column-not-found", "mse", table, target="predicted_a,b")


def test_a_prediction_without_its_label():
    refused("column-not-found", "mse", source("predicted_fare", "cost"))


def test_class_scores_of_a_label():
    table = source(predicted_kind=["a", "b"], predicted_kind_probs=SCORES, kind=[0, 1], x=NUMBERS)
    assert found("cross-entropy", table) == {"pred": "predicted_kind_probs", "target": "kind"}
    assert found("likelihood", table)["pred"] == "predicted_kind_probs"
    assert found("zero-one", table)["pred"] == "predicted_kind"
    alone = source(predicted_kind_probs=SCORES, kind=[0, 1])
    assert found("zero-one", alone) == {"pred": "predicted_kind_probs", "target": "kind"}
    call = bind([LossCall.parse("cross-entropy")], [table], Request(), {}).calls[0].call
    assert call.params["input"] == "probs"
    two = source(predicted_a_probs=SCORES, a=[0, 1], predicted_b_probs=SCORES, b=[1, 0])
    assert "predicted_a_probs and predicted_b_probs" in refused("ambiguous-column", "cross-entropy", two).message
    assert found("cross-entropy", two, target="b")["pred"] == "predicted_b_probs"


def test_class_scores_and_labels_in_two_files():
    pred = MemorySource({"id": [1, 2], "predicted_kind": ["a", "b"], "predicted_kind_probs": SCORES})
    assert found("cross-entropy", pred, source(label=[0, 1]))["pred"] == "predicted_kind_probs"


# Names of other tools.


def test_raw_prediction_comes_last_and_says_nothing():
    table = source(rawPrediction=SCORES, probability=SCORES, prediction=[0.0, 1.0], label=[0.0, 1.0])
    assert found("cross-entropy", table)["pred"] == "probability"
    table = source(rawPrediction=SCORES, prediction=[0.0, 1.0], label=[0.0, 1.0])
    assert found("cross-entropy", table)["pred"] == "rawPrediction"
    assert found("zero-one", table)["pred"] == "prediction"
    assert implied_form("rawPrediction") is None


def test_raw_formula_values():
    assert found("mse", source("SampleId", "RawFormulaVal", "Label")) == {"pred": "RawFormulaVal", "target": "Label"}
    assert found("bce", source("RawFormulaVal", "Label"))["pred"] == "RawFormulaVal"
    assert found("bce", source("RawFormulaVal", "Probability", "Label"))["pred"] == "Probability"
    assert found("bce", source("RawFormulaVal", "logit", "Label"))["pred"] == "logit"
    assert found("mse", source("RawFormulaVal", "pred", "Label"))["pred"] == "pred"


def test_a_class_is_predicted_only_beside_a_sample_id():
    """Elsewhere it may as well be the truth."""
    assert found("zero-one", source("SampleId", "Class", "Label"))["pred"] == "Class"
    refused("column-not-found", "zero-one", source("Class", "Label"))
    assert found("zero-one", source("SampleId", "Class", "pred", "Label"))["pred"] == "pred"


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Probability:Class=a", "probs"),
        ("RawFormulaVal:Class=0", "logits"),
        ("LogProbability:Class=0", "log-probs"),
        ("RawFormulaVal", "logits"),
        ("LogProbability", "log-probs"),
        ("predicted_kind_probs", "probs"),
        ("model.prob", "probs"),
        ("out.logits", "logits"),
        ("logits.0", "logits"),
        ("out.0.probs.12", "probs"),
        ("out.logit_a", "logits"),
        ("prob.value", None),
        ("prob.x.y", None),
        (".pred_a", None),
        (".pred", None),
        ("0.5", None),
        ("logits.", None),
    ],
)
def test_what_a_name_says(name, form):
    assert implied_form(name) == form


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["PassengerId", "Survived"], ["PassengerId"]),
        (["imageID", "x"], ["imageID"]),
        (["Image_Id", "x"], ["Image_Id"]),
        (["cust_id", "x"], ["cust_id"]),
        (["PassengerId", "id"], ["id"]),
        (["PassengerId", "cust_id"], []),
        (["paid", "Valid", "ID3", "x"], []),
        (["RowId"], ["RowId"]),
    ],
)
def test_keys(names, keys):
    assert key_columns(source(*names)) == keys


# Two files.


def test_the_target_under_the_name_of_the_prediction():
    """A solution file holds more columns than a submission."""
    solution = source("PassengerId", "Survived", "Usage")
    assert found("mse", source("PassengerId", "Survived"), solution) == {"pred": "Survived", "target": "Survived"}
    refused("column-not-found", "mse", source("PassengerId", "Survived"), source("PassengerId", "Lived", "Usage"))


@pytest.mark.parametrize("name", ["y_pred", "prob", "score", "prob_a", "RawFormulaVal", "predicted_x"])
def test_predictions_are_no_targets(name):
    """Nobody is to compare predictions with themselves."""
    refused("column-not-found", "mse", source(name), source(name, "other"))


def test_numbers_without_names(tmp_path):
    (tmp_path / "p.txt").write_text("0.5 0.25 0.25\n0.25 0.5 0.25\n")
    (tmp_path / "two.txt").write_text("0.5 0.5\n0.25 0.75\n")
    (tmp_path / "y.txt").write_text("0\n1\n")
    p, two, y = (str(tmp_path / name) for name in ("p.txt", "two.txt", "y.txt"))
    assert lossctl.compute("cross-entropy", p, y, input="probs").value == pytest.approx(math.log(2), rel=1e-15)
    assert lossctl.compute("mse", p, p).value == 0.0
    # Two columns may be a number and its prediction: nothing is taken by its place.
    with pytest.raises(DataError) as caught:
        lossctl.compute("cross-entropy", two, y)
    assert caught.value.hint == "say which: --pred 1, or --pred '*' for all columns"
    found = lossctl.compute("cross-entropy", two, y, input="probs", pred="*")
    assert found.value == pytest.approx((math.log(2) - math.log(0.75)) / 2, rel=1e-15)
    with pytest.raises(DataError) as caught:
        lossctl.compute("mse", two)
    assert caught.value.code == "column-not-found"
    assert lossctl.compute("mse", two, pred="1", target="2").value == 0.125
    with pytest.raises(DataError):
        lossctl.compute("bce", p, y)
    with pytest.raises(DataError) as caught:  # a number is no name that both files have
        lossctl.compute("mse", y, two, no_header=True, input_format="csv", delimiter=" ")
    assert caught.value.code == "column-not-found"


# Paths.


@pytest.fixture
def lines(tmp_path):
    rows = [
        {"key": f"00{i}", "model": {"prob": p, "lang": "de" if i % 2 else "en"}, "gold": {"y": i % 2}, "w": i}
        for i, p in enumerate([0.25, 0.75, 0.5, 0.5])
    ]
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_paths_everywhere(lossctl, lines):
    call = ["bce", "--pred", "model.prob", "--target", "gold.y", "--by", "model.lang", "--key", "key", "-w", "w"]
    done = lossctl("compute", *call, lines, "-f", "json", "--rows", "all")
    report = json.loads(done.stdout)
    assert report["results"][0]["params"]["input"] == "probs"
    assert [r["group"] for r in report["results"][:3]] == [None, {"model.lang": "de"}, {"model.lang": "en"}]
    losses = [-math.log(p) for p in (0.75, 0.75, 0.5, 0.5)]
    assert report["results"][0]["value"] == pytest.approx((losses[1] + 2 * losses[2] + 3 * losses[3]) / 6, rel=1e-15)
    assert [sample["key"] for sample in report["samples"]] == ["000", "001", "002", "003"]


def test_from_standard_input(lossctl, lines):
    call = ["mae", "-", "--pred", "model.prob", "--target", "gold.y", "-f", "value"]
    assert lossctl("compute", *call, input=lines.read_text()).stdout == "0.375\n"
    assert lossctl("compute", *call, "--input-format", "jsonl", input=lines.read_text()).stdout == "0.375\n"


def test_a_path_that_is_not_there(lossctl, lines):
    done = lossctl("compute", "mae", lines, "--pred", "model.probs", "--target", "gold.y")
    assert done.returncode == 3
    assert 'there is no column "model.probs" for pred' in done.stderr
    assert "use --pred model.prob" in done.stderr
    for option in (["-w", "gold.z"], ["--by", "gold.z"], ["--key", "gold.z"], ["--mask", "gold.z"]):
        done = lossctl("compute", "mae", lines, "--pred", "model.prob", "--target", "gold.y", *option)
        assert (done.returncode, "gold.z" in done.stderr) == (3, True)


def test_a_path_that_only_a_later_row_shows(lossctl, tmp_path):
    rows = [{"y_pred": 1, "y_true": 2}] * 150 + [{"y_pred": 1, "y_true": 2, "extra": {"w": 2}}]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = lossctl("compute", "mse", "x.jsonl", "--pred", "extra.w", "--nan", "skip", "-f", "json")
    report = json.loads(done.stdout)
    assert report["rows"] == {"read": 151, "scored": 1, "dropped": {"nan": 150}}
    assert report["results"][0]["value"] == 0.0
    done = lossctl("compute", "mse", "x.jsonl", "-w", "extra.w")
    assert (done.returncode, "row 1" in done.stderr, "extra.w" in done.stderr) == (3, True, True)


def test_messages_do_not_depend_on_the_chunk_size(lossctl, tmp_path):
    rows = [{"y_pred": 1, "y_true": 2}] * 5 + [{"y_pred": "x", "y_true": 2}]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "y.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows[:5] * 40, {}]) + "{")
    for file in ("x.jsonl", "y.jsonl"):
        said = {lossctl("compute", "mse", file, "--chunk-rows", n).stderr for n in (1, 2, 1000)}
        assert len(said) == 1, said
        assert "row " in said.pop()


@pytest.mark.parametrize("labels", [(True, False), (0, 1), (10, 9), ("b", "a")], ids=str)
@pytest.mark.parametrize("format", ["jsonl", "jsonl as text", "parquet", "arrow"])
def test_labels_of_any_type(tmp_path, labels, format):
    """The classes of labelled scores and the labels are of one type, whichever it is."""
    one, other = labels
    rows = [
        {"y": one, "predicted_y_probs": [{"label": one, "prob": 0.75}, {"label": other, "prob": 0.25}]},
        {"y": one, "predicted_y_probs": [{"label": other, "prob": 0.375}, {"label": one, "prob": 0.625}]},
        {"y": other, "predicted_y_probs": [{"label": one, "prob": 0.875}, {"label": other, "prob": 0.125}]},
    ]
    path = tmp_path / f"x.{format.split()[0]}"
    if format.startswith("jsonl"):
        keep = None if format == "jsonl" else (lambda x: str(x) if type(x) is int else x)
        path.write_text("".join(json.dumps(mapped(row, keep)) + "\n" for row in rows))
    elif format == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        feather.write_feather(pa.Table.from_pylist(rows), path)
    expected = -(math.log(0.75) + math.log(0.625) + math.log(0.125)) / 3
    assert lossctl.compute("cross-entropy", path).value == pytest.approx(expected, rel=1e-15)
    assert lossctl.compute("zero-one", path).value == 1 / 3


def mapped(value, change):
    if change is None:
        return value
    if isinstance(value, dict):
        return {key: mapped(item, change) for key, item in value.items()}
    return [mapped(item, change) for item in value] if isinstance(value, list) else change(value)
