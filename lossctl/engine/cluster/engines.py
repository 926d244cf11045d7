"""What an engine is, and for how long one stays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol

from lossctl.engine.options import Options

__all__ = ["Engine", "hired", "scheduler_of"]


class Engine(Protocol):
    """Whoever can call two functions somewhere else.

    ``partial`` makes a state of a task, ``merge`` one of several, in any order. Both are functions of bytes that can
    be sent by reference, and what they give depends on these bytes alone: a task that is lost with its worker may be
    done again, by another.
    """

    def run(
        self,
        partial: Callable[[bytes], bytes],
        merge: Callable[[Sequence[bytes]], bytes],
        tasks: Iterator[tuple[str, bytes]],
        told: Callable[[int], None],
    ) -> bytes | None:
        """The merged state of all tasks, which come with names for messages; ``None`` if there are none.

        ``told`` hears the number, from 0, of each task that is done. Raises what ``partial`` has raised, of several
        failures that of the earliest task; ``UsageError`` (code ``scheduler``) if there is nobody to do the work.
        """
        ...

    def close(self) -> None:
        """Let go of the workers."""
        ...


def scheduler_of(options: Options) -> str | None:
    """The scheduler that the options or the environment name; ``None`` if the workers are this machine's."""
    return options.scheduler or os.environ.get("DASK_SCHEDULER_ADDRESS") or None


@contextmanager
def hired(options: Options) -> Iterator[Engine]:
    """The engine that the options name, until the work is done: ``hire(options)`` of the module of its name."""
    engine: Engine = import_module(f"lossctl.engine.cluster.{options.engine}").hire(options)
    try:
        yield engine
    finally:
        engine.close()
