"""From arrays to per-row values: the one road that files and function calls both take.

``prepare`` sorts rows into scored, missing and ignored, and notes every rule that a row breaks;
``values_of`` runs a loss over arrays held in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.errors import DataError, UsageError
from lossctl.exact import from_int
from lossctl.model.arrays import decoded
from lossctl.model.findings import Findings, Rule, refuse
from lossctl.model.kinds import every, first_where
from lossctl.model.reduce import Reduction, Totals
from lossctl.model.sides import padded
from lossctl.model.spec import Arrays, Input, LossSpec, rows_of
from lossctl.scratch import keep_freed
from lossctl.sequences.ragged import Ragged
from lossctl.sums import Sums

if TYPE_CHECKING:
    from lossctl.model.kinds import Kind
    from lossctl.model.params import Value
    from lossctl.model.registry import Entry

__all__ = ["IGNORED", "NAN", "OK", "Prepared", "check_whole", "finish_prelude", "prepare", "settle", "values_of"]

OK, NAN, IGNORED = 0, 1, 2  # what became of a row
STATUS = ("ok", "nan", "ignored")
NOTHING: Arrays = {}
# By the id of an array: the array itself, which keeps the id its own, and the kinds that it was looked at as.
Sound: TypeAlias = "dict[int, tuple[Any, list[tuple[Kind, object]]]]"
BLOCK_BYTES = 1 << 22  # arrays of so many rows stay in a core's cache from the checks to the value
BLOCK_ROWS = 1 << 16

MISSING = Rule(
    "nan",
    "is missing, NaN or infinite",
    hint="--nan skip drops such rows (counted), --nan propagate lets them through",
)


class Prepared(NamedTuple):
    """Rows ready for a kernel. ``arrays`` hold the kept rows only, in canonical form."""

    arrays: Arrays
    status: NDArray[np.uint8]  # (N,) OK, NAN or IGNORED for every row that came in
    kept: NDArray[np.intp] | None  # places of the kept rows; None: all of them
    poisoned: NDArray[np.bool_] | None  # kept rows whose value is NaN (--nan propagate)
    starts: NDArray[np.intp] | None = None  # where batches begin among the kept rows; some may have none

    def clean(self) -> Arrays:
        """The arrays without the poisoned rows."""
        if self.poisoned is None:
            return self.arrays
        return {role: a[~self.poisoned] for role, a in self.arrays.items()}


def settle(entry: Entry, given: Mapping[str, Any], soft: Mapping[str, Value] | None = None) -> dict[str, Value]:
    """All parameters for a call of this name, its preset ones included."""
    for name, value in given.items():
        if name in entry.fixed and entry.fixed[name] != value:
            raise UsageError(
                f"{entry.name} means {entry.spec.name} with {name}={entry.fixed[name]}, which cannot be changed",
                code="preset-parameter",
                hint=f"use {entry.spec.name} with {name} of your own",
            )
    return entry.spec.resolve({**given, **entry.fixed}, soft)


def prepare(
    spec: LossSpec,
    params: Mapping[str, Value],
    arrays: Arrays,
    *,
    nan: str,
    findings: Findings,
    rows: NDArray[np.int64],
    mask: NDArray[np.bool_] | None = None,
    whole: Arrays = NOTHING,
    sound: Sound | None = None,
    starts: NDArray[np.intp] | None = None,
) -> Prepared:
    """Sort rows into kept and dropped, and check the kept ones.

    ``arrays`` (fitted, N rows) are not changed; ``whole`` are those that stand beside all rows. ``nan`` is
    error, skip or propagate; ``mask`` (N,) says which rows count; ``rows`` (N,) are their 0-based numbers in
    the file, for messages. ``sound`` is what losses over the same arrays have found to miss nothing; ``starts`` are the
    first rows of batches.
    """
    n = len(rows)
    status = np.zeros(n, np.uint8)
    missing: NDArray[np.bool_] | None = None
    arrays = shortened(spec, arrays, findings, rows)
    inputs = spec.rowwise(arrays)
    for entry in inputs:
        array = arrays[entry.role]
        ignored = entry.kind.ignored(array, params)
        if ignored is not None and ignored.any():
            status[ignored] = IGNORED
        if lacks(entry.kind, array, params, sound):
            bad = entry.kind.missing(array, params)
            if nan == "propagate" and isinstance(array, np.ndarray) and array.dtype.kind == "f":
                bad &= np.isnan(array)  # an infinity takes its course through the formula
            hit = every(bad)
            missing = hit if missing is None else missing | hit
    if mask is not None:
        status[~mask] = IGNORED
    if missing is not None:
        missing &= status != IGNORED
        if nan == "error":
            for entry in inputs:
                array = arrays[entry.role]
                bad = entry.kind.missing(array, params)
                unnamed = array.dtype.kind == "i" or isinstance(array, Ragged)  # a code, a row of many values
                shown = np.full(n, "") if unnamed else first_where(array, bad)
                rule = MISSING if array.dtype.kind == "f" else MISSING._replace(text="is missing")
                findings.add(entry.role, (rule, every(bad) & missing, shown), rows)
        if nan != "propagate":
            status[missing] = NAN
    kept = None if not status.any() else np.flatnonzero(status == OK)
    chosen = arrays if kept is None else {role: a[kept] for role, a in arrays.items()}
    poisoned = missing if kept is None or missing is None else missing[kept]
    if poisoned is not None and not poisoned.any():
        poisoned = None
    if starts is not None:
        starts = starts if kept is None else np.searchsorted(kept, starts)
        if poisoned is not None:  # what one row lacks, all that are seen with it lack
            of = batch_of(starts, len(poisoned))
            poisoned = np.isin(of, of[poisoned])
    kept_rows = rows if kept is None else rows[kept]
    checked = _check(spec, params, chosen, whole, kept_rows, poisoned, findings, starts)
    return Prepared(checked, status, kept, poisoned, starts)


def batch_of(starts: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    """(n,) the batch that each row is in."""
    return np.searchsorted(starts, np.arange(n), side="right") - 1


def runs(of: NDArray[np.intp]) -> list[slice]:
    """The rows of each batch, of (N,) batches in ascending order."""
    cuts = [*np.flatnonzero(np.diff(of, prepend=-1)).tolist(), len(of)]
    return [slice(start, stop) for start, stop in pairwise(cuts)]


def run_batches(spec: LossSpec, arrays: Arrays, whole: Arrays, params: Mapping[str, Value], starts: Any) -> Any:
    """The kernel's output for batch after batch, as one; without any batch there is no value of one."""
    if not len(starts):
        return np.zeros(0) if spec.reduction(params).batchwise else spec.run({**arrays, **whole}, params)
    stops = [*starts[1:].tolist(), rows_of(spec, arrays)]
    outs = [
        spec.run({**{role: array[start:stop] for role, array in arrays.items()}, **whole}, params)
        for start, stop in zip(starts.tolist(), stops, strict=True)
        if stop > start
    ]
    if isinstance(outs[0], tuple):
        return tuple(np.concatenate(parts) for parts in zip(*outs, strict=True))
    return np.concatenate(outs)


