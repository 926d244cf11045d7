"""Rows that were numbered by their place in a task: their true numbers, wherever somebody will read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.data.labels import Vocabulary
from lossctl.engine.job import Job
from lossctl.engine.samples import SampleLog
from lossctl.engine.state import State
from lossctl.errors import LossctlError
from lossctl.model.findings import Finding

__all__ = ["UNIT_BITS", "locate", "relocate"]

Real: TypeAlias = Callable[[NDArray[np.int64]], NDArray[np.int64]]
UNIT_BITS = 40  # of an address are the row in its unit; the first unit's are true rows
KINDS = ("text", "number", "fraction")


def relocate(seen: State | Iterable[Job], log: SampleLog | None, real: Real) -> None:
    """Give every row that a report may name its true number: once, when all is merged.

    ``real`` turns addresses (n,), which are in the order of the rows, into 0-based rows. Rows of what stands beside
    all rows are true from the start.
    """

    def one(address: int) -> int:
        return int(real(np.array([address], np.int64))[0])

    vocabularies: dict[int, Vocabulary] = {}
    for job in seen.jobs if isinstance(seen, State) else seen:
        beside = {i.role for i in job.spec.inputs if i.kind.whole}
        for finding in job.findings.by_rule.values():
            if finding.role not in beside:
                move(finding, one)
        if job.failed is not None:
            job.failed_in = one(job.failed_in)
            locate(job.failed, real)
        vocabularies[id(job.bound.vocabulary)] = job.bound.vocabulary
    for vocabulary in vocabularies.values():
        for notes in vocabulary.seen.values():
            for kind in KINDS:
                there = getattr(notes, kind)
                if there is not None:
                    setattr(notes, kind, (one(there[0]), there[1]))
    if log is not None and log.per == "row":
        log.renumber(real)


def locate(error: LossctlError, real: Real) -> None:
    """Give an error that names an address its row."""
    if error.row is not None and error.row > 1 << UNIT_BITS:
        error.row = int(real(np.array([error.row - 1], np.int64))[0]) + 1


def move(finding: Finding, one: Callable[[int], int]) -> None:
    finding.places = [(one(row), value) for row, value in finding.places]
    if finding.worst is not None:
        finding.worst = finding.worst[0], one(finding.worst[1])
