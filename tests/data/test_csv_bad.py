"""CSV that is refused: which code, which row, which hint, whatever the cut."""

from __future__ import annotations

import pytest

from lossctl.data.formats import open_source
from lossctl.data.text import rowends
from lossctl.data.text.csv import CsvSource
from lossctl.errors import DataError, UsageError

ROWS = 40


def table(bad: dict[int, str], header: str = "a,b") -> str:
    """Rows ``i,xi`` with some of them (by 1-based row) replaced."""
    return "\n".join([header, *(bad.get(i, f"{i},x{i}") for i in range(1, ROWS + 1))]) + "\n"


@pytest.mark.parametrize("both", [False, True])
def test_not_a_number(csv, read, rows, sizes, both):
    source = csv(table({17: "abc,1", 19: "1.2.3,1", 30: "x,1", 31: "y,1"}), sizes=sizes)
    error = read.failure(source, ["a"], ["a"] if both else [], rows)
    assert (error.code, error.row, error.column, error.file) == ("not-a-number", 17, "a", source.name)
    assert "'abc'" in error.message
    assert error.details[:3] == ("row 17: 'abc'", "row 19: '1.2.3'", "row 30: 'x'")
    assert error.details[3].startswith("4 cells")
    assert len(error.details) == 4


def test_rows_are_counted_not_lines(csv, read, rows, sizes):
    content = table({3: '3,"two\nlines\n"', 4: "\n\n4,x", 20: "oops,x"})
    assert read.failure(csv(content, sizes=sizes), ["a"], rows=rows).row == 20


def test_a_consumer_that_stops_before_the_bad_row_sees_no_error(csv, sizes):
    source = csv(table({17: "abc,1", 20: "1,2,3"}).encode() + b"1,\xff\n", sizes=sizes)
    blocks = source.blocks(["a"], ["b"], 8)
    for _ in range(2):
        block = next(blocks)
        assert block.numbers("a")[0] == block.first + 1
        assert block.texts("b")[0] == f"x{block.first + 1}"


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ('"1,234"', "thousands"),
        ('"1,234,567.5"', "thousands"),
        ('"1,5"', "decimal commas"),
        ('"-0,25"', "decimal commas"),
        ("1.234.567", "thousands"),
        ("50%", "per cent"),
        ("None", "--null-value 'None'"),
        ("-", "--null-value '-'"),
        ("a", "header line"),
    ],
)
def test_hints(csv, read, cell, hint):
    error = read.failure(csv(table({5: f"{cell},1"})), ["a"])
    assert (error.code, error.row) == ("not-a-number", 5)
    assert hint in error.hint
    assert cell.strip('"') in error.message


@pytest.mark.parametrize("cell", ["0x10", "1_000", "1d5", "1e", ".", "1 2", "\u0661", "yes", "+-1", "infin", "3\0"])
def test_no_number_by_any_reading(csv, read, cell):
    assert read.failure(csv(table({9: f"{cell},1"})), ["a"]).row == 9


@pytest.mark.parametrize("cell", ["9007199254740993", "-9007199254740993", " 9007199254740994 ", "1" * 40, "1" * 5000])
@pytest.mark.parametrize("both", [False, True])
def test_integers_too_large(csv, read, rows, sizes, cell, both):
    source = csv(table({12: "1e300,1", 23: f"{cell},1", 24: f"{cell},1"}), sizes=sizes)
    error = read.failure(source, ["a"], ["a"] if both else [], rows)
    assert (error.code, error.row, error.column) == ("integer-too-large", 23, "a")
    assert read.texts(source, "a", rows)[22] == cell


@pytest.mark.parametrize(("line", "found"), [("1", 1), ("1,2,3", 3), (",,,", 4), ('"1,2"', 1), ("  ", 1)])
def test_ragged(csv, read, rows, sizes, line, found):
    source = csv(table({2: '2,"a\nb"', 21: line}), sizes=sizes)
    for numeric in (["a"], ["b"], []):
        with pytest.raises(DataError) as caught:
            list(source.blocks(numeric, [], rows))
        error = caught.value
        assert (error.code, error.row) == ("ragged", 21)
        assert f"{found} field" in error.message
        assert "expected 2" in error.message


def test_rows_before_a_ragged_one_are_given(csv, rows):
    blocks = csv(table({21: "1"})).blocks(["a"], [], rows)
    whole = 20 // rows
    seen = [x for _ in range(whole) for x in next(blocks).numbers("a")]
    assert seen == list(range(1, whole * rows + 1))
    with pytest.raises(DataError):
        next(blocks)


def test_a_truncated_last_row(csv, read, sizes):
    content = table({}).rsplit(",", 1)[0]
    assert read.failure(csv(content, sizes=sizes), ["a"]).row == ROWS


