"""Arrow IPC: files, streams and Feather, what is compressed, and what is damaged."""

from __future__ import annotations

import gzip
import io
import os
import threading

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather

from lossctl.data.formats import open_source
from lossctl.errors import DataError

N = 50


def save_as(path, table, way, **options):
    """As an IPC file, a stream, or Feather."""
    if way == "feather":
        feather.write_feather(table, path, **options)
        return path
    make = pa.ipc.new_stream if way == "stream" else pa.ipc.new_file
    with pa.OSFile(str(path), "wb") as file, make(file, table.schema, **options) as writer:
        writer.write_table(table, max_chunksize=7)
    return path


@pytest.fixture(params=["file", "stream", "feather"])
def save(request, tmp_path):
    """Writes columns and opens the file."""

    def go(columns=None, table=None, **options):
        table = pa.table(columns) if table is None else table
        return open_source(save_as(tmp_path / "x.arrow", table, request.param, **options))

    return go


def test_columns(save, read, rows):
    numbers = [None if i % 5 == 3 else i for i in range(N)]
    words = [None if i % 7 == 3 else f"w{i % 4}" for i in range(N)]
    source = save(
        {
            "i": pa.array(numbers, pa.int16()),
            "f": pa.array(np.arange(N, dtype=np.float32) / 3),
            "b": [i % 2 == 0 for i in range(N)],
            "t": words,
            "c": pa.array(words).dictionary_encode(),
            "v": pa.array(words, pa.string_view()),
            "l": [[i, 2.0] for i in range(N)],
            "d": pa.array([0] * N, pa.timestamp("us")),
            "s": [{"x": i, "y": {"z": w}} for i, w in enumerate(words)],
        }
    )
    assert {c.name: (c.type, c.width) for c in source.columns} == {
        "i": ("int", None),
        "f": ("real", None),
        "b": ("bool", None),
        "t": ("text", None),
        "c": ("text", None),
        "v": ("text", None),
        "l": ("real", 0),
        "d": ("other", None),
        "s.x": ("int", None),
        "s.y.z": ("text", None),
    }
    expected = [np.nan if i is None else i for i in numbers]
    np.testing.assert_array_equal(read.numbers(source, "i", rows), expected)
    assert read.numbers(source, "f", rows).dtype == np.float32
    assert read.numbers(source, "l", rows).tolist() == [[i, 2.0] for i in range(N)]
    assert read.numbers(source, "s.x", rows).tolist() == list(range(N))
    for name in ("t", "c", "v", "s.y.z"):
        assert read.texts(source, name, rows) == words
    assert read.texts(source, "i", rows) == [None if i is None else str(i) for i in numbers]


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
@pytest.mark.parametrize("way", ["file", "stream"])
def test_compressed_bodies(tmp_path, read, compression, way):
    options = pa.ipc.IpcWriteOptions(compression=compression)
    table = pa.table({"a": np.arange(float(N)), "t": ["x"] * N})
    source = open_source(save_as(tmp_path / "x.arrow", table, way, options=options))
    assert read.numbers(source, "a").tolist() == list(range(N))
    assert read.texts(source, "t") == ["x"] * N


def test_only_what_is_asked_for_is_read(save):
    source = save({"a": np.arange(float(N)), "t": ["x"] * N, "s": [{"x": 1.0}] * N})
    (block,) = source.blocks(["a"], [], 1000)
    assert list(block._pieces[0][0].arrays) == ["a"]
    assert [block.rows for block in source.blocks([], [], 20)] == [20, 20, 10]


def test_no_rows(save, read):
    source = save(table=pa.table({"a": pa.array([], pa.float64()), "l": pa.array([], pa.list_(pa.float64()))}))
    assert read.blocks(source, ["a", "l"]) == []


@pytest.mark.parametrize("way", ["file", "stream"])
@pytest.mark.parametrize("named", [True, False])
def test_from_a_pipe(tmp_path, read, way, named):
    data = save_as(tmp_path / "x.arrow", pa.table({"a": np.arange(float(N))}), way).read_bytes()
    for content in (data, gzip.compress(data)):
        options = {"input_format": "arrow"} if named else {}
        source = open_source("-", stdin=io.BytesIO(content), **options)
        assert source.format == "arrow"
        for _ in range(2):
            assert read.numbers(source, "a").tolist() == list(range(N))


def test_a_stream_through_a_real_pipe(tmp_path, read):
    """A pipe gives a few kilobytes at a time."""
    data = save_as(tmp_path / "x.arrow", pa.table({"a": np.arange(40_000.0)}), "stream").read_bytes()
    reading, writing = os.pipe()

    def write():
        rest = data
        while rest:
            rest = rest[os.write(writing, rest[:5000]) :]
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    with open(reading, "rb") as stdin:
        source = open_source("-", stdin=stdin)
        assert read.numbers(source, "a", 1000).tolist() == list(range(40_000))
    writer.join()


