"""The size of a model's parameters, as a penalty: absolute values, squares, and mixtures of them."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl.losses.types import Real, Rows
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

LAM = Param("weight of the penalty", ge=0)
HALF = Param("half the squares, so that the derivative is lam w; false is Keras' convention")
L1_RATIO = Param("share of the absolute values; the rest is that of the squares", ge=0, le=1)
BIASES = "biases, and what scales after normalisation, are parameters that are left out as a rule: choose the rows"
SUMMED = "it is a sum over all parameters, not a mean: a larger model has a larger penalty"


def share(parameters: Rows, l1_ratio: float, half: bool = True) -> Rows:
    """What each parameter adds to the penalty, which is the sum of it: mixed absolute values and squares."""
    size = np.abs(parameters)
    if l1_ratio == 1:
        return size
    square = size * size * ((1.0 - l1_ratio) * (0.5 if half else 1.0))
    return square if l1_ratio == 0 else l1_ratio * size + square


def weighed(lam: float, size: Rows) -> Rows:
    """lam times the size: nothing at lam = 0, whatever the size."""
    return lam * size if lam else np.zeros_like(size)


@loss(
    title="L1 penalty",
    reduce=Elements(row="sum", default="sum"),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("lasso",),
    paper=Paper(
        "R. Tibshirani",
        1996,
        "Regression Shrinkage and Selection via the Lasso",
        doi="10.1111/j.2517-6161.1996.tb02080.x",
    ),
    see=("l2-penalty", "elastic-net", "mae"),
    tasks=("regularisation", "sparse models", "feature selection", "overfitting", "model weights"),
    like={"keras": {}},
    equivalents=(
        Equivalent("keras", "regularizers.L1(lam)(parameters)", "its default weight is 0.01"),
        Equivalent("torch", "lam * parameters.abs().sum()"),
    ),
    traps=(
        SUMMED,
        BIASES,
        "scikit-learn's lasso divides the squared error by 2 n beside it: its alpha is lam / n there",
    ),
)
def l1_penalty(parameters: Real, *, lam: Annotated[float, LAM] = 1.0) -> Rows:
    """Sum of the parameters' absolute values, weighted: it pulls small ones to zero.

    With w the parameters:

        lam sum |w|

    >>> l1_penalty([1.0, -2.0], lam=0.5)
    array([0.5, 1. ])
    """
    return weighed(lam, share(parameters, 1.0))


@loss(
    title="L2 penalty",
    reduce=Elements(row="sum", default="sum"),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("ridge", "weight-decay"),
    paper=Paper(
        "A. E. Hoerl, R. W. Kennard",
        1970,
        "Ridge Regression: Biased Estimation for Nonorthogonal Problems",
        doi="10.1080/00401706.1970.10488634",
    ),
    see=("l1-penalty", "elastic-net", "mse"),
    tasks=("regularisation", "weight decay", "overfitting", "model weights"),
    like={"torch": {"half": True}, "keras": {"half": False}},
    equivalents=(
        Equivalent(
            "torch", "lam / 2 * (parameters ** 2).sum()", "what weight_decay=lam adds to the loss, by its gradient"
        ),
        Equivalent("keras", "regularizers.L2(lam)(parameters)", "without the half; its default weight is 0.01"),
    ),
    traps=(
        "half of it or not: torch's weight_decay is the derivative of the half, Keras' L2 has no half; "
        "scikit-learn's Ridge has none either, its ElasticNet has",
        SUMMED,
        BIASES,
        "decoupled weight decay (AdamW) is no term of the loss",
    ),
)
def l2_penalty(parameters: Real, *, lam: Annotated[float, LAM] = 1.0, half: Annotated[bool, HALF] = True) -> Rows:
    """Half the sum of the parameters' squares, weighted: it pulls large ones towards zero.

    With w the parameters (half=false: without the 1/2):

        lam / 2 sum w^2

    >>> l2_penalty([1.0, -2.0], lam=0.5)
    array([0.25, 1.  ])
    """
    return weighed(lam, share(parameters, 0.0, half))


@loss(
    title="Elastic net penalty",
    reduce=Elements(row="sum", default="sum"),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("elasticnet",),
    paper=Paper(
        "H. Zou, T. Hastie",
        2005,
        "Regularization and Variable Selection via the Elastic Net",
        doi="10.1111/j.1467-9868.2005.00503.x",
    ),
    see=("l1-penalty", "l2-penalty"),
    tasks=("regularisation", "sparse models", "correlated features", "overfitting", "model weights"),
    like={"keras": {"half": False}},
    equivalents=(
        Equivalent(
            "torch",
            "lam * (l1_ratio * parameters.abs().sum() + (1 - l1_ratio) / 2 * (parameters ** 2).sum())",
            "scikit-learn's ElasticNet adds this, with alpha for lam",
        ),
        Equivalent(
            "keras",
            "regularizers.L1L2(l1=lam * l1_ratio, l2=lam * (1 - l1_ratio))(parameters)",
            "without the half",
        ),
    ),
    traps=(
        "the squares are halved, as in scikit-learn and glmnet; Zou and Hastie have two weights and no half",
        SUMMED,
        BIASES,
    ),
)
def elastic_net(
    parameters: Real,
    *,
    lam: Annotated[float, LAM] = 1.0,
    l1_ratio: Annotated[float, L1_RATIO] = 0.5,
    half: Annotated[bool, HALF] = True,
) -> Rows:
    """A mixture of absolute values and half squares of the parameters, weighted.

    With w the parameters and r the share of the absolute values (half=false: without the 1/2):

        lam (r sum |w| + (1 - r) / 2 sum w^2)

    >>> elastic_net([1.0, -2.0])
    array([0.75, 2.  ])
    """
    return weighed(lam, share(parameters, l1_ratio, half))
