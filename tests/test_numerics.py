"""Blocks of formulas, against mpmath and against rows taken by themselves."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

from lossctl import numerics
from lossctl.losses import bce, sigmoid_focal

mpmath.mp.dps = 60
INF = math.inf
ERRORS = [0.0, 5e-324, 1e-160, 1e-8, 1e-3, 0.5, 0.999, 1.0, 1.5, 7.0, 39.9, 40.0, 40.1, 709.0, 711.0, 1e5, 1e308]


def near(found: Any, expected: list[Any], ulps: float) -> None:
    for got, exact in zip(np.asarray(found).tolist(), expected, strict=True):
        assert abs(mpmath.mpf(got) - exact) <= ulps * math.ulp(float(exact)), (got, exact)


def test_log_cosh() -> None:
    exact = [abs(mpmath.mpf(e)) + mpmath.log1p(mpmath.exp(-2 * mpmath.mpf(e))) - mpmath.log(2) for e in ERRORS[3:]]
    near(numerics.log_cosh(np.array(ERRORS[3:])), exact, 3)
    near(numerics.log_cosh(-np.array(ERRORS[3:])), exact, 3)
    assert numerics.log_cosh(np.array([*ERRORS[:3], INF, -INF])).tolist() == [0.0, 0.0, 1e-160**2 / 2, INF, INF]


def test_softplus() -> None:
    x = [-800.0, -700.0, -40.0, -1.0, -1e-9, 0.0, 1e-300, 0.3, 40.0, 710.0, 1e300]
    exact = [mpmath.mpf(v) if v > 1000 else mpmath.log1p(mpmath.exp(mpmath.mpf(v))) for v in x]
    near(numerics.softplus(np.array(x)), exact, 2)
    assert numerics.softplus(np.array([INF, -INF])).tolist() == [INF, 0.0]


def test_exp_gap() -> None:
    x = [-700.0, -1.0, -0.5, -0.3, -1e-8, -1e-150, 1e-150, 1e-8, 0.3, 0.4999, 0.5, 0.7, 5.0, 700.0]
    exact = [mpmath.expm1(mpmath.mpf(v)) - mpmath.mpf(v) if abs(v) > 1e-9 else mpmath.mpf(v) ** 2 / 2 for v in x]
    near(numerics.exp_gap(np.array(x)), [e + 0 for e in exact], 6)


@pytest.mark.parametrize("y", [0.0, 1e-300, 1e-17, 0.25, 0.5, 1 - 2**-53, 1.0])
def test_costs_of_logits(y: float) -> None:
    """Next to no term cancels, whatever side of the logit the target is on, nor where it is nearly there."""
    x = np.array([0.0, -0.0, 1e-300, 0.3, -0.3, 5.0, -5.0, 40.0, -40.0, 700.0, -700.0])
    target = np.full(x.shape, y)
    yes = [mpmath.log1p(mpmath.exp(-mpmath.mpf(v))) for v in x.tolist()]
    no = [mpmath.log1p(mpmath.exp(mpmath.mpf(v))) for v in x.tolist()]
    costs = [mpmath.mpf(y) * a + (1 - mpmath.mpf(y)) * b for a, b in zip(yes, no, strict=True)]
    near(bce(x, target, input="logits"), costs, 3)
    missed = [mpmath.mpf(y) * (1 - mpmath.exp(-a)) + (1 - mpmath.mpf(y)) * mpmath.exp(-a) for a in yes]
    focal = [m**2 * cost for m, cost in zip(missed, costs, strict=True)]
    near(sigmoid_focal(x, target, alpha=None), focal, 16)


def test_infinite_logits() -> None:
    x, y = np.array([-INF, -INF, -INF]), np.array([0.0, 1.0, 0.5])
    assert bce(x, y, input="logits").tolist() == [0.0, INF, INF]
    assert sigmoid_focal(x, y, alpha=None).tolist() == [0.0, INF, INF]


def test_times_leaves_no_trace_of_terms_that_are_not_there() -> None:
    a, b = np.array([0.0, 0.0, 2.0, -0.0]), np.array([INF, -INF, INF, 1.0])
    found = numerics.times(a, b)
    assert found.tolist() == numerics.times(a, b.copy(), out=b).tolist() == [0.0, 0.0, INF, 0.0]
    assert not np.signbit(found).any()


@pytest.mark.parametrize("count", [1, 3, 127, 128, 300, 511, 512, 513, 1000, 5000, 40_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_depends_on_no_other(count: int, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(count)
    scores = (4 * rng.standard_normal((7, count))).astype(dtype)
    top, rest = numerics.log_normaliser(scores)
    size = np.getbufsize()
    for cut in (1, 2, 5):
        parts = [numerics.log_normaliser(scores[i : i + cut]) for i in range(0, 7, cut)]
        assert np.concatenate([part[0] for part in parts]).tolist() == top.tolist()
        assert np.concatenate([part[1] for part in parts]).tolist() == rest.tolist()
    monkeypatch.setattr(numerics, "BLOCK", 3 * count)
    for laid_out in (np.asfortranarray(scores), np.repeat(scores, 2, axis=1)[:, ::2]):
        assert numerics.log_normaliser(laid_out)[1].tolist() == rest.tolist()
    assert np.getbufsize() == size


@pytest.mark.parametrize("count", [128, 1000, 50_000])
@pytest.mark.parametrize("spread", [0.0, 1.0, 20.0])
def test_float32_scores_keep_six_digits(count: int, spread: float) -> None:
    scores = (spread * np.random.default_rng(count).standard_normal((5, count))).astype(np.float32)
    found, exact = numerics.log_normaliser(scores)[1], numerics.log_normaliser(scores.astype(np.float64))[1]
    np.testing.assert_allclose(found, exact, rtol=1e-6)
