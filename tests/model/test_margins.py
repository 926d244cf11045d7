"""Kinds for margins: scores of any size, signs or classes, one-hot rows, sets and lists of labels."""

from __future__ import annotations

import math

import numpy as np
import pytest

import lossctl.losses
from lossctl.errors import DataError
from lossctl.model.findings import Findings
from lossctl.model.margins import (
    ClassDecisions,
    Decision,
    DecisionOrClasses,
    IndexLists,
    LabelLogits,
    LabelScores,
    LabelSet,
    SignedOrClass,
    TrueClass,
    before_end,
    repeated,
)

INF, NONE = math.inf, math.nan
AUTO, PM1, ZERO_ONE = ({"labels": word} for word in ("auto", "pm1", "01"))
INDEX = {"ignore_index": -100}


def broken(kind, values, params=None, classes=None):
    """Code -> rows, for the rules that some rows break."""
    found = kind.check(np.array(values, float), params or {}, classes)
    return {(r.code, r.severity): np.flatnonzero(rows).tolist() for r, rows, _ in found if rows.any()}


@pytest.mark.parametrize(
    ("kind", "params", "missing"),
    [
        (Decision(), {}, [NONE, INF, -INF]),
        (DecisionOrClasses(), {}, [NONE, INF, -INF]),
        (ClassDecisions(), {}, [NONE, INF, -INF]),
        (LabelScores(), {}, [NONE, INF, -INF]),
        (LabelLogits(), {}, [NONE, INF]),
        (LabelSet(), {}, [NONE, INF, -INF]),
        (SignedOrClass(), AUTO, [NONE, INF, -INF]),
        (TrueClass(), INDEX, [NONE, INF, -INF]),
        (IndexLists(), {}, [NONE, INF, -INF]),
    ],
)
def test_what_is_missing(kind, params, missing):
    values = np.array([0.0, 1.0, NONE, INF, -INF])
    assert kind.missing(values, params).tolist() == [False, False, True, True, -INF in missing]


@pytest.mark.parametrize(
    ("params", "classes", "values", "expected"),
    [
        (AUTO, None, [1, 0, 1], {("label-zero", "fact"): [1]}),
        (AUTO, None, [1, -1, 2], {("label-minus-one", "fact"): [1], ("bad-label", "error"): [2]}),
        (
            PM1,
            None,
            [1, -1, 0],
            {("label-minus-one", "fact"): [1], ("bad-label", "error"): [2], ("label-zero", "fact"): [2]},
        ),
        (AUTO, 3, [0, 1, 2], {}),
        (AUTO, 3, [0, -1, 3, 0.5], {("bad-label", "error"): [1, 2, 3]}),
        (AUTO, 2, [[0, 1], [1, 2]], {("bad-label", "error"): [1], ("label-zero", "fact"): [0]}),
    ],
)
def test_signs_or_classes(params, classes, values, expected):
    """What the labels of a column mean depends on how many scores stand beside them."""
    assert broken(SignedOrClass(), values, params, classes) == expected


def test_mixed_signs_are_seen_over_all_batches():
    """0 in one batch and -1 in another; among classes 0 is a class like any other."""
    kind = SignedOrClass()
    one, other = Findings(), Findings()
    for findings, values, rows in ((one, [1, 0], [0, 1]), (other, [-1, 1], [2, 3])):
        for seen in kind.check(np.array(values, float), AUTO, None):
            findings.add("target", seen, np.array(rows))
        assert not list(kind.verdict("target", findings))
    one.merge(other)
    ((code, text, row),) = kind.verdict("target", one)
    assert (code, row) == ("mixed-labels", 2)
    assert "row 2 has 0, row 3 has -1" in text


@pytest.mark.parametrize(
    ("values", "classes", "expected"),
    [
        ([0, 2, 1], 3, {}),
        ([0, 3, -1, 0.5], 3, {("unknown-class", "error"): [1, 2, 3]}),
        ([[1, 0, 0], [0, 0, 1]], 3, {}),
        ([[1, 0], [1, 1], [0, 0]], 2, {("not-one-hot", "error"): [1, 2]}),
        ([[1, 0], [0.5, 0.5], [1, -1]], 2, {("target-range", "error"): [1, 2]}),
    ],
)
def test_one_hot_rows(values, classes, expected):
    assert broken(TrueClass(), values, INDEX, classes) == expected


def test_one_hot_rows_are_indices():
    kind = TrueClass()
    assert kind.canonical(np.array([[0.0, 0, 1], [1, 0, 0]]), INDEX).tolist() == [2, 0]
    assert kind.canonical(np.array([2.0, 0.0]), INDEX).tolist() == [2, 0]
    assert kind.ignored(np.array([2.0, -100.0]), INDEX).tolist() == [False, True]
    assert kind.ignored(np.array([[0.0, 1.0]]), INDEX) is None


