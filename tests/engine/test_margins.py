"""Margin losses on files: which columns they find, what labels mean over a whole file, and what is refused."""

from __future__ import annotations

import pytest

SIGNED = ["hinge", "squared-hinge", "perceptron", "exponential", "soft-margin", "hinge-embedding"]


def values(report):
    return [sample.values[0] for sample in report.samples]


@pytest.mark.parametrize("loss", ["hinge", "perceptron", "exponential", "squared-hinge", "soft-margin"])
def test_a_score_goes_before_a_predicted_label(score, csv, loss):
    report = score(loss, csv("y_pred,score,label", "1,-2.5,1", "-1,0.5,-1"))
    assert report.inputs[0].columns == {"pred": ["score"], "target": ["label"]}


def test_probabilities_are_taken_with_a_word(score, fails, csv):
    """A name that says probabilities does not fit scores of any size; where logits are due it is refused."""
    path = csv("prob,label", "0.5,1", "0.25,0")
    report = score("hinge", path)
    assert values(report) == [0.5, 1.25]
    assert [note.code for note in report.warnings] == ["scores-expected"]
    assert '"prob" says probs' in report.warnings[0].message
    fails(2, "input-differs", "soft-margin", path)
    ranks = csv("prob_a,prob_b,target_a,target_b", "0.5,0.25,1,0", name="ranks.csv")
    assert not score("coverage-error", ranks).warnings
    assert [note.code for note in score("multi-margin", ranks).warnings] == ["scores-expected"]
    fails(2, "input-differs", "multilabel-soft-margin", ranks)


@pytest.mark.parametrize("loss", SIGNED)
def test_labels_are_decided_over_the_whole_file(score, fails, csv, chunk, loss):
    """0 and 1 here, -1 and 1 there: each by itself is fine, both in one file are not."""
    rows = [(2.0, 1), (0.5, 0), (-1.0, 1), (0.25, 0)]
    zeros = csv("y_pred,label", *(f"{s},{y}" for s, y in rows), name="zeros.csv")
    minus = csv("y_pred,label", *(f"{s},{y or -1}" for s, y in rows), name="minus.csv")
    assert values(score(loss, zeros, chunk_rows=chunk)) == values(score(loss, minus, chunk_rows=chunk))
    both = csv("y_pred,label", "2,1", "0.5,0", "1,1", "0.25,-1", name="both.csv")
    error = fails(3, "mixed-labels", loss, both, chunk_rows=chunk)
    assert (error.row, error.column) == (4, "label")
    assert "row 2 has 0, row 4 has -1" in error.message
    error = fails(3, "bad-label", loss, csv("y_pred,label", "2,1", "0.5,2"), chunk_rows=chunk)
    assert (error.row, error.column) == (2, "label")


@pytest.mark.parametrize("loss", SIGNED)
def test_one_label_only(score, csv, chunk, loss):
    """A column of ones is positive whatever the writing; of zeros or of -1 it is negative."""
    expected = {y: values(score(loss, csv("y_pred,label", "2,1", f"0.5,{y}"), chunk_rows=chunk))[1] for y in (1, -1)}
    for said, way in (("1", 1), ("0", -1), ("-1", -1)):
        report = score(loss, csv("y_pred,label", f"0.5,{said}", f"0.5,{said}"), chunk_rows=chunk)
        assert values(report) == [expected[way]] * 2


def test_masked_rows_do_not_speak(score, csv, chunk):
    """A label that does not count does not say how the others are written."""
    path = csv("y_pred,label,m", "2,1,1", "0.5,0,1", "1,-1,0")
    assert values(score("perceptron", path, mask="m", chunk_rows=chunk))[:2] == [0.0, 0.5]


def test_text_labels(score, csv):
    two = csv("score,label", "0.5,yes", "0.25,no", name="two.csv")
    assert values(score("perceptron", two, positive="yes")) == [0.0, 0.25]
    several = csv("logit_cat,logit_dog,label", "0.5,1.0,cat", "0.25,0.0,cat", name="several.csv")
    report = score("perceptron,multi-margin,categorical-hinge", several)
    assert [r.value for r in report.results] == [0.25, 0.5625, 1.125]
    assert list(report.inputs[0].classes) == ["cat", "dog"]


