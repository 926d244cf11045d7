"""The manual: up to date to the byte, complete, sound roff, and its examples run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lossctl import __version__, index
from lossctl.cli.main import COMMANDS, cli
from lossctl.cli.man import pages, sources
from lossctl.model.registry import entries
from lossctl.report.page import Code, Item, Page, Para, Section, Span, literal, say
from lossctl.report.roff import roff
from lossctl.report.topics import topics

ROOT = Path(__file__).parent.parent
MAN = ROOT / "man"
SOURCES = sources()
each_page = pytest.mark.parametrize("path", SOURCES)


def test_the_manual_is_up_to_date():
    on_disk = {path.relative_to(MAN).as_posix(): path.read_text(encoding="ascii") for path in MAN.rglob("*.[17]")}
    assert on_disk == SOURCES, "run python -m lossctl.cli.man"
    assert {path for path in MAN.rglob("*") if path.is_file()} == {MAN / path for path in SOURCES}


def test_a_page_for_everything():
    commands = {"man1/lossctl.1", *(f"man1/lossctl-{name}.1" for name in COMMANDS)}
    others = {f"man7/lossctl-{name}.7" for name in (*index.families(), *topics())}
    assert set(SOURCES) == commands | others
    assert {"formats", "exit-codes", "columns", "json"} <= set(topics())


def test_the_wheel_and_the_archive_carry_it():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert build["wheel"]["shared-data"] == {"man": "share/man"}
    assert "man" in build["sdist"]["include"]


def plain(text: str) -> str:
    """Roff as the words a reader sees."""
    text = re.sub(r"\\f[BIR]|\\[&:]", "", text)
    for sign, letter in (("\\(aq", "'"), ("\\(ga", "`"), ("\\(ha", "^"), ("\\(ti", "~"), ("\\(dq", '"'), ("\\-", "-")):
        text = text.replace(sign, letter)
    text = re.sub(r"\\\[u([0-9A-F]+)\]", lambda m: chr(int(m[1], 16)), text)
    return " ".join(text.replace("\\e", "\\").split())


@pytest.mark.parametrize("entry", list(entries()), ids=lambda entry: entry.name)
def test_a_family_page_says_everything_about_its_losses(entry):
    page = SOURCES[f"man7/lossctl-{entry.spec.family}.7"]
    section = plain(page.partition(f'\n.SH "{entry.name.replace("-", chr(92) + "-")}"\n')[2].partition("\n.SH ")[0])
    assert entry.summary in section
    for text in (
        *entry.aliases,
        *entry.spec.traps,
        *index.record(entry.name)["reductions"],
        entry.spec.range,
        entry.spec.unit,
    ):
        assert " ".join(text.split()) in section
    for equivalent in entry.spec.equivalents:
        assert equivalent.call in section
        assert equivalent.note in section
    for line in entry.spec.formula.splitlines():
        assert " ".join(line.split()) in section
    for name, param in entry.spec.params.items():
        assert param.option in section or name in entry.fixed or param.when is not None
    if entry.spec.paper:
        assert str(entry.spec.paper) in section


# Sound roff, also where no groff is installed.

MACROS = {"TH", "SH", "SS", "PP", "TP", "IP", "RS", "RE", "nf", "fi", "br", "sp", "nh", "ad"}


@each_page
def test_rules_of_roff(path):
    lines = SOURCES[path].splitlines()
    assert SOURCES[path].isascii()
    assert SOURCES[path].endswith("\n")
    assert lines[1].startswith(".TH ")
    assert sum(line.startswith(".TH") for line in lines) == 1
    assert lines[4].startswith('.SH "NAME"')
    name = path.split("/")[1].rsplit(".", 1)[0]
    assert lines[5].startswith(f"{name.replace('-', chr(92) + '-')} \\- ")
    open_blocks: list[str] = []
    for line in lines[1:]:
        assert line == line.rstrip()
        assert line
        if line.startswith("."):
            macro = line[1:].split(" ")[0]
            assert macro in MACROS, line
            assert not line.startswith((".SH", ".SS")) or re.fullmatch(r'\.S[HS] "[^"]+"', line)
            if macro in {"nf", "RS"}:
                open_blocks.append(macro)
            elif macro in {"fi", "RE"}:
                assert open_blocks.pop() == {"fi": "nf", "RE": "RS"}[macro]
        else:
            assert not line.startswith("'")
            assert len(line) <= 160 or "nf" in open_blocks
            rest = re.sub(r"\\(?:\((?:aq|ga|ha|ti|dq|bu)|\[u[0-9A-F]{4,6}\]|f[BIR]|[-e&:])", "", line)
            assert not re.search(r"[\\'`^~\"-]", rest), line
        if macro_of(line) in {"TP", "SH", "SS", "RS"}:
            assert not open_blocks or open_blocks[-1] == "RS"
    assert not open_blocks


def macro_of(line: str) -> str:
    return line[1:].split(" ")[0] if line.startswith(".") else ""


@each_page
def test_every_term_has_its_line(path):
    """A .TP is followed by the term, then by what it means."""
    lines = SOURCES[path].splitlines()
    for place, line in enumerate(lines):
        if line == ".TP":
            assert not lines[place + 1].startswith(".")
            assert not lines[place + 2].startswith((".TP", ".SH", ".SS"))


def test_no_dates_and_one_version():
    for text in SOURCES.values():
        header = text.splitlines()[1]
        assert re.fullmatch(rf'\.TH "[^"]+" [17] "" "lossctl {re.escape(__version__)}" "lossctl manual"', header)
    assert sources() == SOURCES


def test_what_roff_would_obey_is_text():
    spans = (Span(".SH is 'text' \\fBtoo\\fR "), Span("-x", "bold"), Span(' ~^`"\u00e9'))
    blocks = [Section("NAME"), Para(spans), Code(".TH\n'br\n\n\\n[x]"), Item(literal(".x"), (say("`.y` z"),))]
    text = roff(Page("x", 1, blocks))
    for line in text.splitlines():
        assert not line.startswith(".") or macro_of(line) in MACROS | {'\\"'}
        assert not line.startswith("'")
    assert "\n\\&.TH\n\\(aqbr\n.sp\n\\en[x]\n" in text
    assert "\\[u00E9]" in text


@each_page
@pytest.mark.skipif(shutil.which("man") is None, reason="no man here")
def test_man_has_no_complaints(path):
    command = ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", str(MAN / path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    shown = re.sub(".\b", "", done.stdout)
    assert "\nNAME\n" in shown
    assert "\nSEE ALSO\n" in shown


@each_page
@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff here")
def test_groff_has_no_complaints(path):
    command = ["groff", "-ww", "-man", "-Tutf8", str(MAN / path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


# Examples

EXAMPLES = sorted(
    {
        block.text
        for page in pages()
        if page.section == 1
        for block in page.blocks
        if isinstance(block, Code) and block.runs
    }
    | {
        block.text
        for name in topics()
        for page in pages()
        if page.name == f"lossctl-{name}"
        for block in page.blocks
        if isinstance(block, Code) and block.runs
    }
)


@pytest.mark.parametrize("command", EXAMPLES)
def test_the_examples_run(command, tmp_path):
    """Those of the families are run where explain is tested."""
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    function = f'lossctl() {{ {shlex.quote(sys.executable)} -m lossctl "$@"; }}'
    script = f"set -eo pipefail\n{function}\n{command}"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() or "eval" in command
    assert "Traceback" not in done.stderr


def test_the_example_of_the_first_help_runs(tmp_path):
    command = (cli.epilog or "").partition("Example: ")[2]
    assert command.startswith("lossctl compute ")
    (tmp_path / "preds.csv").symlink_to(ROOT / "sample_data" / "diabetes_ridge.csv")
    words = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_every_command_has_examples():
    for name in COMMANDS:
        page = next(page for page in pages() if page.name == f"lossctl-{name}")
        assert any(isinstance(block, Code) and f"lossctl {name}" in block.text for block in page.blocks)
