"""A directory of parts on an object store, where nothing takes a folder's place in one step."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from lossctl.data.sinks.partnames import SUCCESS, check_all, refused, strangers
from lossctl.data.sinks.upload import check_bucket, put, telling
from lossctl.data.stores.names import file_name, joined
from lossctl.data.stores.store import store_of
from lossctl.errors import DataError, LossctlError

if TYPE_CHECKING:
    from lossctl.data.stores.store import Entry, Store

__all__ = ["Prefix"]

_HIDDEN = "_lossctl-"
_BEGUN = "_begun"
_OLDER = "older"
_FILE = "_file"  # an object at the path itself, moved aside
_THREADS = 16


class Prefix:
    """Parts grow under ``PATH/_lossctl-*/``, which readers pass over, and are moved one by one by ``commit``.

    First ``_SUCCESS`` of an earlier run goes, then its parts, to ``_lossctl-*/older/``; then the new parts come, at
    last the new ``_SUCCESS``, and the hidden folder goes. So a reader never sees parts of two runs side by side, and
    while ``_SUCCESS`` is there it sees all parts of one run; who reads without it may see few of one run or none. A
    failure takes everything back. After a kill -9 within ``commit`` there is no ``_SUCCESS``, and what stood there is
    whole under ``_lossctl-*/older/`` and beside it. A part is moved by a copy inside the store: Amazon copies objects
    up to 5 GB. The empty objects by which stores keep folders may stay.
    """

    def __init__(self, uri: str, extension: str, endpoint_url: str | None) -> None:
        self._uri = uri
        self._extension = extension
        self._endpoint = endpoint_url
        self._moving = False  # parts of the earlier run are elsewhere, all or some
        self._placing = False  # all of them are, and new ones may be in their place

    @property
    def _store(self) -> Store:
        return store_of(self._uri, self._endpoint)

    def name(self) -> str:
        """A hidden name inside the folder."""
        return joined(self._uri, f"{_HIDDEN}{os.urandom(8).hex()}")

    def begin(self, staging: str) -> None:
        """Show that there can be written, if what stands there may be replaced."""
        with telling(self._uri):
            store = self._store
            check_bucket(store, self._uri)
            self._older()
            self._put(joined(staging, _BEGUN))

    def commit(self, staging: str, count: int) -> None:
        """Move the parts to their names once all are there, ``_SUCCESS`` last."""
        with telling(self._uri):
            sizes = {file_name(entry.path): entry.size for entry in self._entries(staging) if not entry.folder}
            sizes.pop(_BEGUN, None)
            check_all(self._uri, sizes, count, self._extension)
            new = sorted(name for name, size in sizes.items() if size != 0) or sorted(sizes)[:1]
            older, alone = self._older()
            aside = joined(staging, _OLDER)
            self._moving = True
            try:
                self._aside(older, alone, aside)
                self._placing = True
                self._move(new, staging, self._uri)
                self._put(joined(self._uri, SUCCESS))
            except BaseException as error:
                self._back(staging, error)
                raise
            self._moving = self._placing = False

    def _aside(self, older: list[str], alone: bool, aside: str) -> None:
        if SUCCESS in older:
            self._move([SUCCESS], self._uri, aside)
        self._move([name for name in older if name != SUCCESS], self._uri, aside)
        if alone:
            self._one(self._uri, joined(aside, _FILE))

    def _back(self, staging: str, error: BaseException) -> None:
        """Undo what ``commit`` has done so far, told by what stands where."""
        aside = joined(staging, _OLDER)
        try:
            if self._placing:
                self._remove(self._names(self._uri, visible=True))
            kept = self._names(aside)
            self._move([name for name in kept if name not in {SUCCESS, _FILE}], aside, self._uri)
            if _FILE in kept:
                self._one(joined(aside, _FILE), self._uri)
            if SUCCESS in kept:
                self._move([SUCCESS], aside, self._uri)
        except (LossctlError, OSError) as other:
            cause = f"{error}; and what stood there before could not be put back: {other}"
            raise refused(self._uri, cause, f"it is in {aside}/: move it to {self._uri}/") from error
        self._moving = self._placing = False

    def clear(self, staging: str) -> None:
        """The hidden folder is gone, unless it holds the only copy of an earlier run."""
        with contextlib.suppress(LossctlError, OSError):
            if not self._moving:
                self._store.clear(staging)

    def _older(self) -> tuple[list[str], bool]:
        """The names that may be replaced, and whether there is an object at the path itself; refuses all else."""
        names = []
        for entry in self._entries(self._uri):
            name = file_name(entry.path)
            if not (entry.folder and name.startswith(_HIDDEN)):
                names.append(f"{name}/" if entry.folder else name)
        found = strangers(names, self._extension)
        if found:
            hint = "name another folder, or move this one away"
            raise refused(self._uri, f"the folder holds {min(found)}, which is no part of an earlier run", hint)
        there = self._store.entry(self._uri)
        return names, there is not None and not there.folder

    def _names(self, folder: str, visible: bool = False) -> list[str]:
        names = [file_name(entry.path) for entry in self._entries(folder) if not entry.folder]
        return [name for name in names if name == SUCCESS or not name.startswith("_")] if visible else names

    def _entries(self, folder: str) -> Iterator[Entry]:
        try:
            yield from self._store.entries(folder, below=False)
        except DataError as error:
            if error.code != "not-found":
                raise

    def _move(self, names: Iterable[str], folder: str, to: str) -> None:
        each(lambda name: self._one(joined(folder, name), joined(to, name)), names)

    def _remove(self, names: list[str]) -> None:
        """Of the folder; ``_SUCCESS`` is the first to go."""
        for some in ([name for name in names if name == SUCCESS], [name for name in names if name != SUCCESS]):
            each(lambda name: self._store.remove(joined(self._uri, name)), some)

    def _one(self, uri: str, to: str) -> None:
        try:
            self._store.move(uri, to)
        except DataError as error:
            if error.code != "not-found" or self._store.entry(to) is None:  # else only the answer was lost
                raise

    def _put(self, uri: str) -> None:
        put(self._store, uri, io.BytesIO(), 0)


def each(work: Callable[[str], None], items: Iterable[str]) -> None:
    """Do the work for all items, several at a time; a failure ends it when what has begun is done."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="lossctl-move")
    try:
        for _ in pool.map(work, items):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
