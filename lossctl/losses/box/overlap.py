"""One box against one box: what they share, what encloses both, how far apart and how alike they are."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from lossctl.losses.types import Rows
from lossctl.losses.types_images import Box
from lossctl.model.boxes import four_numbers
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

EPS = Param("added to each divisor, in squared units of the coordinates", ge=0)
SMALL_BOXES = "eps is an area: beside boxes of 0.001 x 0.001 (coordinates from 0 to 1) 1e-7 is a tenth, so --eps 0"
NO_MEAN = "torchvision does not average by default (reduction='none'), and gives 0 for no boxes"


class Pair(NamedTuple):
    """Two boxes on each other, (N,) each; every number is a sum of what is not negative, so no digits cancel."""

    shared: Rows  # the area of both
    apart: Rows  # the area of one of them only
    around: Rows  # the area of the enclosing box that is in neither
    width: Rows  # of the enclosing box
    height: Rows


def tame(pred: Rows, target: Rows, eps: float) -> tuple[Rows, Rows, Rows]:
    """Boxes whose areas stay in the float range, and eps, an area, along with them.

    Coordinates beyond 1e100 or below 1e-100 are brought near 1 by a power of two, which no ratio of areas sees.
    """
    size = np.maximum(np.abs(pred).max(axis=1, initial=0.0), np.abs(target).max(axis=1, initial=0.0))
    power = np.where((size > 1e100) | ((size < 1e-100) & (size > 0)), -np.frexp(size)[1], 0)
    if not power.any():
        return pred, target, np.full(len(pred), eps)
    grown = np.ldexp(eps, np.minimum(2 * power, 900))  # beside such an eps nothing is left of the areas
    return np.ldexp(pred, power[:, None]), np.ldexp(target, power[:, None]), grown


def pair(pred: Rows, target: Rows) -> Pair:
    """How two boxes lie.

    What the prediction has beyond the shared part is (w - w_i) h + w_i (h - h_i): as w h - w_i h_i it loses its
    digits where two boxes nearly agree. The width that an axis has beyond the shared part is the gap on its left
    and the one on its right, each a difference of two coordinates. Where boxes overlap, the enclosing box has four
    corners beyond the two, of which those belong to neither box whose sides do not come from the same one.
    """
    low, high = np.maximum(pred[:, :2], target[:, :2]), np.minimum(pred[:, 2:], target[:, 2:])
    inner = high - low
    meet = np.asarray((inner > 0).all(axis=1))
    inner = np.where(meet[:, None], inner, 0.0)
    before, after = pred[:, :2] - target[:, :2], target[:, 2:] - pred[:, 2:]  # below 0: the prediction reaches farther
    sizes = pred[:, 2:] - pred[:, :2], target[:, 2:] - target[:, :2]
    areas = [size[:, 0] * size[:, 1] for size in sizes]
    more = [
        beyond(size[:, 1], inner[:, 0], np.maximum(sign * before, 0.0) + np.maximum(sign * after, 0.0))
        for size, sign in zip(sizes, (-1.0, 1.0), strict=True)
    ]
    outer = np.maximum(pred[:, 2:], target[:, 2:]) - np.minimum(pred[:, :2], target[:, :2])
    corners = [np.abs(x[:, 0] * y[:, 1]) * (x[:, 0] * y[:, 1] < 0) for x in (before, after) for y in (before, after)]
    rest = outer[:, 0] * outer[:, 1] - areas[0] - areas[1]
    return Pair(
        shared=inner[:, 0] * inner[:, 1],
        apart=np.where(meet, more[0] + more[1], areas[0] + areas[1]),
        around=np.where(meet, corners[0] + corners[1] + corners[2] + corners[3], rest),
        width=outer[:, 0],
        height=outer[:, 1],
    )


def beyond(height: Rows, inner_width: Rows, gaps: Rows) -> Rows:
    """The area of a box outside the shared part, of the gaps of both axes."""
    return gaps[:, 0] * height + inner_width * gaps[:, 1]


def missed(both: Pair, eps: Rows) -> Rows:
    """1 - IoU, where IoU is the shared area by that of the union and eps; two boxes without area share nothing."""
    return quotient(both.apart + eps, covered(both, eps), 1.0)


def covered(both: Pair, eps: Rows) -> Rows:
    return both.shared + both.apart + eps


def quotient(part: Rows, whole: Rows, empty: float) -> Rows:
    """part / whole, and what is said where whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(len(part), empty), where=whole != 0))


