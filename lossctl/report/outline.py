"""What a run would do (``inspect --plan``), for a reader and as the ``plan`` of ``lossctl.inspect/1``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lossctl import __version__
from lossctl.engine.outline import Outline, Reading
from lossctl.engine.plan import Need
from lossctl.report.page import Block, Item, Para, Section, bold, literal

if TYPE_CHECKING:
    from lossctl.engine.cluster.forecast import Dealing

__all__ = ["outline_blocks", "outline_json"]

CUTS = {
    "row-groups": "row groups of Parquet files, small ones taken together",
    "rows": "ranges of rows",
    "byte-ranges": "ranges of bytes that end with a row",
    "none": "chunk by chunk, read one after the other",
}
HOLDS = {
    "values": "values of all rows",
    "lists": "rows of all lists, if they turn out not to stand together",
    "quantiles": "values of all rows, for quantiles",
}
BEYOND = {
    "refused": "it is refused",
    "spooled": "the rest goes to a temporary file",
    "approximate": "statistics are approximate",
}
WAYS = {
    "files": "whole files, small ones taken together",
    "pieces": "files, small ones taken together, and pieces of large ones",
    "rows": "the same rows of all files in step",
}
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def outline_json(plan: Outline) -> dict[str, Any]:
    """The document ``lossctl.inspect/1`` with a ``plan``; no rows were read for it."""
    return {
        "schema": "lossctl.inspect/1",
        "lossctl": __version__,
        "files": [],
        "classes": None,
        "losses": list(plan.losses),
        "command": None,
        "notes": list(plan.left_out),
        "plan": {
            "sources": [{**one._asdict(), "columns": list(one.columns)} for one in plan.sources],
            "rows": plan.rows,
            "passes": plan.passes,
            "cut": plan.cut,
            "tasks": plan.tasks,
            "guessed": plan.guessed,
            "paired": plan.paired,
            "chunk_rows": plan.chunk_rows,
            "threads": plan.threads,
            "memory": {
                "allowed": plan.memory,
                "chunks": plan.chunk_bytes,
                "needs": [need._asdict() for need in plan.needs],
            },
            **({} if plan.dealt is None else {"dealt": dealt_json(plan.dealt)}),
        },
    }


def dealt_json(dealt: Dealing) -> dict[str, Any]:
    """What workers are given; where they are given nothing, why."""
    if dealt.obstacle is not None:
        return {"engine": dealt.engine, "obstacle": dealt.obstacle}
    return dealt._asdict()


def outline_blocks(plan: Outline) -> Iterator[Block]:
    """The same for a reader."""
    yield Section("WHAT IS READ")
    for one in plan.sources:
        yield Item(bold(one.name), (literal(sized(one)), literal(f"columns: {', '.join(one.columns)}")))
    yield Section("HOW")
    yield Item(bold("losses"), (literal(", ".join(plan.losses)), *(literal(left) for left in plan.left_out)))
    yield Item(bold("passes"), (literal("2: the first one for a statistic" if plan.passes > 1 else "1"),))
    yield Item(bold("tasks"), (literal(task_count(plan)),))
    yield Item(bold("chunks"), (literal(f"{counted(plan.chunk_rows, 'row')} at a time"),))
    away = plan.dealt is not None and plan.dealt.obstacle is None
    yield Item(bold("threads"), (literal("1 for a task" if away else f"{plan.threads:,}"),))
    if plan.dealt is not None:
        yield from dealt_blocks(plan.dealt)
    yield Section("MEMORY")
    yield Item(bold("allowed"), (literal(f"{size(plan.memory)} (--memory)"),))
    whose = "a task has" if away else "all threads have"
    yield Item(bold("chunks"), (literal(f"{size(plan.chunk_bytes)}: the arrays that {whose} before them"),))
    for need in plan.needs:
        yield Item(bold(need.loss), (literal(needed(need)),))
    if not plan.needs:
        yield Para(literal("The losses need sums only: no more memory for more rows."))


def dealt_blocks(dealt: Dealing) -> Iterator[Block]:
    """How the work is dealt out, and what comes back."""
    yield Section(f"ENGINE {dealt.engine.upper()}")
    if dealt.obstacle is not None:
        yield Item(bold("one machine"), (literal(f"all of it runs on this machine, since {dealt.obstacle}"),))
        return
    yield Item(bold("a task"), (literal(f"{WAYS[str(dealt.way)]}: {size(dealt.task_bytes)} at most"),))
    first = f"first, in a pass of {counted(dealt.counting, 'task')}" if dealt.counting else "on the way"
    yield Item(bold("rows"), (literal(f"counted {first}"),))
    more = f", and {counted(dealt.slice_bytes, 'byte')} for each value of --by" if dealt.slice_bytes else ""
    more += f", and {counted(dealt.row_bytes, 'byte')} for each row" if dealt.row_bytes else ""
    yield Item(bold("a state"), (literal(f"about {size(dealt.state_bytes)}{more}"),))
    merges = f"{dealt.merged} states at a time, on {counted(dealt.levels, 'level')}" if dealt.levels else "none"
    yield Item(bold("merges"), (literal(merges),))
    holds = "the names of the files, what is known of each, one state"
    yield Item(bold("this process"), (literal(f"holds about {size(dealt.driver_bytes)}: {holds}"),))


def sized(one: Reading) -> str:
    """Format, files, rows and bytes, as far as they are known."""
    parts = [one.format, counted(one.files, "file") if one.files > 1 else ""]
    parts += ["rows not known before they are read" if one.rows is None else counted(one.rows, "row")]
    parts += [] if one.bytes is None else [size(one.bytes)]
    return ", ".join(filter(None, parts))


def task_count(plan: Outline) -> str:
    if plan.paired:
        return "known once the keys of both files are paired, before anything is scored"
    if plan.dealt is not None and plan.dealt.obstacle is None:
        return f"{'about ' if plan.guessed else ''}{plan.tasks:,}, dealt out to workers"
    if plan.tasks is None:
        return f"as many as there turn out to be: {CUTS[plan.cut]}"
    return f"{'about ' if plan.guessed else ''}{plan.tasks:,}: {CUTS[plan.cut]}"


def needed(need: Need) -> str:
    """What a loss holds, and what becomes of it."""
    if need.bytes is None:
        return f"{HOLDS[need.kind]}: how many is not known before they are read; beyond --memory {BEYOND[need.beyond]}"
    amount = f"{'' if need.exact else 'at most '}{size(need.bytes)}"
    return f"{HOLDS[need.kind]}: {amount}, {'which fits' if need.fits else f'beyond --memory: {BEYOND[need.beyond]}'}"


def counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def size(count: int) -> str:
    """Bytes in the largest unit of which there is one.

    >>> size(1), size(1023), size(1536), size(5 << 30)
    ('1 byte', '1,023 bytes', '1.5 KiB', '5.0 GiB')
    """
    place = min(max(count.bit_length() - 1, 0) // 10, len(UNITS) - 1)
    return f"{count / 1024**place:,.1f} {UNITS[place]}" if place else counted(count, "byte")
