"""Alignments of text: all of them for short sequences, known scores, and laws of the batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from lossctl.errors import DataError, UsageError
from lossctl.losses import needleman_wunsch, smith_waterman
from lossctl.sequences.needleman import Scoring, alignment_score
from lossctl.sequences.ragged import Ragged

LINEAR = Scoring()
AFFINE = Scoring(match=2, mismatch=-3, gap=-1, gap_open=-2)
ODD = Scoring(match=1.5, mismatch=0.25, gap=-0.125, gap_open=-0.75)
FREE = Scoring(match=1, mismatch=-1, gap=0, gap_open=-1)


def rows(*texts: str) -> Ragged:
    return Ragged.of([[ord(c) for c in text] for text in texts], np.int64)


def alignments(x: str, y: str) -> Iterator[str]:
    """Every alignment as letters: M for a pair, X for a unit of x alone, Y for one of y alone."""
    if not x and not y:
        yield ""
    if x and y:
        yield from ("M" + rest for rest in alignments(x[1:], y[1:]))
    if x:
        yield from ("X" + rest for rest in alignments(x[1:], y))
    if y:
        yield from ("Y" + rest for rest in alignments(x, y[1:]))


def worth(x: str, y: str, ops: str, s: Scoring) -> float:
    score, i, j = 0.0, 0, 0
    for op, run in itertools.groupby(ops):
        for place, _ in enumerate(run):
            if op == "M":
                score += s.match if x[i] == y[j] else s.mismatch
            else:
                score += s.gap + (s.gap_open if place == 0 else 0)
            i += op in "MX"
            j += op in "MY"
    return score


def best(x: str, y: str, s: Scoring) -> float:
    return max(worth(x, y, ops, s) for ops in alignments(x, y))


def parts(x: str) -> list[str]:
    return ["", *(x[i:j] for i in range(len(x)) for j in range(i + 1, len(x) + 1))]


def pairs(rng: np.random.Generator, count: int, longest: int) -> list[tuple[str, str]]:
    return [
        (
            "".join(rng.choice(list("AB"), rng.integers(0, longest))),
            "".join(rng.choice(list("ABC"), rng.integers(0, longest))),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("scoring", [LINEAR, AFFINE, ODD, FREE])
def test_the_best_of_all_alignments(scoring):
    cases = pairs(np.random.default_rng(1), 60, 6)
    found = alignment_score(rows(*(x for x, _ in cases)), rows(*(y for _, y in cases)), scoring)
    assert found.tolist() == [best(x, y, scoring) for x, y in cases]


@pytest.mark.parametrize("scoring", [LINEAR, AFFINE, ODD, FREE])
def test_the_best_of_all_alignments_of_parts(scoring):
    cases = pairs(np.random.default_rng(2), 40, 5)
    found = alignment_score(rows(*(x for x, _ in cases)), rows(*(y for _, y in cases)), scoring, local=True)
    expected = [max(best(a, b, scoring) for a in parts(x) for b in parts(y)) for x, y in cases]
    assert found.tolist() == expected


def test_known_scores():
    # The example of the textbooks and of Wikipedia's page on the algorithm.
    assert alignment_score(rows("GATTACA"), rows("GCATGCG"), LINEAR)[0] == 0
    assert alignment_score(rows("GATTACA"), rows("GCATGCU"), LINEAR)[0] == 0
    # Wikipedia's page on Smith and Waterman.
    scoring = Scoring(match=3, mismatch=-3, gap=-2)
    assert alignment_score(rows("TGTTACGG"), rows("GGTTGACTA"), scoring, local=True)[0] == 13


def test_nothing_against_something_is_one_gap():
    x, y = rows("", "AAAA", ""), rows("AAA", "", "")
    assert alignment_score(x, y, AFFINE).tolist() == [-5, -6, 0]
    assert alignment_score(x, y, LINEAR).tolist() == [-3, -4, 0]
    assert alignment_score(x, y, AFFINE, local=True).tolist() == [0, 0, 0]


def test_less_the_edit_distance_where_matches_are_worth_nothing():
    def edits(x: str, y: str) -> int:
        row = list(range(len(y) + 1))
        for i, a in enumerate(x, 1):
            above, row[0] = row[0], i
            for j, b in enumerate(y, 1):
                above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
        return row[-1]

    cases = pairs(np.random.default_rng(3), 50, 40)
    found = alignment_score(
        rows(*(x for x, _ in cases)), rows(*(y for _, y in cases)), Scoring(match=0, mismatch=-1, gap=-1)
    )
    assert found.tolist() == [-edits(x, y) for x, y in cases]


@pytest.mark.parametrize("local", [False, True])
def test_every_row_is_the_same_alone_and_in_any_company(local):
    cases = pairs(np.random.default_rng(4), 80, 70)
    x, y = rows(*(x for x, _ in cases)), rows(*(y for _, y in cases))
    together = alignment_score(x, y, ODD, local=local)
    alone = [alignment_score(x[n : n + 1], y[n : n + 1], ODD, local=local)[0] for n in range(len(cases))]
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(alignment_score(y, x, ODD, local=local), together)


# The declared losses.


def test_it_is_minus_the_score():
    assert needleman_wunsch(["GATTACA", "", "AB"], ["GCATGCG", "AAA", "AB"]).tolist() == [0, 3, -2]
    assert smith_waterman(["TGTTACGG"], ["GGTTGACTA"], match=3, mismatch=-3, gap=-2, local=True)[0] == -13
    assert not np.signbit(needleman_wunsch(["GATTACA", ""], ["GCATGCG", ""])).any()


def test_units():
    assert needleman_wunsch(["the cat sat"], ["the dog sat"], unit="word")[0] == -1
    assert needleman_wunsch(["né"], ["ne"], unit="byte")[0] == 1  # n pairs, one byte is changed, one has no partner
    assert needleman_wunsch(["né"], ["ne"])[0] == 0
    assert needleman_wunsch([[1, 2, 3]], [[1, 3]])[0] == -1
    assert needleman_wunsch([["a", "b", "c"]], [["a", "c"]])[0] == -1
    assert needleman_wunsch(["NÉ"], ["né"], normalize=("lower",))[0] == -2


def test_words_of_two_sides_are_one_vocabulary():
    """The same word has another number on each side before they are brought together."""
    x, y = ["b a", "c"], ["a b", "c"]
    assert needleman_wunsch(x, y, unit="word").tolist() == [1, -1]


def test_what_is_refused():
    for wrong in ({"gap": 1}, {"gap_open": 0.5}):
        with pytest.raises(UsageError, match="gap"):
            needleman_wunsch(["a"], ["b"], **wrong)
    with pytest.raises(DataError):
        needleman_wunsch(["a", None], ["b", "c"])