def test_one_hot_columns_follow_the_scores(score, fails, csv):
    path = csv("target_dog,target_cat,logit_cat,logit_dog", "1,0,0.5,1.0", "0,1,0.5,1.0")
    report = score("multiclass-hinge", path)
    assert report.inputs[0].columns["target"] == ["target_cat", "target_dog"]
    assert values(report) == [0.5, 1.5]
    two = csv("logit_a,logit_b,target_a,target_b", "1,2,0,1", "1,2,1,1", name="two.csv")
    error = fails(3, "not-one-hot", "multi-margin", two)
    assert error.row == 2
    assert "multilabel" in error.hint


@pytest.mark.parametrize("loss", ["multi-margin", "multiclass-hinge", "categorical-hinge"])
def test_ignored_rows(score, csv, loss):
    path = csv("logit_0,logit_1,label", "2,0,0", "0,2,-100", "0,2,0")
    report = score(loss, path)
    assert values(report)[1] is None
    assert dict(report.dropped) == {"ignored": 1}
    assert report.results[0].divisor == 2.0


# Lists of classes.


def test_lists_keep_their_order(score, csv, chunk):
    """Their columns are places in a list, and stand for no class."""
    path = csv("target_1,target_2,target_0,logit_b,logit_a,logit_c", "-1,1,0,0.5,1.0,-2", "2,-1,-1,0.5,1.0,-2")
    report = score("multilabel-margin", path, chunk_rows=chunk)
    assert report.inputs[0].columns["target"] == ["target_0", "target_1", "target_2"]
    # b and nothing else in the first row; an empty list in the second.
    assert values(report) == [1.5 / 3, 0.0]
    named = score("multilabel-margin", path, classes=("c", "b", "a"), chunk_rows=chunk)
    assert named.inputs[0].columns["target"] == ["target_0", "target_1", "target_2"]
    assert values(named) == [(3.5 + 4.0) / 3, 0.0]


def test_classes_that_are_numbers_are_listed_by_name(score, fails, csv, chunk):
    """As in a single column of labels, 7 is the class of logit_7."""
    header = "logit_3,logit_7,logit_9,target_0,target_1,target_2"
    report = score("multilabel-margin", csv(header, "0.5,1,-2,7,-1,5", "0.5,1,-2,3,9,7"), chunk_rows=chunk)
    assert values(report) == [0.5 / 3, 0.0]
    error = fails(
        3, "unknown-class", "multilabel-margin", csv(header, "1,2,3,7,-1,0", "1,2,3,7,0,-1"), chunk_rows=chunk
    )
    assert error.row == 2
    assert "3, 7, 9" in error.message


@pytest.mark.parametrize(
    ("row", "code"), [("0,3,-1", "unknown-class"), ("0.5,-1,-1", "unknown-class"), ("1,2,1", "repeated-class")]
)
def test_bad_lists(fails, csv, chunk, row, code):
    path = csv("logit_a,logit_b,logit_c,target_0,target_1,target_2", "1,2,3,0,-1,9", f"1,2,3,{row}")
    assert fails(3, code, "multilabel-margin", path, chunk_rows=chunk).row == 2


def test_lists_are_as_long_as_the_scores(fails):
    table = {"pred": [[1.0, 2.0, 3.0]], "target": [[0, -1]]}
    assert "as many columns" in fails(3, "shapes-differ", "multilabel-margin", table).message


# Conventions.


def test_libraries(score, fails):
    table = {"pred": [[1.0, 2.0, 0.5]], "target": [0]}
    assert score("multiclass-hinge", table, like="sklearn").results[0].value == 2.0
    fails(2, "no-convention", "categorical-hinge", table, like="keras")
    fails(2, "preset-parameter", "multiclass-hinge:mode=ovr", table, like="optax")


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("crammer-singer", "multiclass-hinge"),
        ("weston-watkins", "multi-margin"),
        ("adaboost", "exponential"),
        ("l2-svm", "squared-hinge"),
        ("label-ranking", "label-ranking-loss"),
    ],
)
def test_other_names(score, alias, name):
    table = {"pred": [[1.0, 2.0]], "target": [[1, 0]]}
    assert score(alias, table).results[0].loss == name


def test_average_precision_is_a_score(fails):
    """Only its name with -loss is there: 0 is best here, and 1 is elsewhere."""
    for name in ("lrap", "label-ranking-average-precision"):
        fails(2, "unknown-loss", name, {"pred": [[1.0]], "target": [[1]]})
