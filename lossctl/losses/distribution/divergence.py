"""How far one distribution is from another."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.types import ClassScores, Distribution, Rows
from lossctl.model.params import Param, When
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper


@loss(
    title="Kullback-Leibler divergence",
    reduce=Elements(row="sum"),
    unit="nats",
    range="0 to inf",
    aliases=("kldiv", "kl-divergence", "kl"),
    paper=Paper("S. Kullback, R. A. Leibler", 1951, "On Information and Sufficiency", doi="10.1214/aoms/1177729694"),
    see=("cross-entropy",),
    like={
        "torch": {"row": "mean"},
        "keras": {"input": "probs", "clip": "keras", "norm": "n"},
        "optax": {},
    },
    equivalents=(
        Equivalent(
            "torch",
            "F.kl_div(pred, target, reduction='batchmean', log_target=log_target)",
            "its default mean divides by N C: --row mean",
        ),
        Equivalent("keras", "losses.KLDivergence()(target, pred)", "probabilities, both sides clipped to [1e-7, 1]"),
        Equivalent("optax", "kl_divergence(pred, target).mean()"),
    ),
    traps=(
        "the default input is log-probabilities, and the divergence is KL(target || pred)",
        "the mean divides by rows (batchmean); torch's mean divides by rows times classes: --row mean",
    ),
)
def kl_div(
    pred: ClassScores,
    target: Distribution,
    *,
    input: Annotated[
        str, Param("what the predictions are; never guessed", choices=("log-probs", "probs", "logits"))
    ] = "log-probs",
    log_target: Annotated[bool, Param("the target holds log-probabilities")] = False,
    clip: Annotated[
        str,
        Param(
            "keras clips predictions and targets to [1e-7, 1]",
            choices=("none", "keras"),
            when=When("input", ("probs",), "none"),
        ),
    ] = "none",
) -> Rows:
    """Information lost when the prediction stands in for the target distribution.

    With t the target and q the prediction, in each row:

        sum_c t_c (log(t_c) - log(q_c)),   0 log(0) = 0

    >>> kl_div(np.log([[0.5, 0.5]]), [[0.9, 0.1]])
    array([0.36806421])
    """
    if clip == "keras":
        prob = np.clip(pred.astype(np.float64), 1e-7, 1.0)
        share = np.clip(np.exp(target) if log_target else target, 1e-7, 1.0)
        return np.asarray(share * (np.log(share) - np.log(prob)))
    log_share = target if log_target else numerics.safe_log(target)
    share = np.exp(target) if log_target else target
    with np.errstate(invalid="ignore"):
        # t = 0 and q = 0 at once: -inf - -inf is nan, and its weight is zero.
        gap = log_share - numerics.log_probs(pred, input)
    return numerics.times(share, gap)
