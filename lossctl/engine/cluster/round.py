"""One pass at a Dask cluster: tasks go out a few at a time, states that are ready are merged where they lie.

Merged states come here when they are of many tasks, and the cluster may forget how they came about: neither the
scheduler nor this process ever knows of more than a handful of tasks, and a worker that dies costs no more than these.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from lossctl import __version__
from lossctl.engine.cluster.plan import FAN
from lossctl.engine.cluster.worker import TaskError
from lossctl.errors import DataError, LossctlError, UsageError

if TYPE_CHECKING:
    from lossctl.engine.cluster.crew import Crew

__all__ = ["Round", "gone", "other_version"]

HOME = 2  # the level of states that come here: of FAN ** HOME tasks
AHEAD = 4  # tasks waiting for each thread of a worker
LEAST = 32  # tasks waiting at least, so that a cluster that grows with its work does grow
BEAT = 1.0  # seconds between two looks at who is there
SOON, LATE = 10.0, 600.0  # seconds without any worker until it is said, and until it is an error
OWN_LATE = 120.0  # and where they are processes of this machine


class Errand(NamedTuple):
    """What a future is for. Tasks are of level 0; ``inputs`` are the task or the states to merge."""

    level: int
    number: int
    inputs: Any
    name: str = ""  # of a file, for messages
    alone: bool = False  # nothing else is at work


class Round:
    """What is under way, and what is known of it."""

    def __init__(
        self,
        client: Any,
        address: str,
        partial: Callable[[bytes], bytes],
        merge: Callable[[Sequence[bytes]], bytes],
        told: Callable[[int], None],
        crew: Crew | None,
    ) -> None:
        self.client = client
        self.address = address
        self.partial = partial
        self.merge = merge
        self.told = told
        self.crew = crew
        self.name = f"{os.getpid()}-{os.urandom(4).hex()}"
        self.keys = count()
        self.done: SimpleQueue[Any] = SimpleQueue()
        self.running: dict[Any, Errand] = {}
        self.waiting: dict[int, list[Any]] = {}  # level -> futures of states that are ready
        self.home: list[bytes] = []
        self.suspects: list[Errand] = []  # were with workers that died
        self.put_off: list[Errand] = []  # until that is settled
        self.failures: dict[int, BaseException] = {}
        self.room = LEAST
        self.seen = self.beaten = monotonic()
        self.said = False

    def through(self, tasks: Iterator[tuple[str, bytes]]) -> bytes | None:
        """The merged state of all tasks."""
        from distributed.client import FutureCancelledError

        numbered = enumerate(tasks)
        try:
            self.beat()
            self.hand_out(numbered)
            while self.running or self.suspects:
                if not self.running:
                    self.again(min(self.suspects, key=lambda errand: errand.number))
                self.take(self.next_done())
                self.give_up()
                self.hand_out(numbered)
            return self.last()
        except (OSError, FutureCancelledError) as error:
            if isinstance(error, LossctlError):
                raise
            raise gone(self.address, "went away in the middle of the run", error) from None
        finally:
            self.cancel()

    def hand_out(self, numbered: Iterator[tuple[int, tuple[str, bytes]]]) -> None:
        """More tasks, if there are some, and nothing has gone wrong."""
        while len(self.running) < self.room and not self.suspects and not self.failures:
            if self.put_off:
                self.submit(self.put_off.pop())
                continue
            taken = next(numbered, None)
            if taken is None:
                return
            number, (name, task) = taken
            self.submit(Errand(0, number, task, name))

    def submit(self, errand: Errand) -> None:
        function, what = (self.merge, "merge") if errand.level else (self.partial, "task")
        key = f"lossctl-{what}-{self.name}", next(self.keys)
        future = self.client.submit(function, errand.inputs, key=key, pure=False, priority=errand.level)
        self.running[future] = errand
        future.add_done_callback(self.done.put)

    def again(self, errand: Errand) -> None:
        """Alone, a task shows whether it was the one that its workers died of."""
        self.suspects.remove(errand)
        self.submit(errand._replace(alone=True))

    def next_done(self) -> Any:
        """The next future that is done."""
        while True:
            if monotonic() > self.beaten + BEAT:
                self.beat()
            try:
                return self.done.get(timeout=BEAT)
            except Empty:
                pass

    def take(self, future: Any) -> None:
        """A future is done: a state to be merged with others of its level, or a failure."""
        errand = self.running.pop(future, None)
        if errand is None:  # put off
            return
        if future.status == "cancelled":
            raise gone(self.address, "went away in the middle of the run")
        if future.status == "error":
            self.failed(errand, future.exception())
            return
        # Finished; or lost since, with its worker: then the scheduler has it made again for whoever asks for it.
        if errand.level == 0:
            self.told(errand.number)
        if errand.level == HOME:
            self.home.append(self.fetched(future))
            if len(self.home) == FAN:
                self.home = [self.merge(self.home)]
            return
        group = self.waiting.setdefault(errand.level, [])
        group.append(future)
        if len(group) == FAN:
            self.waiting[errand.level] = []
            self.submit(Errand(errand.level + 1, -1, group))

    def last(self) -> bytes | None:
        """All that is left becomes one."""
        rest = [future for level in sorted(self.waiting) for future in self.waiting[level]]
        self.waiting = {}
        if len(rest) > 1:
            self.submit(Errand(HOME, -1, rest))
            while self.running or self.suspects:
                if not self.running:
                    self.again(self.suspects[0])
                self.take(self.next_done())
                self.give_up()
        elif rest:
            self.home.append(self.fetched(rest[0]))
        return self.merge(self.home) if len(self.home) > 1 else next(iter(self.home), None)

    def fetched(self, future: Any) -> bytes:
        """A state, which the cluster makes once more if it was lost in the meantime."""
        while True:
            try:
                state: bytes = future.result(timeout=10 * BEAT)
                return state
            except TimeoutError:
                self.beat()

    def failed(self, errand: Errand, error: BaseException | None) -> None:
        """A failure is kept, and whom a worker died under is asked once more, alone: it may have been another's."""
        from distributed import KilledWorker

        if isinstance(error, KilledWorker) and not errand.alone:
            self.suspects.append(errand)
            self.put_off_after(errand)
        else:
            self.failures[errand.number] = self.told_of(error, errand)

    def put_off_after(self, suspect: Errand) -> None:
        """Nobody waits for later tasks to know about this one."""
        later = [f for f, errand in self.running.items() if errand.level == 0 and errand.number > suspect.number]
        self.put_off += [self.running.pop(future) for future in later]
        self.put_off.sort(key=lambda errand: -errand.number)
        self.client.cancel(later, force=True)

    def give_up(self) -> None:
        """Raise the failure of the earliest task, once no earlier one is under way."""
        if self.failures:
            first = min(self.failures)
            under_way = [*self.running.values(), *self.suspects]
            if not any(errand.level == 0 and errand.number < first for errand in under_way):
                raise self.failures[first]

    def told_of(self, error: BaseException | None, errand: Errand) -> BaseException:
        """What a person is told of a failure."""
        from distributed import KilledWorker

        if isinstance(error, (TaskError, LossctlError)):
            return error
        if isinstance(error, KilledWorker):
            return DataError(
                "every worker died that took the task which begins with this file"
                if errand.name
                else "every worker died that was to merge some states",
                code="worker-lost",
                file=errand.name or None,
                hint="too little memory?  --chunk-rows N holds fewer rows at once; or workers with more memory",
            )
        if isinstance(error, (ImportError, AttributeError)) or "deserializ" in str(error):
            cause = error.__cause__ if error is not None and error.__cause__ is not None else error
            return other_version(f"a worker, or the scheduler, cannot load lossctl ({cause})")
        if error is not None and errand.name:
            error.add_note(f"while a worker read {errand.name}")
        return error or RuntimeError("a task failed without a word")

    def beat(self) -> None:
        """See who is there: more workers have more to do; without any there is an end to waiting."""
        if self.client.status != "running":
            raise gone(self.address, "went away in the middle of the run")
        if self.crew is not None and not self.crew.alive:
            raise gone(self.address, "has lost its workers: the process above them has ended")
        threads = sum(self.client.nthreads().values())
        self.room = max(LEAST, AHEAD * threads)
        self.beaten = now = monotonic()
        if threads:
            self.seen = now
        else:
            self.alone(now - self.seen, LATE if self.crew is None else OWN_LATE)

    def alone(self, seconds: float, late: float) -> None:
        """Nobody has been there for so long."""
        if seconds > late:
            raise gone(self.address, f"has had no workers for {late / 60:.0f} minutes")
        if seconds > SOON and not self.said:
            self.said = True
            words = f"lossctl: no workers at {self.address} yet: waiting for some, {late / 60:.0f} minutes at most"
            logging.getLogger("lossctl").warning(words)

    def cancel(self) -> None:
        """Leave nothing at a cluster that goes on."""
        left = [*self.running, *(future for group in self.waiting.values() for future in group)]
        if left and self.crew is None and self.client.status == "running":
            try:
                self.client.cancel(left, force=True)
            except Exception:
                logging.getLogger(__name__).debug("while leaving", exc_info=True)


def gone(address: str, what: str, error: BaseException | None = None) -> UsageError:
    cause = "" if error is None else f" ({' '.join(str(error).split())[:200] or type(error).__name__})"
    return UsageError(
        f"the scheduler at {address} {what}{cause}",
        code="scheduler",
        hint="is it up?  nothing was written; --engine local runs on this machine",
    )


def other_version(what: str) -> UsageError:
    return UsageError(
        f"{what}, and this is lossctl {__version__}",
        code="versions-differ",
        hint="install the same version of lossctl on all machines of the cluster, the scheduler's too",
    )
