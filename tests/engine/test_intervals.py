"""``--ci``: a bootstrap whose digits no cut changes, and a normal approximation that does not cancel."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction
from statistics import NormalDist
from typing import Any

import jsonschema
import numpy as np
import pytest

import lossctl
from lossctl.cli.main import main
from lossctl.engine.books import Buckets, booked, dealt
from lossctl.engine.interval import Drawn, bootstrap, drawn_sums, draws
from lossctl.engine.options import BUCKETS, Options, Plan, level_of
from lossctl.engine.ranks import quantile
from lossctl.engine.tally import Tally
from lossctl.errors import UsageError
from lossctl.exact import Exact
from lossctl.model.call import LossCall
from lossctl.report.jsonout import document, schema
from lossctl.report.render import render

NAN, INF = math.nan, math.inf
FEW = Plan(resamples=20)


def regression(rows: int, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    target = rng.normal(size=rows)
    return {
        "pred": target + 0.3 * rng.normal(size=rows),
        "target": target,
        "w": rng.integers(0, 4, rows).astype(float),
        "g": np.array(["a", "b", "c"])[rng.integers(0, 3, rows)],
    }


def labels(rows: int) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {
        "pred": rng.integers(0, 3, rows).astype(float),
        "target": rng.integers(0, 3, rows).astype(float),
        "w": rng.integers(0, 4, rows).astype(float),
        "g": np.array(["a", "b"])[rng.integers(0, 2, rows)],
    }


def logits(rows: int) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    return {
        "pred": rng.normal(size=(rows, 3)),
        "target": rng.integers(0, 3, rows),
        "w": rng.integers(0, 4, rows).astype(float),
        "g": np.array(["a", "b"])[rng.integers(0, 2, rows)],
    }


def chances(rows: int) -> dict[str, Any]:
    found = labels(rows)
    rng = np.random.default_rng(3)
    return {**found, "pred": rng.uniform(0.3, 0.9, rows), "target": (found["target"] > 0).astype(float)}


def wide(rows: int) -> dict[str, Any]:
    rng = np.random.default_rng(4)
    return {**regression(rows), "pred": rng.normal(size=(rows, 2)), "target": rng.normal(size=(rows, 2))}


# Every way in which a value is finished from sums, counts, or values kept one by one.
LOSSES: list[tuple[str, Callable[[int], dict[str, Any]], dict[str, Any]]] = [
    ("mse", regression, {}),
    ("mae", wide, {}),
    ("huber", regression, {"reduction": "sum"}),
    ("mae", regression, {"weight_norm": "n"}),
    ("mae", wide, {"row": "sum"}),
    ("rmse", wide, {}),
    ("rmse:multioutput=per-column", wide, {}),
    ("r2", wide, {}),
    ("median-ae", regression, {}),
    ("median-ae:multioutput=per-column", wide, {}),
    ("d2-pinball:quantile=0.25", regression, {}),
    ("zero-one", labels, {}),
    ("jaccard-hard:average=macro", labels, {}),
    ("jaccard-hard:average=weighted", labels, {}),
    ("cross-entropy:class_weight=1/2/0.5", logits, {}),
    ("likelihood", chances, {}),
    ("likelihood", chances, {"reduction": "mean"}),
    ("bce", chances, {}),
]
EVERY = [pytest.param(*case, id="-".join([case[0], *map(str, case[2].values())])) for case in LOSSES]


def interval(report: Any, place: int = 0) -> tuple[float, float]:
    ci = report.results[place].ci
    return ci.low, ci.high


def bounds(values: list[float], level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of resampled values; those of nothing are left out."""
    found = np.sort([v for v in values if not math.isnan(v)])
    return quantile(found, (1 - level) / 2), quantile(found, 1 - (1 - level) / 2)


def repeated(table: dict[str, Any], times: Any) -> dict[str, Any]:
    return {name: np.repeat(array, times, axis=0) for name, array in table.items()}


def naive(score: Any, loss: str, table: dict[str, Any], plan: Plan, bucket: Any, **given: Any) -> list[float]:
    """Rows written down as often as they are drawn, each resample scored as a table of its own."""
    return [
        score(loss, repeated(table, drawn[bucket]), empty="nan", rows=0, **given).results[0].value
        for drawn in draws(plan)
    ]


# The bootstrap.


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize(("loss", "make", "given"), EVERY)
def test_up_to_1024_rows_it_is_the_plain_bootstrap(score, loss, make, given, weight):
    table = make(29)
    mine = score(loss, table, ci=FEW, weight=weight, **given)
    assert interval(mine) == bounds(naive(score, loss, table, FEW, np.arange(29), weight=weight, **given))


@pytest.mark.parametrize(("loss", "make", "given"), [case for case in EVERY if case.id in {"mse", "r2", "median-ae"}])
def test_beyond_rows_are_drawn_by_their_buckets(score, loss, make, given):
    table, plan = make(1500), Plan(resamples=8, seed=5)
    assert interval(score(loss, table, ci=plan)) == bounds(
        naive(score, loss, table, plan, dealt(np.arange(1500), plan.seed))
    )


