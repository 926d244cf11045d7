"""Golden cases of features against class prototypes: distances, softmax over cosines, margins in the angle."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Oracle, Suit
from declare import by_rows, case, naive, torch, value
from inputs import CLASSES, Rng, weights

WIDTH = 3
EACH = 2  # centers of a class
MODULE = (
    "torch.func.functional_call(losses.{}(len(prototypes), features.shape[1], {}), {{'{}': {}}}, (features, target))"
)


def featured(ignored: bool = False, each: int = 1) -> Any:
    def make(rng: Rng, rows: int) -> dict[str, Any]:
        target = np.arange(rows) % CLASSES
        rng.shuffle(target)
        if ignored:
            target[1::4] = -100
        return {
            "features": 1.5 * rng.normal(size=(rows, WIDTH)),
            "target": target,
            "prototypes": rng.normal(size=(CLASSES * each, WIDTH)),
            "weight": weights(rng, rows),
        }

    return make


RANDOM = {
    "featured": featured(),
    "featured-ignored": featured(ignored=True),
    "several-centers": featured(each=EACH),
    "ten-centers": featured(each=10),
}
EDGES = {
    "face-edges": {  # along its prototype, against it, at a right angle, zero, a zero prototype, huge, tiny
        "features": [[2.0, 0.0], [-2.0, 0.0], [0.0, 3.0], [0.0, 0.0], [1.0, 1.0], [0.6e5, 0.8e5], [3e-9, 4e-9]],
        "target": [0, 0, 0, 1, 2, 1, 1],
        "prototypes": [[0.5, 0.0], [3.0, 4.0], [0.0, 0.0]],
        "weight": [1.0, 2.0, 0.5, 1.0, 1.0, 3.0, 1.0],
    },
    "narrow-angles": {  # nearly parallel, or nearly opposite: the cosine is 1 or -1 to its last digit
        "features": [[1.0, 1e-8], [-1.0, 1e-9], [1.0, 1e-5], [3.0, 3e-12]],
        "target": [0, 0, 0, 0],
        "prototypes": [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]],
        "weight": [1.0, 2.0, 0.5, 1.0],
    },
    "far-sizes": {
        "features": [[1e200, -1e200], [1e-200, 1e-200], [1.0, 2.0]],
        "target": [0, 1, 1],
        "prototypes": [[1e-150, 0.0], [1e150, 2e150]],
        "weight": [1.0, 2.0, 0.5],
    },
    "long-and-short": {
        "features": [[1e140, -1e140], [1e-140, 1e-140], [1.0, 2.0]],
        "target": [0, 1, 1],
        "prototypes": [[1e-150, 0.0], [1e150, 2e150]],
        "weight": [1.0, 2.0, 0.5],
    },
    "near-centers": {  # differences of which |x|^2 + |c|^2 - 2 x.c keeps nothing
        "features": [[1e8 + 1.0, 1.0], [1.0, 1.0 + 2.0**-40], [0.0, 0.0], [1e160, 0.0]],
        "target": [0, 1, 1, 0],
        "prototypes": [[1e8, 1.0], [1.0, 1.0]],
        "weight": [1.0, 2.0, 0.5, 1.0],
    },
}


def rows_of(module: str, params: str, weight: str = "W", array: str = "prototypes.T") -> Oracle:
    """The rows that the metric-learning library's module gives with these weights."""
    held = f"{params}, reducer=reducers.DoNothingReducer()" if params else "reducer=reducers.DoNothingReducer()"
    return Oracle("pml", f"{MODULE.format(module, held, weight, array)}['loss']['losses']")


def by_loops(loss: str, data: str, **params: Any) -> Case:
    words = {"easy_margin": "easy"}
    said = "".join(f", {words.get(key, key)}={item}" for key, item in params.items())
    rows = naive(f"{loss.replace('-', '_')}_rows(features, target, prototypes{said})")
    return by_rows(loss, data, rows, **params)


def faces() -> list[Case]:
    found = []
    for loss, module, ways in (
        ("l-softmax", "LargeMarginSoftmaxLoss", [({}, ""), ({"m": 1}, "margin=1"), ({"m": 3}, "margin=3")]),
        ("sphereface", "SphereFaceLoss", [({}, ""), ({"m": 2}, "margin=2"), ({"factor": 3.0}, "scale=3.0")]),
        ("cosface", "CosFaceLoss", [({}, ""), ({"margin": 0.1}, "margin=0.1"), ({"factor": 30.0}, "scale=30.0")]),
        ("arcface", "ArcFaceLoss", [({"factor": 5.0}, "margin=90 / torch.pi, scale=5.0")]),
    ):
        found += [by_rows(loss, "featured", rows_of(module, said), **params) for params, said in ways]
    for loss, ways in (
        ("l-softmax", [{}, {"lam": 5.0}, {"m": 1}, {"m": 7, "lam": 0.5}]),
        ("sphereface", [{}, {"m": 1}, {"m": 5, "factor": 2.0}]),
        ("cosface", [{}, {"margin": 0.0}, {"margin": 2.0, "factor": 2.0}]),
        (
            "arcface",
            [
                {},
                {"margin": 0.0},
                {"margin": 1.2, "factor": 8.0},
                {"easy_margin": True},
                {"margin": 3.0, "factor": 2.0},
            ],
        ),
    ):
        found += [by_loops(loss, data, **params) for data in ("face-edges", "narrow-angles") for params in ways]
        found.append(by_loops(loss, "long-and-short" if loss == "l-softmax" else "far-sizes"))
        found += [by_loops(loss, "featured", **ways[-1])]
        rows = by_loops(loss, "featured-ignored").rows
        mean = value(torch("rows.sum() / (target != -100).sum()"))
        found.append(case(loss, "featured-ignored", mean, rows=rows))
        found.append(
            case(
                loss,
                "featured",
                value(torch("(rows * (target != 2)).sum() / (target != 2).sum()")),
                rows=naive(f"[v * (y != 2) for v, y in zip({by_loops(loss, 'featured').rows.call}, target)]"),
                ignore_index=2,
            )
        )
    return found


