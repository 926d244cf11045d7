"""Per-sample values: the first rows, the worst, or all, in memory or in a temporary file."""

from __future__ import annotations

import math
import tempfile

import numpy as np
import pytest

from lossctl.engine import samples
from lossctl.engine.options import ALL
from lossctl.engine.samples import Lines, SampleLog, joint_status

NAN = math.nan
TABLE = {"pred": [1.0, 5.0, 3.0, 5.0, 0.0, 2.0, 5.0], "target": [0.0] * 7}


def rows(report):
    return [sample.row for sample in report.samples]


def values(report):
    return [sample.values[0] for sample in report.samples]


@pytest.fixture
def spilling(monkeypatch):
    """Values move to the file after a few rows; the files opened for it."""
    monkeypatch.setattr(samples, "IN_MEMORY", 20)
    opened = []
    real = tempfile.TemporaryFile

    def open_file(*args, **kwargs):
        opened.append(real(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", open_file)
    yield opened
    for file in opened:
        file.close()


# Which rows.


@pytest.mark.parametrize("keep", [1, 2, 3, 5, 7, 20])
def test_first(score, chunk, keep):
    report = score("mae", TABLE, rows=keep, chunk_rows=chunk)
    assert rows(report) == list(range(1, min(keep, 7) + 1))
    assert values(report) == TABLE["pred"][:keep]
    assert (report.samples.order, report.samples.total, len(report.samples)) == ("first", 7, min(keep, 7))


def test_ten_where_nobody_says(score, chunk):
    table = {"pred": np.arange(25.0), "target": np.zeros(25)}
    report = score("mae", table, chunk_rows=chunk)
    assert rows(report) == list(range(1, 11))
    assert report.samples.total == 25


def test_none(score):
    assert score("mae", TABLE, rows=0).samples is None


def test_all(score, chunk):
    report = score("mae", TABLE, rows=ALL, chunk_rows=chunk)
    assert rows(report) == list(range(1, 8))
    assert values(report) == TABLE["pred"]
    assert report.samples.order == "all"


@pytest.mark.parametrize("keep", range(1, 9))
def test_worst(score, chunk, keep):
    """Greatest first; of equal values the earlier row."""
    report = score("mae", TABLE, worst=keep, chunk_rows=chunk)
    assert rows(report) == [2, 4, 7, 3, 6, 1, 5][:keep]
    assert values(report) == [5.0, 5.0, 5.0, 3.0, 2.0, 1.0, 0.0][:keep]
    assert (report.samples.order, report.samples.total) == ("worst", 7)


def test_worst_of_a_score_is_the_least(score, chunk):
    table = {"pred": [0.5, 0.25, 0.75, 0.25], "target": [1, 1, 1, 1]}
    report = score("likelihood", table, worst=3, chunk_rows=chunk)
    assert rows(report) == [2, 4, 1]


def test_worst_goes_by_the_first_loss_that_has_samples(score, chunk):
    table = {"pred": [1.0, 2.0, 3.0], "target": [3.0, 2.5, 3.0]}
    report = score("r2,mae,mse", table, worst=2, chunk_rows=chunk)
    assert rows(report) == [1, 2]
    assert report.samples.labels == ("mae", "mse")
    assert [s.values for s in report.samples] == [(2.0, 4.0), (0.5, 0.25)]


def test_nan_is_worst_and_dropped_rows_are_out(score, chunk):
    table = {"pred": [1.0, NAN, 3.0, 2.0], "target": [0.0] * 4}
    assert rows(score("mae", table, worst=2, nan="propagate", chunk_rows=chunk)) == [2, 3]
    assert rows(score("mae", table, worst=9, nan="skip", chunk_rows=chunk)) == [3, 4, 1]


def test_infinite_is_worst(score, chunk):
    table = {"pred": [0.5, 0.0, 0.25, 0.0], "target": [1.0] * 4}
    assert rows(score("bce:clip=none", table, worst=3, chunk_rows=chunk)) == [2, 4, 3]


def test_unreduced(score, chunk):
    report = score("mae,mse", TABLE, reduction="none", chunk_rows=chunk)
    assert [(r.reduction, r.value) for r in report.results] == [("none", None), ("none", None)]
    assert len(report.samples) == 7
    assert [s.values for s in report.samples] == [(v, v * v) for v in TABLE["pred"]]


def test_dropped_rows_are_present(score, chunk):
    table = {"pred": [1.0, NAN, 3.0], "target": [0.0] * 3, "m": [1, 1, 0]}
    report = score("mae", table, mask="m", nan="skip", rows=ALL, chunk_rows=chunk)
    assert [(s.row, s.status, s.values) for s in report.samples] == [
        (1, "ok", (1.0,)),
        (2, "nan", (None,)),
        (3, "ignored", (None,)),
    ]


def test_a_file_is_read_again_for_each_iteration(score):
    report = score("mae", TABLE, rows=ALL)
    assert list(report.samples) == list(report.samples)


# Keys.


def test_keys_name_the_rows(score, csv, chunk):
    pred = csv("id,y_pred", "007,1", "7,2", "x y,3", name="p.csv")
    target = csv("id,y_true", "007,0", "7,0", "x y,0", name="t.csv")
    report = score("mae", pred, target, rows=2, chunk_rows=chunk)
    assert report.samples.key_names == ("id",)
    assert [(s.row, s.key) for s in report.samples] == [(1, ("007",)), (2, ("7",))]
    worst = score("mae", pred, target, worst=2, chunk_rows=chunk)
    assert [s.key for s in worst.samples] == [("x y",), ("7",)]


def test_keys_of_two_columns(score, csv, chunk):
    path = csv("a,b,y_pred,y_true", "1,x,1,0", "1,y,2,0")
    report = score("mae", path, key=("a", "b"), rows=ALL, chunk_rows=chunk)
    assert report.samples.key_names == ("a", "b")
    assert [s.key for s in report.samples] == [("1", "x"), ("1", "y")]


def test_no_key_without_asking_in_one_file(score, csv):
    report = score("mae", csv("id,y_pred,y_true", "5,1,0"), rows=1)
    assert (report.samples.key_names, [s.key for s in report.samples]) == ((), [()])


# The temporary file.


@pytest.mark.parametrize("rows", [1, 3, 1000])
def test_what_was_spilled_comes_back(score, spilling, rows):
    table = {"pred": np.arange(50.0), "target": np.where(np.arange(50) % 7 == 3, NAN, 0.0)}
    report = score("mae,mse", table, rows=ALL, nan="skip", chunk_rows=rows)
    assert len(spilling) == 1
    assert len(report.samples) == report.samples.total == 50
    for _ in range(2):
        found = list(report.samples)
        assert [s.row for s in found] == list(range(1, 51))
        assert [s.values for s in found] == [
            (None, None) if i % 7 == 3 else (float(i), float(i * i)) for i in range(50)
        ]
        assert [s.status for s in found] == ["nan" if i % 7 == 3 else "ok" for i in range(50)]
    array = report.samples.arrays()
    assert array.shape == (50, 2)
    assert np.array_equal(np.isnan(array[:, 0]), np.arange(50) % 7 == 3)


def test_keys_are_spilled_too(score, csv, spilling):
    lines = [f"k {i}\u00fc,{i},0" for i in range(20)]
    path = csv("name,y_pred,y_true", *lines)
    report = score("mae", path, key=("name",), rows=ALL, chunk_rows=3)
    assert spilling
    assert [s.key for s in report.samples] == [(f"k {i}\u00fc",) for i in range(20)]


def test_lists_are_spilled_too(score, spilling):
    table = {"pred": np.arange(40.0), "target": np.arange(40) % 3, "group": [f"q{i // 4}" for i in range(40)]}
    report = score("ndcg-loss", table, rows=ALL, chunk_rows=6)
    assert spilling
    assert [s.key for s in report.samples] == [(f"q{i}",) for i in range(10)]
    assert {s.row for s in report.samples} == {None}


def test_first_and_worst_stay_in_memory(score, spilling):
    table = {"pred": np.arange(50.0), "target": np.zeros(50)}
    score("mae", table, rows=3, chunk_rows=2)
    score("mae", table, worst=3, chunk_rows=2)
    assert not spilling


def test_iterating_twice_at_once(score, spilling):
    """Two readers of one log do not disturb each other."""
    table = {"pred": np.arange(30.0), "target": np.zeros(30)}
    report = score("mae", table, rows=ALL, chunk_rows=3)
    pairs = list(zip(report.samples, report.samples, strict=True))
    assert len(pairs) == 30
    assert all(one == other for one, other in pairs)


# Parts.


def lines(start, values):
    values = np.array(values, float).reshape(len(values), -1)
    n = len(values)
    places = np.arange(start, start + n)
    return Lines(places, None, np.zeros(n, np.uint8), values, ~np.isnan(values))


@pytest.mark.parametrize("ascending", [False, True])
def test_worst_of_any_order_of_parts(ascending):
    rng = np.random.default_rng(5)
    numbers = rng.integers(0, 6, 40).astype(float)
    order = np.lexsort((np.arange(40), numbers if ascending else -numbers))[:9]
    for size in (1, 4, 40):
        log = SampleLog("row", ("x",), (), 9, True, ascending)
        for at in rng.permutation(range(0, 40, size)):
            log.add(lines(at, numbers[at : at + size]), None)
        assert [s.row - 1 for s in log] == order.tolist()
        assert log.total == 40


def test_keys_are_only_asked_for_rows_that_are_kept():
    asked = []

    def keys():
        asked.append(1)
        return [(str(i),) for i in range(3)]

    log = SampleLog("row", ("x",), ("k",), 2, False, False)
    log.add(lines(0, [1.0, 2.0, 3.0]), keys)
    log.add(lines(3, [1.0, 2.0, 3.0]), keys)
    assert len(asked) == 1
    assert [s.key for s in log] == [("0",), ("1",)]


def test_joint_status():
    one, other = np.array([0, 1, 1, 2, 2], np.uint8), np.array([1, 0, 2, 1, 2], np.uint8)
    assert joint_status([one, other]).tolist() == [0, 0, 1, 2, 2]
    assert joint_status([one]) is one
