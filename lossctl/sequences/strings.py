"""Rows of codes as Python strings, for rapidfuzz: a code is a character, a row a slice of one long string."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.ragged import Ragged, ends

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["pairwise", "strings"]

Array: TypeAlias = NDArray[Any]

SURROGATES, WIDTH = 0xD800, 0x800  # code points that no string may hold
CHARACTERS = 0x110000 - WIDTH
UNITS = 1 << 22  # of a side, brought over at a time


def pairwise(
    scorer: Callable[..., Any],
    ref: Ragged,
    hyp: Ragged,
    dtype: Any = np.int64,
    options: Mapping[str, Any] | None = None,
) -> Array:
    """(N,) a scorer of rapidfuzz for each pair."""
    from rapidfuzz import process

    found = np.empty(len(ref), dtype)
    sizes = ends(ref.lengths + hyp.lengths + 1)
    start = 0
    while start < len(ref):
        before = int(sizes[start - 1]) if start else 0
        stop = max(int(np.searchsorted(sizes, before + 2 * UNITS)), start + 1)
        queries, choices = strings(ref[start:stop], hyp[start:stop])
        found[start:stop] = process.cpdist(
            queries, choices, scorer=scorer, dtype=dtype, workers=1, scorer_kwargs=dict(options or {})
        )
        start = stop
    return found


def strings(ref: Ragged, hyp: Ragged) -> tuple[Sequence[Any], Sequence[Any]]:
    """Both sides, equal codes as equal characters; as lists of whole numbers beyond a million distinct ones."""
    sides = [lean(ref), lean(hyp)]
    room = all(map(fits, sides))
    if not room:
        sides = [side.packed() for side in sides]
        room = all(map(fits, sides))
    if not room:
        both = np.concatenate([side.values.astype(np.int64) for side in sides])
        distinct, codes = np.unique(both, return_inverse=True)
        parts = np.split(codes, [len(sides[0].values)])
        sides = [Ragged(part, side.starts, side.lengths) for part, side in zip(parts, sides, strict=True)]
        if len(distinct) > CHARACTERS:
            return sliced(sides[0], parts[0].tolist()), sliced(sides[1], parts[1].tolist())
    return sliced(sides[0], characters(sides[0].values)), sliced(sides[1], characters(sides[1].values))


def lean(units: Ragged) -> Ragged:
    """Rows that lie together, with no more padding among them than units."""
    return units if units.step == 1 and len(units.values) <= 2 * int(units.lengths.sum()) else units.packed()


def fits(units: Ragged) -> bool:
    """Whether every code, also of padding, has a character."""
    return not len(units.values) or bool(units.values.min() >= 0 and units.values.max() < CHARACTERS)


def characters(codes: Array) -> str:
    high = int(codes.max(initial=0))
    if high < 0x100:
        return codes.astype(np.uint8, copy=False).tobytes().decode("latin-1")
    points = codes.astype("<u4")
    if high >= SURROGATES:
        points[points >= SURROGATES] += WIDTH
    return points.tobytes().decode("utf-32-le")


def sliced(units: Ragged, whole: Sequence[Any]) -> list[Sequence[Any]]:
    stops = units.starts + units.lengths
    return [whole[i:j] for i, j in zip(units.starts.tolist(), stops.tolist(), strict=True)]
