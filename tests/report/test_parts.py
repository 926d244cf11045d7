"""Results of columns and classes, and intervals, in every format."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import jsonschema
import pytest
from rich.cells import cell_len

from lossctl.cli.main import main
from lossctl.engine.result import Interval
from lossctl.report.jsonout import schema


def ci(low: float, high: float, method: str = "bootstrap") -> Interval:
    drawn = method == "bootstrap"
    return Interval(0.95, low, high, method, 1000 if drawn else None, 0 if drawn else None)


@pytest.fixture
def columns(make) -> Any:
    results = [
        make.result(3063.218231, "mse", unit="squared target units", n_elements=884),
        make.result(2103.5, "mse", column="y_height", unit="squared target units"),
        make.result(4022.93646, "mse", column="y_weight in kilograms", unit="squared target units"),
        make.result(43.6251, "mae"),
        make.result(40.125, "mae", column="y_height"),
        make.result(47.1252, "mae", column="y_weight in kilograms"),
    ]
    return make.report(*results)


@pytest.fixture
def classes(make) -> Any:
    """With slices, a missing one among them."""
    return make.report(
        make.result(0.25, "zero-one", unit="share of rows"),
        make.result(0.125, "zero-one", of_class="cat", n=200),
        make.result(0.5, "zero-one", of_class="dog", n=242),
        make.group(0.0, {"site": None}, loss="zero-one", n=2),
        make.group(0.0, {"site": None}, loss="zero-one", of_class="cat", n=2),
        by=("site",),
    )


@pytest.fixture
def intervals(make) -> Any:
    return make.report(
        make.result(1.02203, "mse", ci=ci(0.88561, 1.17314), unit="squared target units"),
        make.group(0.968991, {"region": "asia"}, loss="mse", ci=ci(0.705681, 1.28604), n=85),
        make.group(1.16929, {"region": "north america"}, loss="mse", ci=ci(0.878218, 1.47239), n=1),
        make.group(math.nan, {"region": "europe"}, loss="mse", ci=ci(math.nan, math.nan, "normal"), n=1),
        make.group(math.inf, {"region": "moon"}, loss="mse", ci=ci(-12345.678, math.inf)),
        by=("region",),
    )


COLUMNS = """\
loss  reduction  column                   n      value  unit
────────────────────────────────────────────────────────────────────────────
mse   mean       total                  442  3063.22    squared target units
                 y_height               442  2103.5
                 y_weight in kilograms  442  4022.94

mae   mean       total                  442    43.6251  target units
                 y_height               442    40.125
                 y_weight in kilograms  442    47.1252

442 rows read, 442 scored
"""

COLUMNS_40 = """\
loss  column                n      value
────────────────────────────────────────
mse   total               442  3063.22
      y_height            442  2103.5
      y_weight in
      kilograms           442  4022.94

mae   total               442    43.6251
      y_height            442    40.125
      y_weight in
      kilograms           442    47.1252

442 rows read, 442 scored
"""

CLASSES = """\
loss      reduction  site       class    n  value  unit
────────────────────────────────────────────────────────────────
zero-one  mean       total             442  0.25   share of rows
                     total      cat    200  0.125
                     total      dog    242  0.5
                     (missing)           2  0
                     (missing)  cat      2  0

442 rows read, 442 scored
"""

INTERVALS = """\
loss  reduction  region           n       value         ci low    ci high
─────────────────────────────────────────────────────────────────────────
mse   mean       total          442    1.02203        0.88561     1.17314
                 asia            85    0.968991       0.705681    1.28604
                 north america    1    1.16929        0.878218    1.47239
                 europe           1  nan            nan         nan
                 moon           442  inf         -12345.7       inf

