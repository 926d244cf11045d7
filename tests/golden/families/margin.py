"""Golden cases of scores against two classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Reduced, Suit
from declare import by_elements, by_rows, case, keras, like, naive, optax, pointwise, sklearn, torch, value
from inputs import Arrays, Rng, signed, signed_columns, weights

SIGN = "(1.0 * (target == 1) - 1.0 * (target != 1))"  # of labels 0 and 1, or -1 and 1
# torch has hinge and perceptron under another name: a ranking of the score against zero.
RANKED = "F.margin_ranking_loss(pred, torch.zeros_like(pred), {y}, margin={m}, reduction='none')"


def zero_one_columns(rng: Rng, rows: int) -> Arrays:
    arrays = signed_columns(rng, rows)
    return {**arrays, "target": (arrays["target"] + 1) / 2}


def distances(rng: Rng, rows: int) -> Arrays:
    """Of pairs that are alike (1) or not (-1)."""
    arrays = signed(rng, rows)
    return {**arrays, "pred": np.abs(arrays["pred"])}


def distance_columns(rng: Rng, rows: int) -> Arrays:
    arrays = signed_columns(rng, rows)
    return {**arrays, "pred": np.abs(arrays["pred"])}


def unit_scores(rng: Rng, rows: int) -> Arrays:
    """Scores that a library leaves alone which sends all others through a sigmoid."""
    arrays = signed(rng, rows)
    return {**arrays, "pred": rng.uniform(size=rows), "weight": weights(rng, rows)}


RANDOM = {
    "zero-one-signed-columns": zero_one_columns,
    "distances": distances,
    "distance-columns": distance_columns,
    "unit-scores": unit_scores,
}

EDGES: dict[str, dict[str, Any]] = {
    "all-negative": {"pred": [0.5, -0.5, 2.0], "target": [-1.0, -1.0, -1.0], "weight": [1.0, 2.0, 3.0]},
    "all-zero-labels": {"pred": [0.5, -0.5, 2.0], "target": [0.0, 0.0, 0.0], "weight": [1.0, 2.0, 3.0]},
    "zero-one-edges": {  # margins 1, -1, 0 of both signs of zero, beyond and within
        "pred": [1.0, -1.0, 0.0, -0.0, 0.0, 5.0, -7.0],
        "target": [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0],
        "weight": [1.0, 2.0, 3.0, 1.0, 0.5, 0.0, 1.0],
    },
    "far-scores": {  # e^-ys at the ends of its range and beyond; log(1 + e^-ys) from 1e-323 up
        "pred": [1000.0, -1000.0, 709.0, 711.0, -745.0, 40.0, -37.0, 1e-20, 1e300, -5e-324],
        "target": [1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0],
        "weight": [1.0, 2.0, 3.0, 1.0, 0.5, 0.0, 1.0, 2.0, 1.0, 1.0],
    },
    "near-one": {  # what is left of the margin: 2^-52 and less, of scores that are nearly enough
        "pred": [1.0 - 2.0**-53, 1.0 + 2.0**-52, -1.0 + 2.0**-53, 1.0 - 1e-9, 0.9999999, 1e16],
        "target": [1.0, 1.0, -1.0, 1.0, 1.0, -1.0],
        "weight": [1.0, 2.0, 3.0, 1.0, 0.5, 1.0],
    },
    "distance-edges": {  # on the margin, beyond, within; zero; negative distances
        "pred": [0.0, 0.0, 1.0, 1.0, 0.25, 3.0, 3.0, -0.5, -0.5, 2.0],
        "target": [1.0, -1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0],
        "weight": [1.0, 2.0, 3.0, 1.0, 0.5, 0.0, 1.0, 2.0, 1.0, 1.0],
    },
    "zero-one-distances": {
        "pred": [0.3, 0.3, 2.0, -0.5],
        "target": [0.0, 1.0, 0.0, 0.0],
        "weight": [1.0, 2.0, 0.0, 1.0],
    },
    "classes-of-ties": {  # the true class ahead, tied, behind; all scores equal; negative ones only
        "pred": [[2.0, 0.5, -1.0], [0.0, 3.0, 3.0], [1.0, 1.0, 1.0], [-2.0, -0.5, -0.25], [1e16, 1e16 - 2.0, 0.0]],
        "target": [0, 2, 1, 0, 1],
        "weight": [1.0, 2.0, 0.5, 0.0, 3.0],
    },
}


def hinge() -> list[Case]:
    """torch's margin_ranking_loss against zero has the margin free."""
    found = []
    flat = [
        like("keras", keras("losses.Hinge()(target[:, None], pred[:, None])")),
        like("keras", keras("losses.Hinge()(target[:, None], pred[:, None], sample_weight=weight)"), weight="weight"),
    ]
    for data, signs, extra in (
        ("signed", "target", [like("optax", optax("hinge_loss(pred, target).mean()")), *flat]),
        ("signed-edges", "target", [like("optax", optax("hinge_loss(pred, target).mean()")), *flat]),
        ("zero-one-signed", SIGN, flat),
        ("zero-one-edges", SIGN, flat),
        ("all-positive", "target", flat),
        ("all-negative", "target", flat),
        ("all-zero-labels", SIGN, flat),
    ):
        found.append(pointwise("hinge", data, RANKED.format(y=signs, m=1.0), *extra))
        for level in (0.5, 0.0):
            found.append(pointwise("hinge", data, RANKED.format(y=signs, m=level), margin=level))
    found += [
        pointwise("hinge", "signed", RANKED.format(y="target", m=1.0), labels="pm1"),
        pointwise("hinge", "zero-one-signed", RANKED.format(y=SIGN, m=1.0), labels="01"),
        pointwise("hinge", "all-positive", RANKED.format(y="target", m=2.0), labels="01", margin=2.0),
        pointwise(
            "hinge",
            "signed-columns",
            RANKED.format(y="target", m=1.0),
            like("keras", keras("losses.Hinge()(target, pred, sample_weight=weight)"), weight="weight"),
            wide=True,
        ),
        pointwise("hinge", "zero-one-signed-columns", RANKED.format(y=SIGN, m=1.0), wide=True),
        case(
            "hinge",
            "signed",
            value(sklearn("hinge_loss(target, pred)")),
            value(sklearn("hinge_loss(target, pred, sample_weight=weight)"), weight="weight"),
            rows=optax("hinge_loss(pred, target)"),
            margin=1.0,
        ),
    ]
    return found


