"""Targets that many files share are read once."""

from __future__ import annotations

import pandas as pd
import pytest

import lossctl
from lossctl.data.formats import open_source
from lossctl.data.remembered import Remembered


@pytest.fixture
def files(tmp_path):
    truth = pd.DataFrame({"id": ["a", "b", "c"], "y_true": [1.0, 2.0, 4.0], "w": [1.0, 0.0, 2.0], "g": ["x", "y", "x"]})
    truth.to_csv(tmp_path / "truth.csv", index=False)
    for name, shift in (("one", 1.0), ("two", 2.0)):
        frame = pd.DataFrame({"id": truth["id"], "y_pred": truth["y_true"] + shift})
        frame.iloc[::-1].to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def test_columns_are_read_once(files, monkeypatch):
    source = open_source(files / "truth.csv")
    asked = []
    blocks = type(source).blocks
    monkeypatch.setattr(type(source), "blocks", lambda self, *given: (asked.append(given), blocks(self, *given))[1])
    remembered = Remembered(source, 2**20)
    for _ in range(3):
        (block,) = remembered.blocks(["y_true", "w"], [], 10)
        assert block.numbers("y_true").tolist() == [1.0, 2.0, 4.0]
        first, second = remembered.blocks(["w"], [], 2)
        assert (first.numbers("w").tolist(), second.first, second.rows) == ([1.0, 0.0], 2, 1)
    assert len(asked) == 1
    assert [column.name for column in remembered.columns] == ["id", "y_true", "w", "g"]
    assert not hasattr(remembered, "spans")


@pytest.mark.parametrize("memory", ["1G", "50k"])
def test_scores_are_those_of_one_file_at_a_time(files, memory):
    paths = {name: str(files / f"{name}.csv") for name in ("one", "two")}
    given = {"key": "id", "weight": "w", "by": "g", "memory": memory}
    found = lossctl.score("mse,mae", paths, targets=files / "truth.csv", **given)
    for name, path in paths.items():
        alone = lossctl.compute("mse,mae", path, str(files / "truth.csv"), **given)
        assert [r.value for r in found.results[name]] == [r.value for r in alone.results]
