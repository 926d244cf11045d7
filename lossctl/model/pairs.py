"""Kinds for pairs of vectors: how a row says whether its two vectors belong together."""

from __future__ import annotations

from collections.abc import Iterator

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Detect, Kind, Params, Rng, Sizes, broken, put
from lossctl.model.targets import BinaryTarget, SignedTarget

__all__ = ["Distance", "PairLabel", "PairSign"]


class PairSign(SignedTarget):
    """One sign for each pair of vectors: 1 if they belong together."""

    name: str = "pair sign"
    axes: str = "N"
    columns: Detect = "one"

    def elementwise(self, params: Params) -> bool:
        return False


class PairLabel(BinaryTarget):
    """One label for each pair: 0 or 1."""

    name: str = "pair label"
    axes: str = "N"
    columns: Detect = "one"

    def elementwise(self, params: Params) -> bool:
        return False


class Distance(Kind):
    """How far apart the two of a pair are."""

    name: str = "distance"
    axes: str = "N"
    phrase: str = "a distance: a number >= 0"
    columns: Detect = "one"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        rule = Rule(
            "negative", "is not a distance (>= 0)", hint="is it a similarity?  a distance is 0 for equal vectors"
        )
        yield broken(rule, array, array < 0)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return abs(rng.normal(size=sizes.rows))

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "negative", put(array, -1.0)
