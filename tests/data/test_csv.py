"""CSV that is read: numbers, text, missing cells, quoting, headers, whatever the cut."""

from __future__ import annotations

import gzip
import io
import math
from csv import reader

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.data.cells import read_numbers
from lossctl.data.formats import open_source
from lossctl.data.opening import Input
from lossctl.data.text.csv import CsvSource
from lossctl.errors import DataError

N = 53


def test_columns_and_blocks(csv, read, rows, sizes):
    lines = [f"{i / 8},{-i},x{i % 3}" for i in range(N)]
    source = csv("\n".join(["a,b,c", *lines]) + "\n", sizes=sizes)
    assert [(c.name, c.type, c.width) for c in source.columns] == [(n, "cell", None) for n in "abc"]
    assert (source.format, source.notes) == ("csv", ())
    np.testing.assert_array_equal(read.numbers(source, "a", rows), np.arange(N) / 8)
    np.testing.assert_array_equal(read.numbers(source, "b", rows), -np.arange(N))
    assert read.texts(source, "c", rows) == [f"x{i % 3}" for i in range(N)]


def test_a_source_is_read_again(csv, read):
    source = csv("a\n1\n2\n3\n")
    for _ in range(3):
        assert read.numbers(source, "a", 2).tolist() == [1, 2, 3]


def test_two_readers_at_once(csv):
    source = csv("a\n" + "".join(f"{i}\n" for i in range(30)))
    pairs = zip(source.blocks(["a"], [], 4), source.blocks(["a"], [], 4), strict=True)
    assert all((x.numbers("a") == y.numbers("a")).all() for x, y in pairs)


def test_blocks_without_columns_count_rows(csv, read, rows, sizes):
    source = csv("a,b\n" + "1,x\n" * N, sizes=sizes)
    assert sum(block.rows for block in read.blocks(source, rows=rows)) == N


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", 1.0),
        ("+1", 1.0),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("1.", 1.0),
        (" 1 ", 1.0),
        ("\t2", 2.0),
        ("1e5", 1e5),
        ("1E-5", 1e-5),
        ("1e300", 1e300),
        ("0.1", 0.1),
        ("2.2250738585072011e-308", 2.2250738585072011e-308),
        ("inf", math.inf),
        ("-inf", -math.inf),
        ("Infinity", math.inf),
        ("-INF", -math.inf),
        ("1e400", math.inf),
        ("9007199254740992", 2.0**53),
        ("-9007199254740992", -(2.0**53)),
        ("9007199254740993.5", 9007199254740994.0),
        ("true", 1.0),
        ("FALSE", 0.0),
        ("True", 1.0),
        *[(missing, math.nan) for missing in ("NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "<NA>", "", "  ")],
        *[(missing, math.nan) for missing in ("nA", "nULL", " NA ", "-nan")],
    ],
)
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("both", [False, True])
def test_what_a_number_may_look_like(csv, cell, value, quote, both):
    source = csv(f"a,b\n{quote}{cell}{quote},2\n5,3\n")
    (block,) = source.blocks(["a"], ["a"] if both else [], 10)
    np.testing.assert_array_equal(block.numbers("a"), [value, 5.0])
    if both:
        assert block.texts("a") == [cell, "5"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text("0123456789+-.eEinfaINFNty ", max_size=8), min_size=1, max_size=6))
def test_text_is_read_as_arrow_reads_numbers(tmp_path_factory, cells):
    """A cell means the same whether Arrow's parser reads it or, in a column wanted as text too, we do."""
    path = tmp_path_factory.mktemp("cells") / "x.csv"
    path.write_text("a,b\n" + "".join(f"{cell},1\n" for cell in cells))
    source = open_source(path)

    def outcome(text):
        try:
            return [block.numbers("a").tolist() for block in source.blocks(["a"], text, 2)]
        except DataError as error:
            return error.code, error.row

    assert repr(outcome([])) == repr(outcome(["a"]))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(), max_size=30), st.sampled_from([1, 7, 1000]))
def test_floats_come_back_to_the_bit(tmp_path_factory, values, rows):
    path = tmp_path_factory.mktemp("floats") / "x.csv"
    path.write_text("a,b\n" + "".join(f"{value!r},1\n" for value in values))
    for text in ([], ["a"]):
        blocks = open_source(path).blocks(["a"], text, rows)
        found = [x for block in blocks for x in block.numbers("a").tolist()]
        assert [repr(x) for x in found] == [repr(x) for x in values]


def test_own_reading_of_numbers_is_floats():
    numbers = read_numbers(["0.1", " 7", "x", "9007199254740993", "0009007199254740992", "-1e400"], frozenset("7"))
    np.testing.assert_array_equal(numbers.values, [0.1, 7, np.nan, 2.0**53, 2.0**53, -np.inf])
    assert numbers.flaws.tolist() == [0, 0, 1, 2, 0, 0]