@pytest.mark.parametrize("rows", [1024, 1025])
def test_the_edge_of_the_plain_bootstrap(score, rows):
    table, plan = regression(rows), Plan(resamples=5)
    bucket = np.arange(rows) if rows == BUCKETS else dealt(np.arange(rows), 0)
    assert interval(score("mae", table, ci=plan)) == bounds(naive(score, "mae", table, plan, bucket))


SOME = [case for case in EVERY if case.id in {"mse", "r2", "median-ae", "jaccard-hard:average=macro"}]


@pytest.mark.parametrize(
    ("loss", "make", "given", "rows"),
    [*(pytest.param(*case.values, 60, id=case.id) for case in EVERY)]
    + [pytest.param(*case.values, 2500, id=f"{case.id}-long") for case in SOME],
)
def test_no_cut_changes_a_digit(score, loss, make, given, rows):
    table = make(rows)
    chunks = (7, 1000) if rows > BUCKETS else (1, 7, 1000)
    found = [
        [(r.value, r.ci) for r in score(loss, table, ci=FEW, weight="w", by=("g",), chunk_rows=c, **given).results]
        for c in (None, *chunks)
    ]
    assert all(one == found[0] for one in found)
    assert all(low <= high for _, (_, low, high, *_) in found[0])


def test_one_row_at_a_time_beyond_the_buckets(score):
    table = regression(1100)
    found = [score("mse,median-ae", table, ci=FEW, by=("g",), chunk_rows=c).results for c in (None, 1)]
    assert [r.ci for r in found[0]] == [r.ci for r in found[1]]


@pytest.mark.parametrize("rows", [300, 3000])
@pytest.mark.parametrize("loss", ["mse", "r2", "median-ae"])
def test_any_tree_of_merges_is_the_whole(loss, rows):
    """Parts of the rows, their states merged in any order: the same interval."""
    call = LossCall.make(loss, {})
    spec, params = call.entry.spec, call.params
    reduce = spec.reduction(params)
    table = regression(rows)

    def state(places: Any) -> Buckets:
        buckets = Buckets(Tally(reduce, spread=False, collect=False, memory=2**30), FEW.seed, 2**30)
        out = spec.run({role: table[role][places] for role in spec.roles}, params)
        booked(reduce, out, None, None).add_to(buckets.tally, None, buckets.encode(places, None), len(places), "sum")
        return buckets

    def found(buckets: Buckets) -> Any:
        drawn = Drawn(buckets.folded(), 0, weighted=False, norm="sum")
        return bootstrap(FEW, draws(FEW), drawn, reduce, reduce.views[0], None, params)

    whole = found(state(np.arange(rows)))
    rng = np.random.default_rng(9)
    for _ in range(3):
        parts = [state(np.sort(part)) for part in np.array_split(rng.permutation(rows), 6)]
        while len(parts) > 1:
            one, other = (parts.pop(int(rng.integers(len(parts)))) for _ in range(2))
            one.tally.merge(other.tally)
            one.large |= other.large
            parts.append(one)
        assert found(parts[0]) == whole


def test_rows_are_told_apart_in_any_order():
    """Whether there are more rows than buckets is a fact of all rows, not of the last ones."""
    reduce = LossCall.make("mse", {}).entry.spec.reduce
    for parts in ((np.arange(5), np.arange(2000, 2003)), (np.arange(2000, 2003), np.arange(5))):
        buckets = Buckets(Tally(reduce, spread=False, collect=False, memory=0), 0, 0)
        for rows in parts:
            booked(reduce, np.ones(len(rows)), None, None).add_to(
                buckets.tally, None, buckets.encode(rows, None), len(rows), "sum"
            )
        found = buckets.folded().rows
        wanted = np.bincount(dealt(np.concatenate(parts), 0), minlength=BUCKETS)
        assert found.tolist() == wanted.tolist()


@pytest.mark.parametrize(("loss", "value"), [("mse", lambda e: e * e), ("mae", np.abs)])
def test_its_width_is_that_of_the_central_limit(score, loss, value):
    """Beyond the buckets too: 20,000 rows, 2,000 resamples, one seed."""
    table = regression(20_000)
    errors = value(table["pred"] - table["target"])
    wanted = 2 * NormalDist().inv_cdf(0.975) * float(np.std(errors, ddof=1)) / math.sqrt(len(errors))
    low, high = interval(score(loss, table, ci=Plan(resamples=2000), rows=0))
    assert high - low == pytest.approx(wanted, rel=0.05)
    assert (low + high) / 2 == pytest.approx(float(np.mean(errors)), abs=0.05 * wanted)


