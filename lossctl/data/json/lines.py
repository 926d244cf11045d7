"""Lines of a byte stream as JSON objects, one at a time; whatever is wrong with a line names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lossctl.data.json.document import CAREFUL, DuplicateKeyError, Object, document
from lossctl.data.stored import reading
from lossctl.data.text.rowends import CAP, MARK, check_text
from lossctl.errors import DataError

if TYPE_CHECKING:
    import io

    from lossctl.data.opening import Input

__all__ = ["Lines", "Object"]

_PIECE = 1 << 20
_WANTED = "one object a line is wanted, or one array of objects"
_WORDS = {list: "an array", str: "a string", int: "a number", float: "a number", bool: "a truth value"}


_FAST = json.JSONDecoder()


class Lines:
    """The objects of a JSONL file, in order, as often as asked for. Blank lines are no rows.

    One array of objects, and objects over several lines, are read as rows too.
    """

    def __init__(self, data: Input) -> None:
        self.name = data.name
        self._data = data
        self._document: bool | None = None

    def objects(self) -> Iterator[tuple[int, Object]]:
        """(bytes of the line, its object). Raises ``DataError`` with the row.

        Codes: ``invalid-json``, ``not-an-object``, ``duplicate-key``, ``too-deep``, ``encoding``, ``line-too-long``.
        """
        if self._document is None:
            self._document = self._is_document()
        if self._document:
            yield from document(self.name, self._data.stream())
            return
        row, flat = 0, True
        for number, line in self._lines(self._data.stream()):
            if line.isspace() or not line:
                continue
            row += 1
            value = self._parsed(line, number, row, _FAST if flat else CAREFUL)
            # As many colons as keys: no key stands twice. Else look again, and closely from here on.
            if flat and line.count(b":") != len(value):
                flat = False
                value = self._parsed(line, number, row, CAREFUL)
            yield len(line), value

    def _is_document(self) -> bool:
        """Whether this is one array, or its first object does not end where its line does, and both can be read."""
        size = 8
        while not (head := (raw := self._data.head(size)).removeprefix(MARK).lstrip()) and len(raw) == size:
            size *= 4
        if not head.startswith(b"[") and not (head.startswith(b"{") and self._breaks_off()):
            return False
        try:
            return next(document(self.name, self._data.stream()), None) is not None
        except DataError:  # what is wrong with the line says more
            return False

    def _breaks_off(self) -> bool:
        """Whether the first line is the beginning of an object."""
        for _, line in self._lines(self._data.stream()):
            if line and not line.isspace():
                try:
                    _FAST.decode(text := line.decode(errors="replace"))
                except json.JSONDecodeError as error:
                    return error.pos >= len(text.rstrip())
                except (ValueError, RecursionError):
                    pass
                return False
        return False

    def _lines(self, stream: io.RawIOBase) -> Iterator[tuple[int, bytes]]:
        """(number, line) without its end: LF, CRLF or CR."""
        number = 0
        for run in self._runs(stream):
            for line in run.splitlines() if b"\r" in run else run.split(b"\n"):
                number += 1
                yield number, line

    def _runs(self, stream: io.RawIOBase) -> Iterator[bytes]:
        """Whole lines at a time, without the last newline."""
        held: list[bytes] = []
        size = 0
        begun = False
        while True:
            with reading(self.name):
                piece = stream.read(_PIECE) or b""
            if not begun and piece:
                check_text(self.name, piece[:4096])
            cut = piece.rfind(b"\n")
            if piece and cut < 0:
                held.append(piece)
                size += len(piece)
                if size > CAP:
                    message = f"a line is longer than {CAP >> 20} MB"
                    hint = "one object a line is wanted; to bring each to one line: jq -c . FILE > NEW.jsonl"
                    raise DataError(message, code="line-too-long", file=self.name, hint=hint)
                continue
            run = b"".join([*held, piece[:cut] if piece else b""])
            if run or piece:
                yield run if begun else run.removeprefix(MARK)
                begun = True
            if not piece:
                return
            held, size = [piece[cut + 1 :]], len(piece) - cut - 1

    def _parsed(self, line: bytes, number: int, row: int, decoder: json.JSONDecoder) -> Object:
        try:
            value = decoder.decode(line.decode())
        except UnicodeDecodeError as error:
            message = f"line {number:,} is not valid UTF-8 text (byte {error.start + 1:,})"
            hint = "convert the file: iconv -f LATIN1 -t UTF-8 FILE > NEW"
            raise self._error(message, "encoding", row, hint) from None
        except DuplicateKeyError as error:
            message = f"line {number:,} has the key {str(error)!r:.60} twice in one object"
            raise self._error(message, "duplicate-key", row, "which of the two counts?  write it once") from None
        except RecursionError:
            message = f"line {number:,} is nested too deeply"
            raise self._error(message, "too-deep", row, None) from None
        except json.JSONDecodeError as error:
            message = f"line {number:,} is not valid JSON: {error.msg} (character {error.pos + 1:,})"
            raise self._error(message, "invalid-json", row, self._advice(error, row)) from None
        except ValueError:  # Python reads integers of up to 4,300 digits
            message = f"line {number:,} holds an integer of more than 4,300 digits"
            raise self._error(message, "invalid-json", row, None) from None
        if isinstance(value, dict):
            return value
        message = f"line {number:,} is {_WORDS.get(type(value), 'null')}, not an object"
        raise self._error(message, "not-an-object", row, _WANTED)

    def _advice(self, error: json.JSONDecodeError, row: int) -> str | None:
        """What may be wrong where the first line is none, or ends early: one document over several lines."""
        text = error.doc.rstrip()
        if row == 1 and text.startswith("["):
            return _WANTED
        if row == 1 and text.startswith("{") and error.pos >= len(text):
            return "one object a line is wanted; to bring each to one line: jq -c . FILE > NEW.jsonl"
        return None

    def _error(self, message: str, code: str, row: int, hint: str | None) -> DataError:
        return DataError(message, code=code, file=self.name, row=row, hint=hint)
