"""What can go wrong, said once: each error knows its exit status and its code.

Exit statuses: 0 done, 1 only a verdict, 2 usage, 3 data, 4 output, 70 a bug, 130 interrupted,
141 closed pipe.
"""

from __future__ import annotations

__all__ = ["BUG", "CLOSED_PIPE", "INTERRUPTED", "DataError", "LossctlError", "OutputError", "UsageError"]

BUG = 70
INTERRUPTED = 130
CLOSED_PIPE = 141


class LossctlError(Exception):
    """An error a person can act on: what, where, why, and what to try.

    ``message`` says what is wrong in one sentence; ``details`` holds further places (the first
    few); ``hint`` is the next thing to try. ``row`` is the 1-based data row.
    """

    exit = BUG
    code = "bug"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        file: str | None = None,
        row: int | None = None,
        column: str | None = None,
        details: tuple[str, ...] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.file = file
        self.row = row
        self.column = column
        self.details = details
        self.hint = hint

    def where(self) -> str:
        """The place in words: file, column, row; empty if none is known."""
        parts = []
        if self.file is not None:
            parts.append(self.file)
        if self.column is not None:
            parts.append(f'column "{self.column}"')
        if self.row is not None:
            parts.append(f"row {self.row:,}")
        return ", ".join(parts)


class UsageError(LossctlError, ValueError):
    """The call itself is wrong: an unknown loss, an option that does not fit (exit 2)."""

    exit = 2
    code = "usage"


class DataError(LossctlError, ValueError):
    """The data cannot be scored as asked (exit 3)."""

    exit = 3
    code = "data"


class OutputError(LossctlError, OSError):
    """A result could not be written (exit 4)."""

    exit = 4
    code = "output"
