"""Where an output goes: a file of this machine, or an object of a store; either is there whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from lossctl.atomic import AtomicFile

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["OutputFile", "check_reachable", "check_target", "output_file"]

_READ_ONLY = ("http", "https", "hf")


class OutputFile(Protocol):
    """Bytes on their way to ``path``, where nothing changes before ``commit``."""

    path: str
    size: int
    seekable: bool

    def write(self, data: ReadableBuffer) -> int:
        """Append the bytes; how many they are."""
        ...

    def overwrite(self, data: bytes) -> None:
        """Put the bytes over those at the start. Only where the file is ``seekable``."""
        ...

    def commit(self) -> None:
        """Let the file appear under its name."""
        ...

    def abort(self) -> None:
        """Leave everything as it was. Does nothing after ``commit`` or a second time."""
        ...


def output_file(path: str | os.PathLike[str], endpoint_url: str | None = None) -> OutputFile:
    """The file to write for a path or a URI; ``endpoint_url`` is where an S3 server listens that is not Amazon's."""
    name = os.fspath(path)
    if "://" not in name:
        return AtomicFile(name)
    from lossctl.data.stores.names import is_uri, local_path

    check_target(name)
    if not is_uri(name):
        return AtomicFile(local_path(name))
    from lossctl.data.sinks.upload import Upload

    return Upload(name, endpoint_url)


def check_target(path: str | os.PathLike[str]) -> None:
    """Refuse what can only be read, or is no URI; ask before the work begins."""
    name = os.fspath(path)
    if "://" not in name:
        return
    from lossctl.data.stores.names import is_uri, local_path, split

    if not is_uri(name):
        local_path(name)
    elif split(name).scheme in _READ_ONLY:
        from lossctl.data.stores.store import read_only

        raise read_only(name)


def check_reachable(path: str | os.PathLike[str], endpoint_url: str | None = None) -> None:
    """Refuse a URI whose server does not answer or has no such bucket; ask before the work begins."""
    name = os.fspath(path)
    if "://" not in name:
        return
    from lossctl.data.stores.names import is_uri

    if is_uri(name):
        from lossctl.data.sinks.upload import check_bucket, telling
        from lossctl.data.stores.store import store_of

        with telling(name):
            store = store_of(name, endpoint_url)
        check_bucket(store, name)
