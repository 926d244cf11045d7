"""Margins that are tiny, huge, or nearly what is asked for, against mpmath: each row to the last digits."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

import lossctl
import lossctl.losses

mpmath.mp.dps = 60
M = mpmath.mpf
SCORES = [0.0, 1e-300, 1e-20, 1e-8, 0.1, 1.0, 17.0, 36.7, 37.5, 100.0, 700.0, 708.3, 744.0, 1e5, 1e15, 1e300]
MARGINS = np.array([*SCORES, *(-s for s in SCORES)])
SMALLEST = 5e-324


def nearest(number: Any) -> float:
    return math.inf if abs(number) > M(2) ** 1024 else float(number)


def agree(found: Any, expected: Any, relative: float) -> None:
    """Relative to the true value, beyond the half step that any float is off; subnormal ones to the step."""
    for at, (value, true) in enumerate(zip(np.ravel(found), expected, strict=True)):
        ideal = nearest(true)
        allowed = 0.0 if math.isinf(ideal) else max(relative * abs(ideal), SMALLEST)
        assert value == ideal or abs(float(value) - ideal) <= allowed, f"row {at + 1}: {value!r}, and it is {ideal!r}"


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("loss", "formula"),
    [
        ("soft-margin", lambda m: mpmath.log1p(mpmath.exp(-m))),
        ("exponential", lambda m: mpmath.exp(-m)),
        ("hinge", lambda m: max(M(0), 1 - m)),
        ("squared-hinge", lambda m: max(M(0), 1 - m) ** 2),
        ("perceptron", lambda m: max(M(0), -m)),
    ],
)
def test_losses_of_a_margin(loss: str, formula: Any, sign: int) -> None:
    scores = np.concatenate([MARGINS, 1 - 2.0 ** -np.arange(1, 54), 1 + 2.0 ** -np.arange(1, 53)])
    found = getattr(lossctl.losses, loss.replace("-", "_"))(sign * scores, np.full(len(scores), sign))
    agree(found, [formula(M(float(s))) for s in scores], 5e-16)


@pytest.mark.parametrize("label", [0, 1])
def test_multilabel_soft_margin(label: int) -> None:
    for pair in (MARGINS.reshape(-1, 2), MARGINS.reshape(2, -1).T):
        found = lossctl.losses.multilabel_soft_margin(pair, np.full(pair.shape, label))
        expected = [sum(mpmath.log1p(mpmath.exp(M(float(x)) * (1 - 2 * label))) for x in row) / 2 for row in pair]
        agree(found, expected, 1e-15)


def nearly(shift: float) -> Any:
    """Rows of three scores whose differences are small beside them, exact in float64."""
    steps = np.array([[0.0, 0.5, -0.5], [2.0, 0.0, 1.75], [0.25, 0.25, 0.25], [-3.0, 4.0, 1.0]])
    scale = max(1.0, 4 * abs(shift) * 2.0**-52)
    return shift + scale * steps


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.0**40, -(2.0**50), 2.0**60])
@pytest.mark.parametrize("margin", [0.3, 1.0, 700.0])
def test_leads_that_are_small_beside_the_scores(shift: float, margin: float) -> None:
    scores, target = nearly(shift), [0, 1, 2, 0]
    short = []
    for row, y in zip(scores.tolist(), target, strict=True):
        short.append([max(M(0), M(margin) - (M(row[y]) - M(s))) for j, s in enumerate(row) if j != y])
    worst = [max(row) for row in short]
    agree(lossctl.losses.multiclass_hinge(scores, target, margin=margin), worst, 3e-16)
    agree(lossctl.losses.categorical_hinge(scores, np.eye(3)[target], margin=margin), worst, 3e-16)
    for p in (1.0, 1.5, 2.0):
        powers = [sum(mpmath.power(s, p) for s in row) / 3 for row in short]
        agree(lossctl.losses.multi_margin(scores, target, margin=margin, p=p), powers, 2e-15)


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.0**40, -(2.0**50), 2.0**60])
def test_lists_whose_leads_are_small_beside_the_scores(shift: float) -> None:
    scores, lists = nearly(shift), [[0, -1, -1], [2, 0, -1], [1, 2, -1], [0, 1, 2]]
    expected = []
    for row, entries in zip(scores, lists, strict=True):
        listed = [e for e in entries if e >= 0]
        others = [i for i in range(3) if i not in listed]
        expected.append(sum((max(M(0), 1 - (M(row[j]) - M(row[i]))) for j in listed for i in others), M(0)) / 3)
    agree(lossctl.losses.multilabel_margin(scores, lists), expected, 1e-15)


def test_a_nearly_perfect_ranking_loses_no_digit() -> None:
    """One false label above one of many true ones; 1 - precision would have few digits left."""
    size = 4001
    scores = -np.arange(float(size))[None]
    labels = np.ones((1, size))
    labels[0, -2] = 0.0
    loss = lossctl.losses.lrap_loss(scores, labels)[0]
    assert loss == pytest.approx(1 / size / (size - 1), rel=1e-15, abs=0.0)
    pairs = lossctl.losses.label_ranking_loss(scores, labels)[0]
    assert pairs == 1 / (size - 1)


@pytest.mark.parametrize("loss", ["exponential", "soft-margin", "squared-hinge", "hinge", "perceptron"])
def test_infinite_losses_are_results(loss: str) -> None:
    far = {"exponential": 710.0, "squared-hinge": 1e160}.get(loss)
    if far is None:
        result = lossctl.compute(loss, [-1.7e308, 1.0], [1, 1]).results[0]
        assert math.isfinite(result.value)
        return
    report = lossctl.compute(loss, [-far, 1.0], [1, 1]).report
    assert report.results[0].value == math.inf
    assert [note.code for note in report.warnings] == ["nonfinite"]
