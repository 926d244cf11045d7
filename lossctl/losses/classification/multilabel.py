"""Several labels a row, each present or absent: losses that treat the two unlike."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.types import Rows
from lossctl.losses.types_labels import HardBinary, Logits
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper


@loss(
    title="Asymmetric loss of labels",
    reduce=Elements(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("asl", "asymmetric-loss-multilabel"),
    paper=Paper(
        "T. Ridnik, E. Ben-Baruch, N. Zamir, A. Noy, I. Friedman, M. Protter, L. Zelnik-Manor",
        2021,
        "Asymmetric Loss for Multi-Label Classification",
        doi="10.1109/ICCV48922.2021.00015",
    ),
    see=("sigmoid-focal", "bce-with-logits", "multilabel-soft-margin"),
    tasks=("multilabel classification", "several labels a row", "tagging", "imbalanced classes", "easy negatives"),
    equivalents=(
        Equivalent(
            "torch",
            "-torch.where(target > 0, (1 - pred.sigmoid()) ** gamma_pos * pred.sigmoid().clamp(min=eps).log(), "
            "(pred.sigmoid() - offset).clamp(min=0) ** gamma_neg "
            "* (1 - pred.sigmoid() + offset).clamp(eps, 1).log()).mean()",
            "written out: torch has no function for it",
        ),
    ),
    traps=(
        "the authors' code sums over everything, so that its number grows with the batch: --reduction sum",
        "offset, which the authors' code calls clip, is taken off the probability of absent labels: one below it costs "
        "nothing at all",
        "eps caps each logarithm (at 18.42 by default), after which the loss no longer grows",
        "gamma_neg=0, gamma_pos=0, offset=0, eps=0 is bce-with-logits; equal gammas are sigmoid-focal without alpha",
    ),
)
def asymmetric_multilabel(
    pred: Logits,
    target: HardBinary,
    *,
    gamma_neg: Annotated[float, Param("how much easy absent labels are discounted", ge=0)] = 4.0,
    gamma_pos: Annotated[float, Param("how much easy present labels are discounted", ge=0)] = 1.0,
    offset: Annotated[float, Param("what is taken off the probability of absent labels", ge=0, lt=1)] = 0.05,
    eps: Annotated[float, Param("the least probability inside a logarithm", ge=0, lt=1)] = 1e-8,
) -> Rows:
    """Focal loss of labels that are present or absent, each side with its own discount.

    With p the sigmoid of the logit, q = max(p - offset, 0), a = gamma_pos and b = gamma_neg:

        -(1 - p)^a log(max(p, eps))        label 1
        -q^b log(max(1 - q, eps))          label 0

    >>> asymmetric_multilabel([2.0, -1.0], [1, 0])
    array([0.01513019, 0.0005678 ])
    """
    yes, no = numerics.sigmoid_pair(pred)
    present, absent = numerics.softplus_pair(pred)  # -log p and -log(1 - p)
    most = np.inf if eps == 0 else -np.log(eps)
    if offset > 0:
        # 1 - q is near 1 for most labels: its logarithm by log1p(-q), and by the exact 1 - p + offset where q is large.
        moved = np.maximum(yes - offset, 0.0)
        absent = np.where(moved < 0.5, -np.log1p(-np.minimum(moved, 0.5)), -np.log(np.minimum(no + offset, 1.0)))
        discount = moved**gamma_neg
    else:
        discount = yes**gamma_neg
    lost = np.where(target == 1, np.minimum(present, most), np.minimum(absent, most))
    return numerics.times(np.where(target == 1, no**gamma_pos, discount), lost)
