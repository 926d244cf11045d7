"""Golden cases of triplets."""

from __future__ import annotations

from cases import Case, Suit
from declare import like, pointwise, torch

NONE = "reduction='none'"


DISTANCES = {
    "cosine": "lambda u, v: 1 - F.cosine_similarity(u, v)",
    "sqeuclidean": "lambda u, v: ((u - v) ** 2).sum(-1)",
    "manhattan": "lambda u, v: F.pairwise_distance(u, v, p=1, eps=0.0)",
}


def triplets() -> list[Case]:
    found = []
    for loss in ("triplet-margin", "triplet-margin-with-distance"):
        for data in ("triplets", "triplet-edges"):
            for params in (
                {},
                {"margin": 0.2},
                {"p": 1.0},
                {"p": 3.5},
                {"eps": 0.01},
                {"eps": 0.0},
                {"swap": True},
                {"p": 1.0, "eps": 1e-3, "margin": 2.0, "swap": True},
            ):
                said = "".join(f", {key}={item}" for key, item in params.items())
                call = f"F.triplet_margin_loss(anchor, positive, negative{said}, {NONE})"
                same = like("torch", torch(call.replace(NONE, "reduction='mean'")))
                found.append(pointwise(loss, data, call, same, **params))
            for distance, function in DISTANCES.items():
                for extra in ({}, {"margin": 0.2, "swap": True}):
                    said = "".join(f", {key}={item}" for key, item in extra.items())
                    inputs = "anchor, positive, negative"
                    call = f"F.triplet_margin_with_distance_loss({inputs}, distance_function={function}{said}, {NONE})"
                    found.append(pointwise(loss, data, call, distance=distance, **extra))
    found.append(
        pointwise(
            "triplet-margin-with-distance",
            "triplets",
            f"F.triplet_margin_with_distance_loss(anchor, positive, negative, {NONE})",
            margin=1.0,
        )
    )
    return found


def cases() -> list[Case]:
    return triplets()


SUITS = {
    ("triplet-margin", "torch"): [
        [
            Suit("triplets"),
            Suit("triplets", {"margin": 0.2, "p": 1.0, "eps": 0.01, "swap": True}),
            Suit("triplet-edges"),
        ]
    ],
}
