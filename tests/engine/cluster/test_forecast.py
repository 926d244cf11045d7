"""What a plan says that workers would be given is what they then are given."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl.data.inputs import Inputs
from lossctl.data.roles.binding import Request
from lossctl.data.shards.source import ShardedSource
from lossctl.engine.cluster import plan
from lossctl.engine.options import Options, Plan
from lossctl.engine.outline import outline
from lossctl.engine.ready import ready
from lossctl.engine.run import run
from lossctl.errors import UsageError
from lossctl.model.call import parse_calls

ROWS = 4000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecast")
    rng = np.random.default_rng(3)
    for name in ("shards", "preds", "truth"):
        (folder / name).mkdir()
    for place in range(40):
        pred, true = rng.normal(size=(2, ROWS // 40))
        table = pa.table({"y_pred": pred, "y_true": true, "g": rng.integers(0, 200, len(pred)).astype(str)})
        pq.write_table(table, folder / "shards" / f"{place:02}.parquet")
        pq.write_table(pa.table({"y_pred": pred}), folder / "preds" / f"{place:02}.parquet")
        pq.write_table(pa.table({"y_true": true}), folder / "truth" / f"{place:02}.parquet")
    return folder


def dealt(losses, paths, request=Request(), **asked):  # noqa: B008
    inputs, options = Inputs(tuple(map(str, paths)), {}), Options(engine="dask", **asked)
    _, binding, jobs = ready(parse_calls(losses), inputs.open()[0], request, options)
    return inputs, options, outline(binding, jobs, options)


def done(crew, losses, inputs, options, request=Request()):  # noqa: B008
    """The tasks and the states that an engine has seen."""
    seen = {"tasks": [], "states": []}

    class Watching:
        def run(self, partial, merge, tasks, told):
            few = list(tasks)
            seen["tasks"].append(few)

            def weighed(task):
                seen["states"].append(len(found := partial(task)))
                return found

            return crew.run(weighed, merge, iter(few), told)

        def close(self):
            pass

    run(parse_calls(losses), inputs.open()[0], request, options, inputs=inputs, engine=Watching())
    return seen


@pytest.mark.parametrize(
    ("losses", "asked"), [("mse", {}), ("mse", {"ci": Plan(resamples=10)}), ("mse,mae,huber,log-cosh", {})]
)
def test_tasks_are_those_of_the_run(crews, folder, monkeypatch, losses, asked):
    monkeypatch.setattr(plan, "LEAST", 5000)
    monkeypatch.setattr(plan, "FILES", 7)
    inputs, options, told = dealt(losses, [folder / "shards"], **asked)
    seen = done(crews.Shuffled(0), losses, inputs, options)
    *counting, scoring = seen["tasks"]
    assert told.dealt.obstacle is None
    assert told.dealt.counting == sum(map(len, counting))
    assert (told.rows, told.sources[0].rows) == (None, None)
    if told.guessed:
        assert told.dealt.way == "rows"
        assert 0.5 * len(scoring) <= told.tasks <= 2 * len(scoring)
    else:
        assert told.tasks == told.dealt.tasks == len(scoring)
        assert told.dealt.task_bytes == max(plan.Task.load(task).size for _, task in scoring)
    assert 16**told.dealt.levels >= told.tasks > 16 ** (told.dealt.levels - 1)


def test_files_in_step_are_counted_first(crews, folder):
    inputs, options, told = dealt("mse", [folder / "preds", folder / "truth"])
    seen = done(crews.Shuffled(0), "mse", inputs, options)
    assert (told.dealt.way, told.guessed) == ("rows", True)
    assert told.dealt.counting == sum(map(len, seen["tasks"][:-1])) == 2
    assert told.tasks == len(seen["tasks"][-1]) == 1


@pytest.mark.parametrize("losses", ["mse", "mse,mae,huber,log-cosh", "mse,mae,rmse,huber,log-cosh,mape,r2,smape"])
@pytest.mark.parametrize("by", [(), ("g",)])
def test_states_are_about_as_large_as_it_says(crews, folder, losses, by):
    request = Request(by=by)
    inputs, options, told = dealt(losses, [folder / "shards"], request)
    (state,) = done(crews.Shuffled(0), losses, inputs, options, request)["states"]
    about = told.dealt.state_bytes + 200 * told.dealt.slice_bytes
    assert bool(told.dealt.slice_bytes) == bool(by)
    assert about / 2 < state < about * 2


def test_values_of_all_rows_travel(crews, folder):
    inputs, options, told = dealt("median-ae", [folder / "shards"])
    (state,) = done(crews.Shuffled(0), "median-ae", inputs, options)["states"]
    about = told.dealt.state_bytes + ROWS * told.dealt.row_bytes
    assert told.dealt.row_bytes
    assert about / 2 < state <= about


def test_no_file_is_opened_but_the_first(folder, monkeypatch):
    opened = []
    first = ShardedSource._open

    def watched(self, place, wanted):
        opened.append(place)
        return first(self, place, wanted)

    monkeypatch.setattr(ShardedSource, "_open", watched)
    for paths in ([folder / "shards"], [folder / "preds", folder / "truth"]):
        dealt("mse", paths)
        assert set(opened) <= {0}
    _, _, told = dealt("mse", [folder / "shards"], limit=7)  # all on one machine: files are looked into as ever
    assert told.dealt.obstacle == "--limit counts rows from the start"
    assert told.dealt.tasks == 0
    assert told.sources[0].rows == ROWS


def test_large_files_are_cut(folder, monkeypatch):
    monkeypatch.setattr(plan, "LEAST", 1000)
    _, _, told = dealt("mse", [folder / "shards"])
    assert told.dealt.way == "pieces"
    assert told.tasks > 40


def test_what_is_no_file_is_refused(folder, monkeypatch):
    inputs, options, _ = dealt("mse", [folder / "shards"])
    _, binding, jobs = ready(parse_calls("mse"), inputs.open()[0], Request(), options)
    from lossctl.data.arrays.memory import MemorySource

    array = MemorySource({"pred": np.zeros(3), "target": np.ones(3)})
    _, binding, jobs = ready(parse_calls("mse"), [array], Request(), options)
    with pytest.raises(UsageError, match="no file that workers could open"):
        outline(binding, jobs, options)
