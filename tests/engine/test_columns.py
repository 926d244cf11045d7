"""``--per-column``: the value of a column is that of a call on this column alone, to the last bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import lossctl
from lossctl.data.arrays.memory import MemorySource
from lossctl.data.roles.binding import Request
from lossctl.engine.options import Options, quantile_of
from lossctl.engine.run import run
from lossctl.errors import DataError, UsageError
from lossctl.model import registry
from lossctl.model.batch import settle
from lossctl.model.call import LossCall
from lossctl.model.kinds import Sizes
from lossctl.model.registry import entries

ROWS, WIDTH = 29, 3
NAN = math.nan


def samples(entry: Any, params: Any, wide: int) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    sizes = Sizes(ROWS, wide, WIDTH)
    return {i.role: np.asarray(i.kind.sample(rng, sizes, params)) for i in entry.spec.inputs}


def has_columns(entry: Any, given: dict[str, Any]) -> bool:
    """Whether a row of several elements is a row of columns: each has a value of its own."""
    spec, params = entry.spec, settle(entry, given)
    if spec.scope != "row" or any(i.kind.whole or i.kind.sums_to_one(params) for i in spec.inputs):
        return False
    if any(i.kind.decode(params, None) in {"units", "sequence"} for i in spec.inputs):
        return False  # rows of any length have no columns
    if spec.prelude is not None:
        return False  # a statistic of all columns: a test of its own
    try:
        arrays = spec.fit(samples(entry, params, WIDTH), params)
    except DataError:
        return False
    if arrays["target"].ndim == 1 if "target" in arrays else True:
        return False
    with np.errstate(all="ignore"):
        out = spec.run({i.role: i.kind.canonical(arrays[i.role], params) for i in spec.inputs}, params)
    reduce = spec.reduction(params)
    return reduce.width(out) == WIDTH and reduce.column(out, 0) is not None


def variants(entry: Any) -> list[dict[str, Any]]:
    """The defaults, and those parameters that change what is summed."""
    found: list[dict[str, Any]] = [{}]
    for name, param in entry.spec.params.items():
        if name not in entry.fixed and param.when is None:
            found += [{name: choice} for choice in param.choices if choice != param.default]
    return found


CASES = [
    pytest.param(entry, given, id=LossCall.make(entry.name, given).text())
    for entry in entries()
    for given in variants(entry)
    if has_columns(entry, given)
]
VIEWS = ["mean", "sum", "max", "p90", "std", "set", "prod"]


def score(entry: Any, given: dict[str, Any], table: dict[str, Any], request: Request, **options: Any) -> Any:
    call = LossCall.make(entry.name, given)
    report = run([call], [MemorySource(table)], request, Options(**{"rows": 0, **options}))
    return report._replace(results=[r for r in report.results if r.slice in {"total", "group"}])


def table_of(entry: Any, given: dict[str, Any], holes: bool = False) -> dict[str, Any]:
    found = samples(entry, settle(entry, given), WIDTH)
    rng = np.random.default_rng(3)
    if holes:
        for role, array in found.items():
            if array.dtype.kind == "f":
                found[role] = np.where(rng.random(array.shape) < 0.05, NAN, array)
    found["w"] = rng.uniform(0, 3, ROWS) * (rng.random(ROWS) < 0.8)
    found["g"] = np.array(["red", "green", "blue"])[rng.integers(0, 3, ROWS)]
    return found


def column(entry: Any, table: dict[str, Any], place: int, nan: str) -> dict[str, Any]:
    """The table with one column of each role only; a row that misses anything misses it here as well."""
    roles = [role for role in entry.spec.roles if table[role].ndim == 2]
    floats = [role for role in roles if table[role].dtype.kind == "f"]
    missing = np.zeros(ROWS, bool)
    for role in floats:
        missing |= np.isnan(table[role]).any(axis=1)
    found = {name: array[:, place] if name in roles else array for name, array in table.items()}
    for role in floats if nan != "error" else ():
        found[role] = np.where(missing, NAN, found[role])
    return found


def facts(result: Any) -> str:
    return repr(
        (
            result.value, result.n, result.weight_sum, result.divisor, result.n_elements, result.stats,
            result.histogram, dict(result.dropped), result.group, result.reduction, result.params, result.resolved,
        )
    )  # fmt: skip


def holds(entry: Any, given: dict[str, Any], request: Request, chunk: int | None = None, **options: Any) -> None:
    nan = options.get("nan", "error")
    table = table_of(entry, given, holes=nan != "error")
    every = score(entry, given, table, request, per_column=True, chunk_rows=chunk, empty="nan", **options)
    bare = score(entry, given, table, request, empty="nan", **options)
    totals = [r for r in every.results if r.column is None]
    assert list(map(facts, totals)) == list(map(facts, bare.results))
    assert [r.signature for r in totals] == [r.signature for r in bare.results]
    for place in range(WIDTH):
        alone = score(entry, given, column(entry, table, place, nan), request, empty="nan", **options)
        mine = [r for r in every.results if r.column == str(place)]
        assert list(map(facts, mine)) == list(map(facts, alone.results))


def views_of(entry: Any, given: dict[str, Any]) -> list[str]:
    views = entry.spec.reduction(settle(entry, given)).views
    return [v for v in VIEWS if v in views or (quantile_of(v) is not None and "pNN" in views)]


def test_there_are_losses_with_columns():
    names = {param.values[0].name for param in CASES}
    assert {"mse", "mae", "huber", "rmse", "r2", "median-ae", "d2-pinball", "max-error", "bce"} <= names


@pytest.mark.parametrize(("entry", "given"), CASES)
def test_a_column_is_a_call_on_it_alone(entry, given):
    """Under every reduction."""
    for view in views_of(entry, given):
        holds(entry, given, Request(), reduction=view)


@pytest.mark.parametrize(("entry", "given"), CASES)
@pytest.mark.parametrize("nan", ["error", "propagate"])
def test_with_weights_slices_statistics_and_holes(entry, given, nan):
    holds(entry, given, Request(weight="w", by=("g",)), nan=nan, stats=True)


@pytest.mark.parametrize(("entry", "given"), CASES)
def test_chunks_change_nothing(entry, given):
    holds(entry, given, Request(weight="w", by=("g",)), 4, nan="skip", stats=True)


@pytest.mark.parametrize(("entry", "given"), [c for c in CASES if c.values[0].spec.reduce.row_mode])
@pytest.mark.parametrize("options", [{"row": "sum"}, {"weight_norm": "n"}], ids=str)
def test_with_other_divisors(entry, given, options):
    holds(entry, given, Request(weight="w"), **options)


PAIR = {"pred": [[1.0, 5.0], [2.0, 7.0], [4.0, 6.0]], "target": [[0.0, 5.0], [0.0, 5.0], [0.0, 5.0]]}


def shown(report: Any) -> list[Any]:
    return [(r.column, r.value) for r in report.results]


def test_values_by_hand():
    found = lossctl.compute("mse,rmse,max-error", PAIR["pred"], PAIR["target"], per_column=True)
    assert shown(found) == [
        (None, 26 / 6), ("0", 7.0), ("1", 5 / 3),
        (None, math.sqrt(26 / 6)), ("0", math.sqrt(7)), ("1", math.sqrt(5 / 3)),
        (None, 4.0), ("0", 4.0), ("1", 2.0),
    ]  # fmt: skip
    assert [r.n_elements for r in found.results[:3]] == [6, None, None]
    assert [r.label for r in found.results] == ["mse"] * 3 + ["rmse"] * 3 + ["max-error"] * 3


def test_the_value_of_a_call_is_still_its_total():
    found = lossctl.compute("mse", PAIR["pred"], PAIR["target"], per_column=True)
    assert (found.value, found.n) == (26 / 6, 3)
    assert found.per_sample.tolist() == [0.5, 4.0, 8.5]


def test_names_from_columns(csv, score):
    """Those of the predictions, in the order in which they are compared."""
    path = csv("y_true_b,pred_a,y_true_a,pred_b", "0,1,1,2", "0,3,1,4")
    found = score("mse,mae", path, per_column=True)
    assert shown(found) == [
        (None, 6.0),
        ("pred_a", 2.0),
        ("pred_b", 10.0),
        (None, 2.0),
        ("pred_a", 1.0),
        ("pred_b", 3.0),
    ]
    named = score("mse", path, per_column=True, roles={"pred": "pred_b,pred_a", "target": "y_true_b,y_true_a"})
    assert shown(named)[1:] == [("pred_b", 10.0), ("pred_a", 2.0)]
    one = csv("y_pred,y_true", "1,0", "3,0", name="one.csv")
    assert shown(score("mse", one, per_column=True)) == [(None, 5.0), ("y_pred", 5.0)]


def test_names_from_files(tmp_path, score):
    """A column of an array has no name: its place stands there, from 0 as everywhere in NumPy."""
    for name in ("pred", "target"):
        np.save(tmp_path / f"{name}.npy", np.array(PAIR[name]))
    np.savez(tmp_path / "both.npz", **{name: np.array(array) for name, array in PAIR.items()})
    expected = [(None, 26 / 6), ("0", 7.0), ("1", 5 / 3)]
    assert shown(score("mse", tmp_path / "pred.npy", tmp_path / "target.npy", per_column=True)) == expected
    assert shown(score("mse", tmp_path / "both.npz", per_column=True)) == expected


def test_columns_stand_behind_their_slice(score):
    found = score("mae", {**PAIR, "g": ["b", "a", "b"]}, by=("g",), per_column=True).results
    assert [(r.slice, r.group and r.group["g"], r.column, r.value, r.n) for r in found] == [
        ("total", None, None, 10 / 6, 3), ("total", None, "0", 7 / 3, 3), ("total", None, "1", 1.0, 3),
        ("group", "a", None, 2.0, 1), ("group", "a", "0", 2.0, 1), ("group", "a", "1", 2.0, 1),
        ("group", "b", None, 1.5, 2), ("group", "b", "0", 2.5, 2), ("group", "b", "1", 0.5, 2),
    ]  # fmt: skip


def test_rows_dropped_everywhere_are_dropped_in_every_column(score, chunk):
    """A row that misses one column is dropped whole; a slice without a row left has columns all the same."""
    table = {
        "pred": [[1.0, NAN], [2.0, 7.0], [NAN, NAN], [1.0, 1.0]],
        "target": [[0.0, 5.0]] * 4,
        "g": ["a", "b", "a", "b"],
        "m": [1, 1, 1, 0],
    }
    found = score("mae", table, by=("g",), mask="m", nan="skip", per_column=True, chunk_rows=chunk).results
    assert [(r.group and r.group["g"], r.column, r.n, dict(r.dropped)) for r in found] == [
        (None, None, 1, {"nan": 2, "ignored": 1}), (None, "0", 1, {"nan": 2, "ignored": 1}),
        (None, "1", 1, {"nan": 2, "ignored": 1}),
        ("a", None, 0, {"nan": 2}), ("a", "0", 0, {"nan": 2}), ("a", "1", 0, {"nan": 2}),
        ("b", None, 1, {"ignored": 1}), ("b", "0", 1, {"ignored": 1}), ("b", "1", 1, {"ignored": 1}),
    ]  # fmt: skip
    assert [r.value for r in found[:3]] == [2.0, 2.0, 2.0]
    assert all(math.isnan(r.value) for r in found[3:6])


def test_columns_of_a_distribution_add_up(score):
    probs = np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    table = {"pred": np.log(probs), "target": probs[::-1].copy()}
    total, *parts = (r.value for r in score("kl-div", table, per_column=True).results)
    assert math.isclose(math.fsum(parts), total, rel_tol=1e-15)


def test_columns_share_the_statistic_of_the_total(score):
    """As slices do; with a statistic of one's own choice a column is a call on it alone again."""
    table = {"pred": [[1.0, -1.0], [2.0, 0.5], [-3.0, 1.0]], "target": [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]}
    auto = score("balanced-sigmoid-ce", table, per_column=True).results
    assert [dict(r.resolved) for r in auto] == [{"beta": 4 / 6}] * 3
    fixed = score("balanced-sigmoid-ce:beta=" + repr(4 / 6), table, per_column=True).results
    assert [r.value for r in auto] == [r.value for r in fixed]
    second = {role: [row[1] for row in rows] for role, rows in table.items()}
    assert fixed[2].value == score("balanced-sigmoid-ce:beta=" + repr(4 / 6), second).results[0].value


