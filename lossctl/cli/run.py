"""What ``compute`` does once its options are parsed; everything heavy is imported from here on."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from lossctl import index
from lossctl.cli import terminal
from lossctl.cli.common import Settings, apply_common, say
from lossctl.cli.terminal import put_all
from lossctl.data.inputs import open_inputs
from lossctl.data.roles.binding import Request
from lossctl.engine.options import ALL, MEMORY, Options, Plan, memory_size
from lossctl.engine.result import Report, Result
from lossctl.engine.run import run
from lossctl.errors import DataError, UsageError
from lossctl.model.call import LossCall, labels, parse_calls
from lossctl.report.aligned import blocks
from lossctl.report.output import output_format, write_output
from lossctl.report.render import render
from lossctl.report.text import escape

__all__ = ["run_compute"]

VERDICT = 1


def run_compute(ctx: click.Context, losses: str, values: dict[str, Any]) -> int:
    """Read, score, write, judge; the exit status."""
    settings = apply_common(ctx, values)
    started = time.perf_counter()
    files = file_params(losses)
    texts = {k[2:]: spell(v) for k, v in values.items() if k.startswith("p_") and v is not None}
    calls = parse_calls(losses, {key: text if key in files else list_file(text) for key, text in texts.items()})
    options = options_of(values)
    check_bounds(values, calls)
    paths: Sequence[str] = values["files"]
    if not paths and not any(k.startswith("r_") and v for k, v in values.items()):
        raise UsageError("no file to score", code="no-input", hint=f"lossctl compute {losses} preds.csv")
    check_outputs(values["output"], paths)
    sources, roles, elsewhere = open_inputs(
        paths,
        {k[2:].replace("_", "-"): v for k, v in values.items() if k.startswith("r_") and v is not None},
        input_format=values["input_format"],
        delimiter=values["delimiter"],
        no_header=values["no_header"],
        null_values=values["null_value"] or None,
        prose=all(call.entry.spec.reads_text for call in calls),
        unmatched=values["unmatched"],
        memory=options.memory,
    )
    for word, name in other_names(losses):
        say(settings, f"{word} is {name}")
    report = run(calls, sources, request_of(values, roles), options, elsewhere)
    talk(report, settings, roles)
    check_judged(report, values)
    write(report, values, settings)
    if settings.verbose:
        say(settings, f"{report.read:,} rows in {time.perf_counter() - started:.3f} s")
    return judge(report, values, settings)


def other_names(losses: str) -> Iterator[tuple[str, str]]:
    """Aliases that were typed, with what they resolve to; a mere ``-loss`` is no other name."""
    for part in losses.split(","):
        word = index.normal(part.split(":")[0])
        if not word.startswith("@") and index.resolve(word) not in {word, word.removesuffix("-loss")}:
            yield word, index.resolve(word)


def file_params(losses: str) -> set[str]:
    """Parameters that are files themselves, rather than lists that a file may hold."""
    every = (index.record(name)["params"] for part in losses.split(",") for name in index.named(part))
    return {key for params in every for key, param in params.items() if param["file"]}


def spell(value: Any) -> str:
    """A raw option value; a flag as the word the parameter parses."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def list_file(text: str) -> str:
    """The text itself, or the numbers in the file it names."""
    if any(c.isalpha() for c in text) and os.path.isfile(text):
        with open(text, encoding="utf-8") as file:
            return ",".join(file.read().replace(",", " ").split())
    return text


def names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text else ()


def request_of(values: Mapping[str, Any], roles: Mapping[str, str]) -> Request:
    return Request(
        roles=roles,
        weight=values["weight"],
        mask=values["mask"],
        key=names(values["key"]),
        by=names(values["by"]),
        classes=names(values["classes"]) or None,
        positive=values.get("positive"),
        unmatched=values["unmatched"],
    )


def options_of(values: Mapping[str, Any]) -> Options:
    rows = values["rows"]
    if rows is not None and rows != "all" and not rows.isdigit():
        raise UsageError(f"--rows {rows} is no number of rows", code="bad-option", hint="a number, or all")
    if rows is not None and values["worst"] is not None:
        raise UsageError("--rows and --worst ask for different rows", code="bad-option", hint="leave one of them out")
    return Options(
        reduction=values["reduction"],
        row=values["row"],
        weight_norm=values["weight_norm"],
        like=values["like"],
        nan=values["nan"],
        empty=values["empty"],
        renormalize=values["renormalize"],
        limit=values["limit"],
        rows=None if rows is None else ALL if rows == "all" else int(rows),
        worst=values["worst"],
        stats=values["stats"],
        chunk_rows=values["chunk_rows"],
        threads=values["threads"],
        memory=memory_size(values["memory"]) if values["memory"] else MEMORY,
        per_column=values["per_column"],
        per_class=values["per_class"],
        ci=plan_of(values),
        show_alignment=values.get("show_alignment"),
    ).checked()


def plan_of(values: Mapping[str, Any]) -> Plan | None:
    """The interval asked for; its settings without it do nothing, and are refused."""
    settings = {k: values[k] for k in ("ci_method", "resamples", "seed") if values[k] is not None}
    if values["ci"] is None:
        if settings:
            option = next(iter(settings)).replace("_", "-")
            raise UsageError(f"--{option} is about intervals, and none is asked for", code="bad-option", hint="--ci")
        return None
    if "ci_method" in settings:
        settings["method"] = settings.pop("ci_method")
    return Plan.asked(values["ci"], settings)


