"""Parameters: what they may be, how they are read, how they print, and how a kernel declares them."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.errors import UsageError
from lossctl.model.params import Param, When, annotated_params, complete, number_text, value_text


def param(annotation: Any, default: Any, **rules: Any) -> Param:
    return complete(Param("a thing", **rules), "thing", annotation, default)


FLOAT = param(float, 1.0)
POSITIVE = param(float, 1.0, gt=0)
SHARE = param(float, 0.5, ge=0, le=1)
INT = param(int | None, None, ge=1)
FLAG = param(bool, False)
WORD = param(str, "a", choices=("a", "b"))
MIXED = param(float | str, "auto", gt=0, lt=0.5, choices=("auto", "none"))
LIST = param(tuple[float, ...] | None, None, ge=0)
GAP = param(float, 0.0, outside=(0, 1))
EITHER = param(float | tuple[float, ...], 0.5, gt=0, lt=1)
ENDLESS = param(float, 1.0, infinite=True)


@pytest.mark.parametrize(
    ("one", "text", "value"),
    [
        (FLOAT, "2", 2.0),
        (FLOAT, " -1e-3 ", -0.001),
        (SHARE, "0", 0.0),
        (SHARE, "1", 1.0),
        (INT, "3", 3),
        (INT, "none", None),
        (INT, "None", None),
        (FLAG, "true", True),
        (FLAG, "False", False),
        (WORD, "b", "b"),
        (MIXED, "auto", "auto"),
        (MIXED, "none", "none"),
        (MIXED, "0.25", 0.25),
        (LIST, "1,2,0.5", (1.0, 2.0, 0.5)),
        (LIST, "4", (4.0,)),
        (LIST, "none", None),
        (GAP, "1", 1.0),
        (GAP, "-0.5", -0.5),
        (ENDLESS, "inf", math.inf),
        (ENDLESS, "-inf", -math.inf),
        (ENDLESS, "2", 2.0),
        (EITHER, "0.25", 0.25),
        (EITHER, "0.25,0.75", (0.25, 0.75)),
    ],
)
def test_parse(one, text, value):
    found = one.parse(text)
    assert found == value
    assert type(found) is type(value)


def test_lists_in_colon_syntax():
    assert LIST.parse("1/2/0.5", separator="/") == (1.0, 2.0, 0.5)
    with pytest.raises(UsageError):
        LIST.parse("1,2", separator="/")


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (FLOAT, "x"),
        (FLOAT, ""),
        (FLOAT, "nan"),
        (FLOAT, "inf"),
        (FLOAT, "none"),
        (FLOAT, "true"),
        (FLOAT, "1,2"),
        (POSITIVE, "0"),
        (POSITIVE, "-1"),
        (SHARE, "1.0001"),
        (SHARE, "-0.0001"),
        (INT, "0"),
        (INT, "1.5"),
        (INT, "2.0"),
        (FLAG, "1"),
        (FLAG, "yes"),
        (FLAG, ""),
        (WORD, "c"),
        (WORD, "A"),
        (WORD, "1"),
        (MIXED, "0.5"),
        (MIXED, "0"),
        (MIXED, "Auto"),
        (LIST, "1,,2"),
        (LIST, "1,-2"),
        (LIST, "1,nan"),
        (LIST, ""),
        (GAP, "0.5"),
        (GAP, "5e-324"),
        (EITHER, "0.5,1"),
        (EITHER, "1"),
        (EITHER, "none"),
    ],
)
def test_refused_texts(one, text):
    """With the parameter, what was typed, what is allowed, and the default."""
    with pytest.raises(UsageError, match="thing") as caught:
        one.parse(text)
    assert (caught.value.exit, caught.value.code) == (2, "bad-parameter")
    assert one.phrase() in caught.value.message
    assert "default" in caught.value.hint


@pytest.mark.parametrize("text", ["1_0", "0.1_5"])
def test_numbers_are_written_as_people_write_them(text):
    """``1_0`` is how Python's own source spells ten, and nobody else."""
    for one in (FLOAT, INT):
        with pytest.raises(UsageError):
            one.parse(text)


@pytest.mark.parametrize(
    ("one", "given_value", "value"),
    [
        (FLOAT, 2, 2.0),
        (FLOAT, np.float32(0.5), 0.5),
        (FLOAT, np.int64(3), 3.0),
        (FLOAT, np.array(2.0), 2.0),
        (INT, 2.0, 2),
        (INT, np.int8(4), 4),
        (INT, None, None),
        (FLAG, True, True),
        (FLAG, np.True_, True),
        (LIST, [1, 2], (1.0, 2.0)),
        (LIST, np.array([1.0, 2.0]), (1.0, 2.0)),
        (LIST, 3, (3.0,)),
        (EITHER, [0.25, 0.5], (0.25, 0.5)),
        (WORD, "b", "b"),
    ],
)
def test_values_from_python(one, given_value, value):
    found = one.check(given_value)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("one", "wrong"),
    [
        (FLOAT, "1.0"),
        (FLOAT, None),
        (FLOAT, True),
        (FLOAT, [1.0]),
        (FLOAT, 1j),
        (FLOAT, object()),
        (INT, 1.5),
        (INT, True),
        (FLAG, 1),
        (FLAG, None),
        (FLAG, "true"),
        (WORD, 1),
        (WORD, None),
        (WORD, ["a"]),
        (LIST, []),
        (LIST, "1,2"),
        (LIST, ["a"]),
        (LIST, [[1.0]]),
        (LIST, [None]),
        (LIST, [1.0, math.inf]),
        (MIXED, 0.5),
        (MIXED, math.nan),
        (ENDLESS, math.nan),
        (FLOAT, math.inf),
    ],
)
def test_wrong_values_from_python(one, wrong):
    with pytest.raises(UsageError) as caught:
        one.check(wrong)
    assert (caught.value.exit, caught.value.code) == (2, "bad-parameter")


