"""How long lossctl takes over large files, against DuckDB, polars and torch; and how much memory.

    pip install '.[bench]' && python tests/benchmarks/scale.py [FOLDER]

Whole processes (the last rows of the first table: calls in one process), taken in turn, medians of five of the
seconds, and the median of the ratios of neighbours in time; nothing is asserted. Every peer does in one line what
lossctl does, without checks of the input and with sums in floats. FOLDER keeps the files, some 3 GB.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

import lossctl

RUNS = 5
PYTHON = sys.executable
LOSSCTL = str(Path(sysconfig.get_path("scripts")) / "lossctl")
MILLION = 1_000_000

ERROR = "(y_pred-y_true)"
HUBER = f"case when abs{ERROR}<=1 then 0.5*{ERROR}*{ERROR} else abs{ERROR}-0.5 end"
SQL = {
    "mse": [f"avg({ERROR}*{ERROR})"],
    "huber": [f"avg({HUBER})"],
    "four": [f"avg({ERROR}*{ERROR})", f"avg(abs{ERROR})", f"avg({HUBER})", f"avg(ln(cosh({ERROR})))"],
}
FRAME = {
    "mse": ["(e*e).mean().alias('a')"],
    "huber": ["pl.when(a<=1).then(0.5*e*e).otherwise(a-0.5).mean().alias('b')"],
}
FRAME["four"] = [*FRAME["mse"], "a.mean().alias('c')", *FRAME["huber"], "e.cosh().log().mean().alias('d')"]
LOSSES = {"mse": "mse", "huber": "huber", "four": "mse,mae,huber,log-cosh"}
CROSS_ENTROPY = (
    "import numpy as np, torch; torch.set_num_threads({threads}); "
    "x, y = torch.from_numpy(np.load('logits.npy')), torch.from_numpy(np.load('labels.npy')); "
    "print(torch.nn.functional.cross_entropy(x, y).item())"
)


def python(code: str) -> list[str]:
    return [PYTHON, "-c", code]


def duckdb(what: str, file: str, by: str = "") -> list[str]:
    columns = ", ".join(([by] if by else []) + SQL[what])
    group = f" group by {by}" if by else ""
    return python(f"import duckdb; print(len(duckdb.sql('select {columns} from \"{file}\"{group}').fetchall()))")


def polars(what: str, file: str, by: str = "") -> list[str]:
    scan = f"pl.scan_{'csv' if file.endswith('.csv') else 'parquet'}('{file}')"
    kernel = f"[{', '.join(FRAME[what])}]"
    work = f"{scan}.group_by('{by}').agg({kernel})" if by else f"{scan}.select({kernel})"
    return python(f"import polars as pl; e=pl.col('y_pred')-pl.col('y_true'); a=e.abs(); print(len({work}.collect()))")


def make(folder: Path) -> None:
    """The files, unless they are there already."""
    rng = np.random.default_rng(0)
    if not (folder / "y.npy").exists():
        target = rng.standard_normal(20 * MILLION)
        pred = target + 0.1 * rng.standard_normal(20 * MILLION)
        table = pa.table({"y_pred": pred, "y_true": target})
        pa.parquet.write_table(table, folder / "20m.parquet")
        pa.csv.write_csv(table.slice(0, 5 * MILLION), folder / "5m.csv")
        names = pa.array([f"group-{i:04d}" for i in range(1000)])
        group = names.take(pa.array(rng.integers(0, 1000, 10 * MILLION)))
        pa.parquet.write_table(table.slice(0, 10 * MILLION).append_column("g", group), folder / "10m_by.parquet")
        np.save(folder / "logits.npy", rng.standard_normal((100_000, 1000), np.float32))
        np.save(folder / "labels.npy", rng.integers(0, 1000, 100_000))
        np.save(folder / "p.npy", np.resize(pred, 50 * MILLION))
        np.save(folder / "y.npy", np.resize(target, 50 * MILLION))
    for millions in (1, 10, 100):
        if not (folder / f"{millions}m.parquet").exists():
            part = rng.standard_normal(MILLION)
            schema = pa.schema([("y_pred", pa.float64()), ("y_true", pa.float64())])
            with pa.parquet.ParquetWriter(folder / f"{millions}m.parquet", schema) as writer:
                for i in range(millions):
                    writer.write_table(pa.table([part, part + 0.1 * (i + 1)], schema=schema))


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def process(command: Sequence[str], folder: Path) -> Callable[[], Any]:
    def work() -> None:
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    return work


def race(title: str, bar: str, ways: dict[str, Callable[[], Any]]) -> None:
    """The first of the ways against each of the others; ratios below 1 mean that lossctl is faster."""
    for work in ways.values():
        work()  # warm the page cache
    taken = [[seconds(work) for work in ways.values()] for _ in range(RUNS)]
    median = [statistics.median(column) for column in zip(*taken, strict=True)]
    print(f"{title:58} {median[0]:7.3f} s", end="")
    for place, name in list(enumerate(ways))[1:]:
        of = statistics.median(row[0] / row[place] for row in taken)
        print(f"   {of:5.2f} x {name} ({median[place]:.3f} s)", end="")
    print(f"   [{bar}]", flush=True)


def large_files(folder: Path) -> None:
    base = [LOSSCTL, "compute"]
    for what, losses in LOSSES.items():
        for file, rows, bar in (("20m.parquet", "20 M rows of Parquet", "1.3"), ("5m.csv", "5 M rows of CSV", "1.4")):
            commands = {"": [*base, losses, file, "-f", "json", "-q"], "DuckDB": duckdb(what, file)}
            commands["polars"] = polars(what, file)
            ways = {name: process(command, folder) for name, command in commands.items()}
            race(f"{losses}, {rows}", f"bar: {bar} x the faster", ways)
    file = "10m_by.parquet"
    commands = {"": [*base, "mse", file, "--by", "g", "-f", "json", "-q"], "DuckDB": duckdb("mse", file, "g")}
    commands["polars"] = polars("mse", file, "g")
    race("mse by 1,000 texts, 10 M rows", "bar: 2 x DuckDB", {n: process(c, folder) for n, c in commands.items()})


def in_process(folder: Path) -> None:
    import torch

    files = [str(folder / name) for name in ("p.npy", "y.npy")]
    pred, target = (np.load(file) for file in files)
    ways = {"": lambda: lossctl.compute("mse", *files, threads=2), "np.sum": lambda: (pred.sum(), target.sum())}
    race("mse, two NPY files of 50 M, read and summed exactly", "bar: 6 x", ways)
    logits, labels = np.load(folder / "logits.npy"), np.load(folder / "labels.npy")
    x, y = torch.from_numpy(logits), torch.from_numpy(labels)
    for threads, bar in ((1, "0.5"), (2, "0.67")):
        torch.set_num_threads(threads)

        def ours(threads: int = threads) -> Any:
            return lossctl.compute("cross-entropy", logits, labels, threads=threads)

        title = f"cross-entropy, 100,000 x 1,000 float32, {threads} threads each"
        race(title, f"bar: {bar} x", {"": ours, "torch": lambda: torch.nn.functional.cross_entropy(x, y)})
    command = [LOSSCTL, "compute", "cross-entropy", "logits.npy", "labels.npy", "-f", "json", "-q"]
    torch_script = python(CROSS_ENTROPY.format(threads=2))
    ways = {"": process(command, folder), "a torch script": process(torch_script, folder)}
    race("cross-entropy, the same from files, whole processes", "bar: 0.2 x", ways)


def threads(folder: Path) -> None:
    """How much a second thread helps."""
    for losses, files in (
        ("cross-entropy", ["logits.npy", "labels.npy"]),
        ("log-cosh", ["p.npy", "y.npy"]),
        ("mse,mae,huber,log-cosh", ["20m.parquet"]),
    ):
        paths = [str(folder / file) for file in files]
        works = [partial(lossctl.compute, losses, *paths, threads=n) for n in (1, 2)]
        one, two = (statistics.median(seconds(work) for _ in range(RUNS)) for work in works)
        print(f"{losses:58} one thread {one:.3f} s, two {two:.3f} s: {one / two:.2f} x   [bar: 1.7 x]", flush=True)


def peak(command: Sequence[str], folder: Path) -> float:
    """Peak memory of a process in MB."""
    code = (
        "import os, resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    out = subprocess.run([PYTHON, "-c", code, *command], cwd=folder, check=True, capture_output=True, text=True)
    return int(out.stdout) / (1024 if sys.platform != "darwin" else 1024**2)


def memory(folder: Path) -> None:
    (folder / "one.csv").write_text("y_pred,y_true\n1,2\n")
    print(f"\npeak memory; an empty run takes {peak([LOSSCTL, 'compute', 'mse', 'one.csv', '-q'], folder):.0f} MB")
    for title, extra in (
        ("mse,huber", ["mse,huber"]),
        ("mse,huber --per-sample x.parquet", ["mse,huber", "--per-sample", "x.parquet"]),
        ("mse,huber --per-sample x.csv", ["mse,huber", "--per-sample", "x.csv"]),
        ("mse --ci", ["mse", "--ci"]),
        ("mse --stats --memory 100M", ["mse", "--stats", "--memory", "100M"]),
        ("mse --reduction p90 --memory 100M", ["mse", "--reduction", "p90", "--memory", "100M"]),
    ):
        found = [peak([LOSSCTL, "compute", *extra, f"{n}m.parquet", "-q"], folder) for n in (1, 10, 100)]
        print(f"{title:40} 1 M rows {found[0]:.0f} MB, 10 M {found[1]:.0f} MB, 100 M {found[2]:.0f} MB", flush=True)
    for name in ("x.parquet", "x.csv", "one.csv"):
        (folder / name).unlink()


def main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} processors, {os.getloadavg()[0]:.1f} load, NumPy {np.__version__}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        folder.mkdir(exist_ok=True)
        make(folder)
        large_files(folder)
        in_process(folder)
        threads(folder)
        memory(folder)


if __name__ == "__main__":
    main()
