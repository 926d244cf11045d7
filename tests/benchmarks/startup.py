"""How long lossctl takes to say hello, against bare imports and against a throw-away script.

    pip install '.[bench]' && python tests/benchmarks/startup.py

Whole processes, taken in turn (A B A B ...), medians of the ratios; nothing is asserted. A peer that is not
installed is left out.
"""

from __future__ import annotations

import compileall
import importlib.util
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import lossctl

RUNS = 15
PYTHON = sys.executable
LOSSCTL = str(Path(sysconfig.get_path("scripts")) / "lossctl")

TORCH = (
    "import numpy, torch; p, y = (torch.from_numpy(numpy.load(f)) for f in ('p.npy', 'y.npy')); "
    "print(torch.nn.functional.mse_loss(p, y).item())"
)
SKLEARN = (
    "import numpy; from sklearn.metrics import mean_squared_error; "
    "print(mean_squared_error(numpy.load('y.npy'), numpy.load('p.npy')))"
)


def seconds(command: Sequence[str], folder: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def ratio(ours: Sequence[str], theirs: Sequence[str], folder: str) -> tuple[float, float, float]:
    """Median seconds of both, and the median of the ratios of neighbours in time."""
    seconds(ours, folder), seconds(theirs, folder)  # warm the page cache
    pairs = [(seconds(ours, folder), seconds(theirs, folder)) for _ in range(RUNS)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def python(code: str) -> list[str]:
    return [PYTHON, "-c", code]


def main() -> None:
    # As an installed wheel has it: an editable install may never have written its bytecode.
    compileall.compile_dir(str(Path(lossctl.__file__).parent), quiet=1)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        target, pred = rng.normal(size=1000), rng.normal(size=1000)
        np.save(Path(folder) / "p.npy", pred)
        np.save(Path(folder) / "y.npy", target)
        table = "\n".join(
            ["y_true,y_pred", *(f"{t!r},{p!r}" for t, p in zip(target.tolist(), pred.tolist(), strict=True))]
        )
        (Path(folder) / "small.csv").write_text(table + "\n")
        click, arrays = python("import click"), python("import numpy, click")
        answer = [LOSSCTL, "completion", "bash", "--answer", "--", "lossctl"]
        npy = [LOSSCTL, "compute", "mse", "p.npy", "y.npy", "-f", "json"]
        csv = [LOSSCTL, "compute", "mse", "small.csv", "-f", "json"]
        rows = [
            ("lossctl --version", [LOSSCTL, "--version"], "import click", click, "<= 1.5"),
            ("lossctl --help", [LOSSCTL, "--help"], "import click", click, "<= 1.5"),
            ("lossctl compute --help", [LOSSCTL, "compute", "--help"], "import click", click, "<= 2.5"),
            ("completion: a command", [*answer, "comp"], "import click", click, "<= 1.5"),
            ("completion: a loss", [*answer, "compute", "mse,hu"], "import click", click, "<= 1.5"),
            ("completion: an option", [*answer, "compute", "mse", "--fo"], "import click", click, "<= 1.5"),
            ("completion: a column", [*answer, "compute", "mse", "small.csv", "--by", ""], "import click", click, ""),
            ("lossctl list", [LOSSCTL, "list"], "import click", click, ""),
            ("lossctl explain huber", [LOSSCTL, "explain", "huber"], "import click", click, ""),
            ("compute mse p.npy y.npy", npy, "import numpy, click", arrays, "<= 1.4"),
            ("compute mse small.csv", csv, "import numpy, click, pyarrow.csv", None, "<= 1.4"),
        ]
        if importlib.util.find_spec("torch"):
            rows.append(("compute mse p.npy y.npy", npy, "torch one-liner", python(TORCH), "<= 0.2"))
        if importlib.util.find_spec("sklearn"):
            rows.append(("compute mse p.npy y.npy", npy, "scikit-learn one-liner", python(SKLEARN), "<= 0.2"))
        print(f"{'ours':<26}{'peer':<36}{'ours ms':>9}{'peer ms':>9}{'ratio':>8}  bar")
        for name, ours, peer, theirs, bar in rows:
            a, b, both = ratio(ours, theirs or python(peer), folder)
            print(f"{name:<26}{peer:<36}{a * 1e3:>9.1f}{b * 1e3:>9.1f}{both:>8.2f}  {bar}")


if __name__ == "__main__":
    main()
