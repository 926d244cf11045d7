"""Annotations of kernels: masks and boxes."""

from __future__ import annotations

from typing import Annotated

from lossctl.losses.types import Rows
from lossctl.model import boxes, masks

Box = Annotated[Rows, boxes.Boxes()]
Masks = Annotated[Rows, masks.MaskScores()]
MaskLogits = Annotated[Rows, masks.MaskScores(fixed="logits")]
Images = Annotated[Rows, masks.ImageScores()]
TrueMasks = Annotated[Rows, masks.MaskTarget()]
HardMasks = Annotated[Rows, masks.MaskTarget(hard=True)]
TrueImages = Annotated[Rows, masks.ImageTarget()]
