"""Golden cases of labels that are right or wrong one by one, and of scikit-learn's log loss."""

from __future__ import annotations

from typing import Any

from cases import Case, Reduced, Suit
from declare import case, exact, like, naive, sklearn, torch, value

EPS = 2.0**-52


def hamming() -> list[Case]:
    loss = "hamming"
    found = []

    def decided(decision: str) -> list[Reduced]:
        call = f"hamming_loss(target, {decision}"
        return [
            value(sklearn(f"{call})")),
            value(sklearn(f"{call}, sample_weight=weight)"), weight="weight"),
            like("sklearn", sklearn(f"{call}, sample_weight=weight)"), weight="weight"),
        ]

    def rows(decision: str, wide: bool) -> Any:
        each = "t[None], p[None]" if wide else "[t], [p]"
        return sklearn(f"[hamming_loss({each}) for t, p in zip(target, {decision})]")

    for data, wide in (("labels", False), ("label-sets", True), ("label-pairs", True), ("words", False)):
        total = value(sklearn("float((target != pred).sum())"), reduction="sum")
        found.append(case(loss, data, *decided("pred"), total, rows=rows("pred", wide)))
    for data, form, decision, params in (
        ("probabilities", "probs", "(pred >= 0.5).astype(float)", {}),
        ("threshold-edges", "probs", "(pred >= 0.5).astype(float)", {}),
        ("multilabel", "probs", "(pred >= 0.5).astype(float)", {}),
        ("multilabel", "probs", "(pred >= 0.3).astype(float)", {"threshold": 0.3}),
        ("multilabel-logits", "logits", "(pred >= 0).astype(float)", {}),
        ("multilabel-logits", "logits", "(pred >= 1.5).astype(float)", {"threshold": 1.5}),
        ("class-probabilities", "probs", "pred.argmax(1)", {}),
        ("tied-scores", "probs", "pred.argmax(1)", {}),
        ("class-edges", "logits", "pred.argmax(1)", {}),
    ):
        wide = data.startswith("multilabel")
        found.append(case(loss, data, *decided(decision), rows=rows(decision, wide), input=form, **params))
    wrong = "((pred >= 0.5) != (target == 1))"
    found.append(
        case(
            loss,
            "multilabel",
            value(sklearn(f"{wrong}.sum(1).mean()"), row="sum"),
            value(sklearn(f"float({wrong}.sum(1).max())"), row="sum", reduction="max"),
            value(sklearn(f"(weight * {wrong}.sum(1)).sum()"), weight="weight", reduction="sum"),
            rows=sklearn(f"{wrong}.mean(1)"),
            input="probs",
            threshold=0.5,
        )
    )
    return found


def log_loss() -> list[Case]:
    """One probability or one for each class; labels= tells scikit-learn of classes that do not occur."""
    loss = "log-loss"
    found = []
    for data, labels in (
        ("probabilities", "[0, 1]"),
        ("hard-probability-edges", "[0, 1]"),
        ("one-outcome", "[0, 1]"),
        ("class-probabilities", "range(4)"),
        ("class-probability-edges", "range(3)"),
    ):
        call = f"log_loss(target, pred, labels={labels}"
        reduced = [
            value(sklearn(f"{call})")),
            value(sklearn(f"{call}, normalize=False)"), reduction="sum"),
            value(sklearn(f"{call}, sample_weight=weight)"), weight="weight"),
            like("sklearn", sklearn(f"{call})")),
            like("sklearn", sklearn(f"{call}, sample_weight=weight)"), weight="weight"),
        ]
        each = sklearn(f"[log_loss([t], [p], labels={labels}) for t, p in zip(target, pred)]")
        found.append(case(loss, data, *reduced, rows=each))
        # Stored in float64, its own precision is the float64 eps.
        found.append(case(loss, data, value(sklearn(f"{call})")), rows=each, clip="dtype"))
        for clip, eps in (("none", 0.0), (1e-6, 1e-6), (0.05, 0.05)):
            rows = exact(f"log_loss_rows(pred, target, {eps})")
            found.append(case(loss, data, value(naive("mean(rows)")), rows=rows, clip=clip))
    for clip, eps in (("sklearn", EPS), ("none", 0.0), ("dtype", EPS)):
        rows = exact(f"log_loss_rows(pred, target, {eps})")
        found.append(case(loss, "outcome-edges", value(naive("mean(rows)")), rows=rows, clip=clip))
    plain = torch("F.binary_cross_entropy(pred, target, reduction='none')")
    found.append(case(loss, "probabilities", value(torch("rows.mean()")), rows=plain, clip=1e-15))
    return found


def cases() -> list[Case]:
    return [*hamming(), *log_loss()]


EDGES: dict[str, dict[str, Any]] = {
    "label-pairs": {  # eight rows: every share is exact in float32, in which torchmetrics counts
        "pred": [[1, 0], [1, 1], [0, 0], [1, 1], [0, 1], [1, 0], [0, 0], [1, 1]],
        "target": [[1, 1], [1, 1], [0, 1], [0, 0], [0, 1], [1, 0], [0, 0], [1, 0]],
        "weight": [1.0, 2.0, 3.0, 0.5, 1.0, 0.0, 1.0, 2.0],
    },
    "eight-labels": {
        "pred": [0, 1, 2, 3, 1, 1, 0, 2],
        "target": [0, 1, 2, 3, 2, 1, 3, 1],
        "weight": [1.0, 2.0, 3.0, 0.5, 1.0, 0.0, 1.0, 2.0],
    },
    "one-outcome": {"pred": [0.9, 0.4, 0.75], "target": [1.0, 1.0, 1.0], "weight": [1.0, 2.0, 0.5]},
    "outcome-edges": {
        "pred": [1e-300, 1e-300, 1e-17, 1e-17, 2.0**-52, 1.0 - 2.0**-53, 1.0 - 2.0**-53, 5e-324, 1.0, 0.5],
        "target": [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0],
        "weight": [1.0, 2.0, 3.0, 0.5, 1.0, 0.0, 1.0, 2.0, 1.0, 1.0],
    },
}

SUITS = {
    ("hamming", "sklearn"): [[Suit("labels"), Suit("label-sets"), Suit("words")]],
    ("hamming", "torchmetrics"): [[Suit("label-pairs")]],
    ("hamming", "scipy"): [[Suit("labels"), Suit("label-sets")]],
    ("log-loss", "sklearn"): [
        [Suit("probabilities"), Suit("hard-probability-edges"), Suit("class-probabilities")],
    ],
    ("log-loss", "torch"): [[Suit("class-probabilities"), Suit("class-probability-edges", differs=True)]],
}
