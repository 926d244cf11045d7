"""Dask's hand in a run: a cluster of this machine's processes, or one that is there already.

Tasks are handed out a few at a time, and states that are ready are merged where they lie, sixteen at a time, so that
neither the scheduler nor this process ever knows of more than a handful, however many tasks there are.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

from lossctl.engine.cluster.plan import FAN
from lossctl.engine.cluster.worker import TaskError
from lossctl.engine.options import Options, processors
from lossctl.errors import DataError, LossctlError, UsageError

__all__ = ["Dask", "hire"]

AHEAD = 4  # tasks waiting for each thread of a worker
PATIENCE = "20s"  # until a scheduler answers
ROOMY = {"MALLOC_TRIM_THRESHOLD_": str(1 << 28), "MALLOC_MMAP_THRESHOLD_": str(1 << 25)}
QUIET = ("distributed", "asyncio", "tornado")


def hire(options: Options) -> Dask:
    """The engine of these options, with a scheduler of the environment if they name none."""
    return Dask(options.scheduler or os.environ.get("DASK_SCHEDULER_ADDRESS") or None, options.threads)


class Dask:
    """The engine. ``scheduler`` is the address of one; without it ``workers`` processes are started here."""

    def __init__(self, scheduler: str | None, workers: int | None) -> None:
        try:
            import distributed
        except ImportError:
            raise UsageError(
                "--engine dask needs dask.distributed, which is not installed",
                code="missing-extra",
                hint="pip install 'lossctl[dask]'",
            ) from None
        for name in QUIET:  # what matters is said by errors
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._cluster: Any = None
        address = scheduler
        if address is None:
            self._cluster = started(distributed, workers or processors())
            address = self._cluster.scheduler_address
        try:
            self._client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            self.close()
            raise gone(address, "does not answer", error) from None
        self.address = address
        self._runs = count()

    def run(
        self,
        partial: Callable[[bytes], bytes],
        merge: Callable[[Sequence[bytes]], bytes],
        tasks: Iterator[tuple[str, bytes]],
        told: Callable[[int], None],
    ) -> bytes | None:
        """The merged state of all tasks."""
        return Round(self._client, self.address, partial, merge, told, next(self._runs)).through(tasks)

    def close(self) -> None:
        """Leave the cluster, and end one that was started here."""
        for one in (getattr(self, "_client", None), self._cluster):
            if one is not None:
                try:
                    one.close(timeout=5)
                except Exception:
                    logging.getLogger(__name__).debug("while leaving", exc_info=True)


def started(distributed: Any, workers: int) -> Any:
    """A cluster of this machine. Its workers keep the memory of one chunk for the next, where glibc manages it.

    Dask has it given back at once, and a fifth of the time went into getting it again.
    """
    from dask import config

    with config.set({"distributed.nanny.pre-spawn-environ": ROOMY}):
        return distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.CRITICAL,
        )


class Round:
    """One pass: futures of tasks and of merges, and what is known of each."""

    def __init__(
        self,
        client: Any,
        address: str,
        partial: Callable[[bytes], bytes],
        merge: Callable[[Sequence[bytes]], bytes],
        told: Callable[[int], None],
        number: int,
    ) -> None:
        import distributed

        self.client = client
        self.address = address
        self.partial = partial
        self.merge = merge
        self.told = told
        self.name = f"lossctl-{os.getpid()}-{os.urandom(4).hex()}-{number}"
        self.ready = distributed.as_completed(loop=client.loop, raise_errors=False)
        self.names: dict[int, str] = {}  # of tasks at work
        self.running: dict[Any, tuple[int, int]] = {}  # future -> level, number; tasks are level 0
        self.waiting: dict[int, list[Any]] = {}  # level -> futures of states that are ready
        self.merges = count()
        self.failures: dict[int, BaseException] = {}

    def through(self, tasks: Iterator[tuple[str, bytes]]) -> bytes | None:
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError

        room = AHEAD * max(1, sum(self.client.nthreads().values()))
        numbered = enumerate(tasks)
        try:
            for _ in range(room):
                self.hand_out(numbered)
            for future in self.ready:
                self.take(future)
                if self.failures:
                    if not any(number < min(self.failures) for level, number in self.running.values() if not level):
                        raise self.failures[min(self.failures)]
                else:
                    self.hand_out(numbered)
            last = [future for level in sorted(self.waiting) for future in self.waiting[level]]
            if not last:
                return None
            whole = last[0] if len(last) == 1 else self.client.submit(self.merge, last, key=self.key("last", 0))
            merged: bytes = whole.result()
        except (CommClosedError, FutureCancelledError, OSError) as error:
            if isinstance(error, LossctlError):
                raise
            raise gone(self.address, "went away in the middle of the run", error) from None
        finally:
            self.client.cancel(list(self.running), force=True)
        return merged

    def hand_out(self, numbered: Iterator[tuple[int, tuple[str, bytes]]]) -> None:
        """Another task, if there is one."""
        taken = next(numbered, None)
        if taken is None:
            return
        number, (self.names[number], task) = taken
        future = self.client.submit(self.partial, task, key=self.key("task", number), pure=False)
        self.running[future] = 0, number
        self.ready.add(future)

    def take(self, future: Any) -> None:
        """A future is done: a state to be merged with others of its level, or a failure."""
        level, number = self.running.pop(future)
        if future.status != "finished":
            if future.status in {"cancelled", "lost"}:
                raise gone(self.address, "went away in the middle of the run")
            self.failures[number if level == 0 else -1] = self.failure(future.exception(), number, level)
            return
        if level == 0:
            del self.names[number]
            self.told(number)
        group = self.waiting.setdefault(level, [])
        group.append(future)
        if len(group) == FAN:
            merged = self.client.submit(self.merge, group, key=self.key("merge", next(self.merges)), pure=False)
            self.waiting[level] = []
            self.running[merged] = level + 1, number
            self.ready.add(merged)

    def key(self, what: str, number: int) -> str:
        return f"{self.name}-{what}-{number}"

    def failure(self, error: BaseException | None, number: int, level: int) -> BaseException:
        """What a person is told of it."""
        from distributed import KilledWorker

        file = self.names.get(number) if level == 0 else None
        if isinstance(error, (TaskError, LossctlError)):
            return error
        if isinstance(error, KilledWorker):
            return DataError(
                "every worker that took this file died over it",
                code="worker-lost",
                file=file,
                hint="too little memory?  --chunk-rows N holds fewer rows at once; or workers with more memory",
            )
        if isinstance(error, ImportError):
            return UsageError(
                f"the workers at {self.address} cannot load lossctl: {error}",
                code="versions-differ",
                hint="install the same version of lossctl on all machines of the cluster",
            )
        if error is not None and file is not None:
            error.add_note(f"while a worker read {file}")
        return error or RuntimeError("a task failed without a word")


def gone(address: str, what: str, error: BaseException | None = None) -> UsageError:
    cause = f" ({' '.join(str(error).split())[:200]})" if error is not None and str(error) else ""
    return UsageError(
        f"the scheduler at {address} {what}{cause}",
        code="scheduler",
        hint="is it up?  nothing was written; --engine local runs on this machine",
    )
