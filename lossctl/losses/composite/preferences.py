"""Which of two responses is better, or whether one is any good: losses of log-probabilities under two models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.errors import UsageError
from lossctl.losses.types import Desirable, LogProb, MeanLogProb, NonNegative, Rows, TokenCount
from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import broken
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper

BETA = Param("how strongly the policy is held to the reference: the scale of the log-ratios", gt=0)
SMOOTHING = Param("the share of preferences that are taken to be the wrong way round", ge=0, lt=0.5)
NO_RATIO = Rule(
    "no-ratio",
    "meets another infinity, and their difference is no number",
    hint="a model rules the response out: drop such rows, or ask for log-probabilities before masking",
)
SUMS = "log-probabilities are sums over the tokens of a response, prompt left out: means of tokens are another loss"
DELTA = "((policy_chosen - policy_rejected) - (ref_chosen - ref_rejected))"


def defined(margin: Callable[[Arrays], Rows]) -> Callable[[Arrays, Mapping[str, Value]], list[Seen]]:
    """A check that the difference of log-probabilities is a number, be it an infinite one."""

    def check(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
        with np.errstate(all="ignore"):
            lost = np.isnan(margin(arrays))
        first = next(iter(arrays.values()))
        return [broken(NO_RATIO, np.where(lost, -np.inf, first), lost)]

    return check


def log_ratio_gap(policy_chosen: Rows, policy_rejected: Rows, ref_chosen: Rows, ref_rejected: Rows) -> Rows:
    """How much more the policy prefers the chosen response than the reference does, in nats."""
    with np.errstate(invalid="ignore"):
        return numerics.steady_sum(policy_chosen, -policy_rejected, -ref_chosen, ref_rejected)


GAP = defined(
    lambda a: log_ratio_gap(a["policy-chosen"], a["policy-rejected"], a["ref-chosen"], a["ref-rejected"]),
)


@loss(
    title="Direct preference optimization",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("direct-preference-optimization", "sigmoid"),
    paper=Paper(
        "R. Rafailov, A. Sharma, E. Mitchell, S. Ermon, C. D. Manning, C. Finn",
        2023,
        "Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
    ),
    see=("ipo", "dpo-hinge", "kto", "simpo", "bce-with-logits"),
    tasks=("preference tuning", "alignment", "language models", "human feedback", "pairwise preference"),
    checks=GAP,
    equivalents=(
        Equivalent(
            "torch",
            f"-((1 - label_smoothing) * F.logsigmoid(beta * {DELTA}) "
            f"+ label_smoothing * F.logsigmoid(-beta * {DELTA})).mean()",
        ),
    ),
    traps=(
        SUMS,
        "TRL's sigmoid has no label smoothing any more; its robust loss subtracts the flipped term and divides by "
        "1 - 2 label_smoothing, so that it may be below zero",
        "at the start, with policy = reference, it is log 2 = 0.6931 whatever beta is",
    ),
)
def dpo(
    policy_chosen: LogProb,
    policy_rejected: LogProb,
    ref_chosen: LogProb,
    ref_rejected: LogProb,
    *,
    beta: Annotated[float, BETA] = 0.1,
    label_smoothing: Annotated[float, SMOOTHING] = 0.0,
) -> Rows:
    """Negative log-probability that the chosen response is the better one, by what the policy has learned.

    With D = log(policy / ref) of the chosen response less that of the rejected one, and s the smoothing:

        -(1 - s) log(sigmoid(beta D)) - s log(sigmoid(-beta D))

    >>> dpo([-10.0], [-12.0], [-11.0], [-11.5])
    array([0.62095705])
    """
    kept, flipped = numerics.softplus_pair(
        beta * log_ratio_gap(policy_chosen, policy_rejected, ref_chosen, ref_rejected)
    )
    if label_smoothing == 0:
        return kept
    return (1.0 - label_smoothing) * kept + label_smoothing * flipped


@loss(
    title="Hinge loss of preferences",
    reduce=Mean(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("slic",),
    paper=Paper(
        "Y. Zhao, R. Joshi, T. Liu, M. Khalman, M. Saleh, P. J. Liu",
        2023,
        "SLiC-HF: Sequence Likelihood Calibration with Human Feedback",
    ),
    see=("dpo", "ipo", "hinge"),
    tasks=("preference tuning", "alignment", "language models", "human feedback", "margin"),
    checks=GAP,
    equivalents=(Equivalent("torch", f"torch.relu(1 - beta * {DELTA}).mean()"),),
    traps=(
        SUMS,
        "SLiC itself has no reference model and a margin of its own: with ref-chosen = ref-rejected and the margin "
        "1 / beta it is this loss times 1 / beta",
    ),
)
def dpo_hinge(
    policy_chosen: LogProb,
    policy_rejected: LogProb,
    ref_chosen: LogProb,
    ref_rejected: LogProb,
    *,
    beta: Annotated[float, BETA] = 0.1,
) -> Rows:
    """How far the policy's preference for the chosen response is from one over beta, measured in that unit.

    With D = log(policy / ref) of the chosen response less that of the rejected one:

        max(0, 1 - beta D)

    >>> dpo_hinge([-10.0], [-12.0], [-11.0], [-11.5])
    array([0.85])
    """
    return np.maximum(0.0, 1.0 - beta * log_ratio_gap(policy_chosen, policy_rejected, ref_chosen, ref_rejected))


def with_lengths(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """Both lengths, where the loss divides by them."""
    absent = [role for role in ("chosen-length", "rejected-length") if role not in arrays]
    if params["length_normalize"] and absent:
        raise UsageError(
            f"ipo divides log-ratios by the number of tokens, and there is no {' and no '.join(absent)}",
            code="no-lengths",
            hint="--chosen-length COLUMN --rejected-length COLUMN; or --no-length-normalize, the loss of the paper's "
            "formula as it stands",
        )
    return None


def by_token(gap: Rows, length: Rows | None) -> Rows:
    return gap if length is None else gap / length


@loss(
    title="Identity preference optimization",
    reduce=Mean(),
    unit="nats^2",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("identity-preference-optimization",),
    paper=Paper(
        "M. G. Azar, M. Rowland, B. Piot, D. Guo, D. Calandriello, M. Valko, R. Munos",
        2024,
        "A General Theoretical Paradigm to Understand Learning from Human Preferences",
    ),
    see=("dpo", "dpo-hinge", "mse"),
    tasks=("preference tuning", "alignment", "language models", "human feedback", "overfitting to preferences"),
    align=with_lengths,
    checks=GAP,
    equivalents=(
        Equivalent(
            "torch",
            "(((policy_chosen - ref_chosen) / chosen_length - (policy_rejected - ref_rejected) / rejected_length "
            "- 1 / (2 * beta)) ** 2).mean()",
            "length_normalize=true, as TRL has it",
        ),
        Equivalent("torch", f"(({DELTA} - 1 / (2 * beta)) ** 2).mean()", "length_normalize=false"),
    ),
    traps=(
        "TRL divides each log-ratio by the number of tokens, as the authors did; the paper's formula does not say so: "
        "--no-length-normalize",
        "one over 2 beta is a target: a preference that is too strong costs as much as one that is too weak",
        "beta is the paper's tau",
    ),
)
def ipo(
    policy_chosen: LogProb,
    policy_rejected: LogProb,
    ref_chosen: LogProb,
    ref_rejected: LogProb,
    chosen_length: TokenCount = None,
    rejected_length: TokenCount = None,
    *,
    beta: Annotated[float, BETA] = 0.1,
    length_normalize: Annotated[bool, Param("divide each log-ratio by the number of tokens of its response")] = True,
) -> Rows:
    """Squared distance of the preference from the one that is wanted, one over two beta.

    With c and r = log(policy / ref) of the chosen and the rejected response, each divided by its length:

        (c - r - 1 / (2 beta))^2

    >>> ipo([-10.0], [-12.0], [-11.0], [-11.5], length_normalize=False)
    array([12.25])
    """
    wanted = -1.0 / (2.0 * beta)
    if not length_normalize:
        gap = log_ratio_gap(policy_chosen, policy_rejected, ref_chosen, ref_rejected) + wanted
        return gap * gap
    chosen, rejected = policy_chosen - ref_chosen, policy_rejected - ref_rejected
    gap = numerics.steady_sum(
        by_token(chosen, chosen_length), -by_token(rejected, rejected_length), np.full_like(chosen, wanted)
    )
    return gap * gap


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
