"""Rows of any length from files: text as UTF-8, lists of words as codes, numbers and frames as they are."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.excerpt import excerpt
from lossctl.data.formats import open_source
from lossctl.data.opening import Input
from lossctl.data.text.csv import CsvSource
from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

TEXTS = ["the cat", "", "naïve 🙂", "a", "the cat", " x  y ", "\u2028\x0b\x1c", "NA", "null"] * 3


def texts(rows):
    """A Ragged of bytes as Python has it."""
    absent = np.zeros(len(rows), bool) if rows.missing is None else rows.missing
    assert rows.dtype == np.uint8
    assert not rows.lengths[absent].any()
    return [None if absent[n] else rows.text(n) for n in range(len(rows))]


def lists(rows):
    absent = np.zeros(len(rows), bool) if rows.missing is None else rows.missing
    assert not rows.lengths[absent].any()
    assert rows.starts.dtype == rows.lengths.dtype == np.int64
    found = [None if absent[n] else rows.row(n).tolist() for n in range(len(rows))]
    return (
        found if rows.words is None else [None if row is None else [rows.words[code] for code in row] for row in found]
    )


def strings(source, name, rows):
    return [cell for block in blocks(source, name, rows) for cell in cells(block.strings(name))]


def cells(found):
    return lists(found) if found.words is not None else texts(found)


def sequences(source, name, rows):
    return [row for block in blocks(source, name, rows) for row in lists(block.sequences(name))]


def blocks(source, name, rows):
    found = list(source.blocks([], [], rows, [name]))
    assert [block.first for block in found] == [i * rows for i in range(len(found))]
    return found


def refused(source, name, rows=7, way="sequences", numeric=(), text=()):
    """The error that reading a column ends with."""
    with pytest.raises(DataError) as caught:
        every(source, name, rows, way, numeric, text)
    return caught.value


def every(source, name, rows, way, numeric, text):
    for block in source.blocks(numeric, text, rows, [] if numeric or text else [name]):
        getattr(block, way)(name)


@pytest.fixture
def arrow(tmp_path):
    """The columns as sources: Parquet, Arrow files and streams, and in memory in several chunks."""

    def make(columns):
        table = pa.table(columns)
        pq.write_table(table, tmp_path / "x.parquet", row_group_size=5)
        feather.write_feather(table, tmp_path / "x.feather", chunksize=4)
        with pa.OSFile(str(tmp_path / "x.arrows"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=3)
        chunked = {
            name: pa.chunked_array([table[name].combine_chunks().slice(0, 2), table[name].combine_chunks().slice(2)])
            for name in table.column_names
        }
        return [*(open_source(tmp_path / f"x.{s}") for s in ("parquet", "feather", "arrows")), MemorySource(chunked)]

    return make


def dictionary(array, kind):
    coded = array.dictionary_encode()
    return pa.DictionaryArray.from_arrays(coded.indices.cast(kind.index_type), coded.dictionary.cast(kind.value_type))


# Text.


def everywhere(folder, words):
    """One column of text in every format that can hold it."""
    table = pa.table({"t": pa.array(words, pa.string())})
    pq.write_table(table, folder / "x.parquet", row_group_size=5)
    feather.write_feather(table, folder / "x.feather", chunksize=4)
    (folder / "x.jsonl").write_text("".join(f"{json.dumps({'t': word})}\n" for word in words), encoding="utf-8")
    (folder / "doc.json").write_text(json.dumps([{"t": word} for word in words], indent=1), encoding="utf-8")
    quoted = ['"' + word.replace('"', '""') + '"' for word in words]
    (folder / "x.csv").write_bytes("".join(f"{word},1\n" for word in ["t", *quoted]).encode())
    (folder / "x.tsv").write_bytes("".join(f"{word}\t1\n" for word in ["t", *quoted]).encode())
    (folder / "x.lines").write_bytes("".join(f"{word}\n" for word in words).encode())
    (folder / "x.kaldi").write_bytes("".join(f"u-{n} {word}\n" for n, word in enumerate(words)).encode())
    (folder / "x.trn").write_bytes("".join(f"{word} (s_{n})\n" for n, word in enumerate(words)).encode())
    names = ["x.parquet", "x.feather", "x.jsonl", "doc.json", "x.csv", "x.tsv", "x.lines", "x.kaldi", "x.trn"]
    return [*(open_source(folder / name) for name in names), CsvSource(Input(folder / "x.csv"), _sizes=(5, 40, 30))]


WORD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\r\n\0\t "\f\v;()'), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(WORD, max_size=4).map(" ".join), min_size=1, max_size=25), st.sampled_from([1, 7, 1000]))
def test_every_format_gives_the_same_bytes(tmp_path_factory, words, rows):
    folder = tmp_path_factory.mktemp("text")
    wanted = [word.encode() for word in words]
    for source in [
        *everywhere(folder, words),
        MemorySource({"t": words}),
        MemorySource({"t": np.array(words, object)}),
    ]:
        name = "t" if source.columns[0].name == "t" else "text"
        for asked in ([], [name]):  # as text alone, and as labels besides
            found = [block.strings(name) for block in source.blocks([], asked, rows, [name])]
            assert [bytes(part.row(n)) for part in found for n in range(len(part))] == wanted, source.format
            assert all(part.missing is None for part in found)


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.uint32(), pa.large_string()),
    ],
    ids=str,
)
def test_arrow_text(arrow, rows, kind):
    words = [None if n % 5 == 4 else word for n, word in enumerate(TEXTS)]
    array = pa.array(words)
    array = dictionary(array, kind) if pa.types.is_dictionary(kind) else array.cast(kind)
    for source in arrow({"t": array}):
        assert strings(source, "t", rows) == words
        (block,) = source.blocks([], ["t"], 1000)
        assert block.texts("t") == words
        assert texts(block.strings("t")) == words
        assert texts(excerpt(block, 0, 4).strings("t")) == words[:4]


def test_arrow_text_is_not_copied():
    (block,) = MemorySource({"t": pa.array(TEXTS)}).blocks([], [], 100, ["t"])
    rows = block.strings("t")
    assert not rows.values.flags.owndata
    assert rows.values.size == sum(len(word.encode()) for word in TEXTS)


def test_cells_that_are_no_text_are_written_out(arrow, tmp_path):
    for source in arrow({"n": pa.array([1, None, 3]), "b": pa.array([True, False, None])}):
        assert strings(source, "n", 2) == ["1", None, "3"]
        assert strings(source, "b", 2) == ["true", "false", None]
    np.savez(tmp_path / "x.npz", n=[1, 2], t=["é", ""])
    source = open_source(tmp_path / "x.npz")
    assert strings(source, "n", 1) == ["1", "2"]
    assert strings(source, "t", 1) == ["é", ""]


def test_only_what_the_caller_says_is_missing(csv, sizes, rows):
    """An empty cell is an empty text, and ``NA`` may well be what was said."""
    source = csv('t,n\n,1\nNA,2\n"x, y",3\n-,4\nnull,5\n--,6\n', sizes=sizes, null_values=["-", "x"])
    assert strings(source, "t", rows) == ["", "NA", "x, y", None, "null", "--"]
    assert strings(csv("t\na\n\nb\n", sizes=sizes), "t", rows) == ["a", "", "b"]
    assert strings(csv("t\na\n\nb\n", sizes=sizes, null_values=[""]), "t", rows) == ["a", None, "b"]


def test_a_column_that_is_numbers_too(csv, sizes):
    for block in csv("a\n1\n2.50\n", sizes=sizes).blocks(["a"], [], 10, ["a"]):
        assert block.numbers("a").tolist() == [1, 2.5]
        assert texts(block.strings("a")) == ["1", "2.50"]


def test_json_text(put):
    rows = ['{"t": "a"}', '{"t": null}', '{"t": 1.5}', "{}", '{"t": true}', '{"t": ""}']
    source = open_source(put("x.jsonl", "\n".join(rows)))
    assert strings(source, "t", 4) == ["a", None, "1.5", None, "true", ""]
    mixed = refused(open_source(put("x.jsonl", '{"t": ["b"]}\n{"t": "a"}')), "t", way="strings")
    assert (mixed.code, mixed.row) == ("dtype", 2)


# Text that is no UTF-8.


def not_utf8(arrays):
    """A string array with a broken cell in row 6; no cell is broken where cells are joined."""
    data = [b"ab", b"", b"\xc3\xa9", b"x", b"", *arrays, b"y"]
    return pa.Array.from_buffers(
        pa.string(),
        len(data),
        [None, pa.py_buffer(np.cumsum([0, *map(len, data)]).astype("i4").tobytes()), pa.py_buffer(b"".join(data))],
    )


@pytest.mark.parametrize("bad", [[b"\xff"], [b"\xc3", b"\xa9"]], ids=["byte", "character cut in two"])
@pytest.mark.parametrize("coded", [False, True])
def test_broken_text_names_its_row(tmp_path, rows, bad, coded):
    array = not_utf8(bad)
    if coded:
        array = pa.DictionaryArray.from_arrays(pa.array(range(len(array)), pa.int32()), array)
    pq.write_table(pa.table({"t": array}), tmp_path / "x.parquet")
    for source in (open_source(tmp_path / "x.parquet"), MemorySource({"t": array})):
        error = refused(source, "t", rows, "strings")
        assert (error.code, error.row, error.column) == ("encoding", 6, "t")


def test_broken_text_in_tables(csv, rows, sizes):
    source = csv(b"t,n\n" + b"ok,1\n" * 8 + b"\xff,2\n", sizes=sizes)
    error = refused(source, "t", rows, "strings")
    assert (error.code, error.row, error.column) == ("encoding", 9, "t")


def test_half_a_character_in_json(put):
    error = refused(open_source(put("x.jsonl", '{"t": "a"}\n{"t": "\\ud83d"}\n')), "t", way="strings")
    assert (error.code, error.row) == ("encoding", 2)


# Lists of words.


WORDS = [["a", "b"], [], None, ["b", "é", "b"], ["a"]] * 3


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.string()), pa.large_list(pa.large_string()), pa.list_(pa.dictionary(pa.int8(), pa.string()))],
    ids=str,
)
def test_lists_of_words(arrow, rows, kind):
    inner = kind.value_type
    flat = pa.array([word for row in WORDS for word in row or ()])
    flat = dictionary(flat, inner) if pa.types.is_dictionary(inner) else flat.cast(inner)
    edges = np.cumsum([0, *(len(row or ()) for row in WORDS)])
    make = pa.LargeListArray if pa.types.is_large_list(kind) else pa.ListArray
    array = make.from_arrays(pa.array(edges, pa.int64() if make is pa.LargeListArray else pa.int32()), flat)
    wanted = [row or [] for row in WORDS]
    if pa.types.is_dictionary(inner):  # which pyarrow does not read from Parquet
        sources = [MemorySource({"w": array})]
    else:
        sources = arrow({"w": array})
    for source in sources:
        (column,) = source.columns
        assert (column.type, column.width, column.uneven) == ("text", 0, True)
        assert strings(source, "w", rows) == wanted
        for block in blocks(source, "w", rows):
            found = block.strings("w")
            assert found.dtype == np.int64
            assert len(set(found.words)) == len(found.words)


def test_missing_lists_of_words(arrow, put, rows):
    for source in [
        *arrow({"w": pa.array(WORDS)}),
        open_source(put("x.jsonl", "\n".join(json.dumps({"w": row}) for row in WORDS))),
        MemorySource({"w": WORDS}),
        MemorySource({"w": np.array(WORDS, object)}),
    ]:
        assert strings(source, "w", rows) == WORDS


def test_a_null_among_words(arrow, put, rows):
    bad = [["a"], None, [], ["b"], ["c", None]]
    for source in [
        *arrow({"w": pa.array(bad)}),
        open_source(put("x.jsonl", "\n".join(json.dumps({"w": r}) for r in bad))),
    ]:
        error = refused(source, "w", rows, "strings")
        assert (error.code, error.row, error.column) == ("null-in-list", 5, "w")
        assert "item 2 of the list is null" in error.message


def test_words_that_no_row_holds_do_not_matter():
    """A null and a broken word between two rows, where a list is missing."""
    values = pa.array(["a", None, "b"])
    array = pa.ListArray.from_arrays(pa.array([0, 1, 2, 3]), values, mask=pa.array([False, True, False]))
    assert strings(MemorySource({"w": array}), "w", 10) == [["a"], None, ["b"]]


def test_lists_of_words_are_neither_numbers_nor_labels(arrow, put):
    for source in [
        *arrow({"w": pa.array(WORDS)}),
        open_source(put("x.jsonl", '{"w": ["a", "b"]}')),
        MemorySource({"w": WORDS}),
    ]:
        dtype = source.columns[0].dtype
        assert (refused(source, "w", numeric=["w"]).code, refused(source, "w", numeric=["w"]).message) == (
            "dtype",
            f"{dtype} is not numbers",
        )
        assert refused(source, "w", text=["w"]).message == f"{dtype} cannot be labels"
        assert refused(source, "w").code == "dtype"
    for source in arrow({"n": pa.array([[1, 2]])}):
        assert refused(source, "n", way="strings").message.endswith("is not text")


# Lists of numbers.


NUMBERS = [[1.5, None], [], None, [2.0], [3.0, 4.0, 5.0]] * 3
FILLED = [[1.5, "nan"], [], None, [2.0], [3.0, 4.0, 5.0]] * 3


def same(found, wanted):
    def plain(row):
        return row if row is None else np.array(row, float).tolist()

    assert str([plain(row) for row in found]) == str([plain(row) for row in wanted])


@pytest.mark.parametrize("item", [pa.float64(), pa.float32(), pa.float16()], ids=str)
@pytest.mark.parametrize("make", [pa.list_, pa.large_list], ids=["list", "large_list"])
def test_lists_of_floats(arrow, rows, make, item):
    for source in arrow({"x": pa.array(NUMBERS, pa.list_(pa.float64())).cast(make(item))}):
        assert (source.columns[0].type, source.columns[0].width) == ("real", 0)
        same(sequences(source, "x", rows), FILLED)
        (block,) = source.blocks([], [], 1000, ["x"])
        assert block.sequences("x").dtype == (np.float64 if item == pa.float64() else np.float32)


@pytest.mark.parametrize("item", [pa.int8(), pa.int32(), pa.int64(), pa.uint16(), pa.bool_()], ids=str)
def test_lists_of_integers(arrow, rows, item):
    cells = [[1, 0], [], None, [1], [0, 1, 1]] * 3
    array = pa.array(cells, pa.list_(pa.int8())).cast(pa.list_(item) if item != pa.int32() else pa.large_list(item))
    for source in arrow({"x": array}):
        assert sequences(source, "x", rows) == cells
        assert all(block.sequences("x").dtype == np.int64 for block in blocks(source, "x", rows))


def test_lists_of_one_length(arrow, rows):
    cells = [[1.0, 2.0], None, [3.0, 4.0]] * 4
    for source in arrow({"x": pa.array(cells, pa.list_(pa.float32(), 2))}):
        assert sequences(source, "x", rows) == cells


def test_large_integers_stay_exact(arrow, put):
    large = 2**63 - 1
    sources = arrow({"x": pa.array([[large, -large], [1]])})
    for source in [*sources, open_source(put("x.jsonl", f'{{"x": [{large}, {-large}]}}\n{{"x": [1]}}'))]:
        assert sequences(source, "x", 1) == [[large, -large], [1]]
    for source in arrow({"x": pa.array([[1], [5, 2**63]], pa.list_(pa.uint64()))}):
        error = refused(source, "x")
        assert (error.code, error.row) == ("integer-too-large", 2)
    error = refused(open_source(put("x.jsonl", f'{{"x": [1]}}\n{{"x": [1, {2**64}]}}')), "x")
    assert (error.code, error.row) == ("integer-too-large", 2)
    for source in arrow({"x": pa.array([[1], [], [5, None, 2**53 + 1]])}):  # a null makes floats of them
        error = refused(source, "x")
        assert (error.code, error.row) == ("integer-too-large", 3)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_lists_without_a_copy(chunk):
    array = pa.array([[float(n)] * (n % 5) for n in range(100)], pa.list_(pa.float64()))
    data = np.frombuffer(array.values.buffers()[1])
    for block in MemorySource({"x": array}).blocks([], [], chunk, ["x"]):
        assert np.shares_memory(block.sequences("x").values, data) or not block.sequences("x").lengths.any()


def test_json_lists(put, rows):
    cells = [[1, 2, 3], [], None, [4], ["5", 6.5], [None, 7]]
    source = open_source(put("x.jsonl", "\n".join(json.dumps({"x": cell}) for cell in cells)))
    same(sequences(source, "x", rows), [[1, 2, 3], [], None, [4], [5, 6.5], ["nan", 7]])
    assert next(iter(source.blocks([], [], 4, ["x"]))).sequences("x").dtype == np.int64


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ([1, "x"], "not-a-number"),
        ({"a": 1}, "ragged-list"),
        (3, "ragged-list"),
        ([[1]], "not-a-number"),
        ([{}], "not-a-number"),
    ],
)
def test_json_cells_that_are_no_lists_of_numbers(put, rows, cell, code):
    lines = [{"x": [1, 2]}, {"x": []}, {"x": [1]}, {"x": cell}]
    error = refused(open_source(put("x.jsonl", "\n".join(map(json.dumps, lines)))), "x", rows)
    assert (error.code, error.row, error.column) == (code, 4, "x")


@pytest.mark.parametrize("cell", ["[1, 2]", "[1 2 3]", "(1.5)"])
def test_lists_in_cells_of_text_tables(csv, sizes, cell):
    source = csv(f'a,x\n1,""\n2,"{cell}"\n', sizes=sizes)
    error = refused(source, "x")
    assert (error.code, error.row) == ("dtype", 2)
    assert repr(cell) in error.message
    assert "JSONL" in error.hint
    assert "JSONL" in refused(source, "x", way="numbers", numeric=["x"]).hint


def test_single_values_are_no_sequences(arrow, put, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(3.0))
    sources = [*arrow({"array": pa.array([1.0, 2.0])}), open_source(tmp_path / "x.npy"), MemorySource({"array": [1.0]})]
    for source in [*sources, open_source(put("x.jsonl", '{"array": 1}'))]:
        error = refused(source, "array")
        assert (error.code, error.message) == ("dtype", "one value a row is no sequence")


# Frames.


FRAMES = [[[1.0, 2.0], [3.0, 4.0]], [], None, [[5.0, 6.0]], [[7.0, 8.0], [9.0, 10.0], [11.0, 12.0]]] * 3


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.list_(pa.float32())),
        pa.large_list(pa.large_list(pa.float64())),
        pa.list_(pa.list_(pa.float64(), 2)),
        pa.list_(pa.list_(pa.int16())),
    ],
    ids=str,
)
def test_frames(arrow, rows, kind):
    plain = pa.list_(pa.list_(kind.value_type.value_type))
    array = pa.array(FRAMES, kind if kind.value_type != pa.large_list(pa.float64()) else plain)
    fixed = pa.types.is_fixed_size_list(kind.value_type)
    for source in arrow({"x": array}):
        (column,) = source.columns
        assert (column.type, column.width, column.axes) == (
            "int" if kind.value_type.value_type == pa.int16() else "real",
            0,
            (0, 2 if fixed else 0),
        )
        assert sequences(source, "x", rows) == FRAMES
        assert all(block.sequences("x").width == 2 for block in blocks(source, "x", rows))
        assert refused(source, "x", numeric=["x"]).message == f"{column.dtype} is not numbers"
        assert not source.find("x.0") if hasattr(source, "find") else True


@pytest.mark.parametrize(
    ("bad", "code"),
    [([[1.0, 2.0], [3.0]], "ragged-list"), ([[1.0, 2.0, 3.0]], "ragged-list"), ([[1.0, 2.0], None], "null-in-list")],
)
def test_frames_of_another_size(arrow, put, rows, bad, code):
    cells = [*FRAMES[:7], bad, *FRAMES[:2]]
    lines = "\n".join(json.dumps({"x": cell}) for cell in cells)
    for source in [*arrow({"x": pa.array(cells)}), open_source(put("x.jsonl", lines))]:
        error = refused(source, "x", rows)
        assert (error.code, error.row, error.column) == (code, 8, "x"), source.format


def test_frames_that_no_row_holds_do_not_matter():
    inner = pa.array([[1.0, 2.0], [3.0], None, [4.0, 5.0]])
    array = pa.ListArray.from_arrays(pa.array([0, 1, 3, 4]), inner, mask=pa.array([False, True, False]))
    assert sequences(MemorySource({"x": array}), "x", 10) == [[[1.0, 2.0]], None, [[4.0, 5.0]]]


def test_json_frames(put, rows):
    source = open_source(put("x.jsonl", "\n".join(json.dumps({"x": cell}) for cell in FRAMES)))
    assert sequences(source, "x", rows) == FRAMES


@pytest.mark.parametrize("permutation", [None, [1, 0]])
def test_tensors(arrow, rows, permutation):
    cells = np.arange(60, dtype="f4").reshape(10, 2, 3)
    storage = pa.array(
        [None if n == 4 else row for n, row in enumerate(cells.reshape(10, 6).tolist())], pa.list_(pa.float32(), 6)
    )
    kind = pa.fixed_shape_tensor(pa.float32(), [2, 3], permutation=permutation)
    meant = cells if permutation is None else cells.transpose(0, 2, 1)
    wanted = [None if n == 4 else row for n, row in enumerate(meant.tolist())]
    for source in arrow({"x": pa.ExtensionArray.from_storage(kind, storage)}):
        (column,) = source.columns
        assert (column.type, column.width, column.axes) == ("real", 6, (2, 3) if permutation is None else (3, 2))
        assert sequences(source, "x", rows) == wanted
        values = np.concatenate([block.numbers("x") for block in source.blocks(["x"], [], rows)])
        assert values.dtype == np.float32
        assert np.isnan(values[4]).all()
        assert np.array_equal(np.delete(values, 4, 0), np.delete(meant, 4, 0))


# Arrays.


@pytest.mark.parametrize("dtype", ["f4", ">f8", "f2", "i4", "u1", "?", "i8"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(7, 3), (7, 3, 2), (7, 3, 2, 2)])
def test_arrays(tmp_path, rows, dtype, order, shape):
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape) % 2, dtype, order=order)
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", array=array)
    for source in (open_source(tmp_path / "x.npy"), open_source(tmp_path / "x.npz"), MemorySource({"array": array})):
        assert sequences(source, "array", rows) == array.tolist()
        kinds = {block.sequences("array").dtype for block in blocks(source, "array", rows)}
        kept = {"f4": np.float32, ">f8": np.float64, "f2": np.float32}
        assert kinds == {np.dtype(kept.get(dtype, np.int64))}


def test_rows_of_python(rows):
    def source(value):
        return MemorySource({"x": value})

    assert sequences(source([[1, 2], [], None, (3,)]), "x", rows) == [[1, 2], [], None, [3]]
    assert sequences(source([np.ones(2, "f4"), np.zeros(1, "f4")]), "x", rows) == [[1, 1], [0]]
    assert sequences(source([np.ones((2, 3)), np.zeros((0, 3)), [[1, 2, 3]]]), "x", rows) == [
        [[1] * 3] * 2,
        [],
        [[1, 2, 3]],
    ]
    same(sequences(source([[1.5, None], [2.0]][::-1]), "x", rows), [[2.0], [1.5, "nan"]])
    assert refused(source([[1, 2], [3]]), "x", numeric=["x"]).code == "dtype"
    for bad in ([[1], ["a", 2]], [[1], [{}]], [[[1]], [[1, 2], [3, 4]]]):
        with pytest.raises(DataError):
            source(bad)


# Many rows.


@pytest.mark.parametrize("seed", range(20))
def test_any_slices_and_chunks(seed):
    """Offsets, nulls and chunks of all kinds against Python's own lists."""
    rng = np.random.default_rng(seed)
    rows = [None if rng.random() < 0.2 else rng.integers(-5, 5, rng.integers(0, 4)).tolist() for _ in range(40)]
    frames = [None if row is None else [[x, x + 1] for x in row] for row in rows]
    words = [None if row is None else [f"w{x}é" for x in row] for row in rows]
    text = [None if row is None else " ".join(row) for row in words]
    kinds = {
        "x": pa.list_(pa.float32()),
        "f": pa.list_(pa.list_(pa.int32())),
        "w": pa.list_(pa.string()),
        "t": pa.string(),
    }
    columns = dict(zip(kinds, (rows, frames, words, text), strict=True))
    low, high = sorted(rng.integers(0, 41, 2).tolist())
    cut = int(rng.integers(low, high + 1))
    made = {}
    for name, kind in kinds.items():
        array = pa.array(columns[name], kind)
        made[name] = pa.chunked_array([array.slice(low, cut - low), array.slice(cut, high - cut)])
    source = MemorySource(made)
    for block in source.blocks([], [], int(rng.integers(1, 20)), list(kinds)):
        part = slice(low + block.first, low + block.first + block.rows)
        same(lists(block.sequences("x")), rows[part])
        assert lists(block.sequences("f")) == frames[part]
        assert lists(block.strings("w")) == words[part]
        assert texts(block.strings("t")) == text[part]
        assert isinstance(block.strings("t"), Ragged)


