"""The bytes of a file elsewhere, in large pieces that are kept for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from itertools import count

from lossctl.errors import DataError

__all__ = ["BLOCK", "Exactly", "RemoteBytes", "changed"]

BLOCK = 4 << 20
HEAD = 1 << 18
_LEAST = 16  # blocks that are kept, of all files together; more where more threads read
_FILES = count()


def changed(name: str) -> DataError:
    """What is said of a file that is not the one first seen."""
    return DataError("the file changed while it was read", code="changed", file=name)


class _Shelf:
    """The blocks read last, of all files."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._closed: deque[int] = deque()
        self._lock = threading.Lock()

    def get(self, key: tuple[int, int]) -> bytes | None:
        with self._lock:
            data = self._blocks.get(key)
            if data is not None:
                self._blocks.move_to_end(key)
            return data

    def put(self, key: tuple[int, int], data: bytes) -> None:
        with self._lock:
            while self._closed:
                file = self._closed.popleft()
                for old in [old for old in self._blocks if old[0] == file]:
                    del self._blocks[old]
            self._blocks[key] = data
            while len(self._blocks) > max(_LEAST, 2 * threading.active_count()):
                self._blocks.popitem(last=False)

    def close(self, file: int) -> None:
        """Its blocks are of no use any more; takes no lock, as it may be called in the middle of anything."""
        self._closed.append(file)


_SHELF = _Shelf()


class RemoteBytes:
    """A file of ``size`` bytes; ``fetch(offset, count)`` gets some of them, ``check`` raises if it is another by now.

    It is called after each fetch: what is handed out is of the file first seen, also long after.

    Small reads are served from aligned blocks (the first ones from a small one), of which a few are kept; a thread
    waits for a block that another one fetches. Reads larger than a block are made as they are asked for.
    """

    def __init__(
        self, name: str, size: int, fetch: Callable[[int, int], bytes], check: Callable[[], object] | None = None
    ) -> None:
        self._name = name
        self._size = size
        self._fetch = fetch
        self._check = check
        self._key = next(_FILES)
        self._lock = threading.Lock()
        self._waiting: dict[int, threading.Lock] = {}
        self._head: bytes | None = None

    def at(self, offset: int, view: memoryview) -> int:
        """Raises ``DataError``: ``changed`` and ``shrank`` where the file is not the one first seen."""
        if offset >= self._size or not len(view):
            return 0
        if len(view) > BLOCK:
            return self.exactly(offset, view)
        place, start = divmod(offset, BLOCK)
        data = self._first() if offset + len(view) <= HEAD else self._block(place)
        piece = data[start : start + len(view)] if start or len(view) < len(data) else data
        view[: len(piece)] = piece
        return len(piece)

    def exactly(self, offset: int, view: memoryview) -> int:
        """As ``at``, all that there is for the view in one request, and no byte more."""
        wanted = max(min(len(view), self._size - offset), 0)
        if self._head is not None and offset + wanted <= len(self._head):
            view[:wanted] = self._head[offset : offset + wanted]
        elif wanted:
            view[:wanted] = self._got(offset, wanted)
        return wanted

    def size(self) -> int:
        """The size when the file was first seen."""
        return self._size

    def _first(self) -> bytes:
        """The bytes that tell what the file is, without a whole block of it."""
        with self._lock:
            if self._head is None:
                self._head = self._got(0, min(HEAD, self._size))
            return self._head

    def _block(self, place: int) -> bytes:
        if self._size <= HEAD:
            return self._first()
        data = _SHELF.get((self._key, place))
        if data is not None:
            return data
        with self._lock:
            waiting = self._waiting.setdefault(place, threading.Lock())
        with waiting:
            data = _SHELF.get((self._key, place))
            if data is None:
                data = self._got(place * BLOCK, min(BLOCK, self._size - place * BLOCK))
                _SHELF.put((self._key, place), data)
        with self._lock:
            self._waiting.pop(place, None)
        return data

    def _got(self, offset: int, wanted: int) -> bytes:
        data = self._fetch(offset, wanted)
        if self._check is not None:
            self._check()
        if len(data) < wanted:
            raise DataError(
                f"the file shrank while it was read: {self._size:,} bytes at first, {offset + len(data):,} now",
                code="shrank",
                file=self._name,
            )
        return data

    def __del__(self) -> None:
        _SHELF.close(self._key)


class Exactly:
    """Bytes read as they are asked for, where the reader itself knows best which ones it needs."""

    def __init__(self, remote: RemoteBytes) -> None:
        self._remote = remote

    def at(self, offset: int, view: memoryview) -> int:
        """As ``RemoteBytes.exactly``."""
        return self._remote.exactly(offset, view)

    def size(self) -> int:
        """The size when the file was first seen."""
        return self._remote.size()
