"""Golden cases of Fenchel-Young losses."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Suit
from declare import case, exact, like, naive, optax, torch, value
from families.classification_focal import by_hand
from inputs import CLASSES, Arrays, Rng, weights


def close_scores(rng: Rng, rows: int) -> Arrays:
    """Class scores within a unit or two, so that most projections have a support of several classes."""
    return {
        "pred": 0.5 * rng.normal(size=(rows, CLASSES)),
        "target": rng.integers(0, CLASSES, size=rows),
        "weight": weights(rng, rows),
    }


def many_scores(rng: Rng, rows: int) -> Arrays:
    """Sixty classes, every third of the rows with ties."""
    pred = 0.05 * rng.normal(size=(rows, 60))
    pred[::3] = np.round(10 * pred[::3]) / 10
    return {"pred": pred, "target": rng.integers(0, 60, size=rows), "weight": weights(rng, rows)}


def sparsemax() -> list[Case]:
    loss = "sparsemax"
    found = []
    for data, call in (
        ("logits", "sparsemax_loss(pred, target)"),
        ("classes", "multiclass_sparsemax_loss(pred, target)"),
        ("close-scores", "multiclass_sparsemax_loss(pred, target)"),
    ):
        same = like("optax", optax(f"{call}.mean()"))
        found.append(case(loss, data, *by_hand(optax, call), same, rows=optax(call)))
    rows = exact("sparsemax(pred, target)")
    for data in ("many-scores", "sparse-edges", "sparse-class-edges", "class-edges", "masked-truth", "tied-scores"):
        found.append(case(loss, data, value(naive("mean(rows)")), rows=rows))
    return found


def fenchel_young() -> list[Case]:
    loss = "fenchel-young"
    found = []
    functions = {
        "logsumexp": "jnp.logaddexp.reduce",
        "max": "jnp.max",
        "sparsemax": "lambda s: multiclass_sparsemax_loss(s[None], jnp.array([0]))[0] + s[0]",
    }
    for max_fun, function in functions.items():
        said = {} if max_fun == "logsumexp" else {"max_fun": max_fun}
        call = f"make_fenchel_young_loss({function})(pred, target)"
        same = [like("optax", optax(f"{call}.mean()"))]
        found.append(case(loss, "soft-classes", *by_hand(optax, call), *same, rows=optax(call), **said))
        hard = f"make_fenchel_young_loss({function})(pred, jnp.eye(pred.shape[1])[target])"
        for data in ("classes", "close-scores"):
            found.append(case(loss, data, *by_hand(optax, hard), rows=optax(hard), **said))
        rows = exact(f"fenchel_young(pred, target, '{max_fun}')")
        for data in ("many-scores", "sparse-class-edges", "class-edges", "masked-truth", "tied-scores", "one-hot"):
            found.append(case(loss, data, value(naive("mean(rows)")), rows=rows, **said))
        found.append(case(loss, "halved-targets", value(naive("mean(rows)")), rows=rows, **said))
    # Of labels logsumexp is cross-entropy.
    cross = "F.cross_entropy(pred, target, reduction='none', ignore_index=2)"
    mean = value(torch(cross.replace("'none'", "'mean'")))
    found.append(case(loss, "classes", mean, rows=torch(cross), ignore_index=2))
    return found


def cases() -> list[Case]:
    return [*sparsemax(), *fenchel_young()]


INF = float("inf")

RANDOM = {"close-scores": close_scores, "many-scores": many_scores}

EDGES: dict[str, dict[str, Any]] = {
    "sparse-edges": {  # at the corners, an ulp from them, and far out
        "pred": [1.0, -1.0, 0.0, 1.0 - 2.0**-53, -1.0 + 2.0**-53, 1.0 + 2.0**-52, 1e300, -1e300, 0.3, -2.0, -INF],
        "target": [1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0],
        "weight": [1.0, 2.0, 3.0, 1.0, 0.5, 0.0, 1.0, 1.0, 1.0, 2.0, 1.0],
    },
    "sparse-class-edges": {  # second places at the edge of the support, ties, offsets, masked and lone classes
        "pred": [
            [1.0, 1e-9, -5.0, -9.0],
            [0.3, -0.69999999, -0.6, -0.5],
            [5.0, 5.0, 5.0, 5.0],
            [1e15, 1e15 - 0.5, 1e15 - 1.0, 0.0],
            [2.0, 1.0, 0.0, -1.0],
            [0.0, -INF, -0.25, -INF],
            [-INF, -INF, -INF, 3.0],
            [0.1, 0.7, 0.2, 0.4],
            [1e300, -1e300, 0.0, 1e300],
            [1e-300, -1e-300, 0.0, 3e-300],
        ],
        "target": [0, 0, 2, 1, 0, 2, 3, 0, 2, 3],
        "weight": [1.0, 2.0, 0.5, 1.0, 0.0, 1.0, 3.0, 1.0, 0.0, 1.0],
    },
    "halved-targets": {  # distributions that float64 holds exactly, far from zero
        "pred": [[1e8, 1e8 + 0.25, 1e8 - 0.5], [-1e6, -1e6, -1e6 + 0.125], [40.0, 0.0, -INF], [0.5, -300.0, 0.25]],
        "target": [[0.5, 0.5, 0.0], [0.25, 0.25, 0.5], [0.75, 0.25, 0.0], [1.0, 0.0, 0.0]],
        "weight": [1.0, 2.0, 0.5, 1.0],
    },
}

SUITS = {
    ("sparsemax", "optax"): [[Suit("logits")], [Suit("classes"), Suit("close-scores")]],
    ("fenchel-young", "optax"): [[Suit("soft-classes")], [Suit("soft-classes", {"max_fun": "max"})]],
}
