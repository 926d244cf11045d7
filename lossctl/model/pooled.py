"""Reductions over pooled terms: the mean is made of sums over the corpus, never of the means of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from lossctl.exact import Exact, ratio
from lossctl.model.reduce import ORDER, Params, Reduction, Rows, Term, Totals

__all__ = ["Finish", "Pooled", "SampleMean"]

ROW = "row"
Finish = Callable[[Mapping[str, Exact], Params], float]


class Pooled(Reduction):
    """Named terms of each row, (N,) each, and under ``row`` the row's own value.

    The mean is the quotient of the exact sums of the two terms that ``ratio`` names, such as all errors over all
    reference words (``at`` says what becomes of it); or ``finish_pool(sums, params)``, where more has to be said.
    ``--reduction sum`` is the sum of ``total``. The mean of the rows' own values is another number and stands
    beside it as ``sample_mean``; so do the sums of ``parts``.
    """

    def __init__(
        self,
        finish_pool: Finish | None = None,
        *,
        total: str | None = ROW,
        parts: tuple[str, ...] = (),
        ratio: tuple[str, str] | None = None,
    ) -> None:
        self.finish_pool = finish_pool
        self.total = total
        self.shown = parts
        self.ratio = ratio
        self.quotient = ratio is not None
        self.views = ("mean", *(("sum",) if total else ()), "none", *ORDER)

    def rows(self, out: Mapping[str, Rows], mode: str | None) -> Rows:
        return out[ROW]

    def terms(self, out: Mapping[str, Rows], mode: str | None) -> dict[str, Term]:
        return {name: np.asarray(term, np.float64) for name, term in out.items()}

    def pair(self, out: Mapping[str, Rows], mode: str | None) -> tuple[Rows, Rows] | None:
        return None if self.ratio is None else (out[self.ratio[0]], out[self.ratio[1]])

    def divisor(self, totals: Totals, mode: str | None) -> Exact | None:
        """What the mean divides by; ``None`` where that is zero, which ``finish_pool`` has an answer for."""
        found = None if self.ratio is None else totals.sums[self.ratio[1]]
        return None if found is None or (found.finite and not found.units) else found

    def finish(self, view: str, totals: Totals, mode: str | None, params: Params) -> float:
        if view == "sum" and self.total is not None:
            return totals.sums[self.total].to_float()
        if self.finish_pool is not None:
            return self.finish_pool(totals.sums, params)
        over, under = self.ratio or (ROW, ROW)
        return self.at(ratio(totals.sums[over], totals.sums[under]))

    def sample_mean(self, totals: Totals) -> float | None:
        return ratio(totals.sums[ROW], totals.weight)

    def parts(self, totals: Totals) -> dict[str, float]:
        return {name: totals.sums[name].to_float() for name in self.shown if name in totals.sums}

    def at(self, ratio: float) -> float:
        """The mean where the quotient of ``ratio``'s two terms is this number."""
        return ratio


class SampleMean(Pooled):
    """The same terms, but the mean is that of the rows' own values."""

    def __init__(self, *, parts: tuple[str, ...] = ()) -> None:
        super().__init__(parts=parts)

    def pair(self, out: Mapping[str, Rows], mode: str | None) -> tuple[Rows, Rows]:
        return out[ROW], np.ones(len(out[ROW]))

    def divisor(self, totals: Totals, mode: str | None) -> Exact:
        return totals.weight

    def finish(self, view: str, totals: Totals, mode: str | None, params: Params) -> float:
        return totals.sums[ROW].to_float() if view == "sum" else ratio(totals.sums[ROW], totals.weight)

    def sample_mean(self, totals: Totals) -> None:
        return None
