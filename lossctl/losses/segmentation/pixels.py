"""What losses of masks are made of: probabilities of pixels, and sums over regions of how they meet the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lossctl.errors import DataError
from lossctl.exact import Exact
from lossctl.losses.types import Rows
from lossctl.model.findings import Rule, Seen
from lossctl.model.params import Value
from lossctl.model.reduce import Reduction, Sums, Switch, Totals
from lossctl.model.spec import Arrays
from lossctl.numerics import sigmoid_pair

BLOCK = 1 << 19  # pixels at a time, so that what is made of them stays in a core's cache


class Form(NamedTuple):
    """What predictions are, and which classes count."""

    input: str
    activation: str = "auto"
    include_background: bool = True

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Form:
        return cls(**{name: params[name] for name in cls._fields if name in params})


class Pixels(NamedTuple):
    """Predictions and truth, N x C x pixels each, with what they lack of 1: that has digits of its own."""

    pred: Rows
    unlike: Rows  # 1 - pred
    target: Rows
    other: Rows  # 1 - target


def pixels(pred: Rows, target: Rows, form: Form) -> Iterator[Pixels]:
    """The pixels of some rows after the others; of no rows once. What does not count (NaN) is 0 in all four."""
    step = max(BLOCK // max(math.prod(pred.shape[1:]), 1), 1)
    for first in range(0, max(len(pred), 1), step):
        yield block(pred[first : first + step], target[first : first + step], form)


def block(pred: Rows, target: Rows, form: Form) -> Pixels:
    classes = pred.shape[1]
    void = np.isnan(target) if np.isnan(np.max(target, initial=0.0)) else None
    if form.input == "probs":
        likely, unlike = pred, 1.0 - pred
    elif form.activation == "sigmoid" or (form.activation == "auto" and classes == 1):
        likely, unlike = sigmoid_pair(pred)
    else:
        likely, unlike = softmax_pair(pred)
    if target.shape[1] < classes:  # indices
        target = (target == np.arange(classes).reshape(1, classes, *[1] * (pred.ndim - 2))).astype(np.float64)
    made = Pixels(likely, unlike, target, 1.0 - target)
    if void is not None:
        made = Pixels(*(np.where(void, 0.0, array) for array in made))
    return made if form.include_background else Pixels(*(array[:, 1:] for array in made))


def softmax_pair(scores: Rows) -> tuple[Rows, Rows]:
    """The probability of each class (axis 1) and of all others together, each with all its digits.

    1 - p is 0 beside a class that leads by 37; the sum of the others' terms is not. Classes are added one by one, so
    that no digit hangs on the number of pixels.
    """
    first = scores.argmax(axis=1)[:, None]
    top = np.take_along_axis(scores, first, 1)
    terms = np.exp(scores - np.where(np.isfinite(top), top, 0.0))
    leader = np.take_along_axis(terms, first, 1)
    np.put_along_axis(terms, first, 0.0, 1)
    others = np.zeros_like(leader)
    for place in range(scores.shape[1]):
        others += terms[:, place : place + 1]
    total = leader + others
    np.put_along_axis(terms, first, leader, 1)
    likely = terms / total
    unlike = 1.0 - likely
    np.put_along_axis(unlike, first, others / total, 1)
    return likely, unlike


def over_pixels(array: Rows) -> Rows:
    """(N, C) sums over the pixels of each class of each image."""
    return np.asarray(np.sum(flattened(array), axis=1)).reshape(array.shape[:2])


def flattened(array: Rows) -> Rows:
    """The pixels of each class of each image in a row of their own."""
    images, classes, *sides = array.shape
    return np.ascontiguousarray(array).reshape(images * classes, math.prod(sides))


class Counts(NamedTuple):
    """How predictions meet the truth, (N, C) each: sums over pixels of p t, p (1 - t), (1 - p) t, (1 - p) (1 - t).

    All terms are positive, so that what a loss makes of them keeps its digits where prediction and truth agree.
    """

    hit: Rows
    over: Rows
    under: Rows
    rest: Rows

    @property
    def absent(self) -> Any:
        """Classes without a pixel in the target."""
        return self.hit + self.under == 0

    @property
    def apart(self) -> Rows:
        return self.over + self.under


def counted(pred: Rows, target: Rows, form: Form, *, squared: bool = False) -> Counts:
    """The counts of each class of each image.

    ``squared``: those of p^2 + t^2 rather than p + t, which have (p - t)^2 for |p - t|.
    """
    parts: list[tuple[Rows, ...]] = []
    for p, q, t, u in pixels(pred, target, form):
        over, under = p * u, q * t
        if squared:
            gap = under - over  # t - p
            under, over = np.maximum(gap, 0.0) ** 2, np.minimum(gap, 0.0) ** 2
        parts.append(tuple(over_pixels(array) for array in (p * t, over, under, q * u)))
    return Counts(*(np.concatenate(each) for each in zip(*parts, strict=True)))


# What a loss makes of counts: (N, C) values, or (N,).
Formula = Callable[[Counts, Mapping[str, Any]], Rows]
# What it divides by.
Divisor = Callable[[Counts, Mapping[str, Any]], Rows]

NOTHING = Rule(
    "nothing-to-divide",
    "is all there is to divide by: nothing there, nothing predicted, and no smoothing",
    hint="--on-empty zero, where the loss has it, or smoothing above 0",
)


def pooled(formula: Formula, sample: Reduction, *, whole: tuple[str, ...] = ("batch", "all")) -> Switch:
    """Values of images, or one number of counts that are summed over all of them."""

    def finish(sums: dict[str, list[Exact]], totals: Totals, params: Mapping[str, Any]) -> float:
        columns = [sums[name] for name in Counts._fields]
        if params["pool"] == "all":
            columns = [[sum(column[1:], column[0])] for column in columns]
        counts = Counts(*(np.array([[total.to_float() for total in column]]) for column in columns))
        if params.get("on_empty") == "error" and counts.absent.any():
            raise DataError(
                "a class has no pixel in any target (--on-empty error)", code="empty-mask", hint="--on-empty smooth"
            )
        with np.errstate(all="ignore"):
            return float(np.mean(formula(counts, params)))

    return Switch("pool", {"sample": sample, **dict.fromkeys(whole, Sums(finish))})


def given(counts: Counts, formula: Formula, pool: str, params: Mapping[str, Any]) -> Any:
    """What a kernel gives: values of images, or the counts that are summed over all of them."""
    return formula(counts, params) if pool == "sample" else counts._asdict()


def unless_absent(value: Rows, counts: Counts, params: Mapping[str, Any]) -> Rows:
    """The value, but 0 for a class without a pixel where such a class costs nothing."""
    return np.where(counts.absent, 0.0, value) if params["on_empty"] == "zero" else value


def divisible(divisor: Divisor, smooth: str) -> Callable[[Arrays, Mapping[str, Value]], list[Seen]]:
    """A check that there is something to divide by in every class, which only a smoothing of 0 leaves open."""

    def checks(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
        if params[smooth] or params["pool"] != "sample" or not len(arrays["pred"]):
            return []
        squared = bool(params.get("squared_pred"))
        counts = counted(arrays["pred"], arrays["target"], Form.of(params), squared=squared)
        zero = divisor(counts, params) == 0
        if params.get("on_empty") == "zero":
            zero &= ~counts.absent
        return [(NOTHING, zero.reshape(len(zero), -1).any(axis=1), np.zeros(len(zero)))]

    return checks
