"""A directory of parts: files that workers write, wherever they run, and that appear together or not at all."""

from __future__ import annotations

import atexit
import os
import re
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from lossctl.data.sinks.sink import sink_format
from lossctl.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

__all__ = ["SUCCESS", "Parts", "check_all", "part_path", "refused", "strangers"]

SUCCESS = "_SUCCESS"  # written last, as Hadoop and Spark do
_DIGITS = 8
_PART = re.compile(rf"part-\d{{{_DIGITS}}}(\.[a-z]+)")


def part_path(staging: str, index: int, extension: str) -> str:
    """Where a worker writes a part, for ``open_sink``; names sort as the indices do."""
    if not 0 <= index < 10**_DIGITS:
        raise ValueError(f"part {index} of at most {10**_DIGITS:,}")
    return f"{staging}/part-{index:0{_DIGITS}d}{extension}"


class Parts:
    """A directory at ``path`` in the making, held by the one who hands out the work.

    ``begin`` makes a place for parts, a text that goes to workers on any machine that sees the same files. Each writes
    ``part_path(place, index, extension)``; one that is written twice, by a retry or at the same time, is replaced
    whole. ``commit`` puts all of them at ``path`` with an empty ``_SUCCESS`` beside them, ``abort`` leaves what was
    there; so do a failure of ``commit`` and the end of a ``with`` block, of the object or of the process. What stood at
    ``path`` is replaced if it is a file, or a directory of parts of an earlier run and nothing else; anything else is
    an ``OutputError``, said by ``begin``. For what readers see meanwhile: ``folder.Folder`` and ``prefix.Prefix``.
    After a kill -9 the hidden place stays (``.NAME.lossctl-*`` beside the directory, ``_lossctl-*`` inside it on a
    store) and may be removed.
    """

    def __init__(self, path: str | os.PathLike[str], endpoint_url: str | None = None) -> None:
        self.path = os.fspath(path).rstrip("/")
        sink_format(self.path)
        self.extension = os.path.splitext(self.path)[1]
        self.staging = ""
        self._place = _place_of(self.path, self.extension, endpoint_url)
        self._forget: Callable[[], object] | None = None

    def begin(self) -> str:
        """The place for parts. Raises ``OutputError`` where something stands in the way or nothing can be written."""
        if self._forget is not None:
            raise ValueError(f"{self.path} is being written already")
        place, staging = self._place, self._place.name()
        self._forget = weakref.finalize(self, _clear, place, staging, os.getpid())
        try:
            place.begin(staging)
            atexit.register(self._forget)  # behind pyarrow's own, which ends S3: the last registered runs first
        except BaseException:
            self.abort()
            raise
        self.staging = staging
        return staging

    def commit(self, count: int) -> None:
        """Let the parts 0 to ``count`` - 1 appear; raises ``OutputError`` if one is missing."""
        if not self.staging:
            raise ValueError(f"{self.path} is not being written")
        try:
            self._place.commit(self.staging, count)
        finally:
            self.abort()

    def abort(self) -> None:
        """Leave everything as it was. Does nothing after ``commit`` or a second time."""
        forget, self._forget, self.staging = self._forget, None, ""
        if forget is not None:
            atexit.unregister(forget)
            forget()

    def __enter__(self) -> Parts:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


class Place(Protocol):
    """Where a directory grows."""

    def name(self) -> str:
        """A new place for parts, not made yet."""
        ...

    def begin(self, staging: str) -> None:
        """Make the place."""
        ...

    def commit(self, staging: str, count: int) -> None:
        """Let the parts appear at the path, or leave all as it was."""
        ...

    def clear(self, staging: str) -> None:
        """The place and all in it are gone, without a word; what is under way is finished or taken back first."""
        ...


def _place_of(path: str, extension: str, endpoint_url: str | None) -> Place:
    from lossctl.data.stores.names import is_uri, local_path

    if is_uri(path):
        from lossctl.data.sinks.prefix import Prefix

        return Prefix(path, extension, endpoint_url)
    from lossctl.data.sinks.folder import Folder

    return Folder(local_path(path), extension)


def _clear(place: Place, staging: str, process: int) -> None:
    if os.getpid() != process:  # a child that has forgotten its copy
        return
    try:
        place.clear(staging)
    except BaseException:  # Ctrl-C once more: there may be many parts
        place.clear(staging)
        raise


def strangers(names: Iterable[str], extension: str) -> list[str]:
    """The names in a directory that no earlier run has given."""
    return [name for name in names if name != SUCCESS and not _ours(name, extension)]


def _ours(name: str, extension: str) -> bool:
    found = _PART.fullmatch(name)
    return found is not None and found[1] == extension


def check_all(path: str, names: Collection[str], count: int, extension: str) -> None:
    """Refuse a set of parts that is not whole, or holds more."""
    wanted = {part_path("", index, extension)[1:] for index in range(count)}
    missing = sorted(wanted.difference(names))
    if missing:
        there = f"{len(missing):,} of {count:,} parts are missing, the first is {missing[0]}"
        hint = "do all machines see the folder under the same path?"
        raise refused(path, there, hint)
    more = sorted(set(names) - wanted)
    if more:
        raise refused(path, f"{more[0]} is none of the {count:,} parts")


def refused(path: str, cause: str, hint: str | None = None) -> OutputError:
    return OutputError(f"cannot write {path}: {cause}", file=path, hint=hint)
