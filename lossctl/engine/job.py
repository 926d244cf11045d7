"""One loss at work: from a chunk's arrays to its tally and its samples."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from threading import Lock
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lossctl import numerics
from lossctl.data.pair import Chunk, whole_inputs
from lossctl.data.roles.binding import BoundCall
from lossctl.engine.books import Buckets, Classes, booked, classes_of
from lossctl.engine.options import Options, quantile_of
from lossctl.engine.scored import Scored, scatter
from lossctl.engine.slices import Cutter, Piece, Together, one_each
from lossctl.engine.tally import Room, Tally
from lossctl.errors import DataError, LossctlError, UsageError
from lossctl.model.batch import OK, Prepared, check_whole, finish_prelude, prelude_sums, prepare, run_batches
from lossctl.model.call import LossCall
from lossctl.model.findings import Findings
from lossctl.model.params import Value
from lossctl.model.reduce import Reduction
from lossctl.model.spec import Arrays, LossSpec
from lossctl.sums import Sums

__all__ = ["Job"]


class Job:
    """A bound call with its reduction, and everything it has seen so far."""

    def __init__(self, bound: BoundCall, label: str, options: Options, *, weighted: bool, files: str) -> None:
        spec = bound.call.entry.spec
        preset: Mapping[str, Any] = spec.like.get(options.like or "", {})
        reduce = spec.reduction(bound.call.params)
        mode = options.row or preset.get("row") or reduce.row_mode
        self.bound = bound
        self.label = label
        self.options = options
        self.view = view_of(bound.call, options)
        self.reduce = reduce
        self.per = spec.sample_of(reduce)
        self.mode: str | None = mode if reduce.row_mode else None
        averages = "mean" in reduce.views  # a coefficient divides nothing by the rows
        self.norm: str = (options.weight_norm or preset.get("norm", "sum")) if averages else "sum"
        self.weighted = weighted
        self.files = files  # where its columns come from, for messages
        self.like = options.like
        self.resolved: dict[str, Value] = {}
        self.failed: LossctlError | None = None
        self.failed_in: int
        self.check_views()
        self.fresh()

    @property
    def spec(self) -> LossSpec:
        return self.bound.call.entry.spec

    @property
    def params(self) -> Mapping[str, Value]:
        return {**self.bound.call.params, **self.resolved}

    @property
    def has_samples(self) -> bool:
        return self.per != "dataset"

    @property
    def unit(self) -> Literal["row", "group", "batch"]:
        """What one sample is: something with a row, or rows together."""
        return "batch" if self.reduce.batchwise else "group" if self.per == "group" else "row"

    @property
    def slices(self) -> int:
        return self.tally.groups

    @property
    def needs_prelude(self) -> bool:
        prelude = self.spec.prelude
        return prelude is not None and prelude.needed(self.bound.call.params)

    @contextmanager
    def failing(self, place: int) -> Iterator[None]:
        """Keeps an error of a loss that a set has named, for the end of the pass: the loss is left out then.

        ``place`` is the row or the task at work: of several errors the earliest is kept.
        """
        try:
            yield
        except LossctlError as error:
            if isinstance(error, DataError) and error.file is None:
                error.file = self.files
            if self.bound.call.of_set is None:
                raise
            if place < self.failed_in:
                self.failed, self.failed_in = error, place

    @property
    def whole(self) -> dict[str, Any]:
        """The arrays that stand beside all rows, as the kernel sees them."""
        return self.shared.whole or {}

    @property
    def finisher(self) -> Reduction:
        """The reduction with what stands beside all rows."""
        if self.shared.reduce is None:
            self.shared.reduce = self.reduce.beside(self.whole, self.params)
        return self.shared.reduce

    def check_views(self) -> None:
        """Refuse views that the loss cannot give."""
        name, plan = self.bound.call.name, self.options.ci
        if plan is not None and (self.view in {"none", "min", "max", "std"} or quantile_of(self.view) is not None):
            raise UsageError(
                f"--ci: {name} with --reduction {self.view} has no interval",
                code="bad-option",
                hint="intervals are for mean, sum, prod, and numbers of a whole data set",
            )

    def new_tally(self) -> Tally:
        spread = self.view in {"min", "max", "std"} or self.options.stats
        collect = quantile_of(self.view) is not None or self.options.stats
        rows, exact = self.has_samples, quantile_of(self.view) is not None
        return Tally(self.reduce, spread=spread and rows, collect=collect and rows, memory=self.room, exact=exact)

    def bare_tally(self) -> Tally:
        """One for sums and what is kept, without what other reductions and statistics want."""
        return Tally(self.reduce, spread=False, collect=False, memory=self.room)

    def twin(self) -> Job:
        """The same loss for another thread, which has seen nothing yet."""
        other = copy(self)
        other.fresh(room=self.room)
        other.shared = self.shared
        return other

    def fresh(self, *, gather: bool = False, room: Room | None = None) -> None:
        """Forget what was seen, before another pass."""
        plan = self.options.ci
        self.findings = Findings()
        self.room = room or Room(self.options.memory)
        self.tally = self.new_tally()
        self.columns: list[Tally] = []
        by_class = self.options.per_class and self.reduce.classes is None  # else it gives classes their values itself
        self.classes = Classes(self.new_tally()) if by_class else None
        drawn = plan is not None and plan.method == "bootstrap"
        self.buckets = Buckets(self.bare_tally(), plan.seed, self.options.memory) if plan and drawn else None
        self.moments: dict[str, Sums] = {}
        self.failed, self.failed_in = None, sys.maxsize
        self.shared = Shared()
        self.first_sums: dict[str, Sums] = {}
        self.infinite = 0
        lists = self.spec.scope == "group"
        self.cutter = Cutter(gather=gather, memory=self.options.memory) if lists else None

    def piece(
        self,
        chunk: Chunk,
        weight: NDArray[np.float64] | None,
        mask: NDArray[np.bool_] | None,
        codes: NDArray[np.intp] | None,
    ) -> Piece | None:
        """The job's arrays for a chunk, in the shapes its kernel wants; for lists, whole lists only."""
        arrays = self.fit(chunk)
        count = self.spec.class_count({**arrays, **self.whole}, self.params)
        if count is not None:
            ref = self.bound.refs.get("pred")
            self.bound.classes.check_count(count, self.files if ref is None else chunk.binding.sources[ref.source].name)
        piece = Piece(arrays, chunk.numbered, weight, mask, codes, chunk.sound, chunk.batches)
        if self.cutter is None:
            return piece
        coded = chunk.codes(self.bound.refs["group"])
        piece.arrays["group"] = self.cutter.code(*coded)
        return self.cutter.push(piece)

    def fit(self, chunk: Chunk) -> dict[str, NDArray[Any]]:
        """The chunk's arrays in the shapes that the kernel wants; what stands beside all rows is read once."""
        if self.shared.whole is None:
            with self.shared.lock:
                if self.shared.whole is None:
                    arrays, whole = self.fitted(chunk, whole_inputs(chunk.binding, self.bound, self.options.memory))
                    self.shared.whole = check_whole(self.spec, self.params, whole, self.findings)
                    return arrays
        return self.fitted(chunk, self.whole)[0]

    def fitted(self, chunk: Chunk, whole: Arrays) -> tuple[Arrays, Arrays]:
        """The chunk's arrays, and those that stand beside all rows."""
        arrays = self.spec.fit({**chunk.inputs(self.bound), **whole}, self.params)
        whole = {role: arrays.pop(role) for role in whole}
        if self.options.renormalize:
            for entry in self.spec.rowwise(arrays):
                arrays[entry.role] = entry.kind.renormalise(arrays[entry.role], self.params)
        return arrays, whole

    def survey(self, piece: Piece) -> None:
        """First pass: checks, and the sums that a statistic of the whole input needs."""
        ready = self._prepare(piece)
        if not self.findings.fatal and len(next(iter(ready.clean().values()))):
            prelude_sums(self.spec, ready.clean(), self.first_sums)

    def settle(self) -> None:
        """After the first pass: the statistic takes the parameter's place."""
        if self.first_sums:
            self.resolved = finish_prelude(self.spec, self.first_sums)

    def prepared(self, arrays: Arrays, rows: NDArray[np.int64]) -> Prepared:
        """Some rows that were scored before, once more as the kernel sees them."""
        return prepare(self.spec, self.params, arrays, nan="skip", findings=Findings(), rows=rows, whole=self.whole)

    def _prepare(self, piece: Piece) -> Any:
        return prepare(
            self.spec,
            self.params,
            piece.arrays,
            nan=self.options.nan,
            findings=self.findings,
            rows=piece.rows,
            mask=piece.mask,
            whole=self.whole,
            sound=piece.sound,
            starts=piece.batches.starts if piece.batches is not None and self.spec.scope == "batch" else None,
        )

    def score(self, piece: Piece) -> Scored | None:
        """Run the kernel over the kept rows and add them to the tally; ``None`` once an error is sure."""
        if self.failed is not None:
            return None
        ready = self._prepare(piece)
        if self.findings.fatal:
            return None
        kept = slice(None) if ready.kept is None else ready.kept
        weight = None if piece.weight is None else piece.weight[kept]
        codes = None if piece.codes is None else piece.codes[kept]
        rows = piece.rows[kept]
        if piece.codes is not None:
            self.tally.grow(int(piece.codes.max(initial=0)) + 1)
        self.tally.count(ready.status, piece.codes)
        classes = None if self.classes is None else self.classes_in(self.classes, piece, ready.status)[kept]
        n = len(rows)
        if n == 0:
            nothing = (np.zeros(0), np.zeros(0)) if self.reduce.quotient else None
            empty = np.zeros(len(piece.rows) if self.unit == "row" else 0)
            return Scored(piece.rows, ready.status, empty, [], nothing, piece.weight if len(empty) else None)
        with np.errstate(all="ignore"):
            if ready.starts is None:
                out = self.spec.run({**ready.arrays, **self.whole}, self.params)
            else:
                out = run_batches(self.spec, ready.arrays, self.whole, self.params, ready.starts)
        names, poisoned = None, ready.poisoned
        if (together := self.together(piece, ready)) is not None:
            starts, names = together
            weight = None if weight is None else one_each("--weight", weight, starts, rows)
            codes = None if codes is None else one_each("--by", codes, starts, rows)
            poisoned = None if poisoned is None else np.logical_or.reduceat(poisoned, starts)
            rows, n = rows[starts], len(starts)
        book = booked(self.reduce, out, self.mode, poisoned)
        book.add_to(self.tally, weight, codes, n, self.norm)
        if self.options.per_column:
            self.add_columns(out, poisoned, weight, codes, n)
        if self.classes is not None and classes is not None:
            book.add_to(self.classes.tally, weight, classes, n, self.norm)
        if self.buckets is not None:
            book.add_to(self.buckets.tally, weight, self.buckets.encode(rows, codes), n, self.norm)
        elif self.options.ci is not None:
            self.add_moments(out, weight, codes)
        values = book.values
        if values is not None:
            summed = weight is None and any(term is values for term in book.terms.values())
            if self.tally.odd or not summed:  # what has been summed and is finite need not be looked at
                self.infinite += int(np.count_nonzero(np.isinf(values)))
            values = values if names is not None else scatter(values, ready.status)
        terms = self.terms(out, poisoned) if self.options.per_sample is not None else None
        beside = (piece.weight, None) if names is None else (weight, codes)
        return Scored(piece.rows, ready.status, values, names, terms, *beside)

    def together(self, piece: Piece, ready: Prepared) -> Together | None:
        """The kept rows that have one value together; ``None`` where each has its own."""
        if self.cutter is not None:
            return Together.of_lists(ready.arrays["group"], self.cutter.labels)
        if self.unit == "batch" and piece.batches is not None and ready.starts is not None:
            return Together.of_batches(ready.starts, piece.batches.names, len(next(iter(ready.arrays.values()))))
        return None

    def terms(self, out: Any, poisoned: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """(N,) twice: what the mean divides by what, of each row that was scored; a poisoned one is NaN."""
        pair = self.reduce.pair(out, self.mode) if self.reduce.quotient else None
        if pair is None or poisoned is None:
            return pair
        return np.where(poisoned, np.nan, pair[0]), pair[1]

    def classes_in(self, classes: Classes, piece: Piece, status: NDArray[np.uint8]) -> NDArray[np.intp]:
        """(N,) groups of the classes' tally, for ``--per-class``; what became of the rows is noted."""
        ref = self.bound.refs.get("target")
        found = classes_of(self.spec, self.params, piece, status == OK, "" if ref is None else ref.columns[0])
        codes = classes.encode(found, piece.codes)
        classes.tally.count(status, codes)
        return codes

    def add_columns(self, out: Any, poisoned: Any, weight: Any, codes: Any, n: int) -> None:
        """Each output column by itself, for ``--per-column``."""
        for place in range(self.reduce.width(out)):
            part = self.reduce.column(out, place)
            if part is None:
                raise UsageError(
                    f"--per-column: a value of {self.bound.call.name} comes from all columns together",
                    code="bad-option",
                )
            if place == len(self.columns):
                self.columns.append(self.new_tally())
            if codes is not None:
                self.columns[place].grow(self.tally.groups)
            booked(self.reduce, part, self.mode, poisoned).add_to(self.columns[place], weight, codes, n, self.norm)

    def merge(self, other: Job, places: NDArray[np.intp] | None) -> None:
        """Add what a twin has seen; its slice g is slice ``places[g]`` here."""
        self.findings.merge(other.findings)
        self.tally.merge(other.tally, some(places, other.tally.groups))
        for place, column in enumerate(other.columns):
            if place == len(self.columns):
                self.columns.append(self.new_tally())
            self.columns[place].merge(column, some(places, column.groups))
        if self.classes is not None and other.classes is not None:
            self.classes.merge(other.classes, places)
        if self.buckets is not None and other.buckets is not None:
            self.buckets.merge(other.buckets, places)
        for mine, theirs in ((self.moments, other.moments), (self.first_sums, other.first_sums)):
            for name, sums in theirs.items():
                mine.setdefault(name, Sums()).merge(sums, some(places, sums.groups))
        if other.failed_in < self.failed_in:
            self.failed, self.failed_in = other.failed, other.failed_in
        self.infinite += other.infinite

    def add_moments(self, out: Any, weight: Any, codes: Any) -> None:
        """What the normal approximation needs: first and second moments of each row's share of the ratio."""
        pair = self.reduce.pair(out, self.mode) if self.params.get("multioutput") != "per-column" else None
        if pair is None:
            raise UsageError(
                f"--ci-method normal: {self.bound.call.name} is no mean of row values",
                code="bad-option",
                hint="--ci-method bootstrap",
            )
        a, b = pair
        if weight is not None:
            a, b = numerics.times(weight, a), b if self.norm == "n" else weight * b
        for name, factors in (("a", (a,)), ("b", (b,)), ("aa", (a, a)), ("ab", (a, b)), ("bb", (b, b))):
            sums = self.moments.setdefault(name, Sums())
            sums.grow(self.tally.groups)
            if len(factors) == 1:
                sums.add(factors[0], codes)
            else:
                sums.add_products(factors[0], factors[1], codes)


def some(places: NDArray[np.intp] | None, groups: int) -> NDArray[np.intp] | None:
    """The places of the first groups."""
    return None if places is None else places[:groups]


class Shared:
    """What the twins of a job share: arrays that are read once, by whoever comes first."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.whole: dict[str, Any] | None = None
        self.reduce: Reduction | None = None
        self.told = False  # whether findings in them came from another process


def view_of(call: LossCall, options: Options) -> str:
    """The reduction asked for, or the loss's own."""
    allowed = call.entry.spec.reduction(call.params).views
    view = options.reduction or allowed[0]
    if view not in allowed and not (quantile_of(view) is not None and "pNN" in allowed):
        raise UsageError(
            f"{call.name} has no reduction {view}", code="bad-reduction", hint=f"it has: {', '.join(allowed)}"
        )
    return view
