"""What other software makes of the sample data, from the tables in sample_data/README.md."""

from __future__ import annotations

import pytest

import lossctl


@pytest.mark.parametrize(
    ("loss", "file", "value"),
    [
        ("dice", "digits_masks.npz", 0.257283119562),
        ("giou", "digits_boxes.csv", 0.450685460364),
        ("ciou", "digits_boxes.csv", 0.446597603840),
        ("sup-con", "digits_embeddings.npz", 5.79577288351),
        ("info-nce", "digits_embeddings.npz", 0.775876790567),
        ("arcface", "digits_embeddings.npz", 11.2236310438),
    ],
)
def test_the_same_number_elsewhere(data, loss, file, value):
    assert lossctl.compute(loss, str(data / file)).value == pytest.approx(value, rel=1e-11)
