"""One JSON document as rows: an array of objects, or objects over several lines, one at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lossctl.data.stored import reading
from lossctl.data.text.rowends import CAP
from lossctl.errors import DataError

if TYPE_CHECKING:
    import io

__all__ = ["CAREFUL", "DuplicateKeyError", "Object", "document"]

_PIECE = 1 << 20
_NEAR = 16  # characters: an error so close to the end of what was read may be due to what was not
_BLANK = re.compile(r"[ \t\r\n]*")


Object = dict[str, Any]


class DuplicateKeyError(ValueError):
    """A key stands twice in one object."""


def _object(pairs: list[tuple[str, Any]]) -> Object:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKeyError(key)
            seen.add(key)
    return found


CAREFUL = json.JSONDecoder(object_pairs_hook=_object)


class _Text:
    """What was read and not yet taken, and how many lines were taken before it."""

    def __init__(self, name: str, stream: io.RawIOBase) -> None:
        self.name = name
        self.text = ""
        self.at = 0
        self.line = 1
        self.row = 1
        self.ended = False
        self._stream = stream
        self._rest = b""
        self._bad = False

    def more(self) -> None:
        """Reads as much again as is held, and forgets what was taken."""
        self.line += self.text.count("\n", 0, self.at)
        self.text = self.text[self.at :]
        self.at = 0
        if len(self.text) > CAP:
            raise self.error(f"is longer than {CAP >> 20} MB", "line-too-long")
        if self._bad:
            raise self.error("is not valid UTF-8 text", "encoding")
        with reading(self.name):
            piece = self._stream.read(max(_PIECE, len(self.text))) or b""
        self.ended = not piece
        data = self._rest + piece
        try:
            self.text += data.decode()
            self._rest = b""
        except UnicodeDecodeError as error:
            self.text += data[: error.start].decode()
            self._rest = data[error.start :]
            self._bad = self.ended or len(self._rest) > 3  # a character may be cut off, no more
            self.ended = False
        if self.line == 1 and not self.at:
            self.text = self.text.removeprefix("\ufeff")

    def skip(self, sign: str = "") -> bool:
        """Goes past white space, and past ``sign``; whether it stood there."""
        while True:
            blank = _BLANK.match(self.text, self.at)
            assert blank is not None
            self.at = blank.end()
            if self.at < len(self.text) or self.ended:
                break
            self.more()
        found = bool(sign) and self.text.startswith(sign, self.at)
        self.at += found
        return found

    def error(self, message: str, code: str) -> DataError:
        line = self.line + self.text.count("\n", 0, self.at)
        return DataError(f"the object in line {line:,} {message}", code=code, file=self.name, row=self.row)

    def value(self) -> Any:
        """The next value, which is taken."""
        while True:
            try:
                value, end = CAREFUL.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos + _NEAR >= len(self.text)
                if self.ended or not cut:
                    raise self.error(f"is not valid JSON: {error.msg}", "invalid-json") from None
                self.more()
            except RecursionError:
                raise self.error("is nested too deeply", "too-deep") from None
            except DuplicateKeyError as error:
                raise self.error(f"has the key {str(error)!r:.60} twice", "duplicate-key") from None
            except ValueError:  # Python reads integers of up to 4,300 digits
                raise self.error("holds an integer of more than 4,300 digits", "invalid-json") from None
            else:
                self.at = end
                return value


def document(name: str, stream: io.RawIOBase) -> Iterator[tuple[int, Object]]:
    """(characters of the text, its object) of each. Raises ``DataError`` with the row.

    Codes: ``invalid-json``, ``not-an-object``, ``duplicate-key``, ``too-deep``, ``encoding``, ``line-too-long``.
    """
    text = _Text(name, stream)
    array = text.skip("[")
    while True:
        if text.skip("]" if array else ""):
            break
        if text.at == len(text.text):
            if array:
                raise text.error("is not there: the array has no end", "invalid-json")
            return
        start = text.at
        value = text.value()
        if not isinstance(value, dict):
            raise text.error("is none: an array of objects is wanted", "not-an-object")
        yield max(text.at - start, 0), value
        text.row += 1
        if array and not text.skip(","):
            if not text.skip("]"):
                raise text.error("does not follow a comma", "invalid-json")
            break
    text.skip()
    if text.at < len(text.text):
        raise text.error("follows the end of the array", "invalid-json")
