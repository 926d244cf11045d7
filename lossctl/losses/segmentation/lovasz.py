"""Extensions of the Jaccard index to scores: errors sorted, and weighed by what each costs the index."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl.losses.segmentation.options import ACTIVATION, INPUT, OF_CLASSES
from lossctl.losses.segmentation.pixels import Form, flattened, pixels
from lossctl.losses.types import Rows
from lossctl.losses.types_images import HardMasks, MaskLogits, Masks
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.masks import same_pixels
from lossctl.model.params import Param
from lossctl.model.reduce import Elements, Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

BERMAN = Paper(
    "M. Berman, A. Rannen Triki, M. B. Blaschko",
    2018,
    "The Lovasz-Softmax Loss: A Tractable Surrogate for the Optimization of the Intersection-Over-Union Measure in "
    "Neural Networks",
    doi="10.1109/CVPR.2018.00464",
)


def extension(errors: Rows, truth: Rows, other: Rows) -> Rows:
    """(N, C) sums of sorted errors, greatest first (equal ones in order of their pixels), times what each costs.

    Pixels that do not count, where neither truth nor the other is 1, come last and cost nothing.

    Beside U pixels in the union, I of them in the intersection, a pixel of the class more costs 1 / U, another one
    I / (U (U - 1)): the differences of 1 - I / U, written out so that no digits cancel.
    """
    shape = errors.shape[:2]
    flat, true = flattened(np.where(truth + other == 0, -np.inf, errors)), flattened(truth)
    order = np.argsort(-flat, axis=1, kind="stable")
    flat, true = np.take_along_axis(flat, order, 1), np.take_along_axis(true, order, 1)
    size = np.sum(true, axis=1, keepdims=True)
    union = size + np.cumsum(1.0 - true, axis=1)
    before = np.where(union > 1, union - 1, 1.0)
    cost = np.where(true == 1, 1.0 / union, (size - np.cumsum(true, axis=1)) / (union * before))
    cost[:, 0] = np.where(size[:, 0] == 0, 1.0, cost[:, 0])  # nothing there: the greatest error is all
    return np.asarray(np.sum(np.where(cost == 0, 0.0, np.maximum(flat, 0.0)) * cost, axis=1)).reshape(shape)


@loss(
    title="Lovasz hinge",
    reduce=Elements(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    paper=BERMAN,
    see=("lovasz-softmax", "iou", "hinge"),
    tasks=("segmentation", "masks", "imbalanced classes"),
    equivalents=(
        Equivalent(
            "smp",
            "losses.LovaszLoss('binary', per_image=True)(pred.float(), target.float()).double()",
            "one class, and float32 only; per_image=False, its default, sorts the whole batch as one image",
        ),
    ),
    traps=(
        "it takes logits: probabilities are refused by name, and give plausible numbers otherwise",
        "each image is sorted by itself (per_image=True); code that sorts the whole batch gives another number",
        "a variant has elu(e) + 1 for max(0, e)",
        OF_CLASSES,
    ),
    align=same_pixels,
)
def lovasz_hinge(pred: MaskLogits, target: HardMasks) -> Rows:
    """Hinge errors of the pixels, greatest first, each times what the Jaccard index loses by it.

    With x the logits and y the targets (0 or 1) of the pixels of a class in an image, e = 1 - x (2 y - 1) sorted from
    the greatest on, and J(k) = 1 - I / U of the truth against the truth less its pixels (more the others) up to k:

        sum_k max(0, e_k) (J(k) - J(k - 1))

    >>> lovasz_hinge([[2.0, -1.0, 0.5, -3.0]], [[1.0, 0.0, 0.0, 1.0]])
    array([2.25])
    """
    # The form of the scores is settled: only class indices are to be spread out.
    found = []
    for scores, _, truth, other in pixels(pred, target, Form("probs")):
        found.append(extension(1.0 - scores * (2.0 * truth - 1.0), truth, other))
    return np.concatenate(found)


@loss(
    title="Lovasz softmax",
    reduce=Mean(),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    paper=BERMAN,
    see=("lovasz-hinge", "iou", "dice"),
    tasks=("segmentation", "masks", "imbalanced classes"),
    equivalents=(
        Equivalent(
            "smp",
            "losses.LovaszLoss('multiclass', per_image=True)(pred.float(), target.long()).double()",
            "input=logits, class indices; float32 only",
        ),
    ),
    traps=(
        "it takes probabilities: logits need --input logits",
        "class_set=present leaves out the classes that an image lacks; with all they cost their greatest probability",
        "each image is sorted by itself; the authors' default sorts the whole batch as one image (per_image=False)",
        OF_CLASSES,
    ),
    align=same_pixels,
)
def lovasz_softmax(
    pred: Masks,
    target: HardMasks,
    *,
    input: Annotated[str, INPUT] = "probs",
    activation: Annotated[str, ACTIVATION] = "auto",
    class_set: Annotated[
        str, Param("which classes count: those that the image has, or all", choices=("present", "all"))
    ] = "present",
) -> Rows:
    """Errors of the pixels' probabilities, greatest first, each times what the Jaccard index loses by it.

    With e = |y - p| of the pixels of a class in an image sorted from the greatest on, and J(k) = 1 - I / U of the truth
    against the truth less its pixels (more the others) up to k, the mean over the classes of:

        sum_k e_k (J(k) - J(k - 1))

    >>> lovasz_softmax([[0.9, 0.2, 0.6]], [[1.0, 0.0, 1.0]])
    array([0.26666667])
    """
    found = []
    for likely, unlike, truth, other in pixels(pred, target, Form(input, activation)):
        values = extension(truth * unlike + other * likely, truth, other)
        counts = truth.any(axis=tuple(range(2, truth.ndim)))
        if class_set == "all":
            counts = np.ones_like(counts)
        total = np.sum(np.where(counts, values, 0.0), axis=1)
        found.append(total / np.maximum(np.sum(counts, axis=1), 1))
    return np.concatenate(found)