def test_a_quote_that_is_never_closed(csv, read, rows, sizes):
    error = read.failure(csv(table({31: '31,"x'}), sizes=sizes), ["a"], rows=rows)
    assert (error.code, error.row) == ("unclosed-quote", 31)


def test_a_quote_closed_by_another_rows_quote(csv, read, rows, sizes):
    """Rows 11 to 15 would become one; what stands behind its closing quote gives it away."""
    error = read.failure(csv(table({11: '11,"x', 15: '15,"x"'}), sizes=sizes), ["a"], rows=rows)
    assert (error.code, error.row) == ("misquoted", 11)


@pytest.mark.parametrize("line", ['3,"x"y', '"3"4,x', '3,"x" y', '3,"x""y"z'])
def test_text_behind_a_closing_quote(csv, read, sizes, line):
    error = read.failure(csv(table({3: line}), sizes=sizes), ["a"])
    assert (error.code, error.row) == ("misquoted", 3)


def test_a_row_beyond_the_cap(csv, read, monkeypatch):
    monkeypatch.setattr(rowends, "CAP", 1000)
    error = read.failure(csv(table({30: f"30,{'x' * 2000}"}), sizes=(8, 64, 64)), ["a"])
    assert (error.code, error.row) == ("line-too-long", 30)


def test_invalid_utf8(csv, read, rows, sizes):
    content = table({7: "7,é"}).encode() + b"41,\xff\n42,ok\n43,\xe9\n"
    source = csv(content, sizes=sizes)
    error = read.failure(source, [], ["b"], rows)
    assert (error.code, error.row, error.column) == ("encoding", 41, "b")
    assert "UTF-8" in error.message
    assert read.numbers(source, "a", rows)[-1] == 43
    error = read.failure(source, ["b"], [], rows)
    assert (error.code, error.row) == ("not-a-number", 1)


@pytest.mark.parametrize("content", [b"a,\xff\n1,2\n", b"a,\xe9"])
def test_a_header_that_is_not_utf8(csv, content):
    with pytest.raises(DataError) as caught:
        csv(content)
    assert caught.value.code == "encoding"
    assert "iconv" in caught.value.hint


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf16(csv, encoding):
    with pytest.raises(DataError) as caught:
        csv("a,b\n1,2\n".encode(encoding))
    assert caught.value.code == "encoding"
    assert "iconv" in caught.value.hint


def test_nul_bytes(csv, read):
    with pytest.raises(DataError) as caught:
        csv(b"name\0,other,columns,of,a,text\n1,2,3,4,5,6\n")
    assert caught.value.code == "binary"
    source = csv(table({3: "3\0,x\0"}))
    assert "'3\\x00'" in read.failure(source, ["a"]).message
    assert read.texts(source, "b")[2] == "x\0"


@pytest.mark.parametrize("content", ["", "\ufeff", "\n\n", "\r\n"])
def test_empty(csv, content):
    with pytest.raises(DataError) as caught:
        csv(content)
    assert caught.value.code == "empty"


@pytest.mark.parametrize("header", ["0.5,1", "1,1", "1.5", "2,1e5", "-1,2", "1,2,1"])
def test_headerless(csv, read, header):
    with pytest.raises(DataError) as caught:
        csv(header + "\n" + header + "\n")
    assert (caught.value.code, caught.value.hint) == ("headerless", "--no-header")
    source = csv(header + "\n" + header + "\n", no_header=True)
    assert read.numbers(source, "1").tolist() == [float(header.split(",")[0])] * 2


def test_unknown_columns(csv, read):
    error = read.failure(csv("a,b\n1,2\n"), ["c"])
    assert error.code == "no-column"
    assert "a, b" in error.hint


@pytest.mark.parametrize("delimiter", ["", ",,", "\n", '"', "é"])
def test_delimiters_that_are_none(put, delimiter):
    path = put("x.csv", "a,b\n1,2\n")
    if not delimiter:
        assert len(open_source(path, delimiter=delimiter).columns) == 2
        return
    with pytest.raises(UsageError):
        open_source(path, delimiter=delimiter)


def test_details_say_at_least_where_the_second_look_ends_early(csv, read):
    error = read.failure(csv(table({3: "x,1", 9: "1,2,3"})), ["a"], rows=4)
    assert (error.code, error.row) == ("not-a-number", 3)
    assert error.details[-1].startswith("at least 1 cell ")


def test_a_file_that_grows_a_bad_row_is_named_not_guessed(put, read):
    """A consumer that reads twice sees that the file is another one."""
    path = put("x.csv", "a\n1\n2\n")
    source = open_source(path)
    assert isinstance(source, CsvSource)
    assert read.numbers(source, "a").tolist() == [1, 2]
    path.write_text("a\n1\n2\n3\n")
    assert read.failure(source, ["a"]).code == "changed"
