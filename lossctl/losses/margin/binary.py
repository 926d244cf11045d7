"""Scores against two classes: losses of the margin y s."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl.losses.types import Real, Rows, SignedTarget
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent


@loss(
    title="Hinge loss",
    reduce=Elements(),
    unit="score units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("svm",),
    see=("zero-one", "bce-with-logits"),
    like={"keras": {"norm": "n"}, "optax": {}},
    equivalents=(
        Equivalent("keras", "losses.Hinge()(target, pred)", "weights divide by n"),
        Equivalent("optax", "hinge_loss(pred, target).mean()", "needs -1/+1: with 0/1 it is silently wrong"),
        Equivalent("sklearn", "hinge_loss(target, pred)", "a target of one class only is taken as -1"),
    ),
    traps=(
        "labels are {-1, 1} or {0, 1}, decided over the whole file; a constant column of 1 is positive",
        "torchmetrics squashes scores through a sigmoid as soon as one leaves [0, 1]",
    ),
)
def hinge(
    pred: Real,
    target: SignedTarget,
    *,
    margin: Annotated[float, Param("how far a score must be on the right side to cost nothing", ge=0)] = 1.0,
) -> Rows:
    """How much a score falls short of the margin.

    With y in {-1, +1}, s the score, m the margin:

        max(0, m - y s)

    >>> hinge([0.3, 0.8], [1, -1])
    array([0.7, 1.8])
    """
    return np.maximum(0.0, margin - target * pred)
