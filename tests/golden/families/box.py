"""Golden cases of boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Oracle, Suit
from declare import case, exact, like, naive, torch, value
from inputs import Arrays, Rng, weights

WAYS = {"box-iou": "iou", "giou": "giou", "diou": "diou", "ciou": "ciou"}


def boxes(rng: Rng, rows: int) -> Arrays:
    """Boxes in pixels, the prediction near the target or beside it."""
    low, size = rng.uniform(0, 60, size=(rows, 2)), rng.uniform(2, 40, size=(rows, 2))
    target = np.concatenate([low, low + size], axis=1)
    moved = low + rng.normal(size=(rows, 2)) * size * rng.choice([0.1, 0.5, 2.0], size=(rows, 1))
    pred = np.concatenate([moved, moved + size * np.exp(0.3 * rng.normal(size=(rows, 2)))], axis=1)
    return {"pred": pred, "target": target, "weight": weights(rng, rows)}


def sized(rng: Rng, rows: int) -> Arrays:
    """The same as a place and a size."""
    arrays = boxes(rng, rows)
    for role in ("pred", "target"):
        arrays[role] = np.concatenate([arrays[role][:, :2], arrays[role][:, 2:] - arrays[role][:, :2]], axis=1)
    return arrays


RANDOM = {"boxes": boxes, "sized-boxes": sized}

TINY = [10.0**-k for k in range(1, 15, 2)]
EDGES: dict[str, dict[str, Any]] = {
    "box-edges": {  # equal, one in the other, crossing, corner to corner, edge to edge, apart, far apart
        "pred": [
            [0.0, 0.0, 2.0, 2.0],
            [0.0, 0.0, 4.0, 4.0],
            [0.0, 0.0, 4.0, 1.0],
            [0.0, 0.0, 1.0, 1.0],
            [0.0, 0.0, 1.0, 1.0],
            [-3.0, -2.0, -1.0, -1.0],
            [0.0, 0.0, 1.0, 1.0],
            [0.0, 0.0, 2.0, 2.0],
        ],
        "target": [
            [0.0, 0.0, 2.0, 2.0],
            [1.0, 1.0, 2.0, 3.0],
            [0.0, 0.0, 1.0, 4.0],
            [1.0, 1.0, 2.0, 2.0],
            [1.0, 0.0, 3.0, 1.0],
            [2.0, 2.0, 5.0, 3.0],
            [1e6, 1e6, 1e6 + 1, 1e6 + 1],
            [1.0, 1.0, 3.0, 3.0],
        ],
        "weight": [1.0, 2.0, 0.5, 0.0, 1.0, 3.0, 1.0, 2.0],
    },
    "near-boxes": {  # 1 - IoU has few digits left where boxes nearly agree
        "pred": [[1.0 + d, 2.0 - d, 4.0, 3.0 + 2 * d] for d in TINY] + [[0.0, 0.0, 1.0, 1.0 + 2.0**-52]],
        "target": [[1.0, 2.0, 4.0, 3.0]] * len(TINY) + [[0.0, 0.0, 1.0, 1.0]],
        "weight": [1.0] * (len(TINY) + 1),
    },
    "box-sizes": {  # areas of 1e-12 and of 1e+12
        "pred": [[0.0, 0.0, 1e-6, 1e-6], [0.0, 0.0, 1e6, 2e6], [0.5, 0.5, 0.501, 0.501]],
        "target": [[0.0, 0.0, 2e-6, 1e-6], [5e5, 0.0, 2e6, 2e6], [0.5, 0.5, 0.501, 0.501]],
        "weight": [1.0, 2.0, 0.5],
    },
    "box-magnitudes": {  # areas leave the float range
        "pred": [
            [0.0, 0.0, 2e200, 2e200],
            [-1e308, 0.0, 1e308, 1e308],
            [1e-200, 1e-200, 3e-200, 2e-200],
            [0.0, 0.0, 1e-320, 1e-320],
            [0.0, 0.0, 1e-90, 1e90],
        ],
        "target": [
            [1e200, 1e200, 3e200, 4e200],
            [0.0, -1e308, 1e308, 1e308],
            [2e-200, 1e-200, 5e-200, 2e-200],
            [0.0, 0.0, 5e-321, 1e-320],
            [0.0, 0.0, 2e-90, 1e90],
        ],
        "weight": [1.0, 2.0, 0.5, 1.0, 1.0],
    },
    "flat-boxes": {  # without area: both, either, a line and a point
        "pred": [[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.0]],
        "target": [[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 3.0], [1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 2.0, 2.0]],
        "weight": [1.0, 2.0, 0.5, 1.0],
    },
}
TORCHVISION = {
    "giou": "ops.generalized_box_iou_loss(pred, target, eps={})",
    "diou": "ops.distance_box_iou_loss(pred, target, eps={})",
    "ciou": "ops.complete_box_iou_loss(pred, target, eps={})",
}


def reduced(loss: str) -> list[Any]:
    found = [
        value(torch("rows.mean()")),
        value(torch("rows.sum()"), reduction="sum"),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
        value(torch("(weight * rows).sum() / len(weight)"), weight="weight", weight_norm="n"),
    ]
    if loss in TORCHVISION:
        call = TORCHVISION[loss].format(1e-7).replace(")", ", reduction='mean')")
        found += [value(Oracle("torchvision", call)), like("torch", Oracle("torchvision", call))]
    else:
        found.append(like("torch", torch("rows.mean()")))
    return found


def cases() -> list[Case]:
    found = []
    for loss, way in WAYS.items():
        library = Oracle("torchvision", TORCHVISION[loss].format(1e-7)) if loss in TORCHVISION else None
        plain = exact(f"box_rows('{way}', pred, target)")
        found.append(case(loss, "boxes", *reduced(loss), rows=library or plain))
        found.append(case(loss, "box-edges", *reduced(loss), rows=plain))
        found += [case(loss, data, rows=plain) for data in ("near-boxes", "box-sizes", "box-magnitudes")]
        for data in ("near-boxes", "box-sizes", "box-magnitudes", "boxes"):
            found.append(case(loss, data, rows=exact(f"box_rows('{way}', pred, target, 0.0)"), eps=0.0))
        found.append(case(loss, "boxes", rows=exact(f"box_rows('{way}', pred, target, 2.5)"), eps=2.5))
        for layout in ("xywh", "cxcywh"):
            rows = naive(f"box_rows('{way}', pred, target, boxes='{layout}')")
            found.append(case(loss, "sized-boxes", rows=rows, boxes=layout))
        found.append(case(loss, "flat-boxes", rows=plain, zero_area="score"))
        skipped = exact(f"with_area(box_rows('{way}', pred, target), pred, target)")
        found.append(case(loss, "flat-boxes", value(torch("rows[3]"), weight="weight"), rows=skipped, zero_area="skip"))
    for mode in ("log", "square"):
        for data in ("near-boxes", "box-sizes", "boxes", "box-edges"):
            found.append(case("box-iou", data, rows=exact(f"box_rows('{mode}', pred, target)"), mode=mode))
    return found


BOTH = [Suit("boxes"), Suit("box-edges")]
SUITS = {
    ("box-iou", "torchvision"): [
        [Suit("boxes", {"eps": 0.0}), Suit("box-edges", {"eps": 0.0})],
        [Suit("near-boxes", {"eps": 0.0, "mode": "log"})],
    ],
    ("giou", "torchvision"): [[*BOTH, Suit("boxes", {"eps": 2.5}), Suit("box-sizes")]],
    ("diou", "torchvision"): [[*BOTH, Suit("boxes", {"eps": 2.5})]],
    ("ciou", "torchvision"): [[*BOTH, Suit("boxes", {"eps": 2.5}, differs=True)]],
}
