"""What a run tells about itself while it lasts, to whoever wants to show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

__all__ = ["Pass", "Tick", "Watch"]


class Pass(NamedTuple):
    """One look at all rows; ``aim`` is empty for the one that every run has.

    ``rows`` is how many there are, if the sources know; ``file`` is one of ``files``. Where nobody counts rows,
    it is something else that is counted, by its ``unit``.
    """

    aim: str
    rows: int | None
    name: str = ""
    file: int = 1
    files: int = 1
    unit: str = "rows"

    def of(self, name: str, file: int, files: int) -> Pass:
        """The same pass over one of several files."""
        return self._replace(name=name, file=file, files=files)


Tick: TypeAlias = Callable[[int], None]  # told how many rows of the pass are through
Watch: TypeAlias = Callable[[Pass], Tick]  # told of each pass when it begins
