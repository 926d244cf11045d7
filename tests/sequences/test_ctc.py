"""CTC against its definition: all paths, 50 digits, values known from elsewhere; the same bits in any company."""

from __future__ import annotations

import itertools
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from lossctl.sequences import ctc_emissions
from lossctl.sequences.ctc import frames_needed, nll
from lossctl.sequences.ctc_logs import in_logs
from lossctl.sequences.ctc_plain import plain as in_plain
from lossctl.sequences.ctc_scaled import scaled
from lossctl.sequences.ctc_walks import halves
from lossctl.sequences.ragged import Ragged

sys.path.insert(0, str(Path(__file__).parent))
from ctc_models import by_definition, models

MODELS = {name: (scores, labels) for name, scores, labels in models()}
EXACT = json.loads(Path(__file__).with_name("values").joinpath("ctc.json").read_text(encoding="utf-8"))["values"]
FORMS = ("logits", "log-probs", "probs")


def cost(scores, labels, form="logits", blank=0):
    """Of one sample."""
    return float(nll(Ragged.padded(np.asarray(scores)[None]), Ragged.of([labels], np.int64), form=form, blank=blank)[0])


def log_softmax(logits):
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def plain(log_probs, labels, blank):
    """The recursion in logarithms, one state after the other."""
    states = [blank, *(x for label in labels for x in (label, blank))]
    before = [0.0 if s == 0 else -math.inf for s in range(len(states))]
    for frame in log_probs.tolist():
        after = []
        for s, symbol in enumerate(states):
            skip = s > 1 and symbol not in (blank, states[s - 2])
            ways = before[max(s - (2 if skip else 1), 0) : s + 1]
            after.append(float(np.logaddexp.reduce(ways)) + frame[symbol])
        before = after
    return -float(np.logaddexp.reduce(before[-2:]))


def collapsed(path, blank):
    return tuple(k for k, _ in itertools.groupby(path) if k != blank)


# Values known from elsewhere


GRAVES = (
    (
        """.633766 .221185 .0917319 .0129757 .0142857 .0260553
        .111121 .588392 .278779 .0055756 .00569609 .010436
        .0357786 .633813 .321418 .00249248 .00272882 .0037688
        .0663296 .643849 .280111 .00283995 .0035545 .00331533
        .458235 .396634 .123377 .00648837 .00903441 .00623107""",
        [0, 1, 2, 1, 0],
        3.34211,
    ),
    (
        """.30176 .28562 .0831517 .0862751 .0816851 .161508
        .24082 .397533 .0557226 .0546814 .0557528 .19549
        .230246 .450868 .0389607 .038309 .0391602 .202456
        .280884 .429522 .0326593 .0339046 .0326856 .190345
        .423286 .315517 .0338439 .0393744 .0339315 .154046""",
        [0, 1, 1, 0],
        5.42262,
    ),
)


@pytest.mark.parametrize(("table", "labels", "value"), GRAVES)
def test_values_of_tensorflow_and_warp_ctc(table, labels, value):
    """ctc_loss_op_test of TensorFlow, options_test of warp-ctc: six classes, the blank last."""
    probs = np.array(table.split(), float).reshape(5, 6)
    assert cost(probs, labels, "probs", 5) == pytest.approx(value, abs=5e-6)
    assert cost(np.log(probs), labels, "log-probs", -1) == pytest.approx(value, abs=5e-6)
    assert cost(np.log(probs), labels, "logits", 5) == pytest.approx(value, abs=5e-5)  # six digits do not add up to 1


