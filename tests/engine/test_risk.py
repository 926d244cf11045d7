"""A loss plus a penalty: which losses it takes, how the call is written, and what is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lossctl
import lossctl.losses
from lossctl.errors import DataError, UsageError
from lossctl.model.call import LossCall, parse_calls
from lossctl.model.registry import entries

PRED, TARGET, W = [1.0, 2.0, 3.0], [0.0, 2.0, 5.0], [0.5, -0.5, 2.0]
HALF_SQUARES = 2.25


def test_both_terms_are_shown() -> None:
    (result,) = lossctl.compute("structural-risk", PRED, TARGET, W, lam=0.1, loss="huber:delta=2").results
    risk = lossctl.compute("huber", PRED, TARGET, delta=2).value
    assert result.parts == {"risk": risk, "penalty": 0.1 * HALF_SQUARES}
    assert result.value == risk + 0.1 * HALF_SQUARES
    (total,) = lossctl.compute("structural-risk", PRED, TARGET, W, reduction="sum").results
    assert (total.value, total.parts) == (5.0 + HALF_SQUARES, {"risk": 5.0, "penalty": HALF_SQUARES})


@pytest.mark.parametrize(
    "text",
    [
        "structural-risk",
        "structural-risk:loss=huber:delta=2.0",
        "structural-risk:lam=0.1:loss=huber:delta=2.0:penalty=linf",
        "structural-risk:loss=bce-with-logits:pos_weight=2.0",
        "structural-risk:loss=cross-entropy:label_smoothing=0.1:class_weight=1.0/2.0",
    ],
)
def test_calls_print_and_parse_back(text: str) -> None:
    (call,) = parse_calls(text)
    assert LossCall.parse(call.text()).params == call.params
    assert LossCall.parse(call.signature()).signature() == call.signature()


def test_a_call_may_stand_in_the_option() -> None:
    (call,) = parse_calls("structural-risk", {"loss": "huber:delta=2", "lam": "0.5"})
    assert call.text() == "structural-risk:loss=huber:lam=0.5:delta=2.0"
    assert LossCall.make("structural-risk", {"loss": "huber:delta=2", "lam": 0.5}).signature() == call.signature()
    two = parse_calls("structural-risk:loss=mae,structural-risk:loss=mse", {"lam": "0.5"})
    assert [c.params["lam"] for c in two] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("loss", "why"),
    [
        ("r2", "no mean"),
        ("max-error", "no mean"),
        ("triplet-margin", "anchor"),
        ("gaussian-nll", "var"),
        ("structural-risk", "parameters"),
        ("likelihood", "maximised"),
    ],
)
def test_what_it_cannot_take(loss: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        lossctl.compute("structural-risk", PRED, TARGET, W, loss=loss)
    assert caught.value.code == "bad-parameter"
    assert why in caught.value.message


def test_what_the_loss_refuses_is_refused() -> None:
    for loss, code in (("nope", "unknown-loss"), ("huber:delta=-1", "bad-parameter"), ("", "bad-parameter")):
        with pytest.raises(UsageError) as caught:
            lossctl.compute("structural-risk", PRED, TARGET, W, loss=loss)
        assert caught.value.code == code
    with pytest.raises(DataError) as caught_data:
        lossctl.compute("structural-risk", [0.5, 1.5], [0, 1], W, loss="bce")
    assert caught_data.value.code == "not-a-probability"


def risks() -> list[str]:
    """Losses of rows with a prediction and a target."""
    found = []
    for entry in entries():
        try:
            LossCall.make("structural-risk", {"loss": entry.name})
        except UsageError:
            continue
        found.append(entry.name)
    return found


def test_it_takes_many() -> None:
    assert len(risks()) > 60
    assert {"mse", "mae", "huber", "bce", "bce-with-logits", "cross-entropy", "hinge", "rmse"} <= set(risks())


@pytest.mark.parametrize("loss", ["rmse", "bce-with-logits", "cross-entropy", "hinge", "balanced-sigmoid-ce"])
@pytest.mark.parametrize(("rows", "threads"), [(1, 2), (3, 1), (None, 2)])
def test_it_is_the_loss_plus_the_penalty(loss: str, rows: int | None, threads: int) -> None:
    rng = np.random.default_rng(1)
    pred: Any = rng.normal(size=(9, 3)) if loss == "cross-entropy" else rng.normal(size=9)
    target = rng.integers(0, 2, size=9).astype(float)
    alone = lossctl.compute(loss, pred, target).value
    found = lossctl.compute("structural-risk", pred, target, W, loss=loss, chunk_rows=rows, threads=threads)
    assert found.value == alone + HALF_SQUARES
    np.testing.assert_array_equal(found.per_sample, lossctl.compute(loss, pred, target).per_sample)


def test_groups_and_intervals_have_the_penalty_once() -> None:
    groups = lossctl.compute("structural-risk", PRED, TARGET, W, by=["a", "a", "b"]).results
    values = {r.group["by"]: r.value for r in groups if r.slice == "group" and r.group}
    assert values == {"a": 0.5 + HALF_SQUARES, "b": 4.0 + HALF_SQUARES}
    (result,) = lossctl.compute("structural-risk", PRED, TARGET, W, ci=0.95).results
    assert result.ci is not None
    assert HALF_SQUARES <= result.ci.low <= result.value <= result.ci.high <= 4.0 + HALF_SQUARES


def test_parameters_of_any_shape_and_from_files(tmp_path: Path) -> None:
    expected = lossctl.compute("structural-risk", PRED, TARGET, W).value
    for shape in ((3,), (1, 3), (3, 1), (1, 1, 3), (1, 3, 1, 1)):
        assert lossctl.compute("structural-risk", PRED, TARGET, np.reshape(W, shape)).value == expected
        np.save(tmp_path / "w.npy", np.reshape(W, shape))
        (tmp_path / "t.csv").write_text("pred,target\n1,0\n2,2\n3,5\n")
        found = lossctl.compute("structural-risk", tmp_path / "t.csv", parameters=f"{tmp_path / 'w.npy'}:array")
        assert found.value == expected


def test_missing_parameters_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        lossctl.compute("structural-risk", PRED, TARGET, [1.0, np.nan])
    assert "parameters" in caught.value.message


def test_without_a_file_of_parameters_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("pred,target\n1,0\n")
    with pytest.raises(DataError) as caught:
        lossctl.compute("structural-risk", tmp_path / "t.csv")
    assert "--parameters FILE:COLUMNS" in str(caught.value.hint)


def test_no_normal_interval() -> None:
    with pytest.raises(UsageError) as caught:
        lossctl.compute("structural-risk", PRED, TARGET, W, ci=0.95, ci_method="normal")
    assert "bootstrap" in str(caught.value.hint)