def distance(pred: Rows, target: Rows, both: Pair, eps: Rows) -> Rows:
    """The squared distance of the centres by the squared diagonal of the enclosing box."""
    apart = ((pred[:, :2] - target[:, :2]) + (pred[:, 2:] - target[:, 2:])) / 2
    return quotient(apart[:, 0] ** 2 + apart[:, 1] ** 2, both.width**2 + both.height**2 + eps, 0.0)


@loss(
    title="Intersection over union of boxes",
    reduce=Mean(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("unitbox",),
    paper=Paper(
        "J. Yu, Y. Jiang, Z. Wang, Z. Cao, T. Huang",
        2016,
        "UnitBox: An Advanced Object Detection Network",
        doi="10.1145/2964284.2967274",
    ),
    see=("giou", "diou", "ciou"),
    tasks=("object detection", "bounding boxes", "localisation"),
    like={"torch": {}},
    equivalents=(
        Equivalent("torchvision", "1 - torch.diagonal(ops.box_iou(pred, target)).mean()", "eps=0"),
        Equivalent(
            "torchvision", "-torch.diagonal(ops.box_iou(pred, target)).log().mean()", "eps=0, mode=log: UnitBox"
        ),
    ),
    traps=(
        "UnitBox and MMDetection's IoULoss mean -log(IoU) (mode=log), which is inf where boxes do not meet",
        "boxes that do not meet all cost 1, near or far: giou and diou tell them apart",
        SMALL_BOXES,
    ),
    align=four_numbers,
)
def box_iou(
    pred: Box,
    target: Box,
    *,
    mode: Annotated[
        str, Param("what is made of IoU: 1 - IoU, -log(IoU), or 1 - IoU^2", choices=("linear", "log", "square"))
    ] = "linear",
    eps: Annotated[float, EPS] = 1e-7,
) -> Rows:
    """One minus the area that two boxes share, by the area that they cover.

    With I the area of both and U that of either, u = I / (U + eps):

        1 - u            mode=linear
        -log(u)          mode=log
        1 - u^2          mode=square

    >>> box_iou([[0.0, 0.0, 2.0, 2.0]], [[1.0, 1.0, 3.0, 3.0]], eps=0.0)
    array([0.85714286])
    """
    pred, target, area = tame(pred, target, eps)
    both = pair(pred, target)
    gone = missed(both, area)
    if mode == "log":
        # log(u) as log(1 - (1 - u)) where u is near 1, and 1 - u near 0.
        return -np.where(gone < 0.5, np.log1p(-gone), np.log(quotient(both.shared, covered(both, area), 0.0)))
    # 1 - u^2 = (1 - u) (1 + u)
    return gone * (2.0 - gone) if mode == "square" else gone


@loss(
    title="Generalised intersection over union",
    reduce=Mean(),
    unit="1",
    range="0 to 2",
    laws={NONNEGATIVE},
    aliases=("generalized-iou", "generalized-box-iou"),
    paper=Paper(
        "H. Rezatofighi, N. Tsoi, J. Gwak, A. Sadeghian, I. Reid, S. Savarese",
        2019,
        "Generalized Intersection over Union: A Metric and a Loss for Bounding Box Regression",
        doi="10.1109/CVPR.2019.00075",
    ),
    see=("box-iou", "diou", "ciou"),
    tasks=("object detection", "bounding boxes", "localisation"),
    like={"torch": {}},
    equivalents=(Equivalent("torchvision", "ops.generalized_box_iou_loss(pred, target, eps=eps).mean()"),),
    traps=(
        "an inverted box costs 2e-8 against its mirror image in torchvision; here it is refused with its row",
        "two equal boxes without area cost 1 in torchvision (--zero-area score); here they are refused first",
        "MONAI's BoxGIoULoss works in float32, whatever goes in: seven digits",
        NO_MEAN,
        SMALL_BOXES,
    ),
    align=four_numbers,
)
def giou(pred: Box, target: Box, *, eps: Annotated[float, EPS] = 1e-7) -> Rows:
    """Overlap, and how much of the enclosing box is in neither: boxes far apart cost more than near ones.

    With I the area of both, U that of either, and C that of the smallest box around them:

        1 - I / (U + eps) + (C - U) / (C + eps)

    >>> giou([[0.0, 0.0, 2.0, 2.0]], [[1.0, 1.0, 3.0, 3.0]], eps=0.0)
    array([1.07936508])
    """
    pred, target, area = tame(pred, target, eps)
    both = pair(pred, target)
    return missed(both, area) + quotient(both.around, both.width * both.height + area, 0.0)


@loss(
    title="Distance intersection over union",
    reduce=Mean(),
    unit="1",
    range="0 to 2",
    laws={NONNEGATIVE},
    aliases=("distance-iou", "distance-box-iou"),
    paper=Paper(
        "Z. Zheng, P. Wang, W. Liu, J. Li, R. Ye, D. Ren",
        2020,
        "Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression",
        doi="10.1609/aaai.v34i07.6999",
    ),
    see=("ciou", "giou", "box-iou"),
    tasks=("object detection", "bounding boxes", "localisation"),
    like={"torch": {}},
    equivalents=(Equivalent("torchvision", "ops.distance_box_iou_loss(pred, target, eps=eps).mean()"),),
    traps=(NO_MEAN, SMALL_BOXES),
    align=four_numbers,
)
def diou(pred: Box, target: Box, *, eps: Annotated[float, EPS] = 1e-7) -> Rows:
    """Overlap, and how far the centres are apart.

    With I the area of both, U that of either, r the distance of the centres, and d the diagonal of the smallest box
    around both:

        1 - I / (U + eps) + r^2 / (d^2 + eps)

    >>> diou([[0.0, 0.0, 2.0, 2.0]], [[1.0, 1.0, 3.0, 3.0]], eps=0.0)
    array([0.96825397])
    """
    pred, target, area = tame(pred, target, eps)
    both = pair(pred, target)
    return missed(both, area) + distance(pred, target, both, area)


@loss(
    title="Complete intersection over union",
    reduce=Mean(),
    unit="1",
    range="0 to 2.5",
    laws={NONNEGATIVE},
    aliases=("complete-iou", "complete-box-iou"),
    paper=Paper(
        "Z. Zheng, P. Wang, D. Ren, W. Liu, R. Ye, Q. Hu, W. Zuo",
        2022,
        "Enhancing Geometric Factors in Model Learning and Inference for Object Detection and Instance Segmentation",
        doi="10.1109/TCYB.2021.3095305",
    ),
    see=("diou", "giou", "box-iou"),
    tasks=("object detection", "bounding boxes", "localisation", "aspect ratio"),
    like={"torch": {}},
    equivalents=(
        Equivalent(
            "torchvision",
            "ops.complete_box_iou_loss(pred, target, eps=eps).mean()",
            "its eps goes into the weight of the aspect ratio only: the others stay at 1e-7",
        ),
    ),
    traps=(
        "torchvision gives nan for a box without width and height; here a point has no aspect ratio to differ",
        "torchvision's complete_box_iou is a score of all pairs, not this loss",
        NO_MEAN,
        SMALL_BOXES,
    ),
    align=four_numbers,
)
def ciou(pred: Box, target: Box, *, eps: Annotated[float, EPS] = 1e-7) -> Rows:
    """Overlap, distance of the centres, and difference of the aspect ratios.

    With I the area of both, U that of either, u = I / (U + eps), r the distance of the centres, d the diagonal of the
    smallest box around both, and w, h the sides of the prediction, W, H those of the target:

        1 - u + r^2 / (d^2 + eps) + a v

        v = 4 / pi^2 (atan(W / H) - atan(w / h))^2
        a = v / (1 - u + v + eps)

    >>> ciou([[0.0, 0.0, 4.0, 1.0]], [[0.0, 0.0, 1.0, 4.0]])
    array([1.16623546])
    """
    pred, target, area = tame(pred, target, eps)
    both = pair(pred, target)
    gone = missed(both, area)
    (w, h), (width, height) = ((box[:, 2:] - box[:, :2]).T for box in (pred, target))
    # atan(a) - atan(b) as one angle: two of them cancel where the ratios nearly agree, and h = 0 divides nothing.
    angle = np.arctan2(width * h - w * height, height * h + width * w)
    v = (2.0 / np.pi * angle) ** 2
    return np.asarray(gone + distance(pred, target, both, area) + v * quotient(v, gone + v + eps, 0.0))
