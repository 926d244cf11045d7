"""How a run is asked to behave, apart from which columns it reads."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from lossctl.errors import UsageError

__all__ = [
    "ALL",
    "BUCKETS",
    "LEVEL",
    "MEMORY",
    "Options",
    "Plan",
    "level_of",
    "memory_size",
    "processors",
    "quantile_of",
]

ALL = -1  # --rows all
MEMORY = 2 * 2**30  # bytes, unless --memory says otherwise
BUCKETS = 1024  # of rows, which a bootstrap draws from
DRAWS = 3 * 8 * BUCKETS  # bytes that a resample takes on the way

LEVEL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?%?", re.ASCII | re.IGNORECASE)


CHOICES = {
    "nan": ("error", "skip", "propagate"),
    "empty": ("error", "nan", "zero"),
    "row": (None, "mean", "sum"),
    "weight_norm": (None, "sum", "n"),
    "engine": ("local", "dask"),
}


class Plan(NamedTuple):
    """How intervals are found (``--ci``)."""

    level: float = 0.95
    method: Literal["bootstrap", "normal"] = "bootstrap"
    resamples: int = 1000
    seed: int = 0

    @classmethod
    def asked(cls, level: object, settings: Mapping[str, Any]) -> Plan:
        """The plan from a level as it was given and those of ``method resamples seed`` that were."""
        if settings.get("method") == "normal" and len(settings) > 1:
            raise UsageError("--resamples and --seed are about the bootstrap", code="bad-option", hint="leave them out")
        chosen: dict[str, Any] = dict(settings) if level is True else {"level": level_of(level), **settings}
        return cls(**chosen).checked()

    def checked(self) -> Plan:
        """The plan itself, or a ``UsageError`` for one that cannot be carried out."""
        if not 0 < self.level < 1:
            raise no_level(self.level)
        if self.method not in ("bootstrap", "normal"):
            raise UsageError(
                f"ci_method = {self.method!r} is not allowed", code="bad-option", hint="one of bootstrap, normal"
            )
        for name in ("resamples", "seed"):
            value, least = getattr(self, name), {"resamples": 1, "seed": 0}[name]
            if not isinstance(value, int) or value < least or value >= 2**31:
                raise UsageError(f"{name} = {value!r} is no whole number >= {least}", code="bad-option")
        return self


class Options(NamedTuple):
    """Every field has the meaning and default of the command-line option of its name."""

    reduction: str | None = None
    row: Literal["mean", "sum"] | None = None
    weight_norm: Literal["sum", "n"] | None = None
    like: str | None = None
    nan: Literal["error", "skip", "propagate"] = "error"
    empty: Literal["error", "nan", "zero"] = "error"
    renormalize: bool = False
    limit: int | None = None
    rows: int | None = None  # None: nobody asked; ALL: every row
    worst: int | None = None
    stats: bool = False
    chunk_rows: int | None = None
    threads: int | None = None
    memory: int = MEMORY
    per_column: bool = False
    per_class: bool = False
    ci: Plan | None = None
    show_alignment: int | None = None
    per_sample: str | None = None
    csv_safe: bool = False
    engine: Literal["local", "dask"] = "local"
    scheduler: str | None = None
    endpoint_url: str | None = None

    def checked(self) -> Options:
        """The options themselves, or a ``UsageError`` for a word or a number that means nothing."""
        for name, words in CHOICES.items():
            value = getattr(self, name)
            if value not in words:
                raise UsageError(
                    f"{name} = {value!r} is not allowed",
                    code="bad-option",
                    hint=f"one of {', '.join(str(word) for word in words if word is not None)}",
                )
        for name in ("limit", "worst", "chunk_rows", "threads", "memory", "show_alignment"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and value >= 1):
                raise UsageError(f"{name} = {value!r} is no whole number >= 1", code="bad-option")
        if self.rows is not None and not (isinstance(self.rows, int) and self.rows >= ALL):
            raise UsageError(f"rows = {self.rows!r} is no number of rows", code="bad-option", hint="a number, or all")
        if self.show_alignment is not None and (self.rows or self.worst is not None or self.reduction == "none"):
            raise UsageError(
                "--show-alignment N shows the N worst rows, and other rows are asked for",
                code="bad-option",
                hint="leave --rows, --worst and --reduction none out",
            )
        if self.scheduler is not None and self.engine != "dask":
            raise UsageError("--scheduler is for --engine dask", code="bad-option", hint="add --engine dask")
        if self.scheduler is not None and self.threads is not None:
            raise UsageError(
                "--threads: how many are at work is for the cluster to say", code="bad-option", hint="leave it out"
            )
        if self.ci is not None:
            self.ci.checked()
            if self.ci.method == "bootstrap" and self.ci.resamples * DRAWS > self.memory:
                raise UsageError(
                    f"--resamples {self.ci.resamples:,} take {self.ci.resamples * DRAWS:,} bytes, and --memory allows "
                    f"{self.memory:,}",
                    code="memory",
                    hint="fewer resamples, or more --memory",
                )
        return self

    @property
    def shows(self) -> bool:
        """Whether samples were asked for by name."""
        return bool(self.rows) or self.kept_worst is not None or self.reduction == "none" or bool(self.per_sample)

    @property
    def kept_worst(self) -> int | None:
        """How many of the worst rows are to be shown, be it for their alignments."""
        return self.show_alignment if self.worst is None else self.worst


def level_of(given: object) -> float:
    """A level as typed or given: 0.9, ``"0.9"`` or ``"90%"``."""
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        level = float(given)
    elif isinstance(given, str) and LEVEL.fullmatch(given.strip()):
        text = given.strip()
        level = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    else:
        level = math.nan
    if not 0 < level < 1:
        raise no_level(given)
    return level


def no_level(given: object) -> UsageError:
    return UsageError(
        f"--ci {given}: a level is between 0 and 1, or 0% and 100%", code="bad-option", hint="--ci 0.95 or --ci 95%"
    )


def processors() -> int:
    """How many threads may run at once, as far as this process is allowed to."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quantile_of(view: str) -> float | None:
    """The quantile a reduction stands for (``median`` 0.5, ``p90`` 0.9), or ``None``."""
    if view == "median":
        return 0.5
    match = re.fullmatch(r"p(\d{1,2}(?:\.\d+)?|100)", view)
    return float(match[1]) / 100 if match else None


def memory_size(text: str) -> int:
    """Bytes from ``500M``, ``2GiB``, ``1e9``: binary units, as memory is counted."""
    match = re.fullmatch(r"\s*([\d.]+(?:e\d+)?)\s*([kmgt]?)i?b?\s*", text.lower())
    try:
        size = float(match[1]) * 1024 ** " kmgt".index(match[2] or " ") if match else 0.0
    except ValueError:
        size = 0.0
    if size < 1:
        raise UsageError(f"--memory {text} is no size", code="bad-option", hint="such as 500M or 2G")
    return int(size)