def test_draws_are_poisson():
    """By inversion of the distribution, from bits that NumPy promises to keep."""
    plan = Plan(resamples=50, seed=3)
    bits = np.random.PCG64(3).random_raw(50 * BUCKETS)
    chance = [math.exp(-1) / math.factorial(k) for k in range(20)]
    below = [math.fsum(chance[: k + 1]) for k in range(20)]
    by_hand = [next(k for k in range(20) if (int(b) >> 11) / 2**53 < below[k]) for b in bits]
    found = draws(plan)
    assert found.reshape(-1).tolist() == by_hand
    assert found[0, :12].tolist() == by_hand[:12]
    assert abs(float(found.mean()) - 1) < 0.02
    assert abs(float(found.var()) - 1) < 0.03
    assert draws(Plan(resamples=2))[0, :10].tolist() == [1, 0, 0, 0, 2, 2, 1, 1, 1, 3]


def test_rows_are_dealt_evenly():
    for seed in (0, 1, 12345, 2**31 - 1):
        counts = np.bincount(dealt(np.arange(200_000), seed), minlength=BUCKETS)
        assert len(counts) == BUCKETS
        assert 0.8 < float(counts.var()) / float(counts.mean()) < 1.2
    some = [dealt(np.array([0, 1, 2, 10**12]), seed).tolist() for seed in (0, 1)]
    assert some[0] != some[1]


def test_drawn_sums_are_exact():
    rng = np.random.default_rng(0)
    numbers = [0, 1, -1, 2**4000, -(2**4000) + 1, -(2**31), 2**32, -(2**32), 2**63, 3 << 900]
    parts = [Exact(n, *map(int, rng.integers(0, 3, 3))) for n in numbers]
    times = rng.integers(0, 10, (20, len(parts)))
    for row, found in zip(times.tolist(), drawn_sums(times, parts), strict=True):
        assert found == Exact(*(sum(t * part[k] for t, part in zip(row, parts, strict=True)) for k in range(4)))
    assert drawn_sums(times, [Exact(0)] * len(parts)) == [Exact(0)] * 20
    assert drawn_sums(np.zeros((2, 0), np.int64), []) == [Exact(0)] * 2


def test_seed_resamples_and_level_matter(score):
    table = regression(300)
    plans = [Plan(resamples=200), Plan(resamples=200, seed=1), Plan(resamples=201), Plan(0.9, resamples=200)]
    found = [interval(score("mse", table, ci=plan)) for plan in plans]
    assert len(set(found)) == 4
    assert interval(score("mse", table, ci=plans[0])) == found[0]
    assert found[0][0] < found[3][0] < found[3][1] < found[0][1]
    levels = [interval(score("mse", table, ci=Plan(level, resamples=200))) for level in (0.01, 0.5, 0.99)]
    assert levels[2][0] < levels[1][0] < levels[0][0] < levels[0][1] < levels[1][1] < levels[2][1]


def test_a_seed_matters_beyond_the_buckets_too(score):
    table = regression(2000)
    assert interval(score("mse", table, ci=FEW)) != interval(score("mse", table, ci=FEW._replace(seed=1)))


@pytest.mark.parametrize("loss", ["mse", "r2", "median-ae", "rmse"])
def test_slices(score, loss):
    """A slice's interval is that of its rows under the same draws; the total has the one it has without slices."""
    table = regression(200)
    found = score(loss, table, by=("g",), ci=FEW).results
    assert found[0].ci == score(loss, table, ci=FEW).results[0].ci
    for result in found[1:]:
        values = [
            score(loss, repeated(table, np.where(table["g"] == result.group["g"], times[:200], 0))).results[0].value
            for times in draws(FEW)
        ]
        assert (result.ci.low, result.ci.high) == bounds(values)


def test_two_slices_of_one_row_each_and_an_empty_one(score, chunk):
    table = {"pred": [1.0, 2.0, NAN, 4.0], "target": [0.0] * 4, "g": ["a", "b", "c", "b"]}
    found = score("mse", table, by=("g",), nan="skip", ci=FEW, chunk_rows=chunk).results
    assert [math.isnan(r.ci.low) for r in found] == [False, True, False, True]
    assert [math.isnan(r.ci.high) for r in found] == [False, True, False, True]


