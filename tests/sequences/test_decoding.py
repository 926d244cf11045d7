"""Greedy and beam decoding, and forced alignment, against all paths of small models and values known from elsewhere."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from lossctl.sequences.alignment import align
from lossctl.sequences.ctc import nll
from lossctl.sequences.decoding import beam, greedy
from lossctl.sequences.ragged import Ragged

GREEDY = [  # TensorFlow: ctc_decoder_ops_test, four classes, the blank last
    [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.4, 0.6], [0.0, 0.0, 0.4, 0.6], [0.0, 0.9, 0.1, 0.0]],
    [[0.1, 0.9, 0.0, 0.0], [0.0, 0.9, 0.1, 0.0], [0.0, 0.0, 0.1, 0.9], [0.0, 0.9, 0.1, 0.1], [0.9, 0.1, 0.0, 0.0]],
]
KERAS = np.array(  # Keras: test_ctc_decode, the blank first
    [
        [[0.1, 0.4, 0.2, 0.4], [0.3, -0.3, 0.4, 0.2], [0.3, 0.2, 0.4, 0.3]],
        [[0.7, 0.4, 0.3, 0.2], [0.3, 0.3, 0.4, 0.1], [0.6, -0.1, 0.1, 0.5]],
        [[0.1, 0.4, 0.2, 0.7], [0.3, 0.3, -0.2, 0.7], [0.3, 0.2, 0.4, 0.1]],
    ]
)
KERAS_FRAMES = Ragged.padded(KERAS).cut(np.array([3, 3, 1]))


def lists(labels):
    return [labels.row(n).tolist() for n in range(len(labels))]


def collapsed(path, blank):
    return tuple(k for k, _ in itertools.groupby(path) if k != blank)


def small_models(count):
    """(probabilities of T x C, blank, labels) of all shapes, some probabilities 0."""
    rng = np.random.default_rng(11)
    for trial in range(count):
        frames, classes = int(rng.integers(0, 6)), int(rng.integers(2, 4))
        probs = rng.dirichlet(np.full(classes, rng.choice([0.3, 3.0])), size=frames)
        if trial % 3 == 0:
            probs[rng.random(probs.shape) < 0.2] = 0.0
        blank = int(rng.integers(classes))
        said = [k for k in range(classes) if k != blank]
        yield probs, blank, rng.choice(said, size=rng.integers(0, 4)).tolist()


def paths_of(probs):
    """Every path and its probability."""
    for path in itertools.product(range(probs.shape[1]), repeat=len(probs)):
        yield path, math.prod(float(probs[t, k]) for t, k in enumerate(path))


def cost_of(prob):
    return -math.log(prob) if prob > 0 else math.inf


def test_greedy_as_in_tensorflow():
    labels, cost = greedy(Ragged.of(GREEDY), "probs", 3)
    assert lists(labels) == [[0, 1], [1, 1, 0]]
    assert cost == pytest.approx([-math.log(1.0 * 0.6 * 0.6 * 0.9), -5 * math.log(0.9)])
    assert greedy(Ragged.of(GREEDY), "probs", -1)[1].tolist() == cost.tolist()


def test_greedy_as_in_keras():
    """Keras adds up the raw scores: 1.2, 1.7 and 0.7; taken as logarithms that is what they cost."""
    assert lists(greedy(KERAS_FRAMES, "logits", 0)[0]) == [[1, 2], [2], [3]]
    labels, cost = greedy(KERAS_FRAMES, "log-probs", 0)
    assert lists(labels) == [[1, 2], [2], [3]]
    assert cost == pytest.approx([-1.2, -1.7, -0.7])


def test_beam_as_in_keras():
    """The best of Keras' beams, whose scores are the sums over all paths."""
    labels, cost = beam(KERAS_FRAMES, "logits", 0, 4)
    assert lists(labels) == [[1, 2], [2], [3]]
    assert cost == pytest.approx([2.426537, 2.127681, 1.063386], abs=1e-6)


@pytest.mark.parametrize("form", ["logits", "log-probs", "probs"])
def test_a_wide_beam_is_exact(form):
    for probs, blank, _ in small_models(60):
        sums = {}
        for path, prob in paths_of(probs):
            sums[collapsed(path, blank)] = sums.get(collapsed(path, blank), 0.0) + prob
        if form == "logits" and not (probs.sum(axis=1) > 0).all():
            continue
        with np.errstate(divide="ignore"):
            scores = probs if form == "probs" else np.log(probs)
        whole = math.prod(probs.sum(axis=1)) if form == "logits" else 1.0
        labels, cost = beam(Ragged.padded(scores[None]), form, blank, 500)
        best = max(sums.values())
        assert cost[0] == pytest.approx(cost_of(best / whole), rel=1e-12, abs=1e-13)
        assert best == 0 or sums[tuple(labels.row(0).tolist())] == pytest.approx(best, rel=1e-12)


