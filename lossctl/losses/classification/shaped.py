"""Cross-entropy in other shapes: what an easy, a hard or a wrongly labelled example counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from lossctl import numerics
from lossctl.losses.classification.options import CLIP, GAMMA, INPUT, one_for_each_class
from lossctl.losses.types import Rows
from lossctl.losses.types_labels import ClassIndex, ClassScores, ClassTarget
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper


def over_truth(
    cost: Callable[[Rows], Rows],
    pred: NDArray[Any],
    target: NDArray[Any],
    form: str,
    *,
    clip: float | str = "none",
    weight: Rows | float = 1.0,
) -> Rows:
    """(N,) ``cost`` of the true class's log-probability; of a distribution the mean over it. ``weight`` by class."""
    weights = np.broadcast_to(np.asarray(weight), pred.shape[1])
    if target.ndim == 1:
        costs = cost(numerics.log_prob_at(pred, target, form, clip))
        return numerics.times(weights[target], costs) + 0.0  # + 0: never -0.0
    costs = cost(numerics.log_probs(pred, form, clip))
    return np.asarray(np.sum(numerics.times(weights * target, costs), axis=1) + 0.0)


@loss(
    title="Focal loss over classes",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("categorical-focal", "multiclass-focal", "categorical-focal-crossentropy"),
    paper=Paper(
        "T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollar",
        2017,
        "Focal Loss for Dense Object Detection",
        doi="10.1109/ICCV.2017.324",
    ),
    see=("sigmoid-focal", "cross-entropy", "poly-ce"),
    tasks=("imbalanced classes", "hard examples", "multiclass classification"),
    like={"keras": {"clip": "keras", "norm": "n"}},
    equivalents=(
        Equivalent(
            "keras",
            "losses.CategoricalFocalCrossentropy(alpha=alpha, gamma=gamma, from_logits=True)"
            "(np.eye(pred.shape[1])[target], pred)",
            "clips probabilities at 1e-7, from logits too; weights divide by n",
        ),
        Equivalent(
            "keras",
            "losses.CategoricalFocalCrossentropy(alpha=alpha, gamma=gamma)(target, pred)",
            "probabilities, divided by their sum and clipped at 1e-7; distributions as targets",
        ),
    ),
    traps=(
        "one number for alpha scales every class alike, as in Keras; a list weighs the classes, none switches it off",
        "the mean divides by the rows, not by the summed alphas",
        "MONAI's softmax form gives class 0 the weight 1 - alpha and all others alpha; segmentation_models.pytorch "
        "sums one binary focal loss for each class instead",
        "the default input is logits: probabilities need --input probs",
    ),
    align=one_for_each_class("alpha"),
)
def softmax_focal(
    pred: ClassScores,
    target: ClassTarget,
    *,
    input: Annotated[str, INPUT] = "logits",
    alpha: Annotated[
        float | tuple[float, ...] | None, Param("weight of every class, or a list with one for each", ge=0)
    ] = 0.25,
    gamma: Annotated[float, GAMMA] = 2.0,
    clip: Annotated[float | str, CLIP] = "none",
) -> Rows:
    """Cross-entropy of several classes that cares little for what is already right.

    With p the softmax of the logits, a = alpha, y the true class or q the target distribution:

        -a_y (1 - p_y)^gamma log(p_y)                    index target
        -sum_c a_c q_c (1 - p_c)^gamma log(p_c)          soft target

    >>> softmax_focal([[2.0, 0.5, -1.0]], [0], alpha=None)
    array([0.01109275])
    """

    def focused(log_prob: Rows) -> Rows:
        # 1 - p = -expm1(log p) keeps its digits where p rounds to 1. A log-probability may be above 0 by rounding.
        return np.maximum(-np.expm1(log_prob), 0.0) ** gamma * -log_prob

    return over_truth(
        focused, pred, target, input, clip=clip, weight=np.asarray(1.0 if alpha is None else alpha, np.float64)
    )


