"""Golden cases of scores of probability forecasts."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Suit
from declare import case, like, naive, sklearn, value
from inputs import Arrays, Rng, class_probabilities, probabilities


def two_classes(rng: Rng, rows: int) -> Arrays:
    arrays = probabilities(rng, rows)
    return {**arrays, "pred": np.stack([1 - arrays["pred"], arrays["pred"]], axis=1)}


def one_hot_classes(rng: Rng, rows: int) -> Arrays:
    arrays = class_probabilities(rng, rows)
    return {**arrays, "target": np.eye(arrays["pred"].shape[1])[arrays["target"]]}


RANDOM = {"two-class-probabilities": two_classes, "one-hot-forecasts": one_hot_classes}

EDGES: dict[str, dict[str, Any]] = {
    "two-class-edges": {"pred": [[0.8, 0.2], [0.3, 0.7], [1.0, 0.0]], "target": [0, 1, 1], "weight": [1.0, 2.0, 0.5]},
    "one-hot-edges": {
        "pred": [[0.0, 0.0, 1.0], [0.25, 0.25, 0.5], [0.3, 0.3, 0.4]],
        "target": [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
        "weight": [1.0, 2.0, 0.5],
    },
}


def cases() -> list[Case]:
    found = []
    for data, labels in (
        ("probabilities", ""),
        ("hard-probability-edges", ""),
        ("class-probabilities", ", labels=[0, 1, 2, 3]"),
        ("class-probability-edges", ", labels=[0, 1, 2]"),
        ("two-class-probabilities", ", labels=[0, 1]"),
        ("two-class-edges", ", labels=[0, 1]"),
        ("one-hot-forecasts", ""),
        ("one-hot-edges", ""),
    ):
        score = f"brier_score_loss(target, pred{labels}"
        for word, half in (("auto", "'auto'"), ("half", True), ("sum", False)):
            said = {} if word == "auto" else {"factor": word}
            reduced = [
                value(sklearn(f"{score}, scale_by_half={half})")),
                value(sklearn(f"len(target) * {score}, scale_by_half={half})"), reduction="sum"),
                value(sklearn(f"{score}, sample_weight=weight, scale_by_half={half})"), weight="weight"),
            ]
            if word == "auto":
                reduced.append(like("sklearn", sklearn(f"{score}, sample_weight=weight)"), weight="weight"))
            found.append(case("brier", data, *reduced, rows=naive(f"brier_rows(pred, target, {word!r})"), **said))
        rows = naive("brier_rows(pred, target, factor)")
        found.append(case("brier", data, value(naive("mean(rows)")), rows=rows, factor=0.25))
    return found


SUITS = {
    ("brier", "sklearn"): [
        [
            Suit("probabilities"),
            Suit("probabilities", {"factor": "sum"}),
            Suit("class-probabilities"),
            Suit("class-probabilities", {"factor": "half"}),
            Suit("two-class-probabilities"),
            Suit("one-hot-forecasts"),
        ]
    ],
}
