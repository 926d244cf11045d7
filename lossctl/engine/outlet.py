"""Every sample on its way into a file (``--per-sample``): what stands in which column, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lossctl.data import places
from lossctl.data.sinks.sink import SinkColumn, open_sink, sink_format
from lossctl.engine.result import apart
from lossctl.engine.samples import joint_status
from lossctl.engine.scored import names_of
from lossctl.errors import UsageError
from lossctl.model.batch import OK, STATUS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lossctl.data.pair import Chunk
    from lossctl.data.roles.binding import Binding
    from lossctl.data.sinks.sink import Cells, Sink
    from lossctl.engine.job import Job
    from lossctl.engine.options import Options
    from lossctl.engine.scored import Scored
    from lossctl.engine.slices import Slices

__all__ = ["Outlet", "check_path"]

WORDS = [*STATUS, "unmatched"]
UNMATCHED = WORDS.index("unmatched")
FEW = 1 << 14  # rows without a partner that are written at a time


class Outlet:
    """The columns of a file of samples: row or keys, status, groups, weight, the losses in the order of the calls.

    Where the mean of a loss is a quotient of sums over the rows, its terms stand beside it: ``LOSS.num`` and
    ``LOSS.den``, so that the sums of the file give the value. NPY, whose columns have no names, holds a column for
    each loss and nothing else.
    """

    def __init__(self, binding: Binding, jobs: Sequence[Job], per: str, options: Options) -> None:
        path = options.per_sample or ""
        self.binding = binding
        self.per = per
        self.shown = [job for job in jobs if job.has_samples]
        named = sink_format(path) != "npy"
        self.terms = named
        self.weight = named and binding.weight is not None
        numbers = ["weight"] if self.weight else []
        for job in self.shown:
            terms = (f"{job.label}.num", f"{job.label}.den") if named and job.reduce.quotient else ()
            numbers += [job.label, *terms]
        taken = {"status", *numbers, *(f"{name}.nonfinite" for name in numbers)}
        keys = apart(self._keys(), taken, "key")
        by = apart([ref.columns[0] for ref in binding.by], {*taken, *(keys or ("row",))}, "by")
        columns = [SinkColumn(name, "text") for name in keys] or [SinkColumn("row", "int")]
        columns += [SinkColumn(name, "text") for name in ("status", *by)]
        columns += [SinkColumn(name, "float") for name in numbers]
        self.sink: Sink = open_sink(path, columns, csv_safe=options.csv_safe, endpoint_url=options.endpoint_url)

    def _keys(self) -> tuple[str, ...]:
        if self.per != "row":
            return names_of(self.binding, self.shown[0])
        return self.binding.keys[0].columns if self.binding.keys else ()

    def cells(self, done: Sequence[Scored | None], chunk: Chunk | None, slices: Slices) -> list[Cells] | None:
        """The cells of a chunk, made by the thread that has scored it; ``None`` where there are none."""
        parts = [scored for scored in done if scored is not None and scored.values is not None]
        if len(parts) < len(self.shown):
            return None
        if self.per != "row":
            return self._of_lists(parts, slices) if parts[0].names else None
        if chunk is None:
            return None
        status = joint_status([scored.status for scored in done if scored is not None])
        return self._of_rows(parts, status, chunk)

    def _of_rows(self, parts: Sequence[Scored], status: NDArray[np.uint8], chunk: Chunk) -> list[Cells]:
        cells: list[Cells] = []
        if self.binding.keys:
            cells += chunk.words(self.binding.keys[0])
        else:
            cells.append(parts[0].rows + 1)
        cells.append((status.astype(np.int64), WORDS))
        cells += [chunk.groups(ref) for ref in self.binding.by]
        if self.weight and parts[0].weight is not None:
            cells.append((parts[0].weight, None))
        for part in parts:
            there = part.status == OK
            missing = None if there.all() else ~there
            cells.append((filled(part.values, there), missing))
            cells += [(filled(term, there), missing) for term in self._terms(part)]
        return cells

    def _of_lists(self, parts: Sequence[Scored], slices: Slices) -> list[Cells]:
        first = parts[0]
        n = len(first.names or ())
        cells: list[Cells] = [(np.arange(n), list(first.names or ())), (np.zeros(n, np.int64), WORDS)]
        if self.binding.by and first.codes is not None:
            cells += slices.words(first.codes)
        if self.weight and first.weight is not None:
            cells.append((first.weight, None))
        for part in parts:
            cells += [(np.asarray(values), None) for values in (part.values, *self._terms(part))]
        return cells

    def _terms(self, part: Scored) -> Sequence[NDArray[np.float64]]:
        return part.terms or () if self.terms else ()

    def write(self, cells: list[Cells]) -> None:
        self.sink.write(cells)

    def commit(self) -> None:
        """Rows without a partner, then the file is there."""
        if self.per == "row":
            lone = chain.from_iterable(source.lone() for source in self.binding.sources if hasattr(source, "lone"))
            for keys in batches(lone, FEW):
                self.sink.write(self._unmatched(keys))
        self.sink.commit()

    def _unmatched(self, keys: list[tuple[str | None, ...]]) -> list[Cells]:
        n = len(keys)
        cells: list[Cells] = [(np.arange(n), [cell or "" for cell in column]) for column in zip(*keys, strict=True)]
        cells.append((np.full(n, UNMATCHED), WORDS))
        nothing: Mapping[str, Any] = {"text": (np.full(n, -1), []), "float": (np.zeros(n), np.ones(n, bool))}
        return cells + [nothing[column.kind] for column in self.sink.columns[len(cells) :]]

    def abort(self) -> None:
        self.sink.abort()


def check_path(path: str, binding: Binding) -> None:
    """Refuse to write samples in an unknown format, or over a file that is read."""
    sink_format(path)
    for source in binding.sources:
        if places.overwritten(path, getattr(source, "files", (source.name,))) is not None:
            raise UsageError(
                f"--per-sample {path} would overwrite an input", code="output-is-input", hint="name another file"
            )


def filled(values: NDArray[np.float64] | None, there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N,) values, of rows that were scored only or of all."""
    assert values is not None
    if len(values) == len(there):
        return values
    full = np.zeros(len(there))
    full[there] = values
    return full


def batches(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