def lacks(kind: Kind, array: Any, params: Mapping[str, Value], sound: Sound | None) -> bool:
    """Whether anything is missing; of several losses with inputs of one kind the first one looks."""
    known = None if sound is None else sound.get(id(array))
    if known is not None and known[0] is array and (kind, params.get("input")) in known[1]:
        return False
    found = kind.lacks(array, params)
    if sound is not None and not found:
        sound.setdefault(id(array), (array, []))[1].append((kind, params.get("input")))
    return found


def shortened(spec: LossSpec, arrays: Arrays, findings: Findings, rows: NDArray[np.int64]) -> Arrays:
    """The arrays with rows cut to their lengths, so that nothing ever looks at padding."""
    cut = dict(arrays)
    for entry in spec.rowwise(arrays):
        of: Any = entry.kind
        for role in (of.cuts, *of.also) if of.cuts in cut else ():
            if role in cut:
                whole: Any = cut[role]
                for seen in of.beyond(arrays[entry.role], whole.lengths):
                    findings.add(entry.role, seen, rows)
                cut[role] = whole.cut(of.of(arrays[entry.role], whole.lengths))
    return cut


def _check(
    spec: LossSpec,
    params: Mapping[str, Value],
    arrays: Arrays,
    whole: Arrays,
    rows: NDArray[np.int64],
    poisoned: NDArray[np.bool_] | None,
    findings: Findings,
    starts: NDArray[np.intp] | None,
) -> Arrays:
    """Hold the kept rows against the rules of their kinds; give them back in canonical form."""
    clean = None if poisoned is None else np.flatnonzero(~poisoned)
    classes = spec.class_count({**arrays, **whole}, params)
    good = arrays if clean is None else {role: a[clean] for role, a in arrays.items()}
    good_rows = rows if clean is None else rows[clean]
    inputs = spec.rowwise(arrays)
    wrong = np.zeros(len(good_rows), bool)
    if len(good_rows):
        for entry in inputs:
            for seen in entry.kind.check(good[entry.role], params, classes):
                findings.add(entry.role, seen, good_rows)
                if seen[0].severity == "error":
                    wrong |= seen[1]
    if spec.checks is not None and not wrong.all():
        of = None if starts is None else batch_of(starts, len(rows))
        of = of if of is None or clean is None else of[clean]
        if wrong.any():  # the loss looks at sound rows only: what it says of one depends on no other
            good, good_rows = {role: a[~wrong] for role, a in good.items()}, good_rows[~wrong]
            of = None if of is None else of[~wrong]
        sound = _canonical(spec, params, good)
        for part in (slice(None),) if of is None else runs(of):
            for seen in spec.checks({**{role: a[part] for role, a in sound.items()}, **whole}, params):
                findings.add(seen[0].role or spec.inputs[0].role, seen, good_rows[part])
    if findings.fatal:
        return arrays
    if clean is not None:
        arrays = {i.role: _stood_in(i, arrays[i.role], clean, params) for i in inputs}
    return _canonical(spec, params, arrays)