def lists(rows: int) -> dict[str, Any]:
    rng = np.random.default_rng(8)
    return {
        "pred": rng.normal(size=rows),
        "target": rng.integers(0, 4, rows).astype(float),
        "group": np.arange(rows) // 5,
        "g": np.array(["a", "b"])[np.arange(rows) // 5 % 2],
    }


@pytest.mark.parametrize("rows", [100, 5000])
def test_lists_are_drawn_whole(score, rows):
    """By the number of their first row."""
    table = lists(rows)
    found = score("ndcg-loss", table, ci=FEW, by=("g",)).results
    starts = np.arange(0, rows, 5)
    bucket = starts if rows <= BUCKETS else dealt(starts, 0)
    every = [row.values[0] for row in score("ndcg-loss", table, rows=-1).samples]
    values = []
    for times in draws(FEW):
        drawn = [Fraction(v) for v, t in zip(every, times[bucket], strict=True) for _ in range(t)]
        values.append(float(sum(drawn) / len(drawn)))
    assert interval(score("ndcg-loss", table, ci=FEW)) == bounds(values)
    assert found[0].ci == score("ndcg-loss", table, ci=FEW).results[0].ci
    for size in (1, 7, 1000) if rows == 100 else (999,):
        assert [r.ci for r in score("ndcg-loss", table, ci=FEW, by=("g",), chunk_rows=size).results] == [
            r.ci for r in found
        ]


def test_scattered_lists_are_drawn_whole(score):
    """They are gathered first; their first rows are what counts all the same."""
    table = lists(60)
    order = np.random.default_rng(0).permutation(60)
    mixed = {name: array[order] for name, array in table.items()}
    found = [score("ndcg-loss", mixed, ci=FEW, by=("g",), chunk_rows=c).results for c in (None, 1, 7, 1000)]
    assert all([r.ci for r in one] == [r.ci for r in found[0]] for one in found)
    first = {name: int(np.flatnonzero(mixed["group"] == name)[0]) for name in range(12)}
    names = sorted(first, key=lambda name: first[name])
    every = [s.values[0] for s in score("ndcg-loss", mixed, rows=-1).samples]
    values = []
    for times in draws(FEW):
        drawn = [Fraction(v) for v, name in zip(every, names, strict=True) for _ in range(times[first[name]])]
        values.append(float(sum(drawn) / len(drawn)))
    assert (found[0][0].ci.low, found[0][0].ci.high) == bounds(values)


def test_rows_that_do_not_count_are_not_drawn(score, chunk):
    """What is dropped changes nothing but the numbers of the rows."""
    table = regression(40)
    table["m"] = np.ones(40)
    table["m"][[0, 5, 39]] = 0
    table["pred"][7] = NAN
    kept = np.setdiff1d(np.arange(40), [0, 5, 7, 39])
    part = {name: array[kept] for name, array in table.items()}
    mine = score("mse", table, mask="m", nan="skip", ci=FEW, chunk_rows=chunk)
    assert interval(mine) == bounds(naive(score, "mse", part, FEW, kept))


@pytest.mark.parametrize("loss", ["mse", "r2", "median-ae", "jaccard-hard:average=macro", "rmse", "zero-one"])
def test_rows_without_weight_are_not_there(score, loss):
    """A resample of such rows alone is a resample of nothing, not one with a value of its own."""
    table = {"pred": [1.0, 2.0, 0.0, 1.0], "target": [1.0, 1.0, 2.0, 0.0], "w": [1.0, 2.0, 0.0, 0.0]}
    plan = Plan(resamples=300)
    values = naive(score, loss, {n: np.array(a) for n, a in table.items()}, plan, np.arange(4), weight="w")
    assert sum(map(math.isnan, values)) > 10
    assert interval(score(loss, table, weight="w", ci=plan)) == bounds(values)


# Numbers that are not finite.


@pytest.mark.parametrize("method", ["bootstrap", "normal"])
def test_nothing_is_said_of_a_value_that_is_nan(score, method, chunk):
    table = {"pred": [1.0, NAN, 3.0, 4.0, 4.0], "target": [0.0] * 5, "g": list("aabbb")}
    plan = Plan(method=method)
    found = score("mse", table, nan="propagate", by=("g",), ci=plan, chunk_rows=chunk).results
    assert [math.isnan(r.ci.low) for r in found] == [True, True, False]
    assert [math.isnan(r.ci.high) for r in found] == [True, True, False]


def test_an_infinite_row(score):
    """A resample has it or has it not: below is a number, above infinity."""
    table = {"pred": [INF, 1.0, 2.0, 3.0], "target": [0.0] * 4}
    low, high = interval(score("mse", table, nan="propagate", ci=Plan()))
    assert 0 < low < 15
    assert high == INF
    low, high = interval(score("mse", table, nan="propagate", ci=Plan(method="normal")))
    assert math.isnan(low)
    assert math.isnan(high)


@pytest.mark.parametrize(
    ("loss", "method"),
    [("mse", "bootstrap"), ("mse", "normal"), ("rmse", "bootstrap"), ("rmse", "normal"), ("r2", "bootstrap")],
)
def test_nothing_is_said_of_one_row(score, loss, method):
    result = score(loss, {"pred": [1.0], "target": [0.0]}, ci=Plan(method=method)).results[0]
    assert math.isnan(result.ci.low)
    assert math.isnan(result.ci.high)


@pytest.mark.parametrize("method", ["bootstrap", "normal"])
def test_equal_rows_have_no_spread(score, method):
    table = {"pred": [3.0] * 10, "target": [1.0] * 10}
    for loss, value in (("mse", 4.0), ("rmse", 2.0)):
        assert interval(score(loss, table, ci=Plan(method=method))) == (value, value)


@pytest.mark.parametrize("method", ["bootstrap", "normal"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("pred", [[NAN, NAN, NAN], [1.0, 2.0, 3.0]], ids=["no-rows", "no-weight"])
def test_nothing_to_score(score, pred, reduction, method):
    table = {"pred": pred, "target": [0.0] * 3, "w": [0.0] * 3}
    given = {"reduction": reduction, "nan": "skip", "weight": "w", "ci": Plan(method=method)}
    for value, shown in (("nan", "nan"), ("zero", "0.0")):
        result = score("mse", table, empty=value, **given).results[0]
        assert repr(result.value) == shown
        assert math.isnan(result.ci.low)
        assert math.isnan(result.ci.high)


@pytest.mark.parametrize("method", ["bootstrap", "normal"])
def test_no_class_has_a_weight(score, method):
    table = {"pred": [[1.0, 0.0]] * 3, "target": [0, 0, 0]}
    result = score("cross-entropy:class_weight=0/1", table, empty="zero", ci=Plan(method=method)).results[0]
    assert result.value == 0.0
    assert math.isnan(result.ci.low)


# The normal approximation.


def exact_interval(a: list[Any], b: list[Any], level: float = 0.95) -> tuple[float, float]:
    """R -+ z sqrt(n / (n - 1) S (a - R b)^2) / S(b), the delta method for a ratio, in fractions."""
    a, b = [Fraction(float(x)) for x in a], [Fraction(float(x)) for x in b]
    ratio, n = sum(a) / sum(b), len(a)
    square = sum((x - ratio * y) ** 2 for x, y in zip(a, b, strict=True)) * n / (n - 1) / sum(b) ** 2
    step = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(square)
    return float(ratio) - step, float(ratio) + step


def normal_of(score: Any, loss: str, table: dict[str, Any], **given: Any) -> tuple[float, float]:
    return interval(score(loss, table, ci=Plan(method="normal"), rows=0, **given))


def test_a_mean():
    """Against statistics' own formulas, not ours."""
    values = [1.0, 4.0, 2.0, 8.0, 5.0, 7.0]
    n, mean = len(values), 4.5
    sd = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    found = lossctl.compute("mae", values, [0.0] * n, ci=0.9, ci_method="normal").results[0]
    assert found.ci.low == pytest.approx(mean - 1.6448536269514722 * sd / math.sqrt(n), rel=1e-14)
    assert found.ci.high == pytest.approx(mean + 1.6448536269514722 * sd / math.sqrt(n), rel=1e-14)
    assert found.ci[3:] == ("normal", None, None)
    assert found.ci.level == 0.9


def test_a_mean_far_from_zero(score):
    """Mean 1e8, sd 1: squares of floats lose everything, whole numbers nothing."""
    rng = np.random.default_rng(0)
    values = 1e8 + rng.normal(size=2000)
    low, high = normal_of(score, "mae", {"pred": values, "target": np.zeros(2000)})
    right = exact_interval(values.tolist(), [1.0] * 2000)
    assert (low, high) == pytest.approx(right, abs=2e-8)
    assert high - low == pytest.approx(2 * 1.959963984540054 * np.std(values - 1e8, ddof=1) / math.sqrt(2000), rel=1e-6)


@pytest.mark.parametrize("norm", ["sum", "n"])
def test_weighted_means(score, norm):
    table = regression(100)
    size, weight = np.abs(table["pred"] - table["target"]), table["w"]
    found = normal_of(score, "mae", table, weight="w", weight_norm=norm)
    # A product is rounded here before it is squared.
    below = weight if norm == "sum" else np.ones(100)
    assert found == pytest.approx(exact_interval((weight * size).tolist(), below.tolist()), rel=1e-13)


def test_ratios(score):
    """Weighted classes: numerator and denominator go together."""
    table, loss = logits(80), "cross-entropy:class_weight=1/2/0.5"
    rows = np.array([s.values[0] for s in score(loss, table, rows=-1).samples])
    below = np.array([1.0, 2.0, 0.5])[table["target"]]
    assert normal_of(score, loss, table) == pytest.approx(exact_interval(rows, below), rel=1e-13)
    weighted = normal_of(score, loss, table, weight="w")
    assert weighted == pytest.approx(exact_interval(rows * table["w"], below * table["w"]), rel=1e-13)


def test_elements(score):
    """Rows are what is drawn, however many elements they have."""
    table = wide(60)
    sums = np.abs(table["pred"] - table["target"]).sum(axis=1)
    assert normal_of(score, "mae", table) == pytest.approx(exact_interval(sums, [2.0] * 60), rel=1e-13)
    assert normal_of(score, "mae", table, row="sum") == pytest.approx(exact_interval(sums, [1.0] * 60), rel=1e-13)


def test_roots_by_the_delta_method(score):
    table = wide(60)
    squares = ((table["pred"] - table["target"]) ** 2).sum(axis=1)
    low, high = exact_interval(squares, [2.0] * 60)
    root = math.sqrt((low + high) / 2)
    step = (high - low) / 2 / (2 * root)
    assert normal_of(score, "rmse", table) == pytest.approx((root - step, root + step), rel=1e-12)


def test_sums(score):
    """n independent terms: the deviation of a sum is that of a term times the root of n."""
    values = np.abs(regression(50)["pred"] - regression(50)["target"])
    step = 1.959963984540054 * float(np.std(values, ddof=1)) * math.sqrt(50)
    total = math.fsum(values)
    assert normal_of(score, "mae", regression(50), reduction="sum") == pytest.approx(
        (total - step, total + step), rel=1e-13
    )


def test_likelihoods(score):
    """exp of a sum or a mean of logarithms, by the delta method."""
    table = chances(40)
    logs = np.log(np.where(table["target"] == 1, table["pred"], 1 - table["pred"]))
    low, high = exact_interval(logs, [1.0] * 40)
    value = math.exp((low + high) / 2)
    step = value * (high - low) / 2
    found = normal_of(score, "likelihood", table, reduction="mean")
    assert found == pytest.approx((value - step, value + step), rel=1e-12)
    value = math.exp(math.fsum(logs))
    step = value * 1.959963984540054 * float(np.std(logs, ddof=1)) * math.sqrt(40)
    assert normal_of(score, "likelihood", table) == pytest.approx((value - step, value + step), rel=1e-12)


RATIOS = [
    case
    for case in EVERY
    if "per-column" not in case.id and case.id.split(":")[0] not in {"r2", "median-ae", "d2-pinball", "jaccard-hard"}
]


@pytest.mark.parametrize(("loss", "make", "given"), RATIOS)
def test_no_cut_changes_the_normal_approximation(score, loss, make, given):
    """And a slice's is that of its rows alone."""
    table, plan = make(90), Plan(method="normal")
    found = [
        [r.ci for r in score(loss, table, ci=plan, weight="w", by=("g",), chunk_rows=c, **given).results]
        for c in (None, 1, 7, 1000)
    ]
    assert all(one == found[0] for one in found)
    groups = [None, *sorted(set(table["g"]))]
    for group, ci in zip(groups, found[0], strict=True):
        inside = np.ones(90, bool) if group is None else table["g"] == group
        alone = {name: array[inside] for name, array in table.items()}
        assert score(loss, alone, ci=plan, weight="w", **given).results[0].ci == ci


def test_numbers_whose_squares_leave_the_floats(score):
    """Row values up to 1e300 have squares beyond the floats, and an interval all the same."""
    for scale in (1e-160, 1.0, 1e150):
        errors = np.array([1.0, 2.0, 3.0, 4.0]) * scale
        low, high = normal_of(score, "mae", {"pred": errors * 1e150, "target": np.zeros(4)})
        right = exact_interval([1.0, 2.0, 3.0, 4.0], [1.0] * 4)
        assert (low, high) == pytest.approx((right[0] * scale * 1e150, right[1] * scale * 1e150), rel=1e-13)


def test_levels_near_their_ends(score):
    table = regression(50)
    for level in (1e-12, 1 - 1e-15, math.nextafter(1, 0)):
        for plan in (Plan(level, resamples=9), Plan(level, "normal")):
            low, high = interval(score("mse", table, ci=plan))
            assert -INF < low <= high < INF


def test_weights_and_scores_of_zero_and_infinity(score):
    """A row of weight zero is not there, be its loss infinite."""
    table = {"pred": [INF, 1.0, 2.0], "target": [0.0] * 3, "w": [0.0, 1.0, 2.0]}
    for plan in (Plan(resamples=50), Plan(method="normal")):
        low, high = interval(score("mse", table, nan="propagate", weight="w", ci=plan))
        assert 0 <= low <= high < 10


# What is refused.


@pytest.mark.parametrize("reduction", ["none", "min", "max", "std", "median", "p90"])
def test_no_interval_of_other_reductions(fails, reduction):
    error = fails(2, "bad-option", "mse", regression(9), reduction=reduction, ci=Plan())
    assert reduction in error.message


def test_no_interval_of_a_maximum(fails):
    assert "max-error" in fails(2, "bad-option", "max-error", regression(9), ci=Plan()).message


@pytest.mark.parametrize("loss", ["r2", "median-ae", "d2-absolute", "rmse:multioutput=per-column", "jaccard-hard"])
def test_no_normal_approximation_of_what_is_no_ratio(fails, loss):
    table = {"pred": [1.0, 0.0, 1.0], "target": [1.0, 1.0, 0.0]}
    error = fails(2, "bad-option", loss, table, ci=Plan(method="normal"))
    assert error.hint == "--ci-method bootstrap"


@pytest.mark.parametrize("part", ["per_column", "per_class"])
def test_no_interval_of_columns_and_classes(fails, part):
    table = {"pred": [[1.0, 2.0]] * 3, "target": [[1.0, 1.0]] * 3}
    assert "--by" in fails(2, "bad-option", "mse", table, ci=Plan(), **{part: True}).hint


@pytest.mark.parametrize(
    "plan",
    [
        Plan(0.0), Plan(1.0), Plan(-0.5), Plan(95.0), Plan(NAN), Plan(INF), Plan(resamples=0), Plan(resamples=-1),
        Plan(resamples=1.5), Plan(seed=-1), Plan(seed=2**31), Plan(method="percentile"),
    ],
    ids=str,
)  # fmt: skip
def test_plans_that_cannot_be_carried_out(plan):
    with pytest.raises(UsageError) as caught:
        Options(ci=plan).checked()
    assert (caught.value.exit, caught.value.code) == (2, "bad-option")


def test_more_than_memory_allows(fails, score):
    with pytest.raises(UsageError) as caught:
        Options(ci=Plan(resamples=100), memory=2_000_000).checked()
    assert (caught.value.exit, caught.value.code) == (2, "memory")
    assert "--resamples" in caught.value.message
    many = {"pred": np.arange(60.0), "target": np.zeros(60), "g": np.arange(60)}
    for cut in ({}, {"chunk_rows": 1}, {"chunk_rows": 7, "threads": 3}):
        error = fails(2, "memory", "mse", many, by=("g",), ci=Plan(resamples=9), memory=10_000_000, **cut)
        assert error.message == "--ci with more than 38 slices takes more than --memory (10,000,000 bytes)"
    score("mse", many, by=("g",), ci=Plan(method="normal"), memory=10_000_000)
    score("mse", many, ci=Plan(resamples=9), memory=10_000_000)


def test_values_kept_for_a_bootstrap_count_against_memory(fails):
    error = fails(2, "memory", "median-ae", regression(5000), ci=Plan(resamples=1), memory=50_000)
    assert "--memory" in error.message


# Levels as they are typed.


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ("0.9", 0.9),
        ("90%", 0.9),
        (".9", 0.9),
        ("99.5%", 0.995),
        ("9e-1", 0.9),
        (" 0.5 ", 0.5),
        (0.9, 0.9),
        ("0.5%", 0.005),
    ],
)
def test_levels(given, level):
    assert level_of(given) == level


@pytest.mark.parametrize(
    "given",
    ["", "0", "1", "100%", "0%", "95", "1.5", "-0.5", "nan", "inf", "ninety", "²", "0,9", "0x1", True, None, NAN, 95],
)
def test_no_levels(given):
    with pytest.raises(UsageError) as caught:
        level_of(given)
    assert (caught.value.exit, caught.value.code) == (2, "bad-option")
    assert str(given) in caught.value.message


@pytest.fixture
def command(tmp_path, monkeypatch, capsys) -> Any:
    """``command("mse --ci preds.csv")`` in a folder with a table: exit status, output, errors."""
    rows = "".join(f"{i % 7},{i % 5},{'ab'[i % 2]}\n" for i in range(40))
    (tmp_path / "preds.csv").write_text("y_pred,y_true,g\n" + rows)
    monkeypatch.chdir(tmp_path)

    def go(line: str) -> tuple[int, str, str]:
        status = main(["compute", *line.split()])
        found = capsys.readouterr()
        return status, found.out, found.err

    return go


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("mse --ci preds.csv", 0.95),
        ("mse preds.csv --ci", 0.95),
        ("mse --ci -q preds.csv", 0.95),
        ("mse --ci --seed 0 preds.csv", 0.95),
        ("mse --ci 0.9 preds.csv", 0.9),
        ("mse --ci=0.9 preds.csv", 0.9),
        ("mse preds.csv --ci .9", 0.9),
        ("mse --ci 90% preds.csv", 0.9),
        ("mse --ci=90% preds.csv", 0.9),
        ("mse --ci 9e-1 preds.csv", 0.9),
        ("mse,mae --ci 0.9 preds.csv", 0.9),
        ("mse --ci 0.5 --ci 0.9 -- preds.csv", 0.9),
    ],
)
def test_the_level_stands_before_the_files_or_not_at_all(command, line, level):
    status, out, _ = command(f"{line} -f json" if "--" not in line.split() else f"{line[:3]} -f json{line[3:]}")
    assert status == 0
    found = json.loads(out)["results"]
    assert all(result["ci"]["level"] == level for result in found)
    wanted = lossctl.compute("mse", "preds.csv", ci=level).results[0]
    assert (found[0]["ci"]["low"], found[0]["ci"]["high"]) == (wanted.ci.low, wanted.ci.high)


