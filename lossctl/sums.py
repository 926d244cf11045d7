"""Sums without rounding: the digits of a mean cannot depend on chunks, order, threads or machines.

A sum is a whole number of units of 2**UNIT (see ``exact``), and whole numbers add exactly.

From float64 to whole numbers it goes by error-free folding (Rump, Ogita, Oishi, "Accurate floating-point
summation I", 2008). With s = 1.5 * 2**(low + 52), far above every |x|, t = fl(x + s) stays between
2**(low + 52) and 2**(low + 53), where floats lie 2**low apart. Hence

    bits(t) - bits(s) = x / 2**low, rounded to a whole number    (the bits of a float read as int64)
    x - (t - s)       = what that rounding left over, exactly, and at most 2**(low - 1).

What is left is folded again, some 46 bits lower, until it is nothing: two folds are typical. All this needs
IEEE 754's defaults, rounding to nearest and subnormals that are not flushed to zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lossctl.exact import UNIT, Exact
from lossctl.scratch import Buffers

__all__ = ["Sums"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.intp] | None

BLOCK = 1 << 15  # values folded at a time: with more they leave the cache, with fewer threads wait for each other
PRODUCTS = 1 << 15  # products need more buffers
REACH = 46  # of numbers up to 2**46 * 2**low, a block sums to at most 2**62: inside int64
LIMB = 40  # bits between limbs: the digits of 2**22 rows fit before a carry
HALF = 1 << (LIMB - 1)
FULL = 1 << 62  # no limb gets larger
GRID = -3234  # limb j counts 2**(GRID + 40 j). Not above UNIT, and -1074 is on the grid
GREAT = 2.0**960  # from 2**1006 on, s may overflow
SMALL = 2.0**-960  # below 2**-969 the error of a product has bits finer than 2**-1074


_scratch = Buffers(6, BLOCK)


class Sums:
    """Exact sums of float64 values, one for each group.

    How values were cut, ordered or merged leaves no trace. Values without ``groups`` go to group 0, into a
    Python integer. With them, a group has int64 limbs 40 bits apart, which exist only where some group has
    digits (as in Neal, "Fast exact summation using small and large superaccumulators", 2015).
    """

    __slots__ = ("_groups", "_limbs", "_load", "_odd", "_room", "_units")

    def __init__(self, groups: int = 1) -> None:
        self._groups = groups
        self._room = groups  # the length of limbs: more than the groups there are, after growing
        self._units = 0  # of group 0, besides its limbs
        self._limbs: dict[int, Ints] = {}
        self._load = 0  # no limb is larger
        self._odd: dict[str, Ints] = {}  # how many terms were nan, posinf, neginf

    @property
    def groups(self) -> int:
        return self._groups

    @property
    def odd(self) -> bool:
        """Whether any term was not finite."""
        return bool(self._odd)

    def grow(self, groups: int) -> None:
        """Make it ``groups`` groups, if there are fewer; the new ones start at zero."""
        if groups > self._room:
            more = max(groups, 2 * self._room) - self._room  # so that growing often costs little
            self._limbs = {j: np.pad(row, (0, more)) for j, row in self._limbs.items()}
            self._odd = {kind: np.pad(row, (0, more)) for kind, row in self._odd.items()}
            self._room += more
        self._groups = max(groups, self._groups)

    @np.errstate(all="ignore")
    def add(self, values: ArrayLike, groups: ArrayLike | None = None) -> None:
        """Add all elements of ``values``; those of row i belong to group ``groups[i]`` (default 0).

        float64, or what widens to it: float32, float16, booleans, integers (exact up to 2**53).
        """
        for codes, x in self._runs(BLOCK, groups, values):
            top, least = _sizes(x)
            if top < GREAT:
                self._fold(x, top, codes, least=least)
                continue
            usual = np.abs(x) < GREAT
            great = np.isfinite(x) & ~usual
            self._count(x, codes)
            self._fold(np.where(usual, x, 0.0), GREAT, codes)
            self._fold(x[great] * 2.0**-80, GREAT, _at(codes, great), 80)

    @np.errstate(all="ignore")
    def add_products(self, a: ArrayLike, b: ArrayLike, groups: ArrayLike | None = None) -> None:
        """Add all a * b, unrounded. ``b`` is of a's shape or (N,), a factor for each row of ``a``."""
        for codes, x, y in self._runs(PRODUCTS, groups, a, b):
            self._multiply(x, y, codes)

    @np.errstate(all="ignore")
    def add_triples(self, a: ArrayLike, b: ArrayLike, c: ArrayLike, groups: ArrayLike | None = None) -> None:
        """Add all a * b * c, unrounded: weighted squares. ``b`` and ``c`` are of a's shape or (N,)."""
        for codes, x, y, z in self._runs(PRODUCTS, groups, a, b, c):
            product, error = _exact_product(x, y)
            sizes = np.abs(np.concatenate([product, product * z]))
            if sizes[sizes > 0].min(initial=1.0) >= SMALL and sizes.max() < GREAT and (product != 0).all():
                self._multiply(product, z, codes)
                self._multiply(error, z, codes)
            else:
                self._multiply_three(x, y, z, codes)

    def merge(self, other: Sums, places: ArrayLike | None = None) -> None:
        """Add another's sums: its group g to group ``places[g]`` here (default g)."""
        where = np.arange(other.groups) if places is None else np.asarray(places, np.intp)
        if where.shape != (other.groups,) or where.min(initial=0) < 0:
            raise ValueError(f"a place from 0 on is needed for each of {other.groups} groups")
        self.grow(int(where.max(initial=-1)) + 1)
        for j, digits in other._digits().items():
            for start in range(0, other.groups, 1 << 20):  # so many digits sum to 2**59 at most
                part = slice(start, start + (1 << 20))
                self._reserve(len(digits[part]) * HALF)
                np.add.at(self._row(self._limbs, j), where[part], digits[part])
        for kind, row in other._odd.items():
            np.add.at(self._row(self._odd, kind), where, row[: other.groups])

    def exact(self, group: int) -> Exact:
        """The sum of one group."""
        if not 0 <= group < self._groups:
            raise IndexError(f"there is no group {group} among {self._groups}")
        units = _joined({j: int(row[group]) for j, row in self._limbs.items()})
        odd = {kind: int(row[group]) for kind, row in self._odd.items()}
        return Exact(units + (self._units if group == 0 else 0), **odd)

    def total(self) -> Exact:
        """The sum of all groups."""
        # In two halves: limbs near 2**62 must not meet in int64.
        high = {j: int((row >> 32).sum()) << 32 for j, row in self._limbs.items()}
        sums = {j: high[j] + int((row & 0xFFFFFFFF).sum()) for j, row in self._limbs.items()}
        return Exact(self._units + _joined(sums), **{kind: int(row.sum()) for kind, row in self._odd.items()})

    def state(self) -> dict[str, Ints]:
        """Plain arrays, the same ones for equal sums, however these came about.

        ``digits`` (L, groups), from -2**39 to 2**39 - 1, of the L ``limbs`` that have any; and for each kind
        of term that is not finite, ``nan posinf neginf``, how many there were (groups,).
        """
        rows = {j: row for j, row in sorted(self._digits().items()) if row.any()}
        digits = np.array([*rows.values()], np.int64).reshape(len(rows), self._groups)
        odd = {kind: row[: self._groups].copy() for kind, row in sorted(self._odd.items())}
        return {"limbs": np.array([*rows], np.int64), "digits": digits, **odd}

    @classmethod
    def from_state(cls, state: Mapping[str, Ints]) -> Sums:
        """The sums that ``state`` was taken of."""
        sums = cls(state["digits"].shape[1])
        sums._limbs = {int(j): row.copy() for j, row in zip(state["limbs"], state["digits"], strict=True)}
        sums._load = HALF
        sums._odd = {kind: state[kind].copy() for kind in Exact._fields[1:] if kind in state}
        return sums

    def _runs(self, size: int, groups: ArrayLike | None, *factors: ArrayLike) -> Iterator[tuple[Any, ...]]:
        """Codes and factors in 1-D runs of up to ``size``, as intp and float64; copies only of others."""
        plain = [x for x in factors if _plain(x)]
        if groups is None and len(plain) == len(factors) and len({len(x) for x in plain}) == 1:
            for start in range(0, len(plain[0]), size):
                yield None, *(x[start : start + size] for x in plain)
            return
        columns = [np.atleast_1d(each) for each in (*factors, *([] if groups is None else [groups]))]
        shape = columns[0].shape
        if any(column.shape not in (shape, shape[:1]) for column in columns):
            raise ValueError(f"shapes that do not go together: {[column.shape for column in columns]}")
        if not columns[0].size:
            return
        if groups is not None and not (columns[-1].min() >= 0 and columns[-1].max() < self._groups):
            raise IndexError(f"groups are from 0 to {self._groups - 1}")
        if groups is not None and self._groups == 1:
            columns.pop()  # all are of group 0, as without codes
        n = len(factors)
        runs: Any = np.nditer(
            [column.reshape(column.shape + (1,) * (len(shape) - column.ndim)) for column in columns],
            ["external_loop", "buffered"],
            op_dtypes=[np.float64] * n + [np.intp] * (len(columns) - n),
            casting="safe",
            buffersize=size,
        )
        for run in runs:
            parts = run if isinstance(run, tuple) else (run,)
            yield parts[n] if len(parts) > n else None, *parts[:n]

    def _multiply(self, a: Floats, b: Floats, codes: Codes, power: int = 0) -> None:
        """Add a * b * 2**power as rounded products and their errors, floats again (Dekker 1971)."""
        a_high, a_low, b_high, b_low, product, error = _scratch.rows[:, : len(a)]
        np.multiply(a, b, out=product)
        _split(a, a_high, a_low)
        _split(b, b_high, b_low)
        np.multiply(a_high, b_high, out=error)
        error -= product
        error += np.multiply(a_high, b_low, out=a_high)
        error += np.multiply(a_low, b_high, out=b_high)
        error += np.multiply(a_low, b_low, out=b_low)
        size = np.abs(product, out=a_high)
        top, least, slack = float(size.max()), float(size.min()), _sizes(error)[0]
        if least == 0:
            size += (a == 0) | (b == 0)  # zero as it should be; what is 0 still has underflowed
            least = float(size.min())
        if least >= SMALL and top < GREAT and slack < GREAT:
            self._fold(product, top, codes, power, least=least)
            self._fold(error, slack, codes, power)
            return
        rest = ~((size >= SMALL) & (size < GREAT) & np.isfinite(error))
        x, y, by = a[rest], b[rest], _at(codes, rest)
        for part in (product, error):
            part[rest] = 0.0
            self._fold(part, _sizes(part)[0], codes, power)
        self._multiply_apart(x, y, by)

    def _multiply_apart(self, a: Floats, b: Floats, codes: Codes) -> None:
        """Add products that overflow, whose errors underflow, or that are not finite."""
        finite = np.isfinite(a) & np.isfinite(b)
        self._count((a * b)[~finite], _at(codes, ~finite))
        # As factors from 1/2 to 1 with the exponent apart; exponents from 480 k to 480 k + 479 go together.
        (a, a_exponent), (b, b_exponent) = np.frexp(a), np.frexp(b)
        exponent = a_exponent + b_exponent
        powers = exponent // 480 * 480
        for power in np.unique(powers[finite]):
            near = finite & (powers == power)
            self._multiply(np.ldexp(a, exponent - power)[near], b[near], _at(codes, near), int(power))

    def _multiply_three(self, a: Floats, b: Floats, c: Floats, codes: Codes) -> None:
        """Add a * b * c where some step on the way would leave the floats, or is not finite."""
        finite = np.isfinite(a) & np.isfinite(b) & np.isfinite(c)
        self._count((a * b * c)[~finite], _at(codes, ~finite))
        (a, a_exponent), (b, b_exponent), (c, c_exponent) = np.frexp(a), np.frexp(b), np.frexp(c)
        exponent = a_exponent + b_exponent + c_exponent
        powers = exponent // 480 * 480
        for power in np.unique(powers[finite]):
            near = finite & (powers == power)
            for part in _exact_product(a[near], b[near]):
                self._multiply(np.ldexp(part, (exponent - power)[near]), c[near], _at(codes, near), int(power))

    def _fold(self, x: Floats, top: float, codes: Codes, power: int = 0, *, least: float = 0.0) -> None:
        """Add x * 2**power, where |x| <= ``top`` <= GREAT, and no |x| but 0 is below ``least``."""
        t, rest, digits = _scratch.rows[:3, : len(x)]
        bits = t.view(np.int64)
        left = top > 0
        reach = math.frexp(top)[1]
        while left:  # all |x| <= 2**reach
            place = (reach + power - GRID - 1) // LIMB  # the limb in which digits reach 2**40 at most
            low = max(reach - REACH, -1074) if codes is None else GRID + LIMB * place - power
            s = math.ldexp(1.5, low + 52)
            zero = (low + 52 + 1023) << 52 | 1 << 51  # the bits of s
            np.add(x, s, out=t)
            if codes is None:
                # Right modulo 2**64, and the sum of the whole numbers is inside int64.
                count = (int(np.add.reduce(bits)) - len(x) * zero + 2**63) % 2**64 - 2**63
                self._units += _shifted(count, low + power - UNIT)
            else:
                self._reserve(len(x) << (reach - low))
                whole = np.subtract(bits, zero, out=digits.view(np.int64))
                np.add.at(self._row(self._limbs, place), codes, whole)
            if least >= math.ldexp(1.0, low + 52):
                return  # floats from there on are multiples of 2**low: nothing is left
            t -= s
            x = np.subtract(x, t, out=rest)
            left = bool(x.any())
            reach = low - 1

    def _count(self, x: Floats, codes: Codes) -> None:
        by = np.zeros(len(x), np.intp) if codes is None else codes
        for kind, there in (("nan", np.isnan(x)), ("posinf", x == np.inf), ("neginf", x == -np.inf)):
            if there.any():
                np.add.at(self._row(self._odd, kind), by[there], 1)

    def _row(self, table: dict[Any, Ints], key: int | str) -> Ints:
        if key not in table:
            table[key] = np.zeros(self._room, np.int64)
        return table[key]

    def _reserve(self, load: int) -> None:
        """See to it that every limb can take ``load`` more."""
        if self._load + load > FULL:
            self._load = max(max(int(row.max()), -int(row.min())) for row in self._limbs.values())
        if self._load + load > FULL:
            _carry(self._limbs)
            self._load = HALF
        self._load += load

    def _digits(self) -> dict[int, Ints]:
        """All sums in digits from -2**39 to 2**39 - 1, of which there is one way only."""
        limbs = {j: row[: self._groups].copy() for j, row in self._limbs.items()}
        units, j = self._units << (UNIT - GRID), 0
        while units:
            digit = (units + HALF) % (2 * HALF) - HALF
            if digit:
                limbs.setdefault(j, np.zeros(self._groups, np.int64))[0] += digit
            units, j = (units - digit) >> LIMB, j + 1
        _carry(limbs)
        return limbs


