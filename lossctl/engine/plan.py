"""What a run would do, told before it reads: rows, tasks, threads, and what would be held in memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from lossctl.data.roles import columns as cols
from lossctl.data.roles.binding import Binding
from lossctl.data.source import Source
from lossctl.data.tasks import cutting, tasks
from lossctl.engine.job import Job
from lossctl.engine.options import Options, processors, quantile_of
from lossctl.engine.pace import chunk_rows, row_bytes
from lossctl.errors import UsageError

__all__ = ["Need", "Outline", "Reading", "housed", "known_rows", "outline", "threads_of"]

NUMBER = 8  # bytes of a value, a weight, a slice's number
CODE = 4  # of a slice's number, beside a value for quantiles
TEXTS = ("csv", "tsv")  # formats whose rows are found by reading
COMPRESSED = (".gz", ".zst")

Kind: TypeAlias = Literal["values", "lists", "quantiles"]
Beyond: TypeAlias = Literal["refused", "spooled", "approximate"]


class Need(NamedTuple):
    """What a loss holds of all rows at once. ``exact``: so many bytes, rather than at most so many."""

    loss: str
    kind: Kind
    bytes: int | None  # None where nobody knows the rows
    exact: bool
    fits: bool | None
    beyond: Beyond  # what happens if it does not fit


class Reading(NamedTuple):
    """One source, and what will be read of it."""

    name: str
    format: str
    files: int
    rows: int | None
    bytes: int | None  # of the files; None for what is no file
    columns: tuple[str, ...]


class Outline(NamedTuple):
    """A run that has not begun. ``tasks`` are a guess where ``guessed``."""

    losses: tuple[str, ...]
    left_out: tuple[str, ...]
    sources: tuple[Reading, ...]
    rows: int | None
    passes: int
    cut: Literal["row-groups", "rows", "byte-ranges", "none"]
    tasks: int | None
    guessed: bool
    paired: bool  # by keys, before anything is scored; only that tells the tasks
    chunk_rows: int
    threads: int
    chunk_bytes: int  # of all threads together
    memory: int  # what --memory allows
    needs: tuple[Need, ...]


def outline(binding: Binding, jobs: Sequence[Job], options: Options) -> Outline:
    """What a run over the binding would do. Footers and headers are read for it, and no rows."""
    rows, threads = known_rows(binding, options.limit), threads_of(jobs, options)
    chunk = chunk_rows(binding, options.chunk_rows, threads)
    way, used, _ = cutting(binding, options.limit)
    count, guessed, rows = counted_tasks(binding, options, chunk, rows)
    threads = threads if count is None else max(1, min(threads, count))
    cut: Any = "none"
    if way != "chunks" and len(binding.keys) < 2:
        source = binding.sources[used[0]]
        cut = {"parquet": "row-groups", "csv": "byte-ranges", "tsv": "byte-ranges"}.get(source.format, "rows")
        cut = "rows" if len({binding.sources[place].format for place in used}) > 1 else cut
    wanted = list(zip(*binding.wanted(), strict=True))
    needs = [need for job in jobs if (need := need_of(binding, job, options, rows)) is not None]
    return Outline(
        losses=tuple(job.label for job in jobs),
        left_out=tuple(f"{one.name}: {one.reason}" for one in binding.left),
        sources=tuple(reading(binding.sources[place], wanted[place]) for place in used),
        rows=rows,
        passes=1 + any(job.needs_prelude for job in jobs),
        cut=cut,
        tasks=count,
        guessed=guessed,
        paired=len(binding.keys) > 1,
        chunk_rows=chunk,
        threads=threads,
        chunk_bytes=threads * row_bytes(binding) * (chunk if rows is None else min(chunk, rows)),
        memory=options.memory,
        needs=tuple(needs),
    )


def counted_tasks(
    binding: Binding, options: Options, chunk: int, rows: int | None
) -> tuple[int | None, bool, int | None]:
    """How many tasks there are, whether that is a guess, and the rows, if they are known after all.

    The tasks are those that the run itself makes, as far as that can be done without reading rows.
    """
    way, used, _ = cutting(binding, options.limit)
    sources = [binding.sources[place] for place in used]
    if len(binding.keys) > 1:
        return None, False, rows
    if way == "chunks":
        return None if rows is None else -(-rows // chunk), False, rows
    if way == "spans" and not hasattr(sources[0], "cuts"):
        return guess(sources[0]), True, rows
    sizes = [task.size() for task in tasks(binding, chunk, options.limit)]
    return len(sizes), False, sum(sizes)


def guess(source: Source) -> int | None:
    """About how many spans there will be of text whose rows are found by reading."""
    from lossctl.data.text.rowends import about

    paths = paths_of(source)
    if source.format not in TEXTS or paths is None or any(path.endswith(COMPRESSED) for path in paths):
        return None
    return sum(about(os.path.getsize(path)) for path in paths)


def reading(source: Source, wanted: Sequence[Sequence[str]]) -> Reading:
    columns = tuple(dict.fromkeys(name for names in wanted for name in names))
    paths = paths_of(source)
    size = None if paths is None else sum(map(os.path.getsize, paths))
    files = len(getattr(source, "files", (source.name,)))
    return Reading(source.name, source.format, files, rows_of(source, columns), size, columns)


def paths_of(source: Source) -> list[str] | None:
    """The regular files of a source; ``None`` if it has others."""
    paths = list(getattr(source, "files", (source.name,)))
    return paths if all(map(os.path.isfile, paths)) else None


def rows_of(source: Source, columns: Sequence[str]) -> int | None:
    """How many rows the header tells of, else the places at which the source may be cut."""
    told = [column.rows for column in source.columns if column.name in columns and column.rows is not None]
    cuts = getattr(source, "cuts", None)
    return min(told) if told else int(cuts()[-1]) if cuts is not None else None


def known_rows(binding: Binding, limit: int | None) -> int | None:
    """How many rows a pass has, if any of the headers tells: all sources have the same number, or the run fails."""
    told = []
    for source, *wanted in zip(binding.sources, *binding.wanted(), strict=True):
        names = {name for columns in wanted for name in columns}
        told += [column.rows for column in source.columns if column.name in names and column.rows is not None]
    if binding.apart is not None and told:
        told = [max(told)]
    return min([*told, *([] if limit is None else [limit])]) if told else None


def threads_of(jobs: Sequence[Job], options: Options) -> int:
    """How many threads may be at work. Lists may go on from chunk to chunk, and batches are counted: one sees all."""
    return 1 if any(job.unit != "row" for job in jobs) else options.threads or processors()


# What is held of all rows at once.


def need_of(binding: Binding, job: Job, options: Options, rows: int | None) -> Need | None:
    """What a loss holds of all rows; ``None`` where sums are enough."""
    names: tuple[str, ...] = getattr(job.reduce, "keep", ())
    collects = job.has_samples and (quantile_of(job.view) is not None or options.stats)
    beside = NUMBER * ((binding.weight is not None) + bool(binding.by))
    exact = options.nan != "skip" and binding.mask is None and binding.weight is None and len(binding.keys) < 2
    kind: Kind
    beyond: Beyond = "refused"
    if names:
        kind, each = "values", kept_bytes(binding, job, options, len(names))
        exact = exact and each is not None
    elif job.cutter is not None:
        kind, each, exact = "lists", row_bytes(binding) + NUMBER + beside, False
    elif collects:
        kind, each = "quantiles", NUMBER + CODE * bool(binding.by)
        exact = exact and not options.per_column and not options.per_class
        beyond = "approximate" if quantile_of(job.view) is None else "spooled"
    else:
        return None
    size = None if rows is None or each is None else rows * each
    return Need(job.label, kind, size, exact, None if size is None else size <= options.memory, beyond)


def kept_bytes(binding: Binding, job: Job, options: Options, arrays: int) -> int | None:
    """What a loss keeps of a row that it wants value by value; ``None`` where only the data tell."""
    ref = job.bound.refs[job.spec.inputs[0].role]
    column = cols.column_of(binding.sources[ref.source], ref.columns[0])
    width = len(ref.columns) if len(ref.columns) > 1 else 1 if column.width is None else column.width
    if not width:
        return None
    beside = 1 + (binding.weight is not None)  # the number of the slice, the weight
    times = 1 + (options.ci is not None and options.ci.method == "bootstrap")
    each = times * (arrays * width + beside) + options.per_column * width * (arrays + beside)
    return NUMBER * each


def housed(binding: Binding, job: Job, options: Options) -> Job:
    """The job itself, or a ``UsageError`` if it is known beforehand that what it keeps cannot fit."""
    rows = known_rows(binding, options.limit)
    need = need_of(binding, job, options, rows) if rows is not None else None
    if need is None or need.bytes is None or need.kind != "values" or not need.exact or need.fits:
        return job
    raise UsageError(
        f"{job.label} is a number of all {rows:,} values at once: {need.bytes:,} bytes, and --memory allows "
        f"{options.memory:,}",
        code="memory",
        hint=f"--memory {-(-need.bytes // 2**20)}M, or the first rows only: --limit N",
    )
