"""Annotations of kernels: log-probabilities of responses, and sides that no row pairs."""

from __future__ import annotations

from typing import Annotated

from lossctl.losses.types import Rows
from lossctl.model import preferences, sides

LogProb = Annotated[Rows, preferences.LogProb()]
MeanLogProb = Annotated[Rows, preferences.MeanLogProb()]
Desirable = Annotated[Rows, preferences.Desirable()]
TokenCount = Annotated[Rows | None, preferences.TokenCount()]
RealSide = Annotated[Rows | None, sides.Side()]
FakeSide = Annotated[Rows, sides.Side()]
