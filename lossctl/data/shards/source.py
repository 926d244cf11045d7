"""Several files as one source: rows in the order of the files, each opened when it is reached."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl.data import places
from lossctl.data.shards.agree import Wanted, check_columns, check_has, check_kind
from lossctl.data.shards.some import SomeFiles, SomeStarts
from lossctl.data.shards.spans import FileSpan, ShardSpan, WholeSpan, Within
from lossctl.data.shards.stack import StackedBlock, restacked
from lossctl.data.source import Block, Column, Source, Span
from lossctl.data.values import check_asked
from lossctl.errors import DataError

__all__ = ["ShardedSource"]

# What a reader may offer beyond ``blocks``; so do its files together.
_OFFERED = {"arrange", "between", "cut", "cuts", "find", "ids", "spans", "turn"}
_ROWS = 1 << 14  # read at a time where nobody asks for blocks


class ShardedSource:
    """The files of ``name``, a directory or a pattern; ``reader`` opens one.

    The first file says which columns there are and how they are read. Beside the errors of its files it raises
    ``DataError``: ``mixed-formats``, ``columns-differ``, ``changed``, ``key-repeated``.
    """

    def __init__(
        self, name: str, files: Sequence[str], reader: Callable[[str], Source], endpoint_url: str | None = None
    ) -> None:
        self.name = name
        self.files = files
        self.guides: list[int] = []  # files behind the first that told how columns are read
        self._endpoint_url = endpoint_url
        self._reader = reader
        self._seen: dict[int, int] = {}  # a file is the same for as long as this is
        self._starts: dict[int, int] = {}  # of the files that were reached, their first rows
        self._all: NDArray[np.int64] | None = None  # those of all files, where others have read them
        self._cut_at: tuple[list[int], Sequence[int]] | None = None
        self._asked: list[tuple[str, tuple[str, ...]]] = []
        self._check_same(0)
        self._first: Any = reader(files[0])
        self.format: str = self._first.format
        self.notes: tuple[str, ...] = self._first.notes
        self.columns: tuple[Column, ...] = ()
        self._take()

    def __getattr__(self, name: str) -> Any:
        """What the files offer beyond ``blocks``."""
        if name in _OFFERED and hasattr(self._first, name):
            return getattr(self, f"_{name}")
        raise AttributeError(name)

    def blocks(
        self, numeric: Sequence[str], text: Sequence[str], rows: int, sequences: Sequence[str] = ()
    ) -> Iterator[StackedBlock]:
        """Blocks of ``rows`` rows, which may stand in several files."""
        wanted = self._settled(Wanted(numeric, text, sequences), rows)
        found = self._blocks(wanted, rows)
        return restacked(found if not hasattr(self, "ids") else self._distinct(found), rows)

    def place(self, row: int) -> tuple[str, int]:
        """The file that holds a row that was read, and its number there."""
        if self._all is not None:
            at = int(np.searchsorted(self._all, row, side="right")) - 1
            return self.files[at], row - int(self._all[at])
        reached = sorted((start, place) for place, start in self._starts.copy().items())
        at = bisect_right(reached, (row, len(self.files))) - 1
        return (self.name, row) if at < 0 else (self.files[reached[at][1]], row - reached[at][0])

    def stand(self, starts: NDArray[np.int64]) -> None:
        """(files,) the rows with which the files begin; there may be files without rows."""
        self._all = starts

    def stand_from(self, place: int, starts: Sequence[int]) -> None:
        """The rows with which the files from ``place`` on begin, and with which the last of them ends."""
        self._starts = dict(enumerate(starts[:-1], place))
        self._cut_at = [], SomeStarts(len(self.files), place, starts)

    def settle(self, numeric: Sequence[str], text: Sequence[str], sequences: Sequence[str]) -> None:
        """Look up in the files what only data tell of these columns, which is the same for all files."""
        self._settled(Wanted(numeric, text, sequences))

    def cuts_of(self, place: int) -> Sequence[int]:
        """Rows, from 0, at which one of the files may be cut, and how many it has: read to its end, if need be."""
        source = self._open(place, Wanted())
        return source.cuts() if hasattr(source, "cuts") else (0, WholeSpan(source, Wanted()).count())

    def part(self, place: int, piece: int, pieces: int, asked: Sequence[Any], first: int) -> Iterator[tuple[Span, int]]:
        """The spans of a file, or of one of so many pieces of it, each with its first row: ``first`` is that of all."""
        wanted = Wanted(*asked)
        source: Any = self._open(place, wanted)
        self._starts[place] = first
        if not hasattr(source, "spans"):
            yield FileSpan(WholeSpan(source, wanted), 0), first
            return
        spans: Iterable[Span] = source.spans(*wanted)
        skip = 0
        if pieces > 1:
            every = list(spans)
            low, high = (len(every) * at // pieces for at in (piece, piece + 1))
            skip, spans = sum(span.count() for span in every[:low]), every[low:high]
        start, self._starts[place] = skip, first - skip
        for span in spans:
            count = span.count()
            yield FileSpan(span, start), first - skip + start
            start += count

    def _take(self) -> None:
        self.columns = tuple(column._replace(rows=None) for column in self._first.columns)

    def _settled(self, wanted: Wanted, rows: int = 1) -> Wanted:
        """What is asked for, with the lengths of its lists looked up in the first file that tells them."""
        check_asked(self.name, self.columns, wanted.numeric, wanted.text, rows, wanted.sequences)
        names = set(wanted.names)
        for column in [column for column in self.columns if column.name in names]:
            listed = column.width is not None and column.type != "text"
            if listed and (column.name in wanted.numeric or column.axes or self.format == "jsonl"):
                self._look_up(column.name, wanted)
        return wanted

    def _look_up(self, name: str, wanted: Wanted) -> None:
        for place in self._places() if hasattr(self._first, "knows") else ():
            source = self._open(place, wanted)
            if source.knows(name):
                if place:
                    self._first.follow(source)
                    self.guides.append(place)
                break
        self._take()

    def _places(self) -> Sequence[int]:
        return self.files.places if isinstance(self.files, SomeFiles) else range(len(self.files))

    def _open(self, place: int, wanted: Wanted) -> Any:
        """One of the files, read as the first one is."""
        self._check_same(place)
        if place == 0:
            return self._first
        source: Any = self._reader(self.files[place])
        check_kind(self._first, source, wanted)
        if hasattr(source, "follow"):
            source.follow(self._first)
        for method, names in self._asked:
            if method != "find":
                check_has(self._first, source, names[0])
            getattr(source, method)(*names)
        check_columns(self._first, source, wanted)
        return source

    def _check_same(self, place: int) -> None:
        path = self.files[place]
        mark = places.mark(path, self._endpoint_url)
        if self._seen.setdefault(place, mark) != mark:
            raise DataError("the file changed while it was read", code="changed", file=path)

    def _blocks(self, wanted: Wanted, rows: int) -> Iterator[Block]:
        start = 0
        for place in range(len(self.files)):
            source = self._open(place, wanted)
            self._starts[place] = start
            for block in wanted.blocks(source, rows):
                start += block.rows
                yield block

    def _find(self, name: str) -> bool:
        """Whether there is such a column after all: in the first file, or of JSON objects in any."""
        for column in self.columns:
            if column.width is not None and name.startswith(f"{column.name}."):
                self._look_up(column.name, Wanted())
        found = bool(self._first.find(name))
        for place in self._places()[1:] if self.format == "jsonl" and not found else ():
            source = self._open(place, Wanted())
            found = source.find(name)
            if found:
                self._first.follow(source)
                self.guides.append(place)
                break
        if found and self.format != "jsonl":  # whose files take the columns of the first
            self._asked.append(("find", (name,)))
        self._take()
        return found

    def _arrange(self, name: str, classes: tuple[str, ...]) -> None:
        self._first.arrange(name, classes)
        self._take()

    def _turn(self, name: str) -> None:
        self._ask("turn", name)

    def _cut(self, name: str, lengths: str) -> None:
        self._ask("cut", name, lengths)

    def _ask(self, method: str, *names: str) -> None:
        """Something that each file must be asked when it is opened."""
        getattr(self._first, method)(*names)
        if (method, names) not in self._asked:
            self._asked.append((method, names))
        self._take()

    @property
    def _ids(self) -> str:
        return str(self._first.ids)

    def _distinct(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The blocks, whose rows must have ids of their own. Raises ``DataError`` (code ``key-repeated``)."""
        from lossctl.data.text.transcripts import cells

        seen = []
        for block in blocks:
            seen.append(np.array([hash(word) for word in cells(block.strings(self._ids))], np.int64))
            yield block
        every = np.sort(np.concatenate(seen)) if seen else np.empty(0, np.int64)
        twice = set(every[1:][every[1:] == every[:-1]].tolist())
        first: dict[bytes, tuple[str, int]] = {}
        row = 0
        for block in self._blocks(Wanted(sequences=[self._ids]), _ROWS) if twice else ():
            for word in cells(block.strings(self._ids)):
                file, at = self.place(row)
                if hash(word) in twice and first.setdefault(word, (file, at)) != (file, at):
                    before, of = first[word]
                    message = f"utterance {word.decode()!r} stands in row {of + 1:,} of {before} and here"
                    hint = "ids must be unique: each names one utterance"
                    raise DataError(message, code="key-repeated", file=file, row=at + 1, column=self._ids, hint=hint)
                row += 1

    def _spans(self, numeric: Sequence[str], text: Sequence[str], sequences: Sequence[str]) -> Iterator[Span]:
        """The spans of each file, which is opened when its first span is asked for."""
        return self._chained(self._settled(Wanted(numeric, text, sequences)))

    def _chained(self, wanted: Wanted) -> Iterator[Span]:
        for place in range(len(self.files)):
            source, within = self._open(place, wanted), Within()
            spans = source.spans(*wanted) if hasattr(source, "spans") else (WholeSpan(source, wanted),)
            for at, span in enumerate(spans):
                yield ShardSpan(span, at, within, partial(self._starts.__setitem__, place))

    def _cuts(self) -> list[int]:
        """Row numbers at which the rows may be cut; each file is opened once to know them."""
        if self._cut_at is None:
            cuts, starts = [0], [0]
            for place in range(len(self.files)):
                source = self._open(place, Wanted())
                mine = source.cuts() if hasattr(source, "cuts") else (0, WholeSpan(source, Wanted()).count())
                cuts += [starts[-1] + int(cut) for cut in mine if starts[-1] + cut > cuts[-1]]
                self._starts[place] = starts[-1]
                starts.append(cuts[-1])
            self._cut_at = cuts, starts
        return list(self._cut_at[0])

    def _between(
        self,
        start: int,
        stop: int,
        numeric: Sequence[str],
        text: Sequence[str],
        rows: int,
        sequences: Sequence[str] = (),
    ) -> Iterator[StackedBlock]:
        """Blocks of the rows from ``start`` to ``stop``."""
        wanted = self._settled(Wanted(numeric, text, sequences), rows)
        return restacked(self._some(start, stop, wanted, rows), rows, start)

    def _some(self, start: int, stop: int, wanted: Wanted, rows: int) -> Iterator[Block]:
        self._cuts()
        assert self._cut_at is not None
        starts = self._cut_at[1]
        for place in range(bisect_right(starts, start) - 1, len(self.files)):
            if starts[place] >= stop:
                return
            low, high = max(start, starts[place]) - starts[place], min(stop, starts[place + 1]) - starts[place]
            source = self._open(place, wanted)
            if low < high and hasattr(source, "between"):
                yield from source.between(low, high, wanted.numeric, wanted.text, rows, wanted.sequences)
            elif low < high:
                yield from self._picked(wanted.blocks(source, rows), low, high)

    def _picked(self, blocks: Iterable[Any], low: int, high: int) -> Iterator[Block]:
        """The rows of a file that can only be read from its start."""
        for block in blocks:
            begin, end = max(low - block.first, 0), min(high - block.first, block.rows)
            if begin < end:
                yield block.part(begin, end)
            if high <= block.first + block.rows:
                return
