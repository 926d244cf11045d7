"""Kinds: what is missing, what is refused, what labels become."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lossctl.errors import DataError
from lossctl.model.batch import IGNORED, NAN, OK, prepare
from lossctl.model.findings import Findings
from lossctl.model.kinds import Group, Kind, NonNegative, Scores, Sizes, Vector, every, first_where
from lossctl.model.reals import AboveMinusOne, Direction, Divisor
from lossctl.model.registry import get
from lossctl.model.scores import BinaryScores, ClassScores, LabelsOrScores, LogitOfTruth, ProbOfTruth
from lossctl.model.spec import same_shapes, shape_text
from lossctl.model.targets import BinaryTarget, ClassTarget, Distribution, LabelTarget, SignedTarget, Truth

INF, NONE = math.inf, math.nan
PROBS, LOGITS, LOGS, LABELS = ({"input": form} for form in ("probs", "logits", "log-probs", "labels"))
INDEX = {"ignore_index": -100}
BY_EPS, SKIPPED, REFUSED = ({"zero": word, "eps": 1e-7} for word in ("eps", "skip", "error"))
AS_THEY_ARE, AS_KERAS = {"clamp": "none"}, {"clamp": "keras"}


def broken(kind, values, params=None, classes=None):
    """Code -> rows, for the rules that some rows break."""
    array = np.array(values, float)
    found = kind.check(array, params or {}, classes)
    return {(r.code, r.severity): np.flatnonzero(rows).tolist() for r, rows, _ in found if rows.any()}


@pytest.mark.parametrize(
    ("kind", "params", "missing"),
    [
        (Kind(), {}, [NONE, INF, -INF]),
        (Vector(), {}, [NONE, INF, -INF]),
        (Scores(), {}, [NONE, INF, -INF]),
        (NonNegative(), {}, [NONE, INF, -INF]),
        (Divisor(), BY_EPS, [NONE, INF, -INF]),
        (AboveMinusOne(), AS_THEY_ARE, [NONE, INF, -INF]),
        (Direction(), {}, [NONE, INF, -INF]),
        (BinaryScores(), PROBS, [NONE, INF, -INF]),
        (BinaryScores(), LOGITS, [NONE, INF]),
        (BinaryScores(fixed="logits"), {}, [NONE, INF]),
        (ClassScores(), PROBS, [NONE, INF, -INF]),
        (ClassScores(), LOGITS, [NONE, INF]),
        (ClassScores(), LOGS, [NONE, INF]),
        (ClassScores(fixed="log-probs"), {}, [NONE, INF]),
        (Distribution(), {}, [NONE, INF, -INF]),
        (Distribution(), {"log_target": True}, [NONE, INF]),
        (BinaryTarget(), {}, [NONE, INF, -INF]),
        (ClassTarget(), INDEX, [NONE, INF, -INF]),
        (SignedTarget(), {"labels": "auto"}, [NONE, INF, -INF]),
        (LabelsOrScores(), LABELS, [NONE, INF, -INF]),
        (LabelsOrScores(), LOGITS, [NONE, INF]),
        (LabelTarget(), LABELS, [NONE, INF, -INF]),
        (ProbOfTruth(), {}, [NONE, INF, -INF]),
        (LogitOfTruth(), {}, [NONE, INF]),
        (Truth(), {}, [NONE, INF, -INF]),
    ],
)
def test_what_is_missing(kind, params, missing):
    """A logit or log-probability may be -inf, which masks it; nothing may be +inf or NaN."""
    values = np.array([0.0, 1.0, NONE, INF, -INF])
    found = kind.missing(values, params).tolist()
    assert found == [False, False, True, True, -INF in missing]
    assert [kind.lacks(values[i : i + 1], params) for i in range(5)] == found
    assert not kind.lacks(values[:2], params)
    assert kind.lacks(values, params)
    assert not kind.lacks(values[:0], params)


def test_codes_are_missing_below_zero():
    assert Group().missing(np.array([0, -1, 3]), {}).tolist() == [False, True, False]
    assert LabelTarget().missing(np.array([0, -1, 3]), LABELS).tolist() == [False, True, False]
    assert ClassTarget().missing(np.array([0, -1, 3]), INDEX).tolist() == [False] * 3


@pytest.mark.parametrize(
    ("kind", "params", "values", "expected"),
    [
        (Kind(), {}, [-1e300, 0, 1e300], {}),
        (NonNegative(), {}, [0, 1, -0.5], {("negative", "error"): [2]}),
        (Divisor(), REFUSED, [0, 1e-300, -0.0, -1], {("zero-target", "error"): [0, 2]}),
        (Divisor(), BY_EPS, [0, 1e-8, -1e-7, 1e-7], {("zero-target", "warning"): [0, 1]}),
        (Divisor(), SKIPPED, [0, 1], {}),
        (AboveMinusOne(), AS_THEY_ARE, [-1, -1 + 2**-53, 0, -2], {("not-above-minus-one", "error"): [0, 3]}),
        (AboveMinusOne(), AS_KERAS, [-1, -1e-300, 0, -2], {("clamped", "warning"): [0, 1, 3]}),
        (Direction(), {}, [[0, 1], [0, 0], [-1e-300, 0]], {("zero-vector", "warning"): [1]}),
        (Direction(), {}, [[3], [4]], {("one-element", "error"): [0, 1]}),
        (BinaryScores(), PROBS, [0, 1, 0.5, 1 + 1e-15, -1e-300], {("not-a-probability", "error"): [3, 4]}),
        (BinaryScores(), LOGITS, [-50, 50, -INF], {}),
        (BinaryTarget(), {}, [0, 1, 0.5, -1], {("target-range", "error"): [2, 3]}),
        (BinaryTarget(soft=True), {}, [0, 1, 0.5, -1, 1.5], {("target-range", "error"): [3, 4]}),
        (SignedTarget(), {"labels": "01"}, [0, 1, -1], {("bad-label", "error"): [2], ("label-zero", "fact"): [0]}),
        (Truth(), {}, [0, 1, 2, 0.5], {("unknown-class", "error"): [2, 3]}),
        (LabelsOrScores(), LABELS, [0, -3, 0.5], {("fractional-label", "error"): [2]}),
        (LabelsOrScores(), PROBS, [0, 0.5, 1.5], {("not-a-probability", "error"): [2]}),
        (LabelsOrScores(), LOGITS, [0, 0.5, 1.5], {}),
        (LabelTarget(), LABELS, [0, -3, 0.5], {}),
        (LabelTarget(), PROBS, [0, 1, 2], {("unknown-class", "error"): [2]}),
        (ProbOfTruth(), {}, [0, 1, 1.5], {("not-a-probability", "error"): [2]}),
        (ClassTarget(), INDEX, [0, 1e6, -1, 0.5], {("unknown-class", "error"): [2, 3]}),
    ],
)
def test_rules(kind, params, values, expected):
    found = broken(kind, values, params)
    assert {key: rows for key, rows in found.items() if key[0] != "label-minus-one"} == expected


def test_rules_with_classes():
    assert broken(ClassTarget(), [0, 2, 3], INDEX, classes=3) == {("unknown-class", "error"): [2]}
    assert broken(Truth(), [0, 2, 3], {}, classes=3) == {("unknown-class", "error"): [2]}
    assert broken(LabelTarget(), [0, 2, 3], PROBS, classes=3) == {("unknown-class", "error"): [2]}


@pytest.mark.parametrize(("kind", "params"), [(ClassScores(), PROBS), (Distribution(), {}), (ProbOfTruth(), {})])
def test_rows_of_probabilities(kind, params):
    """Off by more than 0.05 is an error, by more than 1e-6 a warning."""
    rows = [[0.5, 0.5], [0.5, 0.5 + 9e-7], [0.5, 0.5 + 2e-6], [0.5, 0.549], [0.5, 0.44], [0.5, 0.551], [0.5, 0.56]]
    found = broken(kind, rows, params)
    assert found["not-normalised", "warning"] == [2, 3]
    assert found["not-normalised", "error"] == [4, 5, 6]


def test_rows_of_soft_targets():
    rows = [[0.5, 0.5], [1.5, -0.5], [0.5, 0.51], [0.5, 0.1]]
    found = broken(ClassTarget(soft=True), rows, INDEX)
    assert found == {
        ("negative", "error"): [1],
        ("not-normalised", "warning"): [2],
        ("not-normalised", "error"): [3],
    }


def test_single_precision_sums_to_one_within_its_own_rounding():
    rng = np.random.default_rng(0)
    raw = rng.uniform(size=(50, 1000)).astype(np.float32)
    rows = raw / raw.sum(axis=1, keepdims=True)
    assert not [r for r, rows_broken, _ in ClassScores().check(rows, PROBS) if rows_broken.any()]
    double = np.array([[0.5, 0.5 + 5e-6]])
    assert [r.severity for r, rows_broken, _ in ClassScores().check(double, PROBS) if rows_broken.any()] == ["warning"]


@pytest.mark.parametrize("kind", [ClassScores(fixed="log-probs"), Distribution()])
def test_rows_of_log_probabilities(kind):
    params = {"log_target": True}
    rows = [[math.log(0.5)] * 2, [0.0, -INF], [math.log(0.5), math.log(0.5) + 3e-3], [1e-7, -INF], [0.1, -1.0]]
    found = broken(kind, rows, params)
    assert found["not-normalised", "warning"] == [2, 4]
    assert found["positive-log-prob", "error"] == [4]


def test_a_row_of_masked_logits_only():
    assert broken(ClassScores(), [[-INF, -INF]], LOGITS) == {}
    assert ("not-normalised", "warning") in broken(ClassScores(), [[-INF, -INF]], LOGS)


# Labels of two classes.


def facts(*batches):
    findings = Findings()
    first = 0
    for values in batches:
        array = np.array(values, float)
        for seen in SignedTarget().check(array, {"labels": "auto"}):
            findings.add("target", seen, np.arange(first, first + len(array)))
        first += len(array)
    return list(SignedTarget().verdict("target", findings))


def test_labels_are_decided_over_all_batches():
    assert facts([0, 1], [1, 0]) == []
    assert facts([-1, 1], [1, -1]) == []
    assert facts([1, 1]) == []
    [(code, text, row)] = facts([1, -1], [1, 0])
    assert (code, row) == ("mixed-labels", 3)
    assert "row 4 has 0" in text
    assert "row 2 has -1" in text


def test_signed_labels_against_a_single_probability_bring_the_way_out():
    labels = np.array([1.0, -1.0])
    (single,), (several,) = Truth().check(labels, {}, None), Truth().check(labels, {}, 3)
    assert "-1/+1" in single[0].hint
    assert several[0].hint is None


def test_stored_precision_is_seen():
    """Probabilities of either form keep float32, by which scikit-learn chooses where to clip."""
    assert ProbOfTruth().canonical(np.zeros(2, np.float32), {}).dtype == np.float32
    assert LogitOfTruth().canonical(np.zeros(2, np.float32), {}).dtype == np.float64


def test_logits_of_every_class_where_rows_are_wide():
    rng = np.random.default_rng(1)
    assert LogitOfTruth().sample(rng, Sizes(5, 0, 4), {}).shape == (5,)
    assert LogitOfTruth().sample(rng, Sizes(5, 2, 4), {}).shape == (5, 4)


def test_canonical_labels():
    assert SignedTarget().canonical(np.array([0.0, 1.0, -1.0]), {}).tolist() == [-1.0, 1.0, -1.0]
    index = ClassTarget().canonical(np.array([0.0, 2.0]), INDEX)
    assert (index.tolist(), index.dtype) == ([0, 2], np.int64)
    soft = ClassTarget(soft=True).canonical(np.array([[1, 0]]), INDEX)
    assert soft.dtype == np.float64
    assert Truth().canonical(np.array([1.0]), {}).dtype == np.int64
    assert LabelTarget().canonical(np.array([1.5]), LABELS).tolist() == [1.5]
    assert LabelTarget().canonical(np.array([1.0]), PROBS).dtype == np.int64


def test_canonical_amounts():
    assert AboveMinusOne().canonical(np.array([-5.0, 0.0, 1.0]), AS_KERAS).tolist() == [1e-7, 1e-7, 1.0]
    assert AboveMinusOne().canonical(np.array([-0.5, 0.0], np.float32), AS_THEY_ARE).tolist() == [-0.5, 0.0]


def test_ignored_rows():
    array = np.array([0.0, -100.0, 1.0])
    assert ClassTarget().ignored(array, INDEX).tolist() == [False, True, False]
    assert ClassTarget().ignored(array, {"ignore_index": None}) is None
    assert ClassTarget().ignored(np.zeros((3, 2)), INDEX) is None
    assert Kind().ignored(array, {}) is None
    assert Divisor().ignored(array, SKIPPED).tolist() == [True, False, False]
    assert Divisor().ignored(np.array([[1.0, 0.0], [2.0, 3.0]]), SKIPPED).tolist() == [True, False]
    assert Divisor().ignored(array, BY_EPS) is None


def test_renormalised_rows():
    array = np.array([[1.0, 3.0], [0.0, 0.0]])
    assert ClassScores().renormalise(array, PROBS).tolist() == [[0.25, 0.75], [0.0, 0.0]]
    assert ClassScores().renormalise(array, LOGITS) is array
    assert Kind().renormalise(array, {}) is array
    assert ProbOfTruth().renormalise(array[:, 0], {}).tolist() == [1.0, 0.0]


def test_samples_are_good_arrays():
    rng = np.random.default_rng(1)
    sizes = Sizes(50, 0, 4)
    for kind, params in (
        (Kind(), {}),
        (NonNegative(), {}),
        (Divisor(), REFUSED),
        (AboveMinusOne(), AS_THEY_ARE),
        (Direction(), {}),
        (BinaryScores(), PROBS),
        (BinaryTarget(), {}),
        (ClassScores(), PROBS),
        (ClassScores(), LOGS),
        (ClassTarget(), INDEX),
        (Distribution(), {}),
        (SignedTarget(), {"labels": "auto"}),
        (SignedTarget(), {"labels": "pm1"}),
        (SignedTarget(), {"labels": "01"}),
        (Truth(), {}),
        (ProbOfTruth(), {}),
        (LogitOfTruth(), {}),
        (LabelsOrScores(), LABELS),
        (LabelTarget(), PROBS),
    ):
        array = kind.sample(rng, sizes, params)
        assert len(array) == 50
        assert not kind.missing(array, params).any()
        bad = [rule for rule, rows, _ in kind.check(array, params, 4) if rows.any() and rule.severity != "fact"]
        assert not bad, (kind.name, params)


def test_every_and_first():
    mask = np.array([[False, True], [False, False], [True, True]])
    assert every(mask).tolist() == [True, False, True]
    assert every(mask[:, 0]).tolist() == [False, False, True]
    assert first_where(np.arange(6.0).reshape(3, 2), mask).tolist() == [1.0, 2.0, 4.0]


# Shapes.


@pytest.mark.parametrize(("shape", "text"), [((5,), "N"), ((5, 3), "N x 3"), ((5, 3, 2), "N x 3 x 2")])
def test_shapes_in_words(shape, text):
    assert shape_text(np.zeros(shape)) == text


def test_same_shapes():
    align = same_shapes(get("mse").spec)
    assert align({"pred": np.zeros(3), "target": np.zeros(3)}, {}) is None
    assert align({"pred": np.zeros((3, 2)), "target": np.zeros(3)}, {})
    assert align({"pred": np.zeros((3, 2)), "target": np.zeros((3, 3))}, {})


def test_vectors_are_lifted_and_columns_are_flattened():
    fit = get("mse").spec.fit
    found = fit({"pred": np.zeros((3, 1)), "target": np.zeros(3)}, {})
    assert found["pred"].shape == (3,)
    found = get("triplet-margin").spec.fit(dict.fromkeys(("anchor", "positive", "negative"), np.zeros(3)), {})
    assert found["anchor"].shape == (3, 1)
    with pytest.raises(DataError) as caught:
        fit({"pred": np.zeros((3, 2, 2)), "target": np.zeros(3)}, {})
    assert caught.value.code == "shape"
    assert "N x 2 x 2" in caught.value.message


# Rows: kept, missing, ignored.


def prepared(nan, mask=None, findings=None):
    spec = get("cross-entropy").spec
    params = spec.resolve({})
    arrays = {
        "pred": np.array([[0.0, 1.0], [NONE, 1.0], [0.0, 2.0], [NONE, 0.0], [3.0, 0.0]]),
        "target": np.array([0.0, 1.0, -100.0, -100.0, 1.0]),
    }
    before = {role: a.copy() for role, a in arrays.items()}
    rows = np.arange(10, 15)
    found = prepare(spec, params, arrays, nan=nan, findings=findings or Findings(), rows=rows, mask=mask)
    assert all(np.array_equal(arrays[role], before[role], equal_nan=True) for role in arrays)
    return found


def test_status_of_rows():
    """What does not count is ignored, whatever else is wrong with it."""
    skipped = prepared("skip")
    assert skipped.status.tolist() == [OK, NAN, IGNORED, IGNORED, OK]
    assert skipped.kept.tolist() == [0, 4]
    assert skipped.arrays["target"].tolist() == [0, 1]
    assert skipped.poisoned is None
    masked = prepared("skip", np.array([False, True, True, True, True]))
    assert masked.status.tolist() == [IGNORED, NAN, IGNORED, IGNORED, OK]


def test_rows_let_through():
    through = prepared("propagate")
    assert through.status.tolist() == [OK, OK, IGNORED, IGNORED, OK]
    assert through.poisoned.tolist() == [False, True, False]
    assert all(np.isfinite(a).all() for a in through.arrays.values())


def test_missing_rows_as_an_error():
    findings = Findings()
    prepared("error", findings=findings)
    [finding] = findings.of("error")
    assert (finding.rule.code, finding.count, finding.places[0][0]) == ("nan", 1, 11)
