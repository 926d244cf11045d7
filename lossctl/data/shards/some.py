"""A few of the files of a data set, for those who are given their part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["SomeFiles", "SomeStarts"]

BEYOND = 1 << 62  # a row that no data set has


class SomeFiles(Sequence[str]):
    """So many files, of which only some are known, by their places."""

    def __init__(self, count: int, known: Mapping[int, str]) -> None:
        self._count = count
        self._known = dict(known)

    def add(self, place: int, path: str) -> None:
        """Another one is known from now on."""
        self._known[place] = path

    @property
    def places(self) -> list[int]:
        """Where the known ones stand."""
        return sorted(self._known)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        return self._known[place]

    def __iter__(self) -> Iterator[str]:
        """The known ones only."""
        return (self._known[place] for place in self.places)


class SomeStarts(Sequence[int]):
    """The rows with which files begin, of which those from ``place`` on are given, and where the last of them ends."""

    def __init__(self, count: int, place: int, rows: Sequence[int]) -> None:
        self._count = count
        self._place = place
        self._rows = rows

    def __len__(self) -> int:
        return self._count + 1

    def __getitem__(self, place: Any) -> Any:
        at = place - self._place
        return -1 if at < 0 else self._rows[at] if at < len(self._rows) else BEYOND
