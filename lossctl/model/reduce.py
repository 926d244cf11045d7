"""The shelf of reductions: how kernel output becomes one number, in three views.

A reduction says what the kernel's output means: ``rows`` (the per-sample values), ``terms`` (what is
summed exactly), and how ``mean``, ``sum`` and friends follow from these sums. It is a commutative
monoid: terms are only ever added, so chunks, threads, groups and shards cannot change a digit. Weights
and groups are the engine's business; no reduction and no loss knows them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.exact import Exact, ratio, root_ratio

__all__ = [
    "Batches",
    "Elements",
    "Extreme",
    "Mean",
    "Product",
    "Ratio",
    "Reduction",
    "RootMeanSquare",
    "Sums",
    "Switch",
    "Term",
    "Totals",
]

Rows: TypeAlias = NDArray[np.float64]
# What is summed: an array, or two whose elementwise product is summed without rounding it.
Term: TypeAlias = Rows | tuple[Rows, Rows]
Params: TypeAlias = Mapping[str, Any]

ORDER = ("min", "max", "median", "pNN", "std")  # views over the values of rows


class Totals(NamedTuple):
    """Exact totals of one group: the summed terms, the rows, their weight, elements in a row.

    ``kept`` holds what a reduction wants value by value, (M, K) each, in no particular order;
    ``weights`` (M,) go with it, ``None`` where rows have none.
    """

    sums: Mapping[str, Exact]
    rows: int
    weight: Exact  # the sum of weights, or the number of rows with --weight-norm n or without weights
    width: int
    kept: Mapping[str, Rows] = {}
    weights: Rows | None = None


def times(number: Exact, factor: int) -> Exact:
    return number._replace(units=number.units * factor)


def column_of(out: Rows, place: int) -> Rows:
    return out if out.ndim == 1 else out[:, place]


def row_sums(out: Rows) -> Rows:
    return out if out.ndim == 1 else np.sum(out, axis=1)


def row_means(out: Rows) -> Rows:
    """(N,) means over a row's elements."""
    return out if out.ndim == 1 else np.mean(out, axis=1)


class Reduction(ABC):
    """The shelf's contract. ``views`` are the reductions a user may ask for, the default first."""

    views: tuple[str, ...] = ("mean", "sum", "none", *ORDER)
    quotient = False  # whether the mean is the quotient of two sums over the rows, which ``pair`` gives
    batchwise = False  # whether a value is that of a whole batch
    row_mode: str | None = None  # "mean" | "sum": the default of --row, where rows have elements
    # The value of each class, by its code, where rows count for several classes at once (confusion counts).
    classes: Callable[[Totals, Params], dict[float, float]] | None = None

    @abstractmethod
    def rows(self, out: Any, mode: str | None) -> Rows | None:
        """(N,) the per-sample values; ``None`` where a row has none."""

    @abstractmethod
    def terms(self, out: Any, mode: str | None) -> dict[str, Term]:
        """What to sum, each term with N rows."""

    def kept(self, out: Any) -> dict[str, Rows]:
        """What must be kept value by value until the end, (N, K) each: for medians."""
        return {}

    def column(self, out: Any, place: int) -> Any:
        """The kernel's output for one of its columns only; ``None`` where a value comes from all of them."""
        return None

    def width(self, out: Any) -> int:
        """How many elements a row has."""
        return 1

    def pair(self, out: Any, mode: str | None) -> tuple[Rows, Rows] | None:
        """(N,) a and b of each row, so that the mean is the ratio of their sums (before ``slope``); else ``None``."""
        return None

    def slope(self, ratio: float) -> float:
        """How fast the value changes with the ratio of ``pair``."""
        return 1.0

    def sample_mean(self, totals: Totals) -> float | None:
        """The mean of the rows' own values, where the loss's mean is another number."""
        return None

    def parts(self, totals: Totals) -> dict[str, float]:
        """Sums that a reader wants to see beside the value."""
        return {}

    def pieces(self, view: str, totals: Totals, mode: str | None, params: Params) -> dict[str, float]:
        """As ``parts``, for one view of the value."""
        return self.parts(totals)

    def beside(self, whole: Mapping[str, Any], params: Params) -> Reduction:
        """The reduction for these arrays that stand beside all rows, where the value takes something from them."""
        return self

    def divisor(self, totals: Totals, mode: str | None) -> Exact | None:
        """What a mean divides by; ``None`` where nothing is divided."""
        return totals.weight

    def finish(self, view: str, totals: Totals, mode: str | None, params: Params) -> float:
        """The reduced value for ``view`` in ``mean sum prod set``."""
        divisor = self.divisor(totals, mode)
        if view == "mean" and divisor is not None:
            return ratio(totals.sums["value"], divisor)
        return totals.sums["value"].to_float()


