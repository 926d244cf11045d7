"""Kinds of numbers on a part of the line, and one-hot outcomes: what is refused, and in which words."""

from __future__ import annotations

import numpy as np
import pytest

from lossctl import losses
from lossctl.errors import DataError, UsageError
from lossctl.model.call import LossCall
from lossctl.model.domains import Domain, HalfLine
from lossctl.model.kinds import Sizes
from lossctl.model.laws import NONNEGATIVE, SYMMETRIC, ZERO_AT_TARGET
from lossctl.model.registry import get
from lossctl.model.targets import OneHotTruth

COUNT = Domain("a count", "is not a count (>= 0)", hint="counted wrong?")
AMOUNT = Domain("an amount", "is not an amount (> 0)", zero=False)
LINES = {"any": None, "count": COUNT, "amount": AMOUNT}
BY_WORD = HalfLine(lambda word: LINES[str(word)], by="word", phrase="depends")


def broken(kind, values, params=None, classes=None):
    """Code -> rows, for the rules that some rows break."""
    found = kind.check(np.array(values, float), params or {}, classes)
    return {rule.code: np.flatnonzero(rows).tolist() for rule, rows, _ in found if rows.any()}


@pytest.mark.parametrize(
    ("kind", "params", "expected"),
    [
        (HalfLine(COUNT), {}, {"negative": [0, 3]}),
        (HalfLine(AMOUNT), {}, {"not-positive": [0, 1, 3]}),
        (BY_WORD, {"word": "any"}, {}),
        (BY_WORD, {"word": "count"}, {"negative": [0, 3]}),
        (BY_WORD, {"word": "amount"}, {"not-positive": [0, 1, 3]}),
    ],
)
def test_what_is_outside(kind, params, expected):
    assert broken(kind, [-1.0, 0.0, 5e-324, -5e-324, 1e300], params) == expected
    assert broken(kind, [[1.0, -1.0], [2.0, 3.0], [-2.0, 3.0]], params) == {code: [0, 2] for code in expected}


def test_phrases():
    assert HalfLine(COUNT).describe({}) == "a count"
    assert BY_WORD.describe({}) == BY_WORD.phrase == "depends"
    assert BY_WORD.describe({"word": "amount"}) == "an amount"
    assert BY_WORD.describe({"word": "any"}) == "a finite number"
    assert [i.kind.describe(get("gamma-deviance").fixed) for i in get("gamma-deviance").spec.inputs] == [
        "a number > 0",
        "a number > 0",
    ]


@pytest.mark.parametrize("word", LINES)
def test_samples_are_inside_and_spoils_are_not(word):
    params = {"word": word}
    sample = BY_WORD.sample(np.random.default_rng(3), Sizes(200), params)
    assert broken(BY_WORD, sample, params) == {}
    assert ((sample < 0).any(), (sample == 0).any()) == (word == "any", False)
    for code, bad in BY_WORD.spoil(sample, params):
        assert code == "nan" or code in broken(BY_WORD, bad, params)
    codes = {code for code, _ in BY_WORD.spoil(sample, params)}
    assert codes == {"nan", *([LINES[word].code] if LINES[word] else [])}


def test_sparse_samples_hold_zeros_where_zero_is_inside():
    rng, sizes = np.random.default_rng(3), Sizes(200)
    assert (HalfLine(COUNT, sparse=True).sample(rng, sizes, {}) == 0).any()
    assert (HalfLine(AMOUNT, sparse=True).sample(rng, sizes, {}) > 0).all()


@pytest.mark.parametrize(
    ("power", "pred", "target", "message"),
    [
        (0, -1.0, -1.0, None),
        (-1.5, 1.0, -1.0, None),
        (-1.5, 0.0, 1.0, "pred = 0.0 is not > 0"),
        (1, 1.0, 0.0, None),
        (1, 0.0, 1.0, "pred = 0.0 is not > 0"),
        (1, 1.0, -0.5, "target = -0.5 is not >= 0"),
        (1.99, 1.0, 0.0, None),
        (2, 1.0, 0.0, "target = 0.0 is not > 0"),
        (3, 1.0, -2.0, "target = -2.0 is not > 0"),
        (3, -1.0, 2.0, "pred = -1.0 is not > 0"),
    ],
)
def test_domains_of_powers(power, pred, target, message):
    """As scikit-learn has them."""
    if message is None:
        assert losses.tweedie_deviance([pred], [target], power=power)[0] >= 0
        return
    with pytest.raises(DataError) as caught:
        losses.tweedie_deviance([pred], [target], power=power)
    assert message in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("power", [0.5, 1e-9, 1 - 1e-9])
