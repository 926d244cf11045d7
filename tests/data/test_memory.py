"""What is in memory already: NumPy, lists, pandas, pyarrow, anything with an array interface."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lossctl.data.arrays.memory import MemorySource
from lossctl.errors import DataError

N = 20


class Stream:
    """A column of another library, known only by Arrow's C interface."""

    def __init__(self, data):
        self._data = data

    def __arrow_c_stream__(self, requested_schema=None):
        return self._data.__arrow_c_stream__(requested_schema)


class Array(Stream):
    def __arrow_c_array__(self, requested_schema=None):
        return self._data.__arrow_c_array__(requested_schema)


class Tensor:
    def __init__(self, error=None):
        self._error = error

    def __array__(self, dtype=None, copy=None):
        if self._error:
            raise self._error
        return np.arange(N, dtype="f4")


FLOATS = np.arange(N) / 4
CHUNKS = pa.chunked_array([FLOATS[:3].tolist(), [], FLOATS[3:].tolist()], pa.float64())


@pytest.mark.parametrize(
    "column",
    [
        FLOATS,
        FLOATS[::-1][::-1],
        FLOATS.astype(">f8"),
        FLOATS.tolist(),
        tuple(FLOATS.tolist()),
        pd.Series(FLOATS),
        pd.Series(FLOATS, dtype="Float64"),
        pd.Series(FLOATS, dtype="object"),
        pa.array(FLOATS),
        CHUNKS,
        Stream(CHUNKS),
        Array(pa.array(FLOATS)),
        Array(pa.array([9.0, *FLOATS])[1:]),
    ],
    ids=lambda column: type(column).__name__,
)
def test_numbers(column, read, rows):
    source = MemorySource({"x": column}, "here")
    assert read.numbers(source, "x", rows).tolist() == FLOATS.tolist()
    (found,) = source.columns
    assert (found.name, found.type, found.width, found.rows) == ("x", "real", None, N)
    assert (source.name, source.format, source.notes) == ("here", "memory", ())


def test_dtypes_stay(read):
    source = MemorySource({"t": Tensor(), "i": np.arange(N, dtype="u2"), "b": [True, False] * 10})
    assert [c.type for c in source.columns] == ["real", "int", "bool"]
    assert read.numbers(source, "t").dtype == np.float32
    assert read.numbers(source, "i").tolist() == list(range(N))
    assert read.numbers(source, "b").tolist() == [1, 0] * 10


def test_missing(read):
    nan = np.nan
    columns = {
        "list": [1.0, None, 3.0],
        "masked": np.ma.masked_array([1, 2, 3], [False, True, False]),
        "unmasked": np.ma.masked_array([1, np.nan, 3]),
        "nullable": pd.Series([1, None, 3], dtype="Int64"),
        "object": pd.Series([1, pd.NA, 3], dtype="object"),
        "arrow": pa.array([1, None, 3]),
    }
    for name in columns:
        np.testing.assert_array_equal(read.numbers(MemorySource(columns), name), [1, nan, 3], err_msg=name)


def test_masked_arrays_of_more_axes(read):
    masked = np.ma.masked_array([[1, 2], [3, 4]], [[False, True], [False, False]])
    np.testing.assert_array_equal(read.numbers(MemorySource({"x": masked}), "x"), [[1, np.nan], [3, 4]])


def test_text(read, rows):
    cells = ["cat", None, "007", "", "cat"] * 4
    known = [cell or "x" for cell in cells]
    columns = {
        "list": cells,
        "object": np.array(cells, object),
        "pandas": pd.Series(cells, dtype="object"),
        "string": pd.Series(cells, dtype="string"),
        "str": pd.Series(cells),
        "category": pd.Series(cells, dtype="category"),
        "arrow": pa.array(cells),
        "coded": pa.array(cells).dictionary_encode(),
    }
    for name in columns:
        source = MemorySource(columns)
        assert read.texts(source, name, rows) == cells, name
        assert read.failure(source, [name]).code == "dtype"
    assert read.texts(MemorySource({"u": np.array(known)}), "u", rows) == known
    anylength = np.array(known, np.dtypes.StringDType())
    assert read.texts(MemorySource({"u": anylength}), "u", rows) == known
    assert read.texts(MemorySource({"n": [3, 1, 3]}), "n", rows) == ["3", "1", "3"]


