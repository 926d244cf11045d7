"""Costs of tokens: loops over the definition, known values, what does not count, and laws of the batch."""

from __future__ import annotations

import json
import math

import mpmath
import numpy as np
import pytest

import lossctl
from lossctl.errors import DataError, UsageError
from lossctl.losses import bits_per_byte, perplexity, token_nll
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.tokens import given_costs, token_costs

# A batch of two with -100 for padding, whose numbers torch printed.
LOGITS = np.array([[[2, 1, 0], [0, 3, 1], [1, 1, 1]], [[0, 0, 5], [1, 2, 3], [0, 0, 0]]], float)
LABELS = np.array([[0, 1, -100], [2, -100, -100]])


def cost(z: np.ndarray, y: int, weight: np.ndarray, smoothing: float) -> mpmath.mpf:
    with mpmath.workdps(40):
        exact = [mpmath.mpf(float(v)) for v in z]
        lse = mpmath.log(sum(map(mpmath.exp, exact)))
        lost = [mpmath.mpf(float(w)) * (lse - v) for w, v in zip(weight, exact, strict=True)]
        return (1 - mpmath.mpf(smoothing)) * lost[y] + mpmath.mpf(smoothing) / len(z) * sum(lost)


def problem(rng: np.random.Generator, rows: int, classes: int = 7) -> tuple[list[np.ndarray], list[np.ndarray]]:
    lengths = rng.integers(0, 9, size=rows)
    scores = [4 * rng.normal(size=(n, classes)) for n in lengths]
    return scores, [np.where(rng.random(n) < 0.25, -1, rng.integers(0, classes, size=n)) for n in lengths]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shift", [False, True])
def test_a_loop_over_tokens(smoothing, weighted, shift):
    rng = np.random.default_rng(1)
    scores, targets = problem(rng, 12)
    weight = rng.uniform(0, 2, size=7) if weighted else np.ones(7)
    found = token_costs(
        Ragged.of(scores),
        Ragged.of(targets, np.int64),
        shift=shift,
        weight=weight if weighted else None,
        smoothing=smoothing,
    )
    for n, (z, y) in enumerate(zip(scores, targets, strict=True)):
        pairs = [(z[t - shift], int(y[t])) for t in range(int(shift), len(y)) if y[t] >= 0]
        assert found.tokens[n] == len(pairs)
        expected = sum((cost(a, b, weight, smoothing) for a, b in pairs), mpmath.mpf(0))
        np.testing.assert_allclose(found.loss[n], float(expected), rtol=1e-14)
        np.testing.assert_allclose(found.divisor[n], sum(weight[b] for _, b in pairs), rtol=1e-15)


def test_known_values():
    assert np.array2string(token_nll(LOGITS, LABELS), precision=4) == "[0.5775 0.0134]"
    for average, reduction, expected in (
        ("token", "mean", ".1969"),
        ("token", "sum", ".5908"),
        ("sequence", "mean", ".1511"),
    ):
        value = lossctl.compute("token-nll", LOGITS, LABELS, average=average, reduction=reduction).value
        assert f"{value:.4f}" == f"0{expected}"


def test_known_values_of_log_probabilities():
    lp = [np.log([0.5, 0.25, 0.125])]
    assert f"{token_nll(lp, input='log-probs')[0]:.6f}" == "4.158883"
    assert perplexity(lp, input="log-probs")[0] == pytest.approx(4, rel=1e-15)
    assert bits_per_byte(lp, text=["ten bytes."], input="log-probs")[0] == pytest.approx(0.6, rel=1e-15)


def test_the_perplexity_of_a_corpus_is_not_the_mean_of_its_rows():
    # The two numbers that users of another library were puzzled by.
    rows = [[-0.1, -0.2, -0.1], [-0.3, -0.5, -0.1, -0.4, -0.2]]
    done = lossctl.compute("perplexity", rows, input="log-probs")
    assert f"{done.value:.6f}" == "1.268075"
    assert f"{done.per_sample.mean():.6f}" == "1.246245"
    assert f"{done.results[0].sample_mean:.6f}" == "1.246245"
    assert done.results[0].parts["tokens"] == 8


