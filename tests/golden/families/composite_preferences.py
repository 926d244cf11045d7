"""Golden cases of preferences between responses."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Suit
from declare import by_rows, case, exact, torch, value
from inputs import Arrays, Rng, weights

GAP = "((policy_chosen - policy_rejected) - (ref_chosen - ref_rejected))"
FOUR = "policy_chosen, policy_rejected, ref_chosen, ref_rejected"


def preferences(rng: Rng, rows: int) -> Arrays:
    """Sums of log-probabilities, a policy that has moved a little, and the numbers of tokens."""
    ref = -rng.uniform(5, 90, size=(2, rows))
    policy = np.minimum(ref + 3 * rng.normal(size=(2, rows)), -0.01)
    lengths = rng.integers(1, 50, size=(2, rows)).astype(float)
    return {
        "policy-chosen": policy[0],
        "policy-rejected": policy[1],
        "ref-chosen": ref[0],
        "ref-rejected": ref[1],
        "chosen-length": lengths[0],
        "rejected-length": lengths[1],
        "weight": weights(rng, rows),
    }


def mean_preferences(rng: Rng, rows: int) -> Arrays:
    """Means of tokens' log-probabilities."""
    means = -rng.gamma(2.0, 0.5, size=(2, rows))
    return {"policy-chosen": means[0], "policy-rejected": means[1], "weight": weights(rng, rows)}


def preferences_with_nll(rng: Rng, rows: int) -> Arrays:
    return {**mean_preferences(rng, rows), "nll": rng.gamma(2.0, 1.0, size=rows)}


def feedback(rng: Rng, rows: int) -> Arrays:
    ref = -rng.uniform(5, 90, size=rows)
    return {
        "policy": np.minimum(ref + 4 * rng.normal(size=rows), -0.01),
        "reference": ref,
        "target": rng.integers(0, 2, size=rows).astype(float),
        "weight": weights(rng, rows),
    }


RANDOM = {
    "preferences": preferences,
    "mean-preferences": mean_preferences,
    "preferences-with-nll": preferences_with_nll,
    "feedback": feedback,
}

EDGES: dict[str, dict[str, Any]] = {
    "preference-edges": {  # no change; far apart both ways; differences that cancel; ruled out
        "policy-chosen": [-10.0, -1.0, -9000.0, -1000.1, -0.3, -5.0, -20.0, -1e5],
        "policy-rejected": [-12.0, -9000.0, -1.0, -1000.3, -0.1, -6.0, -np.inf, -1e5 - 1e-9],
        "ref-chosen": [-10.0, -2.0, -3.0, -1000.1, -0.2, -5.0, -20.0, -1e5],
        "ref-rejected": [-12.0, -2.0, -3.0, -1000.30000000001, -0.2, -5.0, -20.0, -1e5],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0, 0.0, 1.0, 1.0],
    },
    "finite-preferences": {
        "policy-chosen": [-10.0, -1.0, -9000.0, -1000.1, -5.0],
        "policy-rejected": [-12.0, -9000.0, -1.0, -1000.3, -10.0],
        "ref-chosen": [-10.0, -2.0, -3.0, -1000.1, -5.0],
        "ref-rejected": [-12.0, -2.0, -3.0, -1000.30000000001, -5.0],
        "chosen-length": [5.0, 1.0, 700.0, 300.0, 1.0],
        "rejected-length": [7.0, 900.0, 1.0, 300.0, 3.0],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0],
    },
    "odds-edges": {  # near probability 1 and 0, at them, and equal
        "policy-chosen": [-1e-12, -1e-300, -700.0, -1000.0, -0.7, -1e-9, 0.0, -2.0, -np.inf],
        "policy-rejected": [-1.0, -1e-3, -1e-8, -2.0, -0.7, -2e-9, -1.0, 0.0, -1.0],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0, 0.0, 1.0, 1.0, 1.0],
    },
    "feedback-edges": {  # no change, far both ways, ruled out
        "policy": [-10.0, -1.0, -9000.0, -1.0, -9000.0, -np.inf, -20.0],
        "reference": [-10.0, -9000.0, -1.0, -9000.0, -1.0, -3.0, -np.inf],
        "target": [1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0, 1.0, 1.0],
    },
}

BETAS: tuple[dict[str, float], ...] = ({}, {"beta": 0.5})


def dpo() -> list[Case]:
    found = []
    for params in (*BETAS, {"label_smoothing": 0.1}, {"beta": 2.5, "label_smoothing": 0.3}):
        b, s = params.get("beta", 0.1), params.get("label_smoothing", 0.0)
        rows = f"-(1 - {s}) * F.logsigmoid({b} * {GAP}) - {s} * F.logsigmoid(-{b} * {GAP})"
        found.append(by_rows("dpo", "preferences", torch(rows), **params))
        loop = exact(f"dpo_rows({FOUR}, {b}, {s})")
        found.append(case("dpo", "preference-edges", rows=loop, **params))
    return found


