"""The same digits however the rows are cut, merged, repeated or shuffled; and these digits are the right ones.

Right means: what ``Fraction`` finds from the values of elements, rounded once. Nothing here is compared with a
tolerance unless an oracle in floats is all there is.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
import pytest

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.roles.binding import Request
from lossctl.engine.options import ALL as EVERY_ROW
from lossctl.engine.options import Options
from lossctl.engine.run import run
from lossctl.engine.tally import Tally
from lossctl.errors import UsageError
from lossctl.model import batch
from lossctl.model.batch import finish_prelude, prelude_sums, prepare
from lossctl.model.call import LossCall
from lossctl.model.findings import Findings
from lossctl.model.penalised import Penalised
from lossctl.model.pooled import Pooled
from lossctl.model.reduce import Elements, Extreme, Mean, Product, Ratio, RootMeanSquare
from lossctl.model.spec import Arrays
from lossctl.report.jsonout import document

ROWS = 23
CUTS = ((1, 4), (7, 2), (1000, 1))  # rows of a chunk, threads


def run_case(case: Any, arrays: Any, request: Request | None = None, **options: Any) -> Any:
    calls = [LossCall.make(case.entry.name, dict(case.given))]
    request = (request or Request())._replace(batch="batch" if "batch" in arrays else None)
    return run(calls, [MemorySource(case.table(arrays))], request, Options(**options))


def beside(case: Any, arrays: Any) -> dict[str, Any]:
    """Columns for the engine: weights (some zero), whole weights, a mask, two columns of slices.

    Where lists or batches have one value, they are the same in all rows of one.
    """
    rng = case.rng("beside")
    units = case.units(arrays)
    n = int(units.max()) + 1
    weight = rng.uniform(0.0, 3.0, n) * (rng.random(n) < 0.8)
    weight[:2] += np.count_nonzero(weight) < 2
    whole = rng.integers(0, 4, n).astype(float)
    color = np.array(["red", "green", ""], object)[rng.integers(0, 3, n)]
    size = rng.integers(0, 2, n)
    columns = {"w": weight, "whole": whole, "color": [c or None for c in color], "size": size}
    found = {name: np.array(values, object if name == "color" else None)[units] for name, values in columns.items()}
    found["m"] = ((rng.random(len(units)) < 0.8) | case.spared(arrays)).astype(float)
    return {name: values.tolist() if name == "color" else values for name, values in found.items()}


def holed(case: Any, arrays: Any) -> Any:
    """The sample with missing values in some rows of every role of floats."""
    rng = case.rng("holes")
    spared = case.spared(arrays)
    found = {}
    for role, array in arrays.items():
        found[role] = np.array(array)
        if array.dtype.kind == "f":
            rows = np.flatnonzero((rng.random(len(array)) < 0.15) & ~spared)
            place = rng.integers(0, array[0].size) if array.ndim < 3 else 0  # later frames may be padding
            found[role].reshape(len(array), -1)[rows, place] = np.nan
    return found


SETTINGS: dict[str, tuple[Request, dict[str, Any]]] = {
    "bare": (Request(), {}),
    "weights": (Request(weight="w"), {"weight_norm": "n"}),
    "mask": (Request(mask="m", by=("size",)), {"stats": True}),
    "skip": (Request(weight="w", mask="m", by=("color", "size")), {"nan": "skip", "stats": True}),
    "propagate": (Request(weight="whole", by=("size",)), {"nan": "propagate"}),
    "sum": (Request(weight="w"), {"reduction": "sum"}),
    "worst": (Request(by=("color",)), {"worst": 5, "nan": "skip"}),
    "std": (Request(by=("color",)), {"reduction": "std", "nan": "skip"}),
    "p25": (Request(weight="w"), {"reduction": "p25"}),
}


def settings_of(case: Any, name: str) -> tuple[Request, dict[str, Any]]:
    """The settings, or a skip where the loss has no such reduction or samples."""
    request, options = SETTINGS[name]
    views = case.reduction.views
    wanted = options.get("reduction")
    if wanted == "p25":
        wanted = "pNN"
    if wanted not in (None, *views) or ("worst" in options and case.per == "dataset"):
        pytest.skip("the loss has no such view")
    rows = {} if case.per == "dataset" or "worst" in options else {"rows": EVERY_ROW}
    return request, {"empty": "nan", **rows, **options}


def cuts_agree(case: Any, name: str, cuts: Any) -> None:
    request, options = settings_of(case, name)
    arrays = case.sample(ROWS)
    if options.get("nan"):
        arrays = holed(case, arrays)
    table = {**arrays, **beside(case, arrays)}
    whole = run_case(case, table, request, **options)
    expected = "".join(document(whole))
    for rows, threads in cuts:
        cut = run_case(case, table, request, chunk_rows=rows, threads=threads, **options)
        assert "".join(document(cut)) == expected, (rows, threads)
    assert whole.read == ROWS == whole.scored + sum(whole.dropped.values())
    for result in whole.results:
        if result.slice == "total" and case.spec.scope == "row":
            assert result.n == whole.scored
            assert dict(result.dropped) == dict(whole.dropped)


@pytest.mark.parametrize("name", SETTINGS)
def test_chunks_change_nothing(plain, name):
    """The JSON document is the same to the byte for one row at a time, seven, all."""
    cuts_agree(plain, name, CUTS if name == "bare" else CUTS[:2])


def test_chunks_change_nothing_with_any_parameter(called):
    cuts_agree(called, "skip", CUTS[:2])


def test_blocks_of_a_call_change_nothing(called, monkeypatch):
    """A function goes over many rows block by block; nobody sees where one ends."""
    sample = called.sample(ROWS)
    expected = called.values(sample)
    for rows in (1, 7):
        monkeypatch.setattr(batch, "BLOCK_ROWS", rows)
        np.testing.assert_array_equal(called.values(sample), expected)


# Merging.


def prepared(case: Any, arrays: Any) -> Arrays:
    spec = case.spec
    rows = case.read({role: np.asarray(a) for role, a in arrays.items()})
    ready = prepare(spec, case.params, rows, nan="error", findings=Findings(), rows=np.arange(ROWS), whole=case.beside)
    kept = slice(None) if ready.kept is None else ready.kept
    return {**ready.arrays, "batch": arrays["batch"][kept]} if "batch" in arrays else ready.arrays


def resolved(case: Any, arrays: Arrays) -> dict[str, Any]:
    if case.spec.prelude is None or not case.spec.prelude.needed(case.params):
        return dict(case.params)
    sums: dict[str, Any] = {}
    prelude_sums(case.spec, arrays, sums)
    return {**case.params, **finish_prelude(case.spec, sums)}


def tally_of(case: Any, params: Any, arrays: Arrays, places: Any, weight: Any, codes: Any) -> tuple[Tally, Any]:
    """The state of some rows, with groups numbered anew, and the number each has in the whole."""
    reduction = case.reduction
    mode = reduction.row_mode
    some = {role: a[places] for role, a in arrays.items()}
    out = case.kernel(some, params)
    values = reduction.rows(out, mode)
    places = places[case.firsts(some)]
    tally = Tally(reduction, spread=values is not None, collect=values is not None, memory=2**30)
    numbers, local = np.unique(codes[places], return_inverse=True)
    tally.grow(len(numbers))
    tally.count((places % 3).astype(np.uint8), local)  # any statuses: counts are not held against values
    tally.add(
        reduction.terms(out, mode),
        values,
        reduction.width(out),
        None if weight is None else weight[places],
        local,
        len(places),
        plain_divisor=False,
        kept=reduction.kept(out),
    )
    return tally, numbers


def readings(case: Any, params: Any, tally: Tally, group: int | None, weighted: bool) -> list[Any]:
    """Every number that can be read off a state."""
    reduction, mode = case.reduction, case.reduction.row_mode
    totals = tally.totals(group, weighted=weighted, norm="sum")
    found: list[Any] = [tally.n(group), tally.dropped_in(group), tally.weight_sum(group, weighted=weighted)]
    for view in ("mean", "sum", "prod", "set"):
        if view in reduction.views:
            found.append(reduction.finish(view, totals, mode, params))
    # What is kept value by value has no order of its own.
    columns = [*totals.kept.values(), *([] if totals.weights is None else [totals.weights[:, None]])]
    found.append(sorted(np.hstack(columns).tolist()) if columns else [])
    totals = totals._replace(kept={}, weights=None)
    found += [totals, tally.extreme(group, "min"), tally.extreme(group, "max"), tally.deviation(group)]
    found.append(tally.figures(group, np.linspace(0, 1, ROWS).tolist(), bins=True))
    return [repr(item) for item in found]


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_any_tree_of_merges_is_the_whole(called, weighted):
    """Random parts, merged in random order as a random tree, groups renumbered on the way."""
    arrays = prepared(called, called.sample(ROWS))
    params = resolved(called, arrays)
    rng = called.rng("merge")
    rows = np.arange(len(next(iter(arrays.values()))))
    units = called.together(arrays)
    groups = np.unique(units, return_inverse=True)[1] % 3
    weight = np.where(units % 4 == 0, 0.0, 0.1 + units % 5) if weighted else None
    everything, _ = tally_of(called, params, arrays, rows, weight, groups)
    for _ in range(2):
        part = rng.integers(0, 5, units.max() + 1)[units]
        states = [
            tally_of(called, params, arrays, np.flatnonzero(part == p), weight, groups) for p in rng.permutation(5)
        ]
        states = [state for state in states if len(state[1])]
        while len(states) > 1:
            (one, mine), (other, theirs) = (states.pop(int(rng.integers(len(states)))) for _ in range(2))
            known = {number: place for place, number in enumerate(mine)}
            places = np.array([known.setdefault(number, len(known)) for number in theirs])
            one.merge(other, places)
            states.append((one, np.array(list(known))))
        merged, numbers = states[0]
        assert sorted(numbers) == [0, 1, 2]
        expected = readings(called, params, everything, None, weighted)
        assert readings(called, params, merged, None, weighted) == expected
        for place, number in enumerate(numbers):
            expected = readings(called, params, everything, int(number), weighted)
            assert readings(called, params, merged, place, weighted) == expected


# Repeating, shuffling, dropping.


def value_of(case: Any, table: Any, request: Request | None = None, **options: Any) -> Any:
    return run_case(case, table, request, rows=0, empty="nan", **options).results[0]


def chosen_views(case: Any) -> list[str]:
    return [view for view in ("mean", "sum", "prod", "set", "min", "max") if view in case.reduction.views]


def test_whole_weights_are_repeated_rows(called):
    """A row of weight 3 counts as three rows, one of weight 0 as none."""
    if called.spec.scope != "row":
        pytest.skip("rows of a list or a batch cannot be repeated")
    if called.spec.prelude is not None and called.spec.prelude.needed(called.params):
        pytest.skip("the statistic of the first pass takes no weights")
    arrays = called.sample(ROWS)
    whole = beside(called, arrays)["whole"]
    repeated = {role: np.repeat(a, whole.astype(int), axis=0) for role, a in arrays.items()}
    for view in chosen_views(called):
        weighted = value_of(called, {**arrays, "w": whole}, Request(weight="w"), reduction=view)
        plain = value_of(called, repeated, reduction=view)
        assert repr(weighted.value) == repr(plain.value)
        assert weighted.weight_sum == plain.weight_sum == plain.n == whole[called.counting(arrays)].sum()


def test_weights_of_one_change_nothing(plain):
    arrays = plain.sample(ROWS)
    for view in chosen_views(plain):
        for weight in (np.ones(ROWS), np.full(ROWS, 0.125)):
            weighted = value_of(plain, {**arrays, "w": weight}, Request(weight="w"), reduction=view)
            if view == "sum" and isinstance(plain.reduction, Penalised):
                assert weighted.parts["penalty"] == value_of(plain, arrays, reduction=view).parts["penalty"]
            elif view == "sum":
                assert weighted.value == value_of(plain, arrays, reduction=view).value * weight[0]
            elif view != "prod":
                assert repr(weighted.value) == repr(value_of(plain, arrays, reduction=view).value)


def test_order_of_rows_changes_no_digit(called):
    """Shuffled rows (whole lists or batches, where rows stand in them) give the same number and the same slices."""
    arrays = called.sample(ROWS)
    table = {**arrays, **beside(called, arrays)}
    together = called.together(arrays)
    order = np.concatenate([np.flatnonzero(together == u) for u in called.rng("order").permutation(together.max() + 1)])
    shuffled = {name: [a[i] for i in order] if isinstance(a, list) else a[order] for name, a in table.items()}
    request = Request(weight="w", by=("color", "size"))
    options = {"empty": "nan", "stats": True, "rows": 0}
    one, other = (run_case(called, t, request, **options) for t in (table, shuffled))
    strip = [(r.group, repr(r.value), r.n, r.weight_sum, r.divisor, repr(r.stats), r.histogram) for r in one.results]
    assert strip == [
        (r.group, repr(r.value), r.n, r.weight_sum, r.divisor, repr(r.stats), r.histogram) for r in other.results
    ]


def test_dropped_rows_are_as_if_absent(called):
    """--nan skip and --mask give the digits of a file without these rows; only the accounts differ."""
    if any(i.kind.unpaired for i in called.inputs):
        pytest.skip("a missing value leaves out no row")
    arrays = called.sample(ROWS)
    gaps = holed(called, arrays)
    mask = beside(called, arrays)["m"]
    keep = mask == 1
    for array in gaps.values():
        if array.dtype.kind == "f":
            keep &= np.isfinite(array).reshape(ROWS, -1).all(axis=1)
    keep &= called.counting(gaps)
    skipped = value_of(called, {**gaps, "m": mask}, Request(mask="m"), nan="skip")
    absent = value_of(called, {role: a[keep] for role, a in arrays.items()})
    assert repr(skipped.value) == repr(absent.value)
    assert skipped.n == absent.n
    assert skipped.dropped.get("ignored", 0) >= int((mask == 0).sum())
    assert sum(skipped.dropped.values()) == ROWS - keep.sum()


def test_groups_are_small_files(called):
    """A slice has the digits of a file that holds nothing else (with the statistic of the whole, if there is one)."""
    if called.spec.prelude is not None and called.spec.prelude.needed(called.params):
        pytest.skip("slices use the statistic of the whole")
    if called.spec.scope == "batch":
        pytest.skip("a row is seen with its whole batch, whatever the slices")
    arrays = called.sample(ROWS)
    columns = beside(called, arrays)
    table = {**arrays, "size": columns["size"], "w": columns["w"]}
    sliced = run_case(called, table, Request(weight="w", by=("size",)), rows=0, empty="nan")
    total, *slices = [r for r in sliced.results if r.slice in {"total", "group"}]
    assert [r.group for r in (total, *slices)] == [None, {"size": "0"}, {"size": "1"}]
    for result in slices:
        keep = columns["size"] == int(result.group["size"])
        part = {name: a[keep] for name, a in table.items()}
        alone = value_of(called, part, Request(weight="w"))
        assert repr(result.value) == repr(alone.value)
        assert (result.n, result.weight_sum, result.divisor) == (alone.n, alone.weight_sum, alone.divisor)


def test_rows_of_a_run_are_the_functions_values(case):
    """Per-sample values of the engine and of the function are the same numbers."""
    if case.reduction.views == ("set",):
        pytest.skip("no row has a value")
    arrays = case.sample(ROWS)
    arrays.pop("batch", None)  # a function sees one batch
    report = run_case(case, arrays, rows=EVERY_ROW)
    found = [sample.values[0] for sample in report.samples]
    expected = np.asarray(case.call(arrays)).tolist()
    if case.per != "group":
        assert [s.row for s in report.samples] == list(range(1, ROWS + 1))
        assert all(s.status in {"ok", "ignored"} for s in report.samples)
        expected = [v if s.status == "ok" else None for v, s in zip(expected, report.samples, strict=True)]
    assert found == expected


# The right digits, from Fractions.


def elements(case: Any, arrays: Any) -> Any:
    """What the formula gives for the rows that count."""
    ready = prepared(case, arrays)
    with np.errstate(all="ignore"):
        return case.kernel(ready, resolved(case, ready))


def total(values: Any, weight: Any) -> Fraction:
    """The sum of w x, exactly; several elements of a row share its weight."""
    rows = np.asarray(values).reshape(len(values), -1)
    pairs = zip(rows, weight, strict=True)
    return sum((Fraction(float(w)) * Fraction(float(x)) for row, w in pairs for x in row), Fraction(0))


def rounded(number: Fraction) -> float:
    """The nearest float: Python divides whole numbers with one rounding."""
    return number.numerator / number.denominator


def is_root(found: float, square: Fraction) -> bool:
    """Whether a float is the nearest one to the root."""
    below = (Fraction(found) + Fraction(math.nextafter(found, -math.inf))) / 2
    above = (Fraction(found) + Fraction(math.nextafter(found, math.inf))) / 2
    return max(below, Fraction(0)) ** 2 <= square <= above**2


def spread_sizes(case: Any, arrays: Any) -> Any:
    """Real inputs at sizes from 1e-12 to 1e12, where naive sums lose digits."""
    sizes = 10.0 ** case.rng("sizes").integers(-12, 13, ROWS)
    wild = dict(arrays)
    for i in case.inputs:
        array = arrays[i.role]
        plain = i.kind.decode(case.params, None) == "real" and array.dtype.kind == "f"
        wild[i.role] = (array.T * sizes).T if plain else array
    with np.errstate(all="ignore"):
        fine = case.accepts(wild) and np.isfinite(case.values(wild)).all()
    return wild if fine else arrays


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_means_and_sums_are_rounded_once(called, weighted):
    arrays = spread_sizes(called, called.sample(ROWS))
    weight = beside(called, arrays)["w"] if weighted else np.ones(ROWS)
    table = {**arrays, "w": weight}
    request = Request(weight="w" if weighted else None)
    kept = counted(called, arrays, weight)
    out, reduction = elements(called, arrays), called.reduction
    weights = sum((Fraction(float(w)) for w in kept), Fraction(0))
    found = {view: value_of(called, table, request, reduction=view) for view in chosen_views(called)}
    if isinstance(reduction, (Mean, Elements)):
        width = out.shape[1] if out.ndim > 1 and reduction.row_mode != "sum" else 1
        assert found["sum"].value == rounded(total(out, kept))
        assert found["mean"].value == rounded(total(out, kept) / (weights * width))
        assert found["mean"].divisor == rounded(weights * width)
    elif isinstance(reduction, Ratio):
        assert found["sum"].value == rounded(total(out[0], kept))
        assert found["mean"].value == rounded(total(out[0], kept) / total(out[1], kept))
        assert found["mean"].divisor == rounded(total(out[1], kept))
    elif isinstance(reduction, Product):
        assert found["prod"].value == math.exp(rounded(total(out[1], kept)))
        assert found["prod"].log_value == rounded(total(out[1], kept))
        assert found["mean"].value == math.exp(rounded(total(out[1], kept) / weights))
    elif isinstance(reduction, RootMeanSquare):
        columns = out[:, None] if out.ndim == 1 else out
        squares = [
            sum((Fraction(float(w)) * Fraction(float(e)) ** 2 for e, w in zip(column, kept, strict=True)), Fraction(0))
            for column in columns.T
        ]
        if called.params["multioutput"] == "global":
            assert is_root(found["mean"].value, sum(squares, Fraction(0)) / (weights * len(squares)))
        else:
            roots = [math.sqrt(rounded(s / weights)) for s in squares]
            assert found["mean"].value == pytest.approx(math.fsum(roots) / len(roots), rel=4e-16)
    elif isinstance(reduction, Pooled):
        pooled_agree(reduction, out, kept, found)
    elif isinstance(reduction, Extreme):
        assert found["max"].value == np.max(out[kept > 0])
    elif isinstance(reduction, Penalised):
        width = out.shape[1] if out.ndim > 1 else 1
        assert found["sum"].parts["risk"] == rounded(total(out, kept))
        assert found["mean"].parts["risk"] == rounded(total(out, kept) / (weights * width))
        assert all(f.value == f.parts["risk"] + f.parts["penalty"] for f in found.values())
    else:
        assert set(found) == {"set"}


def pooled_agree(reduction: Pooled, out: Any, weight: Any, found: Any) -> None:
    """Sums over the corpus, and beside them the mean of the rows' own values."""
    terms, pair = reduction.terms(out, None), reduction.pair(out, None)
    if not all(np.isfinite(term).all() for term in terms.values()):
        return
    if reduction.total is not None:
        assert found["sum"].value == rounded(total(terms[reduction.total], weight))
    if pair is not None and total(pair[1], weight):
        quotient = rounded(total(pair[0], weight) / total(pair[1], weight))
        assert found["mean"].value == pytest.approx(reduction.at(quotient), rel=4e-16)
        assert found["mean"].divisor == rounded(total(pair[1], weight))
    if found["mean"].sample_mean is not None:
        weights = sum((Fraction(float(w)) for w in weight), Fraction(0))
        assert found["mean"].sample_mean == rounded(total(out["row"], weight) / weights)
    assert {name: rounded(total(terms[name], weight)) for name in reduction.shown if name in terms} == found[
        "mean"
    ].parts


