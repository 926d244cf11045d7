"""NPY: dtypes, byte order, axes, Fortran order, pipes, and files that lie about themselves."""

from __future__ import annotations

import gzip
import io
import os
import threading

import numpy as np
import pyarrow as pa
import pytest

from lossctl.data.arrays import npy as npy_module
from lossctl.data.formats import open_source
from lossctl.errors import DataError

N = 23


@pytest.fixture
def save(tmp_path):
    """Writes an array, plain or compressed, and opens it."""

    def write(array, kind=None, name="x.npy"):
        path = tmp_path / name
        np.save(path, array)
        return open_source(path if kind is None else pack(path, kind))

    return write


def pack(path, kind):
    data = path.read_bytes()
    packed = gzip.compress(data) if kind == "gz" else pa.compress(data, codec="zstd", asbytes=True)
    target = path.with_name(f"{path.name}.{kind}")
    target.write_bytes(packed)
    return target


def opened(path, kind):
    """The file itself, or packed, or through a pipe."""
    if kind == "stdin":
        return open_source("-", stdin=io.BytesIO(path.read_bytes()))
    return open_source(path if kind is None else pack(path, kind))


def header(shape, descr="<f8", fortran=False, version=(1, 0)):
    stream = io.BytesIO()
    write = np.lib.format.write_array_header_1_0 if version == (1, 0) else np.lib.format.write_array_header_2_0
    write(stream, {"descr": descr, "fortran_order": fortran, "shape": shape})
    return stream.getvalue()


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "g", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [None, "gz", "zst"])
def test_dtypes(save, read, rows, dtype, order, kind):
    values = (np.arange(N) % 7).astype(np.dtype(dtype).newbyteorder(order))
    source = save(values, kind)
    expected = {"f4": np.float32, "f2": np.float32}.get(dtype, np.float64)
    found = read.numbers(source, "array", rows)
    assert found.dtype == expected
    assert found.dtype.isnative
    assert found.tolist() == values.astype(float).tolist()
    (column,) = source.columns
    kinds = {"f": "real", "g": "real", "i": "int", "u": "int", "?": "bool"}
    assert (column.name, column.type, column.width, column.rows) == ("array", kinds[dtype[0]], None, N)
    assert column.dtype == np.dtype(dtype).name


@pytest.mark.parametrize("shape", [(N,), (N, 1), (N, 4), (N, 3, 5), (N, 2, 3, 2), (N, 0), (0,), (0, 3), (1, 7)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", [None, "gz", "stdin"])
def test_shapes_and_orders(tmp_path, read, rows, shape, order, kind):
    values = np.asarray(np.random.default_rng(1).normal(size=shape), order=order)
    path = tmp_path / "x.npy"
    np.save(path, values)
    source = opened(path, kind)
    (column,) = source.columns
    assert column.width == (None if len(shape) == 1 else int(np.prod(shape[1:])))
    assert column.axes == (shape[1:] if len(shape) > 2 else ())
    assert (column.rows, source.format, source.notes) == (shape[0], "npy", ())
    blocks = read.blocks(source, ["array"], [], rows)
    for block in blocks:
        found = block.numbers("array")
        assert found.flags.c_contiguous  # the same digits later on, whatever the order in the file
        np.testing.assert_array_equal(found, values[block.first : block.first + rows])
    assert sum(block.rows for block in blocks) == shape[0]


def test_a_header_of_version_2(tmp_path, read):
    path = tmp_path / "x.npy"
    path.write_bytes(header((3,), version=(2, 0)) + np.arange(3.0).tobytes())
    assert read.numbers(open_source(path), "array").tolist() == [0, 1, 2]


def test_float16_does_not_overflow_and_longdouble_becomes_inf(save, read):
    assert read.numbers(save(np.array([65504], "f2")), "array").tolist() == [65504]
    huge = np.array([1, "1e4000"], np.longdouble)
    assert read.numbers(save(huge), "array").tolist() == [1, np.inf]


def test_bytes_of_a_bool_that_are_neither_0_nor_1(tmp_path, read):
    path = tmp_path / "x.npy"
    path.write_bytes(header((4,), "|b1") + bytes([0, 1, 2, 255]))
    assert read.numbers(open_source(path), "array").tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize("dtype", ["i8", "u8", ">i8"])
@pytest.mark.parametrize("width", [None, 3])
def test_integers_too_large(save, read, rows, dtype, width):
    values = np.zeros((N, width or 1), dtype)
    values[5:] = 2**53
    values[17, -1] = 2**53 + 1
    source = save(values if width else values[:, 0])
    error = read.failure(source, ["array"], rows=rows)
    assert (error.code, error.row, error.column) == ("integer-too-large", 18, "array")
    assert "9007199254740993" in error.message
    if not width:
        assert read.texts(source, "array")[16:18] == ["9007199254740992", "9007199254740993"]


def test_labels(save, read, rows):
    assert read.texts(save(np.array([3, -1, 3, 0])), "array", rows) == ["3", "-1", "3", "0"]
    floats = np.array([1.5, 1.0, np.nan, 1e300, 0.1, -0.0, np.inf])
    assert read.texts(save(floats), "array", rows) == ["1.5", "1.0", None, "1e+300", "0.1", "0.0", "inf"]
    assert read.texts(save(np.array([0.5, 0.1], "f4")), "array", rows) == ["0.5", "0.1"]
    assert read.texts(save(np.array([True, False])), "array", rows) == ["true", "false"]
    assert read.texts(save(np.array([2**63 - 1])), "array", rows) == [str(2**63 - 1)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_text(save, read, rows, order):
    cells = ["cat", "007", "", "é日", "cat", "NA"]
    source = save(np.array(cells).astype(f"{order}U4"))
    assert (source.columns[0].type, source.columns[0].width) == ("text", None)
    assert read.texts(source, "array", rows) == cells
    error = read.failure(source, ["array"])
    assert (error.code, error.column) == ("dtype", "array")


def test_n_by_k_has_no_labels(save, read):
    assert read.failure(save(np.zeros((3, 2))), (), ["array"]).code == "dtype"


@pytest.mark.parametrize(
    "values",
    [
        np.array([1, None], object),
        np.array([b"ab"]),
        np.array([1 + 2j]),
        np.array(["2020-01-01"], "M8[D]"),
        np.array([3], "m8[s]"),
        np.zeros(2, [("a", "f8"), ("b", "i4")]),
        np.zeros(2, "V3"),
        np.array([["a", "b"]]),
    ],
    ids=lambda values: str(values.dtype),
)
def test_dtypes_refused_by_name(tmp_path, values):
    path = tmp_path / "x.npy"
    np.save(path, values, allow_pickle=True)
    with pytest.raises(DataError) as caught:
        open_source(path)
    assert (caught.value.code, caught.value.file) == ("dtype", str(path))
    assert str(values.dtype) in caught.value.message


def test_a_pickle_within_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "ran"),))

    np.save(tmp_path / "x.npy", np.array([Evil()], object), allow_pickle=True)
    with pytest.raises(DataError):
        open_source(tmp_path / "x.npy")
    assert not (tmp_path / "ran").exists()


