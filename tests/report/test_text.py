"""Numbers and strings for people."""

import math
import sys
import unicodedata

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.report.text import chunked, escape, full, nonfinite, number, product, value_text

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\tb", r"a\tb"),
        ("a\nb\r", r"a\nb\r"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x00\x07\x7f\x9b", r"\x00\x07\x7f\x9b"),
        ("\u202eevil", r"\u202eevil"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\udcff", r"\udcff"),
        ("naïve 東京 [red] 👩‍🚀", "naïve 東京 [red] 👩‍🚀"),
        ("", ""),
    ],
)
def test_escape(raw: str, shown: str) -> None:
    assert escape(raw) == shown


def test_escape_leaves_no_control_of_any_kind() -> None:
    every = "".join(map(chr, [*range(0x300), *range(0x2000, 0x2070)]))
    left = escape(every)
    assert not [c for c in left if unicodedata.category(c) in {"Cc", "Zl", "Zp", "Cs"}]
    assert not set(BIDI) & set(left)


@given(st.text(st.characters(codec=None, exclude_categories=[])))
def test_escaped_text_is_one_encodable_line(raw: str) -> None:
    shown = escape(raw)
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")
    assert escape(raw, "ascii").isascii()


def test_escape_for_a_narrow_encoding() -> None:
    assert escape("ü东", "ascii") == r"\xfc\u4e1c"
    assert escape("ü东", "latin-1") == "ü" + r"\u4e1c"


@given(st.floats())
def test_full_reads_back(value: float) -> None:
    back = float(full(value))
    assert back == value or (math.isnan(back) and math.isnan(value))


def test_full_of_a_subclass_of_float_is_bare() -> None:
    class Loud(float):
        def __repr__(self) -> str:
            return "Loud()"

    assert full(Loud(0.5)) == "0.5"
    assert full(None) == ""
    assert full(3) == "3.0"


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (0.1375119, 6, "0.137512"),
        (0.1375119, 3, "0.138"),
        (123456789.0, 6, "1.23457e+08"),
        (442.0, 6, "442"),
        (-0.0, 6, "0"),
        (math.inf, 6, "inf"),
        (-math.inf, 6, "-inf"),
        (math.nan, 6, "nan"),
        (None, 6, ""),
    ],
)
def test_number(value: float | None, digits: int, shown: str) -> None:
    assert number(value, digits) == shown


@pytest.mark.parametrize(("value", "kind"), [(0.5, None), (None, None), (math.inf, "inf"), (-math.inf, "-inf")])
def test_nonfinite(value: float | None, kind: str | None) -> None:
    assert nonfinite(value) == kind
    assert nonfinite(math.nan) == "nan"


@pytest.mark.parametrize("log_value", [-745.2, -6932.0, -23025.850929940457, -123456.789, -1e7])
def test_product_far_below_the_float_range(log_value: float) -> None:
    with mpmath.workdps(40):
        true = mpmath.exp(mpmath.mpf(log_value))
        assert abs(mpmath.mpf(product(log_value)) / true - 1) < 5.1e-6
        assert abs(mpmath.mpf(product(log_value, 3)) / true - 1) < 5.1e-3
    assert len(product(log_value, 3).split("e")[0]) <= 4


def test_product_has_no_more_digits_than_its_logarithm() -> None:
    mantissa, exponent = product(-1e12).split("e-")
    assert len(mantissa.replace(".", "")) <= 3  # one ulp of -1e12 is 1.2e-4
    assert exponent == "434294481904"
    assert sys.float_info.min_10_exp > -int(exponent)


def test_value_text(make) -> None:
    underflow = make.result(0.0, log_value=-6932.0)
    assert value_text(underflow) == "2.95564e-3011"
    assert value_text(underflow, 2) == "3e-3011"
    assert value_text(make.result(0.0, log_value=-math.inf)) == "0.0"  # a true zero
    assert value_text(make.result(0.0)) == "0.0"
    assert value_text(make.result(0.1375119, log_value=-1.98), 3) == "0.138"
    assert value_text(make.result(0.1375119)) == "0.1375119"
    assert value_text(make.result(None)) == ""


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_chunked_keeps_the_text(count: int) -> None:
    parts = [f"{i}\n" for i in range(count)]
    chunks = list(chunked(iter(parts), 3))
    assert "".join(chunks) == "".join(parts)
    assert len(chunks) == -(-count // 3)
