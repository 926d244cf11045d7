"""Order statistics: quantiles between them, radix selection of them, and histograms from the least to the greatest.

What is selected from comes in blocks that can be walked through again, so it need not fit in memory. Floats are
taken 16 bits at a time, the leading ones first; as many passes as there are such digits always suffice, and fewer do
once what is left fits a buffer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "Blocks", "answers", "nothing", "quantile", "select", "streamed"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Blocks: TypeAlias = Callable[[], Iterator[Floats]]

BINS = 24  # of the histogram that is shown
GATHER = 1 << 21  # values that are put together and sorted at once
DIGITS = 1 << 16


def ranks(n: int, q: float) -> tuple[int, int, float]:
    """The places of the two order statistics a quantile of ``n`` lies between, and how far it is from the first."""
    place = q * (n - 1)
    below = math.floor(place)
    return below, min(below + 1, n - 1), place - below


def between(low: float, high: float, part: float) -> float:
    """Linear interpolation, as numpy's default."""
    if part == 0 or low == high:
        return low
    if math.isinf(low) or math.isinf(high):
        return low + high  # between a number and an infinity, the infinity; between two, nan
    step = high - low
    if math.isinf(step):  # the ends are too far apart for their difference
        return low * (1 - part) + high * part
    return low + step * part if part < 0.5 else high - step * (1 - part)


def quantile(ordered: Floats, q: float) -> float:
    """Linear interpolation between order statistics; NaN if any value is NaN."""
    if len(ordered) == 0 or np.isnan(ordered[-1]):
        return math.nan
    low, high, part = ranks(len(ordered), q)
    return between(float(ordered[low]), float(ordered[high]), part)


def steps(values: Floats, least: float, greatest: float, counts: Ints | None = None) -> Ints:
    """(BINS,) how many of the finite values are in each of equal steps from ``least`` to ``greatest``."""
    finite = np.isfinite(values)
    if not finite.all():
        values, counts = values[finite], None if counts is None else counts[finite]
    # Halves, so that the span of the greatest numbers does not overflow.
    low, span = least / 2, greatest / 2 - least / 2
    share = (values / 2 - low) / span if span > 0 else np.zeros(len(values))
    places = np.minimum((share * BINS).astype(np.intp), BINS - 1)
    found = np.zeros(BINS, np.int64)
    np.add.at(found, places, 1 if counts is None else counts)
    return found


def streamed(blocks: Blocks, n: int, quantiles: Sequence[float], bins: bool) -> tuple[Floats, Ints]:
    """The answers for values that are walked through several times."""
    places = [ranks(n, q) for q in quantiles]
    wanted = [n - 1, *(place for low, high, _ in places for place in (low, high))]
    greatest, *found = select(blocks, n, wanted)
    values = np.full(len(places), math.nan)
    if not math.isnan(greatest):
        values[:] = [between(found[2 * i], found[2 * i + 1], part) for i, (_, _, part) in enumerate(places)]
    histogram = np.zeros(BINS, np.int64)
    if bins:
        ends = [ends for block in blocks() if (ends := finite_ends(block))]
        if ends:
            low, high = min(low for low, _ in ends), max(high for _, high in ends)
            for block in blocks():
                histogram += steps(block, low, high)
    return values, histogram


def answers(values: Floats, counts: Ints | None, quantiles: Sequence[float], bins: bool) -> tuple[Floats, Ints]:
    """The answers for values that are all at hand, each standing for as many as it counts (default 1)."""
    if not len(values):
        return nothing(len(quantiles))
    if counts is None:
        values = np.sort(values)
    else:
        order = np.argsort(values)
        values, counts = values[order], counts[order]
    found, histogram = np.full(len(quantiles), math.nan), np.zeros(BINS, np.int64)
    if not np.isnan(values[-1]):
        ends = None if counts is None else np.cumsum(counts)
        n = len(values) if ends is None else int(ends[-1])
        for at, (low, high, share) in enumerate(ranks(n, q) for q in quantiles):
            pair = (low, high) if ends is None else np.searchsorted(ends, (low, high), side="right").tolist()
            found[at] = between(float(values[pair[0]]), float(values[pair[1]]), share)
    if bins and (edges := finite_ends(values)):
        histogram = steps(values, *edges, counts)
    return found, histogram


