"""Error rates: values known from other tools, corpora against samples, empty references, choices, mappings."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import DataError, UsageError
from lossctl.losses import (
    cer,
    damerau_levenshtein,
    edit_distance,
    hamming_string,
    mer,
    normalized_edit_distance,
    phone_error_rate,
    ser,
    wer,
    wil,
    wip,
)
from lossctl.sequences.splits import SPLITS

NAMES = ("wer", "mer", "wil")


def value(name: str, ref: Any, hyp: Any, **options: Any) -> float:
    return lossctl.compute(
        name, [hyp] if isinstance(hyp, str) else hyp, [ref] if isinstance(ref, str) else ref, **options
    ).value


# jiwer's own tests: reference, hypothesis, wer, mer, wil.
JIWER: list[tuple[Any, Any, tuple[float, float, float]]] = [
    ("X", "X", (0, 0, 0)),
    ("X", "X X Y Y", (3, 0.75, 0.75)),
    ("X Y X", "X Z", (2 / 3, 2 / 3, 5 / 6)),
    ("X", "Y", (1, 1, 1)),
    ("X", "Y Z", (2, 1, 1)),
    ("This is a test", "This test", (0.5, 0.5, 0.5)),
    (
        "i am a short ground truth",
        "i am a considerably longer and very much incorrect hypothesis",
        (7 / 6, 0.7, 0.85),
    ),
    (["i", "am i good"], ["i am", "i good"], (0.5, 0.4, 7 / 16)),
    (["hello world", ""], ["hello world", "done"], (1 / 2, 1 / 3, 1 / 3)),
    ("", "", (0, 0, 0)),
    ("", "a b", (2, 1, 1)),
]


@pytest.mark.parametrize(("ref", "hyp", "values"), JIWER)
def test_what_jiwer_knows(ref, hyp, values):
    for name, expected in zip(NAMES, values, strict=True):
        assert value(name, ref, hyp, split="jiwer") == pytest.approx(expected, rel=1e-15)
    assert value("wip", ref, hyp, split="jiwer") == pytest.approx(1 - values[2], rel=1e-15)


@pytest.mark.parametrize(
    ("ref", "hyp", "expected"),
    [
        ("This is a test", "This test", 5 / 14),
        ("X", "X X Y Y", 6),
        ("X Y X", "X Z", 3 / 5),
        (["i", "am i good"], ["i am", "i good"], 0.6),
    ],
)
def test_characters_as_jiwer_counts_them(ref, hyp, expected):
    assert value("cer", ref, hyp) == pytest.approx(expected, rel=1e-15)


LONG = ("this test will  have a high word error rate", "no it will not")


def test_counts_as_jiwer_prints_them():
    parts = lossctl.compute("wer,cer", [LONG[1]], [LONG[0]], split="jiwer").results
    words, characters = (result.parts for result in parts)
    assert words == {"hits": 1, "substitutions": 3, "deletions": 5, "insertions": 0, "units": 9}
    assert characters == {"hits": 10, "substitutions": 4, "deletions": 29, "insertions": 0, "units": 43}
    assert [round(100 * result.value, 2) for result in parts] == [88.89, 76.74]
    assert round(100 * value("wil", *LONG, split="jiwer"), 2) == 97.22


def test_what_torchmetrics_documents():
    pred = ["this is the prediction", "there is an other sample"]
    target = ["this is the reference", "there is another one"]
    assert value("wer", target, pred) == 0.5
    assert round(value("cer", target, pred), 6) == 0.341463
    assert round(value("mer", target, pred), 6) == 0.444444
    assert round(value("wil", target, pred), 6) == 0.652778
    assert round(value("wip", target, pred), 6) == 0.347222
    assert edit_distance(["rain"], ["shine"]).tolist() == [3]
    assert edit_distance(["rain"], ["shine"], substitution_cost=2).tolist() == [5]


def test_normalised_distances():
    """rapidfuzz, and Yujian and Bo's formula by hand: 2 * 3 / (6 + 7 + 3)."""
    both = (["sitting"], ["kitten"])
    assert normalized_edit_distance(*both).tolist() == [3 / 7]
    assert normalized_edit_distance(*both, norm="ref").tolist() == [0.5]
    assert normalized_edit_distance(*both, norm="sum").tolist() == [3 / 13]
    assert normalized_edit_distance(*both, norm="yb").tolist() == [0.375]
    for norm in ("max", "ref", "sum", "yb"):
        assert normalized_edit_distance(["", "a"], ["", "a"], norm=norm).tolist() == [0, 0]
    assert normalized_edit_distance(["a"], [""], norm="ref").tolist() == [math.inf]
    assert normalized_edit_distance(["a"], [""]).tolist() == [1]


# A corpus is not the mean of its sentences.


REF = ["a b c d e f g h", "x", "m n"]
HYP = ["a b c d e f g", "y z", "m n"]


