"""What one thread has seen: every loss's state, the slices, the counts of rows. States merge, in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.data.pair import Chunk
from lossctl.data.roles.binding import Binding, Ref
from lossctl.data.source import placed
from lossctl.engine.job import Job
from lossctl.engine.samples import Lines, joint_status, list_lines, row_lines
from lossctl.engine.scored import Scored
from lossctl.engine.slices import Names, Slices
from lossctl.errors import DataError, UsageError
from lossctl.model.batch import STATUS

__all__ = ["Shown", "State"]

SLICE = 1500  # bytes that a slice of a loss takes in the end, more or less


class Shown(NamedTuple):
    """The lines of a chunk, and their keys, which are made only where somebody wants them."""

    lines: Lines
    keys: Callable[[], Sequence[Names]] | None


class State:
    """The jobs of one thread and what belongs to all of them."""

    def __init__(self, binding: Binding, jobs: list[Job]) -> None:
        self.binding = binding
        self.jobs = jobs
        self.slices = Slices()
        self.read = 0
        self.counts = np.zeros(len(STATUS), np.int64)
        self.statuses: list[list[tuple[NDArray[np.int64], NDArray[np.uint8]]]] = [[] for _ in jobs]
        self.lists = 0  # how many have been scored

    def survey(self, chunk: Chunk) -> None:
        """A first look, for statistics of the whole input."""
        mask = self.mask(chunk)
        for job in self.jobs:
            if job.needs_prelude:
                with job.failing(chunk.first):
                    piece = job.piece(chunk, None, mask, None)
                    if piece is not None:
                        job.survey(piece)

    def score(self, chunk: Chunk) -> list[Scored | None]:
        """What each job makes of the chunk."""
        self.read += chunk.rows
        weight, mask, codes = self.weight(chunk), self.mask(chunk), self.codes(chunk)
        done: list[Scored | None] = []
        for job in self.jobs:
            scored = None
            with job.failing(chunk.first):
                piece = job.piece(chunk, weight, mask, codes)
                scored = None if piece is None else job.score(piece)
            done.append(scored)
        self.note(done, whole=all(job.cutter is None for job in self.jobs))
        return done

    def rest(self) -> list[Scored | None]:
        """What each job makes of the lists that were still open at the end."""
        done: list[Scored | None] = []
        for job in self.jobs:
            scored = None
            with job.failing(self.read):
                piece = None if job.cutter is None else job.cutter.rest()
                scored = None if piece is None else job.score(piece)
            done.append(scored)
        self.note(done, whole=False)
        self.count()
        return done

    def note(self, done: Sequence[Scored | None], *, whole: bool) -> None:
        """Count what became of the rows; where lists come through later than their rows, only at the end."""
        if whole and all(d is not None for d in done):
            self.counts += counted([d.status for d in done if d is not None])
        elif len(self.jobs) == 1 and done[0] is not None:
            self.counts += counted([done[0].status])
        elif not whole:
            for place, scored in enumerate(done):
                if scored is not None:
                    self.statuses[place].append((scored.rows, scored.status))

    def count(self) -> None:
        """Row counts where lists came through later than their rows, or in another order."""
        if not any(self.statuses):
            return
        every = []
        for parts in self.statuses:
            status = np.zeros(self.read, np.uint8)
            for rows, said in parts:
                status[rows] = said
            every.append(status)
        self.counts += counted(every)

    def lines(self, done: Sequence[Scored | None], chunk: Chunk | None, per: str) -> Shown | None:
        """The samples of a chunk, of rows or of lists (``per``); nothing where a job has found an error."""
        shown = [d for d, job in zip(done, self.jobs, strict=True) if job.has_samples]
        parts = [d for d in shown if d is not None]
        if len(parts) < len(shown):
            return None
        if per == "row" and chunk is not None:
            keys = self.binding.keys
            lines = row_lines(parts[0].rows, joint_status([d.status for d in done if d is not None]), parts)
            return Shown(lines, (lambda: chunk.texts(keys[0])) if keys else None)
        if per != "row" and parts[0].names:
            names = parts[0].names
            lines = list_lines(self.lists, parts)
            self.lists += len(names)
            return Shown(lines, lambda: [(name,) for name in names])
        return None

    def merge(self, other: State) -> None:
        """Add what another thread has seen."""
        places = self.slices.merge(other.slices)
        self.check_slices()
        for mine, theirs in zip(self.jobs, other.jobs, strict=True):
            mine.merge(theirs, places)
        self.read += other.read
        self.lists += other.lists
        self.counts += other.counts

    def weight(self, chunk: Chunk) -> NDArray[np.float64] | None:
        """(N,) sample weights; a missing, negative or infinite one is an error whatever --nan says."""
        if self.binding.weight is None:
            return None
        return self.column(chunk, self.binding.weight, "--weight", lambda w: np.isfinite(w) & (w >= 0), ">= 0")

    def mask(self, chunk: Chunk) -> NDArray[np.bool_] | None:
        """(N,) which rows count."""
        if self.binding.mask is None:
            return None
        mask = self.column(chunk, self.binding.mask, "--mask", lambda m: (m == 0) | (m == 1), "0 or 1")
        return np.asarray(mask == 1)

    def column(self, chunk: Chunk, ref: Ref, option: str, good: Any, words: str) -> NDArray[np.float64]:
        values = np.asarray(chunk.numbers(ref), np.float64)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        wrong = ~good(values) if values.ndim == 1 else np.ones(1, bool)
        if wrong.any():
            at = int(np.argmax(wrong))
            file, row = placed(self.binding.sources[ref.source], chunk.first + at)
            raise DataError(
                f"{option}: {values[at]} is not {words}",
                code="bad-weight" if option == "--weight" else "bad-mask",
                file=file,
                column=ref.columns[0],
                row=row + 1,
            )
        return values

    def codes(self, chunk: Chunk) -> NDArray[np.intp] | None:
        if not self.binding.by:
            return None
        codes = self.slices.encode([chunk.groups(ref) for ref in self.binding.by])
        self.check_slices()
        return codes

    def check_slices(self) -> None:
        """Refuse more slices than fit: in the same words whichever thread comes upon the last one."""
        room = self.jobs[0].options.memory
        most = max(1, room // (SLICE * len(self.jobs)))
        if len(self.slices.codes) > most:
            raise UsageError(
                f"--by: more than {most:,} slices take more than --memory ({room:,} bytes)",
                code="memory",
                hint="slice by something coarser, or allow more with --memory",
            )


def counted(parts: Sequence[NDArray[np.uint8]]) -> NDArray[np.int64]:
    """How many rows have each status, of what each job says of them."""
    status = joint_status(parts)
    if not status.any():
        return np.array([len(status)] + [0] * (len(STATUS) - 1), np.int64)
    return np.bincount(status, minlength=len(STATUS))
