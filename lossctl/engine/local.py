"""Tasks on threads of this machine.

NumPy and Arrow let other threads run while they work. Each thread takes the next task, and adds what it makes of it
to a state of its own, so that nothing is shared but two queues: ``Rows`` tells a task the number of its first row as
soon as all tasks before it are counted, and ``Window`` brings what must come in row order into that order.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from threading import Condition, Lock, Thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from lossctl.data.pair import Chunk
    from lossctl.data.tasks import Task

__all__ = ["HELD", "Window", "drive"]

Item = TypeVar("Item")
HELD = 16  # items that wait in a window for those before them


class Stopped(Exception):  # noqa: N818 - a turn of events: another thread has met an error
    """There is no use in going on."""


class Turn:
    """Whose turn it is, among tasks that are numbered from 0."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.now = 0
        self.last = sys.maxsize  # no task behind it is of any use

    def stop(self, at: int) -> None:
        """Task ``at`` has failed: those before it go on, since one of them may be the first to fail."""
        with self.changed:
            self.last = min(self.last, at)
            self.changed.notify_all()

    def wait(self, index: int) -> None:
        """Let task ``index`` wait for a change, with the lock held."""
        if index > self.last:
            raise Stopped
        self.changed.wait()


class Rows(Turn):
    """The numbers of the tasks' first rows."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = 0

    def first(self, index: int, count: int) -> int:
        """The first row of task ``index``, which has ``count``; waits for the tasks before it."""
        with self.changed:
            while self.now != index:
                self.wait(index)
            first = self.rows
            self.rows += count
            self.now += 1
            self.changed.notify_all()
        return first


class Window(Turn, Generic[Item]):
    """Items go to ``take`` in the order of their tasks, whichever thread has made them; few have to wait."""

    def __init__(self, take: Callable[[Item], None], room: int = HELD) -> None:
        super().__init__()
        self.room = room
        self.take = take
        self.waiting: dict[int, deque[Item]] = {}
        self.done: set[int] = set()
        self.held = 0

    def put(self, index: int, item: Item) -> None:
        """An item of task ``index``, behind those that it has put before."""
        with self.changed:
            while index != self.now and self.held >= self.room:
                self.wait(index)
            if index > self.last:  # what must come before it never will
                raise Stopped
            if index == self.now:
                self.take(item)
                return
            self.waiting.setdefault(index, deque()).append(item)
            self.held += 1

    def close(self, index: int) -> None:
        """Task ``index`` has no more items."""
        with self.changed:
            self.done.add(index)
            while self.now in self.done:
                self.done.remove(self.now)
                self.now += 1
                for item in self.waiting.pop(self.now, ()):
                    self.held -= 1
                    self.take(item)
            self.changed.notify_all()


def drive(
    tasks: Iterator[Task],
    workers: Sequence[Callable[[int, Chunk], None]],
    window: Window[Item],
    tick: Callable[[int], None] | None = None,
) -> None:
    """Hand every chunk of every task, with the task's number, to one of the workers, each on a thread of its own.

    ``tick`` is told on the calling thread how many rows are through. Of several errors that of the earliest task is
    raised, as if there were one thread only.
    """
    found, tasks = ahead(tasks, len(workers))
    run = Run(tasks, window)
    threads = [Thread(target=run.work, args=(worker,), daemon=True) for worker in workers[1:found]]  # one a task
    for thread in threads:
        thread.start()
    try:
        run.work(workers[0], tick)
        for thread in threads:
            thread.join()
    except BaseException:  # an interrupt
        run.stop(-1)
        raise
    if run.failures:
        raise run.failures[min(run.failures)]


def ahead(tasks: Iterator[Task], most: int) -> tuple[int, Iterator[Task]]:
    """How many tasks there are, up to ``most``, and all of them; an error stands where it was met."""
    found: list[Task] = []
    failure: Exception | None = None
    try:
        found += islice(tasks, most)
    except Exception as error:
        failure = error

    def every() -> Iterator[Task]:
        yield from found
        if failure is not None:
            raise failure
        yield from tasks

    return len(found), every()


class Run(Generic[Item]):
    """What the threads of one pass share."""

    def __init__(self, tasks: Iterator[Task], window: Window[Item]) -> None:
        self.tasks = enumerate(tasks)
        self.window = window
        self.rows = Rows()
        self.taking = Lock()
        self.failures: dict[int, Exception] = {}
        self.over = False
        self.started = -1
        self.through = 0

    def stop(self, at: int) -> None:
        self.over = True
        self.rows.stop(at)
        self.window.stop(at)

    def work(self, worker: Callable[[int, Chunk], None], tick: Callable[[int], None] | None = None) -> None:
        """Take tasks until there are none, or one has failed."""
        index = -1
        try:
            while (taken := self.next()) is not None:
                index, task = taken
                for chunk in task.chunks(self.rows.first(index, task.size())):
                    worker(index, chunk)
                    self.through += chunk.rows  # for the eye only: no lock
                    if tick is not None:
                        tick(self.through)
                self.window.close(index)
        except Stopped:
            pass
        except Exception as error:
            self.failures[index] = error
            self.stop(index)

    def next(self) -> tuple[int, Task] | None:
        with self.taking:
            if self.over:
                return None
            try:
                taken = next(self.tasks, None)
            except Exception as error:  # the task that could not be made
                self.failures[self.started + 1] = error
                self.over = True
                return None
            if taken is not None:
                self.started = taken[0]
            return taken
