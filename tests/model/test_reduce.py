"""The shelf of reductions: rows, terms and finishes, by hand."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from lossctl.exact import from_int
from lossctl.model.reduce import (
    Elements,
    Extreme,
    Mean,
    Product,
    Ratio,
    RootMeanSquare,
    Sums,
    Totals,
    row_means,
    times,
)
from lossctl.sums import Sums as Adder


def totals(reduction, out, mode=None, weight=None):
    """The exact totals of kernel output, rows unweighted."""
    sums = {}
    for name, term in reduction.terms(out, mode).items():
        adder = Adder()
        if isinstance(term, tuple):
            adder.add_products(*term)
        else:
            adder.add(term)
        sums[name] = adder.total()
    first = out[0] if isinstance(out, tuple) else next(iter(out.values())) if isinstance(out, dict) else out
    rows = len(first[0] if isinstance(first, tuple) else first)
    return Totals(sums, rows, weight or from_int(rows), reduction.width(out))


def finish(reduction, view, out, mode=None, params=None, **given):
    return reduction.finish(view, totals(reduction, out, mode, **given), mode, params or {})


WIDE = np.array([[1.0, 3.0], [5.0, 7.0]])


def test_mean():
    out = np.array([0.1, 0.2, 0.3])
    exact = sum(Fraction(float(x)) for x in out)
    assert finish(Mean(), "mean", out) == float(exact / 3)
    assert finish(Mean(), "sum", out) == float(exact)
    assert finish(Mean(), "mean", out, weight=from_int(6)) == float(exact / 6)
    assert Mean().rows(out, None) is out
    assert Mean().width(out) == 1


def test_elements():
    assert finish(Elements(), "mean", WIDE, "mean") == 4.0
    assert finish(Elements(), "sum", WIDE, "mean") == 16.0
    assert finish(Elements(), "mean", WIDE, "sum") == 8.0
    assert Elements().rows(WIDE, "mean").tolist() == [2.0, 6.0]
    assert Elements().rows(WIDE, "sum").tolist() == [4.0, 12.0]
    assert Elements().width(WIDE) == 2
    flat = np.array([1.0, 2.0])
    assert Elements().rows(flat, "sum").tolist() == Elements().rows(flat, "mean").tolist() == [1.0, 2.0]
    assert finish(Elements(), "mean", flat, "sum") == 1.5
    assert (Elements().row_mode, Elements(row="sum").row_mode) == ("mean", "sum")


def test_ratio():
    out = (np.array([1.0, 4.0]), np.array([1.0, 3.0]))
    assert finish(Ratio(), "mean", out) == 1.25
    assert finish(Ratio(), "sum", out) == 5.0
    assert Ratio().rows(out, None).tolist() == [1.0, 4.0]


def test_root_mean_square():
    assert finish(RootMeanSquare(), "mean", WIDE, params={"multioutput": "global"}) == math.sqrt(21)
    by_column = finish(RootMeanSquare(), "mean", WIDE, params={"multioutput": "per-column"})
    assert by_column == (math.sqrt(13) + math.sqrt(29)) / 2
    assert RootMeanSquare().rows(WIDE, None).tolist() == [math.sqrt(5), math.sqrt(37)]
    assert RootMeanSquare().rows(np.array([-2.0, 3.0]), None).tolist() == [2.0, 3.0]


def test_roots_of_squares_that_overflow_or_vanish():
    """Squares are whole numbers, so errors of 1e200 and of 1e-200 are right to the last digit."""
    for size in (1e200, 1e-200):
        out = np.array([3.0, 4.0]) * size
        assert finish(RootMeanSquare(), "mean", out) == pytest.approx(math.sqrt(12.5) * size, rel=1e-15)
        rows = RootMeanSquare().rows(out[None, :], None)
        assert rows == pytest.approx([math.sqrt(12.5) * size], rel=1e-15)
    assert RootMeanSquare().rows(np.zeros((2, 3)), None).tolist() == [0.0, 0.0]
    assert np.isnan(RootMeanSquare().rows(np.array([[np.nan, 1.0]]), None)).all()


def test_infinite_rows_of_roots():
    with np.errstate(all="ignore"):
        assert RootMeanSquare().rows(np.array([[np.inf, 1.0]]), None).tolist() == [math.inf]
    assert finish(RootMeanSquare(), "mean", np.array([np.inf, 1.0])) == math.inf


def test_sums():
    reduction = Sums(lambda columns, all_of_it, params: sum(e.to_float() for c in columns.values() for e in c))
    out = {"a": np.array([1.0, 2.0]), "b": (WIDE, WIDE)}
    assert sorted(reduction.terms(out, None)) == ["a 0", "b 0", "b 1"]
    assert finish(reduction, "set", out) == 3 + 26 + 58
    assert reduction.rows(out, None) is None
    assert reduction.divisor(totals(reduction, out), None) is None
    assert reduction.views == ("set",)
    assert reduction.width({"b": (WIDE, WIDE)}) == 2


def test_sums_get_their_columns_in_order():
    kept = {}
    reduction = Sums(lambda columns, all_of_it, params: kept.update(columns) or 0.0)
    finish(reduction, "set", {"x": np.arange(24.0).reshape(2, 12)})
    assert [e.to_float() for e in kept["x"]] == [12.0 + 2 * j for j in range(12)]


def test_product():
    out = (np.array([0.5, 0.25]), np.log([0.5, 0.25]))
    assert finish(Product(), "prod", out) == pytest.approx(0.125, rel=1e-15)
    assert finish(Product(), "mean", out) == pytest.approx(math.sqrt(0.125), rel=1e-15)
    assert Product().rows(out, None).tolist() == [0.5, 0.25]
    assert Product().log_value(totals(Product(), out)) == pytest.approx(math.log(0.125), rel=1e-15)
    large = (np.array([1e300] * 2), np.log([1e300] * 2))
    assert finish(Product(), "prod", large) == math.inf


def test_extreme():
    assert Extreme().rows(WIDE, None).tolist() == [3.0, 7.0]
    assert Extreme().terms(WIDE, None) == {}
    assert Extreme().views == ("max", "none")


def test_row_means():
    flat = np.array([1.0])
    assert row_means(flat) is flat
    assert row_means(WIDE).tolist() == [2.0, 6.0]


def test_times():
    number = Adder()
    number.add(np.array([0.1, math.inf]))
    scaled = times(number.total(), 3)
    assert scaled.units == 3 * number.total().units
    assert scaled.posinf == 1


@pytest.mark.parametrize("reduction", [Mean(), Elements(), Ratio(), RootMeanSquare(), Product(), Extreme()])
def test_the_default_view_is_the_first(reduction):
    assert reduction.views[0] in {"mean", "prod", "max"}
    assert len(set(reduction.views)) == len(reduction.views)
