"""Sequences one above the other, in columns that line up."""

from __future__ import annotations

import pytest

from lossctl.report.aligned import aligned, columns_of


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
    assert lines == ["ref  alpha beta", "hyp  alpha beta", "", "ref  gamma delta", "hyp  gamma delta", ""]
    assert all(len(line) <= 20 for line in lines)


def test_a_unit_wider_than_the_terminal_stands_alone():
    lines = drawn(["x" * 40, "y"], ["x" * 40, "y"], "==", width=20)
    assert lines[0] == "ref  " + "x" * 40
    assert lines[3] == "ref  y"


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
