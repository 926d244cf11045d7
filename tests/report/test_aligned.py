"""Sequences one above the other, in columns that line up."""

from __future__ import annotations

import random

import pytest

from lossctl.report.aligned import aligned, blocks, columns_of, plain_columns, segments


def drawn(ref: list[str], hyp: list[str], ops: str, width: int = 80) -> list[str]:
    return [line.removesuffix("\n") for line in aligned(ref, hyp, ops, width)]


def test_each_edit_stands_below_its_units():
    assert drawn(["the", "cat", "sat"], ["a", "cat", "sat", "down"], "S==I") == [
        "ref  the cat sat ****",
        "hyp  a   cat sat down",
        "     S           I",
    ]


def test_what_is_missing_is_stars():
    assert drawn(["on", "mat"], ["mat"], "D=") == ["ref  on mat", "hyp  ** mat", "     D"]


def test_a_narrow_terminal_gets_more_lines():
    words = ["alpha", "beta", "gamma", "delta"]
    lines = drawn(words, words, "====", width=20)
    assert lines == ["ref  alpha beta", "hyp  alpha beta", "", "ref  gamma delta", "hyp  gamma delta"]
    assert all(len(line) <= 20 for line in lines)


def test_a_unit_wider_than_the_terminal_is_cut():
    """Its edit stands once, below the first piece; nothing is lost."""
    lines = drawn(["a", "x" * 20 + "z", "y"], ["a", "short", "y"], "=S=", width=20)
    assert lines == [
        *("ref  a", "hyp  a", ""),
        *("ref  " + "x" * 15, "hyp  short", "     S"),
        *("ref  " + "x" * 5 + "z y", "hyp         y"),
    ]
    lines = drawn(["日" * 10], ["e\u0301" * 20], "S", width=20)
    assert lines[0::3] == ["ref  " + "日" * 7, "ref  " + "日" * 3]
    assert lines[1::3] == ["hyp  " + "e\u0301" * 15, "hyp  " + "e\u0301" * 5]


@pytest.mark.parametrize("width", [13, 20, 40, 80])
def test_no_line_is_wider_than_the_terminal(width):
    rng = random.Random(width)
    units = ["a", "words", "日本語", "e\u0301te\u0301", "\x1b[31m", "y" * 50, " "]
    for _ in range(50):
        ops = rng.choices("=SDI", k=rng.randint(0, 12))
        ref = [rng.choice(units) for op in ops if op != "I"]
        hyp = [rng.choice(units) for op in ops if op != "D"]
        assert all(columns_of(line) <= width for line in drawn(ref, hyp, "".join(ops), width=width))


def test_a_terminal_without_unicode():
    """What it cannot show is spelled out before columns are counted."""
    lines = list(aligned(["é", " ", "b"], ["x", " ", "b"], "S==", 80, "ascii"))
    assert lines == ["ref  \\xe9 _ b\n", "hyp  x    _ b\n", "     S\n"]


# Labels and their frames.


LABELS = [
    {"label": "a", "first": 3, "last": 3, "score": 0.0126734},
    {"label": "日本", "first": 5, "last": 11, "score": 1.0},
    {"label": "\x1b", "first": 12, "last": 12, "score": 0.25},
]


def test_labels_stand_above_their_frames():
    assert list(segments(LABELS, 80)) == [
        "label  a      日本 \\x1b\n",
        "frame  3      5-11 12\n",
        "cost   0.0127 1    0.25\n",
    ]
    assert [line[7:-1] for line in segments(LABELS, 18)] == [
        *("a      日本", "3      5-11", "0.0127 1"),
        *("\\x1b", "12", "0.25"),
    ]


def test_alignments_of_samples(make):
    edits = {"ref": ["a"], "hyp": ["b"], "ops": "S"}
    rows = [make.sample(1, 2.5)._replace(details=("a", LABELS)), make.sample(2, 1.0)._replace(details=("b", None))]
    samples = make.samples(*rows, labels=("ctc",), detail_names=("decoded", "alignment"), total=2)
    assert plain_columns(samples) == (0,)
    found = "".join(blocks(samples, 80))
    assert found.startswith(
        "alignments of all 2 rows\nlabels, their frames (from 0), the cost\n\nrow 1: ctc 2.5\nlabel  a"
    )
    assert "row 2" not in found
    rows = [make.sample(None, 2.5, 0.5, key=("u\x1b1",))._replace(details=(edits, edits))]
    both = make.samples(
        *rows, labels=("wer", "cer"), detail_names=("wer.alignment", "cer.alignment"), key_names=("utt\n",), total=7
    )
    assert "".join(blocks(both, None)) == (
        "alignments of first 1 of 7 rows\nS substituted, D deleted, I inserted\n"
        "\nutt\\n u\\x1b1: wer 2.5\nref  a\nhyp  b\n     S\n"
        "\nutt\\n u\\x1b1: cer 0.5\nref  a\nhyp  b\n     S\n"
    )
    assert all(len(line) <= 12 for line in "".join(blocks(both, 12)).split("\n")[2:])


def test_nothing_to_align(make):
    none = make.samples(make.sample(1, 2.5)._replace(details=(None,)), detail_names=("alignment",))
    assert list(blocks(none, 80)) == []
    decoded = make.samples(make.sample(1, 2.5)._replace(details=("a",)), detail_names=("decoded",))
    assert list(blocks(decoded, 80)) == []
    assert list(blocks(make.samples(make.sample(1, 2.5)), 80)) == []


@pytest.mark.parametrize(
    ("unit", "seen"), [(" ", "\u2423"), ("\t", "\\t"), ("\x1b[31m", "\\x1b[31m"), ("\u202e", "\\u202e")]
)
def test_units_that_cannot_be_seen(unit, seen):
    assert drawn([unit], [unit], "=")[0] == f"ref  {seen}"


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0)])
def test_columns_of_a_terminal(text, columns):
    assert columns_of(text) == columns


def test_wide_characters_line_up():
    assert drawn(["日", "b"], ["xyz", "b"], "S=") == ["ref  日  b", "hyp  xyz b", "     S"]


def test_nothing_at_all():
    assert drawn([], [], "") == []
