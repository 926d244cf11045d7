"""Transcripts with utterance ids: Kaldi's ``text`` files (``id words``) and sclite's ``trn`` (``words (id)``)."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lossctl.data.text.lines import LinesSource, Piece, TextPart, pieces
from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

if TYPE_CHECKING:
    from lossctl.data.opening import Input
    from lossctl.data.values import Values

__all__ = ["KaldiSource", "TrnSource"]

_BLANK = np.zeros(256, bool)
_BLANK[list(b" \t\v\f\r")] = True
_TRN = re.compile(rb"(.*?)[ \t]*\([ \t]*([^()]*?)[ \t]*\)[ \t\r]*", re.DOTALL)
_SPEAKER = re.compile(rb"[-_]")


class _Transcripts(LinesSource):
    """Rows that each have an id of their own; ``ids`` is the column that holds it."""

    ids = "utt_id"

    def _parts(self) -> Iterator[TextPart]:
        """Raises ``DataError``: ``no-id``, ``key-repeated``."""
        seen: list[Values] = []
        for part in self._rows():
            seen.append(np.array([hash(word) for word in cells(part.columns[self.ids])], np.int64))
            yield part
        every = np.sort(np.concatenate(seen)) if seen else np.empty(0, np.int64)
        twice = set(every[1:][every[1:] == every[:-1]].tolist())
        if twice:
            self._refuse_repeated(twice)

    def _refuse_repeated(self, hashes: set[int]) -> None:
        """A second look at the ids whose hashes are equal."""
        first: dict[bytes, int] = {}
        row = 0
        for part in self._rows():
            for word in cells(part.columns[self.ids]):
                row += 1
                if hash(word) in hashes:
                    if word in first:
                        message = f"utterance {word.decode()!r} stands in row {first[word]:,} and in row {row:,}"
                        hint = "ids must be unique: each names one utterance"
                        raise DataError(
                            message, code="key-repeated", file=self.name, row=row, column=self.ids, hint=hint
                        )
                    first[word] = row

    def _no_id(self, line: int, row: int, what: str, hint: str) -> DataError:
        return DataError(f"line {line:,} {what}", code="no-id", file=self.name, row=row, hint=hint)

    @abstractmethod
    def _rows(self) -> Iterator[TextPart]:
        """The rows as they stand in the file."""


def cells(rows: Ragged) -> list[bytes]:
    """Each row as bytes."""
    flat = rows.values.tobytes()
    return [flat[start : start + size] for start, size in zip(rows.starts.tolist(), rows.lengths.tolist(), strict=True)]


class KaldiSource(_Transcripts):
    """One Kaldi ``text`` file: an id, white space, and the words; an id alone has an empty transcript."""

    format = "kaldi"
    names = ("utt_id", "text")

    def _rows(self) -> Iterator[TextPart]:
        for piece in pieces(self._data):
            codes = np.frombuffer(piece.data, np.uint8)
            blank = _BLANK[codes]
            ends = piece.starts + piece.lengths
            edge = np.minimum(_next(blank, piece.starts), ends)
            if (edge == piece.starts).any():
                line = piece.first + int((edge == piece.starts).argmax()) + 1
                what = "is blank" if piece.lengths[line - piece.first - 1] == 0 else "begins with white space"
                raise self._no_id(line, line, f"{what}: no utterance id", "each line is: utterance-id words ...")
            words = np.minimum(_next(~blank, edge), ends)
            columns = {
                "utt_id": piece.rows(piece.starts, edge - piece.starts),
                "text": piece.rows(words, ends - words),
            }
            yield TextPart(columns, len(piece.starts))


def _next(flags: Values, places: Values) -> Values:
    """The first flag at or behind each place, or the end."""
    found = np.append(np.flatnonzero(flags), len(flags))
    return np.asarray(found[np.searchsorted(found, places)])


class TrnSource(_Transcripts):
    """One sclite ``trn`` file: the words, then the id in parentheses; ``;;`` begins a comment.

    ``speaker`` is the part of the id before its first ``-`` or ``_``. Alternations stay as written.
    """

    format = "trn"
    names = ("utt_id", "text", "speaker")

    def __init__(self, data: Input) -> None:
        super().__init__(data)
        comments = sum(int(np.count_nonzero(_comments(piece))) for piece in pieces(data))
        if comments:
            self.notes = (f"{comments:,} comment {'line is' if comments == 1 else 'lines are'} left out (;;)",)

    def _rows(self) -> Iterator[TextPart]:
        row = 0
        for piece in pieces(self._data):
            kept = np.flatnonzero(~_comments(piece))
            spans = np.empty((len(kept), 3), np.int64)  # end of the words, begin and end of the id
            speakers = np.empty(len(kept), np.int64)
            for at, line in enumerate(kept.tolist()):
                start = int(piece.starts[line])
                found = _TRN.fullmatch(piece.data, start, start + int(piece.lengths[line]))
                row += 1
                if found is None or not found[2]:
                    hint = "each line is: words (utterance-id)"
                    what = "does not end with an utterance id in parentheses"
                    raise self._no_id(piece.first + line + 1, row, what, hint)
                spans[at] = found.end(1), found.start(2), found.end(2)
                cut = _SPEAKER.search(found[2])
                speakers[at] = len(found[2]) if cut is None else cut.start()
            starts, (words, begins, ends) = piece.starts[kept], spans.T
            columns = {
                "utt_id": piece.rows(begins, ends - begins),
                "text": piece.rows(starts, words - starts),
                "speaker": piece.rows(begins, speakers),
            }
            if len(kept):
                yield TextPart(columns, len(kept))


def _comments(piece: Piece) -> Values:
    """Which lines are comments."""
    codes = np.frombuffer(piece.data, np.uint8)
    last = len(codes) - 1
    first, second = codes[np.minimum(piece.starts, last)], codes[np.minimum(piece.starts + 1, last)]
    return np.asarray((piece.lengths > 1) & (first == ord(";")) & (second == ord(";")))
