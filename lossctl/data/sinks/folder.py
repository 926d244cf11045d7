"""A directory of parts on this machine, or on a file system that all machines share."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import sys

from lossctl.atomic import naming
from lossctl.data.sinks.partnames import SUCCESS, check_all, part_path, refused, strangers

__all__ = ["Folder"]

_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2
_HERE = -100  # AT_FDCWD: paths that are not absolute begin in the working directory
_UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}
_LEFT = re.compile(r"\.lossctl-[0-9a-f]+\.tmp")  # of workers that were killed


class Folder:
    """Parts grow in a hidden directory beside the target, which takes its name in one step when all are on the disk.

    Readers see the old directory or the new one. On Linux the two change places at once; where the system cannot do
    that (NFS, other systems) there is a moment between two renames at which neither is there, and a kill -9 just then
    leaves the old one as ``.NAME.lossctl-*.old``. Files of the old directory
    that are open stay readable; a reader who is just then listing it, or opens its files by names listed before, may
    find some gone or of the new run. The target is reached through symbolic links, and not over them; the new
    directory has the mode of the old one. An error of the disk after the change leaves the new one.
    """

    def __init__(self, path: str, extension: str) -> None:
        self._path = path
        self._extension = extension
        self._target = os.path.realpath(path)

    def name(self) -> str:
        """A hidden name beside the target."""
        folder, name = os.path.split(self._target)
        return os.path.join(folder, f".{name}.lossctl-{os.urandom(8).hex()}")

    def begin(self, staging: str) -> None:
        """Make the hidden directory, if the target may be replaced."""
        with naming(self._path):
            self._older()
            os.mkdir(staging)

    def commit(self, staging: str, count: int) -> None:
        """Put the directory in its place once all parts are there."""
        with naming(self._path):
            self._check(staging, count)
            self._thin(staging)
            mark = os.path.join(staging, SUCCESS)
            with open(mark, "wb") as file:
                os.fsync(file.fileno())
            old = self._older()
            if old is not None and stat.S_ISDIR(old.st_mode):
                os.chmod(staging, stat.S_IMODE(old.st_mode))
            _sync(staging)
            self._place(staging, there=old is not None)
            _sync(os.path.dirname(self._target))
            self._sweep()

    def _check(self, staging: str, count: int) -> None:
        names = {name for name in os.listdir(staging) if not _LEFT.fullmatch(name)}
        if len(names) < count:  # a network file system may list late
            wanted = (part_path(staging, index, self._extension) for index in range(count))
            names |= {os.path.basename(path) for path in wanted if os.path.exists(path)}
        check_all(self._path, names, count, self._extension)

    def _thin(self, staging: str) -> None:
        """Remove parts without a byte (JSON Lines without a row), which readers take for an accident; not the last."""
        with os.scandir(staging) as entries:
            sizes = {entry.path: entry.stat().st_size for entry in entries}
        empty = sorted(path for path, size in sizes.items() if size == 0)
        for path in empty if len(empty) < len(sizes) else empty[1:]:
            os.unlink(path)

    def _older(self) -> os.stat_result | None:
        """What stands there and may be replaced; refuses what may not."""
        try:
            old = os.stat(self._target)
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(old.st_mode):
            with os.scandir(self._target) as entries:
                found = strangers([_kind(e) for e in entries if not _LEFT.fullmatch(e.name)], self._extension)
            if found:
                raise _in_the_way(self._path, min(found))
        elif not stat.S_ISREG(old.st_mode):
            raise refused(self._path, "it is neither a file nor a directory", "name another place")
        return old

    def _place(self, staging: str, there: bool) -> None:
        """The hidden directory gets the name; what had it is hidden then, and removed with the hidden one."""
        if not there:
            os.rename(staging, self._target)
        elif not _exchange(staging, self._target):
            os.rename(self._target, f"{staging}.old")
            os.rename(staging, self._target)

    def _sweep(self) -> None:
        """Remove what belated doubles of workers have begun."""
        for name in os.listdir(self._target):
            if _LEFT.fullmatch(name):
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(self._target, name))

    def clear(self, staging: str) -> None:
        """What was moved aside comes back if nothing has taken its place; then the hidden names are gone."""
        aside = f"{staging}.old"
        if os.path.lexists(aside) and not os.path.lexists(self._target):
            with contextlib.suppress(OSError):
                os.rename(aside, self._target)
        for path in (staging, aside):
            doomed = f"{path}.gone"  # a name that no worker knows: nothing is added while all is removed
            if os.path.isdir(path):
                with contextlib.suppress(OSError):
                    os.rename(path, doomed)
            for each in (doomed, path):
                shutil.rmtree(each, ignore_errors=True)
                with contextlib.suppress(OSError):
                    os.unlink(each)


def _kind(entry: os.DirEntry[str]) -> str:
    """The name of a plain file; of anything else one that nobody gives to a part."""
    return entry.name if entry.is_file(follow_symlinks=False) else f"{entry.name}{os.sep}"


def _in_the_way(path: str, name: str) -> Exception:
    hint = "name another directory, or move this one away"
    return refused(path, f"the directory holds {name}, which is no part of an earlier run", hint)


def _sync(folder: str) -> None:
    """The names in a folder are on the disk."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exchange(one: str, other: str) -> bool:
    """Two names change places in one step; false where the system does not know how."""
    if sys.platform != "linux":
        return False
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNKNOWN:
        return False
    raise OSError(number, os.strerror(number))
