"""Damaged files of every format: an error that says so, or the values; never a crash, never another exception.

Each format is tried in a process of its own: where a library ends the process, that is a failure here
and not the end of the tests. What once did so is kept in ``bad/``.
"""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

READ = """
import sys
from lossctl.data.formats import open_source
from lossctl.errors import DataError

def everything(path):
    source = open_source(path)
    for column in source.columns:
        numeric = [column.name] if column.type not in ("text", "other") else []
        text = [column.name] if column.type != "other" and column.width is None else []
        for asked in ((numeric, ()), ((), text)):
            for block in source.blocks(*asked, 64):
                for name in asked[0]:
                    block.numbers(name)
                for name in asked[1]:
                    block.labels(name), block.texts(name)
        if column.type == "other":
            continue
        ways = ["strings"] if column.type == "text" else ["sequences"] if column.width is not None else ["strings"]
        for block in source.blocks((), (), 64, [column.name]):
            for way in ways:
                rows = getattr(block, way)(column.name)
                assert len(rows) == block.rows
                rows.flat(), [rows.row(n) for n in range(min(len(rows), 3))]
                if way == "strings" and rows.words is None:
                    [rows.text(n) for n in range(len(rows))]

for path in sys.argv[1:]:
    try:
        everything(path)
    except DataError as error:
        assert error.file == path, (path, error.file)
        assert "\\n" not in error.message, error.message
    print(path, flush=True)
"""
N = 120
VECTOR = pa.struct(
    {"type": pa.int8(), "size": pa.int32(), "indices": pa.list_(pa.int32()), "values": pa.list_(pa.float64())}
)
FORMATS = ["csv", "csv.gz", "csv.zst", "npy", "npz", "parquet", "arrow", "arrows", "arrow.gz", "jsonl", "txt"]
FORMATS += ["json", "lines", "kaldi", "trn"]
TRIES = 150


def columns(values, words):
    vector = {"type": 1, "size": None, "indices": None, "values": [1.0, 0.5]}
    sparse = {"type": 0, "size": 2, "indices": [1], "values": [0.5]}
    return {
        "a": values,
        "t": words,
        "d": pa.array(words).dictionary_encode(),
        "l": [[1.0, 2.0]] * N,
        "f": pa.array([[1, 2]] * N, pa.list_(pa.int64(), 2)),
        "n": [None if i % 3 else i for i in range(N)],
        "b": [True, False] * (N // 2),
        "s": [{"x": {"y": 1.5}, "z": word} for word in words],
        "v": pa.array([vector, sparse] * (N // 2), VECTOR),
        "p": [[{"label": "a", "prob": 0.5}, {"label": "b", "prob": 0.5}]] * N,
        "r": [[float(i)] * (i % 4) if i % 7 else None for i in range(N)],
        "w": [words[: i % 3] for i in range(N)],
        "x": [[[1.0, i]] * (i % 3) for i in range(N)],
        "z": pa.array([[[1, i]] * (i % 3) for i in range(N)], pa.list_(pa.list_(pa.int32(), 2))),
        "y": pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.float32(), [2, 2]), pa.array([[0.5] * 4] * N, pa.list_(pa.float32(), 4))
        ),
    }


def good(folder, format, variant):
    path = folder / f"good{variant}.{format}"
    values, words = np.arange(N) / 3, [f"w{i % 7}" for i in range(N)]
    lines = "a,t\n" + "".join(f'{x!r},"{word}"\n' for x, word in zip(values.tolist(), words, strict=True))
    if format in ("parquet", "arrow", "arrows"):
        table = pa.table(columns(values, words))
        if format == "parquet":
            kinds = ["none", "snappy", "zstd", "gzip"]
            pq.write_table(table, path, compression=kinds[variant], row_group_size=50)
        elif format == "arrow":
            feather.write_feather(table, path, compression=["uncompressed", "lz4", "zstd", None][variant], chunksize=50)
        else:
            options = pa.ipc.IpcWriteOptions(compression=[None, "lz4", "zstd", None][variant])
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema, options=options) as writer:
                writer.write_table(table, max_chunksize=50)
    elif format == "jsonl":
        rows = ({"a": x, "t": w, "l": [1, x], "s": {"x": [[x, 1], [2, 3]]}} for x, w in zip(values, words, strict=True))
        rows = ({**row, "r": [1.5] * (i % 3), "w": words[: i % 3]} for i, row in enumerate(rows))
        path.write_text("\n".join(map(json.dumps, rows)), newline=["\n", "\r\n"][variant % 2])
    elif format == "json":
        rows = [{"a": x, "t": w, "w": [w, "ü"]} for x, w in zip(values.tolist(), words, strict=True)]
        path.write_text(
            json.dumps(rows, indent=[None, 1, 2, "\t"][variant], ensure_ascii=variant < 2), encoding="utf-8"
        )
    elif format in ("lines", "kaldi", "trn"):
        form = {"lines": "{} ü {}\n", "kaldi": "u-{} ü {}\n", "trn": "ü {1} (s-{0})\n"}[format]
        path.write_text("".join(form.format(i, w) for i, w in enumerate(words)), encoding="utf-8")
    elif format == "txt":
        np.savetxt(path, np.column_stack([values, values]), fmt=["%.18e", "%9.4f", "%g", "%d"][variant])
    elif format == "npz":
        save = np.savez if variant % 2 else np.savez_compressed
        save(path, a=values, t=np.array(words), f=np.asfortranarray(np.ones((N, 3))))
    elif format == "npy":
        np.save(path, np.asfortranarray(np.ones((N, 3))) if variant % 2 else np.arange(N))
    elif format == "arrow.gz":
        path.write_bytes(gzip.compress(good(folder, "arrow", variant)))
    elif format == "csv.zst":
        path.write_bytes(pa.compress(lines.encode(), codec="zstd", asbytes=True))
    else:
        path.write_bytes(gzip.compress(lines.encode()) if format == "csv.gz" else lines.encode())
    return path.read_bytes()


def damaged(data, chance):
    """A few bytes changed, lost or added, half of the time near the end, where footers are."""
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 4, 16])):
        at = chance.randrange(len(data))
        if chance.random() < 0.5:
            at = max(0, len(data) - 1 - int(chance.expovariate(1 / 200)))
        way = chance.random()
        if way < 0.7:
            data[at] = chance.randrange(256) if way < 0.5 else data[at] ^ 1 << chance.randrange(8)
        elif way < 0.8:
            del data[at : at + chance.randrange(1, 20)]
        elif way < 0.9:
            data[at:at] = chance.randbytes(chance.randrange(1, 10))
        else:
            data[at : at + 4] = chance.choice([b"\xff\xff\xff\xff", bytes(4), b"\xff\xff\xff\x7f"])
    return bytes(data)


def survived(paths):
    run = subprocess.run([sys.executable, "-c", READ, *map(str, paths)], capture_output=True, text=True, check=False)
    done = run.stdout.split("\n")[:-1]
    assert run.returncode == 0, f"{paths[len(done)]}: {run.stderr[-2000:]}"
    assert done == [str(path) for path in paths]


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_files(tmp_path, format):
    chance = random.Random(format)
    models = [good(tmp_path, format, variant) for variant in range(4)]
    paths = [tmp_path / f"x{i}.{format}" for i in range(TRIES)]
    for path in paths:
        path.write_bytes(damaged(chance.choice(models), chance))
    survived(paths)


def test_files_that_ended_the_process_once():
    survived(sorted((Path(__file__).parent / "bad").iterdir()))
