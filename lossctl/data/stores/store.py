"""The store behind a URI: what is there, its bytes, and a place to write.

Stores of pyarrow and of fsspec have one face, ``Store``. One is kept for each host and endpoint; what it needs to
know beyond the URI it takes from the environment, as the tools of that store do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, Protocol

from lossctl.data.stored import Stored
from lossctl.data.stores.names import WEB, split

__all__ = ["Entry", "Store", "Writable", "store_of"]

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


class Entry(NamedTuple):
    """A file or a folder. ``path`` is its URI; ``mark`` is another when the content is."""

    path: str
    size: int | None
    mark: str
    folder: bool


class Writable(Protocol):
    """A file that is being written; it is there once it is closed."""

    def write(self, data: bytes, /) -> object:
        """All of the bytes."""
        ...

    def close(self) -> None:
        """The file is complete."""
        ...


class Store(Protocol):
    """Where files are; ``whom`` is its server in words. Raises ``DataError``: ``not-found``, ``unreadable``."""

    whom: str

    def entry(self, uri: str) -> Entry | None:
        """What is there; ``None`` for nothing."""
        ...

    def entries(self, uri: str, below: bool) -> Iterator[Entry]:
        """What stands in a folder, or all that is below it (files only), in no special order."""
        ...

    def stored(self, entry: Entry) -> Stored:
        """The bytes of a file."""
        ...

    def create(self, uri: str) -> Writable:
        """A file to be written from its start; there is none of that name until it is closed."""
        ...

    def move(self, uri: str, to: str) -> None:
        """Another name for a file, in the same store."""
        ...

    def remove(self, uri: str) -> None:
        """The file is gone."""
        ...

    def clear(self, uri: str) -> None:
        """The folder is gone with all below it."""
        ...


def store_of(uri: str, endpoint_url: str | None = None) -> Store:
    """The store of a URI. ``endpoint_url`` is where an S3 server listens that is not Amazon's.

    Raises ``UsageError`` (code ``bad-uri``), ``DataError`` where the store cannot be reached or its library is absent.
    """
    scheme, host, _ = split(uri)
    if scheme in WEB:
        return _web(scheme, host)
    if scheme == "hf":
        return _hub()
    if scheme != "s3":
        return _arrow(scheme, host)
    endpoint = endpoint_url or _first(_ENDPOINTS)
    region = _first(_REGIONS) or ("us-east-1" if endpoint else None)
    return _s3(host, endpoint, region)


def _first(names: tuple[str, ...]) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


@lru_cache(maxsize=64)
def _s3(bucket: str, endpoint: str | None, region: str | None) -> Store:
    from lossctl.data.stores.arrow import s3_store

    return s3_store(bucket, endpoint, region)


@lru_cache(maxsize=64)
def _arrow(scheme: str, host: str) -> Store:
    from lossctl.data.stores.arrow import other_store

    return other_store(scheme, host)


@lru_cache(maxsize=64)
def _web(scheme: str, host: str) -> Store:
    from lossctl.data.stores.web import WebStore

    return WebStore(scheme, host)


@lru_cache(maxsize=1)
def _hub() -> Store:
    from lossctl.data.stores.hub import HubStore

    return HubStore()
