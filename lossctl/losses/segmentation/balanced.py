"""One number for all classes of an image, or for all four counts: generalised Dice, and the correlation of masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from lossctl.losses.segmentation.options import (
    ACTIVATION,
    BACKGROUND,
    INPUT,
    OF_CLASSES,
    POOL,
    SMOOTH_DR,
    SMOOTH_NR,
)
from lossctl.losses.segmentation.pixels import Counts, Form, counted, divisible, given, pooled
from lossctl.losses.types import Rows
from lossctl.losses.types_images import Masks, TrueMasks
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.masks import same_pixels
from lossctl.model.params import Param
from lossctl.model.reduce import Elements, Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

Params = Mapping[str, Any]


def class_weights(counts: Counts, params: Params) -> Rows:
    """(N, C) what each class counts; one without a pixel counts as the heaviest of those that have some."""
    size = counts.hit + counts.under
    if params["w_type"] == "uniform":
        return np.ones_like(size)
    weight = 1.0 / (size * size if params["w_type"] == "square" else size)
    known = np.where(np.isfinite(weight), weight, 0.0)
    return np.where(np.isfinite(weight), weight, known.max(axis=1, keepdims=True))


def generalized_divisor(counts: Counts, params: Params) -> Rows:
    weight = class_weights(counts, params)
    return np.asarray(np.sum(weight * (2.0 * counts.hit + counts.apart), axis=1) + params["smooth_dr"])


def generalized_of(counts: Counts, params: Params) -> Rows:
    apart = np.sum(class_weights(counts, params) * counts.apart, axis=1)
    return np.asarray((apart + (params["smooth_dr"] - params["smooth_nr"])) / generalized_divisor(counts, params))


@loss(
    title="Generalised Dice loss",
    reduce=pooled(generalized_of, Mean(), whole=("batch",)),
    unit="1",
    range="-inf to 1",
    aliases=("gdl", "generalised-dice"),
    paper=Paper(
        "C. H. Sudre, W. Li, T. Vercauteren, S. Ourselin, M. J. Cardoso",
        2017,
        "Generalised Dice Overlap as a Deep Learning Loss Function for Highly Unbalanced Segmentations",
        doi="10.1007/978-3-319-67558-9_28",
    ),
    see=("dice", "tversky"),
    tasks=("segmentation", "medical images", "imbalanced classes"),
    equivalents=(
        Equivalent(
            "monai",
            "losses.GeneralizedDiceLoss(w_type=w_type)(pred, target)",
            "its class weights are float32: exact where classes have 2^k pixels",
        ),
        Equivalent(
            "monai",
            "losses.GeneralizedDiceLoss(w_type=w_type, batch=True)(pred, target)",
            "pool=batch; its class weights are float32",
        ),
    ),
    traps=(
        "optax's multiclass_generalized_dice_loss is another loss: the weighted mean of the classes' Dice losses",
        "a class without a pixel counts as the heaviest of the others, as in MONAI; 1/0 in the paper",
        "below zero only where smooth_nr exceeds smooth_dr",
        OF_CLASSES,
    ),
    align=same_pixels,
    checks=divisible(generalized_divisor, "smooth_dr"),
)
def generalized_dice(
    pred: Masks,
    target: TrueMasks,
    *,
    input: Annotated[str, INPUT] = "probs",
    activation: Annotated[str, ACTIVATION] = "auto",
    w_type: Annotated[
        str,
        Param("what a class counts: 1/T^2, 1/T or 1, of the T pixels it has", choices=("square", "simple", "uniform")),
    ] = "square",
    smooth_nr: Annotated[float, SMOOTH_NR] = 1e-5,
    smooth_dr: Annotated[float, SMOOTH_DR] = 1e-5,
    include_background: Annotated[bool, BACKGROUND] = True,
    pool: Annotated[str, Param("what is one region: an image, or all images", choices=("sample", "batch"))] = "sample",
) -> Any:
    """Dice of all classes together, in which small classes count as much as large ones.

    With p the predictions and t the targets of the pixels of a class c in an image (pool=batch: in all images), I =
    sum(p t), P = sum(p) and T = sum(t), and w = 1 / T^2 (w_type=square), 1 / T (simple) or 1 (uniform):

        1 - (2 sum_c w I + smooth_nr) / (sum_c w (P + T) + smooth_dr)

    >>> generalized_dice([[[0.9, 0.2, 0.4], [0.1, 0.8, 0.6]]], [[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]], class_axis=1)
    array([0.25925849])
    """
    counts = counted(pred, target, Form(input, activation, include_background))
    params = {"w_type": w_type, "smooth_nr": smooth_nr, "smooth_dr": smooth_dr}
    return given(counts, generalized_of, pool, params)


def correlation_of(counts: Counts, params: Params) -> Rows:
    """1 - r, with r = (A E - B C) / D and D^2 = (A + B)(A + C)(E + B)(E + C) of hits A, over B, under C, rest E.

    Where r > 0 as (D^2 - (A E - B C)^2) / (D (D + A E - B C)), whose upper part is written out: no term is negative.
    """
    a, b, c, e = (count + params["eps"] for count in counts)
    whole = np.sqrt((a + b) * (a + c)) * np.sqrt((e + b) * (e + c))
    agree = a * e - b * c
    upper = 4.0 * (a * e) * (b * c) + (a * e + b * c) * (a + e) * (b + c) + (a * c + b * e) * (a * b + c * e)
    return np.asarray(np.where(agree > 0, upper / (whole * (whole + agree)), 1.0 - agree / whole))


@loss(
    title="Matthews correlation of masks",
    reduce=pooled(correlation_of, Elements()),
    unit="1",
    range="0 to 2",
    laws={NONNEGATIVE},
    aliases=("soft-mcc", "matthews"),
    paper=Paper(
        "K. Abhishek, G. Hamarneh",
        2021,
        "Matthews Correlation Coefficient Loss for Deep Convolutional Networks: Application to Skin Lesion "
        "Segmentation",
        doi="10.1109/ISBI48211.2021.9433782",
    ),
    see=("dice", "iou"),
    tasks=("segmentation", "masks", "imbalanced classes", "correlation"),
    equivalents=(
        Equivalent("smp", "losses.MCCLoss(eps=eps)(pred, target)", "pool=all; masks of one class over the batch"),
    ),
    traps=(
        "segmentation_models takes the whole batch as one region: --pool all",
        "an image that is all foreground, or has none, has no correlation: 1 but for eps",
        OF_CLASSES,
    ),
    align=same_pixels,
)
def mcc(
    pred: Masks,
    target: TrueMasks,
    *,
    input: Annotated[str, INPUT] = "probs",
    activation: Annotated[str, ACTIVATION] = "auto",
    eps: Annotated[float, Param("added to each of the four counts", gt=0)] = 1e-5,
    include_background: Annotated[bool, BACKGROUND] = True,
    pool: Annotated[str, POOL] = "sample",
) -> Any:
    """One minus the correlation of predicted and true pixels, in which background counts like foreground.

    With p the predictions and t the targets of the pixels of a class in an image (pool=batch: in all images), and
    TP = sum(p t) + eps, FP = sum(p (1 - t)) + eps, FN = sum((1 - p) t) + eps, TN = sum((1 - p) (1 - t)) + eps:

        1 - (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN))

    >>> mcc([[0.9, 0.2, 0.6, 0.1]], [[1.0, 0.0, 1.0, 0.0]])
    array([0.3969834])
    """
    counts = counted(pred, target, Form(input, activation, include_background))
    return given(counts, correlation_of, pool, {"eps": eps})
