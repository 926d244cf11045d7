"""Labels without an alignment, said by a model that may say several at a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from lossctl.errors import DataError
from lossctl.losses.sequence.inputs import LabelSequence, Lattice, PredLengths, TargetLengths
from lossctl.losses.types import Rows
from lossctl.model.lattices import lattice_rules
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Paper
from lossctl.sequences.transducer import transducer


def blank_is_a_class(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """The blank is one of the classes that there are scores for."""
    classes, blank = arrays["pred"].values.shape[-1], int(str(params["blank"]))
    if blank >= classes:
        raise DataError(
            f"rnn-t: blank = {blank} is not one of the {classes} classes: 0 to {classes - 1}",
            code="blank",
            hint="--blank -1 is the last class",
        )
    return None


@loss(
    title="RNN transducer loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("transducer", "rnnt"),
    paper=Paper(
        "A. Graves", 2012, "Sequence transduction with recurrent neural networks", doi="10.48550/arXiv.1211.3711"
    ),
    tasks=("speech recognition", "alignment-free labels"),
    traps=(
        "the blank is the last class, as in torchaudio; in warp-transducer it is the first (--blank 0)",
        "the mean divides by the rows, not by frames or labels as some toolkits do",
        "torchaudio's clamp bounds gradients and changes no value",
    ),
    align=blank_is_a_class,
    checks=lattice_rules,
)
def rnn_t(
    pred: Lattice,
    target: LabelSequence,
    input_lengths: PredLengths = None,
    target_lengths: TargetLengths = None,
    *,
    input: Annotated[str, Param("what the scores are", choices=("logits", "log-probs", "probs"))] = "logits",
    blank: Annotated[int, Param("the class that goes on to the next frame; -1 is the last one", ge=-1)] = -1,
) -> Rows:
    """Negative log-probability of the labels, over all ways to spread them over the frames.

    With p(t, u, k) the probability of class k at frame t after u labels, of T frames and U labels y:

        a(t, u) = a(t-1, u) p(t-1, u, blank) + a(t, u-1) p(t, u-1, y_u),    a(1, 0) = 1
        -log(a(T, U) p(T, U, blank))

    >>> rnn_t(np.zeros((1, 2, 3, 5)), [[1, 2]])
    array([5.33913936])
    """
    return transducer(pred, target, form=input, blank=blank % max(pred.values.shape[-1], 1))
