"""The files of one run, opened: positionals in order, then those of ``--role FILE:COLUMNS``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from lossctl.data.formats import open_source
from lossctl.data.matched import has_ids, matched
from lossctl.data.source import Source
from lossctl.errors import UsageError

__all__ = ["open_beside", "open_inputs"]


def open_inputs(
    paths: Sequence[str | Source],
    roles: Mapping[str, str],
    *,
    prose: bool = False,
    unmatched: Literal["error", "drop"] | None = None,
    memory: int = 2 << 30,
    shelf: dict[str, Source] | None = None,
    **reader: Any,
) -> tuple[list[Source], dict[str, str], dict[str, int]]:
    """Sources, roles with bare columns, and for roles from a file of their own the place of its source.

    ``prose``: the losses compare text, so two files, or that of a role, may be lines of it. Two files whose formats
    name their rows are matched by these names, in about ``memory`` bytes. A path may be a source that is
    open already, and ``shelf`` keeps the files of roles from one call to the next. ``reader`` are the other options
    of ``open_source``. Raises ``DataError`` and ``UsageError`` as it does.
    """
    if list(paths).count("-") > 1:
        raise UsageError("standard input can be read once only: - is given twice", code="file-count")
    lines = prose and len(paths) == 2
    sources = [open_source(path, prose=lines, **reader) if isinstance(path, str) else path for path in paths]
    if len(sources) == 2 and all(map(has_ids, sources)):
        sources = list(matched(sources[0], sources[1], unmatched or "error", memory))
    shelf = {} if shelf is None else shelf
    columns: dict[str, str] = {}
    elsewhere: dict[str, int] = {}
    opened: dict[str, int] = {}
    for role, text in roles.items():
        path, _, names = text.rpartition(":")
        known = {c.name for source in sources for c in source.columns}
        if path and text not in known and os.path.exists(path):
            if path not in opened:
                opened[path] = len(sources)
                if path not in shelf:
                    shelf[path] = open_source(path, prose=prose, **reader)
                sources.append(shelf[path])
            elsewhere[role] = opened[path]
            columns[role] = names
        else:
            columns[role] = text
    return sources, columns, elsewhere


def open_beside(path: str, *, prose: bool = False, **reader: Any) -> Source:
    """A file that is read again and again, beside each of many others (``score --targets``)."""
    return open_source(path, prose=prose, **reader)
