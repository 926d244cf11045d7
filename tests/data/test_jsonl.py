"""JSONL: paths, types by role, lists, and lines that are wrong."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
from functools import partial

import numpy as np
import pytest

from lossctl.data.excerpt import excerpt
from lossctl.data.formats import open_source
from lossctl.data.json import document as jsondocument
from lossctl.data.json import lines as jsonlines
from lossctl.data.json import paths as jsonpaths
from lossctl.errors import DataError


@pytest.fixture
def jsonl(put):
    """A JSONL source from lines: text as it is, everything else as JSON."""

    def make(*lines, **options):
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        return open_source(put("x.jsonl", text + "\n"), **options)

    return make


def found(source):
    return {c.name: (c.type, c.width, c.axes) for c in source.columns}


# Columns.


def test_columns_in_order_of_appearance(jsonl):
    source = jsonl({"b": 1, "a": {"x": 1, "y": {"z": "t"}}}, {"c": True, "b": None, "a": {"w": 0.5}})
    assert [c.name for c in source.columns] == ["b", "a.x", "a.y.z", "c", "a.w"]
    assert {c.type for c in source.columns} == {"cell"}
    assert [c.dtype for c in source.columns] == ["number", "number", "text", "true or false", "number"]
    assert (source.format, source.notes) == ("jsonl", ())


def test_nested_values(jsonl, read, rows):
    source = jsonl(*({"a": {"b": [{"c": i}, {"c": -i}]}, "i": i} for i in range(9)))
    assert found(source) == dict.fromkeys(("a.b.0.c", "a.b.1.c", "i"), ("cell", None, ()))
    assert read.numbers(source, "a.b.1.c", rows).tolist() == [-i for i in range(9)]
    assert read.texts(source, "a.b.0.c", rows) == [str(i) for i in range(9)]


def test_completions(jsonl, read):
    """The answers of a chat model, as they are stored line by line."""
    source = jsonl(*({"choices": [{"message": {"role": "assistant", "content": text}}]} for text in ("yes", "no")))
    assert read.texts(source, "choices.0.message.content") == ["yes", "no"]


@pytest.mark.parametrize("first", [{"a": None}, {"a": {}}, {}])
def test_an_object_that_the_first_row_lacks(jsonl, read, first):
    source = jsonl({**first, "k": 1}, {"a": {"b": 2}})
    assert [c.name for c in source.columns] == ["k", "a.b"] if first != {"a": {}} else ["a.b", "k"]
    np.testing.assert_array_equal(read.numbers(source, "a.b"), [np.nan, 2])


def test_keys_with_dots(jsonl, read):
    source = jsonl({"a.b": 1, "c": {"d.e": 2}})
    assert read.numbers(source, "a.b").tolist() == [1]
    assert read.numbers(source, "c.d.e").tolist() == [2]
    assert read.failure(jsonl({"a.b": 1, "a": {"b": 2}}), ["a.b"]).code == "duplicate-column"


def test_a_path_that_only_a_later_row_shows(jsonl, read, monkeypatch):
    monkeypatch.setattr(jsonpaths, "_ROWS", 3)
    rows = [{"i": i} for i in range(6)] + [{"i": 6, "a.x": {"b": [{"c": 7}]}}, {"i": 7, "late": None}]
    source = jsonl(*rows)
    assert [c.name for c in source.columns] == ["i"]
    assert not any(map(source.find, ("a", "a.x.b.1.c", "a.x.b.0.d", "b", "a.x.b.-1", "a.x.b.99999999999")))
    assert source.find("a.x.b.0.c")
    np.testing.assert_array_equal(read.numbers(source, "a.x.b.0.c"), [np.nan] * 6 + [7, np.nan])
    assert source.find("late")
    assert np.isnan(read.numbers(source, "late")).all()
    assert [c.name for c in source.columns] == ["i", "a.x.b.0.c", "late"]


def test_an_element_of_a_list(jsonl, read):
    source = jsonl({"p": [1, 2]}, {"p": [3, 4]}, {"p": None}, {"p": []})
    assert source.find("p.1")
    np.testing.assert_array_equal(read.numbers(source, "p.1"), [2, 4, np.nan, np.nan])


def test_the_first_rows_are_bounded(jsonl, monkeypatch):
    monkeypatch.setattr(jsonpaths, "_BYTES", 100)
    source = jsonl({"text": "x" * 200}, {"more": 1})
    assert [c.name for c in source.columns] == ["text"]
    many = jsonl({"list": [{"x": i} for i in range(1000)], **{f"k{i}": i for i in range(3000)}})
    assert len(many.columns) == 3016
    assert many.find("list.999.x")


# Numbers and text.


CELLS = [
    (1, 1.0, "1"),
    (-0.0, -0.0, "0.0"),
    (0.1, 0.1, "0.1"),
    (True, 1.0, "true"),
    (False, 0.0, "false"),
    (None, np.nan, None),
    ("1.5", 1.5, "1.5"),
    ("007", 7.0, "007"),
    (" 2 ", 2.0, " 2 "),
    ("1e3", 1000.0, "1e3"),
    ("NaN", np.nan, "NaN"),
    ("NA", np.nan, "NA"),
    ("", np.nan, ""),
    ("-Infinity", -np.inf, "-Infinity"),
    (float("nan"), np.nan, None),
    (float("inf"), np.inf, "inf"),
    (2**53, 2.0**53, str(2**53)),
    ("true", 1.0, "true"),
]


@pytest.mark.parametrize(("cell", "number", "text"), CELLS, ids=[repr(c[0]) for c in CELLS])
@pytest.mark.parametrize("others", [[], [1], ["1"], [0.5, None]], ids=str)
def test_cells_by_role(jsonl, read, cell, number, text, others):
    source = jsonl(*({"a": other} for other in others), {"a": cell})
    assert repr(read.numbers(source, "a", 1000)[-1].item()) == repr(number)
    assert read.texts(source, "a", 1000)[-1] == text


def test_tokens_that_python_writes(jsonl, read):
    source = jsonl('{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": 1e400}')
    np.testing.assert_array_equal(read.numbers(source, "a"), [np.nan, np.inf, -np.inf, np.inf])


def test_missing_keys(jsonl, read, rows):
    source = jsonl({"a": 1, "b": "x"}, {}, {"b": "y"}, {"a": None}, {"a": 2})
    np.testing.assert_array_equal(read.numbers(source, "a", rows), [1, np.nan, np.nan, np.nan, 2])
    assert read.texts(source, "b", rows) == ["x", None, "y", None, None]


@pytest.mark.parametrize("words", [["none", "-999"], ["-999", "none", "0.5"]])
def test_words_for_missing(jsonl, read, words):
    source = jsonl({"a": "none"}, {"a": -999}, {"a": 3}, {"a": "-999"}, {"a": -999.0}, null_values=words)
    np.testing.assert_array_equal(read.numbers(source, "a"), [np.nan, np.nan, 3, np.nan, -999])
    assert read.texts(source, "a") == [None, None, "3", None, "-999.0"]


def test_escapes_and_other_scripts(jsonl, read):
    source = jsonl('{"t": "profit\\u0026loss \\ud83d\\ude00", "n": 1}', '{"t": "日本é"}')
    assert read.texts(source, "t") == ["profit&loss 😀", "日本é"]


# Lists.


def test_lists_of_numbers(jsonl, read, rows):
    cells = [[1, 2.5, None], None, [True, "3", float("inf")], [0, 0, 0]]
    source = jsonl(*({"p": cell} for cell in cells), {})
    assert found(source) == {"p": ("real", 3, ())}
    expected = [[1, 2.5, np.nan], [np.nan] * 3, [1, 3, np.inf], [0, 0, 0], [np.nan] * 3]
    np.testing.assert_array_equal(read.numbers(source, "p", rows), expected)
    assert read.failure(source, [], ["p"]).code == "dtype"


def test_lists_of_lists(jsonl, read, rows):
    cells = np.arange(48.0).reshape(4, 3, 4)
    source = jsonl(*({"p": cell.tolist()} for cell in cells), {"p": None})
    assert found(source) == {"p": ("real", 12, (3, 4))}
    array = read.numbers(source, "p", rows)
    np.testing.assert_array_equal(array[:4], cells)
    assert np.isnan(array[4]).all()


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ([1], "1 values in the list, expected 2"),
        ([], "0 values"),
        ([1, 2, 3], "3 values"),
        (5, "5 stands where a list of 2"),
        ("x", "'x' stands where"),
        ({"a": 1}, "an object stands where"),
    ],
)
def test_ragged_lists(jsonl, read, rows, cell, message):
    error = read.failure(jsonl(*[{"p": [1, 2]}] * 5, {"p": cell}, {"p": [1]}), ["p"], rows=rows)
    assert (error.code, error.row, error.column) == ("ragged-list", 6, "p")
    assert message in error.message


def test_ragged_lists_of_lists(jsonl, read, rows):
    good = [[1, 2], [3, 4], [5, 6]]
    error = read.failure(jsonl({"p": good}, {"p": good}, {"p": [[1, 2], [3], [5, 6]]}), ["p"], rows=rows)
    assert (error.code, error.row) == ("ragged-list", 3)


@pytest.mark.parametrize(("cell", "code"), [("x", "not-a-number"), (2**53 + 1, "integer-too-large"), ([1], None)])
def test_bad_elements(jsonl, read, rows, cell, code):
    error = read.failure(jsonl(*[{"p": [1, 2]}] * 4, {"p": [3, cell]}), ["p"], rows=rows)
    assert (error.code, error.row, error.column) == (code or "not-a-number", 5, "p")


def test_empty_lists_at_first(jsonl, read, monkeypatch):
    monkeypatch.setattr(jsonpaths, "_ROWS", 2)
    source = jsonl({"p": None}, {"p": []}, {"p": None})
    assert found(source) == {"p": ("real", 0, ())}
    assert read.failure(jsonl({"p": []}, {"p": []}, {"p": [1, 2]}), ["p"]).code == "ragged-list"
    source = jsonl({"p": [], "q": 1}, {"q": 2}, {"p": None, "q": 3})
    assert read.numbers(source, "q").tolist() == [1, 2, 3]


def test_lists_of_text_are_no_numbers(jsonl, read):
    source = jsonl({"words": ["a", "b"], "ids": ["1", "2"], "pairs": [[{"x": 1}]]})
    assert found(source) == {
        "words": ("text", 0, ()),
        "ids": ("real", 2, ()),
        "pairs": ("other", None, ()),
    }
    assert read.failure(source, ["words"]).code == "dtype"
    assert read.numbers(source, "ids").tolist() == [[1, 2]]


def test_mixed_columns(jsonl, read):
    source = jsonl({"a": 1}, {"a": [1]}, {"a": {"b": 1}})
    assert found(source) == {"a": ("real", 1, ()), "a.b": ("cell", None, ())}
    assert read.failure(source, ["a"]).row == 1
    error = read.failure(jsonl(*[{"a": 1}] * 150, {"a": {"b": 1}}), ["a"])
    assert (error.code, error.row) == ("not-a-number", 151)
    assert "an object" in error.message
    error = read.failure(jsonl(*[{"a": 1}] * 150, {"a": ["b"]}), [], ["a"])
    assert (error.code, error.row) == ("dtype", 151)


# Labelled scores.


def probs(*pairs):
    return {"predicted_y_probs": [{"label": label, "prob": prob} for label, prob in pairs]}


def test_labelled_scores(jsonl, read, rows):
    source = jsonl(probs(("10", 0.5), ("9", 0.25), ("1", 0.25)), {}, probs(("1", "0.7"), ("9", "0.3"), ("10", 0)))
    (column,) = source.columns
    assert (column.name, column.width, column.classes) == ("predicted_y_probs", 3, ("1", "9", "10"))
    array = read.numbers(source, "predicted_y_probs", rows)
    np.testing.assert_array_equal(array, [[0.25, 0.25, 0.5], [np.nan] * 3, [0.7, 0.3, 0]])
    source.arrange("predicted_y_probs", ("9", "10", "1"))
    np.testing.assert_array_equal(read.numbers(source, "predicted_y_probs", rows)[0], [0.25, 0.5, 0.25])


@pytest.mark.parametrize(
    "cell",
    [
        probs(("a", 1), ("c", 0)),
        probs(("a", 1)),
        probs(("a", 0.5), ("a", 0.5)),
        probs(("a", 0.5), ("b", 0.5), ("c", 0)),
        probs(("a", 0.5), ("b", 0.25), ("b", 0.25)),
        {"predicted_y_probs": [0.5, 0.5]},
        {"predicted_y_probs": []},
    ],
)
def test_rows_with_other_labels(jsonl, read, rows, cell):
    error = read.failure(jsonl(*[probs(("b", 0.5), ("a", 0.5))] * 3, cell), ["predicted_y_probs"], rows=rows)
    assert (error.code, error.row, error.column) == ("classes-differ", 4, "predicted_y_probs")


# Lines that are wrong.


GOOD = '{"a": 1}'


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ('{"a": 1', "invalid-json", ["Expecting ',' delimiter", "character 8"]),
        ("{'a': 1}", "invalid-json", ["double quotes", "character 2"]),
        ('{"a": 1} {"a": 2}', "invalid-json", ["Extra data", "character 10"]),
        ('{"a": 1,}', "invalid-json", []),
        ('{"a": "\t"}', "invalid-json", ["control character"]),
        ('{"a": ' + "9" * 5000 + "}", "invalid-json", ["4,300 digits"]),
        ("a,b", "invalid-json", ["Expecting value"]),
        ("[1, 2]", "not-an-object", ["an array", "one array of objects"]),
        ("3", "not-an-object", ["a number"]),
        ("null", "not-an-object", ["null"]),
        ('"x"', "not-an-object", ["a string"]),
        ("true", "not-an-object", ["a truth value"]),
        ('{"a": 1, "b": {"x": 1, "y": 2, "x": 3}}', "duplicate-key", ["'x'"]),
        ('{"a": 1, "a": 1}', "duplicate-key", ["'a'"]),
        ('{"a": ' * 100_000 + "1" + "}" * 100_000, "too-deep", []),
        ("[" * 100_000, "too-deep", []),
        (b'{"a": "\xff"}', "encoding", ["byte 8", "iconv"]),
    ],
)
@pytest.mark.parametrize("before", [0, 3, 120])
def test_bad_lines(put, read, line, code, words, before):
    line = line if isinstance(line, bytes) else line.encode()
    path = put("x.jsonl", b"\n\n" + b"".join([GOOD.encode() + b"\n\n"] * before) + line + b"\n")
    with pytest.raises(DataError) as caught:
        read._all(open_source(path), ["a"], (), 7)
    error = caught.value
    assert (error.code, error.row, error.file) == (code, before + 1, str(path))
    assert f"line {2 * before + 3:,} " in error.message
    assert "\n" not in error.message
    assert len(error.message) < 200
    for word in words:
        assert word in f"{error.message} {error.hint}"


DOCUMENTS = {
    "array": json.dumps,
    "array over lines": partial(json.dumps, indent=2),
    "objects over lines": lambda rows: "\n\n".join(json.dumps(row, indent="\t", ensure_ascii=False) for row in rows),
    "objects end to end": lambda rows: "".join(json.dumps(row, indent=1) for row in rows),
}


@pytest.mark.parametrize("way", DOCUMENTS)
@pytest.mark.parametrize("before", ["", "\ufeff", "\n" * 5000])
@pytest.mark.parametrize("packing", [None, gzip.compress])
def test_one_document(put, read, rows, way, before, packing):
    cells = [{"a": i, "t": "ü😀" * i, "l": {"x": [i, 1.5]}} for i in range(3)]
    text = f"{before}{DOCUMENTS[way](cells)}\n".encode()
    source = open_source(put("x.json" if packing is None else "x.json.gz", packing(text) if packing else text))
    for _ in range(2):
        assert read.numbers(source, "a", rows).tolist() == [0, 1, 2]
        assert read.texts(source, "t", rows) == ["", "ü😀", "ü😀ü😀"]
        assert read.numbers(source, "l.x", rows).tolist() == [[0, 1.5], [1, 1.5], [2, 1.5]]


def test_a_document_of_any_length(put, read, monkeypatch):
    """Objects that straddle what is read at a time, and one that is longer than that."""
    monkeypatch.setattr(jsondocument, "_PIECE", 37)
    cells = [{"a": i, "t": "é" * (i % 50) + '"\\'} for i in range(500)] + [{"a": 500, "t": "x" * 5000}]
    source = open_source(put("x.json", json.dumps(cells, ensure_ascii=False)))
    assert read.numbers(source, "a").tolist() == list(range(501))
    assert read.texts(source, "t") == [cell["t"] for cell in cells]


@pytest.mark.parametrize(
    ("tail", "code", "line", "words"),
    [
        ('{"a": 2', "invalid-json", 5, "not valid JSON"),
        ('{"a": }]', "invalid-json", 5, "Expecting value"),
        ("3]", "not-an-object", 5, "is none"),
        ("", "invalid-json", 5, "no end"),
        ('{"a": 2} {"a": 3}]', "invalid-json", 5, "comma"),
        ('{"a": 2}] {"a": 3}', "invalid-json", 5, "end of the array"),
        ('{"a": 2, "a": 3}]', "duplicate-key", 5, "'a'"),
        ('{"a": ' + "[" * 100_000, "too-deep", 5, "nested"),
        (b'{"a": "\xff"}]', "encoding", None, "UTF-8"),
    ],
)
def test_bad_documents(put, read, tail, code, line, words):
    tail = tail if isinstance(tail, bytes) else tail.encode()
    with pytest.raises(DataError) as caught:
        open_source(put("x.json", b'[\n\n{"a":\n 1},\n' + tail + b" " * 20))
    error = caught.value
    assert (error.code, error.row) == (code, 3 if words in ("comma", "end of the array") else 2)
    assert words in error.message
    assert line is None or f"line {line} " in error.message


def test_an_object_that_is_cut_off(put):
    with pytest.raises(DataError) as caught:
        open_source(put("x.json", '{\n"a": 1,\n'))
    assert (caught.value.code, caught.value.row) == ("invalid-json", 1)
    assert "jq -c ." in caught.value.hint


def test_a_json_file_with_one_object_a_line(put, read):
    source = open_source(put("x.json", GOOD))
    assert source.format == "jsonl"
    assert read.numbers(source, "a").tolist() == [1]


@pytest.mark.parametrize("content", ["\n", " \n\r\n\t\n", "\ufeff", "\ufeff\n\n"])
def test_no_rows(put, content):
    with pytest.raises(DataError) as caught:
        open_source(put("x.jsonl", content))
    assert caught.value.code == "empty"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n", "\n \n\t\n"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_line_ends(put, read, monkeypatch, end, last, mark, piece):
    monkeypatch.setattr(jsonlines, "_PIECE", piece)
    lines = end.join(f'{{"a": {i}, "t": "é{i}"}}' for i in range(9))
    source = open_source(put("x.jsonl", mark + lines + (end if last else "")))
    assert read.numbers(source, "a").tolist() == list(range(9))
    assert read.texts(source, "t") == [f"é{i}" for i in range(9)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_other_encodings(put, encoding):
    with pytest.raises(DataError) as caught:
        open_source(put("x.jsonl", (GOOD + "\n").encode(encoding)))
    assert caught.value.code == "encoding"
    assert "iconv" in caught.value.hint


def test_a_line_beyond_the_cap(put, read, monkeypatch):
    monkeypatch.setattr(jsonlines, "CAP", 1000)
    monkeypatch.setattr(jsonlines, "_PIECE", 100)
    source = open_source(put("x.jsonl", f"{GOOD}\n" * 150 + '{"a": "' + "x" * 2000))
    assert read.failure(source, ["a"]).code == "line-too-long"


@pytest.mark.parametrize("text", ["\\ud800", "x\\udfffy"])
def test_half_a_character(jsonl, read, text):
    source = jsonl('{"t": "ok"}', f'{{"t": "{text}"}}')
    error = read.failure(source, [], ["t"])
    assert (error.code, error.row) == ("encoding", 2)
    assert read.failure(source, ["t"]).code == "not-a-number"


def test_not_a_number(jsonl, read, rows):
    cells = [1, 2, "abc", 3, "x", "y", "z", None]
    error = read.failure(jsonl(*({"d": {"a": cell}} for cell in cells)), ["d.a"], rows=rows)
    assert (error.code, error.row, error.column) == ("not-a-number", 3, "d.a")
    assert "'abc'" in error.message
    assert error.details[:3] == ("row 3: 'abc'", "row 5: 'x'", "row 6: 'y'")
    assert error.details[3].startswith("4 cells")
    assert "decimal commas" in read.failure(jsonl({"a": "1,5"}), ["a"]).hint
    assert read.failure(jsonl(*[{"a": "1,5"}] * 150, "{"), ["a"], rows=1).details[-1].startswith("at least 150 cells ")


@pytest.mark.parametrize("cell", [2**53 + 1, -(2**53) - 1, 10**400, str(2**53 + 1)])
@pytest.mark.parametrize("others", [1, "1", None, 0.5])
def test_integers_too_large(jsonl, read, rows, cell, others):
    source = jsonl(*[{"a": others}] * 5, {"a": cell}, {"a": cell})
    error = read.failure(source, ["a"], rows=rows)
    assert (error.code, error.row, error.column) == ("integer-too-large", 6, "a")
    assert read.texts(source, "a", rows)[5] == str(cell)


def test_a_consumer_that_stops_before_the_bad_row_sees_no_error(jsonl):
    blocks = jsonl(*({"a": i} for i in range(150)), {"a": "x"}, "{").blocks(["a"], [], 50)
    assert [next(blocks).numbers("a")[0] for _ in range(3)] == [0, 50, 100]
    blocks = jsonl({"a": 1}, {"a": "x"}, {"a": 3}).blocks(["a"], [], 3)
    assert excerpt(next(blocks), 0, 1).numbers("a").tolist() == [1]


# Where the bytes come from.


def test_compressed_and_from_memory(put, read):
    text = "".join(f'{{"a": {i}}}\n' for i in range(500))
    source = open_source(put("x.jsonl.gz", gzip.compress(text.encode())))
    assert read.numbers(source, "a").tolist() == list(range(500))
    for options in ({}, {"input_format": "jsonl"}):
        source = open_source("-", stdin=io.BytesIO(text.encode()), **options)
        assert source.format == "jsonl"
        for _ in range(2):
            assert read.numbers(source, "a").tolist() == list(range(500))


def test_rows_are_handed_on_as_they_come(tmp_path):
    """A pipe whose writer waits for an answer."""
    os.mkfifo(tmp_path / "pipe")
    go_on = threading.Event()

    def write():
        with open(tmp_path / "pipe", "w") as pipe:
            for i in range(120):
                pipe.write(f'{{"a": {i}}}\n')
            pipe.flush()
            assert go_on.wait(20)
            pipe.write('{"a": 120}\n')

    writer = threading.Thread(target=write)
    writer.start()
    blocks = open_source(tmp_path / "pipe", input_format="jsonl").blocks(["a"], [], 110)
    assert next(blocks).numbers("a").tolist() == list(range(110))
    go_on.set()
    assert next(blocks).numbers("a").tolist() == list(range(110, 121))
    writer.join()


def test_a_file_that_changes(put, read):
    path = put("x.jsonl", f"{GOOD}\n")
    source = open_source(path)
    path.write_text(f"{GOOD}\n{GOOD}\n")
    assert read.failure(source, ["a"]).code == "changed"


def test_unknown_and_no_columns(jsonl, read):
    source = jsonl({"a": 1}, {"a": 2}, {})
    assert read.failure(source, ["b"]).code == "no-column"
    assert [block.rows for block in source.blocks([], [], 2)] == [2, 1]
    assert jsonl({}).columns == ()
