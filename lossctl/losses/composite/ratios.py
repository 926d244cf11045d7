"""What losses of preferences share: log-ratios of two models, and when there are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from lossctl import numerics
from lossctl.losses.types import Rows
from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import broken
from lossctl.model.params import Param, Value
from lossctl.model.spec import Arrays

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