def test_batches_follow_the_length_of_lists(tmp_path, monkeypatch):
    """Rows of a batch are as many as fit, not the few of a first look, and not all of them."""
    from lossctl.data.arrow import parquet

    monkeypatch.setattr(parquet, "_BATCH_BYTES", 80_000)
    pq.write_table(pa.table({"x": [[float(n)] * 100 for n in range(1000)]}), tmp_path / "x.parquet")
    source = open_source(tmp_path / "x.parquet")
    sizes = []
    parts = source._parts
    monkeypatch.setattr(source, "_parts", lambda *a: (sizes.append(part.rows) or part for part in parts(*a)))
    assert sum(len(block.sequences("x")) for block in source.blocks([], [], 50, ["x"])) == 1000
    assert 64 < max(sizes) <= 100


def test_fields_of_structs(arrow, rows):
    """Text and lists within structs, some of which are missing."""
    cells = [{"t": f"é{n}", "w": ["a"] * (n % 3), "x": [[1.0, n]] * (n % 2)} if n % 4 else None for n in range(15)]
    kind = pa.struct({"t": pa.string(), "w": pa.list_(pa.string()), "x": pa.list_(pa.list_(pa.float64()))})
    for source in arrow({"s": pa.array(cells, kind), "n": list(range(15))})[:3]:
        for name, way in (("t", strings), ("w", strings), ("x", sequences)):
            assert way(source, f"s.{name}", rows) == [cell and cell[name] for cell in cells]


def test_no_rows(arrow, tmp_path):
    kinds = {
        "t": pa.string(),
        "w": pa.list_(pa.string()),
        "x": pa.list_(pa.list_(pa.float64())),
        "n": pa.list_(pa.int8()),
    }
    for source in arrow({name: pa.array([], kind) for name, kind in kinds.items()}):
        assert list(source.blocks([], [], 5, list(kinds))) == []
    np.save(tmp_path / "x.npy", np.zeros((0, 3, 2)))
    assert list(open_source(tmp_path / "x.npy").blocks([], [], 5, ["array"])) == []


def test_rows_that_hold_nothing(arrow):
    kinds = {
        "t": pa.string(),
        "w": pa.list_(pa.string()),
        "x": pa.list_(pa.list_(pa.float64())),
        "n": pa.list_(pa.int8()),
    }
    for source in arrow({name: pa.array([None] * 9, kind) for name, kind in kinds.items()}):
        for name in kinds:
            assert (strings if name in "tw" else sequences)(source, name, 4) == [None] * 9
    for source in arrow({name: pa.array([[]] * 9, kind) for name, kind in kinds.items() if name != "t"}):
        for name in ("w", "x", "n"):
            assert (strings if name == "w" else sequences)(source, name, 4) == [[]] * 9
