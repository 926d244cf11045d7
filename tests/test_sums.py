"""Exact sums against exact fractions: every comparison here is ``==``."""

from __future__ import annotations

import io
import itertools
import math
import threading
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl import sums
from lossctl.exact import UNIT, Exact, from_int, ratio, root_ratio, std, variance
from lossctl.sums import Sums

TINY, HUGE, STEP = 5e-324, 1.7976931348623157e308, 2.0**-53
HARD = [
    0.0, -0.0, 1.0, -1.0, 1 + 2 * STEP, 1 - STEP, TINY, -TINY, 3 * TINY, 2.0**-1022, 2.0**-1022 - TINY,
    HUGE, -HUGE, 1.7e308, -1.7e308, 1e308, 2.0**960, math.nextafter(2.0**960, 0), 2.0**972, 1e200, 1e-200,
    2.0**-480, 2.0**-484, 2.0**-485, -(2.0**-537), 2.0**512, 1 / 3, 1e16, -1e16, 2.0**996,
    math.pi * 2.0**-969, math.pi * 2.0**-970,
]  # fmt: skip
of_any_size = st.floats(allow_nan=False, allow_infinity=False)
finite = st.one_of(st.sampled_from(HARD), of_any_size, st.floats(-10, 10))
anything = st.one_of(finite, st.sampled_from([math.nan, math.inf, -math.inf]))
many = settings(max_examples=300, deadline=None)
some = settings(max_examples=100, deadline=None)


def units(values: Iterable[float | Fraction]) -> int:
    """The oracle: an exact sum in units of 2**UNIT."""
    total = sum((Fraction(v) for v in values), Fraction(0)) * (1 << -UNIT)
    assert total.denominator == 1
    return total.numerator


def pairs_of(a: Any, b: Any) -> list[Fraction]:
    return [Fraction(x) * Fraction(y) for x, y in zip(a.tolist(), b.tolist(), strict=True)]


