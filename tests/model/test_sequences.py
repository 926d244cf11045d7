"""Kinds of sequences: what they refuse, what they leave out, and what padding is."""

from __future__ import annotations

import numpy as np
import pytest

from lossctl.model.findings import Findings
from lossctl.model.sequences import Frames, Labels, Lengths, Series, without_padding
from lossctl.model.texts import Reference, Units
from lossctl.sequences.ragged import Ragged

NLL = {"input": "log-probs", "layout": "NTC"}
RNG = np.random.default_rng(0)


def codes_of(kind, array, params, classes=None):
    """(code, rows) of every rule that is broken."""
    return [
        (rule.code, np.flatnonzero(rows).tolist()) for rule, rows, _ in kind.check(array, params, classes) if rows.any()
    ]


def frames(values) -> Ragged:
    return Ragged.padded(np.asarray(values, float))


def log_softmax(x):
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def test_text_is_split_and_lists_are_left():
    words = Units("word").read(Ragged.texts(["a b", None, ""]), {"unit": "word", "normalize": ()})
    assert words.lengths.tolist() == [2, 0, 0]
    assert Units().missing(words, {}).tolist() == [False, True, False]
    tokens = Ragged.of([[3, 1]], np.int64)
    assert Units().read(tokens, {"unit": "token", "normalize": ()}) is tokens


@pytest.mark.parametrize("policy", ["count", "skip", "error", "nan", "inf"])
def test_empty_references(policy):
    kind, params = Reference("word"), {"unit": "word", "normalize": (), "empty_ref": policy}
    read = kind.read(Ragged.texts(["a", " ", None]), params)
    ignored = kind.ignored(read, params)
    assert (ignored.tolist() if ignored is not None else None) == ([False, True, False] if policy == "skip" else None)
    assert codes_of(kind, read[:2], params) == ([("empty-reference", [1])] if policy == "error" else [])


def test_frames_may_be_masked_but_not_missing():
    values = log_softmax(RNG.normal(size=(4, 3, 5)))
    values[1, 2, 0], values[2, 0, 1], values[3, 1, 1] = -np.inf, np.nan, np.inf
    assert Frames().missing(frames(values), NLL).tolist() == [False, False, True, True]
    probs = np.full((2, 1, 2), 0.5)
    probs[1, 0, 0] = -np.inf
    assert Frames().missing(frames(probs), {**NLL, "input": "probs"}).tolist() == [False, True]


def test_padding_of_frames_is_never_looked_at():
    values = log_softmax(RNG.normal(size=(2, 3, 4)))
    values[0, 2] = np.nan
    cut = frames(values).cut(np.array([2, 3]))
    assert not Frames().missing(cut, NLL).any()
    assert codes_of(Frames(), cut, NLL) == []


def test_log_probabilities_are_held_to_their_sum():
    values = log_softmax(RNG.normal(size=(4, 3, 4)))
    values[1, 0] -= 0.01
    values[2, 1] += 0.0005
    values[3, 2, 1] = 0.5
    assert codes_of(Frames(), frames(values)[:3], NLL) == [("not-normalised", [1])]
    assert codes_of(Frames(), frames(values), NLL) == [("positive-log-prob", [3])]
    (_, _, sizes) = list(Frames().check(frames(values)[:3], NLL))[-1]
    assert sizes[1] == pytest.approx(0.01, rel=1e-9)


def test_probabilities_are_held_to_their_sum():
    params = {**NLL, "input": "probs"}
    values = np.exp(log_softmax(RNG.normal(size=(4, 3, 4))))
    values[1, 0] *= 1.01
    values[2, 1] *= 1.2
    values[3, 0, 0] = -0.5
    found = codes_of(Frames(), frames(values), params)
    assert ("not-a-probability", [3]) in found
    assert ("not-normalised", [2, 3]) in found
    assert ("not-normalised", [1]) in found


@pytest.mark.parametrize("blank", [0, -1, 2])
def test_labels(blank):
    kind = Labels()
    labels = Ragged.of([[1, 1], [blank % 4], [4], [1, 9], []], np.int64)
    found = codes_of(kind, labels, {"blank": blank}, 4)
    assert found == [("unknown-class", [2, 3]), ("blank-label", [1])]


def test_padding_of_labels_is_negative_and_last():
    padded = Ragged.padded(np.array([[1, 2, -1], [3, -100, -100], [-1, -1, -1], [1, -1, 2]]))
    assert without_padding(padded).lengths.tolist() == [2, 1, 0, 3]
    assert codes_of(Labels(), without_padding(padded), {}, 5) == [("unknown-class", [3])]


def test_lengths_cut_and_are_judged():
    kind, longest = Lengths("pred"), np.array([5, 5, 5, 5, 5])
    lengths = np.array([3.0, 6.0, -1.0, 2.5, np.nan])
    assert kind.of(lengths, longest).tolist() == [3, 5, 0, 2, 5]  # without a length a row stays whole, and is missing
    broken = [np.flatnonzero(rows).tolist() for _, rows, _ in kind.beyond(lengths, longest)]
    assert broken == [[1, 2, 3]]


def test_flags_of_padding_are_lengths():
    kind, longest = Lengths("pred"), np.array([3, 3, 3])
    flags = np.array([[0.0, 0, 1], [0, 0, 0], [0, 1, 0]])
    assert kind.of(flags[:2], longest[:2]).tolist() == [2, 3]
    ((rule, rows, _),) = kind.beyond(flags, longest)
    assert rule.code == "bad-padding"
    assert rows.tolist() == [False, False, True]


def test_series():
    series = Ragged.of([[1.0, np.nan], [2.0], None])
    assert Series().missing(series, {}).tolist() == [True, False, True]
    whole = Series().canonical(Ragged.of([[1, 2]], np.int64), {})
    assert whole.dtype == np.float64


def test_findings_name_the_row():
    findings = Findings()
    for seen in Labels().check(Ragged.of([[1], [7]], np.int64), {"blank": 0}, 3):
        findings.add("target", seen, np.array([10, 11]))
    (found,) = findings.of("error")
    assert (found.rule.code, found.places[0]) == ("unknown-class", (11, 7))


def test_probabilities_can_be_divided_by_their_sum():
    params = {**NLL, "input": "probs"}
    values = np.exp(log_softmax(RNG.normal(size=(2, 3, 4))))
    divided = Frames().renormalise(frames(values * 0.9).cut(np.array([2, 3])), params)
    assert divided.lengths.tolist() == [2, 3]
    np.testing.assert_allclose(divided.row(1), values[1], rtol=1e-14)
    assert Frames().renormalise(frames(values), NLL).values.shape == (6, 4)
