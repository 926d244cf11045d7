"""Which of two responses is better: losses of log-probabilities under a policy and a reference model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.errors import UsageError
from lossctl.losses.composite.ratios import BETA, DELTA, GAP, SMOOTHING, SUMS, log_ratio_gap
from lossctl.losses.types import Rows
from lossctl.losses.types_sides import LogProb, TokenCount
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper


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
