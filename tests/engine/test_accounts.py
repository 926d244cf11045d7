"""No row is lost in silence: read = scored + dropped, and every reason has its count."""

from __future__ import annotations

import math

import numpy as np
import pytest

NAN = math.nan
GAPS = {"pred": [1.0, NAN, 3.0, 4.0, math.inf], "target": [0.0, 0.0, NAN, 2.0, 0.0]}
PROBS = [[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]]


def account(report):
    return report.read, report.scored, dict(report.dropped)


def codes(report):
    return [note.code for note in report.warnings]


# --nan


def test_missing_values_are_an_error(score, fails, chunk):
    error = fails(3, "nan", "mse", GAPS, chunk_rows=chunk)
    assert (error.row, error.column, error.file) == (2, "pred", "table 0")
    assert "and 1 more" in " ".join(error.details) or "row 5" in " ".join(error.details)
    assert "--nan skip" in error.hint


def test_skip_counts_what_it_drops(score, chunk):
    report = score("mse", GAPS, nan="skip", chunk_rows=chunk)
    assert account(report) == (5, 2, {"nan": 3})
    [result] = report.results
    assert (result.value, result.n, result.weight_sum, dict(result.dropped)) == (2.5, 2, 2.0, {"nan": 3})
    [note] = report.warnings
    assert note.code == "rows-dropped"
    assert "3 rows" in note.message
    assert [s.status for s in report.samples] == ["ok", "nan", "nan", "ok", "nan"]
    assert [s.values for s in report.samples] == [(1.0,), (None,), (None,), (4.0,), (None,)]


def test_propagate_scores_every_row(score, chunk):
    report = score("mse", GAPS, nan="propagate", chunk_rows=chunk)
    assert account(report) == (5, 5, {})
    [result] = report.results
    assert math.isnan(result.value)
    assert (result.n, dict(result.dropped)) == (5, {})
    values = [s.values[0] for s in report.samples]
    assert np.array_equal(values[:4], [1.0, NAN, NAN, 4.0], equal_nan=True)
    assert not math.isfinite(values[4])
    assert {s.status for s in report.samples} == {"ok"}


@pytest.mark.parametrize("reduction", ["mean", "sum", "min", "max", "median", "p90", "std"])
def test_propagate_reaches_every_reduction(score, chunk, reduction):
    report = score("mse", GAPS, nan="propagate", reduction=reduction, chunk_rows=chunk)
    assert math.isnan(report.results[0].value)


def test_propagate_stays_within_its_slice(score, chunk):
    table = {**GAPS, "g": ["a", "b", "b", "a", "b"]}
    found = score("mse,max-error", table, by=("g",), nan="propagate", chunk_rows=chunk).results
    assert [(r.loss, r.value) for r in found if r.group == {"g": "a"}] == [("mse", 2.5), ("max-error", 2.0)]
    assert all(math.isnan(r.value) for r in found if r.group != {"g": "a"})


@pytest.mark.parametrize("loss", ["mse", "rmse", "r2", "max-error", "huber"])
def test_one_element_drops_its_row(score, loss, chunk):
    pred = np.arange(8.0).reshape(4, 2)
    pred[2, 1] = NAN
    table = {"pred": pred, "target": np.arange(8.0).reshape(4, 2)[::-1].copy()}
    keep = [0, 1, 3]
    whole = score(loss, table, nan="skip", chunk_rows=chunk)
    part = score(loss, {name: a[keep] for name, a in table.items()})
    assert whole.results[0].value == part.results[0].value
    assert account(whole) == (4, 3, {"nan": 1})
    assert whole.results[0].n_elements == 6


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    ("loss", "table"),
    [
        ("cross-entropy:input=probs", {"pred": PROBS, "target": [0, 1, 1]}),
        ("cross-entropy", {"pred": PROBS, "target": PROBS}),
        ("kl-div:input=probs", {"pred": PROBS, "target": PROBS}),
        ("likelihood", {"pred": PROBS, "target": [0, 1, 1]}),
        ("hinge", {"pred": [1.0, 2.0, 3.0], "target": [-1, -1, 1]}),
        ("bce", {"pred": [0.5, 0.25, 0.75], "target": [0, 1, 1]}),
    ],
)
def test_a_row_that_is_let_through_breaks_no_rule(score, loss, table, place, chunk):
    """Whatever stands beside its NaN, and whatever stands in for it: nothing is said of that row."""
    pred = np.array(table["pred"])
    pred.reshape(3, -1)[place, 0] = NAN
    report = score(loss, {**table, "pred": pred}, nan="propagate", chunk_rows=chunk)
    assert math.isnan(report.results[0].value)
    assert not report.warnings
    whole = [s.values[0] for s in score(loss, table).samples]
    found = [s.values[0] for s in report.samples]
    assert [i for i in range(3) if found[i] != whole[i]] == [place]


