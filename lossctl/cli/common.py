"""Options that stand before and after every command."""

from __future__ import annotations

import sys
from typing import Any

import click

__all__ = ["COMMON", "Settings", "apply_common", "say"]

HELP = {"help_option_names": ["-h", "--help"]}


class Settings:
    """What the common options came to."""

    def __init__(self) -> None:
        self.quiet = False
        self.verbose = False
        self.debug = False
        self.color: str | None = None


def COMMON() -> list[click.Option]:  # noqa: N802 - a constant that click wants fresh for every command
    """-q, -v, --color, --debug, --error-format."""
    return [
        click.Option(["-q", "--quiet"], is_flag=True, help="No notes on standard error."),
        click.Option(["-v", "--verbose"], is_flag=True, help="Say how the work was done."),
        click.Option(["--color"], type=click.Choice(["auto", "always", "never"]), help="Colour (auto: on a terminal)."),
        click.Option(["--error-format"], type=click.Choice(["text", "json"]), help="How errors are written."),
        click.Option(["--debug"], is_flag=True, help="A traceback with every error."),
    ]


def apply_common(ctx: click.Context, values: dict[str, Any]) -> Settings:
    """Fold this command's common options into the context; they are taken out of ``values``."""
    settings: Settings = ctx.obj if isinstance(ctx.obj, Settings) else Settings()
    settings.quiet |= bool(values.pop("quiet", False))
    if settings.quiet:
        import logging

        logging.getLogger("lossctl").setLevel(logging.ERROR)
    settings.verbose |= bool(values.pop("verbose", False))
    settings.debug |= bool(values.pop("debug", False))
    settings.color = values.pop("color", None) or settings.color
    values.pop("error_format", None)
    return settings


def say(settings: Settings, text: str) -> None:
    """A note on standard error, unless quiet."""
    if not settings.quiet and sys.stderr is not None:
        print(f"lossctl: {text}", file=sys.stderr)
