"""Annotations that kernels of sequences use beside those of ``losses.types``."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.model import lattices, sequences, tokens
from lossctl.sequences.ragged import Ragged

__all__ = [
    "Amount",
    "Count",
    "Emissions",
    "FrameScores",
    "LabelSequence",
    "Lattice",
    "PredLengths",
    "Series",
    "SharedLengths",
    "StepScores",
    "Tags",
    "TargetLengths",
    "Terms",
    "TextScores",
    "TokenIds",
    "TokenScores",
    "Transitions",
]

Terms: TypeAlias = dict[str, NDArray[np.float64]]

Series = Annotated[Ragged, sequences.Series()]
FrameScores = Annotated[Ragged, sequences.Frames()]
LabelSequence = Annotated[Ragged, sequences.Labels()]
PredLengths = Annotated[None, sequences.Lengths("pred")]
TargetLengths = Annotated[None, sequences.Lengths("target")]
SharedLengths = Annotated[None, sequences.Lengths("pred", "target")]

Lattice = Annotated[Ragged, lattices.Lattice("logits")]
Emissions = Annotated[Ragged, lattices.Emissions()]
Tags = Annotated[Ragged, lattices.Tags()]
Transitions = Annotated[NDArray[np.float64], lattices.Transitions()]
StepScores = Annotated[NDArray[np.float64] | None, lattices.StepScores()]

TextScores = Annotated[Ragged, tokens.TextScores()]
TokenScores = Annotated[Ragged, tokens.TokenScores()]
TokenIds = Annotated[Ragged | None, tokens.TokenIds()]
Amount = Annotated[Ragged | None, tokens.Amount()]
Count = Annotated[NDArray[np.float64] | None, tokens.Count()]
