"""Golden cases of one score for each class."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Suit
from declare import by_rows, like, naive, optax, sklearn, torch, value
from inputs import CLASSES, Arrays, Rng, classes

W = (1.0, 0.0, 2.5, 0.5)
W3 = (0.5, 2.0, 0.0)


def one_hot(rng: Rng, rows: int) -> Arrays:
    """Scores above zero, where Keras's categorical hinge is right, and one-hot rows."""
    arrays = classes(rng, rows)
    return {**arrays, "pred": rng.uniform(0.0, 4.0, (rows, CLASSES)), "target": np.eye(CLASSES)[arrays["target"]]}


RANDOM = {"one-hot-classes": one_hot}

EDGES: dict[str, dict[str, Any]] = {
    "class-margins": {  # leads of 1, 0.5, 0, below 0; ties of rivals; negative scores only; all equal
        "pred": [
            [2.0, 1.0, 1.0],
            [1.5, 1.0, 2.0],
            [0.0, 3.0, 3.0],
            [1.0, 1.0, 1.0],
            [0.5, -3.0, -4.0],
            [-2.0, 0.0, 0.5],
        ],
        "target": [0, 0, 2, 1, 0, 0],
        "weight": [1.0, 2.0, 0.5, 0.0, 3.0, 1.0],
    },
    "one-hot-margins": {  # the same, one-hot
        "pred": [
            [2.0, 1.0, 1.0],
            [1.5, 1.0, 2.0],
            [0.0, 3.0, 3.0],
            [1.0, 1.0, 1.0],
            [0.5, -3.0, -4.0],
            [-2.0, 0.0, 0.5],
        ],
        "target": [[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 0, 0]],
        "weight": [1.0, 2.0, 0.5, 0.0, 3.0, 1.0],
    },
    "large-classes": {  # leads that are small beside the scores: the margin is lost where 1 - s_y comes first
        "pred": [[1e16, 1e16 + 2.0, 0.0], [-1e17, -1e17, -1e17], [3e15, 3e15 + 0.5, 3e15 - 0.5], [1e200, 0.0, -1e200]],
        "target": [0, 2, 1, 1],
        "weight": [1.0, 2.0, 3.0, 1.0],
    },
    "close-classes": {  # leads that are nearly the margin
        "pred": [[1.0 + 2.0**-52, 0.0, -1.0], [1.0 - 2.0**-53, 0.0, 0.0], [0.3, 0.1 + 0.2, -0.7]],
        "target": [0, 0, 0],
        "weight": [1.0, 2.0, 3.0],
    },
    "two-classes": {"pred": [[0.5, 0.25], [-1.0, 2.0]], "target": [0, 0], "weight": [1.0, 3.0]},
    "one-class": {"pred": [[0.5], [-1.0]], "target": [0, 0], "weight": [1.0, 3.0]},
    "unit-classes": {  # within [0, 1], without a softmax elsewhere
        "pred": [[0.2, 0.7, 0.9], [1.0, 0.0, 0.5], [0.25, 0.5, 0.125], [0.6, 0.6, 0.1]],
        "target": [0, 0, 1, 2],
        "weight": [1.0, 2.0, 3.0, 1.0],
    },
}
TORCH = "F.multi_margin_loss(pred, {y}{said}, reduction='none')"
COUNTED = "(target != {index})"


def multi_margin() -> list[Case]:
    found = []
    for data, y, weight in (
        ("classes", "target", W),
        ("class-margins", "target", W3),
        ("one-hot-classes", "target.argmax(1)", W),
        ("one-hot-margins", "target.argmax(1)", W3),
        ("two-classes", "target", (2.0, 0.5)),
        ("one-class", "target", (3.0,)),
        ("unit-classes", "target", W3),
    ):
        for params in ({}, {"p": 2.0}, {"margin": 0.5}, {"p": 2.0, "margin": 0.5}, {"p": 1.0, "margin": 0.0}):
            said = "".join(f", {key}={item}" for key, item in params.items())
            same = like("torch", torch(f"F.multi_margin_loss(pred, {y}{said})"))
            found.append(by_rows("multi-margin", data, torch(TORCH.format(y=y, said=said)), same, **params))
            heavy = torch(TORCH.format(y=y, said=f"{said}, weight=class_weight"))
            same = like("torch", torch(f"F.multi_margin_loss(pred, {y}{said}, weight=class_weight)"))
            found.append(by_rows("multi-margin", data, heavy, same, **params, class_weight=weight))
    for data in ("classes", "one-hot-margins", "large-classes", "close-classes"):
        for params in ({"p": 1.5}, {"p": 3.0, "margin": 2.5}, {"p": 1.0}):
            said = "".join(f", {key}={item}" for key, item in params.items())
            found.append(by_rows("multi-margin", data, naive(f"multi_margin_rows(pred, target{said})"), **params))
    found.append(
        by_rows(
            "multi-margin",
            "classes",
            naive("multi_margin_rows(pred, target, p, margin, class_weight)"),
            p=2.5,
            margin=0.75,
            class_weight=W,
        )
    )
    for data, index in (("ignored", -100), ("ignored-255", 255), ("ignored-2", 2)):
        counted = COUNTED.format(index=index)
        rows = f"torch.where({counted}, F.multi_margin_loss(pred, target.where({counted}, 0), reduction='none'), 0.0)"
        found.append(ignoring("multi-margin", data, rows, index))
    return found


