"""Two sources paired by key: any order, any size, and nothing paired that only looks alike."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.data import joined as joining
from lossctl.data import keys as keying
from lossctl.data import pairing
from lossctl.data.arrays.memory import MemorySource
from lossctl.data.formats import open_source
from lossctl.data.joined import Wanted, joined
from lossctl.data.keys import KeyTable, digests
from lossctl.data.shelves import Room, as_words
from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

WANTED = Wanted(["y"], ["id"], [])


def source(keys, name="t", **more):
    columns = keys if isinstance(keys, dict) else {"id": keys if isinstance(keys, np.ndarray) else list(keys)}
    n = len(next(iter(columns.values())))
    return MemorySource({**columns, "y": np.arange(n, dtype=float), **more}, name=name)


def pair(one, other, keys=("id",), wanted=WANTED, **options):
    return joined(source(one, "p"), source(other, "t"), keys, keys, wanted, **options)


def values(made, rows=3):
    return [v for block in made.blocks(["y"], ["id"], rows) for v in block.numbers("y").tolist()]


def ids(made, rows=3):
    return [v for block in made.blocks(["y"], ["id"], rows) for v in block.texts("id")]


def fails(code, one, other, **options):
    with pytest.raises(DataError) as caught:
        pair(one, other, **options)
    assert caught.value.code == code, caught.value
    return caught.value


@pytest.fixture(params=["free", "tight", "few-bits"])
def way(request, monkeypatch):
    """In memory, by way of files in many parts, and with digests that are often the same."""
    if request.param == "tight":
        monkeypatch.setattr(pairing, "_LEAST", 200)
        monkeypatch.setattr(pairing, "_PIECE", 7)
        monkeypatch.setattr(pairing, "_PROVED", 5)
        monkeypatch.setattr(keying, "_ROWS", 11)
        return {"memory": 3}
    if request.param == "few-bits":
        every = digests
        few = np.uint64(7 << 61)
        monkeypatch.setattr(keying, "digests", lambda *given: every(*given) & few)
    return {}


KEYS = [f"user {i}" for i in range(60)] + ["007", "7", " 7", "Zoë", 'a "quoted" id', "a,b", "x" * 100, "NA", "null"]


def test_the_order_is_that_of_the_first(way):
    rng = np.random.default_rng(0)
    for _ in range(5):
        places = rng.permutation(len(KEYS))
        one, two = pair(KEYS, [KEYS[i] for i in places], **way)
        assert one.in_step is two
        assert two.in_step is one
        assert values(one) == list(range(len(KEYS)))
        assert ids(one) == ids(two) == KEYS
        assert [places[int(v)] for v in values(two)] == list(range(len(KEYS)))
        assert [two.place(row) for row in range(3)] == [("t", int(values(two)[row])) for row in range(3)]
        assert two.cuts()[-1] == len(KEYS)
        assert [b.numbers("y").tolist() for b in two.between(2, 4, ["y"], [], 9)] == [values(two)[2:4]]


def test_rows_that_stand_in_order_are_read_as_they_come(way):
    mine, its = source(KEYS), source(KEYS)
    assert joined(mine, its, ["id"], ["id"], WANTED, **way) == (mine, its)
    assert mine.in_step is its


@given(
    st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), unique=True, max_size=30),
    st.lists(st.text(min_size=1, max_size=2, alphabet="ab\x1f7"), unique=True, max_size=6),
    st.randoms(use_true_random=False),
    st.sampled_from([0, 1, 64]),
)
def test_any_keys(shared, others, chance, bits):
    """Against a dictionary, whatever the digest is worth."""
    half = len(others) // 2
    one, two = [*shared, *others[:half]], [*shared, *others[half:]]
    one, two = list(dict.fromkeys(one)), list(dict.fromkeys(two))
    chance.shuffle(one)
    chance.shuffle(two)
    every = digests
    mask = np.uint64(2**64 - 2 ** (64 - bits))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keying, "digests", lambda *given: every(*given) & mask)
        mine, its = (
            pair(np.array(one, object), np.array(two, object), unmatched="drop") if one and two else (None, None)
        )
    if mine is None:
        return
    common = [key for key in one if key in two]
    assert [one[int(v)] for v in values(mine)] == [two[int(v)] for v in values(its)] == common
    lone = [[(k,) for k in a if k not in b] for a, b in ((one, two), (two, one))]
    assert [list(s.lone()) if hasattr(s, "lone") else [] for s in (mine, its)] == lone
    assert [getattr(s, "unmatched", 0) for s in (mine, its)] == [len(part) for part in lone]


def test_several_columns_are_one_key(way):
    """``ab`` and ``c`` are not ``a`` and ``bc``."""
    one = {"id": ["ab", "a", "a"], "part": ["c", "bc", "x"]}
    two = {"id": ["a", "a", "ab"], "part": ["x", "bc", "c"]}
    its = pair(one, two, ("id", "part"), **way)[1]
    assert values(its) == [2, 1, 0]
    assert fails("unmatched-keys", one, {**two, "part": ["x", "c", "bc"]}, keys=("id", "part"), **way).row == 1


@pytest.mark.parametrize("size", [1, 3])
def test_unmatched_keys(way, size):
    one, two = ["a", "b", "c", "d", "e", "f"], ["x", "f", "b"]
    error = fails("unmatched-keys", one, two, **way)
    assert error.message == "keys without a partner: 4 in p, 1 in t"
    assert error.details == ("only in p, not in t: 'a', 'c', 'd', ...", "only in t, not in p: 'x'")
    assert (error.file, error.row, error.column) == ("p", 1, "id")
    assert error.hint == "--unmatched drop leaves them out, and counts them"
    mine, its = pair(one, two, unmatched="drop", **way)
    assert ids(mine, size) == ids(its, size) == ["b", "f"]
    assert (values(mine, size), values(its, size)) == ([1, 5], [2, 1])
    assert (mine.unmatched, its.unmatched) == (4, 1)
    assert list(mine.lone()) == [("a",), ("c",), ("d",), ("e",)]
    assert list(its.lone()) == [("x",)]
    assert [mine.place(row) for row in (0, 1)] == [("p", 1), ("p", 5)]
    assert [its.place(row) for row in (0, 1)] == [("t", 2), ("t", 1)]
    for block in mine.blocks(["y"], ["id"], 2):
        codes, words = block.labels("id")
        assert [words[code] for code in codes] == block.texts("id") == ["b", "f"]
        assert [block.strings("id").text(n) for n in range(2)] == ["b", "f"]


def test_only_one_side_has_lone_rows(way):
    mine, its = pair("abc", "cxba", unmatched="drop", **way)
    assert (values(mine), values(its)) == ([0, 1, 2], [3, 2, 0])
    assert (getattr(mine, "unmatched", 0), its.unmatched) == (0, 1)
    mine, its = pair("abxc", "cba", unmatched="drop", **way)
    assert (values(mine), values(its)) == ([0, 1, 3], [2, 1, 0])
    assert (mine.unmatched, its.unmatched) == (1, 0)
    assert fails("unmatched-keys", "ab", "b").file == "p"
    assert fails("unmatched-keys", "b", "ab").file == "t"


def test_nothing_in_common(way):
    mine, its = pair("ab", "cde", unmatched="drop", **way)
    assert (values(mine), values(its)) == ([], [])
    assert (mine.unmatched, its.unmatched) == (2, 3)


@pytest.mark.parametrize(("one", "two", "file"), [("abcab", "abc", "p"), ("abc", "xabca", "t"), ("abca", "abca", "p")])
@pytest.mark.parametrize("unmatched", ["error", "drop"])
def test_repeated_keys(way, one, two, file, unmatched):
    """The first row whose key was there before, even where other digests come earlier."""
    error = fails("key-repeated", one, two, unmatched=unmatched, **way)
    rows = {"abcab": (1, 4), "xabca": (2, 5), "abca": (1, 4)}[one if file == "p" else two]
    assert error.message == f"key 'a' stands in row {rows[0]} and in row {rows[1]}"
    assert (error.file, error.row, error.column) == (file, rows[1], "id")


def test_the_first_of_many_repeats(way):
    keys = [f"k{i % 50}" for i in range(120)]
    chance = np.random.default_rng(5)
    chance.shuffle(keys)
    seen: dict[str, int] = {}
    again = next(row for row, key in enumerate(keys) if seen.setdefault(key, row) != row)
    error = fails("key-repeated", keys, KEYS, **way)
    assert (error.row, f"row {seen[keys[again]] + 1} " in error.message) == (again + 1, True)


def test_a_repeat_beyond_the_first_rows(way, monkeypatch):
    monkeypatch.setattr(keying, "_ROWS", 2)
    assert fails("key-repeated", "abcdeb", "abcde", **way).row == 6


@pytest.mark.parametrize("gap", [None, ""])
def test_missing_keys(way, gap):
    one, two = ["a", "b", "c"], ["a", gap, "c"]
    error = fails("key-missing", one, two, **way)
    assert (error.file, error.row, error.column) == ("t", 2, "id")
    error = fails("key-missing", {"id": one, "part": ["x", "y", gap]}, {"id": two, "part": one}, keys=("id", "part"))
    assert (error.file, error.row, error.column) == ("p", 3, "part")


def test_integers_and_cells_of_text(tmp_path, way):
    """Integers as Python writes them; ``007`` is another key."""
    numbers = [7, 10**17 + 1, -3, 0]
    pq.write_table(pa.table({"id": pa.array(numbers, pa.int64()), "y": [0.0, 1.0, 2.0, 3.0]}), tmp_path / "p.parquet")
    (tmp_path / "t.csv").write_text("id,y\n0,0\n-3,1\n100000000000000001,2\n7,3\n")
    one, two = open_source(str(tmp_path / "p.parquet")), open_source(str(tmp_path / "t.csv"))
    mine, its = joined(one, two, ["id"], ["id"], WANTED, **way)
    assert (values(mine), values(its)) == ([0, 1, 2, 3], [3, 2, 1, 0])
    assert ids(mine) == ids(its) == [str(n) for n in numbers]
    (tmp_path / "u.csv").write_text("id,y\n0,0\n-3,1\n100000000000000001,2\n007,3\n")
    with pytest.raises(DataError) as caught:
        joined(one, open_source(str(tmp_path / "u.csv")), ["id"], ["id"], WANTED, **way)
    assert [line[-5:] for line in caught.value.details] == [": '7'", "'007'"]


def test_a_key_of_lists_is_none():
    with pytest.raises(DataError) as caught:
        joined(source([["a"], ["b", "c"]]), source("ab"), ["id"], ["id"], WANTED)
    assert caught.value.code == "dtype"


def test_digests_hang_on_every_byte_and_length():
    texts = ["", "a", "a\0", "\0", "\0\0", "b", "a" * 8, "a" * 9, "a" * 16, "a" * 15 + "b", "é"]
    rows = Ragged.texts(texts)
    words, counts = as_words(rows)
    found = digests(words, counts, rows.lengths, np.zeros(len(texts), np.uint64))
    assert len(set(found.tolist())) == len(texts)
    alone = [digests(*as_words(rows[n : n + 1]), rows.lengths[n : n + 1], np.zeros(1, np.uint64)) for n in range(11)]
    assert np.concatenate(alone).tolist() == found.tolist()


def test_parts_hold_all_rows(monkeypatch):
    monkeypatch.setattr(pairing, "_LEAST", 1000)
    tables = [KeyTable(source([f"{i}" for i in range(n)]), ["id"], Room(0)) for n in (1000, 700)]
    parts = list(pairing.in_parts(tables, 0))
    assert len(parts) > 8
    for place, table in enumerate(tables):
        rows = np.concatenate([part[place].rows for part in parts])
        found = np.concatenate([part[place].digests for part in parts])
        assert sorted(rows.tolist()) == list(range(table.rows))
        assert np.array_equal(found, table.digests.take(rows))
        assert np.array_equal(found, np.sort(found))


def test_a_file_beside_that_has_other_rows():
    """One that loses the same rows must have had as many."""
    kept = pairing.Space(2, np.int64, Room(100))
    kept.array[:] = [0, 2]
    assert values(joining.Filtered(source("abc"), kept, 3)) == [0, 2]
    with pytest.raises(DataError) as caught:
        values(joining.Filtered(source("abcd"), kept, 3))
    assert caught.value.code == "lengths-differ"
