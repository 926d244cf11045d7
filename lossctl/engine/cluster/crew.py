"""Workers of this machine, under one process that is not this one's copy.

It starts from nothing but the module path, so that a script that calls lossctl is not run again by each worker; it
stands in a session of its own, so that Ctrl-C is heard by one process only; and it holds on to a pipe: when this
process ends, however it does, so do they, and their folder is gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from tempfile import mkdtemp
from threading import Thread

__all__ = ["Crew", "work"]

START = """
import sys
told = sys.stdin.readline()
sys.path[:] = __import__("json").loads(told)["path"]
from lossctl.engine.cluster.crew import work
work(told)
"""
PATIENCE = 5.0  # seconds
# glibc keeps the memory of one chunk for the next: Dask has it given back at once, and getting it again takes a fifth
# of the time.
ROOMY = {"MALLOC_TRIM_THRESHOLD_": str(1 << 28), "MALLOC_MMAP_THRESHOLD_": str(1 << 25)}


class Crew:
    """So many workers of one thread each, for a scheduler that is named later: they get ready meanwhile."""

    def __init__(self, workers: int) -> None:
        self.folder = mkdtemp(prefix="lossctl-")  # for whatever Dask puts on a disk
        self._process = subprocess.Popen(  # noqa: S603 - Python itself
            [sys.executable, "-I", "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        self._say(json.dumps({"path": sys.path, "workers": workers, "folder": self.folder}))

    def join(self, address: str) -> None:
        """Let them work for this scheduler."""
        self._say(address)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End them, at whatever they are."""
        self._say("enough")
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
        except OSError:
            pass
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _say(self, line: str) -> None:
        try:
            if self._process.stdin is not None and not self._process.stdin.closed:
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()
        except OSError:  # they have ended: the one who asks them will see
            pass


def work(told: str) -> None:
    """The life of the process above the workers."""
    import distributed  # while the scheduler starts

    del distributed
    ours = json.loads(told)
    address = sys.stdin.readline().strip()
    Thread(target=leave, args=(ours["folder"], address), daemon=True).start()
    asyncio.run(serve(address, ours["workers"], ours["folder"]))


def leave(folder: str, address: str) -> None:
    """At the next word, or when nobody is left to say one."""
    import multiprocessing

    if address:
        sys.stdin.readline()
    for child in multiprocessing.active_children():
        child.kill()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


async def serve(address: str, workers: int, folder: str) -> None:
    """Workers that are started anew when they die, each with its share of the memory."""
    from dask import config
    from distributed import Nanny

    config.set({"distributed.nanny.pre-spawn-environ": ROOMY})
    share = {"nthreads": 1, "memory_limit": 1 / workers, "host": "127.0.0.1", "local_directory": folder}
    crew = [Nanny(address, **share, dashboard_address=None) for _ in range(workers)]
    await asyncio.gather(*crew)
    await asyncio.gather(*(one.finished() for one in crew))
