"""Cosines and sines of pairs of vectors: long runs of rows, angles near 0 and 180 degrees, sizes far from 1."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import lossctl.losses
from lossctl.errors import DataError
from lossctl.vectors import BLOCK, cosine_sine, damped_cosines

WIDE = 5
ROWS = 2 * BLOCK // WIDE + 3  # more than two blocks


def exact(a, b, root: float = 0.0) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Cosine and sine, the cosine damped."""
    with mpmath.workdps(60):
        u, v = ([mpmath.mpf(float(x)) for x in row] for row in (a, b))
        uu, vv, uv = (mpmath.fsum(x * y for x, y in zip(p, q, strict=True)) for p, q in ((u, u), (v, v), (u, v)))
        damp = mpmath.mpf(root) ** 2
        return uv / mpmath.sqrt((uu + damp) * (vv + damp)), mpmath.sqrt(max(1 - uv * uv / (uu * vv), 0))


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    a = rng.normal(size=(ROWS, WIDE))
    apart = 10.0 ** rng.integers(-12, 1, ROWS)[:, None] * rng.normal(size=(ROWS, WIDE))
    b = np.where(rng.random(ROWS) < 0.5, 1.0, -1.0)[:, None] * a + apart
    size = 10.0 ** rng.integers(-4, 5, ROWS)[:, None]
    return a * size, b


def test_rows_of_many_blocks_are_those_of_each_row(rows):
    for found in (cosine_sine, lambda a, b: damped_cosines(a, b, 1e-6)):
        whole = found(*rows)
        for place in (0, BLOCK // WIDE - 1, BLOCK // WIDE, ROWS - 1):
            one = found(rows[0][place : place + 1], rows[1][place : place + 1])
            assert [w[place] for w in whole] == [o[0] for o in one]


def test_sines_keep_their_digits_near_0_and_180_degrees(rows):
    cosine, sine = cosine_sine(*rows)
    for place in range(0, ROWS, 97):
        expected = exact(rows[0][place], rows[1][place])
        assert abs(cosine[place] - expected[0]) <= 4e-16
        assert abs(sine[place] - expected[1]) <= 4e-15 * expected[1] + 1e-300


def test_damped_distances_keep_their_digits(rows):
    close, far = damped_cosines(*rows, 1e-6)
    for place in range(0, ROWS, 97):
        expected, _ = exact(rows[0][place], rows[1][place], 1e-6)
        assert abs(close[place] - expected) <= 8e-16
        assert abs(far[place] - (1 - expected)) <= 4e-15 * (1 - expected)


def test_a_zero_vector_is_at_a_right_angle():
    a, b = np.array([[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]]), np.array([[3.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    cosine, sine = cosine_sine(a, b)
    assert cosine.tolist() == [0, 0, 0]
    assert sine.tolist() == [1, 1, 1]
    close, far = damped_cosines(a, b, 1e-6)
    assert close.tolist() == [0, 0, 0]
    assert far.tolist() == [1, 1, 1]


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_sizes_whose_squares_leave_the_float_range(size):
    a, b = size * np.array([[3.0, 4.0]]), size * np.array([[4.0, 3.0]])
    cosine, sine = cosine_sine(a, b)
    assert cosine[0] == pytest.approx(0.96, rel=4e-16)
    assert sine[0] == pytest.approx(0.28, rel=2e-15)
    close, far = damped_cosines(a, b, 1e-6)
    damped = pytest.approx(24 * size / 1e-12 * size, rel=4e-15, abs=0.0)  # the product of squared lengths is nothing
    assert close[0] == (pytest.approx(0.96, rel=4e-16) if size > 1 else damped)
    assert far[0] == (pytest.approx(0.04, rel=2e-15) if size > 1 else 1.0)


@pytest.mark.parametrize("name", ["linear_cross_entropy", "l_softmax"])
def test_scores_beyond_the_float_range_are_refused(name):
    """Where a dot product overflows, a loss would be -inf or NaN: the row is named instead."""
    with pytest.raises(DataError) as caught:
        getattr(lossctl.losses, name)([[1.0, 0.0], [1e200, 1e199]], [0, 1], [[1e200, 0.0], [0.0, 1e200]])
    assert (caught.value.code, caught.value.row) == ("too-long", 2)
