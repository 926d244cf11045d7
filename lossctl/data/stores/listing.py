"""The files that a folder or a pattern in a store stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from lossctl.data.stores.names import joined, split
from lossctl.data.stores.store import Entry, Store

__all__ = ["HIDDEN", "below", "literal", "matches"]

HIDDEN = (".", "_")  # what programs keep beside their output: _SUCCESS, _delta_log, .part-0.crc
_PATTERN = re.compile(r"[*?[]")


def literal(uri: str) -> tuple[str, list[str]]:
    """The folder before the first part that is a pattern, with a slash behind it, and the parts from there on."""
    parts = split(uri)
    names = [name for name in parts.key.split("/") if name]
    first = next((at for at, name in enumerate(names) if _PATTERN.search(name)), len(names))
    return parts.root + "".join(f"{name}/" for name in names[:first]), names[first:]


def below(store: Store, folder: str) -> Iterator[Entry]:
    """The files of a folder and of those below it, but those that are hidden."""
    skip = len(folder.rstrip("/")) + 1
    for entry in store.entries(folder, below=True):
        name = entry.path[skip:]
        if not (name.startswith(HIDDEN) or "/." in name or "/_" in name):
            yield entry


def matches(store: Store, folder: str, parts: Sequence[str]) -> Iterator[Entry]:
    """The files below the folder that the parts of a pattern lead to; a folder stands for its files."""
    if not parts:
        yield from below(store, folder)
    elif parts[0] == "**":
        skip = len(folder.rstrip("/")) + 1
        found = store.entries(folder, below=True)
        yield from (entry for entry in found if _leads(entry.path[skip:].split("/"), parts))
    elif not _PATTERN.search(parts[0]):
        path = joined(folder, parts[0])
        if len(parts) > 1:
            yield from matches(store, path, parts[1:])
        elif (entry := store.entry(path)) is not None:
            yield from below(store, path) if entry.folder else (entry,)
    else:
        for entry in store.entries(folder, below=False):
            if _named(entry.path.rstrip("/").rpartition("/")[2], parts[0]):
                if entry.folder:
                    yield from matches(store, entry.path, parts[1:])
                elif len(parts) == 1:
                    yield entry


def _named(name: str, pattern: str) -> bool:
    hidden = name.startswith(HIDDEN) and name[0] != pattern[0]
    return not hidden and fnmatchcase(name, pattern)


def _leads(names: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the parts of a pattern lead to a file, or to a folder above it."""
    if not parts:
        return not any(name.startswith(HIDDEN) for name in names)
    if parts[0] == "**":
        seen = [at for at in range(len(names)) if not any(name.startswith(HIDDEN) for name in names[:at])]
        return any(_leads(names[at:], parts[1:]) for at in seen)
    here = _named(names[0], parts[0]) if names and _PATTERN.search(parts[0]) else names[:1] == [parts[0]]
    return bool(here) and _leads(names[1:], parts[1:])
