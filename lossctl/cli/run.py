"""What ``compute`` does once its options are parsed, ``score`` partly too; everything heavy is imported here."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from lossctl import index
from lossctl.cli import terminal
from lossctl.cli.common import Settings, apply_common, say
from lossctl.cli.terminal import put_all, watching
from lossctl.cli.verdict import check_bounds, check_judged, judge
from lossctl.data.inputs import Inputs
from lossctl.data.places import may_hold, opened, overwritten, same
from lossctl.data.roles.binding import Request
from lossctl.data.shards.paths import shards_of
from lossctl.data.sinks.target import check_reachable
from lossctl.data.stores.names import is_uri, local_path
from lossctl.engine.options import ALL, MEMORY, Options, Plan, memory_size
from lossctl.engine.result import InputInfo, Report
from lossctl.engine.run import run
from lossctl.errors import UsageError
from lossctl.model.call import LossCall, parse_calls
from lossctl.report.output import output_format, write_output
from lossctl.report.render import render
from lossctl.report.text import escape

if TYPE_CHECKING:
    from lossctl.engine.scores import Scores

__all__ = ["run_compute"]


def run_compute(ctx: click.Context, losses: str, values: dict[str, Any]) -> int:
    """Read, score, write, judge; the exit status."""
    settings = apply_common(ctx, values)
    started = time.perf_counter()
    calls = calls_of(losses, values)
    options = options_of(values)
    check_bounds(values, calls)
    paths: Sequence[str] = values["files"]
    asked = roles_of(values)
    if not paths and not asked:
        raise UsageError("no file to score", code="no-input", hint=f"lossctl compute {losses} preds.csv")
    read = [*paths, *files_in(asked)]
    check_outputs(values["output"], read, options.endpoint_url)
    check_samples(values["per_sample"], values["output"])
    inputs = inputs_of(paths, values, calls, options)
    sources, roles, elsewhere = inputs.open()
    say_names(losses, settings)
    with watching(settings) as watch:
        report = run(calls, sources, request_of(values, roles), options, elsewhere, watch, inputs)
    talk(report, settings, roles)
    check_judged(report, values)
    write_alignments(report, write(report, values, settings), values)
    if settings.verbose:
        say(settings, f"{report.read:,} rows in {time.perf_counter() - started:.3f} s")
    return judge(report.results, values)


def calls_of(losses: str, values: Mapping[str, Any]) -> list[LossCall]:
    """The losses with their parameters, those given as options among them."""
    files = file_params(losses)
    texts = {k[2:]: spell(v) for k, v in values.items() if k.startswith("p_") and v is not None}
    lists = {key: list_file(text, values["endpoint_url"]) for key, text in texts.items() if key not in files}
    return parse_calls(losses, {**texts, **lists})


def roles_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Columns by role, as they were named."""
    return {k[2:].replace("_", "-"): v for k, v in values.items() if k.startswith("r_") and v is not None}


def files_in(roles: Mapping[str, str]) -> list[str]:
    """The files that columns are taken from: ``--ROLE FILE`` or ``--ROLE FILE:COLUMNS``."""
    paths = (path for text in roles.values() for path in (text, text.rpartition(":")[0]))
    return [path for path in paths if (is_uri(path) and not path.endswith(":")) or os.path.exists(local_path(path))]


def reader_of(values: Mapping[str, Any], calls: Sequence[LossCall]) -> dict[str, Any]:
    """How every file is read."""
    return {
        "input_format": values["input_format"],
        "delimiter": values["delimiter"],
        "no_header": values["no_header"],
        "null_values": values["null_value"] or None,
        "endpoint_url": values["endpoint_url"],
        "prose": all(call.entry.spec.reads_text for call in calls),
    }


def inputs_of(paths: Sequence[str], values: Mapping[str, Any], calls: Sequence[LossCall], options: Options) -> Inputs:
    """The files of a run, and how they are read."""
    reader = reader_of(values, calls)
    prose = reader.pop("prose")
    return Inputs(tuple(paths), roles_of(values), prose, values["unmatched"], options.memory, reader)


def say_names(losses: str, settings: Settings) -> None:
    for word, name in other_names(losses):
        say(settings, f"{word} is {name}")


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


def list_file(text: str, endpoint_url: str | None = None) -> str:
    """The text itself, or the numbers in the file it names."""
    if any(c.isalpha() for c in text) and (is_uri(text) or os.path.isfile(local_path(text))):
        with opened(text, endpoint_url) as file:
            return ",".join(file.read().decode("utf-8").replace(",", " ").split())
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
        batch_size=values.get("batch_size"),
        batch=values.get("batch"),
    )


