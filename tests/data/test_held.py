"""A source read once: any rows in any order, in memory or in files."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl.data import held as holding
from lossctl.data.arrays.memory import MemorySource
from lossctl.data.formats import open_source
from lossctl.data.held import Held
from lossctl.data.sequences import decimals
from lossctl.data.shelves import Room, Shelf, Space, TextShelf, as_words
from lossctl.errors import DataError
from lossctl.sequences.ragged import Ragged

ROWS = 500
rng = np.random.default_rng(3)
WORDS = ["cat", "", "Zoë", 'a "quoted" word', "007", "日本語のとても長い文字列"]


@pytest.fixture(params=[1 << 30, 0], ids=["memory", "files"])
def room(request):
    return request.param


@pytest.fixture(params=[1, 7, 1 << 14])
def at_a_time(request, monkeypatch):
    """Nothing hangs on how many rows are read at a time."""
    monkeypatch.setattr(holding, "_ROWS", request.param)


def columns():
    return {
        "real": rng.normal(size=ROWS),
        "single": rng.normal(size=ROWS).astype(np.float32),
        "wide": rng.normal(size=(ROWS, 3)),
        "cube": rng.normal(size=(ROWS, 2, 4)).astype(np.float32),
        "label": [WORDS[i] for i in rng.integers(0, len(WORDS), ROWS)],
        "free": [f"row {i} {'x' * (i % 23)}é" for i in range(ROWS)],
        "gaps": [None if i % 3 else f"g{i}" for i in range(ROWS)],
        "tokens": [list(range(i % 5)) for i in range(ROWS)],
        "frames": [rng.normal(size=(i % 4, 2)) for i in range(ROWS)],
        "said": [["a", "b", f"w{i % 7}"][: i % 4] for i in range(ROWS)],
        "whole": rng.integers(-9, 9, ROWS),
    }


def as_list(rows: Ragged) -> list[object]:
    every = [rows.row(n).tolist() for n in range(len(rows))]
    if rows.words is not None:
        every = [[rows.words[code] for code in row] for row in every]
    gone = np.zeros(len(rows), bool) if rows.missing is None else rows.missing
    return [None if missing else row for row, missing in zip(every, gone, strict=True)]


def coded(block, name):
    codes, words = block.labels(name)
    assert len(set(words)) == len(words)
    return [None if code < 0 else words[code] for code in codes]


ASKED = (["real", "single", "wide", "cube", "whole"], ["label", "free", "gaps"], ["tokens", "frames", "said", "cube"])


@pytest.mark.usefixtures("at_a_time")
@pytest.mark.parametrize("places", [[], [3], [499, 0, 0, 250], list(range(ROWS))[::-1]], ids=len)
def test_rows_are_what_the_source_gives(room, places):
    source = MemorySource(columns())
    [block] = source.blocks(*ASKED[:2], ROWS, ASKED[2])
    made = Held(source, *ASKED, room)
    taken = made.take(np.array(places, np.int64))
    assert taken.rows == len(places)
    for name in ASKED[0]:
        mine, its = taken.numbers(name), block.numbers(name)[places]
        assert (mine.dtype, mine.shape) == (its.dtype, its.shape)
        assert np.array_equal(mine, its)
    for name in ASKED[1]:
        its = [block.texts(name)[place] for place in places]
        assert taken.texts(name) == coded(taken, name) == its
        assert taken.labels(name)[1] == list(dict.fromkeys(word for word in its if word is not None))
    for name in ASKED[2]:
        mine, its = ((b.strings if name == "said" else b.sequences)(name) for b in (taken, block))
        assert as_list(mine) == as_list(its[np.array(places, np.int64)])
        assert mine.dtype == its.dtype
        assert mine.values.shape[1:] == its.values.shape[1:]


def test_many_words_are_kept_as_text(room, monkeypatch):
    """First coded, then too many for that; and text from the first block on."""
    monkeypatch.setattr(holding, "_ROWS", 50)
    monkeypatch.setattr(holding, "_WORDS", 60)
    cells = [None if i % 11 == 5 else f"w{i if i > 100 else i % 3}" for i in range(ROWS)]
    monkeypatch.setattr(holding, "_FEW", 3)
    source = MemorySource({"a": cells, "b": [f"{i}" for i in range(ROWS)]})
    made = Held(source, [], ["a", "b"], [], room)
    assert all(isinstance(column, TextShelf) for column in made._words.values())
    places = rng.permutation(ROWS)
    taken = made.take(places)
    assert taken.texts("a") == coded(taken, "a") == [cells[i] for i in places]
    assert taken.texts("b") == [str(i) for i in places]


def test_it_is_a_source_itself(room):
    source = MemorySource(columns(), name="table")
    made = Held(source, *ASKED, room)
    assert (made.name, made.format, made.rows) == ("table", "memory", ROWS)
    for _ in range(2):
        blocks = list(made.blocks(["real"], ["label"], 64))
        assert [block.first for block in blocks] == list(range(0, ROWS, 64))
        assert np.array_equal(np.concatenate([b.numbers("real") for b in blocks]), columns_of(source, "real"))
    assert made.place(17) == ("table", 17)
    assert made.cuts()[0] == 0
    assert made.cuts()[-1] == ROWS
    [block] = made.between(10, 20, ["real"], [], 100)
    assert (block.first, block.rows) == (10, 10)
    with pytest.raises(DataError) as caught:
        made.blocks(["nothing"], [], 5)
    assert caught.value.code == "no-column"


def columns_of(source, name):
    return np.concatenate([block.numbers(name) for block in source.blocks([name], [], 100)])


def test_no_rows(tmp_path):
    """Shapes are those of the schema."""
    kind = pa.schema([("x", pa.float32()), ("wide", pa.list_(pa.float64(), 3)), ("s", pa.string())])
    pq.write_table(kind.empty_table(), tmp_path / "none.parquet")
    made = Held(open_source(str(tmp_path / "none.parquet")), ["x", "wide"], ["s"], [])
    taken = made.take(np.empty(0, np.int64))
    assert taken.numbers("x").shape == (0,)
    assert taken.numbers("wide").shape == (0, 3)
    assert taken.texts("s") == []
    assert list(made.blocks(["x"], ["s"], 5)) == []


def test_lists_of_json_are_tokens_and_numbers(tmp_path, room):
    path = tmp_path / "x.jsonl"
    path.write_text('{"t": [1, 2], "n": "a"}\n{"t": [3], "n": null}\n{"t": [], "n": "b"}\n')
    made = Held(open_source(str(path)), [], [], ["t", "n"], room)
    taken = made.take(np.array([2, 0, 1]))
    assert as_list(taken.strings("t")) == [[], ["1", "2"], ["3"]]
    assert as_list(taken.sequences("t")) == [[], [1, 2], [3]]
    assert taken.sequences("t").dtype == np.int64
    assert [taken.strings("n").text(0), taken.texts("n")] == ["b", ["b", "a", None]]
    with pytest.raises(DataError):
        taken.sequences("n")


def test_lists_of_other_numbers_than_the_first(tmp_path, monkeypatch, room):
    """Whole numbers at first, then a fraction: all are floats."""
    monkeypatch.setattr(holding, "_ROWS", 1)
    path = tmp_path / "x.jsonl"
    path.write_text('{"t": [1, 2]}\n{"t": [0.5]}\n')
    made = Held(open_source(str(path)), [], [], ["t"], room)
    assert as_list(made.take(np.array([1, 0])).sequences("t")) == [[0.5], [1.0, 2.0]]


def test_bad_cells_are_named(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a\n1\nx\n")
    with pytest.raises(DataError) as caught:
        Held(open_source(str(path)), ["a"], [])
    assert (caught.value.code, caught.value.row) == ("not-a-number", 2)


# What it is made of.


def test_a_shelf_moves_to_a_file_when_room_runs_out():
    room = Room(1000)
    shelf = Shelf(room, np.float64, (2,))
    parts = [rng.normal(size=(n, 2)) for n in (10, 0, 40, 100)]
    for part in parts:
        shelf.add(part)
    whole = np.concatenate(parts)
    assert room.left == 1000  # given back
    assert np.array_equal(shelf.done().take(np.arange(150)[::-1]), whole[::-1])
    assert np.array_equal(shelf.piece(20, 60), whole[20:60])
    shelf.drop()
    assert shelf.rows == 0


def test_room_is_given_back():
    room = Room(1 << 20)
    shelf = Shelf(room, np.int64)
    for _ in range(10):
        shelf.add(np.arange(100))
    shelf.done()
    assert room.left == (1 << 20) - 8000
    shelf.drop()
    assert room.left == 1 << 20


@pytest.mark.parametrize("size", [0, 1 << 20])
def test_space(size):
    space = Space(5000, np.int64, Room(size))
    assert not space.array.any()
    places = rng.permutation(5000)
    space.array[places] = np.arange(5000)
    space.touch(1 << 20)
    assert np.array_equal(space.piece(0, 5000)[places], np.arange(5000))


def test_a_full_disk_is_a_data_error(monkeypatch):
    import errno
    import os

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    shelf = Shelf(Room(0), np.int64)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(DataError) as caught:
        shelf.add(np.arange(3))
    assert caught.value.code == "spool"
    assert "No space left" in caught.value.message
    assert "TMPDIR" in caught.value.hint


@pytest.mark.parametrize("dtype", ["i1", "u1", ">i2", "i4", "i8", "u8"])
def test_integers_as_python_writes_them(dtype):
    info = np.iinfo(dtype)
    near = [10**n + d for n in range(20) for d in (-1, 0, 1)]
    values = [v for v in (0, info.min, info.max, *near, *(-v for v in near)) if info.min <= v <= info.max]
    array = np.array(values, dtype)
    rows = decimals(array)
    assert [rows.text(n) for n in range(len(rows))] == list(map(str, values))
    [block] = MemorySource({"a": array}).blocks([], [], 999, ["a"])
    assert [block.strings("a").text(n) for n in range(len(rows))] == list(map(str, values))
    gaps = decimals(array, np.arange(len(values)) % 2 == 1)
    assert as_list(gaps)[1] is None
    assert gaps.lengths[1] == 0
    assert len(decimals(array[:0])) == 0


@pytest.mark.parametrize("texts", [[], [""], ["a", "", "12345678", "123456789", "é" * 9], ["", ""]])
def test_text_in_words(texts):
    rows = Ragged.texts(["pad", *texts])[1:]
    words, counts = as_words(rows)
    assert counts.tolist() == [-(-len(text.encode()) // 8) for text in texts]
    assert words.tobytes() == b"".join(t.encode().ljust(-(-len(t.encode()) // 8) * 8, b"\0") for t in texts)