LISTS = np.array([[2.0, 0.0, -1.0], [-1.0, 7.0, 7.0], [0.0, 1.0, 2.0], [1.0, -1.0, 1.0]])


def test_lists_end_at_the_first_minus_one():
    assert before_end(LISTS).tolist() == [[True, True, False], [False] * 3, [True] * 3, [True, False, False]]
    assert broken(IndexLists(), LISTS, {}, 3) == {}
    members = IndexLists().canonical(LISTS, {})
    assert members.dtype == bool
    assert members.tolist() == [[True, False, True], [False] * 3, [True] * 3, [False, True, False]]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ([3, -1, -1], "unknown-class"),
        ([-2, -1, -1], "unknown-class"),
        ([0.5, -1, -1], "unknown-class"),
        ([0, 0, -1], "repeated-class"),
        ([2, 0, 2], "repeated-class"),
        ([1, 0, 0], "repeated-class"),
    ],
)
def test_bad_lists(row, code):
    assert broken(IndexLists(), [*LISTS, row], {}, 3) == {(code, "error"): [4]}


def test_the_second_of_two_is_the_repeated_one():
    lists = np.array([[2.0, 0.0, 2.0, 0.0], [1.0, 1.0, -1.0, 1.0], [-1.0, 3.0, 3.0, 3.0]])
    assert repeated(lists, before_end(lists)).tolist() == [
        [False, False, True, True],
        [False, True, False, False],
        [False] * 4,
    ]


# What the shapes say.


def test_the_shape_says_what_a_perceptron_reads():
    perceptron = lossctl.losses.perceptron
    assert perceptron([2.0, -3.0], [0, 1]).tolist() == [2.0, 3.0]
    assert perceptron([[2.0], [-3.0]], [0, 1]).tolist() == [2.0, 3.0]
    assert perceptron([[2.0, -3.0], [0.5, 0.0]], [0, 1]).tolist() == [0.0, 0.5]
    assert perceptron([[2.0, -3.0], [0.5, 0.0]], [[0, 0], [1, 0]]).tolist() == [1.0, 0.0]
    assert perceptron([[2.0, -3.0], [0.5, 0.0]], [[-1, -1], [1, -1]]).tolist() == [1.0, 0.0]


def test_zero_margins_are_no_negative_zeros():
    for pred, target in (([0.0, -0.0], [1, 1]), ([0.0, -0.0], [0, 0])):
        assert not np.signbit(lossctl.losses.perceptron(pred, target)).any()
        assert not np.signbit(lossctl.losses.hinge(pred, target, margin=0.0)).any()


@pytest.mark.parametrize("labels", ["01", "pm1"])
def test_two_classes_are_not_several_scores(labels):
    with pytest.raises(DataError, match="two classes") as caught:
        lossctl.losses.perceptron([[2.0, -3.0]], [1], labels=labels)
    assert caught.value.code == "shapes-differ"


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge", "exponential", "soft_margin", "hinge_embedding"])
def test_several_scores_beside_one_label(loss):
    with pytest.raises(DataError, match="multiclass-hinge") as caught:
        getattr(lossctl.losses, loss)([[2.0, -3.0]], [1])
    assert caught.value.code == "shapes-differ"


@pytest.mark.parametrize("loss", ["coverage_error", "label_ranking_loss", "lrap_loss", "multilabel_soft_margin"])
def test_a_class_index_is_no_label_set(loss):
    with pytest.raises(DataError, match="as many columns") as caught:
        getattr(lossctl.losses, loss)([[2.0, -3.0], [1.0, 2.0]], [1, 0])
    assert caught.value.code == "shapes-differ"


@pytest.mark.parametrize(
    ("loss", "values"),
    [("coverage_error", [1.0, 0.0]), ("label_ranking_loss", [0.0, 0.0]), ("lrap_loss", [0.0, 0.0])],
)
def test_one_column_is_one_label(loss, values):
    assert getattr(lossctl.losses, loss)([0.3, 0.7], [1, 0]).tolist() == values


@pytest.mark.parametrize("loss", ["multi_margin", "multilabel_soft_margin"])
def test_as_many_class_weights_as_classes(loss):
    target = [[1, 0, 0]]
    with pytest.raises(DataError, match="class_weight has 2 values for 3 classes"):
        getattr(lossctl.losses, loss)([[1.0, 2.0, 3.0]], target, class_weight=(1, 2))