def test_axes(read, rows):
    values = np.random.default_rng(0).normal(size=(N, 3, 2))
    source = MemorySource({"c": values, "f": np.asfortranarray(values), "p": values[:, :, 0]})
    assert [(c.width, c.axes) for c in source.columns] == [(6, (3, 2)), (6, (3, 2)), (3, ())]
    for block in read.blocks(source, ["c", "f", "p"], [], rows):
        np.testing.assert_array_equal(block.numbers("c"), values[block.first : block.first + rows])
        np.testing.assert_array_equal(block.numbers("f"), block.numbers("c"))
        np.testing.assert_array_equal(block.numbers("p"), block.numbers("c")[:, :, 0])
        assert block.numbers("f").flags.c_contiguous
        assert block.numbers("p").flags.c_contiguous


def test_arrow_and_numpy_side_by_side(read, rows):
    source = MemorySource({"a": CHUNKS, "n": FLOATS, "l": pa.array([[1, 2]] * N)})
    for block in read.blocks(source, ["a", "n", "l"], ["a"], rows):
        assert block.numbers("a").tolist() == block.numbers("n").tolist()
        assert block.numbers("l").shape == (block.rows, 2)
        assert block.texts("a") == [str(x) for x in block.numbers("a")]


def test_data_frames_are_arrays_of_columns(read):
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    assert read.numbers(MemorySource({"x": frame}), "x").tolist() == [[1, 3], [2, 4]]


def test_the_callers_array_is_neither_copied_nor_changed():
    mine = np.arange(10.0)
    (block,) = MemorySource({"x": mine}).blocks(["x"], [], 100)
    found = block.numbers("x")
    assert np.shares_memory(found, mine)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 5
    mine[0] = 7
    assert mine.flags.writeable


def test_integers_too_large(read, rows):
    values = [2**53, *[0] * 12, 2**53 + 1]
    for column in (np.array(values), pa.array(values), pa.array([None, *values])[1:]):
        error = read.failure(MemorySource({"x": column}), ["x"], rows=rows)
        assert (error.code, error.row, error.column, error.file) == ("integer-too-large", 14, "x", "<array>")
    with pytest.raises(DataError) as caught:
        MemorySource({"x": np.ma.masked_array([1, 2**53 + 1])})
    assert (caught.value.code, caught.value.row) == ("integer-too-large", 2)
    with pytest.raises(DataError) as caught:
        MemorySource({"x": [0, 2**70]})
    assert (caught.value.code, caught.value.row) == ("integer-too-large", 2)


def test_lengths_differ(read):
    source = MemorySource({"a": np.zeros(3), "b": pa.array([1.0, 2.0])})
    error = read.failure(source, ["a", "b"])
    assert error.code == "lengths-differ"
    assert '"a" 3 rows' in error.message
    assert '"b" 2 rows' in error.message
    assert len(read.numbers(source, "a")) == 3


def test_no_rows(read):
    assert read.blocks(MemorySource({"a": [], "b": pa.array([], pa.float64())}), ["a", "b"]) == []


@pytest.mark.parametrize(
    ("column", "code"),
    [
        (3.0, "shape"),
        (np.array("x"), "shape"),
        ([[[1.0]], [[1.0, 2.0], [3.0, 4.0]]], "ragged-list"),
        (np.array([1j]), "dtype"),
        (np.array(["2020-01-01"], "M8[D]"), "dtype"),
        ([object()], "dtype"),
        ([1, "a", None], "dtype"),
        (np.array([[["a"]]]), "dtype"),
        ([b"x"], "dtype"),
        (Tensor(RuntimeError("call detach() first")), "dtype"),
        (Tensor(TypeError("not on the CPU")), "dtype"),
    ],
)
def test_what_is_no_column(column, code):
    with pytest.raises(DataError) as caught:
        MemorySource({"x": column})
    assert (caught.value.code, caught.value.column) == (code, "x")


def test_arrow_types_that_are_no_numbers(read):
    source = MemorySource({"t": pa.array([0], pa.timestamp("s")), "s": pa.array([{"a": 1}])})
    assert [c.type for c in source.columns] == ["other", "other"]
    assert read.failure(source, ["t"]).code == "dtype"
