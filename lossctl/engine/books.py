"""What a job writes down of a kernel's output: the total and its slices, single columns, classes, buckets.

All of them are tallies. A view that nobody asked for costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.data.labels import canonical
from lossctl.engine.options import BUCKETS
from lossctl.engine.tally import Tally
from lossctl.errors import DataError, UsageError
from lossctl.model.reduce import Reduction, Term

if TYPE_CHECKING:
    from lossctl.engine.slices import Piece
    from lossctl.model.params import Value
    from lossctl.model.spec import LossSpec

__all__ = ["Booked", "Buckets", "Classes", "booked", "classes_of", "named_classes"]

Codes: TypeAlias = NDArray[np.intp]

BUCKET = 256  # bytes that a bucket of a slice takes, more or less


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

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.places: dict[tuple[int, float | None], int] = {}  # (slice, class) -> group of the tally

    def encode(self, classes: NDArray[np.float64], codes: Codes | None) -> Codes:
        """(N,) groups of rows, whose classes (NaN: none) and slices these are."""
        labels, at = np.unique(classes, return_inverse=True)
        joint = at if codes is None else codes * len(labels) + at
        present, inverse = np.unique(joint, return_inverse=True)
        table = np.zeros(len(present), np.intp)
        for place, pair in enumerate(present.tolist()):
            code, label = divmod(pair, len(labels))
            name = None if np.isnan(labels[label]) else float(labels[label])
            table[place] = self.places.setdefault((code, name), len(self.places))
        self.tally.grow(len(self.places))
        return table[inverse]

    def merge(self, other: Classes, slices: Codes | None) -> None:
        """Add another's; its slice g is slice ``slices[g]`` here."""
        places = np.zeros(max(other.tally.groups, 1), np.intp)
        for (code, label), place in other.places.items():
            pair = (code if slices is None else int(slices[code])), label
            places[place] = self.places.setdefault(pair, len(self.places))
        self.tally.grow(len(self.places))
        self.tally.merge(other.tally, places)

    def folded(self, slice_code: int | None) -> dict[float, tuple[Tally, int]]:
        """For each class the tally and the group of it, of one slice or of all slices together."""
        if slice_code is not None:
            inside = {label: place for (code, label), place in self.places.items() if code == slice_code}
            return {label: (self.tally, place) for label, place in inside.items() if label is not None}
        classes = list(dict.fromkeys(label for _, label in self.places))
        whole = self.tally.like()
        whole.merge(self.tally, np.array([classes.index(label) for _, label in self.places] or [0], np.intp))
        return {label: (whole, at) for at, label in enumerate(classes) if label is not None}


class Buckets:
    """Rows dealt out to 1,024 buckets by a hash of their numbers: what a bootstrap draws from.

    Up to 1,024 rows each row is a bucket of its own; the first rows are therefore kept apart until the end.
    """

    def __init__(self, tally: Tally, seed: int, memory: int) -> None:
        self.tally = tally
        self.seed = seed
        self.memory = memory
        self.most = max(1, memory // (BUCKETS * BUCKET))  # slices
        self.large = False  # whether there are more rows than buckets

    def encode(self, rows: NDArray[np.int64], codes: Codes | None) -> Codes:
        """(N,) groups of the tally for 0-based row numbers and their slices."""
        early = rows < BUCKETS
        self.large |= not early.all()
        bucket = np.where(early, rows, BUCKETS + dealt(rows, self.seed))
        joint = bucket if codes is None else bucket + 2 * BUCKETS * codes
        self.room_for(1 if codes is None else int(codes.max(initial=0)) + 1)
        return joint.astype(np.intp)

    def room_for(self, slices: int) -> None:
        """Make room for so many slices, or refuse them: in the same words whichever thread comes upon the last one."""
        if slices > self.most:
            raise UsageError(
                f"--ci with more than {self.most:,} slices takes more than --memory ({self.memory:,} bytes)",
                code="memory",
                hint="--ci-method normal, fewer slices, or more --memory",
            )
        self.tally.grow(slices * 2 * BUCKETS)

    def merge(self, other: Buckets, slices: Codes | None) -> None:
        """Add another's; its slice g is slice ``slices[g]`` here."""
        code, bucket = np.divmod(np.arange(other.tally.groups), 2 * BUCKETS)
        self.large |= other.large
        self.room_for(1 if slices is None else int(slices.max(initial=0)) + 1)
        self.tally.merge(other.tally, (code if slices is None else slices[code]) * 2 * BUCKETS + bucket)

    def folded(self) -> Tally:
        """Groups ``slice * BUCKETS + bucket``, the early rows put where their hash sends them if there are more."""
        early = dealt(np.arange(BUCKETS), self.seed) if self.large else np.arange(BUCKETS)
        slices = -(-self.tally.groups // (2 * BUCKETS))
        inside = np.concatenate([early, np.arange(BUCKETS)])
        where = (np.arange(slices)[:, None] * BUCKETS + inside).reshape(-1)
        whole = self.tally.like()
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


def named_classes(
    labels: Iterable[float], names: Sequence[str] | None, words: Mapping[int, str]
) -> Iterator[tuple[float, str]]:
    """Classes and what they are called: by the words they were read from, the names of the scores, or their numbers.

    They come in the order of the scores; words come as numbers, then by the alphabet.
    """
    if words:
        called = {label: words[int(label)] for label in labels}
        yield from sorted(called.items(), key=lambda item: rank(item[1]))
        return
    for label in sorted(labels):
        place = int(label)
        if names is not None and place == label and 0 <= place < len(names):
            yield label, names[place]
        else:
            yield label, str(place) if place == label else repr(label)


def rank(word: str) -> tuple[bool, float, str]:
    label = canonical(word)
    return (True, 0.0, word) if isinstance(label, str) else (False, label, word)


def classes_of(
    spec: LossSpec, params: Mapping[str, Value], piece: Piece, scored: NDArray[np.bool_], column: str
) -> NDArray[np.float64]:
    """(N,) the target's class of each row, NaN where it says none.

    ``UsageError`` if the loss has no such target, ``DataError`` if one of the (N,) ``scored`` rows is between classes;
    ``column`` is the target's, for the message.
    """
    target = next((i for i in spec.inputs if i.role == "target"), None)
    found = None if target is None or spec.scope == "group" else target.kind.class_of(piece.arrays["target"], params)
    if target is None or found is None:
        raise UsageError(
            f"--per-class: {spec.name} has no target with one class a row",
            code="bad-option",
            hint="--per-column gives each output column by itself",
        )
    labels = piece.arrays["target"]
    ignored = target.kind.ignored(labels, params)
    nothing = target.kind.missing(labels, params)
    nothing = nothing if ignored is None else nothing | ignored
    unclear = np.flatnonzero(np.isnan(found) & ~nothing & scored)
    if len(unclear):
        raise DataError(
            f"--per-class: {spec.name}: target = {labels[unclear[0]]} is between classes",
            code="soft-target",
            row=int(piece.rows[unclear[0]]) + 1,
            column=column,
            hint="leave --per-class out where targets are probabilities",
        )
    return np.where(nothing, np.nan, found)
