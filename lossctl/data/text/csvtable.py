"""One chunk of CSV rows as Arrow arrays, by pyarrow's parser.

The parser is fast and says little: where it refuses a chunk, the column at fault is read again as
text, or the row at fault is looked for. So an error names the first bad row whatever the cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np
import pyarrow as pa
from pyarrow import csv

from lossctl.data.arrow.arrays import ArrowArray, floats, plain
from lossctl.data.arrow.block import ArrowBlock, Part
from lossctl.data.arrow.rows import raw_text
from lossctl.data.cells import LISTS, MISSING, TOO_LARGE, Numbers, read_numbers
from lossctl.data.text.rowends import MARK, Chunk, Lexer
from lossctl.data.values import Where, too_large
from lossctl.errors import DataError
from lossctl.exact import LARGEST_EXACT_INT
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossctl.data.source import Codes, Floats

__all__ = ["CsvBlock", "CsvPart", "Explain", "RaggedError", "Tables", "Wanted"]

Explain: TypeAlias = Callable[[Where, int, str], DataError]

UTF8 = "convert the file: iconv -f LATIN1 -t UTF-8 FILE > NEW"

_PIECE = 1 << 20  # parsed in parallel within a chunk
_NUMBER = pa.float64()
_TEXT = pa.dictionary(pa.int32(), pa.string())
_SENTENCES = pa.string()
_BYTES = pa.dictionary(pa.int32(), pa.binary())
_CONVERSION = re.compile(r"In CSV column #(\d+): .*CSV conversion error to (\w+)")


class RaggedError(Exception):
    """A row with another number of fields: how many good rows stand before it, and where it begins."""

    def __init__(self, rows: int, found: int, start: int) -> None:
        super().__init__(f"{found} fields")
        self.rows = rows
        self.found = found
        self.start = start


class Wanted(NamedTuple):
    """In which place each wanted column stands; the cells of ``sentences`` are text that seldom repeats."""

    numeric: dict[str, int]
    text: dict[str, int]
    sentences: dict[str, int]


class Tables:
    """Reads chunks of a file with ``width`` columns. ``missing`` are cells that mean no value.

    Several threads may read chunks at once: what one learns of a column spares the others a vain
    attempt, and changes no result.
    """

    def __init__(self, name: str, lexer: Lexer, width: int, missing: frozenset[str], piece: int = _PIECE) -> None:
        self.missing = missing
        self._name = name
        self._lexer = lexer
        self._width = width
        self._piece = piece
        self.names = [str(i) for i in range(width)]
        self._gaps = bool(missing)  # whether cells may be missing: looking each one up takes time
        self._as_text: set[int] = set()  # numeric columns that hold more than plain numbers
        self._as_bytes: set[int] = set()  # text columns that are not UTF-8 throughout

    def parts(self, chunk: Chunk, wanted: Wanted, *, threads: bool) -> list[CsvPart]:
        """The chunk's rows. Raises ``RaggedError``, or ``DataError`` where the parser gives up for another reason."""
        places = {**wanted.numeric, **wanted.text, **wanted.sentences}
        data = chunk.data
        if data[: len(MARK)] == MARK:  # only the parser's own idea of a file's start
            data = memoryview(MARK + bytes(data))
        # Between two pieces the parser loses the second half of a \r\n that stands within quotes.
        whole = chunk.quoted and b"\r" in bytes(data)
        while True:
            types = dict.fromkeys(wanted.numeric.values(), _NUMBER) | dict.fromkeys(wanted.text.values(), _TEXT)
            types |= {place: _TEXT if place in types else _SENTENCES for place in wanted.sentences.values()}
            types |= dict.fromkeys(self._as_text.intersection(types), _TEXT)
            types |= dict.fromkeys(self._as_bytes.intersection(types), _BYTES)
            piece, gaps = len(data) if whole else self._piece, self._gaps
            try:
                batches = self._batches(data, chunk.quoted, types, piece, threads, gaps=gaps)
            except pa.ArrowInvalid as error:
                self._learn(str(error), chunk, len(data), types, piece, gaps=gaps)
            else:
                break

        @cache
        def texts(place: int) -> list[ArrowArray]:
            kind = _BYTES if place in self._as_bytes else _TEXT
            return [batch.column(0) for batch in self._batches(data, chunk.quoted, {place: kind}, piece, threads)]

        def look(number: int, name: str) -> ArrowArray:
            return texts(places[name])[number]

        order = {place: i for i, place in enumerate(types)}
        return [
            CsvPart(
                {name: batch.column(order[place]) for name, place in places.items()},
                batch.num_rows,
                self.missing,
                partial(look, number),
            )
            for number, batch in enumerate(batches)
        ]

    def _batches(
        self, data: memoryview, quoted: bool, types: dict[int, Any], piece: int, threads: bool, *, gaps: bool = False
    ) -> list[Any]:
        wanted = types or {0: _BYTES}  # at least one column, to count the rows
        table = csv.read_csv(
            pa.BufferReader(pa.py_buffer(data)),
            csv.ReadOptions(use_threads=threads and len(data) > piece, block_size=piece, column_names=self.names),
            csv.ParseOptions(
                delimiter=self._lexer.delimiter.decode(),
                newlines_in_values=quoted,
                ignore_empty_lines=self._width > 1,  # in a single column an empty line is a missing cell
            ),
            csv.ConvertOptions(
                column_types={self.names[place]: kind for place, kind in wanted.items()},
                include_columns=[self.names[place] for place in wanted],
                null_values=[*MISSING, *self.missing] if gaps else [],
                strings_can_be_null=False,
            ),
        )
        return cast("list[Any]", table.to_batches())

    def _learn(self, message: str, chunk: Chunk, size: int, types: dict[int, Any], piece: int, *, gaps: bool) -> None:
        """What to do otherwise after an error of the parser; raises where nothing helps."""
        conversion = _CONVERSION.match(message)
        if conversion and (place := int(conversion[1])) in types and types[place] is not _BYTES:
            if types[place] is _NUMBER and not gaps:
                self._gaps = True
                return
            (self._as_text if types[place] is _NUMBER else self._as_bytes).add(place)
        elif message.startswith("straddling") and piece < size:
            self._piece = max(self._piece, size)
        else:
            self._find_ragged(chunk.data)
            message = f"the rows cannot be parsed: {' '.join(message.split())[:300]}"
            raise DataError(message, code="corrupt", file=self._name)

    def _find_ragged(self, data: memoryview) -> None:
        rows = 0
        for start, stop, _ in self._lexer.rows(data, last=True):
            if start == stop and self._width > 1:
                continue
            found = len(self._lexer.fields(bytes(data[start:stop])))
            if found != self._width:
                raise RaggedError(rows, found, start)
            rows += 1


