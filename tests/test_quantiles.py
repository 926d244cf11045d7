"""Weighted quantiles against fractions: every comparison here is ``==``."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lossctl.quantiles import weighted_quantile

HUGE = 1.7976931348623157e308
# Few values and weights, so that ties and weights that reach the level to the bit are common.
VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 2.0, 3.0, -1.5, HUGE, -HUGE, 9e299, 5e-324, 1 / 3]),
    st.floats(allow_nan=False, allow_infinity=False),
)
WEIGHTS = st.one_of(
    st.sampled_from([1.0, 0.1, 0.2, 0.3, 0.25, 0.5, 3.0, 7.0, 1e-300, 1e300, 5e-324, HUGE]),
    st.floats(min_value=0, exclude_min=True, allow_nan=False, allow_infinity=False),
)
LEVELS = st.one_of(st.sampled_from([0.5, 0.25, 0.75, 0.1, 0.9, 1 / 3, 2**-60]), st.floats(0.001, 0.999))


def naive(values: list[float], weights: list[float], level: float) -> float:
    """The definition, in fractions: the least value that reaches the level; at the level itself, a middle."""
    ordered = sorted(zip(map(Fraction, values), map(Fraction, weights), strict=True))
    goal = Fraction(level) * sum(weight for _, weight in ordered)
    reached = Fraction(0)
    for place, (value, weight) in enumerate(ordered):
        reached += weight
        if reached > goal:
            return float(value)
        if reached == goal:
            return float((value + ordered[place + 1][0]) / 2)
    raise AssertionError("a level below 1 is always reached")


def found(values: list[float], weights: list[float] | None, level: float) -> float:
    return weighted_quantile(np.array(values), None if weights is None else np.array(weights), level)


@given(st.lists(st.tuples(VALUES, WEIGHTS), min_size=1, max_size=12), LEVELS)
@settings(max_examples=400)
@example([(9e299, 1.0), (HUGE, 1.0)], 0.5)  # their sum overflows
@example([(1.0, HUGE), (2.0, HUGE), (3.0, HUGE)], 0.5)  # the sum of the weights overflows
@example([(1.0, 0.1), (2.0, 0.2), (3.0, 0.3)], 0.5)  # 0.1 + 0.2 is no 0.3: below the half, not on it
@example([(1.0, 1e-300), (2.0, 1e300), (3.0, 1e300)], 0.5)  # what a sum of floats does not see
def test_the_definition(pairs, level):
    values, weights = [v for v, _ in pairs], [w for _, w in pairs]
    assert found(values, weights, level) == naive(values, weights, level)
    assert found(values, None, level) == naive(values, [1.0] * len(values), level)


@given(st.lists(st.tuples(VALUES, WEIGHTS), min_size=2, max_size=12), LEVELS, st.randoms(use_true_random=False))
def test_the_order_leaves_no_trace(pairs, level, random):
    shuffled = random.sample(pairs, len(pairs))
    one, other = (found([v for v, _ in each], [w for _, w in each], level) for each in (pairs, shuffled))
    assert one == other


@given(st.lists(st.tuples(VALUES, st.integers(1, 5)), min_size=1, max_size=8), LEVELS)
def test_whole_weights_are_repetitions(pairs, level):
    repeated = [value for value, times in pairs for _ in range(times)]
    assert found([v for v, _ in pairs], [float(w) for _, w in pairs], level) == found(repeated, None, level)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_the_half_is_the_median(values):
    assert found(values, None, 0.5) == np.median(values)


def test_many_values_near_the_level():
    """Rounded partial sums point at the wrong place by many rows; exact ones put that right, in both directions."""
    small, many = 1e-17, 5000
    values = list(range(2 * many + 1))
    for weights in ([1.0] + [small] * (2 * many), [small] * (2 * many) + [1.0]):
        for level in (0.5, 1 / (1 + 2 * many * small), 1 - 1e-16):
            assert found([float(v) for v in values], weights, level) == naive(values, weights, level)


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 1.0]])
def test_values_that_are_not_finite(weights):
    assert math.isnan(found([1.0, math.nan, 2.0], weights, 0.5))
    assert found([1.0, math.inf, 2.0], weights, 0.5) == (2.0 if weights is None else math.inf)
    assert found([-math.inf, 1.0, math.inf], None, 0.1) == -math.inf
    assert math.isnan(found([-math.inf, math.inf], None, 0.5))
    assert found([1.0, math.inf], None, 0.5) == math.inf


def test_nothing_has_no_quantile():
    assert math.isnan(found([], None, 0.5))
    assert math.isnan(found([], [], 0.5))


def test_nothing_is_changed():
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    for array in (values, weights):
        array.flags.writeable = False
    assert weighted_quantile(values, weights, 0.5) == 2.0