def _canonical(spec: LossSpec, params: Mapping[str, Value], arrays: Arrays) -> Arrays:
    """What the kernel sees; lengths have had their say by then."""
    return {i.role: i.kind.canonical(arrays[i.role], params) for i in spec.rowwise(arrays) if i.kind.cuts is None}


def check_whole(spec: LossSpec, params: Mapping[str, Value], whole: Arrays, findings: Findings) -> Arrays:
    """Hold the arrays that stand beside all rows against their kinds; give them back in canonical form."""
    checked = {}
    for entry in spec.whole(whole):
        array: Any = whole[entry.role]
        for name, part in array.items() if entry.kind.mapping else (("", array),):
            rows = np.arange(len(part))
            bad = entry.kind.missing(part, params)
            rule = MISSING._replace(text=f"in {name} {MISSING.text}" if name else MISSING.text, hint=None)
            findings.add(entry.role, (rule, every(bad), first_where(part, bad)), rows)
            for seen in entry.kind.check(part, params):
                findings.add(entry.role, seen, rows)
        checked[entry.role] = entry.kind.canonical(array, params)
    return checked


def _stood_in(entry: Input, array: Any, clean: NDArray[np.intp], params: Mapping[str, Value]) -> Any:
    """The array with something harmless in the rows whose value will be NaN whatever the formula says."""
    if entry.kind.decode(params, None) == "text":
        return array
    if isinstance(array, Ragged):
        poisoned = np.ones(len(array), bool)
        poisoned[clean] = False
        return array.cut(np.where(poisoned, 0, array.lengths))
    filled = np.zeros_like(array) if len(clean) == 0 else np.repeat(array[clean[:1]], len(array), axis=0)
    filled[clean] = array[clean]
    return filled


def verdict(spec: LossSpec, findings: Findings) -> None:
    """Raise what is only known once everything was seen."""
    for entry in spec.inputs:
        for code, text, row in entry.kind.verdict(entry.role, findings):
            raise DataError(f"{spec.name}: {text}", code=code, row=row + 1, hint="recode one of them")


def finish_prelude(spec: LossSpec, sums: Mapping[str, Sums]) -> dict[str, Value]:
    """The statistic of the first pass, as the parameter it stands for."""
    if spec.prelude is None:
        return {}
    totals = {name: s.total().to_float() for name, s in sums.items()}
    return {spec.prelude.param: spec.prelude.finish(totals)}


def prelude_sums(spec: LossSpec, arrays: Arrays, sums: dict[str, Sums]) -> None:
    """Add the kept rows to the sums of the first pass."""
    if spec.prelude is not None:
        for name, term in spec.prelude.terms(arrays).items():
            if isinstance(term, tuple):
                sums.setdefault(name, Sums()).add_products(*term)
            else:
                sums.setdefault(name, Sums()).add(term)


