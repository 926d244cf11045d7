"""Kinds: what an input array must be before a formula may see it.

A kind says how columns become an array (``decode``), which values it refuses (``missing`` governed by
``--nan``, ``check`` for the rest), which rows do not count (``ignored``), how labels are brought to one
encoding (``canonical``), and which parameters it brings along. It also makes good arrays (``sample``)
and bad ones (``spoil``) for the conformance tests. A kernel therefore never checks anything.

Axes are written as in einops: ``N`` rows, ``N K`` rows of K elements, ``N C`` rows of C classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.model.findings import Findings, Rule, Seen
from lossctl.model.params import Param, Value
from lossctl.sequences.ragged import Ragged

Params: TypeAlias = Mapping[str, Value]
Array: TypeAlias = NDArray[Any]
Rng: TypeAlias = "np.random.Generator"  # as text: NumPy loads its generators on first use, and help needs none
Decode: TypeAlias = Literal["real", "binary", "class", "list", "label", "text", "units", "sequence"]
Detect: TypeAlias = Literal["one", "score", "classes", "tokens", "any", "boxes", "masks"]


class Sizes(NamedTuple):
    """How large a sample is: rows, elements a row (0: a plain vector), classes."""

    rows: int
    elements: int = 0
    classes: int = 3

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.rows, self.elements) if self.elements else (self.rows,)


def every(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) rows in which any element is set."""
    return np.asarray(mask.any(axis=tuple(range(1, mask.ndim))))


def first_where(array: Array, mask: NDArray[np.bool_]) -> Array:
    """(N,) for each row its first element under ``mask`` (its first element where none is set)."""
    if array.ndim == 1:
        return array
    flat = array.reshape(len(array), math.prod(array.shape[1:]))
    return np.asarray(flat[np.arange(len(flat)), mask.reshape(flat.shape).argmax(axis=1)])


def broken(rule: Rule, array: Array, mask: NDArray[np.bool_]) -> Seen:
    if not mask.any():  # nearly always: rows and values are worth a look only if not
        return rule, np.zeros(len(array), bool), array
    return rule, every(mask), first_where(array, mask)


def inside(array: Array, low: float, high: float) -> bool:
    """Whether all numbers are from ``low`` to ``high``, by two passes that write nothing; false if one is NaN."""
    return bool(array.min(initial=high) >= low and array.max(initial=low) <= high)


