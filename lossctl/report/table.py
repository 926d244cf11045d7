"""The report for a person at a terminal: samples, losses, and what became of the rows.

Samples may be many: they are measured in a first pass and drawn in blocks in a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from rich.box import Box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lossctl.report.aligned import blocks, plain_columns
from lossctl.report.layout import GAP, Column, Panel, panels
from lossctl.report.records import (
    account,
    beside,
    detail_text,
    group_cells,
    has_intervals,
    has_results,
    is_keyed,
    parts_of,
    places,
    sample_names,
    samples_title,
    statistic,
    unit,
)
from lossctl.report.text import escape, number, value_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lossctl.engine.result import Report, Result, Samples

__all__ = ["Page", "Row", "Sheet", "table"]

RULE = Box("    \n    \n ── \n    \n    \n    \n    \n    \n")
ASCII_RULE = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
BARS = " ▁▂▃▄▅▆▇█"
ASCII_BARS = " .:-=+*#@"
SPREAD = ("std", "median", "p90", "p99")
BLOCK = 500  # rows drawn at a time


class Row(NamedTuple):
    """The cells of a line, how the line looks, whether a group of lines ends with it, and which cells stand out."""

    cells: list[str]
    style: str = ""
    last: bool = False
    strong: tuple[int, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """Columns, and rows that can be walked through more than once."""

    columns: list[Column]
    rows: Callable[[], Iterable[Row]]


def table(
    report: Report,
    *,
    digits: int,
    color: bool,
    width: int | None,
    encoding: str,
) -> Iterator[str]:
    """The report as tables: as wide as its numbers, or fitted into ``width`` columns."""
    page = Page(digits, color, width, encoding)
    if report.samples is not None:
        yield page.draw(Text(page.safe(samples_title(report.samples)), "bold")) + "\n"
        yield from page.sheet(page.samples(report.samples))
        yield "\n"
        for line in (found := list(blocks(report.samples, width, digits, encoding))):
            yield from (page.safe(part) + "\n" for part in line.removesuffix("\n").split("\n"))
        yield "\n" if found else ""
    if has_results(report):
        yield from page.sheet(page.results(report))
        yield "\n"
        if told := [text for result in report.results if (text := beside(result, digits))]:
            yield from (page.draw(Text(page.safe(text), "dim")) for text in told)
            yield "\n"
    yield page.foot(account(report))


@dataclass(frozen=True)
class Page:
    """The terminal: how much fits on a line, and what may be written on it."""

    digits: int
    color: bool
    width: int | None
    encoding: str

    @property
    def unicode(self) -> bool:
        return self.encoding.lower().startswith("utf")

    def safe(self, text: str) -> str:
        return escape(text, self.encoding)

    def draw(self, shown: RenderableType, width: int | None = None) -> str:
        """What rich makes of it, as text; ``width`` is the room it is sure to get."""
        room = max(width or 0, self.width or 0) or 1_000_000
        console = Console(
            file=StringIO(),
            width=room,
            height=25,
            color_system="standard" if self.color else None,
            force_terminal=self.color,
            force_jupyter=False,
            no_color=not self.color,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
        )
        with console.capture() as capture:
            console.print(shown)
        lines = capture.get().removesuffix("\n").split("\n")
        return "".join(line.rstrip() + "\n" for line in lines)

    def foot(self, parts: Sequence[str]) -> str:
        """What stands below everything, in one line."""
        return self.draw(Text((" · " if self.unicode else ", ").join(map(self.safe, parts)), "dim"))

    def sheet(self, sheet: Sheet) -> Iterator[str]:
        """Measure, settle the columns, draw."""
        for column in sheet.columns:
            column.measure(cell_len)
        for row in sheet.rows():
            for column, cell in zip(sheet.columns, row.cells, strict=True):
                column.see(cell, cell_len)
        places = {column: place for place, column in enumerate(sheet.columns)}
        for count, panel in enumerate(panels(sheet.columns, self.width)):
            if count:
                yield "\n"
            chosen = [places[column] for column, _ in panel]
            rows = iter(sheet.rows())
            header = True
            while (block := list(islice(rows, BLOCK))) or header:
                yield self._block(panel, chosen, block, header=header)
                header = False

    def _block(
        self,
        panel: Panel,
        chosen: Sequence[int],
        rows: Iterable[Row],
        *,
        header: bool,
    ) -> str:
        drawn = Table(
            box=RULE if self.unicode else ASCII_RULE,
            show_header=header,
            show_edge=False,
            pad_edge=False,
            padding=(0, GAP - 1, 0, 0),  # the divider of the box is the other blank
            header_style="cyan",
            border_style="dim",
        )
        for column, width in panel:
            drawn.add_column(
                Text(column.name, justify="right" if column.kind in {"count", "number"} else "left"),
                style=column.style,
                width=width,
                overflow="fold",
                vertical="bottom",
            )
        for row in rows:
            cells = [
                Text(c.place(row.cells[i], w), "bold" if i in row.strong else "")
                for (c, w), i in zip(panel, chosen, strict=True)
            ]
            drawn.add_row(*cells, style=row.style, end_section=row.last)
        return self.draw(drawn, sum(width + GAP for _, width in panel) - GAP)

    def samples(self, samples: Samples) -> Sheet:
        """The samples; the status is left out where every row was scored."""
        keyed = is_keyed(samples)
        columns = [Column(self.safe(n), "key" if keyed else "count", "dim") for n in sample_names(samples)]
        dropped = any(sample.status != "ok" for sample in samples)
        if dropped:
            columns.append(Column("status", "text", "dim"))
        for block, label in enumerate(samples.labels, start=1):
            columns.append(Column(self.safe(label), "number", block=block))
        shown = plain_columns(samples)
        columns += [
            Column(self.safe(samples.detail_names[place]), "key", block=len(samples.labels) + 1 + at)
            for at, place in enumerate(shown)
        ]

        def rows() -> Iterator[Row]:
            for sample in samples:
                status = [self.safe(sample.status)] if dropped else []
                values = (number(value, self.digits) for value in sample.values)
                style = "" if sample.status == "ok" else "dim"
                beside = (self.safe(detail_text(sample.details[place]) or "") for place in shown)
                yield Row([*map(self._place, places(sample)), *status, *values, *beside], style)

        return Sheet(columns, rows)

    def _place(self, place: str | int | None) -> str:
        if isinstance(place, str):
            return self.safe(place)
        return "" if place is None else f"{place:,}"

    def results(self, report: Report) -> Sheet:
        """The reduced losses; with slices, each total stands above its groups."""
        stats = any(result.stats for result in report.results)
        parts, bounds = parts_of(report.results), ("ci low", "ci high") if has_intervals(report.results) else ()
        split = bool(report.by or parts)
        columns = [
            Column("loss", "key"),
            Column("reduction", "text", "dim", block=1, rank=2),
            *(Column(self.safe(name), "key") for name in (*report.by, *parts)),
            Column("n", "count", block=1, rank=3),
            Column("value", "number", "" if split else "bold", block=1),
            *(Column(name, "number", block=1, tied=name == "ci low") for name in bounds),
            Column("unit", "text", "dim", block=1, rank=1),
        ]
        if stats:
            columns += [Column(name, "number", block=2) for name in SPREAD]
            columns += [Column("min", "number", block=3), Column("", "text", "cyan", block=3, rank=1)]
            columns += [Column("max", "number", block=3)]
        ordered = _together(report.results)
        rows = []
        for place, result in enumerate(ordered):
            first = place == 0 or ordered[place - 1].label != result.label
            last = place + 1 < len(ordered) and ordered[place + 1].label != result.label
            cells = [
                self.safe(result.label) if first else "",
                result.reduction if first else "",
                *map(self.safe, group_cells(result, report.by, parts)),
                f"{result.n:,}",
                value_text(result, self.digits),
                *(number(getattr(result.ci, name[3:], None), self.digits) for name in bounds),
                unit(result) if first else "",
            ]
            if stats:
                spread = (statistic(result, name, self.digits) for name in (*SPREAD, "min", "max"))
                *middle, least, most = spread
                cells += [*middle, least, self._histogram(result.histogram or ()), most]
            total = split and result.slice == "total" and result.column is None and result.of_class is None
            rows.append(Row(cells, "bold" if total else "", last and split))
        return Sheet(columns, lambda: rows)

    def _histogram(self, counts: Sequence[int]) -> str:
        """The counts as bars: blank for none, so that a single row is seen as well."""
        bars = BARS if self.unicode else ASCII_BARS
        top = max(counts, default=0)
        return "".join(bars[-(-count * (len(bars) - 1) // top)] if top else bars[0] for count in counts)


def _together(results: Sequence[Result]) -> list[Result]:
    """The results of one loss side by side, the losses in the order of the calls."""
    order: dict[str, int] = {}
    return sorted(results, key=lambda result: order.setdefault(result.label, len(order)))
