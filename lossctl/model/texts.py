"""Kinds of text: what is compared unit by unit, and the reference that errors are counted against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl.errors import DataError
from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Decode, Detect, Params, Rng, Sizes
from lossctl.model.params import Param, complete
from lossctl.model.sequences import Sequence
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.units import STEPS, UNITS, split

__all__ = ["EvenUnits", "Reference", "Units"]

NORMALIZE = complete(
    Param("what is done to the text before it is split, in this order", choices=STEPS), "normalize", tuple[str, ...], ()
)


class Units(Sequence):
    """Text as words, characters, graphemes or bytes, or lists of tokens as they are; whole numbers to the kernel."""

    name: str = "text"
    phrase: str = "a text, or a list of tokens"
    columns: Detect = "one"
    synonyms: Mapping[str, str] = {"pred": "hyp", "target": "ref"}

    def __init__(self, unit: str = "char") -> None:
        self.unit = unit

    def params(self) -> dict[str, Param]:
        help_text = "what is compared: words between white space, characters, ..., or token for lists of tokens"
        unit = complete(Param(help_text, choices=UNITS), "unit", str, self.unit)
        return {"unit": unit, "normalize": NORMALIZE}

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "units"

    def read(self, raw: Ragged, params: Params) -> Ragged:
        if raw.dtype == np.uint8 and raw.words is None:
            return split(raw, str(params["unit"]), tuple(map(str, params["normalize"])))  # type: ignore[arg-type]
        return raw if raw.dtype.kind in "iu" else whole_tokens(raw)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        words = np.array(["a", "b", "ab", "ba", "é", "naïve", "b"], object)
        rows = [" ".join(rng.choice(words, size=rng.integers(1, 6))) for _ in range(sizes.rows)]
        return np.array(rows, object)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        worse = np.array(array, object)
        worse[-1] = None
        yield "nan", worse


def whole_tokens(raw: Ragged) -> Ragged:
    """Whole numbers that a file holds as floats. Raises ``DataError`` (code ``dtype``, the row counted in ``raw``)."""
    values = raw.flat()
    bad = ~(np.abs(values) <= 2.0**53) | (values != np.floor(values))
    if bad.any():
        message = f"{float(values[bad][0])!r} is no token: tokens are words or whole numbers"
        raise DataError(message, code="dtype", row=int(raw.owners()[bad][0]) + 1)
    packed = raw.packed()
    return Ragged(values.astype(np.int64), packed.starts, packed.lengths, missing=packed.missing)


class EvenUnits(Units):
    """Texts of which two in a row may have to be of one length."""

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.array([" ".join(rng.choice(["ab", "ba", "bb"], size=3)) for _ in range(sizes.rows)], object)


EMPTY_REF = complete(
    Param(
        "an empty reference: its errors count and no unit is added, its row is left out (counted), refused, nan or inf",
        choices=("count", "skip", "error", "nan", "inf"),
    ),
    "empty_ref",
    str,
    "count",
)
NO_UNITS = Rule(
    "empty-reference",
    "is an empty reference",
    hint="--empty-ref count|skip|nan|inf says what becomes of it",
)


class Reference(Units):
    """The text that errors are counted against; ``empty_ref`` says what becomes of an empty one."""

    phrase: str = "a reference text, or a list of tokens"

    def params(self) -> dict[str, Param]:
        return {**super().params(), "empty_ref": EMPTY_REF}

    def ignored(self, array: Any, params: Params) -> NDArray[np.bool_] | None:
        if params["empty_ref"] != "skip":
            return None
        return np.asarray((array.lengths == 0) & ~self.missing(array, params))  # a missing one is not empty

    def check(self, array: Any, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if params["empty_ref"] == "error":
            empty = array.lengths == 0
            yield NO_UNITS, empty, np.full(len(array), "")