def test_corpus_and_sample():
    pooled = lossctl.compute("wer", HYP, REF).results[0]
    assert pooled.value == 3 / 11
    assert pooled.sample_mean == pytest.approx((1 / 8 + 2 + 0) / 3, rel=1e-15)
    apart = lossctl.compute("wer", HYP, REF, average="sample").results[0]
    assert apart.value == pooled.sample_mean
    assert apart.parts == pooled.parts == {"hits": 9, "substitutions": 1, "deletions": 1, "insertions": 1, "units": 11}
    assert lossctl.compute("wer", HYP, REF, reduction="sum").value == 3


def test_weights_count_rows_several_times():
    weight = [2.0, 0.0, 3.0]
    repeated = [0, 0, 2, 2, 2]
    for name in ("wer", "mer", "wil", "wip", "cer", "ser"):
        weighted = lossctl.compute(name, HYP, REF, weight=weight).value
        assert weighted == value(name, [REF[n] for n in repeated], [HYP[n] for n in repeated])


words = st.lists(st.sampled_from(["a", "b", "c"]), max_size=6).map(" ".join)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(words, words), min_size=1, max_size=7), st.sampled_from(SPLITS))
def test_rates_are_quotients_of_sums(pairs, split):
    ref, hyp = [x for x, _ in pairs], [y for _, y in pairs]
    parts = lossctl.compute("wer", hyp, ref, split=split).results[0].parts
    h, s, d, i = (int(parts[name]) for name in ("hits", "substitutions", "deletions", "insertions"))
    m, n = (sum(len(text.split()) for text in side) for side in (ref, hyp))
    assert (h + s + d, h + s + i) == (m, n)
    if m and n:
        assert value("wer", ref, hyp, split=split) == float(Fraction(s + d + i, m))
        assert value("mer", ref, hyp, split=split) == float(Fraction(s + d + i, h + s + d + i))
        assert value("wip", ref, hyp, split=split) == float(Fraction(h * h, m * n))
        assert value("wil", ref, hyp, split=split) == float(1 - Fraction(h * h, m * n))


@settings(max_examples=40, deadline=None)
@given(words, words)
def test_rows_and_a_corpus_of_one_agree(ref, hyp):
    for function in (wer, mer, wil, wip, ser):
        for empty_ref in ("count", "nan", "inf") if function is not ser else (None,):
            given = {} if empty_ref is None else {"empty_ref": empty_ref}
            row = float(function([hyp], [ref], **given)[0])
            whole = lossctl.compute(function.entry.name, [hyp], [ref], **given).value
            assert row == whole or (math.isnan(row) and math.isnan(whole))


# Empty references.


@pytest.mark.parametrize(
    ("empty_ref", "rows", "corpus"),
    [
        ("count", [0.5, 0, 2], 3 / 2),
        ("nan", [0.5, math.nan, math.nan], 3 / 2),
        ("inf", [0.5, math.nan, math.inf], 3 / 2),
    ],
)
def test_empty_references(empty_ref, rows, corpus):
    ref, hyp = ["a b", "", ""], ["a", "", "x y"]
    np.testing.assert_array_equal(wer(hyp, ref, empty_ref=empty_ref), rows)
    assert value("wer", ref, hyp, empty_ref=empty_ref) == corpus


def test_empty_references_left_out_or_refused():
    ref, hyp = ["a b", "", "c"], ["a", "x", "c"]
    result = lossctl.compute("wer", hyp, ref, empty_ref="skip").results[0]
    assert (result.value, result.n, result.dropped) == (1 / 3, 2, {"ignored": 1})
    with pytest.raises(DataError) as caught:
        lossctl.compute("wer", hyp, ref, empty_ref="error")
    assert (caught.value.code, caught.value.row) == ("empty-reference", 2)


@pytest.mark.parametrize(
    ("name", "both", "spoken"),
    [("wer", 0, 2), ("cer", 0, 3), ("mer", 0, 1), ("wil", 0, 1), ("wip", 1, 0), ("ser", 0, 1)],
)
def test_nothing_was_said(name, both, spoken):
    """As jiwer has it: right where nothing was heard either."""
    assert value(name, "", "") == both
    assert value(name, "", "a b") == spoken
    assert value(name, "a b", "") == (0 if name == "wip" else 1)


# What is compared.


def test_units_and_steps():
    ref, hyp = ["The caf\u00e9, now."], ["the cafe\u0301 now"]
    assert wer(hyp, ref).tolist() == [1]
    assert wer(hyp, ref, normalize=("nfc", "lower", "punct")).tolist() == [0]
    assert cer(hyp, ref, normalize=("lower", "punct")).tolist() == [2 / 12]
    assert cer(["ab"], ["a b"]).tolist() == [1 / 3]
    assert cer(["ab"], ["a b"], ignore_space=True).tolist() == [0]
    assert edit_distance(["e\u0301"], ["e"], unit="grapheme").tolist() == [1]
    assert edit_distance(["\u00e9"], ["e"], unit="byte").tolist() == [2]
    assert wer([[5, 6]], [[5, 7, 8]]).tolist() == [2 / 3]
    assert wer([["a", "b c"]], [["a", "b"]]).tolist() == [1 / 2]


