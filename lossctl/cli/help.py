"""``lossctl help``: a page of the manual as text, or the JSON schemas."""

from __future__ import annotations

from typing import Any

import click

from lossctl import index
from lossctl.cli.common import COMMON, HELP, Settings, apply_common
from lossctl.cli.terminal import looks, put
from lossctl.errors import UsageError

__all__ = ["help_command", "subject_titles", "subjects"]


@click.command(
    "help",
    params=[click.Argument(["subject"], required=False, metavar="[COMMAND|TOPIC|FAMILY|LOSS]"), *COMMON()],
    context_settings=HELP,
)
@click.pass_context
def help_command(ctx: click.Context, /, subject: str | None, **common: Any) -> None:
    """The manual's page for a command, a topic or a family of losses; for a loss, its explanation."""
    settings = apply_common(ctx, common)
    if subject is None:
        from lossctl.cli.man import overview_page

        return show(overview_page(), settings)
    name = index.normal(subject)
    page = subjects().get(name)
    if name == "json" or name.startswith("lossctl."):
        return put(schema_text(name), utf8=True)
    if page is not None:
        return show(page(name), settings)
    put(loss_text(subject, settings))
    return None


def subjects() -> dict[str, Any]:
    """Whatever has a page, and what makes it."""
    from lossctl.cli.man import command_page, commands, family_page, topic_page
    from lossctl.report.topics import topics

    return {
        **dict.fromkeys(index.families(), family_page),
        **dict.fromkeys(topics(), topic_page),
        **dict.fromkeys(commands(), command_page),
    }


def subject_titles() -> list[tuple[str, str]]:
    """Commands, topics and families with a line about each, for completion."""
    from lossctl.cli.main import COMMANDS
    from lossctl.report.topics import title, topics

    return [
        *((name, text) for name, (_, _, text) in COMMANDS.items()),
        *((name, title(name)) for name in topics()),
        *((name, index.heading(name)) for name in index.families()),
    ]


def show(page: Any, settings: Settings) -> None:
    from lossctl.report.pagetext import page_text

    look = looks(settings)
    put(page_text(page.blocks, width=look.page, color=look.color, encoding=look.encoding))


def loss_text(subject: str, settings: Settings) -> str:
    """A loss by any of its names; what is nothing at all brings the nearest of everything."""
    from lossctl.cli.catalogue import explanation

    try:
        return explanation(subject, settings)
    except UsageError as error:
        if error.code != "unknown-loss":
            raise
        import difflib

        known = [*subjects(), *index.names(), *index.aliases()]
        near = difflib.get_close_matches(index.normal(subject), known, n=3, cutoff=0.5)
        raise UsageError(
            f"there is no help on {subject}: no command, topic, family or loss has this name",
            code="unknown-subject",
            hint=f"did you mean {', '.join(near)}?" if near else "lossctl help, lossctl list",
        ) from None


def schema_text(name: str) -> str:
    """All JSON Schemas in one object by name, or the one that is named."""
    import json

    from lossctl.report.tables import schemas

    found = schemas()
    if name != "json" and name not in found:
        raise UsageError(f"there is no document {name}", code="unknown-subject", hint=f"there are: {', '.join(found)}")
    return json.dumps(found if name == "json" else found[name], indent=2, ensure_ascii=False) + "\n"
