"""Golden cases of masks: sorted errors, distances from borders, skeletons."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Suit
from declare import case, exact, naive, torch, value
from families.segmentation import hot_logits, scores
from inputs import Arrays, Rng, weights


def blobs(rng: Rng, rows: int) -> Arrays:
    """Images of 6 x 7 with a rectangle, and probabilities that know of it."""
    truth = np.zeros((rows, 6, 7))
    for image in truth:
        y, x = rng.integers(0, 3, size=2)
        image[y : y + rng.integers(2, 4), x : x + rng.integers(2, 5)] = 1.0
    return {"pred": 1 / (1 + np.exp(-scores(rng, truth))), "target": truth, "weight": weights(rng, rows)}


def blob_logits(rng: Rng, rows: int) -> Arrays:
    arrays = blobs(rng, rows)
    return {**arrays, "pred": np.log(arrays["pred"]) - np.log1p(-arrays["pred"])}


def volumes(rng: Rng, rows: int) -> Arrays:
    """Volumes of 3 x 3 x 4 in one channel."""
    truth = (rng.random(size=(rows, 1, 3, 3, 4)) < 0.5).astype(float)
    return {"pred": 1 / (1 + np.exp(-scores(rng, truth))), "target": truth, "weight": weights(rng, rows)}


def logit_masks(rng: Rng, rows: int) -> Arrays:
    """Logits in eighths, so that errors are tied, and masks of which some are empty."""
    truth = (rng.random(size=(rows, 3, 4)) < 0.4).astype(float)
    truth[1::4] = 0.0
    return {"pred": np.round(8 * scores(rng, truth)) / 8, "target": truth, "weight": weights(rng, rows)}


RANDOM = {"blobs": blobs, "blob-logits": blob_logits, "volumes": volumes, "logit-masks": logit_masks}

STRIPE = [[1.0, 1.0, 0.0, 0.0, 0.0]] * 3
EDGES: dict[str, dict[str, Any]] = {
    "stripes": {  # all distances are whole
        "pred": [[[[0.9, 0.6, 0.7, 0.1, 0.2]] * 3], [[[0.2, 0.9, 0.25, 0.125, 0.0]] * 3]],
        "target": [[STRIPE], [STRIPE]],
        "weight": [1.0, 2.0],
    },
    "blob-edges": {  # empty, full, both, right
        "pred": [
            [[0.1, 0.2], [0.3, 0.4]],
            [[0.6, 0.9], [1.0, 0.7]],
            [[0.0, 0.0], [0.0, 0.0]],
            [[1.0, 0.0], [0.0, 0.5]],
        ],
        "target": [
            [[0.0, 1.0], [0.0, 0.0]],
            [[1.0, 1.0], [1.0, 1.0]],
            [[0.0, 0.0], [0.0, 0.0]],
            [[1.0, 0.0], [0.0, 0.0]],
        ],
        "weight": [1.0, 2.0, 0.5, 1.0],
    },
    "lovasz-edges": {  # nothing there, everything, ties, no error left, far off
        "pred": [[2.0, -1.0, 0.5], [2.0, -1.0, 0.5], [0.0, 0.0, 0.0], [5.0, -5.0, 7.0], [-1e3, 1e3, 1.0]],
        "target": [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0]],
        "weight": [1.0, 2.0, 0.5, 1.0, 0.0],
    },
    "whole-errors": {  # float32 holds all of it
        "pred": [[-1.0, 0.5, -0.5, -2.0], [-2.0, 0.0, 0.5, -1.0]],
        "target": [[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]],
        "weight": [1.0, 2.0],
    },
    "even-logits": {"pred": [[[[0.0, 1.0]], [[0.0, 1.0]]]], "target": [[[1, 0]]], "weight": [1.0]},
    "likely-edges": {
        "pred": [[0.5, 0.25, 0.75], [1.0, 0.9, 0.8], [0.5, 0.5, 0.5], [1.0, 0.0, 1.0], [1e-9, 1.0, 1 - 1e-9]],
        "target": [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]],
        "weight": [1.0, 2.0, 0.5, 1.0, 0.0],
    },
}


def reduced(*, wide: bool) -> list[Any]:
    found = [
        value(torch("rows.mean()")),
        value(torch("rows.max()"), reduction="max"),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
        value(torch("(weight * rows).sum() / len(weight)"), weight="weight", weight_norm="n"),
    ]
    return [*found, value(torch("rows.sum()"), row="sum", reduction="sum")] if wide else found


def shapes(loss: str, function: str, others: list[dict[str, Any]]) -> list[Case]:
    def rows(given: dict[str, Any] | None = None, axis: int | None = None) -> Any:
        said = "".join(f", {key}={item!r}" for key, item in (given or {}).items())
        return naive(f"{function}(pred, target{said}, class_axis={axis})")

    found = [case(loss, "blobs", *reduced(wide=False), rows=rows())]
    for data, axis in (("class-masks", 1), ("volumes", 1), ("blob-edges", None)):
        found.append(case(loss, data, rows=rows(None, axis)))
    for data, axis in (("blob-logits", None), ("class-logits", 1)):
        found.append(case(loss, data, rows=rows({"input": "logits"}, axis), input="logits"))
    sigmoid = {"input": "logits", "activation": "sigmoid"}
    found.append(case(loss, "hot-logits", rows=rows(sigmoid, 1), **sigmoid))
    found.append(case(loss, "classes-last", rows=rows(None, 3), class_axis=3))
    left_out = {"include_background": False}
    found.append(case(loss, "class-masks", rows=rows(left_out, 1), **left_out))
    return [*found, *(case(loss, "blobs", rows=rows(given), **given) for given in others)]


def lovasz() -> list[Case]:
    hinge = "lovasz_hinge_rows(pred, target)"
    found = [case("lovasz-hinge", "logit-masks", *reduced(wide=True), rows=exact(hinge))]
    found.append(case("lovasz-hinge", "lovasz-edges", rows=exact(hinge)))
    for data in ("class-logits", "hot-logits"):
        found.append(case("lovasz-hinge", data, rows=exact("lovasz_hinge_rows(pred, target, 1)")))
    last = exact("lovasz_hinge_rows(pred, target, 3)")
    found.append(case("lovasz-hinge", "last-logits", rows=last, class_axis=3))
    void = {"ignore_index": 255}
    hinge = "lovasz_hinge_rows(pred, target, ignore_index=255)"
    found.append(case("lovasz-hinge", "void-masks", rows=exact(hinge), **void))
    soft = "lovasz_softmax_rows(pred, target{})"
    found.append(case("lovasz-softmax", "class-masks", *reduced(wide=False), rows=exact(soft.format(", class_axis=1"))))
    for data in ("likely-edges", "blobs"):
        found.append(case("lovasz-softmax", data, rows=exact(soft.format(""))))
    for given in ({}, {"class_set": "all"}):
        for data, axis in (("lacking-classes", 1), ("likely-edges", None)):
            said = soft.format(f", class_axis={axis}" + "".join(f", {k}={v!r}" for k, v in given.items()))
            if given or data != "likely-edges":
                found.append(case("lovasz-softmax", data, rows=exact(said), **given))
    logits = {"input": "logits"}
    for data in ("class-logits", "sharp-classes"):
        said = soft.format(", input='logits', class_axis=1")
        found.append(case("lovasz-softmax", data, rows=exact(said), **logits))
    said = soft.format(", input='logits', activation='sigmoid', class_axis=1")
    found.append(case("lovasz-softmax", "hot-logits", rows=exact(said), **logits, activation="sigmoid"))
    found.append(case("lovasz-softmax", "classes-last", rows=exact(soft.format(", class_axis=3")), class_axis=3))
    said = soft.format(", ignore_index=255, class_axis=1")
    found.append(case("lovasz-softmax", "void-classes", rows=exact(said), **void))
    return found


def cases() -> list[Case]:
    return [
        *lovasz(),
        *shapes("hausdorff-dt", "hausdorff_rows", [{"alpha": 1.0}, {"alpha": 0.5}]),
        *shapes("cldice", "cldice_rows", [{"iterations": 0}, {"iterations": 1, "smooth": 0.25}, {"eps": 0.0}]),
    ]


def last_logits(rng: Rng, rows: int) -> Arrays:
    arrays = hot_logits(rng, rows)
    return {**arrays, **{role: np.moveaxis(arrays[role], 1, -1) for role in ("pred", "target")}}


RANDOM["last-logits"] = last_logits

SUITS = {
    ("lovasz-hinge", "smp"): [[Suit("whole-errors"), Suit("logit-masks", differs=True)]],
    ("lovasz-softmax", "smp"): [
        [Suit("even-logits", {"input": "logits"}), Suit("class-logits", {"input": "logits"}, differs=True)]
    ],
    ("hausdorff-dt", "monai"): [
        [Suit("stripes"), Suit("stripes", {"alpha": 1.0}), Suit("class-masks", {"alpha": 1.0}, differs=True)]
    ],
    ("cldice", "monai"): [
        [
            Suit("class-masks"),
            Suit("volumes"),
            Suit("class-masks", {"iterations": 1, "smooth": 0.25, "include_background": False}),
        ]
    ],
}
