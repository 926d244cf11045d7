"""Kaldi's and sclite's transcripts: ids, words, and what is refused; rows of two files matched by id."""

from __future__ import annotations

import random

import pytest

import lossctl
from lossctl.data.formats import open_source
from lossctl.data.matched import has_ids, matched
from lossctl.data.text import lines
from lossctl.errors import DataError


@pytest.fixture
def kaldi(put):
    def make(content, name="text"):
        return open_source(put(name, content), input_format="kaldi")

    return make


@pytest.fixture
def trn(put):
    def make(content, name="x.trn"):
        return open_source(put(name, content))

    return make


def table(source, rows=7):
    names = [column.name for column in source.columns]
    found = []
    for block in source.blocks([], names, rows, names):
        for name in names:
            assert block.texts(name) == [block.strings(name).text(n) for n in range(block.rows)]
        found += zip(*(block.texts(name) for name in names), strict=True)
    return found


def failure(source, rows=7):
    with pytest.raises(DataError) as caught:
        table(source, rows)
    return caught.value


@pytest.mark.parametrize("piece", [1, 5, 1 << 20])
def test_kaldi(kaldi, rows, monkeypatch, piece):
    monkeypatch.setattr(lines, "_PIECE", piece)
    source = kaldi("u1 the cat\nu-2\t  a  b \nu3\nu4 \r\né\u00a0x ü\u2028y\nu5  \n")
    assert source.format == "kaldi"
    assert [column.name for column in source.columns] == ["utt_id", "text"]
    wanted = [("u1", "the cat"), ("u-2", "a  b "), ("u3", ""), ("u4", ""), ("é\u00a0x", "ü\u2028y"), ("u5", "")]
    for _ in range(2):
        assert table(source, rows) == wanted


@pytest.mark.parametrize("piece", [1, 5, 1 << 20])
def test_trn(trn, rows, monkeypatch, piece):
    monkeypatch.setattr(lines, "_PIECE", piece)
    content = (
        ";; a comment\nthe cat (spk1-utt1)\n{ a / b / @ } (uh) x\t(spk2_u-1)  \n(3)\n"
        ";;(no-row)\n ( b_1 )\r\n; x (c-)\n() (d)"
    )
    source = trn(content)
    assert (source.format, source.notes) == ("trn", ("2 comment lines are left out (;;)",))
    assert [column.name for column in source.columns] == ["utt_id", "text", "speaker"]
    wanted = [
        ("spk1-utt1", "the cat", "spk1"),
        ("spk2_u-1", "{ a / b / @ } (uh) x", "spk2"),
        ("3", "", "3"),
        ("b_1", "", "b"),
        ("c-", "; x", "c"),
        ("d", "()", "d"),
    ]
    for _ in range(2):
        assert table(source, rows) == wanted


def test_one_comment(trn):
    assert trn(";; x\na (b)\n").notes == ("1 comment line is left out (;;)",)
    assert trn("a (b)\n").notes == ()


@pytest.mark.parametrize(
    ("bad", "words"), [("", "is blank"), (" u words", "begins with white space"), ("\t", "begins")]
)
@pytest.mark.parametrize("before", [0, 3, 30])
def test_a_kaldi_line_without_an_id(kaldi, rows, monkeypatch, bad, words, before):
    monkeypatch.setattr(lines, "_PIECE", 32)
    error = failure(kaldi("".join(f"u{n} x\n" for n in range(before)) + f"{bad}\nlast\n"), rows)
    assert (error.code, error.row) == ("no-id", before + 1)
    assert f"line {before + 1} {words}" in error.message
    assert "utterance-id words" in error.hint


@pytest.mark.parametrize("bad", ["", "words", "words ()", "words (id) x", "words (i(d)", "words ( )"])
def test_a_trn_line_without_an_id(trn, rows, bad):
    """``(i(d)`` ends with an id that is ``d``."""
    source = trn(f";; c\na (u1)\n{bad}\nb (u2)\n")
    if bad == "words (i(d)":
        assert table(source, rows)[1] == ("d", "words (i", "d")
        return
    error = failure(source, rows)
    assert (error.code, error.row) == ("no-id", 2)
    assert "line 3 " in error.message
    assert "(utterance-id)" in error.hint


@pytest.mark.parametrize("way", ["kaldi", "trn"])
def test_ids_that_stand_twice(kaldi, trn, rows, way):
    ids = ["a", "b", "c", "b", "d", "a"]
    source = (
        kaldi("".join(f"{name} x\n" for name in ids)) if way == "kaldi" else trn("".join(f"x ({n})\n" for n in ids))
    )
    error = failure(source, rows)
    assert (error.code, error.row, error.column) == ("key-repeated", 4, "utt_id")
    assert error.message == "utterance 'b' stands in row 2 and in row 4"


def test_broken_text_in_transcripts(kaldi, trn):
    for content in (b"a x\nb \xff\n", b"a x\n\xff y\n"):
        error = failure(kaldi(content))
        assert (error.code, error.row) == ("encoding", 2)
    with pytest.raises(DataError) as caught:
        trn(b"a (x)\n\xff (y)\n")
    assert (caught.value.code, caught.value.row) == ("encoding", 2)


# Matched by id.


