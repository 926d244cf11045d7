"""Transducers: all paths of small lattices, closed forms, known values, and laws of the batch."""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest

from lossctl.sequences.ragged import Ragged
from lossctl.sequences.transducer import transducer


def log_softmax(z: np.ndarray) -> np.ndarray:
    top = z.max(axis=-1, keepdims=True)
    return z - top - np.log(np.exp(z - top).sum(axis=-1, keepdims=True))


def nll(logits: np.ndarray, labels: np.ndarray, blank: int) -> float:
    """Over all interleavings of T - 1 blanks and U labels, and the last blank, one by one."""
    frames, count = len(logits), len(labels)
    with mpmath.workdps(60):
        prob = [
            [[mpmath.exp(mpmath.mpf(float(z))) for z in cell] for cell in frame[: count + 1]] for frame in logits
        ]
        prob = [[[p / sum(cell) for p in cell] for cell in frame] for frame in prob]
        total = mpmath.mpf(0)
        for where in itertools.combinations(range(frames - 1 + count), count):
            t = u = 0
            path = mpmath.mpf(1)
            for step in range(frames - 1 + count):
                if step in where:
                    path *= prob[t][u][labels[u]]
                    u += 1
                else:
                    path *= prob[t][u][blank]
                    t += 1
            total += path * prob[t][u][blank]
        return float(-mpmath.log(total)) if total else math.inf


def problem(rng: np.random.Generator, shapes: list[tuple[int, int]], classes: int) -> tuple[np.ndarray, ...]:
    """Padded arrays: scores and labels with rubbish behind each row's end."""
    frames, counts = np.array(shapes).T
    scores = np.full((len(shapes), frames.max(), counts.max() + 1, classes), np.nan)
    labels = np.full((len(shapes), max(counts.max(), 1)), 99)
    for n, (t, u) in enumerate(shapes):
        scores[n, :t, : u + 1] = 2 * rng.normal(size=(t, u + 1, classes))
        labels[n, :u] = rng.integers(1, classes, size=u)
    return scores, labels, frames, counts


def run(problem: tuple[np.ndarray, ...], **options: object) -> np.ndarray:
    scores, labels, frames, counts = problem
    return transducer(Ragged.padded(scores).cut(frames), Ragged.padded(labels).cut(counts), **options)


SHAPES = list(itertools.product((1, 2, 3, 5), (0, 1, 2, 4)))


def test_all_paths():
    given = problem(np.random.default_rng(1), SHAPES, 4)
    expected = [nll(given[0][n, :t, : u + 1], given[1][n, :u], 0) for n, (t, u) in enumerate(SHAPES)]
    np.testing.assert_allclose(run(given), expected, rtol=3e-15)


def test_the_blank_is_a_class_like_others():
    given = problem(np.random.default_rng(2), SHAPES, 4)
    turned = np.roll(given[0], -1, axis=-1), given[1] - 1, *given[2:]
    np.testing.assert_allclose(run(turned, blank=3), run(given), rtol=1e-14)


def test_forms_agree():
    scores, labels, frames, counts = problem(np.random.default_rng(3), SHAPES, 4)
    expected = run((scores, labels, frames, counts))
    lp = log_softmax(scores)
    np.testing.assert_allclose(run((lp, labels, frames, counts), form="log-probs"), expected, rtol=1e-14)
    np.testing.assert_allclose(run((np.exp(lp), labels, frames, counts), form="probs"), expected, rtol=1e-14)


ACTS = np.array(
    [
        [[0.1, 0.6, 0.1, 0.1, 0.1], [0.1, 0.1, 0.6, 0.1, 0.1], [0.1, 0.1, 0.2, 0.8, 0.1]],
        [[0.1, 0.6, 0.1, 0.1, 0.1], [0.1, 0.1, 0.2, 0.1, 0.1], [0.7, 0.1, 0.2, 0.1, 0.1]],
    ]
)


@pytest.mark.parametrize(("blank", "expected"), [(0, "4.495666774"), (4, "5.095666774")])
def test_known_values(blank, expected):
    # The small case of warp-transducer's tests, which torchaudio's repeat with the blank last.
    found = transducer(Ragged.padded(ACTS[None]), Ragged.of([[1, 2]], np.int64), blank=blank)
    assert f"{found[0]:.9f}" == expected


@pytest.mark.parametrize(("frames", "count", "classes"), [(2, 2, 5), (1, 0, 3), (1, 7, 3), (40, 13, 8), (200, 100, 4)])
def test_uniform_scores_count_paths(frames, count, classes):
    found = transducer(
        Ragged.padded(np.full((1, frames, count + 1, classes), -3.5)), Ragged.of([[1] * count], np.int64), blank=0
    )
    expected = (frames + count) * math.log(classes) - float(mpmath.log(math.comb(frames - 1 + count, count)))
    assert math.isclose(found[0], expected, rel_tol=1e-13)


def test_what_cannot_be():
    scores = np.zeros((2, 2, 2, 3))
    scores[0, :, :, 1] = -np.inf  # the label itself
    scores[1, 1] = -np.inf  # a frame of nothing
    found = transducer(Ragged.padded(scores), Ragged.of([[1], [1]], np.int64))
    np.testing.assert_array_equal(found, [np.inf, np.inf])


def test_no_frames():
    scores = Ragged.padded(np.zeros((3, 2, 3, 4))).cut(np.array([0, 0, 2]))
    labels = Ragged.of([[], [1], []], np.int64)
    np.testing.assert_allclose(transducer(scores, labels), [0, np.inf, 2 * math.log(4)], rtol=1e-15)


def test_a_sure_model_is_never_below_zero():
    scores = np.full((1, 3, 2, 3), -60.0)
    scores[0, 0, 0, 1] = scores[0, :, 1, 0] = 60.0
    found = transducer(Ragged.padded(scores), Ragged.of([[1]], np.int64))
    assert 0 <= found[0] < 1e-15
    assert not np.signbit(found[0])


def test_every_row_is_the_same_alone_and_in_any_company():
    rng = np.random.default_rng(4)
    shapes = list(zip(rng.integers(0, 25, 40).tolist(), rng.integers(0, 12, 40).tolist(), strict=True))
    scores, labels, frames, counts = problem(rng, shapes, 6)
    rows = Ragged.padded(scores).cut(frames), Ragged.padded(labels).cut(counts)
    together = transducer(*rows, blank=0)
    alone = [transducer(rows[0][n : n + 1], rows[1][n : n + 1], blank=0)[0] for n in range(40)]
    np.testing.assert_array_equal(together, alone)
    # More places than any row has labels for, and frames first: neither is seen.
    wide = np.concatenate([scores, np.full((40, scores.shape[1], 3, 6), np.nan)], axis=2)
    np.testing.assert_array_equal(transducer(Ragged.padded(wide).cut(frames), rows[1], blank=0), together)
    turned = Ragged.padded(np.ascontiguousarray(scores.swapaxes(0, 1)), by_time=True).cut(frames)
    np.testing.assert_array_equal(transducer(turned, rows[1], blank=0), together)
