"""Samples of a task as a tree."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from lossctl.engine.samples import Lines, SampleLog
from lossctl.engine.slices import Names
from lossctl.engine.wire.damage import array_of, count_of, damaged, item, reading
from lossctl.model.batch import STATUS

__all__ = ["log_in", "log_out"]

Tree: TypeAlias = dict[str, Any]


def log_out(log: SampleLog) -> Tree:
    """The lines that a log keeps, and how many it has seen; details are left out."""
    tree: Tree = {"order": log.order, "per": log.per, "labels": list(log.labels), "total": log.total}
    lines = log.lines()
    if lines is not None:
        tree["lines"] = {
            "rows": lines.rows.astype(np.int64),
            "status": lines.status,
            "values": lines.values,
            "scored": lines.scored,
            "keys": None if lines.keys is None else [list(column) for column in zip(*lines.keys, strict=True)],
        }
    return tree


def log_in(tree: Any, log: SampleLog) -> SampleLog:
    """The log that was written, one of the same sort as ``log``, which stays as it is: merge it with that."""
    with reading():
        if (item(tree, "order", str), item(tree, "per", str), tree["labels"]) != (log.order, log.per, [*log.labels]):
            raise damaged("its samples are not those that were asked for")
        found = log.like()
        if "lines" in tree:
            found.hold(lines_in(item(tree, "lines", dict), len(log.labels), len(log.key_names)))
        found.total = count_of(tree, "total")
        if len(found) > found.total:
            raise damaged("it has more samples than it has seen")
        return found


def lines_in(tree: Tree, losses: int, width: int) -> Lines:
    rows = array_of(tree, "rows", "i8", (None,), 0)
    n = len(rows)
    if not n:
        raise damaged("its samples are none")
    return Lines(
        rows,
        keys_in(tree["keys"], n, width),
        array_of(tree, "status", "u1", (n,), 0, len(STATUS) - 1),
        array_of(tree, "values", "f8", (n, losses)),
        array_of(tree, "scored", "?", (n, losses)),
    )


def keys_in(columns: Any, n: int, width: int) -> list[Names] | None:
    if columns is None:
        return None
    keys: list[Names] = list(zip(*columns, strict=True))
    if len(keys) != n or len(columns) != width or not all(k is None or isinstance(k, str) for key in keys for k in key):
        raise damaged("its samples have other keys")
    return keys