def test_a_row_beside_an_offence_is_not_counted_with_it(score, chunk):
    """One row is off by 0.01: the warning speaks of one row, however many are let through."""
    pred = [[0.51, 0.5], [NAN, 0.5], [0.5, NAN]]
    table = {"pred": pred, "target": [0, 1, 1]}
    [note] = score("cross-entropy:input=probs", table, nan="propagate", chunk_rows=chunk).warnings
    assert note.code == "not-normalised"
    assert "1 row " in note.message


# Ignored rows.


def test_ignored_labels(score, chunk):
    """Rows of --ignore-index count as read, and what else they hold does not matter."""
    table = {"pred": [[1.0, 2.0], [NAN, 1.0], [0.0, 0.0]], "target": [0, -100, 1]}
    report = score("cross-entropy", table, chunk_rows=chunk)
    assert account(report) == (3, 2, {"ignored": 1})
    [result] = report.results
    assert (result.n, result.divisor, dict(result.dropped)) == (2, 2.0, {"ignored": 1})
    assert [s.status for s in report.samples] == ["ok", "ignored", "ok"]


def test_another_ignored_label(score, csv, chunk):
    path = csv("logit_cat,logit_dog,label", "0,1,cat", "2,0,255", "1,1,dog")
    report = score("cross-entropy:ignore_index=255", path, chunk_rows=chunk)
    assert account(report) == (3, 2, {"ignored": 1})
    assert not report.warnings
    expected = (math.log(1 + math.e) + math.log(2)) / 2
    assert report.results[0].value == pytest.approx(expected, rel=1e-15)


def test_mask(score, chunk):
    table = {**GAPS, "m": [1, 0, 0, 1, 0]}
    report = score("mse", table, mask="m", chunk_rows=chunk)
    assert account(report) == (5, 2, {"ignored": 3})
    assert report.results[0].value == 2.5


def test_mask_and_nan_are_told_apart(score, chunk):
    table = {**GAPS, "m": [1, 0, 1, 0, 1]}
    report = score("mse", table, mask="m", nan="skip", chunk_rows=chunk)
    assert account(report) == (5, 1, {"nan": 2, "ignored": 2})
    assert dict(report.results[0].dropped) == {"nan": 2, "ignored": 2}


@pytest.mark.parametrize("bad", [2.0, -1.0, 0.5, NAN, math.inf])
def test_a_mask_is_0_or_1(fails, bad, chunk):
    error = fails(3, "bad-mask", "mse", {**GAPS, "m": [0, 0, 0, bad, 1]}, mask="m", nan="skip", chunk_rows=chunk)
    assert (error.row, error.column) == (4, "m")


def test_booleans_make_a_mask(score):
    table = {"pred": [1.0, 2.0], "target": [0.0, 0.0], "m": np.array([True, False])}
    assert score("mse", table, mask="m").results[0].value == 1.0


# Several losses that drop different rows.


def test_a_row_is_scored_if_any_loss_scored_it(score, chunk):
    """One loss ignores row 1, NaN takes row 2 from both."""
    table = {"pred": [[0.5, 0.5], [NAN, 1.0], [0.25, 0.75]], "target": [0, 0, 1]}
    report = score("cross-entropy:input=probs:ignore_index=0,likelihood", table, nan="skip", chunk_rows=chunk)
    assert account(report) == (3, 2, {"ignored": 1})
    assert [dict(r.dropped) for r in report.results] == [{"ignored": 2}, {"nan": 1}]
    assert [r.n for r in report.results] == [1, 2]
    assert [s.status for s in report.samples] == ["ok", "ignored", "ok"]
    assert [s.values[0] is None for s in report.samples] == [True, True, False]
    assert [s.values[1] for s in report.samples] == [0.5, None, 0.75]


# --limit


def test_limit(score, chunk):
    table = {"pred": [1.0, 2.0, 3.0, NAN], "target": [0.0, 0.0, 0.0, 0.0]}
    report = score("mse", table, limit=3, chunk_rows=chunk)
    assert account(report) == (3, 3, {})
    assert report.partial
    assert codes(report) == ["partial"]
    assert report.results[0].signature.split("|")[-3] == "limit:3"
    assert not score("mse", table, limit=9, chunk_rows=chunk, nan="skip").partial


def test_nothing_beyond_the_limit_is_looked_at(score, csv, chunk):
    """A bad cell, an unknown class and a label of another type, in rows that were not asked for."""
    options = {"limit": 2, "chunk_rows": chunk}
    numbers = csv("y_pred,y_true", "1,1", "2,3", "x,1", name="n.csv")
    assert score("mse", numbers, **options).results[0].value == 0.5
    classes = csv("logit_a,logit_b,label", "1,1,a", "2,2,b", "1,1,c", name="c.csv")
    assert score("cross-entropy", classes, **options).results[0].n == 2
    labels = csv("y_pred,label", "1,1", "2,3", "x,1", name="l.csv")
    assert score("zero-one", labels, **options).results[0].value == 0.5


