"""What must hold between losses of classification, on data of any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lossctl import losses

LOGITS = st.floats(-40, 40)
SEEDS = st.integers(0, 2**30)
SHAPES = st.tuples(st.integers(1, 20), st.integers(2, 6))


def scores(shape: tuple[int, int]) -> st.SearchStrategy[np.ndarray]:
    return arrays.arrays(float, shape, elements=LOGITS)


MATRICES = SHAPES.flatmap(scores)


def close(a: Any, b: Any, rtol: float = 1e-12) -> bool:
    return bool(np.allclose(a, b, rtol=rtol, atol=1e-15))


def binary(seed: int, rows: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, size=rows).astype(float)


def index(seed: int, pred: np.ndarray) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, pred.shape[1], size=len(pred))


@given(arrays.arrays(float, st.integers(1, 30), elements=LOGITS), SEEDS)
def test_focal_without_focus_is_cross_entropy(x: np.ndarray, seed: int) -> None:
    y = binary(seed, len(x))
    whole = losses.bce_with_logits(x, y)
    assert close(losses.sigmoid_focal(x, y, alpha=None, gamma=0.0), whole)
    assert close(losses.alpha_ce(x, y, alpha=0.5), whole / 2)
    assert (losses.sigmoid_focal(x, y, alpha=None) <= whole).all()


@given(arrays.arrays(float, st.integers(1, 30), elements=LOGITS), SEEDS, st.floats(0, 4))
def test_a_logit_is_two_classes(x: np.ndarray, seed: int, gamma: float) -> None:
    """The single logit x is the pair (0, x)."""
    y = binary(seed, len(x))
    pair = np.stack([np.zeros(len(x)), x], axis=1)
    focal = losses.softmax_focal(pair, y, alpha=None, gamma=gamma)
    assert close(losses.sigmoid_focal(x, y, alpha=None, gamma=gamma), focal, rtol=1e-11)
    assert close(losses.sparsemax(x, y), losses.sparsemax(pair, y))


@given(MATRICES, SEEDS)
def test_kin_of_cross_entropy(z: np.ndarray, seed: int) -> None:
    y = index(seed, z)
    whole = losses.cross_entropy(z, y)
    assert close(losses.softmax_focal(z, y, alpha=None, gamma=0.0), whole)
    assert close(losses.poly_ce(z, y, epsilon=0.0), whole)
    assert close(losses.fenchel_young(z, y), whole)
    assert close(losses.generalized_ce(z, y, input="logits", q=1e-12), whole, rtol=1e-9)
    assert close(losses.generalized_ce(z, y, input="logits", q=1.0), -np.expm1(-whole))
    assert (losses.poly_ce(z, y, epsilon=-1.0) <= whole).all()


@given(MATRICES, SEEDS, st.floats(0, 1))
def test_labels_are_one_hot_distributions(z: np.ndarray, seed: int, smoothing: float) -> None:
    y = index(seed, z)
    hot = np.eye(z.shape[1])[y]
    for loss, params in (
        ("cross_entropy", {"label_smoothing": smoothing}),
        ("cross_entropy", {"label_smoothing": smoothing, "uniform": "C-1"}),
        ("softmax_focal", {"gamma": smoothing}),
        ("poly_ce", {}),
        ("fenchel_young", {}),
        ("fenchel_young", {"max_fun": "sparsemax"}),
        ("fenchel_young", {"max_fun": "max"}),
    ):
        function = getattr(losses, loss)
        assert close(function(z, y, **params), function(z, hot, **params))


@given(MATRICES, SEEDS, st.floats(0, 1))
def test_smoothing_over_all_and_over_the_others(z: np.ndarray, seed: int, smoothing: float) -> None:
    """What goes to all C classes goes back to the true one in one part of C."""
    y, size = index(seed, z), z.shape[1]
    everywhere = losses.cross_entropy(z, y, label_smoothing=smoothing)
    less = losses.cross_entropy(z, y, label_smoothing=smoothing * (size - 1) / size, uniform="C-1")
    assert close(everywhere, less, rtol=1e-10)


@given(MATRICES, SEEDS)
def test_smoothed_maxima_in_order(z: np.ndarray, seed: int) -> None:
    """max <= sparsemax <= max + 1/2 - 1/(2 C), and sparsemax is the Fenchel-Young loss of its maximum."""
    y, size = index(seed, z), z.shape[1]
    hard = losses.fenchel_young(z, y, max_fun="max")
    sparse = losses.fenchel_young(z, y, max_fun="sparsemax")
    assert close(sparse, losses.sparsemax(z, y))
    assert (hard <= sparse).all()
    assert (sparse <= hard + 0.5 - 0.5 / size + 1e-12).all()


@given(arrays.arrays(float, st.integers(1, 30), elements=st.floats(0, 1)), SEEDS)
def test_log_loss_is_clipped_cross_entropy(p: np.ndarray, seed: int) -> None:
    y = binary(seed, len(p))
    pair = np.stack([1 - p, p], axis=1)
    assert close(losses.log_loss(p, y), losses.bce(p, y, clip="sklearn"))
    assert close(losses.log_loss(p, y, clip="none"), losses.bce(p, y, clip="none"))
    assert np.allclose(losses.log_loss(pair, y), losses.log_loss(p, y), rtol=1e-9, atol=3e-16)
    assert np.allclose(np.exp(-losses.log_loss(p, y, clip="none")), losses.likelihood(p, y))


@given(SHAPES, SEEDS)
def test_hamming_and_zero_one(shape: tuple[int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    pred, target = rng.integers(0, 2, size=(2, *shape))
    each, whole = losses.hamming(pred, target), losses.zero_one(pred, target)
    assert ((each > 0) == (whole == 1)).all()
    assert (each <= whole).all()
    assert (losses.hamming(pred[:, 0], target[:, 0]) == losses.zero_one(pred[:, 0], target[:, 0])).all()


@pytest.mark.parametrize("loss", ["sparsemax", "fenchel_young", "softmax_focal", "poly_ce"])
@pytest.mark.parametrize("shift", [2.0**10, -(2.0**20), 2.0**40])
def test_shifting_logits_changes_nothing(loss: str, shift: float) -> None:
    # These sums are exact, and the losses depend on differences of logits only.
    logits, target = np.array([[0.5, -1.25, 2.0], [0.0, 0.0, 0.0], [3.0, 2.75, -4.0]]), [0, 1, 2]
    function = getattr(losses, loss)
    assert (function(logits + shift, target) == function(logits, target)).all()
