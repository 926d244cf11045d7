"""Numbers and strings as people read them: inert on a terminal, short or in full."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from lossctl.spelling import CONTROLS

if TYPE_CHECKING:
    from lossctl.engine.result import Result

__all__ = ["chunked", "escape", "full", "nonfinite", "number", "product", "value_text"]

_ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in CONTROLS}
_ESCAPES |= {ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}


def escape(text: str, encoding: str = "utf-8") -> str:
    r"""The text with everything that could act on a terminal, or not be encoded, spelled out.

    >>> escape("a\tb\x1b[2J")
    'a\\tb\\x1b[2J'
    """
    inert = text if text.isprintable() else text.translate(_ESCAPES)
    return inert.encode(encoding, "backslashreplace").decode(encoding)


def full(value: float | None) -> str:
    """The shortest text that reads back as the same number; nothing for ``None``."""
    return "" if value is None else repr(float(value))


def number(value: float | None, digits: int = 6) -> str:
    """The number to so many significant digits, for the eye.

    >>> number(0.1375119), number(123456789.0), number(-0.0)
    ('0.137512', '1.23457e+08', '0')
    """
    return "" if value is None else f"{value + 0.0:.{digits}g}"  # + 0.0 turns -0.0 into 0.0


def nonfinite(value: float | None) -> str | None:
    """``inf``, ``-inf`` or ``nan``; ``None`` for everything that is a finite number or nothing."""
    return None if value is None or math.isfinite(value) else repr(float(value))


def product(log_value: float, digits: int = 6) -> str:
    """exp(log_value), also far below the float range; no more digits than the logarithm holds.

    >>> product(-6932.0)
    '2.95564e-3011'
    """
    from decimal import MIN_EMIN, Decimal, localcontext

    held = int(-math.log10(math.ulp(log_value)))
    with localcontext(prec=min(digits, max(1, held)), Emin=MIN_EMIN):
        return str(Decimal(log_value).exp().normalize()).lower()


def value_text(result: Result, digits: int | None = None) -> str:
    """The value of a result, in full or to so many digits; an underflowed product by its logarithm."""
    if result.value == 0.0 and result.log_value is not None and math.isfinite(result.log_value):
        return product(result.log_value, 6 if digits is None else digits)
    return full(result.value) if digits is None else number(result.value, digits)


def chunked(parts: Iterable[str], size: int = 1000) -> Iterator[str]:
    """The same text in fewer, larger pieces."""
    rest = iter(parts)
    while chunk := "".join(islice(rest, size)):
        yield chunk
