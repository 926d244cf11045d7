"""Kinds of what is known of a response: its log-probability under a model, and its length."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Detect, Kind, Params, Rng, Sizes, broken, inside, put
from lossctl.model.scores import scores_lack, scores_missing
from lossctl.model.targets import BinaryTarget

__all__ = ["Desirable", "LogProb", "MeanLogProb", "TokenCount"]

POSITIVE_LOG = Rule(
    "positive-log-prob",
    "is not a log-probability (<= 0)",
    hint="a response has the sum of its tokens' log-probabilities: no loss, and no probability",
)


class LogProb(Kind):
    """The log-probability of a response: the sum over its tokens. It may be -inf, for what a model rules out."""

    name: str = "log-probability"
    axes: str = "N"
    phrase: str = "the log-probability of a response (<= 0), summed over its tokens"
    columns: Detect = "one"
    size: float = 30.0

    def missing(self, array: Array, params: Params) -> NDArray[np.bool_]:
        return scores_missing(array, "log-probs")

    def lacks(self, array: Array, params: Params) -> bool:
        return scores_lack(array, "log-probs")

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if not inside(array, -np.inf, 1e-6):
            yield broken(POSITIVE_LOG, array, array > 1e-6)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return -self.size * rng.uniform(0.02, 1.0, size=sizes.rows)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "positive-log-prob", put(array, 0.5)


class MeanLogProb(LogProb):
    """The log-probability of a response by token: the sum divided by the number of tokens."""

    phrase: str = "the mean log-probability (<= 0) of a response's tokens"
    size: float = 3.0


class TokenCount(Kind):
    """How many tokens a response has."""

    name: str = "token count"
    axes: str = "N"
    phrase: str = "a number of tokens: 1, 2, 3, ..."
    columns: Detect = "one"

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        rule = Rule("not-a-length", "is not a number of tokens: 1, 2, 3, ...")
        yield broken(rule, array, (array < 1) | (array != np.floor(array)))

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.integers(1, 40, size=sizes.rows).astype(float)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        yield "not-a-length", put(array, 0.0)
        yield "not-a-length", put(array, 2.5)


class Desirable(BinaryTarget):
    """Whether a response is one to learn (1) or one to unlearn (0)."""

    name: str = "desirable"
    axes: str = "N"
    phrase: str = "1 for a desirable response, 0 for an undesirable one"
    columns: Detect = "one"
    called: tuple[str, ...] = ("desirable", "label", "labels", "target")
