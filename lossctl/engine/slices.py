"""Groups of rows: the slices of ``--by``, and the lists of ranking losses that are never split."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.errors import DataError, UsageError

if TYPE_CHECKING:
    from lossctl.data.pair import Batches
    from lossctl.model.batch import Sound

__all__ = ["Cutter", "Names", "Piece", "Scattered", "Slices", "Together", "one_each"]

Names: TypeAlias = tuple[str | None, ...]

LARGE = 1 << 16  # entries of a table that is always worth its while


class Slices:
    """Group codes in order of appearance; the names are those in the data, a missing one is ``None``."""

    def __init__(self) -> None:
        self.codes: dict[Names, int] = {}
        self._words: list[list[str]] = []  # of the table: chunks of one part of a file share them
        self._table = np.zeros(0, np.intp)  # the code of each joint place, -1 where it has not been met

    def encode(self, columns: Sequence[tuple[NDArray[np.int64], list[str]]]) -> NDArray[np.intp]:
        """(N,) codes for rows given as coded columns (place in a list of texts, -1 = missing)."""
        size = math.prod(len(values) + 1 for _, values in columns)
        joint = columns[0][0] + 1
        for places, values in columns[1:]:
            joint = joint * (len(values) + 1) + places + 1
        if size > max(LARGE, 4 * len(joint)):  # most of a table would stay empty
            present, joint = np.unique(joint, return_inverse=True)
            return self._coded(present, columns)[joint]
        words = [values for _, values in columns]
        if words != self._words:
            self._words, self._table = words, np.full(size, -1, np.intp)
        codes = self._table[joint]
        if len(codes) and codes.min() < 0:
            new = np.unique(joint[codes < 0])
            self._table[new] = self._coded(new, columns)
            codes = self._table[joint]
        return codes

    def _coded(
        self, joint: NDArray[np.int64], columns: Sequence[tuple[NDArray[np.int64], list[str]]]
    ) -> NDArray[np.intp]:
        """The codes of joint places, some of them new."""
        names: list[list[str | None]] = []
        for _, values in reversed(columns):
            joint, places = np.divmod(joint, len(values) + 1)
            names.append([None if place == 0 else values[place - 1] for place in places.tolist()])
        known = self.codes
        return np.array([known.setdefault(n, len(known)) for n in zip(*reversed(names), strict=True)], np.intp)

    def merge(self, other: Slices) -> NDArray[np.intp] | None:
        """Take on another's names; the codes here of its codes, ``None`` where there are no slices."""
        if not other.codes:
            return None
        return np.array([self.codes.setdefault(names, len(self.codes)) for names in other.codes], np.intp)

    def words(self, codes: NDArray[np.intp]) -> list[tuple[NDArray[np.int64], list[str]]]:
        """The names of (N,) codes, for each column as places (-1: missing) in a list of texts."""
        present, inverse = np.unique(codes, return_inverse=True)
        every = list(self.codes)
        columns = zip(*(every[code] for code in present.tolist()), strict=True)
        found = []
        for column in columns:
            places = np.array([-1 if name is None else place for place, name in enumerate(column)], np.int64)
            found.append((places[inverse], [name or "" for name in column]))
        return found

    def in_order(self) -> list[tuple[Names, int]]:
        """Names and codes, sorted by name; missing names last."""
        return sorted(self.codes.items(), key=lambda item: tuple((name is None, name or "") for name in item[0]))


class Piece(NamedTuple):
    """Rows with all that goes with them: arrays by role, file rows, and the engine's columns."""

    arrays: dict[str, NDArray[Any]]
    rows: NDArray[np.int64]
    weight: NDArray[np.float64] | None = None
    mask: NDArray[np.bool_] | None = None
    codes: NDArray[np.intp] | None = None
    sound: Sound | None = None
    batches: Batches | None = None

    def take(self, places: Any) -> Piece:
        return Piece(
            {role: a[places] for role, a in self.arrays.items()},
            self.rows[places],
            *(None if a is None else a[places] for a in (self.weight, self.mask, self.codes)),
        )

    @staticmethod
    def join(pieces: Sequence[Piece]) -> Piece:
        if len(pieces) == 1:
            return pieces[0]

        def together(parts: Sequence[Any]) -> Any:
            return None if parts[0] is None else np.concatenate(parts)

        return Piece(
            {role: np.concatenate([p.arrays[role] for p in pieces]) for role in pieces[0].arrays},
            np.concatenate([p.rows for p in pieces]),
            *(together([getattr(p, name) for p in pieces]) for name in ("weight", "mask", "codes")),
        )

    def size(self) -> int:
        extras = [a for a in (self.weight, self.mask, self.codes) if a is not None]
        return sum(a.nbytes for a in (*self.arrays.values(), self.rows, *extras))