def hinge() -> list[Case]:
    found = []
    for params in BETAS:
        b = params.get("beta", 0.1)
        found.append(by_rows("dpo-hinge", "preferences", torch(f"torch.relu(1 - {b} * {GAP})"), **params))
        found.append(case("dpo-hinge", "preference-edges", rows=exact(f"dpo_hinge_rows({FOUR}, {b})"), **params))
    return found


def ipo() -> list[Case]:
    found = []
    for params in BETAS:
        b = params.get("beta", 0.1)
        by_token = "(policy_chosen - ref_chosen) / chosen_length - (policy_rejected - ref_rejected) / rejected_length"
        rows = torch(f"({by_token} - 1 / (2 * {b})) ** 2")
        found.append(by_rows("ipo", "preferences", rows, **params))
        loop = exact(f"ipo_rows({FOUR}, chosen_length, rejected_length, {b})")
        found.append(case("ipo", "finite-preferences", rows=loop, **params))
        whole = torch(f"({GAP} - 1 / (2 * {b})) ** 2")
        found.append(by_rows("ipo", "preferences", whole, length_normalize=False, **params))
        loop = exact(f"ipo_rows({FOUR}, beta={b})")
        found.append(case("ipo", "preference-edges", rows=loop, length_normalize=False, **params))
    return found


def orpo() -> list[Case]:
    found = []
    odds = "(policy_chosen - torch.log(-torch.expm1(policy_chosen)))"
    gap = f"({odds} - {odds.replace('chosen', 'rejected')})"
    for params in ({}, {"lam": 1.5}, {"lam": 0.0}):
        lam = params.get("lam", 0.1)
        for data, nll in (("mean-preferences", "-policy_chosen"), ("preferences-with-nll", "nll")):
            found.append(by_rows("orpo", data, torch(f"{nll} - {lam} * F.logsigmoid({gap})"), **params))
        loop = exact(f"orpo_rows(policy_chosen, policy_rejected, None, {lam})")
        found.append(case("orpo", "odds-edges", rows=loop, **params))
    return found


def simpo() -> list[Case]:
    found = []
    for params in ({}, {"beta": 2.5, "gamma": 1.4}, {"gamma": 0.0}):
        b, g = params.get("beta", 2.0), params.get("gamma", 0.5)
        rows = torch(f"-F.logsigmoid({b} * (policy_chosen - policy_rejected - {g} / {b}))")
        found.append(by_rows("simpo", "mean-preferences", rows, **params))
        loop = exact(f"simpo_rows(policy_chosen, policy_rejected, {b}, {g})")
        found.append(case("simpo", "odds-edges", rows=loop, **params))
    return found


def kto() -> list[Case]:
    found = []
    for params in (
        {},
        {"beta": 0.5, "kl": 1.25},
        {"desirable_weight": 1.33, "undesirable_weight": 0.5},
    ):
        b, k = params.get("beta", 0.1), params.get("kl", 0.0)
        d, u = params.get("desirable_weight", 1.0), params.get("undesirable_weight", 1.0)
        good = f"{d} * (1 - torch.sigmoid({b} * (policy - reference - {k})))"
        bad = f"{u} * (1 - torch.sigmoid({b} * ({k} - (policy - reference))))"
        found.append(by_rows("kto", "feedback", torch(f"torch.where(target == 1, {good}, {bad})"), **params))
    for params in BETAS:
        loop = exact(f"kto_rows(policy, reference, target, {params.get('beta', 0.1)})")
        found.append(case("kto", "feedback-edges", value(torch("rows.mean()")), rows=loop, **params))
    return found


def cases() -> list[Case]:
    return [*dpo(), *hinge(), *ipo(), *orpo(), *simpo(), *kto()]


SUITS = {
    ("dpo", "torch"): [[Suit("preferences"), Suit("preferences", {"beta": 0.5, "label_smoothing": 0.2})]],
    ("dpo-hinge", "torch"): [[Suit("preferences"), Suit("preferences", {"beta": 0.5})]],
    ("ipo", "torch"): [
        [Suit("preferences"), Suit("preferences", {"beta": 0.5})],
        [Suit("preferences", {"length_normalize": False})],
    ],
    ("orpo", "torch"): [[Suit("preferences-with-nll"), Suit("preferences-with-nll", {"lam": 0.5})]],
    ("simpo", "torch"): [[Suit("mean-preferences"), Suit("mean-preferences", {"beta": 2.5, "gamma": 1.0})]],
    ("kto", "torch"): [
        [Suit("feedback"), Suit("feedback", {"kl": 0.5, "desirable_weight": 2.0, "undesirable_weight": 0.5})]
    ],
}
