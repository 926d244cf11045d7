"""Per-sample values kept for showing: the first rows, the worst rows, or all of them.

All rows go to a temporary file once they outgrow a few megabytes, so a stream of any length is held in
bounded memory, and nothing is printed before the last check has passed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import IO, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.engine.result import Sample
from lossctl.model.batch import OK, STATUS

__all__ = ["Lines", "SampleLog"]

Names: TypeAlias = tuple[str | None, ...]

IN_MEMORY = 2**23  # bytes of values before they move to a file


class Lines:
    """Some consecutive rows: numbers, keys, statuses and values of every loss."""

    def __init__(
        self,
        rows: NDArray[np.int64],
        keys: list[Names] | None,
        status: NDArray[np.uint8],
        values: NDArray[np.float64],
        scored: NDArray[np.bool_],
    ) -> None:
        self.rows = rows  # (n,) 0-based
        self.keys = keys
        self.status = status  # (n,) of the row as a whole
        self.values = values  # (n, losses)
        self.scored = scored  # (n, losses)

    def take(self, places: Any) -> Lines:
        keys = None if self.keys is None else [self.keys[i] for i in np.arange(len(self.rows))[places]]
        return Lines(self.rows[places], keys, self.status[places], self.values[places], self.scored[places])

    def samples(self, by_row: bool) -> Iterator[Sample]:
        for i, row in enumerate(self.rows):
            values = [float(v) if ok else None for v, ok in zip(self.values[i], self.scored[i], strict=True)]
            key = () if self.keys is None else self.keys[i]
            yield Sample(int(row) + 1 if by_row else None, key, STATUS[self.status[i]], tuple(values))

    @staticmethod
    def join(parts: Sequence[Lines]) -> Lines:
        keys = None
        if parts[0].keys is not None:
            keys = [key for part in parts for key in part.keys or ()]
        return Lines(
            np.concatenate([p.rows for p in parts]),
            keys,
            np.concatenate([p.status for p in parts]),
            np.concatenate([p.values for p in parts]),
            np.concatenate([p.scored for p in parts]),
        )


class Spilled(NamedTuple):
    """Lines in the file: where, how many, and the first row."""

    offset: int
    n: int
    first: int


class SampleLog:
    """Collects lines as they come; keeps what is to be shown.

    ``keep`` is a number of rows, or ``None`` for all. With ``worst`` the rows of greatest (``ascending``:
    least) first-loss value are kept, ties by row.
    """

    def __init__(
        self,
        per: str,
        labels: tuple[str, ...],
        key_names: tuple[str, ...],
        keep: int | None,
        worst: bool,
        ascending: bool,
    ) -> None:
        self.per = per
        self.labels = labels
        self.key_names = key_names
        self.detail_names: tuple[str, ...] = ()
        self.details: dict[int, tuple[Any, ...]] = {}  # by 0-based row
        self.order = "worst" if worst else "all" if keep is None else "first"
        self.total = 0
        self._keep = keep
        self._ascending = ascending
        self._parts: list[Lines] = []
        self._kept = 0
        self._file: IO[bytes] | None = None
        self._spilled: list[Spilled] = []
        self._mixed = False  # whether parts came from other logs: each is a run of rows, and they are in no order

    def add(self, lines: Lines, keys: Callable[[], Sequence[Names]] | None) -> None:
        """Take note of some rows; ``keys`` gives their keys and is only called for rows that are kept."""
        n = len(lines.rows)
        self.total += n
        if n == 0 or self.full:
            return
        places = np.arange(n)
        if self.order == "first" and self._keep is not None:
            places = places[: self._keep - self._kept]
        elif self.order == "worst":
            places = self._worst(lines)
        lines = lines.take(places)
        if keys is not None:
            every = keys()
            lines.keys = [every[int(i)] for i in places]
        self._parts.append(lines)
        if self.order == "worst":
            joined = Lines.join(self._parts)
            self._parts = [joined.take(self._worst(joined))]
        self._settle()

    def _settle(self) -> None:
        """Count what is kept, and move it to the file where it is too much."""
        self._kept = sum(block.n for block in self._spilled) + sum(len(part.rows) for part in self._parts)
        if self.order == "all" and sum(part.values.nbytes for part in self._parts) > IN_MEMORY:
            self._spill()

    def like(self) -> SampleLog:
        """An empty one of the same sort."""
        return SampleLog(self.per, self.labels, self.key_names, self._keep, self.order == "worst", self._ascending)

    def lines(self) -> Lines | None:
        """All lines that are kept, in the order in which they are shown."""
        blocks = list(self._blocks())
        return Lines.join(blocks) if blocks else None

    def hold(self, lines: Lines) -> None:
        """Take lines that another log has kept, of rows that are not here, in their order; ``total`` stays."""
        self._mixed = True
        if self.order == "all":
            ends = [*(np.flatnonzero(np.diff(lines.rows) != 1) + 1).tolist(), len(lines.rows)]
            self._parts += [lines.take(slice(start, end)) for start, end in pairwise([0, *ends])]
        else:
            joined = Lines.join([*self._parts, lines])
            places = np.argsort(joined.rows) if self.order == "first" else self._worst(joined)
            self._parts = [joined.take(places[: self._keep])]
        self._settle()

    def renumber(self, real: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> None:
        """Give the rows other numbers, in the same order."""
        for part in self._parts:
            part.rows = real(part.rows)
        for place, block in enumerate(self._spilled):
            file = self._file
            assert file is not None
            file.seek(block.offset)
            rows = real(np.frombuffer(file.read(8 * block.n), np.int64))
            file.seek(block.offset)
            file.write(np.ascontiguousarray(rows, np.int64).tobytes())
            self._spilled[place] = block._replace(first=int(rows[0]))

    def merge(self, other: SampleLog) -> None:
        """Add the samples of other rows, in any order: what is kept is what adding them in row order would keep.

        The other log gives up its temporary file, and is of no use any more.
        """
        self.total += other.total
        for lines in other._blocks():
            self.hold(lines)
        other.close()

    @property
    def full(self) -> bool:
        """Whether no more lines are wanted."""
        return self._keep == 0 or (self.order == "first" and self._kept == self._keep)

    def narrowed(
        self, lines: Lines, keys: Callable[[], Sequence[Names]] | None
    ) -> tuple[Lines, Callable[[], Sequence[Names]] | None]:
        """Those of some lines that may be kept, whatever lines come before them; with their keys."""
        if self.order == "all" or self._keep is None or len(lines.rows) <= self._keep:
            return lines, keys
        places = np.arange(self._keep) if self.order == "first" else self._worst(lines)
        chosen = places.tolist()

        def some() -> Sequence[Names]:
            every = [] if keys is None else keys()
            return [every[i] for i in chosen]

        return lines.take(places), None if keys is None else some

    def _worst(self, lines: Lines) -> NDArray[np.intp]:
        """Places of the worst rows, the worst first, ties by row; a NaN is worse than everything."""
        scored = np.flatnonzero(lines.scored[:, 0])
        size = lines.values[scored, 0] if self._ascending else -lines.values[scored, 0]
        size = np.where(np.isnan(size), -np.inf, size)
        if self._keep is not None and len(size) > 2 * self._keep:  # no need to put all of them into order
            near = np.flatnonzero(size <= np.partition(size, self._keep - 1)[self._keep - 1])
            scored, size = scored[near], size[near]
        return scored[np.lexsort((lines.rows[scored], size))][: self._keep]

    def _spill(self) -> None:
        """Move what is in memory to a temporary file: arrays as raw bytes, keys as JSON."""
        import tempfile

        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="lossctl-")  # noqa: SIM115 - lives as long as the log
        for block in self._parts if self._mixed else [Lines.join(self._parts)]:
            self._spilled.append(Spilled(self._file.seek(0, 2), len(block.rows), int(block.rows[0])))
            for array in (block.rows, block.status, block.values, block.scored):
                self._file.write(np.ascontiguousarray(array).tobytes())
            keys = json.dumps(block.keys).encode()
            self._file.write(len(keys).to_bytes(8, "little") + keys)
        self._parts = []

    def _blocks(self) -> Iterator[Lines]:
        blocks: list[Lines | Spilled] = [*self._spilled, *self._parts]
        if self._mixed:
            blocks.sort(key=lambda block: block.first if isinstance(block, Spilled) else int(block.rows[0]))
        for block in blocks:
            yield self._read(block) if isinstance(block, Spilled) else block

    def _read(self, block: Spilled) -> Lines:
        n, losses, file = block.n, len(self.labels), self._file
        assert file is not None
        file.seek(block.offset)
        rows = np.frombuffer(file.read(8 * n), np.int64)
        status = np.frombuffer(file.read(n), np.uint8)
        values = np.frombuffer(file.read(8 * n * losses), np.float64).reshape(n, losses)
        scored = np.frombuffer(file.read(n * losses), np.bool_).reshape(n, losses)
        keys = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        return Lines(rows, None if keys is None else [tuple(k) for k in keys], status, values, scored)

    def __iter__(self) -> Iterator[Sample]:
        none = (None,) * len(self.detail_names)
        for lines in self._blocks():
            for sample in lines.samples(self.per == "row"):
                if self.detail_names and sample.row is not None:
                    sample = sample._replace(details=self.details.get(sample.row - 1, none))
                yield sample

    def rows(self) -> NDArray[np.int64]:
        """The 0-based rows that are kept, in no particular order."""
        parts = [lines.rows for lines in self._blocks()]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def __len__(self) -> int:
        return self._kept

    def close(self) -> None:
        """Give up the temporary file, if there is one."""
        if self._file is not None:
            self._file.close()

    def arrays(self) -> NDArray[np.float64]:
        """(n, losses) values, NaN where not scored."""
        parts = [np.where(lines.scored, lines.values, np.nan) for lines in self._blocks()]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.labels)))


def row_lines(rows: NDArray[np.int64], status: NDArray[np.uint8], parts: Sequence[Any]) -> Lines:
    """Lines from what each loss made of the same rows (``Scored``)."""
    scored = np.column_stack([part.status == OK for part in parts])
    return Lines(rows, None, status, np.column_stack([part.values for part in parts]), scored)


def list_lines(first: int, parts: Sequence[Any]) -> Lines:
    """Lines from what each loss made of the same lists; ``first`` is the number of lists before."""
    values = np.column_stack([part.values for part in parts])
    n = len(values)
    return Lines(np.arange(first, first + n), None, np.zeros(n, np.uint8), values, np.ones(values.shape, bool))


def joint_status(parts: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """(N,) a row is scored if any loss scored it, else it stands under the first loss's reason."""
    if len(parts) == 1 or not parts[0].any():
        return parts[0]
    return np.where(np.logical_or.reduce([part == OK for part in parts]), np.uint8(OK), parts[0])