def _carry(limbs: dict[int, Ints]) -> None:
    """Bring limbs into [-2**39, 2**39); what is over goes to the next. None is far above 2**62."""
    for j in range(min(limbs, default=0), max(limbs, default=-2) + 2):
        if j in limbs:
            over = (limbs[j] + HALF) >> LIMB
            if over.any():
                limbs[j] -= over << LIMB
                limbs[j + 1] = limbs[j + 1] + over if j + 1 in limbs else over


def _joined(limbs: Mapping[int, int]) -> int:
    """The units of a sum, of which some limbs are given."""
    return _shifted(sum(limb << (LIMB * j) for j, limb in limbs.items()), GRID - UNIT)


def _shifted(n: int, by: int) -> int:
    """n * 2**by. No sum has bits below UNIT, so only zeros go where ``by`` is negative."""
    return n << by if by >= 0 else n >> -by


def _plain(x: ArrayLike) -> TypeGuard[Floats]:
    """Whether it is a run of float64 as it stands."""
    return (
        isinstance(x, np.ndarray) and x.dtype == np.float64 and x.ndim == 1 and x.flags.c_contiguous and x.flags.aligned
    )


def _at(codes: Codes, where: NDArray[np.bool_]) -> Codes:
    return None if codes is None else codes[where]


def _sizes(x: Floats) -> tuple[float, float]:
    """max |x|, and a bound from below that is min |x| where all have one sign, else 0."""
    high, low = float(x.max(initial=-math.inf)), float(x.min(initial=math.inf))
    return max(high, -low), max(low, -high, 0.0)


def _exact_product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """a * b as a rounded product and its error (Dekker 1971), where neither leaves the normal floats."""
    a_high, a_low, b_high, b_low = (np.empty_like(a) for _ in range(4))
    _split(a, a_high, a_low)
    _split(b, b_high, b_low)
    product = a * b
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _split(x: Floats, high: Floats, low: Floats) -> None:
    """x = high + low in 26 bits each, so that products of such parts are exact.

    Rounding the bits as an integer takes a pass less than Veltkamp's product with 2**27 + 1, and overflows
    only within 2**-27 of the largest float, not from 2**997 on.
    """
    bits = high.view(np.int64)
    np.add(x.view(np.int64), 1 << 26, out=bits)
    bits &= -(1 << 27)
    np.subtract(x, high, out=low)
