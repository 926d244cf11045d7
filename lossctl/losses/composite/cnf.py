"""Constraints from DIMACS CNF files: clauses over numbered propositions, and which assignments satisfy them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.errors import DataError
from lossctl.sequences.symbols import version

__all__ = ["Constraint", "read_constraint"]

MOST = 20  # propositions in clauses, whose 2^20 assignments are looked at one by one
SHOWN = "DIMACS: a line 'p cnf PROPOSITIONS CLAUSES', then clauses such as '1 -3 0'"


class Constraint(NamedTuple):
    """``used`` are the columns that clauses speak of; bit i of an assignment is the truth of ``used[i]``."""

    propositions: int
    used: tuple[int, ...]
    holds: NDArray[np.bool_]  # (2^used,) for each assignment


def read_constraint(path: str) -> Constraint:
    """The constraint of a file. Raises ``DataError``: ``unreadable``, ``bad-constraint``."""
    return _read(path, version(path))


@lru_cache(maxsize=4)
def _read(path: str, of: tuple[int, int]) -> Constraint:
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        hint = "exactly-one, at-least-one, at-most-one, or a DIMACS CNF file"
        raise DataError(f"the constraint cannot be read: {reason}", code="unreadable", file=path, hint=hint) from None
    count, clauses = _clauses(lines, path)
    used = tuple(sorted({abs(literal) - 1 for clause in clauses for literal in clause}))
    if len(used) > MOST:
        raise bad(
            f"its clauses speak of {len(used)} propositions, and {MOST} are the most that can be enumerated", path
        )
    assignments = np.arange(1 << len(used))
    holds = np.ones(len(assignments), bool)
    for clause in clauses:
        some = np.zeros(len(assignments), bool)
        for literal in clause:
            some |= (assignments >> used.index(abs(literal) - 1) & 1) == (literal > 0)
        holds &= some
    holds.flags.writeable = False
    return Constraint(count, used, holds)


def _clauses(lines: list[str], path: str) -> tuple[int, list[list[int]]]:
    """How many propositions there are, and the literals of each clause."""
    sizes: tuple[int, int] | None = None
    clauses: list[list[int]] = []
    open_clause: list[int] = []
    for place, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0] == "c":
            continue
        if words[0] == "%":  # how SATLIB's files end
            break
        if words[0] == "p":
            if sizes is not None or clauses or open_clause:
                raise bad(f"line {place}: the problem line stands once, before all clauses", path)
            sizes = _sizes(words, place, path)
            continue
        if sizes is None:
            raise bad(f"line {place}: {words[0]} stands before the problem line", path)
        for word in words:
            literal = _literal(word, sizes[0], place, path)
            if literal:
                open_clause.append(literal)
            else:
                clauses.append(open_clause)
                open_clause = []
    if sizes is None:
        raise bad("there is no problem line", path)
    if open_clause:
        raise bad(f"the last clause does not end in 0: {' '.join(map(str, open_clause))}", path)
    if len(clauses) != sizes[1]:
        raise bad(f"there are {len(clauses)} clauses, and the problem line says {sizes[1]}", path)
    return sizes[0], clauses


def _sizes(words: list[str], place: int, path: str) -> tuple[int, int]:
    if len(words) != 4 or words[1] != "cnf" or not (words[2].isdecimal() and words[3].isdecimal()):
        raise bad(f"line {place} is no problem line: {' '.join(words)}", path)
    return int(words[2]), int(words[3])


def _literal(word: str, count: int, place: int, path: str) -> int:
    if not word.removeprefix("-").isdecimal():
        raise bad(f"line {place}: {word} is no literal", path)
    if abs(int(word)) > count:
        raise bad(f"line {place}: {word} is beyond the {count} propositions of the problem line", path)
    return int(word)


def bad(message: str, path: str) -> DataError:
    return DataError(f"the constraint is not usable: {message}", code="bad-constraint", file=path, hint=SHOWN)
