"""The lines "the same number elsewhere" of the registry: what each runs on, and the lossctl call of that number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Suit:
    """Inputs and parameters that suit a line; ``options`` where lossctl needs them for the same number.

    ``differs``: here the two numbers are not the same, and the line's note must say why.
    """

    data: str
    params: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    differs: bool = False


HEAVY = [0.5, 1.0, 2.0, 0.25]
EVERY = [Suit("columns"), Suit("reals"), Suit("real-edges")]

# (loss, library) -> for each line of that library, in order, its suits.
SUITS: dict[tuple[str, str], list[list[Suit]]] = {
    **{("mse", library): [EVERY] for library in ("torch", "keras", "sklearn", "optax")},
    **{("mae", library): [EVERY] for library in ("torch", "keras", "sklearn")},
    **{
        ("huber", library): [[Suit("columns", {"delta": 0.25}), Suit("reals", {"delta": 3.0}), Suit("real-edges")]]
        for library in ("torch", "keras", "optax")
    },
    ("smooth-l1", "torch"): [[Suit("columns", {"beta": 0.25}), Suit("real-edges", {"beta": 0.0}), Suit("reals")]],
    ("log-cosh", "keras"): [EVERY],
    ("log-cosh", "optax"): [EVERY],
    ("pinball", "sklearn"): [[Suit("columns", {"quantile": 0.9}), Suit("reals")]],
    ("rmse", "torch"): [EVERY],
    ("rmse", "sklearn"): [[Suit("reals"), Suit("columns", {}, {"like": "sklearn"}), Suit("columns", differs=True)]],
    ("max-error", "sklearn"): [[Suit("reals"), Suit("real-edges")]],
    ("r2", "sklearn"): [[Suit("reals"), Suit("columns", {}, {"like": "sklearn"}), Suit("columns", differs=True)]],
    ("bce", "torch"): [
        [Suit("multilabel"), Suit("probabilities"), Suit("probability-edges")],
        [
            Suit("multilabel-logits", {"input": "logits", "pos_weight": 3.0}),
            Suit("logit-edges", {"input": "logits"}),
        ],
    ],
    ("bce", "keras"): [
        [
            Suit("multilabel"),
            Suit("hard-probability-edges", {}, {"like": "keras"}),
            Suit("hard-probability-edges", differs=True),
        ]
    ],
    ("bce", "sklearn"): [
        [
            Suit("probabilities"),
            Suit("hard-probability-edges", {}, {"like": "sklearn"}),
            Suit("hard-probability-edges", differs=True),
        ]
    ],
    ("bce", "optax"): [[Suit("multilabel-logits", {"input": "logits"})]],
    ("zero-one", "sklearn"): [[Suit("labels"), Suit("label-sets"), Suit("words")]],
    ("cross-entropy", "torch"): [
        [
            Suit("classes"),
            Suit("ignored", {"class_weight": HEAVY, "label_smoothing": 0.1}),
            Suit("soft-classes", {"class_weight": HEAVY}),
        ]
    ],
    ("cross-entropy", "keras"): [[Suit("classes")]],
    ("cross-entropy", "optax"): [[Suit("classes")]],
    ("cross-entropy", "sklearn"): [
        [Suit("class-probabilities", {"input": "probs"}), Suit("class-probabilities", {}, {"like": "sklearn"})]
    ],
    ("nll", "torch"): [[Suit("class-log-probabilities"), Suit("ignored-log-probabilities", {"class_weight": HEAVY})]],
    ("kl-div", "torch"): [[Suit("log-distributions"), Suit("two-log-distributions", {"log_target": True})]],
    ("kl-div", "keras"): [
        [
            Suit("distributions", {}, {"like": "keras"}),
            Suit("sparse-distributions", {}, {"like": "keras"}),
            Suit("sparse-distributions", {"input": "probs"}, differs=True),
        ]
    ],
    ("kl-div", "optax"): [[Suit("log-distributions"), Suit("sparse-log-distributions")]],
    ("hinge", "keras"): [[Suit("signed-columns"), Suit("zero-one-signed"), Suit("all-positive")]],
    ("hinge", "optax"): [[Suit("signed-columns"), Suit("zero-one-signed", differs=True)]],
    ("hinge", "sklearn"): [[Suit("signed"), Suit("zero-one-signed"), Suit("all-positive", differs=True)]],
    ("triplet-margin", "torch"): [
        [
            Suit("triplets"),
            Suit("triplets", {"margin": 0.2, "p": 1.0, "eps": 0.01, "swap": True}),
            Suit("triplet-edges"),
        ]
    ],
    ("ndcg-loss", "sklearn"): [
        [Suit("lists"), Suit("tied-lists", {"k": 3}), Suit("lists", {"k": 2, "ignore_ties": True})]
    ],
}
