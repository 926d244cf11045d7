"""``help``: a page for every command, topic, family and loss; tables that are what the code obeys."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import jsonschema
import pytest

from lossctl import errors, index
from lossctl.cli import main as program
from lossctl.cli.help import subject_titles, subjects
from lossctl.cli.main import COMMANDS, main
from lossctl.cli.man import pages
from lossctl.data import formats
from lossctl.data.roles import columns
from lossctl.report import output, render
from lossctl.report.page import Code, folded
from lossctl.report.roff import ROOM
from lossctl.report.tables import TABLES, schemas, statuses
from lossctl.report.topics import topics, words

SCHEMAS = Path(__file__).parent.parent.parent / "lossctl" / "report" / "schemas"


@pytest.fixture
def run(capsys, monkeypatch):
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def go(line: str) -> tuple[int, str, str]:
        status = main(shlex.split(line))
        done = capsys.readouterr()
        return status, done.out, done.err

    return go


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_overview_names_everything(run):
    status, out, err = run("help")
    assert (status, err) == (0, "")
    for name in (*COMMANDS, *topics(), *index.families()):
        assert re.search(rf"^  {name}  ", out, re.MULTILINE), name


@pytest.mark.parametrize("name", COMMANDS)
def test_commands(run, name):
    status, out, _ = run(f"help {name}")
    assert status == 0
    for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"):
        assert f"\n{title}\n" in f"\n{out}"
    assert f"lossctl {name}" in out
    assert "--error-format" in out
    for option in re.findall(r"(--[a-z][a-z-]+)", run(f"{name} --help")[1]):
        assert option in out


@pytest.mark.parametrize("name", [name for name in subjects() if name != "json"])
def test_pages_fit_and_are_named(run, name):
    status, out, _ = run(f"help {name}")
    assert status == 0
    assert out.startswith(f"NAME\n  lossctl-{name} - ")
    formulas = {
        line.strip() for page in pages() for b in page.blocks if isinstance(b, Code) for line in b.text.splitlines()
    }
    for line in out.splitlines():
        assert len(line) <= 80 or any(line.strip() in formula for formula in formulas), line
    assert run(f"help {name.upper().replace('-', '_')}")[1] == out


def test_a_loss_is_explained(run):
    for name in index.names():
        assert run(f"help {name}")[1] == run(f"explain {name}")[1]
    alias = next(iter(index.aliases()))
    assert run(f"help {alias}")[1] == run(f"explain {alias}")[1]


def test_names_do_not_collide():
    """A subject is one thing only, so that help is never about another."""
    names = [*COMMANDS, *topics(), *index.families(), *index.names(), *index.aliases()]
    assert sorted(names) == sorted(set(names))
    assert [name for name, _ in subject_titles()] == [*COMMANDS, *topics(), *index.families()]
    assert all(text for _, text in subject_titles())


def test_nothing_of_that_name(run):
    status, out, err = run("help columsn")
    assert (status, out) == (2, "")
    assert "columns" in err
    status, _, err = run("help qqqqqqqq")
    assert status == 2
    assert "lossctl list" in err


def test_the_schemas_in_one_document(run):
    status, out, _ = run("help json")
    found = json.loads(out)
    assert status == 0
    assert found == schemas()
    assert set(found) == {json.loads(file.read_text())["title"] for file in SCHEMAS.glob("*.json")}
    for name, schema in found.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert json.loads(run(f"help {name}")[1]) == schema
        assert name == f"lossctl.{schema['$id'].removeprefix('urn:lossctl:schema:').replace(':', '/')}"
    status, _, err = run("help lossctl.nothing/1")
    assert status == 2
    assert "lossctl.compute/1" in err


# Topics say what the code says.


@pytest.mark.parametrize("name", topics())
def test_topics_have_words_and_every_table_is_used_somewhere(name):
    assert len(words(name)) >= 2


def test_every_table_stands_in_a_topic(monkeypatch):
    used: list[str] = []
    for table in TABLES:
        monkeypatch.setitem(TABLES, table, lambda table=table: iter([used.append(table)][:0]))
    for name in topics():
        words(name)
    assert sorted(used) == sorted(TABLES)


def test_formats_are_those_of_the_readers_and_writers(run):
    out = run("help formats")[1]
    reads, writes = out.split("OUTPUT FORMATS")
    for name in formats.FORMATS:
        assert re.search(rf"^  {name} ", reads, re.MULTILINE)
    for name in render.FORMATS:
        assert re.search(rf"^  {name} ", writes, re.MULTILINE)
    for extension in output.EXTENSIONS:
        assert f"-o with {extension})" in flat(writes)


def test_columns_are_those_of_the_binding(run):
    said = {columns.plain(word) for word in re.split(r"[\s,;]+", run("help columns")[1])}
    ranks = (columns.TARGET, columns.PRED, columns.SCORE, columns.CLASS_LISTS, columns.RANKING_TARGET)
    for table in (*ranks, *columns.ALSO.values(), [columns.KEY, columns.WEIGHT], [*columns.FORMS.values()]):
        for rank in table:
            assert set(rank) <= said
    for prefix in columns.PREFIXES:
        assert columns.plain(f"{prefix}<c>") in said


def test_statuses_are_those_of_the_program(run):
    kinds = {errors.UsageError, errors.DataError, errors.OutputError}
    ended = {errors.BUG, errors.INTERRUPTED, errors.CLOSED_PIPE}
    assert set(statuses()) == {0, 1, 143} | ended | {kind.exit for kind in kinds}
    documented = {int(n) for n in re.findall(r"\b(\d+) (?!and)[a-z]", (program.main.__doc__ or "").split("\n")[2])}
    assert documented == set(statuses())
    out = run("help exit-codes")[1]
    for status, text in statuses().items():
        assert f"{status} {text}" in flat(out)


def test_reductions_are_those_of_the_losses(run):
    out = run("help reductions")[1]
    for view in {view for name in index.names() for view in index.record(name)["reductions"]}:
        assert re.search(rf"^  {view} ", out, re.MULTILINE)


def test_conventions_are_those_of_the_losses(run):
    out = run("help conventions")[1]
    for name in index.names():
        for library in index.record(name)["like"]:
            section = out.partition(f"--like {library}\n")[2].partition("\n\n")[0]
            assert re.search(rf"^  {name}( |$)", section, re.MULTILINE)


def test_a_folded_command_is_the_same_command():
    for page in pages():
        for block in page.blocks:
            if isinstance(block, Code) and block.runs:
                lines = folded(block.text, ROOM)
                assert shlex.split("\n".join(lines).replace("\\\n", "")) == shlex.split(block.text)
                assert all(len(line) <= ROOM for line in lines if " " in line.strip(" \\"))
