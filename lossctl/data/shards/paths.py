"""The files behind a path: those of a directory and of those below it, or those that a pattern matches, in order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from lossctl.data.formats import format_named
from lossctl.data.stored import reading
from lossctl.errors import DataError

__all__ = ["check_names", "is_pattern", "shards_of"]

_HIDDEN = (".", "_")  # what programs keep beside their output: _SUCCESS, _delta_log, .part-0.crc
_PATTERN = re.compile(r"[*?[]")
_LEFT_OUT = "files whose names begin with . or _ are left out"


def is_pattern(path: str) -> bool:
    """Whether the text could be a pattern of file names."""
    return _PATTERN.search(path) is not None


def shards_of(path: str) -> list[str] | None:
    """The files of a directory or of a pattern (``*``, ``?``, ``[...]``, ``**``), sorted; ``None`` for a plain file.

    A path that exists is what it is, whatever signs it holds. Raises ``DataError``: ``not-found`` where there is
    no file, ``unreadable``.
    """
    if os.path.isdir(path):
        found = sorted(_below(path))
        if not found:
            message = f"{path} is a directory without files"
            raise DataError(message, code="not-found", file=path, hint=f"is it the right one?  {_LEFT_OUT}")
        return found
    if os.path.exists(path) or not is_pattern(path):
        return None
    drive, tail = os.path.splitdrive(path)
    parts = tail.replace(os.sep, "/").split("/")
    base = drive + os.sep if parts[0] == "" else drive
    found = sorted(set(_matches(base, [part for part in parts if part])))
    if not found:
        message = f"no file matches {path}"
        raise DataError(message, code="not-found", file=path, hint=f"is the folder the right one?  {_LEFT_OUT}")
    return found


def check_names(path: str, files: Sequence[str], *, prose: bool) -> None:
    """Refuses files whose extensions name different formats. Raises ``DataError`` (code ``mixed-formats``)."""
    first: dict[str, str] = {}
    strangers: list[str] = []
    for file in files:
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


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with reading(folder or os.curdir), os.scandir(folder or os.curdir) as entries:
        return list(entries)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with reading(entry.path):
        return entry.is_dir()


def _folders(folder: str, above: tuple[tuple[int, int], ...] = ()) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
    """The folder and all below it that are not hidden, each with what stands in it; a link to one above adds none."""
    with reading(folder or os.curdir):
        info = os.stat(folder or os.curdir)
    mine = (info.st_dev, info.st_ino)
    if mine in above:
        return
    entries = [entry for entry in _entries(folder) if not entry.name.startswith(_HIDDEN)]
    yield folder, entries
    for entry in entries:
        if _is_folder(entry):
            yield from _folders(os.path.join(folder, entry.name), (*above, mine))


def _below(folder: str) -> Iterator[str]:
    """The files of a folder and of those below it."""
    for inner, entries in _folders(folder):
        yield from (os.path.join(inner, entry.name) for entry in entries if not _is_folder(entry))


def _matches(base: str, parts: Sequence[str]) -> Iterator[str]:
    """The files below ``base`` that the parts of a pattern lead to; a folder stands for its files."""
    if not parts:
        yield from _below(base) if os.path.isdir(base) else (base,)
    elif parts[0] == "**":
        for folder, _ in _folders(base):
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
