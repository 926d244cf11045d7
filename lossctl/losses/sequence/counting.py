"""What the error rates share: units made comparable, errors counted, rates of rows and of the whole corpus."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.exact import Exact, ratio
from lossctl.model.findings import Rule, Seen
from lossctl.model.params import Param
from lossctl.model.pooled import Pooled, SampleMean
from lossctl.model.reduce import Switch
from lossctl.model.spec import Detail
from lossctl.sequences.alignments import alignment
from lossctl.sequences.folding import folding
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.splits import SPLITS, counts
from lossctl.sequences.units import UNITS, names, remapped, shared, spaceless
from lossctl.sequences.variants import LIMIT, resolved, troubled

Array: TypeAlias = NDArray[Any]
Params: TypeAlias = Mapping[str, Any]

PARTS = ("hits", "substitutions", "deletions", "insertions", "units")

SPLIT = Param(
    "which of equally short ways counts: most hits, rapidfuzz's as in jiwer, or least cost at 3, 3, 4 as in sclite",
    choices=SPLITS,
)
AVERAGE = Param(
    "errors of all rows over units of all rows, or the mean of the rows' rates", choices=("corpus", "sample")
)
EMPTY_REF = Param("what an empty reference does", choices=("count", "skip", "error", "nan", "inf"))
IGNORE_SPACE = Param("white space is no unit (words hold none anyway)")
UNIT = Param("what is compared", choices=UNITS)
MAPPING = Param("a file of two columns, a phone and what it counts as (nothing: it is left out)", file=True)
ALTERNATIVES = Param(
    "{a / b / @} in a reference is any of these, (word) may be left out: the reading with the fewest errors counts",
)


class Parts(NamedTuple):
    """Counts of each row as arrays, or of all rows as whole numbers."""

    hits: Any
    substitutions: Any
    deletions: Any
    insertions: Any

    @property
    def errors(self) -> Any:
        return self.substitutions + self.deletions + self.insertions

    @property
    def units(self) -> Any:
        """Of the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def spoken(self) -> Any:
        """Units of the hypothesis."""
        return self.hits + self.substitutions + self.insertions


class Rate(NamedTuple):
    """One count over another, of rows and of sums alike; ``otherwise`` where the other is zero."""

    over: Callable[[Parts], Any]
    under: Callable[[Parts], Any]
    otherwise: Callable[[Parts], Any]

    def rows(self, parts: Parts, empty_ref: str) -> NDArray[np.float64]:
        """(N,) each row's own rate.

        Rows with an empty reference are NaN under ``nan``, and under ``inf`` what floating point makes of them.
        """
        over, under, empty = self.over(parts), self.under(parts), parts.units == 0
        with np.errstate(divide="ignore", invalid="ignore"):
            plain = over / under
        found = np.where(under == 0, self.otherwise(parts), plain)
        if empty_ref in {"nan", "inf"}:
            found = np.where(empty, np.nan if empty_ref == "nan" else plain, found)
        return np.asarray(found, np.float64)

    def pooled(self, sums: Mapping[str, Exact], params: Params) -> float:
        """The rate of the sums, rounded once; NaN if a row is."""
        if not all(sums[name].finite for name in Parts._fields):
            return math.nan
        parts = Parts(*(sums[name].units for name in Parts._fields))
        under = self.under(parts)
        if under and parts.units:
            return ratio(Exact(self.over(parts)), Exact(under))
        floats = Parts(*(np.array([sums[name].to_float()]) for name in Parts._fields))
        return float(self.rows(floats, str(params["empty_ref"]))[0])


def reduction(rate: Rate, total: str | None = None, pair: tuple[str, str] | None = None) -> Switch:
    """The rate of all rows together, or with average=sample the mean of their own rates."""
    corpus = Pooled(rate.pooled, parts=PARTS, ratio=pair, **({"total": total} if total else {}))
    return Switch("average", {"corpus": corpus, "sample": SampleMean(parts=PARTS)})


def terms(rate: Rate, parts: Parts, empty_ref: str) -> dict[str, Array]:
    """What the reduction sums, and the rows' own rates."""
    named = {name: getattr(parts, name) for name in (*PARTS, "errors")}
    return {**named, "aligned": parts.hits + parts.errors, "row": rate.rows(parts, empty_ref)}


class Reading(NamedTuple):
    """How texts are read before their units are compared."""

    unit: str
    split: Any
    alternatives: bool = False
    ignore_space: bool = False
    mapping: str | None = None

    def pair(self, pred: Ragged, target: Ragged) -> tuple[Ragged, Ragged]:
        """Reference and hypothesis as rows of one coding, in the units that count."""
        ref, hyp = shared(target, pred)
        if self.alternatives:
            ref, hyp = shared(resolved(ref, hyp, self.unit, self.split), hyp)
        if self.ignore_space:
            ref, hyp = spaceless(ref, self.unit), spaceless(hyp, self.unit)
        if self.mapping is not None:
            fold = folding(self.mapping)
            ref, hyp = shared(remapped(ref, fold, self.unit), remapped(hyp, fold, self.unit))
        return ref, hyp

    def parts(self, pred: Ragged, target: Ragged) -> Parts:
        return Parts(*counts(*self.pair(pred, target), self.split))


def unreadable(arrays: Mapping[str, Any], params: Params) -> list[Seen]:
    """References whose choices cannot be read."""
    if not params["alternatives"]:
        return []
    target = arrays["target"]
    text = f"leaves its choices open: braces that do not match, or more than {LIMIT:,} readings"
    rule = Rule("bad-alternatives", text, hint="{ a / b / @ } with blanks around, or leave --alternatives out")
    return [(rule, troubled(target, str(params["unit"])), np.full(len(target), ""))]


def aligned(arrays: Mapping[str, Any], params: Params) -> list[Any]:
    """Reference, hypothesis and operations of each row, by the way with the most hits."""
    named: dict[str, Any] = {name: params[name] for name in Reading._fields if name in params}
    reading = Reading(**named)
    ref, hyp = reading.pair(arrays["pred"], arrays["target"])
    unit = reading.unit
    return [
        {
            "ref": names(ref.row(n), ref.words, unit),
            "hyp": names(hyp.row(n), hyp.words, unit),
            "ops": "".join(alignment(ref.row(n), hyp.row(n))),
        }
        for n in range(len(ref))
    ]


ALIGNMENT = Detail("alignment", aligned)
