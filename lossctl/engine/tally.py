"""The state of one loss: exact, mergeable, and the only thing a chunk leaves behind.

Whatever order rows, chunks or parts are added in, the same integers come out. Groups are columns of the
state; the total is the sum of its groups.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.engine.spool import Room
from lossctl.exact import Exact, from_int, std
from lossctl.model.reduce import Reduction, Term, Totals
from lossctl.sums import Sums

if TYPE_CHECKING:
    from lossctl.engine.hoard import Figures, Hoard

__all__ = ["Room", "Tally"]

Codes = NDArray[np.intp]


class Kept(NamedTuple):
    """Values that a reduction wants one by one, of some rows: (n, K) by name, with weights and groups."""

    arrays: dict[str, NDArray[np.float64]]
    weight: NDArray[np.float64] | None
    codes: Codes


class Tally:
    """Sums, counts and, where asked for, extremes, moments and all row values, for each group.

    ``spread`` asks for what ``min max std`` need, ``collect`` for what quantiles need; ``memory`` is the
    most that collected values may take, in bytes, or what is shared with others. Quantiles are ``exact`` beyond it as
    well, or else approximate.
    """

    def __init__(
        self, reduce: Reduction, *, spread: bool, collect: bool, memory: float | Room, exact: bool = True
    ) -> None:
        self.reduce = reduce
        self.spread = spread
        self.collect = collect
        self.room = memory if isinstance(memory, Room) else Room(memory)
        self.groups = 1
        self.sums: dict[str, Sums] = {}
        self.width = 1
        # By group; they may be longer, as growing takes time.
        self.rows = np.zeros(1, np.int64)
        self.dropped = np.zeros((2, 1), np.int64)  # nan, ignored
        self.weight = Sums()
        self.low = np.full(1, np.inf)
        self.high = np.full(1, -np.inf)
        self.first, self.second = Sums(), Sums()  # S(x), S(x^2) of row values
        self.counted = np.zeros(1, np.int64)  # row values behind them: rows of weight zero stay out
        self.exact = exact
        self.hoard = self._new_hoard() if collect else None
        self.kept: list[Kept] = []

    def like(self) -> Tally:
        """An empty one of the same sort, for the same values in other groups."""
        memory = self.room.size
        return Tally(self.reduce, spread=self.spread, collect=self.collect, memory=memory, exact=self.exact)

    def _new_hoard(self) -> Hoard:
        from lossctl.engine.hoard import Hoard  # seldom wanted

        return Hoard(self.room, exact=self.exact)

    def grow(self, groups: int) -> None:
        """Make room for groups that were not seen before."""
        if groups <= self.groups:
            return
        self.groups = groups
        if self.hoard is not None:
            self.hoard.grow(groups)
        for sums in (*self.sums.values(), self.weight, self.first, self.second):
            sums.grow(groups)
        there = len(self.rows)
        if groups > there:
            more = max(groups, 2 * there) - there
            self.rows = np.append(self.rows, np.zeros(more, np.int64))
            self.counted = np.append(self.counted, np.zeros(more, np.int64))
            self.dropped = np.hstack([self.dropped, np.zeros((2, more), np.int64)])
            self.low = np.append(self.low, np.full(more, np.inf))
            self.high = np.append(self.high, np.full(more, -np.inf))

    def count(self, status: NDArray[np.uint8], codes: Codes | None) -> None:
        """Note what became of the rows of a batch: (N,) statuses."""
        if not status.any():
            return
        for kind, dropped in enumerate(self.dropped, 1):
            places = np.flatnonzero(status == kind)
            tell(dropped, None if codes is None else codes[places], len(places))

    def add(
        self,
        terms: Mapping[str, Term],
        values: NDArray[np.float64] | None,
        width: int,
        weight: NDArray[np.float64] | None,
        codes: Codes | None,
        rows: int,
        *,
        plain_divisor: bool,
        kept: Mapping[str, NDArray[np.float64]] | None = None,
    ) -> None:
        """Add the kept rows of a batch.

        ``weight`` (N,) or ``None``; ``codes`` (N,) groups or ``None``; ``plain_divisor`` leaves the
        divisor unweighted (``--weight-norm n``); ``kept`` (N, K) each are kept as they are.
        """
        self.width = width
        tell(self.rows, codes, rows)
        use, every = None, codes
        if weight is not None:
            self.weight.add(weight, codes)
            if not weight.all():
                use = np.flatnonzero(weight)  # 0 * inf is nan: a row of weight zero is not there
                weight, codes = weight[use], None if codes is None else codes[use]
        for name, term in terms.items():
            parts: tuple[NDArray[np.float64], ...] = term if isinstance(term, tuple) else (term,)
            if plain_divisor and name == "divisor":
                self._add_term(name, parts, None, every)
                continue
            if use is not None:
                parts = tuple(part[use] for part in parts)
            self._add_term(name, parts, weight, codes)
        if kept:
            arrays = {name: np.array(a if use is None else a[use]) for name, a in kept.items()}
            n = len(next(iter(arrays.values())))
            self._keep(Kept(arrays, weight, np.zeros(n, np.intp) if codes is None else codes))
        if values is not None and (self.spread or self.collect):
            self._add_values(values if use is None else values[use], codes)

    def _keep(self, some: Kept, *, known: bool = False) -> None:
        if not known:
            self.room.take(*some.arrays.values(), some.weight, some.codes)
        self.kept.append(some)

    def _add_term(self, name: str, parts: tuple[Any, ...], weight: Any, codes: Codes | None) -> None:
        sums = self.sums.get(name)
        if sums is None:
            sums = self.sums[name] = Sums(self.groups)
        if weight is None:
            if len(parts) == 1:
                sums.add(parts[0], codes)
            else:
                sums.add_products(parts[0], parts[1], codes)
        elif len(parts) == 1:
            sums.add_products(parts[0], weight, codes)
        else:
            sums.add_triples(parts[0], parts[1], weight, codes)

    def _add_values(self, values: NDArray[np.float64], codes: Codes | None) -> None:
        tell(self.counted, codes, len(values))
        with np.errstate(invalid="ignore"):  # a NaN is a value like any other here
            self._spread(values, codes)
        if self.hoard is not None:
            self.hoard.add(values, codes)

    def _spread(self, values: NDArray[np.float64], codes: Codes | None) -> None:
        if self.spread and len(values):
            self.first.add(values, codes)
            self.second.add_products(values, values, codes)
            if codes is None:
                self.low[0] = np.minimum(self.low[0], values.min())
                self.high[0] = np.maximum(self.high[0], values.max())
            else:
                np.minimum.at(self.low, codes, values)
                np.maximum.at(self.high, codes, values)

    def merge(self, other: Tally, places: Codes | None = None) -> None:
        """Add another state; its group g becomes group ``places[g]`` here (default g). Several may go to one."""
        where = np.arange(other.groups) if places is None else places
        self.grow(int(where.max()) + 1)
        self.width = max(self.width, other.width)
        for name, sums in other.sums.items():
            self.sums.setdefault(name, Sums(self.groups)).merge(sums, where)
        for mine, theirs in ((self.weight, other.weight), (self.first, other.first), (self.second, other.second)):
            mine.merge(theirs, where)
        n = other.groups
        np.add.at(self.rows, where, other.rows[:n])
        np.add.at(self.counted, where, other.counted[:n])
        for mine_of, theirs_of in zip(self.dropped, other.dropped, strict=True):
            np.add.at(mine_of, where, theirs_of[:n])
        with np.errstate(invalid="ignore"):  # a NaN is a value like any other here
            np.minimum.at(self.low, where, other.low[:n])
            np.maximum.at(self.high, where, other.high[:n])
        for some in other.kept:
            self._keep(some._replace(codes=where[some.codes]), known=other.room is self.room)
        if self.hoard is not None and other.hoard is not None:
            self.hoard.merge(other.hoard, where)

    # Reading the state: group None is the total.

    @property
    def odd(self) -> bool:
        """Whether any term so far was not finite."""
        return any(sums.odd for sums in self.sums.values())

    def n(self, group: int | None) -> int:
        return int(self.rows.sum() if group is None else self.rows[group])

    def dropped_in(self, group: int | None) -> tuple[int, int]:
        """Rows dropped for NaN, and rows that do not count."""
        counts = self.dropped.sum(axis=1) if group is None else self.dropped[:, group]
        return int(counts[0]), int(counts[1])

    def totals(self, group: int | None, *, weighted: bool, norm: str, keep: bool = True) -> Totals:
        """What a reduction finishes from; ``norm`` n makes the number of rows the divisor."""
        exact = {name: pick(sums, group) for name, sums in self.sums.items()}
        rows = self.n(group)
        weight = pick(self.weight, group) if weighted and norm != "n" else from_int(rows)
        return Totals(exact, rows, weight, self.width, *(self.kept_in(group) if keep else ()))

    def kept_in(self, group: int | None) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64] | None]:
        """The values kept, by name, and their weights."""
        if not self.kept:
            return {}, None
        some = self.all_kept()
        if group is None:
            return some.arrays, some.weight
        first, last = np.searchsorted(some.codes, [group, group + 1])
        inside = slice(int(first), int(last))
        return {n: a[inside] for n, a in some.arrays.items()}, None if some.weight is None else some.weight[inside]

    def all_kept(self) -> Kept:
        """The values kept, put together once, group after group."""
        parts = self.kept
        codes = np.concatenate([some.codes for some in parts])
        if len(parts) > 1 or (codes[1:] < codes[:-1]).any():
            order = np.argsort(codes, kind="stable")
            weights = [some.weight for some in parts if some.weight is not None]
            arrays = {name: np.concatenate([some.arrays[name] for some in parts])[order] for name in parts[0].arrays}
            self.kept = [Kept(arrays, np.concatenate(weights)[order] if weights else None, codes[order])]
        return self.kept[0]

    def weight_sum(self, group: int | None, *, weighted: bool) -> float:
        return pick(self.weight, group).to_float() if weighted else float(self.n(group))

    def extreme(self, group: int | None, which: str) -> float:
        array = self.low if which == "min" else self.high
        value = float((np.min if which == "min" else np.max)(array)) if group is None else float(array[group])
        return value if self._counted(group) else float("nan")

    def deviation(self, group: int | None) -> float:
        """Sample standard deviation of row values."""
        return std(pick(self.first, group), pick(self.second, group), self._counted(group))

    def _counted(self, group: int | None) -> int:
        return int(self.counted.sum() if group is None else self.counted[group])

    def figures(self, group: int | None, quantiles: Sequence[float], *, bins: bool) -> Figures:
        """Quantiles of row values in the order asked for and, if ``bins``, their histogram."""
        found = (self.hoard or self._new_hoard()).figures(group, quantiles, bins=bins)
        if not (found.approximate and self.spread):
            return found
        low, high = self.extreme(group, "min"), self.extreme(group, "max")
        return found._replace(quantiles=tuple(q if math.isnan(q) else min(max(q, low), high) for q in found.quantiles))


def tell(counts: NDArray[np.int64], codes: Codes | None, rows: int) -> None:
    """Count rows, each in its group."""
    if codes is None:
        counts[0] += rows
    else:
        np.add.at(counts, codes, 1)


def pick(sums: Sums, group: int | None) -> Exact:
    return sums.total() if group is None else sums.exact(group)
