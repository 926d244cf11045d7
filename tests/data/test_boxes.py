"""Columns of boxes: which are found, in what order, and what their names say about the layout."""

from __future__ import annotations

import numpy as np
import pytest

import lossctl
from lossctl.data.arrays.memory import MemorySource
from lossctl.data.roles.bind import bind
from lossctl.data.roles.binding import Request
from lossctl.errors import DataError, LossctlError, UsageError
from lossctl.model.call import LossCall


def source(*names, name="table", **columns):
    return MemorySource({**{n: [0.5, 0.25] for n in names}, **columns}, name=name)


def bound(loss, *sources, **roles):
    return bind([LossCall.parse(loss)], list(sources), Request(roles=roles), {}).calls[0]


def found(loss, *sources, **roles):
    """The columns of both sides, and the layout."""
    call = bound(loss, *sources, **roles)
    return (*(" ".join(call.refs[role].columns) for role in ("pred", "target")), call.call.params["boxes"])


def names(text, *prefixes):
    return [prefix + word for prefix in prefixes for word in text.split()]


@pytest.mark.parametrize(
    ("prefixes", "parts", "layout"),
    [
        (("pred_", "target_"), "x1 y1 x2 y2", "xyxy"),
        (("", "t"), "x1 y1 x2 y2", "xyxy"),
        (("", "gt_"), "xmin ymin xmax ymax", "xyxy"),
        (("pred_", "true_"), "left top right bottom", "xyxy"),
        (("pred_", "target_"), "x y w h", "xywh"),
        (("Pred ", "GT "), "x y width height", "xywh"),
        (("y_pred_", "y_true_"), "cx cy w h", "cxcywh"),
    ],
)
def test_four_columns_by_their_names(parts, prefixes, layout):
    columns = names(parts, *prefixes)
    expected = (" ".join(columns[:4]), " ".join(columns[4:]), layout)
    assert found("giou", source(*columns)) == expected
    assert found("giou", source(*reversed(columns))) == expected


def test_names_bring_an_order_to_what_is_asked_for():
    """A pattern gives columns as the file has them, which may be another order than that of the layout."""
    table = source(*names("x1 x2 y1 y2", "a_", "b_"))
    assert found("giou", table, pred="a_*", target="b_x1,b_x2,b_y1,b_y2") == (
        "a_x1 a_y1 a_x2 a_y2",
        "b_x1 b_y1 b_x2 b_y2",
        "xyxy",
    )


def test_names_that_say_nothing_stay_as_they_are():
    assert found("giou", source(*"abcdefgh"), pred="d,c,b,a", target="e,f,g,h") == ("d c b a", "e f g h", "xyxy")


def test_one_column_of_four_numbers():
    boxes = np.array([[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 2.0, 2.0]])
    for one, other in (("pred", "target"), ("pred_boxes", "gt_boxes"), ("boxes", "target_boxes"), ("bbox", "gt_bbox")):
        assert found("giou", source(**{one: boxes, other: boxes})) == (one, other, "xyxy")


def test_a_file_of_its_own_needs_no_prefix():
    one, other = source(*"xywh", name="one"), source(*"xywh", name="other")
    assert found("giou", one, other) == ("x y w h", "x y w h", "xywh")


@pytest.mark.parametrize(
    ("error", "code", "loss", "columns"),
    [
        (UsageError, "boxes-differ", "giou:boxes=xyxy", names("x y w h", "pred_", "target_")),
        (UsageError, "boxes-differ", "giou", [*names("x y w h", "pred_"), *names("x1 y1 x2 y2", "target_")]),
        (
            DataError,
            "ambiguous-column",
            "giou",
            [*names("x1 y1 x2 y2 xmin ymin xmax ymax", ""), *names("x y w h", "t")],
        ),
        (DataError, "column-not-found", "giou", names("x1 y1 x2", "pred_", "target_")),
    ],
)
def test_what_is_refused(error, code, loss, columns):
    with pytest.raises(error) as caught:
        found(loss, source(*columns))
    assert caught.value.code == code
    assert caught.value.hint


def test_values_of_each_layout_are_the_same():
    corners = (
        np.array([[0.0, 0.0, 2.0, 2.0], [1.0, 2.0, 4.0, 3.0]]),
        np.array([[1.0, 1.0, 3.0, 3.0], [1.0, 1.0, 2.0, 4.0]]),
    )
    sizes = [np.concatenate([box[:, :2], box[:, 2:] - box[:, :2]], axis=1) for box in corners]
    centres = [np.concatenate([box[:, :2] + box[:, 2:] / 2, box[:, 2:]], axis=1) for box in sizes]
    for loss in ("box-iou", "giou", "diou", "ciou"):
        expected = lossctl.compute(loss, *corners).value
        assert lossctl.compute(loss, *sizes, boxes="xywh").value == expected
        assert lossctl.compute(loss, *centres, boxes="cxcywh").value == expected


@pytest.mark.parametrize(
    ("box", "params", "code", "words"),
    [
        ([2.0, 2.0, 0.0, 0.0], {}, "inverted-box", ["[2.0, 2.0, 0.0, 0.0]", "inverted"]),
        ([2.0, 2.0, 1.0, -1.0], {"boxes": "xywh"}, "inverted-box", ["negative width or height"]),
        ([2.0, 2.0, 2.0, 3.0], {}, "zero-area", ["[2.0, 2.0, 2.0, 3.0]", "without area"]),
        ([2.0, 2.0, 1.0, 0.0], {"boxes": "cxcywh"}, "zero-area", ["without area"]),
        ([2.0, 2.0, 2.0], {}, "shapes-differ", ["four numbers", "N x 3"]),
    ],
)
def test_boxes_that_are_none(box, params, code, words):
    good = [[0.0, 0.0, 1.0, 1.0][: len(box)], [0.5, 0.5, 2.0, 2.0][: len(box)]]
    with pytest.raises(LossctlError) as caught:
        lossctl.compute("giou", [good[0], box], good, **params)
    assert caught.value.code == code
    assert all(word in caught.value.message for word in words)
    assert caught.value.hint
    assert caught.value.row == (2 if len(box) == 4 else None)


def test_an_inverted_box_is_no_flat_one():
    """Without width and of negative height: skipping what is flat does not hide it."""
    with pytest.raises(DataError) as caught:
        lossctl.compute("giou", [[2.0, 2.0, 2.0, 1.0]], [[0.0, 0.0, 1.0, 1.0]], zero_area="skip")
    assert caught.value.code == "inverted-box"


def test_boxes_without_area_may_be_skipped_or_scored():
    pred, target = [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]], [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]
    skipped = lossctl.compute("giou", pred, target, zero_area="skip", eps=0.0)
    assert (skipped.value, skipped.n, skipped.results[0].dropped) == (0.0, 1, {"ignored": 1})
    for loss in ("box-iou", "giou", "diou", "ciou"):
        rows = lossctl.compute(loss, pred, target, zero_area="score", eps=0.0, reduction="none").per_sample
        assert rows.tolist() == [0.0, 1.0]