@pytest.mark.parametrize(
    ("one", "phrase"),
    [
        (FLOAT, "number"),
        (POSITIVE, "number > 0"),
        (SHARE, "number >= 0 and <= 1"),
        (INT, "whole number >= 1 | none"),
        (FLAG, "true | false"),
        (WORD, "a | b"),
        (MIXED, "auto | none | number > 0 and < 0.5"),
        (LIST, "list of numbers >= 0 | none"),
        (GAP, "number <= 0 or >= 1"),
        (param(float, 2.0, ge=0, outside=(1, 1.5)), "number >= 0 and (<= 1 or >= 1.5)"),
        (ENDLESS, "number | inf | -inf"),
        (EITHER, "number > 0 and < 1 | list of numbers > 0 and < 1"),
    ],
)
def test_phrases(one, phrase):
    assert one.phrase() == phrase


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        (False, "false"),
        (1.0, "1.0"),
        (1, "1"),
        (-0.0, "0.0"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        ((0.1, 2), "0.1,2.0"),
        ("auto", "auto"),
    ],
)
def test_texts(value, text):
    assert value_text(value) == text


def test_texts_in_colon_syntax():
    assert value_text((0.1, 0.9), "/") == "0.1/0.9"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back(number):
    assert FLOAT.parse(value_text(number)) == number
    assert float(number_text(number)) == number


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=5), st.sampled_from(",/"))
def test_lists_come_back(numbers, separator):
    value = LIST.check(numbers)
    assert LIST.parse(value_text(value, separator), separator=separator) == value


def test_a_list_of_one_comes_back():
    """Where a number is allowed too, a list of one number is told from that number."""
    value = EITHER.check([0.25])
    assert EITHER.parse(value_text(value)) == value


def test_number_text():
    assert [number_text(x) for x in (1.0, -3.0, 0.5, 1e20, 0.0)] == ["1", "-3", "0.5", "1e+20", "0"]


@pytest.mark.parametrize("one", [FLOAT, POSITIVE, SHARE, INT, FLAG, WORD, MIXED, LIST, EITHER, GAP])
def test_bad_examples_are_bad(one):
    bad = list(one.spoil())
    assert bad
    for value in bad:
        with pytest.raises(UsageError):
            one.check(value)


def test_bounds_are_covered_by_bad_examples():
    assert {0.0} <= {v for v in POSITIVE.spoil() if v == v}
    assert {-1.0, 2.0} <= {v for v in SHARE.spoil() if v == v}
    assert {0.5} <= {v for v in GAP.spoil() if v == v}
    assert {0.0, 0.5, "no-such-choice"} <= {v for v in MIXED.spoil() if v == v}


def test_options():
    assert param(float, 1.0)._replace(name="pos_weight").option == "--pos-weight"
    assert param(float, 1.0)._replace(name="lam").option == "--lambda"


# Declarations.


def test_annotations_are_read_in_order():
    def kernel(
        pred: float,
        *,
        b: Annotated[float, Param("bee", gt=0, when=When("c", ("x",), 2.0))] = 1.0,
        c: Annotated[str, Param("sea", choices=("x", "y"))] = "x",
        a: Annotated[tuple[float, ...] | None, Param("ay")] = None,
    ) -> float:
        return pred

    found = annotated_params(kernel)
    assert list(found) == ["b", "c", "a"]
    assert [p.name for p in found.values()] == ["b", "c", "a"]
    assert [sorted(p.types) for p in found.values()] == [["float"], ["str"], ["list", "none"]]
    assert [p.default for p in found.values()] == [1.0, "x", None]
    assert found["b"].when == When("c", ("x",), 2.0)


def test_a_parameter_needs_a_note_and_a_default():
    def bare(pred: float, *, delta: float = 1.0) -> float:
        return pred

    def open_ended(pred: float, *, delta: Annotated[float, Param("d")]) -> float:
        return pred

    for kernel in (bare, open_ended):
        with pytest.raises(TypeError, match="delta"):
            annotated_params(kernel)


def test_a_default_outside_its_range_is_no_declaration():
    with pytest.raises(UsageError):
        param(float, -1.0, gt=0)
    with pytest.raises(UsageError):
        param(str, "c", choices=("a", "b"))


def test_types_that_no_option_can_be():
    with pytest.raises(TypeError):
        param(dict, {})
