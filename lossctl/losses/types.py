"""Annotations that kernels use: an array, and the kind that says what it must be."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.model import kinds, outcomes

Rows: TypeAlias = NDArray[np.float64]
Ratios: TypeAlias = tuple[Rows, Rows]

Real = Annotated[Rows, kinds.Kind()]
Vector = Annotated[Rows, kinds.Vector()]
Scores = Annotated[Rows, kinds.Scores()]
Relevance = Annotated[Rows, kinds.NonNegative()]
Group = Annotated[NDArray[np.int64], kinds.Group()]

BinaryScores = Annotated[Rows, outcomes.BinaryScores()]
Logits = Annotated[Rows, outcomes.BinaryScores(fixed="logits")]
SoftBinary = Annotated[Rows, outcomes.BinaryTarget(soft=True)]
HardBinary = Annotated[Rows, outcomes.BinaryTarget()]
ClassScores = Annotated[NDArray[Any], outcomes.ClassScores()]
ClassLogProbs = Annotated[NDArray[Any], outcomes.ClassScores(fixed="log-probs")]
ClassTarget = Annotated[NDArray[Any], outcomes.ClassTarget(soft=True)]
ClassIndex = Annotated[NDArray[np.int64], outcomes.ClassTarget()]
Distribution = Annotated[Rows, outcomes.Distribution()]
SignedTarget = Annotated[Rows, outcomes.SignedTarget()]
LabelsOrScores = Annotated[NDArray[Any], outcomes.LabelsOrScores()]
LabelTarget = Annotated[NDArray[np.int64], outcomes.LabelTarget()]
ProbOfTruth = Annotated[Rows, outcomes.ProbOfTruth()]
Truth = Annotated[NDArray[np.int64], outcomes.Truth()]