def squared_hinge() -> list[Case]:
    """The squares of torch's hinge; exactly, where the shortfall is small."""
    column = "target[:, None], pred[:, None]"
    flat = [
        like("keras", keras(f"losses.SquaredHinge()({column})")),
        like("keras", keras(f"losses.SquaredHinge()({column}, sample_weight=weight)"), weight="weight"),
    ]
    square = "({call}) ** 2"
    found = []
    for data in ("signed", "signed-edges", "zero-one-signed", "zero-one-edges", "all-positive", "all-negative"):
        found.append(by_rows("squared-hinge", data, torch(square.format(call=RANKED.format(y=SIGN, m=1.0))), *flat))
        found.append(by_rows("squared-hinge", data, naive("squared_rows(pred, target, 0.25)"), margin=0.25))
    wide = like("keras", keras("losses.SquaredHinge()(target, pred, sample_weight=weight)"), weight="weight")
    found += [
        by_rows("squared-hinge", "near-one", naive("squared_rows(pred, target)")),
        by_rows("squared-hinge", "signed", naive("squared_rows(pred, target)"), labels="pm1"),
        by_rows("squared-hinge", "zero-one-signed", naive("squared_rows(pred, target, 0.0)"), labels="01", margin=0.0),
        *(
            by_elements("squared-hinge", data, square.format(call=RANKED.format(y=SIGN, m=1.0)), wide)
            for data in ("signed-columns", "zero-one-signed-columns")
        ),
    ]
    return found


def perceptron() -> list[Case]:
    found = []
    many = optax("multiclass_perceptron_loss(pred, target)")
    for data in ("signed", "signed-edges", "all-negative"):
        same = like("optax", optax("perceptron_loss(pred, target).mean()"))
        found.append(by_rows("perceptron", data, optax("perceptron_loss(pred, target)"), same))
    for data in ("zero-one-signed", "zero-one-edges", "all-positive", "all-zero-labels", "far-scores"):
        found.append(by_rows("perceptron", data, naive("perceptron_rows(pred, target)")))
    for data in ("classes", "classes-of-ties"):
        same = like("optax", optax("multiclass_perceptron_loss(pred, target).mean()"))
        found.append(by_rows("perceptron", data, many, same))
        # Without a margin the strongest rival is who is ahead.
        found.append(by_rows("perceptron", data, naive("strongest_rival_rows(pred, target, 0.0)"), labels="auto"))
    found += [
        by_rows("perceptron", "signed", naive("perceptron_rows(pred, target)"), labels="pm1"),
        by_rows("perceptron", "zero-one-signed", naive("perceptron_rows(pred, target)"), labels="01"),
        *(
            by_elements("perceptron", data, RANKED.format(y=SIGN, m=0.0))
            for data in ("signed-columns", "zero-one-signed-columns")
        ),
    ]
    return found


