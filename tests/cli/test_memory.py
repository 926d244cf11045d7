"""--memory: quantiles beyond it are exact where they are asked for, and marked where they stand beside."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from lossctl.report.jsonout import schema

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ROWS = 1_000_000
MESSAGE = "all values take 8,000,000 bytes, and --memory allows 1,048,576"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A million rows, as predictions and targets."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(12)
    pred, target = folder / "pred.npy", folder / "target.npy"
    np.save(pred, rng.normal(size=ROWS))
    np.save(target, rng.normal(size=ROWS))
    return pred, target


def test_a_quantile_is_exact_whatever_the_memory(lossctl: Run, large: tuple[Path, Path]) -> None:
    pred, target = large
    small, usual = (
        lossctl("compute", "mae", pred, target, "--reduction", "p90", "-f", "value", "-q", *given)
        for given in (["--memory", "1M"], [])
    )
    assert small.stdout == usual.stdout
    expected = np.quantile(np.abs(np.load(pred) - np.load(target)), 0.9)
    assert float(small.stdout) == pytest.approx(expected, rel=1e-15)
    assert small.stderr == ""


def test_statistics_beyond_memory_are_marked(lossctl: Run, large: tuple[Path, Path]) -> None:
    command = ("compute", "mae", *large, "--stats", "-f", "json", "--rows", "0")
    found = []
    for given in (
        ["--memory", "1M"],
        ["--memory", "1M", "--chunk-rows", "9999"],
        ["--memory", "1M", "--threads", "1"],
        [],
    ):
        done = lossctl(*command, *given)
        assert done.returncode == 0
        document = json.loads(done.stdout)
        jsonschema.validate(document, schema("compute-1"))
        found.append((done.stdout, document, done.stderr))
    small, *again, (_, usual, nothing) = found
    assert [text for text, *_ in again] == [small[0]] * 2
    assert [note["code"] for note in small[1]["warnings"]] == ["approximate"]
    assert MESSAGE in small[2]
    assert "approximate" not in nothing
    near, exact = (document["results"][0]["stats"] for document in (small[1], usual))
    assert near.pop("approximate") is True
    assert "approximate" not in exact
    for name in ("median", "p90", "p99"):
        assert near.pop(name) == pytest.approx(exact.pop(name), rel=0.0039063)
    assert near == exact


def test_statistics_beyond_memory_in_a_table(lossctl: Run, large: tuple[Path, Path]) -> None:
    done = lossctl("compute", "mae", *large, "--stats", "-f", "table", "--rows", "0", "--memory", "1M", "-q")
    assert done.stdout.count("~") == 3
