"""Files on the Hugging Face hub, by way of its own file system for fsspec."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from lossctl.data.stored import Stored
from lossctl.data.stores.names import split
from lossctl.data.stores.remote import RemoteBytes, changed
from lossctl.data.stores.retry import patiently
from lossctl.data.stores.store import Entry, Writable
from lossctl.data.stores.web import needs
from lossctl.errors import UsageError

__all__ = ["HubStore"]

T = TypeVar("T")

_ACCESS = "credentials: HF_TOKEN, or hf auth login; hf://datasets/USER/NAME/file.parquet"
_MARKS = ("blob_id", "sha256", "created", "mtime")


class HubStore:
    """The hub; ``files`` may be another file system of fsspec."""

    def __init__(self, files: Any = None) -> None:
        if files is None:
            try:
                from huggingface_hub import HfFileSystem
            except ImportError as error:
                raise needs("hf", "hf", (error.name or "huggingface_hub").partition(".")[0]) from None
            files = HfFileSystem(skip_instance_cache=True, use_listings_cache=False)
        self.files = files
        self.whom = "the Hugging Face hub"

    def entry(self, uri: str) -> Entry | None:
        """What is there; ``None`` for nothing."""

        def look() -> Any:
            try:
                self.files.invalidate_cache()
                return self.files.info(_inner(uri))
            except FileNotFoundError:
                return None

        info = self._tried(look, uri)
        return None if info is None else _entry(uri, info)

    def entries(self, uri: str, below: bool) -> Iterator[Entry]:
        """What stands in a folder, or the files below it."""
        path = _inner(uri)

        def look() -> list[Any]:
            try:
                found = self.files.find(path, detail=True).values() if below else self.files.ls(path, detail=True)
            except FileNotFoundError:
                return []
            return list(found)

        for info in self._tried(look, uri):
            yield _entry("hf://" + info["name"].lstrip("/"), info)

    def stored(self, entry: Entry) -> Stored:
        """The bytes of a file."""
        now = self.entry(entry.path)
        if now is None or now.size is None or (entry.size is not None and now.size != entry.size):
            raise changed(entry.path)
        path, name = _inner(entry.path), entry.path

        def fetch(offset: int, count: int) -> bytes:
            data: bytes = self._tried(lambda: self.files.cat_file(path, offset, offset + count), name)
            return data

        def check() -> None:
            if self.entry(name) != now:
                raise changed(name)

        return RemoteBytes(name, now.size, fetch, check)

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

    def _tried(self, call: Callable[[], T], uri: str) -> T:
        return patiently(call, uri, self.whom, _ACCESS)


def _inner(uri: str) -> str:
    _, host, key = split(uri)
    return f"{host}/{key}".rstrip("/")


def _entry(uri: str, info: Any) -> Entry:
    folder = info["type"] == "directory"
    told = info.get("lfs") or {}
    mark = next((str(info[key]) for key in _MARKS if info.get(key)), "") or str(told.get("sha256", ""))
    return Entry(uri, None if folder else info["size"], f"{info['size']}@{mark}", folder)


def _no_writing(uri: str) -> UsageError:
    return UsageError(f"{uri}: hf:// is read only", code="bad-uri", hint="write to a file, or to s3://")
