"""What a model costs on the data plus what its parameters cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from lossctl.losses.composite.penalties import HALF, L1_RATIO, LAM, share
from lossctl.losses.types import Real, Rows
from lossctl.losses.types_vectors import Parameters
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, When
from lossctl.model.penalised import Penalised
from lossctl.model.reduce import Elements, Params
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper
from lossctl.sums import Sums

SQUARES = ("l2", "elasticnet")


def size(parameters: Rows, penalty: str, l1_ratio: float, half: bool) -> float:
    """The norm of the parameters, as the penalties of their own have it; summed without rounding."""
    if penalty == "linf":
        return float(np.max(np.abs(parameters)))
    mixed = {"l1": 1.0, "l2": 0.0}.get(penalty, l1_ratio)
    total = Sums()
    total.add(share(parameters.reshape(-1), mixed, half))
    return total.total().to_float()


def price(whole: Mapping[str, Any], params: Params) -> float:
    """lam times the norm; nothing at lam = 0."""
    if not params["lam"]:
        return 0.0
    with np.errstate(over="ignore"):
        found = size(whole["parameters"], params["penalty"], params["l1_ratio"], params["half"])
        return float(params["lam"] * found)


def rows_agree(arrays: Arrays, params: Params) -> str | None:
    """Predictions and targets have one shape; that of the parameters is their own."""
    return None if arrays["pred"].shape == arrays["target"].shape else "shapes differ"


@loss(
    title="Structural risk",
    reduce=Penalised(Elements(), price),
    unit="squared target units",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("regularised-risk", "regularized-risk", "srm"),
    derive=price,
    align=rows_agree,
    paper=Paper("V. N. Vapnik", 1992, "Principles of Risk Minimization for Learning Theory"),
    see=("l1-penalty", "l2-penalty", "elastic-net"),
    tasks=("regularisation", "overfitting", "training objective", "model weights", "ridge regression", "lasso"),
    equivalents=(
        Equivalent("torch", "F.mse_loss(pred, target) + lam / 2 * (parameters ** 2).sum()", "loss=mse, penalty=l2"),
        Equivalent(
            "torch",
            "F.huber_loss(pred, target) + lam * parameters.abs().sum()",
            "loss=huber, penalty=l1: any loss and any penalty",
        ),
    ),
    traps=(
        "the penalty is added to the mean: scikit-learn's SVMs and logistic regression weigh the sum of losses by C "
        "instead, where lam is 1 / (n C)",
        "a row has no share of the penalty: rows, and what is made of them, are those of the loss",
        "biases are left out of the parameters as a rule",
        "the squares are halved, as for l2-penalty: half=false for Keras' convention",
    ),
)
def structural_risk(
    pred: Real,
    target: Real,
    parameters: Parameters,
    *,
    loss: Annotated[str, Param("the loss of rows, with its parameters: huber:delta=2", call=True)] = "mse",
    lam: Annotated[float, LAM] = 1.0,
    penalty: Annotated[
        str,
        Param("the norm of the parameters; linf is the greatest of them", choices=("l1", "l2", "elasticnet", "linf")),
    ] = "l2",
    l1_ratio: Annotated[float, L1_RATIO._replace(when=When("penalty", ("elasticnet",), 0.5))] = 0.5,
    half: Annotated[bool, HALF._replace(when=When("penalty", SQUARES, True))] = True,
) -> Rows:
    """The mean of another loss, plus a penalty on the size of the model's parameters.

    With l the other loss of row i, w the parameters, and J one of the norms:

        mean(l_i) + lam J(w)

        J = sum |w|                                   l1
        J = 1/2 sum w^2                               l2
        J = r sum |w| + (1 - r) / 2 sum w^2           elasticnet, r = l1_ratio
        J = max |w|                                   linf

    >>> structural_risk([1.0, 2.0], [0.0, 2.0], [0.5, -0.5], lam=0.1)
    array([1., 0.])
    """
    error = pred - target
    return error * error