def talk(report: Report, settings: Settings, roles: Mapping[str, str]) -> None:
    """On stderr: which columns were taken, and the warnings."""
    for info in report.inputs:
        found = {r: c for r, c in info.columns.items() if r not in roles and r not in {"by", "weight", "mask"}}
        if found and not (info.format == "npy" and len(found) == 1):
            chosen = ", ".join(f"{role}={'|'.join(shorten(cols))}" for role, cols in found.items())
            say(settings, f"{inert(info.name)}: {inert(chosen)}")
    for note in report.warnings:
        say(settings, f"warning: {inert(note.message)}")


def shorten(columns: Sequence[str]) -> list[str]:
    return list(columns) if len(columns) <= 4 else [columns[0], columns[1], "...", columns[-1]]


def inert(text: str) -> str:
    return escape(text)


def check_outputs(outputs: Sequence[str], paths: Sequence[str]) -> None:
    for path in outputs:
        output_format(path)
        for other in paths:
            if os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other):
                raise UsageError(
                    f"-o {path} would overwrite an input", code="output-is-input", hint="name another file"
                )


def write(report: Report, values: Mapping[str, Any], settings: Settings) -> None:
    """Files first, then standard output."""
    for path in values["output"]:
        write_output(report, path, digits=values["digits"], csv_safe=values["csv_safe"])
    form = values["format"]
    if form == "auto":
        form = "table" if sys.stdout.isatty() else "plain"
    put_all(
        render(report, form, digits=values["digits"], csv_safe=values["csv_safe"], **looks(form, settings)),
        utf8=form != "table",
    )
    aligned = values.get("show_alignment") is not None and form not in {"table", "markdown", "json"}
    if report.samples is not None and aligned:
        width = os.get_terminal_size(sys.stderr.fileno()).columns if sys.stderr.isatty() else None
        for line in blocks(report.samples, width, values["digits"], sys.stderr.encoding or "ascii"):
            print(inert(line.removesuffix("\n")), file=sys.stderr)


def looks(form: str, settings: Settings) -> dict[str, Any]:
    """Colour, width and encoding of standard output, for the table; in a pipe it has its natural width."""
    if form != "table":
        return {}
    found = terminal.looks(settings)
    return {**found._asdict(), "width": found.width if sys.stdout.isatty() else None}


def bounds(values: Mapping[str, Any]) -> list[tuple[str, str | None, float]]:
    """(above|below, loss or None, bound) for every --fail option."""
    found = []
    for which in ("above", "below"):
        for text in values[f"fail_{which}"]:
            label, sign, number = text.rpartition("=")
            try:
                bound = float(number)
            except ValueError:
                bound = math.nan
            if math.isnan(bound):
                raise UsageError(f"--fail-{which} {text}: {number} is no number", code="bad-option")
            found.append((which, label if sign else None, bound))
    return found


def check_bounds(values: Mapping[str, Any], calls: list[LossCall]) -> None:
    """Refuse bounds that nothing in the call can be held to, before anything is read."""
    known = list(dict.fromkeys([*labels(calls), *(call.name for call in calls)]))
    for which, label, _ in bounds(values):
        if label is None and len(calls) > 1:
            raise UsageError(
                f"--fail-{which} needs a loss where several are computed",
                code="bad-option",
                hint=f"--fail-{which} LOSS=X",
            )
        if label is not None and label not in known:
            some = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
            raise UsageError(
                f"--fail-{which} {label}: no such loss in this call", code="bad-option", hint=f"one of {some}"
            )
        if values["reduction"] == "none":
            raise UsageError(f"--fail-{which} judges a reduced value, and there is none", code="bad-option")


def check_judged(report: Report, values: Mapping[str, Any]) -> None:
    """A bound on a loss that its set has left out is not held: that is no success."""
    found = {r.label for r in report.results} | {r.loss for r in report.results}
    for which, label, _ in bounds(values):
        if label is not None and label not in found:
            left = (note.message for note in report.warnings if note.code == "left-out")
            why = [text for text in left if label in {word.strip(",:") for word in text.split()}]
            raise DataError(
                f"--fail-{which} {label}: the loss was left out, and nothing was judged",
                code="left-out",
                details=tuple(why[:2]),
            )


def judge(report: Report, values: Mapping[str, Any], settings: Settings) -> int:
    """1 if any value is beyond its bound; NaN is beyond every bound."""
    status = 0
    for which, label, bound in bounds(values):
        for result in report.results:
            if label in {None, result.label, result.loss} and beyond(result, which, bound):
                parts = (("column", result.column), ("class", result.of_class))
                places = [*(result.group or {}).items(), *((k, v) for k, v in parts if v is not None)]
                where = ", ".join(f"{name}={value}" for name, value in places)
                print(
                    f"lossctl: FAIL {result.label}{f' [{inert(where)}]' if where else ''} = {result.value!r} is "
                    f"{which} {bound!r}" + (" (NaN fails every bound)" if result.value != result.value else ""),
                    file=sys.stderr,
                )
                status = VERDICT
    return status


def beyond(result: Result, which: str, bound: float) -> bool:
    value = result.value
    if value is None:
        return False
    return math.isnan(value) or (value > bound if which == "above" else value < bound)
