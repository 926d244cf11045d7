"""Annotations of kernels: labels, scores of classes, sets of labels."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from lossctl.losses.types import Rows
from lossctl.model import classes, margins, scores, sets, targets

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
OneHotTruth = Annotated[NDArray[Any], targets.OneHotTruth()]
Decision = Annotated[Rows, margins.Decision()]
DecisionOrClasses = Annotated[Rows, margins.DecisionOrClasses()]
SignedOrClass = Annotated[Rows, margins.SignedOrClass()]
ClassDecisions = Annotated[Rows, margins.ClassDecisions()]
TrueClass = Annotated[NDArray[np.int64], margins.TrueClass()]
LabelScores = Annotated[Rows, margins.LabelScores()]
LabelLogits = Annotated[Rows, margins.LabelLogits()]
LabelSet = Annotated[Rows, margins.LabelSet()]
IndexLists = Annotated[NDArray[np.bool_], margins.IndexLists()]
Propositions = Annotated[Rows, scores.Propositions()]
