"""Transducers: all paths of small lattices, closed forms, known values, and laws of the batch."""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest

import lossctl
from lossctl.errors import DataError
from lossctl.losses import rnn_t
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.transducer import transducer


def log_softmax(z: np.ndarray) -> np.ndarray:
    top = z.max(axis=-1, keepdims=True)
    return z - top - np.log(np.exp(z - top).sum(axis=-1, keepdims=True))


def nll(logits: np.ndarray, labels: np.ndarray, blank: int) -> float:
    """Over all interleavings of T - 1 blanks and U labels, and the last blank, one by one."""
    frames, count = len(logits), len(labels)
    with mpmath.workdps(60):
        prob = [[[mpmath.exp(mpmath.mpf(float(z))) for z in cell] for cell in frame[: count + 1]] for frame in logits]
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


# The larger case of the same tests, two lattices of 4 frames and 2 labels over 3 classes, blank 0.
LARGER = """
.06535690384862791 .7875301411923206 .08159176605666074 .5297155426466327 .7506749639230854 .7541348379087998
.6097641124736383 .8681404965673826 .6225318186056529 .6685222872103057 .8580392805336061 .16453892311765583
.989779515236694 .944298460961015 .6031678586829663 .9467833543605416 .666202507295747 .28688179752461884
.09418426230195986 .3666735970751962 .736168049462793 .1666804425271342 .7141542198635192 .3993997272216727
.5359823524146038 .29182076440286386 .6126422611507932 .3242405528768486 .8007644367291621 .5241057606558068
.779194617063042 .18331417220174862 .113745182072432 .24022162381327106 .3394695622533106 .1341595066017014
.5055615569388828 .051597282072282646 .6402903936686337 .43073311517251 .8294731834714112 .1774668847323424
.3207001991262245 .04288308912457006 .30280282975568984 .6751777088333762 .569537369330242 .5584738347504452
.08313242153985256 .06016544344162322 .10795752845152584 .7486153608562472 .943918041459349 .4863558118797222
.4181986264486809 .6524078485043804 .024242983423721887 .13458171554507403 .3663418070512402 .2958297395361563
.9236695822497084 .6899291482654177 .7418981733448822 .25000547599982104 .6034295486281007 .9872887878887768
.5926057265215715 .8846724004467684 .5434495396894328 .6607698886038497 .3771277082495921 .3580209022231813
"""


def test_known_values_of_a_batch():
    scores = np.array(LARGER.split(), float).reshape(2, 4, 3, 3)
    found = transducer(Ragged.padded(scores), Ragged.of([[1, 2], [1, 1]], np.int64), blank=0)
    np.testing.assert_allclose(found, [4.2806528590890736, 3.9384369822503591], rtol=1e-7)
    np.testing.assert_array_equal(rnn_t(scores, [[1, 2], [1, 1]], blank=0), found)


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


# The declared loss.


def test_the_last_class_is_the_blank_unless_said_otherwise():
    assert f"{rnn_t(ACTS[None], [[1, 2]])[0]:.9f}" == "5.095666774"
    assert f"{rnn_t(ACTS[None], [[1, 2]], blank=0)[0]:.9f}" == "4.495666774"


@pytest.mark.parametrize("form", ["logits", "log-probs", "probs"])
def test_padding_is_never_looked_at(form):
    """Frames beyond their number, and places beyond the labels: NaN, or numbers that are no probabilities."""
    scores, labels, frames, counts = problem(np.random.default_rng(5), SHAPES, 4)
    turned = {"logits": scores, "log-probs": log_softmax(scores), "probs": np.exp(log_softmax(scores))}[form]
    lengths = {"input_lengths": frames, "target_lengths": counts}
    expected = rnn_t(turned, labels, **lengths, input=form, blank=0)
    rubbish = np.where(np.isnan(turned), 7.5, turned)
    np.testing.assert_array_equal(rnn_t(rubbish, labels, **lengths, input=form, blank=0), expected)
    padded = np.where(labels == 99, -1, labels)  # negative labels at the end are padding as well
    np.testing.assert_array_equal(rnn_t(turned, padded, input_lengths=frames, input=form, blank=0), expected)
    done = lossctl.compute("rnn-t", turned, labels, frames, counts, input=form, blank=0)
    np.testing.assert_array_equal(done.per_sample, expected)
    assert not [note for note in done.warnings if note.code == "not-normalised"]


def refused(*inputs: object, **params: object) -> tuple[str, int | None]:
    with pytest.raises(DataError) as caught:
        rnn_t(*inputs, **params)
    return caught.value.code, caught.value.row


def test_what_is_refused():
    scores = np.zeros((2, 3, 3, 4))
    assert refused(scores, [[1, 2], [1, 4]]) == ("unknown-class", 2)
    assert refused(scores, [[1, 3], [1, 2]]) == ("blank-label", 1)
    assert refused(scores, [[1, 2], [1, 2]], blank=4)[0] == "blank"
    assert refused(scores, [[1, 2, 1], [1, 2, 1]]) == ("too-many-labels", 1)
    assert refused(scores, [[1, 2], [1, 2]], [3.0, 4.0]) == ("bad-length", 2)
    assert refused(scores, [[1, 2], [1, 2]], [3.0, 3.0], [2.0, -1.0]) == ("bad-length", 2)
    holed = scores.copy()
    holed[1, 1, 1, 1] = np.nan
    assert refused(holed, [[1, 2], [1, 2]]) == ("nan", 2)
    holed[1, :, 1:] = np.nan  # places without a number in any frame, but there are labels for them
    assert refused(holed, [[1, 2], [1, 2]]) == ("nan", 2)
    assert refused(np.full((1, 1, 2, 4), 0.3), [[1]], input="log-probs") == ("positive-log-prob", 1)
    assert refused(np.full((1, 1, 2, 4), 0.3), [[1]], input="probs") == ("not-normalised", 1)
    assert refused(np.full((1, 1, 2, 4), 1.3), [[1]], input="probs") == ("not-a-probability", 1)
    assert refused(np.zeros((1, 2, 4)), [[1]])[0] == "shape"


def test_unnormalised_log_probabilities_bring_a_warning():
    done = lossctl.compute("rnn-t", np.full((1, 1, 2, 4), -1.0), np.array([[1]]), input="log-probs")
    assert "not-normalised" in {note.code for note in done.warnings}
