"""Inputs as bytes: pipes, stdin, compression, files that fail or change while they are read."""

from __future__ import annotations

import errno
import gzip
import io
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pyarrow as pa
import pytest

from lossctl.data import stored as stored_module
from lossctl.data.formats import open_source
from lossctl.data.opening import Input
from lossctl.data.stored import Cursor, FileBytes, Spool
from lossctl.errors import DataError

TEXT = b"a,b\n" + b"".join(b"%d,x%d\n" % (i, i) for i in range(5000))


def zst(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


PACKED = {"gz": gzip.compress(TEXT), "zst": zst(TEXT)}


@pytest.fixture
def fifo(tmp_path):
    """A named pipe, and a function that writes to it from another thread."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def feed(*pieces, pause=0.0):
        def run():
            with open(path, "wb", buffering=0) as pipe:
                for piece in pieces:
                    try:
                        pipe.write(piece)
                    except BrokenPipeError:
                        return
                    time.sleep(pause)

        threading.Thread(target=run, daemon=True).start()
        return path

    return feed


def all_of(stream, size=1000):
    pieces = []
    while piece := stream.read(size):
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("named", [True, False])
def test_compression_is_told_by_the_bytes(put, read, kind, named):
    path = put(f"t.csv.{kind}" if named else "t.csv", PACKED[kind])
    source = open_source(path)
    assert source.format == "csv"
    assert read.numbers(source, "a").tolist() == list(range(5000))
    assert read.numbers(source, "a", 1000).tolist() == list(range(5000))
    data = Input(path)
    assert data.path is None
    assert data.head(6) == TEXT[:6]
    assert all_of(Cursor(data.stored())) == TEXT


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("keep", [5, 11, 200, -9, -8, -4, -1])
def test_truncated_compression_is_an_error(put, read, kind, keep):
    path = put(f"t.csv.{kind}", PACKED[kind][:keep])
    with pytest.raises(DataError) as caught:
        read.numbers(open_source(path), "a")
    assert caught.value.code == "corrupt"
    assert caught.value.file == str(path)
    assert "truncated or corrupt" in caught.value.message


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_damaged_compression_is_an_error(put, read, kind):
    data = bytearray(PACKED[kind])
    data[len(data) // 2] ^= 0xFF
    data[-5] ^= 0xFF
    path = put(f"t.csv.{kind}", bytes(data))
    with pytest.raises(DataError, match="truncated or corrupt") as caught:
        read.numbers(open_source(path), "a")
    assert caught.value.code == "corrupt"


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_name_that_promises_compression(put, kind):
    with pytest.raises(DataError, match=r"no (gzip|zstd) data"):
        open_source(put(f"t.csv.{kind}", TEXT))


def test_a_pipe_is_read_twice(fifo, read):
    source = open_source(fifo(TEXT[:100], TEXT[100:]), input_format="csv")
    for rows in (7, 1000):
        assert read.numbers(source, "a", rows).tolist() == list(range(5000))


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_compressed_pipe(fifo, read, kind):
    source = open_source(fifo(PACKED[kind]))
    assert read.texts(source, "b", 1000)[:2] == ["x0", "x1"]
    assert read.numbers(source, "a").tolist() == list(range(5000))


def test_a_pipe_is_not_waited_for(fifo):
    """Rows that have come are given although the writer is slow and never at its end."""
    path = fifo(b"a,b\n1,2\n3,4\n", *[b"5,6\n"] * 50, pause=0.1)
    start = time.monotonic()
    blocks = open_source(path, input_format="csv").blocks(["a"], [], 2)
    assert next(blocks).numbers("a").tolist() == [1, 3]
    assert time.monotonic() - start < 3


def test_an_error_in_a_pipe_does_not_wait_for_its_end(fifo, read):
    path = fifo(b"a,b\n1,2\nx,4\n", *[b"5,6\n"] * 60, pause=0.1)
    start = time.monotonic()
    error = read.failure(open_source(path, input_format="csv"), ["a"], rows=1)
    assert (error.code, error.row, error.details) == ("not-a-number", 2, ())
    assert time.monotonic() - start < 3


def test_stdin_in_memory(read):
    source = open_source("-", stdin=io.BytesIO(TEXT))
    assert (source.name, source.format) == ("<stdin>", "csv")
    for _ in range(2):
        assert read.numbers(source, "a", 1000).tolist() == list(range(5000))
    error = read.failure(source, ["b"])
    assert error.file == "<stdin>"
    assert error.details[-1].startswith("5,000 cells")


def test_stdin_that_is_a_file_is_read_from_where_it_stands(put, read):
    with open(put("x", b"skip this line\n" + TEXT), "rb") as stdin:
        stdin.readline()
        source = open_source("-", stdin=stdin)
        for _ in range(2):
            assert read.numbers(source, "a", 1000).tolist() == list(range(5000))


def test_stdin_of_a_process():
    code = (
        "from lossctl.data.formats import open_source\n"
        "source = open_source('-')\n"
        "print(sum(b.numbers('a').sum() for _ in range(2) for b in source.blocks(['a'], [], 100)))"
    )
    run = subprocess.run([sys.executable, "-c", code], input=TEXT, capture_output=True, check=True)
    assert float(run.stdout) == 2 * sum(range(5000))


def test_stdin_other_formats(tmp_path, read):
    np.save(tmp_path / "x.npy", np.arange(9.0))
    data = (tmp_path / "x.npy").read_bytes()
    source = open_source("-", stdin=io.BytesIO(data))
    assert source.format == "npy"
    assert read.numbers(source, "array").tolist() == list(range(9))
    with pytest.raises(DataError):
        open_source("-", stdin=io.BytesIO(TEXT), input_format="npy")


def test_stdin_closed(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DataError, match="stdin is closed"):
        open_source("-")


def test_a_spool_takes_only_what_is_asked_for():
    taken = []

    def more(size):
        taken.append(size)
        return b"0123456789" if len(taken) <= 5 else b""

    spool = Spool("x", more)
    view = memoryview(bytearray(4))
    assert spool.at(0, view) == 4
    assert len(taken) == 1
    assert bytes(view) == b"0123"
    assert spool.at(25, view) == 4
    assert bytes(view) == b"5678"
    assert len(taken) == 3
    assert not spool.complete
    assert spool.size() == 50
    assert spool.complete
    assert spool.at(50, view) == 0
    assert spool.at(8, view) == 4
    assert bytes(view) == b"8901"


def test_a_spool_beyond_memory(monkeypatch, read):
    monkeypatch.setattr(stored_module, "_SPOOL_IN_MEMORY", 1000)
    source = open_source("-", stdin=io.BytesIO(TEXT))
    for rows in (7, 1000):
        assert read.numbers(source, "a", rows).tolist() == list(range(5000))


def test_a_spool_that_cannot_be_written(monkeypatch):
    def full(fd, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stored_module, "_SPOOL_IN_MEMORY", 1000)
    monkeypatch.setattr(os, "write", full)
    spool = Spool("<stdin>", io.BytesIO(TEXT).read1)
    with pytest.raises(DataError, match="No space left on device") as caught:
        spool.size()
    assert caught.value.code == "spool"
    assert "TMPDIR" in caught.value.hint


def test_a_pipe_that_would_not_wait_is_no_end():
    with pytest.raises(DataError) as caught:
        Spool("<stdin>", lambda size: None).size()
    assert caught.value.code == "unreadable"


@pytest.mark.parametrize(
    ("format", "kind"), [("csv", None), ("csv", "gz"), ("npy", None), ("npy", "gz"), ("npz", None)]
)
def test_device_errors_name_the_path_and_the_cause(tmp_path, read, monkeypatch, format, kind):
    path = sample(tmp_path, format, kind)
    source = open_source(path)

    def fail(fd, view, offset):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(stored_module, "_pread", fail)
    error = read.failure(source, [source.columns[0].name])
    assert error.code == "unreadable"
    assert "Input/output error" in error.message
    assert str(path) in error.message


def sample(folder, format, kind=None):
    import pyarrow.parquet as pq

    path = folder / f"x.{format}"
    values = np.arange(20_000.0)
    if format == "csv":
        path.write_text("a\n" + "".join(f"{x}\n" for x in values))
    elif format == "npy":
        np.save(path, values)
    elif format == "npz":
        np.savez(path, a=values)
    else:
        pq.write_table(pa.table({"a": values}), path)
    if kind:
        packed = gzip.compress(path.read_bytes())
        path = folder / f"x.{format}.{kind}"
        path.write_bytes(packed)
    return path


@pytest.mark.parametrize("format", ["csv", "npy"])
def test_a_file_that_shrinks_while_it_is_read(tmp_path, format):
    path = sample(tmp_path, format)
    source = open_source(path)
    name = source.columns[0].name
    blocks = source.blocks([name], [], 1000)
    assert next(blocks).numbers(name)[0] == 0
    os.truncate(path, 2000)
    with pytest.raises(DataError) as caught:
        [block.numbers(name) for block in blocks]
    assert caught.value.code == "shrank"
    assert caught.value.file == str(path)


@pytest.mark.parametrize("format", ["csv", "npy", "npz", "parquet"])
def test_a_file_that_is_another_one_at_the_second_look(tmp_path, read, format):
    path = sample(tmp_path, format)
    source = open_source(path)
    name = source.columns[0].name
    assert len(read.numbers(source, name, 1000)) == 20_000
    path.write_bytes(path.read_bytes()[:-100])
    assert read.failure(source, [name]).code == "changed"
    path.unlink()
    assert read.failure(source, [name]).code == "not-found"


def test_several_threads_read_one_file(put):
    data = bytes(range(256)) * 4000
    store = FileBytes("x", os.open(put("x", data), os.O_RDONLY))
    wrong = []

    def check(start):
        view = memoryview(bytearray(97))
        for offset in range(start, len(data) - 97, 997):
            count = store.at(offset, view)
            if bytes(view[:count]) != data[offset : offset + count]:
                wrong.append(offset)

    threads = [threading.Thread(target=check, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_files_are_closed(put, read):
    source = open_source(put("x.csv", TEXT))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        read.numbers(source, "a", 1000)
        next(source.blocks(["a"], [], 10))
    assert len(os.listdir("/proc/self/fd")) == before


def test_where_a_system_cannot_read_at_a_place(put, read, monkeypatch):
    monkeypatch.delattr(os, "preadv")
    source = open_source(put("x.csv", TEXT))
    assert read.numbers(source, "a", 1000).tolist() == list(range(5000))
