"""What a job writes down of a kernel's output: the total and its slices, single columns, classes, buckets.

All of them are tallies. A view that nobody asked for costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.engine.tally import Tally
from lossctl.model.reduce import Reduction, Term

__all__ = ["Booked", "Buckets", "Classes", "booked"]

Codes: TypeAlias = NDArray[np.intp]

BUCKETS = 1024


class Booked(NamedTuple):
    """A kernel's output as a reduction sees it: what is summed, the rows' values, what is kept one by one."""

    terms: dict[str, Term]
    values: NDArray[np.float64] | None
    kept: dict[str, NDArray[np.float64]]
    width: int

    def add_to(self, tally: Tally, weight: Any, codes: Codes | None, rows: int, norm: str) -> None:
        tally.add(self.terms, self.values, self.width, weight, codes, rows, plain_divisor=norm == "n", kept=self.kept)


def booked(reduce: Reduction, out: Any, mode: str | None, poisoned: NDArray[np.bool_] | None) -> Booked:
    """The output under a reduction; ``poisoned`` rows (N,) are NaN, whatever the kernel made of them."""
    terms, values, kept = reduce.terms(out, mode), reduce.rows(out, mode), reduce.kept(out)
    if poisoned is not None:
        terms = poison(terms, poisoned)
        kept = {name: np.where(poisoned[:, None], np.nan, array) for name, array in kept.items()}
        values = None if values is None else np.where(poisoned, np.nan, values)
    return Booked(terms, values, kept, reduce.width(out))


def poison(terms: Mapping[str, Term], rows: NDArray[np.bool_]) -> dict[str, Term]:
    """Terms with NaN in the rows that were let through with a NaN; divisors stay."""
    changed: dict[str, Term] = {}
    for name, term in terms.items():
        first, *rest = term if isinstance(term, tuple) else (term,)
        if name != "divisor":
            first = np.array(first)
            first[rows] = np.nan
        changed[name] = (first, rest[0]) if rest else first
    return changed


class Classes:
    """A tally for each class of the target, within each slice."""

    def __init__(self, new: Callable[[], Tally]) -> None:
        self.new = new
        self.tally = new()
        self.places: dict[tuple[int, float], int] = {}  # (slice, class) -> group of the tally

    def encode(self, classes: NDArray[Any], codes: Codes | None) -> Codes:
        """(N,) groups of rows, whose classes and slices these are."""
        slices = np.zeros(len(classes), np.intp) if codes is None else codes
        pairs, inverse = np.unique(np.stack([slices.astype(float), classes.astype(float)]), axis=1, return_inverse=True)
        table = [self.places.setdefault((int(s), float(c)), len(self.places)) for s, c in pairs.T]
        self.tally.grow(len(self.places))
        return np.array(table, np.intp)[inverse.reshape(-1)]

    def folded(self, slice_code: int | None) -> Iterator[tuple[float, Tally, int]]:
        """(class, tally, group) of one slice, or of all slices together, in order of the classes."""
        inside = {key: place for key, place in self.places.items() if slice_code is None or key[0] == slice_code}
        classes = sorted({label for _, label in inside})
        if slice_code is not None:
            for label in classes:
                yield label, self.tally, inside[(slice_code, label)]
            return
        whole = self.new()
        where = np.zeros(self.tally.groups, np.intp)
        for (_, label), place in inside.items():
            where[place] = classes.index(label)
        whole.merge(self.tally, where)
        for at, label in enumerate(classes):
            yield label, whole, at


class Buckets:
    """Rows dealt out to 1,024 buckets by a hash of their numbers: what a bootstrap draws from.

    Up to 1,024 rows each row is a bucket of its own; the first rows are therefore kept apart until the end.
    """

    def __init__(self, new: Callable[[], Tally], seed: int) -> None:
        self.new = new
        self.seed = seed
        self.tally = new()
        self.large = False  # whether there are more rows than buckets

    def encode(self, rows: NDArray[np.int64], codes: Codes | None) -> Codes:
        """(N,) groups of the tally for 0-based row numbers and their slices."""
        early = rows < BUCKETS
        self.large |= not early.all()
        bucket = np.where(early, rows, BUCKETS + dealt(rows, self.seed))
        joint = bucket if codes is None else bucket + 2 * BUCKETS * codes
        self.tally.grow((1 if codes is None else int(codes.max(initial=0)) + 1) * 2 * BUCKETS)
        return joint.astype(np.intp)

    def folded(self) -> Tally:
        """Groups ``slice * BUCKETS + bucket``, the early rows put where their hash sends them if there are more."""
        early = dealt(np.arange(BUCKETS), self.seed) if self.large else np.arange(BUCKETS)
        slices = -(-self.tally.groups // (2 * BUCKETS))
        inside = np.concatenate([early, np.arange(BUCKETS)])
        where = (np.arange(slices)[:, None] * BUCKETS + inside).reshape(-1)
        whole = self.new()
        whole.grow(slices * BUCKETS)
        self.tally.grow(slices * 2 * BUCKETS)
        whole.merge(self.tally, where)
        return whole


def dealt(rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """(N,) buckets by the finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of a row number counts."""
    with np.errstate(over="ignore"):
        x = rows.astype(np.uint64) + np.uint64((seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) % 2**64)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return (x >> np.uint64(54)).astype(np.int64)


def class_names(labels: Sequence[float], names: Sequence[str] | None, words: Mapping[int, str]) -> dict[float, str]:
    """How classes are called: by the names of the scores, by the words they were read from, or by their numbers."""
    called = {}
    for label in labels:
        place = int(label)
        if place == label and place in words:
            called[label] = words[place]
        elif names is not None and place == label and 0 <= place < len(names):
            called[label] = names[place]
        else:
            called[label] = str(place) if place == label else repr(label)
    return called
