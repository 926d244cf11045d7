"""Taggings of sequences under a model of neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl.losses.sequence.inputs import Emissions, SharedLengths, StepScores, Tags, Terms, Transitions
from lossctl.model.findings import Rule, Seen
from lossctl.model.lattices import tagged
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.pooled import Pooled, SampleMean
from lossctl.model.reduce import Switch
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Paper
from lossctl.sequences.crf import chain_nll

PARTS = ("steps",)
PAIRED = Rule(
    "lengths-differ", "is not the number of steps of its row", hint="--input-lengths says how many steps count"
)


def one_tag_a_step(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    """Emissions and tags are as many."""
    return [(PAIRED, arrays["pred"].lengths != arrays["target"].lengths, arrays["target"].lengths)]


def tags_agree(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """There are as many tags in emissions and in all scores between them."""
    tags = arrays["pred"].values.shape[-1]
    beside = [arrays[role].shape for role in ("transitions", "start-transitions", "end-transitions") if role in arrays]
    return None if all(set(shape) == {tags} for shape in beside) else f"emissions are of {tags} tags"


@loss(
    title="CRF negative log-likelihood",
    reduce=Switch(
        "average",
        {
            "sequence": SampleMean(parts=PARTS),
            "token": Pooled(total="nll", parts=PARTS, ratio=("nll", "steps")),
        },
    ),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("crf", "linear-chain-crf"),
    paper=Paper(
        "J. Lafferty, A. McCallum, F. Pereira",
        2001,
        "Conditional random fields: probabilistic models for segmenting and labeling sequence data",
    ),
    see=("token-nll",),
    tasks=("tagging", "named entities", "structured prediction"),
    traps=(
        "pytorch-crf returns the log-likelihood, the other sign, summed over the batch by default",
        "transitions go from the row's tag to the column's, as in pytorch-crf; some toolkits have them the other way",
        "what pytorch-crf masks is a length here: --input-lengths, or negative tags at a row's end",
    ),
    align=tags_agree,
    checks=one_tag_a_step,
)
def crf_nll(
    pred: Emissions,
    target: Tags,
    transitions: Transitions,
    start_transitions: StepScores = None,
    end_transitions: StepScores = None,
    input_lengths: SharedLengths = None,
    *,
    average: Annotated[
        str, Param("whether every sequence counts the same, or every step", choices=("sequence", "token"))
    ] = "sequence",
) -> Terms:
    """Negative log-probability of the true tags among all taggings of their sequence.

    With emissions e, transitions A, the scores s and o of beginning and ending, and tags y_1 to y_T:

        score(y) = s(y_1) + sum_t e_t(y_t) + sum_t A(y_{t-1}, y_t) + o(y_T)
        log(sum over all taggings z of e^score(z)) - score(y)

    >>> crf_nll(np.zeros((1, 3, 2)), [[0, 1, 1]], np.zeros((2, 2)))
    array([2.07944154])
    """
    count = pred.values.shape[-1]
    start = np.zeros(count) if start_transitions is None else start_transitions
    end = np.zeros(count) if end_transitions is None else end_transitions
    steps = tagged(target)
    nll = chain_nll(pred.cut(steps), target.cut(steps), transitions, start, end)
    return {"row": nll, "nll": nll, "steps": steps.astype(np.float64)}