def test_limit_over_files_of_different_length(score, csv, chunk):
    pred = csv("y_pred", "1", "2", "3", name="p.csv")
    target = csv("y_true", "0", "0", name="t.csv")
    assert score("mse", pred, target, limit=2, chunk_rows=chunk).results[0].value == 2.5


# Nothing to score.


EMPTY = {
    "no rows": ("mse", {"pred": np.zeros(0), "target": np.zeros(0)}, {}),
    "all missing": ("mse", {"pred": [NAN, NAN], "target": [0.0, 0.0]}, {"nan": "skip"}),
    "all masked": ("mse", {"pred": [1.0], "target": [0.0], "m": [0]}, {"mask": "m"}),
    "all ignored": ("nll", {"pred": [[-0.5, -1.0]], "target": [-100]}, {}),
    "no weight": ("mse", {"pred": [1.0, 2.0], "target": [0.0, 0.0], "w": [0, 0]}, {"weight": "w"}),
    "no class weight": ("nll:class_weight=0/1", {"pred": [[-0.5, -1.0]], "target": [0]}, {}),
    "no weight, a set": ("r2", {"pred": [1.0, 2.0], "target": [0.0, 0.0], "w": [0, 0]}, {"weight": "w"}),
    "no rows, a prelude": ("balanced-sigmoid-ce", {"pred": np.zeros(0), "target": np.zeros(0)}, {}),
    "all masked, a prelude": ("balanced-sigmoid-ce", {"pred": [1.0], "target": [0.0], "m": [0]}, {"mask": "m"}),
    "no lists": ("ndcg-loss", {"pred": np.zeros(0), "target": np.zeros(0), "group": np.zeros(0)}, {}),
}


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_to_score(score, fails, name):
    loss, table, given = EMPTY[name]
    error = fails(3, "empty", loss, table, **given)
    assert loss.split(":")[0] in error.message
    assert "--empty" in error.hint
    found = score(loss, table, empty="nan", **given).results[0]
    assert math.isnan(found.value)
    assert found.signature.count("|empty:nan") == 1
    zero = score(loss, table, empty="zero", **given)
    assert zero.results[0].value == 0.0
    assert zero.read == zero.scored + sum(zero.dropped.values())


def test_an_empty_slice_is_no_error(score):
    """The total decides; a slice with nothing in it is nan, or what --empty says."""
    table = {"pred": [1.0, NAN], "target": [0.0, 0.0], "g": ["a", "b"]}
    found = {empty: score("mse", table, by=("g",), nan="skip", empty=empty).results for empty in ("error", "zero")}
    assert found["error"][1].value == 1.0
    assert math.isnan(found["error"][2].value)
    assert (found["error"][2].n, dict(found["error"][2].dropped)) == (0, {"nan": 1})
    assert found["zero"][2].value == 0.0


# Weights.


@pytest.mark.parametrize("bad", [-1.0, NAN, math.inf, -math.inf])
@pytest.mark.parametrize("nan", ["error", "skip", "propagate"])
def test_a_bad_weight_is_an_error_whatever_nan_says(fails, bad, nan, chunk):
    table = {"pred": [1.0, 2.0, 3.0], "target": [0.0, 0.0, NAN], "w": [1.0, 2.0, bad]}
    error = fails(3, "bad-weight", "mse", table, weight="w", nan=nan, chunk_rows=chunk)
    assert (error.row, error.column, error.file) == (3, "w", "table 0")


def test_a_missing_weight_in_a_file(fails, csv):
    path = csv("y_pred,y_true,w", "1,2,1", "2,3,")
    assert fails(3, "bad-weight", "mse", path, weight="w").row == 2


def test_a_row_of_weight_zero_is_not_there(score, chunk):
    """Its value may be infinite, and zero times infinity is not nan."""
    table = {"pred": [0.0, 0.5], "target": [1.0, 1.0], "w": [0.0, 2.0]}
    report = score("bce:clip=none", table, weight="w", chunk_rows=chunk)
    assert report.results[0].value == math.log(2)
    assert (report.results[0].n, report.results[0].weight_sum) == (2, 2.0)


def test_infinite_values_are_results(score, chunk):
    table = {"pred": [0.0, 0.5, 0.0], "target": [1.0, 1.0, 1.0]}
    report = score("bce:clip=none", table, chunk_rows=chunk)
    assert report.results[0].value == math.inf
    [note] = report.warnings
    assert note.code == "nonfinite"
    assert "2 rows" in note.message


