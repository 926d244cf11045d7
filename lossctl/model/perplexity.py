"""The reduction of perplexity: the exponential of a mean over the corpus."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lossctl.exact import Exact, ratio
from lossctl.model.pooled import Pooled
from lossctl.model.reduce import Params

__all__ = ["ExpPooled"]


class ExpPooled(Pooled):
    """e to one summed term over another; there is no sum of such values."""

    def __init__(self, over: str, under: str, *, parts: tuple[str, ...] = ()) -> None:
        def finish(sums: Mapping[str, Exact], params: Params) -> float:
            return exp(ratio(sums[over], sums[under]))

        super().__init__(finish, total=None, parts=parts, ratio=(over, under))

    def at(self, ratio: float) -> float:
        return exp(ratio)

    def slope(self, ratio: float) -> float:
        return exp(ratio)


def exp(x: float) -> float:
    """e^x, inf beyond the float range."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf
