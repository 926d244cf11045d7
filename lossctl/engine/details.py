"""What stands beside the values of the rows that are shown: decoded text, alignments. A second look at these rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from lossctl.data.pair import Chunk
from lossctl.engine.job import Job
from lossctl.engine.options import Options
from lossctl.engine.samples import SampleLog
from lossctl.errors import UsageError
from lossctl.model.spec import Detail

__all__ = ["add_details", "check_details"]


def details_of(job: Job, options: Options) -> list[Detail]:
    """The details that the parameters of a loss, or --show-alignment, ask for."""
    asked = options.show_alignment is not None
    return [one for one in job.spec.details if (asked if one.when is None else one.when(job.params))]


def check_details(jobs: Sequence[Job], options: Options) -> None:
    """Refuse --show-alignment where there is nothing to align."""
    if options.show_alignment is not None and not any(one.when is None for job in jobs for one in job.spec.details):
        named = ", ".join(job.bound.call.name for job in jobs)
        raise UsageError(
            f"--show-alignment: {named} aligns nothing", code="bad-option", hint="it is for wer, cer and their kin"
        )


def add_details(log: SampleLog, jobs: Sequence[Job], chunks: Callable[[], Iterable[Chunk]], options: Options) -> None:
    """Make the details of the rows in the log, which are looked up in the sources once more."""
    wanted = [(job, one) for job in jobs for one in details_of(job, options)]
    if not wanted or log.per != "row":
        return
    names = [one.name for _, one in wanted]
    log.detail_names = tuple(
        one.name if names.count(one.name) == 1 else f"{job.label}.{one.name}" for job, one in wanted
    )
    left = np.sort(log.rows())
    for chunk in chunks() if len(left) else ():
        here = left[left < chunk.first + chunk.rows]
        left = left[len(here) :]
        if len(here):
            made = [in_chunk(job, one, chunk, here) for job, one in wanted]
            for place, row in enumerate(here.tolist()):
                log.details[row] = tuple(column[place] for column in made)
        if not len(left):
            break


def in_chunk(job: Job, detail: Detail, chunk: Chunk, rows: Any) -> list[Any]:
    """One thing for each of these rows of the chunk; ``None`` for rows that were not scored."""
    arrays = {role: array[rows - chunk.first] for role, array in job.fit(chunk).items()}
    ready = job.prepared(arrays, rows)
    made = detail.make(ready.arrays, job.params)
    found: list[Any] = [None] * len(rows)
    for place, thing in zip(range(len(rows)) if ready.kept is None else ready.kept.tolist(), made, strict=True):
        found[place] = thing
    return found
