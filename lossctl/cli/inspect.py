"""``lossctl inspect``: what the reader sees in a file, and the command to run on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import click

from lossctl.cli.catalogue import format_option
from lossctl.cli.common import COMMON, HELP, apply_common
from lossctl.cli.options import ROWS, reading
from lossctl.cli.plan import PlanCommand, plan_option, put_plan
from lossctl.cli.terminal import looks, put
from lossctl.data.places import is_file, opened
from lossctl.data.stores.names import tail
from lossctl.errors import UsageError

__all__ = ["inspect"]

LOOK = 20  # lines that show whether a file is a table of numbers


def reading_options() -> list[click.Option]:
    """How files are read, as ``compute`` has it."""
    return [
        *(option for option in reading({}) if getattr(option, "section", None) == "File format"),
        *(option for option in ROWS() if option.name == "limit"),
    ]


@click.command(
    cls=PlanCommand,
    params=[
        click.Argument(["files"], nargs=-1, metavar="FILE..."),
        *reading_options(),
        plan_option(),
        format_option(),
        *COMMON(),
    ],
    context_settings=HELP,
)
@click.pass_context
def inspect(ctx: click.Context, /, files: tuple[str, ...], format: str, **values: Any) -> None:
    """What files hold, which part each column would play, and the command to run next."""
    settings = apply_common(ctx, values)
    if not files:
        raise UsageError("no file to look at", code="no-input", hint="lossctl inspect preds.csv")
    if values["plan"] is not None:
        put_plan(files, format, values, settings)
        return
    from lossctl.data.inputs import open_inputs
    from lossctl.report.advice import advise
    from lossctl.report.inspection import inspection_blocks, inspection_json
    from lossctl.report.survey import survey

    sources, _, _ = open_inputs(
        files,
        {},
        input_format=values["input_format"],
        delimiter=values["delimiter"],
        no_header=values["no_header"],
        null_values=values["null_value"] or None,
        endpoint_url=values["endpoint_url"],
        prose=texts(files),
    )
    surveys = [survey(source, values["limit"]) for source in sources]
    advice = advise(surveys, files, typed(ctx, values))
    if format == "json":
        from lossctl.report.jsonout import dumps

        put(dumps(inspection_json(surveys, advice)) + "\n", utf8=True)
        return
    from lossctl.report.pagetext import page_text

    look = looks(settings)
    blocks = inspection_blocks(surveys, advice)
    put(page_text(blocks, width=look.page, color=look.color, encoding=look.encoding))


def texts(files: Sequence[str]) -> bool:
    """Whether two files are called text, and are no tables of numbers: lines of it, as losses of text read them."""
    if len(files) != 2 or not all(tail(name).endswith(".txt") and is_file(name) for name in files):
        return False
    return not all(map(is_table, files))


def is_table(name: str) -> bool:
    """Whether the first lines are numbers, equally many each."""
    with opened(name) as file:
        rows = [line.replace(b",", b" ").split() for line in islice(file, LOOK)]
    try:
        cells = [float(cell) for row in rows for cell in row]
    except ValueError:
        return False
    return bool(cells) and len(set(map(len, rows))) == 1


def typed(ctx: click.Context, values: Mapping[str, Any]) -> list[str]:
    """The reading options that were given, as words for another command."""
    words = []
    for option in reading_options():
        value = values.get(option.name or "")
        if value is True:
            words.append(option.opts[-1])
        elif value and option.name != "limit":
            every = value if isinstance(value, tuple) else (value,)
            words += [word for one in every for word in (option.opts[-1], str(one))]
    return words