def nothing(quantiles: int) -> tuple[Floats, Ints]:
    return np.full(quantiles, math.nan), np.zeros(BINS, np.int64)


def finite_ends(values: Floats) -> tuple[float, float] | None:
    """The least and the greatest finite value, if there is any."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else None


def select(blocks: Blocks, n: int, wanted: Sequence[int]) -> list[float]:
    """The order statistics at the places ``wanted`` (from 0) of ``n`` values, whose zeros and NaN are ``plain``."""
    found: dict[int, float] = {}
    # The leading digits of a value, all to be known of it so far, and the places wanted among those that share them.
    near: dict[int, list[tuple[int, int]]] = {0: [(place, place) for place in dict.fromkeys(wanted)]}
    sizes = {0: n}
    for level in range(4):
        if sum(sizes.values()) <= GATHER:
            break
        counts = counted(blocks, list(near), level)
        nearer: dict[int, list[tuple[int, int]]] = {}
        larger: dict[int, int] = {}
        for prefix, places in near.items():
            order = in_order(prefix, level)
            ends = np.cumsum(counts[prefix][order])
            for place, inside in places:
                at = int(np.searchsorted(ends, inside, side="right"))
                digit = int(order[at])
                longer = prefix << 16 | digit
                larger[longer] = int(counts[prefix][digit])
                nearer.setdefault(longer, []).append((place, inside - int(ends[at]) + larger[longer]))
        near, sizes = nearer, larger
    else:
        bits = np.array([*near], np.uint64)
        for value, places in zip(bits.view(np.float64).tolist(), near.values(), strict=True):
            found |= {place: value for place, _ in places}
        return [found[place] for place in wanted]
    for prefix, values in gathered(blocks, sizes, level).items():
        values.sort()
        found |= {place: float(values[inside]) for place, inside in near[prefix]}
    return [found[place] for place in wanted]


def counted(blocks: Blocks, prefixes: Sequence[int], level: int) -> dict[int, Ints]:
    """How often each next digit follows each of the leading ones."""
    counts = {prefix: np.zeros(DIGITS, np.int64) for prefix in prefixes}
    for block in blocks():
        for prefix, found in counts.items():
            some = block if level == 0 else block[sharing(block, prefix, level)]
            found += np.bincount(digits(some, level), minlength=DIGITS)
    return counts


def gathered(blocks: Blocks, sizes: dict[int, int], level: int) -> dict[int, Floats]:
    """The values that share each of the leading digits; ``sizes`` says how many they are."""
    found = {prefix: np.empty(size) for prefix, size in sizes.items()}
    filled = dict.fromkeys(sizes, 0)
    for block in blocks():
        for prefix, values in found.items():
            some = block if level == 0 else block[sharing(block, prefix, level)]
            start = filled[prefix]
            filled[prefix] = start + len(some)
            values[start : filled[prefix]] = some
    return found


def digits(values: Floats, level: int) -> NDArray[np.uint16]:
    """(n,) the 16 bits that come next after the ``level`` times 16 leading ones."""
    return values.astype("<f8", copy=False).view("<u2")[3 - level :: 4]


def sharing(values: Floats, prefix: int, level: int) -> NDArray[np.bool_]:
    """(n,) whose leading bits, ``level`` times 16, are those of ``prefix``."""
    if level == 1:
        leading: NDArray[Any] = digits(values, 0)
    elif level == 2:
        leading = values.astype("<f8", copy=False).view("<u4")[1::2]
    else:
        leading = values.view(np.uint64) >> np.uint64(16)
    same: NDArray[np.bool_] = np.equal(leading, prefix)
    return same


def in_order(prefix: int, level: int) -> Ints:
    """All digits in the order of the numbers that they are the next of: the greater, the less, if it is below zero."""
    rising = np.arange(DIGITS)
    half = DIGITS // 2
    if level == 0:
        return np.concatenate([rising[: half - 1 : -1], rising[:half]])
    negative = prefix >> (16 * level - 1) & 1
    return rising[::-1] if negative else rising
