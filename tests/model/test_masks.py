"""Masks of any layout: where the classes are, what a target may be, and what is said of classes without a pixel."""

from __future__ import annotations

import numpy as np
import pytest

import lossctl
import lossctl.losses
from lossctl.errors import LossctlError

RNG = np.random.default_rng(7)
INDEX = RNG.integers(0, 3, size=(4, 5, 6))
INDEX.reshape(4, -1)[:, :3] = range(3)
HOT = np.moveaxis(np.eye(3)[INDEX], -1, 1)
LOGITS = RNG.normal(size=HOT.shape)
MASK = (RNG.random(size=(4, 5, 6)) < 0.5).astype(float)
PROBS = RNG.uniform(size=MASK.shape)


def value(loss, *arrays, **params):
    return lossctl.compute(loss, *arrays, **params).value


def refused(code, loss, *arrays, **params):
    with pytest.raises(LossctlError) as caught:
        lossctl.compute(loss, *arrays, **params)
    assert caught.value.code == code, caught.value
    return caught.value


@pytest.mark.parametrize("loss", ["dice", "iou", "generalized-dice", "mcc", "lovasz-softmax", "cldice", "hausdorff-dt"])
def test_every_layout_gives_the_same_digits(loss):
    logits = {"input": "logits"}
    expected = value(loss, LOGITS, HOT, **logits)
    assert value(loss, LOGITS, INDEX, **logits) == expected
    assert value(loss, LOGITS, INDEX[:, None], **logits) == expected
    assert value(loss, LOGITS, INDEX.astype("u1"), **logits) == expected
    assert value(loss, LOGITS, HOT.astype(bool), **logits) == expected
    last = np.moveaxis(LOGITS, 1, -1)
    assert value(loss, last, INDEX, class_axis=3, **logits) == expected
    assert value(loss, np.asfortranarray(last), np.moveaxis(HOT, 1, -1), class_axis=3, **logits) == expected


@pytest.mark.parametrize("loss", ["dice", "tversky", "mcc", "lovasz-softmax"])
def test_a_mask_by_itself(loss):
    """With an axis of one class or without; and as one long row where pixels need no neighbours."""
    expected = value(loss, PROBS, MASK)
    assert value(loss, PROBS[:, None], MASK[:, None]) == expected
    assert value(loss, PROBS[:, None], MASK) == expected
    assert value(loss, PROBS[..., None], MASK, class_axis=3) == expected
    assert value(loss, PROBS.reshape(4, -1), MASK.reshape(4, -1)) == expected


def test_volumes_of_one_class_are_told():
    """Four axes are classes of an image; as a volume they are one mask."""
    volume = PROBS.reshape(4, 5, 2, 3), MASK.reshape(4, 5, 2, 3)
    assert value("dice", *volume, class_axis="none") == value("dice", PROBS, MASK)
    assert value("dice", *volume) != value("dice", PROBS, MASK)


def test_classes_of_flat_images():
    flat = LOGITS.reshape(4, 3, -1), INDEX.reshape(4, -1)
    assert value("dice", *flat, input="logits") == value("dice", LOGITS, INDEX, input="logits")


def test_per_column_gives_the_classes():
    whole = lossctl.compute("iou", LOGITS, INDEX, input="logits", per_column=True)
    parts = [result.value for result in whole.results if result.column is not None]
    assert len(parts) == 3
    assert whole.value == pytest.approx(sum(parts) / 3, rel=1e-15)


@pytest.mark.parametrize(
    ("code", "loss", "arrays", "params", "words"),
    [
        ("shapes-differ", "dice", (PROBS, MASK[:, :4]), {}, ["the pixels differ", "N x 5 x 6", "N x 4 x 6"]),
        ("shapes-differ", "dice", (LOGITS, HOT[:, :2]), {"input": "logits"}, ["N x 2 x 5 x 6"]),
        ("shapes-differ", "dice", (PROBS, MASK), {"class_axis": 5}, ["no axis 5"]),
        ("shapes-differ", "dice", (PROBS, MASK), {"include_background": False}, ["one class only"]),
        ("shapes-differ", "dice", (PROBS[:, 0], MASK[:, 0]), {"class_axis": 1}, ["no axis of pixels"]),
        ("shape", "dice", (PROBS[:, 0, 0], MASK[:, 0, 0]), {}, ["pred is N,", "N Y X"]),
        ("shape", "cldice", (PROBS[:, 0], MASK[:, 0]), {}, ["pred is N x 6"]),
        ("not-a-probability", "dice", (LOGITS, INDEX), {}, ["is not a probability"]),
        ("target-range", "dice", (PROBS, 255 * MASK), {}, ["255.0"]),
        ("target-range", "dice", (LOGITS, INDEX + 1), {"input": "logits"}, ["3.0 is not one of the 3 classes"]),
        ("target-range", "lovasz-softmax", (PROBS, MASK / 2), {}, ["0 or 1"]),
        ("activation", "dice", (LOGITS, np.ones_like(HOT)), {"input": "logits"}, ["3.0", "one class a pixel"]),
        ("empty-mask", "dice", (PROBS, 0 * MASK), {"on_empty": "error"}, ["1"]),
        ("empty-mask", "iou", (PROBS, 0 * MASK), {"on_empty": "error", "pool": "batch"}, ["in any target"]),
        ("nothing-to-divide", "iou", (0 * PROBS, 0 * MASK), {"smooth": 0}, ["nothing predicted"]),
    ],
)
def test_what_is_refused(code, loss, arrays, params, words):
    error = refused(code, loss, *arrays, **params)
    assert all(word in error.message for word in words), error.message


def test_classes_without_a_pixel_are_said():
    target = np.array([MASK[0], 0 * MASK[0], MASK[1]])
    done = lossctl.compute("dice", PROBS[:3], target)
    assert [warning.code for warning in done.report.warnings] == ["empty-mask"]
    assert done.per_sample[1] > 0.999
    zero = lossctl.compute("dice", PROBS[:3], target, on_empty="zero")
    assert not zero.report.warnings
    assert zero.per_sample.tolist() == [done.per_sample[0], 0.0, done.per_sample[2]]


def test_nothing_there_and_nothing_predicted():
    nothing = np.zeros((1, 2, 2))
    assert value("dice", nothing, nothing) == 0.0
    assert value("dice", nothing, nothing, smooth_nr=0) == 1.0
    assert value("iou", nothing, nothing, smooth=0, on_empty="zero") == 0.0
    assert value("hausdorff-dt", nothing, nothing) == 0.0


@pytest.mark.parametrize("loss", ["dice", "mcc", "lovasz-softmax", "generalized-dice"])
def test_pixels_that_do_not_count(loss):
    """As if they were not there; an image of nothing else is left out."""
    gaps = np.array(MASK)
    gaps[:, 2:4] = 255
    kept = [0, 1, 4]
    expected = lossctl.compute(loss, PROBS[:, kept], MASK[:, kept]).per_sample
    assert np.allclose(lossctl.compute(loss, PROBS, gaps, ignore_index=255).per_sample, expected, rtol=1e-14)
    gaps[1] = 255
    done = lossctl.compute(loss, PROBS, gaps, ignore_index=255)
    assert done.results[0].dropped == {"ignored": 1}
    assert done.value == pytest.approx(np.mean(expected[[0, 2, 3]]), rel=1e-14)
    assert "--ignore-index" in refused("target-range", loss, PROBS, gaps).hint


def test_an_infinite_logit_is_a_sure_one():
    sure = np.where(MASK == 1, 700.0, -np.inf)
    assert value("dice", sure, MASK, input="logits", smooth_nr=0, smooth_dr=0) < 1e-300
