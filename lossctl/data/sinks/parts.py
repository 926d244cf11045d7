"""A directory of parts: files that workers write, wherever they run, and that appear together or not at all."""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from lossctl.data.sinks.sink import sink_format

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Parts"]


class Parts:
    """A directory at ``path`` in the making, held by the one who hands out the work.

    ``begin`` makes a place for parts, a text that goes to workers on any machine that sees the same files. Each writes
    ``part_path(place, index, extension)``; one that is written twice, by a retry or at the same time, is replaced
    whole. ``commit`` puts all of them at ``path`` (those without a byte are left out) with an empty ``_SUCCESS`` beside
    them, ``abort`` leaves what was there; so do a failure of ``commit`` and the end of a ``with`` block, of the object
    or of the process. What stood at ``path`` is replaced if it is a file, or a directory of parts of an earlier run
    and nothing else; anything else is an ``OutputError``, said by ``begin``. For what readers see meanwhile:
    ``folder.Folder`` and ``prefix.Prefix``. After a kill -9 the hidden place stays (``.NAME.lossctl-*`` beside the
    directory, ``_lossctl-*`` inside it on a store) and may be removed.
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
