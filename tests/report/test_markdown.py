"""GitHub tables."""

import math
import re

import pytest


def test_samples_then_results_then_the_account(make, text) -> None:
    samples = make.samples(make.sample(1, 0.1375119), make.sample(2, None, status="nan"), total=9)
    report = make.report(make.result(1 / 3), samples=samples, dropped={"nan": 1}, read=9, scored=8)
    assert text(report, "markdown", digits=3) == (
        "**first 2 of 9 rows**\n"
        "\n"
        "| row | status | huber |\n"
        "| ---: | --- | ---: |\n"
        "| 1 | ok | 0.138 |\n"
        "| 2 | nan |  |\n"
        "\n"
        "| loss | reduction | n | value | unit |\n"
        "| --- | --- | ---: | ---: | --- |\n"
        "| huber | mean | 442 | 0.333 | target units |\n"
        "\n"
        "9 rows read, 8 scored, 1 dropped (nan 1)\n"
    )


def test_groups_statistics_and_underflow(make, text) -> None:
    report = make.report(
        make.result(0.0, "prod", log_value=-6932.0, stats=make.stats),
        make.group(math.inf, {"age_band": None}, stats=make.stats),
        make.group(1.0, {"age_band": "_x_"}),
        by=("age_band",),
    )
    lines = text(report, "markdown").splitlines()
    assert lines[:5] == [
        "| loss | reduction | age_band | n | value | std | min | median | p90 | p99 | max | unit |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
        "| prod | mean | total | 442 | 2.95564e-3011 | 1.25 | 0.0625 | 2.25 | 7.75 | 31.5 | 97.5 | target units |",
        "| huber | mean | (missing) | 442 | inf | 1.25 | 0.0625 | 2.25 | 7.75 | 31.5 | 97.5 | target units |",
        r"| huber | mean | \_x\_ | 442 | 1 |  |  |  |  |  |  | target units |",
    ]


def test_approximate_quantiles_are_marked(make, text) -> None:
    report = make.report(make.result(stats={**make.stats, "approximate": True}))
    assert r" 0.0625 | \~2.25 | \~7.75 | \~31.5 | 97.5 " in text(report, "markdown")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a|b", r"a\|b"),
        (r"a\|b", r"a\\\|b"),
        ("<img src=x>", r"\<img src=x\>"),
        ("[x](http://y)", r"\[x\](http://y)"),
        ("*b* `c` ~d~ &amp;", r"\*b\* \`c\` \~d\~ \&amp;"),
        ("snake_case", "snake_case"),
        ("\x1b[31m\n\u202e", r"\\x1b\[31m\\n\\u202e"),
    ],
)
def test_text_from_data_is_inert(make, text, raw, shown) -> None:
    samples = make.samples(make.sample(1, 0.5, key=(raw,)), key_names=(raw,))
    report = make.report(make.result(), make.group(1.0, {raw: raw}), samples=samples, by=(raw,))
    found = text(report, "markdown")
    assert found.count(f"| {shown} |") == 4
    bars = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in found.splitlines() if line.startswith("|")}
    assert bars == {4, 7}


def test_keys_are_text_and_stand_left(make, text) -> None:
    samples = make.samples(make.sample(None, 0.5, key=("q1",)), per="group", key_names=("query_id",))
    assert "| query_id | status | huber |\n| --- | --- | ---: |\n| q1 | ok | 0.5 |\n" in text(
        make.report(samples=samples), "markdown"
    )


def test_nothing_reduced(make, text) -> None:
    samples = make.samples(make.sample(1, 0.5), order="all", total=1)
    shown = text(make.report(make.result(None, reduction="none"), samples=samples), "markdown")
    assert "reduction" not in shown
    assert "| 1 | ok | 0.5 |" in shown
