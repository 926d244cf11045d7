"""Print how far lossctl is from the other libraries: a table of losses by libraries.

    pip install -e . -r tests/golden/requirements.txt
    python tests/golden/compare.py [ROWS [LOSS...]]

Every golden case whose inputs can be drawn at random is run again on 2,000 rows (of several seeds), in lossctl and in
the library. A cell holds the greatest relative difference of row values, then of reduced values. Row values that are
less than a thousandth of the largest are compared with that thousandth: a difference of two distances near zero has
few digits in any library (in mpmath it has, so there every row is compared with itself).
"""

from __future__ import annotations

import math
import sys
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from cases import Case
from inputs import families, random_inputs
from libraries import VERSIONS, evaluate

import lossctl
import lossctl.losses
from lossctl.model.registry import get

SEEDS = (1, 2, 3)
ROWS = 2000
FLOOR = 1e-3
LIBRARIES = (
    *("torch", "keras", "optax", "sklearn", "torchmetrics", "scipy", "torchvision", "monai", "smp", "pml", "rax"),
    *("scoringrules", "naive", "mpmath"),
)


def difference(found: Any, expected: Any, floor: float) -> float:
    """The greatest relative difference of two arrays; infinities and NaN must agree."""
    a, b = np.atleast_1d(np.asarray(found, float)), np.atleast_1d(np.asarray(expected, float))
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return math.inf
    a, b = a[finite], b[finite]
    if not len(b) or np.array_equal(a, b):
        return 0.0
    return float(np.max(np.abs(a - b) / np.maximum(np.abs(b), max(floor * np.max(np.abs(b)), 1e-300))))


def differences(case: Case, arrays: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """(library, rows or values, difference) of one case on some inputs."""
    inputs = [arrays[i.role] for i in get(case.loss).spec.inputs if not i.optional or i.role in arrays]
    if case.rows is not None:
        rows = evaluate(case.rows.library, case.rows.call, arrays, case.params)
        found = getattr(lossctl.losses, case.loss.replace("-", "_"))(*inputs, **case.params)
        floor = 0.0 if case.rows.library == "mpmath" else FLOOR
        yield case.rows.library, "rows", difference(found, rows, floor)
        arrays = {**arrays, "rows": np.array(rows)}
    for reduced in case.reduced:
        options = {k: arrays[v] if k == "weight" else v for k, v in reduced.options.items()}
        value = lossctl.compute(case.loss, *inputs, **case.params, **options).value
        expected = evaluate(reduced.oracle.library, reduced.oracle.call, arrays, case.params)
        yield reduced.oracle.library, "values", difference(value, expected, FLOOR)


def table(rows: int, losses: Collection[str]) -> str:
    worst: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    counts: dict[str, int] = defaultdict(int)
    random = random_inputs()
    for case in [case for family in families().values() for case in family.cases()]:
        if case.data not in random or (losses and case.loss not in losses):
            continue
        counts[case.loss] += 1
        for seed in SEEDS:
            arrays = random[case.data](np.random.default_rng(seed), rows)
            for library, part, size in differences(case, arrays):
                cell = worst[(case.loss, library)]
                cell[part] = max(cell.get(part, 0.0), size)
    lines = [
        f"| loss | cases | {' | '.join(LIBRARIES)} |",
        f"|---|---|{'---|' * len(LIBRARIES)}",
    ]
    for loss in sorted(counts):
        cells = [
            " / ".join(shown(worst[(loss, library)].get(part)) for part in ("rows", "values"))
            if (loss, library) in worst
            else ""
            for library in LIBRARIES
        ]
        lines.append(f"| `{loss}` | {counts[loss]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def shown(size: float | None) -> str:
    return "–" if size is None else "0" if size == 0 else f"{size:.0e}"


def main() -> None:
    warnings.simplefilter("ignore")
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    losses = {get(name).name for name in sys.argv[2:]}
    print(f"Greatest relative difference of rows / of reduced values, {rows:,} rows, seeds {SEEDS}, float64")
    print("; ".join(f"{name} {number}" for name, number in VERSIONS.items()), end="\n\n")
    print(table(rows, losses))


if __name__ == "__main__":
    main()
