"""Plain text line by line: what ends a row, what does not, and how much is held at once."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.data.formats import open_source
from lossctl.data.inputs import open_inputs
from lossctl.data.text import lines
from lossctl.errors import DataError


def rows_of(source, rows=7):
    found = list(source.blocks([], [], rows, ["text"]))
    assert [block.first for block in found] == [i * rows for i in range(len(found))]
    assert all(block.rows == rows for block in found[:-1])
    every = [(block.strings("text"), block.texts("text"), block.labels("text")) for block in found]
    texts = [text for _, mine, _ in every for text in mine]
    assert texts == [strings.text(n) for strings, _, _ in every for n in range(len(strings))]
    assert texts == [words[code] for _, _, (codes, words) in every for code in codes]
    return texts


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("a\nb\n", ["a", "b"]),
        ("a\nb", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("\n", [""]),
        ("\n\na\n\n", ["", "", "a", ""]),
        ("a\n\n", ["a", ""]),
        (" a \t\n\tb ", [" a \t", "\tb "]),
        ("a\rb\n", ["a\rb"]),
        ("a\r", ["a\r"]),
        ("a\r\r\n", ["a\r"]),
        ("\r\n", [""]),
        ("a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i\n", ["a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i"]),
        ("\ufeffa\n\ufeffb\n", ["a", "\ufeffb"]),
        ("\ufeff\n", [""]),
        ('"a\nb,c\n# d\n', ['"a', "b,c", "# d"]),
        ("é\n🙂\nNA\n", ["é", "🙂", "NA"]),
    ],
)
@pytest.mark.parametrize("packing", [bytes, gzip.compress, lambda x: pa.compress(x, codec="zstd", asbytes=True)])
@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
def test_what_a_row_is(put, rows, monkeypatch, content, wanted, packing, piece):
    monkeypatch.setattr(lines, "_PIECE", piece)
    name = "x.lines" if packing is bytes else "x.lines.gz" if packing is gzip.compress else "x.lines.zst"
    source = open_source(put(name, packing(content.encode())))
    assert (source.format, [c.name for c in source.columns]) == ("lines", ["text"])
    for _ in range(2):
        assert rows_of(source, rows) == wanted


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab \r\t\u2028é\x0b\ufeff"), max_size=5)), st.booleans(), st.integers(1, 9))
def test_any_text(tmp_path_factory, texts, ended, piece):
    content = "\n".join(texts) + ("\n" if ended else "")
    wanted = content.removesuffix("\n").split("\n") if content else []
    wanted = [row.removesuffix("\r") for row in wanted[:-1]] + wanted[-1:]
    if wanted and content.endswith("\n"):
        wanted[-1] = wanted[-1].removesuffix("\r")
    if wanted:
        wanted[0] = wanted[0].removeprefix("\ufeff")
    path = tmp_path_factory.mktemp("text") / "x.lines"
    path.write_bytes(content.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_PIECE", piece)
        if content in ("", "\ufeff"):
            return
        assert rows_of(open_source(path)) == wanted


def test_from_a_pipe(tmp_path):
    source = open_source("-", input_format="lines", stdin=io.BytesIO(b"a\n\nb"))
    assert rows_of(source) == ["a", "", "b"]
    assert rows_of(source) == ["a", "", "b"]


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"a\xe2\x82"])
@pytest.mark.parametrize("piece", [4, 1 << 20])
def test_what_is_no_utf8(put, rows, monkeypatch, bad, piece):
    monkeypatch.setattr(lines, "_PIECE", piece)
    source = open_source(put("x.lines", b"ok\n\n" * 5 + bad + b"\nok\n"))
    with pytest.raises(DataError) as caught:
        rows_of(source, rows)
    error = caught.value
    assert (error.code, error.row, error.message) == ("encoding", 11, "line 11 is not valid UTF-8 text")
    assert "iconv" in error.hint


@pytest.mark.parametrize(("content", "code"), [("a\nb".encode("utf-16"), "encoding"), (b"a\0b\n", "binary")])
def test_what_is_no_text(put, content, code):
    with pytest.raises(DataError) as caught:
        open_source(put("x.lines", content))
    assert caught.value.code == code


def test_a_line_beyond_the_cap(put, monkeypatch):
    monkeypatch.setattr(lines, "CAP", 100)
    monkeypatch.setattr(lines, "_PIECE", 30)
    with pytest.raises(DataError) as caught:
        rows_of(open_source(put("x.lines", "a\n" + "x" * 200)))
    assert caught.value.code == "line-too-long"


def test_text_is_no_numbers(put):
    source = open_source(put("x.lines", "1\n2\n"))
    for asked, message in ((["text"], "lines is not numbers"),):
        with pytest.raises(DataError, match=message) as caught:
            list(source.blocks(asked, [], 5))
        assert caught.value.code == "dtype"
    (block,) = source.blocks([], [], 5, ["text"])
    with pytest.raises(DataError, match="no sequence"):
        block.sequences("text")


def test_rows_are_not_copied(put):
    (block,) = open_source(put("x.lines", "a b\nc\n" * 50)).blocks([], [], 1000, ["text"])
    assert not block.strings("text").values.flags.owndata


# Which files are lines.


@pytest.mark.parametrize(
    ("name", "plain", "prose"),
    [
        ("x.txt", "text", "lines"),
        ("x.txt.gz", "text", "lines"),
        ("X.TXT", "text", "lines"),
        ("x.ref", "csv", "lines"),
        ("x.hyp", "csv", "lines"),
        ("x.en", "csv", "lines"),
        ("x", "csv", "lines"),
        ("x.lines", "lines", "lines"),
        ("x.csv", "csv", "csv"),
        ("x.tsv", "tsv", "tsv"),
        ("x.text", "text", "text"),
        ("x.trn", "trn", "trn"),
    ],
)
def test_which_files_are_lines(put, name, plain, prose):
    content = b"1 (2)\n2 (3)\n" if "trn" in name else b"1 2\n3 4\n"
    path = put(name, gzip.compress(content) if name.endswith("gz") else content)
    assert open_source(path).format == plain
    assert open_source(path, prose=True).format == prose
    assert open_source(path, prose=True, input_format="csv").format == "csv"
    if prose == "lines" != plain:
        assert open_source(path, prose=True, delimiter="|").format != "lines"
        assert open_source(path, prose=True, no_header=True).format != "lines"


def test_content_that_says_more_than_a_name(tmp_path, put):
    np.save(tmp_path / "x.npy", np.arange(3))
    (tmp_path / "x.npy").rename(tmp_path / "x.hyp")
    with pytest.raises(DataError) as caught:
        open_source(tmp_path / "x.hyp", prose=True)
    assert (caught.value.code, caught.value.hint) == ("wrong-format", "--input-format npy")
    assert open_source(put("x", '{"a": 1}\n'), prose=True).format == "jsonl"
    assert open_source(put("x.ref", '{"a": 1}\n'), prose=True).format == "lines"


def test_two_files_of_text_are_lines(put):
    one, two = put("a.txt", "1 2\n"), put("b.txt", "1 3\n")
    assert [source.format for source in open_inputs([one, two], {}, prose=True)[0]] == ["lines", "lines"]
    assert [source.format for source in open_inputs([one, two], {})[0]] == ["text", "text"]
    assert [source.format for source in open_inputs([one], {}, prose=True)[0]] == ["text"]
    sources, columns, elsewhere = open_inputs([one], {"target": f"{two}:text"}, prose=True)
    assert [source.format for source in sources] == ["text", "lines"]
    assert (columns, elsewhere) == ({"target": "text"}, {"target": 1})
