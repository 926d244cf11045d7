"""What a run would do, told before it reads: files, rows, tasks, threads, memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lossctl.data import places
from lossctl.data.roles.binding import Binding
from lossctl.data.shards.files import Files
from lossctl.data.shards.source import ShardedSource
from lossctl.data.source import Source
from lossctl.data.stores.names import tail
from lossctl.data.tasks import Cutting, cutting, tasks
from lossctl.engine.job import Job
from lossctl.engine.options import Options
from lossctl.engine.pace import chunk_rows, row_bytes
from lossctl.engine.plan import Need, known_rows, need_of, threads_of

if TYPE_CHECKING:
    from lossctl.engine.cluster.forecast import Dealing

__all__ = ["Outline", "Reading", "outline"]

TEXTS = ("csv", "tsv")  # formats whose rows are found by reading
COMPRESSED = (".gz", ".zst")
MANY = 10_000  # files whose footers are not read for a plan


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
    dealt: Dealing | None = None  # to the workers of an engine


def outline(binding: Binding, jobs: Sequence[Job], options: Options) -> Outline:
    """What a run over the binding would do. Footers and headers are read for it, and no rows.

    Of many files, and of those that an engine would deal out, the first one only is opened.
    """
    dealt = None
    if options.engine != "local":
        from lossctl.engine.cluster.forecast import dealing

        dealt = dealing(binding, jobs, options)
    away = dealt is not None and dealt.obstacle is None
    rows, threads = known_rows(binding, options.limit), 1 if away else threads_of(jobs, options)
    chunk = chunk_rows(binding, options.chunk_rows, threads)
    opened = not any(is_long(source, 1 if away else MANY) for source in binding.sources)
    way, used, _ = cutting(binding, options.limit) if opened else uncounted(binding, options)
    count: int | None = None
    guessed = False
    if dealt is not None and away:
        count, guessed = dealt.tasks, dealt.guessed
    elif opened:
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
        sources=tuple(
            reading(binding.sources[place], wanted[place], options.endpoint_url, opened=opened) for place in used
        ),
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
        dealt=dealt,
    )


def is_long(source: Source, most: int) -> bool:
    """Whether a source has more files than that."""
    return isinstance(source, ShardedSource) and len(source.files) > most


def uncounted(binding: Binding, options: Options) -> Cutting:
    """As ``cutting``, without looking at where several sources may be cut."""
    used = [place for place, columns in enumerate(zip(*binding.wanted(), strict=True)) if any(columns)]
    whole = options.limit is None and binding.batching is None and binding.apart is None
    cut = all(hasattr(binding.sources[place], "spans" if len(used) == 1 else "cuts") for place in used)
    return Cutting("cuts" if whole and cut else "chunks", used, [])


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
        return guess(sources[0], options.endpoint_url), True, rows
    sizes = [task.size() for task in tasks(binding, chunk, options.limit)]
    return len(sizes), False, sum(sizes)


def guess(source: Source, endpoint_url: str | None = None) -> int | None:
    """About how many spans there will be of text whose rows are found by reading."""
    from lossctl.data.text.rowends import about

    files = getattr(source, "files", (source.name,))
    if source.format not in TEXTS or any(tail(file).endswith(COMPRESSED) for file in files):
        return None
    sizes = sizes_of(source, endpoint_url)
    return None if sizes is None else sum(map(about, sizes))


def reading(
    source: Source, wanted: Sequence[Sequence[str]], endpoint_url: str | None = None, *, opened: bool = True
) -> Reading:
    """What is read of a source; ``opened``: whether any of its files may be looked into for its rows."""
    columns = tuple(dict.fromkeys(name for names in wanted for name in names))
    sizes = sizes_of(source, endpoint_url)
    files = len(getattr(source, "files", (source.name,)))
    size = None if sizes is None else sum(sizes)
    return Reading(source.name, source.format, files, rows_of(source, columns, opened), size, columns)


def sizes_of(source: Source, endpoint_url: str | None) -> list[int] | None:
    """The bytes of each file of a source; ``None`` if it has others than regular ones."""
    files = getattr(source, "files", (source.name,))
    if isinstance(files, Files):
        known: list[int] = files.sizes.tolist()
        return None if min(known) < 0 else known
    sizes = [size for file in files if (size := places.size(file, endpoint_url)) is not None]
    return sizes if len(sizes) == len(files) else None


def rows_of(source: Source, columns: Sequence[str], opened: bool) -> int | None:
    """How many rows the header tells of, else the places at which the source may be cut."""
    told = [column.rows for column in source.columns if column.name in columns and column.rows is not None]
    cuts = getattr(source, "cuts", None) if opened or not isinstance(source, ShardedSource) else None
    return min(told) if told else int(cuts()[-1]) if cuts is not None else None
