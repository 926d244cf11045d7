"""Laws that a loss declares are held against what is observed, both ways; so is its range."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lossctl.errors import DataError
from lossctl.model.laws import ALL, Law
from lossctl.model.registry import entries

ROWS = 40
LAWS = {law.name: law for law in ALL}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):  # whether NumPy stays silent is another question
        yield


@pytest.fixture(params=LAWS)
def law(request: pytest.FixtureRequest) -> Law:
    return LAWS[request.param]


def observations(case: Any) -> Iterator[dict[str, Any]]:
    """Good inputs, ordinary ones and those in which laws break: perfect, constant, tied, large, slightly off."""
    for salt in range(3):
        sample = case.sample(ROWS, salt)
        yield sample
        floats = [role for role, a in sample.items() if a.dtype.kind == "f"]
        for size in (0.0, 1e-3, 1e6):
            yield {role: a * size if role in floats else a for role, a in sample.items()}
        first, *others = sample
        for other in others:  # one role says what another says
            if sample[first].shape == sample[other].shape:
                yield {**sample, first: sample[other]}
                yield {**sample, other: sample[first]}
                if other in floats:
                    yield {**sample, first: np.log(np.maximum(sample[other], 1e-300))}
        for role in floats:  # constant in one role, and ties
            yield {**sample, role: np.zeros_like(sample[role]) + sample[role][:1]}
            yield {**sample, role: np.round(sample[role])}
            # As far from a distribution as is let through with a warning.
            yield {**sample, role: sample[role] * 0.96}
            yield {**sample, **{r: sample[r] * (1.04 if r == role else 0.96) for r in floats}}


def accepted(case: Any) -> Iterator[dict[str, Any]]:
    for arrays in observations(case):
        if case.accepts(arrays):
            yield arrays


def holds(law: Law, case: Any) -> bool:
    """Whether the law is obeyed on every observation whose other side is accepted too."""
    for arrays in accepted(case):
        try:
            obeyed = law.holds(case.values, arrays)
        except (ValueError, DataError):  # swapped or put in the other's place, the arrays are no good inputs
            continue
        if not obeyed:
            return False
    return True


def test_declared_laws_hold(case):
    """With every parameter, in every form; a preset obeys what its base declares."""
    for law in case.spec.laws:
        assert law.applies(case.spec), law.name
        assert holds(law, case), law.name


def test_laws_that_hold_are_declared(law, cases):
    """A law that no observation breaks, whatever the parameters, belongs in the declaration."""
    for entry in entries():
        mine = [case for case in cases if case.entry is entry and entry.name == entry.spec.name]
        if mine and law.applies(entry.spec) and law not in entry.spec.laws:
            assert not all(holds(law, case) for case in mine), f"{entry.name} is {law.name}: {law.phrase}"


def test_each_law_is_told_apart(law):
    """Every law is obeyed by some function and broken by another, so a test of it can fail."""
    arrays = {"pred": np.array([0.5, -1.0, 2.0]), "target": np.array([0.25, 1.0, 2.0])}

    def distance(a: Any) -> Any:
        return np.abs(a["pred"] - a["target"])

    def crooked(a: Any) -> Any:
        return a["pred"] - 2 * a["target"] - 1

    assert law.holds(distance, arrays)
    assert not law.holds(crooked, arrays)


def test_values_lie_in_the_declared_range(case):
    """Row values of ordinary inputs, and of inputs where one role says what another says."""
    low, high = (float(end) for end in case.spec.range.split(" to "))
    sample = case.sample(ROWS)
    for arrays in [sample, *({**sample, a: sample[b]} for a in sample for b in sample if a != b)]:
        if any(arrays[role].shape != sample[role].shape for role in sample) or not case.accepts(arrays):
            continue
        values = np.asarray(case.values(arrays))
        assert not np.isnan(values).any()
        assert values.min() >= low
        assert values.max() <= high
    assert math.isinf(high) or high > low


def test_order_of_rows_and_company_do_not_matter(case):
    """A row's value is its own: shuffled rows give shuffled values."""
    if case.spec.scope != "row" or case.reduction.views == ("set",):
        pytest.skip("values are those of lists or of the whole")
    sample = case.sample(ROWS)
    order = case.rng("order").permutation(ROWS)
    shuffled = {role: a[order] for role, a in sample.items()}
    assert np.array_equal(case.values(shuffled), case.values(sample)[order])
