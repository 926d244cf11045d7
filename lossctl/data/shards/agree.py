"""Whether a file holds the columns that another file of the same data holds, as far as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lossctl.data.source import Block, Column, Source
from lossctl.errors import DataError

__all__ = ["Wanted", "check_columns", "check_has", "check_kind"]

_TABLES = {"csv", "tsv", "text"}
_HINT = "the files of one data set hold the same columns; a quoted pattern ('part-*') takes some of a folder"


class Wanted(NamedTuple):
    """The columns asked for, as ``Source.blocks`` has them."""

    numeric: Sequence[str] = ()
    text: Sequence[str] = ()
    sequences: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        """All of them, once each."""
        return list(dict.fromkeys([*self.numeric, *self.text, *self.sequences]))

    def blocks(self, source: Source, rows: int) -> Iterator[Block]:
        """Blocks of a source with these columns."""
        return source.blocks(self.numeric, self.text, rows, self.sequences)


def check_kind(first: Source, other: Source, wanted: Wanted) -> None:
    """Raises ``DataError`` (``mixed-formats``, ``columns-differ``) for a file of another kind than ``first``."""
    if other.format != first.format:
        message = f"{other.name} is {other.format}, and {first.name} is {first.format}"
        raise DataError(message, code="mixed-formats", file=other.name, hint=_HINT)
    if other.format == "jsonl" and wanted.names:  # one key may be missing in all rows of a file, as in a single row
        known = {column.name for column in other.columns}
        if not any(name in known or other.find(name) for name in wanted.names):  # type: ignore[attr-defined]
            raise _absent(first, other, wanted.names[0])
    if other.format in _TABLES and _numbered(first) and _numbered(other) and len(first.columns) != len(other.columns):
        message = f"{len(other.columns)} columns are here, and {len(first.columns)} in {first.name}"
        raise DataError(message, code="columns-differ", file=other.name, hint="is the delimiter the same?")


def check_has(first: Source, other: Source, name: str) -> None:
    """Raises ``DataError`` (code ``columns-differ``) for a file without a column."""
    if all(column.name != name for column in other.columns):
        raise _absent(first, other, name)


def check_columns(first: Source, other: Source, wanted: Wanted) -> None:
    """Raises ``DataError`` (code ``columns-differ``) where a column asked for is not as it is in ``first``."""
    theirs = {column.name: column for column in reversed(other.columns)}
    mine = {column.name: column for column in reversed(first.columns)}
    for name in wanted.names:
        check_has(first, other, name)
        if _differ(mine[name], theirs[name], wanted):
            raise DataError(
                f"{_told(theirs[name])} here, and {_told(mine[name])} in {first.name}",
                code="columns-differ",
                file=other.name,
                column=name,
                hint=_HINT,
            )


def _absent(first: Source, other: Source, name: str) -> DataError:
    names = [column.name for column in other.columns]
    shown = ", ".join(names[:12]) + (f", ... ({len(names)} in all)" if len(names) > 12 else "")
    return DataError(
        f'there is no column "{name}" here, as there is in {first.name}',
        code="columns-differ",
        file=other.name,
        column=name,
        details=(f"columns: {shown}",),
        hint=_HINT,
    )


def _numbered(source: Source) -> bool:
    """Whether columns have no names but their numbers."""
    return all(column.name == str(place) for place, column in enumerate(source.columns, 1))


def _differ(one: Column, other: Column, wanted: Wanted) -> bool:
    """Whether two columns cannot be read as one. Numbers are numbers, but as text 1 and 1.0 are not the same."""
    if other.dtype == "null" and one.width is None:
        return False
    single = one.width is None
    if (one.type == "text") != (other.type == "text") or other.type == "other" or single != (other.width is None):
        return True
    written = one.name in wanted.text or (single and one.name in wanted.sequences)
    if written and one.type != other.type:
        return True
    sizes, others = one.axes or (one.width or 0,), other.axes or (other.width or 0,)
    if len(sizes) != len(others):
        return True
    fixed = one.name in wanted.numeric
    return any(a != b and a and b for a, b in zip(sizes[not fixed :], others[not fixed :], strict=True))


def _told(column: Column) -> str:
    sizes = column.axes or ((column.width,) if column.width else ())
    told = " x ".join(str(size or "T") for size in sizes)
    return f"{column.dtype} ({told} values a row)" if told and not column.dtype.startswith("fixed") else column.dtype
