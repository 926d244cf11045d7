"""A million files: what planning opens and lists, and how much memory that and the merging of states take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FIRST = ["million/data/day-0000/part-00000.parquet"]
MEGA = 1 << 10  # of kilobytes


def told(way: str, *sizes: int) -> dict:
    command = [sys.executable, Path(__file__).with_name("million.py"), way, *map(str, sizes)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=True)
    return {"text": done.stdout, **json.loads(done.stdout.splitlines()[-1])}


def test_a_million_files_are_dealt_out_by_their_names():
    found = told("plan")
    assert found["opened"] == FIRST
    assert (found["list"], found["pages"]) == (1, 1000)
    assert found["info"] < 10
    assert found["tasks"] < 20_000
    assert found["largest"] < 20_000
    assert found["bytes"] < 200_000_000
    assert found["peak"] - found["before"] < 600 * MEGA


def test_plans_of_many_files_open_the_first():
    for more in ("", " --engine dask"):
        found = told(f"--plan mse{more}", 20_000)
        assert (found["status"], found["opened"]) == (0, FIRST)
        assert "20,000 files" in found["text"]
    assert "one machine" in told("--plan mse --engine dask --limit 5", 20_000)["text"]


def test_samples_are_not_looked_for_among_a_million_files_one_by_one():
    found = told("check", 100_000)
    assert found["info"] < 10
    assert found["opened"] == FIRST


def test_states_of_a_whole_run_stay_small():
    found = told("pass", 20_000)
    count, largest = found["sizes"]["0"]
    assert (count, found["opened"]) == (found["tasks"], FIRST)
    assert largest < 2000
    assert found["sizes"][max(found["sizes"])][1] < 1000 + 4 * 20_000  # the rows of each file
    assert found["read"] == count * 1000
    assert found["peak"] - found["before"] < 200 * MEGA