@pytest.mark.parametrize("level", ["95", "0", "1", "100%", "1.5", "-1", "2024"])
def test_a_level_out_of_range_is_named_as_it_was_typed(command, level):
    for line in (f"mse --ci={level} preds.csv", *([] if level == "-1" else [f"mse --ci {level} preds.csv"])):
        status, out, err = command(line)
        assert (status, out) == (2, "")
        assert f"--ci {level}:" in err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mse preds.csv --seed 1", "--ci"),
        ("mse preds.csv --resamples 10", "--ci"),
        ("mse preds.csv --ci-method normal", "--ci"),
        ("mse preds.csv --ci --ci-method normal --seed 1", "bootstrap"),
        ("mse preds.csv --ci --ci-method t", "bootstrap"),
        ("mse preds.csv --ci --resamples 0", "--resamples"),
        ("mse preds.csv --ci --seed -1", "--seed"),
        ("mse preds.csv --ci --reduction median", "median"),
        ("mse preds.csv --ci --per-column", "--per-column"),
        ("mse preds.csv --ci= ", "level"),
        ("mse preds.csv --ci --resamples 1000000", "--memory"),
    ],
)
def test_settings_that_do_nothing_or_make_no_sense(command, line, words):
    status, out, err = command(line)
    assert (status, out) == (2, "")
    assert words in err


