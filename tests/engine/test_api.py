"""The Python door: ``lossctl.compute`` over arrays and over files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import lossctl
from lossctl import losses
from lossctl.errors import DataError, UsageError

PRED, TARGET = [1.0, 2.0, 4.0], [0.0, 0.0, 0.0]


def test_one_number():
    found = lossctl.compute("mse", PRED, TARGET)
    assert (found.value, found.n) == (7.0, 3)
    assert found.signature == f"mse|red:mean|w:none|nan:error|n:3|v:{lossctl.__version__}"
    assert found.per_sample.tolist() == [1.0, 4.0, 16.0]
    assert [(r.loss, r.value) for r in found.results] == [("mse", 7.0)]
    assert found.warnings == []
    assert "mse mean" in repr(found)


def test_parameters_and_options():
    assert lossctl.compute("huber", PRED, TARGET, delta=2.0).value == (0.5 + 2 + 6) / 3
    assert lossctl.compute("huber:delta=2", PRED, TARGET).value == (0.5 + 2 + 6) / 3
    assert lossctl.compute("huber:delta=2", PRED, TARGET, delta=1.0).value == (0.5 + 2 + 6) / 3
    assert lossctl.compute("mse", PRED, TARGET, reduction="sum").value == 21.0
    assert lossctl.compute("mse", PRED, TARGET, memory="1G").value == 7.0
    assert [s.row for s in lossctl.compute("mse", PRED, TARGET, rows="all").report.samples] == [1, 2, 3]
    assert [s.row for s in lossctl.compute("mse", PRED, TARGET, worst=1).report.samples] == [3]


def test_several_losses():
    found = lossctl.compute("mse,huber", PRED, TARGET, delta=2.0)
    assert [r.value for r in found.results] == [7.0, (0.5 + 2 + 6) / 3]
    assert found.per_sample.tolist() == [[1.0, 0.5], [4.0, 2.0], [16.0, 6.0]]
    with pytest.raises(UsageError) as caught:
        _ = found.value
    assert caught.value.code == "several-losses"


def test_unknown_words():
    for wrong in ({"dleta": 1.0}, {"delta": 1.0}):
        with pytest.raises(UsageError, match=next(iter(wrong))) as caught:
            lossctl.compute("mse", PRED, TARGET, **wrong)
        assert (caught.value.exit, caught.value.code) == (2, "unknown-parameter")
    with pytest.raises(UsageError):
        lossctl.compute("msee", PRED, TARGET)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nan": "drop"},
        {"nan": None},
        {"empty": "0"},
        {"row": "max"},
        {"weight_norm": "N"},
        {"like": "pytorch"},
        {"reduction": "average"},
        {"chunk_rows": 0},
        {"chunk_rows": -1},
        {"limit": 0},
        {"limit": -3},
        {"rows": "most"},
        {"rows": -5},
        {"worst": 0},
        {"memory": "plenty"},
        {"memory": -1},
    ],
)
def test_bad_options_are_refused(wrong):
    """As the command line refuses them: a wrong word never means the default, or something else."""
    with pytest.raises(UsageError) as caught:
        lossctl.compute("mse", PRED, TARGET, **wrong)
    assert caught.value.exit == 2


def test_an_option_of_none_was_not_given():
    options = dict.fromkeys(("weight", "mask", "key", "by", "classes", "positive", "reduction", "limit", "like"))
    assert lossctl.compute("mse", PRED, TARGET, **options).value == 7.0


# Arrays beside arrays.


def test_weights_masks_and_slices_as_arrays():
    found = lossctl.compute("mse", PRED, TARGET, weight=[1.0, 0.0, 3.0])
    assert (found.value, found.results[0].weight_sum) == (49 / 4, 4.0)
    assert found.signature.split("|")[2] == "w:weight"
    assert lossctl.compute("mse", PRED, TARGET, mask=[True, True, False]).value == 2.5
    sliced = lossctl.compute("mse", PRED, TARGET, by=np.array(["a", "b", "a"]))
    assert [(r.group and r.group["by"], r.value) for r in sliced.results] == [
        (None, 7.0), ("a", 8.5), ("b", 4.0), (None, 6.25), ("a", 8.5),
    ]  # fmt: skip
    assert [r.slice for r in sliced.results] == ["total", "group", "group", "macro", "worst"]
    assert [r.value for r in lossctl.compute("mse", PRED, TARGET, by=pd.Series(["a", "b", "a"])).results[:3]] == [
        7,
        8.5,
        4,
    ]


@pytest.mark.parametrize("name", ["weight", "mask", "by"])
def test_rows_beside_arrays_of_the_engine(name):
    """Per-sample values need a second look at the arrays, the engine's included."""
    found = lossctl.compute("mse", PRED, TARGET, **{name: np.array([1, 0, 1])})
    expected = [1.0, math.nan if name == "mask" else 4.0, 16.0]
    assert np.array_equal(found.per_sample, expected, equal_nan=True)


