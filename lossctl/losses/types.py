"""Annotations that kernels use: an array, and the kind that says what it must be."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.model import (
    beside,
    boxes,
    classes,
    domains,
    ensembles,
    kinds,
    margins,
    masks,
    orders,
    pairs,
    preferences,
    reals,
    scores,
    sets,
    sides,
    targets,
)

Rows: TypeAlias = NDArray[np.float64]
Ratios: TypeAlias = tuple[Rows, Rows]

Real = Annotated[Rows, kinds.Kind()]
Vector = Annotated[Rows, kinds.Vector()]
Direction = Annotated[Rows, reals.Direction()]
Divisor = Annotated[Rows, reals.Divisor()]
AboveMinusOne = Annotated[Rows, reals.AboveMinusOne()]
Scores = Annotated[Rows, kinds.Scores()]
Relevance = Annotated[Rows, kinds.NonNegative()]
Order = Annotated[Rows, orders.Order()]
Group = Annotated[NDArray[np.int64], kinds.Group()]

BinaryScores = Annotated[Rows, scores.BinaryScores()]
Logits = Annotated[Rows, scores.BinaryScores(fixed="logits")]
SoftBinary = Annotated[Rows, targets.BinaryTarget(soft=True)]
HardBinary = Annotated[Rows, targets.BinaryTarget()]
ClassScores = Annotated[NDArray[Any], scores.ClassScores()]
ClassLogits = Annotated[NDArray[Any], scores.ClassScores(fixed="logits")]
ClassLogProbs = Annotated[NDArray[Any], scores.ClassScores(fixed="log-probs")]
ClassTarget = Annotated[NDArray[Any], targets.ClassTarget(soft=True)]
ClassIndex = Annotated[NDArray[np.int64], targets.ClassTarget()]
Distribution = Annotated[Rows, targets.Distribution()]
SignedTarget = Annotated[Rows, targets.SignedTarget()]
LabelsOrScores = Annotated[NDArray[Any], scores.LabelsOrScores()]
LabelTarget = Annotated[NDArray[np.int64], targets.LabelTarget()]
SameClass = Annotated[NDArray[Any], classes.SameClass()]
ProbOfTruth = Annotated[NDArray[Any], scores.ProbOfTruth()]
LogitOfTruth = Annotated[Rows, scores.LogitOfTruth()]
Truth = Annotated[NDArray[np.int64], targets.Truth()]
PredictedSets = Annotated[NDArray[Any], sets.PredictedSets()]
TrueSets = Annotated[NDArray[Any], sets.TrueSets()]

# Beside all rows:
Prototypes = Annotated[Rows, beside.Prototypes()]
Parameters = Annotated[Rows, beside.Parameters()]
Bias = Annotated[Rows | None, beside.Bias()]
Clusters = Annotated[dict[str, Rows], beside.Layers()]
OneHotTruth = Annotated[NDArray[Any], targets.OneHotTruth()]

Measure = Annotated[
    Rows,
    domains.HalfLine(
        domains.Domain("a number >= 0", "is not a measure (>= 0)", hint="are these logarithms?  exponentiate them")
    ),
]
Count = Annotated[
    Rows,
    domains.HalfLine(
        domains.Domain("a count, or any number >= 0", "is not a count (>= 0)", hint="were the targets standardised?"),
        sparse=True,
    ),
]
Variance = Annotated[
    Rows,
    domains.HalfLine(
        domains.Domain(
            "a variance: a number >= 0",
            "is not a variance (>= 0)",
            hint="it takes variances: square standard deviations, exponentiate log-variances",
        )
    ),
]
Deviation = Annotated[
    Rows,
    domains.HalfLine(
        domains.Domain(
            "a standard deviation: a number > 0",
            "is not a standard deviation (> 0)",
            hint="it takes standard deviations: the root of variances, exp of log-deviations; at 0 the score is mae's",
            zero=False,
        )
    ),
]
Ensemble = Annotated[Rows, ensembles.Ensemble()]
Outcome = Annotated[Rows, ensembles.Outcome()]

Decision = Annotated[Rows, margins.Decision()]
DecisionOrClasses = Annotated[Rows, margins.DecisionOrClasses()]
SignedOrClass = Annotated[Rows, margins.SignedOrClass()]
ClassDecisions = Annotated[Rows, margins.ClassDecisions()]
TrueClass = Annotated[NDArray[np.int64], margins.TrueClass()]
LabelScores = Annotated[Rows, margins.LabelScores()]
LabelLogits = Annotated[Rows, margins.LabelLogits()]
LabelSet = Annotated[Rows, margins.LabelSet()]
IndexLists = Annotated[NDArray[np.bool_], margins.IndexLists()]

PairSign = Annotated[Rows, pairs.PairSign()]
PairLabel = Annotated[Rows, pairs.PairLabel()]
Distance = Annotated[Rows, pairs.Distance()]
Centers = Annotated[Rows, beside.Centers()]
LogProb = Annotated[Rows, preferences.LogProb()]
MeanLogProb = Annotated[Rows, preferences.MeanLogProb()]
Desirable = Annotated[Rows, preferences.Desirable()]
TokenCount = Annotated[Rows | None, preferences.TokenCount()]
Propositions = Annotated[Rows, scores.Propositions()]
RealSide = Annotated[Rows | None, sides.Side()]
FakeSide = Annotated[Rows, sides.Side()]
NonNegative = Annotated[Rows | None, kinds.NonNegative()]
Box = Annotated[Rows, boxes.Boxes()]
Masks = Annotated[Rows, masks.MaskScores()]
MaskLogits = Annotated[Rows, masks.MaskScores(fixed="logits")]
Images = Annotated[Rows, masks.ImageScores()]
TrueMasks = Annotated[Rows, masks.MaskTarget()]
HardMasks = Annotated[Rows, masks.MaskTarget(hard=True)]
TrueImages = Annotated[Rows, masks.ImageTarget()]
