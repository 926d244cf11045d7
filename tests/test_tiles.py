"""Stripes of all pairs: right for vectors of any size, and with digits that belong to two rows alone."""

from __future__ import annotations

import os
import subprocess
import sys

import mpmath
import numpy as np
import pytest

from lossctl import tiles, vectors

KINDS = {
    "dots": tiles.dots,
    "cosines": tiles.cosines,
    "distances": tiles.distances,
    "unit": lambda a, b=None: tiles.distances(a, b, unit=True),
}


def everything(stripes) -> np.ndarray:
    return np.concatenate([found for _, found in stripes])


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def true(kind: str, x: list[float], y: list[float]) -> mpmath.mpf:
    u, v = [mpmath.mpf(i) for i in x], [mpmath.mpf(i) for i in y]
    length = mpmath.sqrt(sum(i * i for i in u)), mpmath.sqrt(sum(i * i for i in v))
    if kind in {"cosines", "unit"}:
        u, v = [i / (length[0] or 1) for i in u], [i / (length[1] or 1) for i in v]
    if kind in {"dots", "cosines"}:
        return sum(i * j for i, j in zip(u, v, strict=True))
    return mpmath.sqrt(sum((i - j) ** 2 for i, j in zip(u, v, strict=True)))


def batches() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    plain = rng.normal(size=(7, 6))
    close = plain[:1] + 1e-9 * rng.normal(size=(6, 6))
    return {
        "plain": plain,
        "close": close,
        "closer than their digits": np.concatenate([close, close * (1 + 2**-52), np.nextafter(close, 9.0)]),
        "far from zero": 1e6 + plain,
        "huge": 1e200 * plain,
        "tiny": 1e-200 * plain,
        "largest": np.array([[1.7e308, -1.7e308], [1.7e308, 1.6e308], [1.0, 2.0], [5e-324, 0.0]]),
        "all sizes": np.concatenate([1e200 * plain, 1e-200 * plain, 1e-200 * close, plain]),
        "zeros": np.array([[0.0, 0.0], [0.0, 0.0], [3.0, 4.0], [-0.0, 1e-320]]),
        "nothing": np.zeros((3, 2)),
        "equal": np.repeat(plain[:2], 3, axis=0),
        "one column": plain[:, :1],
    }


@pytest.mark.parametrize("name", batches())
def test_numbers_are_right(kind, name):
    rows = batches()[name]
    with mpmath.workdps(700):
        found = everything(KINDS[kind](rows))
        for i, x in enumerate(rows.tolist()):
            for j, y in enumerate(rows.tolist()):
                number = true(kind, x, y)
                if np.isinf(found[i, j]):
                    assert abs(number) > 1.7e308, (i, j)
                    continue
                size = true("dots", [abs(k) for k in x], [abs(k) for k in y]) if kind == "dots" else 1
                # Unit vectors on one line differ by what rounding their lengths left.
                floor = {"dots": 1e-15 * size, "cosines": 2e-15, "distances": 0, "unit": 1e-15}[kind]
                if kind == "unit" and number > 1e-12:
                    floor = 0
                assert (
                    abs(found[i, j] - number)
                    <= 3e-13 * abs(number) * (kind not in {"dots", "cosines"}) + floor + 5e-324
                ), (i, j)


def test_distances_of_equal_vectors_are_zero():
    rows = np.repeat(np.random.default_rng(1).normal(size=(1, 300)), 4, axis=0)
    assert not everything(tiles.distances(rows)).any()
    assert not everything(tiles.distances(rows * [[1.0], [2.0], [4.0], [1.0]], unit=True)).any()


def test_digits_belong_to_two_rows_alone(kind, monkeypatch):
    """Whatever the stripe, the number of rows, the place of a row, and the side it stands on."""
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(70, 33)), rng.normal(size=(201, 33))
    a[3] = b[5] * (1 + 1e-9)
    whole = everything(KINDS[kind](a, b))
    assert np.array_equal(whole.T, everything(KINDS[kind](b, a)))
    assert np.array_equal(whole[11:14, 100:], everything(KINDS[kind](a[11:14], b[100:])))
    assert np.array_equal(whole[3:4, 5:6], everything(KINDS[kind](a[3:4], b[5:6])))
    order = rng.permutation(len(b))
    assert np.array_equal(whole[:, order], everything(KINDS[kind](a, b[order])))
    for stripe in (1, 500, 3000):
        monkeypatch.setattr(tiles, "STRIPE", stripe)
        parts = list(KINDS[kind](a, b))
        assert len(parts) == -(-len(a) // max(1, stripe // len(b)))
        assert np.array_equal(whole, np.concatenate([found for _, found in parts]))
        assert [part.start for part, _ in parts] == [0, *(part.stop for part, _ in parts[:-1])]


def test_rows_against_themselves(kind):
    rows = np.random.default_rng(3).normal(size=(40, 5))
    assert np.array_equal(everything(KINDS[kind](rows)), everything(KINDS[kind](rows, rows.copy())))


def test_dot_products_are_those_of_vectors():
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(5, 256)), rng.normal(size=(9, 256))
    np.testing.assert_allclose(everything(tiles.dots(a, b)), vectors.products(a, b), rtol=1e-13, atol=1e-15)


SCRIPT = """
import hashlib, numpy as np
from lossctl import tiles
rows = np.random.default_rng(0).normal(size=(700, 64))
kinds = (tiles.dots(rows), tiles.cosines(rows), tiles.distances(rows), tiles.distances(rows, unit=True))
print(hashlib.sha256(b"".join(found.tobytes() for kind in kinds for _, found in kind)).hexdigest())
"""


def test_threads_change_no_digit():
    def digits(threads: str) -> bytes:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads}
        return subprocess.run([sys.executable, "-c", SCRIPT], env=environment, check=True, capture_output=True).stdout

    assert digits("1") == digits("2") == digits("3")


def test_no_rows(kind):
    assert list(KINDS[kind](np.zeros((0, 4)))) == []
    ((part, found),) = KINDS[kind](np.ones((2, 4)), np.zeros((0, 4)))
    assert (part, found.shape) == (slice(0, 2), (2, 0))
