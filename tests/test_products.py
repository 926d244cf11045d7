"""Dot products whose digits do not depend on the batch, and norms that neither overflow nor vanish."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lossctl.numerics import norms, products

HUGE, TINY = 1.7976931348623157e308, 5e-324
ANY = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 1 / 3, HUGE, -HUGE, TINY, 2.0**1000, 2.0**-1000, 1e301, 1e-310, 0.1]),
    st.floats(allow_nan=False, allow_infinity=False),
)


def exact(a, b) -> list[list[Fraction]]:
    return [[sum(Fraction(x) * Fraction(y) for x, y in zip(row, col, strict=True)) for col in b] for row in a]


def limit(row, col) -> Fraction:
    """A few roundings of the parts of the sum, what the slices leave out, and half a subnormal."""
    k = (53 - math.ceil(math.log2(len(row) + 1))) // 2
    left_out = Fraction(len(row), 2 ** (3 * k - 1)) * Fraction(max(map(abs, row))) * Fraction(max(map(abs, col)))
    sizes = sum(abs(Fraction(x) * Fraction(y)) for x, y in zip(row, col, strict=True))
    return Fraction(4, 2**53) * sizes + left_out + Fraction(1, 2**1075)


def hold(a, b) -> None:
    found = products(np.array(a), np.array(b))
    for i, row in enumerate(exact(a, b)):
        for j, number in enumerate(row):
            if math.isinf(found[i, j]):
                assert abs(number) >= Fraction(HUGE) * (1 - Fraction(1, 2**40)), (a[i], b[j])
            else:
                assert abs(Fraction(float(found[i, j])) - number) <= limit(a[i], b[j]), (a[i], b[j], found[i, j])


@st.composite
def matrices(draw):
    wide = draw(st.integers(1, 5))
    rows = st.lists(st.lists(ANY, min_size=wide, max_size=wide), min_size=1, max_size=3)
    return draw(rows), draw(rows)


@given(matrices())
@settings(max_examples=300)
def test_products_are_right_for_numbers_of_any_size(pair):
    hold(*pair)


@pytest.mark.parametrize("wide", [1, 2, 3, 7, 64, 500])
@pytest.mark.parametrize("scale", [1.0, 1e300, 1e-300])
def test_products_are_right_for_vectors_of_any_length(wide, scale):
    rng = np.random.default_rng(wide)
    hold((rng.normal(size=(3, wide)) * scale).tolist(), (rng.normal(size=(2, wide)) / scale).tolist())


@pytest.mark.parametrize("wide", [3, 100])
def test_whole_numbers_are_exact(wide):
    rng = np.random.default_rng(0)
    a, b = rng.integers(-1000, 1000, (4, wide)), rng.integers(-1000, 1000, (5, wide))
    assert (products(a.astype(float), b.astype(float)) == a @ b.T).all()


def test_products_cancel_without_loss():
    """What is left of 1 - 1 stands in the last bits of the factors."""
    a = [[1.0, 1.0, 2.0**-40]]
    b = [[1.0, -1.0, 1.0], [1 + 2.0**-52, -1.0, 0.0]]
    assert products(np.array(a), np.array(b)).tolist() == [[2.0**-40, 2.0**-52]]


def test_the_greatest_and_the_least():
    """Where a row or its product nearly leaves the floats, nothing overflows or vanishes on the way."""
    a = np.array([[HUGE, 0.0], [TINY, TINY], [1e-310, 0.0], [0.0, 0.0]])
    b = np.array([[0.5, 0.0], [1.0, -1.0], [1e300, 0.0], [1e300, 1e300]])
    assert products(a, b).tolist() == [
        [HUGE / 2, HUGE, math.inf, math.inf],
        [0.0, 0.0, TINY * 1e300, 2 * TINY * 1e300],
        [5e-311, 1e-310, 1e-310 * 1e300, 1e-310 * 1e300],
        [0.0, 0.0, 0.0, 0.0],
    ]


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
@settings(max_examples=60)
def test_no_cut_changes_a_digit(seed, wide):
    """One row at a time, some, all, in another order, in another layout: the same bits."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 40, 2)
    a = rng.normal(size=(n, wide)) * 10.0 ** rng.integers(-12, 12, (n, 1))
    b = rng.normal(size=(m, wide)) * 10.0 ** rng.integers(-12, 12, (m, 1))
    whole = products(a, b)
    cut_a, cut_b = rng.integers(0, n + 1), rng.integers(0, m + 1)
    parts = [[products(x, y) for y in (b[:cut_b], b[cut_b:])] for x in (a[:cut_a], a[cut_a:])]
    assert np.array_equal(np.block(parts), whole)
    single = [products(a[i : i + 1], b[j : j + 1])[0, 0] for i in range(n) for j in range(m)]
    assert np.array_equal(np.reshape(single, (n, m)), whole)
    order = rng.permutation(n)
    assert np.array_equal(products(np.asfortranarray(a[order]), b[::-1])[:, ::-1], whole[order])
    assert np.array_equal(products(b, a).T, whole)


def test_products_of_nothing():
    for n, m, wide in ((0, 3, 2), (3, 0, 2), (2, 3, 0), (0, 0, 0)):
        found = products(np.zeros((n, wide)), np.zeros((m, wide)))
        assert found.shape == (n, m)
        assert not found.any()


def lengths(rows) -> list[float]:
    with mpmath.workprec(3000):
        return [float(mpmath.sqrt(mpmath.fsum(mpmath.mpf(x) ** 2 for x in row))) for row in rows]


def near(found: float, right: float) -> bool:
    return found == right or abs(found - right) <= 4 * math.ulp(right)


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=ANY))
@settings(max_examples=300)
def test_norms_of_numbers_of_any_size(x):
    found = norms(x)
    for mine, right in zip(found.tolist(), lengths(x.tolist()), strict=True):
        assert near(mine, right), (x, mine, right)


@pytest.mark.parametrize("scale", [1.0, 1e306, 1e-320, 1e154, 1e-162])
@pytest.mark.parametrize("wide", [1, 2, 30, 1000])
def test_norms_of_long_rows(scale, wide):
    x = np.random.default_rng(wide).normal(size=(5, wide)) * scale
    assert all(map(near, norms(x).tolist(), lengths(x.tolist())))


def test_norms_that_are_known():
    up, down = 2.0**700, 2.0**-700
    x = [[3.0, 4.0], [3 * up, 4 * up], [3 * down, 4 * down], [0.0, 0.0], [0.0, -7.0], [HUGE, HUGE], [TINY, 0.0]]
    assert norms(np.array(x)).tolist() == [5.0, 5 * up, 5 * down, 0.0, 7.0, math.inf, TINY]
    assert norms(np.array([[math.inf, 1.0], [math.nan, 1.0]])).tolist()[0] == math.inf
    assert math.isnan(norms(np.array([[math.nan, 1.0]]))[0])
    assert norms(np.zeros((3, 0))).tolist() == [0.0, 0.0, 0.0]
    assert norms(np.zeros((0, 3))).tolist() == []


def test_norms_row_by_row():
    x = np.random.default_rng(5).normal(size=(50, 9))
    assert norms(x).tolist() == [norms(row[None])[0] for row in x]
    assert norms(np.asfortranarray(x)).tolist() == norms(x).tolist()
