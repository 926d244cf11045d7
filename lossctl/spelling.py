"""How text is spelled in CSV and in JSON, the same wherever these are written."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["CONTROLS", "csv_text", "csv_texts", "inert_json", "json_texts", "utf8"]

# What would act on a terminal instead of being seen: C0, DEL, C1, line separators, bidi controls.
CONTROLS = (
    *range(0x20),
    *range(0x7F, 0xA0),
    *(0x061C, 0x200E, 0x200F, 0x2028, 0x2029),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
_ESCAPES = {code: f"\\u{code:04x}" for code in CONTROLS if code >= 0x7F}  # JSON allows these raw in a string
_QUOTED = ',"\r\n'
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs cells that begin so


def utf8(text: str) -> bytes:
    """The text as UTF-8; half a character (a name that is no text) is spelled out."""
    return text.encode("utf-8", "backslashreplace")


def csv_text(text: str, *, safe: bool = False) -> str:
    """A cell of CSV (RFC 4180). With ``safe`` an apostrophe stands before what a spreadsheet would run.

    Nothing stays empty, an empty text is ``""``: the two can be told apart.
    """
    if safe and text.startswith(_FORMULA):
        text = f"'{text}"
    if not text or any(mark in text for mark in _QUOTED):
        return '"' + text.replace('"', '""') + '"'
    return text


def csv_texts(texts: Sequence[str], *, safe: bool = False) -> Sequence[str]:
    """Cells of CSV; mostly there is nothing to do, which is seen at once."""
    joined = "".join(texts)
    if safe or "" in texts or any(mark in joined for mark in _QUOTED):
        return [csv_text(text, safe=safe) for text in texts]
    return texts


def json_texts(texts: Sequence[str]) -> list[str]:
    """Strings of JSON: readable letters, inert controls."""
    from json.encoder import encode_basestring

    spelled = [encode_basestring(text) for text in texts]
    return spelled if "".join(texts).isprintable() else [inert_json(text) for text in spelled]


def inert_json(text: str) -> str:
    """JSON with what a terminal would obey escaped inside its strings, and nothing that is no character."""
    return text if text.isprintable() else utf8(text.translate(_ESCAPES)).decode("utf-8")
