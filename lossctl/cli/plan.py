"""``inspect --plan LOSSES``: what ``compute`` would do, before it does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from lossctl import index
from lossctl.cli.common import Settings
from lossctl.cli.losses import batch_options, input_options, reductions_of
from lossctl.cli.options import RESULTS, RUNNING
from lossctl.cli.terminal import looks, put

__all__ = ["PlanCommand", "plan_option", "put_plan"]

LOSSES = "lossctl.plan"  # where a context keeps them
ABOUT_ROWS = ("reduction", "stats")  # of the other options of compute, those that a plan depends on


def plan_option() -> click.Option:
    return click.Option(
        ["--plan"],
        metavar="LOSSES",
        help="Instead: what compute would do with these losses, without reading the rows. "
        "--plan LOSSES --help shows the options of compute that matter for it.",
    )


class PlanCommand(click.Command):
    """A command that takes some options of ``compute`` beside ``--plan LOSSES``: those of these losses."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        losses = planned(args)
        ctx.meta[LOSSES] = [] if losses is None else list(more_options(losses))
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        mine, more = super().get_params(ctx), ctx.meta.get(LOSSES, [])
        return [*mine[:-1], *more, mine[-1]]  # --help comes last


def planned(args: Sequence[str]) -> str | None:
    """The value of ``--plan``, wherever it stands before ``--``."""
    words = list(args[: args.index("--")] if "--" in args else args)
    for place, word in enumerate(words):
        if word == "--plan":
            return next(iter(words[place + 1 :]), None)
        if word.startswith("--plan="):
            return word.removeprefix("--plan=")
    return None


def more_options(losses: str) -> Iterator[click.Option]:
    """Where the inputs of the losses stand, what is made of the rows, and how the work is cut."""
    names = [found for part in losses.split(",") for found in index.named(part)]
    records = {name: index.record(name) for name in names}
    yield from (option for option in input_options(records) if getattr(option, "section", None) != "File format")
    yield from batch_options(records)
    yield from (option for option in RESULTS(*reductions_of(records)) if option.name in ABOUT_ROWS)
    yield from RUNNING()


def put_plan(files: Sequence[str], form: str, values: Mapping[str, Any], settings: Settings) -> None:
    """Settle everything as ``compute`` does, and say what would come next."""
    from lossctl.cli.run import reader_of, request_of, roles_of
    from lossctl.data.inputs import open_inputs
    from lossctl.engine.options import MEMORY, Options, memory_size
    from lossctl.engine.outline import outline
    from lossctl.engine.ready import ready
    from lossctl.model.call import parse_calls

    calls = parse_calls(values["plan"])
    options = Options(
        reduction=values["reduction"],
        stats=values["stats"],
        limit=values["limit"],
        chunk_rows=values["chunk_rows"],
        threads=values["threads"],
        memory=memory_size(values["memory"]) if values["memory"] else MEMORY,
        engine=values["engine"],
        scheduler=values["scheduler"],
        endpoint_url=values["endpoint_url"],
    ).checked()
    sources, roles, elsewhere = open_inputs(
        files, roles_of(values), unmatched=values["unmatched"], memory=options.memory, **reader_of(values, calls)
    )
    _, binding, jobs = ready(calls, sources, request_of(values, roles), options, elsewhere)
    plan = outline(binding, jobs, options)
    if form == "json":
        from lossctl.report.jsonout import dumps
        from lossctl.report.outline import outline_json

        put(dumps(outline_json(plan)) + "\n", utf8=True)
        return
    from lossctl.report.outline import outline_blocks
    from lossctl.report.pagetext import page_text

    look = looks(settings)
    put(page_text(list(outline_blocks(plan)), width=look.page, color=look.color, encoding=look.encoding))
