"""``lossctl list`` and ``lossctl explain``: the registry for people and for programs."""

from __future__ import annotations

import json
from typing import Any

import click

from lossctl import index
from lossctl.cli.common import COMMON, HELP, apply_common
from lossctl.errors import UsageError

__all__ = ["explain", "list_losses"]


def format_option() -> click.Option:
    return click.Option(["-f", "--format"], type=click.Choice(["text", "json"]), default="text", help="[default: text]")


@click.command(
    "list",
    params=[
        click.Option(["--family"], metavar="F", help="One family only."),
        format_option(),
        *COMMON(),
    ],
    context_settings=HELP,
)
@click.pass_context
def list_losses(ctx: click.Context, /, family: str | None, format: str, **common: Any) -> None:
    """Every loss, by family, with what it is and its other names."""
    apply_common(ctx, common)
    families = index.families()
    if family is not None and index.normal(family) not in families:
        raise UsageError(f"there is no family {family}", code="unknown-family", hint=f"families: {', '.join(families)}")
    chosen = {f: names for f, names in families.items() if family is None or f == index.normal(family)}
    if format == "json":
        from lossctl.report.catalogue import entry_json

        records = [entry_json(name) for names in chosen.values() for name in names]
        click.echo(json.dumps(records, indent=1, ensure_ascii=False))
        return
    width = max(len(name) for names in chosen.values() for name in names)
    for place, (title, names) in enumerate(chosen.items()):
        click.echo(("\n" if place else "") + title)
        for name in names:
            record = index.record(name)
            also = f"  ({', '.join(record['aliases'])})" if record["aliases"] else ""
            click.echo(f"  {name:<{width}}  {record['title']}{also}")


@click.command(params=[click.Argument(["loss"]), format_option(), *COMMON()], context_settings=HELP)
@click.pass_context
def explain(ctx: click.Context, /, loss: str, format: str, **common: Any) -> None:
    """One loss: formula, inputs, parameters, reduction, the same number elsewhere, traps, paper."""
    apply_common(ctx, common)
    from lossctl.report.catalogue import entry_json, entry_text

    name = index.resolve(loss)
    if format == "json":
        click.echo(json.dumps(entry_json(name), indent=1, ensure_ascii=False))
    else:
        click.echo(entry_text(name))
