"""Many files side by side on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lossctl.report.layout import BEST, Column
from lossctl.report.scores import lines, loss_columns, score_account, was_dropped
from lossctl.report.table import Page, Row, Sheet

if TYPE_CHECKING:
    from lossctl.engine.scores import Scores

__all__ = ["score_table"]


def score_table(scores: Scores, *, digits: int, color: bool, width: int | None, encoding: str) -> Iterator[str]:
    """One row for each file: as wide as its numbers, or fitted into ``width`` columns."""
    page = Page(digits, color, width, encoding)
    yield from page.sheet(sheet(scores, page))
    yield "\n"
    yield page.foot(score_account(scores, BEST))


def sheet(scores: Scores, page: Page) -> Sheet:
    """The lines; a column stands only where there is something in it."""
    heads, failed, dropped = loss_columns(scores), bool(scores.errors), was_dropped(scores)
    columns = [Column("input", "key"), Column("rows", "count", "dim", block=1, rank=1)]
    columns += [Column("dropped", "count", "dim", block=1)] if dropped else []
    for block, names in enumerate(heads, start=2):
        columns += [Column(page.safe(name), "number", block=block, tied=name == "ci low") for name in names]
    columns += [Column("error", "key", "red", block=len(heads) + 2)] if failed else []

    def rows() -> Iterable[Row]:
        for line in lines(scores, page.digits):
            cells = [page.safe(line.file.name), line.scored, *([line.dropped] if dropped else [])]
            strong = []
            for (value, *rest), first in zip(line.losses, line.best, strict=True):
                strong += [len(cells)] if first else []
                cells += [value + BEST if first else value, *rest]
            cells += [page.safe(line.error)] if failed else []
            yield Row(cells, strong=tuple(strong))

    return Sheet(columns, rows)