def test_sentences_are_right_or_wrong():
    assert ser(["a b", "a  b", "A b", ""], ["a b", "a b", "a b", ""]).tolist() == [0, 0, 1, 0]
    assert lossctl.compute("ser", ["a", "b", "c"], ["a", "x", "c"]).value == 1 / 3


def test_a_preset_keeps_its_unit():
    with pytest.raises(UsageError, match="unit"):
        wer(["a"], ["a"], unit="char")


def test_phones_count_as_what_the_file_says(tmp_path):
    path = tmp_path / "fold.map"
    path.write_text("ih ih\nix ih\nq\naa aa\nao aa\n", encoding="utf-8")
    ref, hyp = ["ix q ao", "q", "ih"], ["ih aa", "", "q q ax"]
    assert phone_error_rate(hyp, ref).tolist() == [1, 1, 3]
    assert phone_error_rate(hyp, ref, mapping=str(path)).tolist() == [0, 0, 1]
    assert lossctl.compute("per", hyp, ref, mapping=str(path)).value == 1 / 3


def test_references_that_leave_a_choice():
    ref, hyp = ["{ uh / um / @ } yes (sir)"], ["yes"]
    assert wer(hyp, ref).tolist() == [8 / 9]
    assert wer(hyp, ref, alternatives=True).tolist() == [0]
    assert cer(["um yes"], ref, alternatives=True).tolist() == [0]
    with pytest.raises(DataError) as caught:
        lossctl.compute("wer", ["a", "b"], ["a", "{ b / c"], alternatives=True)
    assert (caught.value.code, caught.value.row) == ("bad-alternatives", 2)


def test_lengths_that_differ_have_no_hamming_distance():
    assert hamming_string(["karolin", "abcd"], ["kathrin", "abce"]).tolist() == [3, 1]
    assert hamming_string(["aaaaa"], ["aaaa"], pad=True).tolist() == [1]
    with pytest.raises(DataError) as caught:
        lossctl.compute("hamming-string", ["ab", "abc"], ["ab", "ab"])
    assert (caught.value.code, caught.value.row) == ("lengths-differ", 2)


def test_two_distances_of_one_name():
    assert damerau_levenshtein(["ABC"], ["CA"]).tolist() == [3]
    assert damerau_levenshtein(["ABC"], ["CA"], osa=False).tolist() == [2]


# What is shown.


def test_the_worst_rows_aligned():
    ref = ["this is a test", "so (it) is", "fine"]
    hyp = ["this was test", "so is", "fine"]
    shown = lossctl.compute("wer", hyp, ref, show_alignment=2, alternatives=True).report.samples
    assert [sample.row for sample in shown] == [1, 2]
    assert [json.loads(json.dumps(sample.details[0])) for sample in shown] == [
        {"ref": ["this", "is", "a", "test"], "hyp": ["this", "was", "test"], "ops": "=DS="},
        {"ref": ["so", "is"], "hyp": ["so", "is"], "ops": "=="},
    ]
    for name, hyp, ref, options, expected in (
        ("cer", ["ac"], ["abc"], {}, {"ref": ["a", "b", "c"], "hyp": ["a", "c"], "ops": "=D="}),
        ("edit-rate", [[7, 9]], [[7, 8]], {"unit": "token"}, {"ref": ["7", "8"], "hyp": ["7", "9"], "ops": "=S"}),
        ("edit-rate", ["\u00e9"], ["e"], {"unit": "byte"}, {"ref": ["65"], "hyp": ["c3", "a9"], "ops": "IS"}),
    ):
        (sample,) = lossctl.compute(name, hyp, ref, show_alignment=1, **options).report.samples
        assert sample.details == (expected,)


@pytest.mark.parametrize("split", SPLITS)
def test_chunks_do_not_change_a_digit(split, tmp_path):
    rng = np.random.default_rng(0)
    texts = [[" ".join(rng.choice(["a", "b", "c"], size=rng.integers(0, 9))) for _ in range(60)] for _ in range(2)]
    path = tmp_path / "lines.csv"
    path.write_text("ref,hyp\n" + "\n".join(f'"{x}","{y}"' for x, y in zip(*texts, strict=True)), encoding="utf-8")
    whole = lossctl.compute("wer,mer,wil,cer,edit-distance", str(path), split=split, rows="all")
    for chunk in (1, 7):
        parts = lossctl.compute("wer,mer,wil,cer,edit-distance", str(path), split=split, rows="all", chunk_rows=chunk)
        assert [r.value for r in parts.results] == [r.value for r in whole.results]
        assert [r.parts for r in parts.results] == [r.parts for r in whole.results]
        assert list(parts.report.samples) == list(whole.report.samples)
