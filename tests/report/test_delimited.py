"""plain, csv and value."""

import csv
import io
import math

import pytest

SPOILT = 'a\tb\n"c", [red]\x1b[31m|\u202e'


def cells(shown):
    """What an independent reader makes of the CSV."""
    return list(csv.reader(io.StringIO(shown, newline=""), strict=True))


def test_plain_results(make, text) -> None:
    report = make.report(make.result(1 / 3), make.result(math.inf, "mse", n=7, weight_sum=3.5, reduction="sum"))
    assert text(report, "plain") == (
        "loss\treduction\tn\tweight_sum\tvalue\nhuber\tmean\t442\t442.0\t0.3333333333333333\nmse\tsum\t7\t3.5\tinf\n"
    )


def test_plain_groups_total_first(make, text) -> None:
    report = make.report(
        make.result(2.0),
        make.group(1.0, {"country": "DE", "sex": "f"}, n=3),
        make.group(math.nan, {"country": None, "sex": "m"}, n=4),
        by=("country", "sex"),
    )
    assert text(report, "plain").splitlines() == [
        "loss\treduction\tslice\tcountry\tsex\tn\tweight_sum\tvalue",
        "huber\tmean\ttotal\t\t\t442\t442.0\t2.0",
        "huber\tmean\tgroup\tDE\tf\t3\t442.0\t1.0",
        "huber\tmean\tgroup\t\tm\t4\t442.0\tnan",
    ]


@pytest.mark.parametrize(("format", "separator"), [("plain", "\t"), ("csv", ",")])
def test_nothing_reduced_is_one_record_for_each_sample(make, text, format, separator) -> None:
    samples = make.samples(
        make.sample(1, 0.1, math.inf),
        make.sample(2, None, None, status="nan"),
        make.sample(3, None, -0.5),
        labels=("mse", "mae"),
    )
    results = make.result(None, "mse", reduction="none"), make.result(None, "mae", reduction="none")
    assert text(make.report(*results, samples=samples), format).replace(separator, ";").splitlines() == [
        "row;status;mse;mae",
        "1;ok;0.1;inf",
        "2;nan;;",
        "3;ok;;-0.5",
    ]


def test_samples_do_not_stand_in_for_results(make, text) -> None:
    samples = make.samples(make.sample(1, 0.1))
    mixed = make.report(make.result(None, reduction="none"), make.result(0.5, "r2", reduction="set"), samples=samples)
    assert text(mixed, "plain").splitlines()[1:] == ["huber\tnone\t442\t442.0\t", "r2\tset\t442\t442.0\t0.5"]
    assert text(make.report(samples=samples), "csv").startswith("loss,")
    assert text(make.report(samples=samples), "value") == "0.137512\n"


def test_keys_stand_under_their_own_names(make, text) -> None:
    samples = make.samples(make.sample(1, 0.5, key=("007", None)), key_names=("id", "status"))
    report = make.report(make.result(None, reduction="none"), samples=samples)
    assert text(report, "plain") == "id\tkey.status\tstatus\thuber\n007\t\tok\t0.5\n"


def test_a_by_column_never_hides_a_column_of_ours(make, text) -> None:
    report = make.report(make.result(), make.group(1.0, {"value": "x", "n": "y"}), by=("value", "n"))
    assert text(report, "csv").splitlines()[0] == "loss,reduction,slice,by.value,by.n,n,weight_sum,value"
    assert text(report, "csv").splitlines()[2].startswith("huber,mean,group,x,y,442,")


def test_plain_text_is_inert(make, text) -> None:
    report = make.report(make.result(), make.group(1.0, {SPOILT: SPOILT}), by=(SPOILT,))
    shown = text(report, "plain")
    assert len(shown.splitlines()) == 3
    assert shown.replace("\n", "").replace("\t", "").isprintable()
    assert shown.count(r'a\tb\n"c", [red]\x1b[31m|\u202e') == 2
    assert {line.count("\t") for line in shown.splitlines()} == {6}