def test_bases_of_logarithms():
    p = np.array([0.5, 0.2, 0.7])
    expected = -np.log(p).sum()
    for base, logs in (("2", np.log2(p)), ("10", np.log10(p)), ("e", np.log(p))):
        np.testing.assert_allclose(token_nll([logs], input="log-probs", base=base), [expected], rtol=1e-15)
        np.testing.assert_allclose(perplexity([logs], input="log-probs", base=base), np.exp(expected / 3), rtol=1e-15)
    np.testing.assert_allclose(token_nll([p], input="probs"), [expected], rtol=1e-15)
    whole = np.log2(np.array([[[0.5, 0.5], [0.25, 0.75]]]))
    np.testing.assert_allclose(token_nll(whole, [[0, 0]], input="log-probs", base="2"), [3 * math.log(2)], rtol=1e-15)


def test_a_first_token_without_a_number_is_left_out_and_no_other():
    assert token_nll([[np.nan, -1.0, -2.0], [-1.0]], input="log-probs").tolist() == [3.0, 1.0]
    with pytest.raises(DataError) as caught:
        token_nll([[-1.0], [-1.0, np.nan]], input="log-probs")
    assert (caught.value.code, caught.value.row) == ("nan", 2)
    assert given_costs(Ragged.of([[np.nan, -1.0], [np.nan], []])).tokens.tolist() == [1, 0, 0]


def test_tokens_beside_log_probabilities_say_which_count():
    assert token_nll([[-1.0, -2.0, -4.0]], [[5, -100, 7]], input="log-probs").tolist() == [5.0]


def test_rows_of_which_no_token_counts_are_ignored():
    done = lossctl.compute("token-nll", LOGITS, [[-100, -100, -100], [2, -100, -100]], average="sequence")
    assert done.results[0].dropped["ignored"] == 1
    assert done.value == token_nll(LOGITS[1:], LABELS[1:])[0]
    with pytest.raises(DataError):
        lossctl.compute("perplexity", LOGITS, np.full((2, 3), -100))
    assert math.isnan(lossctl.compute("perplexity", LOGITS, np.full((2, 3), -100), empty="nan").value)
    only = lossctl.compute("token-nll", LOGITS[:, :1], LABELS[:, :1], shift=True, empty="nan")
    assert only.results[0].dropped["ignored"] == 2


def test_a_token_may_be_any_number_to_be_ignored():
    np.testing.assert_array_equal(
        token_nll(LOGITS, np.where(LABELS < 0, 0, LABELS), ignore_index=0),
        token_nll(LOGITS, [[-100, 1, -100], [2, -100, -100]]),
    )


@pytest.mark.parametrize("bad", [3, -1, 0.5, np.nan])
def test_ids_that_are_none(bad):
    labels = LABELS.astype(float)
    labels[1, 1] = bad
    with pytest.raises(DataError) as caught:
        token_nll(LOGITS, labels)
    assert caught.value.code == ("nan" if bad != bad else "unknown-class")
    assert caught.value.row == 2


def test_what_does_not_fit():
    with pytest.raises(DataError, match="logit"):
        token_nll([[-1.0]])
    with pytest.raises(DataError, match="which tokens came"):
        token_nll(LOGITS)
    with pytest.raises(UsageError, match="shift"):
        token_nll([[-1.0]], input="log-probs", shift=True)
    with pytest.raises(DataError, match="tokens of its row"):
        token_nll(LOGITS, LABELS[:, :2])
    with pytest.raises(DataError, match="log-probability"):
        token_nll([[0.5, 0.5]], input="log-probs")
    with pytest.raises(DataError, match="how much text"):
        bits_per_byte([[-1.0]], input="log-probs")
    with pytest.raises(DataError, match="class_weight"):
        token_nll(LOGITS, LABELS, class_weight=(1, 2))


def test_scores_beyond_lengths_and_of_ignored_tokens():
    padded = np.concatenate([LOGITS, np.full((2, 4, 3), np.nan)], axis=1)
    ids = np.concatenate([LABELS, np.full((2, 4), 99)], axis=1)
    np.testing.assert_array_equal(token_nll(padded, ids, input_lengths=[3, 3]), token_nll(LOGITS, LABELS))
    holed = np.where((LABELS < 0)[:, :, None], np.nan, LOGITS)
    found = token_costs(Ragged.padded(holed), Ragged.padded(LABELS))
    np.testing.assert_array_equal(found.loss, token_nll(LOGITS, LABELS))


def test_layouts_agree():
    rng = np.random.default_rng(6)
    for scores, labels in ((LOGITS, LABELS), (rng.normal(size=(4, 5, 3)), rng.integers(0, 3, size=(4, 5)))):
        turned = np.ascontiguousarray(scores.swapaxes(0, 1))
        np.testing.assert_array_equal(token_nll(turned, labels, layout="TNC"), token_nll(scores, labels))


