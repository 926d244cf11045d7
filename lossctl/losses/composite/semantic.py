"""Predictions that must obey a constraint: how unlikely it is that they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from lossctl import numerics
from lossctl.errors import DataError
from lossctl.losses.classification.options import BINARY_INPUT
from lossctl.losses.composite.cnf import Constraint, read_constraint
from lossctl.losses.types import Rows
from lossctl.losses.types_labels import Propositions
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper

CONSTRAINTS = ("exactly-one", "at-least-one", "at-most-one")
TILE = 1 << 18  # assignments of all rows at a time
TINY = 1e-290  # below this, sums of products have lost digits or are lost


def one_for_each(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """A file's propositions are the columns, one by one."""
    if params["constraint"] in CONSTRAINTS:
        return None
    path, columns = str(params["constraint"]), arrays["pred"].shape[1]
    count = read_constraint(path).propositions
    if count != columns:
        raise DataError(
            f"semantic: the constraint is about {count} propositions, and there are {columns} columns of predictions",
            code="bad-constraint",
            file=path,
            hint="proposition 1 is the first column, 2 the second: the problem line says how many there are",
        )
    return None


def chances(pred: Rows, form: str) -> tuple[Rows, Rows]:
    """(N, K) the probabilities of true and of false, each with all its digits."""
    return numerics.sigmoid_pair(pred) if form == "logits" else (pred, 1.0 - pred)


def around_the_top(yes: Rows, no: Rows) -> tuple[Rows, Rows, Rows]:
    """What it costs that only the likeliest proposition is true, its log-odds, and the odds of the others to it."""
    with np.errstate(all="ignore"):
        odds = no - yes
        rows, top = np.arange(len(odds)), np.argmax(odds, axis=1)
        best = odds[rows, top]
        others = np.exp(odds - best[:, None])
    others[rows, top] = 0.0
    others[np.isnan(others)] = 0.0  # of two infinite ones: then the cost is infinite as well
    costs = np.array(no)
    costs[rows, top] = yes[rows, top]
    return np.sum(costs, axis=1), best, np.sum(others, axis=1)


def exactly_one(yes: Rows, no: Rows) -> Rows:
    """-log of the probability that one proposition is true.

    It is sum log(1 + e^x_j) - log(sum e^x_j), with log-odds x; but where one of them is sure, both are x, and all
    digits of a small loss are lost. Taken out of both for the likeliest proposition m, nothing cancels:
    log(1 + e^-x_m) + sum of the other log(1 + e^x_j) - log(1 + sum of the other e^(x_j - x_m)).
    """
    cost, _, others = around_the_top(yes, no)
    return np.maximum(cost - np.log1p(others), 0.0)


def at_least_one(yes: Rows, no: Rows) -> Rows:
    """-log of one minus the probability that none is true, through log1mexp."""
    return 0.0 - numerics.log1mexp(-np.sum(no, axis=1))


def at_most_one(yes: Rows, no: Rows, p: Rows, q: Rows) -> Rows:
    """-log of the probability that none or one is true.

    What is small is the probability of two or more, found proposition by proposition from sums of positive terms;
    where it is large, the logarithms of the paper's sum do not cancel.
    """
    none, single, several = np.ones(len(p)), np.zeros(len(p)), np.zeros(len(p))
    for j in range(p.shape[1]):
        several = several + single * p[:, j]
        single = single * q[:, j] + none * p[:, j]
        none = none * q[:, j]
    cost, best, others = around_the_top(yes, no)
    with np.errstate(all="ignore"):
        sure = cost - np.log1p(others + np.exp(-best))
        unsure = np.sum(no, axis=1) - np.log1p(np.exp(best) * (1.0 + others))
        far = np.where(best > 0, sure, unsure)
        return np.where(several < 0.5, 0.0 - np.log1p(-several), far)


def products(p: Rows, q: Rows) -> Rows:
    """(N, 2^K) the probability of each assignment; bit j says whether proposition j is true."""
    found = np.ones((len(p), 1))
    for j in range(p.shape[1]):
        found = np.concatenate([found * q[:, j : j + 1], found * p[:, j : j + 1]], axis=1)
    return found


