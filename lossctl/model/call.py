"""A loss with its parameters as a value that prints and parses back: ``huber:delta=2``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from lossctl import index
from lossctl.errors import LossctlError, UsageError
from lossctl.model.batch import settle
from lossctl.model.params import Value, value_text
from lossctl.model.registry import Entry, get

__all__ = ["LossCall", "labels", "parse_calls"]


NONE: Mapping[str, Value] = {}


class LossCall(NamedTuple):
    """``given`` holds what the user said, ``params`` everything, in declaration order.

    ``soft`` are parameters of a convention (``--like``), ``settled`` those that column names fixed.
    """

    entry: Entry
    given: Mapping[str, Value]
    params: Mapping[str, Value]
    soft: Mapping[str, Value] = NONE
    settled: Mapping[str, Value] = NONE
    of_set: str | None = None  # the @FAMILY or @auto that named it: left out where it does not fit
    refused: UsageError | None = None  # why a member of a set cannot take the parameters given

    @property
    def name(self) -> str:
        return self.entry.name

    @classmethod
    def make(cls, name: str, given: Mapping[str, Value]) -> LossCall:
        return cls.of(*over(get(name), given))

    @classmethod
    def of(cls, entry: Entry, given: Mapping[str, Value]) -> LossCall:
        params = settle(entry, given)
        # As the user gave them, in declaration order; a parameter that does not act is refused later,
        # when the columns have settled what the input is.
        checked = {k: entry.spec.params[k].check(given[k]) for k in params if k in given}
        return cls(entry, checked, params)

    @classmethod
    def parse(cls, text: str, options: Mapping[str, str] | None = None) -> LossCall:
        """Read ``loss:param=value:flag``; ``options`` are raw texts that apply where the loss has them.

        A colon parameter beats the same option.
        """
        name, *parts = text.split(":")
        said = [(spelled(key), sign, raw) for key, sign, raw in (part.partition("=") for part in parts)]
        texts = {**(options or {}), **{key: raw for key, _, raw in said}}
        entry, given = get(name), dict[str, Value]()
        if entry.spec.derive is not None and "loss" in texts:
            made, inner = over(entry, {"loss": texts.pop("loss")})
            entry, given = made, dict(inner)
            options = {key: raw for key, raw in (options or {}).items() if key != "loss"}
            said = [part for part in said if part[0] != "loss"]
        for key, raw in (options or {}).items():
            if key in entry.spec.params:
                given[key] = _read(entry, key, raw, ",")
        for key, sign, raw in said:
            if key not in entry.spec.params:
                known = ", ".join(entry.spec.params) or "none"
                raise UsageError(
                    f"{entry.name} has no parameter {key}", code="unknown-parameter", hint=f"it has: {known}"
                )
            given[key] = _read(entry, key, raw if sign else "true", "/")
        return cls.of(entry, given)

    def with_params(
        self, settled: Mapping[str, Value] | None = None, soft: Mapping[str, Value] | None = None
    ) -> LossCall:
        """The same call with parameters that the data or a convention settled."""
        soft = {**self.soft, **(soft or {})}
        settled = {**self.settled, **(settled or {})}
        return self._replace(params=settle(self.entry, {**self.given, **settled}, soft), soft=soft, settled=settled)

    def refuse_idle(self) -> None:
        """Raise for a parameter that was given and does not act."""
        self.entry.spec.refuse_idle(self.given, self.params)

    def text(self, params: Mapping[str, Value] | None = None) -> str:
        """The call with the parameters given (or with those of ``params``)."""
        return self._spell(self.name, self.given if params is None else params)

    def signature(self) -> str:
        """The base formula with every parameter."""
        return self._spell(self.entry.spec.name, self.params)

    @staticmethod
    def _spell(name: str, params: Mapping[str, Value]) -> str:
        return ":".join([name, *(f"{key}={value_text(value, '/')}" for key, value in params.items())])


def over(entry: Entry, given: Mapping[str, Value]) -> tuple[Entry, Mapping[str, Value]]:
    """The entry made of the loss that ``given`` names, if it is one that is made of another."""
    if entry.spec.derive is None or "loss" not in given:
        return entry, given
    from lossctl.model.derived import derived  # seldom wanted

    return derived(entry, given)


def spelled(key: str) -> str:
    word = key.strip()
    return {"lambda": "lam"}.get(word, word.replace("-", "_"))


def _read(entry: Entry, key: str, raw: str, separator: str) -> Value:
    try:
        return entry.spec.params[key].parse(raw, separator=separator)
    except UsageError as error:
        error.message = f"{entry.name}: {error.message}"
        raise


def parse_calls(text: str, options: Mapping[str, str] | None = None) -> list[LossCall]:
    """Read a comma list of calls; all bad names and parameters are reported at once.

    An option that no named loss has, and two equal calls, are ``UsageError``.
    """
    calls: list[LossCall] = []
    errors: list[LossctlError] = []
    for part in text.split(","):
        try:
            calls += members(part, options) if part.strip().startswith("@") else [LossCall.parse(part, options)]
        except UsageError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise UsageError(
            "; ".join(error.message for error in errors),
            code=errors[0].code,
            hint="; ".join(dict.fromkeys(error.hint for error in errors if error.hint)),
        )
    for key in options or {}:
        if not any(key in call.entry.spec.params for call in calls):
            named = ", ".join(call.name for call in calls)
            raise UsageError(f"--{key.replace('_', '-')} is no parameter of {named}", code="unknown-parameter")
    return each_once(calls)


def each_once(calls: Sequence[LossCall]) -> list[LossCall]:
    """The calls without members of a set that are named by themselves as well, or by a set before.

    Two equal calls by name are a ``UsageError``.
    """
    named: set[str] = set()
    for call in calls:
        if call.of_set is None and call.name + call.signature() in named:
            raise UsageError(f"{call.text()} is asked for twice", code="equal-calls", hint="name it once")
        if call.of_set is None:
            named.add(call.name + call.signature())
    chosen: dict[str, LossCall] = {}
    for call in calls:
        key = call.name + call.signature()
        if call.of_set is None or key not in named:
            chosen.setdefault(key, call)
    return list(chosen.values())


def members(text: str, options: Mapping[str, str] | None = None) -> list[LossCall]:
    """The losses of ``@FAMILY``, or of all families for ``@auto``, in name order."""
    found = [member(name, text.strip(), partial(LossCall.parse, name, options)) for name in index.set_names(text)]
    accepted(found, options or {})
    return found


def member(name: str, of_set: str, make: Callable[[], LossCall]) -> LossCall:
    """A member of a set as ``make`` gives it; refused, at its defaults, where it cannot take the parameters."""
    try:
        return make()._replace(of_set=of_set)
    except UsageError as error:
        return LossCall.make(name, {})._replace(of_set=of_set, refused=error)


def accepted(calls: Sequence[LossCall], given: Mapping[str, Any]) -> None:
    """Raise for a parameter that every loss which has it refuses."""
    for key in given:
        owners = [call for call in calls if key in call.entry.spec.params]
        if owners and all(call.refused is not None for call in owners):
            raise next(call.refused for call in owners if call.refused is not None)


def labels(calls: list[LossCall]) -> list[str]:
    """The bare name, or the canonical call where one loss occurs twice."""
    names = [call.name for call in calls]
    return [call.text() if names.count(call.name) > 1 else call.name for call in calls]
