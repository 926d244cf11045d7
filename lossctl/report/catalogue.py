"""A loss described: for a reader, and as the JSON registry."""

from __future__ import annotations

from typing import Any

from lossctl.model.params import value_text
from lossctl.model.reduce import Elements, Extreme, Mean, Product, Ratio, RootMeanSquare, Sums
from lossctl.model.registry import Entry, get

__all__ = ["entry_json", "entry_text"]

VIEWS = {
    Mean: ("its value", "sum of the values / number of rows", "sum of the values"),
    Ratio: ("its numerator", "sum of numerators / sum of denominators", "sum of numerators"),
    RootMeanSquare: ("root of its mean square", "root of the mean square over all elements", "none"),
    Sums: ("none", "none (one number for the whole data set)", "none"),
    Product: ("its factor", "geometric mean", "none (the product is the default)"),
    Extreme: ("its greatest value", "none (the greatest of all)", "none"),
}


def views(entry: Entry) -> tuple[str, str, str]:
    """What a row's value, the mean and the sum are."""
    reduce = entry.spec.reduce
    if isinstance(reduce, Elements):
        if reduce.row_mode == "sum":
            return "sum of its elements", "sum of all elements / number of rows", "sum of all elements"
        return "mean of its elements", "sum of all elements / their number", "sum of all elements"
    unit = "list" if entry.spec.scope == "group" else "row"
    row, mean, total = VIEWS[type(reduce)]
    return row, mean.replace("rows", f"{unit}s"), total


def entry_json(name: str) -> dict[str, Any]:
    """The registry record of a canonical name; additive only."""
    entry = get(name)
    spec = entry.spec
    row, mean, total = views(entry)
    return {
        "name": entry.name,
        "aliases": list(entry.aliases),
        "family": spec.family,
        "title": entry.title,
        "summary": entry.summary,
        "base": spec.name,
        "preset": dict(entry.fixed),
        "formula": spec.formula,
        "inputs": [
            {
                "role": i.role,
                "axes": i.kind.axes,
                "kind": i.kind.name,
                "phrase": i.kind.describe(entry.fixed),
                "side": i.side,
            }
            for i in spec.inputs
        ],
        "params": [
            {
                "name": p.name,
                "option": p.option,
                "help": p.help,
                "range": p.phrase(),
                "default": entry.fixed.get(key, p.default),
                "fixed": key in entry.fixed,
            }
            for key, p in spec.params.items()
        ],
        "reduction": spec.reduce.views[0],
        "reductions": list(spec.reduce.views),
        "views": {"row": row, "mean": mean, "sum": total},
        "scope": spec.scope,
        "per": spec.per,
        "direction": spec.direction,
        "range": spec.range,
        "unit": spec.unit,
        "laws": sorted(law.name for law in spec.laws),
        "like": {library: dict(preset) for library, preset in spec.like.items()},
        "equivalents": [{"library": e.library, "call": e.call, "note": e.note} for e in spec.equivalents],
        "traps": list(spec.traps),
        "paper": str(spec.paper) if spec.paper else None,
        "see": list(spec.see),
    }


def entry_text(name: str) -> str:
    """The same for a reader at a terminal."""
    entry = get(name)
    spec = entry.spec
    row, mean, total = views(entry)
    lines = [f"{entry.name} - {entry.title}", "", entry.summary, ""]
    if entry.aliases:
        lines += [f"also called: {', '.join(entry.aliases)}", ""]
    if entry.fixed:
        preset = ", ".join(f"{key}={value_text(value)}" for key, value in entry.fixed.items())
        lines += [f"the same as: {spec.name} with {preset}", ""]
    lines += ["formula", *(f"  {line}" if line else "" for line in spec.formula.splitlines()), "", "inputs"]
    lines += [f"  {i.role} ({i.kind.axes}): {i.kind.describe(entry.fixed)}" for i in spec.inputs]
    free = {
        key: p
        for key, p in spec.params.items()
        if key not in entry.fixed
        and (p.when is None or entry.fixed.get(p.when.param, p.when.values[0]) in p.when.values)
    }
    if free:
        lines += ["", "parameters"]
        for p in free.values():
            lines += [f"  {p.option} (default {value_text(p.default)}): {p.help}", f"      {p.phrase()}"]
    lines += ["", "reduction", f"  a row    {row}", f"  mean     {mean}", f"  sum      {total}"]
    lines += [f"  default  {spec.reduce.views[0]}   (all: {', '.join(spec.reduce.views)})"]
    better = "lower" if spec.direction == "minimise" else "higher"
    lines += ["", f"range {spec.range}, in {spec.unit}; {better} is better"]
    if spec.laws:
        lines += [f"laws: {'; '.join(law.phrase for law in sorted(spec.laws, key=lambda law: law.name))}"]
    if spec.equivalents:
        lines += ["", "the same number elsewhere"]
        for e in spec.equivalents:
            lines += [f"  {e.library}: {e.call}" + (f"   [{e.note}]" if e.note else "")]
    if spec.like:
        lines += [f"  --like {'|'.join(spec.like)} takes that library's convention"]
    if spec.traps:
        lines += ["", "traps", *(f"  - {trap}" for trap in spec.traps)]
    if spec.paper:
        lines += ["", f"paper: {spec.paper}"]
    if spec.see:
        lines += [f"see also: {', '.join(spec.see)}"]
    return "\n".join(lines)
