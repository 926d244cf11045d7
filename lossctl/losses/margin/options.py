"""What several margin losses share: a parameter, and whether shapes fit."""

from __future__ import annotations

from collections.abc import Mapping

from lossctl.model.params import Param, Value
from lossctl.model.spec import Arrays

MARGIN = Param("how far a score must be on the right side to cost nothing", ge=0)
AHEAD = Param("how far the true class must be ahead of another to cost nothing", ge=0)


def signs_fit(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """A label for each score."""
    pred, target = arrays["pred"], arrays["target"]
    if pred.ndim == 2 and target.ndim == 1:
        return "several scores beside one column of targets are classes (multiclass-hinge), and here each has its label"
    return None if pred.shape[1:] == target.shape[1:] else "shapes differ"


def classes_fit(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """A column of targets for each score, where there is more than one, and a weight for each class."""
    scores, weight = arrays["pred"].shape[1], params.get("class_weight")
    if arrays["target"].ndim == 2 and arrays["target"].shape[1] != scores:
        return "the target needs as many columns as there are scores"
    if isinstance(weight, tuple) and len(weight) != scores:
        return f"class_weight has {len(weight)} values for {scores} classes"
    return None
