"""Golden cases of features against class prototypes, and of the adaptive softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Suit
from declare import case, like, naive, torch, value
from inputs import CLASSES, Rng, weights

FEATURES = 5
LAYERS = {"head.weight": (5, FEATURES), "tail.0.0.weight": (3, FEATURES), "tail.0.1.weight": (4, 3)}
MORE = {"tail.1.0.weight": (2, FEATURES), "tail.1.1.weight": (3, 2)}
HEAVY = [0.5, 1.0, 2.0, 0.25]


def projected(bias: bool, ignored: int = -100) -> Any:
    def make(rng: Rng, rows: int) -> dict[str, Any]:
        target = np.arange(rows) % CLASSES
        rng.shuffle(target)
        target[2::5] = ignored
        made = {
            "features": rng.normal(size=(rows, FEATURES)),
            "target": target,
            "prototypes": rng.normal(size=(CLASSES, FEATURES)),
        }
        return {**made, **({"bias": rng.normal(size=CLASSES)} if bias else {}), "weight": weights(rng, rows)}

    return make


def clustered(head_bias: bool) -> Any:
    """Three frequent classes, a tail of four and one of three."""

    def make(rng: Rng, rows: int) -> dict[str, Any]:
        layers = {name: rng.normal(size=shape) for name, shape in {**LAYERS, **MORE}.items()}
        if head_bias:
            layers["head.bias"] = rng.normal(size=5)
        return {
            "features": rng.normal(size=(rows, FEATURES)),
            "target": np.arange(rows) % 10,
            "clusters": layers,
            "weight": weights(rng, rows),
        }

    return make


RANDOM = {
    "projected": projected(bias=False),
    "projected-bias": projected(bias=True),
    "projected-255": projected(bias=False, ignored=2),
    "clustered": clustered(head_bias=False),
    "clustered-bias": clustered(head_bias=True),
}
EDGES = {
    "cancelling-features": {  # sums of products that cancel to the last digit
        "features": [[1e8, 1.0, -1e8], [1e-200, 1e-200, 1.0], [1e154, -1e154, 1.0]],
        "target": [0, 1, 1],
        "prototypes": [[1e8, 0.5, 1e8], [1e8, 0.25, 1e8]],
        "weight": [1.0, 2.0, 0.5],
    },
}


def linear() -> list[Case]:
    found = []
    for data, logits in (
        ("projected", "F.linear(features, prototypes)"),
        ("projected-bias", "F.linear(features, prototypes, bias)"),
    ):
        for params in ({}, {"class_weight": HEAVY}, {"label_smoothing": 0.1}):
            said = {"class_weight": "weight=class_weight"}
            words = "".join(f", {said.get(key, f'{key}={item}')}" for key, item in params.items())
            own = "class_weight[target.clamp(min=0)]" if "class_weight" in params else "torch.ones(len(target))"
            mean = f"F.cross_entropy({logits}, target{words})"
            rows = mean[:-1] + ", reduction='none')"
            weighted = f"(weight * rows).sum() / (weight * {own} * (target != -100)).sum()"
            found.append(
                case(
                    "linear-cross-entropy",
                    data,
                    value(torch(mean)),
                    value(torch(f"{rows}.sum()"), reduction="sum"),
                    value(torch(weighted), weight="weight"),
                    like("torch", torch(mean)),
                    rows=torch(rows),
                    **params,
                )
            )
    other = "F.cross_entropy(F.linear(features, prototypes), target, ignore_index=2{})"
    found.append(
        case(
            "linear-cross-entropy",
            "projected-255",
            value(torch(other.format(""))),
            rows=torch(other.format(", reduction='none'")),
            ignore_index=2,
        )
    )
    rows = naive("projected_rows(features, target, prototypes)")
    found.append(case("linear-cross-entropy", "cancelling-features", value(naive("sum(rows) / 3")), rows=rows))
    return found


def adaptive() -> list[Case]:
    found = []
    for data in ("clustered", "clustered-bias"):
        rows = "-adaptive(clusters, features, target).output"
        loss = "adaptive(clusters, features, target).loss"
        found.append(
            case(
                "adaptive-log-softmax",
                data,
                value(torch(loss)),
                value(torch("rows.sum()"), reduction="sum"),
                value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
                like("torch", torch(loss)),
                rows=torch(rows),
            )
        )
    found.append(
        case(
            "adaptive-log-softmax",
            "clustered",
            value(torch("(rows * (target != 4)).sum() / (target != 4).sum()")),
            rows=torch("-adaptive(clusters, features, target).output * (target != 4)"),
            ignore_index=4,
        )
    )
    return found


def cases() -> list[Case]:
    return [*linear(), *adaptive()]


SUITS = {
    ("linear-cross-entropy", "torch"): [[Suit("projected"), Suit("projected", {"class_weight": HEAVY})]],
    ("adaptive-log-softmax", "torch"): [[Suit("clustered"), Suit("clustered-bias")]],
}
