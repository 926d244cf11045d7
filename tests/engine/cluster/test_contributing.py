"""The engine that CONTRIBUTING.md shows is a whole one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import lossctl
from lossctl.engine.cluster import dask, plan
from lossctl.errors import DataError

TEXT = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The code block as a module, hired in the place of Dask."""
    (code,) = re.findall(r"```python\n(from collections import deque.*?)```", TEXT, re.DOTALL)
    module = ModuleType("pool")
    exec(compile(code, "CONTRIBUTING.md", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, "pool", module)
    monkeypatch.setattr(dask, "hire", module.hire)
    monkeypatch.setattr(plan, "LEAST", 1)
    return module


def shards(folder: Path, count: int) -> None:
    rng = np.random.default_rng(4)
    for place in range(count):
        rows = rng.normal(size=(50, 2))
        np.savetxt(folder / f"{place:02}.csv", rows, delimiter=",", header="y_pred,y_true", comments="")


def test_it_gives_the_same_digits(pool, tmp_path):
    shards(tmp_path, 20)
    alone = lossctl.compute("mse,r2", str(tmp_path), ci=True, resamples=10)
    dealt = lossctl.compute("mse,r2", str(tmp_path), ci=True, resamples=10, engine="dask", threads=2)
    assert dealt.results == alone.results


def test_it_raises_the_first_failure(pool, tmp_path):
    shards(tmp_path, 6)
    for place in (4, 2):
        (tmp_path / f"{place:02}.csv").write_text("y_pred,y_true\n1,x\n")
    with pytest.raises(DataError, match="'x' is not a number") as caught:
        lossctl.compute("mse", str(tmp_path), engine="dask")
    assert caught.value.file == str(tmp_path / "02.csv")
