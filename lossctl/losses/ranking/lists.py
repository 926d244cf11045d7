"""Lists of any length, worked through in blocks of bounded memory: the digits of a list never hang on its company."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl.losses.ranking.listwise import run_codes
from lossctl.losses.types import Rows
from lossctl.model.findings import Rule, Seen
from lossctl.model.params import Value
from lossctl.model.spec import Arrays

BLOCK = 1 << 18  # items, or pairs of items, at a time: 2 MB an array
Columns = Sequence[Rows]


def stacked(run: NDArray[np.int64], *, pairs: bool = False) -> Iterator[NDArray[np.int64]]:
    """Lists of one length side by side, as (lists, length) row numbers; with ``pairs`` as few as their pairs allow."""
    sizes = np.bincount(run)
    starts = np.cumsum(sizes) - sizes
    order = np.argsort(sizes, kind="stable")
    for same in np.split(order, np.flatnonzero(np.diff(sizes[order])) + 1) if len(order) else []:
        size = int(sizes[same[0]])
        step = max(1, BLOCK // (size * size if pairs else size))
        for first in range(0, len(same), step):
            yield starts[same[first : first + step], None] + np.arange(size)


def pair_sums(run: NDArray[np.int64], columns: Columns, cost: Callable[[Columns, Columns], NDArray[Any]]) -> Rows:
    """(N,) what every item costs against all items of its list, summed; ``cost`` gets columns that broadcast.

    A list of more pairs than a block goes item by item. Each sum runs over one row of pairs, whatever stands beside.
    """
    found = np.empty(len(run))
    for rows in stacked(run, pairs=True):
        others = [column[rows][:, None, :] for column in columns]
        step = max(1, BLOCK // rows.size)
        for first in range(0, rows.shape[1], step):
            part = rows[:, first : first + step]
            found[part] = np.sum(cost([column[part][:, :, None] for column in columns], others), axis=2)
    return found


def list_sums(run: NDArray[np.int64], values: Rows) -> Rows:
    """(lists,) the sum over each list."""
    return np.asarray(np.bincount(run, weights=values), np.float64)


def lists_where(
    rule: Rule, odd: Callable[[Rows, NDArray[np.int64]], NDArray[np.bool_]]
) -> Callable[[Arrays, Mapping[str, Value]], list[Seen]]:
    """A check that names lists at their first row: ``odd(relevance, starts)`` says which."""

    def check(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
        run = run_codes(arrays["group"])
        first = np.concatenate([[True], run[1:] != run[:-1]])
        starts = np.flatnonzero(first)
        return [(rule, first & odd(arrays["target"], starts)[run], arrays["target"])]

    return check


def irrelevant(relevance: Rows, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Lists in which no item is relevant."""
    return np.asarray(np.maximum.reduceat(relevance, starts) == 0)


def level(relevance: Rows, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Lists in which all items are equally relevant."""
    return np.asarray(np.maximum.reduceat(relevance, starts) == np.minimum.reduceat(relevance, starts))