VECTORS = {"pred": [[3.0, 4.0], [0.0, 1.0]], "target": [[0.0, 0.0], [0.0, 0.0]]}
SETS = {"pred": [[1.0, 0.0], [1.0, 1.0]], "target": [[1.0, 0.0], [0.0, 1.0]]}


@pytest.mark.parametrize(
    ("loss", "table"),
    [
        ("l2-norm", VECTORS),
        ("l1-norm", VECTORS),
        ("cross-entropy", {"pred": [[1.0, 2.0], [3.0, 1.0]], "target": [0, 1]}),
        ("triplet-margin", dict.fromkeys(("anchor", "positive", "negative"), VECTORS["pred"])),
        ("ndcg-loss", {"pred": [1.0, 2.0], "target": [1, 0], "group": ["a", "a"]}),
        ("likelihood", {"pred": [0.5, 0.25], "target": [1, 0]}),
        ("jaccard-hard:average=macro", SETS),
        ("jaccard-hard:average=samples", SETS),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refused_where_a_value_comes_from_all_columns(fails, loss, table):
    error = fails(2, "bad-option", loss, table, per_column=True)
    assert loss.split(":")[0] in error.message
    assert "--per-column" in error.message


def test_norms_over_everything_have_columns(score):
    names = registry.get("l2-norm").spec.params.items()
    over = next(name for name, param in names if param.choices == ("sample", "all"))
    assert shown(score(f"l2-norm:{over}=all", VECTORS, per_column=True)) == [
        (None, math.sqrt(26)), ("0", 3.0), ("1", math.sqrt(17)),
    ]  # fmt: skip
    assert shown(score(f"l1-norm:{over}=all", VECTORS, per_column=True)) == [(None, 8.0), ("0", 3.0), ("1", 5.0)]


def test_no_columns_without_a_reduction(score):
    report = score("mse", PAIR, reduction="none", per_column=True)
    assert [(r.column, r.value) for r in report.results] == [(None, None)]


def test_intervals_are_for_totals(fails):
    from lossctl.engine.options import Plan

    fails(2, "bad-option", "mse", PAIR, per_column=True, ci=Plan())


def test_the_several_losses_of_a_call_each_have_theirs():
    with pytest.raises(UsageError, match="several"):
        _ = lossctl.compute("mse,mae", PAIR["pred"], PAIR["target"], per_column=True).value


def test_all_columns_share_the_memory(score):
    """What --memory allows is for the loss, not for each of its columns (or classes) again."""
    table = {"pred": np.zeros((1000, 5)), "target": np.zeros((1000, 5))}
    labels = {"pred": np.zeros(1000), "target": np.zeros(1000)}
    for loss, given, wanted, size in (("mae", table, "per_column", 48_000), ("zero-one", labels, "per_class", 20_000)):
        within = score(loss, given, stats=True, memory=size, **{wanted: True})
        beyond = score(loss, given, stats=True, memory=size - 1, **{wanted: True})
        assert within.warnings == []
        assert not any("approximate" in result.stats for result in within.results)
        assert [note.code for note in beyond.warnings] == ["approximate"]
        assert f"{size:,} bytes" in beyond.warnings[0].message
        assert all(result.stats["approximate"] is True for result in beyond.results)
        exact = score(loss, given, reduction="p90", memory=1, **{wanted: True}).results
        assert [r.value for r in exact] == [r.stats["p90"] for r in within.results]