class CsvPart(Part):
    """A run of CSV rows. A numeric column is floats, or text where Arrow's parser refused a cell."""

    def __init__(
        self,
        arrays: dict[str, ArrowArray],
        rows: int,
        missing: frozenset[str],
        look: Callable[[str], ArrowArray],
    ) -> None:
        super().__init__(arrays, rows)
        self._missing = missing
        self._look = look
        self._numbers: dict[str, Numbers] = {}

    def cells(self, name: str) -> tuple[Codes, list[str]]:
        """The column as it is written: codes and distinct texts."""
        if name not in self._words:
            array = self._text(name)
            array = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
            words = array.dictionary.to_pylist()
            if array.type == _BYTES:
                words = [word.decode(errors="backslashreplace") for word in words]
            self._words[name] = plain(array.indices)[0], words
        return self._words[name]

    def numbers(self, name: str) -> Numbers:
        """What each of the distinct texts means as a number."""
        if name not in self._numbers:
            self._numbers[name] = read_numbers(self.cells(name)[1], self._missing)
        return self._numbers[name]

    def strings(self, where: Where) -> Ragged:
        """The column as UTF-8, to the letter; only cells the caller calls missing are."""
        if where.column not in self._strings:
            rows = raw_text(self._text(where.column))  # the parser has seen to it that this is UTF-8
            missing = self._called_missing(rows)
            lengths = np.where(missing, 0, rows.lengths)
            known = Ragged(rows.values, rows.starts, lengths, missing=missing if missing.any() else None)
            self._strings[where.column] = known
        return self._strings[where.column]

    def _called_missing(self, rows: Ragged) -> NDArray[np.bool_]:
        """Which cells are those that the caller calls missing."""
        found = np.zeros(len(rows), bool)
        for word in map(str.encode, self._missing):
            same = np.flatnonzero(rows.lengths == len(word))
            letters = rows.values[rows.starts[same][:, None] + np.arange(len(word))]
            found[same[(letters == np.frombuffer(word, np.uint8)).all(axis=1)]] = True
        return found

    def words(self, where: Where) -> tuple[Codes, list[str]]:
        """The column as text, to the letter; only cells the caller calls missing are -1."""
        codes, words = self.cells(where.column)
        if not self._missing:
            return codes, words
        known = np.array([-1 if word in self._missing else i for i, word in enumerate(words)])
        return known[codes], words

    def not_utf8(self, name: str) -> NDArray[np.bool_] | None:
        """Which rows are no UTF-8 text, ``None`` if all are."""
        array = self._text(name)
        if array.type != _BYTES:
            return None
        bad = np.array([_is_bad(word) for word in array.dictionary.to_pylist()], bool)
        return bad[plain(array.indices)[0]]

    def _text(self, name: str) -> ArrowArray:
        array = self.arrays[name]
        return self._look(name) if array.type == _NUMBER else array


