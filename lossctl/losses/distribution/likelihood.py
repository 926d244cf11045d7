"""Negative log-likelihoods of real outcomes under a predicted distribution."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from lossctl import gaps, numerics
from lossctl.losses.types import Real, Rows
from lossctl.losses.types_forecasts import Count, Variance
from lossctl.model.domains import Domain, HalfLine
from lossctl.model.params import Param, Value, When
from lossctl.model.reduce import Elements
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper

RATE = Domain("a rate: a number >= 0", "is not a rate (>= 0)", hint="are these log-rates?  leave --no-log-input out")


def rate_domain(log_input: Value) -> Domain | None:
    return None if log_input else RATE


Rate = Annotated[Rows, HalfLine(rate_domain, by="log_input", phrase="a log-rate; with --no-log-input a rate >= 0")]
STIRLING_FROM = 16.0  # below it log(t!) itself has all digits


@loss(
    title="Poisson negative log-likelihood",
    reduce=Elements(),
    unit="nats",
    range="-inf to inf",
    aliases=("poisson",),
    see=("poisson-deviance", "gaussian-nll"),
    tasks=("counts", "event rates", "count regression", "probabilistic forecast"),
    like={"torch": {}, "keras": {"log_input": False, "eps": 1e-7, "norm": "n"}},
    equivalents=(
        Equivalent("torch", "F.poisson_nll_loss(pred, target, log_input=log_input, full=full, eps=eps)"),
        Equivalent("keras", "losses.Poisson()(target, pred)", "takes rates, adds 1e-7 in the log, weights divide by n"),
        Equivalent(
            "scipy",
            "-stats.poisson.logpmf(target, np.exp(pred) if log_input else pred).mean()",
            "full=true and stirling=exact, without eps; whole counts only",
        ),
    ),
    traps=(
        "the default prediction is the log of the rate, as in torch; Keras takes the rate: --no-log-input",
        "without --full the terms of the target alone are left out, and the loss may be negative",
        "torch's full adds Stirling's approximation and only where the target is above 1: 2.15990 for 2.17655 at "
        "rate e^2 and target 5; --stirling exact is the likelihood",
    ),
)
def poisson_nll(
    pred: Rate,
    target: Count,
    *,
    log_input: Annotated[bool, Param("the prediction is the logarithm of the rate")] = True,
    full: Annotated[bool, Param("add log(target!), which no prediction changes")] = False,
    stirling: Annotated[
        str,
        Param(
            "what log(target!) is: torch's approximation where the target is above 1, or exact",
            choices=("torch", "exact"),
            when=When("full", (True,), "torch"),
        ),
    ] = "torch",
    eps: Annotated[
        float, Param("added to a rate inside the logarithm", ge=0, when=When("log_input", (False,), 0.0))
    ] = 1e-8,
) -> Rows:
    """Surprise at a count under a Poisson distribution of the predicted rate.

    With x the log-rate, r = exp(x) the rate, t the target and e = eps:

        r - t x                                           log-rates
        r - t log(r + e)                                  rates (log_input=false)
        ... + t log(t) - t + log(2 pi t) / 2,  t > 1      full, stirling=torch
        ... + log(t!)                                     full, stirling=exact

    >>> poisson_nll([0.5, 1.0], [0.0, 1.0])
    array([1.64872127, 1.71828183])
    """
    with np.errstate(over="ignore"):
        rate = np.exp(pred) if log_input else pred
    log = pred if log_input else numerics.safe_log(pred + eps)
    loss = rate - numerics.times(target, log)
    if not full:
        return np.asarray(loss)
    exact = stirling == "exact"
    large = target > (STIRLING_FROM if exact else 1.0)
    if exact:
        loss = np.where(large, loss, loss + gaps.log_factorial(np.where(large, 0.0, target)))
    t = np.where(large, target, STIRLING_FROM)
    # r - t log r + t log t - t cancels where t is near r (at 1e6 ten digits are gone): it is half a Poisson deviance.
    shape = _half_deviance(t, rate + eps, log) - eps + 0.5 * np.log(2.0 * math.pi * t)
    return np.asarray(np.where(large, shape + gaps.stirling_rest(t) if exact else shape, loss))


def _half_deviance(t: Rows, rate: Rows, log: Rows) -> Rows:
    """t log(t / r) - t + r where the logarithm of r is known, also if r itself has left the floats."""
    inside = (rate > 1e-290) & (rate < 1e290)
    near = gaps.half_deviance(t, np.where(inside, rate, t), 1.0)
    return np.where(inside, near, t * (np.log(t) - log) - t + rate)


@loss(
    title="Gaussian negative log-likelihood",
    reduce=Elements(),
    unit="nats",
    range="-inf to inf",
    aliases=("normal-nll",),
    paper=Paper(
        "D. A. Nix, A. S. Weigend",
        1994,
        "Estimating the mean and variance of the target probability distribution",
        doi="10.1109/ICNN.1994.374138",
    ),
    see=("crps-gaussian", "mse", "poisson-nll"),
    tasks=("uncertainty", "heteroscedastic regression", "probabilistic forecast", "predicted variance"),
    like={"torch": {}},
    equivalents=(
        Equivalent("torch", "F.gaussian_nll_loss(pred, target, var, full=full, eps=eps)"),
        Equivalent("scipy", "-stats.norm.logpdf(target, pred, np.sqrt(var)).mean()", "full=true; it clamps nothing"),
    ),
    traps=(
        "var is the variance: neither the standard deviation nor the log-variance",
        "variances below eps are raised to it (not added), which caps how confident a prediction may be",
        "the loss may be negative: a narrow density is above 1",
    ),
)
def gaussian_nll(
    pred: Real,
    target: Real,
    var: Variance,
    *,
    full: Annotated[bool, Param("add log(2 pi) / 2, which no prediction changes")] = False,
    eps: Annotated[float, Param("variances below it are raised to it", ge=0)] = 1e-6,
) -> Rows:
    """Surprise at a value under a normal distribution of the predicted mean and variance.

    With v = max(var, eps):

        (log(v) + (target - pred)^2 / v) / 2
        ... + log(2 pi) / 2                    full

    >>> gaussian_nll([1.0, 2.0], [0.0, 2.5], [0.5, 2.0])
    array([0.65342641, 0.40907359])
    """
    level = np.maximum(var, eps)
    error = target - pred
    with np.errstate(all="ignore"):
        # e (e / v): e^2 overflows from |e| = 1e154 on where the quotient does not.
        distance = numerics.times(error, error / level)
        # Variance 0 (eps=0): any error is a surprise without end, and log 0 has no part in it.
        loss = np.where(distance == np.inf, np.inf, 0.5 * (np.log(level) + distance))
    return loss + (0.5 * math.log(2.0 * math.pi) if full else 0.0)
