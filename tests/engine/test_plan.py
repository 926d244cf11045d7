"""The plan of a run: what it says is what the run then does, and what cannot fit is refused before it begins."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.inputs import open_inputs
from lossctl.data.roles.binding import Request
from lossctl.engine import work as at_work
from lossctl.engine.options import Options
from lossctl.engine.options import Plan as Interval
from lossctl.engine.outline import Outline, outline
from lossctl.engine.ready import ready
from lossctl.engine.run import run
from lossctl.engine.scoring import Opened, score_files
from lossctl.engine.watch import Pass, Tick
from lossctl.engine.work import Work
from lossctl.errors import DataError, UsageError
from lossctl.model.call import parse_calls

ROWS = 5000
RNG = np.random.default_rng(7)
TABLE = {
    "pred": RNG.normal(size=ROWS),
    "target": RNG.normal(size=ROWS),
    "by": np.array(["a", "b", "c", "d"])[np.arange(ROWS) % 4],
    "w": RNG.uniform(1, 2, size=ROWS),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    table = pa.table({**TABLE, "other": TABLE["pred"]})
    pq.write_table(table, folder / "t.parquet", row_group_size=1000)
    (folder / "shards").mkdir()
    for k in range(3):
        pq.write_table(table.slice(k * 1000, 1000 + 500 * k), folder / "shards" / f"{k}.parquet", row_group_size=400)
    np.save(folder / "p.npy", TABLE["pred"])
    np.save(folder / "t.npy", TABLE["target"])
    with open(folder / "t.csv", "w") as file:
        file.write(
            "pred,target\n"
            + "".join(f"{p!r},{t!r}\n" for p, t in np.stack([TABLE["pred"], TABLE["target"]], 1).tolist())
        )
    with open(folder / "t.jsonl", "w") as file:
        file.write("".join(f'{{"pred": {p}, "target": 1}}\n' for p in TABLE["pred"].tolist()))
    return folder


def planned(losses: str, sources: list[Any], request: Request | None = None, **options: Any) -> Outline:
    settled = Options(**options)
    _, binding, jobs = ready(parse_calls(losses), sources, request or Request(), settled)
    return outline(binding, jobs, settled)


@pytest.mark.parametrize(
    ("files", "cut"),
    [
        (["t.parquet"], "row-groups"),
        (["shards"], "row-groups"),
        (["p.npy", "t.npy"], "rows"),
        (["p.npy", "t.parquet"], "rows"),
        (["t.jsonl"], "none"),
    ],
    ids=["parquet", "shards", "npy", "mixed", "jsonl"],
)
@pytest.mark.parametrize("limit", [None, 1234])
def test_tasks_are_those_of_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, files: list[str], cut: str, limit: int | None
) -> None:
    paths = [str(folder / name) for name in files]
    request = Request(roles={"target": "target"} if "t.parquet" in files[1:] else {})
    plan = planned("mse", open_inputs(paths, {})[0], request, chunk_rows=700, limit=limit)
    drive, made = at_work.drive, []

    def counting(tasks: Any, *others: Any) -> None:
        drive((made.append(task) or task for task in tasks), *others)

    monkeypatch.setattr(at_work, "drive", counting)
    report = run(parse_calls("mse"), open_inputs(paths, {})[0], request, Options(chunk_rows=700, limit=limit))
    assert plan.cut == ("none" if limit else cut)
    assert plan.tasks in {None, len(made)}
    assert (plan.tasks is None) == (plan.rows is None)
    assert plan.rows in {None, report.read}
    if cut != "none" and files != ["shards"]:
        assert plan.rows == report.read
    assert plan.guessed is False
    assert plan.chunk_rows == 700


def test_text_is_guessed_from_its_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(folder / "t.csv")
    plan = planned("mse", open_inputs([path], {})[0])
    (one,) = plan.sources
    assert (plan.cut, plan.guessed, plan.rows) == ("byte-ranges", True, None)
    assert one.bytes == os.path.getsize(path)
    assert one.columns == ("pred", "target")
    drive, made = at_work.drive, []

    def counting(tasks: Any, *others: Any) -> None:
        drive((made.append(task) or task for task in tasks), *others)

    monkeypatch.setattr(at_work, "drive", counting)
    run(parse_calls("mse"), open_inputs([path], {})[0], Request(), Options())
    assert plan.tasks is not None
    assert abs(plan.tasks - len(made)) <= 1


def test_sources_are_what_is_read(folder: Path) -> None:
    plan = planned("mse,mae", open_inputs([str(folder / "shards")], {})[0], Request(by=("by",)))
    (one,) = plan.sources
    assert (one.files, one.rows, one.columns) == (3, 4500, ("pred", "target", "by"))
    assert one.bytes == sum(os.path.getsize(folder / "shards" / name) for name in os.listdir(folder / "shards"))
    assert planned("mse", [MemorySource(TABLE)]).sources[0].bytes is None


def test_nothing_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("t.parquet", "shards", "t.csv", "t.jsonl"):
        sources = open_inputs([str(folder / name)], {})[0]
        for source in sources:
            for method in ("blocks", "between"):
                if hasattr(source, method):
                    monkeypatch.setattr(source, method, lambda *_: pytest.fail("rows were read"), raising=False)
        assert planned("mse,median-ae", sources).losses == ("mse", "median-ae")


def test_passes_and_threads() -> None:
    labels = {"pred": TABLE["pred"], "target": np.arange(ROWS) % 2}
    assert planned("balanced-sigmoid-ce", [MemorySource(labels)]).passes == 2
    assert planned("mse", [MemorySource(TABLE)]).passes == 1
    assert planned("mse", [MemorySource(TABLE)], threads=5, chunk_rows=100).threads == 5
    assert planned("mse", [MemorySource(TABLE)], threads=5, chunk_rows=ROWS).threads == 1  # a single task
    lists = {**labels, "group": np.arange(ROWS) // 10}
    assert planned("ndcg-loss", [MemorySource(lists)], threads=5, chunk_rows=100).threads == 1


# What is held


KEPT = [
    ("median-ae", {}, {}),
    ("median-ae", {"by": ("by",)}, {}),
    ("median-ae", {"weight": "w"}, {}),
    ("median-ae", {}, {"ci": Interval()}),
    ("median-ae", {}, {"per_column": True}),
    ("d2-pinball", {}, {}),
]


@pytest.mark.parametrize(("loss", "request_", "options"), KEPT)
@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_kept_values_take_what_was_said(loss: str, request_: Any, options: Any, width: int, dtype: str) -> None:
    shape = (ROWS,) if width == 1 else (ROWS, width)
    table = {**TABLE, **{role: RNG.normal(size=shape).astype(dtype) for role in ("pred", "target")}}
    settled, request = Options(threads=1, chunk_rows=777, **options), Request(**request_)
    request, binding, jobs = ready(parse_calls(loss), [MemorySource(table)], request, settled)
    (need,) = outline(binding, jobs, settled).needs
    work = Work(binding, jobs, request, settled)
    work.score()
    assert (need.loss, need.kind, need.fits, need.beyond) == (loss, "values", True, "refused")
    assert need.exact == ("weight" not in request_)
    assert need.bytes == jobs[0].room.kept


@pytest.mark.parametrize("by", [(), ("by",)])
def test_quantiles_take_what_was_said(by: tuple[str, ...]) -> None:
    settled = Options(threads=1, chunk_rows=777, reduction="p90", memory=10_000)
    request, binding, jobs = ready(parse_calls("mae"), [MemorySource(TABLE)], Request(by=by), settled)
    (need,) = outline(binding, jobs, settled).needs
    work = Work(binding, jobs, request, settled)
    work.score()
    assert need.bytes == jobs[0].room.collected
    assert (need.kind, need.fits, need.beyond) == ("quantiles", False, "spooled")
    for reduction, beyond in (("mean", "approximate"), ("p90", "spooled")):
        assert planned("mae", [MemorySource(TABLE)], stats=True, reduction=reduction).needs[0].beyond == beyond


def test_keys_are_paired_first() -> None:
    """Rows without a partner may be left out: nothing is sure before the keys are paired."""
    key = np.arange(ROWS)
    half = {"id": key[::2], "target": TABLE["target"][::2]}
    sources = [MemorySource({"id": key, "pred": TABLE["pred"]}, name="p"), MemorySource(half, name="t")]
    request = Request(key=("id",), unmatched="drop")
    plan = planned("median-ae", sources, request, memory=70_000)
    assert (plan.paired, plan.tasks, plan.cut) == (True, None, "none")
    assert [need.exact for need in plan.needs] == [False]
    assert run(parse_calls("median-ae"), sources, request, Options(memory=70_000, threads=1)).scored == ROWS // 2


def test_sums_hold_nothing() -> None:
    assert planned("mse,r2", [MemorySource(TABLE)]).needs == ()


def test_unknown_rows_are_no_number(folder: Path) -> None:
    (need,) = planned("median-ae", open_inputs([str(folder / "t.csv")], {})[0]).needs
    assert (need.bytes, need.fits) == (None, None)


# What cannot fit


class Unread(MemorySource):
    """A table that nobody may read."""

    def blocks(self, *_: Any) -> Any:
        raise AssertionError("rows were read")


def refused(source: Any, losses: str = "median-ae", **options: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        run(parse_calls(losses), [source], Request(), Options(threads=1, **options))
    assert (caught.value.code, caught.value.exit) == ("memory", 2)
    return caught.value


def test_refused_before_a_row_is_read() -> None:
    error = refused(Unread(TABLE), memory=70_000)
    said = "median-ae is a number of all 5,000 values at once: 80,000 bytes, and --memory allows 70,000"
    assert error.message == said
    assert "--memory 1M" in str(error.hint)
    assert (
        run(parse_calls("median-ae"), [MemorySource(TABLE)], Request(), Options(memory=80_000, threads=1)).read == ROWS
    )
    assert run(parse_calls("median-ae"), [MemorySource(TABLE)], Request(), Options(memory=70_000, limit=99)).read == 99


@pytest.mark.parametrize("limit", [1 << 14, 12_345])
def test_the_plan_says_so(limit: int) -> None:
    (need,) = planned("median-ae", [Unread(TABLE)], memory=limit).needs
    assert (need.bytes, need.fits, need.beyond) == (80_000, False, "refused")


def test_rows_that_may_be_left_out_are_not_counted_beforehand() -> None:
    """With most rows left out it fits; with all of them there it is refused on the way."""
    table = {**TABLE, "pred": np.where(np.arange(ROWS) % 2, np.nan, TABLE["pred"])}
    assert run(parse_calls("median-ae"), [MemorySource(table)], Request(), Options(nan="skip", memory=50_000)).scored
    assert "so far" in refused(MemorySource(TABLE), nan="skip", memory=50_000).message


def test_a_loss_of_a_set_is_left_out() -> None:
    calls = parse_calls("@regression")
    report = run(calls, [MemorySource(TABLE)], Request(), Options(memory=70_000, nan="error"))
    assert "mse" in {r.loss for r in report.results}
    assert "median-ae" not in {r.loss for r in report.results}
    assert any("median-ae" in note.message for note in report.warnings)


# What a run tells while it lasts


def watched() -> tuple[list[tuple[Pass, list[int]]], Callable[[Pass], Tick]]:
    told: list[tuple[Pass, list[int]]] = []

    def watch(one: Pass) -> Tick:
        rows: list[int] = []
        told.append((one, rows))
        return rows.append

    return told, watch


@pytest.mark.parametrize("threads", [1, 3])
def test_every_row_is_told(threads: int) -> None:
    told, watch = watched()
    run(parse_calls("mse"), [MemorySource(TABLE)], Request(), Options(threads=threads, chunk_rows=100), watch=watch)
    ((one, rows),) = told
    assert one == Pass("", ROWS)
    assert rows == sorted(rows)
    if threads == 1:
        assert rows == list(range(100, ROWS + 1, 100))


def test_every_pass_is_told() -> None:
    labels = {"pred": TABLE["pred"], "target": np.arange(ROWS) % 2}
    told, watch = watched()
    run(parse_calls("balanced-sigmoid-ce"), [MemorySource(labels)], Request(), Options(limit=500), watch=watch)
    assert [one for one, _ in told] == [Pass("first look", 500), Pass("", 500)]
    told, watch = watched()
    lists = {**labels, "group": np.arange(ROWS) % 7}
    run(parse_calls("ndcg-loss"), [MemorySource(lists)], Request(), Options(chunk_rows=50), watch=watch)
    assert [one.aim for one, _ in told] == ["", "again, lists gathered"]


def test_every_file_is_told() -> None:
    told, watch = watched()

    def missing() -> Any:
        raise DataError("no such file", code="not-found")

    files = {
        "a": lambda: Opened([MemorySource(TABLE)], Request(), {}),
        "b": missing,
        "c": lambda: Opened([MemorySource(TABLE)], Request(), {}),
    }
    score_files(parse_calls("mse"), files, Options(), keep_going=True, watch=watch)
    assert [one for one, _ in told] == [Pass("", ROWS, "a", 1, 3), Pass("", ROWS, "c", 3, 3)]
