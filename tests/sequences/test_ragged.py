"""Rows of any length over one flat array, held against Python lists."""

from __future__ import annotations

import numpy as np
import pytest

from lossctl.sequences.ragged import Ragged

LISTS = [[1, 2, 3], [], None, [4], [5, 6]]


def lists_of(rows: Ragged) -> list[list[int] | None]:
    gone = np.zeros(len(rows), bool) if rows.missing is None else rows.missing
    return [None if missing else rows.row(n).tolist() for n, missing in enumerate(gone)]


def shuffled() -> Ragged:
    """The same rows over an array in which they stand apart and in another order, with poison between them."""
    values = np.array([5, 6, -9, 1, 2, 3, -9, -9, 4], np.int64)
    lengths = np.array([3, 0, 0, 1, 2])
    return Ragged(values, np.array([3, 0, 7, 8, 0]), lengths, missing=np.array([False, False, True, False, False]))


@pytest.mark.parametrize("make", [lambda: Ragged.of(LISTS, np.int64), shuffled], ids=["of", "apart"])
def test_rows_come_back(make):
    rows = make()
    assert lists_of(rows) == LISTS
    assert rows.flat().tolist() == [1, 2, 3, 4, 5, 6]
    assert rows.owners().tolist() == [0, 0, 0, 3, 4, 4]
    assert rows.shape == (5, 3)
    assert rows.ndim == 2
    assert lists_of(rows.packed()) == LISTS
    assert rows.packed().values.tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "choose",
    [slice(1, 4), np.array([4, 0, 0]), np.array([True, False, True, False, True])],
    ids=["slice", "at", "mask"],
)
def test_some_rows(choose):
    places = np.arange(len(LISTS))[choose]
    assert lists_of(shuffled()[choose]) == [LISTS[i] for i in places]


def test_a_choice_shares_its_values():
    rows = shuffled()
    assert rows[np.array([0, 4])].values is rows.values


def test_cut_never_lengthens():
    cut = shuffled().cut(np.array([2, 5, 5, 0, 9]))
    assert lists_of(cut) == [[1, 2], [], None, [], [5, 6]]


@pytest.mark.parametrize("inner", [(), (4,)], ids=["numbers", "vectors"])
def test_padded_arrays_both_ways(inner):
    array = np.arange(2 * 3 * int(np.prod(inner))).reshape(2, 3, *inner)
    for rows in (Ragged.padded(array), Ragged.padded(np.ascontiguousarray(np.swapaxes(array, 0, 1)), by_time=True)):
        assert rows.shape == array.shape
        assert rows.width == int(np.prod(inner))
        assert all((rows.row(n) == array[n]).all() for n in range(2))
        assert (rows.flat().reshape(array.shape) == array).all()
        short = rows.cut(np.array([1, 2]))
        assert (short.flat() == np.concatenate([array[0, :1], array[1, :2]])).all()


def test_padding_shares_memory():
    array = np.zeros((3, 4, 5))
    assert np.shares_memory(Ragged.padded(array).values, array)
    assert np.shares_memory(Ragged.padded(array, by_time=True).values, array)
    assert np.shares_memory(Ragged.padded(array).flat(), array)


def test_text_is_utf_8():
    texts = ["", "a b", None, "né", "\N{GRINNING FACE}", "line\u2028end"]
    rows = Ragged.texts(texts)
    assert [rows.text(n) for n in range(len(texts)) if texts[n] is not None] == [t for t in texts if t is not None]
    assert rows.missing is not None
    assert rows.missing.tolist() == [t is None for t in texts]
    assert rows.values.dtype == np.uint8


def test_a_lone_surrogate_is_no_text():
    with pytest.raises(UnicodeEncodeError):
        Ragged.texts(["\ud800"])


def test_flags_of_elements_become_flags_of_rows():
    rows = shuffled()
    assert rows.any(rows.flat() > 3).tolist() == [False, False, False, True, True]
    assert rows.any(np.zeros(6, bool)).tolist() == [False] * 5


def test_join():
    whole = shuffled()
    joined = Ragged.join([whole[:2], whole[2:]])
    assert lists_of(joined) == LISTS
    assert lists_of(Ragged.join([Ragged.of([[1]], np.int64), Ragged.of([[], [2]], np.int64)])) == [[1], [], [2]]


def test_no_rows():
    empty = Ragged.of([], np.int64)
    assert len(empty) == 0
    assert empty.shape == (0, 0)
    assert empty.flat().tolist() == []
    assert lists_of(shuffled()[:0]) == []


@pytest.mark.parametrize("gap", [0, 1, 2, 9])
def test_rows_in_order_with_gaps_between(gap):
    """As lines of text stand between line ends: they are picked out without a place for each element."""
    rng = np.random.default_rng(gap)
    lengths = rng.integers(0, 6, size=50)
    starts = np.cumsum(lengths + gap) - lengths
    values = rng.normal(size=int(starts[-1] + lengths[-1]) + 3)
    rows = Ragged(values, starts, lengths)
    assert (rows.flat() == values[rows.places()]).all()
    assert (rows[::-1].flat() == values[rows[::-1].places()]).all()
    assert (rows[5:9].flat() == values[rows[5:9].places()]).all()