@pytest.mark.parametrize("mixed", [False, True])
def test_the_order_is_that_of_the_references(kaldi, trn, rows, mixed):
    chance = random.Random(1)
    ids = [f"s-{n}" for n in range(50)]
    words = {name: "w " * (n % 5) + f"é{n}" for n, name in enumerate(ids)}
    chance.shuffle(ids)
    references = kaldi("".join(f"{name} ref {words[name]}\n" for name in ids), "ref")
    chance.shuffle(ids)
    if mixed:
        source = trn("".join(f"{words[name]} ({name})\n" for name in ids))
    else:
        source = kaldi("".join(f"{name} {words[name]}\n" for name in ids), "hyp")
    assert has_ids(source)
    one, two = matched(source, references)
    assert two is references
    assert (one.name, one.format) == (source.name, source.format)
    assert [column[:4] for column in one.columns] == [column[:4] for column in source.columns]
    for _ in range(2):
        mine, theirs = table(one, rows), table(two, rows)
        assert [row[0] for row in mine] == [row[0] for row in theirs]
        assert [f"ref {row[1]}" for row in mine] == [row[1] for row in theirs]


def test_rows_in_order_are_read_as_they_come(kaldi):
    one, two = kaldi("a x\nb y\n", "1"), kaldi("a z\nb z\n", "2")
    assert matched(one, two) == (one, two)


def test_ids_without_a_partner(kaldi):
    one = kaldi("".join(f"u{n} x\n" for n in range(9)), "1")
    two = kaldi("u3 y\nu20 y\nu0 y\nu30 y\n", "2")
    with pytest.raises(DataError) as caught:
        matched(one, two)
    error = caught.value
    assert error.code == "unmatched-keys"
    assert error.message == f"utterances without a partner: 7 in {one.name}, 2 in {two.name}"
    assert error.details == (
        f"only in {one.name}, not in {two.name}: u1, u2, u4, ...",
        f"only in {two.name}, not in {one.name}: u20, u30",
    )
    assert "--unmatched drop" in error.hint
    mine, theirs = matched(one, two, "drop")
    assert table(mine) == [("u3", "x"), ("u0", "x")]
    assert table(theirs) == [("u3", "y"), ("u0", "y")]
    assert mine.notes == ("7 left out that have no partner: u1, u2, u4, ...",)
    assert theirs.notes == ("2 left out that have no partner: u20, u30",)


def test_lone_ids_on_one_side_only(kaldi):
    one, two = kaldi("a x\nb x\n", "1"), kaldi("b y\n", "2")
    with pytest.raises(DataError) as caught:
        matched(one, two)
    assert caught.value.file == one.name
    assert len(caught.value.details) == 1
    with pytest.raises(DataError) as caught:
        matched(two, one)
    assert caught.value.file == one.name
    mine, theirs = matched(one, two, "drop")
    assert (table(mine), table(theirs), theirs.notes) == ([("b", "x")], [("b", "y")], ())


def test_nothing_in_common(kaldi):
    mine, theirs = matched(kaldi("a x\n", "1"), kaldi("b y\n", "2"), "drop")
    assert table(mine) == table(theirs) == []


def test_ids_that_stand_twice_are_not_matched(kaldi):
    good, twice = kaldi("a x\nb y\n", "1"), kaldi("a x\nb y\na z\n", "2")
    for pair in ((good, twice), (twice, good)):
        with pytest.raises(DataError) as caught:
            matched(*pair, "drop")
        assert (caught.value.code, caught.value.row) == ("key-repeated", 3)


def test_matching_in_little_memory(kaldi):
    """What finds no room goes to temporary files."""
    one = kaldi("".join(f"u{n} {'x' * (n % 9)}é\n" for n in range(100)), "1")
    two = kaldi("".join(f"u{n} y\n" for n in reversed(range(100))), "2")
    found = [table(matched(one, two, memory=memory)[0]) for memory in (1, 20_000, 1 << 30)]
    assert found[0] == found[1] == found[2] == table(one)[::-1]


def test_formats_without_ids(put):
    assert not has_ids(open_source(put("x.lines", "a\n")))
    assert not has_ids(open_source(put("x.csv", "utt_id,text\n1,2\n")))


# Scored.


def test_rows_are_scored_by_id(put):
    hyp, ref = put("hyp", "b x y\na the cat\nc\n"), put("ref", "a the hat\nb x y\nc z\n")
    found = lossctl.compute("wer", hyp, ref, input_format="kaldi")
    assert found.value == 2 / 5
    assert found.per_sample.tolist() == [0.5, 0, 1]
    trn = put("x.trn", "the cat (a-1)\nx y (a-2)\n")
    report = lossctl.compute("wer", trn, trn, by="speaker").report
    assert [(r.slice, r.n, r.value) for r in report.results] == [("total", 2, 0), ("group", 2, 0)]


def test_unequal_lines(put):
    one, two = put("a.txt", "a\nb\n\n"), put("b.txt", "a\nb\n")
    with pytest.raises(DataError) as caught:
        lossctl.compute("wer", one, two)
    assert caught.value.code == "lengths-differ"
    assert caught.value.message == f"the files have different numbers of rows: {one} 3, {two} 2"
