"""The table a person sees."""

import re

import pytest

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def test_what_is_coloured(rich_report, text) -> None:
    shown = text(rich_report, "table", width=200, color=True)
    assert "\x1b[1mfirst 5 of 442 rows\x1b[0m" in shown
    assert "\x1b[36mloss" in shown
    assert "\x1b[36m██▅ ▂▁" in shown
    assert "\x1b[2m442 rows read" in shown


@pytest.mark.parametrize("name", ["COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM"])
def test_the_environment_has_no_say(rich_report, text, monkeypatch, name) -> None:
    before = [text(rich_report, "table", color=color, width=None) for color in (False, True)]
    monkeypatch.setenv(name, {"COLUMNS": "13", "TERM": "dumb"}.get(name, "1"))
    assert [text(rich_report, "table", color=color, width=None) for color in (False, True)] == before


def test_decimal_points_stand_under_each_other(make, text) -> None:
    samples = make.samples(*(make.sample(i, v) for i, v in enumerate((20.8199, 1111.73, 0.826966), 1)))
    lines = text(make.report(samples=samples), "table").split("\n")
    rows = [line for line in lines if re.match(r" +[123]  ", line)]
    assert len(rows) == 3
    assert len({line.index(".") for line in rows}) == 1


def test_title_samples_results_footer_in_this_order(rich_report, text) -> None:
    shown = text(rich_report, "table", width=80)
    assert shown.startswith("first 5 of 442 rows\n\nrow  status")
    footer = "442 rows read, 432 scored, 10 dropped (nan 9, ignored 1)\n"
    assert shown.endswith("\n\n" + footer)
    assert shown.index("status") < shown.index("loss ") < shown.index(footer)


def test_status_stands_only_where_a_row_was_dropped(make, text) -> None:
    scored = make.samples(make.sample(1, 0.5), make.sample(2, 0.25))
    assert "status" not in text(make.report(samples=scored), "table")
    dropped = make.samples(make.sample(1, 0.5), make.sample(2, None, status="ignored"))
    assert re.search(r"^ *2  ignored$", text(make.report(samples=dropped), "table"), re.MULTILINE)


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"total": 442}, "first 2 of 442 rows"),
        ({"total": 1234567, "order": "worst"}, "worst 2 of 1,234,567 rows"),
        ({"total": 2}, "all 2 rows"),
        ({"total": 2, "order": "worst"}, "all 2 rows, worst first"),
        ({"total": 40, "per": "group", "key_names": ("q",)}, "first 2 of 40 groups"),
    ],
)
def test_titles(make, text, changes, title) -> None:
    key = ("a",) if "key_names" in changes else ()
    samples = make.samples(make.sample(1, 0.5, key=key), make.sample(2, 0.25, key=key), **changes)
    assert text(make.report(samples=samples), "table").split("\n")[0] == title


def test_titles_name_what_is_sorted_by(make, text) -> None:
    samples = make.samples(make.sample(1, 0.5, 1.0), labels=("mse", "mae"), order="worst")
    assert text(make.report(samples=samples), "table").startswith("worst 1 of 442 rows by mse\n")
    alone = make.samples(make.sample(1, 0.5), total=1)
    assert text(make.report(samples=alone), "table").startswith("the only row\n")


def test_groups_beneath_their_total(make, text) -> None:
    by = ("country",)
    report = make.report(
        make.result(2.0, "mse"),
        make.result(1.0, "mae"),
        make.group(2.5, {"country": "DE"}, loss="mse"),
        make.group(1.25, {"country": "DE"}, loss="mae"),
        make.group(1.5, {"country": None}, loss="mse", n=1234),
        by=by,
    )
    lines = [line.split() for line in text(report, "table").split("\n")]
    assert lines[0] == ["loss", "reduction", "country", "n", "value", "unit"]
    assert lines[2:9] == [
        ["mse", "mean", "total", "442", "2", "target", "units"],
        ["DE", "442", "2.5"],
        ["(missing)", "1,234", "1.5"],
        [],
        ["mae", "mean", "total", "442", "1", "target", "units"],
        ["DE", "442", "1.25"],
        [],
    ]
    bold = [
        ESCAPES.sub("", line).split()[:1] for line in text(report, "table", color=True).split("\n") if "\x1b[1m" in line
    ]
    assert bold == [["mse"], ["mae"]]


