"""Compute the golden values with the other libraries and write values/, a file for each module of families/.

    pip install -e . -r tests/golden/requirements.txt
    python tests/golden/generate.py [FAMILY...]

No number in the file is lossctl's. From lossctl come the names and defaults of the parameters, and the lines that
say which call of another library gives the same number: these are run as they stand.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import libraries
import numpy as np
from cases import VALUES, Case, Golden, Same, Suit, save
from inputs import everything, families, plain
from libraries import evaluate

Data = dict[str, dict[str, Any]]
Suits = dict[tuple[str, str], list[list[Suit]]]  # for each line of a loss about a library, in order


def computed(case: Case, data: Data) -> Case:
    """The case with its numbers. Calls for reduced values may speak of the rows by that name."""
    arrays = data[case.data]
    values = None
    if case.rows is not None:
        values = tuple(evaluate(case.rows.library, case.rows.call, arrays, case.params))
        arrays = {**arrays, "rows": np.array(values)}
    reduced = tuple(
        replace(r, value=evaluate(r.oracle.library, r.oracle.call, arrays, case.params)) for r in case.reduced
    )
    return replace(case, reduced=reduced, values=values)


def run_as_written(call: str, library: str, arrays: dict[str, Any], params: dict[str, Any]) -> float:
    """A line of the registry. Where there are lists, it speaks of one, and the number is the mean over lists."""
    if "group" not in arrays:
        return float(evaluate(library, call, arrays, params))
    values = []
    for group in sorted(set(arrays["group"].tolist())):
        inside = arrays["group"] == group
        values.append(evaluate(library, call, {role: a[inside] for role, a in arrays.items()}, params))
    return sum(values) / len(values)


def same_elsewhere(suits: Suits, data: Data) -> Iterator[Same]:
    """Every line of the registry about the family's losses, on everything that suits it."""
    from lossctl.model.registry import get

    for loss in dict.fromkeys(loss for loss, _ in suits):
        spec = get(loss).spec
        seen: dict[str, int] = {}
        for line in spec.equivalents:
            place = seen[line.library] = seen.get(line.library, -1) + 1
            for suit in suits[(loss, line.library)][place]:
                params = {**{name: p.default for name, p in spec.params.items()}, **suit.params}
                value = run_as_written(line.call, line.library, data[suit.data], params)
                yield Same(loss, line.library, line.call, suit.data, suit.params, suit.options, value, suit.differs)
        for library, count in seen.items():
            if len(suits[(loss, library)]) != count + 1:
                raise SystemExit(f"{loss}: suits for lines of {library} that the registry does not have")


def golden(family: ModuleType, data: Data) -> Golden:
    cases = family.cases()
    names = [case.name for case in cases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SystemExit(f"two cases of one name: {twice}")
    done = tuple(computed(case, data) for case in cases)
    used = {case.data for case in done} | {suit.data for lines in family.SUITS.values() for s in lines for suit in s}
    stored = {name: {role: plain(a) for role, a in arrays.items()} for name, arrays in data.items() if name in used}
    return Golden(libraries.VERSIONS, stored, done, tuple(same_elsewhere(family.SUITS, data)))


def main(names: list[str], folder: Path = VALUES) -> None:
    # scikit-learn warns of a single class and of rows that do not sum to one; both are meant here.
    warnings.simplefilter("ignore")
    data = everything()
    for name, family in families(names).items():
        made = golden(family, data)
        save(made, folder / f"{name}.json")
        print(f"{name}: {len(made.cases)} cases, {len(made.equivalents)} lines of the registry")


if __name__ == "__main__":
    main(sys.argv[1:])
