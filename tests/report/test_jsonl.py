"""JSON Lines: one object for each record."""

import json
import math


def refuse(token):
    raise AssertionError(f"{token} is not JSON")


def records(shown):
    return [json.loads(line, parse_constant=refuse) for line in shown.splitlines()]


def test_lines_for_results(make, text) -> None:
    report = make.report(
        make.result(2.0, reduction="sum"),
        make.group(math.nan, {"n": "DE", "land": "x"}, weight_sum=math.inf),
        make.group(1.0, {"n": None, "land": "y"}),
        by=("n", "land"),
    )
    found = records(text(report, "jsonl"))
    total = {"loss": "huber", "reduction": "sum", "slice": "total", "by.n": None, "land": None}
    assert found[0] == {**total, "n": 442, "weight_sum": 442.0, "value": 2.0}
    assert found[1]["by.n"] == "DE"
    assert found[1]["n"] == 442
    assert found[1]["value"] is None
    assert found[1]["nonfinite"] == "nan"
    assert found[1]["weight_sum"] is None
    assert found[2]["by.n"] is None
    assert found[2]["slice"] == "group"
    assert "nonfinite" not in found[2]


def test_lines_for_samples(make, text) -> None:
    samples = make.samples(make.sample(1, -math.inf), make.sample(2, None, status="nan"))
    report = make.report(make.result(None, reduction="none"), samples=samples)
    assert records(text(report, "jsonl")) == [
        {"row": 1, "status": "ok", "huber": None, "huber.nonfinite": "-inf"},
        {"row": 2, "status": "nan", "huber": None},
    ]