def test_order_statistics_say_that_they_are_unweighted(score):
    table = {"pred": [1.0, 2.0, 9.0], "target": [0.0, 0.0, 0.0], "w": [1.0, 5.0, 0.0]}
    for options in ({"reduction": "median"}, {"reduction": "p90"}, {"reduction": "std"}, {"stats": True}):
        report = score("mae", table, weight="w", **options)
        assert codes(report) == ["unweighted"]
    assert score("mae", table, weight="w", reduction="max").results[0].value == 2.0
    assert codes(score("mae", table, weight="w")) == []
    del table["w"]
    assert codes(score("mae", table, reduction="max")) == []


# Findings are about the file, not about the chunk.


ROWS_OFF = [[0.5, 0.5], [0.5, 0.51], [0.5, 0.1], [0.5, 0.51], [0.2, 0.2]]


def test_a_grave_row_is_an_error_after_a_light_one(fails, chunk):
    """A row off by 0.01 is a warning, one off by 0.4 an error: the first must not hide the second."""
    table = {"pred": ROWS_OFF, "target": [0] * 5}
    error = fails(3, "not-normalised", "cross-entropy:input=probs", table, chunk_rows=chunk)
    assert error.row == 3
    assert "0.6" in error.message
    assert "row 5" in " ".join(error.details)
    assert "row 4" not in " ".join(error.details)


def test_the_greatest_deviation_is_named(score, chunk):
    pred = [[0.5, 0.5], [0.5, 0.51], [0.5, 0.53], [0.5, 0.47]]
    report = score("cross-entropy:input=probs", {"pred": pred, "target": [0] * 4}, chunk_rows=chunk)
    [note] = report.warnings
    assert note.code == "not-normalised"
    assert "3 rows" in note.message
    assert "0.03, row 3" in note.message


def test_renormalize(score, chunk):
    pred = [[1.0, 1.0], [0.5, 0.1], [3.0, 1.0]]
    report = score("cross-entropy:input=probs", {"pred": pred, "target": [0] * 3}, renormalize=True, chunk_rows=chunk)
    expected = [-math.log(p) for p in (0.5, 0.5 / 0.6, 0.75)]
    assert [s.values[0] for s in report.samples] == pytest.approx(expected, rel=1e-15)
    assert not report.warnings


def test_renormalize_needs_probabilities(fails):
    fails(2, "bad-option", "mse", {"pred": [1.0], "target": [1.0]}, renormalize=True)
    fails(2, "bad-option", "nll", {"pred": [[-1.0, -0.5]], "target": [1]}, renormalize=True)


def test_a_row_of_zeros_cannot_be_renormalized(fails):
    table = {"pred": [[0.5, 0.5], [0.0, 0.0]], "target": [0, 0]}
    assert fails(3, "not-normalised", "cross-entropy:input=probs", table, renormalize=True).row == 2


def test_labels_are_decided_over_the_whole_file(score, fails, chunk):
    ones = {"pred": [1.0, 2.0], "target": [1, 1]}
    assert [s.values[0] for s in score("hinge", ones, chunk_rows=chunk).samples] == [0.0, 0.0]
    zeros = {"pred": [1.0, 2.0], "target": [0, 1]}
    assert [s.values[0] for s in score("hinge", zeros, chunk_rows=chunk).samples] == [2.0, 0.0]
    mixed = {"pred": [1.0, 2.0, 3.0, 4.0], "target": [1, 0, 1, -1]}
    error = fails(3, "mixed-labels", "hinge", mixed, chunk_rows=chunk)
    assert "row 2 has 0, row 4 has -1" in error.message
    assert (error.column, error.row) == ("target", 4)


@pytest.mark.parametrize(("labels", "good", "bad"), [("01", [0, 1], -1), ("pm1", [-1, 1], 0), ("auto", [0, 1], 2)])
def test_labels_as_said(score, fails, labels, good, bad):
    assert score(f"hinge:labels={labels}", {"pred": [3.0, 3.0], "target": good}).results[0].value == 2.0
    error = fails(3, "bad-label", f"hinge:labels={labels}", {"pred": [3.0, 3.0], "target": [1, bad]})
    assert (error.row, error.column) == (2, "target")


def test_the_earliest_row_speaks_first(fails, chunk):
    table = {"pred": [0.5, 0.5, 1.5], "target": [0.0, 2.0, 0.0]}
    assert fails(3, "target-range", "bce", table, chunk_rows=chunk).row == 2


def test_hints_that_cannot_help_are_left_out(fails):
    """--input is no way out for a loss whose input is fixed."""
    table = {"pred": [0.5, 1.5], "target": [0, 1]}
    assert "--input logits" in fails(3, "not-a-probability", "bce", table).hint
    assert "--input" not in (fails(3, "not-a-probability", "likelihood", table).hint or "")
