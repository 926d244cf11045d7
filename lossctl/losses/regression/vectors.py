"""Vectors against vectors: one value a row."""

from __future__ import annotations

from typing import Annotated

from lossctl import numerics
from lossctl.losses.types import Direction, Rows
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param
from lossctl.model.reduce import Mean
from lossctl.model.registry import loss
from lossctl.model.spec import Equivalent, Paper


@loss(
    title="Cosine distance",
    reduce=Mean(),
    unit="1",
    range="0 to 2",
    laws={NONNEGATIVE},
    aliases=("cosine",),
    paper=Paper(
        "G. Salton, A. Wong, C. S. Yang",
        1975,
        "A Vector Space Model for Automatic Indexing",
        doi="10.1145/361219.361220",
    ),
    see=("mse", "triplet-margin"),
    tasks=("embeddings", "vector regression", "directions", "text similarity", "scale-free comparison"),
    like={"torch": {"eps": 1e-8}, "optax": {}},
    equivalents=(
        Equivalent(
            "torch",
            "1 - F.cosine_similarity(pred, target, eps=eps).mean()",
            "its default eps is 1e-8; nan for a zero vector at eps = 0",
        ),
        Equivalent(
            "optax",
            "cosine_distance(pred, target, epsilon=eps ** 2).mean()",
            "its epsilon bounds the squared norm; nan for a zero vector at 0",
        ),
        Equivalent(
            "keras",
            "1 + losses.CosineSimilarity()(target, pred)",
            "Keras returns minus the cosine, from -1 to 1; its norms are at least 1e-7; weights divide by n",
        ),
        Equivalent(
            "sklearn",
            "pairwise.paired_cosine_distances(target, pred).mean()",
            "a zero vector is at 0.5 there",
        ),
        Equivalent(
            "torchmetrics",
            "1 - cosine_similarity(pred, target, reduction='mean').double()",
            "in float32, whatever goes in",
        ),
        Equivalent(
            "scipy",
            "np.mean([distance.cosine(p, t) for p, t in zip(pred, target)])",
            "a zero vector is at nan there",
        ),
    ),
    traps=(
        "Keras' CosineSimilarity is minus the cosine: its best value is -1, the best here is 0",
        "torchmetrics' cosine_similarity is plus the cosine, and adds the rows up unless told to average",
        "a zero vector has no direction: its distance is 1 here, nan in optax, 0.5 in scikit-learn",
        "1 - cos loses all digits below an angle of 1e-8 elsewhere; here small angles keep theirs",
    ),
)
def cosine_distance(
    pred: Direction,
    target: Direction,
    *,
    eps: Annotated[float, Param("norms below it count as this", ge=0)] = 0.0,
) -> Rows:
    """One minus the cosine of the angle between two vectors.

    With a the prediction and b the target of a row, and a.b the sum of their products:

        1 - a.b / (max(|a|, eps) max(|b|, eps))        1 where a norm is 0

    >>> cosine_distance([[1.0, 0.0], [3.0, 4.0]], [[0.0, 2.0], [6.0, 8.0]])
    array([1., 0.])
    """
    return numerics.cosine_distance(pred, target, eps)
