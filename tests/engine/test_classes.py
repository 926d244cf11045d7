"""``--per-class``: the value of a class is that of the slice of rows whose target it is."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.roles.binding import Request
from lossctl.engine.options import Options, Plan, quantile_of
from lossctl.engine.run import run
from lossctl.errors import DataError, UsageError
from lossctl.model.batch import settle
from lossctl.model.call import LossCall
from lossctl.model.kinds import Sizes
from lossctl.model.registry import entries

NAN = math.nan
ROWS, CLASSES = 31, 3
VIEWS = ["mean", "sum", "min", "max", "median", "p90", "std", "prod", "set"]


def table_of(entry: Any, given: dict[str, Any], wide: int = 0) -> dict[str, Any]:
    """Good arrays of all roles; the target once more as a column of slices."""
    params = settle(entry, given)
    rng = np.random.default_rng(11)
    rows = {i.role: i.kind.sample(rng, Sizes(ROWS, wide, CLASSES), params) for i in entry.spec.inputs}
    found: dict[str, Any] = {}
    for i in entry.spec.inputs:
        found.update(rows[i.role] if i.kind.mapping else {i.role: np.asarray(rows[i.role])})
    found["w"] = rng.uniform(0, 3, ROWS) * (rng.random(ROWS) < 0.8)
    found["size"] = np.array(["s", "m", "l"])[rng.integers(0, 3, ROWS)]
    if "target" in found and found["target"].ndim == 1 and found["target"].dtype.kind in "fiu":
        found["class"] = np.array([f"{label:g}" for label in found["target"]])
    return found


def score(entry: Any, given: dict[str, Any], table: dict[str, Any], request: Request, **options: Any) -> Any:
    call = LossCall.make(entry.name, given)
    report = run([call], [MemorySource(table)], request, Options(**{"rows": 0, **options}))
    return report._replace(results=[r for r in report.results if r.slice in {"total", "group"}])


def has_classes(entry: Any, given: dict[str, Any], wide: int) -> bool:
    table = table_of(entry, given, wide)
    reduce = entry.spec.reduction(settle(entry, given))
    if "class" not in table or reduce.classes is not None:
        return False
    try:
        return len(score(entry, given, table, Request(), per_class=True).results) > 1
    except (DataError, UsageError):
        return False


def variants(entry: Any) -> list[dict[str, Any]]:
    choices = [
        {name: choice}
        for name, param in entry.spec.params.items()
        if name not in entry.fixed and param.when is None
        for choice in param.choices
        if choice != param.default
    ]
    return [{}, *choices]


CASES = [
    pytest.param(entry, given, wide, id=f"{LossCall.make(entry.name, given).text()}-{wide}")
    for entry in entries()
    for given in variants(entry)
    for wide in (0, CLASSES)
    if has_classes(entry, given, wide)
]


def facts(result: Any) -> str:
    return repr(
        (
            result.value, result.n, result.weight_sum, result.divisor, result.n_elements, result.stats,
            result.histogram, dict(result.dropped), result.reduction, result.params, result.resolved, result.log_value,
        )
    )  # fmt: skip


def holds(entry: Any, given: dict[str, Any], wide: int, request: Request, **options: Any) -> None:
    """Total and slices keep their values; every class in them is the slice by the target."""
    table = table_of(entry, given, wide)
    mine = score(entry, given, table, request, per_class=True, empty="nan", **options).results
    by_target = request._replace(by=(*request.by, "class"))
    slices = score(entry, given, table, by_target, empty="nan", **{**options, "chunk_rows": None}).results
    bare = score(entry, given, table, request, empty="nan", **options).results
    assert [facts(r) for r in mine if r.of_class is None] == [facts(r) for r in bare]
    names = request.by
    found = {
        (tuple((r.group or {}).values()), r.of_class): facts(r)
        for r in mine
        if r.of_class is not None and (r.group is not None or not names)
    }
    assert found == {(tuple(r.group[n] for n in names), r.group["class"]): facts(r) for r in slices if r.group}
    if names:
        of_all = [(r.of_class, facts(r)) for r in mine if r.of_class is not None and r.group is None]
        plain = score(entry, given, table, request._replace(by=()), per_class=True, empty="nan", **options).results
        assert of_all == [(r.of_class, facts(r)) for r in plain if r.of_class is not None]


def test_there_are_losses_with_classes():
    names = {param.values[0].name for param in CASES}
    assert {"cross-entropy", "nll", "bce", "bce-with-logits", "zero-one", "likelihood", "hinge"} <= names
    assert {"linear-cross-entropy", "adaptive-log-softmax", "balanced-sigmoid-ce"} <= names


@pytest.mark.parametrize(("entry", "given", "wide"), CASES)
def test_a_class_is_a_slice_by_the_target(entry, given, wide):
    """Under every reduction."""
    views = entry.spec.reduction(settle(entry, given)).views
    for view in VIEWS:
        if view in views or (quantile_of(view) is not None and "pNN" in views):
            holds(entry, given, wide, Request(), reduction=view)


@pytest.mark.parametrize(("entry", "given", "wide"), CASES)
def test_with_weights_slices_and_statistics(entry, given, wide):
    holds(entry, given, wide, Request(weight="w", by=("size",)), stats=True, chunk_rows=4)


def shown(report: Any) -> list[Any]:
    return [(r.of_class, r.value) for r in report.results]


def names_of(report: Any) -> list[str]:
    return [r.of_class for r in report.results if r.of_class is not None]


# What classes are called, and in which order they stand.


def test_names_of_scores_in_their_order(csv, score, chunk):
    path = csv("prob_b,prob_a,prob_c,y", "0.5,0.25,0.25,c", "0.5,0.25,0.25,a", "0.25,0.25,0.5,b", "0.5,0.25,0.25,b")
    found = score("cross-entropy", path, per_class=True, chunk_rows=chunk)
    assert names_of(found) == ["b", "a", "c"]
    assert [r.value for r in found.results[1:]] == [
        pytest.approx(math.log(8) / 2), pytest.approx(math.log(4)), pytest.approx(math.log(4)),
    ]  # fmt: skip
    assert names_of(score("cross-entropy", path, per_class=True, classes=("c", "b", "a"))) == ["c", "b", "a"]
    assert names_of(score("zero-one", path, per_class=True, chunk_rows=chunk)) == ["b", "a", "c"]


def test_numbers_of_classes(csv, score, chunk):
    """Names that are numbers, as columns or in labels, keep their numbers: 10 behind 2."""
    path = csv("logit_10,logit_2,y", "1,0,10", "0,1,2", "0,1,10.0")
    assert names_of(score("cross-entropy", path, per_class=True, chunk_rows=chunk)) == ["2", "10"]
    table = {"pred": [[1.0, 0.0, 0.0]] * 3, "target": [2, 0, 2]}
    assert names_of(score("cross-entropy", table, per_class=True, chunk_rows=chunk)) == ["0", "2"]
    words = {**table, "target": ["z", "x", "z"]}
    named = score("cross-entropy", words, per_class=True, classes=("x", "y", "z"), chunk_rows=chunk)
    assert names_of(named) == ["x", "z"]
    one_by_one = csv("a,b,c,y", "1,0,0,2", "1,0,0,0", name="plain.csv")
    assert names_of(score("cross-entropy", one_by_one, roles={"pred": "a,b,c"}, per_class=True)) == ["a", "c"]


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_labels_that_are_compared_stand_by_the_alphabet(csv, score, rows):
    """Not in the order in which they were met: that would depend on the chunks."""
    path = csv("y_pred,y_true", "x,dog", "cat,cat", "ant,dog", "dog,ant", "ant,ant")
    found = score("zero-one", path, per_class=True, chunk_rows=rows)
    assert shown(found) == [(None, 0.6), ("ant", 0.5), ("cat", 0.0), ("dog", 1.0)]
    numbers = csv("y_pred,y_true", "9,10", "2,2.0", "10,10", "1,0.5", "0.5,-1", name="numbers.csv")
    with pytest.raises(DataError):  # 0.5 is no predicted label
        score("zero-one", numbers, per_class=True, chunk_rows=rows)
    numbers = csv("y_pred,y_true", "9,10", "2,2.0", "10,10", "1,0.5", "0,-1", name="numbers.csv")
    found = score("zero-one", numbers, per_class=True, chunk_rows=rows)
    assert shown(found)[1:] == [("-1", 1.0), ("0.5", 1.0), ("2", 0.0), ("10", 0.5)]


def test_labels_in_arrays(score, chunk):
    found = score("zero-one", {"pred": [3.0, 1.0, 2.0], "target": [10.0, 1.0, 2.0]}, per_class=True, chunk_rows=chunk)
    assert shown(found)[1:] == [("1", 0.0), ("2", 0.0), ("10", 1.0)]
    table = {"pred": ["b", "a", "b"], "target": ["b", "b", "a"]}
    assert shown(score("zero-one", table, per_class=True, chunk_rows=chunk))[1:] == [("a", 1.0), ("b", 0.5)]


def test_two_classes_are_called_as_they_are_written(score, csv):
    scores = [0.5, -1.0, 2.0]
    assert names_of(score("hinge", {"pred": scores, "target": [0, 1, 0]}, per_class=True)) == ["0", "1"]
    assert names_of(score("hinge", {"pred": scores, "target": [-1, 1, -1]}, per_class=True)) == ["-1", "1"]
    assert names_of(score("bce", {"pred": [0.5, 0.25], "target": [True, False]}, per_class=True)) == ["0", "1"]
    path = csv("y_pred,y", "0.5,benign", "0.25,malignant", "0.75,benign")
    found = score("bce,hinge", path, per_class=True, positive="malignant")
    assert names_of(found) == ["not malignant", "malignant"] * 2


# Rows that do not count, and targets that are no class.


def test_ignored_rows_are_of_no_class(score, chunk):
    table = {"pred": [[1.0, 0.0]] * 4, "target": [0, -100, 1, 0], "m": [1, 1, 1, 0]}
    found = score("cross-entropy", table, mask="m", per_class=True, chunk_rows=chunk).results
    assert [(r.of_class, r.n, dict(r.dropped)) for r in found] == [
        (None, 2, {"ignored": 2}), ("0", 1, {"ignored": 1}), ("1", 1, {}),
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_a_missing_value_counts_in_the_class_of_its_row(score, rows):
    """And a missing target in no class, whatever stands in the rows around."""
    table = {"pred": [0.0, NAN, 2.0, 2.0, 1.0], "target": [0.0, 2.0, NAN, 2.0, 1.0]}
    through = score("zero-one", table, nan="propagate", per_class=True, chunk_rows=rows).results
    assert [(r.of_class, r.n, repr(r.value)) for r in through] == [
        (None, 5, "nan"), ("0", 1, "0.0"), ("1", 1, "0.0"), ("2", 2, "nan"),
    ]  # fmt: skip
    skipped = score("zero-one", table, nan="skip", per_class=True, chunk_rows=rows).results
    assert [(r.of_class, r.n, r.value, dict(r.dropped)) for r in skipped] == [
        (None, 3, 0.0, {"nan": 2}), ("0", 1, 0.0, {}), ("1", 1, 0.0, {}), ("2", 1, 0.0, {"nan": 1}),
    ]  # fmt: skip


def test_a_class_without_a_row_left(score, chunk):
    table = {"pred": [0.0, NAN, 2.0], "target": [0.0, 1.0, 2.0], "w": [1.0, 1.0, 0.0]}
    found = score("zero-one", table, nan="skip", per_class=True, weight="w", chunk_rows=chunk).results
    assert [(r.of_class, r.n, repr(r.value)) for r in found] == [
        (None, 2, "0.0"), ("0", 1, "0.0"), ("1", 0, "nan"), ("2", 1, "nan"),
    ]  # fmt: skip
    found = score("zero-one", table, nan="skip", per_class=True, weight="w", empty="zero").results
    assert [r.value for r in found] == [0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_soft_targets_are_of_no_class(fails, csv, rows):
    path = csv("y_prob,y", "0.5,1", "0.5,0", "0.5,0.25", "0.5,0.75")
    error = fails(3, "soft-target", "bce", path, per_class=True, chunk_rows=rows)
    assert (error.row, error.column, error.file) == (3, "y", path)
    assert "0.25" in error.message
    table = {"pred": [[1.0, 0.0]], "target": [[0.5, 0.5]]}
    assert "--per-class" in fails(2, "bad-option", "cross-entropy", table, per_class=True).message


def test_soft_targets_that_do_not_count(score):
    table = {"pred": [0.5, 0.5, NAN], "target": [1.0, 0.25, 0.5], "m": [1, 0, 1]}
    assert names_of(score("bce", table, mask="m", nan="skip", per_class=True)) == ["1"]


@pytest.mark.parametrize(
    ("loss", "table"),
    [
        ("mse", {"pred": [1.0], "target": [1.0]}),
        ("r2", {"pred": [1.0, 2.0], "target": [1.0, 3.0]}),
        ("bce", {"pred": [[0.5, 0.5]], "target": [[1.0, 0.0]]}),
        ("zero-one", {"pred": [[1.0, 0.0]], "target": [[1.0, 0.0]]}),
        ("jaccard-hard:average=samples", {"pred": [[1.0, 0.0]], "target": [[1.0, 0.0]]}),
        ("kl-div", {"pred": [[-1.0, -1.0]], "target": [[0.5, 0.5]]}),
        ("triplet-margin", {role: [[1.0]] for role in ("anchor", "positive", "negative")}),
        ("ndcg-loss", {"pred": [1.0, 2.0], "target": [1, 0], "group": ["a", "a"]}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refused_without_a_class_for_each_row(fails, loss, table):
    error = fails(2, "bad-option", loss, table, per_class=True)
    assert loss.split(":")[0] in error.message
    assert "--per-class" in error.message


def test_intervals_are_for_totals(fails):
    fails(2, "bad-option", "zero-one", {"pred": [1.0], "target": [1.0]}, per_class=True, ci=Plan())


def test_no_classes_without_a_reduction(score):
    report = score("zero-one", {"pred": [1.0], "target": [1.0]}, reduction="none", per_class=True)
    assert [(r.of_class, r.value) for r in report.results] == [(None, None)]


def test_columns_and_classes_together(score):
    """A loss has either; asked for both, a call of two losses gives each what it has only if it is a set."""
    table = {"pred": [0.25, 0.5], "target": [1.0, 0.0]}
    found = score("bce", table, per_class=True, per_column=True).results
    assert [(r.column, r.of_class) for r in found] == [(None, None), ("pred", None), (None, "0"), (None, "1")]


# Losses that count labels give every label its own value.


LABELS = {"pred": [3.0, 1.0, 2.0, 2.0, 3.0], "target": [3.0, 3.0, 2.0, 1.0, 1.0], "g": ["a", "a", "b", "b", "a"]}


def jaccard(pred: list[Any], target: list[Any], label: Any) -> float:
    both = sum(p == label == t for p, t in zip(pred, target, strict=True))
    either = sum(label in pair for pair in zip(pred, target, strict=True))
    return float(1 - Fraction(both, either))


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_labels_counted(score, chunk, average):
    found = score(f"jaccard-hard:average={average}", LABELS, by=("g",), per_class=True, chunk_rows=chunk).results
    expected = []
    for group in (None, "a", "b"):
        rows = [i for i, g in enumerate(LABELS["g"]) if group in (None, g)]
        pred, target = ([LABELS[role][i] for i in rows] for role in ("pred", "target"))
        expected.append((group, None, len(rows)))
        expected += [(group, f"{label:g}", jaccard(pred, target, label)) for label in sorted({*pred, *target})]
    got = [(r.group and r.group["g"], r.of_class, r.n if r.of_class is None else r.value) for r in found]
    assert got == expected


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_a_slice_knows_its_own_labels_only(score, chunk, average):
    """A label that does not occur in a slice is not averaged in: a slice is a call on its rows alone."""
    loss = f"jaccard-hard:average={average}"
    for result in score(loss, LABELS, by=("g",), chunk_rows=chunk).results[1:]:
        rows = [i for i, g in enumerate(LABELS["g"]) if g == result.group["g"]]
        alone = {role: [LABELS[role][i] for i in rows] for role in ("pred", "target")}
        assert result.value == score(loss, alone).results[0].value


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_labels_counted_with_a_missing_value(score, rows):
    """Nothing is known of any label then; no label turns up that no row has."""
    table = {**LABELS, "pred": [3.0, NAN, 2.0, 2.0, 3.0]}
    found = score("jaccard-hard:average=macro", table, nan="propagate", per_class=True, chunk_rows=rows).results
    assert [(r.of_class, repr(r.value)) for r in found] == [(c, "nan") for c in (None, "1", "2", "3")]


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_words_counted(csv, score, rows):
    path = csv("y_pred,y_true", "x,dog", "cat,cat", "ant,dog", "dog,ant", "ant,ant")
    found = score("jaccard-hard:average=macro", path, per_class=True, chunk_rows=rows)
    assert shown(found)[1:] == [("ant", 2 / 3), ("cat", 0.0), ("dog", 1.0), ("x", 1.0)]


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_sets_counted(csv, score, rows):
    """Columns of 0 and 1 are numbers in a text file too: which of the two was met first does not matter."""
    lines = ["1,0,0,0,1,1,0,0", "0,0,1,0,0,0,1,0", "1,1,0,0,0,1,0,0"]
    path = csv("pred_a,pred_b,pred_c,pred_d,target_a,target_b,target_c,target_d", *lines)
    cells = np.array([line.split(",") for line in lines], float)
    arrays = {"pred": cells[:, :4], "target": cells[:, 4:]}
    expected = {"macro": [0.5, 0.5, 0.0, 1.0], "micro": None, "weighted": None, "samples": None}
    for average in expected:
        loss = f"jaccard-hard:average={average}"
        mine, other = score(loss, path, chunk_rows=rows).results[0], score(loss, arrays).results[0]
        assert mine.value == other.value, average
    assert score("jaccard-hard:average=micro", path).results[0].value == 0.4
    found = score("jaccard-hard:average=macro", path, per_class=True, chunk_rows=rows)
    assert shown(found) == [(None, 0.5), ("pred_a", 0.5), ("pred_b", 0.5), ("pred_c", 0.0), ("pred_d", 1.0)]
    assert names_of(score("jaccard-hard:average=macro", arrays, per_class=True)) == ["0", "1", "2", "3"]


def test_sets_of_text_with_a_positive_word(csv, score):
    path = csv("pred_a,pred_b,target_a,target_b", "yes,no,yes,yes", "no,no,yes,no")
    found = score("jaccard-hard:average=macro", path, positive="yes", per_class=True)
    assert shown(found) == [(None, 0.75), ("pred_a", 0.5), ("pred_b", 1.0)]


def test_decided_classes_counted(csv, score, chunk):
    path = csv("prob_b,prob_a,y", "0.75,0.25,a", "0.25,0.75,a", "0.75,0.25,b")
    found = score("jaccard-hard:average=macro:input=probs", path, per_class=True, chunk_rows=chunk)
    assert shown(found)[1:] == [("b", 0.5), ("a", 0.5)]
