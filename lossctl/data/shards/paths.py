"""The files behind a path: those of a directory and of those below it, or those that a pattern matches, in order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lossctl.data.formats import format_named
from lossctl.data.stored import reading
from lossctl.data.stores.names import is_uri, listable, local_path
from lossctl.errors import DataError

if TYPE_CHECKING:
    from lossctl.data.shards.files import Files

__all__ = ["check_names", "is_pattern", "shards_of"]

_HIDDEN = (".", "_")  # what programs keep beside their output: _SUCCESS, _delta_log, .part-0.crc
_PACKED = (".gz", ".zst", ".GZ", ".ZST")
_PATTERN = re.compile(r"[*?[]")
_LEFT_OUT = "files whose names begin with . or _ are left out"


def is_pattern(path: str) -> bool:
    """Whether the text could be a pattern of file names."""
    return _PATTERN.search(path) is not None


def shards_of(path: str, endpoint_url: str | None = None) -> Files | None:
    """The files of a directory or of a pattern (``*``, ``?``, ``[...]``, ``**``), sorted; ``None`` for a plain file.

    A path that exists is what it is, whatever signs it holds. Raises ``DataError``: ``not-found`` where there is
    no file, ``unreadable``.
    """
    if is_uri(path):
        return _elsewhere(path, endpoint_url)
    path = local_path(path)
    folder = os.path.isdir(path)
    if not folder and (os.path.exists(path) or not is_pattern(path)):
        return None
    from lossctl.data.shards.files import Files, local_size  # a single file has no need of it

    if folder:
        return _some(path, Files.of(os.path.join(path, ""), ((file, None) for file in _below(path)), local_size))
    drive, tail = os.path.splitdrive(path)
    parts = tail.replace(os.sep, "/").split("/")
    base = drive + os.sep if parts[0] == "" else drive
    parts = [part for part in parts if part]
    first = next(at for at, part in enumerate(parts) if is_pattern(part))
    above = os.path.join(base, *parts[:first], "") if first or base else ""
    found = ((file, None) for file in _matches(base, parts))
    return _some(path, Files.of(above, found, local_size), pattern=True)


def _elsewhere(uri: str, endpoint_url: str | None) -> Files | None:
    if not listable(uri):
        if uri.endswith("/"):
            message = f"{uri}: a web server does not list its files"
            raise DataError(message, code="not-found", file=uri, hint="name each file by its address")
        return None
    from lossctl.data.shards.files import Files
    from lossctl.data.stores.listing import below, literal, matches
    from lossctl.data.stores.store import store_of

    store = store_of(uri, endpoint_url)
    entry = store.entry(uri)
    if entry is not None and entry.folder:
        found = ((each.path, each.size) for each in below(store, uri))
        return _some(uri, Files.of(uri.rstrip("/") + "/", found))
    if entry is not None or not is_pattern(uri):
        return None
    base, parts = literal(uri)
    found = ((each.path, each.size) for each in matches(store, base, parts))
    return _some(uri, Files.of(base, found), pattern=True)


def _some(path: str, files: Files, *, pattern: bool = False) -> Files:
    if len(files):
        return files
    message = f"no file matches {path}" if pattern else f"{path} is a directory without files"
    which = "is the folder" if pattern else "is it"
    raise DataError(message, code="not-found", file=path, hint=f"{which} the right one?  {_LEFT_OUT}")


def check_names(path: str, files: Sequence[str], *, prose: bool) -> None:
    """Refuses files whose extensions name different formats. Raises ``DataError`` (code ``mixed-formats``)."""
    first: dict[str, str] = {}
    strangers: list[str] = []
    seen: set[str] = set()
    for file in files:
        ending = _ending(file)
        if ending in seen:
            continue
        seen.add(ending)
        kind, known = format_named(file, prose=prose)
        if known:
            first.setdefault(kind, file)
        elif kind and not strangers:
            strangers = [file]
    found = [*first.values(), *(strangers if first else ())]
    if len(found) > 1:
        a, b = sorted(found[:2])
        suffix = os.path.splitext(found[0])[1]
        raise DataError(
            f"{path} holds files of different formats, such as {a} and {b}",
            code="mixed-formats",
            file=path,
            hint=f"a quoted pattern takes those of one kind: '{os.path.join(os.path.dirname(a), f'*{suffix}')}'",
        )


def _ending(file: str) -> str:
    """The last extension, or the last two of what is compressed; cheap, as there may be a million."""
    name = file[file.rfind("/") + 1 :]
    last = name.rfind(".")
    return name[name.rfind(".", 0, max(last, 0)) :] if name.endswith(_PACKED) else name[last:] if last >= 0 else ""


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with reading(folder or os.curdir), os.scandir(folder or os.curdir) as entries:
        yield from entries


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with reading(entry.path):
        return entry.is_dir()


def _walk(folder: str, above: tuple[tuple[int, int], ...] = ()) -> Iterator[tuple[str, bool]]:
    """The folder and all below it that is not hidden, and whether each is a folder; a link to one above adds none."""
    with reading(folder or os.curdir):
        info = os.stat(folder or os.curdir)
    mine = (info.st_dev, info.st_ino)
    if mine in above:
        return
    yield folder, True
    folders = []
    for entry in _entries(folder):
        if not entry.name.startswith(_HIDDEN):
            path = os.path.join(folder, entry.name)
            if _is_folder(entry):
                folders.append(path)
            else:
                yield path, False
    for path in folders:
        yield from _walk(path, (*above, mine))


def _below(folder: str) -> Iterator[str]:
    """The files of a folder and of those below it."""
    return (path for path, is_folder in _walk(folder) if not is_folder)


def _matches(base: str, parts: Sequence[str]) -> Iterator[str]:
    """The files below ``base`` that the parts of a pattern lead to; a folder stands for its files."""
    if not parts:
        yield from _below(base) if os.path.isdir(base) else (base,)
    elif parts[0] == "**":
        for folder, is_folder in _walk(base):
            if is_folder:
                yield from _matches(folder, parts[1:])
    elif not is_pattern(parts[0]):
        path = os.path.join(base, parts[0])
        if os.path.isdir(path) or (len(parts) == 1 and os.path.lexists(path)):
            yield from _matches(path, parts[1:])
    else:
        for entry in _entries(base):
            hidden = entry.name.startswith(_HIDDEN) and entry.name[0] != parts[0][0]
            if not hidden and fnmatchcase(entry.name, parts[0]) and (len(parts) == 1 or _is_folder(entry)):
                yield from _matches(os.path.join(base, entry.name), parts[1:])
