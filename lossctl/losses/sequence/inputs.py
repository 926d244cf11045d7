"""Annotations that kernels of sequences use beside those of ``losses.types``."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.model import lattices, sequences, texts, tokens
from lossctl.sequences.ragged import Ragged

__all__ = [
    "Amount",
    "Count",
    "Emissions",
    "EvenText",
    "FrameScores",
    "LabelSequence",
    "Lattice",
    "PredLengths",
    "ReferenceText",
    "Series",
    "SharedLengths",
    "StepScores",
    "Tags",
    "TargetLengths",
    "Terms",
    "Text",
    "TextScores",
    "TokenIds",
    "TokenScores",
    "Transcript",
    "Transitions",
]

Terms: TypeAlias = dict[str, NDArray[np.float64]]

Text = Annotated[Ragged, texts.Units("char")]
EvenText = Annotated[Ragged, texts.EvenUnits("char")]
Transcript = Annotated[Ragged, texts.Units("word")]
ReferenceText = Annotated[Ragged, texts.Reference("word")]

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
