"""What checks saw: the same in any order and any cut."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.errors import DataError
from lossctl.model.findings import PLACES, Findings, Rule, refuse, shown

BAD = Rule("bad", "is bad", hint="make it good")
ODD = Rule("odd", "is odd", "warning")
FACT = Rule("seen", "", "fact")
N = 30


def seen(values, rows, rule=BAD):
    """Findings over some rows: the rule is broken by values above 1."""
    found = Findings()
    found.add("pred", (rule, values[rows] > 1, values[rows]), rows)
    return found


def summary(findings):
    return {
        key: (f.rule.severity, f.count, [(r, repr(v)) for r, v in f.places], f.worst)
        for key, f in sorted(findings.by_rule.items())
    }


@given(st.lists(st.sampled_from([0.0, 2.0, 3.0, -5.0, 7.0]), min_size=1, max_size=N), st.randoms())
def test_any_cut_and_any_order(values, random):
    values = np.array(values)
    rows = np.arange(len(values))
    parts = np.array([random.randrange(4) for _ in values])
    pieces = [seen(values, rows[parts == p]) for p in range(4)]
    random.shuffle(pieces)
    merged = Findings()
    for piece in pieces:
        merged.merge(piece)
    assert summary(merged) == summary(seen(values, rows))


def test_the_first_places_and_the_worst():
    values = np.array([0.0, 2.0, 5.0, 3.0, 5.0, 9.0, 1.0])
    [finding] = seen(values, np.arange(7)).by_rule.values()
    assert finding.count == 5
    assert [row for row, _ in finding.places] == [1, 2, 3]
    assert len(finding.places) == PLACES
    assert finding.worst == (9.0, 5)


def test_of_equal_deviations_the_earlier_row_is_worst():
    values = np.array([2.0, 5.0, 5.0])
    for order in ([0, 1, 2], [2, 1, 0]):
        found = Findings()
        for row in order:
            found.merge(seen(values, np.array([row])))
        assert [f.worst for f in found.of("error")] == [(5.0, 1)]


def test_severities_of_one_code_stay_apart():
    """A warning and an error may have one code; neither may take the other's place, in any order."""
    light, grave = Rule("sum", "is off", "warning"), Rule("sum", "is far off", "error")
    values = np.array([2.0, 3.0])
    for rules in ((light, grave), (grave, light)):
        found = Findings()
        for row, rule in enumerate(rules):
            found.merge(seen(values, np.array([row]), rule))
        assert found.fatal
        assert [(f.rule, f.count) for f in found.of("error")] == [(grave, 1)]
        assert [(f.rule, f.count) for f in found.of("warning")] == [(light, 1)]


def test_nothing_broken_leaves_nothing():
    found = seen(np.zeros(5), np.arange(5))
    assert not found.by_rule
    assert not found.fatal
    assert list(found.of("error")) == []
    assert found.fact("pred", "bad") is None


def test_severity():
    found = Findings()
    for rule in (BAD, ODD, FACT):
        found.add("target", (rule, np.array([True]), np.array([2.0])), np.array([4]))
    assert found.fatal
    assert [f.rule.code for f in found.of("error")] == ["bad"]
    assert [f.rule.code for f in found.of("warning")] == ["odd"]
    assert [f.rule.code for f in found.of("fact")] == ["seen"]
    assert found.fact("target", "seen").places == [(4, 2.0)]
    assert found.fact("target", "odd") is None
    assert not seen(np.full(3, 2.0), np.arange(3), ODD).fatal


def test_codes_have_no_worst():
    found = Findings()
    found.add("target", (BAD, np.array([True]), np.array(["x"])), np.array([0]))
    assert [f.worst for f in found.of("error")] == [None]


def test_as_an_error():
    values = np.array([2.0, 3.0, 4.0, 5.0, 6.0])
    [finding] = seen(values, np.arange(5)).by_rule.values()
    error = refuse(finding, lambda row: ("f.csv", row), "y", "mse", finding.rule.hint)
    assert isinstance(error, DataError)
    assert error.message == "mse: pred = 2.0 is bad"
    assert (error.code, error.file, error.column, error.row, error.hint) == ("bad", "f.csv", "y", 1, "make it good")
    assert error.details == ("row 2: 3.0; row 3: 4.0; and 2 more rows",)
    assert error.where() == 'f.csv, column "y", row 1'
    assert refuse(finding, None, None, "mse", "do this").hint == "do this"
    assert refuse(finding, None, None, "mse", None).hint is None


@pytest.mark.parametrize(
    ("count", "details"),
    [(1, ()), (2, ("row 2: 2.0",)), (4, ("row 2: 2.0; row 3: 2.0; and 1 more row",))],
)
def test_further_places(count, details):
    [finding] = seen(np.full(count, 2.0), np.arange(count)).by_rule.values()
    assert refuse(finding, None, None, "mse", None).details == details


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(1.5), "1.5"),
        (np.float64(math.nan), "nan"),
        (np.float32(0.5), "0.5"),
        (np.int64(3), "3"),
        ("x", "'x'"),
        (2, "2"),
    ],
)
def test_values_as_short_as_can_be(value, text):
    assert shown(value) == text
