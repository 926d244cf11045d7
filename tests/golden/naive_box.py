"""Boxes against boxes, box by box in many digits."""

from __future__ import annotations

from typing import Any

import mpmath

LAYOUTS = ("xyxy", "xywh", "cxcywh")


def corners(box: list[float], boxes: str) -> list[Any]:
    a, b, c, d = (mpmath.mpf(number) for number in box)
    if boxes == "xyxy":
        return [a, b, c, d]
    if boxes == "xywh":
        return [a, b, a + c, b + d]
    return [a - c / 2, b - d / 2, a + c / 2, b + d / 2]


def over(part: Any, whole: Any) -> Any:
    return part / whole if whole != 0 else mpmath.mpf(0)


def box_row(way: str, one: list[Any], two: list[Any], eps: Any) -> Any:
    """One minus the overlap ("iou", "log", "square"), or one of its relatives ("giou", "diou", "ciou")."""
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    shared = width * height if width > 0 and height > 0 else mpmath.mpf(0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, two)]
    union = areas[0] + areas[1] - shared
    iou = over(shared, union + eps)
    if way == "log":
        return mpmath.inf if iou == 0 else -mpmath.log(iou)
    if way == "square":
        return 1 - iou**2
    wide, high = max(one[2], two[2]) - min(one[0], two[0]), max(one[3], two[3]) - min(one[1], two[1])
    if way == "giou":
        return 1 - iou + over(wide * high - union, wide * high + eps)
    value = 1 - iou
    if way in {"diou", "ciou"}:
        x, y = ((one[0] + one[2]) - (two[0] + two[2])) / 2, ((one[1] + one[3]) - (two[1] + two[3])) / 2
        value += over(x**2 + y**2, wide**2 + high**2 + eps)
    if way == "ciou":
        sides = [(box[2] - box[0], box[3] - box[1]) for box in (one, two)]
        angles = [mpmath.atan2(w, h) for w, h in sides]
        turn = mpmath.mpf(0) if (0, 0) in sides else angles[1] - angles[0]
        v = 4 / mpmath.pi**2 * turn**2
        value += v * over(v, 1 - iou + v + eps)
    return value


def box_rows(
    way: str, pred: list[list[float]], target: list[list[float]], eps: float = 1e-7, boxes: str = "xyxy"
) -> list[float]:
    pairs = zip(pred, target, strict=True)
    return [float(box_row(way, corners(p, boxes), corners(t, boxes), mpmath.mpf(eps))) for p, t in pairs]


def with_area(rows: list[float], *sides: list[list[float]]) -> list[float]:
    """0 where a box (two corners) has no area: such a row does not count."""
    flat = [any(b[2] == b[0] or b[3] == b[1] for b in boxes) for boxes in zip(*sides, strict=True)]
    return [0.0 if gone else row for row, gone in zip(rows, flat, strict=True)]
