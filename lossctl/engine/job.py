"""One loss at work: from a chunk's arrays to its tally and its samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.data.bind import BoundCall
from lossctl.data.pair import Chunk
from lossctl.engine.options import Options, quantile_of
from lossctl.engine.slices import Cutter, Piece, one_each
from lossctl.engine.tally import Tally
from lossctl.errors import DataError, UsageError
from lossctl.model.batch import OK, finish_prelude, prelude_sums, prepare
from lossctl.model.call import LossCall
from lossctl.model.findings import Findings
from lossctl.model.params import Value
from lossctl.model.spec import LossSpec
from lossctl.sums import Sums

__all__ = ["Job", "Scored"]


class Scored(NamedTuple):
    """What a job made of a piece: the status of its rows, and the values of rows or of lists."""

    rows: NDArray[np.int64]  # (N,) 0-based
    status: NDArray[np.uint8]  # (N,)
    values: NDArray[np.float64] | None  # (N,), or one a list; None for a data-set loss
    names: list[str] | None = None  # of lists


class Job:
    """A bound call with its reduction, and everything it has seen so far."""

    def __init__(self, bound: BoundCall, label: str, options: Options, *, weighted: bool) -> None:
        spec = bound.call.entry.spec
        preset: Mapping[str, Any] = spec.like.get(options.like or "", {})
        mode = options.row or preset.get("row") or spec.reduce.row_mode
        self.bound = bound
        self.label = label
        self.options = options
        self.view = view_of(bound.call, options)
        self.mode: str | None = mode if spec.reduce.row_mode else None
        averages = "mean" in spec.reduce.views  # a coefficient divides nothing by the rows
        self.norm: str = (options.weight_norm or preset.get("norm", "sum")) if averages else "sum"
        self.weighted = weighted
        self.like = options.like
        self.resolved: dict[str, Value] = {}
        self.first_sums: dict[str, Sums] = {}
        self.fresh()

    @property
    def spec(self) -> LossSpec:
        return self.bound.call.entry.spec

    @property
    def params(self) -> Mapping[str, Value]:
        return {**self.bound.call.params, **self.resolved}

    @property
    def has_samples(self) -> bool:
        return self.spec.per != "dataset"

    @property
    def needs_prelude(self) -> bool:
        prelude = self.spec.prelude
        return prelude is not None and prelude.needed(self.bound.call.params)

    def fresh(self, *, gather: bool = False) -> None:
        """Forget what was seen, before another pass."""
        self.findings = Findings()
        self.tally = new_tally(self.spec, self.view, self.options)
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
        try:
            arrays = self.spec.fit(chunk.inputs(self.bound), self.params)
        except DataError as error:
            if error.file is None:
                places = dict.fromkeys(ref.source for ref in self.bound.refs.values())
                error.file = ", ".join(chunk.binding.sources[place].name for place in places)
            raise
        pred = arrays.get("pred")
        if pred is not None and pred.ndim == 2:
            self.bound.classes.check_count(pred.shape[1], chunk.binding.sources[self.bound.refs["pred"].source].name)
        if self.options.renormalize:
            for entry in self.spec.inputs:
                arrays[entry.role] = entry.kind.renormalise(arrays[entry.role], self.params)
        rows = np.arange(chunk.first, chunk.first + chunk.rows)
        piece = Piece(arrays, rows, weight, mask, codes)
        if self.cutter is None:
            return piece
        coded = chunk.codes(self.bound.refs["group"])
        piece.arrays["group"] = self.cutter.code(*coded)
        return self.cutter.push(piece)

    def survey(self, piece: Piece) -> None:
        """First pass: checks, and the sums that a statistic of the whole input needs."""
        ready = self._prepare(piece)
        if not self.findings.fatal and len(next(iter(ready.clean().values()))):
            prelude_sums(self.spec, ready.clean(), self.first_sums)

    def settle(self) -> None:
        """After the first pass: the statistic takes the parameter's place."""
        if self.first_sums:
            self.resolved = finish_prelude(self.spec, self.first_sums)

    def _prepare(self, piece: Piece) -> Any:
        return prepare(
            self.spec,
            self.params,
            piece.arrays,
            nan=self.options.nan,
            findings=self.findings,
            rows=piece.rows,
            mask=piece.mask,
        )

    def score(self, piece: Piece) -> Scored | None:
        """Run the kernel over the kept rows and add them to the tally; ``None`` once an error is sure."""
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
        n = len(rows)
        if n == 0:
            return Scored(piece.rows, ready.status, np.zeros(0 if self.cutter else len(piece.rows)), [])
        with np.errstate(all="ignore"):
            out = self.spec.kernel(**ready.arrays, **self.spec.kernel_kwargs(self.params))
            values = self.spec.reduce.rows(out, self.mode)
        terms = self.spec.reduce.terms(out, self.mode)
        names, poisoned = None, ready.poisoned
        if self.cutter is not None:
            group = ready.arrays["group"]
            starts = np.concatenate([[0], np.flatnonzero(group[1:] != group[:-1]) + 1])
            labels = self.cutter.labels
            names = [labels[g] if g >= 0 else "" for g in group[starts].tolist()]
            weight = None if weight is None else one_each("--weight", weight, starts, rows)
            codes = None if codes is None else one_each("--by", codes, starts, rows)
            poisoned = None if poisoned is None else np.logical_or.reduceat(poisoned, starts)
            rows, n = rows[starts], len(starts)
        if poisoned is not None:
            terms, values = poison(terms, poisoned), None if values is None else np.where(poisoned, np.nan, values)
        width = self.spec.reduce.width(out)
        self.tally.add(terms, values, width, weight, codes, n, plain_divisor=self.norm == "n")
        if values is not None:
            self.infinite += int(np.count_nonzero(np.isinf(values)))
            values = values if names is not None else scatter(values, ready.status)
        return Scored(piece.rows, ready.status, values, names)


def poison(terms: Mapping[str, Any], rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Terms with NaN in the rows that were let through with a NaN; divisors stay."""
    changed = {}
    for name, term in terms.items():
        first, *rest = term if isinstance(term, tuple) else (term,)
        if name != "divisor":
            first = np.array(first)
            first[rows] = np.nan
        changed[name] = (first, *rest) if rest else first
    return changed


def scatter(values: NDArray[np.float64], status: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N,) values of all rows; rows that were not scored hold a zero that nobody reads."""
    if len(values) == len(status):
        return values
    full = np.zeros(len(status))
    full[status == OK] = values
    return full


def new_tally(spec: LossSpec, view: str, options: Options) -> Tally:
    spread = view in {"min", "max", "std"} or options.stats
    collect = quantile_of(view) is not None or options.stats
    rows = spec.per != "dataset"
    return Tally(spec.reduce, spread=spread and rows, collect=collect and rows, memory=options.memory)


def view_of(call: LossCall, options: Options) -> str:
    """The reduction asked for, or the loss's own."""
    allowed = call.entry.spec.reduce.views
    view = options.reduction or allowed[0]
    if view not in allowed and not (quantile_of(view) is not None and "pNN" in allowed):
        raise UsageError(
            f"{call.name} has no reduction {view}", code="bad-reduction", hint=f"it has: {', '.join(allowed)}"
        )
    return view
