"""What stands beside a value: signature, divisor, statistics, conventions, and the statistic of a first pass."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest

import lossctl
from lossctl.engine.options import Options, memory_size, quantile_of
from lossctl.engine.ranks import finite_ends, quantile, steps
from lossctl.engine.tally import Room, Tally
from lossctl.errors import UsageError
from lossctl.model.reduce import Mean

NAN = math.nan
V = lossctl.__version__
PAIR = {"pred": [1.0, 2.0, 4.0, 8.0], "target": [0.0, 0.0, 0.0, 0.0]}
WIDE = {"pred": [[1.0, 3.0], [5.0, 7.0]], "target": [[0.0, 0.0], [0.0, 0.0]]}
PROBS = [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]]


def one(report):
    [result] = report.results
    return result


# Signatures: what must agree before two numbers may be compared.


@pytest.mark.parametrize(
    ("losses", "table", "given", "signature"),
    [
        ("mse", PAIR, {}, "mse|red:mean|w:none|nan:error|n:4"),
        ("huber", PAIR, {}, "huber:delta=1.0|red:mean|w:none|nan:error|n:4"),
        ("huber:delta=2", PAIR, {"nan": "skip"}, "huber:delta=2.0|red:mean|w:none|nan:skip|n:4"),
        ("HUBER", PAIR, {"reduction": "p90"}, "huber:delta=1.0|red:p90|w:none|nan:error|n:4"),
        ("mse", {**PAIR, "w": [1, 2, 3, 4]}, {"weight": "w"}, "mse|red:mean|w:w|nan:error|n:4"),
        (
            "mse",
            {**PAIR, "w": [1, 2, 3, 4]},
            {"weight": "w", "weight_norm": "n"},
            "mse|red:mean|w:w|nan:error|norm:n|n:4",
        ),
        ("mse", {**PAIR, "m": [1, 1, 1, 0]}, {"mask": "m"}, "mse|red:mean|w:none|nan:error|mask:m|n:3"),
        ("mse", {**PAIR, "g": list("aabb")}, {"by": ("g",)}, "mse|red:mean|w:none|nan:error|by:g|n:4"),
        ("mse", WIDE, {"row": "mean"}, "mse|red:mean|w:none|nan:error|n:2"),
        ("mse", WIDE, {"row": "sum"}, "mse|red:mean|w:none|nan:error|row:sum|n:2"),
        ("mse", PAIR, {"like": "keras"}, "mse|red:mean|w:none|nan:error|norm:n|like:keras|n:4"),
        ("mse", PAIR, {"like": "torch"}, "mse|red:mean|w:none|nan:error|like:torch|n:4"),
        (
            "bce-with-logits:pos_weight=2",
            {"pred": [1.0], "target": [1]},
            {},
            "bce:input=logits:pos_weight=2.0:clip=none|red:mean|w:none|nan:error|n:1",
        ),
        (
            "balanced-sigmoid-ce",
            {"pred": [1.0, 0.0], "target": [1, 0]},
            {},
            "balanced-sigmoid-ce:beta=auto:balance=dataset|red:mean|w:none|nan:error|n:2",
        ),
        (
            "cross-entropy:class_weight=1/2/0.5",
            {"pred": PROBS, "target": [0, 1]},
            {},
            "cross-entropy:input=logits:class_weight=1.0/2.0/0.5:label_smoothing=0.0:uniform=C:clip=none:ignore_index=-100"
            "|red:mean|w:none|nan:error|n:2",
        ),
        (
            "kl-div",
            {"pred": np.log(PROBS), "target": PROBS},
            {"like": "torch"},
            "kl-div:input=log-probs:log_target=false:clip=none|red:mean|w:none|nan:error|row:mean|like:torch|n:2",
        ),
        (
            "ndcg-loss",
            {"pred": [1.0], "target": [1.0], "group": ["a"]},
            {},
            "ndcg-loss:k=none:gain=linear:ignore_ties=false|red:mean|w:none|nan:error|n:1",
        ),
        (
            "r2",
            PAIR | {"target": [1.0, 2.0, 3.0, 4.0]},
            {},
            "r2:multioutput=global:force_finite=true|red:set|w:none|nan:error|n:4",
        ),
        (
            "hinge",
            {"pred": [1.0], "target": [1]},
            {"reduction": "none"},
            "hinge:margin=1.0:labels=auto|red:none|w:none|nan:error|n:1",
        ),
    ],
)
def test_signature(score, losses, table, given, signature):
    assert score(losses, table, **given).results[0].signature == f"{signature}|v:{V}"


def test_everything_at_once(score):
    """The order of the parts is fixed."""
    table = {**WIDE, "w": [1.0, 1.0], "m": [1, 1], "g": ["a", "a"], "h": ["b", "b"]}
    found = score(
        "huber", table, reduction="sum", row="sum", weight_norm="n", like="torch", weight="w", mask="m", by=("g", "h"),
        nan="propagate", empty="zero", limit=2,
    ).results[0]  # fmt: skip
    assert found.signature == (
        "huber:delta=1.0|red:sum|w:w|nan:propagate|row:sum|norm:n|like:torch|mask:m|empty:zero|by:g,h|limit:2|n:2|v:"
        + V
    )


def test_names_of_columns_settle_the_signature(score, csv):
    path = csv("logit,label", "1,1")
    assert one(score("bce", path)).signature.startswith("bce:input=logits:pos_weight=1.0:clip=none|")
    assert dict(one(score("bce", path)).params) == {"input": "logits", "pos_weight": 1.0, "clip": "none"}


def test_labels_show_what_was_given(score):
    report = score("huber,huber:delta=2,mse", PAIR)
    assert [r.label for r in report.results] == ["huber", "huber:delta=2.0", "mse"]
    assert report.samples.labels == ("huber", "huber:delta=2.0", "mse")
    assert [r.label for r in score("l1,MSE-loss", PAIR).results] == ["mae", "mse"]


# Divisors, elements, conventions.


def test_divisor_and_elements(score):
    plain = one(score("mse", PAIR))
    assert (plain.value, plain.divisor, plain.n, plain.n_elements) == (21.25, 4.0, 4, None)
    wide = one(score("mse", WIDE))
    assert (wide.value, wide.divisor, wide.n, wide.n_elements) == (21.0, 4.0, 2, 4)
    summed = one(score("mse", WIDE, row="sum"))
    assert (summed.value, summed.divisor, summed.n_elements) == (42.0, 2.0, 4)
    for reduction in ("sum", "none", "median", "max", "std"):
        assert one(score("mse", WIDE, reduction=reduction)).divisor is None
    assert one(score("mse", WIDE, reduction="sum")).value == 84.0
    assert one(score("r2", WIDE | {"target": WIDE["pred"]})).divisor is None
    root = one(score("rmse", WIDE))
    assert (root.value, root.divisor) == (math.sqrt(21.0), 4.0)


def test_row_values_of_several_elements(score):
    assert [s.values[0] for s in score("mae", WIDE).samples] == [2.0, 6.0]
    assert [s.values[0] for s in score("mae", WIDE, row="sum").samples] == [4.0, 12.0]
    assert [s.values[0] for s in score("rmse", WIDE).samples] == [math.sqrt(5), math.sqrt(37)]
    assert [s.values[0] for s in score("max-error", WIDE).samples] == [3.0, 7.0]
    assert one(score("mae", WIDE, row="sum", reduction="max")).value == 12.0


def test_weighted_elements(score):
    table = {**WIDE, "w": [3.0, 1.0]}
    found = one(score("mae", table, weight="w"))
    assert (found.value, found.divisor, found.weight_sum) == ((3 * 4 + 12) / 8, 8.0, 4.0)
    by_rows = one(score("mae", table, weight="w", weight_norm="n"))
    assert (by_rows.value, by_rows.divisor, by_rows.weight_sum) == (24 / 4, 4.0, 4.0)
    assert one(score("mae", table, weight="w", reduction="sum")).value == 24.0


def test_class_weights_divide_by_the_weights_of_the_true_classes(score):
    table = {"pred": np.log(PROBS), "target": [0, 1], "w": [2.0, 1.0]}
    expected = (math.log(2) + 3 * -math.log(0.75)) / 4
    found = one(score("nll:class_weight=1/3/5", table))
    assert found.value == pytest.approx(expected, rel=1e-15)
    assert found.divisor == 4.0
    weighted = one(score("nll:class_weight=1/3/5", table, weight="w"))
    assert weighted.value == pytest.approx((2 * math.log(2) + 3 * -math.log(0.75)) / 5, rel=1e-15)
    assert (weighted.divisor, weighted.weight_sum) == (5.0, 3.0)
    plain = one(score("nll:class_weight=1/3/5", table, weight="w", weight_norm="n"))
    assert plain.divisor == 4.0
    soft = one(score("cross-entropy:class_weight=1/3/5:input=probs", {"pred": PROBS, "target": np.eye(3)[[0, 1]]}))
    assert soft.divisor == 2.0


def test_row_is_refused_where_rows_have_no_elements(fails):
    for loss in ("zero-one", "rmse", "likelihood"):
        fails(2, "bad-option", loss, {"pred": [1.0, 0.0], "target": [1, 0]}, row="sum")


def test_conventions(score, fails):
    table = {**PAIR, "w": [1.0, 1.0, 1.0, 5.0]}
    mine, keras = one(score("mse", table, weight="w")), one(score("mse", table, weight="w", like="keras"))
    assert (mine.divisor, keras.divisor, keras.like) == (8.0, 4.0, "keras")
    assert one(score("mse", table, weight="w", like="keras", weight_norm="sum")).divisor == 8.0
    clipped = one(score("bce", {"pred": [0.0], "target": [1]}, like="keras"))
    assert clipped.value == pytest.approx(-math.log(1e-7), rel=1e-12)
    assert clipped.params["clip"] == "keras"
    columns = {"pred": [[3.0, 1.0]], "target": [[0.0, 0.0]]}
    assert one(score("rmse", columns, like="sklearn")).value == 2.0
    assert one(score("rmse", columns)).value == math.sqrt(5)
    error = fails(2, "no-convention", "huber", PAIR, like="sklearn")
    assert "torch" in error.hint


def test_a_convention_that_contradicts_the_call(score, fails):
    table = {"pred": [0.5], "target": [1]}
    fails(2, "preset-parameter", "bce:clip=none", table, like="keras")
    assert one(score("bce:clip=keras", table, like="keras")).params["clip"] == "keras"


def test_a_convention_yields_to_the_name_of_the_column(score, csv):
    """Clipping acts on probabilities only, so it is idle where the columns are logits."""
    found = one(score("bce", csv("logit,label", "0,1"), like="keras"))
    assert found.params["clip"] == "none"
    assert found.value == math.log(2)


# The statistic of a first pass.


LOGITS = {"pred": [2.0, -1.0, 0.5, 0.0, -3.0, 1.0, 1.5], "target": [1, 0, 0, 1, 0, 0, 0]}


def balanced(x, y, beta):
    """The formula, term by term."""
    softplus = lambda u: math.log1p(math.exp(u))
    return beta * y * softplus(-x) + (1 - beta) * (1 - y) * softplus(x)


def test_the_share_of_negatives_is_found_first(score, chunk):
    report = score("balanced-sigmoid-ce", LOGITS, chunk_rows=chunk)
    found = one(report)
    beta = 5 / 7
    assert dict(found.resolved) == {"beta": beta}
    assert found.params["beta"] == "auto"
    expected = [balanced(x, y, beta) for x, y in zip(LOGITS["pred"], LOGITS["target"], strict=True)]
    assert [s.values[0] for s in report.samples] == pytest.approx(expected, rel=1e-14)
    assert found.value == pytest.approx(sum(expected) / 7, rel=1e-14)
    given = one(score(f"balanced-sigmoid-ce:beta={beta!r}", LOGITS))
    assert given.value == found.value
    assert given.resolved is None


def test_slices_use_the_statistic_of_the_total(score, chunk):
    table = {**LOGITS, "g": list("aabbabb")}
    whole = one(score("balanced-sigmoid-ce", LOGITS))
    sliced = score("balanced-sigmoid-ce", table, by=("g",), chunk_rows=chunk).results
    assert sliced[0].value == whole.value
    assert all(dict(r.resolved) == dict(whole.resolved) for r in sliced)
    fixed = score(f"balanced-sigmoid-ce:beta={5 / 7!r}", table, by=("g",)).results
    assert [r.value for r in sliced] == [r.value for r in fixed]


def test_the_statistic_is_unweighted_and_over_the_rows_that_count(score, chunk):
    table = {**LOGITS, "w": [9.0, 1, 1, 1, 1, 1, 1], "m": [1, 1, 1, 1, 1, 1, 0]}
    assert dict(one(score("balanced-sigmoid-ce", table, weight="w", chunk_rows=chunk)).resolved) == {"beta": 5 / 7}
    assert dict(one(score("balanced-sigmoid-ce", table, mask="m", chunk_rows=chunk)).resolved) == {"beta": 4 / 6}
    gaps = {**LOGITS, "pred": [NAN, *LOGITS["pred"][1:]]}
    assert dict(one(score("balanced-sigmoid-ce", gaps, nan="skip", chunk_rows=chunk)).resolved) == {"beta": 5 / 6}
    assert dict(one(score("balanced-sigmoid-ce", LOGITS, limit=4, chunk_rows=chunk)).resolved) == {"beta": 0.5}


def test_the_statistic_does_not_depend_on_what_is_let_through(score, chunk):
    """With --nan propagate the same share for every cut, whatever stands in for the missing value."""
    for place in range(7):
        pred = list(LOGITS["pred"])
        pred[place] = NAN
        table = {**LOGITS, "pred": pred}
        found = one(score("balanced-sigmoid-ce", table, nan="propagate", chunk_rows=chunk)).resolved["beta"]
        negative = [y == 0 for i, y in enumerate(LOGITS["target"]) if i != place]
        assert found in {sum(negative) / 6, 5 / 7}
        assert found == one(score("balanced-sigmoid-ce", table, nan="propagate")).resolved["beta"]


def test_the_statistic_over_several_elements(score, chunk):
    table = {"pred": np.arange(8.0).reshape(4, 2) - 4, "target": [[0, 0], [1, 0], [0, 1], [0, 0]]}
    assert dict(one(score("balanced-sigmoid-ce", table, chunk_rows=chunk)).resolved) == {"beta": 0.75}
    by_row = score("balanced-sigmoid-ce:balance=row", table, chunk_rows=chunk)
    assert one(by_row).resolved is None
    expected = [
        sum(balanced(x, y, ys.count(0) / 2) for x, y in zip(xs, ys, strict=True)) / 2
        for xs, ys in zip(table["pred"].tolist(), table["target"], strict=True)
    ]
    assert [s.values[0] for s in by_row.samples] == pytest.approx(expected, rel=1e-14)


def test_two_statistics_in_one_call(score, chunk):
    report = score("balanced-sigmoid-ce,balanced-sigmoid-ce:beta=0.5,bce-with-logits", LOGITS, chunk_rows=chunk)
    assert [r.resolved and dict(r.resolved) for r in report.results] == [{"beta": 5 / 7}, None, None]


def test_errors_of_the_first_pass_are_errors(fails, chunk):
    table = {**LOGITS, "target": [1, 0, 0, 2, 0, 0, 0]}
    assert fails(3, "target-range", "balanced-sigmoid-ce", table, chunk_rows=chunk).row == 4


# Products.


def test_a_product_that_underflows(score, chunk):
    n = 2000
    table = {"pred": np.full(n, 0.3), "target": np.ones(n)}
    report = score("likelihood", table, chunk_rows=max(chunk, 500))
    found = one(report)
    assert (found.value, found.reduction) == (0.0, "prod")
    logs = Fraction(float(np.log(0.3))) * n
    assert found.log_value == logs.numerator / logs.denominator
    assert [note.code for note in report.warnings] == ["underflow"]
    mean = one(score("likelihood", table, reduction="mean"))
    assert mean.value == pytest.approx(0.3, rel=1e-15)
    assert (mean.log_value, mean.divisor) == (None, float(n))


def test_a_product_of_zero_is_no_underflow(score):
    report = score("likelihood", {"pred": [0.0, 0.5], "target": [1, 1]})
    assert (one(report).value, one(report).log_value) == (0.0, -math.inf)
    assert not report.warnings


def test_a_weighted_product(score):
    table = {"pred": [0.5, 0.25], "target": [1, 1], "w": [3.0, 1.0]}
    assert one(score("likelihood", table, weight="w")).value == pytest.approx(0.5**3 * 0.25, rel=1e-15)
    assert one(score("likelihood", table, weight="w", reduction="mean")).value == pytest.approx(2**-1.25, rel=1e-15)


# Numbers of the whole set.


def test_coefficient_of_determination_to_the_last_digit(score, chunk):
    """Against Fractions, at a mean of a million where SST in floats cancels."""
    rng = random.Random(4)
    target = [1e6 + rng.gauss(0, 1) for _ in range(12)]
    pred = [t + rng.gauss(0, 0.5) for t in target]
    weight = [rng.choice([0.0, 0.5, 1.0, 2.5]) for _ in target]
    table = {"pred": pred, "target": target, "w": weight}
    for given, w in (({}, [1.0] * 12), ({"weight": "w"}, weight)):
        exact_w = [Fraction(x) for x in w]
        errors = [Fraction(float(np.float64(p) - np.float64(t))) ** 2 for p, t in zip(pred, target, strict=True)]
        mean = sum(a * Fraction(t) for a, t in zip(exact_w, target, strict=True)) / sum(exact_w)
        sse = sum(a * e for a, e in zip(exact_w, errors, strict=True))
        sst = sum(a * (Fraction(t) - mean) ** 2 for a, t in zip(exact_w, target, strict=True))
        expected = 1 - sse / sst
        found = one(score("r2", table, chunk_rows=chunk, **given))
        assert found.value == expected.numerator / expected.denominator
        assert (found.reduction, found.per) == ("set", "dataset")


def test_a_divisor_means_nothing_to_a_coefficient(score):
    """--weight-norm chooses what a mean divides by; a ratio of two weighted sums has no such choice."""
    table = {"pred": [1.0, 2.0, 3.0], "target": [1.0, 2.0, 4.0], "w": [1.0, 2.0, 3.0]}
    try:
        found = one(score("r2", table, weight="w", weight_norm="n")).value
    except UsageError:
        return
    assert found == one(score("r2", table, weight="w")).value


def test_coefficient_at_the_edges(score):
    assert math.isnan(one(score("r2", {"pred": [1.0], "target": [2.0]})).value)
    assert one(score("r2", {"pred": [3.0, 3.0], "target": [3.0, 3.0]})).value == 1.0
    assert one(score("r2", {"pred": [3.0, 4.0], "target": [3.0, 3.0]})).value == 0.0
    table = {"pred": [[1.0, 0.0], [2.0, 1.0]], "target": [[1.0, 1.0], [2.0, 3.0]]}
    assert one(score("r2:multioutput=per-column", table)).value == (1.0 - 1.5) / 2
    assert one(score("r2", table)).value == 1 - 5 / 2.5


# Order statistics, deviations, histograms.


def test_statistics(score):
    found = one(score("mse", PAIR, stats=True))
    assert dict(found.stats) == {
        "sum": 85.0,
        "mean": 21.25,
        "std": pytest.approx(np.std([1, 4, 16, 64], ddof=1), rel=1e-15),
        "min": 1.0,
        "max": 64.0,
        "median": 10.0,
        "p90": pytest.approx(49.6),
        "p99": pytest.approx(62.56),
    }
    assert list(found.stats) == ["sum", "mean", "std", "min", "max", "median", "p90", "p99"]
    assert sum(found.histogram) == 4
    assert [place for place, count in enumerate(found.histogram) if count] == [0, 1, 5, 23]


def test_statistics_that_a_loss_does_not_have(score):
    table = PAIR | {"target": [1.0, 2.0, 3.0, 4.0]}
    whole = one(score("r2", table, stats=True))
    assert set(whole.stats.values()) == {None}
    assert whole.histogram is None
    root = one(score("rmse", table, stats=True))
    assert root.stats["sum"] is None
    assert root.stats["mean"] == root.value
    assert root.stats["max"] == 4.0
    empty = one(score("mse", {"pred": np.zeros(0), "target": np.zeros(0)}, stats=True, empty="nan"))
    assert set(empty.stats.values()) == {None}
    assert one(score("mse", table)).stats is None


@pytest.mark.parametrize(
    "values",
    [
        [0.0, 0.0, 0.0],
        [1.0, 1.0 + 2**-52],
        [0.0, 5e-324],
        [1.0, math.inf, 2.0],
        [math.inf, math.inf],
        [NAN, 1.0, 3.0],
        [1e308, 1.7e308, 0.0],
        [3.0],
        [1e-300, 1.0, 2.0],
        [0.1 * i for i in range(100)],
    ],
)
def test_a_histogram_counts_every_finite_value(values):
    finite = [v for v in values if math.isfinite(v)]
    ends = finite_ends(np.array(values))
    if not finite:
        assert ends is None
    else:
        assert ends == (min(finite), max(finite))
        counts = steps(np.array(values), *ends)
        assert len(counts) == 24
        assert sum(counts) == len(finite)
        assert all(count >= 0 for count in counts)
        assert counts[0] > 0


def test_a_histogram_of_neighbours_in_a_run(score):
    """Two values that differ in the last bit only are no reason to fail."""
    table = {"pred": [1.0, 1.0 + 2**-52], "target": [0.0, 0.0]}
    assert one(score("mae", table, stats=True)).stats["max"] == 1.0 + 2**-52


@pytest.mark.parametrize("q", [0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.99, 1.0])
def test_quantiles_interpolate_between_order_statistics(q):
    for values in ([1.0], [1.0, 2.0], [0.0, 0.1, 0.7, 5.0], list(np.random.default_rng(3).normal(size=101))):
        ordered = np.sort(np.array(values))
        assert quantile(ordered, q) == pytest.approx(np.quantile(ordered, q), rel=1e-15, abs=1e-300)
        place = Fraction(q) * (len(ordered) - 1)
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        assert low <= quantile(ordered, q) <= high


@pytest.mark.parametrize("q", [0.3, 0.5, 0.7])
def test_quantiles_beside_an_infinity(q):
    """Between a finite value and an infinity lies the infinity, never nan."""
    assert quantile(np.array([1.0, math.inf]), q) == math.inf
    assert quantile(np.array([-math.inf, 1.0]), q) == -math.inf
    assert quantile(np.array([math.inf, math.inf]), q) == math.inf
    assert math.isnan(quantile(np.array([1.0, NAN]), q))
    assert quantile(np.array([1.0, 2.0, math.inf]), 0.0) == 1.0


@pytest.mark.parametrize("q", [0.25, 0.5, 0.75])
def test_quantiles_of_the_greatest_numbers(q):
    """The step between two order statistics may be beyond the float range."""
    ordered = np.array([-1.7e308, 1.7e308])
    assert -1.7e308 <= quantile(ordered, q) <= 1.7e308


def test_names_of_quantiles():
    found = [quantile_of(v) for v in ("median", "p0", "p5", "p90", "p99.9", "p100")]
    assert found == pytest.approx([0.5, 0, 0.05, 0.9, 0.999, 1], rel=1e-15)
    for view in ("p", "p101", "p-1", "p1e1", "mean", "P90", "p90 ", "pNN"):
        assert quantile_of(view) is None


@pytest.mark.parametrize("chunk", [100, 1000])
def test_quantiles_beyond_memory(score, chunk):
    """A reduction is exact whatever the size; statistics are so as long as all values fit."""
    n = 1000
    table = {"pred": np.arange(n * 1.0), "target": np.zeros(n)}
    for view, value in (("median", 499.5), ("p90", 899.1)):
        assert one(score("mae", table, memory=7000, reduction=view, chunk_rows=chunk)).value == value
    within = score("mae", table, memory=8000, stats=True, chunk_rows=chunk)
    beyond = score("mae", table, memory=7999, stats=True, chunk_rows=chunk)
    assert "approximate" not in one(within).stats
    assert within.warnings == []
    assert one(beyond).stats["approximate"] is True
    assert one(beyond).stats == {
        **one(within).stats,
        "median": pytest.approx(499.5, rel=0.0039),
        "p90": pytest.approx(899.1, rel=0.0039),
        "p99": pytest.approx(989.01, rel=0.0039),
        "approximate": True,
    }
    assert sum(one(beyond).histogram) == n
    (note,) = beyond.warnings
    assert note.code == "approximate"
    assert "8,000 bytes" in note.message
    assert "7,999" in note.message


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500", 500),
        ("1k", 1024),
        ("2M", 2 << 20),
        ("1.5G", 3 << 29),
        ("1GiB", 1 << 30),
        ("1e9", 10**9),
        (" 2 gb ", 2 << 30),
    ],
)
def test_memory_sizes(text, size):
    assert memory_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "lots", "1X", "1.2.3", ".", "k"])
def test_bad_memory_sizes(text):
    with pytest.raises(UsageError):
        memory_size(text)


def test_no_options_is_every_default():
    options = Options()
    assert not options.shows
    assert options.memory == 2 << 30
    assert (options.nan, options.empty, options.reduction, options.rows, options.worst) == (
        "error",
        "error",
        None,
        None,
        None,
    )


# The state of one loss, by itself.


def tally(**given):
    return Tally(Mean(), **{"spread": True, "collect": True, "memory": 10**6, **given})


def added(values, weight=None, codes=None, **given):
    state = tally(**given)
    values = np.array(values, float)
    codes = None if codes is None else np.array(codes)
    if codes is not None:
        state.grow(int(codes.max()) + 1)
    weight = None if weight is None else np.array(weight, float)
    state.add({"value": values}, values, 1, weight, codes, len(values), plain_divisor=False)
    return state


def test_a_fresh_state_is_neutral():
    state, empty = added([1.0, 3.0]), tally()
    for merged in (added([1.0, 3.0]), tally()):
        merged.merge(empty if merged.n(None) else state)
        assert (merged.n(None), merged.extreme(None, "min"), merged.extreme(None, "max")) == (2, 1.0, 3.0)
        assert merged.deviation(None) == math.sqrt(2)
        assert merged.totals(None, weighted=False, norm="sum").sums["value"].to_float() == 4.0
        assert merged.figures(None, (0.0, 0.5, 1.0), bins=False).quantiles == (1.0, 2.0, 3.0)


def test_groups_land_where_they_are_told():
    one_state, other = added([1.0, 2.0, 4.0], codes=[0, 1, 1]), added([8.0, 16.0], codes=[0, 1])
    one_state.merge(other, np.array([3, 1]))
    found = [one_state.totals(g, weighted=False, norm="sum").sums["value"].to_float() for g in range(4)]
    assert found == [1.0, 22.0, 0.0, 8.0]
    assert [one_state.n(g) for g in (None, 0, 1, 2, 3)] == [5, 1, 3, 0, 1]
    assert one_state.figures(1, (0.0, 0.5, 1.0), bins=False).quantiles == (2.0, 4.0, 16.0)
    assert math.isnan(one_state.extreme(2, "min"))
    assert [one_state.extreme(g, "max") for g in (None, 1, 3)] == [16.0, 16.0, 8.0]


def test_merged_values_count_against_memory():
    """What a merge brings along is held as well, and what was held is not counted twice."""
    for size, approximate in ((47, True), (48, False)):
        for memory in (size, Room(size)):
            states = [added([1.0, 3.0], memory=memory, exact=False) for _ in range(3)]
            for other in states[1:]:
                states[0].merge(other)
            found = states[0].figures(None, (0.5,), bins=False)
            assert found.approximate is approximate
            assert found.quantiles == ((2.0,) if not approximate else pytest.approx((2.0,), rel=0.004))


@pytest.mark.parametrize(("exact", "approximate"), [(True, False), (False, True), (None, True)])
def test_quantiles_beside_other_statistics_may_be_approximate(exact, approximate):
    found = added([1.0, 3.0, 3.891], memory=1, exact=exact).figures(None, (0.5, 1.0), bins=False)
    assert found.approximate is approximate
    assert found.quantiles == (pytest.approx(3.0, rel=0.0039 if approximate else 0), 3.891)  # no more than the greatest


def test_what_is_kept_counts_once_in_a_shared_room():
    """Threads share a room, and their states are merged."""
    room, array = Room(200), np.ones((4, 1))
    states = [tally(memory=room, collect=False) for _ in range(3)]
    for state in states:
        state.add({}, None, 1, None, None, 4, plain_divisor=False, kept={"value": array})
    for other in states[1:]:
        states[0].merge(other)
    assert room.kept == 3 * (array.nbytes + 4 * np.dtype(np.intp).itemsize)
    with pytest.raises(UsageError, match="--memory"):
        tally(memory=Room(150)).merge(states[0])


def test_nothing_counted_has_no_extremes():
    state = added([1.0, 5.0], weight=[0.0, 0.0])
    assert (state.n(None), state.weight_sum(None, weighted=True)) == (2, 0.0)
    assert math.isnan(state.extreme(None, "max"))
    assert math.isnan(state.deviation(None))
    assert math.isnan(state.figures(None, (0.5,), bins=False).quantiles[0])


def test_dropped_rows_are_counted_by_group():
    state = tally()
    state.grow(3)
    state.count(np.array([0, 1, 2, 1, 0], np.uint8), np.array([0, 1, 1, 2, 2]))
    assert [state.dropped_in(g) for g in (None, 0, 1, 2)] == [(2, 1), (0, 0), (1, 1), (1, 0)]