def test_divisors(plain):
    """--weight-norm n divides by rows, --row sum by rows, --row mean by elements."""
    reduction = plain.reduction
    if "mean" not in reduction.views or not isinstance(reduction, (Mean, Elements)):
        pytest.skip("not this kind of mean")
    arrays = plain.sample(ROWS)
    out, weight = elements(plain, arrays), beside(plain, arrays)["w"]
    weight = np.asarray(weight)[plain.firsts(arrays)]
    n, width = len(weight), out.shape[1] if out.ndim > 1 else 1
    table = {**arrays, "w": beside(plain, arrays)["w"]}
    for mode in ("mean", "sum") if reduction.row_mode else (None,):
        for norm in ("sum", "n"):
            found = value_of(plain, table, Request(weight="w"), reduction="mean", row=mode, weight_norm=norm)
            by = Fraction(n) if norm == "n" else sum((Fraction(float(w)) for w in weight), Fraction(0))
            by *= 1 if mode == "sum" else width
            assert found.value == rounded(total(out, weight) / by)
            assert found.divisor == rounded(by)


def counted(case: Any, arrays: Any, weight: Any) -> Any:
    """The weights of the samples that count."""
    counting = case.counting(arrays)
    kept = weight[counting]
    return kept[case.firsts({role: a[counting] for role, a in arrays.items()})] if case.per == "group" else kept


