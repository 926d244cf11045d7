"""Engines for tests: one of this process, and a small Dask cluster."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from lossctl.engine.cluster import dask
from lossctl.engine.options import Options


@pytest.fixture(scope="session")
def crews() -> ModuleType:
    """``crews.py`` beside this file."""
    spec = importlib.util.spec_from_file_location("crews", Path(__file__).with_name("crews.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["crews"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def shuffled(crews: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], object]:
    """``--engine dask`` is done in this process from now on, in an order that the seed gives."""

    def use(seed: int) -> object:
        crew = crews.Shuffled(seed)

        def hire(options: Options) -> object:
            return crew

        monkeypatch.setattr(dask, "hire", hire)
        return crew

    return use


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The address of a scheduler with two workers, each a process."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50) as found:
        yield found.scheduler_address
