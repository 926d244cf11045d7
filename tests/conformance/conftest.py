"""The registry as test cases: every loss, with parameters of every sort and inputs of every accepted form.

No loss is named here or in the tests beside it: a new loss is held to all of them as soon as it is declared.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from lossctl.errors import DataError
from lossctl.model.arrays import decoded
from lossctl.model.batch import run_batches, settle, values_of
from lossctl.model.kinds import Kind, Sizes
from lossctl.model.params import Param, Value, value_text
from lossctl.model.registry import Entry, Loss, entries

WIDTH = 3  # elements, columns or classes of a row, and the length of every list parameter
BATCH = 6  # rows, where a loss sees them in batches
ENTRIES = list(entries())


@dataclass(frozen=True)
class Case:
    """A loss, some parameters, and for each role how its array looks: flat, wide or simplex."""

    entry: Entry
    given: tuple[tuple[str, Value], ...]
    forms: tuple[str, ...]

    def __str__(self) -> str:
        words = [self.entry.name, *(f"{k}={value_text(v, '/')}" for k, v in self.given)]
        return ":".join(words) + "".join("-" + form for form in self.forms)

    @cached_property
    def params(self) -> dict[str, Value]:
        return settle(self.entry, dict(self.given))

    @cached_property
    def door(self) -> Loss:
        return Loss(self.entry)

    @property
    def spec(self) -> Any:
        return self.entry.spec

    @property
    def reduction(self) -> Any:
        return self.spec.reduction(self.params)

    @property
    def per(self) -> str:
        return self.spec.sample_of(self.reduction)

    def rng(self, salt: object = "") -> np.random.Generator:
        return np.random.default_rng(zlib.crc32(f"{self}{salt}".encode()))

    def sample(self, rows: int, salt: object = "") -> dict[str, Any]:
        """Good arrays of all roles that go row by row."""
        rng = self.rng(salt)
        roles = zip(self.inputs, self.forms, strict=True)
        found = {i.role: shaped(i.kind, form, rng, rows, self.params) for i, form in roles}
        return {**found, "batch": np.arange(rows) // BATCH} if self.spec.scope == "batch" else found

    def together(self, arrays: Mapping[str, Any]) -> Any:
        """(N,) which list or batch each row belongs to; each to itself, where rows stand alone."""
        scope = self.spec.scope
        if scope == "row":
            return np.arange(len(next(iter(arrays.values()))))
        return np.unique(arrays[scope], return_inverse=True)[1]

    def units(self, arrays: Mapping[str, Any]) -> Any:
        """(N,) which sample each row belongs to: its list or batch where that has one value, else itself."""
        together = self.together(arrays)
        return together if self.per == "group" else np.arange(len(together))

    def spared(self, arrays: Mapping[str, Any]) -> Any:
        """(N,) rows that are never left out: two of each batch, as some losses refuse a batch of one row."""
        together = self.together(arrays)
        if self.spec.scope != "batch":
            return np.zeros(len(together), bool)
        return np.arange(len(together)) - np.searchsorted(together, together) < 2

    def firsts(self, arrays: Mapping[str, Any]) -> Any:
        """The first row of each sample."""
        return np.flatnonzero(np.diff(self.units(arrays), prepend=-1))

    def kernel(self, arrays: Any, params: Mapping[str, Value]) -> Any:
        """What the formula gives, for canonical arrays: batch by batch, where rows come in batches."""
        rows = {role: a for role, a in arrays.items() if role in self.spec.roles}
        if self.spec.scope != "batch":
            return self.spec.run({**rows, **self.beside}, params)
        starts = np.flatnonzero(np.diff(self.together(arrays), prepend=-1))
        return run_batches(self.spec, rows, self.beside, params, starts)

    @property
    def inputs(self) -> list[Any]:
        """The inputs that go row by row."""
        return rowwise(self.entry)

    @cached_property
    def beside(self) -> dict[str, Any]:
        """Good arrays of the roles that stand beside all rows."""
        return beside_rows(self.entry, self.forms, self.params)

    def arguments(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Arrays of all roles, in order."""
        every = {**self.beside, **self.stored(arrays)}
        return [every[role] for role in self.spec.roles if role in every]

    def stored(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Arrays whose first axis is that of the rows, as a caller lays them out for these parameters."""
        roles = (i for i in self.spec.inputs if i.role in arrays)
        return {**arrays, **{i.role: i.kind.stored(arrays[i.role], self.params) for i in roles}}

    def table(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Named columns: those of the rows, and those beside them (several of one role under their own names)."""
        beside: dict[str, Any] = {}
        for role, array in self.beside.items():
            beside.update(array if isinstance(array, dict) else {role: array})
        return {**self.stored(arrays), **beside}

    def read(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """The arrays as the kinds see them: fitted, and rows of any length as such."""
        spec = self.spec
        known = {role: a for role, a in self.stored(arrays).items() if role in spec.roles}
        fitted = spec.fit(decoded(spec, {**known, **self.beside}, self.params), self.params)
        return {role: fitted[role] for role in arrays if role in fitted}

    def counting(self, arrays: Mapping[str, Any]) -> Any:
        """(N,) rows that count: a label to be ignored takes its row out, whatever else stands there."""
        known = self.read({role: a for role, a in arrays.items() if role in self.spec.roles})
        keep = np.ones(len(next(iter(known.values()))), bool)
        for i in self.inputs:
            ignored = i.kind.ignored(known[i.role], self.params)
            keep &= True if ignored is None else ~ignored
        return keep

    def call(self, arrays: Mapping[str, Any]) -> Any:
        """The values through the function."""
        return self.door(*self.arguments(arrays), **dict(self.given))

    def values(self, arrays: Mapping[str, Any]) -> Any:
        """The values with all parameters spelled out."""
        inputs = {role: a for role, a in self.stored(arrays).items() if role in self.spec.roles}
        return values_of(self.spec, {**inputs, **self.beside}, self.params)

    def works(self) -> bool:
        """Whether a good sample gives values at all; where it does not, one test of its own says so."""
        try:
            return self.accepts(self.sample(12))
        except Exception:
            return False

    def accepts(self, arrays: Mapping[str, Any]) -> bool:
        try:
            with np.errstate(all="ignore"):
                self.values(arrays)
        except DataError:
            return False
        return True


def shaped(kind: Kind, form: str, rng: Any, rows: int, params: Mapping[str, Value]) -> Any:
    """A good array of a kind: a number a row, several, or a distribution where the kind takes labels too."""
    if form == "simplex":
        raw = rng.uniform(0.1, 1.0, size=(rows, WIDTH))
        return raw / raw.sum(axis=1, keepdims=True)
    return kind.sample(rng, Sizes(rows, WIDTH if form == "wide" else 0, WIDTH), params)


def rowwise(entry: Entry) -> list[Any]:
    return [i for i in entry.spec.inputs if not i.kind.whole]


def beside_rows(entry: Entry, forms: tuple[str, ...], params: Mapping[str, Value]) -> dict[str, Any]:
    """Arrays that stand beside all rows, as wide as the rows are; optional ones are given too."""
    rng = np.random.default_rng(1)
    sizes = Sizes(5, WIDTH if forms[0] == "wide" else 0, WIDTH)
    return {i.role: i.kind.sample(rng, sizes, params) for i in entry.spec.inputs if i.kind.whole}


def forms_of(entry: Entry, params: Mapping[str, Value]) -> Iterator[tuple[str, ...]]:
    """Every combination of forms that the loss takes, each shape once."""
    rng = np.random.default_rng(0)
    ways = []
    inputs = rowwise(entry)
    for i in inputs:
        way = ["flat", "wide"]
        if i.kind.sums_to_one(params) and shaped(i.kind, "flat", rng, 2, params).ndim == 1:
            way.append("simplex")
        ways.append(way)
    seen = set()
    for forms in itertools.product(*ways):
        arrays = {i.role: shaped(i.kind, form, rng, 5, params) for i, form in zip(inputs, forms, strict=True)}
        shape = tuple(a.shape for a in arrays.values()) + tuple(form == "simplex" for form in forms)
        try:
            entry.spec.fit(decoded(entry.spec, {**arrays, **beside_rows(entry, forms, params)}, params), params)
        except DataError:
            continue
        if shape not in seen:
            seen.add(shape)
            yield forms


def values_for(param: Param) -> list[Value]:
    """Good values of a parameter of every sort it takes."""
    found: list[Value] = list(param.choices)
    found += [True, False] if "bool" in param.types else []
    found += [None] if "none" in param.types else []
    low = param.gt if param.gt is not None else param.ge
    high = param.lt if param.lt is not None else param.le
    if param.outside is not None:
        numbers = [param.outside[0] - 0.75, param.outside[1] + 0.25, *param.outside]
    elif low is not None and high is not None:
        numbers = [low + 0.25 * (high - low), low + 0.75 * (high - low)]
    elif low is not None:
        numbers = [low + 0.5, low + 2.5]
    elif high is not None:
        numbers = [high - 2.5, high - 0.5]
    else:
        numbers = [-0.75, 0.25]
    numbers += [end for end in (param.ge, param.le) if end is not None]
    if "float" in param.types:
        found += [*numbers, math.inf, -math.inf] if param.infinite else numbers
    if "int" in param.types:
        found += [0, 2, -7] if low is None else [int(low), int(low) + 2 if high is None else int(high)]
    if "words" in param.types:
        found = [(), (param.choices[0],), param.choices]
    if "list" in param.types:
        found += [(numbers[0], numbers[1], numbers[0]), (numbers[1], numbers[0], numbers[1])]
    return found


def variants(entry: Entry) -> Iterator[dict[str, Value]]:
    """The defaults, then every parameter by itself at every value (with what it needs to act)."""
    yield {}
    for name, param in entry.spec.params.items():
        if name in entry.fixed:
            continue
        for value in values_for(param):
            given = {name: value}
            when = param.when
            if when is not None:
                if entry.fixed.get(when.param, when.values[0]) not in when.values:
                    continue
                if when.param not in entry.fixed:
                    given[when.param] = when.values[0]
            yield given


ALL = [
    Case(entry, tuple(given.items()), forms)
    for entry in ENTRIES
    for given in variants(entry)
    for forms in forms_of(entry, settle(entry, given))
]
CASES = [case for case in ALL if case.works()]
DEFAULTS = [case for case in CASES if not case.given]
FORMLESS = list({(case.entry.name, case.given): case for case in CASES}.values())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, found in (
        ("entry", ENTRIES),
        ("any_case", ALL),  # all parameters, all forms
        ("case", CASES),  # those of them whose samples are good: one test says whether all are
        ("plain", DEFAULTS),  # default parameters, all forms
        ("called", FORMLESS),  # all parameters, one form
    ):
        if name in metafunc.fixturenames:
            ids = [item.name if isinstance(item, Entry) else str(item) for item in found]
            metafunc.parametrize(name, found, ids=ids)


@pytest.fixture
def good_values() -> Any:
    return values_for


@pytest.fixture
def width() -> int:
    return WIDTH


@pytest.fixture
def case_of() -> Any:
    """A case of a loss with its defaults."""
    return lambda entry: next(case for case in DEFAULTS if case.entry is entry)


@pytest.fixture
def cases() -> list[Case]:
    return CASES
