"""What standard output is: how wide, in which encoding, and whether colour is wanted."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from lossctl.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lossctl.cli.common import Settings
    from lossctl.engine.watch import Watch

__all__ = ["PIPE", "Looks", "looks", "put", "put_all", "watching"]

PIPE = 80  # columns where nobody says how many there are
WIDEST = 100  # longer lines are hard to read


class Looks(NamedTuple):
    """``width`` is ``None`` where standard output is no terminal and ``COLUMNS`` says nothing."""

    color: bool
    width: int | None
    encoding: str

    @property
    def page(self) -> int:
        """Columns for text that fills lines."""
        return PIPE if self.width is None else min(self.width, WIDEST)


def looks(settings: Settings) -> Looks:
    """``--color``, then ``NO_COLOR``, ``FORCE_COLOR``, then whether there is a terminal."""
    terminal = sys.stdout.isatty()
    color = colored(settings, terminal)
    width = None
    if terminal or os.environ.get("COLUMNS", "").isdigit():
        import shutil

        width = shutil.get_terminal_size().columns
    return Looks(color, width, sys.stdout.encoding or "ascii")


def colored(settings: Settings, terminal: bool) -> bool:
    """Whether colour is wanted on a stream that is a terminal, or is none."""
    if settings.color in {"always", "never"}:
        return settings.color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (terminal and os.environ.get("TERM") != "dumb")


@contextmanager
def watching(settings: Settings) -> Iterator[Watch | None]:
    """Who is to be told how a run goes: a line on standard error, if that is a terminal that can take it back."""
    told = not settings.quiet and sys.stderr is not None and sys.stderr.isatty()
    if not told or os.environ.get("TERM") in {"dumb", "unknown"}:
        yield None
        return
    from lossctl.report.progress import Bar

    bar = Bar(color=colored(settings, terminal=True))
    try:
        yield bar.begin
    finally:
        bar.close()


def put(text: str, *, utf8: bool = False) -> None:
    put_all([text], utf8=utf8)


def put_all(chunks: Iterable[str], *, utf8: bool = False) -> None:
    """Text to standard output; ``utf8`` for programs, whatever the locale. A device error names its cause."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8" if utf8 else None, errors="backslashreplace")
    try:
        for chunk in chunks:
            sys.stdout.write(chunk)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {error.strerror}", code="output") from error