@pytest.mark.parametrize(
    ("scores", "labels", "form", "blank", "value"),
    [
        # warp-ctc: small_test; the test without softmax, whose scores are no log-probabilities
        ([[0.1, 0.6, 0.1, 0.1, 0.1], [0.1, 0.1, 0.6, 0.1, 0.1]], [1, 2], "logits", 0, 2.46285839),
        # Keras: test_ctc_loss
        ([[0.4, 0.8, 0.4], [0.2, 0.8, 0.3], [0.9, 0.4, 0.5]], [1, 2, 1], "logits", 0, 3.4411672),
        ([[0.4, 0.8, 0.4], [0.2, 0.3, 0.3]], [1, 2], "logits", 0, 1.91680186),
        # init2winit
        ([[0.1, 0.8, 0.1], [0.1, 0.1, 0.8]], [1, 2], "logits", 0, 1.379453),
        # TensorFlow issues 13457 and 41353
        (np.zeros((2, 3)), [0], "logits", 2, math.log(3)),
        (np.zeros((2, 3)), [], "logits", 2, 2 * math.log(3)),
        ([[0, 1, 0], [0, 0, 1], [0, 1, 0]], [1, 2, 1], "logits", 0, 1.65433414),
        # torch
        (np.zeros((4, 3)), [], "logits", 0, 4 * math.log(3)),
        (np.zeros((4, 3)), [1, 2, 1], "logits", 0, 2.4485),
        (np.zeros((4, 3)), [1, 1, 1], "logits", 0, math.inf),
    ],
)
def test_values_known_from_elsewhere(scores, labels, form, blank, value):
    assert cost(np.asarray(scores, float), labels, form, blank) == pytest.approx(value, abs=5e-5 if value < 3 else 1e-6)


def test_scores_that_are_not_normalised_are_taken_at_their_word():
    """warp-ctc without its softmax; the check at the door warns of such scores."""
    scores = np.array([[0.1, 0.6, 0.1, 0.1, 0.1], [0.1, 0.1, 0.6, 0.1, 0.1]])
    assert cost(scores, [1, 2], "log-probs") == pytest.approx(-1.2)


def test_one_label_at_every_frame():
    """optax: with as many labels as frames there is one path."""
    logs = log_softmax(MODELS["wavy, 5.0"][0][:40])
    labels = [1 + t % 30 for t in range(40)]
    assert cost(logs, labels, "log-probs") == pytest.approx(-logs[np.arange(40), labels].sum(), rel=1e-14)


@pytest.mark.parametrize(
    ("labels", "frames"),
    [([1, 2, 2, 3], 5), ([2, 3, 4, 4], 5), ([1, 1, 1, 1], 7), ([1, 1, 2, 3], 5), ([1, 1, 1, 2], 6), ([], 0), ([3], 1)],
)
def test_frames_needed(labels, frames):
    target = Ragged.of([labels], np.int64)
    assert frames_needed(target).tolist() == [frames]
    assert cost(np.zeros((frames, 5)), labels) == pytest.approx(frames * math.log(5))  # a single path
    if frames:
        assert cost(np.zeros((frames - 1, 5)), labels) == math.inf


@pytest.mark.parametrize(("frames", "labels"), [(3, [1]), (9, [1, 2, 1]), (20, [2, 2, 1, 1]), (1, []), (12, [3] * 6)])
def test_number_of_paths(frames, labels):
    """Of equal classes: T log C minus the log of binomial(T + S - r, 2 S), r labels like the one before."""
    size, again = len(labels), sum(a == b for a, b in itertools.pairwise(labels))
    ways = math.comb(frames + size - again, 2 * size)
    assert cost(np.zeros((frames, 4)), labels) == pytest.approx(frames * math.log(4) - math.log(ways), rel=1e-14)


def test_all_but_sure():
    """optax issue 1771: what is left of 1 is far below its last digit; it is no less than zero."""
    assert cost([[0.0, 17.0], [0.0, 17.0]], [1]) == pytest.approx(1.71390829e-15, rel=1e-6)
    assert cost(np.array([[0.0, 17.0], [0.0, 17.0]], np.float32), [1]) == pytest.approx(1.71390829e-15, rel=1e-6)


def test_nothing_to_read():
    assert cost(np.zeros((0, 3)), []) == 0.0
    assert cost(np.zeros((0, 3)), [1]) == math.inf
    empty = Ragged.of([], np.int64)
    assert nll(Ragged.padded(np.zeros((0, 4, 3))), empty, form="logits", blank=0).shape == (0,)