442 rows read, 442 scored
"""


@pytest.mark.parametrize(
    ("report", "width", "picture"),
    [("columns", 80, COLUMNS), ("columns", 40, COLUMNS_40), ("classes", 80, CLASSES), ("intervals", 80, INTERVALS)],
)
def test_the_whole_picture(request, text, report, width, picture) -> None:
    assert text(request.getfixturevalue(report), "table", width=width) == picture


@pytest.mark.parametrize("report", ["columns", "classes", "intervals"])
@pytest.mark.parametrize("width", [40, 60, 80, 200, None])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_readable_at_every_width(request, text, report, width, encoding) -> None:
    """Within the terminal, every value and bound once, every part named beside its value."""
    found = request.getfixturevalue(report)
    shown = text(found, "table", width=width, encoding=encoding)
    if width is not None:
        assert max(map(cell_len, shown.split("\n"))) <= width
    words = shown.split()
    for result in found.results:
        bounds = [] if result.ci is None else [result.ci.low, result.ci.high]
        for value in {f"{v:.6g}" for v in (result.value, *bounds)}:
            assert value in words
    assert words.count("value") == 1
    assert [words.count("low"), words.count("high")] == ([1, 1] if report == "intervals" else [0, 0])


def test_both_bounds_stand_side_by_side(intervals, text) -> None:
    """Where they do not fit beside the value, they go to another panel together."""
    some = intervals._replace(results=intervals.results[:3])
    lines = text(some, "table", width=40).split("\n")
    assert any(line.split() == ["loss", "region", "ci", "low", "ci", "high"] for line in lines)
    assert any(line.split() == ["asia", "0.705681", "1.28604"] for line in lines)


def test_totals_stand_out(columns, intervals, text) -> None:
    for report in (columns, intervals):
        shown = text(report, "table", color=True)
        bold = [line for line in shown.split("\n") if "\x1b[1m" in line]
        assert bold
        assert all("total" in line for line in bold)


def test_markdown(columns, classes, intervals, text) -> None:
    lines = text(columns, "markdown").splitlines()
    assert lines[0] == "| loss | reduction | column | n | value | unit |"
    assert lines[1] == "| --- | --- | --- | ---: | ---: | --- |"
    assert lines[2:4] == [
        "| mse | mean | total | 442 | 3063.22 | squared target units |",
        "| mse | mean | y_height | 442 | 2103.5 | squared target units |",
    ]
    lines = text(classes, "markdown").splitlines()
    assert lines[0] == "| loss | reduction | site | class | n | value | unit |"
    assert lines[3].startswith("| zero-one | mean | total | cat | 200 |")
    assert lines[5].startswith("| zero-one | mean | (missing) |  | 2 |")
    lines = text(intervals, "markdown").splitlines()
    assert lines[0] == "| loss | reduction | region | n | value | ci low | ci high | unit |"
    assert lines[5] == "| mse | mean | europe | 1 | nan | nan | nan | target units |"
    assert lines[6] == "| mse | mean | moon | 442 | inf | -12345.7 | inf | target units |"


@pytest.mark.parametrize(("form", "separator"), [("plain", "\t"), ("csv", ",")])
def test_flat(columns, classes, intervals, text, form, separator) -> None:
    def cells(report):
        return list(csv.reader(io.StringIO(text(report, form), newline=""), delimiter=separator, strict=True))

    assert cells(columns)[:3] == [
        ["loss", "reduction", "column", "n", "weight_sum", "value"],
        ["mse", "mean", "", "442", "442.0", "3063.218231"],
        ["mse", "mean", "y_height", "442", "442.0", "2103.5"],
    ]
    assert cells(classes)[:1] + cells(classes)[2:5:2] == [
        ["loss", "reduction", "slice", "site", "class", "n", "weight_sum", "value"],
        ["zero-one", "mean", "total", "", "cat", "200", "442.0", "0.125"],
        ["zero-one", "mean", "group", "", "", "2", "442.0", "0.0"],
    ]
    assert [row[-3:] for row in cells(intervals)] == [
        ["value", "ci_low", "ci_high"],
        ["1.02203", "0.88561", "1.17314"],
        ["0.968991", "0.705681", "1.28604"],
        ["1.16929", "0.878218", "1.47239"],
        ["nan", "nan", "nan"],
        ["inf", "-12345.678", "inf"],
    ]


def test_json(columns, classes, intervals, text) -> None:
    validator = jsonschema.Draft202012Validator(schema("lossctl.compute/1"))
    for report in (columns, classes, intervals):
        found = json.loads(text(report, "json"), parse_constant=lambda token: pytest.fail(token))
        validator.validate(found)
        for shown, result in zip(found["results"], report.results, strict=True):
            assert (shown["column"], shown["class"]) == (result.column, result.of_class)
    last = json.loads(text(intervals, "json"))["results"][-1]
    assert last["ci"] == {
        "level": 0.95, "low": -12345.678, "high": None, "method": "bootstrap", "resamples": 1000, "seed": 0,
    }  # fmt: skip


def test_jsonl(classes, intervals, text) -> None:
    lines = [json.loads(line) for line in text(classes, "jsonl").splitlines()]
    assert [line["class"] for line in lines] == [None, "cat", "dog", None, "cat"]
    lines = [json.loads(line) for line in text(intervals, "jsonl").splitlines()]
    assert lines[1]["ci_high"] == 1.28604
    assert (lines[3]["ci_low"], lines[3]["nonfinite"]) == (None, "nan")


def test_some_losses_without_an_interval(make, text) -> None:
    report = make.report(make.result(1.0, "mse", ci=ci(0.5, 1.5)), make.result(2.0, "mae"))
    assert text(report, "plain").splitlines()[2] == "mae\tmean\t442\t442.0\t2.0\t\t"
    assert "0.5" in text(report, "table")
    frame = report.to_pandas()
    assert frame["ci_low"].tolist()[0] == 0.5
    assert math.isnan(frame["ci_low"].tolist()[1])


@pytest.mark.parametrize("name", ["class", "column", "ci_low", "n", "value", "loss", "slice", "weight_sum"])
@pytest.mark.parametrize("part", ["class", "column", None])
def test_slices_under_the_name_of_a_column_of_ours(make, text, name, part) -> None:
    """They keep their name unless it would hide one of ours, in tables of text and of pandas alike."""
    part_of = {} if part is None else {"of_class" if part == "class" else "column": "cat"}
    report = make.report(
        make.result(2.0), make.group(1.0, {name: "x"}), make.group(3.0, {name: "x"}, **part_of), by=(name,)
    )
    head, *rows = (line.split("\t") for line in text(report, "plain").splitlines())
    taken = name in {"n", "value", "loss", "slice", "weight_sum", part}
    assert head.count(f"by.{name}") == int(taken)
    assert len(set(head)) == len(head)
    frame = report.to_pandas()
    assert list(frame.columns) == head
    shown = f"by.{name}" if taken else name
    assert [row[head.index(shown)] for row in rows] == ["", "x", "x"]
    assert frame[shown].tolist() == [None, "x", "x"]
    assert frame["value"].tolist() == [2.0, 1.0, 3.0]
    if part is not None:
        assert frame[part].tolist()[1:] == [None, "cat"]


def test_intervals_beside_slices_called_like_their_bounds(make, text) -> None:
    report = make.report(make.result(2.0, ci=ci(1.0, 3.0)), make.group(2.0, {"ci_low": "x"}), by=("ci_low",))
    assert text(report, "plain").splitlines()[0].split("\t")[3] == "by.ci_low"
    assert list(report.to_pandas().columns)[3] == "by.ci_low"


# The verdict names what is beyond its bound.


@pytest.fixture
def command(tmp_path, monkeypatch, capsys) -> Any:
    (tmp_path / "wide.csv").write_text("pred_a,pred_b,true_a,true_b,class\n1,9,0,0,x\n1,9,0,0,y\n")
    (tmp_path / "labels.csv").write_text("y_pred,y_true,site,class\ncat,cat,n,x\ndog,cat,n,y\ncat,dog,s,x\n")
    monkeypatch.chdir(tmp_path)

    def go(line: str) -> tuple[int, list[str]]:
        status = main(["compute", *line.split()])
        return status, [line for line in capsys.readouterr().err.splitlines() if "FAIL" in line]

    return go


@pytest.mark.parametrize(
    ("line", "fails"),
    [
        ("mae wide.csv --target true_a,true_b --per-column --fail-above 6", ["mae [column=pred_b] = 9.0 is above 6.0"]),
        ("mae wide.csv --target true_a,true_b --per-column --fail-above 9", []),
        (
            "mae wide.csv --target true_a,true_b --per-column --by class --fail-above mae=6",
            [
                "mae [column=pred_b] = 9.0 is above 6.0",
                "mae [class=x, column=pred_b] = 9.0 is above 6.0",
                "mae [class=y, column=pred_b] = 9.0 is above 6.0",
            ],
        ),
        ("zero-one labels.csv --per-class --fail-above 0.7", ["zero-one [class=dog] = 1.0 is above 0.7"]),
        (
            "zero-one labels.csv --per-class --by site --fail-above 0.7",
            [
                "zero-one [class=dog] = 1.0 is above 0.7",
                "zero-one [site=s] = 1.0 is above 0.7",
                "zero-one [site=s, class=dog] = 1.0 is above 0.7",
            ],
        ),
        ("zero-one labels.csv --by class --fail-above 0.7", ["zero-one [class=y] = 1.0 is above 0.7"]),
        ("zero-one labels.csv --per-class --fail-below 0.6", ["zero-one [class=cat] = 0.5 is below 0.6"]),
    ],
)
def test_bounds(command, line, fails) -> None:
    status, found = command(line)
    assert status == (1 if fails else 0)
    assert found == [f"lossctl: FAIL {fail}" for fail in fails]
