"""What is asked of a path that somebody typed, wherever it leads: on this machine, or to a store."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from lossctl.data.stored import reading
from lossctl.data.stores.names import file_name, is_uri, listable, local_path, same_uri
from lossctl.errors import DataError

if TYPE_CHECKING:
    from lossctl.data.stores.store import Entry

__all__ = ["exists", "is_file", "mark", "may_hold", "opened", "overwritten", "same", "size"]


def exists(path: str, endpoint_url: str | None = None) -> bool:
    """Whether a file or a folder is there."""
    return _entry(path, endpoint_url) is not None if is_uri(path) else os.path.exists(local_path(path))


def is_file(path: str, endpoint_url: str | None = None) -> bool:
    """Whether a file is there that can be read more than once."""
    if is_uri(path):
        entry = _entry(path, endpoint_url)
        return entry is not None and not entry.folder
    return os.path.isfile(local_path(path))


def size(path: str, endpoint_url: str | None = None) -> int | None:
    """The bytes of a regular file; ``None`` for anything else, and where nobody tells."""
    if is_uri(path):
        entry = _entry(path, endpoint_url)
        return None if entry is None or entry.folder else entry.size
    path = local_path(path)
    return os.path.getsize(path) if os.path.isfile(path) else None


def mark(path: str, endpoint_url: str | None = None) -> int:
    """A number that is another once the file is; only regular files have one. Raises ``DataError``."""
    if is_uri(path):
        entry = _entry(path, endpoint_url)
        if entry is None or entry.folder:
            raise DataError(f"{path}: no such file", code="not-found", file=path)
        return hash(entry[1:])
    with reading(path):
        info = os.stat(local_path(path))
    if not stat.S_ISREG(info.st_mode):
        message = f"{path} is no regular file, and files of a data set are read more than once"
        raise DataError(message, code="unreadable", file=path)
    return hash((info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns))


def opened(path: str, endpoint_url: str | None = None) -> IO[bytes]:
    """The bytes of a file, as a Python file."""
    if not is_uri(path):
        return open(local_path(path), "rb")
    from lossctl.data.opening import Input

    return Input(path, endpoint_url=endpoint_url).file()


def same(path: str, other: str) -> bool:
    """Whether two paths, of files that may be yet to come, are those of one file."""
    if is_uri(path) or is_uri(other):
        return is_uri(path) and is_uri(other) and same_uri(path, other)
    return os.path.realpath(local_path(path)) == os.path.realpath(local_path(other))


def overwritten(path: str, files: Iterable[str]) -> str | None:
    """The one of the files that would be lost if the path were written."""
    if is_uri(path):
        name = file_name(path)
        return next((file for file in files if file.endswith(name) and is_uri(file) and same_uri(path, file)), None)
    try:
        info = os.stat(local_path(path))
    except (OSError, ValueError):
        return None
    return next((file for file in files if not is_uri(file) and _is(local_path(file), info)), None)


def may_hold(folder: str, path: str) -> bool:
    """Whether the folder or the pattern could be one that leads to the path, as far as the text of URIs tells."""
    if not is_uri(folder):
        return True
    start = re.split(r"[*?[]", folder, maxsplit=1)[0] if listable(folder) else ""
    return bool(start) and path.startswith(start)


def _is(file: str, info: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(file), info)
    except (OSError, ValueError):
        return False


def _entry(uri: str, endpoint_url: str | None) -> Entry | None:
    from lossctl.data.stores.store import store_of

    return store_of(uri, endpoint_url).entry(uri)