def smooth(loss: str, call: str, rows: str, *same: Reduced) -> list[Case]:
    """exponential and soft-margin: ``call`` in torch, ``rows`` to 60 digits where it gives out."""
    named = ("signed", "signed-edges", "zero-one-signed", "zero-one-edges", "all-positive", "all-zero-labels")
    found = [by_rows(loss, data, torch(call.format(y=SIGN)), *(same if data == "signed" else ())) for data in named]
    found += [
        case(loss, "far-scores", value(naive("mean(rows)")), rows=naive(rows)),
        by_rows(loss, "near-one", naive(rows))
        if loss == "soft-margin"
        else by_rows(loss, "signed-edges", naive(rows), labels="pm1"),
        by_rows(loss, "signed", naive(rows), labels="pm1"),
        by_rows(loss, "zero-one-signed", naive(rows), labels="01"),
        *(by_elements(loss, data, call.format(y=SIGN)) for data in ("signed-columns", "zero-one-signed-columns")),
    ]
    return found


def hinge_embedding() -> list[Case]:
    call = "F.hinge_embedding_loss(pred, {y}, margin={m}, reduction='none')"
    found = []
    for data in ("distances", "distance-edges", "zero-one-distances", "all-positive", "all-zero-labels"):
        same = [like("torch", torch(f"F.hinge_embedding_loss(pred, {SIGN})"))]
        found.append(pointwise("hinge-embedding", data, call.format(y=SIGN, m=1.0), *same))
        for level in (0.25, 0.0):
            found.append(pointwise("hinge-embedding", data, call.format(y=SIGN, m=level), margin=level))
    for labels, data in (("pm1", "distances"), ("01", "zero-one-distances")):
        found.append(pointwise("hinge-embedding", data, call.format(y=SIGN, m=1.0), labels=labels))
    for data in ("distance-columns", "zero-one-signed-columns"):
        found.append(pointwise("hinge-embedding", data, call.format(y=SIGN, m=1.0), wide=True))
    return found


def cases() -> list[Case]:
    soft = like("torch", torch("F.soft_margin_loss(pred, target)"))
    return [
        *hinge(),
        *squared_hinge(),
        *perceptron(),
        *smooth("exponential", "torch.exp(-{y} * pred)", "exponential_rows(pred, target)"),
        *smooth("soft-margin", "F.soft_margin_loss(pred, {y}, reduction='none')", "logistic_rows(pred, target)", soft),
        *hinge_embedding(),
    ]


ONE_CLASS = [Suit("all-positive"), Suit("zero-one-signed")]
SIGNS = [Suit("signed"), Suit("signed-columns"), Suit("zero-one-signed", differs=True)]
SQUASHED = [Suit("unit-scores"), Suit("probabilities"), Suit("signed", differs=True)]

SUITS = {
    ("hinge", "torch"): [[*SIGNS, Suit("signed-edges", {"margin": 0.25})]],
    ("hinge", "keras"): [[Suit("signed-columns"), *ONE_CLASS]],
    ("hinge", "optax"): [SIGNS],
    ("hinge", "sklearn"): [[Suit("signed"), Suit("zero-one-signed"), Suit("all-positive", differs=True)]],
    ("hinge", "torchmetrics"): [SQUASHED],
    ("squared-hinge", "keras"): [[Suit("signed-columns"), *ONE_CLASS]],
    ("squared-hinge", "torchmetrics"): [SQUASHED],
    ("perceptron", "optax"): [SIGNS, [Suit("classes"), Suit("classes-of-ties")]],
    ("perceptron", "torch"): [SIGNS],
    ("exponential", "torch"): [SIGNS],
    ("soft-margin", "torch"): [[*SIGNS, Suit("far-scores", differs=True)]],
    ("soft-margin", "keras"): [[Suit("signed"), Suit("signed-columns"), Suit("far-scores")]],
    ("soft-margin", "optax"): [[Suit("signed"), Suit("signed-columns"), Suit("far-scores")]],
    ("hinge-embedding", "torch"): [
        [
            Suit("distances"),
            Suit("distance-columns", {"margin": 0.25}),
            Suit("distance-edges"),
            Suit("zero-one-distances", differs=True),
        ]
    ],
}
