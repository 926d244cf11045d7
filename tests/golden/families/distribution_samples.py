"""Golden cases of the continuous ranked probability score, and of distances between two samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Oracle, Suit
from declare import case, exact, naive, scipy, torch, torchmetrics, value
from inputs import WIDTH, Arrays, Rng, weights

MEMBERS = 5


def ensembles(tied: bool) -> Any:
    def make(rng: Rng, rows: int) -> Arrays:
        pred = rng.normal(size=(rows, MEMBERS)) * np.array([1.0, 2.0, 0.5, 3.0, 1.0])
        target = rng.normal(size=rows)
        if tied:
            pred, target = np.round(pred), np.round(target)
        return {"pred": pred, "target": target, "weight": weights(rng, rows)}

    return make


def normals(wide: bool) -> Any:
    def make(rng: Rng, rows: int) -> Arrays:
        shape = (rows, WIDTH) if wide else rows
        return {
            "pred": rng.normal(size=shape),
            "target": 2 * rng.normal(size=shape),
            "sigma": np.exp(rng.normal(size=shape)),
            "weight": weights(rng, rows),
        }

    return make


RANDOM = {
    "ensembles": ensembles(tied=False),
    "tied-ensembles": ensembles(tied=True),
    "sigma-normals": normals(wide=False),
    "sigma-columns": normals(wide=True),
}

EDGES: dict[str, dict[str, Any]] = {
    "ensemble-edges": {  # outside on both sides, on a member, all alike and right, far from zero, huge, tiny
        "pred": [
            [0.0, 2.0, 5.0],
            [1.0, 1.0, 3.0],
            [5.0, 2.0, 0.0],
            [4.0, 4.0, 4.0],
            [1e8, 1e8 + 1.0, 1e8 + 0.5],
            [-1e300, 1e300, 0.0],
            [1e-300, 3e-300, 2e-300],
        ],
        "target": [1.0, 7.0, -1.0, 4.0, 1e8 + 0.25, 1e299, 2e-300],
        "weight": [1.0, 2.0, 0.5, 3.0, 1.0, 0.0, 1.0],
    },
    "sigma-edges": {  # right, far out, wide, narrow
        "pred": [0.0, 0.0, 1e8, 0.0, 0.0, 1.0, -3.0],
        "target": [0.5, 0.0, 1e8 + 1.0, 1e6, 1e-3, 1.0, 3.0],
        "sigma": [1.0, 2.0, 0.5, 1.0, 1e6, 1e-200, 0.25],
        "weight": [1.0, 2.0, 0.5, 3.0, 1.0, 0.0, 1.0],
    },
    "sample-edges": {  # ties within and across, a weight of zero far out
        "pred": [0.0, 1.0, 1.0, 3.0, 100.0, -2.0],
        "target": [1.0, 1.0, 5.0, 3.0, -100.0, 3.0],
        "weight": [1.0, 0.1, 0.3, 2.0, 0.0, 1.7],
    },
    "near-samples": {  # far from zero, nearly alike
        "pred": [1e8, 1e8 + 1.0, 1e8 + 2.0, 1e8 + 3.0],
        "target": [1e8 + 1e-7, 1e8 + 1.0, 1e8 + 2.0 - 1e-7, 1e8 + 3.0],
        "weight": [0.1, 0.2, 0.3, 0.7],
    },
    "scipy-samples": {"pred": [0.0, 1.0, 3.0], "target": [5.0, 6.0, 8.0], "weight": [1.0, 2.0, 1.0]},
}


def scores() -> list[Case]:
    found = []
    means = [
        value(torch("rows.mean()")),
        value(torch("rows.sum()"), reduction="sum"),
        value(torch("rows.max()"), reduction="max"),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
    ]
    for data in ("ensembles", "tied-ensembles", "ensemble-edges"):
        for estimator in ("nrg", "fair"):
            params = {} if estimator == "nrg" else {"estimator": estimator}
            rows = exact(f"crps_rows(pred, target, {estimator!r})")
            more = []
            if data != "ensemble-edges":
                call = f"scoringrules.crps_ensemble(target, pred, estimator={estimator!r}).mean()"
                more.append(value(Oracle("scoringrules", call)))
                if estimator == "nrg":
                    more.append(value(torchmetrics("continuous_ranked_probability_score(pred, target)")))
            found.append(case("crps-ensemble", data, *means, *more, rows=rows, **params))
    for data in ("sigma-normals", "sigma-edges"):
        found.append(case("crps-gaussian", data, *means, rows=naive("crps_normal_rows(pred, target, sigma)")))
    found.append(
        case(
            "crps-gaussian",
            "sigma-columns",
            value(torch("rows.mean()")),
            value(torch("3 * rows.sum()"), reduction="sum"),
            value(Oracle("scoringrules", "scoringrules.crps_normal(target, pred, sigma).mean()")),
            value(torch("3 * rows.mean()"), row="sum"),
            value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
            rows=naive("crps_normal_rows(pred, target, sigma)"),
        )
    )
    return found


def samples() -> list[Case]:
    found = []
    for loss, function, own in (
        ("wasserstein-1d", "wasserstein_distance", "moved"),
        ("energy-distance", "energy_distance", "energy_apart"),
    ):
        call = f"stats.{function}(pred, target)"
        weighted = f"stats.{function}(pred, target, weight, weight)"
        for data in ("reals", "sample-edges", "scipy-samples"):
            found.append(
                case(
                    loss,
                    data,
                    value(scipy(call)),
                    value(scipy(weighted), weight="weight"),
                    value(naive(f"{own}(pred, target, weight)"), weight="weight"),
                    rows=None,
                )
            )
        found.append(
            case(
                loss,
                "near-samples",
                value(naive(f"{own}(pred, target)")),
                value(naive(f"{own}(pred, target, weight)"), weight="weight"),
                rows=None,
            )
        )
        column = f"np.mean([stats.{function}(p, t, weight, weight) for p, t in zip(pred.T, target.T)])"
        pooled = f"stats.{function}(pred.reshape(-1), target.reshape(-1), {{0}}, {{0}})".format("np.repeat(weight, 3)")
        found += [
            case(loss, "columns", value(scipy(pooled), weight="weight"), rows=None),
            case(loss, "columns", value(scipy(column), weight="weight"), rows=None, multioutput="per-column"),
        ]
    return found


def cases() -> list[Case]:
    return [*scores(), *samples()]


SUITS = {
    ("crps-ensemble", "torchmetrics"): [[Suit("ensembles"), Suit("ensembles", {"estimator": "fair"}, differs=True)]],
    ("crps-ensemble", "scoringrules"): [[Suit("ensembles"), Suit("tied-ensembles", {"estimator": "fair"})]],
    ("crps-gaussian", "scoringrules"): [[Suit("sigma-normals"), Suit("sigma-columns")]],
    ("wasserstein-1d", "scipy"): [[Suit("reals")]],
    ("wasserstein-1d", "torch"): [[Suit("reals")]],
    ("energy-distance", "scipy"): [[Suit("reals")]],
}
