"""How long edit distances and word error rates take, against rapidfuzz and jiwer in the same process.

    pip install '.[bench]' && python tests/benchmarks/edits.py

One thread each, taken in turn, medians of five; nothing is asserted. Above 1 lossctl is faster.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import random
import statistics
import string
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from lossctl.sequences.edits import levenshtein
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.splits import counts
from lossctl.sequences.units import shared, split

RUNS = 5
LETTERS = string.ascii_lowercase
RNG = random.Random(7)


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def report(name: str, ours: Callable[[], Any], theirs: Callable[[], Any], peer: str) -> None:
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(RUNS)]
    mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"{name:<44} {1e3 * mine:9.1f} ms   {peer:<34} {1e3 * other:9.1f} ms   {ratio:6.2f} x")


def mutated(units: list[Any], vocabulary: list[Any], rate: float) -> list[Any]:
    """A third each of deletions, substitutions and insertions."""
    found = []
    for unit in units:
        chance = RNG.random()
        if chance < rate / 3:
            continue
        found.append(RNG.choice(vocabulary) if chance < 2 * rate / 3 else unit)
        if chance > 1 - rate / 3:
            found.append(RNG.choice(vocabulary))
    return found


def word(least: int, most: int) -> str:
    return "".join(RNG.choices(LETTERS, k=RNG.randint(least, most)))


def of_arrow(column: pa.StringArray) -> Ragged:
    """A column of text where it lies."""
    offsets = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, 4 * column.offset).astype(np.int64)
    return Ragged(np.frombuffer(column.buffers()[2], np.uint8), offsets[:-1], np.diff(offsets))


def distances(queries: list[Any], choices: list[Any]) -> Any:
    return process.cpdist(queries, choices, scorer=Levenshtein.distance, dtype=np.int32, workers=1)


def word_pairs() -> None:
    """A: 100,000 pairs of words of 3 to 13 letters, in two Arrow columns."""
    words = [word(3, 13) for _ in range(100_000)]
    changed = ["".join(mutated(list(w), list(LETTERS), 0.2)) for w in words]
    ref, hyp = pa.array(words), pa.array(changed)

    def ours() -> Any:
        return levenshtein(split(of_arrow(ref), "char"), split(of_arrow(hyp), "char"))

    def theirs() -> Any:
        return distances(ref.to_pylist(), hyp.to_pylist())

    assert (ours() == theirs()).all()
    report("A  100,000 word pairs, from Arrow columns", ours, theirs, "to_pylist, rapidfuzz cpdist")


def sentences() -> None:
    """B: 10,000 sentences of some 25 words out of 20,000 by Zipf's law, 15 % errors; errors by kind."""
    vocabulary = sorted({word(2, 12) for _ in range(25_000)})[:20_000]
    weights = [1 / (k + 1) for k in range(len(vocabulary))]
    texts = [RNG.choices(vocabulary, weights, k=RNG.randint(15, 35)) for _ in range(10_000)]
    ref = [" ".join(text) for text in texts]
    hyp = [" ".join(mutated(text, vocabulary, 0.15)) for text in texts]

    def ours(kind: Any = "hits") -> Any:
        found = counts(*shared(split(Ragged.texts(ref), "word"), split(Ragged.texts(hyp), "word")), kind)
        return [int(part.sum()) for part in found]

    try:
        import jiwer
    except ImportError:
        print("B  (pip install jiwer to compare)")
        return
    theirs = jiwer.process_words(ref, hyp)
    assert sum(ours()[1:]) == theirs.substitutions + theirs.deletions + theirs.insertions
    assert ours("jiwer") == [theirs.hits, theirs.substitutions, theirs.deletions, theirs.insertions]
    report(
        "B  10,000 sentences, from strings, S/D/I", ours, lambda: jiwer.process_words(ref, hyp), "jiwer process_words"
    )
    report(
        "B  the same, as jiwer splits",
        lambda: ours("jiwer"),
        lambda: jiwer.process_words(ref, hyp),
        "jiwer process_words",
    )


def long_texts() -> None:
    """C: 1,000 pairs of some 2,000 letters, 10 % errors."""
    letters = [*LETTERS, " "]
    texts = [RNG.choices(letters, k=RNG.randint(1900, 2100)) for _ in range(1_000)]
    ref = ["".join(text) for text in texts]
    hyp = ["".join(mutated(text, letters, 0.1)) for text in texts]
    x, y = Ragged.texts(ref), Ragged.texts(hyp)

    def ours() -> Any:
        return levenshtein(split(x, "char"), split(y, "char"))

    assert (ours() == distances(ref, hyp)).all()
    report("C  1,000 pairs of 2,000 letters", ours, lambda: distances(ref, hyp), "rapidfuzz cpdist")
    try:
        import jiwer
    except ImportError:
        return
    some, others = ref[:100], hyp[:100]

    def split_counts() -> Any:
        return counts(split(Ragged.texts(some), "char"), split(Ragged.texts(others), "char"))

    report(
        "C  100 of them, S/D/I",
        split_counts,
        lambda: jiwer.process_characters(some, others),
        "jiwer process_characters",
    )


def token_ids() -> None:
    """D: 10,000 pairs of 30 to 64 ids, padded to 64 in one array each."""
    rng = np.random.default_rng(7)
    ids = rng.integers(0, 5_000, (10_000, 64)).astype(np.int32)
    changed = np.where(rng.random(ids.shape) < 0.15, rng.integers(0, 5_000, ids.shape), ids).astype(np.int32)
    long, other = rng.integers(30, 65, (2, len(ids)))
    ref, hyp = Ragged.padded(ids).cut(long), Ragged.padded(changed).cut(other)
    queries = [row[:k].tolist() for row, k in zip(ids, long, strict=True)]
    choices = [row[:k].tolist() for row, k in zip(changed, other, strict=True)]
    assert (levenshtein(ref, hyp) == distances(queries, choices)).all()
    report(
        "D  10,000 pairs of 30 to 64 ids, padded",
        lambda: levenshtein(ref, hyp),
        lambda: distances(queries, choices),
        "rapidfuzz cpdist on ready lists",
    )


if __name__ == "__main__":
    for bench in (word_pairs, sentences, long_texts, token_ids):
        bench()