def softmaxes() -> list[Case]:
    found = []
    for loss, module, weight, array, key, own, default in (
        ("normalized-softmax", "NormalizedSoftmaxLoss", "W", "prototypes.T", "temperature", "temperature", 0.05),
        ("proxy-nca", "ProxyNCALoss", "proxies", "prototypes", "softmax_scale", "factor", 1.0),
    ):
        for size in (default, 0.5 * default, 7.0):
            params = {} if size == default else {own: size}
            said = f"{key}={size}"
            found.append(by_rows(loss, "featured", rows_of(module, said, weight, array), **params))
            factor = 1 / size if own == "temperature" else 2 * size
            for data in ("face-edges", "narrow-angles"):
                rows = naive(f"scaled_cosine_rows(features, target, prototypes, {factor})")
                found.append(by_rows(loss, data, rows, **params))
    rows = "(F.normalize(features) @ F.normalize(prototypes).T)"
    for loss, scores in (("normalized-softmax", f"{rows} / 0.05"), ("proxy-nca", f"2 * {rows}")):
        for data, params, index in (("featured-ignored", {}, -100), ("featured", {"ignore_index": 2}, 2)):
            call = f"F.cross_entropy({scores}, target, ignore_index={index}"
            mean = value(torch(f"{call})"))
            found.append(case(loss, data, mean, rows=torch(f"{call}, reduction='none')"), **params))
    return found


def several() -> list[Case]:
    found = [by_rows("soft-triple", "ten-centers", softly("centers_per_class=10"))]
    for params in (
        {},
        {"la": 5.0},
        {"gamma": 1.0},
        {"margin": 0.3},
        {"la": 2.0, "gamma": 0.01, "margin": 0.0},
    ):
        said = ", ".join(["centers_per_class=2", *(f"{key}={item}" for key, item in params.items())])
        found.append(by_rows("soft-triple", "several-centers", softly(said), centers=EACH, **params))
    for data in ("face-edges", "narrow-angles"):
        rows = naive("soft_triple_rows(features, target, prototypes, 1)")
        found.append(by_rows("soft-triple", data, rows, centers=1))
    mean = value(torch("(rows * (target != 2)).sum() / (target != 2).sum()"))
    rows = naive("[v * (y != 2) for v, y in zip(soft_triple_rows(features, target, prototypes, 2), target)]")
    found.append(case("soft-triple", "several-centers", mean, rows=rows, centers=EACH, ignore_index=2))
    return found


def softly(said: str) -> Oracle:
    call = (
        f"torch.func.functional_call(losses.SoftTripleLoss(4, features.shape[1], {said}, "
        "reducer=reducers.DoNothingReducer()), {'fc': prototypes.T}, (features, target))['loss']['losses']"
    )
    return Oracle("pml", call)


def centers() -> list[Case]:
    rows = "((features - prototypes[target]) ** 2).sum(1) / {}"
    mean = value(torch("(rows * (target != 2)).sum() / (target != 2).sum()"))
    return [
        by_rows("center", "featured", torch(rows.format(2))),
        by_rows("center", "featured", torch(rows.format(1)), half=False),
        by_rows("center", "near-centers", naive("center_rows(features, target, prototypes)")),
        case("center", "featured", mean, rows=torch(f"{rows.format(2)} * (target != 2)"), ignore_index=2),
    ]


def cases() -> list[Case]:
    return [*centers(), *faces(), *softmaxes(), *several()]


PLAIN = [Suit("featured")]
SUITS = {
    ("center", "torch"): [[*PLAIN, Suit("featured", {"half": False})]],
    ("l-softmax", "pml"): [[*PLAIN, Suit("featured", {"m": 2})]],
    ("sphereface", "pml"): [[*PLAIN, Suit("featured", {"m": 2, "factor": 3.0})]],
    ("cosface", "torch"): [[*PLAIN, Suit("featured", {"margin": 0.1, "factor": 30.0})]],
    ("cosface", "pml"): [[*PLAIN, Suit("featured", {"margin": 0.1, "factor": 30.0})]],
    ("arcface", "pml"): [[*PLAIN, Suit("featured", {"margin": 0.2, "factor": 30.0})]],
    ("normalized-softmax", "torch"): [[*PLAIN, Suit("featured", {"temperature": 0.5})]],
    ("normalized-softmax", "pml"): [[*PLAIN, Suit("featured", {"temperature": 0.5})]],
    ("proxy-nca", "torch"): [[*PLAIN, Suit("featured", {"factor": 3.0})]],
    ("proxy-nca", "pml"): [[*PLAIN, Suit("featured", {"factor": 3.0})]],
    ("soft-triple", "pml"): [[Suit("ten-centers"), Suit("several-centers", {"centers": EACH, "la": 5.0})]],
}
