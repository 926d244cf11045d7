"""Edits and error rates by the recursion over all alignments, in fractions."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

SPLIT_COSTS = {"hits": (1, 1, 1), "sclite": (3, 3, 4)}
STEPS: dict[str, Callable[[str], str]] = {
    "nfc": lambda text: unicodedata.normalize("NFC", text),
    "lower": str.lower,
    "punct": lambda text: "".join(c for c in text if not unicodedata.category(c).startswith("P")),
}


def cut(text: str, unit: str, steps: Sequence[str] = ()) -> list[Any]:
    for step in steps:
        text = STEPS[step](text)
    if unit == "byte":
        return list(text.encode())
    return list(text) if unit == "char" else text.split()


def edits_of(
    x: Sequence[Any], y: Sequence[Any], ins: Any = 1, dele: Any = 1, sub: Any = 1
) -> tuple[Any, int, int, int]:
    """(cost, S, D, I): the least cost of making y of x, then the fewest substitutions."""

    @lru_cache(None)
    def best(i: int, j: int) -> tuple[Any, int, int, int]:
        ways = [(0, 0, 0, 0)] if i == j == 0 else []
        if i:
            cost, s, d, n = best(i - 1, j)
            ways.append((cost + dele, s, d + 1, n))
        if j:
            cost, s, d, n = best(i, j - 1)
            ways.append((cost + ins, s, d, n + 1))
        if i and j:
            cost, s, d, n = best(i - 1, j - 1)
            differ = int(x[i - 1] != y[j - 1])
            ways.append((cost + sub * differ, s + differ, d, n))
        return min(ways)

    return best(len(x), len(y))


def edit_costs(pred: list[str], target: list[str], *costs: Any, unit: str = "char", steps: Sequence[str] = ()) -> Any:
    exact = [Fraction(str(cost)) for cost in costs]
    return [
        float(edits_of(cut(t, unit, steps), cut(p, unit, steps), *exact)[0]) for p, t in zip(pred, target, strict=True)
    ]


def normed(pred: list[str], target: list[str], norm: str) -> list[float]:
    found = []
    for p, t in zip(pred, target, strict=True):
        d, m, n = edits_of(t, p)[0], len(t), len(p)
        over, under = {"max": (d, max(m, n)), "ref": (d, m), "sum": (d, m + n), "yb": (2 * d, m + n + d)}[norm]
        found.append(0.0 if not d else math.inf if not under else float(Fraction(over, under)))
    return found


def readings_of(text: str) -> list[list[str]]:
    """``{ a / b c / @ }`` and ``(word)``, not nested."""
    ways = []
    for word in re.findall(r"\{[^}]*\}|\S+", text):
        if word.startswith("{"):
            ways.append([way.replace("@", "").split() for way in word[1:-1].split(" / ")])
        elif word.startswith("("):
            ways.append([[word[1:-1]], []])
        else:
            ways.append([[word]])
    return [[word for part in way for word in part] for way in product(*ways)]


def tallies(
    pred: list[str], target: list[str], unit: str, split: str = "hits", steps: Sequence[str] = (), **more: Any
) -> Any:
    """(H, S, D, I) of each pair. ``fold`` says what words count as, ``choices`` that references leave some."""
    found = []
    for p, t in zip(pred, target, strict=True):
        x, y = cut(t, unit, steps), cut(p, unit, steps)
        ways = [x]
        if more.get("choices"):
            ways = [cut(" ".join(way), unit) for way in readings_of(t)]
        if more.get("spaceless"):
            ways, y = [[u for u in way if not u.isspace()] for way in ways], [u for u in y if not u.isspace()]
        fold = more.get("fold", {})
        ways = [[fold.get(u, u) for u in way if fold.get(u, u) is not None] for way in ways]
        y = [fold.get(u, u) for u in y if fold.get(u, u) is not None]
        counted = []
        for way in ways:
            _, s, d, i = edits_of(way, y, *SPLIT_COSTS[split])
            counted.append((s + d + i, s + d - len(way), (len(way) - s - d, s, d, i)))
        found.append(min(counted, key=lambda entry: entry[:2])[2])
    return found


def rate_of(name: str, h: Any, s: Any, d: Any, i: Any) -> float:
    """A rate of counts; of nothing at all it is perfect, and an error rate without units is its errors."""
    errors, m, n = s + d + i, h + s + d, h + s + i
    if name == "wer":
        return float(errors / m if m else errors)
    if name == "mer":
        return float(errors / (m + i)) if m + i else 0.0
    kept = h * h / (m * n) if m and n else Fraction(int(m == n == 0))
    return float(kept if name == "wip" else 1 - kept)


def rate_rows(name: str, counted: Any) -> list[float]:
    return [rate_of(name, *map(Fraction, counts)) for counts in counted]


def rate_all(name: str, counted: Any, weight: Any = None) -> float:
    """The rate of the (weighted) sums."""
    shares = [Fraction(1)] * len(counted) if weight is None else [Fraction(w) for w in weight]
    sums = [sum(w * counts[k] for w, counts in zip(shares, counted, strict=True)) for k in range(4)]
    return rate_of(name, *map(Fraction, sums))


def rate_mean(rows: list[float], weight: Any = None) -> float:
    shares = [Fraction(1)] * len(rows) if weight is None else [Fraction(w) for w in weight]
    return float(sum(w * Fraction(row) for w, row in zip(shares, rows, strict=True)) / sum(shares))