def row_values(case: Any, arrays: Any, weight: Any) -> Any:
    """The values of rows that count, by hand."""
    out, reduction = elements(case, arrays), case.reduction
    if isinstance(reduction, (Ratio, Product)):
        values = out[0]
    elif isinstance(reduction, Pooled):
        values = out["row"]
    elif isinstance(reduction, RootMeanSquare):
        values = np.sqrt(np.mean(out.reshape(len(out), -1) ** 2, axis=1))
    elif isinstance(reduction, Extreme):
        values = np.max(out.reshape(len(out), -1), axis=1)
    elif reduction.row_mode == "sum":
        values = np.sum(out.reshape(len(out), -1), axis=1)
    else:
        values = np.mean(out.reshape(len(out), -1), axis=1)
    return values[counted(case, arrays, weight) > 0]


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_order_statistics_are_of_unweighted_rows(plain, weighted):
    """min max median pNN std: over the values of rows of weight above zero, whatever their weights."""
    if plain.per == "dataset":
        pytest.skip("no row has a value")
    arrays = plain.sample(ROWS)
    weight = np.asarray(beside(plain, arrays)["w"]) if weighted else np.ones(ROWS)
    table, request = {**arrays, "w": weight}, Request(weight="w" if weighted else None)
    values = row_values(plain, arrays, weight)
    expected = {
        "min": values.min(),
        "max": values.max(),
        "median": np.median(values),
        "p25": np.quantile(values, 0.25),
        "p90": np.quantile(values, 0.9),
        "p99.5": np.quantile(values, 0.995),
        "p100": values.max(),
        "p0": values.min(),
    }
    for view, number in expected.items():
        family = "pNN" if view.startswith("p") else view
        if family in plain.reduction.views:
            result = value_of(plain, table, request, reduction=view)
            assert result.value == pytest.approx(number, rel=1e-15, abs=1e-300)
            assert result.divisor is None
    if "std" in plain.reduction.views:
        found = value_of(plain, table, request, reduction="std").value
        assert found == pytest.approx(np.std(values, ddof=1), rel=1e-12)
    stats = run_case(plain, table, request, rows=0, stats=True).results[0].stats
    for name in ("min", "max", "median", "p90"):
        assert stats[name] == pytest.approx(expected[name], rel=1e-15, abs=1e-300)
    assert stats["p99"] == pytest.approx(np.quantile(values, 0.99), rel=1e-15, abs=1e-300)
    assert stats["std"] == pytest.approx(np.std(values, ddof=1), rel=1e-12)


