"""Golden cases of penalties on parameters."""

from __future__ import annotations

from typing import Any

from cases import Case, Suit
from declare import case, keras, like, naive, torch, value
from inputs import Arrays, Rng, weights


def model(rng: Rng, rows: int) -> Arrays:
    return {"parameters": rng.normal(size=rows), "weight": weights(rng, rows)}


def layer(rng: Rng, rows: int) -> Arrays:
    return {"parameters": rng.normal(size=(rows, 4)), "weight": weights(rng, rows)}


RANDOM = {"model": model, "layer": layer}

EDGES: dict[str, dict[str, Any]] = {
    "parameter-edges": {  # squares from 1e-240 to 1e300
        "parameters": [0.0, -0.0, 1.0, -2.5, 1e-120, -1e150, 3.0],
        "weight": [1.0, 2.0, 0.5, 0.0, 1.0, 1.0, 1.0],
    }
}

SIZE, SQUARE = "parameters.abs()", "parameters ** 2"


def penalty(loss: str, term: str, loop: str, *more: Any, **params: Any) -> list[Case]:
    """``term`` is what a parameter adds, ``loop`` the same by fractions."""
    found = []
    for data in ("model", "layer", "parameter-edges"):
        wide = data == "layer"
        rows = f"({term}).sum(1)" if wide else term
        found.append(
            case(
                loss,
                data,
                value(naive(loop)),
                value(torch(f"({term}).mean()" if not wide else "rows.mean()"), reduction="mean"),
                value(torch("rows.max()"), reduction="max"),
                value(torch("(weight * rows).sum()"), weight="weight"),
                *more,
                rows=torch(rows),
                **params,
            )
        )
    return found


def cases() -> list[Case]:
    l1 = like("keras", keras(f"regularizers.L1({1.0})(parameters)"))
    l2 = like("keras", keras("regularizers.L2(1.0)(parameters)"))
    half = like("torch", torch(f"({SQUARE}).sum() / 2"))
    both = like("keras", keras("regularizers.L1L2(l1=0.5, l2=0.5)(parameters)"))
    mixed = "{lam} * ({r} * parameters.abs() + (1 - {r}) * {h} * parameters ** 2)"
    return [
        *penalty("l1-penalty", SIZE, "penalty_of(parameters, 1.0, 1.0)", l1),
        *penalty("l1-penalty", f"0.01 * {SIZE}", "penalty_of(parameters, 0.01, 1.0)", lam=0.01),
        *penalty("l1-penalty", f"0.0 * {SIZE}", "penalty_of(parameters, 0.0, 1.0)", lam=0.0),
        *penalty("l2-penalty", f"({SQUARE}) / 2", "penalty_of(parameters, 1.0, 0.0)", l2, half),
        *penalty("l2-penalty", f"0.3 * {SQUARE}", "penalty_of(parameters, 0.3, 0.0, False)", lam=0.3, half=False),
        *penalty("elastic-net", mixed.format(lam=1.0, r=0.5, h=0.5), "penalty_of(parameters, 1.0, 0.5)", both),
        *penalty(
            "elastic-net",
            mixed.format(lam=0.3, r=0.15, h=1.0),
            "penalty_of(parameters, 0.3, 0.15, False)",
            lam=0.3,
            l1_ratio=0.15,
            half=False,
        ),
        *penalty("elastic-net", SIZE, "penalty_of(parameters, 1.0, 1.0)", l1_ratio=1.0),
        *penalty("elastic-net", f"({SQUARE}) / 2", "penalty_of(parameters, 1.0, 0.0)", l1_ratio=0.0),
    ]


LIKE_KERAS = {"like": "keras"}
LAM = {"lam": 0.3}

SUITS = {
    ("l1-penalty", "keras"): [[Suit("model"), Suit("layer", LAM)]],
    ("l1-penalty", "torch"): [[Suit("model"), Suit("layer", LAM)]],
    ("l2-penalty", "torch"): [[Suit("model"), Suit("layer", LAM)]],
    ("l2-penalty", "keras"): [
        [Suit("model", {"half": False}), Suit("layer", LAM, LIKE_KERAS), Suit("model", differs=True)]
    ],
    ("elastic-net", "torch"): [[Suit("model"), Suit("layer", {**LAM, "l1_ratio": 0.2})]],
    ("elastic-net", "keras"): [
        [
            Suit("model", {"half": False}),
            Suit("layer", {**LAM, "l1_ratio": 0.2}, LIKE_KERAS),
            Suit("model", differs=True),
        ]
    ],
}
