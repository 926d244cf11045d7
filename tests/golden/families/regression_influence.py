"""Golden cases of M-estimators and other shapes of the absolute error."""

from __future__ import annotations

from typing import Any

from cases import Case, Suit
from declare import exact
from families.regression_robust import elements

EDGES: dict[str, dict[str, Any]] = {
    "influence-edges": {  # nothing, next to nothing, the places where curves end, far out
        "pred": [0.0, 1e-9, 1e-6, 1.0, -1.0, 4.685, 0.1, 1e8, -1e6, 0.3, 3e-3],
        "target": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0],
        "weight": [0.0, 1.0, 2.0, 0.5, 1.0, 3.0, 1.0, 1.0, 0.25, 1.0, 2.0],
    },
    "far-errors": {"pred": [1e160, -3e200, 5e-170], "target": [0.0, 1.0, 0.0], "weight": [1.0, 2.0, 1.0]},
}

SHAPES: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    # loss, its loop, its defaults, other values
    ("tukey-biweight", "tukey_of", {"c": 4.685}, {"c": 0.75}),
    ("cauchy", "cauchy_of", {"c": 1.0}, {"c": 2.3849}),
    ("welsch", "welsch_of", {"c": 1.0}, {"c": 2.9846}),
    ("geman-mcclure", "geman_mcclure_of", {"c": 1.0}, {"c": 3.0}),
    ("fair", "fair_of", {"c": 1.3998}, {"c": 0.5}),
    ("pseudo-huber", "pseudo_huber_of", {"delta": 1.0}, {"delta": 0.25}),
    ("charbonnier", "charbonnier_of", {"eps": 1e-3}, {"eps": 0.5}),
    ("epsilon-insensitive", "insensitive_of", {"epsilon": 0.1}, {"epsilon": 0.5, "squared": True}),
    ("balanced-l1", "balanced_of", {"alpha": 0.5, "gamma": 1.5}, {"alpha": 0.25, "gamma": 1.0}),
)


def cases() -> list[Case]:
    found = []
    for loss, loop, defaults, others in SHAPES:
        for params in ({}, others):
            said = "".join(f", {key}={item}" for key, item in {**defaults, **params}.items())
            rows = exact(f"of_error({loop}, pred, target{said})")
            for data in ("reals", "columns", "influence-edges", "far-errors"):
                if data == "far-errors" and "squared" in params:
                    continue  # squares overflow
                found.append(elements(loss, data, rows, **params))
    for params in ({}, {"tau": 0.9}):
        said = "".join(f", {key}={item}" for key, item in params.items())
        rows = exact(f"expectile_rows(pred, target{said})")
        found += [elements("expectile", data, rows, **params) for data in ("reals", "columns", "influence-edges")]
    for params in ({}, {"a": -0.5, "b": 3.0}):
        said = "".join(f", {key}={item}" for key, item in params.items())
        rows = exact(f"linex_rows(pred, target{said})")
        found += [elements("linex", data, rows, **params) for data in ("reals", "columns")]
    found.append(elements("linex", "influence-edges", exact("linex_rows(pred, target, a=1e-3)"), a=1e-3))
    return found


def suits(**params: Any) -> list[list[Suit]]:
    return [[Suit("reals"), Suit("columns", params)]]


SUITS = {
    ("tukey-biweight", "torch"): suits(c=0.75),
    ("cauchy", "torch"): suits(c=2.3849),
    ("welsch", "torch"): suits(c=2.9846),
    ("geman-mcclure", "torch"): suits(c=3.0),
    ("fair", "torch"): suits(c=0.5),
    ("pseudo-huber", "scipy"): suits(delta=0.25),
    ("charbonnier", "torch"): suits(eps=0.5),
    ("epsilon-insensitive", "torch"): suits(epsilon=0.5, squared=True),
    ("balanced-l1", "torch"): suits(alpha=0.25, gamma=1.0),
    ("expectile", "torch"): suits(tau=0.9),
    ("linex", "torch"): suits(a=-0.5, b=3.0),
}
