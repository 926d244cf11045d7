"""The table at every width: what folds, what goes, and that no number is ever cut."""

import pytest
from rich.cells import cell_len

WIDTHS = [20, 30, 40, 50, 60, 80, 100, 120, 200, None]
ONCE = "20.8199 1880.16 2064 2.10827 0.826966 1.23457e+08 1e-12 inf 3063.22 43.6251"
TWICE = "1.25 0.0625 2.25 7.75 31.5 97.5"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_number_is_ever_cut(rich_report, text, width, encoding) -> None:
    shown = text(rich_report, "table", width=width, encoding=encoding)
    words = shown.split()
    assert [number for number in ONCE.split() if words.count(number) != 1] == []
    assert [number for number in TWICE.split() if words.count(number) != 2] == []
    assert "…" not in shown
    assert "..." not in shown


@pytest.mark.parametrize("width", [w for w in WIDTHS if w and w >= 40])
def test_lines_keep_within_the_terminal(rich_report, text, width) -> None:
    shown = text(rich_report, "table", width=width)
    assert max(map(cell_len, shown.split("\n"))) <= width


def test_what_goes_when_the_room_is_short(rich_report, text) -> None:
    def head(width):
        lines = text(rich_report, "table", width=width).split("\n")
        return next(line.split() for line in lines if line.startswith("loss") and "value" in line)

    assert head(200)[:5] == ["loss", "reduction", "n", "value", "unit"]
    assert "std" in head(200)
    assert "std" not in head(80)
    assert head(50) == ["loss", "reduction", "n", "value"]
    assert head(36) == ["loss", "n", "value"]
    assert head(24) == ["loss", "value"]


WIDE = """\
first 5 of 442 rows

row  status          mse  huber:delta=0.5
─────────────────────────────────────────
  1  ok        20.8199     1880.16
  2  ok      2064             2.10827
  3  ok         0.826966      1.23457e+08
  4  nan
  5  ok         1e-12       inf

loss             reduction        n      value  unit
────────────────────────────────────────────────────────────────────
mse              mean           442  3063.22    squared target units
huber:delta=0.5  mean       123,456    43.6251  target units

loss              std  median   p90   p99     min           max
───────────────────────────────────────────────────────────────
mse              1.25    2.25  7.75  31.5  0.0625  ██▅ ▂▁  97.5
huber:delta=0.5  1.25    2.25  7.75  31.5  0.0625  ██▅ ▂▁  97.5

442 rows read, 432 scored, 10 dropped (nan 9, ignored 1)
"""

NARROW = """\
first 5 of 442 rows

row  status          mse
────────────────────────
  1  ok        20.8199
  2  ok      2064
  3  ok         0.826966
  4  nan
  5  ok         1e-12

row  status  huber:delta=0.5
────────────────────────────
  1  ok       1880.16
  2  ok          2.10827
  3  ok          1.23457e+08
  4  nan
  5  ok        inf

loss              n      value
──────────────────────────────
mse             442  3063.22
huber:delt
a=0.5       123,456    43.6251

loss         std  median   p90
──────────────────────────────
mse         1.25    2.25  7.75
huber:delt
a=0.5       1.25    2.25  7.75

loss              p99
─────────────────────
mse              31.5
huber:delta=0.5  31.5

loss                min   max
─────────────────────────────
mse              0.0625  97.5
huber:delta=0.5  0.0625  97.5

442 rows read, 432 scored, 10
dropped (nan 9, ignored 1)
"""


@pytest.mark.parametrize(("width", "picture"), [(80, WIDE), (30, NARROW)])
def test_the_whole_picture(rich_report, text, width, picture) -> None:
    assert text(rich_report, "table", width=width) == picture


def test_natural_width_in_a_pipe(make, text) -> None:
    label = "focal:" + ":".join(f"parameter_{i}=0.25" for i in range(12))
    shown = text(make.report(make.result(1 / 3, "focal", label=label, unit="u" * 90)), "table")
    assert any(label in line and "u" * 90 in line and "0.333333" in line for line in shown.split("\n"))


def test_wide_letters_keep_their_columns(make, text) -> None:
    keys = ("東京タワー", "ab")
    samples = make.samples(*(make.sample(i, 0.5, key=(k,)) for i, k in enumerate(keys)), key_names=("place",))
    rows = [line for line in text(make.report(samples=samples), "table").split("\n") if line.endswith("0.5")]
    assert len({cell_len(line) for line in rows}) == 1


@pytest.mark.parametrize("width", [30, 60])
def test_long_keys_fold_and_lose_nothing(make, text, width) -> None:
    key = "abcdefghij" * 6
    samples = make.samples(make.sample(1, 0.123456, key=(key,)), key_names=("id",))
    shown = text(make.report(samples=samples), "table", width=width)
    lines = shown.split("\n")[4:]
    folded = "".join(line.split()[0] for line in lines[: lines.index("")])
    assert folded == key
    assert max(map(len, lines)) <= width


def test_an_empty_name_is_a_column_like_others(make, text) -> None:
    report = make.report(make.result(), make.group(1.0, {"": ""}), by=("",))
    assert "0.137512" in text(report, "table", width=40)
