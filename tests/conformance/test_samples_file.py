"""The file of samples gives the printed value back, and is the same to the byte however the rows are cut.

A mean is what ``Fraction`` makes of the column, rounded once. Only where the value of a row was rounded on the
way (the mean of its elements, its root) is there a tolerance.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.roles.binding import Request
from lossctl.engine.options import Options
from lossctl.engine.run import run
from lossctl.model.call import LossCall
from lossctl.model.penalised import Penalised
from lossctl.model.pooled import Pooled
from lossctl.model.reduce import Elements, Extreme, Mean, Product, RootMeanSquare

ROWS = 23
BY = ("color", "size")
SETTINGS: dict[str, tuple[Request, dict[str, Any]]] = {
    "bare": (Request(), {}),
    "weights": (Request(weight="w"), {}),
    "slices": (Request(weight="w", mask="m", by=BY), {"nan": "skip"}),
}
CUTS = ((1, 4), (7, 2), (1000, 1))  # rows of a chunk, threads


def table_of(case: Any, *, holes: bool) -> dict[str, Any]:
    """The sample beside weights, a mask and two columns of slices, alike in all rows of a list; some cells are NaN."""
    rng = case.rng("samples")
    arrays = case.sample(ROWS)
    units = case.units(arrays)
    spared = case.spared(arrays)
    n = int(units.max()) + 1
    color = np.array(["red", "", "green"], object)[rng.integers(0, 3, n)][units]
    if holes:
        for role, array in arrays.items():
            if array.dtype.kind == "f":
                arrays[role] = array = array.copy()
                array.reshape(ROWS, -1)[np.flatnonzero((rng.random(ROWS) < 0.1) & ~spared), 0] = np.nan
    return {
        **arrays,
        "w": (rng.uniform(0.1, 3.0, n) * (rng.random(n) < 0.9))[units],
        "m": ((rng.random(ROWS) < 0.8) | spared).astype(float),
        "color": [c or None for c in color.tolist()],
        "size": rng.integers(0, 2, n)[units],
    }


def scored(case: Any, table: Any, request: Request, path: Any, **options: Any) -> Any:
    call = LossCall.make(case.entry.name, dict(case.given))
    settings = Options(rows=0, empty="nan", per_sample=str(path), **options)
    request = request._replace(batch="batch" if "batch" in table else None)
    return run([call], [MemorySource(case.table(table))], request, settings)


def lines_of(path: Any) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def expected(case: Any, label: str, lines: list[dict[str, str]]) -> tuple[float | Fraction, bool]:
    """The value that the lines give, and whether it is exact: then it is not rounded yet."""
    lines = [line for line in lines if line[label] and float(line.get("weight", 1)) > 0]
    weights = [Fraction(float(line.get("weight", 1))) for line in lines]

    def column(name: str) -> list[Fraction]:
        return [Fraction(float(line[name])) for line in lines]

    def over(name: str) -> Fraction:
        return sum((w * x for w, x in zip(weights, column(name), strict=True)), Fraction(0))

    kind = case.reduction
    kind = kind.base if isinstance(kind, Penalised) else kind
    values = column(label)
    if kind.quotient:
        under = over(f"{label}.den")
        return (over(f"{label}.num") / under if under else math.nan), True
    if isinstance(kind, Extreme):
        return max(values), True
    if isinstance(kind, Product):
        return math.exp(math.fsum(float(w) * math.log(x) for w, x in zip(weights, values, strict=True))), False
    if isinstance(kind, RootMeanSquare):
        squares = sum(w * x * x for w, x in zip(weights, values, strict=True))
        return math.sqrt(squares / sum(weights)), False
    assert isinstance(kind, Mean | Elements | Pooled)
    alone = all(array.ndim == 1 for array in case.sample(2).values())  # then a row has one element
    divisor = 1 if kind.views[0] == "sum" else sum(weights)
    return over(label) / divisor, alone or isinstance(kind, Mean)


def check(case: Any, label: str, value: float, lines: list[dict[str, str]]) -> None:
    lines = [line for line in lines if line["status"] == "ok"]
    if not any(line[label] and float(line.get("weight", 1)) > 0 for line in lines):
        assert math.isnan(value)
        return
    found, exact = expected(case, label, lines)
    if not exact:
        size = max(abs(float(line[label])) for line in lines if line[label])
        assert value == pytest.approx(float(found), rel=1e-13, abs=1e-13 * size)
    elif case.reduction.quotient and hasattr(case.reduction, "at"):
        assert value == case.reduction.at(float(found))
    else:
        assert value == float(found) or (math.isnan(found) and math.isnan(value))


@pytest.mark.parametrize("name", SETTINGS)
def test_the_file_gives_the_value_back(plain, name, tmp_path):
    """The total, and every slice from its own lines."""
    if plain.per == "dataset":
        pytest.skip("no row has a value")
    request, options = SETTINGS[name]
    path = tmp_path / "samples.csv"
    report = scored(plain, table_of(plain, holes=bool(options)), request, path, **options)
    lines = lines_of(path)
    for result in report.results:
        if result.slice not in {"total", "group"}:
            continue
        group = {by: text or "" for by, text in (result.group or {}).items()}
        chosen = [line for line in lines if all(line[by] == text for by, text in group.items())]
        value = result.value if result.sample_mean is None or plain.reduction.quotient else result.sample_mean
        if isinstance(plain.reduction, Penalised):  # rows have no share of the penalty
            value = result.parts.get("risk", math.nan)
        check(plain, result.label, value, chosen)
        assert len([line for line in chosen if line["status"] == "ok"]) == result.n


@pytest.mark.parametrize("name", SETTINGS)
def test_every_row_is_there(plain, name, tmp_path):
    if plain.per == "dataset":
        pytest.skip("no row has a value")
    request, options = SETTINGS[name]
    path = tmp_path / "samples.csv"
    report = scored(plain, table_of(plain, holes=bool(options)), request, path, **options)
    lines = lines_of(path)
    label = report.results[0].label
    if plain.per == "group":
        assert len(lines) == report.results[0].n
        assert {line["status"] for line in lines} == {"ok"}
        return
    assert [line["row"] for line in lines] == [str(row + 1) for row in range(report.read)]
    counts = Counter(line["status"] for line in lines)
    assert counts.pop("ok") == report.scored
    assert counts == report.dropped
    empty = [line for line in lines if line["status"] != "ok"]
    assert bool(empty) == ("nan" in options)
    numbers = [name for name in lines[0] if name.split(".num")[0].split(".den")[0] == label]
    assert all(line[name] == "" for line in empty for name in numbers)
    assert all(line[name] != "" for line in lines if line["status"] == "ok" for name in numbers)


def test_cuts_change_no_byte(plain, tmp_path):
    if plain.per == "dataset":
        pytest.skip("no row has a value")
    request, options = SETTINGS["slices"]
    table = table_of(plain, holes=True)
    whole = tmp_path / "whole.csv"
    scored(plain, table, request, whole, **options)
    for rows, threads in CUTS:
        cut = tmp_path / "cut.csv"
        scored(plain, table, request, cut, chunk_rows=rows, threads=threads, **options)
        assert cut.read_bytes() == whole.read_bytes(), (rows, threads)