def test_a_beam_never_costs_less_than_its_labels():
    """What a narrow beam lost on the way is missing; with all prefixes kept nothing is."""
    rng = np.random.default_rng(2)
    frames = Ragged.padded(2 * rng.normal(size=(6, 12, 5)))
    costs = []
    for width in (1, 3, 30, 3000):
        labels, cost = beam(frames, "logits", 2, width)
        exact = nll(frames, labels, form="logits", blank=2)
        assert (cost >= exact - 1e-12).all()
        costs.append(cost)
    assert costs[-1] == pytest.approx(exact, rel=1e-3)
    assert (costs[-1] <= costs[0] + 1e-12).all()


def test_a_beam_of_many_classes_is_that_of_all():
    """Only labels that may be kept are looked at."""
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(1, 6, 40))
    few = beam(Ragged.padded(scores), "logits", 0, 5)
    padded = np.concatenate([scores, np.full((1, 6, 400), -800.0)], axis=2)
    many = beam(Ragged.padded(padded), "logits", 0, 5)
    assert lists(few[0]) == lists(many[0])
    assert few[1] == pytest.approx(many[1], rel=1e-14)


def test_ties_go_to_the_first():
    flat = Ragged.padded(np.zeros((1, 2, 3)))
    assert lists(greedy(flat, "logits", 2)[0]) == [[0]]
    assert lists(greedy(flat, "logits", 0)[0]) == [[]]
    assert lists(beam(flat, "logits", 0, 10)[0]) == [[1]]  # three paths, as for 2


def test_nothing_to_decode():
    frames = Ragged.padded(np.zeros((2, 0, 3)))
    for labels, cost in (greedy(frames, "logits", 0), beam(frames, "logits", 0, 4)):
        assert lists(labels) == [[], []]
        assert cost.tolist() == [0.0, 0.0]


def test_padding_is_not_decoded():
    scores = np.full((2, 4, 3), np.nan)
    scores[0, :2], scores[1, :3] = [[0, 5, 0], [5, 0, 0]], [[0, 0, 5], [5, 0, 0], [0, 0, 5]]
    frames = Ragged.padded(scores).cut(np.array([2, 3]))
    assert lists(greedy(frames, "logits", 0)[0]) == lists(beam(frames, "logits", 0, 4)[0]) == [[1], [2, 2]]


# Forced alignment


@pytest.mark.parametrize("form", ["log-probs", "probs"])
def test_the_best_path_of_all(form):
    for probs, blank, target in small_models(120):
        with np.errstate(divide="ignore"):
            scores = probs if form == "probs" else np.log(probs)
        found, cost = align(Ragged.padded(scores[None]), Ragged.of([target], np.int64), form, blank)
        best = max((p for path, p in paths_of(probs) if collapsed(path, blank) == tuple(target)), default=0.0)
        assert cost[0] == pytest.approx(cost_of(best), rel=1e-12, abs=1e-13)
        if best == 0:
            assert found[0] is None
            continue
        path = np.full(len(probs), blank)
        for one in found[0]:
            path[one.first : one.last + 1] = one.label
        assert collapsed(path.tolist(), blank) == tuple(target)
        assert [one.label for one in found[0]] == target
        assert math.prod(float(probs[t, k]) for t, k in enumerate(path)) == pytest.approx(best, rel=1e-12)
        for one in found[0]:
            said = probs[one.first : one.last + 1, one.label]
            assert one.score == pytest.approx(-np.log(said).sum(), rel=1e-12, abs=1e-14)


def test_segments():
    path = [0, 1, 1, 0, 1, 2, 2, 2, 0]
    scores = np.zeros((1, 9, 3))
    scores[0, np.arange(9), path] = 4.0
    found, cost = align(Ragged.padded(scores), Ragged.of([[1, 1, 2]]), "logits", 0)
    assert [(one.label, one.first, one.last) for one in found[0]] == [(1, 1, 2), (1, 4, 4), (2, 5, 7)]
    each = math.log(1 + 2 * math.exp(-4.0))
    assert [one.score for one in found[0]] == pytest.approx([2 * each, each, 3 * each])
    assert cost[0] == pytest.approx(9 * each)


def test_alignments_of_a_ragged_batch_are_those_of_its_rows():
    rng = np.random.default_rng(9)
    frames = Ragged.padded(rng.normal(size=(12, 30, 6))).cut(rng.integers(0, 31, size=12))
    target = Ragged.of([rng.integers(1, 6, size=rng.integers(0, 9)).tolist() for _ in range(12)], np.int64)
    found, cost = align(frames, target, "logits", 0)
    exact = nll(frames, target, form="logits", blank=0)
    assert (cost[np.isfinite(cost)] >= exact[np.isfinite(cost)] - 1e-12).all()
    assert np.array_equal(np.isinf(cost), np.isinf(exact))
    for n in range(12):
        alone, alone_cost = align(frames[n : n + 1], target[n : n + 1], "logits", 0)
        assert alone == [found[n]]
        assert alone_cost[0] == cost[n]
