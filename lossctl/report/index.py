"""The generated index: all that the declarations say, for those who must not wait for NumPy.

``python -m lossctl.report.index`` rewrites it; a test holds it byte for byte against the registry. A
loss is one line: what every start looks at as plain values, the rest as JSON that is read when asked for.
"""

from __future__ import annotations

import importlib
import json
import math
from pathlib import Path
from typing import Any

from lossctl.model.params import Param, Value, value_text
from lossctl.model.registry import Entry, entries
from lossctl.report.example import example
from lossctl.report.views import views

PATH = Path(__file__).parent.parent / "_index.py"

HEADER = '''"""Generated from the declarations by `python -m lossctl.report.index`; do not edit."""

# family: what its losses are about
FAMILIES: dict[str, str] = {'''

MIDDLE = """}

# canonical name: family, title, aliases, the rest of the record as JSON
INDEX: dict[str, tuple[str, str, tuple[str, ...], str]] = {"""


def entry_record(entry: Entry) -> dict[str, Any]:
    """Everything declared about one canonical name, as plain values."""
    spec = entry.spec
    row, mean, total = views(entry)
    return {
        "name": entry.name,
        "aliases": list(entry.aliases),
        "family": spec.family,
        "title": entry.title,
        "summary": entry.summary,
        "base": spec.name,
        "preset": {key: plain(value) for key, value in entry.fixed.items()},
        "module": spec.module,
        "formula": spec.formula,
        "inputs": [[i.role, i.side, i.kind.axes, i.kind.describe(entry.fixed)] for i in spec.inputs],
        "kinds": [i.kind.name for i in spec.inputs],
        "synonyms": {i.role: i.kind.synonyms[i.role] for i in spec.inputs if i.role in i.kind.synonyms},
        "optional": [i.role for i in spec.inputs if i.optional],
        "beside": [i.role for i in spec.inputs if i.kind.whole],
        "params": {name: param_record(p, entry.fixed) for name, p in spec.params.items()},
        "reductions": list(spec.views),
        "views": {"row": row, "mean": mean, "sum": total},
        "scope": spec.scope,
        "per": spec.per,
        "direction": spec.direction,
        "range": spec.range,
        "unit": spec.unit,
        "laws": [[law.name, law.phrase] for law in sorted(spec.laws, key=lambda law: law.name)],
        "like": {library: {k: plain(v) for k, v in preset.items()} for library, preset in spec.like.items()},
        "equivalents": [[e.library, e.call, e.note] for e in spec.equivalents],
        "traps": list(spec.traps),
        "tasks": list(spec.tasks),
        "aligned": any(detail.when is None for detail in spec.details),
        "paper": str(spec.paper) if spec.paper else None,
        "see": list(spec.see),
        "doctest": doctest_of(entry) if not entry.fixed else "",
        "example": example(entry),
    }


def param_record(param: Param, fixed: Any) -> dict[str, Any]:
    when = param.when
    return {
        "option": param.option,
        "help": param.help,
        "phrase": param.phrase(),
        "default": value_text(fixed.get(param.name, param.default)),
        "value": plain(fixed.get(param.name, param.default)),
        "choices": list(param.choices),
        "flag": "bool" in param.types,
        "list": bool(param.types & {"list", "words"}),
        "file": param.file,
        "fixed": param.name in fixed,
        "when": None if when is None else [when.param, [value_text(value) for value in when.values]],
    }


def plain(value: Value) -> Any:
    """The value as JSON has it; an infinity as its name."""
    if isinstance(value, tuple):
        return [plain(number) for number in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def doctest_of(entry: Entry) -> str:
    """The example in the kernel's docstring, prompts and all."""
    import inspect

    _, prompt, rest = (inspect.getdoc(entry.spec.kernel) or "").partition(">>>")
    return (prompt + rest).rstrip()


def heading(family: str) -> str:
    """The docstring of the family's package: one line, without its full stop."""
    package = importlib.import_module(f"lossctl.losses.{family.replace('-', '_')}")
    return (package.__doc__ or family).strip().splitlines()[0].removesuffix(".")


def line(entry: Entry) -> str:
    """One loss as it stands in the index."""
    record = entry_record(entry)
    name, aliases, family, title = (record.pop(key) for key in ("name", "aliases", "family", "title"))
    rest = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"    {name!r}: ({family!r}, {title!r}, {tuple(aliases)!r}, {rest!r}),"


def text() -> str:
    """The index module as it must stand on disk."""
    every = list(entries())
    families = [f"    {name!r}: {heading(name)!r}," for name in sorted({entry.spec.family for entry in every})]
    return "\n".join([HEADER, *families, MIDDLE, *map(line, every), "}", ""])


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
