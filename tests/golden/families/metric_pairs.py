"""Golden cases of pairs of vectors, and of triplets with a soft margin."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Suit
from declare import NONE, by_rows, exact, like, naive, pointwise, torch
from inputs import Rng, weights

WIDTH = 4


def paired(signs: bool) -> Any:
    def make(rng: Rng, rows: int) -> dict[str, Any]:
        x1 = rng.normal(size=(rows, WIDTH))
        same = rng.random(rows) < 0.5
        return {
            "x1": x1,
            "x2": x1 + np.where(same, 0.3, 1.0)[:, None] * rng.normal(size=(rows, WIDTH)),
            "target": np.where(same, 1.0, -1.0 if signs else 0.0),
            "weight": weights(rng, rows),
        }

    return make


def distances(rng: Rng, rows: int) -> dict[str, Any]:
    return {
        "pred": np.abs(rng.normal(size=rows)),
        "target": rng.integers(0, 2, size=rows).astype(float),
        "weight": weights(rng, rows),
    }


RANDOM = {"signed-pairs": paired(signs=True), "labelled-pairs": paired(signs=False), "pair-distances": distances}
FAR = [[1.0, 0.0], [0.0, 0.0], [3.0, 4.0], [1.0, 1.0], [-2.0, 1.0], [1e200, 1e200], [1e-200, 0.0], [1e-5, 0.0]]
NEAR = [[1.0, 1e-9], [1.0, 2.0], [3.0, 4.0], [-1.0, -1.0], [2.0, -1.0], [1e200, 1e200], [1e-200, 0.0], [1e-5, 1e-6]]
HEAVY = [1.0, 2.0, 0.5, 1.0, 3.0, 1.0, 0.0, 1.0]
EDGES = {
    # almost parallel, zero, equal, opposite, huge, tiny
    "pair-sign-edges": {"x1": FAR, "x2": NEAR, "target": [1.0] * 8, "weight": HEAVY},
    "pair-minus-edges": {"x1": FAR, "x2": NEAR, "target": [-1.0] * 8, "weight": HEAVY},
    "zero-one-pairs": {"x1": FAR[:5], "x2": NEAR[:5], "target": [1.0, 0.0, 1.0, 0.0, 0.0], "weight": HEAVY[:5]},
    "pair-label-edges": {  # equal, exactly the margin apart, at sizes whose squares leave the range of floats
        "x1": [[0.0, 0.0], [1.0, 0.0], [1e-170, 0.0], [1e160, 0.0], [3.0, 4.0], [0.6, 0.8]],
        "x2": [[0.0, 0.0], [0.0, 0.0], [0.0, 1e-170], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]],
        "target": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "weight": [1.0, 2.0, 0.5, 1.0, 0.0, 1.0],
    },
    "pair-distance-edges": {
        "pred": [0.0, 0.0, 1.0, 1.0, 1e-170, 1e160, 0.25, 1e150],
        "target": [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0],
        "weight": HEAVY,
    },
    "soft-edges": {  # as far, far closer, far farther (log1p(e^-700) and 1e4), all equal
        "anchor": [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [1.0, 1.0]],
        "positive": [[3.0, 4.0], [0.0, 0.0], [6000.0, 8000.0], [1.0, 1.0]],
        "negative": [[4.0, 3.0], [420.0, 560.0], [0.0, 0.0], [1.0, 1.0]],
        "weight": [1.0, 2.0, 0.5, 1.0],
    },
}


def cosines() -> list[Case]:
    found = []
    for data in ("signed-pairs", "pair-minus-edges"):
        for params in ({}, {"margin": 0.3}, {"margin": -0.5}):
            said = "".join(f", {key}={item}" for key, item in params.items())
            if data == "signed-pairs":
                call = f"F.cosine_embedding_loss(x1, x2, target{said}, {NONE})"
                same = like("torch", torch(call.replace(NONE, "reduction='mean'")))
                found.append(pointwise("cosine-embedding", data, call, same, **params))
            else:
                rows = naive(f"cosine_embedding_rows(x1, x2, target{said})")
                found.append(by_rows("cosine-embedding", data, rows, **params))
    found.append(by_rows("cosine-embedding", "pair-sign-edges", exact("cosine_embedding_rows(x1, x2, target)")))
    zero_one = "F.cosine_embedding_loss(x1, x2, 2 * target - 1, {}reduction='none')"
    for params, said in (({}, ""), ({"labels": "01", "margin": 0.1}, "margin=0.1, ")):
        found.append(by_rows("cosine-embedding", "zero-one-pairs", torch(zero_one.format(said)), **params))
    return found


def contrasts() -> list[Case]:
    found = []
    ways = [{}, {"margin": 2.0}, {"similar": 0}, {"half": False}]
    for loss, inputs, data in (
        ("contrastive", "x1, x2, target", ("labelled-pairs", "pair-label-edges")),
        ("contrastive-distance", "pred, target", ("pair-distances", "pair-distance-edges")),
    ):
        more = [{"p": 1.0}, {"p": 3.0, "margin": 0.5, "half": False}] if loss == "contrastive" else []
        for name in data:
            for params in [*ways, *more]:
                said = "".join(f", {key}={item}" for key, item in params.items())
                rows = exact(f"{loss.replace('-', '_')}_rows({inputs}{said})")
                found.append(by_rows(loss, name, rows, **params))
    return found


def soft() -> list[Case]:
    call = "F.softplus((anchor - positive).norm(dim=1) - (anchor - negative).norm(dim=1), threshold=700)"
    return [
        by_rows("soft-triplet", "triplets", torch(call)),
        by_rows("soft-triplet", "soft-edges", exact("soft_triplet_rows(anchor, positive, negative)")),
    ]


def cases() -> list[Case]:
    return [*cosines(), *contrasts(), *soft()]


SUITS = {
    ("cosine-embedding", "torch"): [[Suit("signed-pairs"), Suit("signed-pairs", {"margin": 0.3})]],
    ("contrastive", "torch"): [
        [Suit("labelled-pairs"), Suit("labelled-pairs", {"p": 1.0, "margin": 2.0, "half": False})]
    ],
    ("soft-triplet", "torch"): [[Suit("triplets")]],
}
