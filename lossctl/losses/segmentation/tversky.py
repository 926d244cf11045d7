"""Overlap in which false positives and false negatives weigh differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from lossctl.losses.segmentation.options import (
    ABSENT,
    ACTIVATION,
    BACKGROUND,
    FALSE_NEGATIVES,
    FALSE_POSITIVES,
    INPUT,
    OF_CLASSES,
    ON_EMPTY,
    POOL,
    SMOOTH,
)
from lossctl.losses.segmentation.pixels import Counts, Form, counted, divisible, given, pooled, unless_absent
from lossctl.losses.types import Rows
from lossctl.losses.types_images import Masks, TrueMasks
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.masks import same_pixels
from lossctl.model.params import Param
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

Params = Mapping[str, Any]


def missed(counts: Counts, params: Params) -> Rows:
    return np.asarray(params["alpha"] * counts.over + params["beta"] * counts.under)


def tversky_divisor(counts: Counts, params: Params) -> Rows:
    return np.asarray(counts.hit + missed(counts, params) + params["smooth"])


def tversky_of(counts: Counts, params: Params) -> Rows:
    return unless_absent(missed(counts, params) / tversky_divisor(counts, params), counts, params)


SALEHI = Paper(
    "S. S. M. Salehi, D. Erdogmus, A. Gholipour",
    2017,
    "Tversky Loss Function for Image Segmentation Using 3D Fully Convolutional Deep Networks",
    doi="10.1007/978-3-319-67389-9_44",
)


@loss(
    title="Tversky loss",
    reduce=pooled(tversky_of, Elements()),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    paper=SALEHI,
    see=("dice", "focal-tversky", "iou"),
    tasks=("segmentation", "masks", "imbalanced classes", "small lesions", "recall over precision"),
    equivalents=(
        Equivalent(
            "monai",
            "losses.TverskyLoss(alpha=alpha, beta=beta, smooth_nr=smooth, smooth_dr=smooth)(pred, target)",
        ),
        Equivalent(
            "smp",
            "losses.TverskyLoss('multilabel', from_logits=False, alpha=alpha, beta=beta, smooth=smooth)(pred, target)",
            "pool=batch, on_empty=zero; masks of 0 and 1",
        ),
        Equivalent(
            "optax",
            "dice_loss(jnp.moveaxis(pred, 1, -1), jnp.moveaxis(target, 1, -1), alpha=alpha, beta=beta, smooth=smooth)"
            ".mean()",
            "input=logits",
        ),
    ),
    traps=(
        "Keras up to 3.15.1 has alpha and beta the wrong way round and smooths only below: there is no --like keras",
        "alpha weighs false positives, as in the paper; 0.3 and 0.7 favour recall",
        "alpha = beta = 0.5 is dice with twice the smoothing, alpha = beta = 1 is iou",
        ABSENT,
        OF_CLASSES,
    ),
    align=same_pixels,
    checks=divisible(tversky_divisor, "smooth"),
)
def tversky(
    pred: Masks,
    target: TrueMasks,
    *,
    input: Annotated[str, INPUT] = "probs",
    activation: Annotated[str, ACTIVATION] = "auto",
    alpha: Annotated[float, FALSE_POSITIVES] = 0.5,
    beta: Annotated[float, FALSE_NEGATIVES] = 0.5,
    smooth: Annotated[float, SMOOTH] = 1e-5,
    include_background: Annotated[bool, BACKGROUND] = True,
    on_empty: Annotated[str, ON_EMPTY] = "smooth",
    pool: Annotated[str, POOL] = "sample",
) -> Any:
    """One minus the Tversky index: overlap in which false positives and false negatives weigh differently.

    With p the predictions and t the targets of the pixels of a class in an image (pool=batch: in all images), and
    TP = sum(p t), FP = sum(p (1 - t)), FN = sum((1 - p) t):

        1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth)

    >>> tversky([[0.8, 0.3, 0.6, 0.1]], [[1.0, 0.0, 1.0, 1.0]], alpha=0.3, beta=0.7, smooth=0.0)
    array([0.43181818])
    """
    counts = counted(pred, target, Form(input, activation, include_background))
    return given(counts, tversky_of, pool, {"alpha": alpha, "beta": beta, "smooth": smooth, "on_empty": on_empty})


def focal_tversky_of(counts: Counts, params: Params) -> Rows:
    return np.asarray(tversky_of(counts, params) ** (1.0 / params["gamma"]))


@loss(
    title="Focal Tversky loss",
    reduce=pooled(focal_tversky_of, Elements()),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    paper=Paper(
        "N. Abraham, N. M. Khan",
        2019,
        "A Novel Focal Tversky Loss Function with Improved Attention U-Net for Lesion Segmentation",
        doi="10.1109/ISBI.2019.8759329",
    ),
    see=("tversky", "dice"),
    tasks=("segmentation", "masks", "imbalanced classes", "small lesions", "hard examples"),
    equivalents=(
        Equivalent(
            "monai",
            "(losses.TverskyLoss(alpha=alpha, beta=beta, smooth_nr=smooth, smooth_dr=smooth, reduction='none')"
            "(pred, target) ** (1 / gamma)).mean()",
        ),
        Equivalent(
            "smp",
            "losses.TverskyLoss('multilabel', from_logits=False, alpha=alpha, beta=beta, gamma=1 / gamma, "
            "smooth=smooth)(pred, target)",
            "pool=all, on_empty=zero: one class, as it raises the mean over the classes; masks of 0 and 1",
        ),
    ),
    traps=(
        "the exponent is 1/gamma, 0.75 at the default; where code takes the exponent itself, 0.75 is called gamma",
        "in the paper alpha weighs false negatives; here it weighs false positives, as in tversky: 0.3 and 0.7",
        "segmentation_models raises the mean over the classes to its gamma, which is 1 by default",
        ABSENT,
        OF_CLASSES,
    ),
    align=same_pixels,
    checks=divisible(tversky_divisor, "smooth"),
)
def focal_tversky(
    pred: Masks,
    target: TrueMasks,
    *,
    input: Annotated[str, INPUT] = "probs",
    activation: Annotated[str, ACTIVATION] = "auto",
    alpha: Annotated[float, FALSE_POSITIVES] = 0.3,
    beta: Annotated[float, FALSE_NEGATIVES] = 0.7,
    gamma: Annotated[float, Param("the exponent is 1/gamma; from 1 to 3 in the paper", gt=0)] = 4 / 3,
    smooth: Annotated[float, SMOOTH] = 1e-5,
    include_background: Annotated[bool, BACKGROUND] = True,
    on_empty: Annotated[str, ON_EMPTY] = "smooth",
    pool: Annotated[str, POOL] = "sample",
) -> Any:
    """The Tversky loss to a power below 1, so that what is nearly right still counts.

    With TI the Tversky index of a class in an image (pool=batch: in all images):

        (1 - TI)^(1 / gamma)

        TI = (TP + smooth) / (TP + alpha FP + beta FN + smooth)

    >>> focal_tversky([[0.8, 0.3, 0.6, 0.1]], [[1.0, 0.0, 1.0, 1.0]], smooth=0.0)
    array([0.53269141])
    """
    counts = counted(pred, target, Form(input, activation, include_background))
    params = {"alpha": alpha, "beta": beta, "gamma": gamma, "smooth": smooth, "on_empty": on_empty}
    return given(counts, focal_tversky_of, pool, params)
