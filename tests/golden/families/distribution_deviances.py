"""Golden cases of deviances."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Reduced, Suit
from declare import case, like, naive, sklearn, torchmetrics, value
from inputs import WIDTH, Arrays, Rng, weights


def amounts(zeros: bool = False, wide: bool = False) -> Any:
    """Positive predictions, and positive targets near them; with ``zeros`` a third of the targets is 0."""

    def make(rng: Rng, rows: int) -> Arrays:
        shape = (rows, WIDTH) if wide else rows
        pred = np.exp(rng.normal(size=shape))
        gap = 0.7 * rng.normal(size=shape)
        target = pred * np.exp(gap + 0.2 * np.sign(gap))  # near 0 the libraries' own digits cancel
        if zeros:
            target = np.where(rng.random(size=shape) < 1 / 3, 0.0, target)
        return {"pred": pred, "target": target, "weight": weights(rng, rows)}

    return make


def either_sign(rng: Rng, rows: int) -> Arrays:
    arrays = amounts()(rng, rows)
    return {**arrays, "target": np.where(rng.random(size=rows) < 0.5, -1.0, 1.0) * arrays["target"]}


RANDOM = {
    "payments": amounts(),
    "amounts-and-zeros": amounts(zeros=True),
    "payment-columns": amounts(wide=True),
    "zero-columns": amounts(zeros=True, wide=True),
    "either-sign": either_sign,
}

EDGES: dict[str, dict[str, Any]] = {
    "payment-edges": {  # right, nearly right, far off both ways
        "pred": [1.0, 3.0, 1e8, 1e8, 0.5, 1e-3, 1e3, 1e100, 1e-100],
        "target": [1.0, 3.0000001, 100000003.0, 99999999.0, 2.0, 1e3, 1e-3, 1e-100, 1e100],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0, 1.0, 0.25, 0.0, 0.0],
    },
    "no-amounts": {"pred": [1e-3, 1.0, 20.0], "target": [0.0, 0.0, 0.0], "weight": [1.0, 2.0, 0.5]},
}

POWERS = (1.0, 1.5, 2.0, 3.0, 1.1, 1.9, 2.5, -1.0, -0.5, 4.0)
NEARLY = (1.0 + 1e-12, 1.0 + 1e-7, 2.0 - 1e-12, 2.0 - 1e-7, 2.0 + 1e-7, 3.0 + 1e-9)


def of_rows(function: str, more: str = "") -> str:
    return f"[{function}([t], [p]{more}) for t, p in zip(target, pred)]"


def reduced(function: str, more: str = "") -> list[Reduced]:
    weighted = f"{function}(target, pred, sample_weight=weight{more})"
    return [
        value(sklearn(f"{function}(target, pred{more})")),
        value(sklearn(f"len(pred) * {function}(target, pred{more})"), reduction="sum"),
        value(sklearn(weighted), weight="weight"),
        like("sklearn", sklearn(weighted), weight="weight"),
    ]


def wide(loss: str, data: str, level: float, **params: Any) -> Case:
    call = f"tweedie_deviance_score(pred, target, power={level})"
    rows = f"torch.stack([tweedie_deviance_score(p, t, power={level}) for p, t in zip(pred, target)])"
    return case(
        loss,
        data,
        value(torchmetrics(call)),
        value(torchmetrics(f"{call} * pred.numel()"), reduction="sum"),
        value(torchmetrics("(weight * rows).sum() / weight.sum()"), weight="weight"),
        value(torchmetrics("rows.mean() * pred.shape[1]"), row="sum"),
        rows=torchmetrics(rows),
        **params,
    )


def cases() -> list[Case]:
    tweedie, found = "mean_tweedie_deviance", []
    for data in ("reals", "either-sign"):
        found.append(case("tweedie-deviance", data, *reduced(tweedie), rows=sklearn(of_rows(tweedie))))
    found.append(wide("tweedie-deviance", "columns", 0))
    for power in POWERS:
        said = {"power": power}
        names = [
            "payments",
            *(["amounts-and-zeros"] if 1 <= power < 2 else []),
            *(["either-sign"] if power < 0 else []),
        ]
        for data in names:
            rows = sklearn(of_rows(tweedie, ", power=power"))
            found.append(case("tweedie-deviance", data, *reduced(tweedie, ", power=power"), rows=rows, **said))
        if power < 2:
            found.append(loops("no-amounts", power))
        found.append(loops("payment-edges", power))
        found.append(wide("tweedie-deviance", "payment-columns", power, **said))
    found += [loops(data, power) for data in ("payments", "payment-edges") for power in NEARLY]
    for loss, function, power in (
        ("poisson-deviance", "mean_poisson_deviance", 1),
        ("gamma-deviance", "mean_gamma_deviance", 2),
    ):
        for data in ("payments", *(["amounts-and-zeros"] if power == 1 else [])):
            found.append(case(loss, data, *reduced(function), rows=sklearn(of_rows(function))))
        found.append(wide(loss, "zero-columns" if power == 1 else "payment-columns", power))
    return found


def loops(data: str, power: float) -> Case:
    """Where scikit-learn's form cancels, or its rows leave the floats."""
    rows = naive("deviance_rows(pred, target, power)")
    return case("tweedie-deviance", data, value(naive("max(rows)"), reduction="max"), rows=rows, power=power)


SUITS = {
    ("tweedie-deviance", "sklearn"): [
        [
            Suit("reals"),
            Suit("payments", {"power": 1.5}),
            Suit("amounts-and-zeros", {"power": 1.5}),
            Suit("payments", {"power": 3.0}),
            Suit("either-sign", {"power": -0.5}),
        ],
        [Suit("amounts-and-zeros", {"power": 1.0}), Suit("amounts-and-zeros", {"power": 1.5}, differs=True)],
        [Suit("payments", {"power": 2.0}), Suit("payments", {"power": 1.5}, differs=True)],
    ],
    ("tweedie-deviance", "torchmetrics"): [
        [Suit("reals"), Suit("payment-columns", {"power": 1.5}), Suit("zero-columns", {"power": 1.0})]
    ],
}
