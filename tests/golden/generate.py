"""Compute the golden values with the other libraries and write values.json.

    pip install -e . -r tests/golden/requirements.txt
    python tests/golden/generate.py

No number in the file is lossctl's. From lossctl come the names and defaults of the parameters, and the lines that
say which call of another library gives the same number: these are run as they stand.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import classification
import libraries
import numpy as np
import others
import regression
from cases import VALUES, Case, Golden, Same, save
from elsewhere import SUITS
from inputs import everything
from libraries import evaluate

Data = dict[str, dict[str, Any]]


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


def same_elsewhere(data: Data) -> Iterator[Same]:
    """Every line of the registry, on everything that suits it."""
    from lossctl.model.registry import entries

    left = {key: len(lines) for key, lines in SUITS.items()}
    for spec in {entry.spec.name: entry.spec for entry in entries()}.values():
        seen: dict[str, int] = {}
        for line in spec.equivalents:
            place = seen[line.library] = seen.get(line.library, -1) + 1
            left[(spec.name, line.library)] -= 1
            for suit in SUITS[(spec.name, line.library)][place]:
                params = {**{name: p.default for name, p in spec.params.items()}, **suit.params}
                value = run_as_written(line.call, line.library, data[suit.data], params)
                yield Same(
                    spec.name, line.library, line.call, suit.data, suit.params, suit.options, value, suit.differs
                )
    unused = [key for key, count in left.items() if count]
    if unused:
        raise SystemExit(f"elsewhere.py speaks of lines that the registry does not have: {unused}")


def golden() -> Golden:
    data = everything()
    cases = [*regression.cases(), *classification.cases(), *others.cases()]
    names = [case.name for case in cases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SystemExit(f"two cases of one name: {twice}")
    done = tuple(computed(case, data) for case in cases)
    used = {case.data for case in done} | {suit.data for lines in SUITS.values() for s in lines for suit in s}
    stored = {name: {role: a.tolist() for role, a in arrays.items()} for name, arrays in data.items() if name in used}
    return Golden(libraries.VERSIONS, stored, done, tuple(same_elsewhere(data)))


def main(path: Path = VALUES) -> None:
    # scikit-learn warns of a single class and of rows that do not sum to one; both are meant here.
    warnings.simplefilter("ignore")
    made = golden()
    save(made, path)
    print(f"{path.name}: {len(made.cases)} cases, {len(made.equivalents)} lines of the registry")


if __name__ == "__main__":
    main()
