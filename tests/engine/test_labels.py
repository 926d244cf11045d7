"""Labels as they are written: numbers as numbers, text as text, in the order that someone named."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from lossctl.data.labels import ClassNames, Vocabulary, canonical
from lossctl.errors import DataError, LossctlError


def wrong(report):
    return [sample.values[0] for sample in report.samples]


# One label.


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", "1.0"), ("1", "01"), ("-3", "-3.0"), ("1e2", "100"), ("0", "-0"), ("0.5", ".5"), ("+2", "2")],
)
def test_equal_numbers_are_one_label(one, other):
    assert canonical(one) == canonical(other)
    assert not isinstance(canonical(one), str)


@pytest.mark.parametrize(
    "text", ["cat", "1 cat", "nan", "inf", "-inf", "NA", "None", "", "1,5", "0x10", "1e999", "1/2"]
)
def test_everything_else_is_text(text):
    assert canonical(text) == text


@pytest.mark.parametrize("text", ["1_0", "1_000", "1_0.5", "\u0661"])
def test_what_only_python_reads_as_a_number_is_text(text):
    """``1_0`` is a name, not ten; a digit of another script is not one."""
    assert canonical(text) == text


# Labels that are only compared.


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["1,1.0", "2,2", "3.0,4", "0,-0"], [0.0, 0.0, 1.0, 0.0]),
        (["cat,cat", "dog,cat", "Cat,cat"], [0.0, 1.0, 1.0]),
        (["1_0,10", "x,x"], [1.0, 0.0]),
        (["a 1,a 1", "a,b"], [0.0, 1.0]),
    ],
)
def test_labels_of_a_file(score, csv, rows, expected, chunk):
    report = score("zero-one", csv("y_pred,label", *rows), chunk_rows=chunk)
    assert wrong(report) == expected


def test_labels_in_two_files(score, csv, chunk):
    """Codes are of one list, whatever order the labels appear in."""
    pred = csv("y_pred", "b", "a", "c", "a", name="p.csv")
    target = csv("y_true", "a", "a", "c", "b", name="t.csv")
    assert wrong(score("zero-one", pred, target, chunk_rows=chunk)) == [1.0, 0.0, 0.0, 1.0]


def test_labels_of_several_columns(score, csv, chunk):
    path = csv("pred_x,pred_y,target_y,target_x", "a,1,1,a", "a,2,1,a", "b,1,1,a")
    assert wrong(score("zero-one", path, chunk_rows=chunk)) == [0.0, 1.0, 1.0]


@pytest.mark.parametrize("rows", [["cat,1", "dog,2"], ["1,cat", "2,dog"], ["1,1", "cat,2"]])
def test_text_against_numbers(fails, csv, rows, chunk):
    error = fails(3, "labels-differ", "zero-one", csv("y_pred,label", *rows), chunk_rows=chunk)
    for word in ("pred", "target", "text", "numbers", "row "):
        assert word in error.message
    assert error.file


def test_text_against_numbers_in_typed_columns(fails):
    fails(3, "labels-differ", "zero-one", {"y_pred": np.array(["a", "b"]), "label": np.array([1, 2])})


def test_numbers_and_text_on_both_sides(score, csv):
    path = csv("y_pred,label", "1,1", "cat,cat", "1,cat")
    assert wrong(score("zero-one", path)) == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("table", [{"y_pred": [1.0, 0.7], "label": [1.0, 1.0]}, None])
def test_a_fraction_is_no_predicted_label(fails, csv, table, chunk):
    given = csv("y_pred,label", "1,1", "0.7,1") if table is None else table
    error = fails(3, "fractional-label", "zero-one", given, chunk_rows=chunk)
    assert error.row == 2
    assert "0.7" in error.message
    assert "--input probs" in error.hint
    assert error.file


def test_several_scores_under_labels(fails):
    error = fails(3, "shapes-differ", "zero-one", {"pred": np.ones((2, 3)), "target": [0, 1]})
    assert "--input probs|logits" in f"{error.message} {error.hint}"


def test_missing_labels(score, fails, csv, chunk):
    """Empty is missing; ``NA`` is a name."""
    path = csv("y_pred,label", "a,a", ",a", "NA,NA")
    assert fails(3, "nan", "zero-one", path, chunk_rows=chunk).row == 2
    report = score("zero-one", path, nan="skip", chunk_rows=chunk)
    assert wrong(report) == [0.0, None, 0.0]
    assert dict(report.dropped) == {"nan": 1}


def test_decisions(score):
    probs = {"pred": [0.5, 0.25, 0.75], "target": [1, 0, 0]}
    assert wrong(score("zero-one:input=probs", probs)) == [0.0, 0.0, 1.0]
    assert wrong(score("zero-one:input=probs:threshold=0.8", probs)) == [1.0, 0.0, 0.0]
    logits = {"pred": [0.0, -0.25, 0.75], "target": [1, 0, 0]}
    assert wrong(score("zero-one:input=logits", logits)) == [0.0, 0.0, 1.0]
    classes = {"pred": [[1.0, 1.0, 0.0], [0.0, 1.0, 2.0]], "target": [0, 2]}
    assert wrong(score("zero-one:input=logits", classes)) == [0.0, 0.0]


# Class names.


def test_classes_from_the_columns(score, csv, chunk):
    path = csv("prob_cat,prob_dog,label", "0.5,0.5,dog", "0.25,0.75,cat")
    report = score("cross-entropy", path, chunk_rows=chunk)
    assert wrong(report) == [math.log(2), math.log(4)]
    assert list(report.inputs[0].classes) == ["cat", "dog"]


def test_classes_in_another_order(score, csv):
    path = csv("prob_cat,prob_dog,label", "0.5,0.5,dog", "0.25,0.75,cat")
    report = score("cross-entropy", path, classes=("dog", "cat"))
    assert list(report.inputs[0].classes) == ["dog", "cat"]
    assert report.inputs[0].columns["pred"] == ["prob_dog", "prob_cat"]
    assert wrong(report) == [math.log(2), math.log(4)]
    weighted = score("cross-entropy:class_weight=2/1", path, classes=("dog", "cat"))
    assert wrong(weighted) == [2 * math.log(2), math.log(4)]


def test_classes_renamed(score, csv):
    """Other names than those of the columns take their places, and that is said."""
    path = csv("prob_0,prob_1,label", "0.5,0.5,dog", "0.25,0.75,cat")
    report = score("cross-entropy", path, classes=("cat", "dog"))
    assert wrong(report) == [math.log(2), math.log(4)]
    assert [note.code for note in report.warnings] == ["classes-renamed"]


def test_classes_of_an_array(score, fails, tmp_path, csv):
    np.save(tmp_path / "p.npy", np.array([[0.5, 0.5], [0.25, 0.75]]))
    target = csv("label", "dog", "cat", name="t.csv")
    pred = str(tmp_path / "p.npy")
    error = fails(3, "class-order", "cross-entropy:input=probs", pred, target)
    assert "--classes" in error.hint
    assert (error.row, error.column) == (1, "label")
    report = score("cross-entropy:input=probs", pred, target, classes=("cat", "dog"))
    assert wrong(report) == [math.log(2), math.log(4)]


def test_a_wrong_number_of_classes(fails, csv):
    path = csv("prob_a,prob_b,label", "0.5,0.5,a")
    error = fails(3, "class-count", "cross-entropy", path, classes=("a", "b", "c"))
    assert "3 classes" in error.message
    assert "2 scores" in error.message


def test_a_wrong_number_of_classes_for_lists(fails):
    """The length of a list is known from the data only; it is held against --classes all the same."""
    lists = pa.array([[0.5, 0.5], [0.25, 0.75]])
    table = {"probs": lists, "label": ["x", "y"]}
    error = fails(3, "class-count", "cross-entropy", table, classes=("x", "y", "z"))
    assert "3 classes" in error.message


def test_one_name_for_two_classes(score, csv):
    """A class named twice could not be told from itself."""
    path = csv("prob_a,prob_b,label", "0.5,0.5,a")
    with pytest.raises(LossctlError):
        score("cross-entropy", path, classes=("a", "a"))


@pytest.mark.parametrize("names", ["prob_1,prob_1.0", "prob_01,prob_1", "prob_2,prob_+2"])
def test_names_of_classes_that_are_one_number(score, csv, names):
    """Labels are compared as numbers, so two columns of one number would share their rows in silence."""
    path = csv(f"{names},label", "0.25,0.75,2" if "2" in names else "0.25,0.75,1")
    with pytest.raises(LossctlError):
        score("cross-entropy", path)


def test_a_label_that_is_no_class(fails, csv, chunk):
    path = csv("prob_a,prob_b,label", "0.5,0.5,a", "0.5,0.5,b", "0.5,0.5,c")
    error = fails(3, "unknown-class", "cross-entropy", path, chunk_rows=chunk)
    assert (error.row, error.column) == (3, "label")
    assert "'c'" in error.message
    assert "a, b" in error.message


@pytest.mark.parametrize("bad", ["2", "-1", "0.5"])
def test_an_index_that_is_no_class(fails, csv, bad, chunk):
    path = csv("prob_0,prob_1,label", "0.5,0.5,1", f"0.5,0.5,{bad}")
    assert fails(3, "unknown-class", "cross-entropy", path, chunk_rows=chunk).row == 2


def test_numbers_as_class_names(score, fails, csv, tmp_path):
    """Columns 3, 7: the label 7 is the second class; 0 is none."""
    path = csv("prob_3,prob_7,label", "0.5,0.5,7", "0.25,0.75,3.0")
    assert wrong(score("cross-entropy", path)) == [math.log(2), math.log(4)]
    fails(3, "unknown-class", "cross-entropy", csv("prob_3,prob_7,label", "0.5,0.5,0", name="u.csv"))
    table = {"prob_3": [0.5, 0.25], "prob_7": [0.5, 0.75], "label": np.array([7, 3])}
    assert wrong(score("cross-entropy", table)) == [math.log(2), math.log(4)]
    fails(3, "unknown-class", "cross-entropy", {**table, "label": np.array([7, 0])})


def test_missing_class_labels(score, fails, csv, chunk):
    path = csv("prob_a,prob_b,label", "0.5,0.5,a", "0.5,0.5,")
    assert fails(3, "nan", "cross-entropy", path, chunk_rows=chunk).row == 2
    assert dict(score("cross-entropy", path, nan="skip", chunk_rows=chunk).dropped) == {"nan": 1}


def test_ignored_labels_among_names(score, csv, chunk):
    path = csv("prob_a,prob_b,label", "0.5,0.5,a", "0.5,0.5,-100", "0.25,0.75,b")
    report = score("cross-entropy", path, chunk_rows=chunk)
    assert dict(report.dropped) == {"ignored": 1}
    assert wrong(report) == [math.log(2), None, -math.log(0.75)]
    numbers = {"prob_a": [0.5, 0.5], "prob_b": [0.5, 0.5], "label": np.array([0, 255])}
    report = score("cross-entropy:ignore_index=255", numbers, classes=("0", "1"))
    assert wrong(report) == [math.log(2), None]


def test_no_ignored_label(fails, csv):
    path = csv("prob_a,prob_b,label", "0.5,0.5,-100")
    fails(3, "unknown-class", "cross-entropy:ignore_index=none", path)


def test_wide_labels_of_likelihood(score, csv):
    path = csv("prob_no,prob_yes,label", "0.25,0.75,yes", "0.5,0.5,no")
    assert wrong(score("likelihood", path)) == [0.75, 0.5]


# Two classes, one of them positive.


def test_positive(score, fails, csv, chunk):
    path = csv("prob,label", "0.5,spam", "0.25,ham", "0.75,Spam")
    error = fails(3, "not-a-number", "bce", path, chunk_rows=chunk)
    assert "--positive" in error.hint
    report = score("bce", path, positive="spam", chunk_rows=chunk)
    assert wrong(report) == pytest.approx([math.log(2), -math.log(0.75), math.log(4)])


def test_positive_number(score, csv):
    path = csv("prob,label", "0.5,2", "0.25,1.0", "0.75,2.0")
    assert wrong(score("bce", path, positive="2")) == pytest.approx([math.log(2), -math.log(0.75), -math.log(0.75)])


def test_positive_for_signed_labels(score, csv):
    path = csv("y_pred,label", "1,yes", "1,no")
    assert wrong(score("hinge", path, positive="yes")) == [0.0, 2.0]


def test_positive_and_missing(score, fails, csv):
    path = csv("prob,label", "0.5,yes", "0.5,")
    assert fails(3, "nan", "bce", path, positive="yes").row == 2
    assert dict(score("bce", path, positive="yes", nan="skip").dropped) == {"nan": 1}


def test_booleans_are_0_and_1(score, csv):
    expected = [math.log(2), -math.log(0.75)]
    assert wrong(score("bce", {"prob": [0.5, 0.25], "label": np.array([True, False])})) == pytest.approx(expected)
    assert wrong(score("bce", csv("prob,label", "0.5,true", "0.25,False"))) == pytest.approx(expected)


# The parts by themselves.

PLACES = {"pred": ("p.csv", "p"), "target": ("t.csv", "t")}


def test_vocabulary():
    words = Vocabulary()
    assert words.encode("pred", np.array([0, 1, -1, 2]), ["a", "1", ""], 0).tolist() == [0, 1, -1, -1]
    assert words.encode("target", np.array([1, 0]), ["1.0", "b"], 4).tolist() == [2, 1]
    assert words.codes == {"a": 0, 1: 1, "b": 2}
    words.verdict("x", PLACES)


def test_vocabulary_remembers_the_first_row():
    words = Vocabulary()
    words.encode("pred", np.array([0, 1]), ["1", "2"], 0)
    words.encode("target", np.array([0, 0]), ["1"], 0)
    words.encode("pred", np.array([0, 1]), ["2", "a"], 2)
    with pytest.raises(DataError) as caught:
        words.verdict("x", PLACES)
    assert (caught.value.row, caught.value.code) == (4, "labels-differ")
    assert (caught.value.file, caught.value.column) == PLACES["pred"]


def test_class_names():
    names = ClassNames(("b", "1", "a"), None)
    assert (names.count, names.plain) == (3, False)
    assert [names.place(label, None) for label in ("a", "b", 1, "c", 0)] == [2.0, 0.0, 1.0, None, None]
    assert names.place(-1, -1.0) == -1.0
    indices = ClassNames(None, 3)
    assert (indices.count, indices.plain) == (3, True)
    assert [indices.place(label, None) for label in (2, 7, "a", 0.5)] == [2.0, 7.0, None, None]
    assert ClassNames(("0", "1", "2"), None).plain
    assert not ClassNames(("1", "2"), None).plain


def test_class_names_in_codes():
    names = ClassNames(("a", "b"), None)
    codes = names.encode(np.array([0, -1, 1, 2]), ["b", "a", ""], None, ("f", "c", 0))
    assert np.array_equal(codes, [1.0, np.nan, 0.0, np.nan], equal_nan=True)
    with pytest.raises(DataError) as caught:
        names.encode(np.array([0, 1]), ["b", "z"], None, ("f", "c", 10))
    assert (caught.value.row, caught.value.file, caught.value.column) == (12, "f", "c")


def test_class_names_in_numbers():
    names = ClassNames(("3", "7"), None)
    found = names.renumber(np.array([7.0, 3.0, np.nan, -100.0]), -100.0, ("f", "c", 0))
    assert np.array_equal(found, [1.0, 0.0, np.nan, -100.0], equal_nan=True)
    with pytest.raises(DataError) as caught:
        names.renumber(np.array([7.0, 4.0]), None, ("f", "c", 5))
    assert caught.value.row == 7
