"""What the schema says about sequences: lists of tokens, frames that stand time first, rows end to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lossctl.data.cells import read_numbers
from lossctl.data.roles import columns as cols
from lossctl.data.roles.binding import Binding, BoundCall, input_of
from lossctl.data.roles.columns import Found
from lossctl.data.source import Column, Source
from lossctl.errors import DataError, UsageError
from lossctl.model.call import LossCall
from lossctl.model.spec import Input

__all__ = ["lay_out", "other_layout", "refuse_numbers", "settle_sequences"]

LOOK = 100  # cells that show whether an untyped column is text


def settle_sequences(
    call: LossCall, found: Mapping[str, Found], places: Mapping[str, int], sources: Sequence[Source]
) -> LossCall:
    """Let lists settle ``unit=token``, and sclite's files alternatives; tell sources how the rows of arrays lie."""
    lists = []
    for entry in call.entry.spec.inputs:
        way = entry.kind.decode(call.params, None)
        if entry.role not in found or way not in {"units", "sequence"}:
            continue
        source, name = sources[places[entry.role]], found[entry.role].columns[0]
        if way == "sequence":
            lay_out(call, entry.role, source, name, found, places)
        column = cols.column_of(source, name)
        check_rows(call, entry, source, column, found[entry.role].columns)
        if way == "units" and column.rows != 0 and not is_text(column):
            lists.append((entry.role, source, column))
    target = places.get("target")
    open_to_choice = "alternatives" in call.params and "alternatives" not in {*call.given, *call.entry.fixed}
    if open_to_choice and target is not None and sources[target].format == "trn":
        call = call.with_params({"alternatives": True})  # as sclite reads its own files
    if not lists or call.params.get("unit", "token") in {"token", "word"}:
        return call
    role, source, column = lists[0]
    if "unit" in call.given or "unit" in call.entry.fixed:
        raise UsageError(
            f'{call.name}: {role} = "{column.name}" is {column.dtype}, a list of tokens, and has no '
            f"{call.params['unit']}s",
            code="unit",
            file=source.name,
            hint="--unit token compares the tokens; text is needed for characters",
        )
    return call.with_params({"unit": "token"})


def is_text(column: Column) -> bool:
    """Whether there is one text a row."""
    return column.width is None and column.type in {"cell", "text"}


def check_rows(call: LossCall, entry: Input, source: Source, column: Column, columns: Sequence[str]) -> None:
    """Refuse several columns, one value a row where lists belong, and lists of lists where tokens belong."""
    if len(columns) > 1:
        if not entry.kind.spread:
            raise no_rows(call, entry, source, columns, f"are {len(columns)} columns", NAME_ONE.format(entry.role))
        return
    units = entry.kind.decode(call.params, None) == "units"
    if column.rows == 0 or (units and is_text(column)):
        return
    if column.width is None and not entry.kind.single:
        raise no_rows(call, entry, source, columns, *single(column, entry.role, units=units))
    if units and len(column.axes) > 1:
        sizes = " x ".join(str(size or "T") for size in column.axes)
        raise no_rows(call, entry, source, columns, f"is N x {sizes}", "rows of tokens have no further axis")


NAME_ONE = "a whole sequence stands in one column: --{} COLUMN"
LISTS = "sequences are arrays of two axes or more (NPY, NPZ), or lists (Parquet, Arrow, JSONL)"


def single(column: Column, role: str, *, units: bool) -> tuple[str, str]:
    """What a column of single values holds, and what to do about it."""
    if column.dtype in {"binary", "large_binary", "binary_view"}:
        return "holds bytes", "cast the column to a string (UTF-8)"
    if units:
        return f"holds single values ({column.dtype})", "cast numbers to text, to compare how they are written"
    if role == "target" and column.type == "int":
        return f"holds single values ({column.dtype})", f"{LISTS}; rows end to end need target_lengths beside them"
    return f"holds single values ({column.dtype})", LISTS


def no_rows(
    call: LossCall, entry: Input, source: Source, columns: Sequence[str], said: str, hint: str | None
) -> DataError:
    """The error for columns that hold no sequences."""
    return DataError(
        f"{call.name}: {cols.listed(columns)} {said}, and {entry.role} must be {entry.kind.phrase}",
        code="dtype" if said == "holds bytes" else "shape",
        file=source.name,
        column=columns[0] if len(columns) == 1 else None,
        hint=hint,
    )


def refuse_numbers(bound: BoundCall, sources: Sequence[Source]) -> None:
    """Raise where the first cells of what would be text are all numbers, as CSV does not tell the two apart."""
    for entry in bound.call.entry.spec.inputs:
        if entry.role not in bound.refs or entry.kind.decode(bound.call.params, None) != "units":
            continue
        ref = bound.refs[entry.role]
        column = cols.column_of(sources[ref.source], ref.columns[0])
        block = next(iter(sources[ref.source].blocks([], [column.name], LOOK)), None) if column.type == "cell" else None
        words = [] if block is None else block.labels(column.name)[1]
        if words and not read_numbers(words, frozenset()).flaws.any():
            raise DataError(f'{entry.role} = "{column.name}" holds numbers, and must be text', code="dtype")


def other_layout(binding: Binding) -> str | None:
    """What to try where rows differ in number and the other order of axes would make them agree."""
    for bound in binding.calls:
        known = {role: cols.column_of(binding.sources[ref.source], ref.columns[0]) for role, ref in bound.refs.items()}
        layout, pred = bound.call.params.get("layout"), known.get("pred")
        if layout is None or pred is None or not pred.axes:
            continue
        if pred.axes[0] in {column.rows for role, column in known.items() if role != "pred"}:
            if layout == "TNC":
                return "are rows the first axis (N x T x C)?  leave --layout TNC out"
            return "are frames the first axis (T x N x C)?  add --layout TNC"
    return None


def lay_out(
    call: LossCall, role: str, source: Any, name: str, found: Mapping[str, Found], places: Mapping[str, int]
) -> None:
    """Tell the source where the rows of an array are, where they are not its first axis."""
    column = cols.column_of(source, name)
    if call.params.get("layout") == "TNC" and "layout" in input_of(call, role).kind.params():
        if not hasattr(source, "turn"):
            raise UsageError(
                f"{call.name}: --layout TNC is for arrays, and {source.name} is {source.format}",
                code="layout",
                hint="leave --layout out",
            )
        source.turn(name)
    lengths = f"{role}-lengths"
    if column.width is None and column.type in {"int", "real"} and lengths in found and role == "target":
        if not hasattr(source, "cut") or places[lengths] != places[role]:
            raise DataError(
                f'{role} = "{name}" has one axis: rows end to end need their lengths in the same archive',
                code="shape",
                file=source.name,
                column=name,
            )
        source.cut(name, found[lengths].columns[0])
