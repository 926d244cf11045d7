"""Dask's hand in a run: a cluster of this machine's processes, or one that is there already."""

from __future__ import annotations

import logging
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import Any

from lossctl import __version__
from lossctl.engine.cluster.crew import Crew
from lossctl.engine.cluster.engines import scheduler_of
from lossctl.engine.cluster.round import Round, gone, other_version
from lossctl.engine.options import Options, processors
from lossctl.errors import LossctlError, UsageError

__all__ = ["Dask", "hire"]

PATIENCE = 10.0  # seconds until somebody answers the door
BUSY = 60.0  # and until a scheduler that has answered says who works for it
QUIET = ("distributed", "asyncio", "tornado", "bokeh")
LOGS = {"distributed.admin.low-level-log-length": 50}  # messages that Dask remembers, tasks and all
# Of a cluster of our own: workers take one task at a time, and a task that two have died over is asked alone.
OURS = {"distributed.scheduler.worker-saturation": 1.0, "distributed.scheduler.allowed-failures": 1}


def hire(options: Options) -> Dask:
    """The engine of these options."""
    address = scheduler_of(options)
    if address is not None and options.threads is not None:
        raise UsageError(
            f"--threads: how many are at work is for the cluster at {address} to say",
            code="bad-option",
            hint="leave it out, or unset DASK_SCHEDULER_ADDRESS",
        )
    return Dask(address, options.threads)


class Dask:
    """The engine. ``scheduler`` is the address of one; without it ``workers`` processes are started here."""

    def __init__(self, scheduler: str | None, workers: int | None) -> None:
        if find_spec("distributed") is None:
            raise UsageError(
                "--engine dask needs dask.distributed, which is not installed",
                code="missing-extra",
                hint="pip install 'lossctl[dask]'",
            )
        self._crew = Crew(workers or processors()) if scheduler is None else None
        self._cluster: Any = None
        self._client: Any = None
        self._levels: dict[str, int] = {}
        try:
            self._start(scheduler)
        except BaseException:
            self.close()
            raise

    def _start(self, scheduler: str | None) -> None:
        import dask
        import distributed

        self._levels = hushed()
        address = scheduler
        if self._crew is not None:
            with dask.config.set({**LOGS, **OURS, "temporary-directory": self._crew.folder}):
                self._cluster = distributed.LocalCluster(
                    n_workers=0,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False},
                    silence_logs=logging.CRITICAL,
                )
            address = self._cluster.scheduler_address
            self._crew.join(address)
        assert address is not None
        self.address = address
        knock(address)
        try:
            with dask.config.set(LOGS):
                self._client = distributed.Client(address, timeout=BUSY, set_as_default=False)
        except Exception as error:
            raise gone(address, "does not answer", error) from None
        if self._crew is None:
            same_versions(self._client)

    def run(
        self,
        partial: Callable[[bytes], bytes],
        merge: Callable[[Sequence[bytes]], bytes],
        tasks: Iterator[tuple[str, bytes]],
        told: Callable[[int], None],
    ) -> bytes | None:
        """The merged state of all tasks."""
        return Round(self._client, self.address, partial, merge, told, self._crew).through(tasks)

    def close(self) -> None:
        """Leave the cluster, and end one that was started here."""
        if self._crew is not None:
            self._crew.close()
        for one in (self._client, self._cluster):
            if one is not None:
                try:
                    one.close(timeout=5)
                except Exception:
                    logging.getLogger(__name__).debug("while leaving", exc_info=True)
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)


def hushed() -> dict[str, int]:
    """Have Dask say nothing on standard error, as what matters is said by errors; the levels that were."""
    warnings.filterwarnings("ignore", module=r"distributed\.")
    names = {*QUIET, *(name for name in logging.root.manager.loggerDict if name.split(".")[0] in QUIET)}
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return levels


def knock(address: str) -> None:
    """Refuse an address that is none, or at which nobody listens, at once rather than after many tries."""
    from distributed.comm import get_address_host_port, parse_address

    try:
        protocol = parse_address(address)[0]
        if protocol in {"tcp", "tls"}:
            with socket.create_connection(get_address_host_port(address), timeout=PATIENCE) as line:
                if protocol == "tcp" and not greets(line):
                    raise gone(address, "is none of Dask's")
    except ValueError as error:
        if isinstance(error, LossctlError):
            raise
        raise UsageError(
            f"--scheduler {address} is no address ({error})", code="scheduler", hint="such as tcp://HOST:8786"
        ) from None
    except OSError as error:
        if isinstance(error, LossctlError):
            raise
        raise gone(address, "does not answer", error) from None


def greets(line: socket.socket) -> bool:
    """Whether the other side speaks first, as Dask does: the length of a short message, in 8 bytes."""
    try:
        said = line.recv(8, socket.MSG_WAITALL)
    except TimeoutError:
        return False
    return len(said) == 8 and int.from_bytes(said, "little") < 1 << 20


def same_versions(client: Any) -> None:
    """Refuse a cluster that has another lossctl, or none; those who join later are found out by their tasks."""
    try:
        found = client.run(resolve_name, "lossctl:__version__", on_error="return")
    except Exception as error:
        raise gone(client.scheduler.address, "does not answer", error) from None
    for worker, version in sorted(found.items()):
        if isinstance(version, ImportError):
            raise other_version(f"the worker {worker} has no lossctl ({version})")
        if isinstance(version, str) and version != __version__:
            raise other_version(f"the worker {worker} has lossctl {version}")
