"""What a run gives back: plain records, with every number still unrounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from lossctl.model.params import Value

__all__ = ["OURS", "InputInfo", "Interval", "Note", "Report", "Result", "Sample", "Samples", "apart"]


OURS = {"loss", "reduction", "slice", "n", "weight_sum", "value", "nonfinite"}  # columns of flat formats


def apart(names: Sequence[str], taken: set[str], prefix: str) -> tuple[str, ...]:
    """The names, with those that would hide a column of ours (``n``, ``status``) or each other marked: ``by.n``."""
    own = {name for name in names if name not in taken}
    used = taken | own
    found = []
    for name in names:
        shown = name
        if name in own:
            own.remove(name)  # it is for the first of several
        else:
            while shown in used:
                shown = f"{prefix}.{shown}"
            used.add(shown)
        found.append(shown)
    return tuple(found)


class InputInfo(NamedTuple):
    """One input file: which columns play which role, and the classes in order."""

    name: str
    role: str  # "table" where one file holds all roles, else the roles it holds
    format: str
    columns: Mapping[str, Sequence[str]]
    classes: Sequence[str] | None = None


class Note(NamedTuple):
    """A warning: a stable code and a sentence."""

    code: str
    message: str


class Interval(NamedTuple):
    """Where the value lies (``--ci``); ``low`` and ``high`` are NaN where nothing can be said."""

    level: float
    low: float
    high: float
    method: str
    resamples: int | None  # of the bootstrap
    seed: int | None


class Result(NamedTuple):
    """One loss over one slice. ``value`` is unrounded and may be infinite or NaN."""

    loss: str
    label: str
    slice: Literal["total", "group", "macro", "worst"]  # macro: the mean of the groups
    params: Mapping[str, Value]
    reduction: str
    value: float | None  # None with reduction "none"
    n: int
    weight_sum: float
    signature: str
    direction: Literal["minimise", "maximise"]
    unit: str
    per: str
    group: Mapping[str, str | None] | None = None
    resolved: Mapping[str, Value] | None = None
    n_elements: int | None = None
    divisor: float | None = None
    log_value: float | None = None
    stats: Mapping[str, float | None] | None = None
    histogram: tuple[int, ...] | None = None  # counts of row values in equal steps from min to max
    like: str | None = None
    dropped: Mapping[str, int] = {}
    column: str | None = None  # --per-column: the output column
    of_class: str | None = None  # --per-class: the class of the target
    ci: Interval | None = None
    sample_mean: float | None = None  # of the rows' own values, where the mean is another number
    parts: Mapping[str, float] = {}  # sums behind the value, such as substitutions and insertions

    def part(self, name: str) -> str | None:
        """The ``column`` or the ``class`` that the value is of, if it is of one."""
        return self.column if name == "column" else self.of_class


class Sample(NamedTuple):
    """One row (or group) with its values, in order of the losses; ``None`` where not scored."""

    row: int | None  # 1-based data row; None for a group
    key: tuple[str | None, ...]  # under Samples.key_names; a group's id for ranking losses
    status: str  # ok nan ignored
    values: tuple[float | None, ...]
    details: tuple[Any, ...] = ()  # under Samples.detail_names; what JSON can hold


class Samples(Protocol):
    """The samples to show: first rows, worst rows or all; may be iterated more than once."""

    per: str  # "row", "group" or "batch"
    key_names: tuple[str, ...]  # empty: keyed by row number
    labels: tuple[str, ...]
    detail_names: tuple[str, ...]  # what stands beside the values: decoded text, an alignment
    order: str  # "first", "worst" or "all"
    total: int  # how many there are in all

    def __iter__(self) -> Iterator[Sample]: ...

    def __len__(self) -> int: ...


class Report(NamedTuple):
    """Everything a run found, ready to be shown."""

    inputs: Sequence[InputInfo]
    read: int
    scored: int
    dropped: Mapping[str, int]
    results: Sequence[Result]
    samples: Samples | None
    warnings: Sequence[Note]
    partial: bool
    by: tuple[str, ...] = ()

    def to_pandas(self) -> Any:
        """The reduced results as a pandas DataFrame, one row for each loss and slice."""
        import pandas as pd

        rows = []
        split = [part for part in ("column", "class") if any(result.part(part) for result in self.results)]
        bounds = ["ci_low", "ci_high"] if any(result.ci for result in self.results) else []
        by = apart(self.by, {*OURS, *split, *bounds}, "by")
        for result in self.results:
            group = {shown: (result.group or {}).get(name) for shown, name in zip(by, self.by, strict=True)}
            rows.append(
                {
                    "loss": result.label,
                    "reduction": result.reduction,
                    **({"slice": result.slice} if self.by else {}),
                    **group,
                    **{part: result.part(part) for part in split},
                    "n": result.n,
                    "weight_sum": result.weight_sum,
                    "value": result.value,
                    **({"ci_low": result.ci.low, "ci_high": result.ci.high} if result.ci else {}),
                }
            )
        frame = pd.DataFrame(rows)
        for name in (*by, *split):  # a missing group, and no class, is None, not a NaN among texts
            frame[name] = pd.Series([row[name] for row in rows], dtype=object)
        return frame
