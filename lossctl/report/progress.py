"""How far a long run has got, in one line on standard error that is gone when the run is over."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

from lossctl.report.text import escape

if TYPE_CHECKING:
    from lossctl.engine.watch import Pass, Tick

__all__ = ["Bar"]

PATIENCE = 1.0  # seconds during which nothing is shown
PAUSE = 0.1  # seconds between two pictures, at least
BAR = 40  # columns of the bar, at most
LEAST_BAR = 8
NAME = 30  # letters of a file's name


class Bar:
    """The line. A run tells ``begin`` of its passes; ``close`` takes the line away.

    It draws only when it is told of rows, on the thread that tells it, so that nothing goes on behind its back.
    """

    def __init__(self, *, color: bool, clock: Callable[[], float] = monotonic) -> None:
        self._color = color
        self._clock = clock
        self._next = clock() + PATIENCE
        self._live: Any = None

    def begin(self, one: Pass) -> Tick:
        """Another pass begins."""
        started = self._clock()

        def tick(rows: int) -> None:
            now = self._clock()
            if now >= self._next:
                self._next = now + PAUSE
                self._draw(one, rows, now - started)

        return tick

    def close(self) -> None:
        """Leave no trace."""
        self._next = float("inf")
        live, self._live = self._live, None
        if live is not None:
            try:
                live.stop()
            except (OSError, ValueError):  # the terminal is gone
                pass

    def _draw(self, one: Pass, rows: int, seconds: float) -> None:
        try:
            if self._live is None:
                self._live = started_live(self._color)
            self._live.update(picture(one, rows, seconds, self._live.console), refresh=True)
        except (OSError, ValueError):
            self.close()


def started_live(color: bool) -> Any:
    """rich's hand on the terminal; it takes no other output over."""
    from rich.console import Console
    from rich.live import Live

    console = Console(
        file=sys.stderr,
        color_system="standard" if color else None,
        no_color=not color,
        force_terminal=True,
        force_jupyter=False,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
    live.start()
    return live


def picture(one: Pass, rows: int, seconds: float, console: Any) -> Any:
    """The bar, where the number of rows is known and there is room, and what is to be said."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    room = console.width - 1  # the last column may wrap
    said = fitting(sayings(one, rows, seconds), room)
    said = escape(said, console.encoding)
    grid = Table.grid(padding=(0, 1))
    bar = min(room - len(said) - 1, BAR)
    if one.rows and bar >= LEAST_BAR:
        done = min(rows, one.rows)
        styles = {"complete_style": "cyan", "finished_style": "cyan", "style": "bright_black"}
        grid.add_row(ProgressBar(one.rows, done, bar, **styles), Text(said, no_wrap=True))  # type: ignore[arg-type]
    else:
        grid.add_row(Text(said, no_wrap=True))
    return grid


def fitting(sayings: list[str], room: int) -> str:
    """The longest that fits with a bar, else the longest that fits."""
    for spare in (LEAST_BAR + 1, 0):
        for text in sayings:
            if len(text) + spare <= room:
                return text
    return sayings[-1][: max(room, 0)]


def sayings(one: Pass, rows: int, seconds: float) -> list[str]:
    """What there is to say, from all of it to the least.

    >>> from lossctl.engine.watch import Pass
    >>> sayings(Pass("again", 4_000_000), 1_000_000, 2.0)[0]
    'again, 25%, 1,000,000 of 4,000,000 rows, 500,000 rows/s, 0:06 left'
    >>> sayings(Pass("", None).of("old.csv", 2, 5), 1_000_000, 2.0)[0]
    'old.csv (2 of 5), 1,000,000 rows, 500,000 rows/s'
    """
    rate = rows / seconds if seconds > 0 else 0.0
    share, count, left = [], f"{rows:,} {one.unit}", []
    if one.rows:
        share = [f"{min(100 * rows // one.rows, 100)}%"]
        count = f"{rows:,} of {one.rows:,} {one.unit}"
        left = [f"{duration(max(one.rows - rows, 0) / rate)} left"] if rate > 0 else []
    name = one.name if len(one.name) <= NAME else f"...{one.name[3 - NAME :]}"
    head = [f"{escape(name)} ({one.file} of {one.files})"] if one.files > 1 else []
    head += [one.aim] if one.aim else []
    return [
        ", ".join([*head, *share, count, f"{quick(rate)} {one.unit}/s", *left]),
        ", ".join([*head, *share, count, *left]),
        ", ".join([*share, count, *left]),
        ", ".join([*share, *left] or [f"{rows:,}"]),
    ]


def quick(rate: float) -> str:
    """A speed to three digits, as more of them would only flicker."""
    step = 10 ** max(len(str(int(rate))) - 3, 0)
    return f"{int(rate) // step * step:,}"


def duration(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> duration(5.9), duration(3725)
    ('0:05', '1:02:05')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
