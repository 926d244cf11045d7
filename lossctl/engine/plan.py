"""What is settled before a run reads: its rows, its threads, and what would be held in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from lossctl.data.roles import columns as cols
from lossctl.data.roles.binding import Binding
from lossctl.engine.job import Job
from lossctl.engine.options import Options, processors, quantile_of
from lossctl.engine.pace import row_bytes
from lossctl.errors import UsageError

__all__ = ["NUMBER", "Need", "housed", "known_rows", "need_of", "threads_of"]

NUMBER = 8  # bytes of a value, a weight, a slice's number
CODE = 4  # of a slice's number, beside a value for quantiles

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