class Kind:
    """The contract of one input. Subclasses say the domain."""

    name: str = "real"
    axes: str = "N | N K"
    phrase: str = "a finite number"
    columns: Detect = "any"  # how columns are detected
    decides: bool = False  # a decision may be taken from scores where no label is predicted
    flat: bool = True  # (N, 1) is taken as (N,)
    lift: bool = False  # (N,) is taken as (N, 1)
    whole: bool = False  # one array beside all rows, such as class prototypes
    mapping: bool = False  # several arrays by name, those that begin with one of ``members``
    members: tuple[str, ...] = ()
    parallel: bool = True  # several columns of a target stand for those of the predictions, one by one
    unbounded: bool = False  # scores on the whole line: a name that says probabilities is worth a word
    called: tuple[str, ...] = ()  # names of columns that are of this kind beyond doubt, plain
    families: tuple[str, ...] = ()  # what the names of several columns begin with that are of this kind beyond doubt
    single: bool = False  # one number a row is a row of one, where rows may have any length
    spread: bool = True  # several columns are one row of several values
    synonyms: Mapping[str, str] = {}  # other words for roles of this kind: what --pred is called in the field
    unpaired: bool = (
        False  # its values stand by themselves: rows pair them with nothing, and inputs may differ in length
    )
    cuts: str | None = None  # the role whose rows these lengths cut, before anything else looks at them

    def elementwise(self, params: Params) -> bool:
        """Whether elements stand against the elements of the other inputs, one by one."""
        return True

    def describe(self, fixed: Params) -> str:
        """The phrase where some parameters are fixed (by a preset)."""
        return self.phrase

    def class_count(self, array: Array, params: Params) -> int | None:
        """How many classes there are, where this input says so."""
        return None

    def class_of(self, array: Array, params: Params) -> Array | None:
        """(N,) the class that each row of an array stands for, NaN for a row of none; ``None`` where no row has one."""
        return None

    def params(self) -> dict[str, Param]:
        """Parameters that belong to the input rather than to the formula."""
        return {}

    def decode(self, params: Params, classes: int | None) -> Decode:
        """How columns become this array; ``classes`` is the number of class scores, if known."""
        return "real"

    def read(self, raw: Ragged, params: Params) -> Any:
        """Rows of any length as the checks and the kernel see them, where ``decode`` says units or sequence."""
        return raw

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        """Elements refused as NaN or infinite: ``--nan`` decides what becomes of their rows."""
        return ~np.isfinite(array)

    def lacks(self, array: Array, params: Params) -> bool:
        """Whether ``missing`` has anything to find; a kind may know a faster way."""
        if type(self).missing is Kind.missing:
            return not np.isfinite(array).all()
        return bool(self.missing(array, params).any())

    def ignored(self, array: Array, params: Params) -> NDArray[np.bool_] | None:
        """(N,) rows that do not count; ``None`` if there is no such thing."""
        return None

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        """Rules that rows break; called on rows without missing values.

        ``classes`` is the number of class scores beside it, where there are any.
        """
        return iter(())

    def verdict(self, role: str, findings: Findings) -> Iterator[tuple[str, str, int]]:
        """Verdicts over the whole file from the facts seen: (code, message, 0-based row)."""
        return iter(())

    def settled(self, role: str, arrays: Mapping[str, Array], params: Params) -> Array:
        """The array of a role with its axes as the kernel wants them, which may hang on the others."""
        return arrays[role]

    def canonical(self, array: Array, params: Params) -> Array:
        """The array as the kernel expects it: float64, unless a kind says otherwise."""
        return np.asarray(array, np.float64)

    def sums_to_one(self, params: Params) -> bool:
        """Whether rows are distributions, which ``--renormalize`` divides by their sum."""
        return False

    def renormalise(self, array: Array, params: Params) -> Array:
        """Rows divided by their sum (float64), where they are distributions."""
        if array.ndim != 2 or not self.sums_to_one(params):
            return array
        rows = np.ascontiguousarray(array, dtype=float)
        sums = np.sum(rows, axis=1, keepdims=True)
        # A row that sums to zero is left for the check to refuse.
        return np.asarray(rows / np.where(sums > 0, sums, 1.0))

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.asarray(rng.normal(size=sizes.shape))

    def stored(self, array: Array, params: Params) -> Array:
        """A sample as a caller would hand it over, where the axes of arrays may lie otherwise."""
        return array

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        """Bad copies of a good array, each with the code of the error it must bring."""
        if array.dtype.kind == "f":
            for bad in (np.nan, np.inf, -np.inf):
                if self.missing(np.full(1, bad), params).any():
                    yield "nan", put(array, bad)


def put(array: Array, value: Any) -> Array:
    worse = np.array(array, dtype=float)
    worse.reshape(-1)[-1] = value
    return worse


class NonNegative(Kind):
    """Real values at or above zero, such as relevance grades."""

    name: str = "nonnegative"
    axes: str = "N"
    phrase: str = "a number >= 0"
    columns: Detect = "one"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        rule = Rule("negative", "is not a number >= 0")
        yield broken(rule, array, array < 0)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.integers(0, 4, size=sizes.rows).astype(float)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "negative", put(array, -1.0)


class Vector(Kind):
    """A feature vector, N x D; a single column is D = 1."""

    name: str = "vector"
    axes: str = "N D"
    phrase: str = "a vector of finite numbers"
    flat: bool = False
    lift: bool = True

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.asarray(rng.normal(size=(sizes.rows, max(sizes.elements, 1))))


class Scores(Kind):
    """Real scores, one for each item of a list."""

    name: str = "scores"
    axes: str = "N"
    phrase: str = "a finite score"
    columns: Detect = "one"

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        # Scores in steps of a quarter, so that ties occur.
        return np.round(4 * rng.normal(size=sizes.rows)) / 4


class Group(Kind):
    """Which list a row belongs to: any text or number; coded as whole numbers for the kernel."""

    name: str = "group"
    axes: str = "N"
    phrase: str = "a query id"
    columns: Detect = "one"

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "text"

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return array < 0

    def canonical(self, array: Array, params: Params) -> Array:
        return array

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.arange(sizes.rows) // 4
