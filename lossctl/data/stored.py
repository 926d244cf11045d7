"""Bytes that can be read at any place: of a file, or of a pipe by way of a copy.

``FileBytes`` and ``Spool`` have one face, ``at(offset, view)``; ``Cursor`` makes either one a plain
Python file. Whatever goes wrong on the way is a ``DataError`` with the name and the cause.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Protocol

from lossctl.errors import DataError

__all__ = ["Cursor", "FileBytes", "Spool", "Stored", "reading"]

_SPOOL_IN_MEMORY = 8 << 20
_PIECE = 1 << 22


@contextmanager
def reading(name: str, what: str = "file") -> Iterator[None]:
    """Turns whatever a reader raises into a ``DataError`` that names the input and the cause."""
    try:
        yield
    except DataError:
        raise
    except MemoryError:
        message = f"a part of the {what} does not fit into memory"
        raise DataError(message, code="too-large", file=name) from None
    except OSError as error:
        if error.errno is None:  # no system call failed: the data are at fault
            raise _corrupt(name, what, error) from None
        raise _unreadable(name, error) from None
    except NotImplementedError as error:
        cause = " ".join(str(error).split())[:300]
        raise DataError(f"the {what} cannot be read: {cause}", code="unsupported-format", file=name) from None
    except Exception as error:
        raise _corrupt(name, what, error) from None


def _corrupt(name: str, what: str, error: Exception) -> DataError:
    cause = " ".join(str(error).split()) or type(error).__name__
    return DataError(f"the {what} is truncated or corrupt: {cause[:300]}", code="corrupt", file=name)


def _unreadable(name: str, error: OSError) -> DataError:
    cause = os.strerror(error.errno) if error.errno else str(error)
    if isinstance(error, FileNotFoundError):
        return DataError(f"{name}: no such file", code="not-found", file=name)
    return DataError(f"{name} cannot be read: {cause}", code="unreadable", file=name)


class Stored(Protocol):
    """Bytes that can be read at any place."""

    def at(self, offset: int, view: memoryview) -> int:
        """Fills some of ``view`` from ``offset`` on; how many bytes, 0 only at the end."""
        ...

    def size(self) -> int:
        """How many bytes there are; a spool reads on to its end to know it."""
        ...


def _pread(fd: int, view: memoryview, offset: int) -> int:
    if hasattr(os, "preadv"):
        return os.preadv(fd, [view], offset)
    with _SEEKING:
        os.lseek(fd, offset, os.SEEK_SET)
        data = os.read(fd, len(view))
    view[: len(data)] = data
    return len(data)


_SEEKING = Lock()  # where the system cannot seek and read in one call


class FileBytes:
    """An open file that can seek; several threads may read it at once. Closed with its last user."""

    def __init__(self, name: str, fd: int, start: int = 0) -> None:
        self._name = name
        self._fd = fd
        self._start = start
        self._size = os.fstat(fd).st_size - start

    def at(self, offset: int, view: memoryview) -> int:
        """Raises ``DataError`` (code ``shrank``) where bytes are gone that were there at first."""
        with reading(self._name):
            count = _pread(self._fd, view, self._start + offset)
        if not count and len(view) and offset < self._size:
            raise DataError(
                f"the file shrank while it was read: {self._size:,} bytes at first, {offset:,} now",
                code="shrank",
                file=self._name,
            )
        return count

    def size(self) -> int:
        """The size when the file was opened."""
        return self._size

    def __del__(self) -> None:
        os.close(self._fd)


class Spool:
    """What came out of a pipe so far, kept so that it can be read again.

    Reading is lazy: bytes are taken from ``read(n)`` only when somebody asks for them, so a
    consumer that stops early does not wait for the end. Beyond a few megabytes they are kept in a
    temporary file.
    """

    def __init__(
        self, name: str, read: Callable[[int], bytes | None], close: Callable[[], object] | None = None
    ) -> None:
        self.complete = False
        self._name = name
        self._read = read
        self._close = close
        self._size = 0
        self._lock = Lock()
        self._memory = bytearray()
        self._fd: int | None = None

    def at(self, offset: int, view: memoryview) -> int:
        """Raises ``DataError`` with the cause if the pipe cannot be read or the copy not be written."""
        with self._lock:
            while offset >= self._size and not self.complete:
                self._more(max(len(view), offset - self._size))
            if self._fd is None:
                data = self._memory[offset : offset + len(view)]
                view[: len(data)] = data
                return len(data)
        with reading(self._name, "temporary file"):
            return _pread(self._fd, view, offset)

    def size(self) -> int:
        """All of it is read for this."""
        with self._lock:
            while not self.complete:
                self._more(_PIECE)
        return self._size

    def _more(self, count: int) -> None:
        with reading(self._name, "input"):
            data = self._read(min(count, _PIECE))
            if data is None:  # a pipe set not to wait
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if not data:
            self.complete = True
            return
        try:
            self._keep(data)
        except OSError as error:
            message = f"the input cannot be kept in a temporary file: {error.strerror or error}"
            hint = "save the input as a file first, or let TMPDIR name a folder with room"
            raise DataError(message, code="spool", file=self._name, hint=hint) from None
        self._size += len(data)

    def _keep(self, data: bytes) -> None:
        if self._fd is None and self._size + len(data) <= _SPOOL_IN_MEMORY:
            self._memory += data
            return
        if self._fd is None:
            import tempfile

            with tempfile.TemporaryFile(buffering=0) as file:  # it has no name, the descriptor is all
                self._fd = os.dup(file.fileno())
            _write(self._fd, self._memory)
            self._memory = bytearray()
        _write(self._fd, data)

    def __del__(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
        if self._close is not None:
            self._close()


def _write(fd: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while len(view):
        view = view[os.write(fd, view) :]


class Cursor(io.RawIOBase):
    """A place in stored bytes, as a Python file opened for reading."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = self._stored.at(self._place, view) if len(view) else 0
        self._place += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = (0, self._place, 0)[whence] if whence != os.SEEK_END else self._stored.size()
        self._place = max(base + offset, 0)
        return self._place

    def tell(self) -> int:
        return self._place
