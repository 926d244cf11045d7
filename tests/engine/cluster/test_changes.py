"""A file that is written anew between two passes of a run has the rows that it had, or is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import lossctl
from lossctl.engine.cluster import dask
from lossctl.errors import DataError
from tests.engine.cluster.crews import Shuffled


class Meddling(Shuffled):
    """Does something before the second pass."""

    def __init__(self, meddle):
        super().__init__(1)
        self.meddle = meddle
        self.passes = 0

    def run(self, *args):
        self.passes += 1
        if self.passes == 2:
            self.meddle()
        return super().run(*args)


def put(folder, place, rows, kind):
    draw = np.random.default_rng(rows)
    table = pd.DataFrame({"pred": draw.normal(size=rows), "target": np.arange(rows) % 2.0})
    path = folder / f"part-{place}.{kind}"
    if kind == "parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize("rows", [3, 5, 8])
@pytest.mark.parametrize(
    ("losses", "options"),
    [
        ("mse", {"per_sample": "samples.parquet"}),
        ("mse", {"ci": 0.9, "ci_method": "bootstrap", "resamples": 100}),
        ("balanced-sigmoid-ce", {}),
    ],
)
def test_rows_that_come_or_go_between_two_passes_are_told(tmp_path, monkeypatch, losses, options, rows, kind):
    folder = tmp_path / "shards"
    folder.mkdir()
    for place in range(6):
        put(folder, place, 5, kind)
    engine = Meddling(lambda: put(folder, 3, rows, kind))
    monkeypatch.setattr("lossctl.engine.cluster.plan.FILES", 2)
    monkeypatch.setattr(dask, "hire", lambda options: engine)
    monkeypatch.chdir(tmp_path)
    if rows == 5:
        assert lossctl.compute(losses, str(folder), engine="dask", **options).n == 30
    else:
        with pytest.raises(DataError, match="changed while the run lasted") as caught:
            lossctl.compute(losses, str(folder), engine="dask", **options)
        assert (caught.value.code, caught.value.file) == ("changed", str(folder / f"part-3.{kind}"))
    assert engine.passes == 2