# The definition


@pytest.mark.parametrize("frames", range(6))
@pytest.mark.parametrize("classes", [2, 3])
def test_all_paths(frames, classes):
    """Every target of up to three labels is the sum over its paths; what no path spells costs infinity."""
    rng = np.random.default_rng(frames + 10 * classes)
    for blank in range(classes):
        for sharp in (0.3, 4.0):
            logs = log_softmax(sharp * rng.normal(size=(frames, classes)))
            if frames > 2 and sharp > 1:
                logs[1, rng.integers(classes)] = -np.inf
            sums = {}
            for path in itertools.product(range(classes), repeat=frames):
                prob = math.exp(sum(logs[t, k] for t, k in enumerate(path)))
                sums[collapsed(path, blank)] = sums.get(collapsed(path, blank), 0.0) + prob
            said = [k for k in range(classes) if k != blank]
            for size in range(4):
                for labels in itertools.product(said, repeat=size):
                    expected = -math.log(sums[labels]) if sums.get(labels) else math.inf
                    assert cost(logs, labels, "log-probs", blank) == pytest.approx(expected, rel=1e-12, abs=1e-14)
                    assert cost(np.exp(logs), labels, "probs", blank) == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", MODELS)
def test_fifty_digits(name):
    scores, labels = MODELS[name]
    assert cost(scores, labels) == pytest.approx(float(EXACT[name]), rel=1e-13)
    moved = np.roll(scores, -1, axis=1)  # the blank last
    assert cost(moved, [label - 1 for label in labels], blank=-1) == pytest.approx(float(EXACT[name]), rel=1e-13)


def test_the_stored_digits_are_those_of_the_models():
    """In floats, where floats go far enough."""
    assert EXACT.keys() == MODELS.keys()
    near = [name for name, value in EXACT.items() if float(value) < 600 and not name.startswith("shifted")]
    assert len(near) > 5
    for name in near:
        total = by_definition(*MODELS[name], 0, float, math.exp)
        assert -math.log(total) == pytest.approx(float(EXACT[name]), rel=1e-9, abs=1e-12)


SURE = {
    in_plain: ({"wavy, 1.0", "sure of it, 20.0", "sure of something else, 8.0"}, {"advance costs 20", "wavy, 60.0"}),
    scaled: ({"wavy, 1.0", "wavy, 5.0", "advance costs 20", "sure of it, 20.0"}, {"advance costs 50"}),
}


@pytest.mark.parametrize("way", SURE, ids=["plain", "scaled"])
def test_what_is_used_without_logarithms_is_right_without_them(way):
    """The verdict of the recursion on itself: nothing that it calls sure is off, and it is sure of what is usual."""
    sure = set()
    for name, (scores, labels) in MODELS.items():
        frames, target = Ragged.padded(scores[None]), Ragged.of([labels], np.int64)
        value, right = way(frames, halves(frames, target, 0), "logits", 0)
        if right[0]:
            sure.add(name)
            assert value[0] == pytest.approx(float(EXACT[name]), rel=1e-12, abs=1e-13)
    usual, hard = SURE[way]
    assert usual <= sure
    assert not hard & sure


@pytest.mark.parametrize("way", SURE, ids=["plain", "scaled"])
def test_models_harder_and_harder_to_advance(way):
    """From what any scaling can hold to what none can: no step in between at which something is lost in silence."""
    frames, labels = 400, [1 + i % 4 for i in range(60)]
    verdicts = []
    for depth in np.arange(0.5, 80, 0.75):
        scores = np.full((frames, 5), -depth)
        scores[:, 0] = 0.0
        some, target = Ragged.padded(scores[None]), Ragged.of([labels], np.int64)
        value, sure = way(some, halves(some, target, 0), "logits", 0)
        expected = float(in_logs(some, halves(some, target, 0), "logits", 0)[0])
        verdicts.append(bool(sure[0]))
        assert not sure[0] or value[0] == pytest.approx(expected, rel=1e-12)
    assert verdicts[:10] == [True] * 10
    assert not verdicts[-1]