def test_the_python_door():
    pred, target = [1.0, 2.0, 4.0, 7.0], [0.0] * 4
    found = [lossctl.compute("mse", pred, target, ci=level).results[0].ci for level in (True, 0.95, "95%", "0.95")]
    assert all(ci == found[0] for ci in found)
    assert lossctl.compute("mse", pred, target, ci=None, seed=None).results[0].ci is None
    assert lossctl.compute("mse", pred, target, ci=False).results[0].ci is None
    some = lossctl.compute("mse", pred, target, ci=0.9, seed=3, resamples=50, ci_method=None)
    assert some.results[0].ci[3:] == ("bootstrap", 50, 3)
    assert repr(some) == f"mse mean 17.5 [{some.results[0].ci.low!r}, {some.results[0].ci.high!r}] (n=4)"
    assert some.per_sample.tolist() == [1.0, 4.0, 16.0, 49.0]
    for wrong in ({"ci": 95}, {"ci": "much"}, {"seed": 1}, {"ci": 0.9, "ci_method": "normal", "seed": 1}):
        with pytest.raises(UsageError) as caught:
            lossctl.compute("mse", pred, target, **wrong)
        assert (caught.value.exit, caught.value.code) == (2, "bad-option")


# How intervals are shown.


@pytest.fixture
def reports(score) -> list[Any]:
    table = {"pred": [1.0, 2.0, INF, 4.0, 2.0], "target": [0.0] * 5, "g": list("aabbc")}
    return [
        score("mse,rmse", regression(50), ci=Plan(resamples=20), by=("g",)),
        score("mse", table, nan="propagate", ci=Plan(resamples=20), by=("g",)),
        score("mse", table, nan="propagate", ci=Plan(method="normal"), by=("g",)),
    ]


