"""States that have been bytes: whatever was asked for, the report is that of one process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.roles.binding import Request
from lossctl.engine.options import Options, Plan
from lossctl.engine.ready import ready
from lossctl.engine.run import run
from lossctl.engine.state import State
from lossctl.engine.wire.addresses import UNIT_BITS, relocate
from lossctl.engine.wire.frame import pack, unpack
from lossctl.engine.wire.notes import error_in, error_out
from lossctl.engine.wire.states import state_in, state_out
from lossctl.errors import DataError, LossctlError, OutputError, UsageError
from lossctl.model.call import parse_calls

ROWS = 97


def columns(rows: int = ROWS) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    target = rng.normal(size=rows) * 10.0 ** rng.integers(-9, 9, rows)
    pred = target + rng.normal(size=rows) * 10.0 ** rng.integers(-9, 9, rows)
    pred[[11, 40]] = np.nan
    scores = rng.uniform(0.01, 0.99, (rows, 3))
    return {
        "id": [f"k{i}" for i in range(rows)],
        "pred": pred,
        "target": target,
        "wide": rng.normal(size=(rows, 3)) * 1e3,
        "truth": rng.normal(size=(rows, 3)),
        "probs": scores / scores.sum(axis=1, keepdims=True),
        "class": rng.integers(0, 3, rows),
        "said": [["b\ud800", "a", "c", "7"][i] for i in rng.integers(0, 4, rows)],
        "true": [["a", "b\ud800", "7", "c"][i] for i in rng.integers(0, 4, rows)],
        "w": rng.uniform(0, 3, rows) * (rng.random(rows) < 0.8),
        "m": (rng.random(rows) < 0.9).astype(float),
        "g": [["red", None, "blue", ""][i] for i in rng.integers(0, 4, rows)],
        "h": rng.integers(0, 9, rows),
    }


LOSSES: dict[str, tuple[dict[str, str], str]] = {  # with the settings that they can follow
    "mse,huber,r2,median-ae,log-cosh": ({}, "slices stats drawn columns propagate rows"),
    "mse,huber,log-cosh": ({}, "normal median least none"),
    "mse,huber": ({"pred": "wide", "target": "truth"}, "slices stats drawn columns median"),
    "cross-entropy:input=probs,brier": ({"pred": "probs", "target": "class"}, "slices stats drawn classes rows"),
    "jaccard-hard:average=macro": ({"pred": "said", "target": "true"}, "by stats drawn by-class"),
    "zero-one": ({"pred": "said", "target": "true"}, "slices stats drawn normal classes rows none"),
}
SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "slices": ({"by": ("g", "h"), "weight": "w"}, {"rows": -1}),
    "stats": ({"by": ("g",), "mask": "m"}, {"stats": True}),
    "drawn": ({"by": ("g",), "weight": "w"}, {"ci": Plan(resamples=30)}),
    "normal": ({"by": ("g",)}, {"ci": Plan(method="normal")}),
    "classes": ({"by": ("g",), "key": ("id",)}, {"per_class": True, "worst": 9}),
    "columns": ({"by": ("g",)}, {"per_column": True}),
    "propagate": ({}, {"nan": "propagate", "worst": 4, "stats": True}),
    "median": ({"by": ("h",), "weight": "w"}, {"reduction": "median"}),
    "least": ({}, {"reduction": "min"}),
    "rows": ({"key": ("id",), "mask": "m"}, {"rows": 7, "weight_norm": "n"}),
    "by": ({"by": ("g", "h"), "weight": "w"}, {}),
    "by-class": ({"by": ("g",)}, {"per_class": True}),
    "none": ({"key": ("id",)}, {"reduction": "none"}),
}


SMALL: dict[str, Any] = {"empty": "nan", "chunk_rows": 10}


def outcome(go: Any) -> Any:
    """What a run says, or the error that it ends with."""
    try:
        return go()
    except LossctlError as error:
        return type(error), vars(error)


def compared(scattered: Any, losses: str, table: Any, request: Request, options: Options, cut: int, **how: Any) -> Any:
    """What one process says; the same as what several say."""
    one = outcome(lambda: scattered.said(run(parse_calls(losses), [MemorySource(table)], request, options)))
    for seed in (1, 2):
        made = outcome(
            lambda s=seed: scattered.said(
                scattered.Parts(
                    parse_calls(losses),
                    lambda: [MemorySource(table)],
                    request,
                    options,
                    cut,
                    seed=s,
                    tree=s == 2,
                    **how,
                ).run()
            )
        )
        assert made == one
    return one


@pytest.mark.parametrize("addresses", [False, True], ids=["rows", "addresses"])
@pytest.mark.parametrize(
    ("losses", "name"), [(losses, name) for losses, (_, names) in LOSSES.items() for name in names.split()]
)
def test_whatever_was_asked_for(scattered, losses, name, addresses):
    wanted, options = SETTINGS[name]
    request, given = Request(roles=LOSSES[losses][0], **wanted), Options(**{"nan": "skip", **SMALL, **options})
    known = ("c", "a", "7") if "said" in LOSSES[losses][0].values() else ()
    assert isinstance(
        compared(scattered, losses, columns(), request, given, 30, addresses=addresses, known=known), list
    )


@pytest.mark.parametrize("memory", [1 << 15, 1 << 30], ids=["little", "much"])
@pytest.mark.parametrize("options", [{"stats": True}, {"reduction": "p90"}], ids=["stats", "p90"])
def test_values_beyond_memory(scattered, options, memory):
    """Bins with counts, or values from a temporary file, by group."""
    given = Options(**options, nan="skip", chunk_rows=1000, memory=memory, threads=1)
    one = compared(scattered, "mse", columns(9000), Request(by=("g",)), given, 3000)
    assert ("approximate" in str(one)) == (memory == 1 << 15 and "stats" in options)


def test_kept_values_count_for_memory(scattered):
    given = Options(nan="skip", chunk_rows=1000, memory=1 << 16, limit=None)
    table = columns(9000)
    kind, error = compared_code(scattered, "median-ae", table, Request(mask="m"), given, 3000)
    assert (kind, error) == (UsageError, "memory")


def compared_code(scattered: Any, losses: str, table: Any, request: Request, options: Options, cut: int) -> Any:
    parts = scattered.Parts(parse_calls(losses), lambda: [MemorySource(table)], request, options, cut)
    kind, said = outcome(parts.run)
    return kind, said["code"]


@pytest.mark.parametrize("addresses", [False, True], ids=["rows", "addresses"])
@pytest.mark.parametrize(
    ("losses", "column", "rows", "value"),
    [
        ("bce", "pred", [13, 70, 71, 90], 1.5),
        ("bce", "pred", [70], np.nan),
        ("hinge", "target", [3, 80], -1.0),
        ("zero-one", "pred", [11, 55], 0.25),
    ],
)
def test_errors_name_the_first_rows(scattered, losses, column, rows, value, addresses):
    """Bad values, and verdicts over the whole file: the same message, places and count."""
    rng = np.random.default_rng(1)
    table = {"pred": rng.uniform(0.1, 0.9, ROWS), "target": rng.integers(0, 2, ROWS).astype(float)}
    if losses == "zero-one":
        table["pred"] = np.round(table["pred"])
    table[column][rows] = value
    kind, error = compared(scattered, losses, table, Request(), Options(chunk_rows=10), 30, addresses=addresses)
    assert kind is DataError
    assert error["row"] == min(rows) + 1 or error["code"] == "mixed-labels"


@pytest.mark.parametrize("addresses", [False, True], ids=["rows", "addresses"])
def test_text_against_numbers_is_seen_across_parts(scattered, addresses):
    """One side is text, the other numbers: no part alone would tell which row came first."""
    table = {"pred": ["1"] * 40 + ["x"] * 57, "target": ["1"] * 97}
    kind, error = compared(scattered, "zero-one", table, Request(), Options(chunk_rows=10), 30, addresses=addresses)
    assert (kind, error["code"]) == (DataError, "labels-differ")
    assert "row 41" in error["message"]


@pytest.mark.parametrize("addresses", [False, True], ids=["rows", "addresses"])
def test_losses_of_a_set_are_left_out_as_by_one_process(scattered, addresses):
    table = columns()
    table = {"pred": np.abs(np.nan_to_num(table["pred"])), "target": np.abs(table["target"])}
    table["target"][[33, 90]] = 0.0
    table["pred"][77] = -1.0
    options = Options(chunk_rows=10, worst=5)
    one = compared(scattered, "@regression", table, Request(), options, 30, addresses=addresses)
    assert "left-out" in one[-1]
    assert "row 34" in one[-1]


def test_warnings_are_counted_over_parts(scattered):
    probs = columns()["probs"].copy()
    probs[[5, 40, 41, 88], 0] += [3e-5, 3e-5, 3e-5, 4e-5]
    table = {"pred": probs, "target": columns()["class"]}
    losses = "cross-entropy:input=probs"
    one = compared(scattered, losses, table, Request(), Options(chunk_rows=10), 30, addresses=True)
    assert "4 rows of pred" in one[-1]
    assert "row 89" in one[-1]


def test_positive_label_of_another_part(scattered):
    table = {"pred": np.linspace(0.1, 0.9, ROWS), "target": ["no"] * 60 + ["yes"] * 37}
    request = Request(positive="yes")
    assert "positive-unseen" not in str(compared(scattered, "bce", table, request, Options(chunk_rows=10), 30))
    table["target"] = ["no"] * ROWS
    assert "positive-unseen" in str(compared(scattered, "bce", table, request, Options(chunk_rows=10), 30))


def test_errors_come_back_as_they_were():
    for kind in (LossctlError, UsageError, DataError, OutputError):
        error = kind("a \udcff", code="x", file="f", row=2**50, column="c", details=("d", "e"), hint="h")
        again = error_in(unpack(pack({}, error_out(error)))[1])
        assert (type(again), vars(again), str(again)) == (kind, vars(error), str(error))
    assert vars(error_in(error_out(DataError("m")))) == vars(DataError("m"))


def made(losses: str, options: Options, request: Request | None = None) -> tuple[State, Any]:
    """A state of the rows of a small table, and a fresh one."""
    calls = parse_calls(losses)
    states = []
    for _ in range(2):
        _, binding, jobs = ready(calls, [MemorySource(columns())], request or Request(), options)
        states.append(State(binding, jobs))
    from lossctl.data.tasks import chunks

    for chunk in chunks(states[0].binding, 10, None):
        states[0].score(chunk)
    return states[0], states[1]


def test_states_of_other_runs_are_refused():
    given = Options(nan="skip")
    state, _ = made("mse", given, Request(by=("g",)))
    tree = state_out(state)
    for losses, options, request in (
        ("huber", given, Request(by=("g",))),
        ("mse", given._replace(stats=True), Request(by=("g",))),
        ("mse", given._replace(per_class=True), Request(by=("g",))),
        ("mse", given._replace(ci=Plan()), Request(by=("g",))),
        ("mse", given, Request()),
        ("mse", given, Request(by=("g", "h"))),
    ):
        _, fresh = made(losses, options._replace(per_class=False), request)
        fresh = State(fresh.binding, [job.twin() for job in fresh.jobs])
        if options.per_class:
            from lossctl.engine.books import Classes

            fresh.jobs[0].classes = Classes(fresh.jobs[0].new_tally())
        with pytest.raises(DataError) as caught:
            state_in(tree, fresh.binding, fresh.jobs)
        assert caught.value.code == "state"


def test_open_lists_are_not_written():
    calls = parse_calls("listnet")
    table = {"pred": [0.1, 0.2, 0.3], "target": [1.0, 0.0, 2.0], "group": ["a", "a", "b"]}
    _, binding, jobs = ready(calls, [MemorySource(table)], Request(), Options())
    state = State(binding, jobs)
    from lossctl.data.tasks import chunks

    for chunk in chunks(binding, 10, None):
        state.score(chunk)
    with pytest.raises(ValueError, match="open"):
        state_out(state)
    state.rest()
    assert state_out(state)["lists"] == 0


def test_errors_of_left_out_losses_are_located():
    state, _ = made("mse", Options(nan="skip"))
    job = state.jobs[0]
    job.failed, job.failed_in = DataError("no", row=(2 << UNIT_BITS) + 8), (2 << UNIT_BITS) + 7
    relocate(state, None, lambda a: (a >> UNIT_BITS) * 1000 + a % (1 << UNIT_BITS))
    assert (job.failed.row, job.failed_in) == (2008, 2007)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_stands_beside_all_rows_is_checked_once(scattered, bad):
    """Every worker reads it and finds the same: said once, in its own rows."""
    table = {"features": np.random.default_rng(0).normal(size=(ROWS, 2)), "target": np.arange(ROWS) % 5}
    table["prototypes"] = np.random.default_rng(1).normal(size=(5, 2))
    table["prototypes"][[1, 2, 3, 4]] = bad
    kind, error = compared(scattered, "center", table, Request(), Options(chunk_rows=10), 30, addresses=True)
    assert kind is DataError
    assert (error["row"], error["details"][0][-14:]) == (2, "and 1 more row")


@pytest.mark.parametrize("view", ["mean", "sum"])
def test_what_is_added_in_the_end_is_known(scattered, view):
    """A penalty comes from parameters that the process which reports has never read."""
    table = {"pred": np.linspace(0, 1, ROWS), "target": np.zeros(ROWS), "parameters": np.arange(4.0)}
    given = Options(chunk_rows=10, reduction=view)
    one = compared(scattered, "structural-risk", table, Request(), given, 30, addresses=True)
    assert "'penalty': " in one[0]
    assert "'penalty': 0.0" not in one[0]
