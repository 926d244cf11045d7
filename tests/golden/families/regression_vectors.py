"""Golden cases of vectors against vectors."""

from __future__ import annotations

from typing import Any

from cases import Case, Suit
from declare import case, like, naive, optax, sklearn, torch, value
from inputs import Arrays, Rng, weights


def vectors(rng: Rng, rows: int) -> Arrays:
    target = rng.normal(size=(rows, 5))
    return {"pred": target + 1.5 * rng.normal(size=(rows, 5)), "target": target, "weight": weights(rng, rows)}


def near(angle: float) -> tuple[list[float], list[float]]:
    """Two vectors of different lengths at a small angle."""
    return [0.3, -1.7, 0.9], [0.3 * 3, -1.7 * 3 * (1 + angle), 0.9 * 3]


RANDOM = {"vectors": vectors}

NEAR = [near(10.0**-k) for k in range(1, 16)]
EDGES: dict[str, dict[str, Any]] = {
    "vector-edges": {  # equal, parallel, opposite, at right angles, zero on one side or both
        "pred": [[1.0, 2.0], [1.0, 2.0], [3.0, 4.0], [1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [5.0, -12.0]],
        "target": [[1.0, 2.0], [3.0, 6.0], [-6.0, -8.0], [0.0, 7.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [5.0, 12.0]],
        "weight": [1.0, 2.0, 0.5, 3.0, 1.0, 0.0, 1.0, 2.0],
    },
    "near-vectors": {  # 1 - cos loses its digits here, down to the last
        "pred": [a for a, _ in NEAR] + [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]],
        "target": [b for _, b in NEAR] + [[1.0, 1.0, 1.0 + 2.0**-52], [1.0, 1e-9, -1e-12]],
        "weight": [1.0] * 17,
    },
    "vector-sizes": {  # squares leave the float range
        "pred": [[1e200, 2e200], [1e-200, -3e-200], [1e308, 1e308], [5e-324, 1e-323], [1e154, 1e-170], [1e200, 1.0]],
        "target": [[2e200, 1e200], [4e-200, 1e-200], [-1e308, 1e307], [1e300, 1e300], [3.0, 4.0], [1e-200, 1e-250]],
        "weight": [1.0, 2.0, 0.5, 1.0, 0.0, 3.0],
    },
    "short-vectors": {  # norms on both sides of eps
        "pred": [[0.3, 0.4], [3.0, 4.0], [0.0, 0.0], [0.03, -0.04], [0.6, 0.8]],
        "target": [[1.0, 2.0], [0.1, 0.1], [1.0, 1.0], [-0.02, 0.05], [0.6, 0.8]],
        "weight": [1.0, 2.0, 1.0, 0.0, 0.5],
    },
    "whole-vectors": {  # single precision holds all of it
        "pred": [[3.0, 4.0], [1.0, 0.0], [-4.0, 3.0]],
        "target": [[6.0, 8.0], [0.0, 2.0], [4.0, -3.0]],
        "weight": [1.0, 2.0, 1.0],
    },
}


def cases() -> list[Case]:
    exact = "1 - F.cosine_similarity(pred, target, eps=0.0)"
    default = "1 - F.cosine_similarity(pred, target)"
    plain = [
        value(torch(f"({exact}).mean()")),
        value(torch(f"({exact}).sum()"), reduction="sum"),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
        value(torch("(weight * rows).sum() / len(weight)"), weight="weight", weight_norm="n"),
        value(torch("rows.max()"), reduction="max"),
        value(torch("rows.quantile(0.5)"), reduction="median"),
        value(sklearn("pairwise.paired_cosine_distances(target, pred).mean()")),
        like("torch", torch(f"({default}).mean()")),
        like("optax", optax("cosine_distance(pred, target).mean()")),
    ]
    found = [case("cosine-distance", "vectors", *plain, rows=torch(exact))]
    for data in ("vector-edges", "near-vectors", "vector-sizes", "short-vectors"):
        rows = "cosine_rows(pred, target)"
        reduced = [value(naive(f"mean({rows})")), value(naive(f"mean({rows}, weight)"), weight="weight")]
        found.append(case("cosine-distance", data, *reduced, rows=naive(rows)))
    found.append(
        case(
            "cosine-distance",
            "short-vectors",
            value(torch("(1 - F.cosine_similarity(pred, target, eps=0.5)).mean()")),
            value(optax("cosine_distance(pred, target, epsilon=0.25).mean()")),
            rows=torch("1 - F.cosine_similarity(pred, target, eps=0.5)"),
            eps=0.5,
        )
    )
    for data in ("vectors", "vector-sizes", "vector-edges"):
        found.append(case("cosine-distance", data, rows=naive("cosine_rows(pred, target, 3.5)"), eps=3.5))
    found.append(
        case(
            "cosine-distance",
            "vector-edges",
            like("torch", torch(f"({default}).mean()")),
            rows=torch(default),
            eps=1e-8,
        )
    )
    return found


def suits(*more: Suit) -> list[list[Suit]]:
    return [[Suit("vectors"), Suit("whole-vectors"), *more]]


SUITS = {
    ("cosine-distance", "torch"): suits(Suit("short-vectors", {"eps": 0.5}), Suit("vector-edges", {"eps": 1e-8})),
    ("cosine-distance", "optax"): suits(Suit("short-vectors", {"eps": 0.5}), Suit("vector-edges", differs=True)),
    ("cosine-distance", "keras"): suits(Suit("vector-edges"), Suit("vector-sizes", differs=True)),
    ("cosine-distance", "sklearn"): suits(Suit("vector-edges", differs=True)),
    ("cosine-distance", "torchmetrics"): [[Suit("whole-vectors"), Suit("vectors", differs=True)]],
    ("cosine-distance", "scipy"): suits(Suit("vector-edges", differs=True)),
}
