"""What the schema says about sequences: lists of tokens, frames that stand time first, rows end to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lossctl.data import columns as cols
from lossctl.data.binding import BoundCall, input_of
from lossctl.data.cells import read_numbers
from lossctl.data.columns import Found
from lossctl.data.source import Column, Source
from lossctl.errors import DataError, UsageError
from lossctl.model.call import LossCall
from lossctl.model.spec import Input

__all__ = ["lay_out", "refuse_numbers", "settle_sequences"]

LOOK = 100  # cells that show whether an untyped column is text


def settle_sequences(
    call: LossCall, found: Mapping[str, Found], places: Mapping[str, int], sources: Sequence[Source]
) -> LossCall:
    """Let lists settle ``unit=token``, and tell sources how the rows of arrays lie."""
    lists = []
    for entry in call.entry.spec.inputs:
        if entry.role not in found:
            continue
        way = entry.kind.decode(call.params, None)
        source, name = sources[places[entry.role]], found[entry.role].columns[0]
        if way == "sequence":
            lay_out(call, entry.role, source, name, found, places)
        column = cols.column_of(source, name)
        if len(found[entry.role].columns) > 1 and not entry.kind.spread:
            raise DataError(
                f"{call.name}: {entry.role} is {cols.listed(found[entry.role].columns)}, and must be one column: "
                f"{entry.kind.phrase} a row",
                code="shape",
                file=source.name,
                hint="lists come in Parquet, JSONL, NPY and NPZ",
            )
        if way in {"units", "sequence"} and len(found[entry.role].columns) == 1:
            check_rows(call, entry, source, column)
        if way == "units" and column.rows != 0 and (column.width is not None or column.type not in {"cell", "text"}):
            lists.append((entry.role, source, column.dtype, name))
    if lists and "unit" in call.params and call.params["unit"] not in {"token", "word"}:
        role, source, dtype, name = lists[0]
        if "unit" in call.given or "unit" in call.entry.fixed:
            raise UsageError(
                f'{call.name}: {role} = "{name}" is {dtype}, a list of tokens, and has no {call.params["unit"]}s',
                code="unit",
                file=source.name,
                hint="--unit token compares the tokens; text is needed for characters",
            )
        return call.with_params({"unit": "token"})
    return call


def check_rows(call: LossCall, entry: Input, source: Source, column: Column) -> None:
    """Refuse a column that holds one number a row, or text where lists of numbers belong."""
    text = column.type in {"cell", "text"} and column.width is None
    if column.width is None and column.rows != 0 and (entry.kind.decode(call.params, None) == "sequence" or not text):
        raise DataError(
            f'{call.name}: {entry.role} = "{column.name}" is {column.dtype}, and must be {entry.kind.phrase} a row',
            code="shape",
            file=source.name,
            column=column.name,
            hint="lists come in Parquet, JSONL, NPY and NPZ",
        )
    if entry.kind.decode(call.params, None) == "units" and column.type == "real" and column.rows != 0:
        raise DataError(
            f'{call.name}: {entry.role} = "{column.name}" is {column.dtype}, and must be {entry.kind.phrase}',
            code="dtype",
            file=source.name,
            column=column.name,
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
