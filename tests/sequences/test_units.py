"""Text in units: as ``str`` has them, whatever the script and however the rows lie in memory."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.errors import DataError
from lossctl.sequences import units
from lossctl.sequences.folding import folding
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.splits import counts
from lossctl.sequences.units import names, remapped, shared, spaceless, split
from lossctl.sequences.variants import LIMIT, readings, resolved, troubled

ODD = [
    "",
    " ",
    "  a  b ",
    "x\u3000y\u00a0z",
    "a\u2028b\u2029c\u0085d",
    "a\x1cb\x1fc\vd",
    "a\u200bb",  # a zero width space is none
    "e\u0301te\u0301",
    "\u05e9\u05dc\u05d5\u05dd \u0639\u0627\u0644\u0645",
    "\U0001f600 \U00010348",
    "\u65e5\u672c \u8a9e",
    "one two  one\r\n",
]
# Which bytes begin or continue a character, and white space of one byte and of three.
LETTERS = "ab \t\n\x1c\x85\xa0\u2003\u2028\u3000\u00e9\u65e5\U0001f600"

many_or_few = pytest.mark.parametrize("many", [1, 10**9], ids=["arrow", "python"])


def text_of(found: Ragged, unit: str) -> list[list[str]]:
    return [names(found.row(n), found.words, unit) for n in range(len(found))]


def expected(text: str, unit: str) -> list[str]:
    if unit == "char":
        return list(text)
    return [f"{byte:02x}" for byte in text.encode()] if unit == "byte" else text.split()


@many_or_few
@pytest.mark.parametrize("unit", ["word", "token", "char", "byte"])
def test_units_are_those_of_str(unit, many, monkeypatch):
    monkeypatch.setattr(units, "MANY", many)
    found = split(Ragged.texts([*ODD, None]), unit)
    assert text_of(found, unit) == [*(expected(text, unit) for text in ODD), []]
    assert found.missing.tolist() == [False] * len(ODD) + [True]


@many_or_few
@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.text(LETTERS, max_size=8), max_size=6))
def test_units_of_any_text(many, rows):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "MANY", many)
        for unit in ("word", "char", "byte"):
            assert text_of(split(Ragged.texts(rows), unit), unit) == [expected(row, unit) for row in rows]


def test_white_space_is_that_of_str():
    """Every code point there is, between two letters."""
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    found = split(Ragged.texts([f"a{chr(point)}b" for point in points]), "word")
    apart = [point for point, length in zip(points, found.lengths.tolist(), strict=True) if length == 2]
    assert apart == [point for point in points if chr(point).isspace()]


@many_or_few
def test_rows_may_lie_apart(many, monkeypatch):
    """In any order, over one another, with other text between them."""
    monkeypatch.setattr(units, "MANY", many)
    values = np.frombuffer("xx one two\u00e9 yy".encode(), np.uint8)
    text = Ragged(values, np.array([7, 0, 3, 3]), np.array([5, 2, 0, 9]))
    assert text_of(split(text, "word"), "word") == [["two\u00e9"], ["xx"], [], ["one", "two\u00e9"]]
    assert text_of(split(text, "char"), "char") == [list("two\u00e9"), ["x", "x"], [], list("one two\u00e9")]


@pytest.mark.parametrize(
    ("data", "starts", "lengths", "row"),
    [
        (b"ab\xff", [0, 1, 2], [1, 1, 1], 3),
        (b"ab\xc3\xa4\xc3", [0, 2, 4], [2, 2, 1], 3),
        (b"ab\xc3\xa4c", [0, 3, 4], [3, 1, 1], 1),  # a character cut in two by rows
        (b"\xed\xa0\x80a", [0, 3], [3, 1], 1),  # a surrogate
        (b"a\xc0\xaf", [0, 1], [1, 2], 2),  # a slash too long
    ],
)
@pytest.mark.parametrize("unit", ["word", "char", "grapheme", "byte"])
def test_what_is_no_utf8_is_refused_with_its_row(data, starts, lengths, row, unit):
    text = Ragged(np.frombuffer(data, np.uint8), np.array(starts), np.array(lengths))
    with pytest.raises(DataError) as caught:
        split(text, unit)
    assert (caught.value.code, caught.value.row) == ("encoding", row)


GRAPHEMES = [
    ("e\u0301a\r\n\n", ["e\u0301", "a", "\r\n", "\n"]),
    ("\U0001f468\u200d\U0001f469\u200d\U0001f467x", ["\U0001f468\u200d\U0001f469\u200d\U0001f467", "x"]),
    ("\U0001f44d\U0001f3fd!\u2764\ufe0f", ["\U0001f44d\U0001f3fd", "!", "\u2764\ufe0f"]),
    (
        "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7\U0001f1ee",
        ["\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7", "\U0001f1ee"],
    ),
    ("\u1112\u1161\u11ab\uac01\uac00\u11a8", ["\u1112\u1161\u11ab", "\uac01", "\uac00\u11a8"]),
    ("\u0928\u093f\u0915", ["\u0928\u093f", "\u0915"]),  # a vowel sign
    ("a\u200db", ["a\u200d", "b"]),  # a joiner joins pictographs only
    ("\u0301a", ["\u0301", "a"]),
    ("\n\u0301", ["\n", "\u0301"]),
]


def test_graphemes():
    found = split(Ragged.texts([text for text, _ in GRAPHEMES]), "grapheme")
    assert text_of(found, "grapheme") == [parts for _, parts in GRAPHEMES]


def test_graphemes_end_with_their_rows():
    """A mark at the start of a row, or a flag cut in two, is nothing of the row before it."""
    found = split(Ragged.texts(["e", "\u0301a", "\r", "\n", "\U0001f1e9", "\U0001f1ea"]), "grapheme")
    assert found.lengths.tolist() == [1, 2, 1, 1, 1, 1]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=6), max_size=4))
def test_graphemes_are_all_of_the_text(rows):
    found = text_of(split(Ragged.texts(rows), "grapheme"), "grapheme")
    assert ["".join(parts) for parts in found] == rows


# Normalisation: named steps, in their order.


@pytest.mark.parametrize(
    ("steps", "text", "after"),
    [
        (("nfc",), "e\u0301", "\u00e9"),
        (("nfd",), "\u00e9", "e\u0301"),
        (("nfkc",), "\ufb01\u00b2", "fi2"),
        (("lower",), "A\u00c4\u0130", "a\u00e4i\u0307"),
        (("casefold",), "Stra\u00dfe", "strasse"),
        (("lower",), "Stra\u00dfe", "stra\u00dfe"),
        (("punct",), "\u00bfa, b\u2014c$1!", "a bc$1"),
        (("spaces",), " a\u3000\t b ", "a b"),
        (("strip",), " a  b\u00a0", "a  b"),
        (("punct", "strip"), "- a -", "a"),
        (("strip", "punct"), "- a -", " a "),
        (("nfc", "lower", "spaces"), "A \u0041\u0301", "a \u00e1"),
        (("lower",), "PLAIN", "plain"),
        (("nfkc", "casefold", "spaces"), "PLAIN  ASCII", "plain ascii"),
        ((), " As It\tIs ", " As It\tIs "),
    ],
)
def test_steps(steps, text, after):
    for rows in ([text], ["", text, None, "x"]):
        found = split(Ragged.texts(rows), "char", steps)
        assert "".join(text_of(found, "char")[rows.index(text)]) == after


def test_every_step_is_known():
    for step in units.STEPS:
        assert split(Ragged.texts(["a b"]), "word", (step,)).lengths.tolist() == [2]


def test_normal_forms_make_equal_what_looks_equal():
    composed, apart = "\u00e9t\u00e9", unicodedata.normalize("NFD", "\u00e9t\u00e9")
    sides = [Ragged.texts([text]) for text in (composed, apart)]
    plain = counts(*(split(side, "char") for side in sides))
    assert plain.errors.tolist() == [4]
    assert counts(*(split(side, "char", ("nfc",)) for side in sides)).errors.tolist() == [0]
    assert counts(*shared(*(split(side, "grapheme", ("nfd",)) for side in sides))).errors.tolist() == [0]


def test_white_space_may_be_left_out():
    text = Ragged.texts([" a\u3000b c", "", "\u0085\u00c5"])
    for unit, left in (("char", ["abc", "", "\u00c5"]), ("grapheme", ["abc", "", "\u00c5"])):
        assert ["".join(row) for row in text_of(spaceless(split(text, unit), unit), unit)] == left
    assert spaceless(split(text, "byte"), "byte").lengths.tolist() == [3, 0, 2]
    ids = Ragged.of([[32, 9, 5]], np.int64)
    assert spaceless(ids, "token").row(0).tolist() == [32, 9, 5]


# One vocabulary.


@many_or_few
def test_equal_words_have_equal_codes(many, monkeypatch):
    monkeypatch.setattr(units, "MANY", many)
    ref = split(Ragged.texts(["b a", "", "c \u00e9"]), "word")
    hyp = split(Ragged.texts(["a x b", "y", "\u00e9"]), "word")
    one, other = shared(ref, hyp)
    assert one.words is other.words
    assert len(set(one.words)) == len(one.words) == 6
    assert text_of(one, "word") == text_of(ref, "word")
    assert text_of(other, "word") == text_of(hyp, "word")
    assert list(one.words)[one.row(2)[1]] == one.words[other.row(2)[0]] == "\u00e9"


def test_texts_large_and_small_meet():
    large = split(Ragged.texts(["w0 " * 30_000]), "word")
    small = split(Ragged.texts(["w0 w1"]), "word")
    for ref, hyp in ((large, small), (small, large)):
        one, other = shared(ref, hyp)
        assert one.row(0)[0] == other.row(0)[0]
        assert len(one.words) == 2


def test_text_and_numbers_are_not_compared():
    ids = Ragged.of([[1, 2]], np.int64)
    with pytest.raises(DataError, match="one side is text"):
        shared(ids, split(Ragged.texts(["1 b"]), "word"))
    assert shared(ids, ids) == (ids, ids)
    empty = split(Ragged.texts([""]), "word")
    assert [side.lengths.tolist() for side in shared(empty, split(Ragged.texts(["a"]), "word"))] == [[0], [1]]


def test_numbers_beside_numerals_are_compared_as_they_are_written():
    """Ids come as numbers from arrays and Parquet, and as they are written from JSON."""
    ids = Ragged.of([[1, 2, -30], [], [2]], np.int64)
    text = split(Ragged.texts(["1 3 -30", "2", "02"]), "token")
    for ref, hyp in (shared(ids, text), reversed(shared(text, ids))):
        assert ref.words == hyp.words
        assert [(ref.row(n)[:, None] == hyp.row(n)).sum() for n in range(3)] == [2, 0, 0]


# What a phone counts as.


def test_folding(tmp_path):
    path = tmp_path / "fold.map"
    path.write_text("# phone  counts as\nih ih\nix\tih\n\nq\nao aa\r\n", encoding="utf-8")
    meaning = folding(str(path))
    assert meaning == {"ih": "ih", "ix": "ih", "q": None, "ao": "aa"}
    text = split(Ragged.texts(["q ix b ao q", "q", "b"]), "token")
    assert text_of(remapped(text, meaning, "token"), "token") == [["ih", "b", "aa"], [], ["b"]]


def test_what_has_no_vocabulary_is_folded_by_its_text():
    letters = remapped(split(Ragged.texts(["a\u00e9b", ""]), "char"), {"\u00e9": "e", "b": None}, "char")
    assert text_of(letters, "char") == [["a", "e"], []]
    ids = remapped(Ragged.of([[7, 12], [3]], np.int64), {"12": "7"}, "token")
    assert text_of(ids, "token") == [["7", "7"], ["3"]]
    assert len(remapped(Ragged.of([[]], np.int64), {}, "token")) == 1


@pytest.mark.parametrize(
    ("content", "code"), [("a b c\n", "bad-mapping"), ("a b\na c\n", "bad-mapping"), (b"\xff\xfea", "unreadable")]
)
def test_foldings_that_say_nothing(tmp_path, content, code):
    path = tmp_path / "fold.map"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        folding(str(path))
    assert (caught.value.code, caught.value.file) == (code, str(path))


def test_a_folding_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        folding(str(tmp_path / "none"))


# References that leave a choice.


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("a b", ["a b"]),
        ("{ uh / um / @ } yes", ["uh yes", "um yes", "yes"]),
        ("{uh / um} yes", ["uh yes", "um yes"]),
        ("i (really) mean", ["i really mean", "i mean"]),
        ("{ a b / { c / @ } }", ["a b", "c", ""]),
        ("and/or @ ( )", ["and/or @ ( )"]),
        ("{ a / b } { c / d }", ["a c", "a d", "b c", "b d"]),
    ],
)
def test_readings(text, ways):
    assert [" ".join(way) for way in readings(text.split())] == ways


@pytest.mark.parametrize("unit", ["word", "token", "char", "grapheme", "byte"])
def test_the_best_reading_counts(unit):
    refs = ["{ uh / um / @ } yes", "plain", "i (really) m\u00e9an {it / this}"]
    hyps = ["um yes", "plan", "i m\u00e9an this"]
    ref, hyp = shared(split(Ragged.texts(refs), unit), split(Ragged.texts(hyps), unit))
    found, other = shared(resolved(ref, hyp, unit, "hits"), hyp)
    assert counts(found, other).errors.tolist() == [0, 1, 0]
    best = split(Ragged.texts(["um yes", "plain", "i m\u00e9an this"]), unit)
    assert text_of(found, unit) == text_of(best, unit)


def test_choices_that_cannot_be_read():
    rows = ["{ a / b", "a } b", "(a) " * 10, "(a) " * 11, "{ a / b }"]
    assert LIMIT == 2**10
    for unit in ("word", "char"):
        assert troubled(split(Ragged.texts(rows), unit), unit).tolist() == [True, True, False, True, False]