class Scattered(Exception):  # noqa: N818 - a turn of events, not a fault
    """A list came back after it had ended: its rows must be gathered first."""


class Cutter:
    """Hands on rows in whole lists: the last list of a chunk waits for the next chunk.

    With ``gather`` everything waits until the end and is put side by side, within ``memory`` bytes.
    """

    def __init__(self, *, gather: bool, memory: int) -> None:
        self.names: dict[str, int] = {}
        self.labels: list[str] = []  # the names, by code
        self.gather = gather
        self.memory = memory
        self._waiting: list[Piece] = []
        self._closed: set[int] = set()

    def code(self, places: NDArray[np.int64], values: Sequence[str]) -> NDArray[np.int64]:
        """(N,) codes of lists over the whole file, -1 for a missing name."""
        table = np.full(len(values) + 1, -1, np.int64)
        for place, name in enumerate(values):
            if name == "":
                continue
            table[place] = self.names.setdefault(name, len(self.labels))
            if table[place] == len(self.labels):
                self.labels.append(name)
        return table[places]

    @property
    def waits(self) -> bool:
        """Whether there are rows whose list may go on."""
        return bool(self._waiting)

    def push(self, piece: Piece) -> Piece | None:
        """Rows whose lists are complete, or ``None`` if there are none yet."""
        self._waiting.append(piece)
        if sum(p.size() for p in self._waiting) > self.memory:
            why = "the rows of a list are scattered over the file" if self.gather else "a list is kept whole"
            raise UsageError(
                f"{why}, and that takes more than --memory ({self.memory:,} bytes)",
                code="memory",
                hint="sort the file by its group column, or allow more with --memory",
            )
        if self.gather:
            return None
        group = piece.arrays["group"]
        ends = np.flatnonzero(group[1:] != group[:-1]) + 1
        if len(ends) == 0 and (len(self._waiting) == 1 or self._waiting[-2].arrays["group"][-1] == group[0]):
            return None
        joined = Piece.join(self._waiting)
        group = joined.arrays["group"]
        cut = int(np.flatnonzero(group[1:] != group[:-1])[-1]) + 1
        self._waiting = [joined.take(slice(cut, None))]
        return self._close(joined.take(slice(0, cut)))

    def _close(self, piece: Piece) -> Piece:
        group = piece.arrays["group"]
        starts = np.concatenate([[0], np.flatnonzero(group[1:] != group[:-1]) + 1])
        for name in group[starts].tolist():
            if name in self._closed and name >= 0:
                raise Scattered
            self._closed.add(name)
        return piece

    def rest(self) -> Piece | None:
        """What is left at the end."""
        if not self._waiting:
            return None
        joined = Piece.join(self._waiting)
        self._waiting = []
        if self.gather:
            # Codes are in order of appearance; rows of a list keep their order in the file.
            return joined.take(np.argsort(joined.arrays["group"], kind="stable"))
        return self._close(joined)


class Together(NamedTuple):
    """Rows that have one value together, lists or batches: the first row of each, and their names."""

    starts: NDArray[np.intp]
    names: list[str]

    @classmethod
    def of_lists(cls, group: NDArray[np.int64], labels: Sequence[str]) -> Together:
        starts = np.concatenate([[0], np.flatnonzero(group[1:] != group[:-1]) + 1])
        return cls(starts, [labels[g] if g >= 0 else "" for g in group[starts].tolist()])

    @classmethod
    def of_batches(cls, starts: NDArray[np.intp], names: Sequence[str], rows: int) -> Together:
        """Those of which any row is left."""
        there = np.diff(starts, append=rows) > 0
        return cls(starts[there], [name for name, kept in zip(names, there.tolist(), strict=True) if kept])


def one_each(name: str, values: NDArray[Any], starts: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[Any]:
    """(G,) the value of each list, which must be the same in all its rows."""
    first = values[starts]
    run = np.cumsum(np.isin(np.arange(len(values)), starts)) - 1
    wrong = np.flatnonzero(values != first[run])
    if len(wrong):
        row = int(rows[wrong[0]])
        raise DataError(
            f"{name} changes within a list or batch: it counts once for it, so it must be the same in all its rows",
            code="group-not-constant",
            row=row + 1,
        )
    return first


def as_mapping(names: Sequence[str], values: Names) -> Mapping[str, str | None]:
    return dict(zip(names, values, strict=True))
