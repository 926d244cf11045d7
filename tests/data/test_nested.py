"""Columns with more than one value a row: fields of structs, Spark ML vectors, labelled scores."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.formats import open_source

VECTOR = pa.struct(
    [
        pa.field("type", pa.int8(), nullable=False),
        pa.field("size", pa.int32()),
        pa.field("indices", pa.list_(pa.field("element", pa.int32(), nullable=False))),
        pa.field("values", pa.list_(pa.field("element", pa.float64(), nullable=False))),
    ]
)


def dense(*values):
    return {"type": 1, "size": None, "indices": None, "values": list(values)}


def sparse(size, **cells):
    places = [int(key[1:]) for key in cells]
    return {"type": 0, "size": size, "indices": places, "values": list(cells.values())}


@pytest.fixture(params=["parquet", "arrow"])
def save(request, tmp_path):
    """Writes columns in pieces of a few rows and opens the file."""

    def go(columns):
        path = tmp_path / f"x.{request.param}"
        if request.param == "parquet":
            pq.write_table(pa.table(columns), path, row_group_size=4)
        else:
            feather.write_feather(pa.table(columns), path, chunksize=4)
        return open_source(path)

    return go


def one(source):
    (column,) = source.columns
    return column


# Structs.


def test_fields_of_structs(save, read, rows):
    cells = [{"score": i / 2, "in": {"t": f"w{i}", "n": None}} for i in range(9)]
    cells[3] = None
    cells[5] = {"score": None, "in": None}
    source = save({"id": range(9), "payload": cells})
    assert [(c.name, c.type) for c in source.columns] == [
        ("id", "int"),
        ("payload.score", "real"),
        ("payload.in.t", "text"),
        ("payload.in.n", "real"),
    ]
    scores = [np.nan if i in (3, 5) else i / 2 for i in range(9)]
    np.testing.assert_array_equal(read.numbers(source, "payload.score", rows), scores)
    assert read.texts(source, "payload.in.t", rows) == [None if i in (3, 5) else f"w{i}" for i in range(9)]
    assert np.isnan(read.numbers(source, "payload.in.n", rows)).all()
    (block,) = source.blocks(["payload.score", "id"], ["payload.in.t"], 100)
    assert block.numbers("id").tolist() == list(range(9))


def test_lists_in_structs(save, read, rows):
    source = save({"s": [{"p": [i, 1.0]} for i in range(9)]})
    assert read.numbers(source, "s.p", rows).tolist() == [[i, 1.0] for i in range(9)]


def test_a_name_with_a_dot_and_a_path(save, read):
    source = save({"a.b": [1.0], "a": [{"b": 2.0, "c": 3.0}]})
    assert read.failure(source, ["a.b"]).code == "duplicate-column"
    assert read.numbers(source, "a.c").tolist() == [3]


def test_an_element_of_a_list(save, read, rows):
    source = save({"p": [[i, -i] for i in range(9)], "v": pa.array([dense(i, 2.0) for i in range(9)], VECTOR)})
    assert source.find("p.1")
    assert source.find("v.0")
    assert read.numbers(source, "p.1", rows).tolist() == [-i for i in range(9)]
    assert read.numbers(source, "v.0", rows).tolist() == list(range(9))
    assert not any(map(source.find, ("p.2", "p.-1", "p.x", "q.0", "p.", "v.2", "p.99999999999")))
    assert [(c.name, c.width) for c in source.columns] == [("p", 0), ("v", 0), ("p.1", None), ("v.0", None)]


# Spark ML vectors.


def test_vectors(save, read, rows):
    cells = [dense(1, 2, 3), None, sparse(3, i1=5.0), sparse(3), dense(np.nan, np.inf, -1), sparse(3, i0=1, i1=2, i2=3)]
    source = save({"v": pa.array(cells, VECTOR)})
    column = one(source)
    assert (column.name, column.type, column.width, column.dtype) == ("v", "real", 0, "Spark vector")
    expected = [[1, 2, 3], [np.nan] * 3, [0, 5, 0], [0, 0, 0], [np.nan, np.inf, -1], [1, 2, 3]]
    found = read.numbers(source, "v", rows)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)
    assert read.failure(source, [], ["v"]).code == "dtype"


@pytest.mark.parametrize("first", [None, dense(1, 2), sparse(2), sparse(2, i1=1)])
def test_the_width_is_that_of_the_first_vector(save, read, first):
    source = save({"v": pa.array([None, first, dense(3, 4), sparse(2, i0=1)], VECTOR)})
    assert read.numbers(source, "v").shape == (4, 2)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (dense(1), "ragged-list"),
        (dense(), "ragged-list"),
        (sparse(4, i0=1.0), "ragged-list"),
        (sparse(3, i3=1.0), "corrupt"),
        ({**sparse(3), "indices": [-1], "values": [1.0]}, "corrupt"),
        ({**sparse(3), "indices": [0, 1], "values": [1.0]}, "corrupt"),
        ({**sparse(3), "indices": None, "values": [1.0]}, "corrupt"),
        ({**sparse(3), "indices": [1, 1], "values": [1.0, 2.0]}, "corrupt"),
        ({**sparse(3), "indices": [2, 1], "values": [1.0, 2.0]}, "corrupt"),
        ({**dense(1, 2, 3), "type": 2}, "corrupt"),
        ({**dense(), "values": None}, "ragged-list"),
    ],
)
def test_vectors_that_are_none(save, read, rows, cell, code):
    good = [dense(1, 2, 3), sparse(3, i0=1.0), None]
    error = read.failure(save({"v": pa.array([*good * 2, cell, *good], VECTOR)}), ["v"], rows=rows)
    assert (error.code, error.row, error.column) == (code, 7, "v")


def test_a_vector_in_a_struct(save, read):
    cells = pa.array([{"v": dense(1, 2)}, None, {"v": sparse(2, i1=3.0)}], pa.struct([("v", VECTOR)]))
    np.testing.assert_array_equal(read.numbers(save({"s": cells}), "s.v"), [[1, 2], [np.nan] * 2, [0, 3]])


def test_a_vector_that_is_announced_as_huge(save, read):
    error = read.failure(save({"v": pa.array([sparse(2**31 - 1, i1=3.0)], VECTOR)}), ["v"])
    assert error.code == "too-large"


def test_another_struct_of_that_kind_is_a_struct(save):
    source = save({"v": [{"type": "x", "size": 1, "indices": [1], "values": [1.0]}]})
    assert [c.name for c in source.columns] == ["v.type", "v.size", "v.indices", "v.values"]


# Labelled scores.


def scores(*pairs):
    return [{"label": label, "prob": prob} for label, prob in pairs]


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["b", "a", "c"], ("a", "b", "c")),
        (["10", "9", "x"], ("10", "9", "x")),
        ([10, 9, -1], ("-1", "9", "10")),
        (["10", "9", "1"], ("1", "9", "10")),
        ([True, False], ("false", "true")),
    ],
)
def test_classes(save, labels, order):
    column = one(save({"p": [None, scores(*((label, 0.5) for label in labels))]}))
    assert (column.type, column.width, column.classes) == ("real", len(order), order)


def test_labelled_scores(save, read, rows):
    cells = [scores(("b", 0.75), ("a", 0.25)), None, scores(("a", 0.5), ("b", 0.5)), scores(("a", 1.0), ("b", None))]
    source = save({"p": cells * 3})
    expected = [[0.25, 0.75], [np.nan] * 2, [0.5, 0.5], [1, np.nan]] * 3
    np.testing.assert_array_equal(read.numbers(source, "p", rows), expected)
    source.arrange("p", ("b", "a"))
    np.testing.assert_array_equal(read.numbers(source, "p", rows), [row[::-1] for row in expected])
    assert not source.find("p.0")


@pytest.mark.parametrize(
    "cell",
    [
        scores(("a", 0.5), ("c", 0.5)),
        scores(("a", 1.0)),
        scores(("a", 0.5), ("a", 0.5)),
        scores(("a", 0.5), ("b", 0.25), ("c", 0.25)),
        scores(("a", 0.5), (None, 0.5)),
        [],
    ],
)
def test_rows_with_other_labels(save, read, rows, cell):
    good = [scores(("b", 0.5), ("a", 0.5)), None]
    error = read.failure(save({"p": [*good * 3, cell, *good]}), ["p"], rows=rows)
    assert (error.code, error.row, error.column) == ("classes-differ", 7, "p")
    assert "expected a, b" in error.message


def test_no_scores_at_all(save, read):
    kind = pa.list_(pa.struct([("label", pa.string()), ("prob", pa.float64())]))
    source = save({"p": pa.array([None, None], kind), "a": [1.0, 2.0]})
    assert (source.columns[0].type, source.columns[0].classes) == ("other", None)
    assert read.numbers(source, "a").tolist() == [1, 2]


def test_other_pairs_are_no_scores(save):
    source = save({"p": [[{"label": [1], "prob": 0.5}]], "q": [[{"label": "a", "prob": "x"}]]})
    assert [(c.name, c.type, c.classes) for c in source.columns] == [("p", "other", None), ("q", "other", None)]


# What Arrow itself does not check.


@pytest.mark.parametrize("index", [3, -2])
@pytest.mark.parametrize("words", [["a", "b"], [1.0, 2.0]], ids=str)
def test_cells_outside_their_dictionary(read, index, words):
    array = pa.DictionaryArray.from_arrays(pa.array([0, index, 1]), pa.array(words), safe=False)
    source = MemorySource({"d": array})
    error = read.failure(source, *(((), ["d"]) if words[0] == "a" else (["d"], ())))
    assert (error.code, error.column) == ("corrupt", "d")
