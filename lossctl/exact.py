"""Exact numbers on their way to a float: sums as whole numbers of a fixed unit, rounded once at the end.

A sum is a whole number of units of 2**-3222, the finest bit a product of three float64 can have, and whole
numbers add exactly. Only ``to_float``, ``ratio``, ``root_ratio``, ``variance`` and ``std`` round, correctly.
"""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["LARGEST_EXACT_INT", "UNIT", "Exact", "from_int", "ratio", "root_ratio", "std", "variance"]

LARGEST_EXACT_INT = 2**53  # beyond it float64 no longer tells neighbours apart
UNIT = -3222  # three times -1074, the exponent of the smallest subnormal


class Exact(NamedTuple):
    """One exact sum: ``units`` of 2**UNIT from the finite terms, and how many terms were not finite."""

    units: int
    nan: int = 0
    posinf: int = 0
    neginf: int = 0

    def __add__(self, other: Exact) -> Exact:  # type: ignore[override]
        return Exact(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def finite(self) -> bool:
        return not (self.nan or self.posinf or self.neginf)

    def nonfinite(self) -> float | None:
        """What the non-finite terms make of the sum, nan or an infinity; ``None`` if there are none."""
        if self.finite:
            return None
        if self.nan or (self.posinf and self.neginf):
            return math.nan
        return math.inf if self.posinf else -math.inf

    def to_float(self) -> float:
        """The nearest float64; an infinity beyond their range."""
        special = self.nonfinite()
        return _quotient(self.units, 1 << -UNIT) if special is None else special


def from_int(n: int) -> Exact:
    return Exact(n << -UNIT)


def ratio(num: Exact, den: Exact) -> float:
    """num / den, rounded once; x / 0 is an infinity and 0 / 0 nan; what is not finite follows IEEE 754."""
    top, bottom = num.nonfinite(), den.nonfinite()
    if bottom is not None:
        return math.nan if top is not None or math.isnan(bottom) else 0.0
    if top is not None:
        return top if den.units >= 0 else -top
    return _quotient(num.units, den.units)


def root_ratio(num: Exact, den: Exact) -> float:
    """sqrt(num / den), rounded once, even where num / den itself is beyond float64; nan if negative."""
    if num.finite and den.finite:
        return _root(num.units, den.units)
    square = ratio(num, den)
    return math.sqrt(square) if square >= 0 else math.nan


def variance(s1: Exact, s2: Exact, n: int) -> float:
    """The sample variance (n S2 - S1**2) / (n (n - 1)) of S1 = S(x), S2 = S(x**2), rounded once.

    In floats that difference cancels: at mean 1e8 and sd 1 nothing is left. Of whole numbers it is exact.
    nan for n < 2, or if a term is not finite.
    """
    return _quotient(*_spread(s1, s2, n))


def std(s1: Exact, s2: Exact, n: int) -> float:
    """The root of ``variance``, rounded once."""
    return _root(*_spread(s1, s2, n))


def _spread(s1: Exact, s2: Exact, n: int) -> tuple[int, int]:
    """The variance as a fraction in units of 2**(2 UNIT), which S1**2 is in; 0 / 0 if there is none."""
    if n < 2 or not (s1.finite and s2.finite):
        return 0, 0
    return ((n * s2.units) << -UNIT) - s1.units**2, (n * (n - 1)) << (-2 * UNIT)


def _quotient(n: int, d: int) -> float:
    """n / d: Python's division of whole numbers rounds correctly, to subnormals too."""
    if d == 0:
        return math.nan if n == 0 else math.inf if n > 0 else -math.inf
    try:
        return n / d if n else 0.0
    except OverflowError:
        return math.inf if (n > 0) == (d > 0) else -math.inf


def _root(n: int, d: int) -> float:
    """sqrt(n / d): at least 56 bits of it by ``isqrt``, and one more to say whether anything follows them."""
    if d < 0:
        n, d = -n, -d
    if n <= 0 or d == 0:
        return math.nan if n < 0 else _quotient(n, d)
    half = (112 - n.bit_length() + d.bit_length() + 1) // 2
    square, rest = divmod(n << max(2 * half, 0), d << max(-2 * half, 0))
    root = math.isqrt(square)
    sticky = 2 * root + (rest != 0 or root * root != square)
    return _quotient(sticky << max(-half - 1, 0), 1 << max(half + 1, 0))
