"""Vectors so long that their scores leave the float range: refused rather than scored as infinite or NaN."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lossctl import vectors
from lossctl.model.findings import Rule, Seen
from lossctl.model.params import Value
from lossctl.model.spec import Arrays

__all__ = ["in_range"]

TOO_LONG = Rule(
    "too-long",
    "is the length of a vector whose scores leave the float range",
    hint="divide the features by a number, or by their lengths",
)


def in_range(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    """Features whose length, times those of prototypes where these keep theirs, stays in the float range."""
    length = vectors.norms(arrays["features"])
    factor = params.get("factor")
    most = np.max(vectors.norms(arrays["prototypes"]), initial=1.0) if factor is None else float(str(factor))
    if not np.isfinite(most):  # what is wrong with the prototypes is said of them
        return []
    return [(TOO_LONG, length > 1e300 / most, length)]
