"""Text without a header: nothing but numbers; everything else is CSV or TSV."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest

from lossctl.data.formats import open_source
from lossctl.data.text import bare as text_module

TABLE = np.array([[0.1, -2.0, 1e300], [5.0, 0.0, np.nan], [np.inf, -np.inf, 1 / 3], [1.0, 22.25, -333.5]])


@pytest.fixture
def text(put):
    def make(content, name="x.txt", **options):
        return open_source(put(name, content), **options)

    return make


def whole(source, read, rows=7):
    return np.column_stack([read.numbers(source, column.name, rows) for column in source.columns])


@pytest.mark.parametrize("options", [{}, {"delimiter": "\t"}, {"delimiter": ","}, {"newline": "\r\n"}], ids=str)
@pytest.mark.parametrize("fmt", ["%.18e", "%r", "%.17g"])
@pytest.mark.parametrize("piece", [1, 10, 1 << 20])
def test_what_savetxt_writes(tmp_path, monkeypatch, read, rows, options, fmt, piece):
    monkeypatch.setattr(text_module, "_PIECE", piece)
    table = TABLE.tolist() if fmt == "%r" else TABLE
    if fmt == "%r":
        mark, end = options.get("delimiter", " "), options.get("newline", "\n")
        (tmp_path / "x.txt").write_text("".join(mark.join(map(repr, row)) + end for row in table), newline="")
    else:
        np.savetxt(tmp_path / "x.txt", TABLE, fmt=fmt, **options)
    source = open_source(tmp_path / "x.txt")
    assert (source.format, [c.name for c in source.columns]) == ("text", ["1", "2", "3"])
    np.testing.assert_array_equal(whole(source, read, rows), TABLE)


@pytest.mark.parametrize(
    "content",
    [
        "  1   2\n 10  20\n",
        "1 2 \n10\t20\n",
        "1\t 2\n10 20",
        "\ufeff1  2\r\n10 20\r\n",
        "\n\n1 2\n\n10 20\n\n",
        "1 2\r10 20\r",
    ],
    ids=repr,
)
@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
def test_blanks_in_any_number(text, read, monkeypatch, content, piece):
    monkeypatch.setattr(text_module, "_PIECE", piece)
    source = text(content)
    assert source.format == "text"
    assert whole(source, read).tolist() == [[1, 2], [10, 20]]


@pytest.mark.parametrize("line", ["7", "0", "1.5", "-1e-3", "nan", "inf", "-Infinity", ".5", "1.", "+2"])
def test_one_number_a_line(text, read, line):
    """A whole number in the first line is no name here."""
    source = text(f"{line}\n3\n-4.5\n")
    assert [c.name for c in source.columns] == ["1"]
    np.testing.assert_array_equal(read.numbers(source, "1"), [float(line), 3, -4.5])


@pytest.mark.parametrize("line", ["1,2", "1, 2", "1\t2"])
def test_marks(text, read, line):
    assert whole(text(f"{line}\n{line}\n"), read).tolist() == [[1, 2], [1, 2]]


@pytest.mark.parametrize(
    ("content", "format", "names"),
    [
        ("index\tprediction\n0\tyes\n", "tsv", ["index", "prediction"]),
        ("a,b\n1,2\n", "csv", ["a", "b"]),
        ("a\n1\n", "csv", ["a"]),
        ("1,b\n1,2\n", "csv", ["1", "b"]),
        ("NA\n1\n", "csv", ["NA"]),
        ("1 000\t2,5\tx\n1\t2\t3\n", "tsv", ["1 000", "2,5", "x"]),
    ],
)
def test_a_header_makes_it_a_table(text, content, format, names):
    source = text(content)
    assert (source.format, [c.name for c in source.columns]) == (format, names)


def test_options_of_tables(text, read):
    source = text("cat\ndog\n", no_header=True)
    assert read.texts(source, "1") == ["cat", "dog"]
    assert [c.name for c in text("a;b\n1;2\n", delimiter=";").columns] == ["a", "b"]
    source = text("1;2\n3;4\n", delimiter=";")
    assert (source.format, whole(source, read).tolist()) == ("text", [[1, 2], [3, 4]])
    for mark in ("\\t", "tab", "\t"):
        assert whole(text("1\t2\n3\t4\n", delimiter=mark), read).tolist() == [[1, 2], [3, 4]]
    source = text("1\n-999\n", null_values=["-999"])
    np.testing.assert_array_equal(read.numbers(source, "1"), [1, np.nan])


def test_by_option(text, read):
    source = text("1 2\n3 4\n", "x.csv", input_format="text")
    assert whole(source, read).tolist() == [[1, 2], [3, 4]]
    source = open_source("-", stdin=io.BytesIO(b"1\n2\n"), input_format="txt")
    assert read.numbers(source, "1").tolist() == [1, 2]
    source = text(gzip.compress(b"1 2\n3 4\n"), "x.txt.gz")
    assert whole(source, read).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(("line", "found"), [("1", 1), ("1 2 3", 3), ("1  2\t3", 3)])
def test_ragged(text, read, rows, line, found):
    error = read.failure(text("1 2\n" * 9 + line + "\n"), ["1"], rows=rows)
    assert (error.code, error.row) == ("ragged", 10)
    assert f"{found} field" in error.message


def test_not_a_number(text, read, rows):
    error = read.failure(text("1 2\n" * 9 + "3  x\n"), ["2"], rows=rows)
    assert (error.code, error.row, error.column) == ("not-a-number", 10, "2")
    assert error.details[-1].startswith("1 cell ")


def test_a_long_first_line(text, read):
    row = " ".join(["0.25"] * 20_000)
    source = text(f"{row}\n{row}\n")
    assert len(source.columns) == 20_000
    assert read.numbers(source, "20000").tolist() == [0.25, 0.25]


def test_a_row_beyond_the_cap(text, read, monkeypatch):
    monkeypatch.setattr(text_module, "CAP", 1000)
    monkeypatch.setattr(text_module, "_PIECE", 100)
    error = read.failure(text("1 2\n" * 9 + "1 " * 1000 + "\n"), ["1"])
    assert error.code == "line-too-long"
