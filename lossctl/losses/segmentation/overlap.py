"""Shares of overlap, Dice and Jaccard: by image or over all images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from lossctl.losses.segmentation.options import (
    ABSENT,
    ACTIVATION,
    BACKGROUND,
    EMPTY_TWICE,
    INPUT,
    OF_CLASSES,
    ON_EMPTY,
    POOL,
    SMOOTH,
    SMOOTH_DR,
    SMOOTH_NR,
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


def dice_divisor(counts: Counts, params: Params) -> Rows:
    return np.asarray(2.0 * counts.hit + counts.apart + params["smooth_dr"])


def dice_of(counts: Counts, params: Params) -> Rows:
    # 1 - (2 I + a) / (P + T + b) as (P + T - 2 I + b - a) / (P + T + b), which has digits left where 2 I is all.
    value = (counts.apart + (params["smooth_dr"] - params["smooth_nr"])) / dice_divisor(counts, params)
    return unless_absent(value, counts, params)


@loss(
    title="Dice loss",
    reduce=pooled(dice_of, Elements()),
    unit="1",
    range="-inf to 1",
    aliases=("soft-dice", "f1-loss", "sorensen"),
    paper=Paper(
        "F. Milletari, N. Navab, S.-A. Ahmadi",
        2016,
        "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation",
        doi="10.1109/3DV.2016.79",
    ),
    see=("iou", "tversky", "generalized-dice", "lovasz-softmax"),
    tasks=("segmentation", "medical images", "masks", "imbalanced classes"),
    like={
        "keras": {"pool": "all", "smooth_nr": 0.0, "smooth_dr": 1e-7},
        "optax": {"smooth_nr": 2.0, "smooth_dr": 2.0},
    },
    equivalents=(
        Equivalent(
            "monai",
            "losses.DiceLoss(squared_pred=squared_pred, include_background=include_background)(pred, target)",
            "N x C x Y x X; without squared_pred soft targets need soft_label=False, its default",
        ),
        Equivalent(
            "smp",
            "losses.DiceLoss('multilabel', from_logits=False)(pred, target)",
            "pool=batch, on_empty=zero, smooth_nr=0, smooth_dr=0; masks of 0 and 1",
        ),
        Equivalent("keras", "losses.Dice()(target, pred)", "pool=all, smooth_nr=0, smooth_dr=1e-7; no weights"),
        Equivalent(
            "optax",
            "dice_loss(jnp.moveaxis(pred, 1, -1), jnp.moveaxis(target, 1, -1)).mean()",
            "input=logits; its smooth=1 is 2 in this form",
        ),
    ),
    traps=(
        "MONAI averages over images and classes; Keras takes everything as one region, segmentation_models a class "
        "over the batch: --pool",
        EMPTY_TWICE,
        ABSENT,
        "V-Net has squares below the fraction: --squared-pred",
        "below zero only where smooth_nr exceeds smooth_dr",
        OF_CLASSES,
    ),
    align=same_pixels,
    checks=divisible(dice_divisor, "smooth_dr"),
)
def dice(
    pred: Masks,
    target: TrueMasks,
    *,
    input: Annotated[str, INPUT] = "probs",
    activation: Annotated[str, ACTIVATION] = "auto",
    squared_pred: Annotated[bool, Param("squares of p and t in the sums below the fraction")] = False,
    smooth_nr: Annotated[float, SMOOTH_NR] = 1e-5,
    smooth_dr: Annotated[float, SMOOTH_DR] = 1e-5,
    include_background: Annotated[bool, BACKGROUND] = True,
    on_empty: Annotated[str, ON_EMPTY] = "smooth",
    pool: Annotated[str, POOL] = "sample",
) -> Any:
    """One minus twice the overlap of two regions, by what both cover.

    With p the predictions and t the targets of the pixels of a class in an image (pool=batch: in all images):

        1 - (2 sum(p t) + smooth_nr) / (sum(p) + sum(t) + smooth_dr)
        1 - (2 sum(p t) + smooth_nr) / (sum(p^2) + sum(t^2) + smooth_dr)      squared_pred

    >>> dice([[0.8, 0.3, 0.6, 0.1]], [[1.0, 0.0, 1.0, 1.0]])
    array([0.37499922])
    """
    form = Form(input, activation, include_background)
    params = {"smooth_nr": smooth_nr, "smooth_dr": smooth_dr, "on_empty": on_empty}
    return given(counted(pred, target, form, squared=squared_pred), dice_of, pool, params)


def iou_divisor(counts: Counts, params: Params) -> Rows:
    return np.asarray(counts.hit + counts.apart + params["smooth"])


def iou_of(counts: Counts, params: Params) -> Rows:
    return unless_absent(counts.apart / iou_divisor(counts, params), counts, params)


@loss(
    title="Intersection over union of masks",
    reduce=pooled(iou_of, Elements()),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("jaccard", "soft-iou", "soft-jaccard"),
    paper=Paper(
        "M. A. Rahman, Y. Wang",
        2016,
        "Optimizing Intersection-Over-Union in Deep Neural Networks for Image Segmentation",
        doi="10.1007/978-3-319-50835-1_22",
    ),
    see=("dice", "lovasz-softmax", "tversky", "box-iou"),
    tasks=("segmentation", "masks", "satellite images"),
    equivalents=(
        Equivalent(
            "monai",
            "losses.DiceLoss(jaccard=True, smooth_nr=2 * smooth, smooth_dr=2 * smooth)(pred, target)",
            "its smoothing counts half",
        ),
        Equivalent(
            "smp",
            "losses.JaccardLoss('multilabel', from_logits=False, smooth=smooth)(pred, target)",
            "pool=batch, on_empty=zero; masks of 0 and 1",
        ),
    ),
    traps=(
        "boxes are box-iou",
        "MONAI's jaccard=True smooths (2 I + s) / (2 U + s): half of its s",
        "Keras' and scikit-learn's scores of that name threshold the predictions first",
        ABSENT,
        OF_CLASSES,
    ),
    align=same_pixels,
    checks=divisible(iou_divisor, "smooth"),
)
def iou(
    pred: Masks,
    target: TrueMasks,
    *,
    input: Annotated[str, INPUT] = "probs",
    activation: Annotated[str, ACTIVATION] = "auto",
    smooth: Annotated[float, SMOOTH] = 1e-5,
    include_background: Annotated[bool, BACKGROUND] = True,
    on_empty: Annotated[str, ON_EMPTY] = "smooth",
    pool: Annotated[str, POOL] = "sample",
) -> Any:
    """One minus the overlap of two regions, by what either covers.

    With p the predictions and t the targets of the pixels of a class in an image (pool=batch: in all images), and
    I = sum(p t):

        1 - (I + smooth) / (sum(p) + sum(t) - I + smooth)

    >>> iou([[0.8, 0.3, 0.6, 0.1]], [[1.0, 0.0, 1.0, 1.0]])
    array([0.54545289])
    """
    counts = counted(pred, target, Form(input, activation, include_background))
    return given(counts, iou_of, pool, {"smooth": smooth, "on_empty": on_empty})
