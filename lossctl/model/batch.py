"""From arrays to per-row values: the one road that files and function calls both take.

``prepare`` sorts rows into scored, missing and ignored, and notes every rule that a row breaks;
``values_of`` runs a loss over arrays held in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.errors import DataError, UsageError
from lossctl.model.findings import Findings, Rule, refuse
from lossctl.model.kinds import every, first_where
from lossctl.model.reduce import Totals
from lossctl.model.spec import Arrays, LossSpec, as_array, rows_of
from lossctl.sums import Sums, from_int

if TYPE_CHECKING:
    from lossctl.model.params import Value
    from lossctl.model.registry import Entry

__all__ = ["IGNORED", "NAN", "OK", "Prepared", "finish_prelude", "prepare", "settle", "values_of"]

OK, NAN, IGNORED = 0, 1, 2  # what became of a row
STATUS = ("ok", "nan", "ignored")

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
) -> Prepared:
    """Sort rows into kept and dropped, and check the kept ones.

    ``arrays`` (fitted, N rows) are not changed. ``nan`` is error, skip or propagate; ``mask`` (N,) says
    which rows count; ``rows`` (N,) are their 0-based numbers in the file, for messages.
    """
    n = len(rows)
    status = np.zeros(n, np.uint8)
    missing: NDArray[np.bool_] | None = None
    for entry in spec.inputs:
        array = arrays[entry.role]
        bad = entry.kind.missing(array, params)
        ignored = entry.kind.ignored(array, params)
        if ignored is not None:
            status[ignored] = IGNORED
        if bad.any():
            hit = every(bad)
            missing = hit if missing is None else missing | hit
    if mask is not None:
        status[~mask] = IGNORED
    if missing is not None:
        missing &= status != IGNORED
        if nan == "error":
            for entry in spec.inputs:
                array = arrays[entry.role]
                bad = entry.kind.missing(array, params)
                findings.add(entry.role, (MISSING, every(bad) & missing, first_where(array, bad)), rows)
        if nan != "propagate":
            status[missing] = NAN
    kept = None if not status.any() else np.flatnonzero(status == OK)
    chosen = arrays if kept is None else {role: a[kept] for role, a in arrays.items()}
    poisoned = missing if kept is None or missing is None else missing[kept]
    if poisoned is not None and not poisoned.any():
        poisoned = None
    kept_rows = rows if kept is None else rows[kept]
    return Prepared(_check(spec, params, chosen, kept_rows, poisoned, findings), status, kept, poisoned)


def _check(
    spec: LossSpec,
    params: Mapping[str, Value],
    arrays: Arrays,
    rows: NDArray[np.int64],
    poisoned: NDArray[np.bool_] | None,
    findings: Findings,
) -> Arrays:
    """Hold the kept rows against the rules of their kinds; give them back in canonical form."""
    if len(rows) == 0:
        return {i.role: i.kind.canonical(arrays[i.role], params) for i in spec.inputs}
    pred = arrays.get("pred")
    classes = pred.shape[1] if pred is not None and pred.ndim == 2 else None
    checked: dict[str, NDArray[Any]] = {}
    for entry in spec.inputs:
        array = arrays[entry.role]
        if poisoned is not None:
            # A harmless stand-in: the value of these rows becomes NaN, whatever the formula says.
            array = array.copy()
            array[poisoned] = array[np.argmin(poisoned)] if not poisoned.all() else 0
        for seen in entry.kind.check(array, params, classes):
            findings.add(entry.role, seen, rows)
        checked[entry.role] = array
    if findings.fatal:
        return checked
    canonical = {i.role: i.kind.canonical(checked[i.role], params) for i in spec.inputs}
    if spec.checks is not None:
        for seen in spec.checks(canonical, params):
            findings.add(spec.inputs[0].role, seen, rows)
    return canonical


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


def decoded(spec: LossSpec, inputs: Mapping[str, Any], params: Mapping[str, Value]) -> Arrays:
    """Arrays for in-memory inputs: labels become codes of one shared list, groups codes of their own."""
    raw = {role: as_array(value) for role, value in inputs.items()}
    pred = raw.get("pred")
    classes = pred.shape[1] if pred is not None and pred.ndim == 2 else None
    ways = {i.role: i.kind.decode(params, classes) for i in spec.inputs}
    arrays = dict(raw)
    together = [role for role, way in ways.items() if way == "label"]
    if any(raw[role].dtype.kind != "f" for role in together):
        _, codes = np.unique(np.concatenate([raw[r].ravel() for r in together]), return_inverse=True)
        parts = np.split(codes, np.cumsum([raw[r].size for r in together])[:-1])
        arrays.update({r: part.reshape(raw[r].shape) for r, part in zip(together, parts, strict=True)})
    for role, way in ways.items():
        if way == "text":
            arrays[role] = np.unique(raw[role], return_inverse=True)[1]
        elif way != "label" and arrays[role].dtype.kind != "f":
            raise DataError(f"{spec.name}: {role} is {raw[role].dtype}, and must be numbers", code="dtype")
        elif arrays[role].dtype == np.float16 or arrays[role].dtype.itemsize > 8:
            arrays[role] = arrays[role].astype(np.float64)
    return arrays


def values_of(spec: LossSpec, inputs: Mapping[str, Any], params: Mapping[str, Value]) -> Any:
    """(N,) values of rows (of groups in order of appearance), or one float for a data-set loss.

    Ignored rows are 0, as torch prints them. Raises ``DataError`` for values the kinds refuse.
    """
    arrays = spec.fit(decoded(spec, inputs, params), params)
    n = rows_of(arrays)
    order = None
    if spec.scope == "group":
        order = _contiguous(arrays)
        arrays = {role: a[order] for role, a in arrays.items()}
    findings = Findings()
    rows = np.arange(n) if order is None else order
    ready = prepare(spec, params, arrays, nan="error", findings=findings, rows=rows)
    for finding in findings.of("error"):
        raise refuse(finding, None, None, spec.name, None)
    verdict(spec, findings)
    if n == 0 and spec.reduce.views == ("set",):
        raise DataError(f"{spec.name}: there are no rows", code="empty")
    if spec.prelude is not None and spec.prelude.needed(params):
        sums: dict[str, Sums] = {}
        prelude_sums(spec, ready.arrays, sums)
        params = {**params, **finish_prelude(spec, sums)}
    out = spec.kernel(**ready.arrays, **spec.kernel_kwargs(params))
    mode = spec.reduce.row_mode
    values = spec.reduce.rows(out, mode)
    if values is None:
        return _whole(spec, out, params, n)
    if ready.kept is None or spec.scope == "group":
        return values
    full = np.zeros(n)
    full[ready.kept] = values
    return full


def _contiguous(arrays: Arrays) -> NDArray[np.int64]:
    """The order that puts rows of one group side by side, groups and rows in order of appearance."""
    _, first, codes = np.unique(arrays["group"], return_index=True, return_inverse=True)
    return np.argsort(first[codes], kind="stable")


def _whole(spec: LossSpec, out: Any, params: Mapping[str, Value], n: int) -> float:
    sums = {}
    for name, term in spec.reduce.terms(out, None).items():
        adder = Sums()
        if isinstance(term, tuple):
            adder.add_products(*term)
        else:
            adder.add(term)
        sums[name] = adder.total()
    totals = Totals(sums, n, from_int(n), spec.reduce.width(out))
    return spec.reduce.finish("set", totals, None, params)
