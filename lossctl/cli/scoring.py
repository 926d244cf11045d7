"""What ``score`` does once its options are parsed."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import click

from lossctl.cli.common import Settings, apply_common, say
from lossctl.cli.run import (
    calls_of,
    check_outputs,
    chosen_columns,
    inert,
    inputs_of,
    options_of,
    reader_of,
    request_of,
    roles_of,
    say_names,
    shorten,
    write,
)
from lossctl.cli.score import named_path
from lossctl.cli.terminal import watching
from lossctl.cli.verdict import check_bounds, check_judged, judge
from lossctl.data.inputs import open_beside, open_inputs
from lossctl.data.remembered import Remembered
from lossctl.data.source import Source
from lossctl.engine.options import Options
from lossctl.engine.scores import Scores
from lossctl.engine.scoring import Opened, Opening, check_names, score_files, sort_label
from lossctl.errors import DataError, UsageError
from lossctl.model.call import LossCall
from lossctl.report.problem import error_json, error_text

__all__ = ["run_score"]


def run_score(ctx: click.Context, losses: str, values: dict[str, Any]) -> int:
    """Read, score, write, judge; the exit status."""
    as_json = wants_json(ctx, values)
    settings = apply_common(ctx, values)
    started = time.perf_counter()
    calls = calls_of(losses, values)
    check_reduction(losses, values)
    options = options_of(values)
    check_bounds(values, calls)
    sort = sort_label(values["sort"], calls)
    files = files_of(losses, values)
    say_names(losses, settings)
    with watching(settings) as watch:
        scores = score_files(
            calls,
            openings(files, calls, values, options),
            options,
            keep_going=values["keep_going"],
            sort=sort,
            watch=watch,
        )
    talk(scores, settings, roles_of(values))
    for error in scores.errors.values():
        print(error_json(error) if as_json else error_text(error), file=sys.stderr)
    for file in scores.files:
        if file.report is not None:
            check_judged(file.report, values, file.name)
    write(scores, values, settings)
    if settings.verbose:
        rows = sum(file.report.read for file in scores.files if file.report is not None)
        say(settings, f"{rows:,} rows of {len(files):,} files in {time.perf_counter() - started:.3f} s")
    verdict = max([judge(file.results, values, file.name) for file in scores.files])
    return DataError.exit if scores.errors else verdict


def wants_json(ctx: click.Context, values: Mapping[str, Any]) -> bool:
    """Whether errors that do not end the run go out as JSON."""
    forms = [values.get("error_format")]
    while (ctx := ctx.parent) is not None:  # type: ignore[assignment]
        forms.append(ctx.params.get("error_format"))
    return "text" not in forms and ("json" in forms or values["format"] == "json")


def check_reduction(losses: str, values: Mapping[str, Any]) -> None:
    if values["reduction"] == "none":
        raise UsageError(
            "--reduction none leaves nothing to put beside each other",
            code="bad-option",
            hint=f"lossctl compute {losses} --reduction none, file by file",
        )


def files_of(losses: str, values: Mapping[str, Any]) -> dict[str, str]:
    """Paths by name, in the order given."""
    pairs = [named_path(text) for text in values["files"]]
    if not pairs:
        raise UsageError("no file to score", code="no-input", hint=f"lossctl score {losses} one.csv two.csv")
    twice = next((path for name, path in pairs if sum(name == other for other, _ in pairs) > 1), "preds.csv")
    check_names([name for name, _ in pairs], f"give each a name of its own: NAME={twice}")
    paths = [path for _, path in pairs]
    beside = [values["targets"]] if values["targets"] is not None else []
    if [*paths, *beside].count("-") > 1:
        raise UsageError("standard input can be read once only: - is given twice", code="file-count")
    check_outputs(values["output"], [*paths, *beside], values["endpoint_url"])
    return dict(pairs)


def openings(
    files: Mapping[str, str], calls: Sequence[LossCall], values: Mapping[str, Any], options: Options
) -> dict[str, Opening]:
    """How each file is opened, one at a time; what stands beside them all is opened once."""
    reader = reader_of(values, calls)
    targets = values["targets"]
    beside: list[Source] = [] if targets is None else [open_beside(targets, **reader)]
    if len(files) > 1 and options.engine == "local":
        beside = [cast("Source", Remembered(source, options.memory)) for source in beside]
    shelf: dict[str, Source] = {}

    def opening(path: str) -> Opening:
        def opened() -> Opened:
            sources, roles, elsewhere = open_inputs(
                [path, *beside],
                roles_of(values),
                unmatched=values["unmatched"],
                memory=options.memory,
                shelf=shelf,
                **reader,
            )
            paths = (path,) if targets is None else (path, targets)
            return Opened(sources, request_of(values, roles), elsewhere, inputs_of(paths, values, calls, options))

        return opened

    return {name: opening(path) for name, path in files.items()}


def talk(scores: Scores, settings: Settings, roles: Mapping[str, str]) -> None:
    """On stderr: which columns were taken, and the warnings; what is said of several files is said once."""
    said: dict[str, dict[str, None]] = {}
    for file in scores.files:
        for info in () if file.report is None else file.report.inputs:
            if chosen := chosen_columns(info, roles):
                said.setdefault(chosen, {})[info.name] = None
    for chosen, names in said.items():
        say(settings, inert(f"{', '.join(shorten(list(names)))}: {chosen}"))
    good = len(scores.files) - len(scores.errors)
    for note, whose in scores.warnings.items():
        some = 0 < len(whose) < good and not any(name in note.message for name in whose)
        say(
            settings,
            inert(f"warning: {', '.join(shorten(whose))}: {note.message}" if some else f"warning: {note.message}"),
        )