def test_arrays_of_another_length():
    for given in ({"weight": [1.0]}, {"by": ["a", "b"]}, {"mask": [1, 1, 1, 1]}):
        with pytest.raises(DataError) as caught:
            lossctl.compute("mse", PRED, TARGET, **given)
        assert (caught.value.exit, caught.value.code) == (3, "lengths-differ")


def test_roles_in_the_order_of_the_loss():
    with pytest.raises(UsageError, match="anchor, positive, negative") as caught:
        lossctl.compute("triplet-margin", [[0.0]], [[1.0]])
    assert caught.value.code == "file-count"
    assert lossctl.compute("triplet-margin", [[0.0]], [[1.0]], [[3.0]]).value == pytest.approx(0.0)


def test_losses_of_different_roles_cannot_share_arrays():
    with pytest.raises((UsageError, DataError)) as caught:
        lossctl.compute("mse,ndcg-loss", PRED, TARGET)
    assert "group" in caught.value.message


def test_rows_are_those_of_the_function():
    rng = np.random.default_rng(0)
    pred, target = rng.normal(size=(20, 3)), rng.integers(0, 3, 20)
    assert np.array_equal(lossctl.compute("cross-entropy", pred, target).per_sample, losses.cross_entropy(pred, target))


def test_missing_rows_are_nan():
    found = lossctl.compute("mse", [1.0, math.nan, 3.0], TARGET, nan="skip")
    assert np.array_equal(found.per_sample, [1.0, math.nan, 9.0], equal_nan=True)


def test_losses_without_rows():
    found = lossctl.compute("r2", PRED, [1.0, 2.0, 3.0])
    with pytest.raises(UsageError) as caught:
        _ = found.per_sample
    assert caught.value.code == "mixed-units"


def test_labels_as_text():
    for kind in (list, np.array, pd.Series, pa.array):
        found = lossctl.compute("zero-one", kind(["a", "b", "b"]), kind(["a", "a", "b"]))
        assert found.per_sample.tolist() == [0.0, 1.0, 0.0]
    found = lossctl.compute("cross-entropy", [[0.0, 1.0], [0.0, 1.0]], ["x", "y"], classes=["x", "y"])
    assert found.per_sample == pytest.approx([math.log(1 + math.e), math.log(1 + math.exp(-1))])


# Files.


def test_files(csv):
    path = csv("y_pred,y_true,w,g", "1,0,1,a", "2,0,0,b", "4,0,3,a")
    assert lossctl.compute("mse", path).value == 7.0
    assert lossctl.compute("mse", Path(path), weight="w").value == 49 / 4
    assert lossctl.compute("mse", path).per_sample.tolist() == [1.0, 4.0, 16.0]
    frame = lossctl.compute("mse,mae", path, by="g").to_pandas()
    assert list(frame.columns) == ["loss", "reduction", "slice", "g", "n", "weight_sum", "value"]
    assert frame["value"].tolist() == [7.0, 8.5, 4.0, 6.25, 8.5, 7 / 3, 2.5, 2.0, 2.25, 2.5]
    assert frame["g"].isna().tolist() == [True, False, False, True, False] * 2
    assert frame["g"].dropna().tolist() == ["a", "b", "a"] * 2
    assert lossctl.compute("mse", path, pred="w", target="y_true").value == 10 / 3


def test_options_of_the_reader(csv):
    path = csv("1;0", "2;0", "x;0")
    reader = {"delimiter": ";", "no_header": True, "null_values": ["x"]}
    found = lossctl.compute("mse", path, pred="1", target="2", nan="skip", **reader)
    assert (found.value, found.results[0].n) == (2.5, 2)


def test_a_role_takes_its_name(csv):
    """A loss with an input called ``positive`` has no labels to call positive."""
    path = csv("anchor,other,negative", "0,1,3")
    expected = lossctl.compute("triplet-margin", [[0.0]], [[1.0]], [[3.0]]).value
    assert lossctl.compute("triplet-margin", path, positive="other").value == expected


def test_a_frame_without_slices():
    frame = lossctl.compute("mse", PRED, TARGET).to_pandas()
    assert list(frame.columns) == ["loss", "reduction", "n", "weight_sum", "value"]
    assert frame.iloc[0].tolist() == ["mse", "mean", 3, 3.0, 7.0]


# Names.


def test_names():
    names = lossctl.names()
    assert names == sorted(names)
    assert "huber" in names
    assert "discover" in dir(losses)
    assert {name.replace("-", "_") for name in names} <= set(dir(losses))
    assert losses.l1([1.0], [3.0]).tolist() == [2.0]
    for wrong in ("no_such_loss", "_private", "l2"):
        with pytest.raises(AttributeError):
            getattr(losses, wrong)
    with pytest.raises(AttributeError):
        _ = lossctl.no_such_thing


def test_functions_say_what_they_are():
    assert losses.huber.__doc__.startswith("Squared error near zero")
    assert losses.huber.__name__ == "huber"
    assert repr(losses.huber) == "<loss huber>"
    assert losses.huber.kernel(np.array([3.0]), np.array([0.0]), delta=1.0).tolist() == [2.5]
    assert losses.bce_with_logits.__name__ == "bce_with_logits"