def test_deviation_is_rounded_once(plain):
    """The sample deviation of the very values that are shown, from Fractions."""
    if plain.per == "dataset":
        pytest.skip("no row has a value")
    arrays = spread_sizes(plain, plain.sample(ROWS))
    report = run_case(plain, arrays, rows=EVERY_ROW, stats=True)
    values = [Fraction(sample.values[0]) for sample in report.samples if sample.values[0] is not None]
    n, mean = len(values), sum(values) / len(values)
    found = report.results[0].stats["std"]
    assert is_root(found, sum((v - mean) ** 2 for v in values) / (n - 1))


def test_other_reductions_are_refused(plain):
    """What a loss does not declare is a usage error that lists what it has."""
    arrays = plain.sample(4)
    views = plain.reduction.views
    for view in ("mean", "sum", "prod", "set", "min", "max", "median", "p90", "std", "none", "mode", "p101", ""):
        family = "pNN" if view == "p90" else view
        if family in views:
            value = value_of(plain, arrays, reduction=view).value
            assert (value is None) == (view == "none")
        elif view:
            with pytest.raises(UsageError, match=plain.entry.name) as caught:
                value_of(plain, arrays, reduction=view)
            assert (caught.value.exit, caught.value.code) == (2, "bad-reduction")
            assert views[0] in caught.value.hint


