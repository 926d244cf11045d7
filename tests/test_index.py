"""The generated index says what the declarations say, to the byte, and stays small and quick to read."""

from __future__ import annotations

import ast
import importlib

import pytest

from lossctl import _index, index
from lossctl.model.registry import entries
from lossctl.report import index as generator

ENTRIES = list(entries())


def test_the_index_is_up_to_date():
    assert generator.PATH.read_text(encoding="utf-8") == generator.text(), "run python -m lossctl.report.index"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_what_is_written_is_what_is_read(entry):
    assert index.record(entry.name) == generator.entry_record(entry)


def test_names_in_order():
    assert list(_index.INDEX) == sorted(_index.INDEX) == index.names() == [entry.name for entry in ENTRIES]


def test_a_loss_is_one_line():
    """So that a change of one loss is a change of one line, and nothing grows with depth."""
    lines = generator.text().splitlines()
    assert [line.split("'")[1] for line in lines if line.startswith("    ") and "{" in line] == index.names()


def test_only_the_first_look_is_paid_for():
    """What is not looked at stays one string: the module holds no nested tables."""
    tree = ast.parse(generator.text())
    values = [node for node in ast.walk(tree) if isinstance(node, ast.Tuple) and len(node.elts) == 4]
    loads = [v for v in values if isinstance(v.elts[2], ast.Tuple) and isinstance(v.elts[3], ast.Constant)]
    assert len(loads) == len(index.names())
    assert sum(1 for _ in ast.walk(tree)) < 60 + 40 * len(index.names())


def test_headings_are_the_families_own_words():
    assert set(_index.FAMILIES) == set(index.families()) == {entry.spec.family for entry in ENTRIES}
    for family in index.families():
        package = importlib.import_module(f"lossctl.losses.{family.replace('-', '_')}")
        assert (package.__doc__ or "").startswith(f"{index.heading(family)}.")
        assert "\n" not in index.heading(family)


def test_a_record_does_not_depend_on_the_index(monkeypatch):
    """A loss that is new in the registry, and in no index yet, can be written into one."""
    monkeypatch.setattr(index, "INDEX", {})
    assert generator.entry_record(ENTRIES[0])["name"] == ENTRIES[0].name
