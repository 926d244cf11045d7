"""Which engine does the work, and for how long it stays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lossctl.engine.options import Options

if TYPE_CHECKING:
    from lossctl.engine.cluster.driver import Engine

__all__ = ["ENGINES", "hired"]


@contextmanager
def hired(options: Options) -> Iterator[Engine]:
    """The engine that the options name, until the work is done."""
    engine = ENGINES[options.engine](options)
    try:
        yield engine
    finally:
        getattr(engine, "close", bool)()


def dask(options: Options) -> Engine:
    from lossctl.engine.cluster.dask import Dask

    return Dask(options.scheduler or os.environ.get("DASK_SCHEDULER_ADDRESS") or None, options.threads)


ENGINES: Mapping[str, Callable[[Options], Engine]] = {"dask": dask}