def test_text_stays_as_written(csv, read, rows, sizes):
    cells = ["007", "NA", "None", "", " x ", "1.0", "true", "é", "日本", "-"] * 3
    source = csv("id,b\n" + "".join(f"{cell},1\n" for cell in cells), sizes=sizes)
    assert read.texts(source, "id", rows) == cells


def test_null_values_are_missing_in_both(csv, read, rows, sizes):
    source = csv("a,b\n" + "-9,?\n1,x\n?,-9\n-9.0,NA\n" * 5, sizes=sizes, null_values=("-9", "?"))
    np.testing.assert_array_equal(read.numbers(source, "a", rows), [np.nan, 1, np.nan, -9.0] * 5)
    assert read.texts(source, "b", rows) == [None, "x", None, "NA"] * 5
    (block,) = source.blocks(["a"], ["a"], 100)
    np.testing.assert_array_equal(block.numbers("a"), [np.nan, 1, np.nan, -9.0] * 5)
    assert block.texts("a") == [None, "1", None, "-9.0"] * 5


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("end", [True, False])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("quoted", [True, False])
def test_newlines_and_byte_order_marks(csv, read, sizes, newline, end, mark, quoted):
    lines = ["a,b"] + [f'{i},"y{newline}{i}"' if quoted else f"{i},y{i}" for i in range(20)]
    source = csv(mark + newline.join(lines) + (newline if end else ""), sizes=sizes)
    assert [c.name for c in source.columns] == ["a", "b"]
    assert read.numbers(source, "a").tolist() == list(range(20))
    assert read.texts(source, "b") == [f"y{newline}{i}" if quoted else f"y{i}" for i in range(20)]


def test_mixed_newlines(csv, read, sizes):
    source = csv(b"a,b\r\n1,2\n3,4\r5,6\r\n\r\n7,8\n\n", sizes=sizes)
    assert read.numbers(source, "a").tolist() == [1, 3, 5, 7]
    assert read.numbers(source, "b").tolist() == [2, 4, 6, 8]


def test_quoting(csv, read, rows, sizes):
    raw = ['"a,b"', '"say ""hi"""', '5" nails', '""', '"x\ny\n"', '""""', '"\n"', 'p"q"r', '"x" ']
    want = ["a,b", 'say "hi"', '5" nails', "", "x\ny\n", '"', "\n", 'p"q"r', "x "]
    source = csv('n,"te,xt"\n' + "".join(f"{i},{cell}\n" for i, cell in enumerate(raw * 4)), sizes=sizes)
    assert [c.name for c in source.columns] == ["n", "te,xt"]
    assert read.texts(source, "te,xt", rows) == want * 4
    assert read.numbers(source, "n", rows).tolist() == list(range(36))


CELL = st.text(st.sampled_from('ab,"\n\r;é '), max_size=6)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([(8, 16, 16), (1, 1, 40), (64, 64, 8)]),
    st.booleans(),
)
def test_any_text_comes_back(tmp_path_factory, table, newline, sizes, all_quoted):
    """Whatever is in a cell, however small the chunks, and whether or not quotes are used sparingly."""

    def quoted(cell):
        need = all_quoted or any(mark in cell for mark in ',\n\r"') or not cell
        return '"' + cell.replace('"', '""') + '"' if need else cell

    path = tmp_path_factory.mktemp("text") / "x.csv"
    lines = ["x,y", *(",".join(map(quoted, row)) for row in table)]
    path.write_bytes((newline.join(lines) + newline).encode())
    source = CsvSource(Input(path), _sizes=sizes)
    blocks = list(source.blocks((), ["x", "y"], 5))
    found = [pair for b in blocks for pair in zip(b.texts("x"), b.texts("y"), strict=True)]
    assert found == table


def test_a_field_longer_than_every_chunk(csv, read):
    long = "z" * 3_000_000
    source = csv(f'a,b\n1,x\n2,"{long}"\n3,y\n')
    assert read.texts(source, "b") == ["x", long, "y"]
    assert read.numbers(source, "a").tolist() == [1, 2, 3]


def test_header_only(csv, read):
    for content in ("a,b", "a,b\n", "\ufeffa,b\r\n"):
        source = csv(content)
        assert [c.name for c in source.columns] == ["a", "b"]
        assert read.blocks(source, ["a"], ["b"]) == []


def test_blank_lines_are_no_rows_but_a_blank_cell_is_one(csv, read):
    two = csv("\n\na,b\n\n1,2\n\n\n3,4\n\n")
    assert read.numbers(two, "a").tolist() == [1, 3]
    one = csv("a\n1\n\n3\n")
    np.testing.assert_array_equal(read.numbers(one, "a"), [1, np.nan, 3])
    assert read.texts(one, "a") == ["1", "", "3"]


