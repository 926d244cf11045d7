"""The three views of a reduction in words: what a row's value, the mean and the sum are."""

from __future__ import annotations

from lossctl.model.pooled import Pooled, SampleMean
from lossctl.model.reduce import Elements, Extreme, Mean, Product, Ratio, RootMeanSquare, Sums
from lossctl.model.registry import Entry

__all__ = ["views"]

NONE = "none"
FORMULA = "as the formula says"
POOLED = "from the sums over all rows; the mean of their values stands beside it"
VIEWS = {
    Mean: ("its value", "sum of the values / number of rows", "sum of the values"),
    Ratio: ("its numerator", "sum of numerators / sum of denominators", "sum of numerators"),
    RootMeanSquare: ("root of its mean square", "root of the mean square over all elements", NONE),
    Sums: (NONE, "none (one number for the whole data set)", NONE),
    Product: ("its factor", "geometric mean", "none (the product is the default)"),
    SampleMean: ("its own value", "sum of the values / number of rows", "sum of the values"),
    Pooled: ("its own value", POOLED, "sum of the values"),
    Extreme: ("its greatest value", "none (the greatest of all)", NONE),
}


def views(entry: Entry) -> tuple[str, str, str]:
    """What a row's value, the mean and the sum are. A reduction of another make says what it has."""
    reduce = entry.spec.reduce
    if isinstance(reduce, Elements):
        if reduce.row_mode == "sum":
            return "sum of its elements", "sum of all elements / number of rows", "sum of all elements"
        return "mean of its elements", "sum of all elements / their number", "sum of all elements"
    if isinstance(reduce, Pooled) and reduce.total not in {None, "row", "total"}:
        return *VIEWS[Pooled][:2], f"sum of the {reduce.total}"
    known = next((VIEWS[kind] for kind in type(reduce).__mro__ if kind in VIEWS), None)
    if known is None:
        row = "its value" if "none" in reduce.views else NONE
        return row, *(FORMULA if view in reduce.views else NONE for view in ("mean", "sum"))  # type: ignore[return-value]
    row, mean, total = known
    units = "batches" if reduce.batchwise else "lists" if entry.spec.scope == "group" else "rows"
    return row, mean.replace("rows", units), total
