"""Parameters of a loss: what they mean, what they may be, how they are read and printed.

A kernel declares a parameter as a keyword-only argument::

    delta: Annotated[float, Param("where the bowl turns into straight walls", gt=0)] = 1.0

and everything a person meets (option, help, range in ``explain``, colon syntax, errors) follows
from it.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from lossctl.errors import UsageError

__all__ = ["Param", "Value", "When", "annotated_params", "number_text", "value_text"]

Value: TypeAlias = float | int | bool | str | tuple[float, ...] | tuple[str, ...] | None


class When(NamedTuple):
    """A parameter acts only while another one has one of these values; else it stands ``off``."""

    param: str
    values: tuple[Value, ...]
    off: Value = None


class Param(NamedTuple):
    """One parameter: help text and range; the type comes from the annotation beside it.

    ``choices`` are the words it may be (beside a number where the type allows one), or those that a list of
    words is made of; ``gt ge lt le`` bound the number, or each number of a list, and it may not lie inside the
    open interval ``outside``. ``when`` makes it conditional on another parameter; ``file`` says that it names one,
    ``infinite`` that inf and -inf are among its numbers, ``call`` that it is the
    call of another loss.
    """

    help: str
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    outside: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    when: When | None = None
    file: bool = False
    infinite: bool = False
    call: bool = False
    # From here on filled in by the declaration (annotated_params).
    name: str = ""
    default: Value = None
    types: frozenset[str] = frozenset()  # of float int bool str list words none

    @property
    def option(self) -> str:
        """The command-line option; a Python keyword such as ``lambda`` is spelled out here."""
        word = "lambda" if self.name == "lam" else self.name.replace("_", "-")
        return f"--{word}"

    def phrase(self) -> str:
        """What it may be, in words: ``number > 0``, ``torch | keras | none``, ``list of ...``."""
        kinds = ["list of " + ", ".join(self.choices)] if "words" in self.types else [*self.choices]
        if self.file:
            kinds.append("file")
        if self.call:
            kinds.append("loss")
        bounds = " and ".join(
            f"{sign} {number_text(limit)}"
            for sign, limit in ((">", self.gt), (">=", self.ge), ("<", self.lt), ("<=", self.le))
            if limit is not None
        )
        if self.outside is not None:
            gap = "<= {} or >= {}".format(*map(number_text, self.outside))
            bounds = f"{bounds} and ({gap})" if bounds else gap
        for kind, word in (("float", "number"), ("int", "whole number")):
            if kind in self.types:
                kinds.append(f"{word} {bounds}".rstrip())
        if self.infinite:
            kinds += ["inf", "-inf"]
        if "list" in self.types:
            kinds.append(f"list of numbers {bounds}".rstrip())
        if "bool" in self.types:
            kinds.append("true | false")
        if "none" in self.types and "none" not in self.choices:
            kinds.append("none")
        return " | ".join(kinds)

    def parse(self, text: str, *, separator: str = ",") -> Value:
        """Read the value from text as typed in an option (or, with ``/``, in colon syntax)."""
        word = text.strip()
        if (
            "_" in word and word not in self.choices and not (self.file or self.call)
        ):  # Python reads 1_000 as a number; people do not
            raise self.refuse(text)
        if word in self.choices:
            return word
        if word.lower() == "none" and self.types & {"none", "words"}:
            return () if "words" in self.types else None
        if "words" in self.types:
            return self.check(tuple(part.strip() for part in word.split(separator)))
        if self.file or self.call:
            return self.check(word)
        if "bool" in self.types:
            if word.lower() in {"true", "false"}:
                return word.lower() == "true"
            raise self.refuse(text)
        try:
            if "list" in self.types and (separator in word or not self.types & {"float", "int"}):
                return self.check(tuple(float(part) for part in word.split(separator)))
            if "float" in self.types:
                return self.check(float(word))
            if "int" in self.types:
                return self.check(int(word))
        except ValueError as error:
            if isinstance(error, UsageError):
                raise
        raise self.refuse(text)

    def check(self, value: Any) -> Value:
        """The value in its own type, or a ``UsageError`` that says what is allowed."""
        if getattr(value, "ndim", None) == 0:
            value = value.item()  # NumPy's scalars
        if value is None and "none" in self.types:
            return None
        if "words" in self.types:
            return self._words(value)
        if isinstance(value, str) and (value in self.choices or ((self.file or self.call) and value)):
            return value
        if isinstance(value, bool):
            if "bool" in self.types:
                return value
        elif hasattr(value, "__len__") and not isinstance(value, str):
            numbers = tuple(float(v) for v in value if hasattr(v, "__float__"))
            if "list" in self.types and 0 < len(numbers) == len(value) and all(map(self._inside, numbers)):
                return numbers[0] if len(numbers) == 1 and "float" in self.types else numbers
        elif not isinstance(value, str) and hasattr(value, "__float__") and self._inside(float(value)):
            return self._number(value)
        raise self.refuse(value)

    def _words(self, value: Any) -> Value:
        words = (value,) if isinstance(value, str) else value
        if value is None or not all(word in self.choices for word in words):
            raise self.refuse(value)
        return tuple(words)

    def _number(self, value: Any) -> Value:
        number = float(value)
        if "float" in self.types:
            return number
        if "int" in self.types and number == int(number):
            return int(value)
        if "list" in self.types and "int" not in self.types:
            return (number,)
        raise self.refuse(value)

    def _inside(self, number: float) -> bool:
        return (
            (math.isfinite(number) or (self.infinite and math.isinf(number)))
            and (self.gt is None or number > self.gt)
            and (self.ge is None or number >= self.ge)
            and (self.lt is None or number < self.lt)
            and (self.le is None or number <= self.le)
            and (self.outside is None or not self.outside[0] < number < self.outside[1])
        )

    def refuse(self, value: object) -> UsageError:
        try:
            shown = value if isinstance(value, str) else value_text(typing.cast("Value", value))
        except (TypeError, ValueError):
            shown = repr(value)[:60]
        return UsageError(
            f"{self.name} = {shown} is not allowed: {self.name} is {self.phrase()}",
            code="bad-parameter",
            hint=f"{self.help}; default {value_text(self.default)}",
        )

    def spoil(self) -> Iterator[Value]:
        """Values that must be refused, for the conformance tests."""
        if self.file or self.call:
            yield ""
        elif self.choices or "bool" in self.types:
            yield "no-such-choice"
        if self.types & {"float", "int", "list"}:
            yield math.nan
            for limit, step in ((self.gt, 0.0), (self.ge, -1.0), (self.lt, 0.0), (self.le, 1.0)):
                if limit is not None:
                    yield limit + step
            if self.outside is not None:
                yield sum(self.outside) / 2


def number_text(number: float) -> str:
    """The shortest text that reads back as the same number, without a needless ``.0``."""
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def value_text(value: Value, separator: str = ",") -> str:
    """How a value prints in a call or an option: ``1.0``, ``0.1/0.9``, ``true``, ``none``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return separator.join(v if isinstance(v, str) else repr(float(v)) for v in value) or "none"
    if isinstance(value, (int, float)):
        return repr(value + 0)
    return str(value)


