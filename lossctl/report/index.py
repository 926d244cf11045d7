"""The generated index: what help, completion and name lookup need, without NumPy.

``python -m lossctl.report.index`` rewrites it; a test holds it byte for byte against the registry.
"""

from __future__ import annotations

import pprint
from pathlib import Path
from typing import Any

from lossctl.model.params import value_text
from lossctl.model.registry import Entry, entries

PATH = Path(__file__).parent.parent / "_index.py"

HEADER = '''"""Generated from the declarations by `python -m lossctl.report.index`; do not edit."""

from typing import Any

INDEX: dict[str, dict[str, Any]] = '''


def entry_record(entry: Entry) -> dict[str, Any]:
    """One line of the index."""
    spec = entry.spec
    return {
        "aliases": list(entry.aliases),
        "base": spec.name,
        "family": spec.family,
        "inputs": [[i.role, i.side, i.kind.axes, i.kind.describe(entry.fixed)] for i in spec.inputs],
        "module": spec.module,
        "params": {
            name: {
                "help": p.help,
                "phrase": p.phrase(),
                "default": value_text(entry.fixed.get(name, p.default)),
                "choices": list(p.choices),
                "flag": "bool" in p.types,
                "list": "list" in p.types,
                "fixed": name in entry.fixed,
            }
            for name, p in spec.params.items()
        },
        "reductions": list(spec.views),
        "summary": entry.summary,
        "title": entry.title,
    }


def text() -> str:
    """The index module as it must stand on disk."""
    index = {entry.name: entry_record(entry) for entry in entries()}
    return HEADER + pprint.pformat(index, width=110, sort_dicts=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
