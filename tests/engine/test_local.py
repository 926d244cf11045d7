"""Tasks on threads: every row once, row numbers and order kept, and the earliest error wins whoever meets it first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event, Lock
from types import SimpleNamespace
from typing import Any

import pytest

from lossctl.engine.local import Window, drive


class Task:
    """``rows`` rows, one a chunk; ``pace`` seconds each. ``fails`` is where it raises: size, or a row of its own."""

    def __init__(self, name: int, rows: int, *, pace: float = 0.0, fails: str | int | None = None) -> None:
        self.name, self.rows, self.pace, self.fails = name, rows, pace, fails

    def size(self) -> int:
        time.sleep(self.pace)
        if self.fails == "size":
            raise ValueError(f"size of {self.name}")
        return self.rows

    def chunks(self, first: int) -> Iterator[Any]:
        for row in range(self.rows):
            time.sleep(self.pace)
            if row == self.fails:
                raise ValueError(f"row {row} of {self.name}")
            yield SimpleNamespace(first=first + row, rows=1)


def run(tasks: Any, threads: int) -> tuple[list[int], list[int]]:
    """The rows in the order in which they were seen, and in the order that came out of the window."""
    seen: list[int] = []
    out: list[int] = []
    lock = Lock()
    window: Window[int] = Window(out.append)

    def work(index: int, chunk: Any) -> None:
        with lock:
            seen.append(chunk.first)
        window.put(index, chunk.first)

    drive(iter(tasks), [work] * threads, window)
    return seen, out


@pytest.mark.parametrize("threads", [1, 2, 4, 9])
@pytest.mark.parametrize("sizes", [[], [3], [1] * 50, [0, 5, 0, 0, 40, 1], [60, 1, 60]])
def test_rows_are_numbered_and_come_out_in_order(threads, sizes):
    tasks = [Task(i, n, pace=0.0005 * (i % 3)) for i, n in enumerate(sizes)]
    seen, out = run(tasks, threads)
    assert sorted(seen) == out == list(range(sum(sizes)))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_earliest_error_wins(threads):
    """Though a later task, or the one that makes the tasks, has failed long before."""
    tasks = [Task(0, 2), Task(1, 5, pace=0.01, fails=4), Task(2, 3, fails=0), Task(3, 3, fails="size")]
    with pytest.raises(ValueError, match="row 4 of 1"):
        run(tasks, threads)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_tasks_that_cannot_be_made_fail_behind_those_before(threads):
    def making(*tasks: Task) -> Iterator[Task]:
        yield from tasks
        raise OSError("no more")

    with pytest.raises(ValueError, match="row 1 of 0"):
        run(making(Task(0, 3, pace=0.01, fails=1)), threads)
    with pytest.raises(OSError, match="no more"):
        run(making(Task(0, 3), Task(1, 3)), threads)


def test_few_items_wait_for_those_before_them():
    """A thread that is ahead stops, until the one behind has caught up."""
    go, held = Event(), []
    window: Window[int] = Window(lambda item: None)

    class Slow(Task):
        def chunks(self, first: int) -> Iterator[Any]:
            assert go.wait(10)
            yield from super().chunks(first)

    def work(index: int, chunk: Any) -> None:
        window.put(index, chunk.first)
        held.append(window.held)

    def quick() -> Iterator[Any]:
        yield Slow(0, 1)
        yield Task(1, 500)

    from threading import Timer

    Timer(0.2, go.set).start()
    drive(quick(), [work, work], window)
    assert 2 <= max(held) <= 24
    assert window.held == 0


def test_an_interrupt_ends_all_threads():
    started = Event()

    def work(index: int, chunk: Any) -> None:
        started.set()
        raise KeyboardInterrupt

    def wait(index: int, chunk: Any) -> None:
        assert started.wait(10)

    with pytest.raises(KeyboardInterrupt):
        drive(iter([Task(i, 1) for i in range(100)]), [work, wait], Window(print))