class Mean(Reduction):
    """One value a row, (N,); the mean divides by the rows (or their weight)."""

    def __init__(self, default: str = "mean") -> None:
        self.views = tuple(dict.fromkeys([default, *Reduction.views]))

    def rows(self, out: Rows, mode: str | None) -> Rows:
        return out

    def pair(self, out: Rows, mode: str | None) -> tuple[Rows, Rows]:
        return out, np.ones(len(out))

    def terms(self, out: Rows, mode: str | None) -> dict[str, Term]:
        return {"value": out}


class Batches(Mean):
    """One value a batch, (1,): the mean is that of the batches."""

    batchwise = True


class Elements(Reduction):
    """Values of elements, (N,) or (N, K): the mean is over all elements, the sum sums them all.

    A row's value is the mean of its elements; with ``row="sum"`` their sum, and the mean then
    divides by rows.
    """

    def __init__(self, row: str = "mean", default: str = "mean") -> None:
        self.row_mode = row
        self.views = tuple(dict.fromkeys([default, *Reduction.views]))

    def rows(self, out: Rows, mode: str | None) -> Rows:
        if mode == "sum" and out.ndim > 1:
            return np.asarray(np.sum(out, axis=1))
        return row_means(out)

    def terms(self, out: Rows, mode: str | None) -> dict[str, Term]:
        return {"value": out}

    def width(self, out: Rows) -> int:
        return 1 if out.ndim == 1 else out.shape[1]

    def column(self, out: Rows, place: int) -> Rows:
        return column_of(out, place)

    def pair(self, out: Rows, mode: str | None) -> tuple[Rows, Rows]:
        return row_sums(out), np.full(len(out), 1.0 if mode == "sum" else self.width(out))

    def divisor(self, totals: Totals, mode: str | None) -> Exact:
        return totals.weight if mode == "sum" else times(totals.weight, totals.width)


class Ratio(Reduction):
    """Numerator and denominator of each row, (N,) both: sum of the one over sum of the other.

    The row's value is its numerator, as torch prints class-weighted losses without reduction.
    """

    quotient = True

    def rows(self, out: tuple[Rows, Rows], mode: str | None) -> Rows:
        return out[0]

    def terms(self, out: tuple[Rows, Rows], mode: str | None) -> dict[str, Term]:
        return {"value": out[0], "divisor": out[1]}

    def pair(self, out: tuple[Rows, Rows], mode: str | None) -> tuple[Rows, Rows]:
        return out

    def divisor(self, totals: Totals, mode: str | None) -> Exact:
        return totals.sums["divisor"]


class RootMeanSquare(Reduction):
    """Errors, (N,) or (N, K): the root of the mean of exact squares, over all elements.

    With ``multioutput=per-column`` the mean of the columns' roots. A row's value is its own root.
    Squares are summed as exact integers, so errors of 1e200 (whose squares overflow) are right.
    """

    views = ("mean", "none", *ORDER)

    def rows(self, out: Rows, mode: str | None) -> Rows:
        if out.ndim == 1:
            return np.abs(out)
        top = np.max(np.abs(out), axis=1, keepdims=True)
        scale = np.where((top > 0) & np.isfinite(top), top, 1.0)
        # Scaled by the row's greatest error, squares stay in range where e**2 leaves it (|e| > 1e154).
        return np.asarray(scale[:, 0] * np.sqrt(np.mean((out / scale) ** 2, axis=1)))

    def terms(self, out: Rows, mode: str | None) -> dict[str, Term]:
        columns = out[:, None] if out.ndim == 1 else out
        return {f"square {j}": (columns[:, j], columns[:, j]) for j in range(columns.shape[1])}

    def width(self, out: Rows) -> int:
        return 1 if out.ndim == 1 else out.shape[1]

    def column(self, out: Rows, place: int) -> Rows:
        return column_of(out, place)

    def divisor(self, totals: Totals, mode: str | None) -> Exact:
        return times(totals.weight, totals.width)

    def pair(self, out: Rows, mode: str | None) -> tuple[Rows, Rows]:
        return row_sums(out * out), np.full(len(out), float(self.width(out)))

    def slope(self, ratio: float) -> float:
        return 0.5 / math.sqrt(ratio) if ratio > 0 else 0.0

    def finish(self, view: str, totals: Totals, mode: str | None, params: Params) -> float:
        squares = [totals.sums[f"square {j}"] for j in range(totals.width)]
        if params.get("multioutput") == "per-column":
            return math.fsum(root_ratio(s, totals.weight) for s in squares) / len(squares)
        return root_ratio(sum(squares[1:], squares[0]), self.divisor(totals, mode))