@pytest.mark.parametrize("seed", range(40))
def test_ragged_batches(seed):
    """Against the recursion in logarithms; NaN stands where nobody may look."""
    frames, target, blank, rows = ragged(seed)
    for form in FORMS:
        scores = frames if form == "logits" else [log_softmax(f) for f in frames]
        scores = [np.exp(f) for f in scores] if form == "probs" else scores
        found = nll(with_padding(scores), target, form=form, blank=blank)
        for value, logits, labels in zip(found.tolist(), frames, rows, strict=True):
            expected = plain(log_softmax(logits), labels, blank)
            assert value == pytest.approx(expected, rel=1e-12, abs=1e-12)
            assert (value == math.inf) == (expected == math.inf)


def ragged(seed):
    """Frames and labels of all lengths, with repeats, without labels, infeasible; logits from flat to steep."""
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(2, 9))
    blank = int(rng.integers(classes))
    size = rng.choice([0.1, 1.0, 8.0, 30.0])
    count = int(rng.integers(1, 9))
    frames = [size * rng.normal(size=(int(t), classes)) for t in rng.integers(0, 45, size=count)]
    said = [k for k in range(classes) if k != blank]
    rows = [rng.choice(said, size=int(s)).tolist() for s in rng.integers(0, 14, size=count)]
    return frames, Ragged.of(rows, np.int64), blank, rows


def with_padding(frames):
    longest = max(len(f) for f in frames)
    padded = np.full((len(frames), longest, frames[0].shape[1]), np.nan)
    for n, f in enumerate(frames):
        padded[n, : len(f)] = f
    return Ragged.padded(padded).cut(np.array([len(f) for f in frames]))


# The same bits in any company


@pytest.mark.parametrize("seed", range(40, 60))
def test_layouts_agree_to_the_last_bit(seed):
    frames, target, blank, rows = ragged(seed)
    padded = with_padding(frames)
    first = nll(padded, target, form="logits", blank=blank).tobytes()
    array = padded.values.reshape(len(frames), -1, frames[0].shape[1])
    by_time = Ragged.padded(np.ascontiguousarray(np.swapaxes(array, 0, 1)), by_time=True).cut(padded.lengths)
    packed = Ragged.of(frames, float) if all(map(len, frames)) else padded
    assert nll(by_time, target, form="logits", blank=blank).tobytes() == first
    assert nll(packed, target, form="logits", blank=blank - frames[0].shape[1]).tobytes() == first
    labels = np.full((max(map(len, rows), default=0) + 1, len(rows)), -7)
    for n, row in enumerate(rows):
        labels[: len(row), n] = row
    sideways = Ragged.padded(labels, by_time=True).cut(target.lengths)
    assert nll(padded, sideways, form="logits", blank=blank).tobytes() == first
    strided = Ragged(np.repeat(padded.values, 2, axis=0)[::2], padded.starts, padded.lengths)
    assert nll(strided, target, form="logits", blank=blank).tobytes() == first


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("classes", "dtype"), [(6, np.float64), (40, np.float32), (600, np.float32)])
def test_a_row_does_not_see_its_neighbours(form, classes, dtype, monkeypatch):
    """Alone, in pairs, in any order, in small pieces of work: the same bits."""
    rng = np.random.default_rng(classes)
    sizes = rng.choice([0.5, 3.0, 20.0], size=(23, 1, 1))
    scores = sizes * rng.normal(size=(23, 70, classes))
    if form != "logits":
        scores = log_softmax(scores)
    scores = (np.exp(scores) if form == "probs" else scores).astype(dtype)
    frames = Ragged.padded(scores).cut(rng.integers(10, 71, size=23))
    target = Ragged.of([rng.integers(1, classes, size=rng.integers(0, 20)).tolist() for _ in range(23)], np.int64)
    whole = nll(frames, target, form=form, blank=0)
    assert np.isfinite(whole).sum() > 10
    alone = [nll(frames[n : n + 1], target[n : n + 1], form=form, blank=0)[0] for n in range(23)]
    assert np.array(alone).tobytes() == whole.tobytes()
    order = rng.permutation(23)
    assert nll(frames[order], target[order], form=form, blank=0).tobytes() == whole[order].tobytes()
    monkeypatch.setattr(ctc_emissions, "TILE", 700)
    monkeypatch.setattr("lossctl.sequences.ctc.CELLS", 60)
    assert nll(frames, target, form=form, blank=0).tobytes() == whole.tobytes()


