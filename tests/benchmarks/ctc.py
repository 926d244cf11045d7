"""How long CTC takes, against torch (and optax, where it is installed) in the same process; and how far each is off.

    pip install '.[bench]' && python tests/benchmarks/ctc.py

One thread each, taken in turn, medians of five; nothing is asserted. Above 1 lossctl is faster. All take float32
scores, frames first; lossctl computes in float64. Differences are to torch in float64, relative to the loss.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from lossctl.sequences.ctc import nll
from lossctl.sequences.ragged import Ragged

RUNS = 5
WORK = {  # rows, frames, classes, labels
    "W1": (64, 500, 32, 60),
    "W2": (32, 1500, 5000, 100),
    "W3": (1024, 100, 80, 20),
    "one row": (1, 1500, 32, 100),
    "four rows": (4, 1500, 32, 100),
}
log_softmax, ctc_loss = torch.nn.functional.log_softmax, torch.nn.functional.ctc_loss


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def confident(scores: Any, target: Any) -> Any:
    """Scores of a model that has learned: each label stands somewhere, the blank elsewhere."""
    frames, rows, _ = scores.shape
    found = np.array(scores)
    found[:, :, 0] += 12
    place = np.linspace(1, frames - 3, target.shape[1]).astype(int)
    for shift in (0, 1):
        found[place[:, None] + shift, np.arange(rows), target.T] += 24
    return found


def race(name: str, scores: Any, target: Any) -> None:
    frames, rows, _ = scores.shape
    there, labels = torch.tensor(scores), torch.tensor(target)
    lengths = torch.full((rows,), frames), torch.full((rows,), target.shape[1])
    given = log_softmax(there, -1)
    exact = ctc_loss(log_softmax(there.double(), -1), labels, *lengths, reduction="none").numpy()
    own = Ragged.padded(target)
    for form, ours_in in (("logits", scores), ("log-probs", given.numpy())):
        mine = Ragged.padded(ours_in, by_time=True)

        def ours(mine: Ragged = mine, form: str = form) -> Any:
            return nll(mine, own, form=form, blank=0)

        def theirs(form: str = form) -> Any:
            logs = log_softmax(there, -1) if form == "logits" else given
            return ctc_loss(logs, labels, *lengths, reduction="none").numpy()

        ours(), theirs()
        pairs = [(seconds(ours), seconds(theirs)) for _ in range(RUNS)]
        a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(other / one for one, other in pairs)
        off, theirs_off = (float(np.max(np.abs(found - exact) / exact)) for found in (ours(), theirs()))
        said = f"{name}, {form}"
        print(f"{said:<28}{1e3 * a:8.1f} ms   torch {1e3 * b:8.1f} ms {ratio:6.2f} x   off {off:.0e}, {theirs_off:.0e}")
    versus_optax(name, scores, target)


def versus_optax(name: str, scores: Any, target: Any) -> None:
    try:
        import jax
        import optax
    except ImportError:
        return
    logits, labels = jax.numpy.asarray(np.swapaxes(scores, 0, 1)), jax.numpy.asarray(target)
    padding = jax.numpy.zeros(logits.shape[:2]), jax.numpy.zeros(labels.shape)
    compiled = jax.jit(lambda x: optax.losses.ctc_loss(x, padding[0], labels, padding[1]))
    compiled(logits).block_until_ready()
    theirs = statistics.median(seconds(lambda: compiled(logits).block_until_ready()) for _ in range(RUNS))
    mine, own = Ragged.padded(scores, by_time=True), Ragged.padded(target)
    ours = statistics.median(seconds(lambda: nll(mine, own, form="logits", blank=0)) for _ in range(RUNS))
    print(f"{name + ', logits':<28}{1e3 * ours:8.1f} ms   optax {1e3 * theirs:8.1f} ms {theirs / ours:6.2f} x")


def main() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    for name, (rows, frames, classes, labels) in WORK.items():
        scores = rng.normal(size=(frames, rows, classes)).astype(np.float32)
        target = rng.integers(1, classes, size=(rows, labels))
        race(name, scores, target)
        if name in {"W1", "W3"}:
            race(f"{name} learned", confident(scores, target), target)


if __name__ == "__main__":
    main()
