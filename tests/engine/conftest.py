"""Runs of the engine over small tables in memory or on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.inputs import open_inputs
from lossctl.data.roles.binding import Request
from lossctl.engine.options import Options
from lossctl.engine.run import run
from lossctl.errors import LossctlError
from lossctl.model.call import parse_calls

REQUEST = ("weight", "mask", "key", "by", "classes", "positive")


@pytest.fixture
def score() -> Callable[..., Any]:
    """``score("mse", table, ..., roles={...}, weight="w", nan="skip")``: a report.

    A table is a dict of columns or the path of a file. With ``overview`` slices also have their mean and the worst.
    """

    def go(losses: str, *tables: Any, roles: dict[str, str] | None = None, overview: bool = False, **given: Any) -> Any:
        wanted = {name: given.pop(name) for name in REQUEST if name in given}
        columns, elsewhere = dict(roles or {}), {}
        if all(isinstance(table, (str, os.PathLike)) for table in tables):
            sources, columns, elsewhere = open_inputs([str(t) for t in tables], columns)
        else:
            sources = [MemorySource(t, name=f"table {i}") for i, t in enumerate(tables)]
        report = run(parse_calls(losses), sources, Request(roles=columns, **wanted), Options(**given), elsewhere)
        seen = [r for r in report.results if overview or r.slice in {"total", "group"}]
        return report._replace(results=seen)

    return go


@pytest.fixture
def fails(score: Any) -> Callable[..., Any]:
    """The error that such a run ends with: ``fails(exit, code, *what score takes)``."""

    def go(exit: int, code: str, *args: Any, **given: Any) -> LossctlError:
        with pytest.raises(LossctlError) as caught:
            score(*args, **given)
        assert (caught.value.exit, caught.value.code) == (exit, code), caught.value
        return caught.value

    return go


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., str]:
    """Writes a CSV file: a header and rows, as lines."""

    def write(header: str, *rows: Any, name: str = "table.csv") -> str:
        lines = [header, *map(str, rows)]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(path)

    return write


@pytest.fixture(params=[1, 2, 1000], ids=["one-row", "two-rows", "whole"])
def chunk(request: pytest.FixtureRequest) -> Any:
    """Rows of a chunk: nothing may depend on it."""
    return request.param
