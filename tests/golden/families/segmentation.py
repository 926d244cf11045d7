"""Golden cases of masks: shares of overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Oracle, Suit
from declare import case, exact, keras, like, naive, optax, torch, value
from inputs import Arrays, Rng, weights

SHAPE = (3, 4)
CLASSES = 3


def scores(rng: Rng, truth: Any) -> Any:
    """Logits that know something of the truth."""
    return 1.5 * rng.normal(size=truth.shape) + 2.0 * truth - 1.0


def masks(rng: Rng, rows: int) -> Arrays:
    truth = (rng.random(size=(rows, *SHAPE)) < 0.5).astype(float)
    truth[:, 0, 0] = 1.0
    return {"pred": 1 / (1 + np.exp(-scores(rng, truth))), "target": truth, "weight": weights(rng, rows)}


def mask_logits(rng: Rng, rows: int) -> Arrays:
    arrays = masks(rng, rows)
    return {**arrays, "pred": np.log(arrays["pred"]) - np.log1p(-arrays["pred"])}


def soft_masks(rng: Rng, rows: int) -> Arrays:
    return {**masks(rng, rows), "target": rng.random(size=(rows, *SHAPE))}


def indices(rng: Rng, rows: int) -> Any:
    """Class indices of pixels; every class occurs in every image."""
    found = rng.integers(0, CLASSES, size=(rows, *SHAPE))
    found.reshape(rows, -1)[:, :CLASSES] = np.arange(CLASSES)
    return found


def one_hot(index: Any) -> Any:
    return np.moveaxis(np.eye(CLASSES)[index], -1, 1)


def class_logits(rng: Rng, rows: int) -> Arrays:
    """Logits of classes, and indices."""
    index = indices(rng, rows)
    return {"pred": scores(rng, one_hot(index)), "target": index, "weight": weights(rng, rows)}


def hot_logits(rng: Rng, rows: int) -> Arrays:
    arrays = class_logits(rng, rows)
    return {**arrays, "target": one_hot(arrays["target"])}


def class_masks(rng: Rng, rows: int) -> Arrays:
    """Probabilities of classes, and one-hot masks."""
    arrays = hot_logits(rng, rows)
    powers = np.exp(arrays["pred"])
    return {**arrays, "pred": powers / powers.sum(axis=1, keepdims=True)}


def classes_last(rng: Rng, rows: int) -> Arrays:
    arrays = class_masks(rng, rows)
    return {**arrays, **{role: np.moveaxis(arrays[role], 1, -1) for role in ("pred", "target")}}


def void_masks(rng: Rng, rows: int) -> Arrays:
    """Masks with pixels that do not count."""
    arrays = masks(rng, rows)
    arrays["target"][:, 1, 1:3] = 255.0
    return arrays


def void_classes(rng: Rng, rows: int) -> Arrays:
    """Probabilities of classes, and indices of which some do not count."""
    arrays = class_masks(rng, rows)
    index = arrays["target"].argmax(axis=1)
    index[:, 1, :2] = 255
    return {**arrays, "target": index}


RANDOM = {
    "void-masks": void_masks,
    "void-classes": void_classes,
    "masks": masks,
    "mask-logits": mask_logits,
    "soft-masks": soft_masks,
    "class-logits": class_logits,
    "hot-logits": hot_logits,
    "class-masks": class_masks,
    "classes-last": classes_last,
}

TINY = [10.0**-k for k in (1, 3, 5, 8, 12, 15)]
HALVES = [[[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]]
EDGES: dict[str, dict[str, Any]] = {
    "mask-edges": {  # right, all wrong, nothing there, nothing predicted, neither, full, touching a half
        "pred": [
            [[1.0, 0.0], [0.0, 1.0]],
            [[1.0, 0.0], [0.0, 1.0]],
            [[0.25, 0.5], [0.0, 1.0]],
            [[0.0, 0.0], [0.0, 0.0]],
            [[0.0, 0.0], [0.0, 0.0]],
            [[1.0, 1.0], [1.0, 1.0]],
            [[0.5, 0.5], [0.5, 0.75]],
        ],
        "target": [
            [[1.0, 0.0], [0.0, 1.0]],
            [[0.0, 1.0], [1.0, 0.0]],
            [[0.0, 0.0], [0.0, 0.0]],
            [[1.0, 0.0], [1.0, 1.0]],
            [[0.0, 0.0], [0.0, 0.0]],
            [[1.0, 1.0], [1.0, 1.0]],
            [[1.0, 0.0], [1.0, 0.0]],
        ],
        "weight": [1.0, 2.0, 0.5, 0.0, 1.0, 3.0, 1.0],
    },
    "lacking-classes": {  # images without one class or two of three
        "pred": [[[0.5, 0.25], [0.5, 0.5], [0.0, 0.25]], [[0.125, 0.25], [0.75, 0.25], [0.125, 0.5]]],
        "target": [[0, 1], [2, 2]],
        "weight": [1.0, 2.0],
    },
    "near-masks": {  # nearly right: 1 - D has few digits left
        "pred": [[1 - d, d, 1 - d / 2, d / 4] for d in TINY],
        "target": [[1.0, 0.0, 1.0, 0.0]] * len(TINY),
        "weight": [1.0] * len(TINY),
    },
    "sharp-logits": {  # probabilities that round to 0 or 1
        "pred": [[[40.0, -40.0], [-40.0, 38.0]], [[800.0, -800.0], [0.0, 36.0]], [[20.0, 30.0], [-25.0, 1e-9]]],
        "target": [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, 1.0]]],
        "weight": [1.0, 2.0, 0.5],
    },
    "sharp-classes": {
        "pred": [[[50.0, -3.0], [1.0, 45.0], [0.0, 2.0]], [[700.0, 0.0], [0.0, 30.0], [-700.0, -30.0]]],
        "target": [[0, 1], [0, 1]],
        "weight": [1.0, 2.0],
    },
    "halves": {  # classes of four pixels each
        "pred": [[HALVES[0], HALVES[1]], [[[[0.9, 0.6, 0.2, 0.1]] * 2, [[0.1, 0.4, 0.8, 0.9]] * 2]][0]],
        "target": [[HALVES[0], HALVES[1]], [HALVES[0], HALVES[1]]],
        "weight": [1.0, 2.0],
    },
}

DICE = {"smooth_nr": 1e-5, "smooth_dr": 1e-5}
SMOOTH = {"smooth": 1e-5}
DEFAULTS: dict[str, dict[str, Any]] = {
    "dice": DICE,
    "iou": SMOOTH,
    "tversky": {"alpha": 0.5, "beta": 0.5, **SMOOTH},
    "focal-tversky": {"alpha": 0.3, "beta": 0.7, "gamma": 4 / 3, **SMOOTH},
    "generalized-dice": {"w_type": "square", **DICE},
    "mcc": {"eps": 1e-5},
}
# Parameters of each loss at other values.
OTHERS: dict[str, list[dict[str, Any]]] = {
    "dice": [{"squared_pred": True}, {"smooth_nr": 0.0}, {"smooth_nr": 2.5, "smooth_dr": 1.0}],
    "iou": [{"smooth": 0.0}, {"smooth": 2.5}],
    "tversky": [{"alpha": 0.3, "beta": 0.7}, {"smooth": 0.0}, {"alpha": 1.0, "beta": 1.0, "smooth": 1.0}],
    "focal-tversky": [{"alpha": 0.7, "beta": 0.2}, {"gamma": 0.75}, {"gamma": 3.0, "smooth": 1.0}],
    "generalized-dice": [{"w_type": "simple"}, {"w_type": "uniform"}, {"smooth_nr": 0.0}, {"smooth_dr": 1.0}],
    "mcc": [{"eps": 1e-9}, {"eps": 2.5}],
}
LIKES = {
    "dice": [
        ("masks", like("keras", keras("losses.Dice()(target, pred)"))),
        ("class-masks", like("keras", keras("losses.Dice()(target, pred)"))),
    ]
}


def spelled(given: dict[str, Any]) -> str:
    return "".join(f", {key}={item!r}" for key, item in given.items())


def rows_of(loss: str, given: dict[str, Any], axis: int | None = None, way: Any = exact) -> Oracle:
    return way(f"mask_rows('{loss}', pred, target{spelled({**DEFAULTS[loss], **given})}, class_axis={axis})")


def whole_of(loss: str, pool: str, given: dict[str, Any], axis: int | None, weight: str = "None") -> Oracle:
    said = spelled({**DEFAULTS[loss], **given})
    return naive(f"mask_whole('{loss}', '{pool}', pred, target, {weight}{said}, class_axis={axis})")


def reduced() -> list[Any]:
    return [
        value(torch("rows.mean()")),
        value(torch("rows.sum()"), row="sum", reduction="sum"),
        value(torch("rows.max()"), reduction="max"),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
        value(torch("(weight * rows).sum() / len(weight)"), weight="weight", weight_norm="n"),
    ]


def of_loss(loss: str) -> list[Case]:
    plain = [r for r in reduced() if loss != "generalized-dice" or "row" not in r.options]
    by_data: dict[str, list[Any]] = {"masks": plain, "class-masks": [r for r in plain if "row" not in r.options]}
    for data, one in LIKES.get(loss, []):
        by_data[data] = [*by_data[data], one]
    found = []
    for data, axis in (("masks", None), ("class-masks", 1), ("mask-edges", None), ("near-masks", None)):
        found.append(case(loss, data, *by_data.get(data, []), rows=rows_of(loss, {}, axis)))
    found.append(case(loss, "soft-masks", rows=rows_of(loss, {}, None, naive)))
    found.append(case(loss, "lacking-classes", *plain[3:4], rows=rows_of(loss, {}, 1)))
    for data, axis in (("mask-logits", None), ("class-logits", 1), ("sharp-logits", None), ("sharp-classes", 1)):
        found.append(case(loss, data, rows=rows_of(loss, {"input": "logits"}, axis), input="logits"))
    sigmoid = {"input": "logits", "activation": "sigmoid"}
    found.append(case(loss, "hot-logits", rows=rows_of(loss, sigmoid, 1), **sigmoid))
    found.append(case(loss, "classes-last", rows=rows_of(loss, {}, 3), class_axis=3))
    found.append(
        case(loss, "class-masks", rows=rows_of(loss, {"include_background": False}, 1), include_background=False)
    )
    for given in OTHERS[loss]:
        found += [
            case(loss, data, rows=rows_of(loss, given, axis), **given)
            for data, axis in (("masks", None), ("class-masks", 1))
        ]
    if loss not in {"generalized-dice", "mcc"}:
        for data, axis in (("mask-edges", None), ("lacking-classes", 1)):
            found.append(case(loss, data, rows=rows_of(loss, {"on_empty": "zero"}, axis), on_empty="zero"))
        found.append(case(loss, "masks", rows=rows_of(loss, {}), on_empty="error"))
    void = {"ignore_index": 255}
    found += [
        case(loss, data, rows=rows_of(loss, void, axis), **void)
        for data, axis in (("void-masks", None), ("void-classes", 1))
    ]
    for pool in ("batch", "all") if loss != "generalized-dice" else ("batch",):
        for data, axis in (("masks", None), ("class-masks", 1), ("lacking-classes", 1)):
            both = [
                value(whole_of(loss, pool, {}, axis)),
                value(whole_of(loss, pool, {}, axis, "weight"), weight="weight"),
            ]
            found.append(case(loss, data, *both, rows=None, pool=pool))
    return found


def cases() -> list[Case]:
    found = [made for loss in DEFAULTS for made in of_loss(loss)]
    moved = "dice_loss(jnp.moveaxis(pred, 1, -1), jnp.moveaxis(target, 1, -1)).mean()"
    two = {"input": "logits", "smooth_nr": 2.0, "smooth_dr": 2.0}
    found.append(
        case(
            "dice",
            "hot-logits",
            like("optax", optax(moved)),
            rows=rows_of("dice", {"input": "logits"}, 1),
            input="logits",
        )
    )
    found.append(case("dice", "hot-logits", value(optax(moved)), rows=rows_of("dice", two, 1), **two))
    skipped = {"ignore_index": 255, "pool": "batch", "on_empty": "zero", "smooth_nr": 0.0, "smooth_dr": 0.0}
    way = "losses.DiceLoss('multiclass', from_logits=False, ignore_index=255)(pred, target)"
    found.append(case("dice", "void-classes", value(Oracle("smp", way)), rows=None, **skipped))
    return found


SMP = {"pool": "batch", "on_empty": "zero"}
LAST = {"input": "logits"}
SUITS = {
    ("dice", "monai"): [
        [
            Suit("class-masks"),
            Suit("class-masks", {"squared_pred": True}),
            Suit("class-masks", {"include_background": False}),
        ]
    ],
    ("dice", "smp"): [
        [
            Suit("class-masks", {**SMP, "smooth_nr": 0.0, "smooth_dr": 0.0}),
            Suit("masks", {"pool": "sample"}, differs=True),
        ]
    ],
    ("dice", "keras"): [
        [Suit(data, {"pool": "all", "smooth_nr": 0.0, "smooth_dr": 1e-7}) for data in ("masks", "class-masks")]
        + [Suit("class-masks", differs=True)]
    ],
    ("dice", "optax"): [[Suit("hot-logits", {**LAST, "smooth_nr": 2.0, "smooth_dr": 2.0})]],
    ("iou", "monai"): [[Suit("class-masks"), Suit("class-masks", {"smooth": 1.5})]],
    ("iou", "smp"): [[Suit("class-masks", {**SMP, "smooth": 1.5}), Suit("class-masks", SMP)]],
    ("tversky", "monai"): [[Suit("class-masks"), Suit("class-masks", {"alpha": 0.3, "beta": 0.7, "smooth": 1.0})]],
    ("tversky", "smp"): [[Suit("class-masks", {**SMP, "alpha": 0.3, "beta": 0.7})]],
    ("tversky", "optax"): [[Suit("hot-logits", {**LAST, "alpha": 0.3, "beta": 0.7, "smooth": 1.0})]],
    ("focal-tversky", "monai"): [[Suit("class-masks"), Suit("class-masks", {"gamma": 0.75})]],
    ("focal-tversky", "smp"): [
        [Suit("one-class-masks", {"pool": "all", "on_empty": "zero"}), Suit("class-masks", SMP, differs=True)]
    ],
    ("generalized-dice", "monai"): [
        [
            *(Suit("halves", {"w_type": way}) for way in ("square", "simple", "uniform")),
            Suit("class-masks", differs=True),
        ],
        [Suit("halves", {"pool": "batch"})],
    ],
    ("mcc", "smp"): [
        [Suit("masks", {"pool": "all"}), Suit("masks", {"pool": "batch", "eps": 2.5}), Suit("masks", differs=True)]
    ],
}


def one_class(rng: Rng, rows: int) -> Arrays:
    arrays = masks(rng, rows)
    return {**arrays, **{role: arrays[role][:, None] for role in ("pred", "target")}}


RANDOM["one-class-masks"] = one_class