def annotated_params(function: Callable[..., Any]) -> dict[str, Param]:
    """The parameters of a kernel: its keyword-only arguments with their ``Param`` notes, in order."""
    hints = typing.get_type_hints(function, include_extras=True)
    defaults: Mapping[str, Any] = function.__kwdefaults__ or {}
    code = function.__code__
    names = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    found: dict[str, Param] = {}
    for name in names:
        where = f"{function.__module__}.{function.__name__}({name})"
        notes = [n for n in getattr(hints.get(name), "__metadata__", ()) if isinstance(n, Param)]
        if len(notes) != 1 or name not in defaults:
            raise TypeError(f"{where}: a parameter needs Annotated[type, Param(...)] and a default")
        found[name] = complete(notes[0], name, hints[name].__origin__, defaults[name])
    return found


def complete(param: Param, name: str, annotation: Any, default: Any) -> Param:
    """The note plus what stands around it in the declaration."""
    whole = param._replace(name=name, types=_types(annotation), default=default)
    return whole._replace(default=whole.check(default))


def _types(annotation: Any) -> frozenset[str]:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        parts = [_types(part) for part in typing.get_args(annotation)]
        return frozenset().union(*parts)
    names = {float: "float", int: "int", bool: "bool", str: "str", types.NoneType: "none"}
    if annotation in names:
        return frozenset({names[annotation]})
    if typing.get_origin(annotation) is tuple:
        return frozenset({"words" if typing.get_args(annotation)[0] is str else "list"})
    raise TypeError(f"a parameter cannot be of type {annotation!r}")
