"""Golden cases of losses that treat present and absent labels unlike."""

from __future__ import annotations

from typing import Any

from cases import Case, Suit
from declare import case, exact, naive, torch, value

EDGES = {
    "asl-edges": {  # certain, hopeless, at the clip, near it, masked
        "pred": [0.0, 40.0, -40.0, 40.0, -40.0, 1000.0, -1000.0, -2.9444389791664403, -2.9, -5.0, 3.0],
        "target": [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
        "weight": [1.0, 2.0, 3.0, 1.0, 0.5, 0.0, 1.0, 1.0, 1.0, 2.0, 0.25],
    },
}


def cases() -> list[Case]:
    found = []
    settings: tuple[dict[str, Any], ...] = (
        {},
        {"gamma_neg": 2.0, "gamma_pos": 0.0, "offset": 0.2},
        {"offset": 0.0, "eps": 0.0},
        {"gamma_neg": 0.0, "gamma_pos": 0.0, "offset": 0.0, "eps": 1e-3},
        {"offset": 0.7, "gamma_neg": 1.5},
    )
    for params in settings:
        said = "".join(f", {key}={item}" for key, item in params.items())
        for data in ("logits", "asl-edges", "multilabel-logits"):
            wide = data == "multilabel-logits"
            reduced = [
                value(torch("rows.mean()")),
                value(torch(f"rows.sum(){' * 3' if wide else ''}"), reduction="sum"),
                value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
            ]
            if wide:
                reduced.append(value(torch("3 * rows.mean()"), row="sum"))
            # What a clip leaves of a probability next to it has few digits, whoever computes it.
            oracle = naive if data == "asl-edges" and params.get("offset", 0.05) else exact
            rows = oracle(f"asl_rows(pred, target{said})")
            found.append(case("asymmetric-multilabel", data, *reduced, rows=rows, **params))
    return found


SUITS = {
    ("asymmetric-multilabel", "torch"): [
        [Suit("logits"), Suit("multilabel-logits", {"gamma_neg": 2.0, "offset": 0.0}), Suit("asl-edges")]
    ],
}