def ignoring(loss: str, data: str, rows: str, index: int, **params: Any) -> Case:
    """Rows that do not count are 0, and no divisor sees them."""
    counted = COUNTED.format(index=index)
    return Case(
        loss,
        data,
        {**params, **({} if index == -100 else {"ignore_index": index})},
        torch(rows),
        (
            value(torch(f"rows.sum() / {counted}.sum()")),
            value(torch(f"(weight * rows).sum() / weight[{counted}].sum()"), weight="weight"),
            value(torch("rows.sum()"), reduction="sum"),
        ),
    )


def strongest_rival() -> list[Case]:
    """categorical-hinge and multiclass-hinge in its first mode; both take an index or a one-hot row."""
    found = []
    for loss, mode in (
        ("multiclass-hinge", {}),
        ("categorical-hinge", {}),
        ("multiclass-hinge", {"mode": "crammer-singer"}),
    ):
        for data, y in (
            ("classes", "target"),
            ("class-margins", "target"),
            ("two-classes", "target"),
            ("one-class", "target"),
            ("one-hot-classes", "target.argmax(1)"),
            ("one-hot-margins", "target.argmax(1)"),
        ):
            same = [like("optax", optax(f"multiclass_hinge_loss(pred, {y}).mean()"))]
            if data in {"classes", "one-hot-classes", "class-margins"}:
                call = f"hinge_loss({y}, pred"
                same += [
                    like("sklearn", sklearn(f"{call})")),
                    like("sklearn", sklearn(f"{call}, sample_weight=weight)"), weight="weight"),
                ]
            found.append(by_rows(loss, data, optax(f"multiclass_hinge_loss(pred, {y})"), *same, **mode))
            rows = naive("strongest_rival_rows(pred, target, 0.25)")
            found.append(by_rows(loss, data, rows, **mode, margin=0.25))
        for data in ("large-classes", "close-classes"):
            found.append(by_rows(loss, data, naive("strongest_rival_rows(pred, target)"), **mode))
        for data, index in (("ignored", -100), ("ignored-255", 255)):
            counted = COUNTED.format(index=index)
            own = f"target.where({counted}, 0)[:, None]"
            rivals = f"pred.scatter(1, {own}, -torch.inf).max(1).values"
            rows = f"torch.where({counted}, (1 - (pred.gather(1, {own})[:, 0] - {rivals})).clamp(min=0), 0.0)"
            found.append(ignoring(loss, data, rows, index, **mode))
    return found


def one_against_the_rest() -> list[Case]:
    """Hinge losses of all classes, added up."""
    found = []
    single = "F.margin_ranking_loss(pred, torch.zeros_like(pred), 2.0 * {hot} - 1, margin={m}, reduction='none').sum(1)"
    hot = f"F.one_hot(target, {CLASSES})"
    for level in (1.0, 0.25):
        params = {"mode": "ovr", **({} if level == 1.0 else {"margin": level})}
        found += [
            by_rows("multiclass-hinge", "classes", torch(single.format(hot=hot, m=level)), **params),
            by_rows("multiclass-hinge", "one-hot-classes", torch(single.format(hot="target", m=level)), **params),
            *(
                by_rows("multiclass-hinge", data, naive(f"one_against_the_rest_rows(pred, target, {level})"), **params)
                for data in ("class-margins", "one-hot-margins", "two-classes", "one-class", "large-classes")
            ),
        ]
    return found


def cases() -> list[Case]:
    return [*multi_margin(), *strongest_rival(), *one_against_the_rest()]


SUITS = {
    ("multi-margin", "torch"): [
        [
            Suit("classes"),
            Suit("classes", {"p": 2.0, "margin": 0.25, "class_weight": W}),
            Suit("class-margins", {"class_weight": W3}),
        ]
    ],
    ("multiclass-hinge", "sklearn"): [[Suit("classes"), Suit("class-margins")]],
    ("multiclass-hinge", "optax"): [[Suit("classes"), Suit("class-margins"), Suit("two-classes")]],
    ("multiclass-hinge", "keras"): [[Suit("one-hot-classes"), Suit("one-hot-margins", differs=True)]],
    ("multiclass-hinge", "torchmetrics"): [
        [Suit("unit-classes"), Suit("class-probabilities"), Suit("classes", differs=True)],
        [Suit("unit-classes", {"mode": "ovr"}), Suit("classes", {"mode": "ovr"}, differs=True)],
    ],
}
