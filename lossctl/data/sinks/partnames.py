"""What the files of a directory of parts are called, and whether all are there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from lossctl.errors import OutputError

__all__ = ["SUCCESS", "check_all", "part_path", "refused", "strangers"]

SUCCESS = "_SUCCESS"  # written last, as Hadoop and Spark do
_DIGITS = 8
_PART = re.compile(rf"part-\d{{{_DIGITS}}}(\..+)")


def part_path(staging: str, index: int, extension: str) -> str:
    """Where a worker writes a part, for ``open_sink``; names sort as the indices do."""
    if not 0 <= index < 10**_DIGITS:
        raise ValueError(f"part {index} of at most {10**_DIGITS:,}")
    return f"{staging}/part-{index:0{_DIGITS}d}{extension}"


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
