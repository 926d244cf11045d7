"""Warping: all paths of small series one by one, every digit against mpmath, and laws of the batch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import mpmath
import numpy as np
import pytest

import lossctl
from lossctl import losses as declared
from lossctl.errors import DataError, UsageError
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.warping import dtw, soft_dtw

STEPS = ((1, 0), (0, 1), (1, 1))


def paths(n: int, m: int) -> Iterator[list[tuple[int, int]]]:
    """Every warping path from (0, 0) to (n - 1, m - 1)."""

    def walk(path: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
        i, j = path[-1]
        if (i, j) == (n - 1, m - 1):
            yield path
        for di, dj in STEPS:
            if i + di < n and j + dj < m:
                yield from walk([*path, (i + di, j + dj)])

    return walk([(0, 0)])


def distance(metric: str, a: np.ndarray, b: np.ndarray) -> float:
    gaps = [abs(float(p) - float(q)) for p, q in zip(np.atleast_1d(a), np.atleast_1d(b), strict=True)]
    if metric == "manhattan":
        return math.fsum(gaps)
    square = math.fsum(gap * gap for gap in gaps)
    return math.sqrt(square) if metric == "euclidean" else square


def least_cost(x: np.ndarray, y: np.ndarray, metric: str, window: int | None = None) -> float:
    costs = []
    for path in paths(len(x), len(y)):
        extra = len(y) - len(x)
        inside = all(window is None or min(extra, 0) - window <= j - i <= max(extra, 0) + window for i, j in path)
        if inside:
            costs.append(math.fsum(distance(metric, x[i], y[j]) for i, j in path))
    return min(costs)


def soft_cost(x: np.ndarray, y: np.ndarray, gamma: float) -> mpmath.mpf:
    with mpmath.workdps(50):
        total = mpmath.mpf(0)
        for path in paths(len(x), len(y)):
            cost = mpmath.mpf(0)
            for i, j in path:
                for p, q in zip(np.atleast_1d(x[i]), np.atleast_1d(y[j]), strict=True):
                    cost += (mpmath.mpf(float(p)) - mpmath.mpf(float(q))) ** 2
            total += mpmath.exp(-cost / gamma)
        return -gamma * mpmath.log(total)


def series(rng: np.random.Generator, lengths: list[int], features: int = 0) -> list[np.ndarray]:
    return [rng.normal(size=(n, features) if features else n) for n in lengths]


SHAPES = list(itertools.product((1, 2, 3, 5), (1, 2, 4, 6)))


@pytest.mark.parametrize("metric", ["sqeuclidean", "euclidean", "manhattan"])
@pytest.mark.parametrize("features", [0, 1, 3])
def test_the_least_of_all_paths(metric, features):
    rng = np.random.default_rng(1)
    x = series(rng, [n for n, _ in SHAPES], features)
    y = series(rng, [m for _, m in SHAPES], features)
    found = dtw(Ragged.of(x), Ragged.of(y), metric=metric)
    np.testing.assert_allclose(found, [least_cost(a, b, metric) for a, b in zip(x, y, strict=True)], rtol=1e-14)


@pytest.mark.parametrize("window", [0, 1, 2, 7])
def test_a_window_leaves_out_paths(window):
    rng = np.random.default_rng(2)
    x, y = series(rng, [n for n, _ in SHAPES]), series(rng, [m for _, m in SHAPES])
    found = dtw(Ragged.of(x), Ragged.of(y), window=window)
    expected = [least_cost(a, b, "sqeuclidean", window) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("gamma", [0.01, 0.1, 1.0, 100.0])
@pytest.mark.parametrize("features", [0, 2])
def test_the_soft_minimum_of_all_paths(gamma, features):
    rng = np.random.default_rng(3)
    x = series(rng, [n for n, _ in SHAPES], features)
    y = series(rng, [m for _, m in SHAPES], features)
    found = soft_dtw(Ragged.of(x), Ragged.of(y), gamma=gamma)
    expected = [float(soft_cost(a, b, gamma)) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15 * gamma)


def test_a_soft_minimum_with_one_path_far_below_the_others_keeps_them():
    # All other paths together are e^-60: added to the best one in a plain sum they would be rounded away.
    x, y = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    expected = soft_cost(x, y, 1 / 60)
    found = soft_dtw(Ragged.of([x]), Ragged.of([y]), gamma=1 / 60)
    assert math.isclose(found[0], expected, rel_tol=1e-14)
    assert -1e-27 < found[0] < 0


def pair(x: list[float], y: list[float]) -> tuple[Ragged, Ragged]:
    return Ragged.of([x]), Ragged.of([y])


def test_known_values():
    near = pair([1, 2, 3], [2, 2, 4])
    assert dtw(*near)[0] == 2
    assert dtw(*near, metric="manhattan")[0] == 2
    assert f"{soft_dtw(*near)[0]:.10f}" == "0.6670282714"
    assert f"{soft_dtw(*near, gamma=0.1)[0]:.10f}" == "1.9306762022"
    warped = pair([0, 1, 2, 3], [0, 0, 1, 1, 2, 3])
    assert dtw(*warped)[0] == 0
    assert f"{soft_dtw(*warped)[0]:.10f}" == "-2.4651807233"
    assert f"{soft_dtw(*warped, gamma=0.1)[0]:.6e}" == "-4.085798e-05"


def test_nothing_against_nothing_and_against_something():
    x, y = Ragged.of([[], [], [1.0]]), Ragged.of([[], [1.0], []])
    for found in (dtw(x, y), soft_dtw(x, y), dtw(x, y, window=1)):
        np.testing.assert_array_equal(found, [0, np.inf, np.inf])


def test_values_far_from_one():
    far = pair([1e200, 3e200], [-1e200, 3e200])
    assert dtw(*far, metric="euclidean")[0] == 2e200
    assert dtw(*far)[0] == np.inf
    assert soft_dtw(*far)[0] == np.inf
    deep = Ragged.of([np.array([[3e200, 4e200]])]), Ragged.of([np.zeros((1, 2))])
    assert math.isclose(dtw(*deep, metric="euclidean")[0], 5e200, rel_tol=1e-15)
    small = Ragged.of([np.array([[3e-200, 4e-200]])]), Ragged.of([np.zeros((1, 2))])
    assert math.isclose(dtw(*small, metric="euclidean")[0], 5e-200, rel_tol=1e-15)


def ragged_rows(rng: np.random.Generator, features: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    lengths = rng.integers(0, 40, size=(2, 60))
    return series(rng, lengths[0].tolist(), features), series(rng, lengths[1].tolist(), features)


@pytest.mark.parametrize("features", [0, 2, 9])
@pytest.mark.parametrize(
    "value",
    [dtw, lambda x, y: dtw(x, y, metric="euclidean"), lambda x, y: dtw(x, y, window=3), soft_dtw],
    ids=["dtw", "euclidean", "window", "soft"],
)
def test_every_row_is_the_same_alone_and_in_any_company(value, features):
    rng = np.random.default_rng(4)
    x, y = ragged_rows(rng, features)
    shape = (0, features) if features else 0
    x, y = [a if len(a) else np.zeros(shape) for a in x], [b if len(b) else np.zeros(shape) for b in y]
    full = Ragged.of(x), Ragged.of(y)
    together = value(*full)
    alone = [value(full[0][n : n + 1], full[1][n : n + 1])[0] for n in range(len(x))]
    np.testing.assert_array_equal(together, alone)
    order = rng.permutation(len(x))
    np.testing.assert_array_equal(value(full[0][order], full[1][order]), together[order])


def test_layouts_agree_and_padding_is_not_read():
    rng = np.random.default_rng(5)
    x, y = ragged_rows(rng, 0)
    expected = dtw(Ragged.of(x), Ragged.of(y), metric="manhattan")
    boxes = []
    for side in (x, y):
        box = np.full((len(side), 41), np.nan)
        for n, row in enumerate(side):
            box[n, : len(row)] = row
        boxes.append(box)
    lengths = [np.array([len(row) for row in side]) for side in (x, y)]
    padded = [Ragged.padded(box).cut(length) for box, length in zip(boxes, lengths, strict=True)]
    by_time = [
        Ragged.padded(np.ascontiguousarray(box.T), by_time=True).cut(length)
        for box, length in zip(boxes, lengths, strict=True)
    ]
    np.testing.assert_array_equal(dtw(*padded, metric="manhattan"), expected)
    np.testing.assert_array_equal(dtw(*by_time, metric="manhattan"), expected)


def test_a_long_pair_against_a_loop_over_cells():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=150), rng.normal(size=90)
    cell = np.full((151, 91), np.inf)
    cell[0, 0] = 0
    for i, j in itertools.product(range(1, 151), range(1, 91)):
        cell[i, j] = (x[i - 1] - y[j - 1]) ** 2 + min(cell[i - 1, j], cell[i, j - 1], cell[i - 1, j - 1])
    assert math.isclose(dtw(Ragged.of([x]), Ragged.of([y]))[0], cell[-1, -1], rel_tol=1e-14)


def test_symmetric():
    rng = np.random.default_rng(7)
    x, y = ragged_rows(rng, 0)
    a, b = Ragged.of(x), Ragged.of(y)
    for window in (None, 2):
        np.testing.assert_array_equal(dtw(a, b, window=window), dtw(b, a, window=window))


# Numbers that tslearn 0.6.3 gives, which takes the root of the sum.
A, B, C = [1, 3, 4, 9, 8, 2, 1, 5, 7, 3], [1, 6, 2, 3, 0, 9, 4, 3, 6, 3], [2, 5, 9, 1]


@pytest.mark.parametrize(
    ("x", "y", "free", "windows", "soft"),
    [
        (
            A,
            B,
            "6.0827625303",
            "13.2664991614 10.1488915651 6.0827625303",
            "36.9999863805 36.0084432322 -23.8885830285",
        ),
        (A, C, "7.8102496759", "7.8102496759 7.8102496759 7.8102496759", "60.9306852819 60.1919919997 34.0007891663"),
        (C, B, "7.4833147735", "7.4833147735 7.4833147735 7.4833147735", "55.9999954601 55.6867382964 40.0158639758"),
    ],
)
def test_values_of_another_library(x, y, free, windows, soft):
    rows = [x], [y]
    assert f"{declared.dtw(*rows, root=True)[0]:.10f}" == free
    found = [declared.dtw(*rows, root=True, window=window)[0] for window in (0, 1, 2)]
    assert " ".join(f"{value:.10f}" for value in found) == windows
    found = [declared.soft_dtw(*rows, gamma=gamma)[0] for gamma in (0.1, 1.0, 10.0)]
    assert " ".join(f"{value:.10f}" for value in found) == soft


# The declared losses.


def test_the_divergence_is_nothing_between_equal_series():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(5, 12, 2))
    assert (declared.soft_dtw(x, x) < 0).all()
    np.testing.assert_array_equal(declared.soft_dtw(x, x, divergence=True), 0)
    assert (declared.soft_dtw(x, x + 0.5, divergence=True) > 0).all()


def test_lengths_cut_both_sides():
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(3, 6)), rng.normal(size=(3, 8))
    expected = [
        dtw(Ragged.of([a[:n]]), Ragged.of([b[:m]]))[0] for a, b, n, m in zip(x, y, (6, 2, 4), (1, 8, 3), strict=True)
    ]
    x[1, 2:], x[2, 4:], y[0, 1:], y[2, 3:] = np.nan, np.inf, np.nan, np.nan
    found = declared.dtw(x, y, input_lengths=[6, 2, 4], target_lengths=[1, 8, 3])
    np.testing.assert_array_equal(found, expected)


def test_what_is_refused():
    with pytest.raises(DataError, match="features"):
        declared.dtw(np.zeros((2, 3, 2)), np.zeros((2, 3, 3)))
    for bad in (np.nan, np.inf):
        with pytest.raises(DataError) as caught:
            declared.dtw([[1.0, 2.0], [bad, 1.0]], [[1.0], [2.0]])
        assert (caught.value.code, caught.value.row) == ("nan", 2)
    with pytest.raises(UsageError, match="gamma"):
        declared.soft_dtw([[1.0]], [[1.0]], gamma=0)
    with pytest.raises(UsageError, match="window"):
        declared.dtw([[1.0]], [[1.0]], window=-1)


def test_one_column_of_points_is_a_series_of_numbers():
    x, y = np.arange(6.0).reshape(2, 3), np.ones((2, 4))
    np.testing.assert_array_equal(declared.dtw(x[:, :, None], y), declared.dtw(x, y))


def test_lists_of_any_length():
    assert declared.dtw([[1, 2, 3], []], [[2, 2, 4], []]).tolist() == [2, 0]
    done = lossctl.compute("dtw", [[1, 2, 3], [1.0]], [[2, 2, 4], []])
    assert done.value == np.inf
    assert [note.code for note in done.warnings] == ["nonfinite"]
