"""Which columns stand side by side, to the last blank."""

import pytest

from lossctl.report.layout import Column, panels


def seen(kind, name, *cells, **options):
    column = Column(name, kind, **options)
    column.measure(len)
    for cell in cells:
        column.see(cell, len)
    return column


def laid_out(columns, width):
    return [[(column.name, size) for column, size in panel] for panel in panels(columns, width)]


def test_room_for_header_and_cells() -> None:
    assert seen("text", "unit", "nats").natural() == 4
    assert seen("text", "u", "nats").natural() == 4
    assert seen("text", "", "").natural() == 1
    assert seen("number", "v", "1.25", "100", "1e-05").natural() == 7  # 100 and e-05
    assert seen("number", "", "inf", "nan", "").natural() == 3


@pytest.mark.parametrize(
    ("cell", "placed"),
    [
        ("1.25", "    1.25"),
        ("100", "  100   "),
        ("2e5", "    2e5 "),
        ("inf", "  inf   "),
        ("", "        "),
    ],
)
def test_points_stand_under_points(cell, placed) -> None:
    assert seen("number", "value", "1.25", "100").place(cell, 8) == placed


def test_counts_and_text() -> None:
    assert seen("count", "n", "12").place("7", 4) == "   7"
    assert seen("text", "unit", "nats").place("nats", 9) == "nats"


def test_without_a_width_all_is_natural() -> None:
    columns = [seen("key", "loss", "x" * 200), seen("number", "value", "0.5", block=1)]
    assert laid_out(columns, None) == [[("loss", 200), ("value", 5)]]


def results(unit="target units", label="mse"):
    """4 + 2 + 9 + 2 + 3 + 2 + 7 + 2 + 12 = 43 for the first panel, 17 with the lead for the second."""
    return [
        seen("key", "loss", label),
        seen("text", "reduction", "mean", block=1, rank=2),
        seen("count", "n", "442", block=1, rank=3),
        seen("number", "value", "3063.22", block=1),
        seen("text", "unit", unit, block=1, rank=1),
        seen("number", "std", "12.5", block=2),
        seen("number", "p90", "7.5", block=2),
    ]


LOSS, REDUCTION, N, VALUE, UNIT = ("loss", 4), ("reduction", 9), ("n", 3), ("value", 7), ("unit", 12)
STD, P90 = ("std", 4), ("p90", 3)


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (54, [[LOSS, REDUCTION, N, VALUE, UNIT, STD, P90]]),
        (53, [[LOSS, REDUCTION, N, VALUE, UNIT], [LOSS, STD, P90]]),
        (43, [[LOSS, REDUCTION, N, VALUE, UNIT], [LOSS, STD, P90]]),
        (42, [[LOSS, REDUCTION, N, VALUE, STD, P90]]),
        (40, [[LOSS, REDUCTION, N, VALUE, STD, P90]]),
        (39, [[LOSS, REDUCTION, N, VALUE], [LOSS, STD, P90]]),
        (29, [[LOSS, REDUCTION, N, VALUE], [LOSS, STD, P90]]),
        (28, [[LOSS, N, VALUE], [LOSS, STD, P90]]),
        (18, [[LOSS, N, VALUE], [LOSS, STD, P90]]),
        (17, [[LOSS, VALUE], [LOSS, STD, P90]]),
        (15, [[LOSS, VALUE], [LOSS, STD, P90]]),
        (14, [[LOSS, VALUE], [LOSS, STD], [LOSS, P90]]),
        (5, [[LOSS, VALUE], [LOSS, STD], [LOSS, P90]]),
    ],
)
def test_secondary_columns_go_then_panels_split(width, expected) -> None:
    assert laid_out(results(), width) == expected


def test_a_key_folds_before_a_number_is_touched() -> None:
    columns = [seen("key", "id", "x" * 60), seen("number", "mse", "0.123456", block=1)]
    assert laid_out(columns, 70) == [[("id", 60), ("mse", 8)]]
    assert laid_out(columns, 69) == [[("id", 59), ("mse", 8)]]
    assert laid_out(columns, 20) == [[("id", 10), ("mse", 8)]]
    assert laid_out(columns, 10) == [[("id", 10), ("mse", 8)]]


def test_a_key_keeps_a_fifth_of_the_room() -> None:
    numbers = [seen("number", f"loss{i}", "0.123456", block=i) for i in range(1, 6)]
    columns = [seen("key", "id", "x" * 30), *numbers]
    four = [(f"loss{i}", 8) for i in range(1, 5)]
    assert laid_out(columns, 62) == [[("id", 12), *four, ("loss5", 8)]]
    assert laid_out(columns, 61) == [[("id", 21), *four], [("id", 30), ("loss5", 8)]]


def test_long_headers_fold_but_their_numbers_do_not() -> None:
    columns = [seen("count", "row", "1"), seen("number", "h" * 40, "1234567.25", block=1)]
    assert laid_out(columns, 45) == [[("row", 3), ("h" * 40, 40)]]
    assert laid_out(columns, 20) == [[("row", 3), ("h" * 40, 15)]]
    assert laid_out(columns, 8) == [[("row", 3), ("h" * 40, 10)]]


def test_the_room_left_goes_to_the_left_first() -> None:
    columns = [seen("key", "a", "x" * 30), seen("key", "b", "x" * 30), seen("count", "n", "1", block=1)]
    assert laid_out(columns, 45) == [[("a", 30), ("b", 10), ("n", 1)]]
    assert laid_out(columns, 30) == [[("a", 15), ("b", 10), ("n", 1)]]
