"""How long the losses of tokens take, against torch's cross-entropy token by token in the same process.

    pip install '.[bench]' && python tests/benchmarks/tokens.py

One thread each, taken in turn, medians of five; nothing is asserted. Above 1 lossctl is faster.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from lossctl.sequences.ragged import Ragged
from lossctl.sequences.tokens import token_costs

RUNS = 5
SIZES = (
    # rows, tokens, vocabulary, precision, share of tokens that do not count
    (8, 128, 32_000, np.float32, 0.0),
    (8, 128, 32_000, np.float32, 0.3),
    (64, 64, 1_000, np.float32, 0.0),
    (64, 64, 1_000, np.float64, 0.0),
    (256, 200, 30, np.float64, 0.0),
)


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    for rows, tokens, vocabulary, dtype, ignored in SIZES:
        scores = rng.normal(size=(rows, tokens, vocabulary)).astype(dtype)
        target = rng.integers(0, vocabulary, size=(rows, tokens))
        target[rng.random(size=target.shape) < ignored] = -100
        ours_scores, ours_target = Ragged.padded(scores), Ragged.padded(target)
        flat, flat_target = torch.tensor(scores).reshape(-1, vocabulary), torch.tensor(target).reshape(-1)

        def ours(scores: Ragged = ours_scores, target: Ragged = ours_target) -> Any:
            return token_costs(scores, target)

        def theirs(scores: Any = flat, target: Any = flat_target) -> Any:
            return torch.nn.functional.cross_entropy(scores, target, reduction="none")

        ours(), theirs()
        pairs = [(seconds(ours), seconds(theirs)) for _ in range(RUNS)]
        mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        name = f"{rows} x {tokens} x {vocabulary:,} {np.dtype(dtype).name}, {ignored:.0%} ignored"
        print(f"{name:<48} {1e3 * mine:9.1f} ms   torch {1e3 * other:9.1f} ms   {ratio:6.2f} x")


if __name__ == "__main__":
    main()
