"""Golden cases of scores against sets of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Suit
from declare import by_rows, like, naive, sklearn, torch
from inputs import CLASSES, INF, Arrays, Rng, weights

LABELS = 6
W = (1.0, 0.0, 2.5)


def class_lists(rng: Rng, rows: int) -> Arrays:
    """Class indices in any order, a -1, and anything behind it."""
    lists = rng.permuted(np.tile(np.arange(CLASSES), (rows, 1)), axis=1)
    lists[np.arange(CLASSES) == rng.integers(0, CLASSES + 1, rows)[:, None]] = -1
    return {"pred": rng.normal(size=(rows, CLASSES)), "target": lists, "weight": weights(rng, rows)}


def label_scores(tied: bool) -> Any:
    """Scores of labels and which of them are true; some rows have none or all."""

    def make(rng: Rng, rows: int) -> Arrays:
        pred = rng.normal(size=(rows, LABELS))
        target = (rng.random((rows, LABELS)) < rng.choice([0.0, 0.3, 0.6, 1.0], (rows, 1))).astype(float)
        return {"pred": np.round(pred) if tied else pred, "target": target, "weight": weights(rng, rows)}

    return make


RANDOM = {
    "class-lists": class_lists,
    "label-scores": label_scores(tied=False),
    "tied-label-scores": label_scores(tied=True),
}

EDGES: dict[str, dict[str, Any]] = {
    "class-list-edges": {  # empty, full, junk behind the -1, ties, leads of exactly 1, the textbook row
        "pred": [
            [0.1, 0.2, 0.4, 0.8],
            [0.1, 0.2, 0.4, 0.8],
            [0.1, 0.2, 0.4, 0.8],
            [1.0, 1.0, 1.0, 1.0],
            [3.0, 2.0, 1.0, 0.0],
            [-5.0, 5.0, 0.0, 0.5],
        ],
        "target": [[3, 0, -1, 1], [-1, 3, 3, 3], [2, 1, 3, 0], [1, -1, 1, 1], [0, 1, -1, -1], [0, -1, 2, 3]],
        "weight": [1.0, 2.0, 0.0, 3.0, 0.5, 1.0],
    },
    "large-class-lists": {  # leads that are small beside the scores
        "pred": [[1e16, 1e16 + 2.0, 0.0], [-1e17, -1e17, -1e17], [3e15, 3e15 + 0.5, 3e15 - 0.5]],
        "target": [[0, -1, -1], [2, 0, -1], [1, 2, -1]],
        "weight": [1.0, 2.0, 3.0],
    },
    "label-edges": {  # in order, reversed, tied, nothing true, everything true, one of two tied, negative zero
        "pred": [
            [0.9, 0.5, 0.1],
            [0.1, 0.5, 0.9],
            [0.5, 0.5, 0.5],
            [0.3, 0.2, 0.1],
            [0.3, 0.2, 0.1],
            [0.7, 0.7, 0.9],
            [0.0, -0.0, 1.0],
            [0.75, 0.5, 1.0],
        ],
        "target": [[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 1, 1], [1, 0, 1], [1, 0, 0], [1, 0, 0]],
        "weight": [1.0, 2.0, 0.0, 3.0, 0.5, 1.0, 1.0, 2.0],
    },
    "one-label": {"pred": [[0.3], [0.7]], "target": [[1.0], [0.0]], "weight": [1.0, 3.0]},
    "unit-labels": {  # without ties, within [0, 1], and with counts and shares that float32 holds
        "pred": [[0.9, 0.5, 0.1, 0.2], [0.1, 0.5, 0.9, 0.6], [0.25, 0.5, 0.75, 1.0], [0.4, 0.3, 0.2, 0.1]],
        "target": [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1], [0, 1, 0, 0]],
        "weight": [1.0, 2.0, 0.0, 3.0],
    },
    "label-logit-edges": {  # certain, hopeless, masked, tiny losses
        "pred": [[0.0, 40.0, -40.0], [1000.0, -1000.0, 5.0], [-INF, 2.0, -INF], [710.0, -745.5, 37.5]],
        "target": [[1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1]],
        "weight": [1.0, 2.0, 0.5, 0.0],
    },
    "masked-labels": {"pred": [[-INF, 2.0], [0.5, 1.0]], "target": [[1, 1], [0, 1]], "weight": [1.0, 2.0]},
}


def multilabel_margin() -> list[Case]:
    found = []
    for data in ("class-lists", "class-list-edges"):
        same = like("torch", torch("F.multilabel_margin_loss(pred, target)"))
        rows = torch("F.multilabel_margin_loss(pred, target, reduction='none')")
        found.append(by_rows("multilabel-margin", data, rows, same))
    found.append(by_rows("multilabel-margin", "large-class-lists", naive("multilabel_margin_rows(pred, target)")))
    return found


def multilabel_soft_margin() -> list[Case]:
    found = []
    for data in ("multilabel-logits", "label-logit-edges"):
        for params, said in (({}, ""), ({"class_weight": W}, ", weight=class_weight")):
            call = f"F.multilabel_soft_margin_loss(pred, target{said}"
            if data == "multilabel-logits":
                same = like("torch", torch(f"{call})"))
                found.append(
                    by_rows("multilabel-soft-margin", data, torch(f"{call}, reduction='none')"), same, **params)
                )
            else:
                known = ", class_weight" if said else ""
                rows = naive(f"multilabel_logistic_rows(pred, target{known})")
                found.append(by_rows("multilabel-soft-margin", data, rows, **params))
    found.append(
        by_rows(
            "multilabel-soft-margin",
            "masked-labels",
            naive("multilabel_logistic_rows(pred, target, class_weight)"),
            class_weight=(0.0, 2.0),
        )
    )
    return found


# Rows one by one in scikit-learn, which knows the mean only; it wants two labels or more.
ONE_BY_ONE = "[{call}(t[None], p[None]) for t, p in zip(target, pred)]"
RANKINGS = {
    "coverage-error": ("coverage_error", "", "coverage_rows"),
    "label-ranking-loss": ("label_ranking_loss", "", "wrong_pairs_rows"),
    "lrap-loss": ("label_ranking_average_precision_score", "1 - ", "lrap_loss_rows"),
}


def rankings() -> list[Case]:
    found = []
    for loss, (call, less, rows) in RANKINGS.items():
        for data in ("label-scores", "tied-label-scores", "label-edges"):
            same = [
                like("sklearn", sklearn(f"{less}{call}(target, pred)")),
                like("sklearn", sklearn(f"{less}{call}(target, pred, sample_weight=weight)"), weight="weight"),
            ]
            one_by_one = sklearn(ONE_BY_ONE.format(call=f"{less}{call}"))
            found.append(by_rows(loss, data, one_by_one, *same))
        for data in ("multilabel", "one-label", "unit-labels"):
            found.append(by_rows(loss, data, naive(f"{rows}(pred, target)")))
    return found


def cases() -> list[Case]:
    return [*multilabel_margin(), *multilabel_soft_margin(), *rankings()]


SET = [Suit("label-scores"), Suit("tied-label-scores"), Suit("label-edges")]
SUITS = {
    ("multilabel-margin", "torch"): [[Suit("class-lists"), Suit("class-list-edges")]],
    ("multilabel-soft-margin", "torch"): [
        [Suit("multilabel-logits"), Suit("multilabel-logits", {"class_weight": W}), Suit("multilabel")]
    ],
    ("multilabel-soft-margin", "keras"): [
        [Suit("multilabel-logits"), Suit("multilabel-logits", {"class_weight": W}, differs=True)]
    ],
    ("multilabel-soft-margin", "optax"): [
        [Suit("multilabel-logits"), Suit("multilabel-logits", {"class_weight": W}, differs=True)]
    ],
    ("coverage-error", "sklearn"): [SET],
    ("coverage-error", "torchmetrics"): [[Suit("unit-labels"), Suit("label-edges")]],
    ("label-ranking-loss", "sklearn"): [SET],
    ("label-ranking-loss", "torchmetrics"): [
        [Suit("unit-labels"), Suit("label-scores"), Suit("label-edges", differs=True)]
    ],
    ("lrap-loss", "sklearn"): [SET],
    ("lrap-loss", "torchmetrics"): [[Suit("unit-labels"), Suit("label-scores", differs=True)]],
}
