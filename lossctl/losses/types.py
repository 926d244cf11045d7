"""Annotations that kernels use: an array, and the kind that says what it must be."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.model import kinds, orders, reals

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
NonNegative = Annotated[Rows | None, kinds.NonNegative()]
