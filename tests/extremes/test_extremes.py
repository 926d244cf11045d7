"""Losses where float64 gives out: tiny, huge and nearly equal numbers against mpmath (values.json, by generate.py)."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lossctl
import lossctl.losses
from lossctl.errors import DataError
from lossctl.model.registry import get

SPECIAL = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
SMALLEST = 5e-324  # one step among the subnormal numbers, where nothing is relative any more
TRANSCENDENTAL = {
    "balanced-sigmoid-ce",
    "bce",
    "bce-with-logits",
    "brier",
    "cross-entropy",
    "gamma-deviance",
    "gaussian-nll",
    "generalized-kl",
    "huber",
    "js-divergence",
    "kl-div",
    "likelihood",
    "log-cosh",
    "ndcg-loss",
    "nll",
    "poisson-deviance",
    "poisson-nll",
    "r2",
    "rmse",
    "smooth-l1",
    "triplet-margin",
    "tweedie-deviance",
}


def decoded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: decoded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decoded(item) for item in value]
    return SPECIAL.get(value, value) if isinstance(value, str) else value


STORED = json.loads(Path(__file__).with_name("values.json").read_text(encoding="utf-8"))
INPUTS = {name: {role: np.array(decoded(a)) for role, a in arrays.items()} for name, arrays in STORED["inputs"].items()}
WORDS = {"clip", "distance", "gain", "input", "labels", "multioutput", "reduction", "stirling"}


def case_of(stored: dict[str, Any]) -> dict[str, Any]:
    words = {key: stored["params"][key] for key in WORDS & stored["params"].keys()}
    return {**decoded({k: v for k, v in stored.items() if k != "inputs"}), "inputs": stored["inputs"], "words": words}


CASES = [case_of(stored) for stored in STORED["cases"]]


def named(case: dict[str, Any]) -> str:
    said = [f"{key}={value}" for key, value in case["params"].items()]
    asked = ["weighted" if key == "weight" else f"{key}={value}" for key, value in case["options"].items()]
    return "/".join([case["loss"], case["inputs"], *said, *asked])


def inputs_of(case: dict[str, Any]) -> list[Any]:
    return [INPUTS[case["inputs"]][role] for role in get(case["loss"]).spec.roles]


def off(found: float, expected: float, relative: float, absolute: float) -> float:
    """By how much the difference is beyond what is allowed; 0 where it is within."""
    if found == expected:
        return 0.0
    if not (math.isfinite(found) and math.isfinite(expected)):
        return math.inf
    # Half a step of the float64 that the true value was rounded to is not lossctl's error.
    allowed = max(relative * abs(expected) + 0.5 * math.ulp(expected), absolute, SMALLEST)
    return max(0.0, abs(found - expected) - allowed)


@pytest.mark.parametrize("case", [pytest.param(c, id=named(c)) for c in CASES if c["rows"] is not None])
def test_rows(case: dict[str, Any]) -> None:
    rows = getattr(lossctl.losses, case["loss"].replace("-", "_"))(*inputs_of(case), **case["params"])
    assert len(rows) == len(case["rows"])
    wrong = [
        f"row {i + 1}: {float(a)!r}, and it is {b!r} ({abs(a - b) / abs(b) if b else math.inf:.1e} off)"
        for i, (a, b) in enumerate(zip(rows, case["rows"], strict=True))
        if off(float(a), b, case["rows_tolerance"], case["absolute"])
    ]
    assert not wrong, f"{case['why']}: {len(wrong)} rows\n" + "\n".join(wrong[:6])


@pytest.mark.parametrize("case", [pytest.param(c, id=named(c)) for c in CASES if c["value"] is not None])
def test_values(case: dict[str, Any]) -> None:
    result = lossctl.compute(case["loss"], *inputs_of(case), **case["params"], **case["options"]).results[0]
    assert not off(result.value, case["value"], case["value_tolerance"], case["absolute"]), (
        f"{case['why']}: {result.value!r}, and it is {case['value']!r}"
    )
    if case["log_value"] is not None:
        # Every logarithm is right to an ulp or two, and their sum is exact.
        assert not off(result.log_value, case["log_value"], 4e-16, 0.0)


def test_every_loss_with_digits_to_lose_is_here() -> None:
    assert {case["loss"] for case in CASES} >= TRANSCENDENTAL


@pytest.mark.parametrize("loss", ["bce", "bce-with-logits", "balanced-sigmoid-ce"])
def test_a_logit_of_minus_infinity_is_certain(loss: str) -> None:
    params = {"bce": {"input": "logits"}, "balanced-sigmoid-ce": {"beta": 0.5}}.get(loss, {})
    rows = getattr(lossctl.losses, loss.replace("-", "_"))([-math.inf] * 2, [0.0, 1.0], **params)
    assert rows.tolist() == [0.0, math.inf]
    assert lossctl.compute(loss, [-math.inf] * 2, [0.0, 1.0], **params).value == math.inf
    assert lossctl.compute(loss, [-math.inf] * 2, [0.0, 1.0], weight=[1.0, 0.0], **params).value == 0.0


@pytest.mark.parametrize("loss", ["bce", "bce-with-logits", "balanced-sigmoid-ce"])
@pytest.mark.parametrize("logit", [math.inf, math.nan])
def test_no_other_logit_is_infinite(loss: str, logit: float) -> None:
    params = {"input": "logits"} if loss == "bce" else {}
    with pytest.raises(DataError) as error:
        lossctl.compute(loss, [logit, 1.0], [1.0, 0.0], **params)
    assert error.value.code == "nan"


def test_soft_targets_at_minus_infinity_are_infinite() -> None:
    rows = lossctl.losses.bce_with_logits([-math.inf] * 3, [1e-300, 0.3, 1.0], pos_weight=2.0)
    assert rows.tolist() == [math.inf] * 3


@pytest.mark.parametrize("size", range(1, 40))
def test_a_list_in_the_best_order_costs_nothing(size: int) -> None:
    # All scores tied and all items alike: every order is the best one. Sums of ``size`` numbers may differ by as many
    # roundings, but must not push the loss below zero.
    row = lossctl.losses.ndcg_loss([0.5] * size, [1.0] * size, [1] * size)[0]
    assert 0.0 <= row <= size * 2.0**-53


@pytest.mark.parametrize(
    ("loss", "target", "params"),
    [
        ("cross-entropy", [0, 1, 2], {}),
        ("cross-entropy", [[0.5, 0.25, 0.25]] * 3, {"label_smoothing": 0.1}),
        ("kl-div", [[0.5, 0.25, 0.25]] * 3, {"input": "logits"}),
    ],
)
@pytest.mark.parametrize("shift", [2.0**10, -(2.0**20), 2.0**40])
def test_shifting_logits_changes_nothing(loss: str, target: Any, params: dict[str, Any], shift: float) -> None:
    # These sums are exact, and the losses depend on differences of logits only.
    logits = np.array([[0.5, -1.25, 2.0], [0.0, 0.0, 0.0], [3.0, 2.75, -4.0]])
    function = getattr(lossctl.losses, loss.replace("-", "_"))
    plain = function(logits, target, **params)
    np.testing.assert_allclose(function(logits + shift, target, **params), plain, rtol=1e-15)