def weighed(low: Rows, high: Rows, holds: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """(N,) twice: the sums of low_i high_j over the assignments that satisfy the constraint, and over the others."""
    inside, outside = np.zeros(len(low)), np.zeros(len(low))
    masks = holds.reshape(high.shape[1], low.shape[1])
    for j, mask in enumerate(masks):
        inside += high[:, j] * np.sum(np.compress(mask, low, axis=1), axis=1)
        outside += high[:, j] * np.sum(np.compress(~mask, low, axis=1), axis=1)
    return inside, outside


def satisfied(yes: Rows, no: Rows, p: Rows, q: Rows, constraint: Constraint) -> Rows:
    """-log of the probability of a constraint, from all assignments of the propositions that it speaks of."""
    used = list(constraint.used)
    half = len(used) // 2
    found = np.empty(len(p))
    step = max(1, TILE >> (len(used) - half))
    for start in range(0, len(p), step):
        part = slice(start, start + step)
        low, high = ((p[part][:, some], q[part][:, some]) for some in (used[:half], used[half:]))
        inside, outside = weighed(products(*low), products(*high), constraint.holds)
        with np.errstate(all="ignore"):
            found[part] = np.where(outside < 0.5, 0.0 - np.log1p(-outside), 0.0 - np.log(inside))
        for row in np.flatnonzero(inside < TINY):
            found[start + row] = in_logarithms(yes[start + row, used], no[start + row, used], constraint.holds)
    return found


def in_logarithms(yes: Rows, no: Rows, holds: NDArray[np.bool_]) -> float:
    """-log of the sum of products that leave the float range, for one row."""
    costs = np.zeros(1)
    for j in range(len(yes)):
        costs = np.concatenate([costs + no[j], costs + yes[j]])
    kept = costs[holds]
    least = np.min(kept, initial=np.inf)
    if least == np.inf:
        return np.inf
    return float(least - np.log(np.sum(np.exp(least - kept))))


@loss(
    title="Semantic loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("xu2018",),
    paper=Paper(
        "J. Xu, Z. Zhang, T. Friedman, Y. Liang, G. Van den Broeck",
        2018,
        "A Semantic Loss Function for Deep Learning with Symbolic Knowledge",
    ),
    see=("bce", "cross-entropy"),
    tasks=("constraints", "symbolic knowledge", "semi-supervised learning", "structured output", "logic"),
    align=one_for_each,
    equivalents=(
        Equivalent(
            "torch",
            "-term_weight * ((pred / (1 - pred)).sum(1) * (1 - pred).prod(1)).log().mean()",
            "constraint=exactly-one; nan at probability 1",
        ),
        Equivalent("torch", "-term_weight * torch.log1p(-(1 - pred).prod(1)).mean()", "constraint=at-least-one"),
    ),
    traps=(
        "probabilities are of propositions that are independent: they need not sum to 1, and a softmax is not meant",
        "it is a term beside a supervised loss: the authors' code weighs it by 0.0005",
        "a constraint that cannot hold costs inf",
        "a file's propositions are numbered from 1, in the order of the columns; at most 20 of them may be in clauses",
    ),
)
def semantic(
    pred: Propositions,
    *,
    input: Annotated[str, BINARY_INPUT] = "probs",
    constraint: Annotated[
        str, Param("what must hold of each row, or a DIMACS CNF file that says so", choices=CONSTRAINTS, file=True)
    ] = "exactly-one",
    term_weight: Annotated[float, Param("weight of the loss as a term of an objective", ge=0)] = 1.0,
) -> Rows:
    """Negative log-probability that a constraint holds, if each proposition is true by itself with its probability.

    With p_k the probabilities, and x all assignments that satisfy the constraint:

        -log(sum over x of  prod(p_k where x_k is true) prod(1 - p_k where it is false))

    >>> semantic([[0.7, 0.2, 0.4]])
    array([0.75928698])
    """
    yes, no = numerics.binary_costs(pred, input)
    if constraint == "exactly-one":
        found = exactly_one(yes, no)
    elif constraint == "at-least-one":
        found = at_least_one(yes, no)
    elif constraint == "at-most-one":
        found = at_most_one(yes, no, *chances(pred, input))
    else:
        found = satisfied(yes, no, *chances(pred, input), read_constraint(constraint))
    return numerics.times(np.full_like(found, term_weight), found)