@pytest.mark.parametrize("form", FORMS)
def test_a_row_does_not_see_what_is_wrong_with_its_neighbours(form):
    """NaN, infinity, what overflows, what adds up to more than 1: the others keep their bits."""
    rng = np.random.default_rng(7)
    scores = 3 * rng.normal(size=(9, 80, 7))
    if form != "logits":
        scores = log_softmax(scores) + 0.4  # which excess is counted for as long as a row goes on, no longer
    scores = np.exp(scores) if form == "probs" else scores
    lengths = np.array([80, 79, 71, 64, 50, 49, 48, 33, 31])
    target = Ragged.of([rng.integers(1, 7, size=15 * (n % 4 > 0)).tolist() for n in range(9)], np.int64)
    frames = Ragged.padded(scores).cut(lengths)
    whole = nll(frames, target, form=form, blank=0)
    alone = [nll(frames[n : n + 1], target[n : n + 1], form=form, blank=0)[0] for n in range(9)]
    assert np.array(alone).tobytes() == whole.tobytes()
    for bad in (np.nan, np.inf, 0.0 if form == "probs" else -np.inf, 1e300, 700.0):
        for where in (np.s_[40, :3], np.s_[:, 1:], np.s_[3, 0], np.s_[5]):
            for row in (0, 3, 8):
                worse = scores.copy()
                worse[row][where] = bad
                found = nll(Ragged.padded(worse).cut(lengths), target, form=form, blank=0)
                assert np.delete(found, row).tobytes() == np.delete(whole, row).tobytes()


def test_many_classes_in_float32():
    """float32 exp of all but the labels in question: far below 1e-6 of the row."""
    rng = np.random.default_rng(5)
    for size in (1.0, 6.0, 40.0):
        scores = (size * rng.normal(size=(60, 3000))).astype(np.float32)
        labels = rng.integers(1, 3000, size=12).tolist()
        expected = plain(log_softmax(scores.astype(float)), labels, 0)
        assert cost(scores, labels) == pytest.approx(expected, rel=2e-7)
        assert cost(scores.astype(float), labels) == pytest.approx(expected, rel=1e-13)
        assert cost((scores + 700).astype(float), labels) == pytest.approx(expected, rel=1e-6)


def test_masked_classes():
    """A label of probability 0 where it is not needed costs nothing, where it is needed everything."""
    scores = np.zeros((6, 4))
    scores[:3, 2] = -np.inf
    assert cost(scores, [1, 2]) == pytest.approx(plain(log_softmax(scores), [1, 2], 0))
    assert cost(scores[:3], [1, 2]) == math.inf
    scores[:, 0] = -np.inf  # no blank anywhere
    assert cost(scores, [1, 2]) == pytest.approx(plain(log_softmax(scores), [1, 2], 0))
    assert cost(scores, [1, 1]) == math.inf
    assert cost(scores, []) == math.inf


def test_nan_is_not_hidden():
    scores = np.zeros((2, 5, 3))
    scores[1, 2, 1] = np.nan
    found = nll(Ragged.padded(scores), Ragged.of([[1], [1]], np.int64), form="logits", blank=0)
    assert np.isnan(found).tolist() == [False, True]