@loss(
    title="Poly-1 cross-entropy",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("poly1", "poly-loss-cross-entropy"),
    paper=Paper(
        "Z. Leng, M. Tan, C. Liu, E. D. Cubuk, X. Shi, S. Cheng, D. Anguelov",
        2022,
        "PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions",
        doi="10.48550/arXiv.2204.12511",
    ),
    see=("cross-entropy", "softmax-focal", "generalized-ce"),
    tasks=("multiclass classification", "imbalanced classes"),
    like={"optax": {}},
    equivalents=(
        Equivalent(
            "optax",
            "poly_loss_cross_entropy(pred, target, epsilon=epsilon).mean()",
            "distributions as targets, and as floats",
        ),
    ),
    traps=(
        "epsilon=2 is optax's default and the paper's choice for ImageNet; the paper's sample code says 1",
        "epsilon=-1 (detection, in the paper) leaves out the first term of the series: near p = 1 only (1 - p)^2 / 2",
    ),
)
def poly_ce(
    pred: ClassScores,
    target: ClassTarget,
    *,
    input: Annotated[str, INPUT] = "logits",
    epsilon: Annotated[float, Param("what the first term of the series counts more", ge=-1)] = 2.0,
) -> Rows:
    """Cross-entropy whose first-order term, 1 - p, counts more.

    With p the softmax of the logits, e = epsilon, y the true class or q the target distribution:

        -log(p_y) + e (1 - p_y)                          index target
        sum_c q_c (-log(p_c) + e (1 - p_c))              soft target

    >>> poly_ce([[2.0, 0.5, -1.0]], [0])
    array([0.67011723])
    """

    def heavier(log_prob: Rows) -> Rows:
        if epsilon >= 0:
            return np.asarray(-log_prob - epsilon * np.expm1(log_prob))
        # -log p - (1 - p) cancels near p = 1: with x = log p it is e^x - 1 - x, the rest of -log p goes beside it.
        return np.asarray(numerics.times(np.asarray(1.0 + epsilon), -log_prob) - epsilon * numerics.exp_gap(log_prob))

    return over_truth(heavier, pred, target, input)


@loss(
    title="Generalized cross-entropy",
    reduce=Mean(),
    unit="1",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("gce", "categorical-generalized-cross-entropy"),
    paper=Paper(
        "Z. Zhang, M. R. Sabuncu",
        2018,
        "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels",
        doi="10.48550/arXiv.1805.07836",
    ),
    see=("cross-entropy", "poly-ce"),
    tasks=("noisy labels", "wrong labels", "robust classification", "multiclass classification"),
    like={"keras": {"norm": "n"}},
    equivalents=(
        Equivalent(
            "keras", "losses.CategoricalGeneralizedCrossEntropy(q=q)(target, pred)", "q < 1; weights divide by n"
        ),
    ),
    traps=(
        "q=0.5 is Keras' default, the paper's is 0.7; towards 0 it becomes cross-entropy, q=1 is 1 - p",
        "the default input is probabilities, as in Keras: logits need --input logits",
    ),
)
def generalized_ce(
    pred: ClassScores,
    target: ClassIndex,
    *,
    input: Annotated[str, INPUT] = "probs",
    q: Annotated[float, Param("from cross-entropy (towards 0) to the absolute error (1)", gt=0, le=1)] = 0.5,
) -> Rows:
    """Cross-entropy bent towards the absolute error, so that wrong labels cost at most 1/q.

    With p_y the probability of the true class:

        (1 - p_y^q) / q

    >>> generalized_ce([[0.1, 0.7, 0.2]], [1], q=0.7)
    array([0.31563441])
    """
    # p^q rounds to 1 for small q: 1 - p^q = -expm1(q log p).
    return over_truth(lambda log_prob: -np.expm1(q * log_prob) / q, pred, target, input)
