"""The files of one run, opened: positionals in order, then those of ``--role FILE:COLUMNS``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Literal, NamedTuple

from lossctl.data import places
from lossctl.data.formats import open_source
from lossctl.data.matched import has_ids, matched
from lossctl.data.shards.paths import check_names, is_pattern, shards_of
from lossctl.data.source import Source
from lossctl.data.stores.names import is_uri
from lossctl.errors import UsageError

__all__ = ["Inputs", "open_beside", "open_inputs"]


class Inputs(NamedTuple):
    """Which files a run reads and how: all that another process needs to open the same; see ``open_inputs``."""

    paths: tuple[str, ...]
    roles: Mapping[str, str]
    prose: bool = False
    unmatched: Literal["error", "drop"] | None = None
    memory: int = 2 << 30
    reader: Mapping[str, Any] = {}

    def open(
        self, listed: Mapping[str, Sequence[str]] | None = None
    ) -> tuple[list[Source], dict[str, str], dict[str, int]]:
        """The sources, as ``open_inputs`` gives them."""
        return open_inputs(
            self.paths,
            self.roles,
            prose=self.prose,
            unmatched=self.unmatched,
            memory=self.memory,
            listed=listed,
            **self.reader,
        )


def open_inputs(
    paths: Sequence[str | os.PathLike[str] | Source],
    roles: Mapping[str, str],
    *,
    prose: bool = False,
    unmatched: Literal["error", "drop"] | None = None,
    memory: int = 2 << 30,
    shelf: dict[str, Source] | None = None,
    listed: Mapping[str, Sequence[str]] | None = None,
    **reader: Any,
) -> tuple[list[Source], dict[str, str], dict[str, int]]:
    """Sources, roles with bare columns, and for roles from a file of their own the place of its source.

    A role is columns, FILE:COLUMNS, or a FILE whose columns are found as those of any other. A directory, or a
    pattern of file names, is one source: its files, one after the other.
    Paths may be URIs, and ``endpoint_url`` among the options of ``open_source`` is where their server listens.
    ``prose``: the losses compare text, so two files, or that of a role, may be lines of it. Two files whose formats
    name their rows are matched by these names, in about ``memory`` bytes. A path may be a source that is
    open already, and ``shelf`` keeps the files of roles from one call to the next; ``listed`` are data sets whose
    files are known. ``reader`` are the other options of ``open_source``. Raises ``DataError`` and ``UsageError`` as it
    does.
    """
    if list(paths).count("-") > 1:
        raise UsageError("standard input can be read once only: - is given twice", code="file-count")
    how = {"prose": prose and len(paths) == 2, "listed": listed, **reader}
    sources = [open_beside(os.fspath(path), **how) if isinstance(path, (str, os.PathLike)) else path for path in paths]
    if len(sources) == 2 and all(map(has_ids, sources)):
        sources = list(matched(sources[0], sources[1], unmatched or "error", memory))
    shelf = {} if shelf is None else shelf
    columns: dict[str, str] = {}
    elsewhere: dict[str, int] = {}
    opened: dict[str, int] = {}
    for role, text in roles.items():
        known = {c.name for source in sources for c in source.columns}
        path, names = ("", "") if text in known else _file_of(text, known, reader.get("endpoint_url"))
        if path:
            if path not in opened:
                opened[path] = len(sources)
                if path not in shelf:
                    shelf[path] = open_beside(path, prose=prose, listed=listed, **reader)
                sources.append(shelf[path])
            elsewhere[role] = opened[path]
            if names:
                columns[role] = names
        else:
            columns[role] = text
    return sources, columns, elsewhere


def open_beside(
    path: str, *, prose: bool = False, listed: Mapping[str, Sequence[str]] | None = None, **reader: Any
) -> Source:
    """One file, or the files of a directory or of a pattern, such as stand beside many others (``score --targets``)."""
    endpoint_url = reader.get("endpoint_url")
    known = (listed or {}).get(path)
    files = shards_of(path, endpoint_url) if known is None else known
    if files is None:
        return open_source(path, prose=prose, **reader)
    from lossctl.data.shards.source import ShardedSource

    if reader.get("input_format") is None and known is None:
        check_names(path, files, prose=prose)
    return ShardedSource(path, files, partial(open_source, prose=prose, **reader), endpoint_url)


def _file_of(text: str, known: set[str], endpoint_url: str | None) -> tuple[str, str]:
    """The file of FILE or FILE:COLUMNS, and the columns; no file where the text is of columns alone.

    A URI holds colons of its own: the columns stand behind the last one, unless all of it is a file.
    """
    path, _, names = text.rpartition(":")
    if is_uri(text):
        whole = not is_uri(path) or "/" in names or not path.partition("://")[2]
        whole = whole or places.exists(text, endpoint_url)
        return (text, "") if whole else (path, names)
    if places.is_file(text):
        return text, ""
    return (path, names) if path and (places.exists(path) or _is_files(path, text, known)) else ("", "")


def _is_files(path: str, text: str, known: set[str]) -> bool:
    """Whether the path of FILE:COLUMNS is a pattern of files, and the whole of it none of columns."""
    columns = (name for part in text.split(",") for name in known if fnmatchcase(name, part))
    return is_pattern(path) and next(columns, None) is None
