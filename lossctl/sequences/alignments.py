"""One pair aligned, for people to read: the way with the fewest errors, and of those with the most hits."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Operation", "alignment"]

Operation: TypeAlias = Literal["=", "S", "D", "I"]
Array: TypeAlias = NDArray[Any]

TABLE = 1 << 20  # cells of which a table is kept; larger pairs are halved


def alignment(ref: Array, hyp: Array) -> list[Operation]:
    """``=`` hit, ``S`` substituted, ``D`` deleted, ``I`` inserted, in order; ref and hyp are (m,) and (n,) codes.

    >>> "".join(alignment(np.array([1, 2, 3]), np.array([1, 3, 4])))
    '=D=I'
    """
    shorter = min(len(ref), len(hyp))
    head = agreeing(ref[:shorter], hyp[:shorter])
    tail = agreeing(ref[::-1][: shorter - head], hyp[::-1][: shorter - head])
    x, y = ref[head : len(ref) - tail], hyp[head : len(hyp) - tail]
    hit: Operation = "="
    return [hit] * head + between(x, y, min(len(x), len(y)) + 1) + [hit] * tail


def agreeing(x: Array, y: Array) -> int:
    differ = np.flatnonzero(x != y)
    return int(differ[0]) if len(differ) else len(x)


def between(x: Array, y: Array, factor: int) -> list[Operation]:
    """The cheapest way where an edit costs ``factor`` and a substitution one more."""
    if not len(x):
        return ["I"] * len(y)
    if not len(y):
        return ["D"] * len(x)
    if len(x) == 1 or len(x) * len(y) <= TABLE:
        return followed(x, y, factor)
    # Where the cheapest way crosses the middle of x is where the costs of both sides add up to the least.
    half = len(x) // 2
    before = last_line(x[:half], y, factor)
    behind = last_line(x[half:][::-1], y[::-1], factor)[::-1]
    at = int(np.argmin(before + behind))
    return between(x[:half], y[:at], factor) + between(x[half:], y[at:], factor)


def next_line(line: Array, unit: Any, y: Array, factor: int, ramp: Array) -> Array:
    """The costs for one more unit of x: the way comes from above, across, or along the line.

    Along the line each step costs ``factor``, so less a ramp of it the least so far is a running minimum.
    """
    step = line + factor
    np.minimum(step[1:], line[:-1] + np.where(y == unit, 0, factor + 1), out=step[1:])
    return np.minimum.accumulate(step - ramp) + ramp


def last_line(x: Array, y: Array, factor: int) -> Array:
    """(n + 1,) what it costs to make each beginning of y of all x."""
    line = ramp = factor * np.arange(len(y) + 1)
    for unit in x:
        line = next_line(line, unit, y, factor, ramp)
    return line


def followed(x: Array, y: Array, factor: int) -> list[Operation]:
    """The way back through the whole table; where there are several, hits and substitutions first."""
    ramp = factor * np.arange(len(y) + 1)
    lines = [ramp]
    for unit in x:
        lines.append(next_line(lines[-1], unit, y, factor, ramp))
    way: list[Operation] = []
    i, j = len(x), len(y)
    while i or j:
        cost = lines[i][j]
        if i and j and cost == lines[i - 1][j - 1] + (0 if x[i - 1] == y[j - 1] else factor + 1):
            way.append("=" if x[i - 1] == y[j - 1] else "S")
            i, j = i - 1, j - 1
        elif i and cost == lines[i - 1][j] + factor:
            way.append("D")
            i -= 1
        else:
            way.append("I")
            j -= 1
    return way[::-1]