def options_of(values: Mapping[str, Any]) -> Options:
    rows, worst = values.get("rows"), values.get("worst")
    if rows is not None and rows != "all" and not rows.isdigit():
        raise UsageError(f"--rows {rows} is no number of rows", code="bad-option", hint="a number, or all")
    if rows is not None and worst is not None:
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
        worst=worst,
        stats=values["stats"],
        chunk_rows=values["chunk_rows"],
        threads=values["threads"],
        memory=memory_size(values["memory"]) if values["memory"] else MEMORY,
        per_column=values["per_column"],
        per_class=values["per_class"],
        ci=plan_of(values),
        show_alignment=values.get("show_alignment"),
        per_sample=values.get("per_sample"),
        csv_safe=values["csv_safe"],
        engine=values["engine"],
        scheduler=values["scheduler"],
        endpoint_url=values["endpoint_url"],
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
        if chosen := chosen_columns(info, roles):
            say(settings, inert(f"{info.name}: {chosen}"))
    for note in report.warnings:
        say(settings, f"warning: {inert(note.message)}")


def chosen_columns(info: InputInfo, roles: Mapping[str, str]) -> str:
    """The columns that were found rather than named; nothing where there was no choice."""
    found = {r: c for r, c in info.columns.items() if r not in roles and r not in {"by", "weight", "mask", "batch"}}
    if not found or (info.format == "npy" and len(found) == 1):
        return ""
    return ", ".join(f"{role}={'|'.join(shorten(cols))}" for role, cols in found.items())


def shorten(columns: Sequence[str]) -> list[str]:
    return list(columns) if len(columns) <= 4 else [columns[0], columns[1], "...", columns[-1]]


def inert(text: str) -> str:
    return escape(text)


def check_outputs(outputs: Sequence[str], paths: Sequence[str], endpoint_url: str | None = None) -> None:
    for path in outputs:
        output_format(path)
        refuse_input(path, paths, endpoint_url)
        check_reachable(path, endpoint_url)


def check_samples(path: str | None, outputs: Sequence[str]) -> None:
    """Refuse two documents in one file; that it is no input is for the engine to see, which has opened them."""
    if path is not None and any(same(path, other) for other in outputs):
        raise UsageError(f"-o and --per-sample both write {path}", code="bad-option", hint="name another file")


def refuse_input(path: str, paths: Sequence[str], endpoint_url: str | None = None) -> None:
    """Refuse to write over a file that is read."""
    for other in paths if is_uri(path) or os.path.exists(local_path(path)) else ():
        near = is_uri(path) == is_uri(other)
        whole = near and overwritten(path, [other]) is not None
        files = shards_of(other, endpoint_url) if near and not whole and may_hold(other, path) else None
        if whole or (files is not None and overwritten(path, files) is not None):
            hint = "name another file" if whole else f"it is one of the files of {other}: name another"
            raise UsageError(f"-o {path} would overwrite an input", code="output-is-input", hint=hint)


def write(report: Report | Scores, values: Mapping[str, Any], settings: Settings) -> str:
    """Files first, then standard output; in which format that was."""
    for path in values["output"]:
        how = {name: values[name] for name in ("digits", "csv_safe", "endpoint_url")}
        write_output(report, path, **how)
    form: str = values["format"]
    if form == "auto":
        form = "table" if sys.stdout.isatty() else "plain"
    put_all(
        render(report, form, digits=values["digits"], csv_safe=values["csv_safe"], **looks(form, settings)),
        utf8=form != "table",
    )
    return form


def write_alignments(report: Report, form: str, values: Mapping[str, Any]) -> None:
    """To standard error, where the format has no room for them."""
    aligned = values.get("show_alignment") is not None and form not in {"table", "markdown", "json"}
    if report.samples is not None and aligned:
        from lossctl.report.aligned import blocks  # seldom wanted

        width = os.get_terminal_size(sys.stderr.fileno()).columns if sys.stderr.isatty() else None
        for line in blocks(report.samples, width, values["digits"], sys.stderr.encoding or "ascii"):
            print(inert(line.removesuffix("\n")), file=sys.stderr)


def looks(form: str, settings: Settings) -> dict[str, Any]:
    """Colour, width and encoding of standard output, for the table; in a pipe it has its natural width."""
    if form != "table":
        return {}
    found = terminal.looks(settings)
    return {**found._asdict(), "width": found.width if sys.stdout.isatty() else None}
