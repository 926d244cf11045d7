"""Output files that are there whole or not at all, whatever fails while they are written."""

from __future__ import annotations

import contextlib
import os
import stat
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, TYPE_CHECKING

from lossctl.errors import LossctlError, OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["AtomicFile", "Outgoing", "naming"]

_LINKS = 40  # that are followed before a name is taken to go round in circles


class Outgoing:
    """Bytes that gather in a file before they appear at ``path``, where they go."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = 0
        self._file: IO[bytes] | None = None

    def write(self, data: ReadableBuffer) -> int:
        """Append the bytes; how many they are."""
        with self._telling():
            written = self._open().write(data)
        self.size += written
        return written

    def overwrite(self, data: bytes) -> None:
        """Put the bytes over those at the start. Only where the file is ``seekable``."""
        with self._telling():
            file = self._open()
            file.seek(0)
            file.write(data)
            file.seek(0, os.SEEK_END)

    def _telling(self) -> AbstractContextManager[None]:
        """What makes an error of the system one of ours."""
        return naming(self.path)

    def _open(self) -> IO[bytes]:
        if self._file is None:
            raise ValueError(f"{self.path} is no longer being written")
        return self._file


class AtomicFile(Outgoing):
    """Bytes on their way to ``path``: readers see the old file until ``commit``, then the new one, never a part.

    They go to a temporary file beside the target, through a symbolic link and not over it. It takes the
    mode of the file it replaces and is renamed once it is on the disk. It is removed by ``abort``, by any
    failure here, and when the object is forgotten. Pipes and devices (``seekable`` is false) are written
    straight through. Every failure is an ``OutputError`` that names the path and the cause.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(os.fspath(path))
        self._forget: Callable[[], object] | None = None
        self._target = self._temporary = ""
        with naming(self.path):
            descriptor = _descriptor(self.path)
            old = _stat(self.path)
        if old is not None and stat.S_ISDIR(old.st_mode):
            raise _refused(self.path, "Is a directory")
        self.seekable = descriptor is None and (old is None or stat.S_ISREG(old.st_mode))
        with naming(self.path):
            if self.seekable:
                self._begin(old)
            else:
                self._file = open(self.path if descriptor is None else os.dup(descriptor), "wb")  # noqa: SIM115

    def _begin(self, old: os.stat_result | None) -> None:
        self._target = os.path.realpath(self.path)
        self._temporary = os.path.join(os.path.dirname(self._target), f".lossctl-{os.urandom(8).hex()}.tmp")
        self._forget = weakref.finalize(self, _remove, self._temporary, os.getpid())
        try:
            self._file = open(self._temporary, "xb")  # noqa: SIM115 - open until commit
            if old is not None:
                os.chmod(self._temporary, stat.S_IMODE(old.st_mode))
        except BaseException:
            self.abort()
            raise

    def commit(self) -> None:
        """Let the file appear under its name."""
        try:
            with naming(self.path):
                file = self._open()
                file.flush()
                if self.seekable:
                    os.fsync(file.fileno())
                file.close()
                if self.seekable:
                    os.replace(self._temporary, self._target)
        except BaseException:
            self.abort()
            raise
        self._file = None

    def abort(self) -> None:
        """Leave everything as it was. Does nothing after ``commit`` or a second time."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
        forget, self._forget = self._forget, None
        if forget is not None:
            forget()

    def __del__(self) -> None:
        self.abort()


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _remove(path: str, process: int) -> None:
    if os.getpid() == process:  # not in a child that has forgotten its copy
        with contextlib.suppress(OSError):
            os.unlink(path)


def _descriptor(path: str) -> int | None:
    """The open descriptor that a name (``/dev/stdout``) or a link to it stands for: its file is not to be replaced."""
    homes = {"/dev/fd", f"/proc/{os.getpid()}/fd"}
    for _ in range(_LINKS):
        folder, name = os.path.split(path)
        if name.isdecimal() and os.path.realpath(folder) in homes:
            return int(name)
        if not os.path.islink(path):
            return None
        path = os.path.join(folder, os.readlink(path))
    return None


@contextlib.contextmanager
def naming(path: str) -> Iterator[None]:
    """An error of the system inside becomes one that names the path and the cause."""
    try:
        yield
    except LossctlError:
        raise
    except OSError as error:
        raise _refused(path, error.strerror or str(error) or type(error).__name__) from error


def _refused(path: str, cause: str) -> OutputError:
    return OutputError(f"cannot write {path}: {cause}", file=path)
