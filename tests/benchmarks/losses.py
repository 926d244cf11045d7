"""How long losses of rows take, against torch in the same process, through both doors.

    pip install '.[bench]' && python tests/benchmarks/losses.py [NAME ...]

One thread each, taken in turn, medians of five of processor time; nothing is asserted. Above 1 lossctl is faster.
``function`` gives the rows' values, ``compute`` their exactly summed mean, torch its mean; lossctl computes in float64
whatever comes in. The last lines say what a row costs in nanoseconds beside a plain sum over both columns.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

import lossctl
from lossctl import losses

RUNS = 5
ROWS = 10_000_000
F = torch.nn.functional


def seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def focal(pred: Any, target: Any, alpha: float = 0.25, gamma: float = 2.0) -> Any:
    """As torchvision writes it."""
    prob = torch.sigmoid(pred)
    cost = F.binary_cross_entropy_with_logits(pred, target, reduction="none")
    likely = prob * target + (1 - prob) * (1 - target)
    return ((alpha * target + (1 - alpha) * (1 - target)) * cost * (1 - likely) ** gamma).mean()


def race(name: str, kernel: str, pred: Any, target: Any, theirs: Callable[[Any, Any], Any]) -> None:
    a, b = torch.from_numpy(pred), torch.from_numpy(target)
    ways = [
        lambda: getattr(losses, kernel.replace("-", "_"))(pred, target),
        lambda: lossctl.compute(kernel, pred, target, threads=1),
        lambda: theirs(a, b),
    ]
    for way in ways:
        way()
    taken = [[seconds(way) for way in ways] for _ in range(RUNS)]
    function, compute, torch_ = (statistics.median(column) for column in zip(*taken, strict=True))
    times = statistics.median(t / f for f, _, t in taken), statistics.median(t / c for _, c, t in taken)
    size = pred.size / 1e9
    print(
        f"{name:<28} function {function / size:6.2f} ns {times[0]:5.2f} x   compute {compute / size:6.2f} ns "
        f"{times[1]:5.2f} x   torch {torch_ / size:6.2f} ns",
        flush=True,
    )


def classes(rows: int = 100_000, count: int = 1_000) -> None:
    rng = np.random.default_rng(0)
    pred = 3 * rng.standard_normal((rows, count), np.float32)
    race("cross-entropy, float32", "cross-entropy", pred, rng.integers(0, count, rows), F.cross_entropy)


def outcomes(dtype: Any) -> None:
    rng = np.random.default_rng(1)
    logits = (3 * rng.standard_normal(ROWS)).astype(dtype)
    target = (rng.random(ROWS) < 0.3).astype(dtype)
    probs = 1 / (1 + np.exp(-logits))
    said = np.dtype(dtype).name
    race(f"bce, {said}", "bce", probs, target, F.binary_cross_entropy)
    race(f"bce-with-logits, {said}", "bce-with-logits", logits, target, F.binary_cross_entropy_with_logits)
    race(f"sigmoid-focal, {said}", "sigmoid-focal", logits, target, focal)


def errors() -> None:
    rng = np.random.default_rng(2)
    target = rng.standard_normal(ROWS)
    pred = target + rng.standard_normal(ROWS)
    race("mse, float64", "mse", pred, target, F.mse_loss)
    race("mae, float64", "mae", pred, target, F.l1_loss)
    race("huber, float64", "huber", pred, target, F.huber_loss)
    plain = statistics.median(seconds(lambda: np.sum(pred) + np.sum(target)) for _ in range(RUNS))
    for calls in ("mse", "mse,mae,huber,log-cosh"):
        work = partial(lossctl.compute, calls, pred, target, threads=1)
        work()
        ours = statistics.median(seconds(work) for _ in range(RUNS))
        print(f"{calls:<28} {1e9 * ours / ROWS:6.2f} ns a row   np.sum {1e9 * plain / ROWS:6.2f} ns")


WORK: dict[str, Callable[[], None]] = {
    "classes": classes,
    "float64": lambda: outcomes(np.float64),
    "float32": lambda: outcomes(np.float32),
    "errors": errors,
}


def main() -> None:
    torch.set_num_threads(1)
    for name in sys.argv[1:] or WORK:
        WORK[name]()


if __name__ == "__main__":
    main()