def test_masked_scores():
    z = np.array([[[0.0, -np.inf, 0.0], [0.0, -np.inf, 0.0]]])
    assert token_nll(z, [[0, 2]])[0] == pytest.approx(2 * math.log(2), rel=1e-15)
    assert token_nll(z, [[0, 1]])[0] == np.inf
    assert perplexity(z, [[0, 1]])[0] == np.inf
    assert token_nll(np.full((1, 1, 3), -np.inf), [[0]])[0] == np.inf


def test_a_sure_model_keeps_its_digits():
    z = np.array([[[60.0, 0.0, 0.0]]])
    np.testing.assert_allclose(token_nll(z, [[0]]), [2 * math.exp(-60)], rtol=1e-14)


def test_bytes_characters_and_counts():
    lp = [[-1.0, -2.0], [-3.0]]
    text = ["añ", "日本語"]
    bits = np.array([3.0, 3.0]) / math.log(2)
    np.testing.assert_allclose(bits_per_byte(lp, text=text, input="log-probs"), bits / [3, 9], rtol=1e-15)
    np.testing.assert_allclose(
        lossctl.losses.bits_per_char(lp, text=text, input="log-probs", unit="char"), bits / [2, 3], rtol=1e-15
    )
    np.testing.assert_allclose(bits_per_byte(lp, units=[4, 0], input="log-probs"), [bits[0] / 4, np.inf], rtol=1e-15)


def test_every_row_is_the_same_alone_and_in_any_company():
    rng = np.random.default_rng(5)
    scores, targets = problem(rng, 40, 300)
    for dtype in (np.float64, np.float32):
        rows = Ragged.of([s.astype(dtype) for s in scores]), Ragged.of(targets, np.int64)
        together = token_costs(*rows, smoothing=0.1)
        alone = [token_costs(rows[0][n : n + 1], rows[1][n : n + 1], smoothing=0.1).loss[0] for n in range(40)]
        np.testing.assert_array_equal(together.loss, alone)


# Files.


def test_log_probabilities_of_tokens_are_found_by_their_name(tmp_path):
    rows = [[None, -1.0, -2.0], [None, -3.0]]
    lines = [{"text": "abc", "tokens": ["a", "b", "c"][: len(lp)], "token_logprobs": lp, "label": 1} for lp in rows]
    path = tmp_path / "lm.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = lossctl.compute("token-nll,perplexity,bits-per-byte", str(path))
    assert [r.params["input"] for r in done.results] == ["log-probs"] * 3
    values = [2.0, math.exp(2), 6 / (math.log(2) * 6)]
    np.testing.assert_allclose([r.value for r in done.results], values, rtol=1e-15)


def test_scores_of_classes_are_no_scores_of_tokens(tmp_path):
    """A list of probabilities a row, or columns of them, are those of classes; nothing is made of them unasked."""
    table = tmp_path / "classes.csv"
    table.write_text("label,prob_a,prob_b\na,0.5,0.5\nb,0.25,0.75\n")
    lists = tmp_path / "classes.jsonl"
    lists.write_text('{"label": 0, "probs": [0.5, 0.5]}\n{"label": 1, "probs": [0.25, 0.75]}\n')
    for path in (table, lists):
        with pytest.raises(DataError, match="recognisable"):
            lossctl.compute("perplexity", str(path))


def test_lists_of_scores_and_a_padded_archive_give_the_same(tmp_path):
    rng = np.random.default_rng(8)
    scores, labels, lengths = rng.normal(size=(3, 4, 5)), rng.integers(0, 5, size=(3, 4)), np.array([2, 4, 3])
    path = tmp_path / "lm.jsonl"
    rows = [
        {"logits": s[:n].tolist(), "labels": y[:n].tolist()} for s, y, n in zip(scores, labels, lengths, strict=True)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    scores[np.arange(4) >= lengths[:, None]] = np.nan
    np.savez(tmp_path / "lm.npz", logits=scores, labels=labels, input_lengths=lengths)
    one, other = (
        lossctl.compute("token-nll", str(tmp_path / f"lm.{kind}"), reduction="none") for kind in ("jsonl", "npz")
    )
    np.testing.assert_array_equal(one.per_sample, other.per_sample)