def _is_bad(word: bytes) -> bool:
    try:
        word.decode()
    except UnicodeDecodeError:
        return True
    return False


class CsvBlock(ArrowBlock):
    """Rows of a CSV file. ``explain`` turns a bad cell into the error to raise."""

    def __init__(
        self,
        file: str,
        first: int,
        pieces: Sequence[tuple[CsvPart, int, int]],
        explain: Explain,
    ) -> None:
        super().__init__(file, first, pieces, {})
        self._explain = explain

    def strings(self, name: str) -> Ragged:
        """The column as UTF-8."""
        self._check_utf8(name)
        return super().strings(name)

    def sequences(self, name: str) -> Ragged:
        """No column of a text table holds rows of numbers. Raises ``DataError`` (code ``dtype``)."""
        codes, words = self.labels(name)
        first = next((word for word in words if word.strip()), "")
        where, at = Where(self._file, name, self.first), int((codes == words.index(first)).argmax()) if first else None
        cell = first if len(first) <= 40 else f"{first[:40]}..."
        raise where.error(f"{cell!r} is a cell of text, which holds no sequence", "dtype", at, hint=LISTS)

    def _words(self, name: str) -> Iterator[tuple[Codes, list[str]]]:
        self._check_utf8(name)
        yield from super()._words(name)

    def _check_utf8(self, name: str) -> None:
        row = self.first
        for part, start, stop in self._pieces:
            assert isinstance(part, CsvPart)
            bad = part.not_utf8(name)
            if bad is not None and bad[start:stop].any():
                where, at = Where(self._file, name, row), int(bad[start:stop].argmax())
                raise where.error("the cell is not valid UTF-8 text", "encoding", at, hint=UTF8)
            row += stop - start

    def _floats(self, part: Part, start: int, stop: int, where: Where) -> Floats:
        assert isinstance(part, CsvPart)
        array = part.arrays[where.column]
        if array.type == _NUMBER:
            view = part.view(where.column)
            values = view[start:stop] if view is not None else floats(array.slice(start, stop - start), where)
            if not _perhaps_too_large(values):
                nan = np.isnan(values)
                return np.where(nan, np.nan, values) if nan.any() else values  # Arrow's -NAN has a sign
        codes, words = part.cells(where.column)
        codes, numbers = codes[start:stop], part.numbers(where.column)
        flaws = numbers.flaws[codes]
        if flaws.any():
            at = int((flaws > 0).argmax())
            word = words[codes[at]]
            raise too_large(where, at, word) if flaws[at] == TOO_LARGE else self._explain(where, at, word)
        return numbers.values[codes]


def _perhaps_too_large(values: Floats) -> bool:
    """Whether a value is so large that it may be an integer that lost digits."""
    return bool((np.abs(values) >= LARGEST_EXACT_INT).any())
