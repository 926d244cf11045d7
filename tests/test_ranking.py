"""Ranked lists: what stands beside a list, how lists are blocked and how long they are changes no digit."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import lossctl
import lossctl.losses
from lossctl.errors import DataError
from lossctl.losses.ranking import lists

LOSSES = ("ranknet", "lambdarank", "listnet", "ranking_softmax_loss", "listmle", "approx_ndcg")


@pytest.fixture(params=LOSSES)
def rank(request: pytest.FixtureRequest) -> Any:
    return getattr(lossctl.losses, request.param)


def ragged(seed: int, count: int = 40) -> tuple[Any, Any, Any]:
    """Lists of 1 to 30 items, with ties on both sides."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(count), rng.integers(1, 31, count))
    return np.round(3 * rng.normal(size=len(group)), 1), rng.integers(0, 4, len(group)).astype(float), group


def test_a_list_does_not_see_its_company(rank: Any) -> None:
    pred, target, group = ragged(1)
    whole = rank(pred, target, group)
    alone = [rank(pred[group == g], target[group == g], group[group == g])[0] for g in range(group[-1] + 1)]
    assert whole.tolist() == alone


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_blocks_change_no_digit(rank: Any, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list whose pairs do not fit is taken item by item, several short ones together."""
    arrays = ragged(2)
    whole = rank(*arrays)
    monkeypatch.setattr(lists, "BLOCK", block)
    assert rank(*arrays).tolist() == whole.tolist()


def test_a_long_list_needs_little_memory(rank: Any) -> None:
    """3,000 items have 9 million pairs, 72 MB an array."""
    rng = np.random.default_rng(3)
    arrays = rng.normal(size=3000), rng.integers(0, 4, 3000).astype(float), np.zeros(3000, int)
    tracemalloc.start()
    rank(*arrays)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6


def test_scores_are_known_up_to_a_constant(rank: Any) -> None:
    pred, target, group = ragged(4)
    np.testing.assert_allclose(rank(pred + 64.0, target, group), rank(pred, target, group), rtol=1e-12)


def test_tied_relevance_is_named_where_it_is_an_error() -> None:
    with pytest.raises(DataError) as caught:
        lossctl.compute("listmle", [0.5, 0.1, 0.2, 0.3], [1, 2, 1, 1], [7, 7, 7, 8], ties="error")
    assert (caught.value.code, caught.value.row, caught.value.column) == ("tied-relevance", 3, "target")


@pytest.mark.parametrize(
    ("loss", "target", "code"),
    [
        ("ranknet", [1, 1, 2, 0], "no-pairs"),
        ("lambdarank", [0, 0, 2, 0], "nothing-relevant"),
        ("approx-ndcg", [0, 0, 2, 0], "nothing-relevant"),
        ("ranking-softmax-loss", [0, 0, 2, 0], "nothing-relevant"),
    ],
)
def test_a_list_that_says_nothing_costs_nothing_and_is_counted(loss: str, target: list[int], code: str) -> None:
    done = lossctl.compute(loss, [0.5, 0.1, 0.2, 0.3], target, [7, 7, 8, 8])
    assert done.per_sample[0] == 0.0
    assert done.per_sample[1] != 0.0
    assert done.value == done.per_sample[1] / 2
    assert [warning.code for warning in done.warnings] == [code]


def test_the_limits_of_approximate_ndcg_and_lambdarank() -> None:
    """With next to no temperature soft ranks are ranks."""
    pred, target, group = ragged(5)
    pred = pred + 1e-3 * np.arange(len(pred))  # no ties
    relevant = np.array([target[group == g].max() > 0 for g in range(group[-1] + 1)])
    soft = lossctl.losses.approx_ndcg(pred, target, group, temperature=1e-6)
    hard = lossctl.losses.ndcg_loss(pred, target, group, gain="exp")
    np.testing.assert_allclose((1.0 + soft)[relevant], hard[relevant], rtol=1e-9, atol=1e-12)
