"""Taggings of sequences under a model of neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl.losses.sequence.inputs import Emissions, SharedLengths, StepScores, Tags, Terms, Transitions
from lossctl.model.lattices import tagged
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.findings import Rule, Seen
from lossctl.model.params import Param, Value
from lossctl.model.pooled import Pooled, SampleMean, quotient
from lossctl.model.reduce import Switch
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Paper
from lossctl.sequences.crf import chain_nll

PAIRED = Rule("lengths-differ", "is not the number of steps of its row", hint="--input-lengths says how many steps count")


def one_tag_a_step(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    """Emissions and tags are as many."""
    return [(PAIRED, arrays["pred"].lengths != arrays["target"].lengths, arrays["target"].lengths)]


def tags_agree(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """There are as many tags in emissions and in all scores between them."""
    tags = arrays["pred"].values.shape[-1]
    beside = [arrays[role].shape for role in ("transitions", "start-transitions", "end-transitions") if role in arrays]
    return None if all(set(shape) == {tags} for shape in beside) else f"emissions are of {tags} tags"
