"""Two sources paired by key columns, whatever the order of their rows; as many rows as there may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np

from lossctl.data.held import Held
from lossctl.data.keys import KeyTable, shown
from lossctl.data.pairing import Paired, paired, pieces
from lossctl.data.reordered import Filtered, Lone, Reordered
from lossctl.data.shelves import Room, Shelf
from lossctl.data.source import placed
from lossctl.errors import DataError, UsageError

if TYPE_CHECKING:
    from lossctl.data.roles.binding import Binding
    from lossctl.data.source import Source
    from lossctl.data.values import Values

__all__ = ["Wanted", "joined", "rejoin"]

_SHOWN = 3


class Wanted(NamedTuple):
    """The columns of a source that will be read."""

    numeric: Sequence[str]
    text: Sequence[str]
    sequences: Sequence[str]


class Join(NamedTuple):
    """What came of two sources: both in one order, and which rows of the one that streams are in it."""

    stream: Source
    held: Source
    kept: Shelf | None  # None: all of them
    rows: int  # that it had


def joined(
    first: Source,
    second: Source,
    first_keys: Sequence[str],
    second_keys: Sequence[str],
    wanted: Wanted,
    unmatched: Literal["error", "drop"] = "error",
    memory: int = 2 << 30,
) -> tuple[Source, Source]:
    """Both sources with their rows in the order of ``first``, which streams; of ``second`` the columns ``wanted``
    are held. Both as they are where the rows stand in the same order already.

    Keys are compared as text. Raises ``DataError``: ``key-missing``, ``key-repeated``, and ``unmatched-keys`` for
    rows without a partner, which ``drop`` leaves out: the sources say how many (``unmatched``) and which
    (``lone()``). Up to ``memory`` bytes are used, and temporary files beyond that.
    """
    found = join((first, second), (first_keys, second_keys), 0, wanted, unmatched, memory)
    return found.stream, found.held


def join(
    sources: tuple[Source, Source],
    keys: tuple[Sequence[str], Sequence[str]],
    lead: Literal[0, 1],
    wanted: Wanted,
    unmatched: Literal["error", "drop"],
    memory: int,
    noun: str = "keys",
) -> Join:
    """As ``joined``, in the order of the source that leads; messages name the first one first."""
    room = Room(memory // 2)
    tables = [KeyTable(source, names, room) for source, names in zip(sources, keys, strict=True)]
    mine, theirs = tables[lead], tables[1 - lead]
    pairs = paired(mine, theirs, room, memory // 4)
    for table in tables:
        table.digests.drop()
    if pairs is None:
        return stepped(mine.source, theirs.source, None, mine.rows)
    whole = pairs.pairs == mine.rows == theirs.rows
    lone = [] if whole else lone_rows(pairs, mine, theirs, room)
    if lone and unmatched != "drop":
        raise unmatched_keys(lone[::-1] if lead else lone, noun)
    if not lone or not lone[0].rows.rows:
        mine.drop()
    held = Held(theirs.source, *wanted, room, theirs.columns)
    if whole:
        return stepped(mine.source, Reordered(held, pairs.order), None, mine.rows)
    kept, places = partners(pairs, room)
    stream = Filtered(mine.source, kept, mine.rows, lone[0]) if lone[0].rows.rows else mine.source
    return stepped(stream, Reordered(held, places, lone[1]), kept, mine.rows)


def stepped(stream: Any, held: Any, kept: Shelf | None, rows: int) -> Join:
    """Both, each marked as in step with the other, so that their keys need not be compared again."""
    stream.in_step, held.in_step = held, stream
    return Join(stream, held, kept, rows)


def are_in_step(one: Source, other: Source) -> bool:
    return getattr(one, "in_step", None) is other


def partners(pairs: Paired, room: Room) -> tuple[Shelf, Shelf]:
    """The rows that have a partner, and where that one stands."""
    kept, places = Shelf(room, np.int64), Shelf(room, np.int64)
    for first, stop in pieces(pairs.order.rows):
        order = pairs.order.piece(first, stop)
        there = np.flatnonzero(order >= 0)
        kept.add(there + first)
        places.add(order[there])
    return kept.done(), places.done()


def lone_rows(pairs: Paired, mine: KeyTable, theirs: KeyTable, room: Room) -> list[Lone]:
    """The rows of both that have no partner."""

    def left(table: KeyTable, absent: Callable[[int, int], Values]) -> Lone:
        rows = Shelf(room, np.int64)
        for first, stop in pieces(table.rows):
            rows.add(np.flatnonzero(absent(first, stop)) + first)
        return Lone(table, rows.done())

    order, used = pairs.order, pairs.used
    return [left(mine, lambda a, b: order.piece(a, b) < 0), left(theirs, lambda a, b: ~used.piece(a, b))]


def unmatched_keys(lone: Sequence[Lone], noun: str) -> DataError:
    """The error for rows without a partner."""
    names = [one.table.source.name for one in lone]
    counts = ", ".join(f"{one.rows.rows:,} in {name}" for one, name in zip(lone, names, strict=True))
    details = []
    for one, mine, its in zip(lone, names, reversed(names), strict=True):
        if one.rows.rows:
            details.append(f"only in {mine}, not in {its}: {listed(one, noun)}")
    there = next(one for one in lone if one.rows.rows)
    file, row = placed(there.table.source, int(there.rows.piece(0, 1)[0]))
    return DataError(
        f"{noun} without a partner: {counts}",
        code="unmatched-keys",
        file=file,
        row=row + 1,
        column=there.table.names[0],
        details=tuple(details),
        hint="--unmatched drop leaves them out, and counts them",
    )


def listed(lone: Lone, noun: str) -> str:
    """The first few keys."""
    some = [shown(key) if noun == "keys" else " ".join(map(str, key)) for key in islice(lone.keys(), _SHOWN)]
    return ", ".join(some) + (", ..." if lone.rows.rows > _SHOWN else "")


def left_out(source: Source, noun: str = "keys") -> str | None:
    """A sentence about the rows of a source that were left out, if there are any."""
    count: int = getattr(source, "unmatched", 0)
    if not count:
        return None
    lone: Lone = source._lone  # type: ignore[attr-defined]
    return f"{count:,} left out that have no partner: {listed(lone, noun)}"


def rejoin(binding: Binding, unmatched: Literal["error", "drop"], memory: int) -> Binding:
    """The binding with its keyed sources in the order of the first one, unless they stand in one already.

    Under ``drop`` the other sources that are read row by row lose the same rows. Raises as ``joined``, and
    ``UsageError`` for what cannot be done together.
    """
    lead, *others = binding.keys
    others = [ref for ref in others if not are_in_step(binding.sources[lead.source], binding.sources[ref.source])]
    if len(others) > 1 and unmatched == "drop":
        files = ", ".join(binding.sources[ref.source].name for ref in binding.keys)
        message = f"--unmatched drop is for two files, and {len(binding.keys)} are paired by key: {files}"
        raise UsageError(message, code="bad-option", hint="leave it out, or make one file of them")
    wanted = binding.wanted()
    sources, notes = list(binding.sources), list(binding.notes)
    for ref in others:
        pair = (sources[lead.source], sources[ref.source])
        columns = Wanted(*(names[ref.source] for names in wanted))
        found = join(pair, (lead.columns, ref.columns), 0, columns, unmatched, memory // len(others))
        sources[lead.source], sources[ref.source] = found.stream, found.held
        if found.kept is not None:
            refuse_both(binding, wanted)
            for place in set(range(len(sources))) - {lead.source, ref.source}:
                if any(names[place] for names in wanted):
                    sources[place] = cast("Source", Filtered(sources[place], found.kept, found.rows))
        for source in (found.stream, found.held):
            if (note := left_out(source)) is not None:
                notes.append(("unmatched", f"{source.name}: {note}"))
    return binding._replace(sources=sources, notes=notes)


def refuse_both(binding: Binding, wanted: tuple[list[list[str]], ...]) -> None:
    """Refuse a file that holds an array for all rows beside columns that lose rows."""
    for bound in binding.calls:
        for entry in bound.call.entry.spec.whole(bound.refs):
            place = bound.refs[entry.role].source
            if any(names[place] for names in wanted):
                message = (
                    f"{binding.sources[place].name} holds {entry.role} beside rows that --unmatched drop leaves out"
                )
                raise UsageError(message, code="bad-option", hint=f"put {entry.role} into a file of its own")
