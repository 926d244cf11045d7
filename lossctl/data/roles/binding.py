"""What the binding of columns to roles comes to: plain records that a pass over the sources reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from lossctl.data.labels import ClassNames, Vocabulary
from lossctl.data.roles import columns as cols
from lossctl.data.source import Source
from lossctl.errors import DataError, LossctlError
from lossctl.model.call import LossCall
from lossctl.model.spec import Input

__all__ = [
    "Batching",
    "Binding",
    "BoundCall",
    "LeftOut",
    "Ref",
    "Request",
    "input_of",
    "is_text",
    "left_out",
    "nothing_fits",
]


class Request(NamedTuple):
    """What the user said about columns. ``roles`` maps a role to columns as typed."""

    roles: Mapping[str, str] = {}
    weight: str | None = None
    mask: str | None = None
    key: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    classes: tuple[str, ...] | None = None
    positive: str | None = None
    unmatched: Literal["error", "drop"] | None = None
    batch_size: int | None = None
    batch: str | None = None


class Ref(NamedTuple):
    """Some columns of one source."""

    source: int
    columns: tuple[str, ...]


class Batching(NamedTuple):
    """Which rows are a batch: so many one after the other, those with one value in a column, or all of them."""

    size: int | None = None
    column: Ref | None = None


class BoundCall(NamedTuple):
    """A call whose inputs are found. ``call`` has its ``input`` settled."""

    call: LossCall
    refs: dict[str, Ref]
    classes: ClassNames
    width: int | None  # class scores beside a label, as far as the schema tells; None: a single score
    vocabulary: Vocabulary


class LeftOut(NamedTuple):
    """A loss that a set names and that does not fit."""

    of_set: str
    name: str
    reason: str


class Binding(NamedTuple):
    """Everything a pass over the sources needs to know about columns."""

    sources: list[Source]
    calls: list[BoundCall]
    weight: Ref | None
    mask: Ref | None
    by: tuple[Ref, ...]
    keys: tuple[Ref, ...]  # one for each source that has one; by more than one rows are paired
    positive: str | None
    notes: list[tuple[str, str]]  # code, sentence
    left: list[LeftOut]
    batching: Batching | None = None  # where a loss sees its rows in batches
    apart: str | None = None  # what --nan says, where no row pairs the inputs

    def wanted(self) -> tuple[list[list[str]], list[list[str]], list[list[str]]]:
        """For each source the columns to be read as numbers, as text, and as rows of any length."""
        numeric: list[dict[str, None]] = [{} for _ in self.sources]
        text: list[dict[str, None]] = [{} for _ in self.sources]
        sequences: list[dict[str, None]] = [{} for _ in self.sources]
        for bound in self.calls:
            for entry in bound.call.entry.spec.rowwise(bound.refs):
                ref = bound.refs[entry.role]
                bucket = text if self.reads_text(bound, entry.role) else numeric
                way = entry.kind.decode(bound.call.params, bound.width)
                if way in {"units", "sequence"} and len(ref.columns) == 1 and not self.is_single(bound, entry.role):
                    bucket = sequences
                bucket[ref.source].update(dict.fromkeys(ref.columns))
        for single in (self.weight, self.mask):
            if single is not None:
                numeric[single.source].update(dict.fromkeys(single.columns))
        batch = self.batching.column if self.batching is not None else None
        for ref in (*self.by, *self.keys, *((batch,) if batch is not None else ())):
            text[ref.source].update(dict.fromkeys(ref.columns))
        return [list(n) for n in numeric], [list(t) for t in text], [list(s) for s in sequences]

    @property
    def unpaired(self) -> bool:
        """Whether all inputs of all losses stand by themselves."""
        return all(i.kind.unpaired for bound in self.calls for i in bound.call.entry.spec.inputs)

    def files(self, bound: BoundCall) -> str:
        """The names of the files that a call reads."""
        places = dict.fromkeys(ref.source for ref in bound.refs.values())
        return ", ".join(self.sources[place].name for place in places)

    def is_single(self, bound: BoundCall, role: str) -> bool:
        """Whether a role that takes rows of any length is one number a row."""
        ref = bound.refs[role]
        column = cols.column_of(self.sources[ref.source], ref.columns[0])
        return input_of(bound.call, role).kind.single and len(ref.columns) == 1 and column.width is None

    def reads_text(self, bound: BoundCall, role: str) -> bool:
        """Whether a role's column is read as text."""
        return is_text(bound, role, self.sources, self.positive)


def is_text(bound: BoundCall, role: str, sources: Sequence[Source], positive: str | None) -> bool:
    """Whether a role's column is read as text: groups, sentences, and labels whose type is not numeric."""
    ref, entry = bound.refs[role], input_of(bound.call, role)
    way = entry.kind.decode(bound.call.params, bound.width)
    column = cols.column_of(sources[ref.source], ref.columns[0])
    if way == "units":
        plain = len(column.axes) < 2 and column.classes is None
        # JSON says of each number how it is written: tokens are compared so.
        return column.type in {"cell", "text"} or (sources[ref.source].format == "jsonl" and plain)
    if way == "text" or (way == "binary" and positive is not None):
        return True
    if (len(ref.columns) > 1 and way != "label") or column.width is not None:
        return False
    if way == "label":
        return any(
            cols.column_of(sources[r.source], name).type in {"cell", "text"}
            for compared in ("pred", "target")
            if (r := bound.refs.get(compared)) is not None
            for name in r.columns
        )
    truth = column.type == "bool" and set(bound.classes.names or ()) == {"true", "false"}
    return way == "class" and (truth or column.type in {"cell", "text"})


def input_of(call: LossCall, role: str) -> Input:
    return next(i for i in call.entry.spec.inputs if i.role == role)


def left_out(call: LossCall, error: LossctlError) -> LeftOut:
    reason = error.message.removeprefix(f"{call.name}: ")
    row = "" if error.row is None else f"row {error.row:,}"
    return LeftOut(str(call.of_set), call.name, f"{reason} ({row})" if row and row not in reason else reason)


def nothing_fits(left: Sequence[LeftOut]) -> DataError:
    """No loss of a set can be computed of these columns; those that got furthest, the last ones, say why."""
    why = {one.reason: f"{one.name}: {one.reason}" for one in reversed(left)}
    return DataError(
        f"no loss of {left[0].of_set} fits the input",
        code="nothing-fits",
        details=tuple(why.values())[:2],
        hint="name a loss to see what it needs, or the columns: --pred, --target",
    )
