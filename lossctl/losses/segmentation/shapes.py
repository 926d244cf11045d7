"""Where regions lie and what their skeletons are: losses of pixels that have neighbours."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from lossctl.losses.segmentation.options import ACTIVATION, BACKGROUND, INPUT, OF_CLASSES
from lossctl.losses.segmentation.pixels import Form, over_pixels, pixels
from lossctl.losses.types import Rows
from lossctl.losses.types_images import Images, TrueImages
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.masks import same_pixels
from lossctl.model.params import Param
from lossctl.model.reduce import Elements, Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper


def distances(masks: Rows) -> Rows:
    """The distance of each pixel to the border of the mask; 0 where a mask is empty or full."""
    from scipy.ndimage import distance_transform_edt

    field = np.zeros_like(masks)
    for place in np.ndindex(masks.shape[:2]):
        inside = masks[place] > 0.5
        if inside.any() and not inside.all():
            field[place] = distance_transform_edt(inside) + distance_transform_edt(~inside)
    return field


@loss(
    title="Hausdorff distance transform loss",
    reduce=Elements(),
    unit="pixels^alpha",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("hausdorff", "hausdorffdt"),
    paper=Paper(
        "D. Karimi, S. E. Salcudean",
        2020,
        "Reducing the Hausdorff Distance in Medical Image Segmentation with Convolutional Neural Networks",
        doi="10.1109/TMI.2019.2930068",
    ),
    see=("dice", "cldice"),
    tasks=("segmentation", "medical images", "boundaries"),
    equivalents=(
        Equivalent(
            "monai",
            "losses.HausdorffDTLoss(alpha=alpha, include_background=include_background)(pred, target)",
            "N x C x Y x X; its distances are float32",
        ),
    ),
    traps=(
        "a mask that is empty or full has no border: its distances are 0, so predicting nothing at all costs little",
        "distances are in pixels and in the borders of p > 0.5 and t > 0.5",
        OF_CLASSES,
    ),
    align=same_pixels,
)
def hausdorff_dt(
    pred: Images,
    target: TrueImages,
    *,
    input: Annotated[str, INPUT] = "probs",
    activation: Annotated[str, ACTIVATION] = "auto",
    alpha: Annotated[float, Param("power of the distances", ge=0)] = 2.0,
    include_background: Annotated[bool, BACKGROUND] = True,
) -> Rows:
    """Squared errors of pixels, times how far they lie from the borders of both regions.

    With p and t the prediction and the target of each pixel of a class in an image, and d, D their distances to the
    borders of p > 0.5 and of t > 0.5:

        mean((p - t)^2 (d^alpha + D^alpha))

    >>> hausdorff_dt([[[0.9, 0.2], [0.6, 0.1]]], [[[1.0, 0.0], [0.0, 0.0]]])
    array([0.2125])
    """
    found = []
    for likely, unlike, truth, other in pixels(pred, target, Form(input, activation, include_background)):
        far = distances(likely) ** alpha + distances(truth) ** alpha
        gap = truth * unlike - other * likely
        found.append(over_pixels(gap * gap * far) / np.prod(gap.shape[2:]))
    return np.concatenate(found)


def across(image: Rows, axis: int, farther: np.ufunc) -> Rows:
    """The least or the greatest of each pixel and its two neighbours along one axis."""
    found = image.copy()
    lower, upper = [slice(None)] * image.ndim, [slice(None)] * image.ndim
    lower[axis], upper[axis] = slice(None, -1), slice(1, None)
    for one, other in ((lower, upper), (upper, lower)):
        farther(found[tuple(one)], image[tuple(other)], out=found[tuple(one)])
    return found


def eroded(image: Rows) -> Rows:
    """The least of each pixel and its neighbours along the axes."""
    found = image
    for axis in range(2, image.ndim):
        found = np.minimum(found, across(image, axis, np.minimum))
    return found


def opened(image: Rows) -> Rows:
    """Eroded, and then the greatest of each pixel and all its neighbours, the diagonal ones too."""
    found = eroded(image)
    for axis in range(2, image.ndim):
        found = across(found, axis, np.maximum)
    return found


def skeleton(image: Rows, iterations: int) -> Rows:
    """What openings take away, while the image is eroded again and again."""
    found = np.maximum(image - opened(image), 0.0)
    for _ in range(iterations):
        image = eroded(image)
        more = np.maximum(image - opened(image), 0.0)
        found = found + np.maximum(more - found * more, 0.0)
    return found


def of_row(array: Rows) -> Rows:
    """(N,) sums over the classes and pixels of an image."""
    return np.asarray(np.sum(np.ascontiguousarray(array).reshape(len(array), math.prod(array.shape[1:])), axis=1))


@loss(
    title="Centreline Dice loss",
    reduce=Mean(),
    unit="1",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("soft-cldice",),
    paper=Paper(
        "S. Shit, J. C. Paetzold, A. Sekuboyina, et al.",
        2021,
        "clDice - a Novel Topology-Preserving Loss Function for Tubular Structure Segmentation",
        doi="10.1109/CVPR46437.2021.01629",
    ),
    see=("dice", "hausdorff-dt"),
    tasks=("segmentation", "vessels", "roads", "topology", "medical images"),
    equivalents=(
        Equivalent(
            "monai",
            "losses.SoftclDiceLoss(iter_=iterations, smooth_nr=smooth, smooth_dr=smooth, smooth=eps, "
            "include_background=include_background)(pred, target)",
            "N x C x Y x X; MONAI up to 1.4 took (target, pred), left class 0 out and took the batch as one image",
        ),
    ),
    traps=(
        "older code takes the target first, leaves class 0 out and has no eps: --no-include-background --eps 0",
        "iterations must reach half of the thickest vessel, or its skeleton stays thick",
        OF_CLASSES,
    ),
    align=same_pixels,
)
def cldice(
    pred: Images,
    target: TrueImages,
    *,
    input: Annotated[str, INPUT] = "probs",
    activation: Annotated[str, ACTIVATION] = "auto",
    iterations: Annotated[int, Param("how often the images are eroded for their skeletons", ge=0)] = 3,
    smooth: Annotated[float, Param("added above and below the shares of skeletons", gt=0)] = 1.0,
    eps: Annotated[float, Param("added below the harmonic mean", ge=0)] = 1e-4,
    include_background: Annotated[bool, BACKGROUND] = True,
) -> Rows:
    """How much of each skeleton lies in the other region: vessels that break cost more than those that are thin.

    With S(x) the soft skeleton of an image, sums over its classes and pixels, and s = smooth:

        1 - 2 a b / (a + b + eps)

        a = (sum(S(p) t) + s) / (sum(S(p)) + s)
        b = (sum(S(t) p) + s) / (sum(S(t)) + s)

    >>> cldice([[[0.9, 0.2], [0.6, 0.1]]], [[[1.0, 0.0], [1.0, 0.0]]])
    array([0.09095867])
    """
    found = []
    for likely, unlike, truth, other in pixels(pred, target, Form(input, activation, include_background)):
        lines, course = skeleton(likely, iterations), skeleton(truth, iterations)
        sizes = of_row(lines) + smooth, of_row(course) + smooth
        a, b = (of_row(lines * truth) + smooth) / sizes[0], (of_row(course * likely) + smooth) / sizes[1]
        # 1 - 2 a b / (a + b + eps) as (a (1 - b) + b (1 - a) + eps) / (a + b + eps)
        loose, lost = of_row(lines * other) / sizes[0], of_row(course * unlike) / sizes[1]
        found.append((a * lost + b * loose + eps) / (a + b + eps))
    return np.concatenate(found)
