"""Records on lines: ``plain`` (tabs), ``csv`` (RFC 4180) and ``value`` (numbers only)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lossctl.engine.scores import Scores
from lossctl.report.records import Cell, records, streams
from lossctl.report.text import chunked, escape, full, value_text
from lossctl.spelling import csv_text

if TYPE_CHECKING:
    from lossctl.engine.result import Report
    from lossctl.engine.scores import FileReport

__all__ = ["csv", "plain", "values"]


def plain(report: Report | Scores) -> Iterator[str]:
    """A header and one tab-separated line for each record, every number in full."""
    names, rows = records(report, value_text)
    yield "\t".join(map(escape, names)) + "\n"
    yield from chunked("\t".join(map(_plain_cell, row)) + "\n" for row in rows)


def _plain_cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return escape(cell)
    return str(cell) if isinstance(cell, int) else full(cell)


def csv(report: Report | Scores, *, safe: bool = False) -> Iterator[str]:
    """The same as CSV; with ``safe``, text that a spreadsheet would run begins with an apostrophe."""
    names, rows = records(report)
    yield ",".join(_csv_cell(name, safe) for name in names) + "\n"
    yield from chunked(",".join([_csv_cell(cell, safe) for cell in row]) + "\n" for row in rows)


def _csv_cell(cell: Cell, safe: bool) -> str:
    if isinstance(cell, str):
        return csv_text(cell, safe=safe)
    return str(cell) if isinstance(cell, int) else full(cell)


def values(report: Report | Scores) -> Iterator[str]:
    """One number on each line; one line for each sample where nothing was reduced.

    Of several files, a blank line stands for a loss that one of them has no value of.
    """
    if isinstance(report, Scores):
        labels = report.labels
        return chunked(full(value) + "\n" for file in report.files for value in _values_of(file, labels))
    samples = streams(report)
    if samples is None:
        return chunked(full(result.value) + "\n" for result in report.results)
    return chunked("\t".join(map(full, sample.values)) + "\n" for sample in samples)


def _values_of(file: FileReport, labels: Sequence[str]) -> Iterator[float | None]:
    for label in labels:
        yield from [result.value for result in file.results if result.label == label] or [None]
