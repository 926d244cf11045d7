"""Objectives of preferences, critics, constraints and penalties by the definition: loops, in many digits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import mpmath

Floats = Sequence[float]


def to_float(number: mpmath.mpf) -> float:
    return math.inf if number > mpmath.mpf(2) ** 1024 else float(number)


def minus_log_sigmoid(x: mpmath.mpf) -> mpmath.mpf:
    return -x if x == -mpmath.inf else mpmath.log1p(mpmath.exp(-x))


def preference_gaps(pc: Floats, pr: Floats, rc: Floats, rr: Floats) -> list[mpmath.mpf]:
    return [
        mpmath.mpf(a) - mpmath.mpf(b) - (mpmath.mpf(c) - mpmath.mpf(d))
        for a, b, c, d in zip(pc, pr, rc, rr, strict=True)
    ]


def dpo_rows(pc: Floats, pr: Floats, rc: Floats, rr: Floats, beta: float = 0.1, smoothing: float = 0.0) -> list[float]:
    found = []
    for gap in preference_gaps(pc, pr, rc, rr):
        x, s = mpmath.mpf(beta) * gap, mpmath.mpf(smoothing)
        flipped = s * minus_log_sigmoid(-x) if s else mpmath.mpf(0)
        found.append(to_float((1 - s) * minus_log_sigmoid(x) + flipped))
    return found


def dpo_hinge_rows(pc: Floats, pr: Floats, rc: Floats, rr: Floats, beta: float = 0.1) -> list[float]:
    return [to_float(max(mpmath.mpf(0), 1 - mpmath.mpf(beta) * gap)) for gap in preference_gaps(pc, pr, rc, rr)]


def ipo_rows(
    pc: Floats,
    pr: Floats,
    rc: Floats,
    rr: Floats,
    lc: Floats | None = None,
    lr: Floats | None = None,
    beta: float = 0.1,
) -> list[float]:
    found = []
    for place in range(len(pc)):
        chosen, rejected = mpmath.mpf(pc[place]) - rc[place], mpmath.mpf(pr[place]) - rr[place]
        if lc is not None and lr is not None:
            chosen, rejected = chosen / lc[place], rejected / lr[place]
        found.append(to_float((chosen - rejected - 1 / (2 * mpmath.mpf(beta))) ** 2))
    return found


def log_odds_of(log_prob: float) -> mpmath.mpf:
    if log_prob == 0:
        return mpmath.inf
    log = mpmath.mpf(log_prob)
    return log - mpmath.log(-mpmath.expm1(log))


def orpo_rows(pc: Floats, pr: Floats, nll: Floats | None = None, lam: float = 0.1) -> list[float]:
    own = [-c for c in pc] if nll is None else nll
    return [
        to_float(mpmath.mpf(n) + (mpmath.mpf(lam) * minus_log_sigmoid(log_odds_of(c) - log_odds_of(r)) if lam else 0))
        for n, c, r in zip(own, pc, pr, strict=True)
    ]


def simpo_rows(pc: Floats, pr: Floats, beta: float = 2.0, gamma: float = 0.5) -> list[float]:
    gaps = [mpmath.mpf(beta) * (mpmath.mpf(c) - mpmath.mpf(r)) - mpmath.mpf(gamma) for c, r in zip(pc, pr, strict=True)]
    return [to_float(minus_log_sigmoid(gap)) for gap in gaps]


def kto_rows(policy: Floats, ref: Floats, target: Floats, beta: float = 0.1, kl: float = 0.0) -> list[float]:
    found = []
    for p, q, y in zip(policy, ref, target, strict=True):
        x = mpmath.mpf(beta) * (mpmath.mpf(p) - mpmath.mpf(q) - mpmath.mpf(kl))
        found.append(to_float(1 / (1 + mpmath.exp(x if y == 1 else -x))))
    return found


def penalty_of(parameters: Sequence[float] | Sequence[Floats], lam: float, l1_ratio: float, half: bool = True) -> float:
    """lam times the mixed absolute values and squares, exactly."""
    flat = [w for row in parameters for w in (row if isinstance(row, list) else [row])]
    ratio = Fraction(l1_ratio)
    size = sum((abs(Fraction(w)) for w in flat), Fraction(0)) * ratio
    square = sum((Fraction(w) ** 2 for w in flat), Fraction(0)) * (1 - ratio) / (2 if half else 1)
    return float(Fraction(lam) * (size + square))


def cost(score: float, wanted: int) -> mpmath.mpf:
    return mpmath.log1p(mpmath.exp(-mpmath.mpf(score) if wanted else mpmath.mpf(score)))


def mean_cost(scores: Floats, wanted: int) -> mpmath.mpf:
    return mpmath.fsum(cost(score, wanted) for score in scores) / len(scores)


def critic_loss(real: Floats, fake: Floats) -> float:
    return float(mean_cost(real, 1) + mean_cost(fake, 0))


def generator_loss(fake: Floats, mode: str) -> float:
    return float(-mean_cost(fake, 0) if mode == "minimax" else mean_cost(fake, 1))


def clauses_of(path: str) -> list[list[int]]:
    """The clauses of a DIMACS file beside this one."""
    words: list[int] = []
    for line in Path(__file__).with_name(path).read_text(encoding="utf-8").splitlines():
        if line[:1] not in {"c", "p"}:
            words += map(int, line.split())
    found: list[list[int]] = [[]]
    for word in words:
        if word:
            found[-1].append(word)
        else:
            found.append([])
    return found[:-1]


def obeys(truth: Sequence[bool], constraint: str) -> bool:
    if constraint.endswith(".cnf"):
        return all(any(truth[abs(k) - 1] == (k > 0) for k in clause) for clause in clauses_of(constraint))
    count = sum(truth)
    return {"exactly-one": count == 1, "at-least-one": count >= 1, "at-most-one": count <= 1}[constraint]


def semantic_rows(pred: Sequence[Floats], constraint: str, form: str) -> list[float]:
    models = [t for t in itertools.product([False, True], repeat=len(pred[0])) if obeys(t, constraint)]
    found = []
    with mpmath.workdps(1500):  # 1 - p of logits of 1000 has a thousand leading nines
        for row in pred:
            p = [mpmath.mpf(x) if form == "probs" else 1 / (1 + mpmath.exp(-mpmath.mpf(x))) for x in row]
            total = mpmath.fsum(
                mpmath.fprod(q if true else 1 - q for q, true in zip(p, model, strict=True)) for model in models
            )
            found.append(to_float(-mpmath.log(total)) if total else math.inf)
    return found
