"""The Python door: the same engine as the command line, over files or arrays."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.inputs import Inputs, open_beside, open_inputs
from lossctl.data.remembered import Remembered
from lossctl.data.roles.binding import Request
from lossctl.data.source import Source
from lossctl.engine.options import ALL, Options, Plan, memory_size
from lossctl.engine.result import Note, Report, Result
from lossctl.engine.run import run
from lossctl.engine.samples import SampleLog
from lossctl.engine.scores import Scores
from lossctl.engine.scoring import Opened, Opening, check_names, score_files, sort_label
from lossctl.errors import UsageError
from lossctl.model.call import LossCall, accepted, member, parse_calls
from lossctl.model.spec import LossSpec

__all__ = ["Computed", "Scores", "compute", "score"]

OPTIONS = set(Options._fields)
PLAN = {"ci_method": "method", "resamples": "resamples", "seed": "seed"}
LISTS = ("key", "by", "classes")
READER = ("input_format", "delimiter", "no_header", "null_values")
REQUEST = Request._fields[1:]  # all but the roles, which each loss names
# Not given is what None means for these; a parameter may be None in earnest.
OPTIONAL = {*REQUEST, *PLAN, *(OPTIONS - {"nan", "empty"})}


class Computed:
    """What ``compute`` gives back: one number where one loss was named, and everything behind it."""

    def __init__(self, report: Report, again: Any) -> None:
        self.report = report
        self._again = again
        self._rows: NDArray[np.float64] | None = None

    @property
    def results(self) -> Sequence[Result]:
        """Every loss and slice, totals first."""
        return self.report.results

    @property
    def warnings(self) -> Sequence[Note]:
        return self.report.warnings

    def _only(self) -> Result:
        totals = [r for r in self.report.results if r.slice == "total" and r.column is None and r.of_class is None]
        if len(totals) > 1:
            raise UsageError("several losses were computed", code="several-losses", hint="see .results or .to_pandas()")
        return totals[0]

    @property
    def value(self) -> float | None:
        """The reduced value of the only loss."""
        return self._only().value

    @property
    def n(self) -> int:
        """Rows (or lists) behind the value."""
        return self._only().n

    @property
    def signature(self) -> str:
        """What must agree before two values may be compared."""
        return self._only().signature

    @property
    def per_sample(self) -> NDArray[np.float64]:
        """(N,) values of rows (N x losses where several were named); NaN where a row was not scored."""
        if self._rows is None:
            log = self._again().samples
            if not isinstance(log, SampleLog):
                raise UsageError("this loss has no per-sample values", code="mixed-units")
            rows = log.arrays()
            self._rows = rows[:, 0] if rows.shape[1] == 1 else rows
        return self._rows

    def to_pandas(self) -> Any:
        """The reduced results as a DataFrame, one row for each loss and slice."""
        return self.report.to_pandas()

    def __repr__(self) -> str:
        return "\n".join(map(line, self.results))


def line(result: Result) -> str:
    """A result in one line."""
    parts = {**(result.group or {}), "column": result.column, "class": result.of_class}
    within = "".join(f" {name}={value}" for name, value in parts.items() if value is not None)
    within = f" {result.slice}{within}" if result.slice in {"macro", "worst"} else within
    bounds = "" if result.ci is None else f" [{result.ci.low!r}, {result.ci.high!r}]"
    return f"{result.label} {result.reduction}{within} {result.value!r}{bounds} (n={result.n})"


def compute(losses: str, *inputs: Any, **options: Any) -> Computed:
    """Score files or arrays: ``compute("huber", pred, target, delta=1.0)``.

    ``losses`` as on the command line (``"mse,huber:delta=0.5"``). ``inputs`` are paths (one table, or
    one file a role), or one array for each role in the loss's order; anything NumPy, pandas, Arrow or
    polars holds will do. Options are the command line's, with ``_`` for ``-``: parameters of the losses,
    roles (column names), ``weight mask by key nan reduction like ci ...``; with arrays, ``weight``, ``mask``,
    ``by`` and ``batch`` may be arrays as well. ``per_sample="losses.parquet"`` writes the value of every row into a
    file. Raises ``DataError``, ``UsageError`` and ``OutputError``.
    """
    asked = Asked.of(losses, options)
    found = asked.opening(inputs, {})()

    def once(settings: Options) -> Report:
        return run(asked.calls, found.sources, found.request, settings, found.elsewhere, None, found.inputs)

    chosen = asked.options
    return Computed(once(chosen), lambda: once(chosen._replace(rows=ALL, worst=None, ci=None, per_sample=None)))


def score(
    losses: str,
    files: Mapping[str, Any] | Sequence[str | os.PathLike[str]],
    *,
    targets: Any = None,
    keep_going: bool = False,
    sort: str | None = None,
    **options: Any,
) -> Scores:
    """Score many files, or arrays, with the same losses: ``score("mse,mae", {"old": "a.csv", "new": "b.csv"})``.

    ``files`` are paths, or paths or arrays by name; ``targets`` is one file, or array, for them all. ``sort`` is the
    label of a loss, or ``name``. Options are those of ``compute``. ``.to_pandas()`` is a table of files x losses,
    ``.results`` has everything by file. Raises ``DataError`` for the first file that cannot be scored, unless
    ``keep_going``: then it is in ``.errors``; and ``UsageError``.
    """
    asked = Asked.of(losses, options)
    shown = [name for name in ("rows", "worst", "show_alignment", "per_sample") if options.get(name)]
    if shown or asked.options.reduction == "none":
        what = shown[0] if shown else 'reduction="none"'
        raise UsageError(f"{what} is about the samples of one file", code="bad-option", hint="lossctl.compute")
    pairs = list(files.items()) if isinstance(files, Mapping) else [(os.fspath(path), path) for path in files]
    if not pairs:
        raise UsageError("no file to score", code="no-input", hint='score(losses, ["preds.csv"])')
    check_names([name for name, _ in pairs], 'give names: {"a": path, "b": path}')
    if isinstance(targets, (str, os.PathLike)):
        targets = open_beside(os.fspath(targets), **asked.reader_of_files)
        targets = (
            Remembered(targets, asked.options.memory) if len(pairs) > 1 and asked.options.engine == "local" else targets
        )
    beside = () if targets is None else (targets,)
    shelf: dict[str, Source] = {}
    openings = {name: asked.opening((value, *beside), shelf) for name, value in pairs}
    return score_files(asked.calls, openings, asked.options, keep_going=keep_going, sort=sort_label(sort, asked.calls))


class Asked(NamedTuple):
    """A call as it was meant: the losses with their parameters, and each option where it belongs."""

    calls: list[LossCall]
    options: Options
    roles: dict[str, str]
    request: dict[str, Any]
    reader: dict[str, Any]

    @classmethod
    def of(cls, losses: str, options: Mapping[str, Any]) -> Asked:
        given = {name: value for name, value in options.items() if value is not None or name not in OPTIONAL}
        shared = {name: given.pop(name) for name in list(given) if name in OPTIONS}
        if isinstance(shared.get("memory"), str):
            shared["memory"] = memory_size(shared["memory"])
        if shared.get("rows") == "all":
            shared["rows"] = ALL
        if shared.get("per_sample") is not None:
            shared["per_sample"] = os.fspath(shared["per_sample"])
        plan = {PLAN[n]: given.pop(n) for n in PLAN if n in given}
        if shared.get("ci") is not None or plan:
            shared["ci"] = interval_plan(shared.get("ci"), plan)
        reader = {n: given.pop(n) for n in READER if n in given}
        bare = parse_calls(losses)
        others = {word: role for c in bare for i in c.entry.spec.inputs for role, word in i.kind.synonyms.items()}
        given = {others.get(n, n): value for n, value in given.items()}
        roles = {n: given.pop(n) for n in list(given) if any(n in c.entry.spec.roles for c in bare)}
        request: dict[str, Any] = {n: given.pop(n) for n in REQUEST if n in given}
        return cls(with_options(bare, given), Options(**{"rows": 0, **shared}).checked(), roles, request, reader)

    @property
    def reader_of_files(self) -> dict[str, Any]:
        """How every file is read."""
        prose = all(call.entry.spec.reads_text for call in self.calls)
        return {"prose": prose, "endpoint_url": self.options.endpoint_url, **self.reader}

    def opening(self, inputs: Sequence[Any], shelf: dict[str, Source]) -> Opening:
        """How these paths, or these arrays, are opened; a path may be a source that is open already."""

        def opened() -> Opened:
            request, columns, elsewhere = dict(self.request), self.roles, dict[str, int]()
            known = None
            if all(isinstance(item, (str, os.PathLike)) or is_source(item) for item in inputs):
                paths = [os.fspath(item) if isinstance(item, os.PathLike) else item for item in inputs]
                sources, columns, elsewhere = open_inputs(
                    paths,
                    self.roles,
                    memory=self.options.memory,
                    unmatched=self.request.get("unmatched"),
                    shelf=shelf,
                    **self.reader_of_files,
                )
                known = self.inputs(paths)
            else:
                sources = arrays_source(self.calls, inputs, request)
            wanted: dict[str, Any] = {k: listed(v) if k in LISTS else v for k, v in request.items()}
            return Opened(sources, Request(roles=columns, **wanted), elsewhere, known)

        return opened

    def inputs(self, paths: Sequence[Any]) -> Inputs:
        """The files, for others to open the same."""
        reader = dict(self.reader_of_files)
        prose, unmatched = reader.pop("prose"), self.request.get("unmatched")
        names = tuple(path if isinstance(path, str) else path.name for path in paths)
        return Inputs(names, self.roles, prose, unmatched, self.options.memory, reader)


def is_source(value: Any) -> bool:
    return hasattr(value, "blocks") and hasattr(value, "columns")


def interval_plan(level: Any, settings: dict[str, Any]) -> Plan | None:
    """``ci=0.95`` or ``ci=True``, with ``ci_method``, ``resamples`` and ``seed``."""
    if level is None or level is False:
        if settings:
            raise UsageError(f"{', '.join(settings)}: no interval is asked for", code="bad-option", hint="ci=0.95")
        return None
    return level if isinstance(level, Plan) and not settings else Plan.asked(level, settings)


def with_options(calls: list[LossCall], given: dict[str, Any]) -> list[LossCall]:
    """Parameters from keywords: each goes to every loss that has it; one that none has is an error."""
    for name in given:
        if not any(name in call.entry.spec.params for call in calls):
            named = ", ".join(call.name for call in calls)
            raise UsageError(f"{name} is no parameter of {named} and no option", code="unknown-parameter")

    def made(call: LossCall) -> LossCall:
        mine = {name: value for name, value in given.items() if name in call.entry.spec.params}
        return LossCall.make(call.name, {**mine, **call.given})

    found = [made(c) if c.of_set is None else member(c.name, c.of_set, partial(made, c)) for c in calls]
    accepted(found, given)
    return found


def listed(value: Any) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value.split(",") if isinstance(value, str) else map(str, value)))


def arrays_source(calls: Sequence[LossCall], inputs: Sequence[Any], request: dict[str, Any]) -> list[Source]:
    """Arrays as a table in memory: a column for each role, and for weight, mask and groups."""
    spec = calls[0].entry.spec
    if calls[0].of_set is not None:
        spec = usual([call.entry.spec for call in calls], len(inputs)) or spec
    if not takes(spec, len(inputs)):
        roles = ", ".join(f"{i.role} (optional)" if i.optional else i.role for i in spec.inputs)
        raise UsageError(f"{spec.name} takes the arrays {roles}, got {len(inputs)}", code="file-count")
    columns: dict[str, Any] = {}
    for entry, value in zip(spec.slots(len(inputs)), inputs, strict=False):
        if entry.kind.mapping:
            columns.update(value)
        elif value is not None:
            columns[entry.role] = value
    for name in ("weight", "mask", "by", "batch"):
        value = request.get(name)
        if value is not None and not isinstance(value, str):
            columns[name], request[name] = value, name
    return [MemorySource(columns)]


def takes(spec: LossSpec, arrays: int) -> bool:
    return sum(not i.optional for i in spec.inputs) <= arrays <= len(spec.inputs)


def usual(specs: Sequence[LossSpec], arrays: int) -> LossSpec | None:
    """A loss whose inputs are those that most losses of a set have which take so many arrays: of two, the second
    holds targets.
    """
    fitting = [
        spec for spec in specs if takes(spec, arrays) and (arrays != 2 or {i.side for i in spec.inputs} != {"P"})
    ]
    counts = Counter(spec.roles[:arrays] for spec in fitting)
    return max(fitting, key=lambda spec: counts[spec.roles[:arrays]], default=None)
