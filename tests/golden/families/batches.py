"""Golden cases of losses over batches of embeddings and labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Oracle, Suit
from declare import case, exact, like, naive, value
from inputs import Arrays, Rng, weights


def pml(call: str) -> Oracle:
    return Oracle("pml", call)


def batch(rng: Rng, rows: int) -> Arrays:
    """Embeddings near their classes' centers, and one row that is the only one of its class."""
    target = np.arange(rows) % 4
    target[-1] = 9
    rng.shuffle(target)
    centers = rng.normal(size=(10, 5))
    return {
        "features": centers[target] + 0.8 * rng.normal(size=(rows, 5)),
        "target": target,
        "weight": weights(rng, rows),
    }


RANDOM = {"batch": batch}

E = [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.8, 0.6]]
CLOSE = [[1.0, 1e-9], [1.0, 2e-9], [1.0, -1e-9], [-1.0, 1e-8], [-1.0, 3e-8], [1e-9, 1.0]]
EDGES: dict[str, dict[str, Any]] = {
    "batch-corners": {"features": E, "target": [0, 0, 1, 1], "weight": [1.0, 0.5, 0.0, 2.0]},
    # Equal vectors of one class and of two, opposite ones, one without length, and one of a size of its own.
    "batch-edges": {
        "features": [[3.0, 4.0], [3.0, 4.0], [-3.0, -4.0], [0.0, 0.0], [3.0, 4.0], [4e-5, -3e-5], [0.0, 0.0]],
        "target": [0, 0, 0, 1, 1, 2, 2],
        "weight": [1.0, 2.0, 1.0, 0.5, 0.0, 1.0, 3.0],
    },
    "batch-huge": {
        "features": [[1e200, 2e200], [3e200, 1e200], [-1e200, 1e200], [2e200, -1e200]],
        "target": [0, 0, 1, 1],
    },
    "batch-tiny": {
        "features": [[1e-200, 2e-200], [3e-200, 1e-200], [-1e-200, 1e-200], [2e-200, -1e-200], [1.0, 2.0]],
        "target": [0, 0, 1, 1, 1],
    },
    "batch-close": {"features": CLOSE, "target": [0, 0, 1, 1, 0, 1]},
    "batch-apart": {"features": [[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]], "target": [0, 0, 1, 1]},
    "batch-of-one-class": {"features": E, "target": [3, 3, 3, 3], "weight": [1.0, 1.0, 0.5, 0.0]},
}
EXTREME = ("batch-huge", "batch-tiny", "batch-close")

# Of each loss: its rows by the definition, what each row counts for, and another parameter for each of its own.
SHELF: dict[str, tuple[str, str, list[dict[str, Any]]]] = {
    "nt-xent": ("nt_xent_rows", "pairs_of(target)", [{"temperature": 0.5}, {"temperature": 1e-3}]),
    "sup-con": ("sup_con_rows", "with_positives(target)", [{"temperature": 0.5}, {"temperature": 1e-3}]),
    "circle": ("circle_rows", "with_both(target)", [{"m": 0.25, "gamma": 256.0}, {"m": 0.0, "gamma": 1.0}]),
    "multi-similarity": (
        "multi_similarity_rows",
        "[1 for _ in target]",
        [{"alpha": 18.0, "beta": 75.0, "threshold": 0.77}, {"alpha": 0.5, "beta": 3000.0, "threshold": -0.25}],
    ),
    "batch-hard-triplet": (
        "batch_hard_rows",
        "with_both(target)",
        [{"margin": 0.2}, {"distance": "sqeuclidean"}, {"distance": "cosine", "margin": 0.1}],
    ),
    "lifted-structure": (
        "lifted_rows",
        "pairs_of(target)",
        [{"neg_margin": 0.5, "pos_margin": 0.25}, {"neg_margin": -3.0}],
    ),
    "margin-wu": ("margin_wu_rows", "margin_wu_counts(features, target{said})", [{"beta": 0.7, "alpha": 0.5}]),
}
DEFAULTS: dict[str, dict[str, Any]] = {"nt-xent": {"temperature": 0.07}, "sup-con": {"temperature": 0.1}}
FREE = {"batch-hard-triplet"}  # vectors as they are by default


