"""Kinds of language models' inputs: scores or log-probabilities of tokens, token ids, and what bits are counted by."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Decode, Detect, NonNegative, Params, Rng, Sizes
from lossctl.model.params import Param, When, complete
from lossctl.model.scores import NOT_A_PROBABILITY, POSITIVE_LOG
from lossctl.model.sequences import Frames, Sequence, broken
from lossctl.sequences.ragged import Ragged

__all__ = ["Amount", "Count", "TextScores", "TokenIds", "TokenScores", "natural", "one_a_token"]

BASE = complete(
    Param(
        "what the logarithms of log-probabilities are to",
        choices=("e", "2", "10"),
        when=When("input", ("log-probs",), "e"),
    ),
    "base",
    str,
    "e",
)


IGNORE_INDEX = complete(
    Param("token id that does not count: it costs nothing, and no divisor sees it"), "ignore_index", int | None, -100
)


def natural(params: Params) -> float:
    """What turns log-probabilities as they are given into natural ones."""
    return {"e": 1.0, "2": math.log(2), "10": math.log(10)}[str(params["base"])]


def one_a_token(scores: Any) -> bool:
    """Whether there is one number for each token: its own (log-)probability."""
    return bool(scores.values.ndim == 1)


class TokenScores(Frames):
    """Scores of the whole vocabulary at each place, N x T x V, or each token's own (log-)probability, N x T."""

    name: str = "token scores"
    axes: str = "N T C | N T"
    phrase: str = "a score for each token of the vocabulary at each place; or each token's own log-probability"

    columns: Detect = "tokens"

    def __init__(self) -> None:
        super().__init__("logits")

    def params(self) -> dict[str, Param]:
        return {**super().params(), "base": BASE}

    def class_count(self, array: Any, params: Params) -> int | None:
        return None if one_a_token(array) else super().class_count(array, params)

    def ignored(self, array: Any, params: Params) -> NDArray[np.bool_] | None:
        """Rows without a token: a first one without a number has nothing before it."""
        lengths = array.lengths - headless(array) if one_a_token(array) else array.lengths
        return np.asarray(lengths == 0)

    def missing(self, array: Any, params: Params) -> NDArray[np.bool_]:
        if not one_a_token(array):
            return super().missing(array, params)
        values = np.array(array.flat(), float)
        first = np.cumsum(array.lengths) - array.lengths
        values[first[headless(array)]] = 0.0
        bad = np.isnan(values) | (values == np.inf)
        return np.asarray(Sequence.missing(self, array, params) | array.any(bad))

    def renormalise(self, array: Any, params: Params) -> Any:
        return array if one_a_token(array) else super().renormalise(array, params)

    def check(self, array: Any, params: Params, classes: int | None = None) -> Iterator[Seen]:
        if one_a_token(array):
            values = array.flat()
            if params["input"] == "log-probs":
                yield broken(POSITIVE_LOG, array, values > 1e-6)
            elif params["input"] == "probs":
                yield broken(NOT_A_PROBABILITY, array, (values < 0) | (values > 1))
            return
        if params["input"] == "log-probs" and params["base"] != "e":
            packed = array.packed()
            array = Ragged(packed.values * natural(params), packed.starts, packed.lengths)
        yield from super().check(array, params, classes)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        found = np.asarray(super().sample(rng, sizes, params))
        return found / natural(params) if params["input"] == "log-probs" else found


class TextScores(TokenScores):
    """The same, or one number a row: the log-probability of all of its text, as evaluation harnesses keep it."""

    name: str = "text scores"
    phrase: str = f"{TokenScores.phrase}, or that of all tokens together"
    single: bool = True

    def ignored(self, array: Any, params: Params) -> NDArray[np.bool_] | None:
        rows = super().ignored(array, params)
        return rows if rows is None else rows & ~Sequence.missing(self, array, params)


def headless(array: Any) -> NDArray[np.bool_]:
    """(N,) rows whose first number is missing."""
    found = np.zeros(len(array), bool)
    full = np.flatnonzero(array.lengths)
    found[full] = np.isnan(array.values[array.starts[full]])
    return found


class TokenIds(Sequence):
    """The tokens that came, as ids of the vocabulary; ``ignore_index`` stands where none counts."""

    name: str = "token ids"
    axes: str = "N T"
    phrase: str = "a token id at each place"
    called: tuple[str, ...] = ("tokenids",)

    def params(self) -> dict[str, Param]:
        return {"ignore_index": IGNORE_INDEX}

    def missing(self, array: Any, params: Params) -> NDArray[np.bool_]:
        rows = super().missing(array, params)
        if array.dtype.kind != "f":
            return rows
        return np.asarray(rows | array.any(~np.isfinite(array.flat())))

    def ignored(self, array: Any, params: Params) -> NDArray[np.bool_] | None:
        """Rows of which no token counts."""
        index = params.get("ignore_index")
        counts = np.ones(int(array.lengths.sum()), bool) if index is None else array.flat() != index
        if params.get("shift"):
            lengths = array.lengths
            counts[(np.cumsum(lengths) - lengths)[lengths > 0]] = False  # nothing is said about the first
        return np.asarray(~array.any(counts))

    def check(self, array: Any, params: Params, classes: int | None = None) -> Iterator[Seen]:
        values = array.flat()
        wrong = (values < 0) | (values != np.floor(values))
        text = "is no token id: 0, 1, 2, ..."
        if classes is not None:
            wrong |= values >= classes
            text = f"is not one of the {classes:,} tokens: 0 to {classes - 1:,}"
        index = params.get("ignore_index")
        if index is not None:
            wrong &= values != index
        hint = "--ignore-index N says which id stands for padding" if "ignore_index" in params else None
        yield broken(Rule("unknown-class", text, hint=hint), array, wrong)

    def canonical(self, array: Any, params: Params) -> Any:
        """Whole numbers, -1 where no token counts."""
        packed, index = array.packed(), params.get("ignore_index")
        values = packed.values.astype(np.int64, copy=False)
        return Ragged(values if index is None else np.where(values == index, -1, values), packed.starts, packed.lengths)

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.integers(0, sizes.classes, size=(sizes.rows, 7))

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        for bad in (99, -1):
            worse = np.array(array)
            worse[-1, 0] = bad
            yield "unknown-class", worse


class Count(NonNegative):
    """How many bytes, characters or whatever the tokens of a row are."""

    name: str = "count of units"
    phrase: str = "a count >= 0 for each row"

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return rng.integers(1, 9, size=sizes.rows).astype(float)


class Amount(Sequence):
    """Text whose bytes or characters are counted."""

    name: str = "measured text"
    axes: str = "N S"
    phrase: str = "the text that the tokens spell"
    columns: Detect = "one"

    def decode(self, params: Params, classes: int | None) -> Decode:
        return "units"

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        return np.array(["".join(rng.choice(list("aé ö"), size=4)) for _ in range(sizes.rows)], object)

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        worse = np.array(array, object)
        worse[-1] = None
        yield "nan", worse
