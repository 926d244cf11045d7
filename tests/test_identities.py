"""What must hold between losses, on data of any size: property tests of the textbook's identities."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import lossctl
from lossctl import losses

FINITE = st.floats(-1e6, 1e6, allow_subnormal=False)
LOGITS = st.floats(-30, 30)
AMOUNTS = st.floats(1e-6, 1e6)
POWERS = st.one_of(st.floats(-3, 0), st.floats(1, 4), st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.0]))


def vectors(elements: st.SearchStrategy[float], count: int) -> st.SearchStrategy[list[np.ndarray]]:
    return st.integers(1, 30).flatmap(
        lambda n: st.lists(arrays.arrays(float, n, elements=elements), min_size=count, max_size=count)
    )


def close(a: object, b: object, rtol: float = 1e-12, atol: float = 1e-12) -> bool:
    return bool(np.allclose(a, b, rtol=rtol, atol=atol))


@given(vectors(FINITE, 2))
def test_huber_between_its_neighbours(pair: list[np.ndarray]) -> None:
    pred, target = pair
    error = np.abs(pred - target)
    far, near = 2 * error.max() + 1, error[error > 0].min(initial=np.inf) / 2
    assert close(losses.huber(pred, target, delta=far), losses.mse(pred, target) / 2)
    if np.isfinite(near) and near > 1e-100:
        wall = near * (losses.mae(pred, target) - near / 2)
        assert close(losses.huber(pred, target, delta=near), np.where(error > 0, wall, 0.0))
    delta = 1.7
    assert close(losses.huber(pred, target, delta=delta), delta * losses.smooth_l1(pred, target, beta=delta))


@given(vectors(FINITE, 2))
def test_pinball(pair: list[np.ndarray]) -> None:
    pred, target = pair
    assert close(losses.pinball(pred, target), losses.mae(pred, target) / 2)
    mirrored = losses.pinball(-pred, -target, quantile=0.8)
    assert close(losses.pinball(pred, target, quantile=0.2), mirrored)


@given(vectors(FINITE, 2), st.floats(0.01, 0.99))
def test_asymmetric_is_the_umbrella(pair: list[np.ndarray], q: float) -> None:
    pred, target = pair
    assert close(losses.asymmetric(pred, target), losses.mse(pred, target))
    assert close(losses.asymmetric(pred, target, power=1), losses.mae(pred, target))
    tilted = losses.asymmetric(pred, target, over=1 - q, under=q, power=1)
    assert close(tilted, losses.pinball(pred, target, quantile=q))


@given(vectors(FINITE, 2))
def test_bias_and_variance_make_up_the_square(pair: list[np.ndarray]) -> None:
    pred, target = pair
    bias = lossctl.compute("mean-bias-error", pred, target).value
    left = np.mean((pred - target - bias) ** 2)
    assert close(lossctl.compute("mse", pred, target).value, bias**2 + left, rtol=1e-9, atol=1e-9)
    assert close(losses.quadratic_cost(pred, target), losses.mse(pred, target) / 2)


@given(vectors(st.floats(-(2**20), 2**20, allow_subnormal=False).map(round), 2), st.integers(-1000, 1000))
def test_explained_variance_does_not_see_a_constant(pair: list[np.ndarray], shift: int) -> None:
    pred, target = pair
    centred = pred - round(float(np.mean(pred - target)))
    plain = losses.explained_variance(pred, target)
    assert losses.explained_variance(centred + shift, target) == plain
    if len(pred) > 1:
        assert plain >= losses.r2(pred, target) - 1e-12


@given(vectors(st.floats(-0.75, 1e6, allow_subnormal=False), 2))
def test_logarithmic_errors(pair: list[np.ndarray]) -> None:
    pred, target = pair
    gap = np.log1p(pred) - np.log1p(target)
    assert close(losses.msle(pred, target), gap**2)
    assert close(losses.rmsle(pred, target), np.abs(gap))


@given(vectors(st.floats(-1e3, 1e3).map(lambda x: round(x, 3)), 3), st.floats(1e-3, 1e3))
def test_cosine_does_not_see_lengths(columns: list[np.ndarray], size: float) -> None:
    pred = np.column_stack(columns)
    target = pred[::-1]
    plain = losses.cosine_distance(pred, target)
    assert close(losses.cosine_distance(size * pred, target), plain)
    both = (np.abs(pred).max(axis=1) > 0) & (np.abs(target).max(axis=1) > 0)
    assert close(losses.cosine_distance(-pred, target)[both], 2 - plain[both])


@given(vectors(FINITE, 2))
def test_log_cosh_between_square_and_straight(pair: list[np.ndarray]) -> None:
    value, error = losses.log_cosh(*pair), np.abs(pair[0] - pair[1])
    assert (value <= np.minimum(error, error**2 / 2) * (1 + 1e-12)).all()
    assert (value >= error - np.log(2) - 1e-9).all()


@given(vectors(LOGITS, 1), st.integers(0, 2**30))
def test_cross_entropies_agree(logits: list[np.ndarray], seed: int) -> None:
    (x,) = logits
    y = np.random.default_rng(seed).integers(0, 2, size=len(x)).astype(float)
    direct = losses.bce_with_logits(x, y)
    assert close(direct, losses.bce(1 / (1 + np.exp(-x)), y, clip="none"), rtol=1e-4, atol=1e-9)
    assert close(direct, losses.cross_entropy(np.column_stack([np.zeros_like(x), x]), y))
    soft = np.column_stack([1 - y, y])
    assert close(direct, losses.cross_entropy(np.column_stack([np.zeros_like(x), x]), soft))
    assert close(losses.balanced_sigmoid_ce(x, y, beta=0.5), direct / 2)


@given(vectors(LOGITS, 3), st.floats(-5, 5), st.integers(0, 2**30))
def test_classes_of_shifted_logits(columns: list[np.ndarray], shift: float, seed: int) -> None:
    logits = np.column_stack(columns)
    target = np.random.default_rng(seed).integers(0, 3, size=len(logits))
    base = losses.cross_entropy(logits, target)
    assert (base >= 0).all()
    assert close(losses.cross_entropy(logits + shift, target), base, atol=1e-9)
    log_prob = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    assert close(losses.nll(np.minimum(log_prob, 0.0), target), base, atol=1e-9)
    hard = np.eye(3)[target]
    assert close(losses.kl_div(log_prob, hard), base, atol=1e-9)


@given(vectors(AMOUNTS, 2), POWERS, st.sampled_from([0.5, 2.0, 64.0]))
def test_deviances_scale(pair: list[np.ndarray], power: float, scale: float) -> None:
    """d(c t, c q) = c^(2 - p) d(t, q)."""
    pred, target = pair
    plain = losses.tweedie_deviance(pred, target, power=power)
    assert (plain >= 0).all()
    assert ((plain == 0) == (pred == target)).all()
    scaled = losses.tweedie_deviance(scale * pred, scale * target, power=power)
    assert close(scaled, scale ** (2 - power) * plain, atol=0)


@given(vectors(AMOUNTS, 2), st.sampled_from([1.0, 2.0]))
def test_deviances_are_continuous_in_the_power(pair: list[np.ndarray], power: float) -> None:
    plain = losses.tweedie_deviance(*pair, power=power)
    for near in (power * (1 + 1e-13), 2 - 1e-13 if power == 2 else 1 + 2.0**-52):
        assert close(losses.tweedie_deviance(*pair, power=near), plain, rtol=1e-11, atol=0)


@given(vectors(AMOUNTS, 2))
def test_poisson_in_four_ways(pair: list[np.ndarray]) -> None:
    """The deviance is twice the generalized divergence, and twice what the likelihood loses against a perfect rate."""
    pred, target = pair
    deviance = losses.poisson_deviance(pred, target)
    assert close(deviance, 2 * losses.generalized_kl(pred, target), rtol=1e-15, atol=0)
    assert close(deviance, losses.tweedie_deviance(pred, target, power=1), rtol=0, atol=0)
    rates = {"log_input": False, "eps": 0.0, "full": True, "stirling": "exact"}
    parts = [losses.poisson_nll(rate, target, **rates) for rate in (pred, target)]
    assert np.allclose(deviance, 2 * (parts[0] - parts[1]), rtol=1e-9, atol=1e-7)
    assert close(losses.poisson_nll(np.log(pred), target), losses.poisson_nll(pred, target, log_input=False, eps=0.0))


@given(vectors(FINITE, 2))
def test_gaussian_likelihood_of_variance_one(pair: list[np.ndarray]) -> None:
    ones = np.ones(len(pair[0]))
    assert close(losses.gaussian_nll(*pair, ones), losses.mse(*pair) / 2, rtol=1e-15)


@given(vectors(LOGITS, 3), vectors(LOGITS, 3), st.floats(0.01, 0.99))
def test_jensen_shannon(one: list[np.ndarray], other: list[np.ndarray], mix: float) -> None:
    rows = min(len(one[0]), len(other[0]))
    p, q = (np.exp(np.column_stack([c[:rows] for c in columns])) for columns in (one, other))
    p, q = p / p.sum(axis=1, keepdims=True), q / q.sum(axis=1, keepdims=True)
    value = losses.js_divergence(p, q, mix=mix)
    assert (value >= 0).all()
    assert (value <= -(mix * np.log(mix) + (1 - mix) * np.log1p(-mix)) * (1 + 1e-12)).all()
    assert close(value, losses.js_divergence(q, p, mix=1 - mix), rtol=1e-9, atol=0)
    middle = mix * q + (1 - mix) * p
    parts = [losses.kl_div(middle, side, input="probs") for side in (q, p)]
    assert close(value, mix * parts[0] + (1 - mix) * parts[1], atol=1e-14)


@given(vectors(st.floats(0, 1), 1), st.integers(0, 2**30))
def test_brier_of_two_classes(probs: list[np.ndarray], seed: int) -> None:
    (p,) = probs
    y = np.random.default_rng(seed).integers(0, 2, size=len(p))
    assert close(losses.brier(p, y), losses.mse(p, y), rtol=1e-15, atol=0)
    both = np.column_stack([1 - p, p])
    assert close(losses.brier(p, y), losses.brier(both, y))
    assert close(losses.brier(both, y, factor="sum"), losses.brier(both, np.eye(2)[y]) * 2, rtol=1e-15, atol=0)


@settings(max_examples=40)
@given(vectors(FINITE, 2), st.integers(0, 2**30))
def test_whole_numbers_as_weights_are_copies(pair: list[np.ndarray], seed: int) -> None:
    pred, target = pair
    weight = np.random.default_rng(seed).integers(0, 4, size=len(pred))
    weight[0] = 1
    for name in ("mse", "mae", "rmse", "huber"):
        weighted = lossctl.compute(name, pred, target, weight=weight.astype(float)).value
        copied = lossctl.compute(name, np.repeat(pred, weight), np.repeat(target, weight)).value
        assert weighted == copied
