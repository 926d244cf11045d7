"""Constraints as files: what is read, what is refused, and that no row's value depends on its company."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import lossctl
import lossctl.losses
from lossctl.errors import DataError
from lossctl.losses.composite.cnf import read_constraint

ROWS = np.random.default_rng(0).uniform(size=(50, 4))


def rule(folder: Path, text: str) -> str:
    path = folder / "rule.cnf"
    path.write_text(text)
    return str(path)


def by_hand(row: list[float], clauses: list[list[int]]) -> float:
    total = Fraction(0)
    for truth in itertools.product([False, True], repeat=len(row)):
        if all(any(truth[abs(k) - 1] == (k > 0) for k in clause) for clause in clauses):
            total += math.prod(Fraction(p) if true else 1 - Fraction(p) for p, true in zip(row, truth, strict=True))
    return -math.log(total)


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("p cnf 4 1\n1 -3 0\n", [[1, -3]]),
        ("c words 1 2 0\n\np cnf 4 2\n1\n2 0 -4\n0\n", [[1, 2], [-4]]),
        ("p cnf 4 1\n 2 2 -2 0\n%\n0\n", [[2, -2]]),
        ("p cnf 4 0\n", []),
    ],
)
def test_files_that_are_read(tmp_path: Path, text: str, clauses: list[list[int]]) -> None:
    found = lossctl.losses.semantic(ROWS, constraint=rule(tmp_path, text))
    expected = [by_hand(row, clauses) for row in ROWS.tolist()]
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


def test_the_three_words_are_such_constraints_too(tmp_path: Path) -> None:
    at_most = [[-i, -j] for i, j in itertools.combinations(range(1, 5), 2)]
    at_least = [[1, 2, 3, 4]]
    for word, clauses in (("at-most-one", at_most), ("at-least-one", at_least), ("exactly-one", at_most + at_least)):
        text = f"p cnf 4 {len(clauses)}\n" + "".join(f"{' '.join(map(str, c))} 0\n" for c in clauses)
        found = lossctl.losses.semantic(ROWS, constraint=rule(tmp_path, text))
        np.testing.assert_allclose(found, lossctl.losses.semantic(ROWS, constraint=word), rtol=1e-13, atol=1e-15)


def test_an_empty_clause_cannot_hold(tmp_path: Path) -> None:
    computed = lossctl.compute("semantic", ROWS, constraint=rule(tmp_path, "p cnf 4 2\n1 0\n0\n"))
    assert computed.value == math.inf
    assert any("50" in note.message for note in computed.report.warnings if note.code == "nonfinite")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no problem line"),
        ("1 2 0\np cnf 4 1\n", "line 1: 1 stands before"),
        ("p cnf 4\n1 0\n", "line 1 is no problem line"),
        ("p sat 4 1\n1 0\n", "line 1 is no problem line"),
        ("p cnf 4 1\np cnf 4 1\n1 0\n", "line 2: the problem line stands once"),
        ("p cnf 4 1\n\n1 x 0\n", "line 3: x is no literal"),
        ("p cnf 4 1\n1 -5 0\n", "line 2: -5 is beyond the 4 propositions"),
        ("p cnf 4 1\n1 2\n", "does not end in 0: 1 2"),
        ("p cnf 4 3\n1 0\n2 0\n", "2 clauses, and the problem line says 3"),
        ("p cnf 3 1\n1 0\n", "about 3 propositions, and there are 4 columns"),
        ("p cnf 30 1\n" + " ".join(map(str, range(1, 22))) + " 0\n", "21 propositions, and 20 are the most"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = rule(tmp_path, text)
    for way in (lossctl.losses.semantic, lambda rows, **p: lossctl.compute("semantic", rows, **p)):
        with pytest.raises(DataError) as caught:
            way(ROWS, constraint=path)
        assert (caught.value.code, caught.value.file) == ("bad-constraint", path)
        assert said in caught.value.message
        assert caught.value.hint


def test_a_word_that_is_no_constraint_is_told_which_there_are(tmp_path: Path) -> None:
    for name in ("exactly_one", str(tmp_path)):
        with pytest.raises(DataError) as caught:
            lossctl.compute("semantic", ROWS, constraint=name)
        assert caught.value.code == "unreadable"
        assert "exactly-one" in str(caught.value.hint)


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = rule(tmp_path, "p cnf 4 1\n1 0\n")
    before = lossctl.losses.semantic(ROWS, constraint=path)
    rule(tmp_path, "p cnf 4 2\n1 0\n2 0\n")
    assert (lossctl.losses.semantic(ROWS, constraint=path) > before).all()


@pytest.mark.parametrize("constraint", ["exactly-one", "at-least-one", "at-most-one", "rule"])
@pytest.mark.parametrize("form", ["probs", "logits"])
def test_no_row_depends_on_its_company(tmp_path: Path, constraint: str, form: str) -> None:
    rows = np.random.default_rng(1).uniform(0.01, 0.99, size=(30, 12))
    clauses = "".join(f"{i} -{i + 1} {i + 2} 0\n" for i in range(1, 11))
    name = rule(tmp_path, f"p cnf 12 10\n{clauses}") if constraint == "rule" else constraint
    rows = rows if form == "probs" else np.log(rows / (1 - rows))
    together = lossctl.losses.semantic(rows, constraint=name, input=form)
    alone = [lossctl.losses.semantic(rows[n : n + 1], constraint=name, input=form)[0] for n in range(30)]
    np.testing.assert_array_equal(together, alone)


def test_as_many_propositions_as_there_may_be(tmp_path: Path) -> None:
    """Twenty, all true: a product, which brute force finds again."""
    text = "p cnf 22 20\n" + "".join(f"{k} 0\n" for k in range(2, 22))
    rows = np.random.default_rng(2).uniform(0.2, 0.9, size=(3, 22))
    found = lossctl.losses.semantic(rows, constraint=rule(tmp_path, text))
    np.testing.assert_allclose(found, -np.log(rows[:, 1:21]).sum(axis=1), rtol=1e-14)
    assert read_constraint(str(tmp_path / "rule.cnf")).used == tuple(range(1, 21))
    tiny = lossctl.losses.semantic(np.full((2, 22), 1e-30), constraint=str(tmp_path / "rule.cnf"))
    np.testing.assert_allclose(tiny, 20 * 30 * math.log(10), rtol=1e-14)
