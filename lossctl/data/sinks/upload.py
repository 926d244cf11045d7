"""Objects on stores that are there whole or not at all, whatever fails while they are sent."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from threading import Event, Thread
from typing import IO, TYPE_CHECKING

from lossctl.data.stores.names import file_name, joined, split
from lossctl.data.stores.store import store_of
from lossctl.errors import DataError, LossctlError, OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from lossctl.data.stores.store import Store

__all__ = ["Upload", "check_bucket", "put", "telling"]

_PIECE = 16 << 20
_PIECES = 5_000  # a multipart upload has at most 10,000 parts
_GRACE = 2.0  # seconds that the end of a request is waited for after Ctrl-C
_IN_PLACE = ("hdfs",)  # where a file shows while it is being written


class Upload:
    """Bytes on their way to an object: readers see the old object until ``commit``, then the new one, never a part.

    They wait in a temporary file without a name, which is gone with the process, and are sent by ``commit`` in one
    stream that is closed last of all: an upload that is cut short (by an error, Ctrl-C, a kill, a server that answers
    no more) leaves the old object or none. What the server has of it (an unfinished multipart upload, from 10 MB on)
    is listed nowhere and goes by the rules of the bucket. Hadoop shows files while they grow: there the file is sent
    under a hidden name and renamed. Every failure is an ``OutputError`` that names the URI and the cause; a bucket
    that is not there and a server that does not answer are told at once.
    """

    def __init__(self, uri: str, endpoint_url: str | None = None) -> None:
        self._file: IO[bytes] | None = None
        self.path = uri
        self.size = 0
        self.seekable = True
        with telling(uri):
            self._store = store_of(uri, endpoint_url)
        check_bucket(self._store, uri)
        with _keeping(uri):
            self._file = tempfile.TemporaryFile(prefix="lossctl-")  # noqa: SIM115 - open until commit

    def write(self, data: ReadableBuffer) -> int:
        """Append the bytes; how many they are."""
        with _keeping(self.path):
            written = self._open().write(data)
        self.size += written
        return written

    def overwrite(self, data: bytes) -> None:
        """Put the bytes over those at the start."""
        with _keeping(self.path):
            file = self._open()
            file.seek(0)
            file.write(data)
            file.seek(0, os.SEEK_END)

    def commit(self) -> None:
        """Send the bytes, and let the object appear under its name."""
        try:
            with _keeping(self.path):
                self._open().seek(0)
            put(self._store, self.path, self._open(), self.size)
        finally:
            self.abort()

    def abort(self) -> None:
        """Leave everything as it was. Does nothing after ``commit`` or a second time."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()

    def __del__(self) -> None:
        self.abort()

    def _open(self) -> IO[bytes]:
        if self._file is None:
            raise ValueError(f"{self.path} is no longer being written")
        return self._file


def put(store: Store, uri: str, file: IO[bytes], size: int) -> None:
    """Make an object of what the file holds from here on, ``size`` bytes."""
    if split(uri).scheme not in _IN_PLACE:
        _Sending(store, uri, file, size).finish()
        return
    name = file_name(uri)
    hidden = joined(uri.rstrip("/").removesuffix(name), f".lossctl-{os.urandom(8).hex()}.tmp")
    try:
        _Sending(store, hidden, file, size).finish()
        with telling(uri):
            if store.entry(uri) is not None:  # a rename is refused there where something stands
                store.remove(uri)
            store.move(hidden, uri)
    except BaseException:
        with contextlib.suppress(LossctlError, OSError):
            store.remove(hidden)
        raise


class _Sending(Thread):
    """One stream to a store. Signals interrupt the thread that waits for it, so none comes in between two steps."""

    def __init__(self, store: Store, uri: str, file: IO[bytes], size: int) -> None:
        super().__init__(name="lossctl-upload", daemon=True)
        self._store, self._uri, self._data, self._size = store, uri, file, size
        self._cancelled = Event()
        self._error: BaseException | None = None

    def finish(self) -> None:
        """All of it is there; or the stream is left for ever as it is."""
        self.start()
        try:
            self.join()
        except BaseException:
            self._cancelled.set()
            self.join(_GRACE)
            raise
        if self._error is not None:
            with telling(self._uri):
                raise self._error

    def run(self) -> None:
        try:
            stream = self._store.create(self._uri)
            _hold(stream)
            left, piece = self._size, max(_PIECE, self._size // _PIECES)
            while left:
                with _keeping(self._uri):
                    data = self._data.read(min(left, piece))
                    if not data:
                        raise OSError(errno.EIO, "the temporary file is shorter than what was written to it")
                if self._cancelled.is_set():
                    return
                stream.write(data)
                left -= len(data)
            if not self._cancelled.is_set():
                stream.close()
                _let_go(stream)
        except BaseException as error:  # raised where the end is waited for
            self._error = error


def _hold(stream: object) -> None:
    """Keep the stream for ever: one that is dropped completes its upload with what it has, or hangs at exit."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(stream))


def _let_go(stream: object) -> None:
    import ctypes

    ctypes.pythonapi.Py_DecRef(ctypes.py_object(stream))


def check_bucket(store: Store, uri: str) -> None:
    """That the server answers and has the bucket; who may write there need not be allowed to look."""
    root = split(uri).root
    with telling(uri):
        try:
            found = store.entry(root)
        except DataError as error:
            if "denies access" in error.message:
                return
            raise
    if found is None:
        raise OutputError(
            f"cannot write {uri}: there is no {root}",
            file=uri,
            hint="create it first, or check the name and the endpoint (--endpoint-url, AWS_ENDPOINT_URL)",
        )


@contextlib.contextmanager
def telling(uri: str) -> Iterator[None]:
    """What a store says against it becomes an ``OutputError`` that names the URI and the cause."""
    try:
        yield
    except DataError as error:
        cause = error.message
        for start in (f"{error.file}: ", f"{error.file} cannot be written: ", f"{error.file} cannot be read: "):
            cause = cause.removeprefix(start)
        message = f"cannot write {uri}: {cause}"
        raise OutputError(message, file=uri, details=error.details, hint=error.hint) from None
    except LossctlError:
        raise
    except OSError as error:
        cause = " ".join(str(error).split())[:300] or type(error).__name__
        raise OutputError(f"cannot write {uri}: {cause}", file=uri) from None


@contextlib.contextmanager
def _keeping(uri: str) -> Iterator[None]:
    """An error of the temporary file, as one of the output."""
    try:
        yield
    except OSError as error:
        cause = error.strerror or str(error) or type(error).__name__
        message = f"cannot write {uri}: {cause}, in a temporary file for what will be sent"
        raise OutputError(message, file=uri, hint="let TMPDIR name a folder with room") from error
