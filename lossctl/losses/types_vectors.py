"""Annotations of kernels: pairs of vectors, and what stands beside all rows."""

from __future__ import annotations

from typing import Annotated

from lossctl.losses.types import Rows
from lossctl.model import beside, pairs

Prototypes = Annotated[Rows, beside.Prototypes()]
Parameters = Annotated[Rows, beside.Parameters()]
Bias = Annotated[Rows | None, beside.Bias()]
Clusters = Annotated[dict[str, Rows], beside.Layers()]
PairSign = Annotated[Rows, pairs.PairSign()]
PairLabel = Annotated[Rows, pairs.PairLabel()]
Distance = Annotated[Rows, pairs.Distance()]
Centers = Annotated[Rows, beside.Centers()]
