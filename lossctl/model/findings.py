"""What a check saw, in a form that merges: the verdict is about the file, never about a chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from lossctl.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["PLACES", "Finding", "Findings", "Rule", "Seen"]

PLACES = 3  # how many places a message names; the rest is counted


class Rule(NamedTuple):
    """Something an input must obey.

    ``severity`` is ``error`` (the run ends with exit 3), ``warning`` (said, and the run goes on) or
    ``fact`` (kept for a verdict over the whole file). ``text`` follows the value in the message:
    ``1.3`` + ``is not a probability in [0, 1]``. ``role`` says which input it is about, where a loss checks several.
    """

    code: str
    text: str
    severity: Literal["error", "warning", "fact"] = "error"
    hint: str | None = None
    role: str | None = None


# A rule, which rows break it, and the value (or the size of the deviation) to show for each row.
Seen: TypeAlias = "tuple[Rule, NDArray[np.bool_], NDArray[Any]]"


class Finding:
    """How often one rule was broken in one role, where first, and by how much at most."""

    def __init__(self, rule: Rule, role: str) -> None:
        self.rule = rule
        self.role = role
        self.count = 0
        self.places: list[tuple[int, Any]] = []  # (0-based row, value), the first few
        self.worst: tuple[float, int] | None = None  # greatest |value|, its row

    def add(self, rows: NDArray[np.int64], values: NDArray[Any]) -> None:
        """``rows``: (k,) 0-based rows that break the rule; ``values``: (k,) what stood there."""
        self.count += len(rows)
        first = [(int(row), value) for row, value in zip(rows[:PLACES], values[:PLACES], strict=True)]
        self.places = sorted(self.places + first, key=lambda place: place[0])[:PLACES]
        if values.dtype.kind == "f":
            # The row breaks a tie, so that the message does not depend on the cut.
            place = int(np.argmax(np.abs(values)))
            self._offer(float(abs(values[place])), int(rows[place]))

    def _offer(self, size: float, row: int) -> None:
        if self.worst is None or (size, -row) > (self.worst[0], -self.worst[1]):
            self.worst = (size, row)

    def merge(self, other: Finding) -> None:
        self.count += other.count
        self.places = sorted(self.places + other.places, key=lambda place: place[0])[:PLACES]
        if other.worst is not None:
            self._offer(*other.worst)


class Findings:
    """All findings of one loss, by role and rule; merging is exact and commutative."""

    def __init__(self) -> None:
        self.by_rule: dict[tuple[str, str, str], Finding] = {}  # by role, severity and code

    def add(self, role: str, seen: Seen, rows: NDArray[np.int64]) -> None:
        """``rows``: (n,) 0-based row numbers of the rows that ``seen`` speaks of."""
        rule, broken, values = seen
        if broken.any():
            self.entry(role, rule).add(rows[broken], values[broken])

    def entry(self, role: str, rule: Rule) -> Finding:
        return self.by_rule.setdefault((role, rule.severity, rule.code), Finding(rule, role))

    def merge(self, other: Findings) -> None:
        for finding in other.by_rule.values():
            self.entry(finding.role, finding.rule).merge(finding)

    def fact(self, role: str, code: str) -> Finding | None:
        """What was seen under a rule of severity ``fact``."""
        return self.by_rule.get((role, "fact", code))

    def of(self, severity: str) -> Iterator[Finding]:
        for key in sorted(self.by_rule):
            if self.by_rule[key].rule.severity == severity:
                yield self.by_rule[key]

    @property
    def fatal(self) -> bool:
        return any(finding.rule.severity == "error" for finding in self.by_rule.values())


def refuse(
    finding: Finding, locate: Callable[[int], tuple[str, int]] | None, columns: str | None, loss: str, hint: str | None
) -> DataError:
    """The finding as an error: value, rule, place, further places, and the way out.

    ``locate`` says which file a row is in, and as which of its own rows.
    """
    places = [((None, row) if locate is None else locate(row), value) for row, value in finding.places]
    (file, row), value = places[0]
    further = []
    for (other, at), v in places[1:]:
        where = f"row {at + 1:,}" if other == file else f"{other} row {at + 1:,}"
        further.append(": ".join(filter(None, (where, shown(v)))))
    rest = finding.count - 1 - len(further)
    if rest > 0:
        further.append(f"and {rest:,} more {'row' if rest == 1 else 'rows'}")
    return DataError(
        f"{loss}: {finding.role}{f' = {said}' if (said := shown(value)) else ''} {finding.rule.text}",
        code=finding.rule.code,
        file=file,
        column=columns,
        row=row + 1,
        details=("; ".join(further),) if further else (),
        hint=hint,
    )


def shown(value: Any) -> str:
    """A value from the data, as short as it can be said; nothing for what no value can show."""
    if isinstance(value, np.floating):
        return repr(float(value))
    if isinstance(value, np.generic):
        return str(value.item())
    return repr(value) if isinstance(value, str) else str(value)
