"""Start-up is a command's handshake: nothing is loaded before it is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PACKAGE = Path(__file__).parent.parent / "lossctl"
HEAVY = {"numpy", "pandas", "pyarrow", "rich", "dask", "scipy", "rapidfuzz", "jsonschema", "matplotlib", "zipfile"}

RUN = """
import json, sys
status = 0
if sys.argv[1:]:
    from lossctl.cli.main import main
    try:
        status = main(sys.argv[1:])
    except SystemExit as end:
        status = end.code
else:
    import lossctl
sys.stdout.flush()
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
sys.exit(status or 0)
"""


def loaded(*arguments: str, folder: Path) -> set[str]:
    """The modules of a fresh process after ``lossctl ARGUMENTS`` (without arguments: ``import lossctl``)."""
    settings = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    command = [sys.executable, "-c", RUN, *arguments]
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout or not arguments
    return set(json.loads(done.stderr.splitlines()[-1]))


def packages(modules: set[str]) -> set[str]:
    return {module.split(".")[0] for module in modules}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "--version",
        "--help",
        "compute --help",
        "compute huber --help",
        "compute mse,huber:delta=2 --help",
        "compute mse --ci --help",
        "compute @regression --help",
        "compute mse,@auto --help",
        "score --help",
        "score huber --help",
        "score mse,huber:delta=2 --help",
        "help score",
        "completion bash --answer -- lossctl score mse,hu",
        "list",
        "list --family regression",
        "list mean error",
        "list -f json",
        "explain huber",
        "explain cross-entropy -f json",
        "help",
        "help compute",
        "help regression",
        "help columns",
        "help json",
        "completion bash",
        "completion bash --answer -- lossctl compute mse,hu",
    ],
)
def test_help_needs_no_numbers(line, tmp_path):
    modules = loaded(*line.split(), folder=tmp_path)
    assert not packages(modules) & HEAVY
    assert "lossctl.model" not in modules
    if not line:
        assert not packages(modules) & {"click", "difflib"}


def test_arrays_need_numpy_only(tmp_path):
    np.save(tmp_path / "p.npy", np.arange(5.0))
    np.save(tmp_path / "y.npy", np.zeros(5))
    modules = loaded("compute", "mse", "p.npy", "y.npy", "-f", "json", folder=tmp_path)
    assert packages(modules) & HEAVY == {"numpy"}
    families = {m for m in modules if m.startswith("lossctl.losses.") and m.count(".") == 3}
    assert families == {"lossctl.losses.regression.pointwise"}  # no other loss is imported


@pytest.mark.parametrize("more", ["", "--ci", "--ci --ci-method normal", "--per-column --by y"])
def test_a_set_over_arrays_needs_numpy_only(more, tmp_path):
    """Of the losses' modules only those of the set are imported."""
    np.savez(tmp_path / "both.npz", pred=np.arange(5.0), target=np.zeros(5), y=np.arange(5))
    modules = loaded("compute", "@regression", "both.npz", *more.split(), "-f", "json", folder=tmp_path)
    assert packages(modules) & HEAVY == {"numpy", "zipfile"}
    families = {m.split(".")[2] for m in modules if m.startswith("lossctl.losses.") and m.count(".") == 3}
    assert "regression" in families
    assert not families & {"classification", "margin", "metric_learning", "ranking"}
    assert ("fractions" in modules) <= ("normal" in more)


def test_a_small_table_needs_the_csv_parser_only(tmp_path):
    (tmp_path / "small.csv").write_text("y_pred,y_true\n1,2\n3,4\n")
    modules = loaded("compute", "mse", "small.csv", "-f", "json", folder=tmp_path)
    assert packages(modules) & HEAVY <= {"numpy", "pyarrow"}
    assert not modules & {"pyarrow.compute", "pyarrow.parquet", "pyarrow.dataset", "pyarrow.fs"}


@pytest.mark.parametrize("form", ["plain", "csv", "jsonl", "markdown", "value"])
def test_no_table_no_rich(form, tmp_path):
    np.save(tmp_path / "p.npy", np.arange(5.0))
    np.save(tmp_path / "y.npy", np.zeros(5))
    modules = loaded("compute", "mse", "p.npy", "y.npy", "-f", form, folder=tmp_path)
    assert packages(modules) & HEAVY == {"numpy"}
    assert "rich" in packages(loaded("compute", "mse", "p.npy", "y.npy", "-f", "table", folder=tmp_path))