def values_of(spec: LossSpec, inputs: Mapping[str, Any], params: Mapping[str, Value]) -> Any:
    """(N,) values of rows (of groups in order of appearance), or one float for a data-set loss.

    Rows that a loss sees in batches are one batch, whose value, where it has only one, is (1,).

    Ignored rows are 0, as torch prints them. Raises ``DataError`` for values the kinds refuse.
    """
    arrays = decoded(spec, inputs, params)
    n = rows_of(spec, arrays)
    arrays = spec.fit(arrays, params)
    for entry in spec.rowwise(arrays):
        if entry.kind.unpaired:
            arrays[entry.role] = padded(arrays[entry.role], n)
    findings = Findings()
    whole = check_whole(spec, params, {i.role: arrays.pop(i.role) for i in spec.whole(arrays)}, findings)
    order = None
    if spec.scope == "group":
        order = _contiguous(arrays)
        arrays = {role: a[order] for role, a in arrays.items()}
    reduce = spec.reduction(params)
    if order is None and apart(spec, reduce, params, arrays) and n > (step := block_rows(arrays)):
        return _in_blocks(spec, params, arrays, whole, findings, step)
    rows = np.arange(n) if order is None else order
    ready = prepare(spec, params, arrays, nan="error", findings=findings, rows=rows, whole=whole)
    raise_found(spec, findings)
    if n == 0 and reduce.views == ("set",):
        raise DataError(f"{spec.name}: there are no rows", code="empty")
    if spec.prelude is not None and spec.prelude.needed(params) and n:
        sums: dict[str, Sums] = {}
        prelude_sums(spec, ready.arrays, sums)
        params = {**params, **finish_prelude(spec, sums)}
    with np.errstate(all="ignore"):
        if spec.scope == "batch":
            out = run_batches(spec, ready.arrays, whole, params, np.zeros(min(rows_of(spec, ready.arrays), 1), np.intp))
        else:
            out = spec.run({**ready.arrays, **whole}, params)
        values = reduce.rows(out, reduce.row_mode)
    if values is None:
        return _of_all(reduce, out, params, n)
    if ready.kept is None or spec.sample_of(reduce) == "group":
        return values
    full = np.zeros(n)
    full[ready.kept] = values
    return full


def apart(spec: LossSpec, reduce: Reduction, params: Mapping[str, Value], arrays: Arrays) -> bool:
    """Whether every row has a value that no other row has a part in, and rows are those of arrays."""
    first_pass = spec.prelude is not None and spec.prelude.needed(params)
    flat = all(isinstance(array, np.ndarray) for array in arrays.values())
    return spec.scope == "row" and flat and not first_pass and reduce.views != ("set",)


def block_rows(arrays: Arrays) -> int:
    size = sum(array.nbytes // max(len(array), 1) for array in arrays.values())
    return int(min(max(BLOCK_BYTES // max(size, 1), 1), BLOCK_ROWS))


def _in_blocks(
    spec: LossSpec, params: Mapping[str, Value], arrays: Arrays, whole: Arrays, findings: Findings, step: int
) -> NDArray[np.float64]:
    """The values of many rows, ``step`` of them at a time; once an error is found, rows are only checked."""
    keep_freed()
    n = rows_of(spec, arrays)
    reduce = spec.reduction(params)
    values = np.zeros(n)
    for first in range(0, n, step):
        part = slice(first, first + step)
        rows = np.arange(first, min(first + step, n))
        some = {role: array[part] for role, array in arrays.items()}
        ready = prepare(spec, params, some, nan="error", findings=findings, rows=rows, whole=whole)
        if findings.fatal or (ready.kept is not None and not len(ready.kept)):
            continue
        with np.errstate(all="ignore"):
            found = reduce.rows(spec.run({**ready.arrays, **whole}, params), reduce.row_mode)
        values[part if ready.kept is None else rows[ready.kept]] = found
    raise_found(spec, findings)
    return values


def raise_found(spec: LossSpec, findings: Findings) -> None:
    """Raise the first error, or what is only known once everything was seen."""
    for finding in findings.of("error"):
        raise refuse(finding, None, None, spec.name, finding.rule.hint)
    verdict(spec, findings)


def _contiguous(arrays: Arrays) -> NDArray[np.int64]:
    """The order that puts rows of one group side by side, groups and rows in order of appearance."""
    _, first, codes = np.unique(arrays["group"], return_index=True, return_inverse=True)
    return np.argsort(first[codes], kind="stable")


def _of_all(reduce: Reduction, out: Any, params: Mapping[str, Value], n: int) -> float:
    """The number of a whole data set that is in memory."""
    sums = {}
    for name, term in reduce.terms(out, None).items():
        adder = Sums()
        if isinstance(term, tuple):
            adder.add_products(*term)
        else:
            adder.add(term)
        sums[name] = adder.total()
    totals = Totals(sums, n, from_int(n), reduce.width(out), reduce.kept(out))
    return reduce.finish("set", totals, None, params)
