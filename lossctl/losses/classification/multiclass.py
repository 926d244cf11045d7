"""One class of many: cross-entropy and its kin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.losses.classification.options import CLASS_WEIGHT, CLIP, INPUT
from lossctl.losses.types import ClassIndex, ClassLogProbs, ClassScores, ClassTarget, Ratios
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Ratio
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent


def weights_fit(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """Columns agree, and there are as many class weights as classes."""
    pred, target, weight = arrays["pred"], arrays["target"], params["class_weight"]
    if target.ndim == 2 and target.shape[1] != pred.shape[1]:
        return "the numbers of columns differ"
    if isinstance(weight, tuple) and len(weight) != pred.shape[1]:
        return f"class_weight has {len(weight)} values for {pred.shape[1]} classes"
    return None


def class_weights(weight: tuple[float, ...] | None, classes: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.ones(classes) if weight is None else np.array(weight)


@loss(
    title="Cross-entropy",
    reduce=Ratio(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("ce", "softmax-ce", "softmax-cross-entropy"),
    see=("nll", "bce", "kl-div"),
    like={
        "torch": {},
        "keras": {"clip": "keras", "norm": "n"},
        "sklearn": {"input": "probs", "clip": "sklearn"},
        "optax": {},
    },
    equivalents=(
        Equivalent(
            "torch",
            "F.cross_entropy(pred, target, weight=class_weight, label_smoothing=label_smoothing)",
            "classes on axis 1",
        ),
        Equivalent(
            "keras",
            "losses.SparseCategoricalCrossentropy(from_logits=True)(target, pred)",
            "without from_logits it divides rows by their sum and clips at 1e-7",
        ),
        Equivalent("optax", "softmax_cross_entropy_with_integer_labels(pred, target).mean()"),
        Equivalent("sklearn", "log_loss(target, pred)", "probabilities, clipped at the float64 eps"),
    ),
    traps=(
        "with class weights and index targets the mean divides by the summed weights of the true classes, with soft "
        "targets by the rows; both as torch does",
        "the default input is logits: probabilities need --input probs (a column named prob_... says so itself)",
        "scikit-learn sorts string labels; here the order is that of the columns or of --classes",
    ),
    align=weights_fit,
)
def cross_entropy(
    pred: ClassScores,
    target: ClassTarget,
    *,
    input: Annotated[str, INPUT] = "logits",
    class_weight: Annotated[tuple[float, ...] | None, CLASS_WEIGHT] = None,
    label_smoothing: Annotated[
        float, Param("share of the target that is spread evenly over all classes", ge=0, le=1)
    ] = 0.0,
    clip: Annotated[float | str, CLIP] = "none",
) -> Ratios:
    """Negative log-probability of the true class.

    With lp = log-softmax of the logits (or the log of the probabilities), w the class weights, y the
    true class or q the target distribution over C classes, s the label smoothing:

        -w_y lp_y                                            index target
        -(1 - s) w_y lp_y - (s / C) sum_c w_c lp_c           with label smoothing
        -sum_c w_c ((1 - s) q_c + s / C) lp_c                soft target

    >>> cross_entropy([[2.0, 0.5, -1.0]], [0])
    array([0.2413113])
    """
    classes = pred.shape[1]
    weight = class_weights(class_weight, classes)
    if target.ndim == 2:
        soft = weight * ((1.0 - label_smoothing) * target + label_smoothing / classes)
        value = -np.sum(numerics.times(soft, numerics.log_probs(pred, input, clip)), axis=1)
        return value + 0.0, np.ones(len(pred))  # + 0: never -0.0
    own = weight[target]
    if label_smoothing == 0:
        return numerics.times(own, -numerics.log_prob_at(pred, target, input, clip)) + 0.0, own
    log_prob = numerics.log_probs(pred, input, clip)  # N C
    true = numerics.times((1.0 - label_smoothing) * own, -log_prob[np.arange(len(pred)), target])
    spread = -np.sum(numerics.times(weight, log_prob), axis=1)
    return true + label_smoothing / classes * spread, own


@loss(
    title="Negative log-likelihood",
    reduce=Ratio(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("negative-log-likelihood",),
    see=("cross-entropy",),
    like={"torch": {}},
    equivalents=(Equivalent("torch", "F.nll_loss(pred, target, weight=class_weight)"),),
    traps=("it takes log-probabilities: probabilities fed by mistake give plausible numbers, so they are refused",),
    align=weights_fit,
)
def nll(
    pred: ClassLogProbs,
    target: ClassIndex,
    *,
    class_weight: Annotated[tuple[float, ...] | None, CLASS_WEIGHT] = None,
) -> Ratios:
    """Negative log-likelihood of the true class, from log-probabilities.

    With lp the log-probabilities, w the class weights, y the true class:

        -w_y lp_y

    >>> nll(np.log([[0.7, 0.2, 0.1]]), [0])
    array([0.35667494])
    """
    own = class_weights(class_weight, pred.shape[1])[target]
    return numerics.times(own, -numerics.log_prob_at(pred, target, "log-probs")) + 0.0, own
