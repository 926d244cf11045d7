"""Chains of tags: all taggings of small models, every digit against mpmath, and laws of the batch."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest

import lossctl
from lossctl.errors import DataError
from lossctl.losses import crf_nll
from lossctl.sequences.crf import chain_nll
from lossctl.sequences.ragged import Ragged

Model = tuple[np.ndarray, np.ndarray, np.ndarray]


def score(emissions: np.ndarray, tags: tuple[int, ...], model: Model) -> mpmath.mpf:
    transitions, start, end = model
    total = mpmath.mpf(float(start[tags[0]])) + mpmath.mpf(float(end[tags[-1]]))
    total += sum(mpmath.mpf(float(e[y])) for e, y in zip(emissions, tags, strict=True))
    return total + sum(mpmath.mpf(float(transitions[a, b])) for a, b in itertools.pairwise(tags))


def nll(emissions: np.ndarray, tags: tuple[int, ...], model: Model) -> float:
    """Over all taggings one by one."""
    with mpmath.workdps(60):
        every = itertools.product(range(len(model[1])), repeat=len(emissions))
        true = score(emissions, tags, model)
        return float(mpmath.log(sum(mpmath.exp(score(emissions, y, model) - true) for y in every)))


def problem(rng: np.random.Generator, lengths: list[int], count: int, scale: float = 1.0) -> tuple[list, list, Model]:
    emissions = [scale * rng.normal(size=(n, count)) for n in lengths]
    tags = [rng.integers(0, count, size=n) for n in lengths]
    return emissions, tags, (rng.normal(size=(count, count)), rng.normal(size=count), rng.normal(size=count))


def run(emissions: list[np.ndarray], tags: list[np.ndarray], model: Model) -> np.ndarray:
    return chain_nll(Ragged.of(emissions), Ragged.of(tags, np.int64), *model)


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("scale", [0.1, 1.0, 40.0])
def test_all_taggings(count, scale):
    emissions, tags, model = problem(np.random.default_rng(1), [1, 2, 3, 5, 1, 4], count, scale)
    expected = [nll(e, tuple(y), model) for e, y in zip(emissions, tags, strict=True)]
    np.testing.assert_allclose(run(emissions, tags, model), expected, rtol=2e-14, atol=1e-300)


def test_a_sure_model_keeps_its_digits():
    # Every other tag is 60 nats away, and scores are near a thousand: logZ - score in float64 is 0.
    rng = np.random.default_rng(2)
    tags = rng.integers(0, 3, size=4)
    emissions = 1000 + rng.normal(size=(4, 3))
    emissions[np.arange(4), tags] += 60
    model = (rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=3))
    expected = nll(emissions, tuple(tags), model)
    assert 0 < expected < 1e-24
    np.testing.assert_allclose(run([emissions], [tags], model), [expected], rtol=1e-12)


def test_uniform_scores_count_taggings():
    emissions = [np.full((n, 5), 7.0) for n in (1, 10, 300)]
    tags = [np.zeros(n, np.int64) for n in (1, 10, 300)]
    found = run(emissions, tags, (np.full((5, 5), -2.0), np.zeros(5), np.ones(5)))
    np.testing.assert_allclose(found, np.log(5) * np.array([1, 10, 300]), rtol=1e-14)


def test_what_is_forbidden():
    never = -np.inf
    transitions = np.array([[0.0, never], [0.0, 0.0]])  # 0 is never followed by 1
    model = (transitions, np.zeros(2), np.zeros(2))
    emissions = [np.zeros((2, 2))] * 3
    found = run(emissions, [[0, 0], [0, 1], [1, 0]], model)
    np.testing.assert_allclose(found, [np.log(3), np.inf, np.log(3)], rtol=1e-15)
    start, end = (transitions, np.array([0.0, never]), np.zeros(2)), (transitions, np.zeros(2), np.array([never, 0.0]))
    np.testing.assert_allclose(run(emissions, [[0, 0], [1, 1], [1, 0]], start), [0, np.inf, np.inf])
    np.testing.assert_allclose(run(emissions, [[0, 0], [1, 1], [1, 0]], end), [np.inf, 0, np.inf])
    masked = [np.array([[0.0, never], [0.0, 0.0]])]
    np.testing.assert_allclose(run(masked, [[0, 0]], (np.zeros((2, 2)), *model[1:])), [np.log(2)])
    assert run(masked, [[1, 0]], (np.zeros((2, 2)), *model[1:]))[0] == np.inf


def test_no_steps():
    model = (np.zeros((2, 2)), np.ones(2), np.zeros(2))
    assert run([np.zeros((0, 2)), np.zeros((1, 2))], [[], [0]], model)[0] == 0


def test_every_row_is_the_same_alone_and_in_any_company():
    lengths = np.random.default_rng(3).integers(0, 30, size=50).tolist()
    emissions, tags, model = problem(np.random.default_rng(4), lengths, 9)
    together = run(emissions, tags, model)
    rows = Ragged.of(emissions), Ragged.of(tags, np.int64)
    alone = [chain_nll(rows[0][n : n + 1], rows[1][n : n + 1], *model)[0] for n in range(50)]
    np.testing.assert_array_equal(together, alone)


def test_layouts_agree_and_padding_is_not_read():
    lengths = np.array([3, 0, 7, 5])
    emissions, tags, model = problem(np.random.default_rng(5), lengths.tolist(), 3)
    box, labels = np.full((4, 9, 3), np.nan), np.full((4, 9), 99)
    for n, length in enumerate(lengths):
        box[n, :length], labels[n, :length] = emissions[n], tags[n]
    expected = run(emissions, tags, model)
    padded = Ragged.padded(box).cut(lengths), Ragged.padded(labels).cut(lengths)
    np.testing.assert_array_equal(chain_nll(*padded, *model), expected)
    turned = Ragged.padded(np.ascontiguousarray(box.swapaxes(0, 1)), by_time=True).cut(lengths)
    np.testing.assert_array_equal(chain_nll(turned, padded[1], *model), expected)


# The declared loss.


def declared(n: int = 4) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(6)
    return rng.normal(size=(n, 6, 3)), rng.integers(0, 3, size=(n, 6)), [rng.normal(size=s) for s in ((3, 3), 3, 3)]


def test_padding_by_lengths_and_by_negative_tags():
    emissions, tags, model = declared()
    lengths = np.array([6, 1, 3, 2])
    expected = run(
        [e[:n] for e, n in zip(emissions, lengths, strict=True)],
        [y[:n] for y, n in zip(tags, lengths, strict=True)],
        model,
    )
    behind = np.arange(6) >= lengths[:, None]
    emissions = np.where(behind[:, :, None], np.nan, emissions)
    found = crf_nll(emissions, np.where(behind, 77, tags), *model, lengths.astype(float))
    np.testing.assert_array_equal(found, expected)
    emissions = np.nan_to_num(emissions)
    np.testing.assert_array_equal(crf_nll(emissions, np.where(behind, -100, tags), *model), expected)


def test_sequences_and_steps_are_two_means():
    emissions, tags, model = declared()
    lengths = np.array([6, 1, 3, 2])
    rows = crf_nll(emissions, tags, *model, lengths)
    by_sequence = lossctl.compute("crf-nll", emissions, tags, *model, lengths)
    by_step = lossctl.compute("crf-nll", emissions, tags, *model, lengths, average="token")
    assert by_sequence.value == pytest.approx(rows.mean(), rel=1e-15)
    assert by_step.value == pytest.approx(rows.sum() / 12, rel=1e-15)
    assert by_step.results[0].parts == {"steps": 12}


def test_scores_of_beginning_and_ending_may_be_left_out():
    emissions, tags, model = declared()
    zero = np.zeros(3)
    np.testing.assert_array_equal(crf_nll(emissions, tags, model[0]), crf_nll(emissions, tags, model[0], zero, zero))


def refused(*inputs: object) -> tuple[str, int | None]:
    with pytest.raises(DataError) as caught:
        crf_nll(*inputs)
    return caught.value.code, caught.value.row


def test_what_is_refused():
    emissions, tags, model = declared()
    worse = tags.copy()
    worse[2, 1] = 3
    assert refused(emissions, worse, *model) == ("unknown-class", 3)
    worse[2, 1] = -1  # a gap, and no padding
    assert refused(emissions, worse, *model) == ("unknown-class", 3)
    assert refused(emissions, tags[:, :4], *model) == ("lengths-differ", 1)
    assert refused(emissions, tags, np.zeros((4, 4)))[0] == "shapes-differ"
    assert refused(emissions, tags, np.zeros((3, 2)))[0] == "shapes-differ"
    assert refused(emissions, tags, model[0], np.zeros(2))[0] == "shapes-differ"
    assert refused(emissions, tags, np.full((3, 3), np.nan))[0] == "nan"
    holed = emissions.copy()
    holed[3, 5, 0] = np.nan
    assert refused(holed, tags, *model) == ("nan", 4)
    assert refused(emissions, tags, *model, [6.0, 7.0, 1.0, 1.0]) == ("bad-length", 2)
