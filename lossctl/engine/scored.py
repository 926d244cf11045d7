"""What a job makes of a piece of the data, and by which columns its samples go."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lossctl.model.batch import OK

if TYPE_CHECKING:
    from lossctl.data.roles.binding import Binding
    from lossctl.engine.job import Job

__all__ = ["Scored", "kinds_of", "names_of", "scatter"]

WORDS = {"row": "rows", "group": "lists", "batch": "batches"}


class Scored(NamedTuple):
    """What a job made of a piece: the status of its rows, and the values of rows or of lists."""

    rows: NDArray[np.int64]  # (N,) 0-based
    status: NDArray[np.uint8]  # (N,)
    values: NDArray[np.float64] | None  # (N,), or one a list; None for a data-set loss
    names: list[str] | None = None  # of lists
    terms: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None  # of a quotient, of the rows that were scored
    weight: NDArray[np.float64] | None = None  # (N,), or one a list
    codes: NDArray[np.intp] | None = None  # of lists


def kinds_of(units: Collection[str]) -> str:
    """What samples are, in words."""
    return " and ".join(word for unit, word in WORDS.items() if unit in units)


def names_of(binding: Binding, job: Job) -> tuple[str, ...]:
    """The columns that name the samples of a job whose samples are rows together."""
    batch = None if binding.batching is None else binding.batching.column
    if job.unit == "group":
        return job.bound.refs["group"].columns
    return ("batch",) if batch is None else batch.columns


def scatter(values: NDArray[np.float64], status: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N,) values of all rows; rows that were not scored hold a zero that nobody reads."""
    if len(values) == len(status):
        return values
    full = np.zeros(len(status))
    full[status == OK] = values
    return full
