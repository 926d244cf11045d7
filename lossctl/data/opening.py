"""An input as bytes: a file, a pipe or stdin, compressed or not, to be read as often as needed."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Callable
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Literal, TypeAlias, cast

from lossctl.data.stored import Cursor, FileBytes, Spool, Stored, reading
from lossctl.data.stores.names import is_uri, local_path, tail
from lossctl.errors import DataError

if TYPE_CHECKING:
    from lossctl.data.stores.remote import RemoteBytes

__all__ = ["Input", "extension"]

Compression: TypeAlias = Literal["gzip", "zstd"]

_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_PATIENCE = 0.001  # seconds in which a busy writer fills its pipe again
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_SUFFIXES: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}


def extension(path: str) -> str:
    """The extension of a path in lower case, without ``.gz`` or ``.zst``."""
    stem, suffix = os.path.splitext(tail(path).lower())
    return os.path.splitext(stem)[1] if suffix in _SUFFIXES else suffix


class _Unpacked(io.RawIOBase):
    """The decompressed bytes of a stream; a truncated or damaged one is an error, never a short file."""

    def __init__(self, name: str, packed: io.RawIOBase, compression: Compression) -> None:
        import pyarrow as pa

        self._name = name
        self._what = f"{compression} data"
        with reading(name, self._what):
            self._stream = pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), compression)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with reading(self._name, self._what):
            count: int = self._stream.readinto(buffer)
        return count


def _ready(fd: int) -> bool:
    from select import select

    try:
        return bool(select([fd], [], [], _PATIENCE)[0])
    except (OSError, ValueError):  # what this system cannot tell
        return False


def _gathered(read: Callable[[int], bytes | None], fd: int) -> Callable[[int], bytes | None]:
    """Reads on as long as a pipe has more at hand: it gives a few kilobytes at a time."""

    def gathered(size: int) -> bytes | None:
        first = read(size)
        if not first:
            return first
        pieces, room = [first], size - len(first)
        while room and _ready(fd) and (more := read(room)):
            pieces.append(more)
            room -= len(more)
        return b"".join(pieces)

    return gathered


class Input:
    """One input, by path, by URI, or ``-`` for stdin.

    ``name`` is what messages call it. ``compression`` is told by the first bytes. ``endpoint_url`` is where the
    server of a store listens. Raises ``DataError`` (codes ``not-found``, ``is-a-directory``, ``unreadable``) from
    the start.
    """

    def __init__(
        self, path: str | os.PathLike[str], stdin: IO[bytes] | None = None, endpoint_url: str | None = None
    ) -> None:
        text = local_path(os.fspath(path))
        self.name = "<stdin>" if text == "-" else text
        self._path = text
        self._stdin = stdin
        self._spool: Spool | None = None
        self._unpacked: Spool | None = None
        self._seen: tuple[int, ...] | None = None
        self._remote: RemoteBytes | None = None
        if text == "-":
            self._open_stdin()
        elif is_uri(text):
            self._open_uri(endpoint_url)
        else:
            self._open_path()
        self.compression = self._compression()

    @property
    def path(self) -> str | None:
        """The path, if a library may open the file itself: a regular file, not compressed."""
        plain = self._spool is None and self._path != "-" and self.compression is None and self._remote is None
        return self._path if plain else None

    @property
    def remote(self) -> bool:
        """Whether its bytes are elsewhere, and any of them can be asked for; not compressed."""
        return self._remote is not None and self.compression is None

    @property
    def suffix(self) -> str:
        """The extension; empty for stdin."""
        return extension(self._path)

    @property
    def rereadable(self) -> bool:
        """Whether all of it can be read once more without waiting for somebody to write it."""
        return self._spool is None or self._spool.complete

    def stream(self) -> io.RawIOBase:
        """The decompressed bytes from the start; a read may be short, and is empty only at the end."""
        cursor = Cursor(self._raw())
        return _Unpacked(self.name, cursor, self.compression) if self.compression else cursor

    def stored(self) -> Stored:
        """The decompressed bytes, to be read at any place; compressed ones are spooled for it."""
        if not self.compression:
            return self._raw()
        if self._unpacked is None:
            self._unpacked = Spool(self.name, self.stream().read)
        return self._unpacked

    def file(self) -> io.BufferedReader:
        """``stored`` as a Python file that can seek."""
        return io.BufferedReader(Cursor(self.stored()), 1 << 16)

    def ranged(self) -> io.RawIOBase:
        """As ``file``, but every read is one request for its bytes alone, where ``remote``."""
        from lossctl.data.stores.remote import Exactly

        assert self._remote is not None
        return Cursor(Exactly(self._remote))

    def head(self, size: int = 8) -> bytes:
        """The first decompressed bytes; fewer only if there are no more. A slow pipe is waited for."""
        stream, data = self.stream(), b""
        while len(data) < size and (more := stream.read(size - len(data))):
            data += more
        return data

    def check_same(self) -> None:
        """Raises ``DataError`` (code ``changed``) if the file is not the one first seen."""
        if self._spool is None and self._remote is None and self._path != "-":  # remote bytes are checked as they come
            with reading(self.name):
                self._compare(os.stat(self._path))

    def _compare(self, info: os.stat_result) -> None:
        seen = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns)
        if self._seen is None:
            self._seen = seen
        elif seen != self._seen:
            raise DataError("the file changed while it was read", code="changed", file=self.name)

    def _raw(self) -> Stored:
        if self._spool is not None:
            return self._spool
        if self._remote is not None:
            return self._remote
        with reading(self.name):
            if self._path == "-":
                return FileBytes(self.name, os.dup(self._stdin_fd), self._stdin_start)
            stored = FileBytes(self.name, fd := os.open(self._path, _READ))
            self._compare(os.fstat(fd))
            return stored

    def _open_uri(self, endpoint_url: str | None) -> None:
        from lossctl.data.stores.store import store_of

        store = store_of(self._path, endpoint_url)
        entry = store.entry(self._path)
        if entry is None:
            signs = tail(self._path) != self._path or "*" in self._path
            web = self._path[:4].lower() == "http" and signs
            hint = "on the web, * and ? are part of an address, and no pattern" if web else f"asked: {store.whom}"
            raise DataError(f"{self.name}: no such file", code="not-found", file=self.name, hint=hint)
        if entry.folder:
            raise DataError(f"{self.name} is a directory, not a file", code="is-a-directory", file=self.name)
        stored = store.stored(entry)
        if isinstance(stored, Spool):
            self._spool = stored
        else:
            self._remote = cast("RemoteBytes", stored)

    def _open_path(self) -> None:
        with reading(self.name):
            try:
                info = os.stat(self._path)
            except ValueError as error:  # a NUL byte in the name
                message = f"{self.name}: no such file ({error})"
                raise DataError(message, code="not-found", file=self.name) from None
            if stat.S_ISDIR(info.st_mode):
                message = f"{self.name} is a directory, not a file"
                raise DataError(message, code="is-a-directory", file=self.name)
            if not stat.S_ISREG(info.st_mode):
                fd = os.open(self._path, _READ)
                self._spool = Spool(self.name, _gathered(partial(os.read, fd), fd), partial(os.close, fd))

    def _open_stdin(self) -> None:
        if self._stdin is None:
            if sys.stdin is None:
                raise DataError("stdin is closed", code="unreadable", file=self.name)
            self._stdin = sys.stdin.buffer
        source = self._stdin
        read = getattr(source, "read1", source.read)
        try:
            fd = source.fileno()
            if stat.S_ISREG(os.fstat(fd).st_mode):
                self._stdin_fd, self._stdin_start = fd, source.tell()
                return
            read = _gathered(read, fd)
        except (OSError, ValueError):  # no file of the system: bytes in memory, or a closed descriptor
            pass
        self._spool = Spool(self.name, read)

    def _compression(self) -> Compression | None:
        first = bytearray(4)
        view = memoryview(first)
        stored, count = self._raw(), 0
        while count < 4 and (more := stored.at(count, view[count:])):
            count += more
        found = next((kind for magic, kind in _MAGIC.items() if first.startswith(magic)), None)
        named = _SUFFIXES.get(os.path.splitext(tail(self._path).lower())[1])
        if named and count and found != named:
            message = f"the name says {named}, but these are no {named} data"
            raise DataError(message, code="corrupt", file=self.name)
        return found
