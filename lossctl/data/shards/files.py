"""The names of many files, a million of them in a few bytes each."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Files"]

_MANY = 20_000  # names that Arrow sorts faster, and in less memory


class Files(Sequence[str]):
    """Paths in order, which all begin with ``base``; the rest of each stands in ``tails`` as UTF-8.

    The rest of the file at place i is from ``edges[i]`` to ``edges[i + 1]``. ``look`` finds a size where the
    listing did not tell it.
    """

    def __init__(
        self, base: str, tails: bytes, edges: array[int], sizes: array[int] | None, look: Callable[[str], int]
    ) -> None:
        self.base = base
        self._tails = tails
        self._edges = edges
        self._sizes = sizes
        self._look = look

    @classmethod
    def of(cls, base: str, found: Iterable[tuple[str, int | None]], look: Callable[[str], int] | None = None) -> Files:
        """Paths in any order, each once, with their sizes; with ``look`` these are found when somebody asks."""
        tails, edges, sizes = bytearray(), array("q", [0]), array("q")
        ordered, last, skip = True, b"", len(base)
        for path, size in found:
            assert path.startswith(base)
            tail = path[skip:].encode("utf-8", "surrogateescape")
            ordered = ordered and (last < tail or not edges[-1])
            last = tail
            tails += tail
            edges.append(len(tails))
            if look is None:
                sizes.append(-1 if size is None else size)
        plain = cls(base, bytes(tails), edges, None if look else sizes, look or _unknown)
        del tails
        return plain if ordered else plain._sorted()

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Their bytes; -1 where nobody knows."""
        import numpy as np

        if self._sizes is None:
            self._sizes = array("q", map(self._look, self))
        return np.frombuffer(self._sizes, np.int64) if self._sizes else np.zeros(0, np.int64)

    @property
    def held(self) -> int:
        """The bytes that names and sizes take in memory."""
        return len(self._tails) + 16 * len(self._edges)

    def __len__(self) -> int:
        return len(self._edges) - 1

    def __iter__(self) -> Iterator[str]:
        tails, base, start = self._tails, self.base, self._edges[0]
        for stop in self._edges[1:]:
            yield base + tails[start:stop].decode("utf-8", "surrogateescape")
            start = stop

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...

    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step != 1:
                return [self[at] for at in range(start, stop, step)]
            stop = max(start, stop)
            sizes = None if self._sizes is None else self._sizes[start:stop]
            return Files(self.base, self._tails, self._edges[start : stop + 1], sizes, self._look)
        at = place + len(self) if place < 0 else place
        if not 0 <= at < len(self):
            raise IndexError(place)
        return self.base + self._tails[self._edges[at] : self._edges[at + 1]].decode("utf-8", "surrogateescape")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:3]))
        return f"Files({len(self):,}: {shown}{', ...' if len(self) > 3 else ''})"

    def _sorted(self) -> Files:
        tails, old, sizes = self._tails, self._edges, self._sizes
        order: Any = self._order()
        joined, edges, kept = bytearray(), array("q", [0]), None if sizes is None else array("q")
        last = None
        for at in order:
            tail = tails[old[at] : old[at + 1]]
            if tail == last:
                continue
            last = tail
            joined += tail
            edges.append(len(joined))
            if kept is not None and sizes is not None:
                kept.append(sizes[at])
        return Files(self.base, bytes(joined), edges, kept, self._look)

    def _order(self) -> Any:
        tails, edges, count = self._tails, self._edges, len(self)
        if count < _MANY:
            return sorted(range(count), key=lambda at: tails[edges[at] : edges[at + 1]])
        import pyarrow as pa
        import pyarrow.compute as pc

        buffers = [None, pa.py_buffer(edges), pa.py_buffer(tails)]
        names = pa.Array.from_buffers(pa.large_binary(), count, buffers)
        return memoryview(pc.array_sort_indices(names).buffers()[1]).cast("Q")[:count]


def _unknown(path: str) -> int:
    return -1


def local_size(path: str) -> int:
    """The bytes of a file on this machine; -1 where they cannot be told."""
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return -1
