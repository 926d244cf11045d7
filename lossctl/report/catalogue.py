"""A loss described from its record in the index: for a reader, for the manual, and as JSON. Needs no NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lossctl import index
from lossctl.report.page import Block, Code, Item, Line, Para, Section, Span, Sub, bold, literal

__all__ = ["convention", "entry_blocks", "entry_json"]

Record = Mapping[str, Any]

AXES = {
    "N": "rows",
    "K": "elements in a row",
    "C": "classes",
    "D": "dimensions",
    "P": "pixels",
    "Z": "depth",
    "Y": "height",
    "X": "width",
}
LIKE = {"norm": "a weighted mean divides by {}", "row": "a row of several elements counts as their {}"}
DIVISORS = {"n": "the number of rows", "sum": "the sum of the weights"}

BATCHES = (
    "Rows are seen in batches: --batch-size rows in the order of the file, or those with one value in the column "
    "--batch names; without either all rows are one batch."
)


def entry_json(name: str) -> dict[str, Any]:
    """The registry record of a canonical name, ``lossctl.explain/1``; additive only."""
    record = index.record(name)
    inputs = zip(record["inputs"], record["kinds"], strict=True)
    same = ("name", "aliases", "family", "title", "summary", "tasks", "base", "preset", "formula")
    rest = ("reductions", "views", "scope", "per", "direction", "range", "unit")
    return {
        "schema": "lossctl.explain/1",
        **{key: record[key] for key in same},
        "inputs": [
            {
                "role": role,
                "axes": axes,
                "kind": kind,
                "phrase": phrase,
                "side": side,
                "optional": role in record["optional"],
            }
            for (role, side, axes, phrase), kind in inputs
        ],
        "params": [
            {
                "name": key,
                "option": param["option"],
                "help": param["help"],
                "range": param["phrase"],
                "choices": param["choices"],
                "default": param["value"],
                "fixed": param["fixed"],
                "when": None if param["when"] is None else dict([param["when"]]),
            }
            for key, param in record["params"].items()
        ],
        "reduction": record["reductions"][0],
        **{key: record[key] for key in rest},
        "laws": [law for law, _ in record["laws"]],
        "like": record["like"],
        "equivalents": [
            {"library": library, "call": call, "note": note} for library, call, note in record["equivalents"]
        ],
        "traps": record["traps"],
        "paper": record["paper"],
        "see": record["see"],
        "example": record["example"],
        "doctest": record["doctest"],
    }


def entry_blocks(name: str, *, inner: bool = False) -> list[Block]:
    """Everything about one loss, from its summary on; ``inner`` parts stand below a heading of their own."""
    record = index.record(name)
    blocks: list[Block] = [Para(literal(record["summary"]))]
    for title, part in (
        ("", names(record, inner=inner)),
        ("Formula", formula(record["formula"])),
        ("Inputs", inputs(record)),
        ("Parameters", [parameter_item(record, param) for param in free_params(record)]),
        ("Reduction", reduction(record)),
        ("Value", value(record)),
        ("The same number elsewhere", elsewhere(record)),
        ("Traps", [Item(literal("-"), (literal(trap),)) for trap in record["traps"]]),
        ("Example", example(record)),
        ("Paper", [Para(literal(record["paper"]))] if record["paper"] else []),
        ("See also", [Para(literal(", ".join(record["see"])))] if record["see"] else []),
    ):
        if part and title:
            blocks.append(Sub(title) if inner else Section(title.upper()))
        blocks += part
    return blocks


def names(record: Record, *, inner: bool) -> list[Block]:
    """Other names, what a name with parameters set is short for, the family (but on its own page), the tasks."""
    found: list[Block] = []
    if record["aliases"]:
        found.append(Item(literal("also called"), (literal(", ".join(record["aliases"])),)))
    if record["base"] != record["name"]:
        preset = ", ".join(f"{key}={record['params'][key]['default']}" for key in record["preset"])
        same = f"{record['base']} with {preset}" if preset else record["base"]
        found.append(Item(literal("the same as"), (literal(same),)))
    if not inner:
        found.append(Item(literal("family"), (literal(f"{record['family']} ({index.heading(record['family'])})"),)))
    if record["tasks"]:
        found.append(Item(literal("good for"), (literal(", ".join(record["tasks"])),)))
    return found


def formula(text: str) -> list[Block]:
    """Indented lines stay as they are, the words between them fill lines."""
    blocks: list[Block] = []
    for part in text.split("\n\n"):
        lines = part.splitlines()
        if all(line.startswith("    ") for line in lines if line):
            shown = "\n".join(line[4:] for line in lines)
            blocks.append(Code(f"{blocks.pop().text}\n\n{shown}" if blocks and is_code(blocks[-1]) else shown))  # type: ignore[union-attr]
        else:
            blocks.append(Para(literal(" ".join(line.strip() for line in lines))))
    return blocks


def is_code(block: Block) -> bool:
    return isinstance(block, Code)


def inputs(record: Record) -> list[Block]:
    """Each role with its shape, what the letters of the shapes are, and which file holds what."""
    rows = record["inputs"]
    longest = max(len(role) for role, *_ in rows)
    items: list[Block] = [
        Item((*bold(role), Span(f"{'':{longest - len(role)}}  {axes}")), (literal(phrase + optional(record, role)),))
        for role, _, axes, phrase in rows
    ]
    seen = {letter for _, _, axes, _ in rows for letter in axes}
    letters = ", ".join(f"{letter} {meaning}" for letter, meaning in AXES.items() if letter in seen)
    batches = [Para(literal(BATCHES))] if record["scope"] == "batch" else []
    return [*items, Para(literal(f"{letters[:1].upper()}{letters[1:]}. {files(record)}")), *batches]


def optional(record: Record, role: str) -> str:
    return " (optional)" if role in record["optional"] else ""


def files(record: Record) -> str:
    """Which file holds which input: one table, two files by side, or a file for each input."""
    rows = [row for row in record["inputs"] if row[0] not in record["optional"]]
    if len(record["inputs"]) == 1:
        return f"One file holds {rows[0][0]}."
    if "side" in record["kinds"]:
        order = ", ".join(role + optional(record, role) for role, *_ in record["inputs"])
        return f"One table, whose shorter column ends in empty cells; an NPZ archive; or files in the order {order}."
    text = "One NPZ archive with an array for each" if record["beside"] else "One table with a column for each"
    sides = {side: [role for role, its_side, *_ in rows if its_side == side] for side in "PT"}
    if sides["P"] and sides["T"]:
        text += f"; or two files: {listed(sides['P'])}, then {listed(sides['T'])}"
    if len(record["inputs"]) > 2:
        order = ", ".join(role + optional(record, role) for role, *_ in record["inputs"])
        text += f"; or a file for each in the order {order}"
    return f"{text}."


def listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def free_params(record: Record) -> list[Record]:
    """Parameters that may be set under this name."""
    params = record["params"]

    def acts(param: Record) -> bool:
        other, values = param["when"] or (None, ())
        return other is None or not params[other]["fixed"] or params[other]["default"] in values

    return [param for param in params.values() if not param["fixed"] and acts(param)]


def parameter_item(record: Record, param: Record) -> Item:
    """An option, what it means, what it may be."""
    option = param["option"]
    said = f"{param['phrase']}; default {param['default']}"
    if param["when"] is not None:
        other, values = param["when"]
        said += f"; acts with {setting(record['params'][other], values)} only"
    term: Line = (*bold(option), Span(" "), Span(placeholder(param), "italic"))
    if param["flag"]:
        term = bold(f"{option}, {no(option)}")
    return Item(term, (literal(param["help"]), literal(said)))


def setting(param: Record, values: Sequence[str]) -> str:
    """How a parameter is set to one of some values."""
    if param["flag"]:
        return param["option"] if "true" in values else no(param["option"])
    return f"{param['option']} {'|'.join(values)}"


def no(option: str) -> str:
    return option.replace("--", "--no-", 1)


def placeholder(param: Record) -> str:
    if param["list"]:
        return "LIST"
    if param["file"]:
        return "WORD|FILE" if param["choices"] else "FILE"
    if param["phrase"] == "loss":
        return "LOSS"
    return "WORD" if param["choices"] and "number" not in param["phrase"] else "X"


def reduction(record: Record) -> list[Block]:
    views, (default, *others) = record["views"], record["reductions"]
    rows = {"a row": views["row"], "mean": views["mean"], "sum": views["sum"]}
    items: list[Block] = [Item(literal(name), (literal(words),)) for name, words in rows.items()]
    items.append(Item(literal("default"), (literal(default + ("" if others else ", and no other")),)))
    if others:
        items.append(Item(literal("also"), (literal(", ".join(others)),)))
    return items


def value(record: Record) -> list[Block]:
    better = "lower" if record["direction"] == "minimise" else "higher"
    items: list[Block] = [
        Item(literal("range"), (literal(f"{record['range']}; {better} is better"),)),
        Item(literal("unit"), (literal(record["unit"]),)),
    ]
    if record["laws"]:
        items.append(Item(literal("laws"), (literal("; ".join(phrase for _, phrase in record["laws"])),)))
    return items


def elsewhere(record: Record) -> list[Block]:
    """Calls of other libraries, then what --like takes over from each."""
    items: list[Block] = [
        Item(bold(library), tuple(literal(part) for part in (call, note and f"({note})") if part))
        for library, call, note in record["equivalents"]
    ]
    if record["like"]:
        items.append(
            Item(
                bold(f"--like {'|'.join(record['like'])}"),
                tuple(literal(f"{library}: {convention(preset)}") for library, preset in record["like"].items()),
            )
        )
    return items


def convention(preset: Mapping[str, Any]) -> str:
    """What a library does otherwise, in words."""
    said = [
        LIKE[key].format(DIVISORS.get(str(setting), setting)) if key in LIKE else f"{key}={setting}"
        for key, setting in preset.items()
    ]
    return "; ".join(said) or "as the default"


def example(record: Record) -> list[Block]:
    blocks: list[Block] = [Code(record["example"], runs=True)]
    if "sample_data/" not in record["example"]:
        blocks.append(Para(literal("Each file holds the array of one input.")))
    if record["doctest"]:
        name = record["name"].replace("-", "_")
        blocks += [Para(literal("In Python:")), Code(f">>> from lossctl.losses import {name}\n{record['doctest']}")]
    return blocks
