"""One door to every format. Each is imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lossctl.errors import UsageError

if TYPE_CHECKING:
    from lossctl.engine.result import Report
    from lossctl.engine.scores import Scores

__all__ = ["FORMATS", "render"]

FORMATS = ("table", "plain", "csv", "json", "jsonl", "markdown", "value")


def render(
    report: Report | Scores,
    format: str,
    *,
    digits: int = 6,
    csv_safe: bool = False,
    color: bool = False,
    width: int | None = None,
    encoding: str = "utf-8",
) -> Iterator[str]:
    """The report as text, in pieces.

    ``digits`` is for people (table, markdown); machine formats print every digit. ``color``, ``width``
    and ``encoding`` are those of the terminal and shape the table only; without a width it is as wide
    as its numbers.
    """
    if format == "json":
        from lossctl.report import jsonout

        return jsonout.document(report)
    if format == "jsonl":
        from lossctl.report import jsonout

        return jsonout.lines(report)
    if format in {"plain", "csv", "value"}:
        from lossctl.report import delimited

        if format == "csv":
            return delimited.csv(report, safe=csv_safe)
        return delimited.plain(report) if format == "plain" else delimited.values(report)
    if format == "markdown":
        from lossctl.engine.scores import Scores
        from lossctl.report import markdown

        if isinstance(report, Scores):
            return markdown.score_markdown(report, digits=digits)
        return markdown.markdown(report, digits=digits)
    if format == "table":
        from lossctl.engine.scores import Scores
        from lossctl.report import scoretable, table

        if isinstance(report, Scores):
            return scoretable.score_table(report, digits=digits, color=color, width=width, encoding=encoding)
        return table.table(report, digits=digits, color=color, width=width, encoding=encoding)
    raise UsageError(f"{format} is not a format", code="unknown-format", hint=f"one of {', '.join(FORMATS)}")
