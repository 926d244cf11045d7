"""Every loss against other libraries: the numbers in values/, written by generate.py."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lossctl
import lossctl.losses
from lossctl.model.batch import settle
from lossctl.model.registry import Entry, entries, get

from .cases import Case, Same, load

GOLDEN = load()
ENTRIES = list(entries())
ROWS = {"rtol": 1e-12, "atol": 1e-15}
EXACT = {"rtol": 1e-14, "atol": 1e-320}  # where the oracle keeps every digit; among subnormals nothing is relative
VALUE = 1e-12


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters that name a file mean one of this folder."""
    monkeypatch.chdir(Path(__file__).parent)


def arrays_of(loss: str, data: str) -> list[Any]:
    """The inputs in the order of the loss's roles; optional ones where the data has them."""
    stored = GOLDEN.data[data]
    return [array_of(stored[i.role]) for i in get(loss).spec.inputs if not i.optional or i.role in stored]


def array_of(stored: Any) -> Any:
    return {k: np.asarray(v) for k, v in stored.items()} if isinstance(stored, dict) else np.asarray(stored)


def options_of(options: Mapping[str, Any], data: str) -> dict[str, Any]:
    return {name: GOLDEN.data[data][value] if name == "weight" else value for name, value in options.items()}


def function(loss: str) -> Any:
    return getattr(lossctl.losses, loss.replace("-", "_"))


def close(found: float, expected: float) -> bool:
    if math.isnan(expected):
        return math.isnan(found)
    return found == expected or math.isclose(found, expected, rel_tol=VALUE, abs_tol=1e-15)


def tolerance(case: Case) -> Mapping[str, float]:
    return EXACT if case.rows is not None and case.rows.library == "mpmath" else ROWS


with_rows = [pytest.param(case, id=case.name) for case in GOLDEN.cases if case.values is not None]


@pytest.mark.parametrize("case", with_rows)
def test_function_gives_the_rows(case: Case) -> None:
    rows = function(case.loss)(*arrays_of(case.loss, case.data), **case.params)
    np.testing.assert_allclose(rows, case.values, **tolerance(case))


@pytest.mark.parametrize("case", with_rows)
def test_compute_gives_the_rows(case: Case) -> None:
    computed = lossctl.compute(case.loss, *arrays_of(case.loss, case.data), reduction="none", **case.params)
    scored = ~np.isnan(computed.per_sample)
    spec = get(case.loss).spec
    if spec.sample_of(spec.reduction(settle(get(case.loss), case.params))) != "group":
        assert np.count_nonzero(~scored) == computed.results[0].dropped.get("ignored", 0)
    np.testing.assert_allclose(computed.per_sample[scored], np.asarray(case.values)[scored], **tolerance(case))


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in GOLDEN.cases if case.reduced])
def test_compute_gives_the_values(case: Case) -> None:
    """With weights, other reductions and conventions: all that differ are told."""
    wrong = []
    for reduced in case.reduced:
        options = options_of(reduced.options, case.data)
        found = lossctl.compute(case.loss, *arrays_of(case.loss, case.data), **case.params, **options).value
        if not close(found, reduced.value):
            wrong.append(f"{reduced.options}: {found!r} and {reduced.oracle.call} = {reduced.value!r}")
    assert not wrong


def is_one_number(case: Case) -> bool:
    spec = get(case.loss).spec
    return spec.reduction(settle(get(case.loss), case.params)).views == ("set",)


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name) for c in GOLDEN.cases if is_one_number(c)])
def test_function_gives_the_number_of_the_data_set(case: Case) -> None:
    plain = next((r for r in case.reduced if not r.options), None)
    if plain is not None:
        assert close(function(case.loss)(*arrays_of(case.loss, case.data), **case.params), plain.value)


@pytest.mark.parametrize(
    "line", [pytest.param(e, id=f"{e.loss}/{e.library}/{e.data}/{e.options or e.params}") for e in GOLDEN.equivalents]
)
def test_equivalents_are_as_the_registry_says(line: Same) -> None:
    found = lossctl.compute(line.loss, *arrays_of(line.loss, line.data), **line.params, **line.options).value
    assert close(found, line.value) != line.differs, f"{found!r} and {line.call} = {line.value!r}"
    if line.differs or line.options:
        notes = [e.note for e in get(line.loss).spec.equivalents if (e.library, e.call) == (line.library, line.call)]
        assert all(notes), "a line that needs a word of explanation has one"


# Nothing is left out.


def acting(entry: Entry) -> set[str]:
    """Parameters that a call of this name can change; files have tests of their own."""
    free = set()
    for name, param in entry.spec.params.items():
        held = param.when is not None and entry.fixed.get(param.when.param, None)
        if name not in entry.fixed and not param.file and (not held or held in param.when.values):
            free.add(name)
    return free


@pytest.mark.parametrize("entry", [pytest.param(e, id=e.name) for e in ENTRIES])
def test_every_loss_has_golden_values(entry: Entry) -> None:
    cases = [case for case in GOLDEN.cases if case.loss == entry.name]
    assert any(not case.params and any(not r.options for r in case.reduced) for case in cases), "none at its defaults"
    assert any("weight" in r.options for case in cases for r in case.reduced), "none with weights"
    changed = {
        name
        for case in cases
        for name, value in case.params.items()
        if entry.spec.params[name].check(value) != entry.spec.params[name].default
    }
    assert changed >= acting(entry), f"always at their defaults: {sorted(acting(entry) - changed)}"
    liked = {r.options["like"] for case in cases for r in case.reduced if "like" in r.options}
    assert liked == set(entry.spec.like), f"conventions without a case: {sorted(set(entry.spec.like) - liked)}"


@pytest.mark.parametrize("entry", [pytest.param(e, id=e.name) for e in ENTRIES if e.name == e.spec.name])
def test_every_equivalent_was_run(entry: Entry) -> None:
    run = {(line.library, line.call) for line in GOLDEN.equivalents if line.loss == entry.name and not line.differs}
    assert {(e.library, e.call) for e in entry.spec.equivalents} == run


def test_versions_are_the_pinned_ones() -> None:
    lines = Path(__file__).with_name("requirements.txt").read_text(encoding="utf-8").splitlines()
    assert dict(line.split("==") for line in lines if not line.startswith("#")) == GOLDEN.versions


def test_no_case_is_left_over() -> None:
    assert {case.loss for case in GOLDEN.cases} == {entry.name for entry in ENTRIES}
