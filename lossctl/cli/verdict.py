"""Bounds on values (``--fail-above``, ``--fail-below``): checked before the work, held to it afterwards."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from lossctl.engine.result import Report, Result
from lossctl.errors import DataError, UsageError
from lossctl.model.call import LossCall, labels
from lossctl.report.text import escape

__all__ = ["check_bounds", "check_judged", "judge"]

VERDICT = 1


def bounds(values: Mapping[str, Any]) -> list[tuple[str, str | None, float]]:
    """(above|below, loss or None, bound) for every --fail option."""
    found = []
    for which in ("above", "below"):
        for text in values[f"fail_{which}"]:
            label, sign, number = text.rpartition("=")
            try:
                bound = float(number)
            except ValueError:
                bound = math.nan
            if math.isnan(bound):
                raise UsageError(f"--fail-{which} {text}: {number} is no number", code="bad-option")
            found.append((which, label if sign else None, bound))
    return found


def check_bounds(values: Mapping[str, Any], calls: list[LossCall]) -> None:
    """Refuse bounds that nothing in the call can be held to, before anything is read."""
    known = list(dict.fromkeys([*labels(calls), *(call.name for call in calls)]))
    for which, label, _ in bounds(values):
        if label is None and len(calls) > 1:
            raise UsageError(
                f"--fail-{which} needs a loss where several are computed",
                code="bad-option",
                hint=f"--fail-{which} LOSS=X",
            )
        if label is not None and label not in known:
            some = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
            raise UsageError(
                f"--fail-{which} {label}: no such loss in this call", code="bad-option", hint=f"one of {some}"
            )
        if values["reduction"] == "none":
            raise UsageError(f"--fail-{which} judges a reduced value, and there is none", code="bad-option")


def check_judged(report: Report, values: Mapping[str, Any], file: str | None = None) -> None:
    """A bound on a loss that its set has left out (of this file) is not held: that is no success."""
    found = {r.label for r in report.results} | {r.loss for r in report.results}
    for which, label, _ in bounds(values):
        if label is not None and label not in found:
            left = (note.message for note in report.warnings if note.code == "left-out")
            why = [text for text in left if label in {word.strip(",:") for word in text.split()}]
            raise DataError(
                f"--fail-{which} {label}: the loss was left out, and nothing was judged",
                code="left-out",
                file=file,
                details=tuple(why[:2]),
            )


def judge(results: Sequence[Result], values: Mapping[str, Any], file: str | None = None) -> int:
    """1 if any value (of this file) is beyond its bound; NaN is beyond every bound."""
    status = 0
    for which, label, bound in bounds(values):
        for result in results:
            if result.slice not in {"total", "group"}:
                continue  # no worse than some group, which has been judged
            if label in {None, result.label, result.loss} and beyond(result, which, bound):
                parts = (("column", result.column), ("class", result.of_class))
                places = [*(result.group or {}).items(), *((k, v) for k, v in parts if v is not None)]
                where = ", ".join(f"{name}={value}" for name, value in places)
                whose = escape(result.label if file is None else f"{file}: {result.label}")
                print(
                    f"lossctl: FAIL {whose}{f' [{escape(where)}]' if where else ''} = {result.value!r} is "
                    f"{which} {bound!r}" + (" (NaN fails every bound)" if result.value != result.value else ""),
                    file=sys.stderr,
                )
                status = VERDICT
    return status


def beyond(result: Result, which: str, bound: float) -> bool:
    value = result.value
    if value is None:
        return False
    return math.isnan(value) or (value > bound if which == "above" else value < bound)
