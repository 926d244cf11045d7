"""Golden cases of losses with a penalty on the parameters of the model."""

from __future__ import annotations

from typing import Any

from cases import Case, Reduced, Suit
from declare import case, naive, torch, value
from inputs import Arrays, Rng, classes, columns, logits, reals

W = "parameters"


def beside(make: Any, *shape: int) -> Any:
    def with_parameters(rng: Rng, rows: int) -> Arrays:
        return {**make(rng, rows), "parameters": rng.normal(size=shape)}

    return with_parameters


RANDOM = {
    "model-of-reals": beside(reals, 7),
    "model-of-columns": beside(columns, 3, 2),
    "model-of-logits": beside(logits, 2, 3, 2),
    "model-of-classes": beside(classes, 5),
}

EDGES: dict[str, dict[str, Any]] = {
    "heavy-model": {  # squares from 1e-240 to 1e300
        "pred": [1.0, 2.0, -3.0],
        "target": [0.5, 2.0, 1.0],
        "parameters": [1e-120, -1e150, 0.0, 3.0],
        "weight": [1.0, 2.0, 0.5],
    }
}

PENALTIES: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({}, f"({W} ** 2).sum() / 2", "penalty_of(parameters, 1.0, 0.0)"),
    ({"penalty": "l1", "lam": 0.3}, f"0.3 * {W}.abs().sum()", "penalty_of(parameters, 0.3, 1.0)"),
    ({"half": False, "lam": 0.01}, f"0.01 * ({W} ** 2).sum()", "penalty_of(parameters, 0.01, 0.0, False)"),
    ({"penalty": "linf"}, f"{W}.abs().max()", "max(map(abs, parameters))"),
    (
        {"penalty": "elasticnet", "l1_ratio": 0.25, "lam": 2.0},
        f"2.0 * (0.25 * {W}.abs().sum() + 0.375 * ({W} ** 2).sum())",
        "penalty_of(parameters, 2.0, 0.25)",
    ),
    ({"lam": 0.0}, "0.0", "0.0"),
)


def whole(rows: str, price: str, mean: str) -> list[Reduced]:
    return [
        value(torch(f"{mean} + {price}")),
        value(torch(f"{rows}.sum() + {price}"), reduction="sum"),
        value(torch(f"(weight * rows).sum() / weight.sum() + {price}"), weight="weight"),
    ]


def cases() -> list[Case]:
    found = []
    square = "F.mse_loss(pred, target, reduction='none')"
    for params, price, loop in PENALTIES:
        found.append(
            case(
                "structural-risk", "model-of-reals", *whole(square, price, "rows.mean()"), rows=torch(square), **params
            )
        )
        wide = [value(torch(f"{square}.mean() + {price}")), value(torch(f"{square}.sum() + {price}"), reduction="sum")]
        found.append(case("structural-risk", "model-of-columns", *wide, rows=torch(f"{square}.mean(1)"), **params))
        total = naive(f"sum((p - t) ** 2 for p, t in zip(pred, target)) / len(pred) + {loop}")
        found.append(case("structural-risk", "heavy-model", value(total), rows=torch(square), **params))
    price = f"0.1 * {W}.abs().sum()"
    for data, loss, rows in (
        ("model-of-reals", "huber:delta=0.5", "F.huber_loss(pred, target, delta=0.5, reduction='none')"),
        ("model-of-reals", "mae", "(pred - target).abs()"),
        (
            "model-of-logits",
            "bce-with-logits:pos_weight=3",
            "F.binary_cross_entropy_with_logits(pred, target, pos_weight=torch.tensor(3.0), reduction='none')",
        ),
        (
            "model-of-classes",
            "cross-entropy:label_smoothing=0.1",
            "F.cross_entropy(pred, target, label_smoothing=0.1, reduction='none')",
        ),
    ):
        made = whole(rows, price, "rows.mean()")
        found.append(
            Case("structural-risk", data, {"loss": loss, "penalty": "l1", "lam": 0.1}, torch(rows), tuple(made)),
        )
    return found


MODELS = [Suit("model-of-reals"), Suit("model-of-columns", {"lam": 0.1})]
HUBER = {"loss": "huber", "penalty": "l1", "lam": 0.1}

SUITS = {("structural-risk", "torch"): [MODELS, [Suit("model-of-reals", HUBER)]]}