def nearest(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def is_root(root: float, square: Fraction) -> bool:
    """Whether no float is nearer to the square's root: compares squares of the middles between floats."""
    here, below = (Fraction(min(each, 2**1024)) for each in (root, math.nextafter(root, 0)))
    above = Fraction(min(math.nextafter(root, math.inf), 2**1024))
    return (here + below) ** 2 <= 4 * square and (root == math.inf or 4 * square <= (here + above) ** 2)


def exact(values: Any, groups: Any = None, n: int = 1) -> Exact:
    adder = Sums(n)
    adder.add(values, groups)
    return adder.total()


def products(a: Any, b: Any) -> Exact:
    adder = Sums()
    adder.add_products(a, b)
    return adder.total()


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def normal(n: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(seed).standard_normal(n)


# One sum


@many
@given(st.lists(finite, max_size=40))
def test_sum_is_the_sum_of_fractions(values: list[float]) -> None:
    got = exact(values)
    assert got == Exact(units(values))
    assert got.to_float() == nearest(sum(map(Fraction, values), Fraction(0)))


@some
@given(st.lists(st.floats(-1e300, 1e300), max_size=40))
def test_to_float_is_fsum(values: list[float]) -> None:
    assert exact(values).to_float() == math.fsum(values)


@pytest.mark.parametrize("n", [1, 1000, sums.BLOCK - 1, sums.BLOCK, sums.BLOCK + 1, 3 * sums.BLOCK + 17])
def test_many_values(n: int) -> None:
    x = normal(n)
    assert exact(x).to_float() == math.fsum(x)
    assert exact(x, np.arange(n) % 7, 7).to_float() == math.fsum(x)


def test_exponents_of_all_sizes_in_one_block() -> None:
    rng = np.random.default_rng(1)
    x = np.ldexp(rng.uniform(-1, 1, 5000), rng.integers(-1074, 1024, 5000))
    assert exact(x).units == exact(x, np.arange(5000) % 3, 3).units == units(x.tolist())


@pytest.mark.parametrize("exponent", [-1073, -1022, -980, 0, 1, 13, 30, 40, 959, 960, 1023])
@pytest.mark.parametrize("groups", [1, 2])
def test_a_block_of_the_largest_digits_stays_inside_int64(exponent: int, groups: int) -> None:
    largest = np.nextafter(2.0**exponent, 0)
    x = np.full(2 * sums.BLOCK, largest)
    codes = np.ones(len(x), np.intp) if groups > 1 else None
    assert exact(x, codes, groups).units == len(x) * units([largest])
    assert exact(-x, codes, groups).units == -len(x) * units([largest])


def test_cancellation_leaves_what_is_left() -> None:
    x = np.concatenate([normal(1000) * 1e300, [TINY], normal(1000) * 1e-300])
    assert exact(np.concatenate([x, -x, [TINY]])) == Exact(units([TINY]))
    assert exact([1e308, 5e-324, -1e308]).to_float() == 5e-324
    assert exact([1e16, 1.0, -1e16]).to_float() == 1.0


def test_overflow_is_undone_by_what_follows() -> None:
    assert exact([1.7e308, 1.7e308]).to_float() == math.inf
    assert exact([-1.7e308, -1.7e308]).to_float() == -math.inf
    assert exact([1.7e308, 1.7e308, -1.7e308]).to_float() == 1.7e308
    assert exact([HUGE, math.ulp(HUGE) / 2]).to_float() == math.inf  # the tie that rounds up
    assert exact([HUGE, np.nextafter(math.ulp(HUGE) / 2, 0)]).to_float() == HUGE


# Cuts, order, merging


def by_cuts(x: Any, codes: Any, cuts: list[int], n: int, how: Callable[..., None] = Sums.add) -> list[Sums]:
    parts = []
    for start, stop in itertools.pairwise([0, *sorted(cuts), len(x)]):
        parts.append(Sums(n))
        how(parts[-1], x[start:stop], codes[start:stop])
    return parts


def states_equal(a: Sums, b: Sums) -> bool:
    first, second = a.state(), b.state()
    return first.keys() == second.keys() and all(np.array_equal(first[k], second[k]) for k in first)


@some
@given(st.lists(st.tuples(anything, st.integers(0, 3)), min_size=1, max_size=30), st.data())
def test_cut_order_and_merging_leave_no_trace(rows: list[tuple[float, int]], data: st.DataObject) -> None:
    x, codes = np.array([v for v, _ in rows]), np.array([g for _, g in rows])
    whole = Sums(4)
    whole.add(x, codes)
    order = np.array(data.draw(st.permutations(range(len(x)))))
    cuts = data.draw(st.lists(st.integers(0, len(x)), max_size=4))
    parts = by_cuts(x[order], codes[order], cuts, 4)
    while len(parts) > 1:
        taken = parts.pop(data.draw(st.integers(0, len(parts) - 1)))
        parts[data.draw(st.integers(0, len(parts) - 1))].merge(taken)
    assert states_equal(parts[0], whole)
    for g in range(4):
        assert parts[0].exact(g) == whole.exact(g) == exact(x[codes == g])
    assert parts[0].total() == whole.total() == exact(x)


def test_large_cuts_leave_no_trace() -> None:
    x, codes = normal(150_000) ** 3, np.random.default_rng(1).integers(0, 50, 150_000)
    whole = Sums(50)
    whole.add(x, codes)
    other = Sums(50)
    for part in reversed(by_cuts(x, codes, [1, 777, 65_536, 100_001], 50)):
        other.merge(part)
    assert states_equal(whole, other)
    assert [whole.exact(g) for g in range(50)] == [exact(x[codes == g]) for g in range(50)]
    assert whole.total() == sum((whole.exact(g) for g in range(1, 50)), whole.exact(0)) == exact(x)


def test_merge_to_places() -> None:
    part = Sums(3)
    part.add([1.0, 2.0, 4.0, -math.inf], [0, 1, 2, 2])
    part.add([0.5])  # of group 0, as a Python integer
    into = Sums(1)
    into.add([8.0])
    into.merge(part, [4, 0, 4])
    assert into.groups == 5
    assert into.exact(0).to_float() == 10
    assert into.exact(4) == Exact(units([5.5]), neginf=1)
    assert into.exact(2) == Exact(0)
    into.merge(Sums(0))
    into.merge(into)
    assert into.exact(0).to_float() == 20
    for places in ([0, 1], [0, -1, 2]):
        with pytest.raises(ValueError, match="place"):
            into.merge(part, places)


def test_merging_very_many_groups_into_one() -> None:
    groups = 1 << 21
    part, into = Sums(groups), Sums()
    x = np.full(groups, 2.0**39 - 1) * 2.0**6
    part.add(x, np.arange(groups))
    for _ in range(9):  # 9 * 2**21 * 2**39 is beyond int64
        into.merge(part, np.zeros(groups, np.intp))
    assert into.exact(0).units == 9 * groups * units([2.0**45 - 2.0**6])
    assert part.total().units == groups * units([2.0**45 - 2.0**6])


@pytest.mark.parametrize("sign", [1, -1])
def test_limbs_carry_before_they_overflow(sign: int) -> None:
    largest = sign * (2.0**6 - 2.0**-47)  # 2**6 is 2**40 units of its limb
    n = 9_000_000  # times 2**40 is beyond int64
    adder = Sums(2)
    adder.add(np.broadcast_to(largest, n), np.broadcast_to(1, n))
    assert adder.exact(1).units == n * units([largest])
    assert adder.exact(0) == Exact(0)


@pytest.mark.parametrize("sign", [1, -1])
def test_carry_often(monkeypatch: pytest.MonkeyPatch, sign: int) -> None:
    carried: list[int] = []
    carry = sums._carry
    monkeypatch.setattr(sums, "FULL", 1 << 50)

    def counted(limbs: dict[int, Any]) -> None:
        carried.append(len(limbs))
        carry(limbs)

    monkeypatch.setattr(sums, "_carry", counted)
    x, codes = sign * np.random.default_rng(1).uniform(32, 64, 20_000), np.arange(20_000) % 3
    adder = Sums(3)
    for start in range(0, 20_000, 500):
        adder.add(x[start : start + 500], codes[start : start + 500])
    assert len(carried) > 3
    assert [adder.exact(g) for g in range(3)] == [exact(x[codes == g]) for g in range(3)]


@some
@given(st.lists(st.tuples(st.integers(0, 60), anything), max_size=30))
def test_groups_may_come_one_by_one(rows: list[tuple[int, float]]) -> None:
    adder = Sums(0)
    for g, v in rows:
        adder.grow(g + 1)
        adder.add([v], [g])
    assert adder.groups == max((g + 1 for g, _ in rows), default=0)
    copy, merged = Sums.from_state(adder.state()), Sums(0)
    merged.merge(adder)
    for g in range(adder.groups):
        expected = exact([v for h, v in rows if h == g])
        assert adder.exact(g) == copy.exact(g) == merged.exact(g) == expected


def test_state_goes_through_a_file_without_pickle() -> None:
    before = Sums(5)
    before.add(normal(1000) * 1e20, np.arange(1000) % 4)
    before.add([math.nan, math.inf], [2, 4])
    file = io.BytesIO()
    np.savez(file, **before.state())  # type: ignore[arg-type]
    file.seek(0)
    with np.load(file, allow_pickle=False) as read:
        after = Sums.from_state(read)
    assert after.groups == 5
    assert states_equal(before, after)
    assert [after.exact(g) for g in range(5)] == [before.exact(g) for g in range(5)]
    after.add(normal(1000) * 1e20, np.arange(1000) % 4)
    assert after.exact(1).units == 2 * before.exact(1).units
    assert Sums.from_state(Sums(3).state()).exact(2) == Exact(0)


def test_equal_sums_have_equal_states() -> None:
    x = normal(1000) * 1e100
    one, two = Sums(2), Sums(2)
    one.add(x)
    two.add(x, np.zeros(1000, np.intp))
    assert states_equal(one, two)
    two.add([1e300, -1e300, 1e-300, -1e-300], [1, 1, 0, 0])
    assert states_equal(one, two)


def test_ordinary_groups_take_little_memory() -> None:
    adder = Sums(1000)
    adder.add(normal(100_000), np.arange(100_000) % 1000)
    assert sum(row.nbytes for row in adder.state().values()) <= 64 * 1000


# Products


@many
@given(st.lists(st.tuples(finite, finite), max_size=20))
def test_products_are_products_of_fractions(pairs: list[tuple[float, float]]) -> None:
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    expected = units(Fraction(x) * Fraction(y) for x, y in pairs)
    assert products(a, b) == Exact(expected)
    grouped = Sums(2)
    grouped.add_products(a, b, np.ones(len(a), np.intp))
    assert grouped.exact(1) == Exact(expected)
    assert grouped.exact(0) == Exact(0)


@pytest.mark.parametrize("power", [-1074, -1000, -540, -486, -485, -484, -480, 0, 300, 470, 480, 511, 1000])
def test_squares_of_every_size(power: int) -> None:
    a = np.ldexp(normal(200), power)
    b = np.ldexp(normal(200, 1), power)
    assert products(a, a).units == units(pairs_of(a, a))
    assert products(a, b).units == units(pairs_of(a, b))


def test_every_pair_of_hard_numbers() -> None:
    a, b = (np.array(column) for column in zip(*itertools.product(HARD, HARD), strict=True))
    adder = Sums(len(a))
    adder.add_products(a, b, np.arange(len(a)))
    for g, (x, y) in enumerate(itertools.product(HARD, HARD)):
        assert adder.exact(g) == products([x], [y]) == Exact(units([Fraction(x) * Fraction(y)]))


def test_many_products_with_zeros() -> None:
    n = sums.PRODUCTS + 99
    a, b = normal(n), normal(n, 1)
    a[::3] = 0
    b[::5] = -0.0
    codes = np.arange(n) % 3
    grouped = Sums(3)
    grouped.add_products(a, b, codes)
    assert products(a, b) == grouped.total() == Exact(units(pairs_of(a, b)))


def test_a_factor_for_each_row() -> None:
    table, weight = normal(3000).reshape(1000, 3), normal(1000, 1)
    codes = np.arange(1000) % 4
    one, full = Sums(4), Sums(4)
    one.add_products(table, weight, codes)
    full.add_products(table.ravel(), np.repeat(weight, 3), np.repeat(codes, 3))
    assert [one.exact(g) for g in range(4)] == [full.exact(g) for g in range(4)]


# What is not finite


def test_terms_that_are_not_finite_are_counted() -> None:
    x = np.array([1.0, math.nan, math.inf, 2.0, -math.inf, math.inf, HUGE])
    assert exact(x) == Exact(units([3.0, HUGE]), nan=1, posinf=2, neginf=1)
    adder = Sums(4)
    adder.add(x, [0, 1, 2, 3, 3, 3, 2])
    expected = [Exact(units([1.0])), Exact(0, 1), Exact(units([HUGE]), 0, 1), Exact(units([2.0]), 0, 1, 1)]
    assert [adder.exact(g) for g in range(4)] == expected
    assert adder.total() == exact(x)


def test_what_non_finite_terms_mean() -> None:
    inf, nan = math.inf, math.nan
    pairs = (([inf], inf), ([-inf, 1], -inf), ([inf, -inf], nan), ([nan], nan), ([nan, inf], nan))
    for terms, value in pairs:
        assert not exact(terms).finite
        assert same(exact(terms).nonfinite() or 0, value)
        assert same(exact(terms).to_float(), value)
    assert exact([HUGE, HUGE]).finite
    assert exact([HUGE, HUGE]).nonfinite() is None


def test_products_that_are_not_finite() -> None:
    a = [math.inf, math.inf, math.inf, math.nan, 1e300, 0.0, 2.0]
    b = [0.0, -1.0, 5e-324, 0.0, 1e300, -math.inf, 3.0]
    assert products(a, b) == Exact(units([Fraction(1e300) ** 2, 6.0]), nan=3, posinf=1, neginf=1)
    adder = Sums(7)
    adder.add_products(a, b, np.arange(7))
    assert [tuple(adder.exact(g)[1:]) for g in range(7)] == [
        (1, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 0, 0), (1, 0, 0), (0, 0, 0),
    ]  # fmt: skip


@many
@given(st.lists(st.tuples(anything, anything), max_size=8))
def test_product_kinds_are_those_of_ieee(pairs: list[tuple[float, float]]) -> None:
    got = products([p[0] for p in pairs], [p[1] for p in pairs])
    odd = [x * y for x, y in pairs if not (math.isfinite(x) and math.isfinite(y))]
    assert got[1:] == (sum(map(math.isnan, odd)), odd.count(math.inf), odd.count(-math.inf))


# Rounding


big_ints = st.one_of(st.integers(-(2**200), 2**200), st.integers(-5, 5), st.integers(-(2**5000), 2**5000))


@many
@given(big_ints, big_ints)
def test_ratio_is_the_nearest_float(n: int, d: int) -> None:
    got = ratio(Exact(n), Exact(d))
    if d:
        assert got == nearest(Fraction(n, d))
    else:
        assert same(got, math.nan if n == 0 else math.copysign(math.inf, 1 if n > 0 else -1))


def test_ratio_of_what_is_not_finite() -> None:
    inf, nan = Exact(7, posinf=1), Exact(0, nan=1)
    zero, two = from_int(0), from_int(2)
    minus_inf, minus_two = Exact(0, neginf=3), from_int(-2)
    table = {
        (inf, two): math.inf, (inf, minus_two): -math.inf, (minus_inf, two): -math.inf, (inf, zero): math.inf,
        (two, inf): 0.0, (two, minus_inf): 0.0, (inf, minus_inf): math.nan, (nan, two): math.nan,
        (two, nan): math.nan, (zero, zero): math.nan, (two, zero): math.inf, (minus_two, zero): -math.inf,
        (zero, inf): 0.0,
    }  # fmt: skip
    for (num, den), value in table.items():
        assert same(ratio(num, den), value), (num, den)
    assert math.copysign(1, ratio(zero, minus_two)) == 1


def test_mean_of_small_and_great() -> None:
    values = [HUGE] * 3 + [TINY] * 4
    assert ratio(exact(values), from_int(7)) == float(sum(map(Fraction, values), Fraction(0)) / 7)
    assert ratio(exact([TINY, TINY, 0.0]), from_int(3)) == TINY  # 2/3 of the smallest subnormal
    assert ratio(exact([TINY, 0.0]), from_int(2)) == 0.0  # the tie to even


@some
@given(st.integers(0, 2**3000), st.integers(1, 2**3000))
def test_root_ratio_is_the_nearest_float(n: int, d: int) -> None:
    got = root_ratio(Exact(n), Exact(d))
    assert is_root(got, Fraction(n, d))
    assert root_ratio(Exact(-n), Exact(-d)) == got


@some
@given(st.integers(1, 2**400), st.integers(1, 2**400))
def test_root_ratio_is_that_of_mpmath(n: int, d: int) -> None:
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workprec(2000):
        root = mpmath.sqrt(mpmath.mpf(n) / mpmath.mpf(d))
        with mpmath.workprec(53):
            assert root_ratio(Exact(n), Exact(d)) == float(+root)


def test_root_at_ties_and_next_to_them() -> None:
    middle = 2**53 + 1  # between two floats
    for scale in (1, 2**700, 3**400):
        square, unit = middle**2 * scale**2, scale**2
        assert root_ratio(Exact(square), Exact(unit)) == 2.0**53
        assert root_ratio(Exact(square + 1), Exact(unit)) == 2.0**53 + 2
        assert root_ratio(Exact(square - 1), Exact(unit)) == 2.0**53
    smallest = 2 ** (2 * 1074)
    assert root_ratio(Exact(1), Exact(smallest)) == TINY
    assert root_ratio(Exact(1), Exact(4 * smallest)) == 0.0
    assert root_ratio(Exact(2), Exact(4 * smallest)) == TINY
    assert root_ratio(Exact(9), Exact(4 * smallest)) == 2 * TINY


def test_root_where_squares_leave_the_range() -> None:
    for scale in (1e200, 1e-200, 1.0):
        errors = np.array([3.0, 4.0]) * scale
        mean = sum(pairs_of(errors, errors), Fraction(0)) / 2
        assert is_root(root_ratio(products(errors, errors), from_int(2)), mean)
    assert root_ratio(products([1e200], [1e200]), from_int(1)) == 1e200
    assert root_ratio(products([TINY], [TINY]), from_int(1)) == TINY
    assert root_ratio(from_int(2**2049), from_int(1)) == math.inf


def test_root_of_odd_things() -> None:
    inf, nan, one, zero = Exact(0, posinf=1), Exact(0, nan=1), from_int(1), from_int(0)
    table = {
        (inf, one): math.inf, (nan, one): math.nan, (Exact(0, neginf=1), one): math.nan, (one, inf): 0.0,
        (zero, zero): math.nan, (one, zero): math.inf, (zero, one): 0.0, (from_int(-1), one): math.nan,
        (from_int(-1), zero): math.nan,
    }  # fmt: skip
    for (num, den), value in table.items():
        assert same(root_ratio(num, den), value), (num, den)


def spread(values: list[float]) -> Fraction:
    mean = sum(map(Fraction, values), Fraction(0)) / len(values)
    return sum(((Fraction(v) - mean) ** 2 for v in values), Fraction(0)) / (len(values) - 1)


def test_variance_far_from_zero() -> None:
    x = 1e8 + normal(2000)
    s1, s2 = exact(x), products(x, x)
    expected = spread(x.tolist())
    assert variance(s1, s2, 2000) == float(expected)
    assert is_root(std(s1, s2, 2000), expected)
    assert variance(s1, exact(x * x), 2000) != float(expected)  # rounded squares: the test can tell


@some
@given(st.lists(finite, max_size=12))
def test_variance_is_that_of_fractions(values: list[float]) -> None:
    n, s1, s2 = len(values), exact(values), products(values, values)
    if n < 2:
        assert math.isnan(variance(s1, s2, n))
        assert math.isnan(std(s1, s2, n))
    else:
        assert variance(s1, s2, n) == nearest(spread(values))
        assert is_root(std(s1, s2, n), spread(values))


def test_variance_needs_finite_terms() -> None:
    for odd in (Exact(0, 1), Exact(0, 0, 1)):
        assert math.isnan(variance(odd, from_int(5), 3))
        assert math.isnan(std(from_int(1), odd, 3))


def test_exact_is_a_number() -> None:
    assert from_int(-3).to_float() == -3.0
    assert from_int(3) + from_int(4) == from_int(7)
    assert Exact(1, 2, 3, 4) + Exact(10, 20, 30, 40) == Exact(11, 22, 33, 44)


# Shapes and kinds of arrays


def test_kinds_of_numbers() -> None:
    x = normal(70_000)
    single = x.astype(np.float32)
    assert exact(single).units == exact(single.astype(np.float64)).units != exact(x).units
    assert exact(np.array([3e38, 1e-45, -3e38], np.float32)).to_float() == float(np.float32(1e-45))
    assert exact(np.array([True, False, True])) == from_int(2)
    assert exact(np.arange(1000)) == from_int(499_500)
    assert exact(np.arange(9.0).astype(">f8"), np.arange(9).astype(np.uint8), 9) == from_int(36)
    assert exact(2.5).to_float() == 2.5
    for wrong in (np.array([1j]), np.array(["1"])):
        with pytest.raises(TypeError):
            exact(wrong)


def test_arrays_of_any_layout() -> None:
    x = normal(240_000)
    table = x.reshape(600, 400)
    codes = np.arange(600) % 5
    expected = exact(x)
    fortran = np.asfortranarray(table)
    for view in (table, table.T, table[::-1, ::-1], x[::-1], x.reshape(6, 100, 400), fortran):
        assert exact(view) == expected
    assert exact(x[::2]) == exact(x[::2].copy())
    assert exact(table[:, 3]) == exact(table[:, 3].copy())
    grouped, wide = Sums(5), Sums(5)
    grouped.add(fortran, codes)
    wide.add(x, np.repeat(codes, 400))
    assert [grouped.exact(g) for g in range(5)] == [wide.exact(g) for g in range(5)]
    assert products(table[:, 0], table[:, 1]) == products(table[:, 0].copy(), table[:, 1].copy())
    shifted = np.frombuffer(b"\0" + x[:1000].tobytes(), np.float64, offset=1)  # not aligned
    assert exact(shifted) == exact(x[:1000])
    assert products(shifted, shifted) == products(x[:1000], x[:1000])


def test_input_stays_as_it_is() -> None:
    x = np.array([1.0, math.nan, -0.0, HUGE, TINY, math.inf])
    y, codes = x[::-1].copy(), np.array([0, 1, 2, 0, 1, 2])
    before = x.tobytes(), y.tobytes(), codes.tobytes()
    for array in (x, y, codes):
        array.flags.writeable = False
    adder = Sums(3)
    adder.add(x, codes)
    adder.add(x)
    adder.add_products(x, y, codes)
    adder.add_products(x, x)
    assert (x.tobytes(), y.tobytes(), codes.tobytes()) == before


def test_nothing_adds_nothing() -> None:
    adder = Sums(2)
    adder.add([])
    adder.add(np.zeros((0, 3)), np.zeros(0, np.intp))
    adder.add(np.zeros((3, 0)), [0, 1, 0])
    adder.add_products([], [], [])
    assert adder.total() == Exact(0)
    assert states_equal(adder, Sums(2))
    assert Sums(0).total() == Exact(0)


def test_wrong_calls_add_nothing() -> None:
    adder = Sums(2)
    adder.grow(3)  # there is room for a fourth, but no fourth
    for codes in ([0, 3], [-1, 0]):
        with pytest.raises(IndexError, match="0 to 2"):
            adder.add([1.0, 2.0], codes)
        with pytest.raises(IndexError):
            adder.add_products([1.0, 2.0], [1.0, 2.0], codes)
    with pytest.raises(IndexError):
        Sums().add([1.0], [1])
    for wrong in ([0], [0, 1, 2], [[0], [1]]):
        with pytest.raises(ValueError, match="shapes"):
            adder.add([1.0, 2.0], wrong)
        with pytest.raises(ValueError, match="shapes"):
            adder.add_products([1.0, 2.0], wrong)
    with pytest.raises(TypeError):
        adder.add([1.0, 2.0], [0.0, 1.0])
    for group in (-1, 3):
        with pytest.raises(IndexError):
            adder.exact(group)
    assert adder.total() == Exact(0)


def test_threads_do_not_share_buffers() -> None:
    x, y = normal(400_000), normal(400_000, 1) * 1e9
    expected = [(exact(v), products(v, v)) for v in (x, y)]
    got: dict[int, set[tuple[Exact, Exact]]] = {0: set(), 1: set()}

    def work(i: int) -> None:
        for _ in range(5):
            got[i].add((exact((x, y)[i]), products((x, y)[i], (x, y)[i])))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got[0], got[1]] == [{expected[0]}, {expected[1]}]
