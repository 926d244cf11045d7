"""The reduction of perplexity: the exponential of a mean over the corpus."""

from __future__ import annotations

import math

from lossctl.model.pooled import Pooled

__all__ = ["ExpPooled"]


class ExpPooled(Pooled):
    """e to one summed term over another; there is no sum of such values."""

    def __init__(self, over: str, under: str, *, parts: tuple[str, ...] = ()) -> None:
        super().__init__(total=None, parts=parts, ratio=(over, under))

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
