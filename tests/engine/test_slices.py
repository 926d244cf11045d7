"""Slices: the total and every group in the same pass."""

from __future__ import annotations

import math

import numpy as np
import pytest

TABLE = {
    "pred": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    "target": [0.0] * 6,
    "color": ["red", None, "blue", "red", "blue", None],
    "size": [2, 10, 2, 10, 2, 2],
}


def test_groups_in_order_of_their_names(score, chunk):
    """Names are text, sorted as text; a missing one is None and stands last."""
    found = score("mae", TABLE, by=("color",), chunk_rows=chunk).results
    assert [(r.slice, r.group and dict(r.group), r.value, r.n) for r in found] == [
        ("total", None, 3.5, 6),
        ("group", {"color": "blue"}, 4.0, 2),
        ("group", {"color": "red"}, 2.5, 2),
        ("group", {"color": None}, 4.0, 2),
    ]


def test_two_columns(score, chunk):
    report = score("mae", TABLE, by=("color", "size"), chunk_rows=chunk)
    assert report.by == ("color", "size")
    assert [(tuple(r.group.values()), r.value) for r in report.results[1:]] == [
        (("blue", "2"), 4.0),
        (("red", "10"), 4.0),
        (("red", "2"), 1.0),
        ((None, "10"), 2.0),
        ((None, "2"), 6.0),
    ]
    assert report.results[0].signature.split("|")[4] == "by:color,size"


def test_groups_of_a_file_keep_their_text(score, csv, chunk):
    """``007`` and ``7`` are two groups, ``NA`` is a name, an empty cell is missing."""
    path = csv("y_pred,y_true,g", "1,0,007", "2,0,7", "3,0,NA", "4,0,", "5,0, ")
    found = score("mae", path, by=("g",), chunk_rows=chunk).results[1:]
    assert [(r.group["g"], r.value) for r in found] == [
        (" ", 5.0),
        ("007", 1.0),
        ("7", 2.0),
        ("NA", 3.0),
        (None, 4.0),
    ]


def test_large_numbers_as_groups(score):
    """Groups are text and may be any size."""
    table = {"pred": [1.0, 2.0], "target": [0.0, 0.0], "g": np.array([2**60 + 1, 2**60])}
    assert [r.group["g"] for r in score("mae", table, by=("g",)).results[1:]] == [str(2**60), str(2**60 + 1)]


def test_weights_and_statistics_of_a_group(score, chunk):
    table = {**TABLE, "w": [1.0, 1.0, 3.0, 1.0, 1.0, 0.0]}
    report = score("mae", table, by=("color",), weight="w", stats=True, chunk_rows=chunk)
    blue = report.results[1]
    assert (blue.value, blue.weight_sum, blue.divisor) == (3.5, 4.0, 4.0)
    assert blue.stats["sum"] == 14.0
    assert (blue.stats["min"], blue.stats["max"], blue.stats["median"]) == (3.0, 5.0, 4.0)
    assert blue.stats["std"] == math.sqrt(2)
    missing = report.results[3]
    assert (missing.n, missing.weight_sum, missing.value) == (2, 1.0, 2.0)
    assert (missing.stats["min"], missing.stats["max"]) == (2.0, 2.0)
    assert math.isnan(missing.stats["std"])


def test_a_group_of_weight_zero(score):
    table = {**TABLE, "w": [1.0, 0.0, 1.0, 1.0, 1.0, 0.0]}
    found = score("mae", table, by=("color",), weight="w").results
    assert math.isnan(found[3].value)
    assert (found[3].n, found[3].weight_sum) == (2, 0.0)


def test_dropped_rows_stand_under_their_group(score, chunk):
    table = {**TABLE, "pred": [1.0, math.nan, 3.0, math.nan, 5.0, 6.0], "m": [1, 1, 0, 1, 1, 1]}
    found = score("mae", table, by=("color",), mask="m", nan="skip", chunk_rows=chunk).results
    assert [dict(r.dropped) for r in found] == [{"nan": 2, "ignored": 1}, {"ignored": 1}, {"nan": 1}, {"nan": 1}]
    assert [r.n for r in found] == [3, 1, 1, 1]


def test_a_group_that_is_dropped_altogether_is_still_there(score, chunk):
    table = {"pred": [1.0, math.nan], "target": [0.0, 0.0], "g": ["a", "b"]}
    found = score("mae", table, by=("g",), nan="skip", chunk_rows=chunk).results
    assert [(r.group["g"], r.n) for r in found[1:]] == [("a", 1), ("b", 0)]


def test_several_losses(score):
    """All slices of the first loss, then those of the second; data-set losses have slices too."""
    table = {**TABLE, "target": [1.0, 2.0, 4.0, 4.5, 5.0, 7.0]}
    found = score("mae,r2,rmse", table, by=("size",)).results
    assert [(r.loss, r.group and r.group["size"]) for r in found] == [
        (loss, group) for loss in ("mae", "r2", "rmse") for group in (None, "10", "2")
    ]
    ten = [r for r in found if r.group == {"size": "10"}]
    assert [r.value for r in ten] == [0.25, 1 - 0.25 / 3.125, math.sqrt(0.125)]


@pytest.mark.parametrize("reduction", ["median", "std", "max", "p25"])
def test_other_reductions_by_group(score, chunk, reduction):
    whole = score("mae", TABLE, by=("size",), reduction=reduction, chunk_rows=chunk).results
    for result in whole[1:]:
        keep = [i for i, size in enumerate(TABLE["size"]) if str(size) == result.group["size"]]
        part = {name: [column[i] for i in keep] for name, column in TABLE.items()}
        assert result.value == score("mae", part, reduction=reduction).results[0].value


def test_no_reduction_has_no_slices(score):
    report = score("mae", TABLE, by=("color",), reduction="none")
    assert [r.value for r in report.results] == [None]
    assert len(report.samples) == 6


def test_group_columns_from_either_file(score, csv):
    pred = csv("y_pred,g", "1,a", "2,b", name="p.csv")
    target = csv("y_true,h", "0,x", "0,y", name="t.csv")
    found = score("mae", pred, target, by=("g", "h")).results
    assert [dict(r.group) for r in found[1:]] == [{"g": "a", "h": "x"}, {"g": "b", "h": "y"}]


def test_an_unknown_group_column(fails):
    error = fails(3, "column-not-found", "mae", TABLE, by=("colour",))
    assert "color" in error.hint


def overview(score, losses, table, **given):
    found = score(losses, table, by=("color",), overview=True, **given).results
    return [(r.slice, r.group and r.group["color"], r.value, r.divisor, r.n) for r in found if r.slice != "group"]


def test_the_mean_of_slices_and_the_worst(score, chunk):
    """Each slice counts once, whatever its rows; blue and the missing one tie, and blue comes first."""
    assert overview(score, "mae", TABLE, chunk_rows=chunk) == [
        ("total", None, 3.5, 6.0, 6), ("macro", None, (4.0 + 2.5 + 4.0) / 3, 3.0, 6), ("worst", "blue", 4.0, 2.0, 2),
    ]  # fmt: skip


def test_the_worst_slice_of_a_score_has_the_least(score):
    table = {**TABLE, "target": [1.0, 2.5, 3.0, 4.5, 5.5, 6.5]}
    by_slice = {r.group["color"]: r.value for r in score("r2", table, by=("color",)).results[1:]}
    (_, _, _, _, _), (_, _, macro, _, _), (_, name, value, _, _) = overview(score, "r2", table)
    assert (name, value) == min(by_slice.items(), key=lambda item: item[1])
    assert macro == pytest.approx(sum(by_slice.values()) / 3, rel=1e-15)


def test_slices_without_rows_have_no_say_and_nan_is_the_worst(score):
    dropped = {**TABLE, "pred": [math.nan, 2.0, 3.0, math.nan, 5.0, 6.0]}
    assert overview(score, "mae", dropped, nan="skip")[1:] == [
        ("macro", None, 4.0, 2.0, 4),
        ("worst", "blue", 4.0, 2.0, 2),
    ]
    macro, worst = overview(score, "mae", dropped, nan="propagate")[1:]
    assert math.isnan(macro[2])
    assert worst[:2] == ("worst", "red")
