"""Laws a loss may obey. Each can be observed, so a declaration can be held against the facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossctl.model.spec import LossSpec

__all__ = ["ALL", "NONNEGATIVE", "SHIFT_INVARIANT", "SYMMETRIC", "ZERO_AT_TARGET", "Law"]

Values = Callable[[Mapping[str, Any]], "NDArray[np.float64]"]


class Law(NamedTuple):
    """``holds(values, arrays)``: ``values`` maps input arrays to row values; ``arrays`` is a sample."""

    name: str
    phrase: str
    needs: str  # "any": every loss; "real": pred and target are numbers on one scale, and there is nothing else
    holds: Callable[[Values, Mapping[str, Any]], bool]

    def applies(self, spec: LossSpec) -> bool:
        if self.needs == "any":
            return True
        kinds = {i.kind.name for i in spec.inputs}
        return spec.roles == ("pred", "target") and kinds in ({"real"}, {"half-line"})

    def __hash__(self) -> int:
        return hash(self.name)


def _close(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True))


def _nonnegative(values: Values, arrays: Mapping[str, Any]) -> bool:
    return bool(np.all(values(arrays) >= 0))


def _zero(values: Values, arrays: Mapping[str, Any]) -> bool:
    return _close(values({**arrays, "pred": arrays["target"]}), np.zeros(()))


def _symmetric(values: Values, arrays: Mapping[str, Any]) -> bool:
    swapped = {**arrays, "pred": arrays["target"], "target": arrays["pred"]}
    return _close(values(arrays), values(swapped))


def _shift(values: Values, arrays: Mapping[str, Any]) -> bool:
    moved = {**arrays, "pred": arrays["pred"] + 3.0, "target": arrays["target"] + 3.0}
    return _close(values(arrays), values(moved))


NONNEGATIVE = Law("nonnegative", "never below zero", "any", _nonnegative)
ZERO_AT_TARGET = Law("zero-at-target", "zero where the prediction is the target", "real", _zero)
SYMMETRIC = Law("symmetric", "the same with prediction and target swapped", "real", _symmetric)
SHIFT_INVARIANT = Law("shift-invariant", "the same when both are shifted alike", "real", _shift)

ALL = (NONNEGATIVE, ZERO_AT_TARGET, SYMMETRIC, SHIFT_INVARIANT)
