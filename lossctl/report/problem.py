"""How an error shows: a few lines for people, one line of JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossctl.report.text import escape

if TYPE_CHECKING:
    from lossctl.errors import LossctlError

__all__ = ["error_json", "error_text"]

LINES = 5
LENGTH = 400


def error_text(error: LossctlError) -> str:
    """At most five lines, without the last line end: what, where, more places, what to try."""
    place = error.where()
    where = [f"  {place}"] if place and place not in error.message else []
    hint = [f"  try: {error.hint}"] if error.hint else []
    room = LINES - 1 - len(where) - len(hint)
    details = [f"  {detail}" for detail in error.details]
    if len(details) > room:
        details[room - 1 :] = [f"  and {len(details) - room + 1} more"]
    return "\n".join(map(_line, [f"lossctl: {error.message}", *where, *details, *hint]))


def _line(text: str) -> str:
    """One inert line; a cell of a megabyte does not drown what stands around it."""
    inert = escape(text)
    return inert if len(inert) <= LENGTH else f"{inert[: LENGTH - 100]} ... {inert[-95:]}"


def error_json(error: LossctlError) -> str:
    """One line of ``lossctl.error/1``, without the line end."""
    from lossctl.report.jsonout import dumps, error_members

    return dumps({"schema": "lossctl.error/1", "error": error_members(error)})
