"""How errors show."""

import json

import jsonschema
import pytest

from lossctl.errors import DataError, LossctlError, OutputError, UsageError
from lossctl.report.jsonout import schema
from lossctl.report.problem import error_json, error_text


def test_what_where_more_and_what_to_try() -> None:
    error = DataError(
        "prob = 1.3 is not a probability in [0, 1]",
        file="preds.parquet",
        column="p",
        row=1041377,
        details=("and 12 more rows",),
        hint="are these logits?  add --input logits",
    )
    assert error_text(error) == (
        "lossctl: prob = 1.3 is not a probability in [0, 1]\n"
        '  preds.parquet, column "p", row 1,041,377\n'
        "  and 12 more rows\n"
        "  try: are these logits?  add --input logits"
    )


def test_a_bare_message_is_one_line() -> None:
    assert error_text(LossctlError("it broke")) == "lossctl: it broke"


def test_a_place_is_not_said_twice() -> None:
    assert error_text(OutputError("cannot write out.json: No space", file="out.json")).count("out.json") == 1


@pytest.mark.parametrize("count", range(9))
@pytest.mark.parametrize("hint", [None, "this"])
@pytest.mark.parametrize("file", [None, "a.csv"])
def test_never_more_than_five_lines(count, hint, file) -> None:
    details = tuple(f"row {i}" for i in range(count))
    lines = error_text(DataError("no", details=details, hint=hint, file=file)).split("\n")
    room = 4 - bool(hint) - bool(file)
    assert len(lines) == min(5, 1 + bool(hint) + bool(file) + count)
    shown = [line for line in lines if line.startswith("  row ")]
    if count <= room:
        assert len(shown) == count
    else:
        assert f"  and {count - len(shown)} more" in lines
    assert (lines[-1] == "  try: this") == bool(hint)


def test_text_is_inert_and_short() -> None:
    bad = "[red]\x1b[2J\u202e\n" + "x" * 1_000_000
    error = DataError(bad, file=bad, column=bad, details=(bad,), hint=bad)
    shown = error_text(error)
    assert len(shown.split("\n")) == 4
    assert shown.replace("\n", "").isprintable()
    assert all(len(line) <= 400 for line in shown.split("\n"))
    assert shown.startswith(r"lossctl: [red]\x1b[2J\u202e\nxxx")


def test_only_what_is_too_long_is_cut() -> None:
    fits = "x" * (400 - len("lossctl: "))
    assert error_text(LossctlError(fits)) == "lossctl: " + fits
    cut = error_text(LossctlError(fits + "y"))
    assert len(cut) == 400
    assert cut.endswith("x ... " + "x" * 94 + "y")


def test_json_is_one_line_as_the_contract_says() -> None:
    error = DataError("no column pred", code="column-not-found", file="a.csv", column="pred", hint="use --pred score")
    line = error_json(error)
    assert line == (
        '{"schema": "lossctl.error/1", "error": {"code": "column-not-found", "exit": 3, '
        '"message": "no column pred", "file": "a.csv", "row": null, "column": "pred", "hint": "use --pred score"}}'
    )


@pytest.mark.parametrize(
    "error",
    [
        DataError("x", row=7, code="not-a-number"),
        UsageError("x\x1b\u202e\n", file="\udcff"),
        OutputError("x", hint="y"),
        LossctlError("x"),
    ],
)
def test_json_is_valid(error) -> None:
    line = error_json(error)
    assert line.isprintable()
    found = json.loads(line)
    jsonschema.validate(found, schema("lossctl.error/1"))
    assert found["error"]["message"] == error.message
    assert found["error"]["exit"] == error.exit


@pytest.mark.parametrize("change", [{"exit": 0}, {"row": 0}, {"code": "Not Good"}, {"message": None}, {"file": 3}])
def test_the_schema_refuses_what_is_wrong(change) -> None:
    found = json.loads(error_json(DataError("x")))
    found["error"].update(change)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, schema("error-1"))
