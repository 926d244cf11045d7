"""Losses over all pairs of a batch: little memory, labels of any sort, digits of their own, words for what is odd."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import lossctl
from lossctl import losses, tiles
from lossctl.errors import DataError
from lossctl.model.registry import entries

LOSSES = {
    entry.name: getattr(losses, entry.name.replace("-", "_"))
    for entry in entries()
    if entry.spec.scope == "batch" and entry.spec.roles == ("features", "target") and entry.name == entry.spec.name
}
E = [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.8, 0.6]]


@pytest.fixture(params=LOSSES)
def loss(request: pytest.FixtureRequest) -> str:
    return request.param


def drawn(rows: int, wide: int = 4, classes: int = 7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(rows)
    return rng.normal(size=(rows, wide)), rng.integers(0, classes, rows)


def test_there_is_never_an_array_of_all_pairs(loss, monkeypatch):
    monkeypatch.setattr(tiles, "STRIPE", tiles.STRIPE // 8)  # 1 MB
    rows = 2400  # numbers of all pairs: 46 MB
    features, target = drawn(rows)
    LOSSES[loss](features[:10], target[:10])
    tracemalloc.start()
    LOSSES[loss](features, target)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * rows**2 / 3
    assert peak > features.nbytes


def test_stripes_change_no_digit(loss, monkeypatch):
    features, target = drawn(300)
    whole = LOSSES[loss](features, target)
    for stripe in (1, 1000, 40_000):
        monkeypatch.setattr(tiles, "STRIPE", stripe)
        assert np.array_equal(LOSSES[loss](features, target), whole)


def test_names_of_classes_do_not_matter(loss):
    features, target = drawn(30)
    plain = LOSSES[loss](features, target)
    words = np.array(["cat", "dog", "-1", "0", "1.5", "ø", "nan"])[target]
    for labels in (words, words.astype(object), words.tolist(), target * -7.5, target.astype("i4") + 1000):
        assert np.array_equal(LOSSES[loss](features, labels), plain)
        assert lossctl.compute(loss, features, labels).value == lossctl.compute(loss, features, target).value


def test_lengths_of_vectors_do_not_matter_where_they_are_divided_out(loss):
    features, target = drawn(30)
    sizes = 2.0 ** np.random.default_rng(0).integers(-500, 500, size=(30, 1))
    plain = LOSSES[loss](features, target, l2_normalize=True)
    assert np.array_equal(LOSSES[loss](features * sizes, target, l2_normalize=True), plain)
    assert not np.array_equal(LOSSES[loss](features * 2, target, l2_normalize=False), plain)


def test_a_label_that_is_missing_is_refused(loss):
    features, _ = drawn(4)
    with pytest.raises(DataError, match="target"):
        LOSSES[loss](features, [0.0, 0.0, np.nan, 1.0])


@pytest.mark.parametrize("name", ["nt-xent", "sup-con", "circle", "multi-similarity"])
def test_dot_products_beyond_the_range_are_refused_with_their_row(name):
    with pytest.raises(DataError, match="length") as caught:
        lossctl.compute(name, [[1.0, 0.0], [1e200, 0.0], [0.0, 1.0], [1.0, 1.0]], [0, 0, 1, 1], l2_normalize=False)
    assert (caught.value.code, caught.value.row) == ("too-long", 2)


@pytest.mark.parametrize(
    ("target", "size", "words"),
    [
        ([0, 0, 1, 2], None, ["2 rows of features: no other row of its class in its batch", "row 3"]),
        ([0, 0, 1, 2], 2, ["1 row of features: the first of a batch without two rows of one class", "row 3"]),
        ([0, 1, 1, 1], 2, ["the first of a batch of one class", "(first: row 3)"]),
    ],
)
def test_rows_without_company_are_named(target, size, words):
    found = lossctl.compute("sup-con", E, target, batch_size=size)
    assert all(any(word in str(said) for said in found.warnings) for word in words), found.warnings


def test_batches_that_count_nothing_are_an_error_with_a_way_out():
    with pytest.raises(DataError, match="no row counts in any batch") as caught:
        lossctl.compute("sup-con", E, [0, 1, 2, 3])
    assert caught.value.code == "empty"
    assert lossctl.compute("sup-con", E, [0, 1, 2, 3], empty="zero").value == 0.0


def test_margin_loss_without_a_violation_is_zero():
    apart = [[1, 0], [1, 0.01], [-1, 0.01], [-1, 0]]
    assert lossctl.compute("margin-wu", apart, [0, 0, 1, 1]).value == 0.0
    assert lossctl.compute("margin-wu", apart, [0, 0, 1, 1], reduction="sum").value == 0.0


def test_a_batch_is_as_if_it_were_alone(loss):
    features, target = drawn(24, classes=3)
    halves = [LOSSES[loss](features[part], target[part]) for part in (slice(0, 12), slice(12, 24))]
    found = lossctl.compute(loss, features, target, batch_size=12, reduction="none").per_sample
    assert np.array_equal(found, np.concatenate(halves))


@pytest.mark.parametrize("temperature", [1e-3, 1e-2, 1.0, 1e3])
def test_temperatures_from_freezing_to_boiling(temperature):
    features, target = drawn(40)
    for name in ("nt-xent", "sup-con"):
        values = LOSSES[name](features, target, temperature=temperature)
        assert np.isfinite(values).all()
        assert (values >= 0).all()
