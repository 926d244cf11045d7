"""What happened: labels that are right or wrong, and the probability given to the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from lossctl import numerics
from lossctl.losses.types import Ratios, Rows
from lossctl.losses.types_labels import LabelsOrScores, LabelTarget, ProbOfTruth, Truth
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value, When
from lossctl.model.reduce import Elements, Mean, Product
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent

LABELS_OR_SCORES = Param("what the predictions are; never guessed", choices=("labels", "probs", "logits"))
THRESHOLD = Param(
    "a single score is positive from here on; auto is 0.5 for probabilities and 0 for logits",
    choices=("auto",),
    when=When("input", ("probs", "logits"), "auto"),
)
OUTCOME_CLIP = Param(
    "clipping of probabilities before the logarithm: sklearn to the float64 eps, dtype to the eps of the precision "
    "they are stored in, a number to itself",
    ge=1e-15,
    lt=0.5,
    choices=("sklearn", "dtype", "none"),
)
DECISIONS = "a single score is positive at >= 0.5 (probabilities) or >= 0 (logits); of tied classes the first wins"


def scores_fit(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """Labels stand against labels; N x C scores stand against N class indices."""
    pred, target = arrays["pred"], arrays["target"]
    if pred.shape[1:] == target.shape[1:] or (params["input"] != "labels" and pred.ndim == 2 and target.ndim == 1):
        return None
    if pred.ndim == 2 and target.ndim == 1:
        return "predictions of several columns are scores (--input probs|logits) or need as many target columns"
    return "shapes differ"


def decided(pred: NDArray[Any], target: NDArray[Any], form: str, threshold: float | str) -> NDArray[Any]:
    """Predicted labels: as they are, or by the greatest score of a row, or 0/1 by the threshold."""
    if form == "labels":
        return pred
    if pred.ndim == 2 and target.ndim == 1:
        return np.asarray(np.argmax(pred, axis=1))
    level = {"probs": 0.5, "logits": 0.0}[form] if threshold == "auto" else float(threshold)
    return np.asarray(pred >= level, float)


def mistakes(pred: NDArray[Any], target: NDArray[np.int64], form: str, threshold: float | str) -> NDArray[np.bool_]:
    """(N,) or (N, K) where the label, predicted or decided from scores, is wrong."""
    return np.asarray(decided(pred, target, form, threshold) != target)


@loss(
    title="Zero-one loss",
    reduce=Mean(),
    unit="share of rows",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("0-1", "misclassification", "error-rate"),
    see=("hamming", "hinge", "cross-entropy"),
    tasks=("accuracy", "classification error", "multilabel classification", "exact match"),
    like={"sklearn": {}},
    equivalents=(
        Equivalent("sklearn", "zero_one_loss(target, pred)"),
        Equivalent(
            "torchmetrics",
            "(1 - accuracy(pred, target, task='multiclass', num_classes=4, average='micro')).double()",
            "counts in float32",
        ),
        Equivalent(
            "torchmetrics",
            "(1 - exact_match(pred, target, task='multilabel', num_labels=pred.shape[1])).double()",
            "rows of several labels; counts in float32",
        ),
    ),
    traps=(
        DECISIONS,
        "rows of several labels are wrong as a whole, as in scikit-learn; hamming counts label by label",
        "torchmetrics' accuracy of several classes is the mean over classes unless average='micro'",
    ),
    align=scores_fit,
)
def zero_one(
    pred: LabelsOrScores,
    target: LabelTarget,
    *,
    input: Annotated[str, LABELS_OR_SCORES] = "labels",
    threshold: Annotated[float | str, THRESHOLD] = "auto",
) -> Rows:
    """One for a wrong label, zero for a right one.

        1 if label(pred) != target else 0

    >>> zero_one([0, 2, 1], [0, 1, 1])
    array([0., 1., 0.])
    """
    wrong = mistakes(pred, target, input, threshold)
    return np.asarray(wrong if wrong.ndim == 1 else wrong.any(axis=1), np.float64)


@loss(
    title="Hamming loss",
    reduce=Elements(),
    unit="share of labels",
    range="0 to 1",
    laws={NONNEGATIVE},
    see=("zero-one", "bce"),
    tasks=("multilabel classification", "classification error", "tags"),
    like={"sklearn": {}},
    equivalents=(
        Equivalent("sklearn", "hamming_loss(target, pred)"),
        Equivalent(
            "torchmetrics",
            "hamming_distance(pred, target, task='multilabel', num_labels=pred.shape[1], average='micro').double()",
            "counts in float32; its own average is the mean over labels",
        ),
        Equivalent("scipy", "spatial.distance.hamming(pred.ravel(), target.ravel())"),
    ),
    traps=(
        DECISIONS,
        "one label a row: the same as zero-one; several: each label counts by itself",
        "torchmetrics takes scores outside [0, 1] for logits and squashes them",
        "it compares labels as a whole: the Hamming distance of strings is another loss",
    ),
    align=scores_fit,
)
def hamming(
    pred: LabelsOrScores,
    target: LabelTarget,
    *,
    input: Annotated[str, LABELS_OR_SCORES] = "labels",
    threshold: Annotated[float | str, THRESHOLD] = "auto",
) -> Rows:
    """Share of labels that are wrong.

    For each label of a row:

        1 if label(pred) != target else 0

    >>> hamming([[1, 0, 1], [0, 0, 1]], [[1, 1, 1], [0, 0, 1]])
    array([0.33333333, 0.        ])
    """
    return mistakes(pred, target, input, threshold).astype(np.float64)


def truth(pred: NDArray[Any], target: NDArray[np.int64]) -> tuple[Rows, NDArray[np.bool_]]:
    """(N,) the probability that bears on what happened, and whether it is that of it or that of the other outcome."""
    if pred.ndim == 2:
        return pred[np.arange(len(pred)), target].astype(np.float64), np.ones(len(pred), bool)
    return pred.astype(np.float64), target == 1


def log_truth(prob: Rows, own: NDArray[np.bool_]) -> Rows:
    """(N,) the logarithm of the probability of what happened."""
    return np.where(own, numerics.safe_log(prob), numerics.safe_log1m(prob))


@loss(
    title="Likelihood",
    reduce=Product(),
    unit="probability",
    range="0 to 1",
    laws={NONNEGATIVE},
    aliases=("product-likelihood",),
    direction="maximise",
    see=("nll", "bce", "log-loss"),
    tasks=("probability forecast", "model comparison"),
    equivalents=(
        Equivalent(
            "sklearn",
            "np.exp(-log_loss(target, pred))",
            "the geometric mean (--reduction mean); clips at the float64 eps",
        ),
    ),
    traps=(
        "a score: 1 is best; the product of some 700 rows underflows, so its logarithm stands beside it",
        "--reduction mean is the geometric mean",
    ),
)
def likelihood(pred: ProbOfTruth, target: Truth) -> Ratios:
    """Probability given to what happened; the product over all rows.

    With p the probability of the positive class (or p_c of class c) and y the outcome:

        p if y = 1 else 1 - p        single probability
        p_y                          one probability for each class

    >>> likelihood([0.9, 0.2], [1, 0])
    array([0.9, 0.8])
    """
    prob, own = truth(pred, target)
    return np.where(own, prob, 1.0 - prob), log_truth(prob, own)


@loss(
    title="Log loss",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("logloss", "sk-log-loss", "logistic-loss"),
    see=("bce", "cross-entropy", "likelihood", "zero-one"),
    tasks=("probability forecast", "binary classification", "calibration"),
    like={"sklearn": {"clip": "dtype"}},
    equivalents=(
        Equivalent(
            "sklearn",
            "log_loss(target, pred)",
            "clips at the eps of the predictions' own dtype, needs labels=... where not every class occurs, and takes "
            "the columns to be in sorted order of the labels",
        ),
        Equivalent(
            "torch",
            "F.nll_loss(torch.log(pred), target)",
            "one probability for each class, none of them 0: nothing is clipped",
        ),
    ),
    traps=(
        "a probability of 0 given to what happened costs 36.04; scikit-learn counts 15.94 if it is stored as float32 "
        "(clip=dtype)",
        "scikit-learn sorts text labels ('10' before '2') and takes the columns to be in that order; here the order is "
        "that of the columns or of --classes",
        "where one outcome only occurs scikit-learn wants to be told the others (labels=); here the columns say them",
        "rows that do not sum to 1 are taken as they are; --renormalize divides",
    ),
)
def log_loss(
    pred: ProbOfTruth,
    target: Truth,
    *,
    clip: Annotated[float | str, OUTCOME_CLIP] = "sklearn",
) -> Rows:
    """Negative log-probability of what happened, from a single probability or one for each class.

    With p the probability of the positive class (or p_c of class c), clipped to [eps, 1 - eps], and y the outcome:

        -log(p) if y = 1 else -log(1 - p)        single probability
        -log(p_y)                                one probability for each class

    >>> log_loss([0.9, 0.2, 0.0], [1, 0, 1])
    array([ 0.10536052,  0.22314355, 36.04365339])
    """
    cost = -log_truth(*truth(pred, target)) + 0.0  # + 0: never -0.0
    low = float(np.finfo(pred.dtype).eps) if clip == "dtype" else numerics.clip_range(clip)[0]
    # p within [eps, 1 - eps] is -log(p) within these; 1 - eps itself would be rounded.
    return cost if low == 0 else np.clip(cost, -np.log1p(-low), -np.log(low))