def test_default_reduction_is_the_first(plain):
    arrays = plain.sample(ROWS)
    default = value_of(plain, arrays)
    asked = value_of(plain, arrays, reduction=plain.reduction.views[0])
    assert default.reduction == plain.reduction.views[0]
    assert default == asked


def test_several_losses_in_one_pass(cases):
    """Losses of the same inputs side by side give the digits they give alone."""
    by_form: dict[Any, list[Any]] = {}
    for case in cases:
        # Scores of one kind may be logits for one loss and log-probabilities for another.
        forms = (getattr(i.kind, "fixed", None) or case.params.get("input") for i in case.inputs)
        said = (i.kind.describe(case.entry.fixed) for i in case.inputs)
        kinds = tuple((i.role, *words) for i, *words in zip(case.inputs, forms, said, strict=True))
        kinds += tuple((role, np.shape(array)) for role, array in case.beside.items())
        if not case.given:
            by_form.setdefault((kinds, case.forms), []).append(case)
    tried = 0
    for together in by_form.values():
        arrays = together[0].sample(ROWS)
        together = [case for case in together if case.accepts(arrays)]
        names = list(dict.fromkeys(case.entry.name for case in together))
        if len(names) < 2:
            continue
        calls = [LossCall.make(name, {}) for name in names]
        table = {name: column for case in together for name, column in case.table(arrays).items()}
        request = Request(batch="batch" if "batch" in arrays else None)
        report = run(calls, [MemorySource(table)], request, Options(rows=0, chunk_rows=5))
        alone = [value_of(case, arrays) for case in together]
        assert [r.value for r in report.results] == [r.value for r in alone]
        tried += 1
    assert tried > 2
    assert reduce(lambda a, b: a + len(b), by_form.values(), 0) == len([c for c in cases if not c.given])
