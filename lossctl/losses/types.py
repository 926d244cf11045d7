"""Annotations that kernels use: an array, and the kind that says what it must be."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.model import kinds, margins, scores, targets

Rows: TypeAlias = NDArray[np.float64]
Ratios: TypeAlias = tuple[Rows, Rows]

Real = Annotated[Rows, kinds.Kind()]
Vector = Annotated[Rows, kinds.Vector()]
Scores = Annotated[Rows, kinds.Scores()]
Relevance = Annotated[Rows, kinds.NonNegative()]
Group = Annotated[NDArray[np.int64], kinds.Group()]

BinaryScores = Annotated[Rows, scores.BinaryScores()]
Logits = Annotated[Rows, scores.BinaryScores(fixed="logits")]
SoftBinary = Annotated[Rows, targets.BinaryTarget(soft=True)]
HardBinary = Annotated[Rows, targets.BinaryTarget()]
ClassScores = Annotated[NDArray[Any], scores.ClassScores()]
ClassLogProbs = Annotated[NDArray[Any], scores.ClassScores(fixed="log-probs")]
ClassTarget = Annotated[NDArray[Any], targets.ClassTarget(soft=True)]
ClassIndex = Annotated[NDArray[np.int64], targets.ClassTarget()]
Distribution = Annotated[Rows, targets.Distribution()]
SignedTarget = Annotated[Rows, targets.SignedTarget()]
LabelsOrScores = Annotated[NDArray[Any], scores.LabelsOrScores()]
LabelTarget = Annotated[NDArray[np.int64], targets.LabelTarget()]
ProbOfTruth = Annotated[Rows, scores.ProbOfTruth()]
Truth = Annotated[NDArray[np.int64], targets.Truth()]

Decision = Annotated[Rows, margins.Decision()]
DecisionOrClasses = Annotated[Rows, margins.DecisionOrClasses()]
SignedOrClass = Annotated[Rows, margins.SignedOrClass()]
ClassDecisions = Annotated[Rows, margins.ClassDecisions()]
TrueClass = Annotated[NDArray[np.int64], margins.TrueClass()]
LabelScores = Annotated[Rows, margins.LabelScores()]
LabelLogits = Annotated[Rows, margins.LabelLogits()]
LabelSet = Annotated[Rows, margins.LabelSet()]
IndexLists = Annotated[NDArray[np.bool_], margins.IndexLists()]