def test_there_is_no_tweedie_between_0_and_1(power):
    with pytest.raises(UsageError, match="<= 0 or >= 1"):
        losses.tweedie_deviance([1.0], [1.0], power=power)


def test_a_variance_is_no_standard_deviation():
    with pytest.raises(DataError) as caught:
        losses.gaussian_nll([0.0, 0.0], [0.0, 0.0], [1.0, -2.0])
    assert "var = -2.0 is not a variance" in caught.value.message
    assert "standard deviations" in caught.value.hint
    assert "log-variances" in caught.value.hint
    assert caught.value.row == 2


def test_rates_and_log_rates():
    assert losses.poisson_nll([-3.0], [1.0])[0] == pytest.approx(3 + np.exp(-3))
    with pytest.raises(DataError, match="is not a rate") as caught:
        losses.poisson_nll([-3.0], [1.0], log_input=False)
    assert "log-rates" in caught.value.hint


def test_parameters_that_hang_on_a_switch():
    """``full`` and ``log_input`` are true or false; what they switch off stands at rest."""
    call = LossCall.parse("poisson-nll:log-input=false:full:stirling=exact:eps=0.5")
    call.refuse_idle()
    assert call.params == {"log_input": False, "full": True, "stirling": "exact", "eps": 0.5}
    for text, said in (
        ("poisson-nll:eps=0.5", "eps acts only with log_input=false, and log_input is true"),
        ("poisson-nll:stirling=exact", "stirling acts only with full=true, and full is false"),
    ):
        idle = LossCall.parse(text)
        assert (idle.params["eps"], idle.params["stirling"]) == (0.0, "torch")
        with pytest.raises(UsageError) as caught:
            idle.refuse_idle()
        assert said in caught.value.message


# One-hot outcomes.


def test_one_hot_rows():
    rows = [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0], [0.5, 0.5, 0], [0, 0, 2]]
    found = [(rule.text, np.flatnonzero(bad).tolist()) for rule, bad, _ in OneHotTruth().check(np.array(rows), {}, 3)]
    assert [rows for _, rows in found] == [[4, 5], [2, 3, 5]]
    assert broken(OneHotTruth(), [0, 2, 3], {}, 3) == {"unknown-class": [2]}
    assert OneHotTruth().canonical(np.array([1.0]), {}).dtype == np.int64
    assert OneHotTruth().canonical(np.array([[1, 0]]), {}).dtype == np.float64


def test_one_hot_samples_and_spoils():
    kind = OneHotTruth()
    sample = kind.sample(np.random.default_rng(0), Sizes(20, 3, 3), {})
    assert sample.shape == (20, 3)
    assert broken(kind, sample, {}, 3) == {}
    for code, bad in kind.spoil(sample, {}):
        assert code == "nan" or code in broken(kind, bad, {}, 3)


@pytest.mark.parametrize(
    ("target", "code"),
    [([[0.5, 0.5], [0.0, 1.0]], "not-one-hot"), ([[1, 1], [0, 1]], "not-one-hot"), ([0, 2], "unknown-class")],
)
def test_brier_of_what_did_not_happen(target, code):
    with pytest.raises(DataError) as caught:
        losses.brier([[0.5, 0.5], [0.25, 0.75]], target)
    assert (caught.value.code, caught.value.exit) == (code, 3)


def test_brier_of_shapes_that_differ():
    with pytest.raises(DataError, match="shapes differ"):
        losses.brier([[0.5, 0.5]], [[0, 1, 0]])
    with pytest.raises(DataError):
        losses.brier([0.5], [[0, 1]])


# Laws.


def test_laws_speak_of_numbers_on_one_scale():
    assert ZERO_AT_TARGET.applies(get("tweedie-deviance").spec)
    assert ZERO_AT_TARGET.applies(get("mse").spec)
    for other in ("gaussian-nll", "brier", "js-divergence", "hinge"):
        assert not SYMMETRIC.applies(get(other).spec)
        assert NONNEGATIVE.applies(get(other).spec)
