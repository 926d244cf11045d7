"""Tasks hold every row once, in order, and nobody opens a file to make them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.engine.cluster.plan import (
    AT_MOST,
    FILES,
    LEAST,
    MOST,
    TASKS,
    UNIT,
    Counted,
    Task,
    counting,
    in_step,
    real,
    scoring,
    target_of,
    units_of,
)

SIZES = st.lists(st.integers(-1, 3 * MOST), min_size=1, max_size=60)


def names(count):
    return [f"part-{place:04}.parquet" for place in range(count)]


@settings(deadline=None, max_examples=60)
@given(SIZES, st.booleans())
def test_every_piece_of_every_file_stands_in_one_task(sizes, divisible):
    units = units_of(names(len(sizes)), np.array(sizes), divisible=divisible)
    tasks = list(scoring(0, units, None))
    assert [task.number for task in tasks] == list(range(len(tasks)))
    every = [unit for task in tasks for unit in task.units]
    assert [unit[0] for unit in every] == [place << UNIT for place in range(len(every))]
    expected = [
        (place, units.files[place], piece, int(pieces))
        for place, pieces in enumerate(units.pieces)
        for piece in range(int(pieces))
    ]
    assert [unit[1:] for unit in every] == expected
    assert len(units.places) == len(every)
    assert divisible or (units.pieces == 1).all()


def test_tasks_are_of_a_size_that_is_worth_sending():
    units = units_of(names(5000), np.full(5000, 1 << 20), divisible=True)
    tasks = list(scoring(0, units, None))
    assert units.target == max(LEAST, 5000 * (1 << 20) // TASKS)
    assert all(len(task.units) <= FILES and task.size <= units.target for task in tasks)
    assert len(tasks) <= 2 * TASKS
    (large,) = units_of(["a.parquet"], np.array([400 * MOST]), divisible=True).pieces
    assert large == 400


def test_tasks_grow_where_there_would_be_too_many():
    tera = 1 << 40
    assert [target_of(size) for size in (0, LEAST, TASKS * MOST, AT_MOST * MOST)] == [LEAST, LEAST, MOST, MOST]
    assert target_of(16 * tera) == 16 * tera // AT_MOST
    units = units_of(names(100_000), np.full(100_000, 160 << 20), divisible=True)
    assert (units.pieces == 1).all()
    assert len(list(scoring(0, units, None))) <= 1.1 * AT_MOST


def test_files_that_are_hardly_larger_than_a_task_stay_whole():
    sizes = np.array([LEAST, LEAST + 1, LEAST * 3 // 2 - 1, LEAST * 3 // 2, 2 * LEAST, 5 * LEAST // 2])
    assert units_of(names(6), sizes, divisible=True).pieces.tolist() == [1, 1, 1, 2, 2, 3]
    assert units_of(names(6), sizes, divisible=False).pieces.tolist() == [1] * 6


def test_many_small_files_share_a_task():
    units = units_of(names(10 * FILES), np.full(10 * FILES, 100), divisible=True)
    assert len(list(scoring(0, units, None))) == 10


def test_known_first_rows_take_the_place_of_addresses():
    units = units_of(names(3), np.array([10, 10, 10]), divisible=False)
    (task,) = scoring(0, units, np.array([0, 7, 7]))
    assert [unit[0] for unit in task.units] == [0, 7, 7]


def test_counting_asks_for_whole_files():
    units = units_of(names(FILES + 1), np.full(FILES + 1, 3 * MOST), divisible=True)
    tasks = list(counting(2, units))
    assert [len(task.units) for task in tasks] == [FILES, 1]
    assert {unit[3:] for task in tasks for unit in task.units} == {(0, 1)}
    assert {task.source for task in tasks} == {2}


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=12),
    st.lists(st.integers(1, 50), min_size=0, max_size=6),
    st.integers(1, 1 << 26),
)
def test_files_in_step_are_cut_at_the_same_rows(left, right, size):
    total = sum(left)
    right = [r for r in np.minimum(np.cumsum(right), total).tolist() if 0 < r < total]
    starts = {0: np.cumsum([0, *left]), 2: np.array([0, *sorted(set(right)), total])}
    counted = Counted({place: np.unique(edges).tolist() for place, edges in starts.items()}, starts)
    units = {
        place: units_of(names(len(edges) - 1), np.full(len(edges) - 1, size), divisible=False)
        for place, edges in starts.items()
    }
    tasks = list(in_step(units, counted))
    rows = [task.rows for task in tasks]
    assert all(a[1] == b[0] for a, b in pairwise(rows))
    if total:
        assert rows[0][0] == 0
        assert rows[-1][1] == total
    for task in tasks:
        for place, (low, paths, edges) in task.files.items():
            assert edges[0] <= task.rows[0] < edges[1]
            assert edges[-2] < task.rows[1] <= edges[-1]
            assert edges == starts[place][low : low + len(paths) + 1].tolist()
            assert paths == units[place].files[low : low + len(paths)]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30))
def test_addresses_become_rows(rows):
    counts = np.array(rows)
    addresses = np.concatenate([(unit << UNIT) + np.arange(n) for unit, n in enumerate(rows)])
    assert real(np.arange(len(rows)), counts, addresses).tolist() == list(range(sum(rows)))


def test_a_task_is_plain_json_both_ways():
    task = Task(3, 1, [(5 << UNIT, 0, "s3://bucket/a b.parquet", 1, 2)], size=7)
    again = Task.load(task.dump())
    assert again == task
    assert again.name == "s3://bucket/a b.parquet"
    step = Task(0, rows=(0, 9), files={1: (4, ["x.npy"], [0, 9])})
    assert Task.load(step.dump()) == step


@pytest.mark.parametrize("count", [1, 3])
def test_sizes_that_nobody_knows_count_as_nothing(count):
    units = units_of(names(count), np.full(count, -1), divisible=True)
    assert units.pieces.tolist() == [1] * count
    assert units.target == LEAST
