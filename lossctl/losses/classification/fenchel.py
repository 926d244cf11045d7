"""Losses made from a smoothed maximum of the scores (Fenchel-Young losses)."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.types import Rows
from lossctl.losses.types_labels import ClassLogits, ClassTarget, LogitOfTruth, Truth
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper


@loss(
    title="Sparsemax loss",
    reduce=Mean(),
    unit="score units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("binary-sparsemax", "multiclass-sparsemax"),
    paper=Paper(
        "A. F. T. Martins, R. F. Astudillo",
        2016,
        "From Softmax to Sparsemax: A Sparse Model of Attention and Multi-Label Classification",
        doi="10.48550/arXiv.1602.02068",
    ),
    see=("fenchel-young", "cross-entropy", "hinge"),
    tasks=("binary classification", "multiclass classification", "sparse probabilities"),
    like={"optax": {}},
    equivalents=(
        Equivalent("optax", "sparsemax_loss(pred, target).mean()", "one logit a row"),
        Equivalent("optax", "multiclass_sparsemax_loss(pred, target).mean()", "one logit for each class"),
    ),
    traps=(
        "it takes logits; a single logit x is the same as the two (0, x)",
        "exactly 0 as soon as the true class leads all others by 1",
    ),
)
def sparsemax(pred: LogitOfTruth, target: Truth) -> Rows:
    """Cost of the nearest distribution to the scores, with zeros where softmax has small numbers.

    With z the scores, y the true class, p the projection of z onto the simplex; for a single logit x
    u = -x if y = 1 else x:

        sum_c p_c (z_c - z_y) + (1 - |p|^2) / 2          one logit for each class

        0                    u <= -1                     single logit
        (u + 1)^2 / 4        -1 < u < 1
        u                    u >= 1

    >>> sparsemax([0.3, -2.0], [1, 1])
    array([0.1225, 2.    ])
    """
    if pred.ndim == 2:
        top, rest = numerics.sparse_normaliser(pred)
        return rest + (top - pred[np.arange(len(pred)), target])
    wrong = np.where(target == 1, -pred, pred)
    bend = 0.5 * (np.clip(wrong, -1.0, 1.0) + 1.0)
    return np.where(wrong >= 1.0, wrong, bend * bend)


@loss(
    title="Fenchel-Young loss",
    reduce=Mean(),
    unit="score units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("make-fenchel-young-loss",),
    paper=Paper(
        "M. Blondel, A. F. T. Martins, V. Niculae",
        2020,
        "Learning with Fenchel-Young Losses",
        doi="10.48550/arXiv.1901.02324",
    ),
    see=("sparsemax", "cross-entropy"),
    tasks=("multiclass classification", "soft labels", "structured prediction"),
    like={"optax": {}},
    equivalents=(
        Equivalent(
            "optax",
            "make_fenchel_young_loss(jnp.logaddexp.reduce)(pred, target).mean()",
            "max_fun=logsumexp; distributions as targets",
        ),
        Equivalent(
            "optax",
            "make_fenchel_young_loss(jnp.max)(pred, target).mean()",
            "max_fun=max; distributions as targets",
        ),
    ),
    traps=(
        "as in optax the term of the target alone is left out: against a distribution that is not one-hot the least "
        "value is above 0",
        "against labels logsumexp is cross-entropy, sparsemax the sparsemax loss, max the perceptron's",
        "optax takes any function for max_fun; here it is one of three",
    ),
)
def fenchel_young(
    pred: ClassLogits,
    target: ClassTarget,
    *,
    max_fun: Annotated[
        str,
        Param("the maximum of the scores, smoothed or as it is", choices=("logsumexp", "sparsemax", "max")),
    ] = "logsumexp",
) -> Rows:
    """How far a smoothed maximum of the scores lies above the score that the target expects.

    With z the scores, t the target distribution (one-hot for a class), p any distribution:

        sum_c t_c (M(z) - z_c)

        M(z) = log sum_c exp(z_c)                        logsumexp
        M(z) = max_p (p.z + (1 - |p|^2) / 2)             sparsemax
        M(z) = max_c z_c                                 max

    >>> fenchel_young([[2.0, 0.5, -1.0]], [0])
    array([0.2413113])
    """
    scores = np.ascontiguousarray(pred, dtype=np.float64)
    if max_fun == "logsumexp":
        top, rest = numerics.log_normaliser(scores)
    elif max_fun == "sparsemax":
        top, rest = numerics.sparse_normaliser(scores)
    else:
        top, rest = np.max(scores, axis=1), np.zeros(len(scores))
    # Against the greatest score nothing cancels: top and the scores may be 1e8, and all they differ by is 1.
    if target.ndim == 1:
        return rest + (top - scores[np.arange(len(scores)), target])
    return np.asarray(np.sum(numerics.times(target, rest[:, None] + (top[:, None] - scores)), axis=1))
