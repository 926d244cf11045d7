"""Reports in files: the format is the extension's, and a file is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable

from lossctl.data.sinks.target import check_target, output_file
from lossctl.engine.result import Report
from lossctl.engine.scores import Scores
from lossctl.errors import UsageError
from lossctl.report.render import render
from lossctl.spelling import utf8

__all__ = ["EXTENSIONS", "output_format", "write_atomically", "write_output"]

EXTENSIONS = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".md": "markdown"}


def output_format(path: str | os.PathLike[str]) -> str:
    """The format that the extension asks for; ask before the work begins."""
    name = os.fspath(path)
    check_target(name)
    extension = os.path.splitext(name)[1].lower()
    if extension in EXTENSIONS:
        return EXTENSIONS[extension]
    raise UsageError(
        f"{name} has no extension of a report" if not extension else f"{extension} is no report: {name}",
        code="unknown-extension",
        file=name,
        hint=f"end the name in {', '.join(EXTENSIONS)}",
    )


def write_output(
    report: Report | Scores,
    path: str | os.PathLike[str],
    *,
    digits: int = 6,
    csv_safe: bool = False,
    endpoint_url: str | None = None,
) -> None:
    """Write the report to a path or a URI, in the format of its extension, whole or not at all."""
    format = output_format(path)
    write_atomically(os.fspath(path), render(report, format, digits=digits, csv_safe=csv_safe), endpoint_url)


def write_atomically(path: str, chunks: Iterable[str], endpoint_url: str | None = None) -> None:
    """Put the text at ``path`` (UTF-8): readers see the old file or the new one, never a part."""
    file = output_file(path, endpoint_url)
    try:
        for chunk in chunks:
            file.write(utf8(chunk))
        file.commit()
    except BaseException:
        file.abort()
        raise