def test_two_by_columns(make, text) -> None:
    report = make.report(make.result(2.0), make.group(1.0, {"a": "x", "b": "y"}), by=("a", "b"))
    lines = [line.split() for line in text(report, "table").split("\n")]
    assert lines[2][:4] == ["huber", "mean", "total", "442"]
    assert lines[3] == ["x", "y", "442", "1"]


HOSTILE = "[red]x[/red] :smile: \x1b]0;t\x07\u202e\ny"


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("width", [None, 40])
def test_text_from_data_is_inert(make, text, color, width) -> None:
    samples = make.samples(make.sample(1, 0.5, key=(HOSTILE,)), key_names=("[bold]id[/]",))
    source = make.input("p.csv", "table", "csv", {"weight": [HOSTILE]})
    report = make.report(
        make.result(), make.group(1.0, {"[bold]g": HOSTILE}), samples=samples, by=("[bold]g",), inputs=[source]
    )
    shown = ESCAPES.sub("", text(report, "table", color=color, width=width))
    assert shown.replace("\n", "").isprintable()
    if width is None:
        assert shown.count(r"[red]x[/red] :smile: \x1b]0;t\x07\u202e\ny") == 3
        assert "[bold]id[/]" in shown
        assert "[bold]g" in shown
    else:
        assert "[red]x" in shown
        assert ":smile:" in shown


def test_colour_says_nothing_that_the_text_does_not(rich_report, text) -> None:
    for width in (40, 80, None):
        plain, coloured = (text(rich_report, "table", color=color, width=width) for color in (False, True))
        assert "\x1b" not in plain
        assert "\x1b" in coloured
        bare = [line.rstrip() for line in ESCAPES.sub("", coloured).split("\n")]
        assert bare == plain.split("\n")


def test_no_blanks_at_the_end_of_lines(rich_report, text) -> None:
    lines = text(rich_report, "table").split("\n")
    assert lines == [line.rstrip() for line in lines]


def test_ascii_only(rich_report, make, text) -> None:
    shown = text(rich_report, "table", width=200, encoding="ascii")
    assert shown.isascii()
    assert "-----" in shown
    assert "@@+ :." in shown
    samples = make.samples(make.sample(1, 0.5, key=("Zürich",)), key_names=("città",))
    report = make.report(samples=samples)
    assert text(report, "table", encoding="US-ASCII").isascii()
    assert r"Z\xfcrich" in text(report, "table", encoding="ascii")
    text(report, "table", encoding="latin-1").encode("latin-1")
    assert "Zürich" in text(report, "table", encoding="latin-1")


def test_histogram_between_least_and_greatest(rich_report, text) -> None:
    shown = text(rich_report, "table", width=200)
    assert len(re.findall(r"0\.0625  ██▅ ▂▁  97\.5$", shown, re.MULTILINE)) == 2


def test_approximate_quantiles_are_marked(make, text) -> None:
    near = make.result(stats={**make.stats, "approximate": True})
    lines = text(make.report(near, make.result(0.5, "mae", stats=make.stats)), "table").split("\n")
    cells = {line.split()[0]: line.split() for line in lines if line.strip()}
    assert [cell for cell in cells["huber"] if "~" in cell] == ["~2.25", "~7.75", "~31.5"]
    assert not any("~" in cell for cell in cells["mae"])


def test_statistics_without_a_histogram_or_a_value(make, text) -> None:
    stats = dict.fromkeys(make.stats)
    report = make.report(make.result(stats=make.stats), make.result(0.5, "r2", stats=stats))
    row = next(line for line in text(report, "table").split("\n") if line.startswith("r2"))
    assert row.split() == ["r2", "mean", "442", "0.5", "target", "units"]


def test_underflow(make, text) -> None:
    report = make.report(make.result(0.0, "likelihood", log_value=-6932.0, reduction="prod"))
    assert " 2.95564e-3011 " in text(report, "table")
    assert " 2.96e-3011 " in text(report, "table", digits=3)


