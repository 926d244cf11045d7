"""Preferences without a reference model, and responses that are good or bad by themselves."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.composite.ratios import BETA, SUMS, defined
from lossctl.losses.types import NonNegative, Rows
from lossctl.losses.types_sides import Desirable, LogProb, MeanLogProb
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper


def log_odds(log_prob: Rows) -> Rows:
    """log(p / (1 - p)) of log p; float32 sums may stand a little above 0, and count as 0."""
    log = np.minimum(log_prob, 0.0)
    return log - numerics.log1mexp(log)


@loss(
    title="Odds ratio preference optimization",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("odds-ratio-preference-optimization",),
    paper=Paper(
        "J. Hong, N. Lee, J. Thorne",
        2024,
        "ORPO: Monolithic Preference Optimization without Reference Model",
        doi="10.18653/v1/2024.emnlp-main.626",
    ),
    see=("dpo", "simpo", "nll"),
    tasks=("preference tuning", "alignment", "language models", "without a reference model", "fine-tuning"),
    checks=defined(lambda a: log_odds(a["policy-chosen"]) - log_odds(a["policy-rejected"])),
    equivalents=(
        Equivalent(
            "torch",
            "(nll - lam * F.logsigmoid((policy_chosen - policy_rejected) "
            "- (torch.log1p(-policy_chosen.exp()) - torch.log1p(-policy_rejected.exp())))).mean()",
            "without the input nll it is -policy_chosen; log1p(-exp) loses digits near probability 1",
        ),
    ),
    traps=(
        "log-probabilities are means over tokens here, sums give odds near 0 that say nothing",
        "TRL calls lam beta, and adds the cross-entropy of the batch: tokens of all its rows divided by their number, "
        "which weighs long responses more than the mean of rows does",
        "at probability 1 the odds are infinite: rejected for certain costs inf",
    ),
)
def orpo(
    policy_chosen: MeanLogProb,
    policy_rejected: MeanLogProb,
    nll: NonNegative = None,
    *,
    lam: Annotated[float, Param("weight of the odds ratio beside the likelihood", ge=0)] = 0.1,
) -> Rows:
    """What the chosen response costs, plus how little its odds stand above those of the rejected one.

    With odds(p) = p / (1 - p), and nll = -log(p_chosen) unless it is given:

        nll - lam log(sigmoid(log(odds(p_chosen)) - log(odds(p_rejected))))

    >>> orpo([-0.5], [-1.0])
    array([0.53202998])
    """
    gap = log_odds(policy_chosen) - log_odds(policy_rejected)
    own = np.maximum(-policy_chosen, 0.0) if nll is None else nll
    return own + numerics.times(np.full_like(own, lam), numerics.softplus_pair(gap)[0])


@loss(
    title="Simple preference optimization",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("simple-preference-optimization",),
    paper=Paper("Y. Meng, M. Xia, D. Chen", 2024, "SimPO: Simple Preference Optimization with a Reference-Free Reward"),
    see=("dpo", "orpo", "bce-with-logits"),
    tasks=("preference tuning", "alignment", "language models", "without a reference model", "margin"),
    checks=defined(lambda a: a["policy-chosen"] - a["policy-rejected"]),
    equivalents=(Equivalent("torch", "-F.logsigmoid(beta * (policy_chosen - policy_rejected) - gamma).mean()"),),
    traps=(
        "log-probabilities are means over the tokens of a response: sums make long responses cost more",
        "TRL has beta = 0.1 by default and asks for the margin as simpo_gamma, which it divides by beta and multiplies "
        "by it again: the same gamma",
    ),
)
def simpo(
    policy_chosen: MeanLogProb,
    policy_rejected: MeanLogProb,
    *,
    beta: Annotated[float, Param("the scale of the mean log-probabilities", gt=0)] = 2.0,
    gamma: Annotated[float, Param("by how much the chosen response must be ahead, after scaling", ge=0)] = 0.5,
) -> Rows:
    """Negative log-probability that the chosen response is ahead by a margin, without a reference model.

    With c and r the mean log-probabilities of the chosen and the rejected response's tokens:

        -log(sigmoid(beta (c - r) - gamma))

    >>> simpo([-0.5], [-1.0])
    array([0.47407698])
    """
    return numerics.softplus_pair(beta * (policy_chosen - policy_rejected) - gamma)[0]


@loss(
    title="Kahneman-Tversky optimization",
    reduce=Mean(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("kahneman-tversky-optimization",),
    paper=Paper(
        "K. Ethayarajh, W. Xu, N. Muennighoff, D. Jurafsky, D. Kiela",
        2024,
        "KTO: Model Alignment as Prospect Theoretic Optimization",
    ),
    see=("dpo", "bce"),
    tasks=("preference tuning", "alignment", "language models", "thumbs up and down", "unpaired feedback"),
    checks=defined(lambda a: a["policy"] - a["reference"]),
    equivalents=(
        Equivalent(
            "torch",
            "torch.where(target == 1, desirable_weight * (1 - torch.sigmoid(beta * (policy - reference - kl))), "
            "undesirable_weight * (1 - torch.sigmoid(beta * (kl - policy + reference)))).mean()",
        ),
    ),
    traps=(
        SUMS,
        "kl is a number here: TRL estimates it for each batch, from responses to other prompts, and clamps it at 0",
        "the weights multiply terms, not the divisor: desirable_weight = 2 is no mean of twice as many rows",
    ),
)
def kto(
    policy: LogProb,
    reference: LogProb,
    target: Desirable,
    *,
    beta: Annotated[float, BETA] = 0.1,
    kl: Annotated[float, Param("how far the policy has moved from the reference, in nats", ge=0)] = 0.0,
    desirable_weight: Annotated[float, Param("weight of desirable responses", ge=0)] = 1.0,
    undesirable_weight: Annotated[float, Param("weight of undesirable responses", ge=0)] = 1.0,
) -> Rows:
    """How little the policy gains by a desirable response, or loses by an undesirable one, against the reference.

    With r = log(policy / reference), and w the weight of its kind:

        w (1 - sigmoid(beta (r - kl)))    for a desirable response
        w (1 - sigmoid(beta (kl - r)))    for an undesirable one

    >>> kto([-10.0, -12.0], [-11.0, -11.5], [1.0, 0.0])
    array([0.47502081, 0.4875026 ])
    """
    gain, no_gain = numerics.sigmoid_pair(beta * (policy - reference - kl))
    return np.where(target == 1, desirable_weight * no_gain, undesirable_weight * gain)
