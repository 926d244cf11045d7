"""What a run may hold in memory, and the temporary file for what is beyond."""

from __future__ import annotations

from threading import Lock
from typing import Any

from numpy.typing import NDArray

from lossctl.errors import OutputError, UsageError

__all__ = ["Room", "Spool"]


class Spool:
    """Bytes in a temporary file that has no name: several threads may add to it; it is gone with its last user."""

    def __init__(self) -> None:
        import tempfile

        self._lock = Lock()
        self._size = 0
        try:
            self._file = tempfile.TemporaryFile(prefix="lossctl-", buffering=0)  # noqa: SIM115 - closed when let go
        except OSError as error:
            raise refused(error) from None

    def append(self, *arrays: NDArray[Any]) -> int:
        """Write the arrays one behind the other; where the first of them begins."""
        with self._lock:
            start = self._size
            try:
                self._file.seek(start)
                for array in arrays:
                    rest = array.data.cast("B")
                    while len(rest):
                        rest = rest[self._file.write(rest) :]
                    self._size += array.nbytes
            except OSError as error:
                raise refused(error) from None
        return start

    def read(self, offset: int, into: NDArray[Any]) -> None:
        """Fill the array with what was written from ``offset`` on."""
        with self._lock:
            try:
                self._file.seek(offset)
                rest = into.data.cast("B")
                while len(rest):
                    count = self._file.readinto(rest)
                    if not count:
                        raise OSError("it is shorter than it was")
                    rest = rest[count:]
            except OSError as error:
                raise refused(error) from None

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()


def refused(error: OSError) -> OutputError:
    return OutputError(
        f"the values of all rows cannot be kept in a temporary file: {error.strerror or error}",
        code="spool",
        hint="let TMPDIR name a folder with room, or allow more memory with --memory",
    )


class Room:
    """Bytes that values held one by one may take, of several tallies and threads together.

    Values that a quantile is found from are counted and go elsewhere when it gets full; what a loss keeps of a whole
    data set has to fit. Only sums are looked at, so that it does not matter who comes first: tallies that are merged
    later either share one room, or each has one of the whole size.
    """

    def __init__(self, size: float) -> None:
        self.size = size
        self.kept = 0
        self.collected = 0
        self._lock = Lock()
        self._spool: Spool | None = None

    def take(self, *arrays: NDArray[Any] | None) -> None:
        """For what a loss keeps; refused where it does not fit."""
        with self._lock:
            self.kept += sum(array.nbytes for array in arrays if array is not None)
        if self.kept > self.size:
            raise UsageError(
                f"the loss is a number of all values at once: {self.kept:,} bytes so far, and --memory allows "
                f"{self.size:,}",
                code="memory",
                hint="allow more with --memory",
            )

    def collect(self, size: int) -> None:
        """For values of rows: they count whether they stay in memory or not."""
        with self._lock:
            self.collected += size

    @property
    def full(self) -> bool:
        return self.kept + self.collected > self.size

    @property
    def spool(self) -> Spool:
        """The file that all who share the room write to."""
        with self._lock:
            if self._spool is None:
                self._spool = Spool()
            return self._spool
