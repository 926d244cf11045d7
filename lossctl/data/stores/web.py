"""Files on web servers: read in ranges where the server allows it, else from the start to the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from lossctl.data.stored import Spool, Stored
from lossctl.data.stores.names import file_name
from lossctl.data.stores.remote import RemoteBytes, changed
from lossctl.data.stores.retry import FailedError, patiently
from lossctl.data.stores.store import Entry, Writable
from lossctl.errors import DataError, UsageError

__all__ = ["WebStore", "needs"]

T = TypeVar("T")

_ACCESS = "is the address right, and open to this machine? (HTTPS_PROXY and NO_PROXY are honoured)"
_CONNECT = 10  # seconds
_READ = 60


class Answer(NamedTuple):
    """What a server said to a request for some bytes; no ``body`` where it would have sent all of the file."""

    size: int | None
    tag: str
    ranged: bool
    body: bytes


def needs(scheme: str, extra: str, library: str) -> DataError:
    """What is said where a library is not installed."""
    message = f"{scheme}:// needs {library}, which is not installed"
    return DataError(message, code="unreadable", hint=f"pip install 'lossctl[{extra}]'")


class WebStore:
    """One web server."""

    def __init__(self, scheme: str, host: str) -> None:
        try:
            import aiohttp
            from fsspec.implementations.http import HTTPFileSystem
        except ImportError as error:
            library = (error.name or "aiohttp").partition(".")[0]
            raise needs(scheme, "http", library) from None
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=_READ)
        settings = {"trust_env": True, "auto_decompress": False, "timeout": timeout}
        self.files = HTTPFileSystem(client_kwargs=settings, skip_instance_cache=True)
        self.whom = f"{scheme}://{host}"

    def entry(self, uri: str) -> Entry | None:
        """What is there; a web server has no folders."""
        try:
            answer = self._asked(uri, 0, 1)
        except DataError as error:
            if error.code == "not-found":
                return None
            raise
        return Entry(uri, answer.size, f"{answer.size}@{answer.tag}", folder=False)

    def entries(self, uri: str, below: bool) -> Iterator[Entry]:
        """Refused: web servers do not tell what there is."""
        message = f"{uri}: a web server does not list its files"
        raise DataError(message, code="not-found", file=uri, hint="name each file by its address")

    def stored(self, entry: Entry) -> Stored:
        """The bytes of a file; where the server sends all or nothing, kept as those of a pipe are."""
        name = entry.path
        first = self._asked(name, 0, 1)
        if not first.ranged or first.size is None:
            return Spool(name, _Pouring(self, name).read)

        def same(answer: Answer) -> Answer:
            if (answer.size, answer.tag) != (first.size, first.tag):
                raise changed(name)
            return answer

        def fetch(offset: int, count: int) -> bytes:
            answer = same(self._asked(name, offset, offset + count))
            if not answer.ranged:
                raise changed(name)
            return answer.body

        return RemoteBytes(name, first.size, fetch)  # each answer tells of which file it is

    def create(self, uri: str) -> Writable:
        """Refused."""
        raise _no_writing(uri)

    def move(self, uri: str, to: str) -> None:
        """Refused."""
        raise _no_writing(uri)

    def remove(self, uri: str) -> None:
        """Refused."""
        raise _no_writing(uri)

    def clear(self, uri: str) -> None:
        """Refused."""
        raise _no_writing(uri)

    def tried(self, call: Callable[[], Awaitable[T]], uri: str) -> T:
        """What a coroutine returns, with patience."""
        from fsspec.asyn import sync

        def waited() -> T:
            result: T = sync(self.files.loop, call)
            return result

        return patiently(waited, uri, self.whom, _ACCESS)

    def _asked(self, uri: str, start: int, stop: int) -> Answer:
        return self.tried(lambda: self._ranged(uri, start, stop), uri)

    async def request(self, uri: str, **headers: str) -> Any:
        """An answer whose body is yet to be read. Raises ``FailedError``."""
        session = await self.files.set_session()
        address = self.files.encode_url(uri.partition("#")[0])
        response = await session.get(address, headers={"Accept-Encoding": "identity", **headers})
        if response.status >= 400 and response.status != 416:
            response.close()
            raise FailedError(response.status, f"HTTP status {response.status} {response.reason}")
        return response

    async def _ranged(self, uri: str, start: int, stop: int) -> Answer:
        response = await self.request(uri, Range=f"bytes={start}-{stop - 1}")
        try:
            headers = response.headers
            tag = headers.get("ETag") or headers.get("Last-Modified") or ""
            told = headers.get("Content-Range", "").rpartition("/")[2]
            if response.status == 416:  # nothing is there: an empty file, or one that has become shorter
                return Answer(int(told) if told.isdigit() else 0, tag, ranged=True, body=b"")
            if response.status != 206:
                return Answer(response.content_length, tag, ranged=False, body=b"")
            return Answer(int(told) if told.isdigit() else None, tag, ranged=True, body=await response.read())
        finally:
            response.close()


class _Pouring:
    """A file that is sent from its start only; where the connection breaks, once more up to the same place."""

    def __init__(self, store: WebStore, uri: str) -> None:
        self._store = store
        self._uri = uri
        self._response: Any = None
        self._tag: str | None = None
        self._done = 0

    def read(self, size: int) -> bytes:
        """Some bytes, at most ``size``; none at the end."""
        return self._store.tried(lambda: self._more(size), self._uri)

    async def _more(self, size: int) -> bytes:
        try:
            if self._response is None:
                await self._begin()
            data: bytes = await self._response.content.read(size)
        except BaseException:
            if self._response is not None:
                self._response.close()
                self._response = None
            raise
        self._done += len(data)
        return data

    async def _begin(self) -> None:
        self._response = await self._store.request(self._uri)
        headers = self._response.headers
        tag = f"{self._response.content_length}@{headers.get('ETag') or headers.get('Last-Modified') or ''}"
        if self._tag is None:
            self._tag = tag
        elif tag != self._tag:
            raise changed(self._uri)
        left = self._done
        while left:
            data = await self._response.content.read(min(left, 1 << 20))
            if not data:
                raise changed(self._uri)
            left -= len(data)


def _no_writing(uri: str) -> UsageError:
    message = f"{uri}: {file_name(uri) or 'files'} cannot be written here, only read"
    return UsageError(message, code="bad-uri", hint="write to a file, or to s3://")