def test_csv_keeps_text_under_its_quoting(make, text) -> None:
    values = [SPOILT, "plain", "with, comma", 'say "x"', "cr\r", "", None]
    groups = [make.group(1.0, {SPOILT: value}) for value in values]
    shown = text(make.report(make.result(), *groups, by=(SPOILT,)), "csv")
    rows = cells(shown)
    assert rows[0][3] == SPOILT
    assert [row[3] for row in rows[2:]] == [value or "" for value in values]
    assert {len(row) for row in rows} == {7}
    assert "\r\n" not in shown
    assert shown.endswith("\n")
    *_, empty, missing = shown.splitlines()
    assert ',group,"",442' in empty
    assert ",group,,442" in missing


def test_underflow(make, text) -> None:
    report = make.report(make.result(0.0, "likelihood", reduction="prod", log_value=-6932.0))
    assert text(report, "plain").splitlines()[1].endswith("\t2.95564e-3011")
    assert text(report, "csv").splitlines()[1].endswith(",0.0")
    assert '"value": 0.0' in text(report, "jsonl")
    assert text(report, "value") == "0.0\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_safe_guards_text(make, text, start) -> None:
    cell = f"{start}1+1"
    report = make.report(make.result(-1.5), make.group(-2.5, {cell: cell}), by=(cell,))
    plainly, safely = cells(text(report, "csv")), cells(text(report, "csv", csv_safe=True))
    assert plainly[0][3] == plainly[2][3] == cell
    assert safely[0][3] == safely[2][3] == "'" + cell
    assert [row[-1] for row in safely[1:]] == ["-1.5", "-2.5"]


def test_csv_safe_never_touches_numbers(make, text) -> None:
    samples = make.samples(make.sample(1, -0.5), make.sample(2, -math.inf), make.sample(3, -1e-300))
    report = make.report(make.result(None, reduction="none"), samples=samples)
    assert text(report, "csv", csv_safe=True) == "row,status,huber\n1,ok,-0.5\n2,ok,-inf\n3,ok,-1e-300\n"
    assert text(report, "csv", csv_safe=True) == text(report, "csv")


def test_values(make, text) -> None:
    report = make.report(*(make.result(v) for v in (0.1, math.inf, -math.inf, math.nan, 1e22)))
    assert text(report, "value") == "0.1\ninf\n-inf\nnan\n1e+22\n"


def test_values_of_samples(make, text) -> None:
    one = make.samples(make.sample(1, 0.5), make.sample(2, None, status="nan"), make.sample(3, math.nan))
    report = make.report(make.result(None, reduction="none"), samples=one)
    assert text(report, "value") == "0.5\n\nnan\n"
    two = make.samples(make.sample(1, 0.5, 2.0), make.sample(2, None, 3.0), labels=("a", "b"))
    assert text(make.report(make.result(None, reduction="none"), samples=two), "value") == "0.5\t2.0\n\t3.0\n"


@pytest.mark.parametrize("digits", [1, 17])
def test_machine_formats_ignore_digits(make, text, digits) -> None:
    report = make.report(make.result(1 / 3))
    for format in ("plain", "csv", "json", "jsonl", "value"):
        assert text(report, format, digits=digits) == text(report, format)
        assert "0.3333333333333333" in text(report, format)


@pytest.mark.parametrize("format", ["plain", "csv", "value"])
def test_samples_are_streamed(make, text, format) -> None:
    from lossctl.report.render import render

    samples = make.samples(*(make.sample(i, i / 3) for i in range(10_000)), order="all")
    chunks = render(make.report(make.result(None, reduction="none"), samples=samples), format)
    head = [next(chunks), next(chunks)]
    assert samples.taken < 3000
    assert "".join(head + list(chunks)).count("\n") == (10_000 if format == "value" else 10_001)