def test_a_single_sample_has_no_order(make, text) -> None:
    alone = make.samples(make.sample(1, 0.5), total=1, order="worst")
    assert text(make.report(samples=alone), "table").startswith("the only row\n")


def test_dropped_rows_are_quiet(make, text) -> None:
    samples = make.samples(make.sample(1, 0.5), make.sample(2, None, key=(), status="nan"), labels=("mse",))
    shown = text(make.report(samples=samples), "table", color=True).split("\n")
    scored = next(line for line in shown if ESCAPES.sub("", line).split() == ["1", "ok", "0.5"])
    dropped = next(line for line in shown if ESCAPES.sub("", line).split() == ["2", "nan"])
    assert not re.search(r"\x1b\[2m *0\.5", scored)
    assert all(cell == "" or "\x1b[2m" in line for line in [dropped] for cell in ESCAPES.split(line))
    assert ESCAPES.sub("", re.sub(r"\x1b\[2m.*?\x1b\[0m", "", dropped)).strip() == ""


def test_statistics_of_one_loss_only(make, text) -> None:
    report = make.report(make.result(stats=make.stats), make.result(0.5, "r2"))
    assert "median" in text(report, "table")
    assert "median" in text(report, "markdown")


def test_a_value_beside_what_was_not_reduced(make, text) -> None:
    report = make.report(make.result(None, reduction="none"), make.result(0.5, "r2"))
    for format in ("table", "markdown"):
        assert "r2" in text(report, format)


def test_a_blank_line_between_losses_with_groups_only(make, text) -> None:
    plain = make.report(make.result(1.0, "mse"), make.result(2.0, "mae"))
    assert [line.split()[:1] for line in text(plain, "table").split("\n")[2:5]] == [["mse"], ["mae"], []]
    groups = [make.result(1.0, name) for name in ("mse", "mae", "huber")]
    lines = text(make.report(*groups, by=("g",)), "table").split("\n")
    assert [line.split()[:1] for line in lines[2:8]] == [["mse"], [], ["mae"], [], ["huber"], []]


def test_a_pure_number_has_no_unit(make, text) -> None:
    report = make.report(make.result(unit="1"))
    assert text(report, "table").split("\n")[2].split() == ["huber", "mean", "442", "0.137512"]
    assert "| huber | mean | 442 | 0.137512 |  |" in text(report, "markdown")


def test_histogram_of_nothing(make, text) -> None:
    empty = make.result(stats=make.stats, histogram=(0, 0, 0))
    assert re.search(r"0\.0625 {7}97\.5$", text(make.report(empty), "table"), re.MULTILINE)


def test_digits(make, text) -> None:
    report = make.report(make.result(1 / 3), samples=make.samples(make.sample(1, 2 / 3)))
    shown = text(report, "table", digits=3)
    assert re.search(r"\b0\.333\b", shown)
    assert re.search(r"\b0\.667\b", shown)


def test_nothing_reduced_shows_the_samples_alone(make, text) -> None:
    samples = make.samples(*(make.sample(i, i / 8) for i in range(1, 1203)), order="all", total=1202)
    report = make.report(make.result(None, reduction="none"), samples=samples)
    lines = text(report, "table").split("\n")
    assert lines[0] == "all 1,202 rows"
    assert sum("huber" in line for line in lines) == 1  # one header over all blocks
    assert "" not in lines[2:-3]
    assert [line.split() for line in lines[4:1206]] == [[f"{i:,}", f"{i / 8:g}"] for i in range(1, 1203)]
    assert len({len(line) - len(line.lstrip()) + len(line.split()[0]) for line in lines[4:1206]}) == 1


def test_footer_says_weights_and_partial(make, text) -> None:
    source = make.input("p.csv", "table", "csv", {"pred": ["p"], "weight": ["w_train"]})
    shown = text(make.report(inputs=[source], partial=True, read=1, scored=1), "table")
    assert shown.endswith("\n1 row read, 1 scored · weighted by w_train · partial: not all rows were read\n")
    assert "weighted" not in text(make.report(), "table")
    assert "partial" not in text(make.report(), "table")
