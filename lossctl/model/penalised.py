"""A loss of rows plus a number that no row has a part in: any reduction, with a penalty added in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lossctl.exact import Exact
from lossctl.model.reduce import Params, Reduction, Rows, Term, Totals

__all__ = ["Penalised", "Price"]

# What is added, from the arrays that stand beside all rows.
Price = Callable[[Mapping[str, Any], Params], float]


class Penalised(Reduction):
    """Another reduction, whose mean and sum have the price added; rows keep their values."""

    def __init__(self, base: Reduction, price: Price, known: float = 0.0) -> None:
        self.base = base
        self.price = price
        self.known = known
        self.views = tuple(view for view in base.views if view in {"mean", "sum", "none"})
        self.row_mode = base.row_mode

    def beside(self, whole: Mapping[str, Any], params: Params) -> Penalised:
        return Penalised(self.base, self.price, self.price(whole, params)) if whole else self

    def rows(self, out: Any, mode: str | None) -> Rows | None:
        return self.base.rows(out, mode)

    def terms(self, out: Any, mode: str | None) -> dict[str, Term]:
        return self.base.terms(out, mode)

    def kept(self, out: Any) -> dict[str, Rows]:
        return self.base.kept(out)

    def width(self, out: Any) -> int:
        return self.base.width(out)

    def divisor(self, totals: Totals, mode: str | None) -> Exact | None:
        return self.base.divisor(totals, mode)

    def finish(self, view: str, totals: Totals, mode: str | None, params: Params) -> float:
        return self.base.finish(view, totals, mode, params) + self.known

    def pieces(self, view: str, totals: Totals, mode: str | None, params: Params) -> dict[str, float]:
        """Both terms."""
        return {"risk": self.base.finish(view, totals, mode, params), "penalty": self.known}
