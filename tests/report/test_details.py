"""Text beside samples, and what a pooled value is made of, in every format."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import jsonschema
import pytest
from rich.cells import cell_len

from lossctl.report.jsonout import schema

EDITS = {"ref": ["on", "the", "mat"], "hyp": ["on", "mat", "|"], "ops": "=D=I"}
LABELS = [{"label": "a|b", "first": 3, "last": 5, "score": 0.5}]
TEXT = "the quick brown fox jumps over the lazy dog | and \x1b[2J *more* <b> 日本語 e\u0301"
PARTS = {"hits": 2.0, "substitutions": 0.0, "deletions": 1.0, "insertions": 123456789.0, "units": 3.5}


@pytest.fixture
def report(make) -> Any:
    samples = make.samples(
        make.sample(1, 0.5, 12.25)._replace(details=(EDITS, TEXT, LABELS)),
        make.sample(2, None, None, status="nan")._replace(details=(None, None, None)),
        make.sample(3, 0.0, math.inf)._replace(details=({"ref": [], "hyp": [], "ops": ""}, "", [])),
        labels=("wer", "ctc"),
        detail_names=("wer.alignment", "decoded", "ctc.alignment"),
    )
    wer = make.result(0.625, "wer", unit="errors a unit", sample_mean=0.25, parts=PARTS)
    ctc = make.result(math.inf, "ctc", unit="nats", sample_mean=math.inf, parts={"labels": 7.0, "frames": 15.0})
    group = make.group(0.5, {"site": "a"}, loss="wer", sample_mean=0.125, parts={**PARTS, "units": 1.0})
    return make.report(wer, group, ctc, samples=samples, by=("site",))


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_tables_stay_within_the_terminal(report, text, width, encoding):
    shown = text(report, "table", width=width, encoding=encoding)
    assert max(map(cell_len, shown.split("\n"))) <= width
    assert "\x1b" not in shown
    words = shown.split()
    for word in ("quick", "lazy", "0.625", "insertions", "123456789,"):
        assert words.count(word) == 1
    if width > 60:
        assert "decoded" in words


def test_the_whole_picture(report, text):
    text_of = text(report, "table", width=80)
    first, second, third = text_of.split("\n\n")[1:4]
    assert first.split("\n") == [
        "row  status  wer     ctc  decoded",
        "─" * 80,
        "                          the quick brown fox jumps over the lazy dog | and",
        "  1  ok      0.5   12.25  \\x1b[2J *more* <b> 日本語 e\u0301",
        "  2  nan",
        "  3  ok      0    inf",
    ]
    assert second == "alignments of first 3 of 442 rows\nS substituted, D deleted, I inserted"
    assert third.split("\n") == [
        "row 1: wer 0.5",
        "ref  on the mat *",
        "hyp  on *** mat |",
        "        D       I",
    ]


def test_beside_the_totals(report, text):
    """Slices have theirs in JSON."""
    for form in ("table", "markdown"):
        lines = [line.replace("\\", "") for line in text(report, form).splitlines() if "mean of samples" in line]
        assert lines == [
            "wer: mean of samples 0.25, hits 2, substitutions 0, deletions 1, insertions 123456789, units 3.5",
            "ctc: mean of samples inf, labels 7, frames 15",
        ]


def test_json(report, text):
    found = json.loads(text(report, "json"), parse_constant=lambda token: pytest.fail(token))
    jsonschema.Draft202012Validator(schema("lossctl.compute/1")).validate(found)
    assert [row.get("wer.alignment") for row in found["samples"]] == [EDITS, None, {"ref": [], "hyp": [], "ops": ""}]
    assert [row["decoded"] for row in found["samples"]] == [TEXT, None, ""]
    assert [row["ctc.alignment"] for row in found["samples"]] == [LABELS, None, []]
    assert [(r["sample_mean"], r["parts"]) for r in found["results"]] == [
        (0.25, PARTS),
        (0.125, {**PARTS, "units": 1.0}),
        (None, {"labels": 7.0, "frames": 15.0}),
    ]


def test_markdown(report, text):
    shown = text(report, "markdown")
    lines = shown.splitlines()
    assert lines[2] == "| row | status | wer | ctc | decoded |"
    assert lines[3] == "| ---: | --- | ---: | ---: | --- |"
    assert r"\| and \\x1b\[2J \*more\* \<b\> 日本語" in lines[4]
    assert lines[5] == "| 2 | nan |  |  |  |"
    fenced = shown.split("```")
    assert len(fenced) == 3
    assert "hyp  on *** mat |" in fenced[1]
    assert "label  a|b\nframe  3-5\ncost   0.5\n" in fenced[1]


@pytest.mark.parametrize(("form", "separator"), [("csv", ","), ("plain", "\t")])
def test_flat_records(report, text, form, separator):
    """With ``--reduction none`` a record is a sample, with all that stands beside it."""
    streamed = report._replace(results=tuple(r._replace(value=None, reduction="none") for r in report.results))
    shown = text(streamed, form)
    rows = list(csv.reader(io.StringIO(shown, newline=""), delimiter=separator, strict=True))
    assert rows[0] == ["row", "status", "wer", "ctc", "wer.alignment", "decoded", "ctc.alignment"]
    assert json.loads(rows[1][4]) == EDITS
    assert json.loads(rows[1][6]) == LABELS
    assert rows[1][5] == (TEXT if form == "csv" else TEXT.replace("\x1b", "\\x1b"))
    assert rows[2] == ["2", "nan", "", "", "", "", ""]
    assert rows[3][2:4] == ["0.0", "inf"]


def test_json_lines(report, text):
    streamed = report._replace(results=tuple(r._replace(value=None, reduction="none") for r in report.results))
    rows = [json.loads(line) for line in text(streamed, "jsonl").splitlines()]
    assert [row["decoded"] for row in rows] == [TEXT, None, ""]
    assert rows[0]["wer.alignment"] == EDITS
    assert rows[2]["ctc.nonfinite"] == "inf"


def test_details_beside_one_loss_that_is_called_so(make, text):
    """A key, a loss or a detail under a name of ours does not hide it."""
    samples = make.samples(
        make.sample(None, 0.5, key=("u1",))._replace(details=("a b",)),
        labels=("wer",),
        detail_names=("decoded",),
        key_names=("decoded",),
    )
    found = json.loads(text(make.report(samples=samples), "json"))
    (sample,) = found["samples"]
    assert sorted(sample.values(), key=str) == [0.5, "a b", "u1"]
