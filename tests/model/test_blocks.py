"""A function over many rows goes block by block; what it says of a row is as if it had seen all at once."""

from __future__ import annotations

import numpy as np
import pytest

from lossctl.errors import DataError
from lossctl.losses import cross_entropy, mse, nll, r2
from lossctl.model import batch


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "BLOCK_ROWS", 3)


def test_rows_that_do_not_count_are_zero_wherever_they_stand() -> None:
    target = np.array([0, -100, 1, -100, -100, -100, 2, 0])
    values = cross_entropy(np.eye(3)[[0, 1, 2, 0, 1, 2, 0, 1]], target)
    assert np.flatnonzero(values == 0).tolist() == [1, 3, 4, 5]
    assert cross_entropy(np.eye(3), [-100] * 3).tolist() == [0.0] * 3


def test_errors_of_all_blocks_are_counted_together() -> None:
    target = np.zeros(20)
    target[[4, 9, 11, 19]] = 7
    with pytest.raises(DataError) as caught:
        cross_entropy(np.zeros((20, 3)), target)
    assert (caught.value.row, caught.value.details) == (5, ("row 10: 7.0; row 12: 7.0; and 1 more row",))


def test_the_gravest_code_is_the_same_for_any_cut() -> None:
    pred = np.log(np.full((8, 2), 0.5))
    pred[1], pred[7] = 0.5, np.nan
    with pytest.raises(DataError) as caught:
        nll(pred, np.zeros(8))
    assert (caught.value.code, caught.value.row) == ("nan", 8)


def test_warnings_stop_nothing() -> None:
    assert len(nll(np.zeros((8, 2)), np.zeros(8))) == 8


def test_values_of_the_whole_see_all_rows() -> None:
    pred = np.arange(10.0)
    assert r2(pred, pred + 1) == pytest.approx(1 - 10 / 82.5)
    assert mse(pred, pred + 1).tolist() == [1.0] * 10
