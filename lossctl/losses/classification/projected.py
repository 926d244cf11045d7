"""Cross-entropy where the logits are still to be made: features against a row of weights for each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl import numerics, vectors
from lossctl.losses.classification.multiclass import cross_entropy
from lossctl.losses.classification.options import CLASS_WEIGHT
from lossctl.losses.lengths import in_range
from lossctl.losses.types import Ratios, Rows, Vector
from lossctl.losses.types_labels import ClassIndex
from lossctl.losses.types_vectors import Bias, Clusters, Prototypes
from lossctl.model.beside import tails
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.reduce import Mean, Ratio
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Paper


def projection_fits(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """Prototypes have a column for each feature, and there is a bias and a weight for each prototype."""
    features, prototypes = arrays["features"], arrays["prototypes"]
    if features.shape[1] != prototypes.shape[1]:
        return "features and prototypes differ in columns"
    if "bias" in arrays and len(arrays["bias"]) != len(prototypes):
        return "there is not one bias for each prototype"
    weight = params["class_weight"]
    if isinstance(weight, tuple) and len(weight) != len(prototypes):
        return f"class_weight has {len(weight)} values for {len(prototypes)} prototypes"
    return None


@loss(
    title="Cross-entropy of a linear layer",
    reduce=Ratio(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    see=("cross-entropy", "adaptive-log-softmax"),
    tasks=("language models", "large vocabulary", "classification from features"),
    like={"torch": {}},
    equivalents=(
        Equivalent(
            "torch",
            "F.cross_entropy(F.linear(features, prototypes), target, weight=class_weight, "
            "label_smoothing=label_smoothing)",
            "with a bias as third argument of F.linear",
        ),
    ),
    traps=(
        "prototypes hold a row for each class, as torch's Linear.weight: another layout has other digits or no shape",
        "dot products have the same digits whatever the batch; a matrix product of a library rounds by its shape",
    ),
    align=projection_fits,
    checks=in_range,
)
def linear_cross_entropy(
    features: Vector,
    target: ClassIndex,
    prototypes: Prototypes,
    bias: Bias = None,
    *,
    class_weight: Annotated[tuple[float, ...] | None, CLASS_WEIGHT] = None,
    label_smoothing: Annotated[
        float, Param("share of the target that is spread evenly over all classes", ge=0, le=1)
    ] = 0.0,
) -> Ratios:
    """Cross-entropy of the logits that features and class prototypes give.

    With x the features, W the prototypes, b the bias:

        cross-entropy of x W^T + b

    >>> linear_cross_entropy([[1.0, 0.0]], [0], [[2.0, 0.0], [0.5, 1.0], [-1.0, 3.0]])
    array([0.2413113])
    """
    logits = vectors.products(features, prototypes)
    ratios: Ratios = cross_entropy.kernel(
        logits if bias is None else logits + bias,
        target,
        class_weight=class_weight,
        label_smoothing=label_smoothing,
    )
    return ratios


def clusters_fit(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """The layers of the head and of the tails fit the features and each other."""
    clusters: Mapping[str, Rows] = arrays["clusters"]
    columns = arrays["features"].shape[1]
    if "head.weight" not in clusters or not tails(clusters):
        return f"clusters need head.weight, tail.0.0.weight, tail.0.1.weight, ...; there are {', '.join(clusters)}"
    layers = [clusters["head.weight"], *(first for first, _ in tails(clusters))]
    if any(layer.ndim != 2 or layer.shape[1] != columns for layer in layers):
        return f"head and tails do not take {columns} features"
    if any(second.ndim != 2 or second.shape[1] != len(first) for first, second in tails(clusters)):
        return "the two layers of a tail do not fit each other"
    if len(clusters["head.weight"]) <= len(tails(clusters)):
        return "the head has no class of its own"
    return None


@loss(
    title="Adaptive log-softmax",
    reduce=Mean(),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    paper=Paper(
        "E. Grave, A. Joulin, M. Cisse, D. Grangier, H. Jegou", 2017, "Efficient softmax approximation for GPUs"
    ),
    see=("linear-cross-entropy", "cross-entropy"),
    tasks=("language models", "large vocabulary", "rare words"),
    like={"torch": {}},
    equivalents=(
        Equivalent(
            "torch",
            "adaptive(clusters, features, target).loss",
            "adaptive loads the state_dict into nn.AdaptiveLogSoftmaxWithLoss; its output is +log p",
        ),
    ),
    traps=(
        "classes are ordered by frequency: the head holds the frequent ones and one entry for each tail",
        "torch returns the log-probability itself beside the loss; here a row's value is the loss",
    ),
    align=clusters_fit,
)
def adaptive_log_softmax(features: Vector, target: ClassIndex, clusters: Clusters) -> Rows:
    """Negative log-probability of the true class where rare classes hang together in clusters.

    With h the head's logits over the frequent classes and one entry k for each tail, t_k the logits in tail k:

        -log-softmax(h)_y                                  frequent class y
        -log-softmax(h)_k - log-softmax(t_k)_(y in k)      class y of tail k

    >>> layers = {"head.weight": [[1.0], [0.0]], "tail.0.0.weight": [[1.0]], "tail.0.1.weight": [[1.0], [0.0]]}
    >>> adaptive_log_softmax([[2.0], [2.0]], [0, 1], layers)
    array([0.12692801, 2.25385602])
    """
    rare = tails(clusters)
    head = vectors.products(features, clusters["head.weight"]) + clusters.get("head.bias", 0.0)
    frequent = head.shape[1] - len(rare)
    entry = np.array(target)
    value = np.zeros(len(features))
    first = frequent
    for place, (down, up) in enumerate(rare):
        inside = np.flatnonzero((target >= first) & (target < first + len(up)))
        entry[inside] = frequent + place
        logits = vectors.products(vectors.products(features[inside], down), up)
        value[inside] = -numerics.log_prob_at(logits, target[inside] - first, "logits")
        first += len(up)
    return value - numerics.log_prob_at(head, entry, "logits")
