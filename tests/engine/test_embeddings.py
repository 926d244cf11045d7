"""Pairs, class prototypes and views: what is refused and how it is said, zero vectors, sides, batches of one row."""

from __future__ import annotations

import numpy as np
import pytest

import lossctl
from lossctl import losses
from lossctl.errors import DataError, UsageError

X = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
W = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
OVER_CLASSES = ("center", "l-softmax", "sphereface", "cosface", "arcface", "normalized-softmax", "proxy-nca")
RIGHT = np.log(3.0)  # all three scores are the same


def refused(loss: str, *inputs: object, **params: object) -> str:
    with pytest.raises((DataError, UsageError)) as caught:
        lossctl.compute(loss, *inputs, **params)
    return f"{caught.value.message} / {caught.value.hint}"


@pytest.mark.parametrize("loss", [*OVER_CLASSES, "proxy-anchor"])
def test_labels_beyond_the_prototypes(loss):
    assert "target = 3.0 is not one of the 3 classes: 0 to 2" in refused(loss, X, [0, 1, 3], W)


@pytest.mark.parametrize("loss", [*OVER_CLASSES, "proxy-anchor", "soft-triple"])
def test_prototypes_that_lie_the_other_way(loss):
    params = {"centers": 1} if loss == "soft-triple" else {}
    message = refused(loss, X, [0, 1, 1], W.T, **params)
    assert "features and prototypes, a row for each class, differ in columns" in message
    assert "features is N x 2" in message
    assert "prototypes is 2 x 3" in message


def test_centers_of_a_class():
    centers = np.vstack([W, -W])
    assert "is not one of the 2 classes: 0 to 1" in refused("soft-triple", X, [0, 1, 2], centers, centers=3)
    assert "not a multiple of centers (4)" in refused("soft-triple", X, [0, 1, 1], centers, centers=4)
    assert len(losses.soft_triple(X, [0, 1, 2], centers, centers=2)) == 3


@pytest.mark.parametrize("loss", ["l-softmax", "sphereface"])
@pytest.mark.parametrize("m", [2.5, 0, -1])
def test_angles_are_multiplied_by_whole_numbers(loss, m):
    assert f"m = {m} is not allowed: m is whole number >= 1" in refused(loss, X, [0, 1, 2], W, m=m)


def test_margins_out_of_range():
    assert "in radians" in refused("arcface", X, [0, 1, 2], W, margin=28.6)
    assert "margin is number >= 0 and <= 2" in refused("cosface", X, [0, 1, 2], W, margin=-0.1)
    assert "margin is number >= -1 and <= 1" in refused("cosine-embedding", X, X, [1, 1, 1], margin=1.5)
    assert "margin is number > 0" in refused("contrastive", X, X, [1, 1, 0], margin=0)


@pytest.mark.parametrize("loss", ["sphereface", "normalized-softmax", "proxy-nca", "soft-triple"])
def test_a_zero_vector_has_the_same_cosine_with_every_class(loss):
    params = {"soft-triple": {"centers": 1, "margin": 0.0}}.get(loss, {})
    value = getattr(losses, loss.replace("-", "_"))(X, [0, 1, 2], W, **params)
    assert value[2] == pytest.approx(RIGHT, rel=1e-15)


def test_a_margin_counts_at_right_angles_too():
    cos = losses.cosface(X, [0, 1, 2], W, margin=0.5, factor=2)[2]
    assert cos == pytest.approx(np.log(1 + 2 * np.e), rel=1e-15)
    arc = losses.arcface(X, [0, 1, 2], W, margin=0.5, factor=2)[2]
    assert arc == pytest.approx(np.log1p(2 * np.exp(2 * np.sin(0.5))), rel=1e-15)
    assert losses.arcface(X, [0, 1, 2], W, margin=0.5, factor=2, easy_margin=True)[2] == pytest.approx(RIGHT, rel=1e-15)


def test_an_angle_multiplied_by_1_changes_nothing():
    logits = losses.linear_cross_entropy(X, [0, 1, 2], W)
    np.testing.assert_array_equal(losses.l_softmax(X, [0, 1, 2], W, m=1), logits)


def test_labels_of_pairs():
    assert "target = -1.0 is not a target: 0 or 1" in refused("contrastive", X, X, [1, 0, -1])
    assert "recode -1 as 0" in refused("contrastive", X, X, [1, 0, -1])
    assert "target = 2.0 is not a label: -1 or 1" in refused("cosine-embedding", X, X, [1, 0, 2])
    assert "neither {0, 1} nor {-1, 1}" in refused("cosine-embedding", X, X, [1, 0, -1])
    both = [losses.cosine_embedding(X, W, labels) for labels in ([1, 0, 0], [1, -1, -1])]
    np.testing.assert_array_equal(*both)
    flipped = losses.contrastive(X, W, [1, 0, 0]), losses.contrastive(X, W, [0, 1, 1], similar=0)
    np.testing.assert_array_equal(*flipped)


def test_distances_are_not_negative():
    assert "pred = -0.5 is not a distance (>= 0)" in refused("contrastive-distance", [1.0, -0.5], [1, 0])
    apart = losses.contrastive(X, W, [1, 0, 1])
    np.testing.assert_allclose(losses.contrastive_distance(np.linalg.norm(X - W, axis=1), [1, 0, 1]), apart, rtol=1e-15)


@pytest.mark.parametrize("loss", ["vicreg", "barlow-twins"])
def test_a_batch_of_one_row_has_no_spread(loss):
    batch = ["a", "a", "b"]
    assert "stands alone in its batch" in refused(loss, X, W, batch=batch)
    assert "stands alone in its batch" in refused(loss, X[:1], W[:1])
    value = lossctl.compute(loss, X[:2], W[:2]).value
    assert value == getattr(losses, loss.replace("-", "_"))(X[:2], W[:2])[0]


def test_a_batch_has_one_value_and_the_mean_is_that_of_batches():
    x1, x2 = np.vstack([X, 2 * X]), np.vstack([W, -W])
    parts = [losses.vicreg(x1[:3], x2[:3])[0], losses.vicreg(x1[3:], x2[3:])[0]]
    result = lossctl.compute("vicreg", x1, x2, batch_size=3)
    assert result.value == pytest.approx(np.mean(parts), rel=1e-15)
    assert result.results[0].n == 2


def test_partners_are_those_of_the_batch():
    x1, x2 = np.vstack([X, 2 * X]), np.vstack([W, -W])
    for loss in ("info-nce", "clip", "siglip", "n-pairs"):
        function = getattr(losses, loss.replace("-", "_"))
        parts = np.concatenate([function(x1[:3], x2[:3]), function(x1[3:], x2[3:])])
        assert lossctl.compute(loss, x1, x2, batch_size=3).value == pytest.approx(parts.mean(), rel=1e-15)
    assert lossctl.compute("info-nce", x1, x2).value != pytest.approx(
        lossctl.compute("info-nce", x1, x2, batch_size=3).value, rel=0.01
    )


def test_vectors_whose_scores_leave_the_float_range():
    long = 1e200 * X
    assert "is the length of a vector" in refused("n-pairs", long, long)
    assert "is the length of a vector" in refused("l-softmax", long, [0, 1, 2], 1e200 * W)
    assert np.isfinite(lossctl.compute("info-nce", long, 1e-200 * X).value)
    assert np.isfinite(lossctl.compute("arcface", long, [0, 1, 2], 1e-200 * W).value)