def test_no_header(csv, read, rows, sizes):
    source = csv("1,x\n2,y\n3,z\n", no_header=True, sizes=sizes)
    assert [c.name for c in source.columns] == ["1", "2"]
    assert read.numbers(source, "1", rows).tolist() == [1, 2, 3]
    assert read.texts(source, "2", rows) == ["x", "y", "z"]


def test_a_saved_index_is_left_out_and_said(csv, read):
    source = csv(",a,b\n0,1.5,x\n1,2.5,y\n")
    assert [c.name for c in source.columns] == ["a", "b"]
    assert source.notes == ("column 1 has no name and is left out (a saved index?)",)
    assert read.numbers(source, "a").tolist() == [1.5, 2.5]


def test_trailing_delimiter_leaves_a_note(csv):
    source = csv("a,b,\n1,2,\n")
    assert source.notes == ("column 3 has no name and is left out",)


def test_another_delimiter_is_guessed_aloud_only(csv, read):
    assert "--delimiter ';'" in csv("a;b\n1;2\n").notes[0]
    source = csv("a;b\n1,5;2\n", delimiter=";")
    assert read.numbers(source, "b").tolist() == [2]


def test_tsv(put, read):
    source = open_source(put("t.tsv", "a\tb\n1\tx,y\n"))
    assert source.format == "tsv"
    assert read.texts(source, "b") == ["x,y"]


def test_integer_headers_without_doubt_are_names(csv):
    assert [c.name for c in csv("0,1,2\n5,6,7\n").columns] == ["0", "1", "2"]


def test_duplicate_names_hurt_only_if_asked_for(csv, read):
    source = csv("a,b,a\n1,2,3\n")
    assert [c.name for c in source.columns] == ["a", "b", "a"]
    assert read.numbers(source, "b").tolist() == [2]
    error = read.failure(source, ["a"])
    assert (error.code, error.column) == ("duplicate-column", "a")


def test_many_columns(csv, read):
    width = 20_000
    header = ",".join(f"c{i}" for i in range(width))
    line = ",".join(map(str, range(width)))
    source = csv(f"{header}\n{line}\n{line}\n")
    assert len(source.columns) == width
    assert read.numbers(source, "c19999").tolist() == [19999, 19999]


def test_compressed_members_joined_end_to_end(put, read):
    path = put("x.csv.gz", gzip.compress(b"a\n1\n") + gzip.compress(b"2\n"))
    assert read.numbers(open_source(path), "a").tolist() == [1, 2]


def test_a_byte_order_mark_within_stays(csv, read):
    cells = ["\ufeffx", "y"] * 40
    source = csv("a,b\n" + "".join(f"{cell},1\n" for cell in cells), sizes=(8, 8, 64))
    assert read.texts(source, "a") == cells


def test_bools_turn_up_late(csv, read, rows, sizes):
    source = csv("a,b\n" + "1,0\n" * 40 + "true,1\n" + "0.5,1\n", sizes=sizes)
    assert read.numbers(source, "a", rows).tolist() == [1.0] * 41 + [0.5]


def test_line_ends_within_quotes_at_every_place(csv, read):
    """Where Arrow's parser cuts its input must not show: it drops half of a line end there."""
    cells = [f"{'z' * (i % 17)}\r\n{i}\r\n" for i in range(60)]
    source = csv("a,b\n" + "".join(f'1,"{cell}"\n' for cell in cells), sizes=(64, 4096, 32))
    assert read.texts(source, "b") == cells


@settings(max_examples=300, deadline=None)
@given(st.text('ab,"\n\r ', max_size=40), st.sampled_from([(1, 1, 200), (8, 16, 16), (1 << 16, 1 << 22, 1 << 20)]))
def test_what_is_read_of_any_file_is_what_the_standard_library_reads(tmp_path_factory, content, sizes):
    """Refused, or every row as the csv module has it: none lost, none joined."""
    path = tmp_path_factory.mktemp("raw") / "x.csv"
    path.write_bytes(f"x,y\n{content}".encode())
    source = CsvSource(Input(path), _sizes=sizes)

    def outcome():
        try:
            blocks = list(source.blocks((), ["x", "y"], 3))
        except DataError as error:
            return error.code
        return [list(pair) for b in blocks for pair in zip(b.texts("x"), b.texts("y"), strict=True)]

    whole = [row for row in reader(io.StringIO(content, newline="")) if row]
    assert outcome() in (whole, "ragged", "misquoted", "unclosed-quote")
    if not set(content) & set('" '):
        assert (outcome() == "ragged") == any(len(row) != 2 for row in whole)