def by_definition(loss: str, data: str, way: Any = naive, **params: Any) -> Case:
    function, divisor, _ = SHELF[loss]
    said = "".join(f", {key}={item!r}" for key, item in {**DEFAULTS.get(loss, {}), **params}.items())
    divisor = divisor.replace("{said}", said)
    reduced = [value(naive(f"batch_mean(rows, {divisor})"))] if loss != "margin-wu" or data not in EXTREME else []
    if data in {"batch", "batch-corners", "batch-edges"}:
        reduced += [
            value(naive(f"batch_mean(rows, {divisor}, weight)"), weight="weight"),
            value(naive("math.fsum(rows)"), reduction="sum"),
        ]
    return case(loss, data, *reduced, rows=way(f"{function}(features, target{said})"), **params)


def definitions() -> list[Case]:
    found = []
    for loss, (_, _, settings) in SHELF.items():
        for data in ("batch", "batch-corners", "batch-edges"):
            found += [by_definition(loss, data, **params) for params in ({}, *settings)]
        found.append(by_definition(loss, "batch", l2_normalize=loss in FREE))
        found.append(by_definition(loss, "batch-edges", l2_normalize=loss in FREE))
        found += [by_definition(loss, data, l2_normalize=True) for data in EXTREME]
    for loss in ("batch-hard-triplet", "lifted-structure", "margin-wu"):
        found += [by_definition(loss, data, l2_normalize=False) for data in ("batch-tiny", "batch-close")]
    # Losses of 1e-40 to 1e-400, where log(share) or a difference of logarithms has no digit left.
    found += [
        by_definition(loss, "batch-apart", exact, temperature=temperature)
        for loss, temperature in (("nt-xent", 0.03), ("sup-con", 0.03), ("sup-con", 0.01))
    ]
    found += [by_definition(loss, "batch-of-one-class") for loss in ("nt-xent", "multi-similarity", "sup-con")]
    return found


def libraries() -> list[Case]:
    """The means of the libraries that have them."""
    found = []
    for data in ("batch", "batch-corners"):
        rows = "nt_xent_rows(features, target, {})"
        for temperature in (0.2, 1.0):
            same = f"ntxent(features, target, {temperature})"
            found.append(
                case(
                    "nt-xent",
                    data,
                    value(Oracle("optax", same)),
                    like("optax", Oracle("optax", same)),
                    value(pml(f"losses.NTXentLoss({temperature})(features, target)")),
                    rows=naive(rows.format(temperature)),
                    temperature=temperature,
                )
            )
        unit = "features / np.linalg.norm(features, axis=1, keepdims=True)"
        mean = Oracle("keras", f"losses.Circle(gamma=64.0, margin=0.3)(target, {unit})")
        found.append(
            case(
                "circle",
                data,
                like("keras", mean),
                value(mean),
                rows=naive("circle_rows(features, target, 0.3, 64.0)"),
                m=0.3,
                gamma=64.0,
            )
        )
    return found


def cases() -> list[Case]:
    return definitions() + libraries()


BOTH = [Suit("batch"), Suit("batch-corners")]
ONE_CLASS = Suit("batch-of-one-class", differs=True)
SUITS = {
    ("nt-xent", "optax"): [[*BOTH, Suit("batch", {"temperature": 0.5})]],
    ("nt-xent", "pml"): [[*BOTH, Suit("batch", {"temperature": 0.5}), Suit("batch-apart", {"temperature": 5e-4})]],
    ("sup-con", "pml"): [[*BOTH, Suit("batch", {"temperature": 0.5}), ONE_CLASS]],
    ("circle", "keras"): [[*BOTH, Suit("batch", {"m": 0.25, "gamma": 32.0})]],
    ("circle", "pml"): [[*BOTH, Suit("batch", {"m": 0.25, "gamma": 32.0})]],
    ("multi-similarity", "pml"): [[*BOTH, Suit("batch", {"alpha": 1.0, "beta": 10.0, "threshold": 0.2})]],
    ("batch-hard-triplet", "pml"): [[*BOTH, Suit("batch", {"margin": 0.3, "l2_normalize": True})]],
    ("lifted-structure", "pml"): [[*BOTH, Suit("batch", {"neg_margin": 0.5, "pos_margin": 0.25})]],
    ("margin-wu", "pml"): [[*BOTH, Suit("batch", {"alpha": 0.5, "beta": 0.7})]],
}