def test_json(reports):
    validator = jsonschema.Draft202012Validator(schema("lossctl.compute/1"))
    for report in reports:
        text = "".join(document(report))
        found = json.loads(text, parse_constant=lambda token: pytest.fail(f"{token} is not JSON"))
        validator.validate(found)
        assert text == "".join(document(report))
        for shown, result in zip(found["results"], report.results, strict=True):
            assert list(shown["ci"]) == ["level", "low", "high", "method", "resamples", "seed"]
            for name in ("low", "high"):
                bound = getattr(result.ci, name)
                assert shown["ci"][name] == (bound if math.isfinite(bound) else None)


def test_flat_formats(reports):
    for report in reports:
        lines = "".join(render(report, "plain")).splitlines()
        head, *rows = (line.split("\t") for line in lines)
        assert head[-3:] == ["value", "ci_low", "ci_high"]
        rows_csv = "".join(render(report, "csv")).splitlines()
        assert rows_csv[0].endswith(",value,ci_low,ci_high")
        frame = report.to_pandas()
        assert list(frame.columns) == head
        for row, result, record in zip(rows, report.results, frame.to_dict("records"), strict=True):
            for cell, bound, held in zip(row[-2:], result.ci[1:3], (record["ci_low"], record["ci_high"]), strict=True):
                assert float(cell) == bound or (math.isnan(float(cell)) and math.isnan(bound))
                assert held == bound or (math.isnan(held) and math.isnan(bound))
        objects = [json.loads(line) for line in "".join(render(report, "jsonl")).splitlines()]
        assert all(list(item)[: len(head)] == head for item in objects)


def test_only_some_losses_have_an_interval(score):
    """In a set those without are left out; nothing is shown as an interval that is none."""
    report = score("@regression", regression(20), ci=Plan(resamples=5))
    assert "max-error" not in {r.loss for r in report.results}
    assert all(r.ci is not None for r in report.results)
    assert any("max-error" in note.message for note in report.warnings if note.code == "left-out")


def test_tables_for_people(reports):
    for form, names in (("table", ["ci low", "ci high"]), ("markdown", ["ci low", "ci high"])):
        for report in reports:
            text = "".join(render(report, form))
            assert all(name in text for name in names)
            number = f"{report.results[-1].ci.low:.6g}"
            assert number in text