@pytest.mark.parametrize("kind", [pa.int64(), pa.list_(pa.int64())], ids=str)
def test_integers_too_large(save, read, rows, kind):
    cells = [i if pa.types.is_integer(kind) else [1, i] for i in [*range(40), 2**53 + 1, 1]]
    error = read.failure(save({"a": pa.array(cells, kind)}), ["a"], rows=rows)
    assert (error.code, error.row, error.column) == ("integer-too-large", 41, "a")


def test_ragged_lists(save, read, rows):
    error = read.failure(save({"a": [[1.0, 2.0]] * 30 + [[1.0]]}), ["a"], rows=rows)
    assert (error.code, error.row, error.column) == ("ragged-list", 31, "a")


def test_duplicate_names(save, read):
    names = ["a", "b", "a", "s", "s"]
    arrays = [pa.array([1.0]), pa.array([2.0]), pa.array([3.0]), pa.array([{"x": {"y": 1.0}}]), pa.array(["t"])]
    source = save(table=pa.Table.from_arrays(arrays, names=names))
    assert read.numbers(source, "b").tolist() == [2]
    assert read.failure(source, ["a"]).code == "duplicate-column"
    assert read.failure(source, ["s.x.y"]).code == "dtype"  # which s?


def test_text_that_is_not_utf8(save, read, rows):
    raw = pa.array([b"ok"] * 9 + [b"\xff\xfe"] + [b"ok"] * 5)
    bad = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())
    source = save({"t": bad, "a": np.arange(15.0)})
    error = read.failure(source, [], ["t"], rows)
    assert (error.code, error.row, error.column) == ("encoding", 10, "t")
    assert read.numbers(source, "a", rows).tolist() == list(range(15))


def test_offsets_outside_of_their_buffer(tmp_path, read):
    """Reading them unchecked would end the process."""
    offsets = np.array([0, 2, 1 << 30, 4], np.int32)
    bad = pa.Array.from_buffers(pa.string(), 3, [None, pa.py_buffer(offsets), pa.py_buffer(b"abcd")])
    path = save_as(tmp_path / "x.arrow", pa.table({"a": [1.0, 2.0, 3.0]}).append_column("t", [bad]), "stream")
    error = read.failure(open_source(path), [], ["t"])
    assert (error.code, error.column) == ("corrupt", "t")
    assert "rows 1 to 3" in error.message


@pytest.mark.parametrize("way", ["file", "stream", "feather"])
@pytest.mark.parametrize("keep", [1, 4, 7, 9, 100, 0.3, 0.6, 0.95, -1, -4, -8, -9])
def test_truncated_files(tmp_path, read, way, keep):
    path = save_as(tmp_path / "x.arrow", pa.table({"a": np.arange(float(N)), "t": ["x"] * N}), way)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(DataError) as caught:
        read._all(open_source(path), ["a"], ["t"], 7)
    assert caught.value.code in {"truncated", "corrupt"}
    assert caught.value.file == str(path)
    if way != "stream" and keep != 1 and keep != 4:
        assert "cut off" in caught.value.message


def test_a_stream_without_its_end(tmp_path, read):
    """All rows may be there, or not: nobody can tell."""
    path = save_as(tmp_path / "x.arrows", pa.table({"a": np.arange(float(N))}), "stream")
    path.write_bytes(path.read_bytes()[:-8])
    error = read.failure(open_source(path), ["a"])
    assert error.code == "truncated"
    assert "no end mark" in error.message


def test_streams_joined(tmp_path, read):
    """The rows of the second would be lost."""
    path = save_as(tmp_path / "x.arrows", pa.table({"a": np.arange(float(N))}), "stream")
    path.write_bytes(path.read_bytes() * 2)
    assert read.failure(open_source(path), ["a"]).code == "trailing-bytes"


def test_a_file_that_changes(tmp_path, read):
    path = save_as(tmp_path / "x.arrow", pa.table({"a": np.arange(float(N))}), "file")
    source = open_source(path)
    save_as(path, pa.table({"a": np.arange(9.0)}), "file")
    assert read.failure(source, ["a"]).code == "changed"


@pytest.mark.parametrize("way", ["file", "stream"])
def test_memory_stays_bounded(tmp_path, way):
    """One record batch at a time, and of it the columns asked for."""
    values = np.random.default_rng(0).normal(size=1_000_000)
    table = pa.table({"a": values, "b": values})
    make = pa.ipc.new_stream if way == "stream" else pa.ipc.new_file
    with pa.OSFile(str(tmp_path / "x.arrow"), "wb") as file, make(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=50_000)
    del values, table
    base, most = pa.total_allocated_bytes(), 0
    for block in open_source(tmp_path / "x.arrow").blocks(["a"], [], 10_000):
        block.numbers("a")
        most = max(most, pa.total_allocated_bytes() - base)
    assert most < 3_000_000
