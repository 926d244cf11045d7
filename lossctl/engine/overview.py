"""What the slices of a loss come to: the mean over them, which weighs a small one like a large one, and the worst."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lossctl.exact import from_int, ratio
from lossctl.sums import Sums

if TYPE_CHECKING:
    from lossctl.engine.result import Result

__all__ = ["Overview"]


class Overview:
    """Takes note of the results of one loss as they come, the total and then slice after slice."""

    def __init__(self) -> None:
        self.total: Result | None = None
        self.worst: Result | None = None
        self.values: list[float] = []

    def see(self, result: Result) -> None:
        """A slice in which nothing was scored has no say; single columns and classes have none either."""
        if result.column is not None or result.of_class is not None:
            return
        if result.slice == "total":
            self.total = result
        elif result.value is not None and result.n and result.weight_sum:
            self.values.append(result.value)
            if self.worst is None or badness(result) > badness(self.worst):
                self.worst = result

    def results(self) -> Iterator[Result]:
        """``macro``, whose divisor is the number of slices, and ``worst``."""
        if self.total is None or self.worst is None:
            return
        sums, count = Sums(), len(self.values)
        sums.add(self.values)
        yield self.total._replace(
            slice="macro",
            value=ratio(sums.total(), from_int(count)),
            divisor=float(count),
            log_value=None,
            stats=None,
            histogram=None,
            sample_mean=None,
            parts={},
            ci=None,
        )
        yield self.worst._replace(slice="worst")


def badness(result: Result) -> float:
    """What makes a slice the worst one: the greatest value, of a score the least; NaN before all others."""
    value = result.value
    assert value is not None
    if math.isnan(value):
        return math.inf
    return value if result.direction == "minimise" else -value
