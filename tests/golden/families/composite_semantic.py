"""Golden cases of the semantic loss: brute force over all assignments, in many digits."""

from __future__ import annotations

from typing import Any

from cases import Case, Suit
from declare import by_rows, case, exact, torch, value
from inputs import Arrays, Rng, weights

WIDE = 5


def propositions(rng: Rng, rows: int) -> Arrays:
    return {"pred": rng.uniform(0.01, 0.99, size=(rows, WIDE)), "weight": weights(rng, rows)}


def proposition_logits(rng: Rng, rows: int) -> Arrays:
    return {"pred": 3 * rng.normal(size=(rows, WIDE)), "weight": weights(rng, rows)}


RANDOM = {"propositions": propositions, "proposition-logits": proposition_logits}

EDGES: dict[str, dict[str, Any]] = {
    "proposition-edges": {  # sure, impossible, two at once, none, nearly sure, ties
        "pred": [
            [1.0, 0.0, 0.0, 0.0, 0.0],
            [1.0, 1.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0],
            [0.5, 0.5, 0.5, 0.5, 0.5],
            [1.0 - 2.0**-53, 1e-17, 1e-300, 1e-20, 1e-9],
            [1e-9, 1e-10, 1e-300, 1e-20, 1e-9],
            [0.25, 1e-200, 1e-300, 1.0, 1.0],
        ]
    },
    "far-propositions": {  # logits far beyond the range of exp, and losses from 1e-22 to 2e3
        "pred": [
            [50.0, -50.0, -51.0, -52.0, -50.0],
            [-60.0, 70.0, 80.0, -745.0, -800.0],
            [1000.0, -1000.0, -900.0, 0.5, 0.25],
            [-400.0, -500.0, -600.0, -700.0, -800.0],
            [400.0, 500.0, 600.0, 700.0, 800.0],
            [0.0, 0.0, 1e-17, -1e-17, 0.0],
            [-1.0, 1000.0, 1000.0, 1000.0, 1000.0],
        ]
    },
    "single-proposition": {"pred": [[0.25], [1e-12], [1.0]]},
}

RULES = ("exactly-one", "at-least-one", "at-most-one", "rule.cnf")


def cases() -> list[Case]:
    found = []
    for constraint in (*RULES, "never.cnf"):
        given = {} if constraint == "exactly-one" else {"constraint": constraint}
        for data, form in (("propositions", "probs"), ("proposition-logits", "logits")):
            params = given if form == "probs" else {**given, "input": form}
            loop = exact(f"semantic_rows(pred, {constraint!r}, {form!r})")
            never = constraint == "never.cnf"
            found.append((case if never else by_rows)("semantic", data, rows=loop, **params))
            edges = "proposition-edges" if form == "probs" else "far-propositions"
            found.append(case("semantic", edges, rows=loop, **params))
    for constraint in RULES[:3]:
        loop = exact(f"semantic_rows(pred, {constraint!r}, 'probs')")
        found.append(case("semantic", "single-proposition", rows=loop, constraint=constraint))
    half = exact("[w / 2 for w in semantic_rows(pred, 'exactly-one', 'probs')]")
    nothing = value(torch("0.0 * rows.sum()"))
    return [
        *found,
        by_rows("semantic", "propositions", half, term_weight=0.5),
        case("semantic", "propositions", nothing, rows=torch("0.0 * pred[:, 0]"), term_weight=0.0),
    ]


SUITS = {
    ("semantic", "torch"): [
        [Suit("propositions"), Suit("propositions", {"term_weight": 0.005})],
        [Suit("propositions", {"constraint": "at-least-one"})],
    ]
}
