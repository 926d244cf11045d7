"""Samples of tasks, merged in any order: what adding them in row order would keep."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from lossctl.engine import samples
from lossctl.engine.samples import Lines, SampleLog
from lossctl.engine.wire.addresses import UNIT_BITS, relocate
from lossctl.engine.wire.frame import pack, unpack
from lossctl.engine.wire.logs import log_in, log_out
from lossctl.errors import DataError

ROWS = 100
KINDS = {
    "all": (None, False),
    "first": (7, False),
    "many": (1000, False),
    "worst": (6, True),
}


def log_of(kind: str, ascending: bool = False, keys: tuple[str, ...] = ("id",)) -> SampleLog:
    keep, worst = KINDS[kind]
    return SampleLog("row", ("a", "b"), keys, keep, worst, ascending)


def lines(start: int, stop: int) -> Lines:
    rows = np.arange(start, stop)
    rng = np.random.default_rng(4)
    values = rng.integers(0, 9, (ROWS, 2)).astype(float)[start:stop]
    values[rows % 31 == 5] = np.nan
    status = (rows % 9 == 0).astype(np.uint8)
    return Lines(rows, None, status, values, np.column_stack([status == 0, status == 0]))


def add(log: SampleLog, start: int, stop: int, moved: int = 0) -> None:
    some = lines(start, stop)
    some.rows = some.rows + moved
    log.add(
        some, (lambda: [(f"k{i}\ud800" if i % 3 else None,) for i in range(start, stop)]) if log.key_names else None
    )


def seen(log: SampleLog) -> list[str]:
    return [repr((log.order, log.total, len(log))), *map(repr, log)]


@pytest.mark.parametrize("keys", [("id",), ()], ids=["keys", "rows"])
@pytest.mark.parametrize("ascending", [False, True], ids=["greatest", "least"])
@pytest.mark.parametrize("room", [samples.IN_MEMORY, 200, 1], ids=["memory", "some", "file"])
@pytest.mark.parametrize("kind", KINDS)
def test_logs_of_parts_are_the_whole(kind, ascending, room, keys, monkeypatch):
    """Straight from one log to another, by bytes, in trees, and with rows that get their numbers in the end."""
    monkeypatch.setattr(samples, "IN_MEMORY", room)
    whole = log_of(kind, ascending, keys)
    for start in range(0, ROWS, 10):
        add(whole, start, start + 10)
    for way in ("straight", "bytes", "tree", "addresses"):
        parts = []
        for start in range(0, ROWS, 20):
            moved = (start // 20 << UNIT_BITS) - start if way == "addresses" else 0
            part = log_of(kind, ascending, keys)
            add(part, start, start + 5, moved)
            add(part, start + 5, start + 20, moved)
            parts.append(part)
        random.Random(way).shuffle(parts)
        fresh = log_of(kind, ascending, keys)
        if way == "tree":
            for one, other in ((0, 3), (1, 4), (0, 1)):
                parts[one].merge(log_in(unpack(pack({}, log_out(parts[other])))[1], fresh))
            for used in (parts.pop(4), parts.pop(3), parts.pop(1)):
                used.close()
        for part in parts:
            fresh.merge(part if way == "straight" else log_in(unpack(pack({}, log_out(part)))[1], fresh))
        if way == "addresses":
            relocate([], fresh, lambda a: (a >> UNIT_BITS) * 20 + a % (1 << UNIT_BITS))
        assert seen(fresh) == seen(whole)
        assert sorted(fresh.rows()) == sorted(whole.rows())
        for log in (fresh, *parts):
            log.close()
    whole.close()


def test_a_bounded_log_stays_bounded():
    fresh = log_of("worst")
    for start in range(0, ROWS, 10):
        part = log_of("worst")
        add(part, start, start + 10)
        fresh.merge(part)
        assert len(fresh) <= 6


def test_a_log_without_lines():
    fresh = log_of("first")
    part = log_of("first")
    part.total = 4
    fresh.merge(log_in(log_out(part), fresh))
    assert (len(fresh), fresh.total, fresh.lines()) == (0, 4, None)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.update(order="all"),
        lambda t: t.update(labels=["a"]),
        lambda t: t.update(total=1),
        lambda t: t.update(total=None),
        lambda t: t["lines"].update(keys=None, values=np.zeros((3, 1))),
        lambda t: t["lines"].update(keys=[["a"]]),
        lambda t: t["lines"].update(keys=[[1] * 7]),
        lambda t: t["lines"].update(status=np.full(7, 9, np.uint8)),
        lambda t: t["lines"].update(rows=np.zeros(0, np.int64)),
        lambda t: t.update(lines=[]),
    ],
)
def test_logs_of_other_runs_are_refused(change: Any):
    log = log_of("first")
    add(log, 0, 20)
    tree = log_out(log)
    change(tree)
    with pytest.raises(DataError) as caught:
        log_in(tree, log_of("first"))
    assert caught.value.code == "state"
