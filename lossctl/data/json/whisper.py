"""What speech recognisers write: one object a recording, with its text, its language and its segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lossctl.data.json.paths import JsonColumn
from lossctl.data.source import Column

__all__ = ["as_transcript", "is_pieces", "without_segments"]

_SEGMENTS = "segments"


def is_pieces(value: dict[str, Any]) -> bool:
    """Whether the text stands in pieces only, as whisper.cpp writes it: ``{"transcription": [{"text": ...}]}``."""
    parts = value.get("transcription")
    texts = isinstance(parts, list) and all(isinstance(part, dict) and "text" in part for part in parts)
    return texts and "text" not in value and "timestamps" in (parts or [{"timestamps": None}])[0]


def as_transcript(value: dict[str, Any]) -> dict[str, Any]:
    """The pieces joined, as they stand, to one text, with the language that was heard."""
    if not is_pieces(value):
        return value
    result = value.get("result")
    language = result.get("language") if isinstance(result, dict) else None
    parts = value["transcription"]
    return {"text": "".join(str(part["text"]) for part in parts), "language": language, _SEGMENTS: parts}


def without_segments(value: dict[str, Any], found: Sequence[JsonColumn]) -> list[JsonColumn]:
    """The columns, where the first object is a transcript with segments those left out, which are no rows."""
    parts = value.get(_SEGMENTS)
    parts = parts if isinstance(parts, list) and isinstance(value.get("text"), str) else [None]
    if not all(isinstance(part, dict) and ({"start", "end"} <= part.keys() or "timestamps" in part) for part in parts):
        return list(found)
    kept = [one for one in found if one.steps[0] != _SEGMENTS]
    return [*kept, JsonColumn(Column(_SEGMENTS, "other", None, "list of segments"), (_SEGMENTS,))]
