"""Every loss scored in parts by workers that share nothing but bytes: the report is that of one process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.roles.binding import Request
from lossctl.engine.options import Options, Plan
from lossctl.engine.run import run
from lossctl.model.call import LossCall

ROWS = 23


def with_columns(case: Any, arrays: Any) -> dict[str, Any]:
    """Columns for the engine, the same in all rows of a list or batch, and some holes in the others."""
    rng = case.rng("wire")
    units = case.units(arrays)
    n = int(units.max()) + 1
    weight = rng.uniform(0.1, 3.0, n)
    color = np.array(["red", "green", None, "blue"], object)[rng.integers(0, 4, n)]
    table = dict(arrays)
    for role, array in arrays.items():
        if array.dtype.kind == "f" and array.ndim < 3:
            table[role] = np.array(array)
            holes = (rng.random(ROWS) < 0.1) & ~case.spared(arrays)
            table[role].reshape(ROWS, -1)[holes, 0] = np.nan
    return {**table, "w": weight[units], "color": color[units].tolist()}


SETTINGS: dict[str, tuple[Request, dict[str, Any]]] = {
    "bare": (Request(), {}),
    "slices": (Request(weight="w", by=("color",)), {"nan": "skip", "stats": True, "empty": "nan"}),
    "drawn": (Request(by=("color",)), {"nan": "skip", "ci": Plan(resamples=20), "empty": "nan"}),
}


def both(scattered: Any, case: Any, name: str) -> tuple[list[str], list[str]]:
    request, options = SETTINGS[name]
    if name == "drawn" and case.reduction.views[0] in {"min", "max"}:
        pytest.skip("no interval")
    arrays = case.sample(ROWS)
    table = case.table(with_columns(case, arrays) if options else arrays)
    request = request._replace(batch="batch" if "batch" in arrays else None)
    calls = [LossCall.make(case.entry.name, dict(case.given))]
    given = Options(**({} if case.per == "dataset" else {"rows": -1}), **options, chunk_rows=3)
    one = run(calls, [MemorySource(table)], request, given)
    parts = scattered.Parts(calls, lambda: [MemorySource(table)], request, given, 6, seed=ROWS, addresses=True)
    return scattered.said(parts.run()), scattered.said(one)


@pytest.mark.parametrize("name", SETTINGS)
def test_parts_by_several_processes_are_the_whole(scattered, case_of, entry, name):
    parts, one = both(scattered, case_of(entry), name)
    assert parts == one


WORDS = ("zebra", "apple", "mouse", "10", "9")


def label_roles(case: Any) -> list[str]:
    """The roles whose labels are only compared: whatever they are, each process has codes of its own for them."""
    roles = [i for i in case.inputs if i.kind.decode(case.params, None) == "label"]
    return [] if any(case.sample(2)[i.role].ndim > 1 for i in roles) else [i.role for i in roles]


def test_words_have_other_codes_in_every_process(scattered, cases, entry):
    """Labels that are text, met in another order by every worker: totals, slices, classes and intervals agree."""
    found = {case.given: case for case in cases if case.entry is entry and label_roles(case)}
    if not found:
        pytest.skip("no labels that are only compared")
    for case in found.values():
        arrays = case.sample(ROWS)
        texts = {role: [WORDS[int(label)] for label in arrays[role]] for role in label_roles(case)}
        table = {**case.table(arrays), **texts, "color": ["red", "green"] * 11 + ["red"]}
        alone = case.spec.scope == "row"
        request = Request(by=("color",) if alone else (), batch="batch" if "batch" in arrays else None)
        calls = [LossCall.make(case.entry.name, dict(case.given))]
        several = case.reduction.classes is not None or case.per == "row"
        for options in ({"per_class": several}, {"ci": Plan(resamples=20)}):
            given = Options(**options, chunk_rows=3, empty="nan")
            one = run(calls, [MemorySource(table)], request, given)
            parts = scattered.Parts(calls, lambda t=table: [MemorySource(t)], request, given, 6, known=WORDS)
            assert scattered.said(parts.run()) == scattered.said(one)
            if several and given.per_class:
                assert len({r.of_class for r in one.results} & set(WORDS)) > 1


def test_no_loss_keeps_codes_of_labels(cases):
    """Codes stand in names of terms and in classes, where they are translated; values kept one by one have none."""
    assert not [case for case in cases if label_roles(case) and getattr(case.reduction, "keep", ())]