def test_no_axes(save):
    with pytest.raises(DataError) as caught:
        save(np.array(3.0))
    assert caught.value.code == "shape"


@pytest.mark.parametrize("shape", [(11,), (2**60,), (2**20, 2**20), (2**62, 2**62), (5, 3)])
@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("kind", [None, "gz", "stdin"])
def test_headers_that_announce_more_than_there_is(tmp_path, read, shape, fortran, kind):
    path = tmp_path / "x.npy"
    path.write_bytes(header(shape, fortran=fortran) + bytes(80))
    with pytest.raises(DataError) as caught:
        [block.numbers("array") for block in opened(path, kind).blocks(["array"], [], 8)]
    assert caught.value.code in ("truncated", "too-large")


def test_a_row_beyond_the_cap(tmp_path, monkeypatch):
    monkeypatch.setattr(npy_module, "ROW_CAP", 79)
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((1, 10)))
    with pytest.raises(DataError) as caught:
        open_source(path)
    assert caught.value.code == "too-large"


@pytest.mark.parametrize("kind", [None, "gz", "stdin"])
def test_bytes_that_follow_are_not_lost_in_silence(tmp_path, read, kind):
    path = tmp_path / "x.npy"
    with open(path, "wb") as file:
        np.save(file, np.arange(3.0))
        np.save(file, np.arange(3.0))
    with pytest.raises(DataError) as caught:
        read.numbers(opened(path, kind), "array")
    assert caught.value.code == "trailing-bytes"


@pytest.mark.parametrize(
    "content",
    [
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00",
        b"\x93NUMPY\x09\x00v\x00" + b"x" * 118,
        b"no npy file at all",
        b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }".ljust(117) + b"\n",
        header((3,)).replace(b"(3,)", b"(-3,)"),
        header((3,)).replace(b"(3,)", b"'abc'"),
        header((3,)).replace(b"False", b"'no' "),
        header((3,)).replace(b"<f8", b"<q9"),
        b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 9999 + b"\n",
        b"\x93NUMPY\x02\x00\xff\xff\xff\x7f",
    ],
)
def test_headers_that_make_no_sense(put, content):
    with pytest.raises(DataError) as caught:
        open_source(put("x.npy", content))
    assert caught.value.code in ("corrupt", "truncated")


def test_any_change_of_a_byte_of_the_header_is_survived(put, read):
    good = header((4,)) + np.arange(4.0).tobytes()
    for i in range(100):
        for byte in (0, 40, 57, 255):
            bad = good[:i] + bytes([byte]) + good[i + 1 :]
            try:
                values = read.numbers(open_source(put("x.npy", bad)), "array")
            except DataError:
                continue
            assert values.shape[0] in (4, 32)


def test_blocks_may_be_read_by_several_threads(save):
    values = np.arange(200_000.0)
    blocks = list(save(values).blocks(["array"], [], 1000))
    found = {}

    def work(part):
        for block in part:
            found[block.first] = block.numbers("array")

    threads = [threading.Thread(target=work, args=(blocks[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(np.concatenate([found[i] for i in range(0, 200_000, 1000)]), values)


def test_no_copy_beyond_the_one_of_the_file(save):
    """What is read is handed on as it is: the array owns its memory, in the file's own dtype."""
    for dtype in ("f8", "f4"):
        (block,) = save(np.arange(5, dtype=dtype)).blocks(["array"], [], 10)
        assert block.numbers("array").flags.owndata