class Sums(Reduction):
    """Named terms, each (N,) or (N, K) and summed by column: a number of the whole data set.

    ``finish_sums(sums, totals, params)`` gets for each name the list of exact column sums. Terms named in
    ``keep`` are not summed but kept value by value, and stand in ``totals.kept``.
    """

    views = ("set",)

    def __init__(
        self,
        finish_sums: Callable[[dict[str, list[Exact]], Totals, Params], float],
        keep: tuple[str, ...] = (),
        classes: Callable[[Totals, Params], dict[float, float]] | None = None,
    ) -> None:
        self.finish_sums = finish_sums
        self.keep = keep
        self.classes = classes

    def rows(self, out: Any, mode: str | None) -> None:
        return None

    def terms(self, out: dict[str, Term], mode: str | None) -> dict[str, Term]:
        flat: dict[str, Term] = {}
        for name, term in out.items():
            if name in self.keep:
                continue
            factors = [f[:, None] if f.ndim == 1 else f for f in (term if isinstance(term, tuple) else (term,))]
            for j in range(factors[0].shape[1]):
                columns = tuple(f[:, j] for f in factors)
                flat[f"{name} {j}"] = (columns[0], columns[1]) if len(columns) == 2 else columns[0]
        return flat

    def kept(self, out: dict[str, Term]) -> dict[str, Rows]:
        arrays = {name: np.asarray(out[name]) for name in self.keep}
        return {name: a[:, None] if a.ndim == 1 else a for name, a in arrays.items()}

    def column(self, out: dict[str, Term], place: int) -> dict[str, Term] | None:
        if self.classes is not None:
            return None  # counts of labels, whatever column they stood in

        def one(term: Term) -> Term:
            if isinstance(term, tuple):
                return column_of(term[0], place), column_of(term[1], place)
            return column_of(term, place)

        return {name: one(term) for name, term in out.items()}

    def width(self, out: dict[str, Term]) -> int:
        arrays = [term[0] if isinstance(term, tuple) else term for term in out.values()]
        return max((1 if array.ndim == 1 else array.shape[1] for array in arrays), default=1)

    def divisor(self, totals: Totals, mode: str | None) -> None:
        return None

    def finish(self, view: str, totals: Totals, mode: str | None, params: Params) -> float:
        columns: dict[str, list[Exact]] = {}
        for key, exact in totals.sums.items():
            columns.setdefault(key.rsplit(" ", 1)[0], []).append(exact)
        return self.finish_sums(columns, totals, params)


class Product(Reduction):
    """Factors and their logarithms, (N,) both: the product is exp of the exact sum of logarithms.

    The mean is the geometric mean. The logarithm of the product survives where the product itself
    underflows (some 700 rows at p = 0.35).
    """

    views = ("prod", "mean", "none", *ORDER)

    def rows(self, out: tuple[Rows, Rows], mode: str | None) -> Rows:
        return out[0]

    def terms(self, out: tuple[Rows, Rows], mode: str | None) -> dict[str, Term]:
        return {"log": out[1]}

    def divisor(self, totals: Totals, mode: str | None) -> Exact:
        return totals.weight

    def pair(self, out: tuple[Rows, Rows], mode: str | None) -> tuple[Rows, Rows]:
        return out[1], np.ones(len(out[1]))

    def slope(self, ratio: float) -> float:
        return math.exp(min(ratio, 700.0))

    def log_value(self, totals: Totals) -> float:
        return totals.sums["log"].to_float()

    def finish(self, view: str, totals: Totals, mode: str | None, params: Params) -> float:
        log = self.log_value(totals) if view == "prod" else ratio(totals.sums["log"], totals.weight)
        try:
            return math.exp(log)
        except OverflowError:
            return math.inf


class Extreme(Reduction):
    """The greatest value of all, of (N,) or (N, K)."""

    views = ("max", "none")

    def column(self, out: Rows, place: int) -> Rows:
        return column_of(out, place)

    def rows(self, out: Rows, mode: str | None) -> Rows:
        return out if out.ndim == 1 else np.asarray(np.max(out, axis=1))

    def terms(self, out: Rows, mode: str | None) -> dict[str, Term]:
        return {}

    def width(self, out: Rows) -> int:
        return 1 if out.ndim == 1 else out.shape[1]

    def divisor(self, totals: Totals, mode: str | None) -> None:
        return None


class Switch(NamedTuple):
    """A reduction for each value of a parameter: the norm of a row, or that of the whole file."""

    param: str
    cases: Mapping[str, Reduction]
