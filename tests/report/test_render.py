"""The one door."""

import subprocess
import sys

import pytest

from lossctl.errors import UsageError
from lossctl.report.render import FORMATS, render


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_ends_its_last_line_and_says_the_value(make, text, format) -> None:
    shown = text(make.report(), format)
    assert shown.endswith("\n")
    assert not shown.endswith("\n\n")
    assert "0.137512" in shown


def test_without_options_the_table_is_bare_and_the_numbers_have_six_digits(make, text) -> None:
    report = make.report(make.result(1 / 3))
    assert text(report, "table") == text(report, "table", digits=6, color=False, width=None, encoding="utf-8")
    assert text(report, "markdown") == text(report, "markdown", digits=6)
    assert " 0.333333 " in text(report, "table")


@pytest.mark.parametrize("format", ["auto", "xml", ""])
def test_other_formats_are_refused(make, format) -> None:
    with pytest.raises(UsageError) as caught:
        render(make.report(), format)
    assert caught.value.message == f"{format} is not a format"
    assert caught.value.code == "unknown-format"
    assert all(name in (caught.value.hint or "") for name in FORMATS)


SCRIPT = """
import sys
from lossctl.engine.result import Report
from lossctl.report.render import render
report = Report([], 0, 0, {}, [], None, [], False)
"".join(render(report, sys.argv[1]))
print(*sorted(sys.modules.keys() & {"rich", "numpy", "json", "decimal"}))
"""


@pytest.mark.parametrize("format", FORMATS)
def test_rich_is_loaded_for_tables_only(format) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, format], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert ("rich" in loaded) == (format == "table")
    assert "numpy" not in loaded
    if format in {"plain", "csv", "value"}:
        assert loaded == set()
