"""Arrays whose rows are not their first axis: frames first, or rows end to end with their lengths."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from lossctl.data.arrays import npy
from lossctl.data.arrays.memory import MemorySource
from lossctl.data.formats import open_source
from lossctl.errors import DataError


def lists(source, name, rows):
    found = []
    for block in source.blocks([], [], rows, [name]):
        part = block.sequences(name)
        assert len(part) == block.rows
        found += [part.row(n).tolist() for n in range(len(part))]
    return found


def everywhere(folder, array):
    """An array as NPY (plain, packed, from a pipe), NPZ (packed or not) and in memory."""
    np.save(folder / "x.npy", array)
    (folder / "y.npy.gz").write_bytes(gzip.compress((folder / "x.npy").read_bytes()))
    np.savez(folder / "x.npz", array=array)
    np.savez_compressed(folder / "y.npz", array=array)
    piped = open_source("-", stdin=io.BytesIO((folder / "x.npy").read_bytes()))
    files = [open_source(folder / name) for name in ("x.npy", "y.npy.gz", "x.npz", "y.npz")]
    return [*files, piped, MemorySource({"array": array})]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4", "i2"])
@pytest.mark.parametrize("shape", [(5, 23), (5, 23, 3), (1, 23, 2), (5, 23, 2, 3), (0, 23, 3), (5, 0, 3)])
def test_frames_first(tmp_path, rows, order, dtype, shape):
    array = np.asarray(np.random.default_rng(1).integers(0, 99, shape), dtype, order=order)
    wanted = array.swapaxes(0, 1)
    for source in everywhere(tmp_path, array):
        assert source.columns[0].rows == shape[0]
        source.turn("array")
        source.turn("array")  # by another loss that wants it so
        (column,) = source.columns
        assert (column.rows, column.width) == (shape[1], int(np.prod(wanted.shape[1:])))
        assert column.axes == (wanted.shape[1:] if len(shape) > 2 else ())
        for _ in range(2):
            assert lists(source, "array", rows) == wanted.tolist()
        if shape[0]:
            numbers = [block.numbers("array") for block in source.blocks(["array"], [], rows)]
            assert np.array_equal(np.concatenate([np.empty((0, *wanted.shape[1:])), *numbers]), wanted)
        kinds = {block.sequences("array").dtype for block in source.blocks([], [], rows, ["array"])}
        assert kinds <= {np.dtype({"f4": "f4", "f8": "f8", ">f4": "f4", "i2": "i8"}[dtype])}


def test_frames_first_beside_targets(tmp_path, rows):
    logits, targets = np.random.default_rng(2).normal(size=(7, 5, 3)), np.arange(10).reshape(5, 2)
    np.savez(tmp_path / "x.npz", logits=logits, targets=targets, other=np.arange(7))
    for source in (open_source(tmp_path / "x.npz"), MemorySource({"logits": logits, "targets": targets})):
        with pytest.raises(DataError) as caught:
            source.blocks([], [], rows, ["logits", "targets"])
        assert caught.value.code == "lengths-differ"
        source.turn("logits")
        blocks = list(source.blocks(["targets"], [], rows, ["logits", "targets"]))
        assert sum(block.rows for block in blocks) == 5
        found = [block.sequences("logits").row(n).tolist() for block in blocks for n in range(block.rows)]
        assert found == logits.swapaxes(0, 1).tolist()


def test_nothing_is_copied_in_memory():
    array = np.zeros((4, 6, 3), np.float32)
    source = MemorySource({"x": array})
    source.turn("x")
    for block in source.blocks([], [], 4, ["x"]):
        rows = block.sequences("x")
        assert np.shares_memory(rows.values, array)
        assert rows.step == 6
    (block,) = MemorySource({"x": array}).blocks([], [], 100, ["x"])
    assert np.shares_memory(block.sequences("x").values, array)


def test_a_block_of_a_file_is_all_that_is_held(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((100, 1000, 20), np.float32))  # 8 MB
    source = open_source(tmp_path / "x.npy")
    source.turn("array")
    tracemalloc.start()
    for block in source.blocks([], [], 10, ["array"]):
        block.sequences("array")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("turn", [False, True])
def test_rows_beyond_the_cap(tmp_path, monkeypatch, turn):
    """Rows of one layout may be too large where those of the other are not."""
    np.save(tmp_path / "x.npy", np.zeros((2, 100, 3)))
    np.savez(tmp_path / "x.npz", array=np.zeros((2, 100, 3)))
    monkeypatch.setattr(npy, "ROW_CAP", 1000)
    for name in ("x.npy", "x.npz"):
        source = open_source(tmp_path / name)
        if turn:
            source.turn("array")
            assert len(lists(source, "array", 7)) == 100
            continue
        with pytest.raises(DataError) as caught:
            source.blocks(["array"], [], 7)
        assert caught.value.code == "too-large"


def test_what_cannot_be_turned(tmp_path):
    for source in everywhere(tmp_path, np.arange(3)):
        with pytest.raises(DataError) as caught:
            source.turn("array")
        assert (caught.value.code, caught.value.column) == ("shape", "array")
    for value in (pa.array([[1]]), [[1, 2], [3]]):
        with pytest.raises(DataError) as caught:
            MemorySource({"x": value}).turn("x")
        assert caught.value.code == "shape"


@pytest.mark.parametrize("damage", [100, -1])
@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_array_is_not_turned(tmp_path, damage, packed):
    np.save(tmp_path / "x.npy", np.zeros((3, 4, 5)))
    data = (tmp_path / "x.npy").read_bytes()
    data = data + bytes(damage) if damage > 0 else data[:damage]
    path = tmp_path / ("x.npy.gz" if packed else "x.npy")
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(DataError) as caught:
        turned_and_read(path)
    assert caught.value.code in ("truncated", "trailing-bytes")


def turned_and_read(path):
    source = open_source(path)
    source.turn("array")
    return lists(source, "array", 2)


# Rows end to end.


LENGTHS = [2, 0, 3, 1, 0, 4, 1]
VALUES = np.arange(11)


def archives(folder, values, lengths, name="targets"):
    columns = {name: values, "lengths": np.asarray(lengths), "other": np.arange(3)}
    np.savez(folder / "x.npz", **columns)
    np.savez_compressed(folder / "y.npz", **columns)
    return [open_source(folder / "x.npz"), open_source(folder / "y.npz"), MemorySource(columns)]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("values", [VALUES, VALUES.astype("i4"), VALUES / 3, np.arange(22.0).reshape(11, 2)], ids=str)
@pytest.mark.parametrize("kind", [np.int64, np.int32, np.float64])
def test_rows_end_to_end(tmp_path, rows, values, kind, order):
    values = np.asarray(values, order=order)
    edges = np.cumsum([0, *LENGTHS])
    wanted = [values[start:stop].tolist() for start, stop in pairwise(edges)]
    for source in archives(tmp_path, values, np.array(LENGTHS, kind)):
        source.cut("targets", "lengths")
        column = next(column for column in source.columns if column.name == "targets")
        assert (column.rows, column.width, column.uneven) == (7, 0, True)
        for _ in range(2):
            assert lists(source, "targets", rows) == wanted
        blocks = list(source.blocks(["lengths"], [], rows, ["targets"]))
        assert [n for block in blocks for n in block.numbers("lengths")] == LENGTHS
        kinds = {block.sequences("targets").dtype for block in blocks}
        assert kinds == {np.dtype(np.int64 if values.dtype.kind == "i" else np.float64)}
        with pytest.raises(DataError) as caught:
            source.blocks(["targets"], [], rows)
        assert caught.value.code == "dtype"


@pytest.mark.parametrize(
    ("lengths", "code", "row", "words"),
    [
        ([2, 3], "lengths-sum", None, 'the lengths in "lengths" add up to 5, and "targets" holds 11 values'),
        ([11, 1], "lengths-sum", None, "add up to 12"),
        ([], "lengths-sum", None, "add up to 0"),
        ([12, -1], "bad-length", 2, "-1 is no length"),
        ([5.5, 5.5], "bad-length", 1, "5.5 is no length"),
        ([np.nan, 11], "bad-length", 1, "nan is no length"),
        ([[5, 6]], "shape", None, "one number a row"),
    ],
)
def test_lengths_that_do_not_fit(tmp_path, lengths, code, row, words):
    for source in archives(tmp_path, VALUES, lengths):
        with pytest.raises(DataError) as caught:
            source.cut("targets", "lengths")
        assert (caught.value.code, caught.value.row) == (code, row)
        assert words in caught.value.message


def test_lengths_that_are_no_numbers(tmp_path):
    for source in archives(tmp_path, VALUES, ["a", "b"]):
        with pytest.raises(DataError) as caught:
            source.cut("targets", "lengths")
        assert caught.value.code == "dtype"
    with pytest.raises(DataError) as caught:
        MemorySource({"x": pa.array([1, 2]), "lengths": [2]}).cut("x", "lengths")
    assert caught.value.code == "shape"
