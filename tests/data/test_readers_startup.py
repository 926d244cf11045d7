"""What a reader loads: no pandas ever, no pyarrow for plain NumPy files, no compute for plain CSV."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

READ = """
import sys
from lossctl.data.formats import open_source
source = open_source(sys.argv[1])
numeric, text = [c for c in sys.argv[2].split(",") if c], [c for c in sys.argv[3].split(",") if c]
for block in source.blocks(numeric, text, 10):
    for name in numeric:
        block.numbers(name)
    for name in text:
        block.labels(name), block.texts(name)
print(*sys.modules)
"""


def loaded(path, numeric, text=""):
    run = subprocess.run(
        [sys.executable, "-c", READ, str(path), numeric, text], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    values, words = np.arange(30.0), ["a", "b", "c"] * 10
    (folder / "x.csv").write_text("n,t\n" + "".join(f"{n},{t}\n" for n, t in zip(values, words, strict=True)))
    table = pa.table({"n": values, "t": words, "i": [1, None, 3] * 10, "l": [[1.0, 2.0]] * 30, "b": [True, None] * 15})
    pq.write_table(table, folder / "x.parquet")
    feather.write_feather(table, folder / "x.feather")
    with pa.OSFile(str(folder / "x.arrows"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    cells = zip(values.tolist(), words, strict=True)
    (folder / "x.jsonl").write_text("".join(f'{{"n": {n}, "t": "{t}", "l": [{n}, 1]}}\n' for n, t in cells))
    (folder / "x.txt").write_text("".join(f"{n} 1\n" for n in values))
    for name in ("lines", "kaldi", "trn"):
        (folder / f"x.{name}").write_text("".join(f"u{i} a (u{i})\n" for i in range(30)))
    np.save(folder / "x.npy", values)
    np.savez(folder / "x.npz", n=values)
    return folder


def test_pandas_is_installed():
    """Else the tests below would say nothing."""
    import pandas as pd

    assert pd.__version__


def test_npy_needs_numpy_only(folder):
    modules = loaded(folder / "x.npy", "array", "array")
    assert "numpy" in modules
    assert not modules & {
        "pyarrow",
        "pandas",
        "zipfile",
        "tempfile",
        "lossctl.data.arrays.npz",
        "lossctl.data.text.csv",
    }


def test_npz_needs_zipfile(folder):
    modules = loaded(folder / "x.npz", "n", "n")
    assert not modules & {"pyarrow", "pandas", "tempfile"}


ROOMS = {
    "arrow": ("parquet", "ipc", "nested"),
    "json": ("source", "lines"),
    "arrays": ("npz", "npy"),
    "text": ("bare",),
}
READERS = {f"lossctl.data.{room}.{name}" for room, names in ROOMS.items() for name in names}


def test_csv(folder):
    modules = loaded(folder / "x.csv", "n", "n,t")
    assert "pyarrow.lib" in modules
    assert not modules & {*READERS, "json"}
    assert not modules & {"pandas", "pyarrow.compute", "pyarrow.fs", "pyarrow.parquet", "tempfile", "zipfile"}


def test_parquet(folder):
    modules = loaded(folder / "x.parquet", "n,i,l,b", "t,i,b,n")
    assert "pyarrow._parquet" in modules
    assert not modules & {"pandas", "pyarrow.compute", "pyarrow.fs", "tempfile", "zipfile"}


def test_text(folder):
    modules = loaded(folder / "x.txt", "1,2")
    assert modules & READERS == {"lossctl.data.text.bare"}
    assert not modules & {"pandas", "pyarrow.compute", "pyarrow.fs", "json", "tempfile"}


def test_jsonl_needs_numpy_only(folder):
    modules = loaded(folder / "x.jsonl", "n,l", "t,n")
    assert modules & READERS == {"lossctl.data.json.source", "lossctl.data.json.lines"}
    assert not modules & {"pyarrow", "pandas", "tempfile", "zipfile", "lossctl.data.text.csv"}


SEQUENCES = """
import sys
from lossctl.data.formats import open_source
source = open_source(sys.argv[1])
for block in source.blocks([], [], 10, sys.argv[2].split(",")):
    for name in sys.argv[2].split(","):
        getattr(block, "strings" if name in {"t", "text", "utt_id"} else "sequences")(name)
print(*sys.modules)
"""
HEAVY = {"pandas", "pyarrow.compute", "pyarrow.fs", "pyarrow.parquet", "pyarrow.feather", "tempfile"}


@pytest.mark.parametrize(
    ("name", "columns", "more"),
    [
        ("x.lines", "text", {"pyarrow"}),
        ("x.trn", "text,utt_id", {"pyarrow"}),
        ("x.kaldi", "text,utt_id", {"pyarrow"}),
        ("x.jsonl", "t,l", {"pyarrow"}),
        ("x.csv", "t", set()),
        ("x.parquet", "t,l", set()),
        ("x.feather", "t,l", set()),
    ],
)
def test_sequences(folder, name, columns, more):
    run = subprocess.run(
        [sys.executable, "-c", SEQUENCES, str(folder / name), columns], capture_output=True, text=True, check=True
    )
    assert not set(run.stdout.split()) & (HEAVY | more)


@pytest.mark.parametrize("name", ["x.feather", "x.arrows"])
def test_arrow(folder, name):
    modules = loaded(folder / name, "n,i,l,b", "t,i,b,n")
    assert modules & READERS == {"lossctl.data.arrow.ipc", "lossctl.data.arrow.nested"}
    assert not modules & {"pandas", "pyarrow.compute", "pyarrow.fs", "pyarrow.feather", "pyarrow._parquet", "tempfile"}
