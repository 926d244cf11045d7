"""Deviances of exponential families: how much likelier the data are under themselves than under the prediction."""

from __future__ import annotations

from typing import Annotated

from lossctl import numerics
from lossctl.losses.types import Rows
from lossctl.model.domains import Domain, HalfLine
from lossctl.model.laws import NONNEGATIVE, ZERO_AT_TARGET
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper, Preset

POSITIVE_MEAN = Domain(
    "a number > 0",
    "is not > 0, as every power but 0 needs it",
    hint="are these logarithms of the mean?  exponentiate them",
    zero=False,
)
FROM_ZERO = Domain(
    "a number >= 0",
    "is not >= 0, as a power of 1 or more needs it",
    hint="power 0 (the squared error) and negative powers take any target",
)
POSITIVE = Domain(
    "a number > 0",
    "is not > 0, as a power of 2 or more needs it",
    hint="powers from 1 on and below 2 take zeros: poisson-deviance, or tweedie-deviance with --power 1.5",
    zero=False,
)


def mean_domain(power: Value) -> Domain | None:
    """What a prediction may be."""
    return None if power == 0 else POSITIVE_MEAN


def outcome_domain(power: Value) -> Domain | None:
    """What a target may be."""
    if not isinstance(power, float) or power <= 0:
        return None
    return FROM_ZERO if power < 2 else POSITIVE


Mean = Annotated[Rows, HalfLine(mean_domain, by="power", phrase="a number; > 0 unless the power is 0")]
Outcome = Annotated[
    Rows,
    HalfLine(outcome_domain, by="power", phrase="a number; >= 0 with power >= 1, > 0 with power >= 2", sparse=True),
]


@loss(
    title="Tweedie deviance",
    reduce=Elements(),
    unit="target units to the 2 - power",
    range="0 to inf",
    laws={NONNEGATIVE, ZERO_AT_TARGET},
    presets=(
        Preset(
            "poisson-deviance",
            "Poisson deviance",
            "Deviance of counts, whose variance is their mean: tweedie-deviance with power 1.",
            {"power": 1.0},
        ),
        Preset(
            "gamma-deviance",
            "Gamma deviance",
            "Deviance of positive amounts, blind to their scale: tweedie-deviance with power 2.",
            {"power": 2.0},
        ),
    ),
    paper=Paper("B. Jorgensen", 1987, "Exponential Dispersion Models", doi="10.1111/j.2517-6161.1987.tb01685.x"),
    see=("mse", "poisson-nll", "generalized-kl"),
    tasks=("counts", "insurance claims", "amounts with many zeros", "positive skewed targets", "relative errors"),
    like={"sklearn": {}},
    equivalents=(
        Equivalent("sklearn", "mean_tweedie_deviance(target, pred, power=power)", "one column only"),
        Equivalent("sklearn", "mean_poisson_deviance(target, pred)", "power=1"),
        Equivalent("sklearn", "mean_gamma_deviance(target, pred)", "power=2"),
        Equivalent("torchmetrics", "tweedie_deviance_score(pred, target, power=power)"),
    ),
    traps=(
        "not twice the negative log-likelihood: the deviance takes off what a perfect prediction leaves of it",
        "xgboost's tweedie-nloglik leaves out the terms of the target alone, and the 2: another number, the same order "
        "of models",
        "the default power 0 is the squared error; 1 is Poisson, 2 gamma, 3 inverse Gaussian, between 1 and 2 "
        "amounts with zeros",
    ),
)
def tweedie_deviance(
    pred: Mean,
    target: Outcome,
    *,
    power: Annotated[
        float, Param("the variance grows with this power of the mean: 0 normal, 1 Poisson, 2 gamma", outside=(0, 1))
    ] = 0.0,
) -> Rows:
    """Twice the log-likelihood that a prediction loses against a perfect one, where variance is a power of the mean.

    With t the target, q the prediction and p the power:

        (t - q)^2                                                         p = 0
        2 (t log(t / q) - t + q),   0 log(0) = 0                          p = 1
        2 (log(q / t) + t / q - 1)                                        p = 2
        2 (max(t, 0)^(2-p) / ((1-p) (2-p)) - t q^(1-p) / (1-p) + q^(2-p) / (2-p))

    >>> tweedie_deviance([1.0, 2.0], [2.0, 0.0], power=1)
    array([0.77258872, 4.        ])
    """
    return 2.0 * numerics.half_deviance(target, pred, power)
