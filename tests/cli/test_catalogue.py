"""``list`` and ``explain``: everything that is declared is found and shown, whatever is declared."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from lossctl import index
from lossctl.cli.main import main
from lossctl.errors import DataError, UsageError
from lossctl.model import registry
from lossctl.model.batch import settle
from lossctl.model.kinds import Sizes
from lossctl.model.params import value_text
from lossctl.report.page import Code
from lossctl.report.search import hits, search, stem, tokens, tokens_of
from lossctl.report.tables import schemas
from lossctl.report.views import views

ROOT = Path(__file__).parent.parent.parent
ENTRIES = list(registry.entries())
NAMES = index.names()
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command in this process: (status, what it printed, what it said on stderr)."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def go(line: str) -> tuple[int, str, str]:
        status = main(shlex.split(line))
        done = capsys.readouterr()
        return status, done.out, done.err

    return go


def words(text: str) -> str:
    """Text without its blanks and line ends, so that wrapping does not matter."""
    return "".join(text.split())


# list


def test_every_loss_is_one_line_in_a_pipe(run):
    status, out, err = run("list")
    assert status == 0
    lines = out.splitlines()
    for entry in ENTRIES:
        (line,) = [line for line in lines if line.startswith(f"  {entry.name} ")]
        assert entry.title in line
        assert (f"({', '.join(entry.aliases)})" in line) == bool(entry.aliases)
    for family in index.families():
        assert f"{family}: {index.heading(family)}" in lines
    assert len(lines) == len(ENTRIES) + 2 * len(index.families()) - 1
    aliases = sum(len(entry.aliases) for entry in ENTRIES)
    assert err == f"lossctl: {len(ENTRIES)} losses, and {aliases} other names for them\n"


def test_quiet_counts_nothing(run):
    assert run("list -q")[2] == ""
    assert run("-q list")[2] == ""


@pytest.mark.parametrize("width", [100, 80, 60, 40, 24])
def test_a_list_fits_its_width(run, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    status, out, _ = run("list")
    assert status == 0
    longest = max(len(name) for name in NAMES)
    assert max(map(len, out.splitlines())) <= max(width, longest + 2)
    shown = "".join(out.split())
    for entry in ENTRIES:
        assert re.search(rf"^  {entry.name}( |$)", out, re.MULTILINE)
        assert "".join([entry.title, f"({','.join(entry.aliases)})" if entry.aliases else ""]).replace(" ", "") in shown


@pytest.mark.parametrize("family", index.families())
def test_one_family(run, family):
    for typed in (family, family.upper(), family.replace("-", "_")):
        status, out, err = run(f"list --family {typed}")
        assert status == 0
        assert [line.split()[0] for line in out.splitlines()[1:]] == index.families()[family]
    assert err.startswith(f"lossctl: {len(index.families()[family])} loss")


def test_no_such_family(run):
    status, out, err = run("list --family nothing")
    assert (status, out) == (2, "")
    assert all(family in err for family in index.families())


def test_the_list_as_data(run):
    status, out, _ = run("list -f json")
    assert status == 0
    found = json.loads(out)
    assert [record["name"] for record in found] == [n for names in index.families().values() for n in names]
    for record in found:
        jsonschema.validate(record, schemas()["lossctl.explain/1"])


# search


@each_entry
def test_found_by_every_name_and_by_what_it_is_for(entry):
    asked = [[entry.name], *([alias] for alias in entry.aliases), *([task] for task in entry.spec.tasks)]
    asked += [entry.title.split(), entry.summary.split(), [entry.spec.family]]
    for typed in asked:
        assert entry.name in search(typed, NAMES)
    assert entry.name in search([entry.name.upper()], NAMES)


def test_every_word_must_hit():
    known = {name: tokens_of(index.record(name)) for name in NAMES}
    words = {word for e in ENTRIES for word in tokens(f"{e.name} {e.title} {e.summary}")}
    for word in words:
        found = search([word], NAMES)
        assert len(found) == len(NAMES) or all(hits(word, known[name]) for name in found)
    assert not any(hits("zzzz", told) for told in known.values())


def test_tasks_are_searched(monkeypatch):
    told = {**index.record(NAMES[0]), "tasks": ["stock prices", "imbalanced classes"]}
    monkeypatch.setattr(index, "record", lambda name, real=index.record: told if name == NAMES[0] else real(name))
    assert search(["stock"], NAMES) == [NAMES[0]]
    assert search(["price", "of", "stocks"], NAMES) == [NAMES[0]]
    assert NAMES[0] in search(["class", "imbalance"], NAMES)
    assert search(["stock", "zzzz"][:1], NAMES[1:] + NAMES[:1]) == [NAMES[0]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *[("outlier", "outliers"), ("class", "classes"), ("loss", "losses"), ("image", "images"), ("rank", "ranking")],
        *[("imbalance", "imbalanced"), ("box", "boxes"), ("query", "queries"), ("error", "errors")],
    ],
)
def test_endings_do_not_matter(one, other):
    assert stem(one) == stem(other)
    assert hits(one, frozenset({other}))
    assert hits(other, frozenset({one}))


@each_entry
def test_a_slip_brings_the_word_that_was_meant(entry):
    for word in tokens(entry.title):
        if len(word) >= 7:
            slip = word[:-2] + "zz"
            with pytest.raises(UsageError, match=slip) as caught:
                search([slip], NAMES)
            assert caught.value.exit == 2
            assert word in str(caught.value.hint)


def test_nothing_near(run):
    status, out, err = run("list qqqqqqq")
    assert (status, out) == (2, "")
    assert "lossctl list" in err


def test_words_that_never_meet_say_how_often_each_is_found():
    one, other = ENTRIES[0], next(entry for entry in ENTRIES if entry.spec.family != ENTRIES[0].spec.family)
    with pytest.raises(UsageError, match="all of") as caught:
        search([one.name, other.name, one.spec.family, other.spec.family], NAMES)
    assert caught.value.exit == 2
    assert f"{tokens(one.spec.family)[0]} " in str(caught.value.hint)


# explain


@each_entry
def test_explain_says_everything(entry, run):
    status, out, err = run(f"explain {entry.name}")
    assert (status, err) == (0, "")
    spec, said = entry.spec, words(out)
    expected = [f"{entry.name}: {entry.title}", entry.summary, *entry.aliases, spec.family, spec.unit, *views(entry)]
    expected += [f"{spec.range}; {'lower' if spec.direction == 'minimise' else 'higher'} is better"]
    expected += [line.strip() for line in spec.formula.splitlines() if line.strip() and "  " not in line.strip()]
    expected += [law.phrase for law in spec.laws] + list(spec.traps) + list(spec.tasks)
    expected += [", ".join(spec.see)] if spec.see else []
    expected += [str(spec.paper)] if spec.paper else []
    for i in spec.inputs:
        expected += [f"{i.role} ", i.kind.axes, i.kind.describe(entry.fixed)]
    for e in spec.equivalents:
        expected += [f"{e.library} {e.call}", e.note]
    for library in spec.like:
        expected += [f"{library}: "]
    expected += index.record(entry.name)["reductions"]
    for text in expected:
        assert words(text) in said, text
    acting = {
        p.option: p
        for key, p in spec.params.items()
        if key not in entry.fixed
        and (p.when is None or entry.fixed.get(p.when.param, p.when.values[0]) in p.when.values)
    }
    section = out.partition("\nPARAMETERS\n")[2].partition("\nREDUCTION\n")[0]
    assert re.findall(r"^  (--[a-z0-9-]+)", section, re.MULTILINE) == list(acting)
    for p in acting.values():
        assert words(p.help) in words(section)
        assert words(f"{p.phrase()}; default {value_text(p.default)}") in words(section)


def code_lines(name: str) -> set[str]:
    from lossctl.report.catalogue import entry_blocks

    blocks = [block for block in entry_blocks(name) if isinstance(block, Code) and not block.runs]
    return {line.strip() for block in blocks for line in block.text.splitlines()}


@pytest.mark.parametrize("width", [None, 60, 34])
@each_entry
def test_explain_fits(entry, run, width, monkeypatch):
    if width:
        monkeypatch.setenv("COLUMNS", str(width))
    formulas = code_lines(entry.name)
    for line in run(f"explain {entry.name}")[1].splitlines():
        part_of_formula = any(line.strip() in formula for formula in formulas)
        a_word = len(line.split()) <= 2 + line.count("\\") and line.startswith("    ")
        assert len(line) <= (width or 80) or part_of_formula or a_word, line
        assert line == line.rstrip()


@each_entry
def test_a_preset_shows_what_it_fixes(entry, run):
    out = run(f"explain {entry.name}")[1]
    said = re.findall(r"^  the same as +(\S.*)", out, re.MULTILINE)
    assert [line.split()[0] for line in said] == [entry.spec.name] * (entry.name != entry.spec.name)
    for key, value in entry.fixed.items():
        assert words(f"{key}={value_text(value)}") in words(out)


@each_entry
def test_an_alias_explains_its_loss_and_says_so(entry, run):
    plain = run(f"explain {entry.name}")[1]
    assert "is another name of" not in plain
    for alias in entry.aliases:
        out = run(f"explain {alias.upper()}")[1]
        assert f"{alias} is another name of {entry.name}." in out
        assert out.replace(f"\n  {alias} is another name of {entry.name}.\n", "", 1) == plain
        assert run(f"explain {alias} -f json") == run(f"explain {entry.name} -f json")


@each_entry
def test_explain_as_data(entry, run):
    status, out, _ = run(f"explain {entry.name} -f json")
    found = json.loads(out)
    assert status == 0
    jsonschema.validate(found, schemas()["lossctl.explain/1"])
    spec = entry.spec
    for key in ("name", "aliases", "title", "summary"):
        assert found[key] == (list(v) if isinstance(v := getattr(entry, key), tuple) else v)
    for key in ("family", "formula", "unit", "range", "scope", "per", "direction"):
        assert found[key] == getattr(spec, key)
    assert found["tasks"] == list(spec.tasks)
    assert found["reductions"] == index.record(entry.name)["reductions"]
    assert found["reduction"] == spec.reduce.views[0] == found["reductions"][0]
    assert [p["name"] for p in found["params"]] == list(spec.params)
    assert [p["option"] for p in found["params"]] == [p.option for p in spec.params.values()]
    assert [i["role"] for i in found["inputs"]] == list(spec.roles)
    assert [e["call"] for e in found["equivalents"]] == [e.call for e in spec.equivalents]


def test_unknown_loss(run):
    status, out, err = run("explain huberr")
    assert (status, out) == (2, "")
    assert "did you mean huber" in err


def test_no_colour_in_a_pipe_unless_asked_for(run, monkeypatch):
    name = NAMES[0]
    for command in (f"explain {name}", "list", "help", "help formats"):
        assert "\x1b" not in run(command)[1]
        coloured = run(f"{command} --color always")[1]
        assert "\x1b[1m" in coloured
        assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == run(command)[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in run(f"explain {name}")[1]
    assert "\x1b" not in run(f"explain {name} --color never")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run(f"explain {name}")[1]
    assert "\x1b" in run(f"explain {name} --color always")[1]


def test_a_terminal_gets_colour_and_its_width(monkeypatch, run):
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: os.terminal_size((50, 24)))

    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    assert main(["list"]) == 0
    plain = re.sub(r"\x1b\[[\d;]*m", "", screen.getvalue())
    assert plain != screen.getvalue()
    assert max(map(len, plain.splitlines())) <= 50


@pytest.mark.parametrize("command", ["list", "explain", "help", "inspect"])
def test_letters_that_the_locale_lacks(lossctl, command):
    what = {"explain": NAMES[-1], "inspect": str(ROOT / "sample_data" / "iris_probs.csv")}.get(command, "")
    done = lossctl(command, *filter(None, [what]), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()


# The example of every loss runs.


def arrays_for(entry: registry.Entry) -> dict[str, np.ndarray]:
    """Good arrays of the loss's kinds, in shapes that it takes."""
    for elements in (0, 4):
        params = settle(entry, {})
        arrays = {
            i.role: i.kind.sample(np.random.default_rng(0), Sizes(8, elements, 4), params) for i in entry.spec.inputs
        }
        try:
            registry.door(entry.name)(*arrays.values())
        except DataError:
            continue
        return arrays
    raise AssertionError(f"no sample of {entry.name} is good")


@each_entry
def test_the_example_runs(entry, run, tmp_path, monkeypatch):
    command = index.record(entry.name)["example"]
    assert command.startswith(f"lossctl compute {entry.name} ")
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    monkeypatch.chdir(tmp_path)
    if "sample_data" not in command:
        for role, array in arrays_for(entry).items():
            if isinstance(array, dict):
                np.savez(f"{role}.npz", **array)
            elif array.dtype.kind == "O":
                Path(f"{role}.txt").write_text("".join(f"{line}\n" for line in array), encoding="utf-8")
            else:
                np.save(f"{role}.npy", array)
    status, out, err = run(f"{command.removeprefix('lossctl ')} -f json")
    assert status == 0, err
    assert json.loads(out)["results"][0]["loss"] == entry.name
    assert words(command) in words(run(f"explain {entry.name}")[1].replace("\\\n", " "))


def test_most_losses_have_real_data_for_an_example():
    """Where a family has data of its kind among the samples, it is used."""
    real = {entry.spec.family for entry in ENTRIES if "sample_data" in index.record(entry.name)["example"]}
    assert {"regression", "classification", "ranking", "metric-learning", "sequence"} <= real
